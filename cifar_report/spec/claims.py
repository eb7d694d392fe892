"""Claims as data, fixed before training: what was said, how it is measured and when it counts as reproduced."""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal

import msgspec

from cifar_report.spec.trials import AnyTrial, Paragraph, Trial, Word, json_hash, same_network

Number = Annotated[float, msgspec.Meta(ge=-1e9, le=1e9)]

Quantity = Literal[
    "accuracy",  # points, test set; last epoch for trials, restored weights for stages with early stopping
    "validation_accuracy",  # points
    "loss",  # relative, test set
    "gap",  # points: evaluated train accuracy - test accuracy
    "dead_units",  # points: share of hidden units that are zero for every test image; not testable where not recorded
    "unusual_runs",  # runs of the trial whose accuracy lies far from the median; exact
    "epochs_to_accuracy",  # epochs until validation accuracy first reaches .55; not reached = the epoch after the last
    "epoch_of_least_loss",  # epoch of the least validation loss
    "seconds",  # log ratio, from the timing pass
    "throughput",  # log ratio of images per second, from the timing pass
    "fit_seconds",  # classical classifiers
    "predict_seconds",  # classical classifiers
    "parameters",  # exact, all parameters
    "trainable_parameters",  # exact
    "macs",  # exact
]

TIMES: tuple[Quantity, ...] = ("seconds", "throughput", "fit_seconds", "predict_seconds")  # from the timing pass alone

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

Family = Literal["accuracy as written", "accuracy by one change", "convergence", "time", "own"]


