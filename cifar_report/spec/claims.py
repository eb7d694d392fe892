"""Claims as data, fixed before training: what was said, how it is measured and when it counts as reproduced."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from cifar_report.spec.text import Text, Word

Quantity = Literal[
    "accuracy",  # points, test set; last epoch for trials, restored weights for stages with early stopping
    "validation_accuracy",  # points
    "loss",  # relative, test set
    "gap",  # points: evaluated train accuracy - test accuracy
    "epochs_to_accuracy",  # epochs until validation accuracy first reaches .55; not reached = censored
    "epoch_of_least_loss",  # epoch of the least 3-epoch-median validation loss
    "seconds",  # log ratio, from the timing pass
    "throughput",  # log ratio of images per second, from the timing pass
    "fit_seconds",  # classical classifiers
    "predict_seconds",  # classical classifiers
    "parameters",  # exact, all parameters
    "trainable_parameters",  # exact
    "macs",  # exact
]

Relation = Literal[
    "greater",  # subject above comparator by the margin
    "less",  # subject below comparator by the margin
    "not_better",  # "fails to improve": an improvement of the margin or more is ruled out
    "equal",  # within the margin to both sides
    "ratio",  # subject / comparator near ``value``
    "value",  # near ``value``, one sample
    "onset",  # of overfitting at epoch ``value``
    "exact",  # see ``exact_relation``; no statistics
]

Family = Literal["accuracy as written", "accuracy by one change", "convergence", "time"]

Number = Annotated[float, Meta(ge=-1e9, le=1e9)]


class Side(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One side of a comparison: a trial, and a stage where it has several."""

    trial: str
    stage: str | None = None  # None: the last stage


class Claim(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One testable sentence of the write-up (or of its README), in our words.

    ``margin`` is in the quantity's unit: accuracy points as a fraction (.01 = one point), loss and time as a share
    (.10), epochs as a number. ``original_difference`` is what the write-up's own numbers give for the same
    quantity: the value of an absolute claim, else the difference, but the ratio for seconds and throughput (whose
    scale is a log ratio) and for a "quarter"; None where it printed none.

    The exact relation "quarter" holds where subject / comparator lies within [.25 / 1.25, .25 * 1.25]: the band in
    which a measured ratio counts as near the stated one holds for a count that is called a quarter, too.
    """

    id: Word  # for example "C05a.one_change"
    code: Word  # the row of the write-up's table that it belongs to, for example "C05a"
    statement: Text  # one whole sentence
    said: Text  # what the original said, and its own numbers
    quantity: Quantity
    relation: Relation
    subject: Side
    comparator: Side | None = None  # None: an absolute claim
    comparison: Literal["as_written", "one_change", "absolute", "between_methods"]
    margin: Number | None = None  # None for exact relations only
    value: Number | None = None  # r, x or k of ratio, value and onset; the stated number of exact
    exact_relation: Literal["equal", "less", "greater", "quarter"] | None = None
    comparator_quantity: Quantity | None = None  # where it is not the subject's: prediction against fitting
    family: Family | None = None  # None: stands alone at .05
    proxy: Text | None = None  # set when the wording (a mechanism, "may") is only approached by the quantity
    original_difference: Number | None = None

    def __post_init__(self) -> None:
        """Refuse a claim that no test could decide."""
        if (self.relation == "exact") != (self.exact_relation is not None):
            raise ValueError(f"claim {self.id}: exact_relation goes with the relation 'exact' and only with it")
        if self.relation in ("ratio", "value", "onset") and self.value is None:
            raise ValueError(f"claim {self.id}: the relation {self.relation!r} needs a value")
        if self.relation not in ("exact", "ratio", "onset") and self.margin is None:
            raise ValueError(f"claim {self.id}: the relation {self.relation!r} needs a margin")
        needs_comparator = self.relation in ("greater", "less", "not_better", "equal", "ratio")
        if needs_comparator != (self.comparator is not None) and self.relation != "exact":
            raise ValueError(f"claim {self.id}: {self.relation!r} and its comparator do not go together")


def registry_hash(claims: Iterable[Claim]) -> str:
    """Return the SHA-256 of the claims in canonical JSON, ordered by id; any change of a margin shows in it."""
    ordered = sorted(claims, key=lambda claim: claim.id)
    return hashlib.sha256(msgspec.json.encode(ordered, order="sorted")).hexdigest()
