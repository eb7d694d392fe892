"""Trials small enough to be trained in a moment, and a record of data."""

from cifar_report.bundle import DatasetRecord
from cifar_report.spec import ClassicalTrial, Conv2D, Dense, Flatten, MaxPooling2D, NearestCentroid, Stage, Trial

TITLE = "Small"
ONE_EPOCH = (Stage(epochs=1),)
RECORD = DatasetRecord(
    fingerprint="a" * 64, grade="unverified", canonical_labels=True, source="folder", counts=(320, 100, 200)
)
CENTROID = ClassicalTrial(id="centroid", title="c", method=NearestCentroid())


def small_trial(*inserted, stages=ONE_EPOCH, **changes) -> Trial:
    """Return a trial with one small convolution and, behind it, the ``inserted`` layers."""
    layers = (Conv2D(4, 3, 2), *inserted, MaxPooling2D(2), Flatten(), Dense(10, "softmax"))
    return Trial(id="small", title=TITLE, layers=layers, stages=tuple(stages), **changes)


def linear_trial(*, stages=ONE_EPOCH, **changes) -> Trial:
    """Return a trial without any hidden layer."""
    return Trial(id="linear", title=TITLE, layers=(Flatten(), Dense(10, "softmax")), stages=tuple(stages), **changes)
