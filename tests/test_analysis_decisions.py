import math
from dataclasses import replace

import pytest
from analysis_cases import claim, differing, sample

from cifar_report.analysis.decisions import decide_exact, decide_onset
from cifar_report.analysis.evidence import Images
from cifar_report.analysis.samples import Sample
from cifar_report.analysis.verdicts import judged
from cifar_report.spec import Claim


def outcome(one: Claim, values: Sample) -> tuple[str, str, bool]:
    """Return outcome, reason and the tag for one claim that stands alone."""
    return tuple(judged({one.id: values}, (one,))[one.id])


def test_greater_beyond_the_margin_is_reproduced() -> None:
    """Differences of 2 points with little spread are significant and reach the margin of one point."""
    assert outcome(claim(), differing([0.019, 0.02, 0.021])) == ("reproduced", "beyond_margin", False)


def test_less_is_the_mirror_of_greater() -> None:
    """The same differences with the other sign reproduce "less" and contradict "greater"."""
    down = differing([-0.019, -0.02, -0.021])
    assert outcome(claim("less"), down) == ("reproduced", "beyond_margin", False)
    assert outcome(claim(), down) == ("not_reproduced", "opposite", False)


def test_small_but_sure_difference_is_direction_only() -> None:
    """Half a point, surely above nought and surely below one: not reproduced, with the direction named."""
    assert outcome(claim(), differing([0.0049, 0.005, 0.0051])) == ("not_reproduced", "margin_ruled_out", True)


def test_the_other_side_counts_from_the_margin_on() -> None:
    """Half a point to the other side is surely there, but only the margin's being ruled out is said; two are said."""
    half = differing([-0.0049, -0.005, -0.0051])
    assert outcome(claim(), half) == ("not_reproduced", "margin_ruled_out", False)
    assert outcome(claim("less"), differing([0.0049, 0.005, 0.0051]))[:2] == ("not_reproduced", "margin_ruled_out")
    assert outcome(claim(margin=0.004), half) == ("not_reproduced", "opposite", False)


def test_sure_direction_with_unsure_margin_is_inconclusive() -> None:
    """Significant, but the mean is below the margin and the bound above it: direction only."""
    assert outcome(claim(), differing([0.006, 0.009, 0.012])) == ("inconclusive", "undecided", True)


def test_wide_spread_is_inconclusive() -> None:
    """Differences that go both ways by three points decide nothing."""
    assert outcome(claim(), differing([0.03, -0.03, 0.01])) == ("inconclusive", "undecided", False)


def test_not_better_is_reproduced_by_ruling_the_improvement_out() -> None:
    """No difference within a tenth of a point rules an improvement of one point out; two points are one."""
    assert outcome(claim("not_better"), differing([-0.001, 0, 0.001]))[:2] == ("reproduced", "improvement_ruled_out")
    assert outcome(claim("not_better"), differing([0.019, 0.02, 0.021]))[:2] == ("not_reproduced", "improvement_found")
    assert outcome(claim("not_better"), differing([0.03, -0.03, 0.01]))[0] == "inconclusive"


def test_not_better_looks_at_the_better_side() -> None:
    """For a loss the better side is below: a clear fall contradicts "fails to improve", a rise does not."""
    one = claim("not_better", quantity="loss", margin=0.1)
    down = sample([0.70, 0.71, 0.69], [1.0, 1.0, 1.0], scale="relative")
    up = sample([1.30, 1.31, 1.29], [1.0, 1.0, 1.0], scale="relative")
    assert outcome(one, down)[:2] == ("not_reproduced", "improvement_found")
    assert outcome(one, up)[:2] == ("reproduced", "improvement_ruled_out")


def test_equal_needs_the_whole_interval() -> None:
    """Within a tenth of a point is equal, two points apart is not, and a wide spread is neither."""
    assert outcome(claim("equal"), differing([-0.001, 0, 0.001]))[:2] == ("reproduced", "equivalent")
    assert outcome(claim("equal"), differing([0.019, 0.02, 0.021]))[:2] == ("not_reproduced", "outside_margin")
    assert outcome(claim("equal"), differing([0.02, -0.02, 0.005]))[:2] == ("inconclusive", "undecided")


def test_ratio_is_near_within_a_quarter() -> None:
    """Twice the time is reproduced by ratios around 2, contradicted by ratios around 3."""
    one = claim("ratio", quantity="seconds", margin=None, value=2.0)
    near = sample([1.98, 2.0, 2.02, 2.01], [1.0] * 4, scale="log_ratio", n_of="blocks")
    far = sample([2.98, 3.0, 3.02, 3.01], [1.0] * 4, scale="log_ratio", n_of="blocks")
    assert outcome(one, near)[:2] == ("reproduced", "equivalent")
    assert outcome(one, far)[:2] == ("not_reproduced", "outside_margin")


