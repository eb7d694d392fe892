"""What an installed copy of the project consists of."""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from command import ROOT, call, environment

from cifar_report.registry import load_experiments

FOLDERS = ("cifar_report", "examples", "experiments", "templates")
BUILD = "import sys; from setuptools import build_meta; print(build_meta.build_wheel(sys.argv[1]))"


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """Return a copy of what a wheel is built from: building leaves files behind."""
    folder = tmp_path_factory.mktemp("source")
    for name in FOLDERS:
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "node_modules"))
    for name in ("pyproject.toml", "setup.py", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, folder / name)
    return folder


@pytest.fixture(scope="module")
def installed(source, tmp_path_factory):
    pytest.importorskip("setuptools", minversion="77", reason="the project's build backend is not installed")
    folder = tmp_path_factory.mktemp("wheel")
    built = subprocess.run([sys.executable, "-c", BUILD, str(folder)], cwd=source, capture_output=True, text=True)
    assert built.returncode == 0, built.stderr
    with zipfile.ZipFile(next(folder.glob("*.whl"))) as wheel:
        wheel.extractall(folder / "installed")
    return folder / "installed"


@pytest.mark.long
def test_a_wheel_holds_everything_that_the_project_reads(source, installed):
    """A wheel holds all that the project reads, and its copy works as one package."""
    held = {path.relative_to(installed).as_posix() for path in installed.rglob("*")}
    files = {path.relative_to(source) for name in FOLDERS for path in (source / name).rglob("*") if path.is_file()}
    inside = {path if path.parts[0] == "cifar_report" else Path("cifar_report", path) for path in files}
    needed = {path.as_posix() for path in inside if "build" not in path.parts}
    assert "cifar_report/templates/report.html.j2" in needed
    assert needed - held == set()
    assert {path.name for path in installed.iterdir() if path.suffix != ".dist-info"} == {"cifar_report"}
    program = """
from cifar_report.registry import load_experiments
from cifar_report.report.document import TEMPLATES
print(len(load_experiments()), TEMPLATES.is_dir(), TEMPLATES)
"""
    variables = environment(PYTHONPATH=str(installed))
    done = subprocess.run([sys.executable, "-c", program], cwd=installed, env=variables, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    count, found, where = done.stdout.split()
    assert (int(count), found) == (len(load_experiments()), "True")
    assert Path(where).is_relative_to(installed)


@pytest.mark.long
def test_the_shipped_study_runs_from_a_wheel_in_a_folder_that_is_no_checkout(installed, tmp_path):
    """Digits are trained, verified and reported: a residual network among them, with SGD, a cosine schedule and L2."""
    study = str(installed / "cifar_report" / "examples" / "digits")
    places = {"PYTHONPATH": str(installed), "CIFAR_REPORT_CACHE": str(tmp_path / "cache"), "CIFAR10_DIR": None}
    for words in (("run", "--no-timing", "--seeds", "2"), ("verify",), ("report",)):
        done = call(*words, "--experiments", study, cwd=tmp_path, **places)
        assert done.status == 0, done.err
    text = (tmp_path / "report" / "report.html").read_text(encoding="utf-8")
    assert "supported" in text
    assert "SGD" in text
    done = call("new", "study", cwd=tmp_path, **places)
    assert done.status == 0, done.err
    done = call("list", "--experiments", "study", cwd=tmp_path, **places)
    assert "wider" in done.out
