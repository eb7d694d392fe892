"""What the tests of the analysis share: two small trials, claims about them, samples without a bundle."""

from collections.abc import Sequence
from dataclasses import replace as change
from pathlib import Path
from typing import Any

import numpy as np
from msgspec.structs import replace

from cifar_report.analysis.results import SeedValue
from cifar_report.analysis.samples import Sample
from cifar_report.bundle import Bundle, Predictions, Run, encode, sha256
from cifar_report.simulation import Simulation, simulate_bundle
from cifar_report.spec import (
    Claim,
    ClassicalTrial,
    Conv2D,
    Dense,
    Experiment,
    Flatten,
    MaxPooling2D,
    NearestNeighbors,
    Side,
    Stage,
    Trial,
)

WORD = "words"
FIRST = Trial(
    id="first",
    title=WORD,
    layers=(Conv2D(4, 3), MaxPooling2D(2), Flatten(), Dense(8), Dense(10, "softmax")),
    stages=(Stage(epochs=8),),
)
SECOND = replace(FIRST, id="second", batch_size=64, as_written="first", one_change="first")
AGAIN = replace(FIRST, id="again", strategy="mirrored", one_change="first")
NEAREST = ClassicalTrial(id="nearest_1", title=WORD, method=NearestNeighbors(1))
NEAREST_3 = ClassicalTrial(id="nearest_3", title=WORD, method=NearestNeighbors(3))


def claim(relation: str = "greater", **changes: Any) -> Claim:
    """Return a claim that the second trial's accuracy stands in ``relation`` to the first one's, by one point."""
    fields: dict[str, Any] = {"id": "C", "code": "C", "statement": WORD, "said": WORD, "comparison": "one_change"}
    fields |= {"quantity": "accuracy", "subject": Side("second"), "comparator": Side("first"), "margin": 0.01}
    return Claim(relation=relation, **(fields | changes))


def experiment(*claims: Claim, more: tuple[Trial, ...] = ()) -> Experiment:
    """Return an experiment of two networks and two nearest-neighbour classifiers with these claims."""
    texts = {"title": WORD, "question": WORD, "change": WORD, "explanation": WORD}
    trials = (FIRST, SECOND, NEAREST, NEAREST_3, *more)
    return Experiment(id="pair", order=0, section="trials", trials=trials, claims=claims, **texts)


def bundle(folder: Path, *claims: Claim, **changes: Any) -> Bundle:
    """Write and load a simulated bundle of that experiment; the second trial is 10 points better than the first."""
    simulation = Simulation(accuracies={"first": 0.5, "second": 0.6, "nearest_1": 0.3, "nearest_3": 0.4})
    more = (AGAIN,) if "again" in (changes.get("trials") or ()) else ()
    return simulate_bundle(folder, [experiment(*claims, more=more)], change(simulation, **changes))


def rewrite(folder: Path, run: Run, predictions: Predictions | None = None) -> None:
    """Put a changed run in its place, as a program that produced it would have."""
    place = folder / "runs" / run.id
    if predictions is not None:
        content = predictions.dump()
        (place / "predictions.npz").write_bytes(content)
        run = replace(run, files=run.files | {"predictions.npz": sha256(content)})
    (place / "run.json").write_bytes(encode(run))


def sample(subject: Sequence[float | None], comparator: Sequence[float | None] = (), **changes: Any) -> Sample:
    """Return pairs of values by seed, None for an epoch count that 15 epochs never reached."""
    sides = [
        tuple(SeedValue(seed, "", 16.0 if each is None else each, each is None) for seed, each in enumerate(side))
        for side in (subject, comparator)
    ]
    whole = any(value.censored for side in sides for value in side)
    made = Sample("difference" if comparator else "value", "seeds", *sides, whole=whole)
    return change(made, **changes)


def differing(differences: Sequence[float], base: float = 0.5) -> Sample:
    """Return a sample with these differences by seed."""
    return sample([base + value for value in differences], [base] * len(differences))


def array(*values: float) -> np.ndarray[Any, Any]:
    """Return float [n]."""
    return np.array(values, float)
