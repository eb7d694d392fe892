"""Records and arrays of a bundle: round trips, and files that nobody of ours wrote."""

import io
import pickle
import zipfile

import msgspec
import numpy as np
import pytest
from networks import linear_trial

from cifar_report.bundle import (
    SCHEMA_VERSION,
    Bundle,
    BundleRecord,
    ClassicalResult,
    DatasetRecord,
    Environment,
    Evaluation,
    History,
    Predictions,
    Run,
    RunTiming,
    Scores,
    StageResult,
    TimingPass,
    encode,
    read_record,
    read_run,
    sha256,
    write_record,
    write_run,
)
from cifar_report.bundle import arrays as arrays_module
from cifar_report.bundle.arrays import dump_arrays, load_arrays
from cifar_report.errors import SuiteError, UsageError
from cifar_report.published import load_original
from cifar_report.registry import load_experiments
from cifar_report.spec import PROFILES


def record(**changes) -> BundleRecord:
    experiments = load_experiments()
    environment = Environment(
        python="3", platform="p", processor="c", cores=1, memory_bytes=1, packages={}, variables={}, project_version="0"
    )
    fields = {
        "profile": PROFILES["smoke"],
        "seeds": 2,
        "dataset": DatasetRecord(
            fingerprint="f" * 64, grade="stand-in", canonical_labels=False, source="s", counts=(1, 2, 3)
        ),
        "experiments": experiments,
        "original": load_original(),
        "claims_hash": "0",
        "environment": environment,
        "created": "2024-01-01T00:00:00+00:00",
    }
    return BundleRecord(**{**fields, **changes})


def run(trial=None, seed: int | None = 0) -> Run:
    scores = Scores(accuracy=0.5, loss=None)
    evaluation = Evaluation(train=scores, validation=scores, test=Scores(accuracy=1 / 3, loss=1e-300))
    history = History(loss=(0.1, None), accuracy=(0.1, 0.2), val_loss=(1.5, 2.0), val_accuracy=(0.0, 1.0))
    trial = trial or linear_trial()
    classical = None if trial.seeded else ClassicalResult(training_images=3, test_accuracy=0.1)
    results = [
        StageResult(id=stage, history=history, best_epoch=1, stopped_early=False, last=evaluation, best=evaluation)
        for stage in trial.stage_ids
    ]
    return Run(
        trial=trial,
        seed=seed,
        status="done",
        key="k",
        key_parts={"a": "b"},
        spec_hash="h",
        stages=tuple(results),
        classical=classical,
    )


@pytest.mark.parametrize(
    "stored",
    [
        record(),
        run(),
        RunTiming(started="a", finished="b", host="h", cores=(1,), total_seconds=0.1, epoch_seconds={"s": (1.0, 2.5)}),
        TimingPass(warmup_steps=3, measurements=()),
    ],
    ids=lambda stored: type(stored).__name__,
)
def test_records_come_back_as_they_were(stored):
    """A record read from its JSON equals the one that was written, and writing it again gives the same bytes."""
    content = encode(stored)
    assert msgspec.json.decode(content, type=type(stored)) == stored
    assert encode(msgspec.json.decode(content, type=type(stored))) == content
    assert content.endswith(b"}\n")


@pytest.mark.parametrize("kind", ["u1", "<i4", "<i8", "<f4", "<f8", "?"])
def test_arrays_come_back_as_they_were(tmp_path, kind):
    """Arrays of every stored type and shape come back with the same bits."""
    shapes = ((), (0,), (3,), (2, 3), (1, 2, 0, 4), (2, 1, 3, 2))
    bits = np.random.default_rng(0).integers(0, 2 if kind == "?" else 256, 100, np.uint8)
    arrays = {f"a.{place}": np.ndarray(shape, kind, bits).copy() for place, shape in enumerate(shapes)}
    (tmp_path / "a.npz").write_bytes(dump_arrays(arrays))
    loaded = load_arrays(tmp_path / "a.npz")
    assert loaded.keys() == arrays.keys()
    for name, array in arrays.items():
        assert (loaded[name].dtype, loaded[name].shape) == (array.dtype, array.shape)
        assert loaded[name].tobytes() == array.tobytes()


