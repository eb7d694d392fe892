"""Three seeds make t tests that a pocket calculator can follow.

With two degrees of freedom P(T > t) = 1/2 - t / (2 √(2 + t²)), and the quantile of p is (2p - 1) / √(2p (1 - p)):
2.919986 for .95 and 4.302653 for .975.
"""

from collections.abc import Sequence
from math import exp, log, sqrt
from pathlib import Path

import numpy as np
import pytest
from analysis_cases import bundle, claim, rewrite
from msgspec.structs import replace

from cifar_report.analysis import analyse
from cifar_report.analysis.results import Verdict
from cifar_report.bundle import Bundle, Predictions, Run, StageResult, encode
from cifar_report.spec import Claim, Side


def paired(*arguments: str, **changes: object) -> Claim:
    """Return a claim about the first network on several devices, whose seeds pair with those on one."""
    return claim(*arguments, **{"subject": Side("again"), **changes})


ERROR = 0.01 / sqrt(3)  # the standard error of 1, 2, 3 hundredths
HALF, TENTHS = (0.5, 0.5, 0.5), (0.499, 0.5, 0.501)
NEAR_70 = paired("value", comparator=None, value=0.70, margin=0.05, comparison="absolute")
ONSET = paired("onset", quantity="epoch_of_least_loss", comparator=None, value=4.0, margin=1.0, comparison="absolute")


def p_of(t: float) -> float:
    """Return P(T > t) with two degrees of freedom."""
    return 0.5 - t / (2 * sqrt(2 + t * t))


def with_score(stage: StageResult, part: str, **scores: float) -> StageResult:
    """Return a stage whose last weights have these scores in a part of the data."""
    changed = replace(getattr(stage.last, part), **scores)
    return replace(stage, last=replace(stage.last, **{part: changed}))


def with_level_at(stage: StageResult, epoch: float) -> StageResult:
    """Return a stage that reaches the fixed validation accuracy in an epoch, or never for zero."""
    reached = tuple(0.7 if epoch and place >= epoch else 0.2 for place in range(1, stage.epochs + 1))
    return replace(stage, history=replace(stage.history, val_accuracy=reached))


def with_least_loss_at(stage: StageResult, epoch: float) -> StageResult:
    """Return a stage whose validation loss is least in an epoch and rises behind it while the training loss falls."""
    # Steeper before than behind: of a symmetric valley the median of three epochs has three least values.
    losses = tuple(1 + max(0.3 * (epoch - place), 0.1 * (place - epoch)) for place in range(1, stage.epochs + 1))
    falling = tuple(2 - 0.1 * place for place in range(stage.epochs))
    return replace(stage, history=replace(stage.history, val_loss=losses, loss=falling))


WRITERS = {
    "accuracy": lambda stage, value: with_score(stage, "test", accuracy=value),
    "validation_accuracy": lambda stage, value: with_score(stage, "validation", accuracy=value),
    "loss": lambda stage, value: with_score(stage, "test", loss=value),
    "gap": lambda stage, value: with_score(with_score(stage, "test", accuracy=0.5), "train", accuracy=0.5 + value),
    "epochs_to_accuracy": with_level_at,
    "epoch_of_least_loss": with_least_loss_at,
}


def verdict(folder: Path, one: Claim, subject: Sequence[float], comparator: Sequence[float] = ()) -> Verdict:
    """Return the verdict on a claim when its two sides, the same network and so paired, have these values."""
    loaded = bundle(folder, one, seeds=len(subject), predictions=False, trials=("first", "second", "again"))
    for trial, values in (("again", subject), ("first", comparator)):
        for run, value in zip(loaded.runs_of(trial), values, strict=bool(values)):
            rewrite(folder, replace(run, stages=(WRITERS[one.quantity](run.stages[0], value),)))
    return analyse(Bundle.load(folder)).verdict(one.id)


