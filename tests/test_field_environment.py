"""A hostile environment: locales, configuration files and variables of libraries reach neither figures nor runs."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from command import TRAINING_ALONE, call, environment

from cifar_report.bundle import read_run
from cifar_report.running import environment as machine

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
    """Return what a figure's text and bytes are under each locale."""
    words = [sys.executable, "-c", DRAW, *locales]
    done = subprocess.run(words, cwd=cwd, env=environment(**changes), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return {line.split()[0]: tuple(line.split()[1:]) for line in done.stdout.splitlines()}


@pytest.fixture(scope="module")
def locales(tmp_path_factory):
    """Return all locales of the machine, or where it has hardly any some that are made here, with their folder."""
    known = subprocess.run(["locale", "-a"], capture_output=True, text=True, errors="replace").stdout.split()
    if len(known) > 20 or shutil.which("localedef") is None:
        return known, None
    folder = tmp_path_factory.mktemp("locales")
    names = ("tr_TR.UTF-8", "el_GR.ISO-8859-7", "az_AZ.UTF-8", "lt_LT.UTF-8", "sr_RS.UTF-8", "ar_SA.UTF-8")
    for name in names:
        language, _, encoding = name.partition(".")
        subprocess.run(["localedef", "-i", language, "-f", encoding, folder / name], capture_output=True)
    return [name for name in names if (folder / name).is_dir()], str(folder)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="each locale has a process that is forked")
@pytest.mark.parametrize("every", [False, pytest.param(True, marks=pytest.mark.long)], ids=["some", "every one"])
def test_no_locale_reaches_a_figure(locales, tmp_path, every):
    """Under locales of other languages and encodings, text has the same widths and a figure the same bytes."""
    names, folder = locales
    names = [name for name in names if every or name.startswith(("tr_TR", "el_GR", "ar_SA"))]
    found = drawn("C", *names, cwd=tmp_path, LOCPATH=folder)
    assert len(found) == len({"C", *names})
    assert {name for name, each in found.items() if each != found["C"]} == set()


@pytest.mark.parametrize(
    "changes",
    [
        {"MPLBACKEND": "no such backend"},
        {"MPLBACKEND": "module://gone"},
        {"MATPLOTLIBRC": "{cwd}/rc"},
        {"MPLCONFIGDIR": "{cwd}/config"},
        {"SOURCE_DATE_EPOCH": "1"},
    ],
    ids=str,
)
def test_no_setting_of_matplotlib_reaches_a_figure(tmp_path, changes):
    """Fonts, sizes, colours and styles of a person, in a file or a variable, change no byte of a figure."""
    hostile = "font.size: 30\\nfont.weight: bold\\nsvg.fonttype: none\\naxes.facecolor: red\\nsavefig.bbox: tight\\n"
    hostile = (
        hostile.replace("\\n", "\n") + "text.parse_math: True\naxes.formatter.use_locale: True\nfont.family: cursive\n"
    )
    (tmp_path / "config" / "stylelib").mkdir(parents=True)
    for name in ("rc", "matplotlibrc", "config/matplotlibrc", "config/stylelib/default.mplstyle"):
        (tmp_path / name).write_text(hostile)
    (plain := tmp_path / "plain").mkdir()
    changes = {name: value and value.format(cwd=tmp_path) for name, value in changes.items()}
    assert drawn("C", cwd=tmp_path, **changes) == drawn("C", cwd=plain)


HOSTILE = {
    "ONEDNN_MAX_CPU_ISA": "SSE41", "DNNL_MAX_CPU_ISA": "SSE41", "ONEDNN_DEFAULT_FPMATH_MODE": "ANY",
    "TF_ENABLE_ONEDNN_OPTS": "0", "TF_XLA_FLAGS": "--tf_xla_auto_jit=2", "TF_NUM_INTRAOP_THREADS": "7",
    "NPY_DISABLE_CPU_FEATURES": "AVX2", "OPENBLAS_CORETYPE": "Nehalem", "OMP_NUM_THREADS": "9", "OMP_DYNAMIC": "true",
    "KMP_BLOCKTIME": "0", "MKL_CBWR": "COMPATIBLE", "KERAS_BACKEND": "jax", "KERAS_MAX_EPOCHS": "0",
    "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX2", "PYTHONWARNINGS": "error", "PYTHONOPTIMIZE": "2",
    "PYTHONIOENCODING": "ascii", "LC_ALL": "tr_TR.UTF-8", "LANG": "el_GR.ISO-8859-7", "LC_NUMERIC": "de_DE",
}  # fmt: skip


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


