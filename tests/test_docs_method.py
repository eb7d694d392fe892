import ast
import re
from pathlib import Path

from cifar_report.analysis.decisions import LEAST_SEEDS_FOR_ONSET, RATIO_SLACK
from cifar_report.analysis.values import ACCURACY_LEVEL, LEVEL, LOSS_RISE
from cifar_report.simulation.calibration import ASSUMED

ROOT = Path(__file__).resolve().parents[1]
TEXT = (ROOT / "docs" / "method.md").read_text(encoding="utf-8")
OTHERS = {"ttost_paired"}  # code in the text that is no name of the project


def names_by_file() -> dict[str, set[str]]:
    """Return the functions and classes that each file of the package defines, methods included."""
    return {
        f"/{path.relative_to(ROOT).as_posix()}": {
            node.name
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(node, (ast.FunctionDef, ast.ClassDef))
        }
        for path in (ROOT / "cifar_report").rglob("*.py")
    }


def test_every_name_in_the_method_is_where_the_text_says() -> None:
    """Whoever follows the text into the code finds each file and function that it names, and there."""
    known = names_by_file()
    placed = set(re.findall(r"`([\w/]+\.py)(?:: (\w+))?`", TEXT))
    assert len(placed) > 20
    for file, name in placed:
        found = [names for path, names in known.items() if path.endswith(f"/{file}") and (not name or name in names)]
        assert found, f"{file} has no {name or 'such file'}"
    alone = {each.split(".")[-1] for each in re.findall(r"`([A-Z]?\w+(?:\.\w+)?)`", TEXT)} - {"py"} - OTHERS
    assert len(alone) > 15
    assert sorted(alone - set().union(*known.values())) == []


def test_the_method_states_the_numbers_of_the_code() -> None:
    """The levels, factors and least numbers in the text are those by which claims are judged."""
    assert f"at the level {LEVEL:g}".replace("0.", ".") in TEXT
    assert f"between r / {RATIO_SLACK} and {RATIO_SLACK} r" in TEXT
    assert f"validation accuracy of {ACCURACY_LEVEL:g}".replace("0.", ".") in TEXT
    assert f"a rise of {LOSS_RISE - 1:.0%}".replace("%", " %") in TEXT
    assert LEAST_SEEDS_FOR_ONSET == 5
    assert "Five seeds are the least" in TEXT
    assert f"({ASSUMED.seed:g} and {ASSUMED.image:g})".replace("0.", ".") in TEXT
