"""What the tests share: the images, a process with TensorFlow, and the bundle of one smoke run."""

import gc
import os
import signal
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from command import TRAINING_ALONE, Called, Suite, call
from hypothesis import HealthCheck, settings

from cifar_report.data import PreparedData, Split, locate, split
from cifar_report.errors import SuiteError, UsageError
from cifar_report.running.environment import WORKER_VARIABLES

# What files share in one process because it is costly, and how their names begin. Groups begin in this order.
GROUPS = {
    "processes that are forked, which costs the more the larger the one that does": ("test_faults",),
    "a bundle of a smoke run, and TensorFlow": (
        *("test_smoke", "test_running_smoke", "test_verify_rerun", "test_field_sources", "test_report_files"),
        "test_training",
    ),
    "processes that train": ("test_running_workers",),
    "processes that measure": ("test_running_timing",),
    "the whole suite simulated": ("test_simulation", "test_report_sentences", "test_report_findings"),
    "the reference analysed": ("test_golden", "test_independent", "test_report_pages"),
    "the figures of a few trials": ("test_figures", "test_report_sections", "test_tables"),
    "environments of nox": ("test_sessions",),
    "a bundle that verifies": ("test_verify",),
}
ONE_WORKER = ("--profile", "smoke", "--seeds", "1", "--bundle", "bundle", "--jobs", "1")
SMOKE_TRIALS = ("baseline", "dropout", "nearest_centroid")


@cache
def find_images() -> PreparedData:
    """Find the real images where this machine has them, else draw the stand-in; the network is not asked."""
    try:
        return locate(None, allow_stand_in=True, warn=lambda _: None, download=False)
    except (SuiteError, UsageError) as error:
        raise pytest.UsageError(str(error)) from error


def pytest_configure(config: pytest.Config) -> None:
    """Let Ctrl-C reach the commands under test, also where the tests themselves were started to ignore it.

    A shell's background job ignores it, and every process below inherits that.
    """
    examples, slow = 25 if config.option.markexpr == "not long" else 100, [HealthCheck.too_slow]
    settings.register_profile("here", max_examples=examples, deadline=None, suppress_health_check=slow)
    settings.load_profile("here")  # a busy machine is no fault of what is tested
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_report_header() -> str:
    """Say which images the tests use."""
    found = find_images()
    if found.grade == "stand-in":
        return "images: the synthetic stand-in (CIFAR10_DIR names a folder with the real ones)"
    return f"images: a subset of the real ones ({found.source}, {found.grade})"


def group_of(test: str) -> str:
    """Return what a test, named by its id, shares with others: one of GROUPS, or else its file."""
    file = test.partition("::")[0]
    return next((group for group, starts in GROUPS.items() if Path(file).name.startswith(starts)), file)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let the costly groups begin, so that no process is left alone with one at the end."""
    order = list(GROUPS)
    items.sort(key=lambda item: order.index(group) if (group := group_of(item.nodeid)) in order else len(order))


def pytest_collection_finish() -> None:
    """Let no search for garbage look at what was imported and collected, a million objects that stay to the end."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> object:
    """Let pytest-xdist send a whole group to the same process.

    Its own ``--dist loadgroup`` scatters the groups under pytest 9.2, which takes no new id for a test any more.
    """
    from xdist.scheduler import LoadScopeScheduling

    class Groups(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return group_of(nodeid)

    config.option.loadscopereorder = False  # the order is that of the collection
    return Groups(config, log)


@pytest.fixture(scope="session")
def dataset() -> PreparedData:
    """Return the real images, or else the stand-in."""
    return find_images()


@pytest.fixture(scope="session")
def data_words(dataset) -> tuple[str, ...]:
    """Return what a command needs to find the same images."""
    return ("--data", "synthetic") if dataset.grade == "stand-in" else ()


class Sample(NamedTuple):
    """Images uint8 [60000, 32, 32, 3], labels uint8 [60000] and a small split of them."""

    images: np.ndarray
    labels: np.ndarray
    split: Split


@pytest.fixture(scope="session")
def sample(dataset) -> Sample:
    """Return the images with the split of the smoke profile."""
    labels = dataset.labels()
    return Sample(dataset.images("c"), labels, split(labels, counts=(320, 100, 200)))


@pytest.fixture(scope="session")
def tensorflow():
    """Start TensorFlow once in this process, with two logical processors, and return it."""
    os.environ.update(WORKER_VARIABLES)
    import tensorflow

    from cifar_report.training.engine import configure

    configure(mirrored=True)
    return tensorflow


@pytest.fixture
def make_engine(sample):
    """Return a function that makes an engine on the sample's images, in a process with TensorFlow."""
    from cifar_report.training.engine import Engine, make_strategy

    def make(trial, seed=3, *, mirrored=False):
        return Engine(trial, seed, sample.images, sample.labels, make_strategy(mirrored=mirrored))

    return make


class SmokeRun(NamedTuple):
    """A finished bundle and the call that made it."""

    folder: Path
    called: Called


@pytest.fixture(scope="session")
def smoke(tmp_path_factory, data_words) -> SmokeRun:
    """Return the bundle of a smoke run of a few trials, trained by one worker."""
    folder = tmp_path_factory.mktemp("smoke") / "bundle"
    words = ("--profile", "smoke", "--seeds", "1", "--only", ",".join(SMOKE_TRIALS), "--jobs", "1", *data_words)
    return SmokeRun(folder, call("run", *words, "--bundle", str(folder), cwd=folder.parent))


@pytest.fixture(scope="session")
def built(smoke, tmp_path_factory):
    """Return the report of the smoke run, a ``built.Built``."""
    from built import build

    return build(smoke.folder, tmp_path_factory.mktemp("built"), "--output", "report")


@pytest.fixture
def in_folder(tmp_path, monkeypatch):
    """Work in an empty folder and return it."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def suite_data():
    """Return which data the suites of a test take: the stand-in, which is found at once, unless a file has others."""
    return ("--data", "synthetic")


@pytest.fixture
def suite(in_folder, suite_data):
    """Return a function that starts a suite on ``bundle``; it is ended with the test at the latest."""
    started = []

    def start(only, *words):
        started.append(Suite(*ONE_WORKER, "--only", only, *suite_data, *words, cwd=in_folder))
        return started[-1]

    yield start
    for each in started:
        each.__exit__()


@pytest.fixture
def run(in_folder, suite_data):
    """Return a function that runs the suite on ``bundle`` to its end."""
    return lambda only, *words, **options: call(
        "run", *ONE_WORKER, "--only", only, *suite_data, *words, cwd=in_folder, command=TRAINING_ALONE, **options
    )
