"""A killed run goes on from its checkpoint and ends with the same bytes."""

import shutil

import numpy as np
import pytest
from networks import small_trial

from cifar_report.bundle.arrays import dump_arrays
from cifar_report.spec import Augmentation, BatchNormalization, Dropout, EarlyStopping, Stage

pytestmark = pytest.mark.usefixtures("tensorflow")
TRIAL = small_trial(
    BatchNormalization(),
    Dropout(0.5),
    stages=(
        Stage(id="plain", epochs=6, early_stopping=EarlyStopping(patience=1)),
        Stage(id="augmented", epochs=2, augmentation=Augmentation()),
    ),
    learning_rate=0.01,
)


class KilledError(BaseException):
    """Stands for the end of a process: nothing of the training code may catch it."""


def train(sample, resumption=None, *, epochs=None):
    """Train the trial; with ``epochs``, be killed when so many have ended."""
    from cifar_report.training.network import train_network

    ended = []

    def watch(progress):
        ended.append(progress)
        if len(ended) == epochs:
            raise KilledError

    return train_network(TRIAL, 2, sample.images, sample.labels, sample.split, resumption=resumption, watch=watch), len(
        ended
    )


def science(outcome):
    """Return everything of an outcome that must be equal, as bytes and records."""
    return outcome.stages, dump_arrays(outcome.weights), outcome.predictions.dump(), outcome.kernels.tobytes()


@pytest.fixture(scope="module")
def checkpoint(sample, tmp_path_factory):
    """Return the file that a run left which was killed after its first epoch."""
    from cifar_report.training.network import Resumption

    resumption = Resumption(tmp_path_factory.mktemp("killed") / "folder" / "checkpoint", "key")
    with pytest.raises(KilledError):
        train(sample, resumption, epochs=1)
    return resumption.file


@pytest.mark.parametrize("kills", [1, pytest.param(2, marks=pytest.mark.long)])
def test_a_killed_run_ends_with_the_same_bytes(checkpoint, sample, tmp_path, kills):
    """Killed after its first epoch, and again after two more, a run with state of every kind loses nothing."""
    from cifar_report.training.network import Resumption

    outcome, epochs = train(sample)
    resumption = Resumption(shutil.copy(checkpoint, tmp_path / "checkpoint"), "key")
    if kills == 2:
        with pytest.raises(KilledError):
            train(sample, resumption, epochs=2)
    resumed, last = train(sample, resumption)
    assert last == epochs - (3 if kills == 2 else 1)
    assert science(resumed) == science(outcome)


@pytest.mark.parametrize("damage", ["another key", "cut off", "no file of ours"])
def test_a_checkpoint_that_does_not_fit_is_not_used(checkpoint, tmp_path, damage):
    """A checkpoint of another key, or one that cannot be read, is left alone and the run begins anew."""
    from cifar_report.training.network import Checkpoint

    file = shutil.copy(checkpoint, tmp_path / "checkpoint")
    assert Checkpoint.read(file, "key") is not None
    if damage == "cut off":
        file.write_bytes(file.read_bytes()[:-100])
    elif damage == "no file of ours":
        file.write_bytes(dump_arrays({"weights": np.zeros(3, np.uint8)}))
    assert Checkpoint.read(file, "another" if damage == "another key" else "key") is None
