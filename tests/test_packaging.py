"""What an installed copy of the project consists of."""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from command import ROOT

FOLDERS = ("cifar_report", "experiments", "templates")
BUILD = "import sys; from setuptools import build_meta; print(build_meta.build_wheel(sys.argv[1]))"


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """Return a copy of what a wheel is built from: building leaves files behind."""
    folder = tmp_path_factory.mktemp("source")
    for name in FOLDERS:
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "node_modules"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, folder / name)
    return folder


def test_a_wheel_holds_everything_that_the_project_reads(source, tmp_path):
    """Templates, style sheets, fonts, catalogues and recorded numbers are installed like the code."""
    pytest.importorskip("setuptools", minversion="77", reason="the project's build backend is not installed")
    built = subprocess.run(
        [sys.executable, "-c", BUILD, str(tmp_path)], cwd=source, capture_output=True, text=True, timeout=300
    )
    assert built.returncode == 0, built.stderr
    with zipfile.ZipFile(next(tmp_path.glob("*.whl"))) as wheel:
        held = set(wheel.namelist())
    files = {path.relative_to(source) for name in FOLDERS for path in (source / name).rglob("*") if path.is_file()}
    needed = {path.as_posix() for path in files if "build" not in path.parts}
    assert Path("templates/report.html.j2").as_posix() in needed
    assert needed - held == set()