def test_every_number_of_a_verdict(tmp_path):
    """+1, +2, +3 points: t = 2√3, p = .0371, and the mean of 2 points reaches the margin."""
    found = verdict(tmp_path, paired(original_difference=0.06), (0.51, 0.52, 0.53), HALF)
    assert (found.outcome, found.reason, found.test) == ("reproduced", "beyond_margin", "paired_t")
    assert found.p.value == pytest.approx(p_of(2 * sqrt(3))) == pytest.approx(0.03709, abs=1e-5)
    assert found.opposite_p.value == 1.0  # twice the other tail
    estimate = found.estimate
    assert (estimate.low, estimate.value) == pytest.approx((0.02 - 4.302653 * ERROR, 0.02))
    assert estimate.high == pytest.approx(0.02 + 4.302653 * ERROR)
    assert found.bound.value == pytest.approx(0.02 + 2.919986 * ERROR)
    assert found.prediction.high == pytest.approx(0.02 + 4.302653 * 0.01 * sqrt(4 / 3))
    assert found.wins.value == 3
    assert found.original_inside is True  # .06 < .0697


@pytest.mark.parametrize(
    ("one", "subject", "comparator", "reason", "bound", "p"),
    [
        (paired("less"), (0.49, 0.48, 0.47), HALF, "beyond_margin", -0.02 - 2.919986 * ERROR, p_of(2 * sqrt(3))),
        (paired(), TENTHS, HALF, "margin_ruled_out", 2.919986 * ERROR / 10, 0.5),  # a bound of .17 points
        (
            *(paired("not_better"), (0.47, 0.48, 0.49), HALF, "improvement_ruled_out"),
            *(-0.02 + 2.919986 * ERROR, 1 - p_of(2 * sqrt(3))),
        ),
        (paired("equal"), TENTHS, HALF, "equivalent", None, p_of(10 * sqrt(3))),  # each of the two tests: t = 10√3
        (NEAR_70, (0.69, 0.70, 0.71), (), "equivalent", None, p_of(5 * sqrt(3))),
        (replace(NEAR_70, value=0.8, margin=0.01), (0.69, 0.70, 0.71), (), "outside_margin", None, p_of(-9 * sqrt(3))),
    ],
)
def test_relation(tmp_path, one, subject, comparator, reason, bound, p):
    """Reason, bound and p-value of each relation follow by hand."""
    found = verdict(tmp_path, one, subject, comparator)
    assert (found.reason, found.p.value) == (reason, pytest.approx(p))
    assert found.bound is None if bound is None else found.bound.value == pytest.approx(bound)
    assert found.test == "paired_t"
    assert found.estimate.coverage == (0.95 if reason in ("beyond_margin", "outside_margin") else 0.9)


@pytest.mark.parametrize(
    ("quantity", "margin", "subject", "comparator", "mean"),
    [
        ("validation_accuracy", 0.01, (0.51, 0.52, 0.53), HALF, 0.02),
        ("loss", 0.1, (2.2, 2.4, 2.6), (2.0, 2.0, 2.0), 0.2),  # a share of the comparator
        ("gap", 0.02, (0.11, 0.12, 0.13), (0.1, 0.1, 0.1), 0.02),
    ],
)
def test_every_quantity_on_its_own_scale(tmp_path, quantity, margin, subject, comparator, mean):
    """1, 2, 3 of each quantity's own units give the same t of 2√3."""
    found = verdict(tmp_path, paired(quantity=quantity, margin=margin), subject, comparator)
    assert (found.outcome, found.reason) == ("reproduced", "beyond_margin")
    assert found.estimate.value == pytest.approx(mean)
    assert found.p.value == pytest.approx(p_of(2 * sqrt(3)))


@pytest.mark.parametrize("quantity", ["epochs_to_accuracy", "epoch_of_least_loss"])
def test_whole_epochs_by_hand(tmp_path, quantity):
    """Five pairs that are all later give 1/32 by sign flips, and the mean is that of the differences."""
    found = verdict(tmp_path, paired(quantity=quantity, margin=1.0), (4, 5, 6, 5, 5), (3, 3, 3, 3, 3))
    assert (found.outcome, found.test, found.estimate.value) == ("reproduced", "sign_flips", 2.0)
    assert found.p.value == 1 / 32


def test_epochs_that_were_never_reached(tmp_path):
    """A level that was not reached counts as the epoch after the last of eight: nine minus three."""
    found = verdict(tmp_path, paired(quantity="epochs_to_accuracy", margin=1.0), (0, 0, 0, 0, 0), (3, 3, 3, 3, 3))
    assert (found.outcome, found.test, found.p.value) == ("reproduced", "sign_flips", 1 / 32)
    assert found.estimate.value == 6.0


