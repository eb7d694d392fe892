"""The conclusions: every claim by its verdict, and what all trials together say."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from markupsafe import Markup

from cifar_report.analysis.results import ChangeKind, Outcome, TimingRow
from cifar_report.report.elements import FigureView, SectionView, Table, claim_link
from cifar_report.report.i18n import load_messages, mark
from cifar_report.report.text import conclusions
from cifar_report.report.text.verdicts import verdict_sentence
from cifar_report.report.writer import Writer

SAY = load_messages("conclusions")
DETAILED: frozenset[Outcome] = frozenset({"reproduced", "not_reproduced", "inconclusive"})
LONG_LIST = 8  # claims that a sentence can name; more are looked up in the tables
NEEDS: frozenset[ChangeKind] = frozenset(
    {"more_seeds", "canonical_pixels", "timing_pass", "full_profile", "real_data", "missing_runs"}
)
NOT_TIMED = mark("not part of the timing pass, or the pass was not run")
TIED, NOT_TIED = mark("tied"), mark("not tied")


def build(writer: Writer) -> SectionView:
    """Return the conclusions; each is generated from a verdict or from a view over all trials."""
    heading = writer.heading("conclusions", writer.word("Conclusions"), 2)
    groups = list(_groups(writer))
    return SectionView(heading, "conclusions", {"groups": groups, "topics": list(_topics(writer))})


def _groups(writer: Writer) -> Iterator[tuple[Markup, list[tuple[Markup, str, Markup | None]]]]:
    """Yield for each outcome a title and its claims: link, statement and the sentence of the verdict."""
    for outcome, forms in SAY.groups.items():
        verdicts = [verdict for verdict in writer.results.verdicts if verdict.outcome == outcome]
        points = [
            (
                claim_link(verdict.id),
                writer.translation.text(verdict.claim.statement),
                verdict_sentence(writer, verdict) if outcome in DETAILED else None,
            )
            for verdict in verdicts
        ]
        if points:
            yield writer.plural(forms, len(points)), points


def _topics(writer: Writer) -> Iterator[dict[str, object]]:
    """Yield views over all trials, each with its sentences, figures and tables."""
    results = writer.results

    def topic(
        anchor: str,
        title: str,
        sentences: Iterable[Markup],
        tables: Iterable[Table] = (),
        figures: Iterable[FigureView] = (),
    ) -> dict[str, object]:
        heading = writer.heading(anchor, title, 3)
        return {"heading": heading, "sentences": list(sentences), "tables": list(tables), "figures": list(figures)}

    ranking = (_ranking_table(writer) for _ in results.ranking[:1])
    title = writer.word("Order of all trials")
    yield topic("ranking", title, conclusions.ranking(writer), ranking, writer.group("overview"))
    studies = conclusions.study_sentences(writer)
    if studies:
        yield topic("studies", writer.word("What the studies of single settings say"), studies)
    title = writer.word("Accuracy and cost")
    yield topic("costs", title, conclusions.fronts(writer), [_costs_table(writer)], writer.group("timing"))
    ablation = (_ablation_table(writer) for _ in results.ablation[:1])
    yield topic("confounding", writer.word("As written, and by one change"), conclusions.confounding(writer), ablation)
    title = writer.word("Spread between runs, and choice of weights")
    yield topic("spread", title, conclusions.spread(writer), _spread_tables(writer))
    yield topic("changes", writer.word("What would change these conclusions"), _changes(writer))


def _changes(writer: Writer) -> Iterator[Markup]:
    kinds: dict[ChangeKind, dict[str, None]] = {}
    for change in writer.results.changes_of_mind:
        kinds.setdefault(change.kind, {})[change.claim] = None
    if not kinds:
        yield writer.sentence(
            "Neither half nor twice the margin, one run less nor the trimmed mean would change a verdict."
        )
    for kind, claims in kinds.items():
        anchor = "verdicts" if kind in NEEDS or writer.medium == "print" else "appendix-sensitivity"
        table = Markup('<a class="reference" href="#{}">{}</a>').format(anchor, writer.word("see the table"))
        links = writer.enumeration([claim_link(claim) for claim in claims]) if len(claims) <= LONG_LIST else table
        yield writer.plural(SAY.changes[kind], len(claims), claims=links)


def single_timings(writer: Writer) -> dict[str, TimingRow]:
    """Return the timings of trainings on one device, by trial."""
    return {row.trial: row for row in writer.results.timing if row.replicas == 1}


def _ranking_table(writer: Writer) -> Table:
    """Return all trials by their mean accuracy, with those that are tied with the first."""
    rows = [
        (
            row.place,
            writer.trial_title(row.trial),
            len(writer.results.trial(row.trial).primary.values),
            writer.cell(row.accuracy, interval=True),
            writer.empty_cell(SAY.ties_need) if row.tied is None else writer.word(TIED if row.tied else NOT_TIED),
        )
        for row in writer.results.ranking
    ]
    columns = (
        *writer.columns("Place", words=0),
        *writer.columns("Trial | Runs | Test accuracy [95% interval]"),
        *writer.columns("Tied with the first"),
    )
    caption = writer.sentence(SAY.ranking_caption)
    return writer.table("ranking", caption, columns, rows)


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
    return writer.table("costs", writer.sentence("What each network costs"), columns, rows, style="wide")


def _ablation_table(writer: Writer) -> Table:
    """Return every trial as the write-up compared it and by one change, side by side."""
    none = writer.empty_cell(SAY.no_comparison), *[writer.empty_cell(SAY.no_comparison, numeric=True)] * 2
    rows = []
    for row in writer.results.ablation:
        pairs = [
            (
                writer.trial_title(comparison.comparator),
                writer.cell(comparison.difference, interval=True),
                len(comparison.changes),
            )
            if comparison
            else none
            for comparison in (row.as_written, row.one_change)
        ]
        rows.append((writer.trial_title(row.trial), *pairs[0], *pairs[1]))
    columns = (
        *writer.columns("Trial | As written against | Points | Changes", words=2),
        *writer.columns("By one change against | Points | Changes"),
    )
    caption = writer.sentence(SAY.ablation_caption)
    return writer.table("ablation", caption, columns, rows, style="wide")


def _spread_tables(writer: Writer) -> Iterator[Table]:
    """Yield where the spread between runs comes from, and what choosing weights changes."""
    results = writer.results
    if results.variance:
        rows = [(writer.trial_title(row.trial), row.observed, row.sampling, row.seed_share) for row in results.variance]
        columns = writer.columns(
            "Trial | Between seeds (points) | By other test images (points) | Seeds' share of the variance"
        )
        caption = writer.sentence(SAY.variance_caption)
        yield writer.table("variance", caption, columns, rows)
    if results.weights:
        rows = [
            (writer.trial_title(row.trial, row.stage), row.last, row.best, row.difference) for row in results.weights
        ]
        columns = writer.columns("Trial | Last epoch | Best validation epoch | Difference (points)")
        caption = writer.sentence(SAY.weights_caption)
        yield writer.table("weights", caption, columns, rows)
