"""A hostile environment: locales, configuration files and variables of libraries reach neither figures nor runs."""

import os
import shutil
import subprocess
import sys

import pytest
from command import HOSTILE, environment
from rich.console import Console

from cifar_report.bundle import read_run
from cifar_report.cli import main
from cifar_report.errors import UsageError
from cifar_report.running import environment as machine
from cifar_report.running import scheduler
from cifar_report.running.plan import prepare, states_of
from cifar_report.running.runs import RunWriter, pack

DRAW = """
import hashlib, os, sys, locale
from cifar_report.report.figures import style

@style.in_style()
def draw():
    figure = style.sheet(100)
    axes = figure.add_axes((0.1, 0.2, 0.8, 0.6))
    axes.set(title="fi fl Final I i \\u0131 \\u0130 \\u0431\\u0433\\u0434 1.5", xlabel="first fit", xlim=(0, 1500))
    style.legend_below(figure, {"office files": {}}, 1)
    width = style.text_width("final fit of the first file")
    drawn = style.finished(figure, "a", "b", alt="", caption="", columns=(), rows=())
    return width, hashlib.sha256(drawn.svg).hexdigest()

for name in sys.argv[1:]:  # a library keeps the first locale that it has seen: each has a process of its own
    if os.fork() == 0:
        locale.setlocale(locale.LC_ALL, name)
        print(name, *draw(), flush=True)
        os._exit(0)
    os.wait()
"""


def drawn(*locales, cwd, **changes):
    words = [sys.executable, "-c", DRAW, *locales]
    done = subprocess.run(words, cwd=cwd, env=environment(**changes), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return {line.split()[0]: tuple(line.split()[1:]) for line in done.stdout.splitlines()}


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """Return a figure's text and bytes under a few locales, which are made where the machine has hardly any."""
    if not hasattr(os, "fork"):
        pytest.skip("each locale has a process that is forked")
    known = subprocess.run(["locale", "-a"], capture_output=True, text=True, errors="replace").stdout.split()
    names, folder = {"C", *(name for name in known if name.startswith(("tr_TR", "el_GR", "ar_SA")))}, None
    if len(known) <= 20 and shutil.which("localedef") is not None:
        folder = tmp_path_factory.mktemp("locales")
        for name in ("tr_TR.UTF-8", "el_GR.ISO-8859-7", "ar_SA.UTF-8"):
            language, _, encoding = name.partition(".")
            subprocess.run(["localedef", "-i", language, "-f", encoding, folder / name], capture_output=True)
        names = {"C", *(path.name for path in folder.iterdir())}
    return drawn(*sorted(names), cwd=tmp_path_factory.mktemp("plain"), LOCPATH=folder and str(folder)), names


def test_no_locale_reaches_a_figure(plain):
    """Under locales of other languages and encodings, text has the same widths and a figure the same bytes."""
    found, names = plain
    assert found.keys() == names
    assert {name for name, each in found.items() if each != found["C"]} == set()


@pytest.mark.parametrize(
    "changes",
    [
        {"MPLBACKEND": "no such backend", "SOURCE_DATE_EPOCH": "1", "LC_ALL": "xx_YY.UTF-8"},
        *(
            pytest.param(each, marks=pytest.mark.long)
            for each in (
                {"MPLBACKEND": "module://gone", "MATPLOTLIBRC": "{cwd}/rc"},
                {"MPLCONFIGDIR": "{cwd}/config", "MATPLOTLIBRC": "/nowhere/matplotlibrc"},
            )
        ),
    ],
    ids=["a locale that does not exist", "a file", "a folder, and a file that does not exist"],
)
def test_no_setting_of_matplotlib_reaches_a_figure(tmp_path, plain, changes):
    """Fonts, sizes, colours, styles and locale of a person, in a file or a variable, change no byte of a figure."""
    hostile = "font.size: 30\nfont.weight: bold\nsvg.fonttype: none\naxes.facecolor: red\nsavefig.bbox: tight\n"
    hostile += "text.parse_math: True\naxes.formatter.use_locale: True\nfont.family: cursive\n"
    (tmp_path / "config" / "stylelib").mkdir(parents=True)
    for name in ("rc", "config/matplotlibrc", "config/stylelib/default.mplstyle"):
        (tmp_path / name).write_text(hostile)
    if "MATPLOTLIBRC" not in changes:  # the file in the folder comes before all others
        (tmp_path / "matplotlibrc").write_text(hostile)
    changes = {name: value.format(cwd=tmp_path) for name, value in changes.items()}
    assert drawn("C", cwd=tmp_path, **changes) == {"C": plain[0]["C"]}


def test_workers_start_without_what_reaches_results(monkeypatch):
    """Variables of numerical libraries and of the locale stay out; those that the record names are set."""
    for name, value in HOSTILE.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("PYTHONHASHSEED", "7")
    found = machine.worker_environment()
    kept = {name: found[name] for name in HOSTILE if name in found}
    fixed = machine.WORKER_VARIABLES | {"LC_ALL": "C"}
    assert kept == {name: fixed[name] for name in kept}
    assert found.items() >= machine.WORKER_VARIABLES.items()
    assert found["PYTHONHASHSEED"] == "7"


@pytest.mark.usefixtures("faked_cards")
@pytest.mark.parametrize(
    ("shown", "count"),
    [(None, 2), ("", 0), ("-1", 0), ("0", 1), ("1,0", 2), ("0,-1,1", 1), ("GPU-8f3a", 1), ("0,1,2,3", 2)],
)
def test_the_key_of_a_mirrored_run_says_which_cards_it_has(monkeypatch, shown, count):
    """Faked cards: their number as CUDA's variable leaves it, their models and their driver."""
    if shown is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", shown)
    assert machine.graphics_cards() == count
    assert machine.describe_cards() == f"{count} graphics cards (NVIDIA A100, driver 550.54.14)"


@pytest.fixture
def faked_cards(tmp_path, monkeypatch):
    """Fake two graphics cards and their driver, as Linux shows them; no machine of the project's has a real one."""
    for place in range(2):
        (tmp_path / "gpus" / str(place)).mkdir(parents=True)
        (tmp_path / "gpus" / str(place) / "information").write_text("Model: \t\t NVIDIA A100\nIRQ: 7\n")
    (tmp_path / "version").write_text("NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.54.14  Thu Feb 22\n")
    monkeypatch.setattr(machine, "GRAPHICS_CARDS", tmp_path)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)