def test_different_networks_are_not_paired(tmp_path):
    """Of 51, 52, 53 against 50 without spread Welch's t is 2√3 with two degrees of freedom, whatever the pairs."""
    loaded = bundle(tmp_path, claim(), seeds=3, predictions=False)
    for trial, values in (("second", (0.51, 0.52, 0.53)), ("first", HALF)):
        for run, value in zip(loaded.runs_of(trial), values, strict=True):
            rewrite(tmp_path, replace(run, stages=(with_score(run.stages[0], "test", accuracy=value),)))
    found = analyse(Bundle.load(tmp_path)).verdict("C")
    assert (found.test, found.n, found.n_comparator, found.wins.value, found.wins.n) == ("welch", 3, 3, 9, 9)
    assert found.p.value == pytest.approx(p_of(2 * sqrt(3)))


@pytest.mark.parametrize(
    ("epochs", "reason", "hits", "fragile"),
    [
        ((3, 4, 4, 5, 4), "onset_shown", 5, True),  # four seeds could decide nothing, whichever is left out
        ((7, 7, 2, 7, 7), "onset_ruled_out", 0, True),
        ((4, 4, 4, 4, 4, 4), "onset_shown", 6, False),
        ((3, 4, 4, 5, 4, 7), "undecided", 5, True),  # without the one that differs the others would show it
    ],
)
def test_onset(tmp_path, epochs, reason, hits, fragile):
    """Five of five seeds within an epoch of the stated one have p = 1/32; five of six do not."""
    found = verdict(tmp_path, ONSET, epochs)
    assert (found.reason, found.wins.value, found.fragile) == (reason, hits, fragile)
    if hits == len(epochs) == 5:
        assert found.estimate.low == pytest.approx(0.025**0.2)  # of the exact interval


def test_a_diverged_run_tells_no_onset(tmp_path):
    """A run whose loss is no number never shows when it overfits; it is no evidence against the claim."""
    for run in bundle(tmp_path, ONSET, seeds=5, predictions=False, trials=("again",)).runs_of("again"):
        stage = with_least_loss_at(run.stages[0], 4)
        if run.seed == 2:
            losses = (*stage.history.val_loss[:1], *[None] * (stage.epochs - 1))
            stage = replace(stage, history=replace(stage.history, val_loss=losses, loss=losses))
        rewrite(tmp_path, replace(run, stages=(stage,)))
    found = analyse(Bundle.load(tmp_path)).verdict(ONSET.id)
    assert (found.outcome, found.reason) == ("inconclusive", "not_a_number")


@pytest.mark.parametrize(
    ("relation", "value", "outcome"),
    [("equal", None, "reproduced"), ("less", None, "not_reproduced"), ("equal", 1.0, "not_reproduced")],
)
def test_exact(tmp_path, relation, value, outcome):
    """Both trials have the same network: its counts are equal and not less, and they are not one."""
    comparator = Side("first") if value is None else None
    sides = {"value": value, "comparator": comparator, "margin": None}
    loaded = bundle(tmp_path, claim("exact", quantity="parameters", exact_relation=relation, **sides), seeds=2)
    found = analyse(loaded).verdict("C")
    assert (found.outcome, found.test, found.p) == (outcome, "exact", None)
    assert found.estimate.value == (0.0 if value is None else loaded.trials["second"].parameters_total)


def with_evaluation(run: Run, accuracy: float, dead_units: float | None) -> Run:
    """Return a run with another test accuracy and share of dead units in its last stage."""
    stage = run.stages[-1]
    last = replace(stage.last, test=replace(stage.last.test, accuracy=accuracy), dead_units=dead_units)
    return replace(run, stages=(*run.stages[:-1], replace(stage, last=last)))


NONE_UNUSUAL = {"quantity": "unusual_runs", "exact_relation": "equal", "comparator": None, "value": 0, "margin": None}


