"""The compact table of all claims and their verdicts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from markupsafe import Markup

from cifar_report.analysis.results import Outcome, Verdict
from cifar_report.report import names
from cifar_report.report.elements import Cell, Column, Row, Table
from cifar_report.report.i18n import mark
from cifar_report.report.sections.view import SectionView
from cifar_report.report.text.summary import tally
from cifar_report.report.text.verdicts import claim_link
from cifar_report.report.writer import Writer

EXACT = mark("counted, so there is no test")
EXACT_MARGIN = mark("counted, so there is no margin")
ONSET_MARGIN = mark("one epoch to either side of the stated one")
ONSET_TEST = mark("an exact binomial test decides, without a p-value of its own")
ONSET_ORIGINAL = mark("the original's is the stated epoch itself, and no share of seeds")
NOT_TESTED = mark("not tested: the verdict says why")
CAPTION = mark("All claims and their verdicts")
CAPTION_CHANGED = mark("All claims and their verdicts, some changed after runs had been trained")
COLUMNS_EXPLAINED = mark(
    "n counts seeds, for times blocks of the timing pass, and test images where two classifiers without seeds are "
    "compared. Estimates, margins and originals of accuracies and gaps are points, of times ratios with margins in per "
    "cent or as a factor, of an onset shares of the seeds; the two-sided intervals are not corrected. p is that "
    "of the claimed side (of an improvement for “not better”), corrected within its family "
    "where the claim belongs to one; where a claim is not reproduced because the other side was found, it is large."
)
OUTSIDE = mark("An original in brackets lies outside our 95%% prediction interval.")
NONE_OUTSIDE = mark("No original lies outside our 95%% prediction interval, where it was held against one.")
SHOWN_ONLY = mark(
    "The original's numbers are shown and not held against ours, which these data or this profile forbid."
)


@dataclass(frozen=True)
class Tally:
    """How many claims have one outcome."""

    outcome: Outcome
    name: str
    count: str


@dataclass(frozen=True)
class VerdictsView:
    """The tally, how to read the table's columns, and the table of all claims."""

    tally: tuple[Tally, ...]
    notes: tuple[Markup, ...]
    table: Table | None


def build(writer: Writer) -> SectionView:
    """Return the section with the verdicts of all claims."""
    heading = writer.heading("verdicts", writer.word(mark("All claims and their verdicts")), 2)
    counts = tuple(
        Tally(outcome, writer.word(names.OUTCOMES[outcome]), writer.numbers.integer(count))
        for outcome, count in tally(writer.results.verdicts).items()
    )
    table = _table(writer) if writer.results.verdicts else None
    notes = tuple(_notes(writer)) if table is not None else ()
    return SectionView(heading, "verdicts", VerdictsView(counts, notes, table))


def _notes(writer: Writer) -> Iterator[Markup]:
    """Yield how the columns are read; of the original only what the table really shows."""
    yield writer.say(COLUMNS_EXPLAINED)
    shown = [verdict for verdict in writer.results.verdicts if _has_original(verdict)]
    held = [verdict.original_inside for verdict in shown if verdict.original_inside is not None]
    if held:
        yield writer.say(NONE_OUTSIDE if all(held) else OUTSIDE)
    elif shown and not writer.results.scope.absolutes:
        yield writer.say(SHOWN_ONLY)


def _table(writer: Writer) -> Table:
    heads = (
        Column(writer.word(mark("Claim")), whole=True),
        Column(writer.word(mark("What it says"))),
        Column(writer.word(mark("Verdict")), whole=True),
        Column(writer.word(mark("n")), numeric=True),
        Column(writer.word(mark("Estimate [95% interval]")), numeric=True, whole=True),
        Column(writer.word(mark("Margin")), numeric=True),
        Column(writer.word(mark("p")), numeric=True),
        Column(writer.word(mark("Original")), numeric=True),
    )
    rows = [_row(writer, verdict) for verdict in writer.results.verdicts]
    caption = writer.say(CAPTION_CHANGED if writer.bundle.record.claims_changed else CAPTION)
    return writer.table("verdicts", caption, heads, rows, style="wide verdicts")


def badge(writer: Writer, outcome: Outcome) -> Markup:
    """Return an outcome's name as a mark that does without colour."""
    return Markup('<span class="badge badge-{}">{}</span>').format(outcome, writer.word(names.OUTCOMES[outcome]))


def _row(writer: Writer, verdict: Verdict) -> Row:
    cells = (
        writer.text_cell(claim_link(verdict.id)),
        writer.text_cell(writer.translation.text(verdict.claim.statement)),
        writer.text_cell(badge(writer, verdict.outcome)),
        writer.count_cell(verdict.n),
        writer.cell(verdict.estimate, interval=True),
        writer.cell(verdict.margin, none=ONSET_MARGIN if verdict.claim.relation == "onset" else EXACT_MARGIN),
        writer.cell(verdict.p_corrected or verdict.p, none=_no_test(verdict)),
        _original(writer, verdict),
    )
    return writer.row(cells, outcome=verdict.outcome)


def _no_test(verdict: Verdict) -> str:
    if verdict.claim.relation == "exact":
        return EXACT
    tested = verdict.test is not None
    return ONSET_TEST if verdict.claim.relation == "onset" and tested else NOT_TESTED


def _has_original(verdict: Verdict) -> bool:
    return verdict.original is not None and verdict.claim.relation != "onset"


def _original(writer: Writer, verdict: Verdict) -> Cell:
    if verdict.claim.relation == "onset" and verdict.original is not None:
        return writer.cell(None, none=ONSET_ORIGINAL)
    cell = writer.cell(verdict.original)
    if verdict.original is None or verdict.original_inside is not False:
        return cell
    return Cell(Markup("({})").format(cell.content), numeric=True)
