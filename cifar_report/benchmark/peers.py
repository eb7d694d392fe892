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
# gigabytes of CUDA libraries; without them it does not start, and the bench says so and goes on. Where pip is set
# to find a build for the processor, that one is taken.
PACKAGES: dict[Way, tuple[str, ...]] = {
    "pytorch": ("torch==2.13.0", "filelock", "fsspec", "mpmath", "networkx", "sympy"),
    "jax": ("jax==0.10.2", "jaxlib==0.10.2"),
}
MOST_SECONDS = 300
READY = "installed"


def install_peers(missing: dict[str, str], tell: Callable[[str], None], home: Path | None = None) -> dict[Way, Path]:
    """Return the folder of each peer's libraries; one that cannot be had is named in ``missing`` with the reason."""
    found = {}
    for way, packages in PACKAGES.items():
        folder = (home or Path(sys.prefix) / "peers") / packages[0].replace("==", "-")
        if not (folder / READY).is_file():
            tell(f"{packages[0]} is installed for the comparison")
            reason = _install(folder, packages)
            if reason is not None:
                missing[way] = reason
                tell(f"{way} is skipped: {reason}")
                continue
        found[way] = folder
    return found


def _install(folder: Path, packages: tuple[str, ...]) -> str | None:
    """Install into ``folder``; return why it failed, or None."""
    program = _installer()
    if program is None:
        return "neither pip nor uv is there to install it"
    shutil.rmtree(folder, ignore_errors=True)
    words = [*program, "--quiet", "--no-deps", "--only-binary=:all:", "--target", str(folder), *packages]
    try:
        folder.mkdir(parents=True)
        done = subprocess.run(words, capture_output=True, text=True, timeout=MOST_SECONDS, check=False)  # noqa: S603 - fixed words
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"it could not be installed: {error.__class__.__name__}"
    if done.returncode:
        said = [line for line in done.stderr.splitlines() if line.startswith(("ERROR", "error"))]
        return f"it could not be installed: {(said or ['no word'])[-1]}"
    (folder / READY).touch()
    return None


def _installer() -> list[str] | None:
    if importlib.util.find_spec("pip") is not None:
        return [sys.executable, "-m", "pip", "install", "--disable-pip-version-check"]
    uv = shutil.which("uv")
    return [uv, "pip", "install", "--python", sys.executable] if uv else None
