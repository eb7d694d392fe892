"""Nothing of another package's inside is replaced, and none of its private names is used."""

import ast
import sys
from pathlib import Path

import pytest
from command import ROOT

SOURCES = [
    *sorted((ROOT / "cifar_report").rglob("*.py")),
    *sorted((ROOT / "experiments").glob("*.py")),
    *sorted((ROOT / "benchmarks").glob("*.py")),
    ROOT / "noxfile.py",
]
OWN = {"cifar_report", "experiments"}
DOCUMENTED = {"_exit", "_asdict", "_replace", "_fields"}  # public in spite of their names: of os and of named tuples
SETTINGS = {"nox"}  # packages that are configured by assigning to their public attributes


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__") and name != "_"


def foreign_names(tree: ast.AST) -> dict[str, str]:
    """Return the names that a module imports from other packages, and what each stands for."""
    found = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {(alias.asname or alias.name.partition(".")[0]): alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found |= {(alias.asname or alias.name): f"{node.module}.{alias.name}" for alias in node.names}
    return {name: path for name, path in found.items() if path.partition(".")[0] not in OWN}


def root_of(node: ast.AST) -> str | None:
    while isinstance(node, ast.Attribute):
        node = node.value
    return node.id if isinstance(node, ast.Name) else None


def insides(source: str, defined: set[str]) -> list[str]:
    """Return where a module uses or replaces what another package keeps to itself.

    ``defined`` are the private names of the project: an attribute of another name belongs to somebody else.
    """
    tree = ast.parse(source)
    foreign = foreign_names(tree)
    third_party = {
        name for name, path in foreign.items() if path.partition(".")[0] not in {*sys.stdlib_module_names, *SETTINGS}
    }
    found = [f"imports {path}" for path in foreign.values() if any(is_private(part) for part in path.split("."))]
    found += [f"imports {path}" for path in foreign.values() if path.startswith(("keras.src", "tensorflow.python"))]
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and is_private(node.attr):
            if node.attr not in DOCUMENTED and (node.attr not in defined or root_of(node.value) in foreign):
                found.append(f"line {node.lineno}: {ast.unparse(node)}")
        elif isinstance(node, (ast.Assign, ast.AugAssign, ast.AnnAssign)):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            found += [
                f"line {node.lineno}: assigns {ast.unparse(target)}"
                for target in targets
                if isinstance(target, ast.Attribute) and root_of(target) in third_party
            ]
        elif isinstance(node, ast.Call) and ast.unparse(node.func) in ("setattr", "delattr"):
            found += [f"line {node.lineno}: {ast.unparse(node)}"] * (root_of(node.args[0]) in third_party)
    return found


def private_names(source: str) -> set[str]:
    """Return the private names that a module defines: functions, classes, variables, attributes of ``self``."""
    names = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            names.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and root_of(node) in ("self", "cls"):
            names.add(node.attr)
    return {name for name in names if is_private(name)}


DEFINED = {name for path in SOURCES for name in private_names(path.read_text(encoding="utf-8"))}


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_no_module_reaches_into_another_package(path: Path):
    """A module imports no private name, reads no private attribute and assigns to no attribute of another package."""
    assert insides(path.read_text(encoding="utf-8"), DEFINED) == []
