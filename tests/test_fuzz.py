"""Bundles and data spoilt at random: a sentence or a right answer, never a crash, a hang or a gigabyte."""

import random
import re
import resource
import shutil
import signal
import sys
from pathlib import Path

import pytest
from data_samples import RELEASE, archive_bytes, binary_files, find, write_files
from reports import few_experiments, report_of
from spoiling import spoil_bundle, spoil_bytes
from suites import simulated

from cifar_report.bundle import Bundle, read_run
from cifar_report.cli import main
from cifar_report.errors import SuiteError, UsageError
from cifar_report.verify.archive import export_bundle, import_bundle
from cifar_report.verify.integrity import verify_bundle

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the bound on memory is Linux's")
EXPERIMENTS = ("baseline", "batch_size", "model_2", "parallel", "classical")
TRIALS = ("baseline", "batch_64", "model_2", "baseline_parallel", "nearest_neighbor_1", "nearest_centroid")
MOST_MEMORY = 2**30  # bytes beyond what the process holds before
PATIENCE = 120  # seconds; the slowest answer takes a few


@pytest.fixture(scope="module")
def bundle(tmp_path_factory) -> Path:
    """Return a small bundle with every kind of run, a failed one among them, and a timing pass."""
    made, _ = simulated(few_experiments(*EXPERIMENTS), trials=TRIALS, seeds=3, timing=True, failed=[("baseline", 1)])
    return shutil.copytree(made.folder, tmp_path_factory.mktemp("whole") / "bundle")


@pytest.fixture(autouse=True)
def bounds():
    """Let an allocation beyond the bound fail, and whatever hangs end with an error."""
    held = int(re.search(r"VmData:\s+(\d+) kB", Path("/proc/self/status").read_text())[1]) * 1024
    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)

    def stop(*_):
        raise TimeoutError("it hangs")

    before = signal.signal(signal.SIGALRM, stop)
    resource.setrlimit(resource.RLIMIT_DATA, (held + MOST_MEMORY, hard))
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)
    resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))


def read(folder):
    """Look at each run as the suite does before it goes on, then judge the bundle and write its page."""
    for path in sorted(folder.glob("runs/*/*")):
        read_run(folder, f"{path.parent.name}/{path.name}")
    loaded = Bundle.load(folder)
    for run in loaded.runs:
        loaded.timing(run)
        loaded.kernels(run)
    report_of(loaded)


def pack(folder):
    """Verify a bundle, make an archive of it, and a bundle of that archive."""
    verify_bundle(folder)
    export_bundle(folder, folder.with_name("bundle.tar"))
    import_bundle(folder.with_name("bundle.tar"), folder.with_name("again"))


def render(folder):
    """Make both files of the report by the command."""
    if main(["report", "--bundle", str(folder), "--output", str(folder.with_name("report"))]) != 0:
        raise SuiteError("the command said why")


def read_data(folder):
    """Find a dataset in a folder or an archive, as a command does."""
    for path in sorted(folder.iterdir()):
        dataset = find(folder.with_name("places"), path)
        assert dataset.images().shape == (RELEASE.count, 32, 32, 3)
        assert dataset.labels().max() < 10


def attempt(act, folder, what):
    """Let a folder be read; anything but a right answer or a sentence fails and says what was done to it."""
    signal.alarm(PATIENCE)
    try:
        act(folder)
        sentence = "read"
    except (SuiteError, UsageError) as error:
        sentence = str(error).strip()
    except Exception as error:
        raise AssertionError(f"crashed after: {what}") from error
    assert 0 < len(sentence) < 5000, f"refused without a sentence after: {what}"


def test_the_bundle_itself_is_read(bundle):
    """What the others spoil is whole."""
    read(bundle)


@pytest.mark.parametrize(
    ("act", "seeds"),
    [
        pytest.param(read, range(10), id="read"),
        pytest.param(read, range(10, 150), id="read more", marks=pytest.mark.long),
        pytest.param(pack, range(30), id="verify and pack"),
        pytest.param(render, range(3), id="render", marks=pytest.mark.long),
    ],
)
def test_a_spoilt_bundle_is_refused_or_read(act, seeds, bundle, tmp_path):
    """Whatever is changed in a bundle, reading, packing and rendering it end with a sentence or well."""
    for seed in seeds:
        folder = shutil.copytree(bundle, tmp_path / str(seed) / "bundle")
        attempt(act, folder, f"{spoil_bundle(folder, seed)} (seed {seed})")
        shutil.rmtree(folder.parent)


@pytest.mark.parametrize("form", ["folder", "archive"])
def test_spoilt_data_are_refused_or_read(form, tmp_path):
    """Whatever is changed in a folder of batches or an archive, it is refused with a sentence or holds whole images."""
    files = binary_files()
    for seed in range(30):
        source, folder = random.Random(seed), tmp_path / str(seed) / "data"  # noqa: S311 - spoils files
        if form == "archive":
            folder.mkdir(parents=True)
            (folder / "cifar.tar.gz").write_bytes(spoil_bytes(archive_bytes(files), source))
        else:
            path = write_files(folder / "cifar-10-batches-bin", files) / source.choice(sorted(files))
            path.write_bytes(spoil_bytes(path.read_bytes(), source))
        attempt(read_data, folder, f"{form}, seed {seed}")
