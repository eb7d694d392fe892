"""The conclusions: what the claims say together, what surprised, and what would change them."""

from collections.abc import Iterator, Sequence

from markupsafe import Markup

from cifar_report.analysis.results import Outcome, TimingRow
from cifar_report.report.elements import SectionView, Table
from cifar_report.report.i18n import load_messages, mark
from cifar_report.report.text import conclusions
from cifar_report.report.text.findings import SAY as FINDINGS
from cifar_report.report.text.findings import Finding, findings, group_sentences, open_sentences
from cifar_report.report.writer import Writer

SAY = load_messages("conclusions")
NOT_TIMED = mark("not part of the timing pass, or the pass was not run")


def build(writer: Writer) -> SectionView:
    """Return the conclusions; each sentence is generated from verdicts, effects or a view over all trials."""
    heading = writer.heading("conclusions", writer.word("Conclusions"), 2)
    found = findings(writer)
    topics = [
        (writer.word("What surprised"), conclusions.surprises(writer)),
        (writer.word("What one run could not have told"), conclusions.one_run(writer)),
        (writer.word("Cost and studies"), (*conclusions.front(writer), *conclusions.study_sentences(writer))),
        (writer.word("What would change these conclusions"), tuple(conclusions.changes(writer))),
    ]
    view = {
        "groups": list(_groups(writer, found)),
        "topics": [(title, sentences) for title, sentences in topics if sentences],
        "figures": writer.group("verdicts", "why"),
        "more": writer.group("effects", "dependence", numbered=False) if writer.medium == "screen" else (),
        "tables": list(_tables(writer)) if writer.medium == "screen" else [],
    }
    return SectionView(heading, "conclusions", view)


def _groups(writer: Writer, found: Sequence[Finding]) -> Iterator[tuple[str, tuple[Markup, ...]]]:
    """Yield the three groups of findings: as the original said, not as it said, and open."""
    decided: tuple[Outcome, ...] = ("reproduced", "not_reproduced")
    for outcome in decided:
        yield writer.word(FINDINGS.groups[outcome]), group_sentences(writer, found, outcome)
    yield writer.word(FINDINGS.groups["inconclusive"]), open_sentences(writer, found)


def single_timings(writer: Writer) -> dict[str, TimingRow]:
    """Return the timings of trainings on one device, by trial."""
    return {row.trial: row for row in writer.results.timing if row.replicas == 1}


def _tables(writer: Writer) -> Iterator[Table]:
    """Yield the views over all trials, which stand folded on the screen."""
    yield _costs_table(writer)
    yield from _spread_tables(writer)


def _costs_table(writer: Writer) -> Table:
    """Return what each network costs in parameters, operations, time and memory."""
    timing = single_timings(writer)
    rows = (
        writer.row(
            writer.trial_title(trial.id),
            *map(writer.cell, (trial.primary.datum, trial.costs.parameters, trial.costs.macs)),
            writer.cell(clock.images_per_second if (clock := timing.get(trial.id)) else None, none=NOT_TIMED),
            writer.cell(clock.peak_memory if clock else None, none=NOT_TIMED),
            trial.original_seconds,
        )
        for trial in writer.results.trials
        if trial.costs is not None
    )
    columns = writer.columns(
        "Trial | Test accuracy | Parameters | Multiply-accumulates | Images/s | Memory (MiB) | Original seconds"
    )
    return writer.table(
        "costs", writer.sentence("What each network costs"), columns, rows, style="wide", numbered=False
    )


def _spread_tables(writer: Writer) -> Iterator[Table]:
    """Yield where the spread between runs comes from, and what choosing weights changes."""
    results = writer.results
    if results.variance:
        rows = [(writer.trial_title(row.trial), row.observed, row.sampling, row.seed_share) for row in results.variance]
        columns = writer.columns(
            "Trial | Between seeds (points) | By other test images (points) | Seeds' share of the variance"
        )
        caption = writer.sentence(SAY.variance_caption)
        yield writer.table("variance", caption, columns, rows, numbered=False)
    if results.weights:
        rows = [
            (writer.trial_title(row.trial, row.stage), row.last, row.best, row.difference) for row in results.weights
        ]
        columns = writer.columns("Trial | Last epoch | Best validation epoch | Difference (points)")
        caption = writer.sentence(SAY.weights_caption)
        yield writer.table("weights", caption, columns, rows, numbered=False)
