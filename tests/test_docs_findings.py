"""Each number of the findings, for teachers and in the README, is that of the reference bundle."""

import csv
import re

from command import ROOT

TEXT, README = ((ROOT / name).read_text(encoding="utf-8") for name in ("docs/findings.md", "README.md"))
BOUND = re.compile(r"([^<]*)<!--\s*(\w+)\s+(\S+)(?:\s+(\w+))?\s*-->")
WHERE = {"claim": "verdicts", "datum": "data", "half": "data", "run": "runs"}


def shown(value: float, unit: str) -> str:
    """Return a number as a text shows it, in points or per cent where it is a share."""
    scale, sign = 100 if unit in ("share", "points") else 1, "%" if unit == "share" else ""
    return f"{scale * value:.{2 if unit == 'loss' else 1}f}{sign}".replace("-", "−")


def wanted(row: dict[str, str], kind: str, column: str) -> str:
    """Return what the text must say before a comment."""
    if kind == "run":
        score = row[f"last_{column}"]
        return shown(float(score), "share") if column == "test_accuracy" else str(round(32 * float(score)))
    if kind in ("half", "datum"):
        half = (float(row["high"] or 0) - float(row["low"] or 0)) / 2
        return shown(half, "points") if kind == "half" else shown(float(row["value"]), row["unit"])
    estimate, low, high = (shown(float(row[name]), row["unit"]) for name in ("estimate", "low", "high"))
    return f"{estimate} [{low}, {high}]"


def test_every_number_is_the_references():
    """What stands before each comment is the number that the comment names, rounded."""
    rows = {}
    for name in set(WHERE.values()):
        with (ROOT / "report/reference/tables" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
            rows |= {(name, next(iter(row.values()))): row for row in csv.DictReader(file)}
    for before, kind, name, column in BOUND.findall(TEXT + README):
        assert before.endswith(wanted(rows[WHERE[kind], name], kind, column)), (before[-40:], kind, name)


def test_no_number_stands_unbound():
    """Each percentage, each number with a decimal and each interval stands directly before a comment."""
    assert (TEXT.count("<!--") > 30, README.count("<!--")) == (True, 5)
    free = re.sub(r"\S+(?: \[[^]]*\])?<!--.*?-->", "", TEXT, flags=re.DOTALL)
    assert re.findall(r"(?<!\()[−\d]*\d\.\d+|\[−?\d[^]]*\]", free) == []
    assert set(re.findall(r"\d+%", free)) == {"95%", "90%", "60%"}  # the levels of intervals, and "near"
