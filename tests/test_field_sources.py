"""Where the project comes from and where it runs: checkouts, scripts, hidden files, file systems, terminals."""

import errno
import fcntl
import os
import shutil
import subprocess
import sys
from io import StringIO

import pytest
from command import ROOT, call, contents, environment
from rich.console import Console
from verified import file_findings, made

from cifar_report.bundle import read_run
from cifar_report.bundle.store import MANIFEST_FILE
from cifar_report.errors import SuiteError
from cifar_report.registry import FOLDER, load_experiments
from cifar_report.running import plan, suite
from cifar_report.running.environment import project_commit


def git(folder, *words):
    """Call git with a name and without a person's settings; return what it prints."""
    settings = ("-c", "user.name=a", "-c", "user.email=a@b", "-c", "init.defaultBranch=main")
    done = subprocess.run(["git", *settings, *words], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.mark.parametrize("settings", ["core.autocrlf=true", "core.autocrlf=input", "core.eol=crlf"])
def test_a_checkout_has_the_committed_bytes(tmp_path, settings):
    """Whatever a person's git does to line ends, a bundle and a text come out as they were committed."""
    source = tmp_path / "source"
    files = {"report/reference/runs/log.txt": b"1\r\n2\n", "report/reference/a.csv": b"1\n2\n", "text.md": b"1\n2\n"}
    for name, content in files.items():
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_bytes(content)
    shutil.copy(ROOT / ".gitattributes", source)
    git(source, "init", "-q")
    git(source, "add", ".")
    git(source, "commit", "-q", "-m", "x")
    git(tmp_path, "-c", settings, "clone", "-q", "source", "clone")
    assert {name: (tmp_path / "clone" / name).read_bytes() for name in files} == files


def test_only_the_projects_own_commit_is_recorded(tmp_path, monkeypatch):
    """A copy inside another repository has none, nor has one that lies in it untracked or that git's variables hide."""
    copy = tmp_path / "project"
    (copy / "cifar_report").mkdir(parents=True)
    (copy / "cifar_report" / "__init__.py").touch()
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-q", "-m", "a student's")
    assert project_commit(copy) is None
    git(copy, "init", "-q")
    git(copy, "commit", "-q", "--allow-empty", "-m", "without the project")
    assert project_commit(copy) is None
    git(copy, "add", ".")
    git(copy, "commit", "-q", "-m", "the project's own")
    own = git(copy, "rev-parse", "--short=12", "HEAD")
    monkeypatch.setenv("GIT_DIR", str(tmp_path / ".git"))
    assert project_commit(copy) == own
    (copy / "cifar_report" / "__init__.py").write_text("# changed\n")
    assert project_commit(copy) == f"{own}-dirty"


@pytest.mark.parametrize("change", ["runs copied in", "a run removed", "a manifest of other lines", "no manifest"])
def test_a_bundle_whose_runs_changed_is_finished_again(smoke, dataset, tmp_path, monkeypatch, change):
    """The next call derives tables and writes the manifest of the runs that are there, though nothing has to train."""
    folder = shutil.copytree(smoke.folder, tmp_path / "bundle")
    manifest = folder / MANIFEST_FILE
    if change == "runs copied in":  # the manifest is older than they are
        lines = manifest.read_text().splitlines(keepends=True)
        manifest.write_text("".join(line for line in lines if "runs/nearest_centroid" not in line))
    elif change == "a run removed":
        shutil.rmtree(folder / "runs" / "dropout")
    elif change == "no manifest":  # the last pass was cut short at its end
        manifest.unlink()
    else:
        manifest.write_bytes(manifest.read_bytes().replace(b"\n", b"\r\n"))
    runs, finished = contents(folder / "runs"), []
    monkeypatch.setattr(plan, "locate", lambda *_, **__: dataset)
    prepared = plan.prepare("smoke", seeds=1, only=["nearest_centroid"], data=None, bundle=folder, warn=pytest.fail)
    for which in ("first", "second"):  # which finds nothing left to do
        result = suite.run_suite(prepared, 1, Console(file=StringIO()), finished.append)
        assert (result.ran, result.already_done, finished) == (0, 1, [folder]), which
    assert file_findings(folder) == {}
    assert contents(folder / "runs") == runs


@pytest.mark.long
def test_a_script_without_its_guard_is_named(tmp_path):
    """A script that writes reports in several processes without ``__main__`` is told so, and starts none."""
    script = tmp_path / "mine.py"
    call_it = "build_report(Bundle.load(Path(sys.argv[1])), Path('out'), ('en', 'el'), processes=2)\n"
    lines = "import sys\nfrom pathlib import Path\nfrom cifar_report.bundle import Bundle\n"
    script.write_text(f"{lines}from cifar_report.report.build import build_report\n{call_it}")
    words = [sys.executable, str(script), str(made())]
    done = subprocess.run(words, cwd=tmp_path, env=environment(), capture_output=True, text=True)
    assert done.returncode == 1
    assert "mine.py writes reports in several processes" in done.stderr
    assert 'if __name__ == "__main__":' in done.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.long
def test_training_needs_no_guard_in_a_script(tmp_path):
    """A script that trains by two workers without ``__main__`` does so, and is read once: workers never read it."""
    (tmp_path / "mine.py").write_text(
        "from pathlib import Path\nfrom rich.console import Console\n"
        "from cifar_report.running.plan import prepare\nfrom cifar_report.running.suite import run_suite\n"
        "print('the script is read')\n"
        "asked = {'data': 'synthetic', 'bundle': Path('bundle'), 'timing': False}\n"
        "given = prepare('smoke', seeds=1, only=['nearest_centroid', 'nearest_neighbor_1'], warn=print, **asked)\n"
        "print(run_suite(given, 2, Console(), lambda folder: None).failed, 'failed')\n"
    )
    words = [sys.executable, "mine.py"]
    done = subprocess.run(words, cwd=tmp_path, env=environment(), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert (done.stdout.count("the script is read"), done.stdout.count("0 failed")) == (1, 1)
    assert all(
        read_run(tmp_path / "bundle", f"{name}/once").done for name in ("nearest_centroid", "nearest_neighbor_1")
    )


HIDDEN = ("._baseline.py", ".baseline.py", ".#baseline.py", "__init__.py", "_draft.py")


def test_hidden_files_are_no_experiments(tmp_path):
    """What macOS, Emacs and other programs leave beside the experiments is not read, and a broken link is not."""
    folder = shutil.copytree(FOLDER, tmp_path / "experiments", ignore=shutil.ignore_patterns("__pycache__"))
    for name in HIDDEN:
        (folder / name).write_bytes(b"\x00\x05\x16\x07 no Python")
    (folder / ".#dropout.py").symlink_to("somebody@machine.42")
    assert load_experiments(folder) == load_experiments()


@pytest.mark.parametrize(
    ("source", "parts"),
    [
        ("import sys\nsys.exit(3)\n", ("new.py:2", "SystemExit: 3")),
        ("raise SystemExit('later')\n", ("new.py:1", "later")),
        ("x = 1\n\nexit()\n", ("new.py:3", "SystemExit")),
        ("def broken(:\n", ("new.py:1", "SyntaxError")),
        (
            "from cifar_report.spec import Experiment\n\nEXPERIMENT = Experiment(\n    id='new',\n    trials=(),\n)\n",
            ("new.py:3", "Missing required argument 'title'"),
        ),
        ("from cifar_report.spec import Conv2D\nA = [\n    Conv2D(8),\n]\n", ("new.py:3", "argument 'kernel_size'")),
        ("from cifar_report.spec import Trial\nTrial(id='a')\n", ("new.py:2", "Missing required argument 'title'")),
        (
            "from cifar_report.spec import claim\nclaim('N1', 'It is better.', relation='greater')\n",
            ("new.py:2", "claim N1 lacks quantity, subject"),
        ),
        (
            "from cifar_report.spec import claim\nclaim('N1: a loss less b one_change c', 'It is better.')\n",
            ("new.py:2", "names more than subject, quantity, relation, comparator, comparison"),
        ),
    ],
)  # fmt: skip
def test_what_stops_an_experiment_is_told_with_its_line(tmp_path, source, parts):
    """A missing argument, and whatever ends the program, in one sentence with file and line."""
    (tmp_path / "new.py").write_text(source)
    with pytest.raises(SuiteError) as caught:
        load_experiments(tmp_path)
    assert all(part in str(caught.value) for part in parts), caught.value


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP])
def test_a_file_system_without_locks_gets_a_soft_one(tmp_path, monkeypatch, capsys, number):
    """A file takes the lock's place, with one line of warning in all; a second suite is refused as everywhere."""

    def refuse(*_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "flock", refuse)
    suite._tell_of_missing_locks.cache_clear()
    for _ in range(2):
        with suite.hold(tmp_path), pytest.raises(SuiteError, match=f"process {os.getpid()}.*or remove"):
            suite.hold(tmp_path).__enter__()
        assert not (tmp_path / suite.SOFT_LOCK_FILE).exists()
    assert capsys.readouterr().err.count("has no locks") == 1


