"""A killed run goes on from its checkpoint and ends with the same bytes."""

import numpy as np
import pytest
from networks import linear_trial, small_trial
from test_training_keras import TRIALS

from cifar_report.bundle.arrays import dump_arrays
from cifar_report.spec import Augmentation, BatchNormalization, Dropout, EarlyStopping, Stage

pytestmark = pytest.mark.usefixtures("tensorflow")
AUGMENTED = Stage(id="augmented", epochs=2, augmentation=Augmentation())
PLAIN = Stage(id="plain", epochs=6, early_stopping=EarlyStopping(patience=1))
STAGED = small_trial(BatchNormalization(), Dropout(0.5), stages=(PLAIN, AUGMENTED), learning_rate=0.01)
ALL = {"two stages": STAGED, **TRIALS}


class KilledError(BaseException):
    """Stands for the end of a process: nothing of the training code may catch it."""


def train(trial, sample, resumption=None, *, killed=False):
    """Train a trial, or be killed when its first epoch has ended."""
    from cifar_report.training.network import train_network

    def watch(_):
        if killed:
            raise KilledError

    return train_network(trial, 2, sample.images, sample.labels, sample.split, resumption=resumption, watch=watch)


def science(outcome):
    """Return everything of an outcome that must be equal, as bytes and records."""
    return outcome.stages, dump_arrays(outcome.weights), outcome.predictions.dump(), outcome.kernels.tobytes()


@pytest.mark.parametrize(
    "trial",
    [pytest.param(ALL[name], marks=() if name in ("two stages", "averages") else pytest.mark.long) for name in ALL],
    ids=ALL,
)
def test_a_killed_run_ends_with_the_same_bytes(trial, sample, tmp_path):
    """State of every kind, with any optimizer, goes on; the log of hashes is that of the stored weights."""
    from cifar_report.training.network import Resumption
    from cifar_report.verify.integrity import weights_hash

    whole, resumption = train(trial, sample), Resumption(tmp_path / "checkpoint", "key")
    with pytest.raises(KilledError):
        train(trial, sample, resumption, killed=True)
    assert science(train(trial, sample, resumption)) == science(whole)
    prefix = f"{whole.stages[-1].id}.last."
    names = [name for name in whole.weights if name.startswith(prefix)]
    own = {name.removeprefix(prefix): whole.weights[name] for name in reversed(names)}
    assert weights_hash(own) == whole.stages[-1].hashes[-1].weights
    if trial is TRIALS["AdamW with averages"]:  # of 15 × 15 pixels the layers leave 13 × 13, 12 × 12, pooled 6 × 6
        separable, normalized = 169 * 4 * (9 + 4), 144 * 4 * 4 * 3
        assert whole.macs == 225 * 27 * 4 + separable + normalized + 36 * 3 * 10
        assert whole.parameters_total == 112 + (36 + 16 + 4) + (51 + 3) + 1090  # with a vector of the normalization


@pytest.mark.parametrize("damage", ["another key", "cut off", "no file of ours"])
def test_a_checkpoint_that_does_not_fit_is_not_used(sample, tmp_path, damage):
    """A checkpoint of another key, or one that cannot be read, is left alone and the run begins anew."""
    from cifar_report.training.network import Checkpoint, Resumption

    file = tmp_path / "folder" / "checkpoint"
    with pytest.raises(KilledError):
        train(linear_trial(), sample, Resumption(file, "key"), killed=True)
    assert Checkpoint.read(file, "key") is not None
    if damage == "cut off":
        file.write_bytes(file.read_bytes()[:-100])
    elif damage == "no file of ours":
        file.write_bytes(dump_arrays({"weights": np.zeros(3, np.uint8)}))
    assert Checkpoint.read(file, "another" if damage == "another key" else "key") is None
