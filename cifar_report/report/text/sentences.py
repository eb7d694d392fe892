"""The sentences about claims: what was measured, and one whole sentence for each kind of claim and each reason.

The sentences never say more than the verdict: that something was not seen is never said to be absent, and nothing
is said to be shown once and for all.
"""

from __future__ import annotations

from typing import TypeAlias

from cifar_report.analysis.results import Outcome, Reason
from cifar_report.report.i18n import mark, mark_plural
from cifar_report.spec import Relation

Forms: TypeAlias = tuple[str, str]
"""A sentence in the singular and in the plural; %(count)s is the number of seeds, blocks, images or claims."""

EXCEEDED: dict[str, Forms] = {
    "seeds": mark_plural(
        "%(quantity)s, %(count)s seed on this split: %(subject)s exceeded %(comparator)s by %(size)s.",
        "%(quantity)s, mean of %(count)s seeds on this split: %(subject)s exceeded %(comparator)s by %(size)s.",
    ),
    "medians": mark_plural(
        "%(quantity)s, median of %(count)s seed on this split: %(subject)s exceeded %(comparator)s by %(size)s.",
        "%(quantity)s, median of %(count)s seeds on this split, not all of which reached it: %(subject)s exceeded "
        "%(comparator)s by %(size)s.",
    ),
    "blocks": mark_plural(
        "%(quantity)s, %(count)s block of the timing pass: %(subject)s exceeded %(comparator)s by %(size)s.",
        "%(quantity)s, %(count)s blocks of the timing pass: %(subject)s exceeded %(comparator)s by %(size)s.",
    ),
    "images": mark_plural(
        "%(quantity)s, %(count)s test image: %(subject)s exceeded %(comparator)s by %(size)s.",
        "%(quantity)s, the same %(count)s test images: %(subject)s exceeded %(comparator)s by %(size)s.",
    ),
}
FELL_SHORT: dict[str, Forms] = {
    "seeds": mark_plural(
        "%(quantity)s, %(count)s seed on this split: %(subject)s stayed below %(comparator)s by %(size)s.",
        "%(quantity)s, mean of %(count)s seeds on this split: %(subject)s stayed below %(comparator)s by %(size)s.",
    ),
    "medians": mark_plural(
        "%(quantity)s, median of %(count)s seed on this split: %(subject)s stayed below %(comparator)s by %(size)s.",
        "%(quantity)s, median of %(count)s seeds on this split, not all of which reached it: %(subject)s stayed below "
        "%(comparator)s by %(size)s.",
    ),
    "blocks": mark_plural(
        "%(quantity)s, %(count)s block of the timing pass: %(subject)s stayed below %(comparator)s by %(size)s.",
        "%(quantity)s, %(count)s blocks of the timing pass: %(subject)s stayed below %(comparator)s by %(size)s.",
    ),
    "images": mark_plural(
        "%(quantity)s, %(count)s test image: %(subject)s stayed below %(comparator)s by %(size)s.",
        "%(quantity)s, the same %(count)s test images: %(subject)s stayed below %(comparator)s by %(size)s.",
    ),
}
LEVEL = mark_plural(
    "%(quantity)s: the observed difference of %(subject)s and %(comparator)s is %(estimate)s (n = %(count)s).",
    "%(quantity)s: the observed mean difference of %(subject)s and %(comparator)s is %(estimate)s (n = %(count)s).",
)
LEVEL_OF_MEDIANS = mark_plural(
    "%(quantity)s: the observed median difference of %(subject)s and %(comparator)s is %(estimate)s (n = %(count)s).",
    "%(quantity)s: the observed median difference of %(subject)s and %(comparator)s is %(estimate)s (n = %(count)s; "
    "not all of the seeds reached it).",
)
TIMES = mark_plural(
    "%(quantity)s: that of %(subject)s is %(estimate)s times that of %(comparator)s (n = %(count)s).",
    "%(quantity)s: that of %(subject)s is on average %(estimate)s times that of %(comparator)s (n = %(count)s).",
)
BETWEEN = mark_plural(
    "%(quantity)s / %(other_quantity)s: the former, of %(subject)s, is %(estimate)s times the latter, of "
    "%(comparator)s (n = %(count)s).",
    "%(quantity)s / %(other_quantity)s: the former, of %(subject)s, is on average %(estimate)s times the latter, of "
    "%(comparator)s (n = %(count)s).",
)
VALUE = mark_plural(
    "%(quantity)s: %(subject)s has %(estimate)s (n = %(count)s).",
    "%(quantity)s: %(subject)s has %(estimate)s on average (n = %(count)s).",
)
INTERVAL = mark("The 95%% interval is %(interval)s.")
INTERVAL_OF_DIFFERENCE = mark("The 95%% interval of the difference is %(interval)s.")
ONSET = mark_plural(
    "In %(wins)s of %(count)s seed, overfitting of %(subject)s set in within one epoch of epoch %(stated)s.",
    "In %(wins)s of %(count)s seeds, overfitting of %(subject)s set in within one epoch of epoch %(stated)s.",
)
COUNTS = mark("%(quantity)s: %(subject)s has %(first)s, %(comparator)s has %(second)s.")
STATED_COUNT = mark("%(quantity)s: %(subject)s has %(first)s, and the claim states %(stated)s.")
ONE_COUNT = mark("%(quantity)s: %(subject)s has %(first)s.")
NO_ESTIMATE = mark("%(quantity)s: this comparison has no value (%(reason)s).")
WINS = mark_plural(
    "The difference is on the claimed side in %(wins)s of %(count)s seed.",
    "The difference is on the claimed side in %(wins)s of %(count)s seeds.",
)
WITHIN = mark_plural(
    "The margin is kept in %(wins)s of %(count)s seed.",
    "The margin is kept in %(wins)s of %(count)s seeds.",
)
CORRECTED = mark("%(p)s, corrected")
# "Not better" has no claimed side, and ratios are of blocks; nothing is counted for them.
SEEDS_AS_CLAIMED: dict[Relation, Forms] = {"greater": WINS, "less": WINS, "equal": WITHIN, "value": WITHIN}

