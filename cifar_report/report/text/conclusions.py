"""Conclusions over all trials: order, studies, costs, confounding and spread."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import combinations

from markupsafe import Markup

from cifar_report.analysis.results import AblationRow, ParetoPoint, RankRow
from cifar_report.report.i18n import mark, mark_plural
from cifar_report.report.writer import Writer
from cifar_report.spec import Experiment, Section

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

FRONT: dict[str, tuple[str, str]] = {
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

STUDIES: tuple[Section, ...] = ("hidden_layer", "training_parameters")
"""The sections of the studies that the assignment asked for."""

STUDY_NOTHING = mark("On “%(study)s” nothing can be said yet, because none of its trials has finished.")
STUDY_SINGLE = mark(
    "On “%(study)s” nothing can be compared yet, because of its trials only %(best)s has finished, with %(high)s."
)
STUDY_TOGETHER = mark_plural(
    "On “%(study)s” the data cannot tell the %(count)s trial apart: the means lie between %(low)s for %(worst)s and "
    "%(high)s for %(best)s.",
    "On “%(study)s” the data cannot tell the %(count)s trials apart: the means lie between %(low)s for %(worst)s and "
    "%(high)s for %(best)s.",
)
STUDY_ALONE = mark(
    "On “%(study)s” %(best)s has the highest mean, %(high)s, and the data tell it apart from every other trial of the "
    "study."
)
STUDY_PARTLY = mark(
    "On “%(study)s” %(best)s has the highest mean, %(high)s; the data tell it apart from %(apart)s, but not from "
    "%(tied)s."
)
STUDY_BEST_TIED = mark_plural(
    "On “%(study)s” %(best)s has the highest mean, %(high)s, but the data cannot tell it apart from %(tied)s.",
    "On “%(study)s” %(best)s has the highest mean, %(high)s, but the data cannot tell it apart from any of %(tied)s.",
)
SPLITS_TOGETHER = mark_plural(
    "On %(count)s division of the training images the mean accuracy lies between %(low)s and %(high)s, and the data "
    "cannot tell the divisions apart.",
    "On %(count)s divisions of the training images the mean accuracy lies between %(low)s and %(high)s, and the data "
    "cannot tell the divisions apart.",
)
SPLITS_APART = mark_plural(
    "On %(count)s division of the training images the mean accuracy lies between %(low)s and %(high)s, and the data "
    "tell some of the divisions apart, so that what is found on one of them need not hold on another.",
    "On %(count)s divisions of the training images the mean accuracy lies between %(low)s and %(high)s, and the data "
    "tell some of the divisions apart, so that what is found on one of them need not hold on another.",
)
STUDY_TESTED = mark(
    "Within each study every trial is held against every other one by two-sided paired t tests over the seeds, which "
    "Holm's method corrects for the pairs of that study alone."
)


def ranking(writer: Writer) -> Iterator[Markup]:
    """Yield which trial comes first, and from which ones it cannot be told apart."""
    rows, test = writer.results.ranking, writer.results.ranking_test
    if not rows:
        yield writer.sentence(NO_RANKING)
        return
    first = rows[0]
    yield writer.sentence(FIRST, trial=writer.trial_name(first.trial), accuracy=writer.quantity(first.accuracy))
    if not first.groups:
        return
    tied = [row for row in rows[1:] if set(first.groups) & set(row.groups)]
    yield writer.plural(*TIED, len(tied), trials=_named(writer, tied)) if tied else writer.sentence(ALONE)
    if test is not None:
        counts = {"pairs": test.pairs, "apart": test.apart, "singly": test.singly}
        values = {name: partial(writer.quantity, datum) for name, datum in counts.items()}
        yield writer.plural(*CORRECTED, test.pairs.n or 0, **values)
        if test.needed.value is not None:
            yield writer.plural(*FAR_APART, test.needed.n or 0, needed=writer.quantity(test.needed))


def fronts(writer: Writer) -> Iterator[Markup]:
    """Yield which trials have a higher mean than all that cost no more, for each cost."""
    for front in writer.results.pareto:
        best = [point for point in front.points if point.on_front]
        if best:
            yield writer.plural(*FRONT[front.cost], len(best), trials=_named(writer, best))
        else:
            yield writer.sentence(NO_FRONT[front.cost])
    if any(front.points for front in writer.results.pareto):
        yield writer.sentence(ONLY_MEANS)


def confounding(writer: Writer) -> Iterator[Markup]:
    """Yield where the write-up's own comparison changed more than one thing, and where that turned the sign."""
    confounded, turned = [], []
    for row in writer.results.ablation:
        if row.as_written is not None and row.as_written.confounded:
            confounded.append(row)
        if row.as_written is not None and row.one_change is not None:
            written, single = row.as_written.difference.value, row.one_change.difference.value
            if written and single and (written > 0) != (single > 0):
                turned.append(row)
    for forms, rows in ((CONFOUNDED, confounded), (REVERSED, turned)):
        if rows:
            yield writer.plural(*forms, len(rows), trials=_named(writer, rows))


