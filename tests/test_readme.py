"""What the README says of results, commands and sizes is so."""

import csv
import re

from command import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
FINDINGS = {  # claim: what the README says of its estimate and interval
    "C05a.as_written": "{estimate} points [{low}, {high}]",
    "C11a": "another {estimate} [{low}, {high}]",
    "C09a.as_written": "{estimate} points [{low}, {high}]",
    "C09c.as_written": "{ratio} times the training time",
    "C07b.accuracy.as_written": "{estimate} points higher [{low}, {high}]",
}


def points(share: str) -> str:
    """Return a share of the images as percentage points with one decimal."""
    return f"{100 * float(share):.1f}".replace("-", "−")


def test_its_findings_are_those_of_the_reference():
    """Each number of the findings is that of a verdict in ``report/reference``."""
    with (ROOT / "report/reference/tables/verdicts.csv").open(encoding="utf-8", newline="") as file:
        rows = {row["claim"]: row for row in csv.DictReader(file)}
    text = " ".join(README.split())
    for claim, form in FINDINGS.items():
        row = rows[claim]
        numbers = {name: points(row[name]) for name in ("estimate", "low", "high")}
        assert form.format(**numbers, ratio=f"{float(row['estimate']):.1f}") in text, claim


def test_it_lists_every_session_and_every_command():
    """It names every session and every command in at most 120 lines."""
    from cifar_report.cli import COMMANDS

    sessions = set(re.findall(r"^def (\w+)\(session: nox\.Session\)", (ROOT / "noxfile.py").read_text(), re.MULTILINE))
    assert sessions - set(re.findall(r"`nox -s (\w+)", README)) == set()
    assert [name for name in COMMANDS if name not in README] == []
    assert len(README.splitlines()) <= 120
