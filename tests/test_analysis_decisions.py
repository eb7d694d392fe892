"""The method's table, without a bundle: samples in, outcomes with their reasons out."""

from dataclasses import replace

import pytest
from analysis_cases import claim, differing, sample

from cifar_report.analysis.decisions import Families, PValues, decide_exact, decide_onset
from cifar_report.analysis.hypothesis_tests import McNemar
from cifar_report.analysis.samples import Sample
from cifar_report.analysis.verdicts import judged
from cifar_report.spec import Claim

UP, DOWN = differing([0.019, 0.02, 0.021]), differing([-0.019, -0.02, -0.021])
SMALL, SMALL_DOWN = differing([0.0049, 0.005, 0.0051]), differing([-0.0049, -0.005, -0.0051])
WIDE, NEAR_ZERO, TIES = differing([0.03, -0.03, 0.01]), differing([-0.001, 0, 0.001]), differing([0.0, 0.0, 0.0])
BETTER_LOSS = claim("not_better", quantity="loss", margin=0.1)
LOSS_DOWN, LOSS_UP = (sample(side, [1.0] * 3, scale="relative") for side in ([0.70, 0.71, 0.69], [1.30, 1.31, 1.29]))
TWICE = claim("ratio", quantity="seconds", margin=None, value=2.0)
NINTH = claim("ratio", quantity="seconds", margin=None, value=1.11)
LONGER = claim("greater", quantity="seconds", margin=0.1)
LATER = claim("greater", quantity="epochs_to_accuracy", margin=1.0)
NEVER, REACHED = [None] * 5, [4, 5, 4, 4, 6]


def outcome(one: Claim, values: Sample) -> tuple[str, str, bool]:
    """Return outcome, reason and the tag for one claim that stands alone."""
    return tuple(judged({one.id: values}, (one,))[one.id])[:3]


def value_near(value: float) -> Claim:
    return claim("value", comparator=None, value=value, comparison="absolute")


def ratios(*values: float) -> Sample:
    return sample(values, [1.0] * len(values), scale="log_ratio", n_of="blocks")


@pytest.mark.parametrize(
    ("one", "values", "expected"),
    [
        (claim(), UP, "reproduced: beyond_margin"),
        (claim("less"), DOWN, "reproduced: beyond_margin"),
        (claim(), DOWN, "not_reproduced: opposite"),
        (claim("less"), UP, "not_reproduced: opposite"),
        # A sure half point is below the margin of one; to the other side only the margin's being ruled out is said.
        (claim(), SMALL, "not_reproduced: margin_ruled_out, direction only"),
        (claim(), SMALL_DOWN, "not_reproduced: margin_ruled_out"),
        (claim(margin=0.004), SMALL_DOWN, "not_reproduced: opposite"),
        (claim(), differing([0.006, 0.009, 0.012]), "inconclusive: undecided, direction only"),
        (claim(), WIDE, "inconclusive: undecided"),
        (claim(), TIES, "not_reproduced: margin_ruled_out"),
        (claim(), differing([0.02, 0.0201]), "reproduced: beyond_margin"),  # two seeds are enough to compute
        (claim(), differing([0.02, 0.03]), "inconclusive: undecided"),
        (claim("not_better"), NEAR_ZERO, "reproduced: improvement_ruled_out"),
        (claim("not_better"), TIES, "reproduced: improvement_ruled_out"),
        (claim("not_better"), UP, "not_reproduced: improvement_found"),
        (claim("not_better"), WIDE, "inconclusive: undecided"),
        (BETTER_LOSS, LOSS_DOWN, "not_reproduced: improvement_found"),  # of a loss the better side is below
        (BETTER_LOSS, LOSS_UP, "reproduced: improvement_ruled_out"),
        (claim("equal"), NEAR_ZERO, "reproduced: equivalent"),
        (claim("equal"), TIES, "reproduced: equivalent"),
        (claim("equal"), UP, "not_reproduced: outside_margin"),
        (claim("equal"), differing([0.02, -0.02, 0.005]), "inconclusive: undecided"),
        (TWICE, ratios(1.98, 2.0, 2.02, 2.01), "reproduced: equivalent"),  # near r: between r / 1.25 and 1.25 r
        (TWICE, ratios(2.98, 3.0, 3.02, 3.01), "not_reproduced: outside_margin"),
        (LONGER, ratios(1.049, 1.05, 1.051, 1.05), "not_reproduced: margin_ruled_out, direction only"),
        (value_near(0.70), sample([0.699, 0.700, 0.701]), "reproduced: equivalent"),
        (value_near(0.75), sample([0.699, 0.700, 0.701]), "not_reproduced: outside_margin"),
        # Runs that never got there count as later than all others, also where the median is no number.
        (LATER, sample([9, None, 8, None, 9, 10], [4, 5, 4, 4, 6, 4]), "reproduced: beyond_margin"),
        (LATER, sample(NEVER, REACHED), "reproduced: beyond_margin"),
        (LATER, sample(REACHED, NEVER), "not_reproduced: margin_ruled_out"),
        (LATER, sample(NEVER, NEVER), "not_reproduced: margin_ruled_out"),
        (LATER, sample(NEVER[:4], REACHED[:4]), "inconclusive: not_decidable"),  # 1/16 is the least p of four pairs
        # An increase of a ninth must be one, so that the band of 1.25 around it ends at 1.
        (NINTH, ratios(1.02, 0.99, 1.01, 1.0), "inconclusive: undecided"),
        (NINTH, ratios(1.02, 1.03, 1.04, 1.03), "reproduced: equivalent"),
    ],
)
def test_outcome_of_a_claim_that_stands_alone(one, values, expected):
    """Each relation is decided by its row of the method's table."""
    found, reason, direction_only = outcome(one, values)
    assert f"{found}: {reason}{', direction only' if direction_only else ''}" == expected


