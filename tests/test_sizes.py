"""The code stays small enough to be carried on by someone new."""

import ast
import subprocess

import pytest
from command import ROOT

# What there is: both may only shrink. The budget is 16,000 for tests and 21,100 for the product: 17,500 for the suite,
# 600 for the method, 600 for the report, 200 for faults from the field, 1,500 for one's own experiments, 700 for
# clusters.
LINES = {"product": 21_635, "tests": 15_987}
MODULES = 131
FUNCTION = 50  # lines


def tracked(*patterns: str) -> list:
    listed = subprocess.run(["git", "ls-files", *patterns], cwd=ROOT, capture_output=True, text=True, check=True)
    return [ROOT / name for name in listed.stdout.split() if (ROOT / name).is_file()]


PRODUCT = ("cifar_report/*.py", "experiments/*.py", "noxfile.py")


@pytest.mark.parametrize(("part", "patterns"), [("product", PRODUCT), ("tests", ("tests/*.py",))])
def test_each_part_keeps_its_budget(part, patterns):
    """The lines of the product and of its tests stay within what was set for them."""
    assert sum(len(path.read_text(encoding="utf-8").splitlines()) for path in tracked(*patterns)) <= LINES[part]


def test_there_are_few_modules():
    """A module is a topic, not a thought."""
    assert len(tracked(*PRODUCT)) <= MODULES


def test_no_function_is_long():
    """Every function of the product fits a screen."""
    long = [
        f"{path.relative_to(ROOT)}: {node.name}, {node.end_lineno - node.lineno + 1} lines"
        for path in tracked(*PRODUCT)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.end_lineno - node.lineno >= FUNCTION
    ]
    assert long == []


def test_every_test_says_what_must_hold():
    """Each test has a docstring, which is its sentence."""
    silent = [
        f"{path.name}: {node.name}"
        for path in tracked("tests/test_*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_") and not ast.get_docstring(node)
    ]
    assert silent == []
