"""Tables over all trials: order, costs, comparisons, spread."""

from __future__ import annotations

from collections.abc import Iterator

from cifar_report.report.elements import Column, Table
from cifar_report.report.i18n import mark
from cifar_report.report.sections import tables
from cifar_report.report.writer import Writer


def ranking_table(writer: Writer) -> Table:
    """Return all trials by their mean accuracy, with the letters of those that cannot be told apart."""
    rows = [
        writer.row(
            (
                writer.count_cell(row.place),
                writer.text_cell(writer.trial_title(row.trial)),
                writer.count_cell(len(writer.results.trial(row.trial).primary.values)),
                writer.cell(row.accuracy, interval=True),
                writer.text_cell(" ".join(row.groups))
                if row.groups
                else writer.no_cell(mark("letters need at least two seeds of each trial")),
            )
        )
        for row in writer.results.ranking
    ]
    heads = (
        Column(writer.word(mark("Place")), numeric=True),
        Column(writer.word(mark("Trial"))),
        Column(writer.word(mark("Runs")), numeric=True),
        Column(writer.word(mark("Test accuracy [95% interval]")), numeric=True),
        Column(writer.word(mark("Group"))),
    )
    caption = writer.say(
        mark("All trials by mean test accuracy; trials that share a letter cannot be told apart by the corrected tests")
    )
    return writer.table("ranking", caption, heads, rows)


def costs_table(writer: Writer) -> Table:
    """Return what each network costs in parameters, operations, time and memory."""
    timing = {row.trial: row for row in writer.results.timing if row.replicas == 1}
    not_timed = mark("not part of the timing pass, or the pass was not run")
    rows = []
    for trial in writer.results.trials:
        if trial.costs is None:
            continue
        clock = timing.get(trial.id)
        cells = (
            writer.text_cell(writer.trial_title(trial.id)),
            writer.cell(trial.primary.datum),
            writer.cell(trial.costs.parameters),
            writer.cell(trial.costs.macs),
            writer.cell(clock.images_per_second if clock else None, none=not_timed),
            writer.cell(clock.peak_memory if clock else None, none=not_timed),
            writer.cell(trial.original_seconds),
        )
        rows.append(writer.row(cells))
    heads = tables.columns(
        writer,
        mark("Trial"),
        mark("Test accuracy"),
        mark("Parameters"),
        mark("Multiply-accumulates"),
        mark("Images/s"),
        mark("Memory (MiB)"),
        mark("Original seconds"),
    )
    return writer.table("costs", writer.say(mark("What each network costs")), heads, rows, style="wide")


def ablation_table(writer: Writer) -> Table:
    """Return every trial as the write-up compared it and by one change, side by side."""
    none = mark("there is no such comparison")
    rows = []
    for row in writer.results.ablation:
        cells = [writer.text_cell(writer.trial_title(row.trial))]
        for comparison in (row.as_written, row.one_change):
            if comparison is None:
                cells += [writer.no_cell(none), writer.cell(None, none=none), writer.cell(None, none=none)]
                continue
            cells.append(writer.text_cell(writer.trial_title(comparison.comparator)))
            cells.append(writer.cell(comparison.difference, interval=True))
            cells.append(writer.count_cell(len(comparison.changes)))
        rows.append(writer.row(cells))
    heads = (
        *tables.columns(writer, mark("Trial"), mark("As written against"), mark("Points"), mark("Changes"), words=2),
        *tables.columns(writer, mark("By one change against"), mark("Points"), mark("Changes")),
    )
    caption = writer.say(
        mark(
            "Differences of test accuracy in points with 95%% intervals over the seeds, not corrected for their "
            "number, and how many things each comparison changes"
        )
    )
    return writer.table("ablation", caption, heads, rows, style="wide")


def spread_tables(writer: Writer) -> Iterator[Table]:
    """Yield where the spread between runs comes from, and what choosing weights changes."""
    if writer.results.variance:
        rows = [
            writer.row(
                (
                    writer.text_cell(writer.trial_title(row.trial)),
                    *(writer.cell(datum) for datum in (row.observed, row.sampling, row.seed_share)),
                )
            )
            for row in writer.results.variance
        ]
        heads = tables.columns(
            writer,
            mark("Trial"),
            mark("Between seeds (points)"),
            mark("By other test images (points)"),
            mark("Seeds' share of the variance"),
        )
        caption = writer.say(
            mark(
                "Where the spread of the test accuracy comes from: standard deviation between the seeds, and that of "
                "their mean if other test images were drawn"
            )
        )
        yield writer.table("variance", caption, heads, rows)
    if writer.results.weights:
        rows = [
            writer.row(
                (
                    writer.text_cell(writer.trial_title(row.trial, row.stage)),
                    *(writer.cell(datum) for datum in (row.last, row.best, row.difference)),
                )
            )
            for row in writer.results.weights
        ]
        heads = tables.columns(
            writer, mark("Trial"), mark("Last epoch"), mark("Best validation epoch"), mark("Difference (points)")
        )
        caption = writer.say(
            mark(
                "Mean test accuracy over the seeds with the last and with the validation-selected weights; nothing is "
                "tested here"
            )
        )
        yield writer.table("weights", caption, heads, rows)
