"""Sessions: each installs its lock file into an environment of its own and calls one program.

A session is added with ``@locked(name of a lock file)``, a docstring of one line (``nox -l`` shows it) and
one ``call``. A new lock file is one more line in ``LOCKS`` and ``nox -s lock``.
"""

import functools
import hashlib
import os
import sys
from collections.abc import Callable
from pathlib import Path

import nox

nox.needs_version = ">=2024.4.15"
nox.options.default_venv_backend = "uv|virtualenv"
nox.options.sessions = ["lint", "tests"]

ROOT = Path(__file__).resolve().parent
ENVIRONMENTS = ROOT / os.environ.get("NOXENVDIR", ".nox")

PROJECT = ("pyproject.toml", "--group", "build", "--extra", "report")
SAME_VERSIONS = ("--constraint", "locks/tests.txt")
LOCKS = {  # the largest first: the others take their versions from it
    "tests": (*PROJECT, "--extra", "train", "--group", "tests"),
    "experiments": (*PROJECT, "--extra", "train", *SAME_VERSIONS),
    "report": (*PROJECT, *SAME_VERSIONS),
    "lint": (*PROJECT, "--group", "lint", *SAME_VERSIONS),
    "validate": (*PROJECT, "--group", "validate", *SAME_VERSIONS),
    "lock": ("--group", "build", "--group", "lock", *SAME_VERSIONS),
}
RESOLUTION = (
    "--universal",  # one file for every system
    "--python-version=3.11",  # and for this Python and later ones,
    "--fork-strategy=fewest",  # with the same versions on each
    "--only-binary=:all:",  # a version without wheels would build code that no hash here covers
    "--generate-hashes",
    "--no-config",  # what a machine is set to stays out of the files
    "--no-emit-index-url",
    "--no-emit-find-links",
    "--no-header",
    "--no-annotate",
    "--quiet",
)


def locked(lock: str) -> Callable[[Callable[[nox.Session], None]], object]:
    """Make a function a session whose environment is that of a lock file, made anew when the file changes."""

    def decorate(function: Callable[[nox.Session], None]) -> object:
        @functools.wraps(function)
        def prepared(session: nox.Session) -> None:
            install(session, lock)
            function(session)

        return nox.session(reuse_venv=is_current(ENVIRONMENTS / function.__name__, lock_file(lock)))(prepared)

    return decorate


def install(session: nox.Session, lock: str) -> None:
    """Install a lock file, then the project in editable form: pip takes no ``-e`` together with hashes."""
    install_once(session, lock_file(lock), "--require-hashes", "--only-binary=:all:", "-r", f"locks/{lock}.txt")
    install_once(session, ROOT / "pyproject.toml", "--no-deps", "--no-build-isolation", "-e", ".")


def install_once(session: nox.Session, source: Path, *arguments: str) -> None:
    """Install what a file asks for, unless its stamp says that the environment holds it already."""
    environment = Path(session.virtualenv.location)
    if not is_current(environment, source):
        session.install(*arguments)
        stamp_file(environment, source).write_text(stamp(source), encoding="utf-8")


def lock_file(lock: str) -> Path:
    """Return the path of a lock file."""
    return ROOT / "locks" / f"{lock}.txt"


def stamp_file(environment: Path, source: Path) -> Path:
    """Return where an environment keeps the stamp of a file that it was installed from."""
    return environment / f"{source.name}.sha256"


def stamp(source: Path) -> str:
    """Return a file's SHA-256, and what else makes an environment useless: another Python, another folder."""
    content = source.read_bytes() if source.is_file() else b""
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    return f"{hashlib.sha256(content).hexdigest()}\nPython {version}\n{ROOT}\n"


def is_current(environment: Path, source: Path) -> bool:
    """Say whether an environment was installed from a file as the file is now."""
    written = stamp_file(environment, source)
    return written.is_file() and written.read_text(encoding="utf-8") == stamp(source)


def call(session: nox.Session, *command: str) -> None:
    """Run a program; after Ctrl-C it has 20 seconds to keep what is finished (nox's own limit is 0.3)."""
    session.run(*command, interrupt_timeout=20, terminate_timeout=20)


@locked("experiments")
def experiments(session: nox.Session) -> None:
    """Train the suite (options after --, see `cifar-report run --help`)."""
    call(session, "cifar-report", "run", "--sessions", *session.posargs)


@locked("report")
def report(session: nox.Session) -> None:
    """Write the HTML and the PDF from a bundle (options after --, see `cifar-report report --help`)."""
    call(session, "cifar-report", "report", "--sessions", *session.posargs)


@locked("report")
def calibration(session: nox.Session) -> None:
    """Simulate the method's own error rates, a minute or two (options after --; --help says which)."""
    call(session, "python", "-m", "cifar_report.simulation.calibration", *session.posargs)


@locked("experiments")
def reproduce(session: nox.Session) -> None:
    """Train 3 runs of a bundle again and compare every byte (-- --rerun K BUNDLE: others; `verify --help`)."""
    call(session, "cifar-report", "verify", "--rerun", "3", *session.posargs)


@locked("tests")
def tests(session: nox.Session) -> None:
    """Run the tests, two at a time (pytest's options after --)."""
    call(session, "pytest", "-n", "2", *session.posargs)


@locked("lint")
def lint(session: nox.Session) -> None:
    """Check style, format and types: ruff and strict mypy."""
    call(session, "ruff", "check")
    call(session, "ruff", "format", "--check")
    call(session, "mypy")


@locked("lock")
def lock(session: nox.Session) -> None:
    """Resolve the lock files again with uv (-- --upgrade takes the newest versions)."""
    for name, selection in LOCKS.items():
        output = ("--output-file", f"locks/{name}.txt")
        call(session, "uv", "pip", "compile", *selection, *RESOLUTION, *output, *session.posargs)
