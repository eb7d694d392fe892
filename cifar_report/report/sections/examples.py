"""Section 5: examples of right and of wrong classification, the confusion matrix and the errors by class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from cifar_report.analysis.results import Example, PredictionMetrics, TrialResult
from cifar_report.report.elements import Column, FigureView, Heading, Table
from cifar_report.report.i18n import mark
from cifar_report.report.sections import tables
from cifar_report.report.sections.view import SectionView
from cifar_report.report.text.summary import best_network
from cifar_report.report.writer import Writer

RULE = mark(
    "The examples follow a fixed rule, so that nobody could choose them: for each class, the right and the wrong "
    "answer of which the network was surest. They come from %(trial)s, run %(run)s."
)
NONE = mark("No finished run has stored its predictions, so there are no examples.")
PICTURES = mark(
    "The pictures themselves are not part of the results, because they may not be passed on with them. Build the "
    "report on a machine that holds the same dataset (its fingerprint stands on the first page), and they appear "
    "here; the numbers below name each image by its place in the dataset, training images first."
)
NO_CONFUSION = mark("No network has stored its predictions, so there is no confusion matrix.")


@dataclass(frozen=True)
class ExamplesView:
    """Examples, confusion matrix and classes."""

    picked: Heading
    confusion_heading: Heading
    rule: Markup
    without_pictures: Markup | None
    figures: tuple[FigureView, ...]
    examples: Table | None
    confusion: Table | None
    pairs: Table | None
    classes: Table | None
    confusion_figures: tuple[FigureView, ...]
    missing: Markup | None


def build(writer: Writer, number: str, *, pictures: bool) -> SectionView:
    """Return section 5; ``pictures`` says whether the dataset was at hand."""
    title = writer.word(mark("Examples of right and wrong classification"))
    heading = writer.heading("examples", title, 2, number)
    picked = writer.heading(
        "examples-picked", writer.word(mark("The surest right and wrong answers")), 3, f"{number}.1"
    )
    figures = writer.group("examples")
    examples = writer.results.examples
    table = _examples(writer, examples) if examples else None
    confusion = writer.heading("confusion", writer.word(mark("Confusion matrix and classes")), 3, f"{number}.2")
    best = best_network(writer)
    stage = best.stage() if best else None
    metrics = stage.test if stage else None
    shown = best is not None and metrics is not None
    matrices = writer.group("confusion", "calibration")
    view = ExamplesView(
        picked=picked,
        confusion_heading=confusion,
        rule=_rule(writer, examples),
        without_pictures=writer.say(PICTURES) if examples and not pictures else None,
        figures=figures,
        examples=table,
        confusion=_confusion(writer, best, metrics) if shown and not matrices else None,  # type: ignore[arg-type]
        pairs=_pairs(writer, metrics) if shown and metrics.most_confused else None,  # type: ignore[arg-type, union-attr]
        classes=_classes(writer, metrics) if shown else None,  # type: ignore[arg-type]
        confusion_figures=matrices,
        missing=None if shown else writer.say(NO_CONFUSION),
    )
    return SectionView(heading, "examples", view)


def _rule(writer: Writer, examples: Sequence[Example]) -> Markup:
    if not examples:
        return writer.say(NONE)
    first = examples[0]
    return writer.say(RULE, trial=writer.trial_name(first.trial, first.stage), run=first.run)


def _examples(writer: Writer, examples: Sequence[Example]) -> Table:
    kinds = {"right": writer.word(mark("right")), "wrong": writer.word(mark("wrong"))}
    rows = [
        writer.row(
            (
                writer.text_cell(writer.labels.class_name(example.label)),
                writer.text_cell(kinds[example.kind]),
                writer.text_cell(writer.labels.class_name(example.predicted)),
                writer.light_cell(example.probability),
                writer.count_cell(example.image),
            )
        )
        for example in examples
    ]
    heads = (
        Column(writer.word(mark("Class"))),
        Column(writer.word(mark("Answer"))),
        Column(writer.word(mark("Called"))),
        Column(writer.word(mark("Probability")), numeric=True),
        Column(writer.word(mark("Image")), numeric=True),
    )
    return writer.table("examples", writer.say(mark("The surest right and wrong answer in each class")), heads, rows)


def _confusion(writer: Writer, trial: TrialResult, metrics: PredictionMetrics) -> Table:
    heads = [Column(writer.word(mark("Class")))]
    heads += [Column(writer.labels.class_name(label), numeric=True) for label in range(len(metrics.confusion))]
    rows = []
    for label, counts in enumerate(metrics.confusion):
        cells = [writer.text_cell(writer.labels.class_name(label))]
        rows.append(writer.row((*cells, *(writer.count_cell(count) for count in counts))))
    caption = writer.say(
        mark(
            "Confusion matrix of %(trial)s: images of the row's class that were called the column's, summed over runs"
        ),
        trial=writer.trial_name(trial.id),
    )
    return writer.table("confusion", caption, heads, rows, style="wide matrix")


def _pairs(writer: Writer, metrics: PredictionMetrics) -> Table:
    rows = [
        writer.row(
            (
                writer.text_cell(writer.labels.class_name(pair.label)),
                writer.text_cell(writer.labels.class_name(pair.predicted)),
                writer.light_cell(pair.count),
                writer.light_cell(pair.share),
            )
        )
        for pair in metrics.most_confused
    ]
    heads = tables.columns(writer, mark("Class"), mark("Called"), mark("Images"), mark("Share of the class"), words=2)
    return writer.table("confused", writer.say(mark("The commonest confusions")), heads, rows)


def _classes(writer: Writer, metrics: PredictionMetrics) -> Table:
    rows = [
        writer.row(
            (
                writer.text_cell(writer.labels.class_name(scores.label)),
                writer.light_cell(scores.precision),
                writer.light_cell(scores.recall),
                writer.light_cell(scores.f1),
            )
        )
        for scores in metrics.classes
    ]
    heads = tables.columns(writer, mark("Class"), mark("Precision"), mark("Recall"), mark("F-score"))
    return writer.table("classes", writer.say(mark("Precision, recall and F-score by class")), heads, rows)