class Side(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One side of a comparison: a trial, and a stage where it has several."""

    trial: str
    stage: str | None = None  # None: the last stage


class Claim(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One testable sentence of the write-up (or of its README), in our words.

    ``margin`` is in the quantity's unit: accuracy as a fraction (.01 = one point), loss and time as a share, epochs as
    a number. ``original_difference`` is what the write-up's own numbers give: the value of an absolute claim, the
    ratio for seconds, throughput and a "quarter", else the difference; None where it printed none. "quarter" holds
    where subject / comparator lies within [.25 / 1.25, .25 * 1.25], the band in which a measured ratio is near.
    """

    id: Word  # for example "C05a.one_change"
    code: Word  # the row of the write-up's table that it belongs to, for example "C05a"
    statement: Paragraph  # one whole sentence
    said: Paragraph = ""  # what the original said, and its own numbers; empty where the claim is our own
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
    proxy: Paragraph | None = None  # set when the wording (a mechanism, "may") is only approached by the quantity
    original_difference: Number | None = None

    def __post_init__(self) -> None:
        if (self.relation == "exact") != (self.exact_relation is not None):
            raise ValueError(f"claim {self.id}: exact_relation goes with the relation 'exact' and only with it")
        if self.quantity == "unusual_runs" and self.relation != "exact":
            raise ValueError(f"claim {self.id}: a trial has one number of unusual runs, so its relation is 'exact'")
        if self.relation in ("ratio", "value", "onset") and self.value is None:
            raise ValueError(f"claim {self.id}: the relation {self.relation!r} needs a value")
        if self.relation not in ("exact", "ratio", "onset") and self.margin is None:
            raise ValueError(f"claim {self.id}: the relation {self.relation!r} needs a margin")
        needs_comparator = self.relation in ("greater", "less", "not_better", "equal", "ratio")
        if needs_comparator != (self.comparator is not None) and self.relation != "exact":
            raise ValueError(f"claim {self.id}: {self.relation!r} and its comparator do not go together")

    @property
    def sides(self) -> tuple[tuple[Side, Quantity], ...]:
        """Return the subject and, unless the claim is absolute, the comparator, each with its quantity."""
        other = () if self.comparator is None else ((self.comparator, self.comparator_quantity or self.quantity),)
        return ((self.subject, self.quantity), *other)

    @property
    def trials(self) -> tuple[str, ...]:
        """Return the ids of its sides' trials, the subject's first."""
        return tuple(side.trial for side, _ in self.sides)

    @property
    def timed(self) -> bool:
        """Whether it is about times or rates: read from the timing pass alone, compared as log ratios."""
        return self.quantity in TIMES


STATEMENTS = (
    *("C01a", "C01b", "C01c", "C02a", "C02b", "C03a", "C03b", "C03c", "C04a", "C04b", "C04c", "C05a", "C05b", "C05c"),
    *("C06a", "C06b", "C07a", "C07b", "C08a", "C08b", "C08c", "C09a", "C09b", "C09c", "C10a", "C10b", "C10c"),
    *("C11a", "C11b", "C11c", "C12", "C13a", "C13b", "C13c", "C13d", "C14", "C15", "C16", "P1"),
)
"""The codes of all that the write-up and its README state; claims of other codes are somebody's own."""

MARGINS: dict[Quantity, float] = {  # where a claim names no other
    **dict.fromkeys(("accuracy", "validation_accuracy"), 0.01),
    "gap": 0.02,
    "dead_units": 0.05,
    **dict.fromkeys(("epochs_to_accuracy", "epoch_of_least_loss"), 1.0),
    **dict.fromkeys(("loss", "seconds", "throughput", "fit_seconds", "predict_seconds"), 0.1),
}

EXACT: tuple[Quantity, ...] = ("unusual_runs", "parameters", "trainable_parameters", "macs")  # counted: no statistics


def claim(claim_id: str, statement: str, **fields: Any) -> Claim:
    """Return a claim with the method's defaults for every field that is not given.

    What is compared stands in ``fields``, or in words after the id: "ID: SUBJECT QUANTITY RELATION[=VALUE] [COMPARATOR
    [COMPARISON]]", as in "N1: batch_48 accuracy greater baseline". A stage follows its trial: "model_2/first".

    Its code is the id up to the first dot; it compares as the write-up did, or nothing where there is no comparator;
    its margin is that of ``MARGINS``; claims with a direction are corrected together, by their kind of quantity;
    those of which the original said nothing in a family of their own, so that they move no p-value of the others.
    """
    claim_id, _, words = claim_id.partition(": ")
    fields = _from_words(words) | fields
    if lacking := [name for name in ("quantity", "relation", "subject") if name not in fields]:
        raise TypeError(f"claim {claim_id} lacks {', '.join(lacking)}")
    quantity, relation = fields["quantity"], fields["relation"]
    named = {name: fields[name] for name in ("subject", "comparator") if fields.get(name) is not None}
    sides = {name: Side(*side.split("/")) if isinstance(side, str) else side for name, side in named.items()}
    defaults = {
        "code": claim_id.partition(".")[0],
        "comparison": "as_written" if "comparator" in sides else "absolute",
        "margin": None if relation in ("exact", "ratio") else MARGINS[quantity],
    }
    fields = defaults | fields | sides
    if relation in ("greater", "less", "not_better"):
        fields.setdefault("family", family_of(quantity, fields["comparison"]) if fields.get("said") else "own")
    return Claim(id=claim_id, statement=statement, **fields)


def of_original(said: Mapping[str, str], *claims: Claim) -> tuple[Claim, ...]:
    """Return claims with what the original said, by their codes; their families are then those of the original's."""
    return tuple(
        msgspec.structs.replace(
            each, said=said[each.code], family=each.family and family_of(each.quantity, each.comparison)
        )
        for each in claims
    )


def _from_words(words: str) -> dict[str, Any]:
    """Return the fields that are named in words; a relation of what is counted is an exact one."""
    names = ("subject", "quantity", "relation", "comparator", "comparison")
    fields: dict[str, Any] = dict(zip(names, words.split(), strict=False))
    if len(words.split()) > len(names):
        raise ValueError(f"{words!r} names more than {', '.join(names)}")
    if "relation" in fields:
        fields["relation"], _, value = fields["relation"].partition("=")
        if fields["quantity"] in EXACT:
            fields |= {"relation": "exact", "exact_relation": fields["relation"]}
        if value:
            fields["value"] = float(value)
    return fields


def family_of(quantity: Quantity, comparison: str) -> Family:
    """Return the claims with which a claim with a direction is corrected for their number."""
    if quantity.startswith("epoch"):
        return "convergence"
    if quantity in TIMES:
        return "time"
    return "accuracy by one change" if comparison == "one_change" else "accuracy as written"


def pairs_by_seed(claim: Claim, trials: Mapping[str, AnyTrial]) -> bool:
    """Whether seeds pair the two sides: one network continued or run again, or a side that has no seeds."""
    if claim.comparator is None or claim.comparator.trial == claim.subject.trial:
        return True
    first, second = (_until(trials[side.trial], side.stage) for side in (claim.subject, claim.comparator))
    return not (first.seeded and second.seeded) or same_network(first, second)


def _until(trial: AnyTrial, stage: str | None) -> AnyTrial:
    """Return a trial that ends with this stage: what it trains afterwards changes nothing there."""
    if stage is None or not isinstance(trial, Trial):
        return trial
    count = next((place for place, each in enumerate(trial.stages, 1) if each.id == stage), None)
    return msgspec.structs.replace(trial, stages=trial.stages[:count])


WORDING = ("statement", "said", "proxy")


def definitions(claims: Iterable[Claim]) -> dict[str, dict[str, Any]]:
    """Return by id everything about claims that can move a verdict: all but their wording, and what is not stated."""
    stated = {
        claim.id: {key: value for key, value in msgspec.to_builtins(claim).items() if value is not None}
        for claim in claims
    }
    return {name: {key: fields[key] for key in fields if key not in WORDING} for name, fields in stated.items()}


def registry_hash(claims: Iterable[Claim] | Iterable[dict[str, Any]]) -> str:
    """Return the SHA-256 of the claims, or of their JSON as it is stored, in canonical JSON ordered by id."""
    ordered = sorted((msgspec.to_builtins(claim) for claim in claims), key=lambda claim: claim["id"])
    return json_hash(ordered)
