"""One sentence for each study: which of its trials does best, and which ones the data cannot tell apart."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from markupsafe import Markup

from cifar_report.analysis.results import RankRow, Study
from cifar_report.report.i18n import mark, mark_plural
from cifar_report.report.text.verdicts import enumerate_markup
from cifar_report.report.writer import Writer
from cifar_report.spec import Experiment, Section

STUDIES: tuple[Section, ...] = ("hidden_layer", "training_parameters")
"""The sections of the studies that the assignment asked for."""

NOTHING = mark("On “%(study)s” nothing can be said yet, because none of its trials has finished.")
SINGLE = mark(
    "On “%(study)s” nothing can be compared yet, because of its trials only %(best)s has finished, with %(high)s."
)
TOGETHER = mark_plural(
    "On “%(study)s” the data cannot tell the %(count)s trial apart: the means lie between %(low)s for %(worst)s and "
    "%(high)s for %(best)s.",
    "On “%(study)s” the data cannot tell the %(count)s trials apart: the means lie between %(low)s for %(worst)s and "
    "%(high)s for %(best)s.",
)
ALONE = mark(
    "On “%(study)s” %(best)s has the highest mean, %(high)s, and the data tell it apart from every other trial of the "
    "study."
)
PARTLY = mark(
    "On “%(study)s” %(best)s has the highest mean, %(high)s; the data tell it apart from %(apart)s, but not from "
    "%(tied)s."
)
BEST_TIED = mark_plural(
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
TESTED = mark(
    "Within each study every trial is held against every other one by two-sided paired t tests over the seeds, which "
    "Holm's method corrects for the pairs of that study alone."
)


def study_sentences(writer: Writer) -> tuple[Markup, ...]:
    """Return one sentence for each study, and how they were tested where any two trials were."""
    experiments = writer.experiments(*STUDIES)
    ids = {experiment.id for experiment in experiments}
    tested = any(study.experiment in ids and len(study.ranking) > 1 for study in writer.results.studies)
    said = tuple(study_sentence(writer, each) for each in experiments)
    return (*said, writer.say(TESTED)) if tested else said


def study_sentence(writer: Writer, experiment: Experiment) -> Markup:
    """Return what the ranking of a study's trials among themselves says, in one sentence."""
    title = writer.translation.text(experiment.title)
    found = next((study for study in writer.results.studies if study.experiment == experiment.id), None)
    if found is None or not found.ranking:
        return writer.say(NOTHING, study=title)
    values = _values(writer, found.ranking)
    if len(found.ranking) == 1:
        return writer.say(SINGLE, study=title, **values)
    if found.only_splits:
        return _splits(writer, found, values)
    first, others = found.ranking[0], found.ranking[1:]
    tied = [row for row in others if _shares(first, row)]
    if not any(_apart(found.ranking)):
        return writer.count(TOGETHER, len(found.ranking), study=title, **values)
    if not tied:
        return writer.say(ALONE, study=title, **values)
    apart = [row for row in others if row not in tied]
    if not apart:
        return writer.count(BEST_TIED, len(tied), study=title, tied=_named(writer, tied), **values)
    return writer.say(PARTLY, study=title, apart=_named(writer, apart), tied=_named(writer, tied), **values)


def _splits(writer: Writer, study: Study, values: dict[str, object]) -> Markup:
    forms = SPLITS_APART if any(_apart(study.ranking)) else SPLITS_TOGETHER
    return writer.count(forms, len(study.ranking), low=values["low"], high=values["high"])


def _values(writer: Writer, ranking: Sequence[RankRow]) -> dict[str, object]:
    best, worst = ranking[0], ranking[-1]
    return {
        "best": writer.trial_name(best.trial),
        "high": partial(writer.quantity, best.accuracy),
        "worst": writer.trial_name(worst.trial),
        "low": partial(writer.quantity, worst.accuracy),
    }


def _apart(ranking: Sequence[RankRow]) -> list[bool]:
    """Return for each pair whether a test tells it apart."""
    return [not _shares(one, other) for place, one in enumerate(ranking) for other in ranking[place + 1 :]]


def _shares(first: RankRow, other: RankRow) -> bool:
    # Without letters nothing was tested, and what was not tested is not told apart.
    return not first.groups or not other.groups or bool(set(first.groups) & set(other.groups))


def _named(writer: Writer, rows: Sequence[RankRow]) -> Markup:
    return enumerate_markup(writer, [writer.trial_name(row.trial) for row in rows])