DECIDED: dict[tuple[Relation, Reason], str] = {
    ("greater", "beyond_margin"): mark(
        "The data support the claim: the difference is on the claimed side beyond chance (%(p)s), and its mean "
        "reaches the margin of %(margin)s."
    ),
    ("greater", "margin_ruled_out"): mark(
        "The data rule out that the value of %(subject)s is higher than that of %(comparator)s by %(margin)s or more "
        "(one-sided 95%% bound of the difference: %(bound)s)."
    ),
    ("greater", "opposite"): mark(
        "The data point the other way, beyond chance (%(opposite_p)s): the value of %(subject)s is lower, as "
        "estimated by %(margin)s or more, where the claim says higher."
    ),
    ("greater", "undecided"): mark(
        "The data cannot tell whether the value of %(subject)s is higher than that of %(comparator)s by %(margin)s or "
        "more."
    ),
    ("less", "beyond_margin"): mark(
        "The data support the claim: the difference is on the claimed, lower side beyond chance (%(p)s), and its "
        "mean reaches the margin of %(margin)s."
    ),
    ("less", "margin_ruled_out"): mark(
        "The data rule out that the value of %(subject)s is lower than that of %(comparator)s by %(margin)s or more "
        "(one-sided 95%% bound of the difference: %(bound)s)."
    ),
    ("less", "opposite"): mark(
        "The data point the other way, beyond chance (%(opposite_p)s): the value of %(subject)s is higher, as "
        "estimated by %(margin)s or more, where the claim says lower."
    ),
    ("less", "undecided"): mark(
        "The data cannot tell whether the value of %(subject)s is lower than that of %(comparator)s by %(margin)s or "
        "more."
    ),
    ("not_better", "improvement_ruled_out"): mark(
        "The data support the claim: they rule out an improvement of %(margin)s or more (one-sided 95%% bound: "
        "%(bound)s)."
    ),
    ("not_better", "improvement_found"): mark(
        "The data show an improvement beyond chance (%(p)s) whose mean reaches the margin of %(margin)s, where "
        "the claim says that there is none."
    ),
    ("not_better", "undecided"): mark(
        "The data can neither rule out an improvement of %(margin)s or more nor establish one."
    ),
    ("equal", "equivalent"): mark(
        "The data support the claim: both values lie within %(margin)s of each other (%(p)s in the test of "
        "equivalence)."
    ),
    ("equal", "outside_margin"): mark(
        "The data rule out that both values lie within %(margin)s of each other: the whole interval is outside."
    ),
    ("equal", "undecided"): mark("The data cannot tell whether both values lie within %(margin)s of each other."),
    ("ratio", "equivalent"): mark(
        "The data support the claim: the ratio lies near the stated %(stated)s, within a factor of 1.25 to either "
        "side (%(p)s in the test of equivalence)."
    ),
    ("ratio", "outside_margin"): mark(
        "The data rule out a ratio near the stated %(stated)s: the whole interval lies farther away than a factor of "
        "1.25."
    ),
    ("ratio", "undecided"): mark(
        "The data cannot tell whether the ratio lies within a factor of 1.25 of the stated %(stated)s."
    ),
    ("value", "equivalent"): mark(
        "The data support the claim: the value lies within %(margin)s of the stated %(stated)s (%(p)s in the test "
        "of equivalence)."
    ),
    ("value", "outside_margin"): mark(
        "The data rule out a value within %(margin)s of the stated %(stated)s: the whole interval is outside."
    ),
    ("value", "undecided"): mark(
        "The data cannot tell whether the value lies within %(margin)s of the stated %(stated)s."
    ),
    ("onset", "onset_shown"): mark(
        "The data support the claim: overfitting sets in near epoch %(stated)s in more than half of all cases, with "
        "95%% confidence."
    ),
    ("onset", "onset_ruled_out"): mark(
        "The data rule out that overfitting sets in near epoch %(stated)s in more than half of all cases."
    ),
    ("onset", "undecided"): mark(
        "The data cannot tell whether overfitting sets in near epoch %(stated)s in more than half of all cases."
    ),
    ("onset", "too_few_seeds"): mark(
        "The data cannot tell: a statement about the epoch in which overfitting sets in needs at least five seeds."
    ),
    ("exact", "holds"): mark("The stated relation holds; it is counted, and chance plays no part in it."),
    ("exact", "does_not_hold"): mark(
        "The stated relation does not hold; it is counted, and chance plays no part in it."
    ),
}

