"""The lock files, the sessions that install them, and what names the project's version."""

import hashlib
import json
import os
import re
import runpy
import signal
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import cifar_report

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
LOCKS = {  # which extras and groups of pyproject.toml each lock file must hold
    "experiments": ("dependencies", "build", "train", "report"),
    "report": ("dependencies", "build", "report"),
    "tests": ("dependencies", "build", "train", "report", "tests"),
    "lint": ("dependencies", "build", "report", "lint"),
    "validate": ("dependencies", "build", "report", "validate"),
}
PIN = re.compile(r"([a-z0-9-]+)==([0-9][0-9a-z.]*)( ; [^\\#@]+)? \\")
HASH = re.compile(r" {4}--hash=sha256:[0-9a-f]{64}( \\)?")


def lock_lines(lock):
    return (ROOT / "locks" / f"{lock}.txt").read_text(encoding="utf-8").splitlines()


def pins(lock):
    found = (PIN.fullmatch(line) for line in lock_lines(lock))
    return {match[1]: match[2] for match in found if match}


def declared(part):
    """Return the requirements that pyproject.toml lists for an extra, a group or the project itself."""
    lists = {"dependencies": PROJECT["project"]["dependencies"], **PROJECT["project"]["optional-dependencies"]}
    return [Requirement(text) for text in (lists | PROJECT["dependency-groups"])[part]]


@pytest.mark.parametrize("lock", LOCKS)
def test_lock_holds_pins_and_hashes_alone(lock):
    """A lock file is pinned packages, each followed by hashes: no address, path, option or comment."""
    lines = lock_lines(lock)
    strange = [line for line in lines if not (PIN.fullmatch(line) or HASH.fullmatch(line))]
    assert strange == []
    pinned = [number for number, line in enumerate(lines) if PIN.fullmatch(line)]
    assert pinned
    assert [number for number in pinned if not HASH.fullmatch(lines[number + 1])] == []


def test_locks_agree_on_versions():
    """Lock files are those known here, agree on versions, and install what the build system asks for."""
    versions = {}
    for lock in LOCKS:
        for name, version in pins(lock).items():
            versions.setdefault(name, {}).setdefault(version, []).append(lock)
    assert {name: found for name, found in versions.items() if len(found) > 1} == {}
    assert {path.stem for path in (ROOT / "locks").iterdir()} == set(LOCKS)
    assert PROJECT["dependency-groups"]["build"] == PROJECT["build-system"]["requires"]


@pytest.mark.parametrize(("lock", "part"), [(lock, part) for lock, parts in LOCKS.items() for part in parts])
def test_lock_satisfies_pyproject(lock, part):
    """Each requirement that pyproject.toml declares is pinned to a version that it allows."""
    pinned = pins(lock)
    unmet = [
        str(requirement)
        for requirement in declared(part)
        if pinned.get(name := canonicalize_name(requirement.name)) is None
        or not requirement.specifier.contains(pinned[name])
    ]
    assert unmet == []


def test_only_training_installs_tensorflow():
    """The report and lint do without TensorFlow, training has it by its own name, nobody has CUDA's packages."""
    assert {lock for lock in LOCKS if "tensorflow" in pins(lock)} == {"experiments", "tests"}
    assert {lock for lock in LOCKS if {"keras", "tensorflow-cpu"} & set(pins(lock))} == {"experiments", "tests"}
    assert [name for lock in LOCKS for name in pins(lock) if name.startswith(("nvidia", "tensorflow-"))] == []


def test_version_is_the_same_everywhere():
    """The package, pyproject.toml, the citation and the changelog name one version."""
    version = PROJECT["project"]["version"]
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert cifar_report.__version__ == version
    assert re.search(r"^version: (.+)$", citation, re.MULTILINE)[1] == version
    assert re.search(r"^## (\S+)", changelog, re.MULTILINE)[1] == version


def environment(**more):
    """Return this process's variables without those that a nox around the tests would have set."""
    return {name: value for name, value in os.environ.items() if not name.upper().startswith("NOX")} | more


