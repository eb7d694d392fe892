"""Conclusions over all trials: order, costs, confounding, spread, weights, and what could change them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from markupsafe import Markup

from cifar_report.analysis.results import ParetoFront, RankingTest, RankRow
from cifar_report.report.i18n import mark, mark_plural
from cifar_report.report.text.verdicts import enumerate_markup
from cifar_report.report.writer import Writer

FIRST = mark("The highest mean accuracy is that of %(trial)s, %(accuracy)s.")
TIED = mark_plural(
    "From %(count)s other trial, %(trials)s, it cannot be told apart with these seeds.",
    "From %(count)s other trials, %(trials)s, it cannot be told apart with these seeds.",
)
ALONE = mark("With these seeds it can be told apart from every other trial.")
CORRECTED = mark_plural(
    "Every trial is held against every other one, which makes %(pairs)s pair.",
    "Every trial is held against every other one, which makes %(pairs)s pairs; Holm's method corrects the tests (two-"
    "sided paired t tests over the seeds; Fisher's exact test for two classifiers without seeds) for that many. "
    "Corrected, they tell %(apart)s of the pairs apart; each by itself, %(singly)s.",
)
FAR_APART = mark_plural(
    "With %(count)s seed a mean difference must reach %(needed)s times the standard deviation of the differences by "
    "seed before the correction lets it count at its strictest step. Trials whose means lie far apart may therefore "
    "share a letter: that says how little so few seeds can tell, and not that the trials are alike.",
    "With %(count)s seeds a mean difference must reach %(needed)s times the standard deviation of the differences by "
    "seed before the correction lets it count at its strictest step. Trials whose means lie far apart may therefore "
    "share a letter: that says how little so few seeds can tell, and not that the trials are alike.",
)
NO_RANKING = mark("No trial has finished, so there is no order among them.")

FRONT = {
    "parameters": mark_plural(
        "By parameters, %(count)s trial has a higher mean accuracy than every other one that costs no more: "
        "%(trials)s.",
        "By parameters, %(count)s trials have a higher mean accuracy than every other one that costs no more: "
        "%(trials)s.",
    ),
    "macs": mark_plural(
        "By multiply-accumulates per image, %(count)s trial has a higher mean accuracy than every other one that costs "
        "no more: %(trials)s.",
        "By multiply-accumulates per image, %(count)s trials have a higher mean accuracy than every other one that "
        "costs no more: %(trials)s.",
    ),
    "seconds": mark_plural(
        "By training time, %(count)s trial has a higher mean accuracy than every other one that costs no more: "
        "%(trials)s.",
        "By training time, %(count)s trials have a higher mean accuracy than every other one that costs no more: "
        "%(trials)s.",
    ),
}
ONLY_MEANS = mark(
    "Only means are compared here, without a test: of two trials that the data cannot tell apart, one may be among "
    "these and the other not. Trials that repeat a recipe on another split or on several devices are left out."
)
NO_FRONT = {
    "parameters": mark("Accuracy against parameters cannot be shown, because no network has finished."),
    "macs": mark("Accuracy against multiply-accumulates cannot be shown, because no network has finished."),
    "seconds": mark("Accuracy against training time cannot be shown, because the timing pass was not run."),
}

CONFOUNDED = mark_plural(
    "In %(count)s trial the write-up's own comparison changed more than one thing, so that its difference cannot be "
    "put down to one of them: %(trials)s.",
    "In %(count)s trials the write-up's own comparison changed more than one thing, so that its difference cannot be "
    "put down to one of them: %(trials)s.",
)
REVERSED = mark_plural(
    "For %(count)s trial the mean difference has another sign by one change than as written, which chance may do, "
    "too: %(trials)s.",
    "For %(count)s trials the mean difference has another sign by one change than as written, which chance may do, "
    "too: %(trials)s.",
)

SPREAD = mark_plural(
    "The spread between seeds is largest for %(trial)s, with a standard deviation of %(spread)s over %(count)s seed.",
    "The spread between seeds is largest for %(trial)s, with a standard deviation of %(spread)s over %(count)s seeds: "
    "two single runs of one and the same recipe easily differ by as much, which is what a conclusion from one run has "
    "to reckon with.",
)
SELECTED = mark_plural(
    "Going back to the weights of the best validation epoch would change the test accuracy most for %(trial)s, by "
    "%(difference)s (%(count)s seed).",
    "Going back to the weights of the best validation epoch would change the mean test accuracy most for %(trial)s, by "
    "%(difference)s (%(count)s seeds).",
)


def ranking(writer: Writer) -> tuple[Markup, ...]:
    """Return which trial comes first and from which ones it cannot be told apart."""
    rows = writer.results.ranking
    if not rows:
        return (writer.say(NO_RANKING),)
    first = rows[0]
    said = [writer.say(FIRST, trial=writer.trial_name(first.trial), accuracy=writer.quantity(first.accuracy))]
    if first.groups:
        tied = [row for row in rows[1:] if _shares(first, row)]
        names = enumerate_markup(writer, [writer.trial_name(row.trial) for row in tied])
        said.append(writer.count(TIED, len(tied), trials=names) if tied else writer.say(ALONE))
    if writer.results.ranking_test is not None and first.groups:
        said += _corrected(writer, writer.results.ranking_test)
    return tuple(said)


def _corrected(writer: Writer, test: RankingTest) -> Iterator[Markup]:
    """Yield how many pairs the letters rest on, and what the correction asks of so few seeds."""
    counts = {"pairs": test.pairs, "apart": test.apart, "singly": test.singly}
    values = {name: partial(writer.quantity, datum) for name, datum in counts.items()}
    yield writer.count(CORRECTED, test.pairs.n or 0, **values)
    if test.needed.value is not None:
        yield writer.count(FAR_APART, test.needed.n or 0, needed=writer.quantity(test.needed))


def _shares(first: RankRow, other: RankRow) -> bool:
    return bool(set(first.groups) & set(other.groups))


def fronts(writer: Writer) -> tuple[Markup, ...]:
    """Return which trials have a higher mean than all that cost no more, for each cost."""
    said = tuple(_front(writer, front) for front in writer.results.pareto)
    compared = any(front.points for front in writer.results.pareto)
    return (*said, writer.say(ONLY_MEANS)) if compared else said


def _front(writer: Writer, front: ParetoFront) -> Markup:
    best = [point for point in front.points if point.on_front]
    if not best:
        return writer.say(NO_FRONT[front.cost])
    names = enumerate_markup(writer, [writer.trial_name(point.trial) for point in best])
    return writer.count(FRONT[front.cost], len(best), trials=names)


def confounding(writer: Writer) -> tuple[Markup, ...]:
    """Return where the write-up's own comparison changed more than one thing, and where that turned the sign."""
    rows = writer.results.ablation
    confounded = [row.trial for row in rows if row.as_written is not None and row.as_written.confounded]
    turned = []
    for row in rows:
        if row.as_written is not None and row.one_change is not None:
            written, single = row.as_written.difference.value, row.one_change.difference.value
            if written and single and (written > 0) != (single > 0):
                turned.append(row.trial)
    said = []
    for forms, trials in ((CONFOUNDED, confounded), (REVERSED, turned)):
        if trials:
            names = enumerate_markup(writer, [writer.trial_name(trial) for trial in trials])
            said.append(writer.count(forms, len(trials), trials=names))
    return tuple(said)


def spread(writer: Writer) -> Iterator[Markup]:
    """Yield how far single runs of one recipe lie apart, and what choosing weights would change."""
    varied = [(row.observed.value, row) for row in writer.results.variance if row.observed.value is not None]
    if varied:
        row = max(varied, key=lambda pair: pair[0])[1]
        values = {"trial": writer.trial_name(row.trial), "spread": writer.quantity(row.observed)}
        yield writer.count(SPREAD, row.observed.n or 0, **values)
    chosen = [(abs(row.difference.value), row) for row in writer.results.weights if row.difference.value]
    if chosen:
        weights = max(chosen, key=lambda pair: pair[0])[1]
        name = writer.trial_name(weights.trial, weights.stage)
        difference = writer.quantity(weights.difference)
        yield writer.count(SELECTED, weights.difference.n or 0, trial=name, difference=difference)