def test_the_bytes_of_arrays_depend_on_names_and_values_alone(monkeypatch, tmp_path):
    """NumPy reads the files, and neither the order of names, nor a layout in memory, nor the date changes a byte."""
    table = np.arange(12, dtype=np.float32).reshape(3, 4)
    first = dump_arrays({"a": table, "b": table[:1]})
    monkeypatch.setattr("time.time", lambda: 2e9)
    assert dump_arrays({"b": table[:1].copy(), "a": np.asfortranarray(table)}) == first
    assert dump_arrays({"b": table[:1], "a": table + 1}) != first
    (tmp_path / "a.npz").write_bytes(dump_arrays({"x": np.arange(3), "y": np.array(2.5)}))
    with np.load(tmp_path / "a.npz", allow_pickle=False) as loaded:
        assert (loaded["x"].tolist(), float(loaded["y"])) == ([0, 1, 2], 2.5)


class Boom:
    """An object whose unpickling would be noticed."""

    def __reduce__(self):
        return (pytest.fail, ("it was unpickled",))


def member(array) -> bytes:
    stream = io.BytesIO()
    np.lib.format.write_array(stream, array)
    return stream.getvalue()


def header(text: str) -> bytes:
    """Return the beginning of an array whose header is ``text``."""
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text.encode()


def packed(members: dict[str, bytes], method=zipfile.ZIP_DEFLATED) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return stream.getvalue()


def described(shape: str, dtype: str = "<f8", rest: bytes = bytes(64)) -> bytes:
    """Return an archive of one array whose header says anything."""
    return packed({"a.npy": header(f"{{'descr': '{dtype}', 'fortran_order': False, 'shape': {shape}, }}\n") + rest})


GOOD = member(np.arange(4, dtype=np.int32))
ATTACKS = {
    "a pickled object": packed({"a.npy": member(np.array([Boom()], dtype=object))}),
    "a pickle instead of an array": packed({"a.npy": pickle.dumps(Boom())}),
    "something that is no array": packed({"a.txt": b"hello"}),
    "text as an array": packed({"a.npy": b"hello"}),
    "an array of texts": packed({"a.npy": member(np.array(["a", "b"]))}),
    "big-endian numbers": described("(8,)", ">f8"),
    "objects": described("(8,)", "|O"),
    "a date": described("(8,)", "<M8[s]"),
    "a shape larger than its bytes": described("(1000000000000,)"),
    "a product beyond 64 bits": described(f"({2**40}, {2**40})"),
    "nothing of a size beyond memory": described(f"(0, {2**70})", rest=b""),
    "a shape with a thousand digits": described(f"({'9' * 5000},)"),
    "a negative shape": described("(-1, -8)"),
    "code as a header": described("__import__('os').abort()"),
    "a header of brackets": packed({"a.npy": header("(" * 9000)}),
    "too many members": packed({f"a{place}.npy": b"" for place in range(1001)}),
    "an archive cut off": packed({"a.npy": GOOD})[:-30],
    "no archive": b"PK\x03\x04 no archive",
    "nothing": b"",
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_strange_arrays_are_refused(tmp_path, attack):
    """Whatever stands in place of our arrays is refused by the file's name, and no code runs."""
    path = tmp_path / "a.npz"
    path.write_bytes(ATTACKS[attack])
    with pytest.raises(SuiteError, match=r"a\.npz cannot be read as arrays"):
        load_arrays(path)


def test_archives_that_unpack_to_more_are_refused(tmp_path, monkeypatch):
    """Small files that unpack to or declare more than the bound are refused."""
    bomb = bytearray(packed({"a.npy": member(np.zeros(200_000, np.uint8))}))
    place = bomb.index(b"PK\x01\x02") + 24
    bomb[place : place + 4] = (500).to_bytes(4, "little")
    (tmp_path / "a.npz").write_bytes(bomb)
    with pytest.raises(SuiteError, match="cannot be read as arrays"):
        load_arrays(tmp_path / "a.npz")
    monkeypatch.setattr(arrays_module, "MOST_BYTES", 100_000)
    bomb = packed({"a.npy": member(np.zeros(200_000, np.uint8))})
    assert len(bomb) < 1000
    (tmp_path / "a.npz").write_bytes(bomb)
    with pytest.raises(SuiteError, match="declares more than"):
        load_arrays(tmp_path / "a.npz")


def test_predictions_come_back_as_they_were(tmp_path):
    """Indices, labels, tables by stage and weights (diverged ones too) and plain predictions survive."""
    labels, table = np.array([1, 2, 9], np.uint8), np.full((3, 10), 0.1, np.float32)
    tables = {("a.b", "last"): table, ("a.b", "best"): table * np.float32(np.nan)}
    stored = Predictions(np.array([5, 6, 7], np.int32), labels, tables, labels)
    (tmp_path / "predictions.npz").write_bytes(stored.dump())
    loaded = Predictions.load(tmp_path / "predictions.npz")
    assert loaded.dump() == stored.dump()
    assert loaded.probabilities.keys() == stored.probabilities.keys()


TABLE = np.full((3, 10), 0.1, np.float32)
WRONG = {  # what stands in the place of indices and labels of three images, or beside them
    "no indices": {"indices": None},
    "other lengths": {"labels": np.zeros(4, np.uint8)},
    "label 10": {"labels": np.full(3, 10, np.uint8)},
    "no integers": {"labels": np.zeros(3, np.float32)},
    "no vectors": {"indices": np.array(3, np.int32), "labels": np.array(1, np.uint8)},
    "a negative index": {"indices": np.full(3, -1, np.int32)},
    "too few predictions": {"predicted": np.zeros(2, np.uint8)},
    "prediction 12": {"predicted": np.full(3, 12, np.uint8)},
    "nine classes": {"s.last": TABLE[:, :9]},
    "other weights": {"s.worst": TABLE},
    "integer probabilities": {"s.last": TABLE.astype(np.int32)},
    "negative probabilities": {"s.last": -TABLE},
    "infinite probabilities": {"s.last": TABLE * np.float32(np.inf)},
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
def test_predictions_that_do_not_fit_together_are_refused(tmp_path, wrong):
    """A table of predictions whose arrays contradict each other is named and refused."""
    arrays = {"indices": np.zeros(3, np.int32), "labels": np.zeros(3, np.uint8)} | wrong
    path = tmp_path / "predictions.npz"
    path.write_bytes(dump_arrays({name: array for name, array in arrays.items() if array is not None}))
    with pytest.raises(SuiteError, match=r"predictions\.npz is no table of predictions"):
        Predictions.load(path)


def test_a_newer_schema_is_refused_with_what_to_do(tmp_path):
    """A bundle or run of a later version of the program is refused by its version, whatever else is in it."""
    write_record(tmp_path, record())
    newer = {"schema_version": SCHEMA_VERSION + 1, "unknown": [1]}
    (tmp_path / "bundle.json").write_bytes(msgspec.json.encode(newer))
    with pytest.raises(UsageError, match=rf"schema version {SCHEMA_VERSION + 1}.*update"):
        read_record(tmp_path)
    write_run(tmp_path, run(), {}, {})
    (tmp_path / "runs" / "linear" / "seed-0" / "run.json").write_bytes(msgspec.json.encode(newer))
    with pytest.raises(UsageError, match="update"):
        read_run(tmp_path, "linear/seed-0")


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b"null", b"\xff\xfe", b"[" * 100_000, b'{"profile": "quick"}'])
def test_a_folder_with_a_strange_record_is_no_bundle(tmp_path, content):
    """A ``bundle.json`` that is not ours is called what it is."""
    (tmp_path / "bundle.json").write_bytes(content)
    with pytest.raises(UsageError, match="is no results bundle"):
        read_record(tmp_path)


