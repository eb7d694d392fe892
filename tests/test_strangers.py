"""A bundle from a stranger: attack files in every place that is read; none runs, leaves its folder, hangs or grows."""

import json
import os
import shutil
import signal
import tracemalloc
from itertools import product
from pathlib import Path

import msgspec
import numpy as np
import pytest
from reports import few_experiments
from suites import simulate

from cifar_report.analysis import analyse
from cifar_report.analysis.predictions import read_predictions
from cifar_report.bundle import Bundle, Predictions, read_run, write_run
from cifar_report.bundle.bundle import MOST_JSON_BYTES
from cifar_report.errors import SuiteError, UsageError

REFUSED = (SuiteError, UsageError)
RUN = "runs/baseline/seed-0"
pytestmark = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes and devices are those of Unix")


@pytest.fixture(autouse=True)
def patience():
    """End a test that waits for a pipe or reads a device for ever."""

    def give_up(*_):
        raise TimeoutError("it hangs")

    before = signal.signal(signal.SIGALRM, give_up)
    signal.alarm(60)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Path:
    made = simulate(few_experiments("baseline"), seeds=2, timing=True)
    read_all(made.folder)
    return shutil.copytree(made.folder, tmp_path_factory.mktemp("whole") / "bundle")


@pytest.fixture
def folder(whole, tmp_path) -> Path:
    return shutil.copytree(whole, tmp_path / "bundle")


def read_all(folder: Path) -> None:
    bundle = Bundle.load(folder)
    analyse(bundle)
    for run in bundle.runs:
        bundle.timing(run)
        bundle.kernels(run)


def put(kind: str, path: Path, outside: Path) -> None:
    """Put something else in the place of a file or a folder, whose content moves outside."""
    outside.mkdir()
    moved = path.rename(outside / path.name)
    if kind == "a pipe":
        os.mkfifo(path)
    elif kind == "a folder":
        path.mkdir()
    else:
        relative = os.path.relpath(moved, path.parent)
        targets = {"a link": moved, "a relative link": relative, "a device": "/dev/zero", "a loop": path}
        path.symlink_to(targets.get(kind, outside / "nothing"))


FILES = ("bundle.json", f"{RUN}/run.json", f"{RUN}/predictions.npz", f"{RUN}/kernels.npz", f"{RUN}/timing.json")
KINDS = ("a link", "a relative link", "a device", "a loop", "a link to nothing", "a pipe", "a folder")


FOLDERS = ("runs", "runs/baseline", RUN, "timing")


@pytest.mark.parametrize(
    ("kind", "name"), [*product(KINDS, (*FILES, "timing/timing.json")), *product(("a link",), FOLDERS)]
)
def test_what_is_no_plain_file_or_folder_is_not_read(folder, tmp_path, kind, name):
    """A link, a device, a pipe or a folder in a file's place, and a folder that is a link, are refused by name."""
    put(kind, folder / name, tmp_path / "outside")
    with pytest.raises(REFUSED, match=Path(name).name.replace(".", r"\.")):
        read_all(folder)


def test_the_bundle_itself_may_be_named_by_a_link(folder, tmp_path):
    """Whoever names a link to a bundle means it."""
    (tmp_path / "link").symlink_to(folder)
    assert len(Bundle.load(tmp_path / "link").runs) == len(Bundle.load(folder).runs)


def change(path: Path, *steps, to) -> None:
    tree = json.loads(path.read_bytes())
    node = tree
    for step in steps[:-1]:
        node = node[step]
    node[steps[-1]] = to
    path.write_text(json.dumps(tree))


NAMES = ("..", "", "../x", "/etc", "a\\b", "a.", "x" * 65, "\0", "é")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("file", "steps"),
    [
        ("bundle.json", ("experiments", 0, "id")),
        ("bundle.json", ("experiments", 0, "trials", 0, "id")),
        ("bundle.json", ("experiments", 0, "trials", 0, "stages", 0, "id")),
        (f"{RUN}/run.json", ("trial", "id")),
        (f"{RUN}/run.json", ("trial", "stages", 0, "id")),
        (f"{RUN}/run.json", ("stages", 0, "id")),
    ],
    ids=lambda value: value if isinstance(value, str) else value[-2 if value[-1] == "id" else -1],
)
def test_no_name_is_a_path(folder, file, steps, name):
    """Ids that could lead out of the folder, or that name a device, are refused wherever they stand."""
    change(folder / file, *steps, to=name)
    with pytest.raises(REFUSED):
        read_all(folder)


