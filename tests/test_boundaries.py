"""The walls between the parts: who may import what, checked in the source and in running processes."""

import ast
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest
from command import ROOT, environment

PACKAGE = ROOT / "cifar_report"
HEAVY = {"tensorflow", "keras"}
DRAWING = {"matplotlib", "weasyprint", "jinja2", "babel", "ziamath", "latex2mathml", "pygments"}


@cache
def imports(path: Path, *, lazy: bool = True) -> set[str]:
    """Return all modules that a file imports, not for type checkers alone; ``lazy``: those inside functions, too."""
    found: set[str] = set()
    body = [ast.parse(path.read_text(encoding="utf-8"))]
    while body:
        node = body.pop()
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            body.extend(node.orelse)
            continue
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and not lazy:
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            package = path.relative_to(ROOT).parent.parts[: None if node.level < 2 else 1 - node.level]
            module = ".".join([*(package if node.level else ()), *([node.module] if node.module else [])])
            found |= {module, *(f"{module}.{alias.name}" for alias in node.names)}
        body.extend(ast.iter_child_nodes(node))
    return found


def tops(names: set[str]) -> set[str]:
    return {name.partition(".")[0] for name in names}


def parts(names: set[str]) -> set[str]:
    """Return the parts of the project, or its single modules, that module names lie in."""
    return {name.split(".")[1] for name in names if name.startswith("cifar_report.")}


def files(*places: str) -> list[Path]:
    found = [path for place in places for path in sorted((PACKAGE / place).rglob("*.py"))]
    assert found
    return found


ALL = sorted(PACKAGE.rglob("*.py"))
ALLOWED = {  # each part, and what of the project it may import
    "spec": {"spec", "errors"},
    "data": {"data", "spec", "errors"},
    "bundle": {"bundle", "spec", "collecting", "errors", "published"},
    "training": {"training", "bundle", "data", "spec", "errors", "plain_keras"},
    "running": {"running", "bundle", "data", "spec", "errors", "published", "registry", "training"},
    "analysis": {"analysis", "bundle", "spec", "errors", "published", "data"},
    "report": {"report", "analysis", "bundle", "spec", "collecting", "errors", "published", "data"}
    | {"registry", "plain_keras"},
    "verify": {"verify", "report", "analysis", "running", "bundle", "data", "spec", "errors", "registry"},
    "simulation": {"simulation", "analysis", "bundle", "data", "spec", "errors", "published", "registry"},
}


@pytest.mark.parametrize("part", ALLOWED)
def test_each_part_knows_only_its_neighbours(part):
    """A part of the project imports no part that the design keeps from it."""
    own = {"__version__", "project_folder"}
    strays = {
        str(path.relative_to(ROOT)): stray
        for path in files(part)
        if (stray := parts(imports(path)) - ALLOWED[part] - own)
    }
    assert strays == {}


def test_tensorflow_drawing_and_scikit_learn_have_their_places():
    """TensorFlow belongs to training, which a worker's functions alone import; drawing and scikit-learn have places."""
    offenders = [path for path in ALL if tops(imports(path)) & HEAVY and path.parent.name != "training"]
    assert offenders == []
    assert any(tops(imports(path)) & HEAVY for path in files("training"))
    assert [path for path in ALL if tops(imports(path)) & DRAWING and "report" not in path.parts] == []
    offenders = [
        path
        for path in ALL
        if "sklearn" in tops(imports(path)) and not {"training", "data", "analysis"} & set(path.parts)
    ]
    assert offenders == []
    reaching = {
        path.relative_to(PACKAGE).as_posix()
        for path in ALL
        if "training" in parts(imports(path)) and path.parent.name != "training"
    }
    assert {place for place in reaching if not place.startswith("running/")} == set()
    eager = [path for path in ALL if path.parent.name != "training" and "training" in parts(imports(path, lazy=False))]
    assert eager == []


def test_the_command_imports_nothing_heavy_before_it_must():
    """What the command imports at once is the standard library and the project's own words."""
    light = [PACKAGE / name for name in ("cli.py", "__main__.py", "errors.py")]
    for path in (*light, *sorted((PACKAGE / "commands").glob("*.py"))):
        names = imports(path, lazy=False)
        assert tops(names) <= set(sys.stdlib_module_names) | {"cifar_report"}
        assert parts(names) <= {"cli", "commands", "errors", "__version__"}


def test_nothing_unpickles():
    """Pickle is read from the published Python archive and from the suite's own processes; NumPy must refuse it."""
    readers = {path.name for path in ALL if tops(imports(path)) & {"pickle", "marshal", "shelve", "dill", "joblib"}}
    assert readers <= {"cifar10.py", "workers.py"}
    loads = [line for path in ALL for line in path.read_text().splitlines() if re.search(r"\bnp\.load\(", line)]
    assert loads
    assert all("allow_pickle=False" in line for line in loads)


@pytest.mark.parametrize(
    ("modules", "absent"),
    [
        ("cifar_report.spec, cifar_report.registry", {"numpy", "tensorflow", "sklearn", "matplotlib"}),
        ("cifar_report.bundle, cifar_report.running.suite", {"tensorflow", "keras", "sklearn", "matplotlib", "scipy"}),
        ("cifar_report.analysis", {"tensorflow", "keras", "matplotlib", "weasyprint", "jinja2"}),
    ],
)
def test_importing_a_part_does_not_bring_in_what_it_must_not_know(modules, absent):
    """In a fresh process, importing a part imports nothing that belongs to the other side of its wall."""
    program = f"import sys, {modules}; print(*({absent!r} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program], env=environment(), cwd=ROOT, capture_output=True, text=True)
    assert (done.stdout.strip(), done.returncode) == ("", 0), done.stderr
