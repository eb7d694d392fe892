"""Section 4: nearest neighbours and nearest centroid, and how the networks compare with them."""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup

from cifar_report.analysis.results import TimingRow
from cifar_report.report.elements import FigureView, Table
from cifar_report.report.i18n import mark
from cifar_report.report.sections import tables
from cifar_report.report.sections.experiments import ExperimentView, experiment_view
from cifar_report.report.sections.view import SectionView
from cifar_report.report.text.summary import best_network
from cifar_report.report.writer import Writer

NOT_TIMED = mark("not part of the timing pass, or the pass was not run")


@dataclass(frozen=True)
class ClassicalView:
    """The comparison with the classifiers that need no network."""

    comparison: Table
    experiments: tuple[ExperimentView, ...]
    figures: tuple[FigureView, ...]
    conclusion: tuple[Markup, ...]


def build(writer: Writer, number: str) -> SectionView:
    """Return section 4."""
    title = writer.word(mark("Comparison with nearest neighbours and nearest class centroid"))
    heading = writer.heading("classical", title, 2, number)
    comparison = _comparison(writer)
    experiments = tuple(
        experiment_view(writer, experiment, f"{number}.{place}")
        for place, experiment in enumerate(writer.experiments("classical"), start=1)
    )
    return SectionView(heading, "classical", ClassicalView(comparison, experiments, (), ()))


def _comparison(writer: Writer) -> Table:
    timing = {row.trial: row for row in writer.results.timing if row.replicas == 1}
    rows = []
    best = best_network(writer)
    for trial in writer.results.trials:
        if trial.section != "classical" and (best is None or trial.id != best.id):
            continue
        clock: TimingRow | None = timing.get(trial.id)
        rows.append(
            writer.row(
                (
                    writer.text_cell(writer.trial_title(trial.id)),
                    writer.cell(trial.classical.training_images if trial.classical else None, none=tables.NOT_FINISHED)
                    if trial.section == "classical"
                    else writer.count_cell(writer.bundle.record.dataset.counts[0]),
                    writer.cell(trial.primary.datum, interval=True),
                    writer.cell(clock.fit_seconds if clock else None, none=NOT_TIMED),
                    writer.cell(clock.predict_seconds if clock else None, none=NOT_TIMED),
                )
            )
        )
    heads = tables.columns(
        writer,
        mark("Classifier"),
        mark("Training images"),
        mark("Test accuracy [95% interval]"),
        mark("Fitting (s)"),
        mark("Prediction (s)"),
    )
    caption = writer.say(mark("Classifiers on raw pixels, and the network with the best mean accuracy"))
    return writer.table("classifiers", caption, heads, rows)
