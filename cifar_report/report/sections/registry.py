"""The claims as they were fixed, and their verdicts under other choices."""

from __future__ import annotations

from typing import Literal

from markupsafe import Markup

from cifar_report.analysis.results import Sensitivity, Verdict
from cifar_report.report import names
from cifar_report.report.elements import Cell, Column, Row, Table
from cifar_report.report.i18n import mark
from cifar_report.report.sections import tables
from cifar_report.report.text.verdicts import claim_link
from cifar_report.report.writer import Writer

REGISTRY = mark("The claims, as the bundle records them")
REGISTRY_CHANGED = mark("The claims, as the bundle records them; some were changed after runs had been trained")
NOT_VARIED = mark("this choice does not arise for the claim")
SINGLE_CHOICES: tuple[Literal["margin_halved", "margin_doubled", "welch", "sign_flip"], ...] = (
    "margin_halved",
    "margin_doubled",
    "welch",
    "sign_flip",
)


def sensitivity_table(writer: Writer) -> Table | None:
    """Return one row for each claim that has something to vary: the verdict under each other choice."""
    rows = [_varied(writer, verdict) for verdict in writer.results.verdicts if verdict.sensitivity]
    if not rows:
        return None
    choices = [writer.translation.plain(names.SENSITIVITIES[kind], {}) for kind in SINGLE_CHOICES]
    heads = (
        *tables.columns(writer, mark("Claim"), mark("Verdict"), words=2),
        *(Column(choice) for choice in choices),
        Column(writer.word(mark("Changed by leaving out seed"))),
    )
    caption = writer.say(mark("Verdicts under other choices; p-values in brackets are not corrected"))
    return writer.table("sensitivity", caption, heads, rows, style="wide")


def _varied(writer: Writer, verdict: Verdict) -> Row:
    varied = {entry.kind: entry for entry in verdict.sensitivity if entry.kind != "without_seed"}
    single = [_choice(writer, varied.get(kind)) for kind in SINGLE_CHOICES]
    left_out = [entry for entry in verdict.sensitivity if entry.kind == "without_seed"]
    changing = [writer.numbers.integer(entry.seed or 0) for entry in left_out if entry.changes]
    seeds = writer.numbers.enumeration(changing) if changing else writer.word(mark("none of them"))
    last = writer.text_cell(seeds) if left_out else writer.no_cell(NOT_VARIED)
    first = writer.text_cell(claim_link(verdict.id))
    return writer.row((first, writer.text_cell(writer.word(names.OUTCOMES[verdict.outcome])), *single, last))


def _choice(writer: Writer, entry: Sensitivity | None) -> Cell:
    if entry is None:
        return writer.no_cell(NOT_VARIED)
    name = writer.word(names.OUTCOMES[entry.outcome])
    text = name if entry.p is None else f"{name} ({writer.numbers.p_value(entry.p)})"
    return writer.text_cell(Markup("<strong>{}</strong>").format(text) if entry.changes else text)


def registry_table(writer: Writer) -> Table | None:
    """Return the claims with subject, comparator, relation, margin and family."""
    if not writer.bundle.claims:
        return None
    alone = mark("stands alone")
    margins = {verdict.id: verdict.margin for verdict in writer.results.verdicts}
    rows = []
    for claim in writer.bundle.claims:
        family = writer.text_cell(writer.word(names.FAMILIES[claim.family] if claim.family else alone))
        comparator = claim.comparator
        cells = (
            writer.text_cell(claim_link(claim.id)),
            writer.text_cell(writer.word(names.QUANTITIES[claim.quantity])),
            writer.text_cell(writer.trial_title(claim.subject.trial, claim.subject.stage)),
            writer.text_cell(writer.trial_title(comparator.trial, comparator.stage))
            if comparator
            else writer.no_cell(mark("an absolute claim has no comparator")),
            writer.text_cell(writer.word(names.RELATIONS[claim.relation])),
            writer.cell(margins.get(claim.id), none=mark("exact, or a factor: no margin")),
            family,
        )
        rows.append(writer.row(cells))
    heads = (
        *tables.columns(writer, mark("Claim"), mark("Quantity"), mark("Subject"), mark("Comparator"), words=4),
        *tables.columns(writer, mark("Relation"), mark("Margin")),
        Column(writer.word(mark("Family"))),
    )
    changed = writer.bundle.record.claims_changed
    caption = writer.say(REGISTRY_CHANGED if changed else REGISTRY)
    return writer.table("registry", caption, heads, rows, style="wide")