@pytest.mark.parametrize(
    ("accuracies", "reason", "unusual"),
    [
        ((0.60, 0.61, 0.62, 0.61), "holds", 0),
        ((0.60, 0.61, 0.40, 0.61), "does_not_hold", 1),  # 21 points below, 4 · 1.4826 · 0.5 points being 3
        ((0.60, 0.20), "too_few_runs", None),
    ],
)
def test_unusual_runs_are_counted(tmp_path, accuracies, reason, unusual):
    """A run more than 4 points and 4 robust deviations from the median is unusual; of two runs none is called so."""
    loaded = bundle(tmp_path, claim("exact", **NONE_UNUSUAL), seeds=len(accuracies))
    for run, accuracy in zip(loaded.runs_of("second"), accuracies, strict=True):
        rewrite(tmp_path, with_evaluation(run, accuracy, None))
    found = analyse(Bundle.load(tmp_path)).verdict("C")
    assert (found.reason, found.estimate.value) == (reason, unusual)


@pytest.mark.parametrize("recorded", [True, False], ids=["recorded", "one run did not record them"])
def test_dead_units_are_compared_where_all_runs_recorded_them(tmp_path, recorded):
    """Differences of -10 points beyond a margin of 5 are fewer dead units; one run without a record leaves no test."""
    loaded = bundle(tmp_path, claim("less", quantity="dead_units", margin=0.05), seeds=3)
    for trial, base in (("first", 0.6), ("second", 0.5)):
        for run in loaded.runs_of(trial):
            share = base + 0.01 * run.seed if recorded or run.seed else None
            rewrite(tmp_path, with_evaluation(run, run.stages[-1].last.test.accuracy, share))
    found = analyse(Bundle.load(tmp_path)).verdict("C")
    if not recorded:
        assert (found.outcome, found.reason, found.estimate.reason) == ("not_testable", "not_recorded", "not_recorded")
        return
    assert (found.outcome, found.reason) == ("reproduced", "beyond_margin")
    assert (found.estimate.unit, found.estimate.value) == ("points", pytest.approx(-0.1))


def test_ratio_and_time(tmp_path):
    """Log ratios of ln 2 - .01, ln 2, ln 2 + .01: t = ln 1.25 / (.01/√3) for the ratio, ln 2 / (.01/√3) for longer."""
    twice = claim("ratio", id="ratio", quantity="seconds", margin=None, value=2.0)
    loaded = bundle(tmp_path, twice, claim(id="longer", quantity="seconds", margin=0.1), timing=True)
    factors = {0: 2 * exp(-0.01), 1: 2.0, 2: 2 * exp(0.01)}
    timed = tuple(
        replace(each, seconds=10 * factors[each.block] if each.trial == "second" else 10.0, portions=())
        for each in loaded.timing_pass.measurements
        if each.block in factors and each.trial in ("first", "second")
    )
    (tmp_path / "timing" / "timing.json").write_bytes(encode(replace(loaded.timing_pass, measurements=timed)))
    results = analyse(Bundle.load(tmp_path))
    ratio, longer = results.verdict("ratio"), results.verdict("longer")
    assert (ratio.outcome, ratio.n, ratio.n_of) == ("reproduced", 3, "blocks")
    assert ratio.p.value == pytest.approx(p_of(log(1.25) / ERROR), rel=1e-6)
    assert (ratio.estimate.value, ratio.estimate.high) == pytest.approx((2.0, 2 * exp(2.919986 * ERROR)))
    assert ratio.wide.high == pytest.approx(2 * exp(4.302653 * ERROR))
    assert (longer.outcome, longer.reason) == ("reproduced", "beyond_margin")
    assert longer.p.value == pytest.approx(p_of(log(2) / ERROR), rel=1e-6)


def test_images(tmp_path):
    """Of 200 images 6 are right with one classifier alone and none with the other: one-sided p = 1/64."""
    loaded = bundle(tmp_path, claim(subject=Side("nearest_3"), comparator=Side("nearest_1")), seeds=2)
    for trial, right in (("nearest_1", 100), ("nearest_3", 106)):
        run = loaded.runs_of(trial)[0]
        given = loaded.predictions(run)
        answers = np.where(np.arange(200) < right, given.labels, (given.labels + 1) % 10).astype(np.uint8)
        result = replace(run.classical, test_accuracy=right / 200)
        rewrite(tmp_path, replace(run, classical=result), Predictions(given.indices, given.labels, {}, answers))
    found = analyse(Bundle.load(tmp_path)).verdict("C")
    assert (found.outcome, found.test, found.n, found.n_of) == ("reproduced", "mcnemar", 200, "images")
    assert (found.p.value, found.estimate.value) == pytest.approx((1 / 64, 0.03))