@pytest.mark.parametrize(
    ("relation", "counts", "expected"),
    [
        ("greater", (1500, 500), "beyond_margin"),
        ("less", (1500, 500), "opposite"),
        ("greater", (505, 500), "margin_ruled_out"),
        ("equal", (505, 500), "equivalent"),
    ],
)
def test_images_decide_classifiers_without_seeds(relation, counts, expected):
    """Without seeds McNemar and the bootstrap over images decide; a few images' lead does not."""
    values = replace(sample([0.5], [0.4]), images=McNemar(*counts, 10_000), n_of="images")
    assert outcome(claim(relation), values)[1] == expected


def test_onset_needs_five_seeds():
    """Unanimous seeds show an onset from five on (1/32 < .05), and four never do."""
    assert decide_onset(5, 5)[:2] == ("reproduced", "onset_shown")
    assert decide_onset(0, 5)[:2] == ("not_reproduced", "onset_ruled_out")
    assert decide_onset(4, 5)[0] == "inconclusive"
    assert decide_onset(4, 4)[:2] == ("inconclusive", "too_few_seeds")


@pytest.mark.parametrize(
    ("relation", "subject", "reference", "holds"),
    [
        ("equal", 611_626, 611_626, True),
        ("equal", 611_625, 611_626, False),
        ("less", 47_370, 116_010, True),
        ("less", 116_010, 116_010, False),
        ("greater", 2, 1, True),
        ("quarter", 25_898, 116_010, True),
        ("quarter", 58_005, 116_010, False),
    ],
)
def test_exact_relations(relation, subject, reference, holds):
    """Counts are compared as counts; a quarter is a ratio within 1.25 of 1/4."""
    assert decide_exact(relation, subject, reference).outcome == ("reproduced" if holds else "not_reproduced")


def test_what_an_open_claim_lacks():
    """Margin, correction or power keeps a claim open; a family of twenty takes a verdict away."""
    crowd = tuple(claim(id=f"C{place}", family="convergence") for place in range(20))
    found = {
        "margin": judged({"C": differing([0.006, 0.009, 0.012])}, (claim(),))["C"],
        "correction": judged({"C0": differing([0.012, 0.02, 0.031])}, crowd)["C0"],
        "power": judged({"C": WIDE}, (claim(),))["C"],
    }
    assert {name: decision.lacking for name, decision in found.items()} == {name: name for name in found}
    values = differing([0.012, 0.02, 0.031])
    assert outcome(claim(), values)[0] == "reproduced"
    assert judged({"C0": values}, crowd)["C0"].outcome == "inconclusive"


@pytest.mark.parametrize("seeds", [2, 3])
def test_equal_epoch_differences_of_few_seeds_give_no_direction(seeds):
    """Two or three seeds whose epochs all differ by the same state no direction, in pairs or not."""
    for paired in (True, False):
        values = sample([8.0] * seeds, [3.0] * seeds, whole=True, paired=paired)
        assert outcome(LATER, values) == ("inconclusive", "not_decidable", False)


def test_own_claims_are_corrected_among_themselves():
    """Claims of other codes than the write-up's move none of its corrected p-values."""
    theirs = [claim(id=f"C01a.{place}", code="C01a", family="convergence") for place in range(3)]
    own = [claim(id=f"mine.{place}", code="mine", family="convergence") for place in range(50)]
    values = {each.id: differing([0.012, 0.02, 0.031]) for each in (*theirs, *own)}
    found = [PValues(0.001 * place, 1.0) for place in range(1, 4)]
    alone = Families(theirs, {each.id: p for each, p in zip(theirs, found, strict=True)})
    beside = Families([*theirs, *own], {**alone.found, **{each.id: found[0] for each in own}})
    for each, p in zip(theirs, found, strict=True):
        assert alone.corrected(each, p) == beside.corrected(each, p)
        assert (alone.size(each), beside.size(each), beside.size(own[0])) == (3, 3, 50)
    assert judged(values, (*theirs, *own))["C01a.0"] == judged(values, tuple(theirs))["C01a.0"]
