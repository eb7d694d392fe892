"""The claims say what the write-up said, compare what they name and follow the method's margins."""

import math
import re
import statistics

import pytest
from msgspec.structs import replace

from cifar_report.published import OriginalStage, load_original
from cifar_report.registry import claims_of, load_experiments, trials_of
from cifar_report.report.i18n import Translation
from cifar_report.spec import AnyTrial, Claim, Side, Trial, differences

EXPERIMENTS = load_experiments()
TRIALS = trials_of(EXPERIMENTS)
CLAIMS = claims_of(EXPERIMENTS)
ORIGINAL = load_original()

CODES = """
C01a C01b C01c C02a C02b C03a C03b C03c C04a C04b C04c C05a C05b C05c C06a C06b C07a C07b C08a C08b C08c C09a C09b C09c
C10a C10b C10c C11a C11b C11c C12 C13a C13b C13c C13d C14 C15 C16 P1
""".split()  # noqa: SIM905 - reads as the list that it is

CONFOUNDED = {  # as written, these compare more than one change, and no single change could stand for them
    "C10a.as_written.batch_norm": "one regulariser against another",
    "C11c": "the sentence names a multiple of the baseline's time",
    "C13d": "another network altogether",
}


def test_every_row_of_the_write_up_has_claims() -> None:
    """Each claim of the write-up's table must be there, under its code, and no other code."""
    assert sorted({claim.code for claim in CLAIMS}) == sorted(CODES)
    assert all(claim.id == claim.code or claim.id.startswith(f"{claim.code}.") for claim in CLAIMS)


def as_compared(side: Side) -> AnyTrial:
    """Return the trial cut off behind the stage that is compared: what comes later cannot act on it."""
    trial = TRIALS[side.trial]
    if side.stage is None or not isinstance(trial, Trial):
        return trial
    ids = [stage.id for stage in trial.stages]
    return replace(trial, stages=trial.stages[: ids.index(side.stage) + 1])


def changes_of(claim: Claim) -> int:
    """Count the changes between the two sides of a claim."""
    assert claim.comparator is not None
    return len(differences(as_compared(claim.comparator), as_compared(claim.subject)))


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.id)
def test_claims_compare_what_they_say(claim: Claim) -> None:
    """Absolute claims stand alone, claims by one change differ in one thing, confounded ones have such a sibling."""
    if claim.comparison == "absolute":
        assert claim.comparator is None
    elif claim.comparison == "one_change":
        assert changes_of(claim) == 1
    elif claim.comparison == "as_written" and claim.id not in CONFOUNDED and changes_of(claim) > 1:
        siblings = [each for each in CLAIMS if each.code == claim.code and each.comparison == "one_change"]
        assert any(each.quantity == claim.quantity and each.relation == claim.relation for each in siblings)


@pytest.mark.parametrize("claim_id", sorted(CONFOUNDED))
def test_the_exceptions_are_confounded(claim_id: str) -> None:
    """What is excused from a fair partner must really compare more than one change."""
    assert changes_of(next(claim for claim in CLAIMS if claim.id == claim_id)) > 1


MARGINS = {
    "accuracy": {0.01, 0.02},
    "validation_accuracy": {0.01},
    "loss": {0.1},
    "gap": {0.02},
    "epochs_to_accuracy": {1.0},
    "epoch_of_least_loss": {1.0},
    "seconds": {0.1},
    "throughput": {0.1},
    "fit_seconds": {0.1},
    "predict_seconds": {0.1},
}
CLEARLY = {"C03c.accuracy", "C05a.as_written", "C05a.one_change"}


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.id)
def test_margins_and_families_are_the_methods(claim: Claim) -> None:
    """Margins must be those of the method's table, and families those of its corrections."""
    if claim.margin is not None:
        assert claim.margin in MARGINS[claim.quantity]
        assert (claim.margin == 0.02 and claim.quantity == "accuracy") == (claim.id in CLEARLY)
    else:
        assert claim.relation in ("exact", "ratio")
    assert claim.family == expected_family(claim)


def expected_family(claim: Claim) -> str | None:
    """Return the family that the method assigns: directions are corrected, all others stand alone."""
    if claim.relation not in ("greater", "less", "not_better"):
        return None
    if claim.quantity in ("epochs_to_accuracy", "epoch_of_least_loss"):
        return "convergence"
    if claim.quantity in ("seconds", "throughput", "fit_seconds", "predict_seconds"):
        return "time"
    return "accuracy by one change" if claim.comparison == "one_change" else "accuracy as written"


