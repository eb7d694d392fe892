"""The classifiers that the networks are compared with: scikit-learn on raw pixels."""

import time

import numpy as np
from sklearn.neighbors import KNeighborsClassifier

from cifar_report.bundle import ClassicalResult, Predictions
from cifar_report.data import Split
from cifar_report.spec import ClassicalTrial, NearestNeighbors
from cifar_report.training import Array, Outcome, Progress, Seconds, Watcher


def fit_classifier(
    trial: ClassicalTrial, images: Array, labels: Array, split: Split, watch: Watcher = lambda _: None
) -> Outcome:
    """Fit a classifier on pixels scaled to 0 … 1 and predict the test images; arguments as of ``train_network``."""
    training = split.train
    if trial.training_images == "train+validation":
        training = np.concatenate([split.train, split.validation])
    started = time.perf_counter()
    if isinstance(trial.method, NearestNeighbors):
        neighbors, examples, classes = trial.method.neighbors, _pixels(images, training), labels[training]
    else:
        # scikit-learn's NearestCentroid predicts the same from the same means, but its fit also computes spreads that
        # nothing here uses, with several copies of all pixels in double precision: 4 GB for 50,000 images.
        neighbors, (examples, classes) = 1, _class_means(images, labels, training)
    # Brute force: in that many dimensions no tree is faster, and its result does not depend on a tree's leaf order.
    classifier = KNeighborsClassifier(neighbors, algorithm="brute", n_jobs=1).fit(examples, classes)
    fitted = time.perf_counter()
    predicted = classifier.predict(_pixels(images, split.test)).astype(np.uint8)
    finished = time.perf_counter()
    accuracy = float(np.mean(predicted == labels[split.test]))
    print(f"{trial.id}: fitted on {len(training)} images, test accuracy {accuracy:.4f}", flush=True)
    watch(Progress("classifier", 1, 1, 0, float("nan"), accuracy))
    return Outcome(
        predictions=Predictions(split.test, labels[split.test], predicted=predicted),
        seconds=Seconds(fit_seconds=fitted - started, predict_seconds=finished - fitted),
        classical=ClassicalResult(training_images=len(training), test_accuracy=accuracy),
    )


def _class_means(images: Array, labels: Array, indices: Array) -> tuple[Array, Array]:
    """Return each class's mean image, [classes, pixels], and the classes; in single precision as scikit-learn does."""
    classes = np.unique(labels[indices])
    members = (indices[labels[indices] == each] for each in classes)
    return np.stack([_pixels(images, each).mean(axis=0) for each in members]), classes


def _pixels(images: Array, indices: Array) -> Array:
    pixels: Array = images[indices].reshape(len(indices), -1).astype(np.float32)
    pixels /= 255  # in place: a copy of all training images is 614 MB
    return pixels
