"""The classical classifiers, against scikit-learn called directly and against a nearest neighbour by hand."""

import tracemalloc

import numpy as np
import pytest
from networks import TITLE
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neighbors import NearestCentroid as Centroids

from cifar_report.data import Split
from cifar_report.spec import ClassicalTrial, NearestCentroid, NearestNeighbors
from cifar_report.training.classical import fit_classifier


def fit(sample, method, training_images="train"):
    trial = ClassicalTrial(id="classical", title=TITLE, method=method, training_images=training_images)
    return fit_classifier(trial, sample.images, sample.labels, sample.split)


def pixels(sample, indices):
    return sample.images[indices].reshape(len(indices), 3072).astype(np.float32) / 255


@pytest.mark.parametrize(
    ("method", "direct"),
    [
        (NearestNeighbors(1), lambda: KNeighborsClassifier(1)),
        (NearestNeighbors(3), lambda: KNeighborsClassifier(3)),
        (NearestCentroid(), Centroids),
    ],
)
@pytest.mark.parametrize("training_images", ["train", "train+validation"])
def test_predictions_are_scikit_learns(sample, method, direct, training_images):
    """Each classifier predicts what scikit-learn's defaults predict from the same raw pixels."""
    outcome = fit(sample, method, training_images)
    parts = [sample.split.train, sample.split.validation][: 1 + (training_images == "train+validation")]
    training = np.concatenate(parts)
    expected = (
        direct().fit(pixels(sample, training), sample.labels[training]).predict(pixels(sample, sample.split.test))
    )
    assert np.array_equal(outcome.predictions.predicted, expected)
    assert outcome.classical.training_images == len(training)
    assert outcome.classical.test_accuracy == np.mean(expected == sample.labels[sample.split.test])
    assert np.array_equal(outcome.predictions.indices, sample.split.test)


@pytest.mark.parametrize("method", [NearestNeighbors(1), NearestCentroid()])
def test_no_classifier_holds_the_pixels_twice(method):
    """A fit on single-precision pixels takes less than two copies of them, so that 50,000 images fit in a worker."""
    random = np.random.default_rng(0)
    images = random.integers(0, 256, (2_020, 32, 32, 3), dtype=np.uint8)
    split = Split(np.arange(1_990), np.arange(1_990, 2_000), np.arange(2_000, 2_020))
    trial = ClassicalTrial(id="classical", title=TITLE, method=method)
    tracemalloc.start()
    fit_classifier(trial, images, random.integers(0, 10, 2_020, dtype=np.uint8), split)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2 * 1_990 * 3_072 * 4
