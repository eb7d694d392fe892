"""Bundles and data spoilt at random: a sentence or a right answer, never a crash, a hang or a gigabyte.

``--fuzz-examples N`` (``nox -s fuzz -- --fuzz-examples N``) tries more of them.
"""

import json
import random
import select
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from command import ROOT, environment
from data_samples import archive_bytes, binary_files, write_files
from fuzzing import spoil_bundle, spoil_bytes
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from reports import few_experiments
from suites import simulated

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the bound on memory is Linux's")
EXPERIMENTS = ("baseline", "batch_size", "model_2", "parallel", "classical")
TRIALS = ("baseline", "batch_64", "model_2", "baseline_parallel", "nearest_neighbor_1", "nearest_centroid")
PATIENCE = 120  # seconds; the slowest answer takes about one


class Reader:
    """A process that reads what is spoilt; replaced when it hangs or dies."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None

    def __call__(self, kind: str, folder: Path) -> tuple[str, str]:
        """Return how the reading ended: ``done``, ``refused``, ``crashed`` or ``hung``, and why."""
        if self._process is None:
            command = [sys.executable, str(Path(__file__).with_name("fuzz_worker.py"))]
            path = f"{Path(__file__).parent}:{ROOT}"
            self._process = subprocess.Popen(
                command,
                env=environment(PYTHONPATH=path, OPENBLAS_NUM_THREADS="1"),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
        print(kind, folder, file=self._process.stdin, flush=True)
        if not select.select([self._process.stdout], [], [], PATIENCE)[0]:
            self.close()
            return "hung", f"no answer within {PATIENCE} s"
        line = self._process.stdout.readline()
        if not line:
            self.close()
            return "crashed", "the process died"
        return tuple(json.loads(line))

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None


@pytest.fixture(scope="module")
def reader():
    """Return a reader for all examples."""
    each = Reader()
    yield each
    each.close()


@pytest.fixture(scope="module")
def bundle(tmp_path_factory) -> Path:
    """Return a small bundle with every kind of run, a failed one among them, and a timing pass."""
    made, _ = simulated(few_experiments(*EXPERIMENTS), trials=TRIALS, seeds=3, timing=True, failed=[("baseline", 1)])
    return shutil.copytree(made.folder, tmp_path_factory.mktemp("whole") / "bundle")


def examples(request: pytest.FixtureRequest, share: float):
    """Return hypothesis's settings for a share of the examples that were asked for."""
    number = round(request.config.getoption("--fuzz-examples") * share)
    if not number:
        pytest.skip("takes long: it is tried where more examples are asked for")
    checks = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
    return settings(max_examples=number, deadline=None, database=None, suppress_health_check=checks)


def check(reader, kind: str, folder: Path, what: str) -> None:
    """Let a folder be read; a crash, a hang or too much memory fails and says what was done to the folder."""
    ended, why = reader(kind, folder)
    assert ended in ("done", "refused"), f"{ended} after: {what}\n{why}"
    assert ended == "done" or (why.strip() and len(why) < 5000), f"refused without a sentence after: {what}"


SEEDS = st.integers(0, 2**40)
STEPS = [("read", 1.0), ("resume", 0.3), ("verify", 0.05), ("pack", 0.1), ("render", 0.01)]


def test_the_bundle_itself_is_read(reader, bundle):
    """What the examples spoil is whole: it is read and gone on with."""
    assert [reader(kind, bundle) for kind in ("read", "resume")] == [("done", "")] * 2


@pytest.mark.parametrize(("kind", "share"), STEPS)
def test_a_spoilt_bundle_is_refused_or_read(request, reader, bundle, tmp_path, kind, share):
    """Whatever is changed in a bundle, reading it, going on with it and rendering it end with a sentence or well."""

    @examples(request, share)
    @given(SEEDS)
    def try_one(seed):
        folder = tmp_path / "bundle"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(bundle, folder)
        what = spoil_bundle(folder, seed)
        check(reader, kind, folder, f"{what} (seed {seed})")

    try_one()


@pytest.mark.parametrize("form", ["folder", "archive"])
def test_spoilt_data_are_refused_or_read(request, reader, tmp_path, form):
    """Whatever is changed in a folder of batches or an archive, it is refused with a sentence or holds whole images."""
    files = binary_files()

    @examples(request, 0.15)
    @given(SEEDS)
    def try_one(seed):
        source = random.Random(seed)  # noqa: S311 - spoils files
        folder = tmp_path / "data"
        shutil.rmtree(folder, ignore_errors=True)
        if form == "archive":
            folder.mkdir()
            (folder / "cifar.tar.gz").write_bytes(spoil_bytes(archive_bytes(files), source))
        else:
            inner = write_files(folder / "cifar-10-batches-bin", files)
            path = inner / source.choice(sorted(files))
            path.write_bytes(spoil_bytes(path.read_bytes(), source))
        check(reader, "data", folder, f"{form}, seed {seed}")

    try_one()
