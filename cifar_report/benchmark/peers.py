"""The other libraries that the bench compares with: installed for it alone, into a folder of its environment."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from cifar_report.benchmark.blocks import Way

# Their other dependencies are in the environment already. PyTorch's wheel for Linux on the public index needs
# gigabytes of CUDA libraries; uv knows where builds for the processor are, and pip may be set to find one. What does
# not start is named, and the bench goes on without it.
PACKAGES: dict[Way, tuple[str, ...]] = {
    "pytorch": ("torch==2.13.0", "filelock", "fsspec", "mpmath", "networkx", "sympy"),
    "jax": ("jax==0.10.2", "jaxlib==0.10.2"),
}
MOST_SECONDS = 150  # of one attempt
READY = "installed"
MODULES: dict[Way, str] = {"pytorch": "torch", "jax": "jax"}
BUNDLED_PIP = """import ensurepip, pathlib, runpy, sys, sysconfig
folders = pathlib.Path(ensurepip.__file__).parent / "_bundled", sysconfig.get_config_var("WHEEL_PKG_DIR")
sys.path.insert(0, str(next(wheel for folder in folders if folder for wheel in pathlib.Path(folder).glob("pip-*.whl"))))
runpy.run_module("pip", run_name="__main__", alter_sys=True)
"""


def install_peers(missing: dict[str, str], tell: Callable[[str], None], home: Path | None = None) -> dict[Way, Path]:
    """Return the folder of each peer's libraries; one that cannot be had is named in ``missing`` with the reason."""
    found = {}
    for way, packages in PACKAGES.items():
        folder = (home or Path(sys.prefix) / "peers") / packages[0].replace("==", "-")
        if not (folder / READY).is_file():
            tell(f"{packages[0]} is installed for the comparison")
            reason = _install(folder, packages, MODULES[way])
            if reason is not None:
                missing[way] = reason
                tell(f"{way} is skipped: {reason}")
                continue
        found[way] = folder
    return found


def _install(folder: Path, packages: tuple[str, ...], module: str) -> str | None:
    """Install into ``folder`` with the first installer whose packages start; return why none did, or None."""
    reason = "neither uv nor pip is there to install it"
    for installer in _installers():
        shutil.rmtree(folder, ignore_errors=True)
        folder.parent.mkdir(parents=True, exist_ok=True)
        words = ["--quiet", "--no-deps", "--only-binary=:all:", "--target", str(folder), *packages]
        failure = _failure([*installer, *words]) or _failure(
            [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(folder)!r}); import {module}"]
        )
        if failure is None:
            (folder / READY).touch()
            return None
        reason = f"it could not be installed: {failure}"
    return reason


def _failure(words: list[str]) -> str | None:
    """Run a program; return what went wrong in one line, or None."""
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=MOST_SECONDS, check=False)  # noqa: S603 - fixed words
    except (OSError, subprocess.TimeoutExpired) as error:
        return error.__class__.__name__
    said = [line.strip() for line in done.stderr.splitlines() if line.strip()]
    errors = [line for line in said if line.lower().startswith("error")]
    return (errors or said or ["no word"])[-1] if done.returncode else None


def _installers() -> list[list[str]]:
    """Return the beginnings of the commands that may install, the likelier first.

    uv looks for PyTorch where builds for the processor are. An environment that uv made has no pip, and pip alone
    minds how this machine is set to find packages, so the one that comes with Python helps.
    """
    found = []
    if uv := shutil.which("uv"):
        found.append([uv, "pip", "install", "--python", sys.executable, "--torch-backend", "cpu"])
    if importlib.util.find_spec("pip") is not None:
        found.append([sys.executable, "-m", "pip", "install", "--disable-pip-version-check"])
    elif importlib.util.find_spec("ensurepip") is not None:
        found.append([sys.executable, "-c", BUNDLED_PIP, "install", "--disable-pip-version-check"])
    return found