def test_a_renamed_run_is_noticed(tmp_path):
    """A run in the folder of another trial or seed is refused: its place and its record must agree."""
    write_record(tmp_path, record())
    write_run(tmp_path, run(), {}, {})
    assert [each.id for each in Bundle.load(tmp_path).runs] == ["linear/seed-0"]
    (tmp_path / "runs" / "linear" / "seed-0").rename(tmp_path / "runs" / "linear" / "seed-1")
    with pytest.raises(SuiteError, match="says that it is linear/seed-0"):
        Bundle.load(tmp_path)
    with pytest.raises(SuiteError, match="says that it is linear/seed-0"):
        read_run(tmp_path, "linear/seed-1")


def test_a_runs_record_holds_the_hashes_of_its_files_and_alone_makes_the_run(tmp_path):
    """A run's record holds hashes of its scientific files, is written last, and alone makes the run."""
    stored = write_run(tmp_path, run(), {"weights.npz": b"w", "a.npz": b"a"}, {"log.txt": b"l"})
    assert stored.files == {"a.npz": sha256(b"a"), "weights.npz": sha256(b"w")}
    assert read_run(tmp_path, stored.id) == stored
    write_record(tmp_path, record())
    write_run(tmp_path, run(), {"weights.npz": b"w"}, {"log.txt": b"l"})
    (tmp_path / "runs" / "linear" / "seed-0" / "run.json").unlink()
    assert Bundle.load(tmp_path).runs == ()
    assert read_run(tmp_path, "linear/seed-0") is None
