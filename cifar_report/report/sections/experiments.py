"""Section 3: one subsection for each experiment, whatever it holds: configuration, figures, claims, judgement."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import count

from markupsafe import Markup

from cifar_report.analysis.results import TrialResult, Verdict
from cifar_report.report.elements import SectionView, Table
from cifar_report.report.i18n import mark, mark_plural
from cifar_report.report.sections import tables
from cifar_report.report.text.changes import change_sentences
from cifar_report.report.text.conclusions import STUDIES, study_sentence
from cifar_report.report.text.judgement import judgement
from cifar_report.report.text.verdicts import claims_sentences, verdict_paragraph
from cifar_report.report.writer import Writer
from cifar_report.spec import Experiment, Section, Trial

DIGIT_SECTIONS: frozenset[Section] = frozenset({"trials", "model_2", "parallel"})
EPOCHS_ON_PAPER: frozenset[Section] = frozenset({"trials", "model_2"})
ORDER: tuple[Section, ...] = ("trials", "hidden_layer", "training_parameters", "model_2", "parallel")
"""The studies, which the write-up lacks, are lettered, so that what it has keeps the write-up's numbers."""

FAILED = mark("Run %(run)s failed: %(error)s")
MISSING = mark_plural(
    "%(trial)s: %(count)s run is missing from this bundle.",
    "%(trial)s: %(count)s runs are missing from this bundle.",
)
SECONDS = mark(
    "The original's training of %(trial)s took %(seconds)s on a laptop that did other work meanwhile; such seconds are "
    "shown without a verdict."
)
ORIGINAL_COUNT = mark(
    "The original counted %(original)s parameters for %(trial)s; the description here gives %(counted)s."
)


def trials(writer: Writer, number: str) -> SectionView:
    """Return section 3; every experiment of a bundle finds its place by its own section and order."""
    heading = writer.heading("trials", writer.word("Trials"), 2, number)
    digits, letters = count(1), map(chr, count(ord("A")))
    views = []
    for experiment in (each for section in ORDER for each in writer.experiments(section)):
        place = next(digits) if experiment.section in DIGIT_SECTIONS else next(letters)
        views.append(experiment_view(writer, experiment, f"{number}.{place}"))
    return SectionView(heading, "trials", {"experiments": views})


def experiment_view(writer: Writer, experiment: Experiment, number: str) -> dict[str, object]:
    """Return everything that is shown about one experiment, in the order in which it is shown."""
    text = writer.translation.text
    title = text(experiment.title)
    heading = writer.heading(f"experiment-{experiment.id}", title, 3, number)
    found = writer.own_trials(experiment)
    # Diagrams show a network and no result, so they belong to the table of its layers.
    own = [figure for figure in writer.figures if figure.group == experiment.id]
    diagrams = writer.show(*(figure for figure in own if figure.id.startswith("layers.")))
    layers = _layers(writer, found) if writer.medium == "screen" else []
    results = [tables.results(writer, experiment.id, title, found)] if found else []
    points = [each for each in writer.results.studies if each.experiment == experiment.id and experiment.points]
    study = [tables.study(writer, title, each) for each in points[:1]]
    figures = writer.group(experiment.id)
    epochs = list(_epochs(writer, experiment, found))
    verdicts = tuple(writer.results.verdict(claim.id) for claim in experiment.claims)
    return {
        "heading": heading,
        "trial_number": experiment.number,
        "question": text(experiment.question),
        "change": text(experiment.change),
        "explanation": text(experiment.explanation),
        "problems": list(_problems(writer, found)),
        "differences": list(_differences(writer, found)),
        "referenced": [table for table in (*results, *study, *epochs) if table.number],
        "diagrams": diagrams,
        "layers": layers,
        "results": (*results, *study),
        "figures": figures,
        "epochs": epochs,
        "claims": [
            {
                "verdict": verdict,
                "badge": writer.badge(verdict.outcome),
                "statement": text(verdict.claim.statement),
                "said": text(verdict.claim.said),
                "paragraph": verdict_paragraph(writer, verdict),
            }
            for verdict in verdicts
        ],
        "judgements": list(_judgements(writer, experiment, verdicts)),
    }


def _layers(writer: Writer, trials: Sequence[TrialResult]) -> list[Table]:
    """Return one table for each different network among the trials."""
    seen: dict[object, Trial] = {}
    for trial in trials:
        if isinstance(trial.trial, Trial):
            seen.setdefault(trial.trial.layers, trial.trial)
    return [tables.layers(writer, trial) for trial in seen.values()]


def _epochs(writer: Writer, experiment: Experiment, trials: Sequence[TrialResult]) -> Iterator[Table]:
    """Yield the tables by epoch; those of what the write-up did not have stand on the screen, without a number."""
    on_paper = experiment.section in EPOCHS_ON_PAPER
    if writer.medium == "print" and not on_paper:
        return
    for trial in trials:
        for stage in trial.stages:
            if stage.epochs_table:
                yield tables.epochs(writer, trial, stage, numbered=on_paper)


def _problems(writer: Writer, trials: Sequence[TrialResult]) -> Iterator[Markup]:
    """Yield what is missing or failed, each with its reason."""
    for trial in trials:
        for failure in trial.failed:
            yield writer.sentence(FAILED, run=failure.run, error=failure.error)
        missing = len(trial.seeds_planned) - len(trial.seeds_run) - len(trial.failed)
        if missing > 0:
            yield writer.plural(MISSING, missing, trial=writer.trial_name(trial.id))


def _differences(writer: Writer, trials: Sequence[TrialResult]) -> Iterator[Markup]:
    """Yield what sets each trial apart from its comparators, and what the original said of its costs."""
    for trial in trials:
        pairs = ((trial.trial.one_change, trial.one_change_changes), (trial.trial.as_written, trial.as_written_changes))
        for comparator, changes in dict(pairs).items():
            if comparator is not None and changes:
                yield from change_sentences(writer, trial.id, comparator, changes)
        name = writer.trial_name(trial.id)
        if trial.costs is not None and trial.costs.original_parameters is not None:
            original, counted = writer.link(trial.costs.original_parameters), writer.link(trial.costs.parameters)
            yield writer.sentence(ORIGINAL_COUNT, trial=name, original=original, counted=counted)
        if trial.original_seconds is not None and trial.original_seconds.value is not None:
            yield writer.sentence(SECONDS, trial=name, seconds=writer.quantity(trial.original_seconds))


def _judgements(writer: Writer, experiment: Experiment, verdicts: tuple[Verdict, ...]) -> Iterator[tuple[Markup, ...]]:
    """Yield a paragraph for each trial and its claims, one for claims about other trials, and one on a study."""
    trials = writer.own_trials(experiment)
    for trial in trials:
        yield judgement(writer, trial, tuple(each for each in verdicts if each.claim.subject.trial == trial.id))
    here = {trial.id for trial in trials}
    others = tuple(verdict for verdict in verdicts if verdict.claim.subject.trial not in here)
    if others:
        yield claims_sentences(writer, others)
    if experiment.section in STUDIES:
        yield (study_sentence(writer, experiment),)