def nox(folder, *arguments, **more):
    """Run nox in a folder and return what it wrote; a failing session fails the test."""
    command = [sys.executable, "-m", "nox", "--non-interactive", "--nocolor", *arguments]
    done = subprocess.run(command, cwd=folder, env=environment(**more), capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_every_session_is_listed_with_one_line():
    """`nox -l` describes every session in one line, and plain `nox` runs lint and tests."""
    listing = nox(ROOT, "--list")
    sessions = re.findall(r"^([*-]) (\S+)( -> .+\.)?$", listing, re.MULTILINE)
    assert {name for _, name, _ in sessions} >= {"experiments", "report", "tests", "lint", "lock"}
    assert [name for _, name, description in sessions if not description] == []
    assert {name for mark, name, _ in sessions if mark == "*"} == {"lint", "tests"}


BACKEND = '''
"""A build backend that needs nothing, so that a project can be installed without a network."""

import pathlib
import zipfile

SCRIPT = "[console_scripts]\\ncifar-report = program:main\\n"


def write_wheel(folder, name, files):
    wheel, about = f"{name}-1.0-py3-none-any.whl", f"{name}-1.0.dist-info"
    with zipfile.ZipFile(pathlib.Path(folder) / wheel, "w") as archive:
        for path, text in files.items():
            archive.writestr(path.format(about=about), text)
        archive.writestr(f"{about}/METADATA", f"Metadata-Version: 2.1\\nName: {name}\\nVersion: 1.0\\n")
        archive.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        archive.writestr(f"{about}/RECORD", "")
    return wheel


def build_editable(folder, config_settings=None, metadata_directory=None):
    program = pathlib.Path("source.txt").read_text()
    return write_wheel(folder, "project", {"program.py": program, "{about}/entry_points.txt": SCRIPT})
'''

PROGRAM = """
import json, pathlib, sys, time


def main():
    with open("calls", "a") as calls:
        print(json.dumps(sys.argv[1:]), file=calls)
    if "fail" in sys.argv and "run" in sys.argv:
        sys.exit(1)
    if "wait" in sys.argv:
        try:
            time.sleep(60)
        except KeyboardInterrupt:
            time.sleep(1)  # nox's own patience ends after 0.3 seconds
            pathlib.Path("kept").touch()
"""


class SmallProject:
    """A project with the real noxfile whose lock files hold one small package that lies beside them."""

    def __init__(self, folder):
        self.folder = folder
        (folder / "locks").mkdir()
        (folder / "noxfile.py").write_bytes((ROOT / "noxfile.py").read_bytes())
        (folder / "source.txt").write_text(PROGRAM)
        (folder / "backend.py").write_text(BACKEND)
        build_system = '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
        (folder / "pyproject.toml").write_text(f'{build_system}[project]\nname = "project"\nversion = "1.0"\n')
        self.backend = runpy.run_path(str(folder / "backend.py"))
        wheel = self.backend["write_wheel"](folder, "locked", {"locked.py": ""})
        digest = hashlib.sha256((folder / wheel).read_bytes()).hexdigest()
        for lock in LOCKS:
            (folder / "locks" / f"{lock}.txt").write_text(f"locked==1.0 --hash=sha256:{digest}\n")
        self.offline = {"PIP_CONFIG_FILE": os.devnull, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(folder)}
        self.offline |= {"UV_NO_CONFIG": "1", "UV_OFFLINE": "1", "UV_NO_INDEX": "1", "UV_FIND_LINKS": str(folder)}

    def nox(self, *arguments):
        """Run nox offline, with uv where it is there; return its output."""
        return nox(self.folder, *arguments, **self.offline)

    def calls(self):
        return [json.loads(line) for line in (self.folder / "calls").read_text().splitlines()]


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """Return a small project with the environments of both sessions, which stay from one test to the next."""
    project = SmallProject(tmp_path_factory.mktemp("project"))
    project.nox("-s", "experiments", "report", "--install-only")
    return project


@pytest.fixture
def project(installed):
    (installed.folder / "calls").unlink(missing_ok=True)
    return installed


@pytest.mark.long
def test_wrong_hash_is_refused(project):
    """A package whose content is not the one that the lock names is not installed."""
    lock = project.folder / "locks" / "validate.txt"  # of a session that no other test calls
    lock.write_text(re.sub("sha256:[0-9a-f]{64}", f"sha256:{'0' * 64}", lock.read_text()))
    with pytest.raises(AssertionError, match="THESE PACKAGES DO NOT MATCH THE HASHES"):
        project.nox("--force-venv-backend", "virtualenv", "-s", "validate")


def test_both_sessions_hand_on_all_options(project):
    """The command line gets every option behind the dashes as it was written, and is told that sessions share it."""
    options = ["--profile", "quick", "--only", "baseline,dropout", "--lang", "el"]
    project.nox("-R", "-s", "experiments", "report", "--", *options)
    assert project.calls() == [["run", "--sessions", *options], ["report", "--sessions", *options]]


def test_the_report_is_built_after_runs_that_failed_unless_nox_is_to_stop(project):
    """A run that failed keeps nobody from the report, which names it; nox fails all the same, and `-x` stops there."""
    both = ("-R", "-s", "experiments", "report", "--", "fail")
    with pytest.raises(AssertionError, match="experiments failed"):
        project.nox(*both)
    assert [words[0] for words in project.calls()] == ["run", "report"]
    with pytest.raises(AssertionError, match="experiments failed"):
        project.nox("-x", *both)
    assert [words[0] for words in project.calls()] == ["run", "report", "run"]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no process groups to interrupt")
def test_interrupted_training_may_finish_what_it_keeps(project):
    """After Ctrl-C the training has time to put away what is finished."""
    command = [sys.executable, "-m", "nox", "-R", "-s", "experiments", "--", "wait"]
    running = subprocess.Popen(command, cwd=project.folder, env=environment(), start_new_session=True)
    deadline = time.monotonic() + 30
    while not (project.folder / "calls").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(0.2)
    os.killpg(running.pid, signal.SIGINT)
    running.wait(timeout=30)
    assert (project.folder / "kept").exists()
