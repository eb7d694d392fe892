"""The command: its help, its options, and one clear sentence for each kind of bad input."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from command import ROOT, contents, environment, is_one_sentence

from cifar_report import __version__, cli
from cifar_report.data.stand_in import FINGERPRINT
from cifar_report.registry import load_experiments, trials_of
from cifar_report.spec import PROFILES

COMMANDS = (*cli.COMMANDS, "bundle")


@pytest.fixture(autouse=True)
def own_signals():
    """Give the signal handlers back that the command sets in its process."""
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Work in an empty folder, where nothing of CIFAR-10 is named by the environment."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CIFAR10_DIR", raising=False)
    return tmp_path


def answer(capsys, *words):
    """Call the command in this process; return its exit status, output and errors."""
    try:
        status = cli.main(words)
    except SystemExit as end:
        status = end.code
    out, err = capsys.readouterr()
    return status, out, err


def refuse(capsys, folder, *words, status=2):
    """Assert that words are refused with one sentence and nothing changed on disk; return the sentence."""
    before = contents(folder)
    found, out, err = answer(capsys, *words)
    assert (found, out) == (status, "")
    assert is_one_sentence(err)
    assert contents(folder) == before
    return err


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("run --profile huge", "there is no profile 'huge'; there are smoke, quick, full"),
        ("status --profile huge", "there is no profile 'huge'"),
        ("run --only baselin", "there is no trial 'baselin'; did you mean"),
        ("run --only baseline,zzz", "there is no trial 'zzz'"),
        ("run --only ,", "--only names no trial"),
        ("run --seeds 0", "--seeds 0: at least one seed"),
        ("status --seeds -3", "at least one seed"),
        ("run --seeds two", "'two' is neither a whole number nor auto"),
        ("run --seeds 5 --hours 3", "--hours 3: it goes with --seeds auto"),
        ("plan nowhere", "nowhere is no results bundle"),
        ("plan --hours 0", "--hours 0: a plan needs some hours"),
        ("run --jobs 0", "--jobs 0: at least one worker"),
        ("run --workers here:1", "'here:1' names no two or more machines"),
        (
            "run --workers a:1,b:1 --dask local",
            "--workers belongs to a suite on this machine and does not go with --dask",
        ),
        ("run --epochs 3", "unrecognized arguments: --epochs 3"),
        ("run --prof smoke", "unrecognized arguments: --prof smoke"),
        ("run --profile", "expected one argument"),
        ("run baseline", "unrecognized arguments: baseline"),
        ("report --seeds 2", "unrecognized arguments: --seeds 2"),
        ("report --lang fr", "there is no report in the language 'fr'; there are en, el and all"),
        ("report --bundle nowhere", "nowhere is no results bundle"),
        ("report --profile quick", "there is no bundle of the profile 'quick'"),
        ("report", "there is no bundle below"),
        ("run --sessions --profile smoke --lang fr", "there is no report in the language 'fr'"),
        ("report --sessions --only zzz", "there is no trial 'zzz'"),
        ("report --sessions --seeds 0", "at least one seed"),
        ("report --sessions --profile huge", "there is no profile 'huge'"),
        ("report --sessions --epochs 3", "unrecognized arguments"),
        ("train", "invalid choice: 'train'"),
        ("", "required: COMMAND"),
    ],
)
def test_bad_words_are_refused(capsys, folder, words, sentence):
    """What does not exist is named in one sentence, with status 2, before anything is done."""
    assert sentence in refuse(capsys, folder, *words.split())


def test_data_and_bundles_that_are_not_there_are_refused(capsys, folder):
    """Data that are not there, and files and folders that are no bundle, are named with what was expected."""
    (folder / "empty").mkdir()
    (folder / "letter.txt").write_text("Dear reader")
    for name in ("nowhere", "empty", "letter.txt"):
        for words in (("run", "--profile", "smoke"), ("status", "--profile", "smoke"), ("data",)):
            assert name in refuse(capsys, folder, *words, "--data", name)
    (folder / "file").write_text("x")
    (folder / "thesis").mkdir()
    (folder / "thesis" / "chapter.tex").write_text("x")
    (folder / "unfinished").mkdir()
    (folder / "unfinished" / ".chapter.tex.0123abcd.part").write_text("x")
    (folder / "foreign").mkdir()
    (folder / "foreign" / "bundle.json").write_text('{"schema_version": 1, "name": "webpack"}')
    for name, sentence in (
        ("file", "is a file, so file cannot be the folder of a bundle"),
        ("file/below", "file is a file, so file/below cannot be the folder of a bundle"),
        ("thesis", "is no results bundle and not empty"),
        ("unfinished", "is no results bundle and not empty"),
        ("foreign", "is no results bundle"),
    ):
        words = ("run", "--profile", "smoke", "--data", "synthetic", "--bundle", name)
        assert sentence in refuse(capsys, folder, *words)
        assert "is no results bundle" in refuse(capsys, folder, "report", "--bundle", name)


@pytest.mark.parametrize("name", ["run", "report"])
def test_sessions_share_their_options(name):
    """With --sessions both commands take the union of the options, each at its own default."""
    words = "--profile quick --seeds 3 --only baseline --jobs 2 --data synthetic --bundle b --output o --lang el"
    parser = cli.make_parser(sessions=True)
    options = parser.parse_args([name, "--sessions", *words.split()])
    assert (options.profile, options.seeds, options.jobs, options.output) == ("quick", 3, 2, Path("o"))
    plain = parser.parse_args([name, "--sessions"])
    assert (plain.profile, plain.seeds, plain.output, plain.lang) == (None, None, Path("report"), "en")


PLAN = {
    "--profile", "--seeds", "--hours", "--only", "--timing", "--no-timing", "--data", "--bundle", "--devices",
    "--shard", "--workers", "--experiments",
}  # fmt: skip


def test_help_teaches(capsys):
    """The help of each command explains every option of its own and none of another's."""
    status, out, _ = answer(capsys, "--help")
    assert status == 0
    assert all(f"  {name} " in out for name in COMMANDS)
    assert "0 done, 1 something failed, 2 bad usage, 130 interrupted" in out
    options = {
        "run": {*PLAN, "--jobs", "--dask", "--progress"},
        "plan": {"--experiments", "--hours", "--json", "--declare"},
        "status": {*PLAN, "--json"},
        "report": {"--experiments", "--profile", "--bundle", "--output", "--lang", "--author", "--course", "--check"},
        "data": {"--experiments", "--data", "--json"},
        "list": {"--experiments", "--json"},
        "new": set(),
        "replica": set(),
        "export": {"--to", "--bundle", "--stage", "--weights"},
        "predict": {"--bundle", "--stage", "--weights", "--json"},
        "notebook": {"--experiments", "--bundle"},
        "verify": {"--experiments", "--json", "--pdf", "--rerun", "--record", "--only", "--jobs", "--data"},
        "compare": {"--json"},
        "bundle": set(),
    }
    for name in COMMANDS:
        for words in (
            [name, "--help"],
            [name, "--sessions", "--help"] if name in ("run", "report") else [name, "--help"],
        ):
            status, out, err = answer(capsys, *words)
            shown = {word.strip("[],") for word in out.split() if word.strip("[],").startswith("--")} - {"--help"}
            assert (status, err, shown) == (0, "", options[name])
    assert answer(capsys, "--version")[1] == f"cifar-report {__version__}\n"