@pytest.mark.parametrize("number", [errno.EACCES, errno.EIO, errno.EROFS])
def test_another_fault_of_a_lock_is_no_missing_lock(tmp_path, monkeypatch, number):
    """Only a file system that has no locks is worked on without one."""
    monkeypatch.setattr(suite.FileLock, "acquire", lambda *_: (_ for _ in ()).throw(OSError(number, "x")))
    with pytest.raises(OSError, match="x"), suite.hold(tmp_path):
        pass


@pytest.mark.parametrize(
    ("words", "changes"),
    [
        ("list", {"PYTHONIOENCODING": "ascii"}),
        ("run --help", {"PYTHONIOENCODING": "iso-8859-7"}),
        ("verify --help", {"PYTHONIOENCODING": "cp437"}),
        ("report --help", {"COLUMNS": "40"}),
    ],
    ids=str,
)
def test_any_terminal_shows_any_text(tmp_path, words, changes):
    """Signs that an encoding lacks are escaped, narrow terminals wrap, and nothing ends in a traceback."""
    called = call(*words.split(), cwd=tmp_path, **changes)
    assert (called.status, called.err) == (0, "")
    assert called.out


@pytest.mark.parametrize(
    ("redirection", "sentence", "status"),
    [(">&-", "output is closed", 0), (">&- 2>&-", "", 0), ("<&- >&- 2>&-", "", 0), (">/dev/full", "No space", 1)],
)  # fmt: skip
def test_a_closed_or_full_output_is_told(tmp_path, redirection, sentence, status):
    """Where nothing can be shown a sentence says so, if any can be said."""
    command = f"{sys.executable} -m cifar_report list {redirection}"
    done = subprocess.run(command, shell=True, cwd=tmp_path, env=environment(), stderr=subprocess.PIPE, text=True)  # noqa: S602
    assert done.returncode == status
    assert sentence in done.stderr
    assert done.stderr.count("\n") == bool(sentence)
