"""Section 5: examples of right and wrong classification by the best network, and its errors by class."""

from cifar_report.analysis.results import PredictionMetrics
from cifar_report.report.elements import SectionView, Table
from cifar_report.report.text.conclusions import best_network
from cifar_report.report.writer import Writer


def examples(writer: Writer, number: str, *, pictures: bool) -> SectionView:
    """Return section 5; ``pictures`` says whether the dataset was at hand."""
    heading = writer.heading("examples", writer.word("Examples of right and wrong classification"), 2, number)
    title = writer.word("The most confident right and wrong predictions")
    picked = writer.heading("examples-picked", title, 3, f"{number}.1")
    figures = writer.group("examples")
    found = writer.results.examples
    confusion = writer.heading("confusion", writer.word("Confusion matrix and classes"), 3, f"{number}.2")
    best = best_network(writer)
    stage = best.stage() if best else None
    matrices = writer.group("confusion", "calibration")
    known = stage.test if stage is not None else None
    shown = []
    if known is not None and writer.medium == "screen":
        shown = [*([_pairs_table(writer, known)] if known.most_confused else []), _classes_table(writer, known)]
    view = {
        "picked": picked,
        "trial": writer.trial_name(found[0].trial, found[0].stage) if found else None,
        "run": found[0].run if found else None,
        "pictures": pictures,
        "figures": figures,
        "confusion_heading": confusion,
        "confusion_figures": matrices,
        "known": known is not None,
        "tables": shown,
        "compact": sum(map(writer.bundle.is_compact, writer.bundle.runs)),
    }
    return SectionView(heading, "examples", view)


def _class_name(writer: Writer, label: int) -> str:
    return writer.translation.classes[label]


def _pairs_table(writer: Writer, metrics: PredictionMetrics) -> Table:
    rows = [
        (
            *(_class_name(writer, label) for label in (pair.label, pair.predicted)),
            *(writer.cell(datum, link=False) for datum in (pair.count, pair.share)),
        )
        for pair in metrics.most_confused
    ]
    columns = writer.columns("Class | Predicted as | Images | Share of the class", words=2)
    return writer.table("confused", writer.sentence("The most frequent confusions"), columns, rows, numbered=False)


def _classes_table(writer: Writer, metrics: PredictionMetrics) -> Table:
    rows = [
        (
            _class_name(writer, scores.label),
            *(writer.cell(datum, link=False) for datum in (scores.precision, scores.recall, scores.f1)),
        )
        for scores in metrics.classes
    ]
    columns = writer.columns("Class | Precision | Recall | F-score")
    caption = writer.sentence("Precision, recall and F-score by class")
    return writer.table("classes", caption, columns, rows, numbered=False)