@pytest.mark.usefixtures("folder")
def test_list_shows_every_trial_and_data_its_fingerprint(capsys):
    """The list names each question and trial, and the data their fingerprint and that a stand-in is one."""
    status, out, err = answer(capsys, "list")
    shown = {line.split()[0] for line in out.splitlines() if line.startswith("    ")}
    assert (status, err, shown) == (0, "", set(trials_of(load_experiments())))
    assert all(experiment.question in out for experiment in load_experiments())
    status, out, err = answer(capsys, "data", "--data", "synthetic")
    assert (status, err) == (0, "")
    found = dict(line.split(maxsplit=1) for line in out.splitlines() if not line.startswith(("found in", "prepared")))
    assert len(found["fingerprint"]) == 64
    assert found["grade"].startswith("stand-in: synthetic, not CIFAR-10")


def test_status_says_why_each_run_would_run(capsys, folder):
    """The status of a bundle that does not exist lists every run, and begins no bundle."""
    words = ("--profile", "smoke", "--data", "synthetic", "--only", "baseline,nearest_centroid")
    status, out, err = answer(capsys, "status", *words)
    assert (status, err) == (0, "")
    assert out.splitlines()[0].split(maxsplit=1) == ["nearest_centroid/once", "would run: not run yet"]
    assert f"0 of {1 + PROFILES['smoke'].seeds} runs finished" in out
    assert contents(folder) == {}


@pytest.fixture
def offline(folder, monkeypatch):
    """Be on a machine without data and without network, whose proxy refuses at once; return the cache."""
    nowhere = str(folder.parent / "cache")
    for name in ("https_proxy", "http_proxy", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    for name in ("CIFAR_REPORT_CACHE", "KERAS_HOME"):
        monkeypatch.setenv(name, nowhere)
    return nowhere


def test_full_without_data_says_what_to_fetch_and_where_to_put_it(capsys, folder, offline):
    """Without data and network the full profile stops with address, hash and place; nothing is begun."""
    status, _, err = answer(capsys, "run")
    assert status == 2
    assert is_one_sentence(err.splitlines(keepends=True)[-1])
    digest = "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd"
    assert all(part in err for part in ("https://", digest, f"put it at {offline}"))
    assert contents(folder) == {}


@pytest.mark.long
def test_quick_without_data_warns_of_the_stand_in(capsys, offline):
    """Without data and network other profiles draw the known stand-in, with a warning that cannot be missed."""
    status, _, err = answer(capsys, "status", "--profile", "smoke", "--only", "baseline")
    assert status == 0
    assert "NO CIFAR-10 DATA" in err
    assert "warning" in err
    assert [path.name for path in Path(offline, "datasets").iterdir()] == [FINGERPRINT]


@pytest.mark.parametrize("words", ["--help", "list", "status --profile smoke --data synthetic"])
def test_commands_that_train_nothing_import_nothing_heavy(folder, words):
    """Help, list and status need no TensorFlow, no scikit-learn and no drawing."""
    program = (
        "import sys\nfrom cifar_report.cli import main\n"
        "try:\n    main(sys.argv[1:])\nexcept SystemExit:\n    pass\n"
        "heavy = {'tensorflow', 'keras', 'sklearn', 'scipy', 'matplotlib', 'weasyprint'} & set(sys.modules)\n"
        "sys.exit(', '.join(heavy) or 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, *words.split()], env=environment(), cwd=folder, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_a_reader_who_leaves_early_causes_no_traceback():
    """Output into a pipe that is closed, as with ``head``, ends quietly."""
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-m", "cifar_report", "list"],
        env=environment(),
        cwd=ROOT,
        stdout=writing,
        stderr=subprocess.PIPE,
    )
    os.close(writing)
    assert done.stderr == b""
    assert done.returncode == 1