def test_time_margin_is_on_the_log_scale() -> None:
    """A time 5 % longer is surely longer, but an increase of 10 % is ruled out."""
    one = claim("greater", quantity="seconds", margin=0.1)
    values = sample([1.049, 1.05, 1.051, 1.05], [1.0] * 4, scale="log_ratio", n_of="blocks")
    assert outcome(one, values) == ("not_reproduced", "margin_ruled_out", True)
    assert values.differences()[0] == pytest.approx(math.log(1.049))


def test_value_is_a_one_sample_equivalence() -> None:
    """Accuracies around .70 are near .70 and far from .75."""
    values = sample([0.699, 0.700, 0.701])
    near = claim("value", comparator=None, value=0.70, comparison="absolute")
    far = claim("value", comparator=None, value=0.75, comparison="absolute")
    assert outcome(near, values)[:2] == ("reproduced", "equivalent")
    assert outcome(far, values)[:2] == ("not_reproduced", "outside_margin")


def test_onset_needs_five_seeds() -> None:
    """Unanimous seeds show an onset from five on (1/32 < .05), and four never do."""
    assert decide_onset(5, 5)[:2] == ("reproduced", "onset_shown")
    assert decide_onset(0, 5)[:2] == ("not_reproduced", "onset_ruled_out")
    assert decide_onset(4, 5)[0] == "inconclusive"
    assert decide_onset(4, 4)[:2] == ("inconclusive", "too_few_seeds")


@pytest.mark.parametrize(
    ("relation", "subject", "reference", "expected"),
    [
        ("equal", 611_626, 611_626, "reproduced"),
        ("equal", 611_625, 611_626, "not_reproduced"),
        ("less", 47_370, 116_010, "reproduced"),
        ("less", 116_010, 116_010, "not_reproduced"),
        ("greater", 2, 1, "reproduced"),
        ("quarter", 25_898, 116_010, "reproduced"),
        ("quarter", 58_005, 116_010, "not_reproduced"),
    ],
)
def test_exact_relations(relation: str, subject: int, reference: int, expected: str) -> None:
    """Counts are compared as counts; a quarter is a ratio within 1.25 of 1/4."""
    assert decide_exact(relation, subject, reference).outcome == expected


def test_censored_epochs_use_signs() -> None:
    """Runs that never got there count as later than all others, and no t test sees an infinite number."""
    one = claim("greater", quantity="epochs_to_accuracy", margin=1.0)
    values = sample([9, None, 8, None, 9, 10], [4, 5, 4, 4, 6, 4])
    assert values.evidence().procedure == "sign_test"
    assert outcome(one, values)[:2] == ("reproduced", "beyond_margin")


def test_never_reached_by_half_is_still_decided() -> None:
    """When most runs never got there the median is no number, and the claim is decided by the signs all the same."""
    one = claim("greater", quantity="epochs_to_accuracy", margin=1.0)
    assert outcome(one, sample([None] * 5, [4, 5, 4, 4, 6]))[:2] == ("reproduced", "beyond_margin")
    assert outcome(one, sample([4, 5, 4, 4, 6], [None] * 5))[:2] == ("not_reproduced", "margin_ruled_out")
    assert outcome(one, sample([None] * 5, [None] * 5))[0] == "inconclusive"


def test_two_seeds_are_enough_to_compute() -> None:
    """With two seeds everything is defined, and a sure difference needs little spread."""
    assert outcome(claim(), differing([0.02, 0.0201]))[0] == "reproduced"
    assert outcome(claim(), differing([0.02, 0.03]))[0] == "inconclusive"


def test_all_ties_are_decided_without_a_t_test() -> None:
    """Equal values rule out a difference and are equivalent; nothing crashes and nothing is divided by nought."""
    ties = differing([0.0, 0.0, 0.0])
    assert outcome(claim(), ties) == ("not_reproduced", "margin_ruled_out", False)
    assert outcome(claim("equal"), ties)[0] == "reproduced"
    assert outcome(claim("not_better"), ties)[0] == "reproduced"


def test_correction_can_take_a_verdict_away() -> None:
    """A difference that is significant alone is not in a family of twenty claims."""
    values = differing([0.012, 0.02, 0.031])
    alone = claim()
    crowd = tuple(claim(id=f"C{place}", family="convergence") for place in range(20))
    assert outcome(alone, values)[0] == "reproduced"
    assert judged({"C0": values}, crowd)["C0"].outcome == "inconclusive"


def test_images_decide_classifiers_without_seeds() -> None:
    """Without seeds McNemar and the bootstrap over images decide; a few images' lead does not."""
    clear = replace(sample([0.5], [0.4]), images=Images(1500, 500, 10_000), n_of="images")
    slight = replace(sample([0.5], [0.5]), images=Images(505, 500, 10_000), n_of="images")
    assert outcome(claim(), clear)[:2] == ("reproduced", "beyond_margin")
    assert outcome(claim("less"), clear)[:2] == ("not_reproduced", "opposite")
    assert outcome(claim(), slight)[:2] == ("not_reproduced", "margin_ruled_out")
    assert outcome(claim("equal"), slight)[:2] == ("reproduced", "equivalent")
