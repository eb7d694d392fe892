"""The compact table of all claims and their verdicts."""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup

from cifar_report.analysis.results import Outcome, Verdict
from cifar_report.rendering import names
from cifar_report.rendering.elements import Cell, Column, Row, Table
from cifar_report.rendering.i18n import mark
from cifar_report.rendering.prose.summary import tally
from cifar_report.rendering.prose.verdicts import claim_link
from cifar_report.rendering.sections.view import SectionView
from cifar_report.rendering.writer import Writer

NO_ESTIMATE = mark("nothing to estimate: see the verdict")
EXACT = mark("counted, so there is no test")
CAPTION = mark(
    "All claims and their verdicts; p is that of the claimed side, corrected within its family where the claim belongs "
    "to one, and an original in brackets lies outside our 95%% prediction interval"
)
CAPTION_CHANGED = mark(
    "All claims and their verdicts, some changed after runs had been trained; p is that of the claimed side, corrected "
    "within its family where the claim belongs to one, and an original in brackets lies outside our 95%% prediction "
    "interval"
)


@dataclass(frozen=True)
class Tally:
    """How many claims have one outcome."""

    outcome: Outcome
    name: str
    count: str


@dataclass(frozen=True)
class VerdictsView:
    """The tally and the table of all claims."""

    tally: tuple[Tally, ...]
    table: Table | None


def build(writer: Writer) -> SectionView:
    """Return the section with the verdicts of all claims."""
    heading = writer.heading("verdicts", writer.word(mark("All claims and their verdicts")), 2)
    counts = tuple(
        Tally(outcome, writer.word(names.OUTCOMES[outcome]), writer.numbers.integer(count))
        for outcome, count in tally(writer.results.verdicts).items()
    )
    table = _table(writer) if writer.results.verdicts else None
    return SectionView(heading, "verdicts", VerdictsView(counts, table))


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
        writer.text_cell(claim_link(verdict.id, verdict.id)),
        writer.text_cell(writer.translation.text(verdict.claim.statement)),
        writer.text_cell(badge(writer, verdict.outcome)),
        writer.count_cell(verdict.n),
        writer.cell(verdict.estimate, interval=True),
        writer.cell(verdict.margin, none=EXACT),
        writer.cell(verdict.p_corrected or verdict.p, none=EXACT),
        _original(writer, verdict),
    )
    return writer.row(cells, outcome=verdict.outcome)


def _original(writer: Writer, verdict: Verdict) -> Cell:
    cell = writer.cell(verdict.original)
    if verdict.original is None or verdict.original_inside is not False:
        return cell
    return Cell(Markup("({})").format(cell.content), numeric=True)
