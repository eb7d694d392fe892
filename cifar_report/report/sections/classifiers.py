"""Sections 4 and 5: classifiers without a network, and examples, confusions and errors of the best network."""

from __future__ import annotations

from cifar_report.analysis.results import Example, PredictionMetrics, TrialResult
from cifar_report.report.elements import SectionView, Table
from cifar_report.report.i18n import mark
from cifar_report.report.names import CLASSES
from cifar_report.report.sections import tables
from cifar_report.report.sections.conclusions import NOT_TIMED, single_timings
from cifar_report.report.sections.experiments import experiment_view
from cifar_report.report.text.summary import best_network
from cifar_report.report.writer import Writer

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
            images = writer.cell(fitted, none=tables.NOT_FINISHED)
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
        if not matrices:
            shown.append(_confusion_table(writer, best, stage.test))
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


def _confusion_table(writer: Writer, trial: TrialResult, metrics: PredictionMetrics) -> Table:
    rows = [(_class_name(writer, label), *counts) for label, counts in enumerate(metrics.confusion)]
    columns = writer.columns(" | ".join(("Class", *CLASSES[: len(metrics.confusion)])))
    caption = writer.sentence(
        "Confusion matrix of %(trial)s: images of the row's class that were predicted as the column's, summed over "
        "runs",
        trial=writer.trial_name(trial.id),
    )
    return writer.table("confusion", caption, columns, rows, style="wide matrix")


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
