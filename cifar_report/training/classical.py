"""The classifiers that the networks are compared with: scikit-learn on raw pixels."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neighbors import NearestCentroid as CentroidClassifier

from cifar_report.bundle import ClassicalResult, Predictions
from cifar_report.data import Split
from cifar_report.spec import ClassicalTrial, NearestNeighbors
from cifar_report.training.outcome import Outcome, Progress, Seconds, Watcher


def fit_classifier(
    trial: ClassicalTrial,
    images: np.ndarray[Any, Any],
    labels: np.ndarray[Any, Any],
    split: Split,
    watch: Watcher = lambda _: None,
) -> Outcome:
    """Fit a classifier on raw pixels scaled to 0 … 1 and predict the test images; nothing in it is random.

    ``images`` uint8 [60000, 32, 32, 3], ``labels`` [60000]; ``split`` addresses both by index.
    """
    training = split.train
    if trial.training_images == "train+validation":
        training = np.concatenate([split.train, split.validation])
    started = time.perf_counter()
    classifier = _classifier(trial).fit(_pixels(images, training), labels[training])
    fitted = time.perf_counter()
    predicted = classifier.predict(_pixels(images, split.test)).astype(np.uint8)
    finished = time.perf_counter()
    accuracy = float(np.mean(predicted == labels[split.test]))
    print(f"{trial.id}: fitted on {len(training)} images, test accuracy {accuracy:.4f}", flush=True)
    watch(Progress("classifier", 1, 1, 0, float("nan"), accuracy))
    return Outcome(
        predictions=Predictions(split.test, labels[split.test], predicted=predicted),
        seconds=Seconds(fit=fitted - started, predict=finished - fitted),
        classical=ClassicalResult(training_images=len(training), test_accuracy=accuracy),
    )


def _classifier(trial: ClassicalTrial) -> KNeighborsClassifier | CentroidClassifier:
    if isinstance(trial.method, NearestNeighbors):
        # Brute force: in 3,072 dimensions no tree is faster, and its result does not depend on a tree's leaf order.
        return KNeighborsClassifier(trial.method.neighbors, algorithm="brute", n_jobs=1)
    return CentroidClassifier()


def _pixels(images: np.ndarray[Any, Any], indices: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    pixels: np.ndarray[Any, Any] = images[indices].reshape(len(indices), -1).astype(np.float32)
    return pixels / np.float32(255)