IMPOSSIBLE = (
    ("bundle.json", ("seeds",), 10**9),
    ("bundle.json", ("seeds",), 10**400),
    ("bundle.json", ("dataset", "counts"), [10**12, 10, 10]),
    ("bundle.json", ("created",), "yesterday"),
    ("bundle.json", ("environment", "cores"), -1),
    ("bundle.json", ("original", "model_2", "stages"), []),
    ("bundle.json", ("experiments", 0, "trials", 0, "stages", 0, "epochs"), 10**12),
    ("bundle.json", ("experiments", 0, "trials", 0, "layers", 0, "filters"), 10**18),
    ("bundle.json", ("experiments", 0, "trials", 0, "original"), "nobody"),
    ("bundle.json", ("experiments", 0, "title"), "x" * 10**6),
    ("bundle.json", ("experiments", 0, "title"), "turned \u202e round"),
    ("bundle.json", ("environment", "platform"), "\x1b[31m"),
    ("bundle.json", ("schema_version",), 2**70),
    (f"{RUN}/run.json", ("seed",), 2**70),
    (f"{RUN}/run.json", ("seed",), None),
    (f"{RUN}/run.json", ("status",), "failed"),
    (f"{RUN}/run.json", ("error",), "and yet it is done"),
    (f"{RUN}/run.json", ("stages",), []),
    (f"{RUN}/run.json", ("stages", 0, "best_epoch"), 0),
    (f"{RUN}/run.json", ("stages", 0, "history", "loss"), [0.5]),
    (f"{RUN}/run.json", ("stages", 0, "last", "test", "accuracy"), 1.5),
    (f"{RUN}/run.json", ("stages", 0, "last", "test", "loss"), 1e300),
    (f"{RUN}/run.json", ("parameters_total",), -5),
    (f"{RUN}/timing.json", ("total_seconds",), -1.0),
    (f"{RUN}/timing.json", ("total_seconds",), 1e300),
    ("timing/timing.json", ("measurements", 0, "seconds"), 0.0),
    ("timing/timing.json", ("measurements", 0, "steps"), -3),
)


@pytest.mark.parametrize(("file", "steps", "value"), IMPOSSIBLE, ids=lambda value: str(value)[:40])
def test_values_that_no_suite_writes_are_refused(folder, file, steps, value):
    """Numbers beyond any suite, and parts that contradict each other, are refused with the file's name."""
    change(folder / file, *steps, to=value)
    with pytest.raises(REFUSED, match=Path(file).name.replace(".", r"\.")):
        read_all(folder)


BOMBS = {
    "a file beyond the bound": lambda: b'{"a": "' + b"x" * MOST_JSON_BYTES + b'"}',
    "millions of values": lambda: b'{"a": [' + b"0," * (MOST_JSON_BYTES // 2 - 10) + b"0]}",
    "deep brackets": lambda: b"[" * 10**6,
    "deep objects": lambda: b'{"a":' * 10**5 + b"1" + b"}" * 10**5,
    "a number with a million digits": lambda: b'{"schema_version": ' + b"9" * 10**6 + b"}",
    "an exponent": lambda: b'{"schema_version": 1e999999999}',
    "no text": lambda: b"\xff\xfe\0",
    "nothing": lambda: b"",
}


@pytest.mark.parametrize("bomb", BOMBS)
@pytest.mark.parametrize("name", ["bundle.json", f"{RUN}/run.json"])
def test_a_json_bomb_is_refused_before_it_is_unpacked(folder, name, bomb):
    """Records beyond the bounds of size, values and depth are refused, and take no more memory than they are long."""
    content = BOMBS[bomb]()
    (folder / name).write_bytes(content)
    tracemalloc.start()
    with pytest.raises(REFUSED, match=Path(name).name.replace(".", r"\.")):
        Bundle.load(folder)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 4 * MOST_JSON_BYTES


def test_numbers_that_are_none_are_read_as_missing(folder):
    """Probabilities that are not numbers are no attack: a run that diverged has them, and its metrics are missing."""
    bundle = Bundle.load(folder)
    run = bundle.runs_of("baseline")[0]
    found = bundle.predictions(run)
    tables = {key: np.full_like(table, np.nan) for key, table in found.probabilities.items()}
    spoilt = Predictions(found.indices, found.labels, tables)
    (folder / "runs" / run.id / "predictions.npz").write_bytes(spoilt.dump())
    read_all(folder)
    sure = {each: stage.top for (each, _), stage in read_predictions(Bundle.load(folder)).items()}
    assert sure[run.id] is None
    assert any(found is not None for found in sure.values()), "the other runs keep theirs"


def test_the_error_of_a_run_shows_no_hidden_characters(folder):
    """What turns the direction of writing, or steers a terminal, is replaced where an error is shown."""
    run = read_run(folder, "baseline/seed-0")
    error = "Traceback\nValueError: \x1b[31m \u202ereversed\u2066" + "x" * 10**5
    failed = msgspec.structs.replace(run, status="failed", stages=(), error=error)
    write_run(folder, failed, {}, {})
    shown = analyse(Bundle.load(folder)).trial("baseline").failed[0].error
    assert shown.isprintable()
    assert shown.startswith("ValueError: \ufffd[31m \ufffdreversed\ufffd")
    assert len(shown) <= 1000
