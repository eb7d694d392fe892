"""What must not change unless a commit says so: numbers and verdicts of two bundles, weights of tiny runs.

``python tests/golden_values.py [numbers] [training]`` records what the present code gives into
``tests/golden/``. Training is recorded for the processor and the libraries at hand; records of others are kept.
"""

import hashlib
import json
import os
import sys
from collections import defaultdict
from importlib import metadata
from pathlib import Path

import numpy as np

FOLDER = Path(__file__).parent / "golden"
BUNDLES = ("reference", "simulated")
LIBRARIES = ("tensorflow", "keras", "numpy", "scikit-learn")


def load(name: str):
    from suites import reference, simulated

    return (reference() if name == "reference" else simulated(timing=True, seeds=3))[1]


def numbers(bundle: str) -> dict[str, object]:
    """Return every verdict, and sums over all numbers of one formula."""
    results = load(bundle)
    sums: dict[str, list[float]] = defaultdict(lambda: [0, 0.0, 0.0, 0.0])
    for datum in results.data().values():
        parts = (1, datum.value or 0.0, datum.low or 0.0, datum.high or 0.0)
        name = f"{datum.formula}, {datum.unit}"
        sums[name] = [total + part for total, part in zip(sums[name], parts, strict=True)]
    return {
        "verdicts": {verdict.id: f"{verdict.outcome}: {verdict.reason}" for verdict in results.verdicts},
        "sums of count, value, low, high": {
            name: [float(f"{each:.12g}") for each in sums[name]] for name in sorted(sums)
        },
    }


def kinds():
    """Return a tiny trial of each kind: a few seconds of training together."""
    from networks import linear_trial, small_trial

    from cifar_report import spec

    two = (
        spec.Stage(id="first", epochs=2),
        spec.Stage(id="second", epochs=2, early_stopping=spec.EarlyStopping(patience=1)),
    )
    augmented = (spec.Stage(epochs=2, augmentation=spec.Augmentation()),)
    title = linear_trial().title
    return {
        "plain": small_trial(stages=(spec.Stage(epochs=2),)),
        "staged": small_trial(stages=two),
        "augmented": small_trial(stages=augmented),
        "dropout": small_trial(spec.Dropout(0.5), stages=(spec.Stage(epochs=2),)),
        "batch normalization": small_trial(spec.BatchNormalization(), stages=(spec.Stage(epochs=2),)),
        "mirrored": small_trial(spec.BatchNormalization(), spec.Dropout(0.5), stages=augmented, strategy="mirrored"),
        "nearest neighbors": spec.ClassicalTrial(id="small", title=title, method=spec.NearestNeighbors(3)),
        "nearest centroid": spec.ClassicalTrial(id="small", title=title, method=spec.NearestCentroid()),
    }


def machine() -> str:
    """Name what decides the last bits of a run: the processor's design and the libraries."""
    from cifar_report.running.environment import processor_name

    versions = ", ".join(f"{library} {metadata.version(library)}" for library in LIBRARIES)
    return f"{processor_name()}; {versions}"


def train(kind: str) -> dict[str, object]:
    """Train a tiny run on drawn images: its history, and a hash of weights and predictions."""
    from cifar_report.data import Split
    from cifar_report.spec import Trial
    from cifar_report.training.classical import fit_classifier
    from cifar_report.training.network import train_network

    words = np.random.PCG64(7).random_raw(384 * 240).astype("<u8")  # the one stream that NumPy never changes
    images = words.view(np.uint8).reshape(240, 32, 32, 3)
    labels = (np.arange(240) % 10).astype(np.uint8)
    images = (images // 2 + labels[:, None, None, None] * 8).astype(np.uint8)  # so that there is something to learn
    order = np.arange(240, dtype=np.int32)
    split = Split(order[:96], order[96:160], order[160:])  # an epoch of three steps
    trial = kinds()[kind]
    if isinstance(trial, Trial):
        outcome = train_network(trial, 3, images, labels, split)
        arrays = [*outcome.weights.values(), *outcome.predictions.probabilities.values()]
        history = {stage.id: [list(stage.history.loss), list(stage.history.val_loss)] for stage in outcome.stages}
    else:
        outcome = fit_classifier(trial, images, labels, split)
        arrays, history = [outcome.predictions.predicted], {"accuracy": [[outcome.classical.test_accuracy], []]}
    digest = hashlib.sha256(b"".join(np.ascontiguousarray(array).tobytes() for array in arrays)).hexdigest()
    return {"digest": digest, "history": history}


def read(name: str) -> dict:
    path = FOLDER / f"{name}.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def _write(name: str, content: dict) -> None:
    FOLDER.mkdir(exist_ok=True)
    text = json.dumps(content, indent=1, ensure_ascii=False, sort_keys=True)
    (FOLDER / f"{name}.json").write_text(f"{text}\n", encoding="utf-8")


def main(words: list[str]) -> None:
    """Record what is asked for, or everything."""
    words = words or ["numbers", "training"]
    if "numbers" in words:
        _write("numbers", {bundle: numbers(bundle) for bundle in BUNDLES})
    if "training" in words:
        from cifar_report.running.environment import WORKER_VARIABLES

        os.environ.update(WORKER_VARIABLES)
        from cifar_report.training.engine import configure

        configure(mirrored=True)
        _write("training", {**read("training"), machine(): {kind: train(kind) for kind in kinds()}})


if __name__ == "__main__":
    main(sys.argv[1:])