QUARTER: dict[Reason, str] = {
    "holds": mark(
        "The ratio of the two counts is %(estimate)s, which lies within a factor of 1.25 of a quarter; it is counted, "
        "and chance plays no part in it."
    ),
    "does_not_hold": mark(
        "The ratio of the two counts is %(estimate)s, which does not lie within a factor of 1.25 of a quarter; it is "
        "counted, and chance plays no part in it."
    ),
}

UNDECIDED: dict[Reason, str] = {
    "one_seed": mark(
        "The data cannot tell: with one seed, a difference of recipes cannot be told from the luck of that seed."
    ),
    "one_block": mark(
        "The data cannot tell: the timing pass holds a single undisturbed block, and seconds vary between blocks."
    ),
    "too_few_seeds": mark("The data cannot tell: there are too few seeds for this statement."),
    "undecided": mark("The data cannot tell."),
    "not_a_number": mark("The data cannot tell: a value of the comparison is not a number."),
    "missing": mark("The claim was not tested: the runs that it needs are missing from this bundle."),
    "failed": mark("The claim was not tested: the runs that it needs failed, which says nothing against it."),
    "no_common_seeds": mark("The claim was not tested: its two sides have no finished seed in common."),
    "no_timing_pass": mark("The claim was not tested: the timing pass, alone on the machine, was not run."),
    "not_timed": mark("The claim was not tested: the timing pass does not hold these trials."),
    "disturbed": mark("The claim was not tested: other work on the machine disturbed the timing pass in every block."),
    "no_predictions": mark("The claim was not tested: the bundle holds no predictions for it."),
    "reduced_profile": mark(
        "The claim cannot be tested in this reduced profile, which trains on less data and for fewer epochs than the "
        "write-up."
    ),
    "stand_in": mark("The claim cannot be tested on the synthetic stand-in data."),
    "other_labels": mark("The claim cannot be tested on data whose labels are not those of CIFAR-10."),
    "other_pixels": mark(
        "The claim cannot be tested: it is about an absolute value, and these pixels are not verified to be the "
        "canonical ones."
    ),
    "no_hardware": mark("The claim cannot be tested: this machine lacks the hardware that it needs."),
}