KERAS = {
    "floatx": "float64", "epsilon": 0.5, "backend": "jax", "image_data_format": "channels_first", "nnx_enabled": True,
    "max_epochs": 0, "max_steps_per_epoch": 0,
}  # fmt: skip


def test_a_run_is_the_same_in_a_hostile_environment_and_in_any_folder(smoke, data_words, tmp_path):
    """Neither Keras's file with every key another nor variables nor a folder of strange signs change a byte of a run.

    Keras once filled braces in a checkpoint's path, and C's printf takes per cent signs.
    """
    home = tmp_path / "home"
    (home / ".keras").mkdir(parents=True)
    (home / ".keras" / "keras.json").write_text(json.dumps(KERAS))
    folder = tmp_path / "b-{epoch}{x}{ %s%(x)d [bold] :smile: ärger \u202e\U0001d518'\"$HOME" / "*"
    words = ("--profile", "smoke", "--seeds", "1", "--only", "baseline,nearest_centroid", "--no-timing", "--jobs", "1")
    variables = {**HOSTILE, "PYTHONOPTIMIZE": None, "PYTHONWARNINGS": None, "GLIBC_TUNABLES": None}
    before = {path.name for path in tmp_path.iterdir()}
    called = call(
        "run", *words, *data_words, "--bundle", str(folder), cwd=tmp_path, command=TRAINING_ALONE,
        HOME=str(home), KERAS_HOME=str(home / ".keras"), XDG_CACHE_HOME=str(Path.home() / ".cache"), **variables,
    )  # fmt: skip
    assert called.status == 0, called.out + called.err
    assert {path.name for path in tmp_path.iterdir()} == before | {folder.parent.name}
    for run_id in ("baseline/seed-0", "nearest_centroid/once"):
        ours, theirs = read_run(folder, run_id), read_run(smoke.folder, run_id)
        assert (ours.files, ours.stages, ours.key) == (theirs.files, theirs.stages, theirs.key)


@pytest.mark.parametrize(
    ("shown", "count"),
    [(None, 2), ("", 0), ("-1", 0), ("0", 1), ("1,0", 2), ("0,-1,1", 1), ("GPU-8f3a", 1), ("0,1,2,3", 2)],
)
def test_the_key_of_a_mirrored_run_says_which_cards_it_has(tmp_path, monkeypatch, shown, count):
    """Faked cards: their number as CUDA's variable leaves it, their models and their driver."""
    for place in range(2):
        (tmp_path / "gpus" / str(place)).mkdir(parents=True)
        (tmp_path / "gpus" / str(place) / "information").write_text("Model: \t\t NVIDIA A100\nIRQ: 7\n")
    (tmp_path / "version").write_text("NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.54.14  Thu Feb 22\n")
    monkeypatch.setattr(machine, "GRAPHICS_CARDS", tmp_path)
    if shown is None:
        monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    else:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", shown)
    assert machine.graphics_cards() == count
    assert machine.describe_cards() == f"{count} graphics cards (NVIDIA A100, driver 550.54.14)"


@pytest.mark.parametrize(("mirrored", "visible"), [(False, []), (True, ["card 0", "card 1"])])
def test_a_plain_run_sees_no_card(tensorflow, monkeypatch, mirrored, visible):
    """With a faked list of devices: plain runs leave the cards alone, a mirrored one has all of them."""
    from cifar_report.training import engine

    cards, grown = ["card 0", "card 1"], []
    monkeypatch.setattr(tensorflow.config, "list_physical_devices", lambda kind: cards if kind == "GPU" else ["cpu"])
    monkeypatch.setattr(
        tensorflow.config, "set_visible_devices", lambda found, _: cards.__setitem__(slice(None), found)
    )
    monkeypatch.setattr(tensorflow.config.experimental, "set_memory_growth", lambda card, _: grown.append(card))
    for name in ("set_intra_op_parallelism_threads", "set_inter_op_parallelism_threads"):
        monkeypatch.setattr(tensorflow.config.threading, name, lambda _: None)
    engine.configure.__wrapped__(mirrored=mirrored)  # it is done once a process
    assert (cards, grown) == (visible, visible)
