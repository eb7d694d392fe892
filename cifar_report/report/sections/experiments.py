"""Section 3: one subsection for each experiment, whatever it holds: recipe, epochs, figures, claims, judgement."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from cifar_report.analysis.results import TrialResult, Verdict
from cifar_report.report import names
from cifar_report.report.elements import FigureView, Heading, Table
from cifar_report.report.figures.drawn import DrawnFigure
from cifar_report.report.i18n import mark, mark_plural
from cifar_report.report.sections import tables
from cifar_report.report.sections.view import SectionView
from cifar_report.report.text.changes import change_sentences
from cifar_report.report.text.judgement import judgement
from cifar_report.report.text.studies import STUDIES, study_sentence
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


@dataclass(frozen=True)
class ClaimView:
    """A claim with what the original said and what the data say."""

    id: str
    outcome: str
    outcome_name: str
    statement: str
    said: str
    paragraph: tuple[Markup, ...]


@dataclass(frozen=True)
class ExperimentView:
    """One experiment's subsection."""

    heading: Heading
    trial_number: str | None
    question: str
    change: str
    explanation: str
    problems: tuple[Markup, ...]
    differences: tuple[Markup, ...]
    diagrams: tuple[FigureView, ...]
    layers: tuple[Table, ...]
    results: Table | None
    study: Table | None
    epochs: tuple[Table, ...]
    figures: tuple[FigureView, ...]
    references: tuple[Markup, ...]
    claims: tuple[ClaimView, ...]
    judgements: tuple[tuple[Markup, ...], ...]


@dataclass(frozen=True)
class TrialsView:
    """Section 3 as a whole."""

    experiments: tuple[ExperimentView, ...]


def build(writer: Writer, number: str) -> SectionView:
    """Return section 3; every experiment of a bundle finds its place by its own section and order."""
    heading = writer.heading("trials", writer.word(mark("Trials")), 2, number)
    views = tuple(
        experiment_view(writer, experiment, numbering)
        for experiment, numbering in _numbered([each for name in ORDER for each in writer.experiments(name)], number)
    )
    return SectionView(heading, "trials", TrialsView(views))


def _numbered(experiments: Sequence[Experiment], number: str) -> Iterator[tuple[Experiment, str]]:
    digits, letters = 0, 0
    for experiment in experiments:
        if experiment.section in DIGIT_SECTIONS:
            digits += 1
            yield experiment, f"{number}.{digits}"
        else:
            letters += 1
            yield experiment, f"{number}.{chr(ord('A') + letters - 1)}"


def experiment_view(writer: Writer, experiment: Experiment, number: str) -> ExperimentView:
    """Return everything that is shown about one experiment, in the order in which it is shown."""
    text = writer.translation.text
    heading = writer.heading(f"experiment-{experiment.id}", text(experiment.title), 3, number)
    trials = writer.own_trials(experiment)
    diagrams = writer.show(*(each for each in writer.figures if each.group == experiment.id and is_diagram(each)))
    layers = _layers(writer, trials)
    results = tables.results(writer, experiment.id, text(experiment.title), trials) if trials else None
    study = _study(writer, experiment)
    figures = writer.group(experiment.id)
    epochs = _epochs(writer, experiment, trials)
    shown = [table for table in (*layers, results, study, *epochs) if table is not None and table.number]
    references = [writer.table_reference(table) for table in shown]
    references += [writer.figure_reference(figure) for figure in (*diagrams, *figures)]
    verdicts = tuple(writer.results.verdict(claim.id) for claim in experiment.claims)
    return ExperimentView(
        heading=heading,
        trial_number=experiment.number,
        question=text(experiment.question),
        change=text(experiment.change),
        explanation=text(experiment.explanation),
        problems=tuple(problems(writer, trials)),
        differences=tuple(_differences(writer, trials)),
        diagrams=diagrams,
        layers=layers,
        results=results,
        study=study,
        epochs=epochs,
        figures=figures,
        references=tuple(references),
        claims=tuple(claim_view(writer, verdict) for verdict in verdicts),
        judgements=(*_judgements(writer, trials, verdicts), *_of_study(writer, experiment)),
    )