def spread(writer: Writer) -> Iterator[Markup]:
    """Yield how far single runs of one recipe lie apart, and what choosing weights would change."""
    varied = [row for row in writer.results.variance if row.observed.value is not None]
    if varied:
        row = max(varied, key=lambda row: row.observed.value or 0.0)
        values = {"trial": writer.trial_name(row.trial), "spread": writer.quantity(row.observed)}
        yield writer.plural(*SPREAD, row.observed.n or 0, **values)
    chosen = [row for row in writer.results.weights if row.difference.value]
    if chosen:
        weights = max(chosen, key=lambda row: abs(row.difference.value or 0.0))
        name = writer.trial_name(weights.trial, weights.stage)
        difference = writer.quantity(weights.difference)
        yield writer.plural(*SELECTED, weights.difference.n or 0, trial=name, difference=difference)


def study_sentences(writer: Writer) -> tuple[Markup, ...]:
    """Return one sentence for each study, and how they were tested where any two trials were."""
    experiments = writer.experiments(*STUDIES)
    ids = {experiment.id for experiment in experiments}
    tested = any(study.experiment in ids and len(study.ranking) > 1 for study in writer.results.studies)
    said = tuple(study_sentence(writer, each) for each in experiments)
    return (*said, writer.sentence(STUDY_TESTED)) if tested else said


def study_sentence(writer: Writer, experiment: Experiment) -> Markup:
    """Return what the ranking of a study's trials among themselves says, in one sentence."""
    found = next((study for study in writer.results.studies if study.experiment == experiment.id), None)
    title = writer.translation.text(experiment.title)
    if found is None or not found.ranking:
        return writer.sentence(STUDY_NOTHING, study=title)
    first, last, others = found.ranking[0], found.ranking[-1], found.ranking[1:]
    tied = [row for row in others if _shares(first, row)]
    untied = [row for row in others if row not in tied]
    some_apart = any(not _shares(*pair) for pair in combinations(found.ranking, 2))
    values: dict[str, object] = {
        "study": title,
        "best": writer.trial_name(first.trial),
        "worst": writer.trial_name(last.trial),
        "high": partial(writer.quantity, first.accuracy),
        "low": partial(writer.quantity, last.accuracy),
        "tied": partial(_named, writer, tied),
        "apart": partial(_named, writer, untied),
    }
    if not others:
        return writer.sentence(STUDY_SINGLE, **values)
    if found.only_splits:
        return writer.plural(*(SPLITS_APART if some_apart else SPLITS_TOGETHER), len(found.ranking), **values)
    if not some_apart:
        return writer.plural(*STUDY_TOGETHER, len(found.ranking), **values)
    if not tied:
        return writer.sentence(STUDY_ALONE, **values)
    return writer.sentence(STUDY_PARTLY, **values) if untied else writer.plural(*STUDY_BEST_TIED, len(tied), **values)


def _shares(first: RankRow, other: RankRow) -> bool:
    # Without letters nothing was tested, and what was not tested is not told apart.
    return not first.groups or not other.groups or bool(set(first.groups) & set(other.groups))


def _named(writer: Writer, rows: Sequence[RankRow | ParetoPoint | AblationRow]) -> Markup:
    return writer.enumeration([writer.trial_name(row.trial) for row in rows])
