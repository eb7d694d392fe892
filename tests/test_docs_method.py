import ast
import re
from functools import cache
from pathlib import Path

import pytest

from cifar_report.analysis.decisions import LEAST_SEEDS_FOR_ONSET, RATIO_SLACK
from cifar_report.analysis.values import ACCURACY_LEVEL, LEVEL, LOSS_RISE
from cifar_report.simulation.calibration import ASSUMED

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "cifar_report"
TEXT = (ROOT / "docs" / "method.md").read_text(encoding="utf-8")
OTHERS = {"TTestPower"}  # code in the text that is no name of the project
PLACED = re.compile(r"`([\w/]+\.py): (\w+)`")


@cache
def names_in(path: Path) -> set[str]:
    """Return the functions and classes that a file defines, methods included."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.ClassDef))}


def files_of(name: str) -> list[Path]:
    """Return the files of the package whose path ends in ``name``."""
    return [path for path in PACKAGE.rglob("*.py") if f"/{path.relative_to(ROOT)}".endswith(f"/{name}")]


@pytest.mark.parametrize(("file", "name"), sorted(set(PLACED.findall(TEXT))))
def test_a_named_function_is_where_the_method_says(file: str, name: str) -> None:
    """Whoever follows the text into the code finds what it names."""
    assert any(name in names_in(path) for path in files_of(file)), f"{file} has no {name}"


def test_every_other_name_in_the_method_is_one_of_the_project_s() -> None:
    """A file or a function that was renamed is renamed in the text, too."""
    known = set().union(*(names_in(path) for path in PACKAGE.rglob("*.py")))
    quoted = set(re.findall(r"`([^`]+)`", TEXT))
    files = {each for each in quoted if re.fullmatch(r"[\w/]+\.py", each)}
    assert len(files) > 4
    assert [each for each in files if not files_of(each)] == []
    functions = {each.split(".")[-1] for each in quoted if re.fullmatch(r"[A-Z]?\w+(\.\w+)?", each)} - OTHERS
    assert len(functions) > 15
    assert sorted(functions - known) == []


def test_the_method_states_the_numbers_of_the_code() -> None:
    """The levels, factors and least numbers in the text are those by which claims are judged."""
    assert f"at the level {LEVEL:g}".replace("0.", ".") in TEXT
    assert f"between r / {RATIO_SLACK} and {RATIO_SLACK} r" in TEXT
    assert f"validation accuracy of {ACCURACY_LEVEL:g}".replace("0.", ".") in TEXT
    assert f"a rise of {LOSS_RISE - 1:.0%}".replace("%", " %") in TEXT
    assert LEAST_SEEDS_FOR_ONSET == 5
    assert "Five seeds are the least" in TEXT
    assert f"({ASSUMED.seed:g} and {ASSUMED.image:g})".replace("0.", ".") in TEXT
