"""What the script of the page computes with, as one JSON: claims, trials, and the best network's confusions."""

from __future__ import annotations

import io
from collections.abc import Sequence
from itertools import combinations
from typing import Any

import msgspec
import numpy as np
from markupsafe import Markup
from matplotlib.image import imsave

from cifar_report.analysis.decisions import DIRECTIONS, family_key, side_of
from cifar_report.analysis.predictions import condensed, surest_of_pair
from cifar_report.analysis.results import Results, TrialResult, Verdict
from cifar_report.analysis.values import is_time
from cifar_report.bundle import Bundle
from cifar_report.report.elements import data_address
from cifar_report.report.figures.base import Images
from cifar_report.report.names import CLASSES
from cifar_report.report.sections.claims import notation
from cifar_report.report.text.changes import change_labels
from cifar_report.report.writer import Writer
from cifar_report.spec import CLASS_COUNT, Trial, differences

ACROSS = 25  # images in a line of the sprite
QUALITY = 80  # of its WebP: some 900 bytes an image
EXACT = ("exact", "mcnemar", None)  # tests that the page does not repeat


def page_data(writer: Writer, images: Images | None) -> Markup:
    """Return the JSON for a ``script`` element; ``images`` must be the dataset of the bundle's fingerprint."""
    results = writer.results
    ran = [trial for trial in results.trials if trial.primary.datum.value is not None]
    plan = writer.bundle.record.plan
    # A claim that was tested several times is not decided again in the page.
    confirmed = any(verdict.other is not None for verdict in results.verdicts)
    data = {
        "planned": plan is not None and (not plan.confirms or confirmed),
        "claims": [_claim(writer, verdict) for verdict in results.verdicts],
        "trials": [_trial(writer, trial) for trial in ran],
        "changes": {
            f"{first.id}|{second.id}": [
                label.striptags() for label in change_labels(writer, differences(first.trial, second.trial))
            ]
            for first, second in combinations(ran, 2)
        },
        "confusions": _confusions(writer, results, writer.bundle, images),
    }
    encoded = msgspec.json.encode(data).decode().replace("<", "\\u003c")
    return Markup(encoded)  # noqa: S704 - no "<" is left in it


def _claim(writer: Writer, verdict: Verdict) -> dict[str, Any]:
    """Return everything that decides a claim: its definition, and the values of its seeds or blocks."""
    claim = verdict.claim
    corrected = claim.family is not None and claim.relation in DIRECTIONS
    return {
        "id": verdict.id,
        "about": notation(writer, verdict).striptags(),
        "trials": [side.trial for side in (claim.subject, claim.comparator) if side is not None],
        **{name: getattr(claim, name) for name in ("quantity", "relation", "margin", "value")},
        "side": side_of(claim),
        "family": "|".join(map(str, family_key(claim))) if corrected else None,
        "time": is_time(claim),
        "absolute": claim.comparator is None,
        **{name: getattr(verdict, name) for name in ("outcome", "reason", "test", "n_of")},
        "unit": verdict.estimate.unit,
        "estimate": [getattr(verdict.estimate, name) for name in ("value", "low", "high")],
        "fixed": verdict.test in EXACT,
        "paired": verdict.n_comparator is None,
        "rows": [[each.seed, each.subject, each.comparator, each.censored] for each in verdict.differences],
        "images": [
            [each.only_subject_right.value, each.only_comparator_right.value]
            for each in (verdict.networks.tests if verdict.networks and verdict.test == "mcnemar" else ())
        ],
    }


def _trial(writer: Writer, trial: TrialResult) -> dict[str, Any]:
    """Return a trial's name, its accuracy by seed, and each seed's accuracies by epoch, stage after stage."""
    curves: dict[str, list[list[float | None]]] = {}
    for curve in (curve for stage in trial.stages for curve in stage.curves):
        both = curves.setdefault(str(curve.seed), [[], []])
        for known, values in zip(both, (curve.accuracy, curve.val_accuracy), strict=True):
            known += [value if value is None else round(value, 4) for value in values]
    scores = [[each.seed, each.value] for each in trial.primary.seeds]
    name = writer.trial_title(trial.id)
    return {"id": trial.id, "name": name, "scores": scores, "mean": trial.primary.datum.value, "curves": curves}


def _confusions(writer: Writer, results: Results, bundle: Bundle, images: Images | None) -> dict[str, Any] | None:
    """Return the confusions of the run that the examples are of, and of each the images that it was surest of."""
    shown = results.examples[0] if results.examples else None
    run = next((each for each in bundle.runs if shown and each.id == shown.run), None)
    if shown is None or run is None or not isinstance(run.trial, Trial):
        return None
    summary, file = results.trial(shown.trial).stage(shown.stage), bundle.predictions(run)
    kept = None if summary is None else condensed(file, shown.stage, summary.primary_weights)
    if kept is None or kept.top is None:
        return None
    cells, places = [], []
    for label, predicted in np.ndindex(CLASS_COUNT, CLASS_COUNT):
        chosen = surest_of_pair(file.labels, kept.predicted, kept.top, (label, predicted))
        count = int(np.sum((file.labels == label) & (kept.predicted == predicted)))
        cells.append([count, [[int(file.indices[place]), round(float(kept.top[place]), 4)] for place in chosen]])
        places += [int(file.indices[place]) for place in chosen]
    sprite = None if images is None else _sprite(images, places)
    names = [writer.word(name) for name in CLASSES]
    trial = writer.trial_title(shown.trial, shown.stage)
    return {"trial": trial, "run": run.id, "classes": names, "cells": cells, "sprite": sprite, "across": ACROSS}


def _sprite(images: Images, places: Sequence[int]) -> str:
    """Return the images side by side, ``ACROSS`` in a line, as a data address."""
    lines = -(-len(places) // ACROSS)
    tiles = np.zeros((lines * ACROSS, *images.shape[1:]), np.uint8)
    tiles[: len(places)] = images[list(places)]
    sheet = tiles.reshape(lines, ACROSS, *images.shape[1:]).swapaxes(1, 2).reshape(lines * 32, ACROSS * 32, 3)
    stream = io.BytesIO()
    imsave(stream, sheet, format="webp", pil_kwargs={"quality": QUALITY, "method": 6})
    return data_address(stream.getvalue(), "image/webp")
