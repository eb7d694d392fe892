"""How to read the verdicts: what each means, and by which margins claims are judged."""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup

from cifar_report.analysis.results import Outcome
from cifar_report.analysis.values import ACCURACY_LEVEL
from cifar_report.report import names
from cifar_report.report.elements import Column, Table
from cifar_report.report.i18n import mark
from cifar_report.report.sections.view import SectionView
from cifar_report.report.writer import Writer
from cifar_report.spec import Claim, Quantity, Relation

FIXED = mark("By the record of this bundle, all of this was written down before its first run was trained.")
CHANGED = mark("In this bundle some of it was changed after runs had been trained, which weakens every verdict.")
LEVEL = mark(
    "“The fixed validation accuracy” that a network is said to reach is %(level)s%%. The epoch of its least validation "
    "loss is looked for in the running median of three epochs, so that one lucky epoch does not decide."
)
HELD_AGAINST = mark(
    "Next to each verdict stands whether the write-up's own number lies where one more run of ours would be expected, "
    "in the 95%% prediction interval; with few seeds that range is wide, and lying inside it says little."
)
SHOWN_ONLY = mark(
    "The write-up's own numbers are shown beside the verdicts and not held against ours: that needs the canonical "
    "pixels and the full profile, and this report does not have both."
)
CAPTION = mark("The kinds of claims, and the margins by which they are judged")
CAPTION_CHANGED = mark(
    "The kinds of claims, and the margins by which they are judged; some were changed after runs had been trained"
)


EXACT_MARGIN = mark("a relation of counts has no margin; a quarter means a ratio within a factor of 1.25 of it")
ONSET_MARGIN = mark("one epoch to either side of the stated one, in more than half of all cases")


@dataclass(frozen=True)
class Meaning:
    """A verdict, its name and what it means."""

    outcome: Outcome
    name: str
    text: str


@dataclass(frozen=True)
class ReadingView:
    """The section that explains the verdicts."""

    fixed: Markup
    original: Markup
    level: Markup
    meanings: tuple[Meaning, ...]
    margins: Table | None


def build(writer: Writer) -> SectionView:
    """Return the section; its table of margins comes from the claims themselves."""
    heading = writer.heading("reading", writer.word(mark("How to read the verdicts")), 2)
    meanings = tuple(
        Meaning(outcome, writer.word(name), writer.word(names.OUTCOME_MEANINGS[outcome]))
        for outcome, name in names.OUTCOMES.items()
    )
    original = writer.say(HELD_AGAINST if writer.results.scope.absolutes else SHOWN_ONLY)
    view = ReadingView(_fixed(writer), original, _level(writer), meanings, _margins(writer))
    return SectionView(heading, "reading", view)


def _fixed(writer: Writer) -> Markup:
    return writer.say(CHANGED if writer.bundle.record.claims_changed else FIXED)


def _level(writer: Writer) -> Markup:
    return writer.say(LEVEL, level=writer.numbers.bare(ACCURACY_LEVEL, "share", trimmed=True))


def _margins(writer: Writer) -> Table | None:
    kinds = sorted({_kind(claim) for claim in writer.bundle.claims}, key=str)
    if not kinds:
        return None
    margins = {verdict.claim.id: verdict.margin for verdict in writer.results.verdicts}
    rows = []
    for kind in kinds:
        claims = [claim for claim in writer.bundle.claims if _kind(claim) == kind]
        shown = {writer.numbers.quantity(datum) for claim in claims if (datum := margins.get(claim.id))}
        margin = (
            writer.text_cell(", ".join(sorted(shown)))
            if shown
            else writer.no_cell(ONSET_MARGIN if kind[1] == "onset" else EXACT_MARGIN)
        )
        quantity, relation = kind
        cells = (
            writer.text_cell(writer.word(names.QUANTITIES[quantity])),
            writer.text_cell(writer.word(names.RELATIONS[relation])),
            margin,
            writer.count_cell(len(claims)),
        )
        rows.append(writer.row(cells))
    columns = (
        Column(writer.word(mark("Quantity"))),
        Column(writer.word(mark("Claimed relation"))),
        Column(writer.word(mark("Margin"))),
        Column(writer.word(mark("Claims")), numeric=True),
    )
    caption = writer.say(CAPTION_CHANGED if writer.bundle.record.claims_changed else CAPTION)
    return writer.table("margins", caption, columns, rows)


def _kind(claim: Claim) -> tuple[Quantity, Relation]:
    return claim.quantity, claim.relation