DIRECTION_ONLY = mark(
    "The difference is on the claimed side beyond chance, but its mean stays below the margin of %(margin)s "
    "(direction only)."
)
DETECTABLE = mark_plural(
    "With %(count)s seed and the spread seen here, a true difference of %(detectable)s would be told from nought in "
    "four of five repetitions, uncorrected for other claims.",
    "With %(count)s seeds and the spread seen here, a true difference of %(detectable)s would be told from nought in "
    "four of five repetitions, uncorrected for other claims.",
)
DETECTABLE_FACTOR = mark_plural(
    "With %(count)s block and the spread seen here, a true factor of %(detectable)s would be told from one in four of "
    "five repetitions, uncorrected for other claims.",
    "With %(count)s blocks and the spread seen here, a true factor of %(detectable)s would be told from one in four of "
    "five repetitions, uncorrected for other claims.",
)
NEEDED = mark(
    "About %(needed)s seeds would tell a difference as large as the observed one from nought, without the correction "
    "for other claims; deciding about the margin may take more."
)
ORIGINAL_INSIDE = mark("The original's %(original)s lies inside our 95%% prediction interval %(prediction)s.")
ORIGINAL_OUTSIDE = mark("The original's %(original)s lies outside our 95%% prediction interval %(prediction)s.")
ORIGINAL_ONLY = mark("The original's own numbers give %(original)s.")
ORIGINAL_RATIO = mark("By the original's own numbers the ratio is %(original)s.")
OTHER_PIXELS = mark(
    "The pixels are not verified to be the canonical ones; both sides of the comparison are tested on the same pixels."
)
IMAGES_ALONE = mark(
    "This verdict is McNemar's, from the answers to the same test images, and speaks of these two classifiers on these "
    "images: neither has a random start, so there is no recipe to train anew."
)
ALL_EQUAL = mark_plural(
    "There is no spread to test against, because there is only %(count)s difference; the margin alone decides.",
    "All %(count)s differences are equal, so that there is no spread to test against and the margin alone decides; "
    "further ones might show a spread.",
)
SIGNS = mark(
    "As some runs never reached the level, the sign test over the seeds takes the place of the t test; it counts how "
    "often a side is ahead and not by how much."
)
NETWORKS = mark_plural(
    "Of these networks, each pair of one seed by itself on the same test images, McNemar's exact test tells %(apart)s "
    "of %(count)s pair apart, uncorrected; that says nothing of networks trained anew, of which the verdict speaks.",
    "Of these networks, each pair of one seed by itself on the same test images, McNemar's exact test tells %(apart)s "
    "of %(count)s pairs apart, uncorrected; that says nothing of networks trained anew, of which the verdict speaks.",
)
DESCRIBED = mark(
    "%(quantity)s: by its description in this bundle %(subject)s has %(first)s, and the claim states %(stated)s; the "
    "verdict waits for a network that was built and counted."
)
BOTH_DESCRIBED = mark(
    "%(quantity)s: by their descriptions in this bundle %(subject)s has %(first)s and %(comparator)s has %(second)s; "
    "the verdict waits for networks that were built and counted."
)
PROXY = mark("What is measured only approaches the wording: %(proxy)s")
UNSTABLE = mark("The verdict depends on a choice: it would change %(choices)s.")
CHOICES: dict[str, str] = {
    "margin_halved": mark("with half the margin"),
    "margin_doubled": mark("with twice the margin"),
    "without_seed": mark("without seed %(seed)s"),
}
BY_OUTCOME: dict[Outcome, Forms] = {
    "reproduced": mark_plural(
        "The data reproduce %(count)s claim: %(claims)s.",
        "The data reproduce %(count)s claims: %(claims)s.",
    ),
    "not_reproduced": mark_plural(
        "The data do not reproduce %(count)s claim: %(claims)s.",
        "The data do not reproduce %(count)s claims: %(claims)s.",
    ),
    "inconclusive": mark_plural(
        "The data cannot decide %(count)s claim: %(claims)s.",
        "The data cannot decide %(count)s claims: %(claims)s.",
    ),
    "not_run": mark_plural(
        "%(count)s claim was not tested, because runs or timings are missing: %(claims)s.",
        "%(count)s claims were not tested, because runs or timings are missing: %(claims)s.",
    ),
    "not_testable": mark_plural(
        "%(count)s claim cannot be tested with these data and this profile: %(claims)s.",
        "%(count)s claims cannot be tested with these data and this profile: %(claims)s.",
    ),
}
