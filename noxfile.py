"""Sessions: each installs its lock file into an environment of its own, by uv where it is there, and calls programs."""

import nox

nox.needs_version = ">=2024.4.15"
nox.options.default_venv_backend = "uv|virtualenv"
nox.options.reuse_venv = "yes"
nox.options.sessions = ["lint", "tests"]

PROJECT = ("pyproject.toml", "--group", "build", "--extra", "report", "--extra", "notebook")
SAME_VERSIONS = ("--constraint", "locks/tests.txt")
LOCKS = {  # the largest first: the others take their versions from it
    "tests": (*PROJECT, "--extra", "train", "--extra", "cluster", "--group", "tests"),
    "experiments": (*PROJECT, "--extra", "train", *SAME_VERSIONS),
    "report": (*PROJECT, *SAME_VERSIONS),
    "lint": (*PROJECT, "--group", "lint", *SAME_VERSIONS),
    "validate": (*PROJECT, "--group", "validate", *SAME_VERSIONS),
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


def install(session: nox.Session, lock: str) -> None:
    """Install a lock file, then the project in editable form: pip takes no ``-e`` together with hashes.

    Compiled once, which uv does only when asked, packages need not be compiled by each process that imports them.
    """
    session.install("--compile", "--require-hashes", "--only-binary=:all:", "-r", f"locks/{lock}.txt")
    session.install("--no-deps", "--no-build-isolation", "-e", ".")


def call(session: nox.Session, *command: str) -> None:
    """Run a program; after Ctrl-C it has 20 seconds to keep what is finished (nox's own limit is 0.3)."""
    session.run(*command, interrupt_timeout=20, terminate_timeout=20)


@nox.session
def experiments(session: nox.Session) -> None:
    """Train the suite (options after --, see `cifar-report run --help`)."""
    install(session, "experiments")
    call(session, "cifar-report", "run", "--sessions", *session.posargs)


@nox.session
def report(session: nox.Session) -> None:
    """Write the HTML and the PDF from a bundle (options after --, see `cifar-report report --help`)."""
    install(session, "report")
    call(session, "cifar-report", "report", "--sessions", *session.posargs)


@nox.session
def calibration(session: nox.Session) -> None:
    """Simulate the method's own error rates, six minutes of one core (options after --; --help says which)."""
    install(session, "report")
    call(session, "python", "-m", "cifar_report.simulation.calibration", *session.posargs)


@nox.session
def bench(session: nox.Session) -> None:
    """Measure the engine against plain Keras on an idle machine, minutes (options after --; --help says which)."""
    install(session, "experiments")
    call(session, "python", "benchmarks/bench.py", *session.posargs)


@nox.session
def reproduce(session: nox.Session) -> None:
    """Train 3 runs of a bundle again and compare every byte (-- --rerun K BUNDLE: others; `verify --help`)."""
    install(session, "experiments")
    call(session, "cifar-report", "verify", "--rerun", "3", *session.posargs)


@nox.session
def tests(session: nox.Session) -> None:
    """Run the tests, two at a time (pytest's options after --; -m long: those that break things for minutes)."""
    install(session, "tests")
    session.env["PYTHONDONTWRITEBYTECODE"] = ""  # many processes import the project, which is compiled once as well
    call(session, "pytest", "-n", "2", *session.posargs)


@nox.session
def validate(session: nox.Session) -> None:
    """Hold the reports of bundles, by default the reference, against veraPDF, Nu and axe-core (BUNDLE ... after --)."""
    install(session, "validate")
    call(session, "python", "tests/validators/validate.py", *session.posargs)


@nox.session
def lint(session: nox.Session) -> None:
    """Check style, format and types: ruff and strict mypy."""
    install(session, "lint")
    call(session, "ruff", "check")
    call(session, "ruff", "format", "--check")
    call(session, "mypy")


@nox.session
def lock(session: nox.Session) -> None:
    """Resolve the lock files again with uv, of `pip install 'nox[uv]'` (-- --upgrade takes the newest versions)."""
    for name, selection in LOCKS.items():
        output = ("--output-file", f"locks/{name}.txt")
        session.run("uv", "pip", "compile", *selection, *RESOLUTION, *output, *session.posargs, external=True)
