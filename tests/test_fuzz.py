"""Bundles spoilt at random: a sentence or a right answer, never a crash, a hang or a gigabyte."""

import re
import resource
import shutil
import signal
import sys
from pathlib import Path

import pytest
from command import contents
from reports import few_experiments, report_of
from spoiling import spoil_bundle
from suites import simulate
from verified import file_findings

from cifar_report.bundle import Bundle, read_run
from cifar_report.bundle.store import write_manifest
from cifar_report.errors import SuiteError, UsageError
from cifar_report.verify.copies import export_bundle, import_bundle
from cifar_report.verify.integrity import verify_bundle

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the bound on memory is Linux's")
EXPERIMENTS = ("baseline", "batch_size", "model_2", "parallel", "classical")
TRIALS = ("baseline", "batch_64", "model_2", "baseline_parallel", "nearest_neighbor_1", "nearest_centroid")
MOST_MEMORY = 2**30  # bytes beyond what the process holds before
PATIENCE = 120  # seconds; the slowest answer takes a few


@pytest.fixture(scope="module")
def bundle(tmp_path_factory) -> Path:
    """Return a small finished bundle with every kind of run, a failed one among them, and a timing pass."""
    made = simulate(few_experiments(*EXPERIMENTS), trials=TRIALS, seeds=3, timing=True, failed=[("baseline", 1)])
    folder = shutil.copytree(made.folder, tmp_path_factory.mktemp("whole") / "bundle")
    write_manifest(folder)
    return folder


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
    """Look at each run as the suite does before it goes on, then judge the bundle; return its page."""
    for path in sorted(folder.glob("runs/*/*")):
        read_run(folder, f"{path.parent.name}/{path.name}")
    loaded = Bundle.load(folder)
    for run in loaded.runs:
        loaded.timing(run)
        loaded.kernels(run)
    return report_of(loaded)


def sentence_of(act, folder, what):
    """Return the sentence by which a folder was refused, or None and what was read; anything else fails."""
    signal.alarm(PATIENCE)
    try:
        return None, act(folder)
    except (SuiteError, UsageError) as error:
        sentence = str(error).strip()
    except Exception as error:
        raise AssertionError(f"crashed after: {what}") from error
    assert 0 < len(sentence) < 5000, f"refused without a sentence after: {what}"
    assert str(folder.parent) in sentence, f"{sentence}, which names no file, after: {what}"
    return sentence, None


def spoilt(bundle, tmp_path, seeds):
    """Yield a copy of the bundle for each seed, spoilt by it, and in words how; it is removed afterwards."""
    for seed in seeds:
        folder = shutil.copytree(bundle, tmp_path / str(seed) / "bundle")
        yield folder, f"{spoil_bundle(folder, seed)} (seed {seed})"
        shutil.rmtree(folder.parent)


@pytest.fixture(scope="module")
def page(bundle):
    return read(bundle)


@pytest.mark.parametrize("seeds", [range(5), pytest.param(range(5, 150), marks=pytest.mark.long)], ids=["few", "many"])
def test_a_spoilt_bundle_is_refused_or_its_change_is_found(seeds, bundle, page, tmp_path):
    """Whatever is changed, a file is named, or the page is that of the whole bundle, or ``verify`` finds the change."""
    refused = 0
    for folder, what in spoilt(bundle, tmp_path, seeds):
        sentence, found = sentence_of(read, folder, what)
        refused += sentence is not None
        if found not in (None, page):
            assert file_findings(folder), f"another page, and nothing is found after: {what}"
    assert refused > len(seeds) / 3


def packed(folder):
    """Make an archive of a bundle, and a bundle of that archive; return its files."""
    export_bundle(folder, folder.with_name("bundle.tar"))
    import_bundle(folder.with_name("bundle.tar"), folder.with_name("again"))
    return contents(folder.with_name("again"))


@pytest.mark.parametrize("seeds", [range(10), pytest.param(range(10, 40), marks=pytest.mark.long)], ids=["few", "many"])
def test_a_spoilt_bundle_is_packed_whole_or_not_at_all(seeds, bundle, tmp_path):
    """Verifying never crashes, and what comes out of an archive is the bundle as it was before anyone changed it."""
    whole = contents(bundle)
    for folder, what in spoilt(bundle, tmp_path, seeds):
        found, _ = sentence_of(verify_bundle, folder, what)
        sentence, files = sentence_of(packed, folder, what)
        assert sentence or files == whole, what
        assert sentence or found is None, what