def claim_view(writer: Writer, verdict: Verdict) -> ClaimView:
    """Return a claim as its section shows it."""
    return ClaimView(
        id=verdict.id,
        outcome=verdict.outcome,
        outcome_name=writer.word(names.OUTCOMES[verdict.outcome]),
        statement=writer.translation.text(verdict.claim.statement),
        said=writer.translation.text(verdict.claim.said),
        paragraph=verdict_paragraph(writer, verdict),
    )


def problems(writer: Writer, trials: Sequence[TrialResult]) -> Iterator[Markup]:
    """Yield what is missing or failed, each with its reason."""
    for trial in trials:
        for failure in trial.failed:
            yield writer.say(FAILED, run=failure.run, error=failure.error)
        missing = len(trial.seeds_planned) - len(trial.seeds_run) - len(trial.failed)
        if missing > 0:
            yield writer.count(MISSING, missing, trial=writer.trial_name(trial.id))


def is_diagram(figure: DrawnFigure) -> bool:
    """Whether a figure shows a network and no result, so that it belongs to the table of its layers."""
    return figure.id.startswith("layers.")


def _layers(writer: Writer, trials: Sequence[TrialResult]) -> tuple[Table, ...]:
    """Return one table for each different network among the trials."""
    seen: dict[object, Trial] = {}
    for trial in trials:
        if isinstance(trial.trial, Trial):
            seen.setdefault(trial.trial.layers, trial.trial)
    return tuple(tables.layers(writer, trial) for trial in seen.values())


def _epochs(writer: Writer, experiment: Experiment, trials: Sequence[TrialResult]) -> tuple[Table, ...]:
    """Return the tables by epoch; those of what the write-up did not have stand on the screen, without a number."""
    on_paper = experiment.section in EPOCHS_ON_PAPER
    if writer.medium == "print" and not on_paper:
        return ()
    stages = [(trial, stage) for trial in trials for stage in trial.stages]
    found = [tables.epochs(writer, trial, stage, numbered=on_paper) for trial, stage in stages]
    return tuple(table for table in found if table is not None)


def _study(writer: Writer, experiment: Experiment) -> Table | None:
    found = next((study for study in writer.results.studies if study.experiment == experiment.id), None)
    return (
        tables.study(writer, writer.translation.text(experiment.title), found)
        if found is not None and experiment.points
        else None
    )


def _differences(writer: Writer, trials: Sequence[TrialResult]) -> Iterator[Markup]:
    for trial in trials:
        pairs = ((trial.trial.one_change, trial.one_change_changes), (trial.trial.as_written, trial.as_written_changes))
        for comparator, changes in dict(pairs).items():
            if comparator is not None and changes:
                yield from change_sentences(writer, trial.id, comparator, changes)
        yield from _original_costs(writer, trial)


def _original_costs(writer: Writer, trial: TrialResult) -> Iterator[Markup]:
    name = writer.trial_name(trial.id)
    if trial.costs is not None and trial.costs.original_parameters is not None:
        values = {
            "original": writer.link(trial.costs.original_parameters),
            "counted": writer.link(trial.costs.parameters),
        }
        yield writer.say(ORIGINAL_COUNT, trial=name, **values)
    if trial.original_seconds is not None and trial.original_seconds.value is not None:
        yield writer.say(SECONDS, trial=name, seconds=writer.quantity(trial.original_seconds))


def _of_study(writer: Writer, experiment: Experiment) -> tuple[tuple[Markup, ...], ...]:
    """Return the sentence on a study as a whole; none for experiments that are no studies."""
    if experiment.section not in STUDIES:
        return ()
    return ((study_sentence(writer, experiment),),)


def _judgements(
    writer: Writer, trials: Sequence[TrialResult], verdicts: tuple[Verdict, ...]
) -> tuple[tuple[Markup, ...], ...]:
    """Return one paragraph for each trial, with the claims about it, and one for claims about trials elsewhere."""
    paragraphs = []
    for trial in trials:
        own = tuple(verdict for verdict in verdicts if verdict.claim.subject.trial == trial.id)
        paragraphs.append(judgement(writer, trial, own))
    here = {trial.id for trial in trials}
    others = tuple(verdict for verdict in verdicts if verdict.claim.subject.trial not in here)
    if others:
        paragraphs.append(claims_sentences(writer, others))
    return tuple(paragraphs)
