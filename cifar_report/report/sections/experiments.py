"""Sections 3 to 5: the trials of each experiment, classifiers without a network, and examples of the best network."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import count

from markupsafe import Markup

from cifar_report.analysis.results import Example, PredictionMetrics, TrialResult, Verdict
from cifar_report.report.elements import SectionView, Table
from cifar_report.report.i18n import load_messages, mark
from cifar_report.report.names import CLASSES
from cifar_report.report.sections import tables
from cifar_report.report.sections.conclusions import NOT_TIMED, single_timings
from cifar_report.report.text.conclusions import STUDIES, best_network, study_sentence
from cifar_report.report.text.trials import change_sentences, judgement
from cifar_report.report.text.verdicts import claims_sentences, verdict_paragraph
from cifar_report.report.writer import Writer
from cifar_report.spec import Experiment, Section, Trial

SAY = load_messages("sections")

DIGIT_SECTIONS: frozenset[Section] = frozenset({"trials", "model_2", "parallel"})
EPOCHS_ON_PAPER: frozenset[Section] = frozenset({"trials", "model_2"})
ORDER: tuple[Section, ...] = ("trials", "hidden_layer", "training_parameters", "model_2", "parallel")
"""The studies, which the write-up lacks, are lettered, so that what it has keeps the write-up's numbers."""


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
                "badge": writer.verdict_badge(verdict),
                "statement": text(verdict.claim.statement),
                "said": verdict.claim.said and text(verdict.claim.said),
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
            yield writer.sentence(SAY.failed, run=failure.run, error=failure.error)
        missing = len(trial.seeds_planned) - len(trial.seeds_run) - len(trial.failed)
        if missing > 0:
            yield writer.plural(SAY.missing, missing, trial=writer.trial_name(trial.id))


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
            yield writer.sentence(SAY.original_count, trial=name, original=original, counted=counted)
        if trial.original_seconds is not None and trial.original_seconds.value is not None:
            yield writer.sentence(SAY.seconds, trial=name, seconds=writer.quantity(trial.original_seconds))


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


ANSWERS = {"right": mark("right"), "wrong": mark("wrong")}


def classical(writer: Writer, number: str) -> SectionView:
    """Return section 4: nearest neighbours and nearest centroid, and how the networks compare with them."""
    title = writer.word("Comparison with nearest neighbours and nearest class centroid")
    heading = writer.heading("classical", title, 2, number)
    comparison = _comparison(writer)
    experiments = [
        experiment_view(writer, experiment, f"{number}.{place}")
        for place, experiment in enumerate(writer.experiments("classical"), start=1)
    ]
    return SectionView(heading, "classical", {"comparison": comparison, "experiments": experiments})


def _comparison(writer: Writer) -> Table:
    timing = single_timings(writer)
    best = best_network(writer)
    rows = []
    for trial in writer.results.trials:
        if trial.section == "classical":
            fitted = trial.classical.training_images if trial.classical else None
            images = writer.cell(fitted, none=SAY.not_finished)
        elif trial is best:
            images = writer.cell(writer.bundle.record.dataset.counts[0])
        else:
            continue
        clock = timing.get(trial.id)
        seconds = (clock.fit_seconds, clock.predict_seconds) if clock else (None, None)
        accuracy = writer.cell(trial.primary.datum, interval=True)
        cells = [writer.cell(datum, none=NOT_TIMED) for datum in seconds]
        rows.append((writer.trial_title(trial.id), images, accuracy, *cells))
    columns = writer.columns(
        "Classifier | Training images | Test accuracy [95% interval] | Fitting (s) | Prediction (s)"
    )
    caption = writer.sentence("Classifiers on raw pixels, and the network with the best mean accuracy")
    return writer.table("classifiers", caption, columns, rows)


def examples(writer: Writer, number: str, *, pictures: bool) -> SectionView:
    """Return section 5; ``pictures`` says whether the dataset was at hand."""
    heading = writer.heading("examples", writer.word("Examples of right and wrong classification"), 2, number)
    title = writer.word("The most confident right and wrong predictions")
    picked = writer.heading("examples-picked", title, 3, f"{number}.1")
    figures = writer.group("examples")
    found = writer.results.examples
    table = _examples_table(writer, found) if found else None
    confusion = writer.heading("confusion", writer.word("Confusion matrix and classes"), 3, f"{number}.2")
    best = best_network(writer)
    stage = best.stage() if best else None
    matrices = writer.group("confusion", "calibration")
    shown = []
    if best is not None and stage is not None and stage.test is not None:
        if stage.test.most_confused:
            shown.append(_pairs_table(writer, stage.test))
        shown.append(_classes_table(writer, stage.test))
    view = {
        "picked": picked,
        "trial": writer.trial_name(found[0].trial, found[0].stage) if found else None,
        "run": found[0].run if found else None,
        "pictures": pictures,
        "figures": figures,
        "examples": table,
        "confusion_heading": confusion,
        "confusion_figures": matrices,
        "tables": shown,
    }
    return SectionView(heading, "examples", view)


def _class_name(writer: Writer, label: int) -> str:
    return writer.word(CLASSES[label])


def _examples_table(writer: Writer, examples: tuple[Example, ...]) -> Table:
    rows = [
        (
            _class_name(writer, example.label),
            writer.word(ANSWERS[example.kind]),
            _class_name(writer, example.predicted),
            writer.cell(example.probability, link=False),
            example.image,
        )
        for example in examples
    ]
    columns = writer.columns("Class | Prediction | Predicted as | Probability | Image", words=3)
    caption = writer.sentence("The most confident right and wrong prediction in each class")
    return writer.table("examples", caption, columns, rows)


def _pairs_table(writer: Writer, metrics: PredictionMetrics) -> Table:
    rows = [
        (
            *(_class_name(writer, label) for label in (pair.label, pair.predicted)),
            *(writer.cell(datum, link=False) for datum in (pair.count, pair.share)),
        )
        for pair in metrics.most_confused
    ]
    columns = writer.columns("Class | Predicted as | Images | Share of the class", words=2)
    return writer.table("confused", writer.sentence("The most frequent confusions"), columns, rows)


def _classes_table(writer: Writer, metrics: PredictionMetrics) -> Table:
    rows = [
        (
            _class_name(writer, scores.label),
            *(writer.cell(datum, link=False) for datum in (scores.precision, scores.recall, scores.f1)),
        )
        for scores in metrics.classes
    ]
    columns = writer.columns("Class | Precision | Recall | F-score")
    return writer.table("classes", writer.sentence("Precision, recall and F-score by class"), columns, rows)