@pytest.mark.usefixtures("faked_cards")
@pytest.mark.parametrize(
    ("devices", "cards"), [(None, 0), ("cpu", 0), ("gpu", 2), ("gpu:1", 1), ("gpu:2", 2), ("gpu:3", None),
                           ("gpu:0", None), ("GPU", None), ("", None), ("tpu", None)],
)  # fmt: skip
def test_single_runs_get_cards_only_where_they_are_asked_for(devices, cards):
    """Faked cards: none by default, all or so many of them on request, and never more than there are."""
    if cards is None:
        with pytest.raises(UsageError, match="--devices"):
            machine.cards_asked(devices)
    else:
        assert machine.cards_asked(devices) == cards


def test_no_card_is_given_where_there_is_none(in_folder, monkeypatch, capsys):
    """A machine without cards refuses the option before anything is written."""
    monkeypatch.setattr(machine, "GRAPHICS_CARDS", in_folder / "none")
    assert main(["run", "--profile", "smoke", "--devices", "gpu", "--data", "synthetic"]) == 2
    assert "show 0 graphics cards" in capsys.readouterr().err
    assert list(in_folder.iterdir()) == []


@pytest.mark.usefixtures("faked_cards")
@pytest.mark.parametrize(
    ("shown", "names"), [(None, ("0", "1")), ("1,0", ("1", "0")), ("GPU-8f3a, 0", ("GPU-8f3a", "0"))]
)
def test_one_card_has_one_run_and_stands_in_its_key(tmp_path, monkeypatch, shown, names):
    """Faked cards: each worker has another one; keys of runs that need one alone hold card and driver."""
    if shown is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", shown)
    words = {"seeds": 2, "only": ["baseline", "baseline_parallel", "nearest_centroid"], "timing": False}
    asked = {"data": "synthetic", "bundle": tmp_path / "bundle", "warn": lambda _: None, **words}
    plain, given = (prepare("smoke", devices=devices, **asked) for devices in (None, "gpu"))
    before, after = (
        {state.planned.id: state.key_parts["devices"] for state in states_of(each)} for each in (plain, given)
    )
    changed = {run: devices for run, devices in after.items() if before[run] != devices}
    assert changed == {f"baseline/seed-{seed}": "1 graphics card (NVIDIA A100, driver 550.54.14)" for seed in (0, 1)}
    workers = []

    class Worker:
        alive = True

        def __init__(self, cores, _, card):
            workers.append((cores, machine.worker_environment(card).get("CUDA_VISIBLE_DEVICES")))

        def call(self, _, request, _report):
            assert request.card == (request.trial.id == "baseline")
            return pack(request, error="no card is real")

        def log(self):
            return b""

        kill = close = lambda _: None

    monkeypatch.setattr(scheduler, "PinnedWorker", Worker)
    parts = {state.planned.id: state.key_parts for state in states_of(given)}
    runs = [run for run in given.runs if not run.mirrored]
    with scheduler.local_workers(given.folder, None, len(runs), cards=given.cards) as local:
        scheduler.train_runs(local, RunWriter(given, parts), runs, Console(quiet=True))
    assert {card for _, card in workers} == set(names)
    stored = read_run(tmp_path / "bundle", "baseline/seed-1")
    assert stored.key_parts["devices"] == changed["baseline/seed-1"]