def least_smoothed(losses: tuple[float, ...]) -> float:
    """Return the epoch of the least median over each epoch and its two neighbours."""
    medians = [statistics.median(losses[max(0, at - 1) : at + 2]) for at in range(len(losses))]
    return 1.0 + medians.index(min(medians))


def printed(stage: OriginalStage, quantity: str) -> float | None:
    """Return what the original printed for a quantity, None where it printed nothing or never got there."""
    history = stage.history
    reached = [1.0 + at for at, value in enumerate(history.val_accuracy) if value >= 0.55]
    return {
        "accuracy": stage.test_accuracy,
        "validation_accuracy": stage.validation_accuracy,
        "loss": stage.test_loss,
        "seconds": stage.seconds,
        "epochs_to_accuracy": reached[0] if reached else None,
        "epoch_of_least_loss": least_smoothed(history.val_loss),
    }.get(quantity)


def measured(side: Side, quantity: str) -> float | None:
    """Return the original's number for one side of a claim."""
    key = TRIALS[side.trial].published
    if key is None:
        return None
    trial = ORIGINAL.trial(key)
    if quantity == "parameters":
        return trial.parameters_total
    if quantity == "trainable_parameters":
        return trial.parameters_trainable
    stage = trial.stage(side.stage)
    assert stage is not None
    return printed(stage, quantity)


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.id)
def test_original_differences_come_from_the_originals_numbers(claim: Claim) -> None:
    """Each original value, difference or ratio must follow from original.json, and none may be left out."""
    ours = measured(claim.subject, claim.quantity)
    if claim.comparator is None:
        expected = ours
    else:
        other = measured(claim.comparator, claim.comparator_quantity or claim.quantity)
        known = ours is not None and other is not None
        as_ratio = claim.quantity == "seconds" or claim.exact_relation == "quarter"
        expected = (ours / other if as_ratio else ours - other) if known else None  # type: ignore[operator]
    if expected is None:
        assert claim.original_difference is None
    else:
        assert claim.original_difference == pytest.approx(expected, abs=5.1e-5)


def test_exact_claims_hold_where_the_original_said_so() -> None:
    """The counts that the write-up stated must follow from the specifications."""
    counts = {trial_id: trial for trial_id, trial in TRIALS.items() if isinstance(trial, Trial)}
    ratio = counts["stride_2"].parameters_total / counts["baseline"].parameters_total
    assert 0.25 / 1.25 <= ratio <= 0.25 * 1.25
    assert counts["second_conv_32"].parameters_total == 47_370 < counts["baseline"].parameters_total
    assert counts["padding_same"].macs > counts["baseline"].macs
    assert counts["model_2"].parameters_trainable == 611_626


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.id)
def test_statements_are_one_whole_sentence(claim: Claim) -> None:
    """A statement must be one sentence with its full stop, in both languages."""
    for text in (claim.statement, Translation("el").text(claim.statement)):
        assert text.endswith(".")
        assert not re.search(r"[.;?]\s", text)
        assert text[0].isupper() or text[0].isdigit()


@pytest.mark.parametrize(
    ("claim_id", "value"),
    [("C02a", 1.5), ("C05b.as_written", 2.0), ("C11c", 5.0), ("C01c", 1.0), ("C10b.as_written", 1.0), ("C09b", 4.0)],
)
def test_stated_values_are_the_write_ups(claim_id: str, value: float) -> None:
    """Ratios and epochs that the write-up named in words must stand in the claims."""
    assert next(claim for claim in CLAIMS if claim.id == claim_id).value == value


def test_a_minute_more_is_a_ninth_of_the_originals_time() -> None:
    """The ratio that stands for a minute more must follow from the original's seconds."""
    seconds = ORIGINAL.trial("second_conv_32").seconds
    assert seconds is not None
    claim = next(claim for claim in CLAIMS if claim.id == "C06b")
    assert claim.value == round((seconds + 60) / seconds, 2)


def test_mechanisms_are_named_as_proxies() -> None:
    """Where the wording is only approached by the quantity, the text must say so."""
    proxies = {claim.code for claim in CLAIMS if claim.proxy is not None}
    assert {"C02b", "C06b", "C07b", "C15"} <= proxies
    assert all(math.isfinite(claim.margin or 0.0) for claim in CLAIMS)
