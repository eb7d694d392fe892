"""The tables of claims: all verdicts, the margins, the verdicts under other choices, and the registry."""

from markupsafe import Markup

from cifar_report.analysis.results import Sensitivity, SensitivityKind, Verdict
from cifar_report.report import names
from cifar_report.report.elements import Cell, Row, SectionView, Table, claim_link
from cifar_report.report.i18n import load_messages, mark
from cifar_report.report.sections.experiments import experiment_numbers
from cifar_report.report.text.conclusions import tally
from cifar_report.report.writer import Writer

SAY = load_messages("sections")

SINGLE_CHOICES: tuple[SensitivityKind, ...] = (
    *("margin_halved", "margin_doubled", "trimmed_mean", "missing_seed", "sign_flip"),
)
SIGNS = {"greater": ">", "less": "<", "not_better": "≤", "equal": "≈", "ratio": "≈", "value": "≈", "onset": "≈"}
EXACT_SIGNS = {"equal": "=", "less": "<", "greater": ">", "quarter": "≈"}
QUARTER = 0.25
WIDTHS = (4.0, 17.0, 33.4, 10.6, 13.2, 4.2, 4.8, 4.4, 4.2, 4.2)  # of the printed table, in hundredths


def verdicts(writer: Writer) -> SectionView:
    """Return the section with the verdicts of all claims."""
    heading = writer.heading("verdicts", writer.word("All claims"), 2)
    found = writer.results.verdicts
    originals = [verdict for verdict in found if verdict.original is not None and verdict.claim.relation != "onset"]
    inside = [verdict.original_inside for verdict in originals if verdict.original_inside is not None]
    view = {
        "tally": [
            (outcome, writer.badge(outcome, writer.word(names.EITHER[outcome])), writer.numbers.integer(count))
            for outcome, count in tally(found).items()
        ],
        "compared": bool(inside),  # originals with our prediction intervals
        "all_inside": all(inside),
        "table": _verdicts_table(writer) if found else None,
        "statements": _statements_table(writer) if writer.results.statements and writer.medium == "screen" else None,
    }
    return SectionView(heading, "verdicts", view)


def _statements_table(writer: Writer) -> Table:
    """Return how many statements of each kind are reproduced whole, in part or not at all, and their tests."""
    rows = []
    for kind in writer.results.statements:
        counts = dict(kind.tests)
        untested = counts["not_run"] + counts["not_testable"]
        tests = (sum(counts.values()), counts["reproduced"], counts["not_reproduced"], counts["inconclusive"], untested)
        name = writer.word(names.STATEMENT_KINDS[kind.kind])
        rows.append((name, kind.statements, kind.all, kind.some, kind.none, *tests))
    columns = writer.columns(
        "Claims | Number | Hold in all tests | In some | In none | Tests | Reproduced or supported | Contradicted | "
        "Inconclusive | Not run or not testable"
    )
    return writer.table("statements", writer.sentence(SAY.statements), columns, rows, numbered=False)


def _caption(writer: Writer, table: str) -> Markup:
    texts = SAY.captions_changed if writer.bundle.record.claims_changed else SAY.captions
    return writer.sentence(texts[table])


def _verdicts_table(writer: Writer) -> Table:
    """Return all claims, section by section."""
    numbers = experiment_numbers(writer)
    rows = [
        _verdict_row(writer, writer.results.verdict(claim.id), numbers[experiment.id], f"#experiment-{experiment.id}")
        for experiment in sorted(writer.bundle.record.experiments, key=lambda each: list(numbers).index(each.id))
        for claim in experiment.claims
        if writer.medium == "screen" or writer.results.verdict(claim.id).outcome != "not_run"
    ]
    columns = (
        *writer.columns("Section | Claim | What it says | Verdict", words=4),
        *writer.columns("Estimate [interval] | Margin | p | n | Seeds needed | Original", words=0),
    )
    return writer.table("verdicts", _caption(writer, "verdicts"), columns, rows, style="wide verdicts", widths=WIDTHS)


def _verdict_row(writer: Writer, verdict: Verdict, number: str, anchor: str) -> Row:
    onset, exact = verdict.claim.relation == "onset", verdict.claim.relation == "exact"
    counts = [each for each in (verdict.n, verdict.n_comparator) if each is not None]
    needed = names.seeds_needed(verdict, writer.numbers)
    return writer.row(
        Cell(Markup('<a href="{}">{}</a>').format(anchor, number)),
        claim_link(verdict.id),
        Cell(notation(writer, verdict)),
        Cell(writer.verdict_badge(verdict)),
        writer.cell(verdict.estimate, interval=True),
        writer.cell(verdict.margin, none=SAY.onset_margin if onset else SAY.exact_margin),
        writer.cell(verdict.p_corrected or verdict.p, none=SAY.exact if exact else SAY.not_tested),
        Cell(Markup(" + ").join(map(writer.numbers.integer, counts)), numeric=True),
        Cell(Markup.escape(needed), numeric=True) if needed else writer.empty_cell(SAY.not_needed, numeric=True),
        _original(writer, verdict),
        outcome=verdict.outcome,
    )


def notation(writer: Writer, verdict: Verdict) -> Markup:
    """Return a claim in short: its quantity, its two sides and the relation between them."""
    claim = verdict.claim
    first = writer.trial_title(claim.subject.trial, claim.subject.stage)
    second = "" if claim.comparator is None else writer.trial_title(claim.comparator.trial, claim.comparator.stage)
    if second and claim.comparator_quantity is not None and claim.comparator == claim.subject:
        second = writer.word(names.QUANTITIES[claim.comparator_quantity])
    sign = EXACT_SIGNS[claim.exact_relation] if claim.exact_relation else SIGNS[claim.relation]
    stated = "" if verdict.stated is None else writer.numbers.number(verdict.stated)
    if claim.exact_relation == "quarter":
        stated = writer.numbers.bare(QUARTER, "ratio")
    if second and stated:
        first, second = f"{first} / {second}", stated
    quantity = writer.word(names.QUANTITIES[claim.quantity])
    return Markup('<span class="quantity">{}:</span> {} {} {}').format(quantity, first, sign, second or stated)


def _original(writer: Writer, verdict: Verdict) -> Cell:
    if verdict.claim.relation == "onset" and verdict.original is not None:
        return writer.cell(None, none=SAY.onset_original)
    cell = writer.cell(verdict.original)
    outside = verdict.original is not None and verdict.original_inside is False
    return Cell(Markup("({})").format(cell.content), numeric=True) if outside else cell


def margins(writer: Writer) -> Markup:
    """Return the margins of each quantity, as a list in a sentence."""
    found: dict[str, dict[str, None]] = {}
    for verdict in writer.results.verdicts:
        if verdict.margin is not None:
            shown = found.setdefault(names.QUANTITIES[verdict.claim.quantity], {})
            form = SAY.factor if verdict.claim.relation == "ratio" else "%(margin)s"
            shown[writer.sentence(form, margin=writer.numbers.quantity(verdict.margin))] = None
    parts = [
        Markup("{} {}").format(writer.word(quantity), writer.numbers.enumeration(list(shown)))
        for quantity, shown in found.items()
    ]
    return Markup("; ").join(parts)


def sensitivity_table(writer: Writer) -> Table | None:
    """Return one row for each claim that has something to vary: the verdict under each other choice."""
    rows = [_varied(writer, verdict) for verdict in writer.results.verdicts if verdict.sensitivity]
    if not rows:
        return None
    columns = (
        *writer.columns("Claim | Verdict", words=2),
        *writer.columns(" | ".join(names.SENSITIVITIES[kind] for kind in SINGLE_CHOICES), words=4),
        *writer.columns("Changed by leaving out a run"),
        *writer.columns("Pairs of networks that differ (McNemar)", words=0),
    )
    caption = writer.sentence("Verdicts under other choices; p-values in brackets are not corrected")
    return writer.table("sensitivity", caption, columns, rows, style="wide")


def _varied(writer: Writer, verdict: Verdict) -> Row:
    single: dict[SensitivityKind, Sensitivity] = {}
    for entry in verdict.sensitivity:  # where a missing seed is tried at both ends, one that changes the verdict counts
        if entry.kind not in single or entry.changes:
            single[entry.kind] = entry
    without = [entry for entry in verdict.sensitivity if entry.kind == "without_run"]
    changing = [_left_out(writer, entry) for entry in without if entry.changes]
    seeds = writer.numbers.enumeration(changing) if changing else writer.word("none of them")
    return writer.row(
        claim_link(verdict.id),
        writer.word(names.OUTCOMES[verdict.outcome]),
        *(_choice(writer, single.get(kind)) for kind in SINGLE_CHOICES),
        seeds if without else writer.empty_cell(SAY.not_varied),
        writer.cell(None if verdict.networks is None else verdict.networks.apart, none=SAY.not_varied),
    )


def _left_out(writer: Writer, entry: Sensitivity) -> str:
    seed = writer.numbers.integer(entry.seed or 0)
    return seed if entry.trial is None else f"{writer.trial_title(entry.trial)}: {seed}"


def _choice(writer: Writer, entry: Sensitivity | None) -> Cell:
    if entry is None:
        return writer.empty_cell(SAY.not_varied)
    name = writer.word(names.OUTCOMES[entry.outcome])
    text = name if entry.p is None else f"{name} ({writer.numbers.p_value(entry.p)})"
    return writer.cell(Markup("<strong>{}</strong>").format(text) if entry.changes else text)


def registry_table(writer: Writer) -> Table | None:
    """Return the claims with subject, comparator, relation, margin and family."""
    if not writer.bundle.claims:
        return None
    margins = {verdict.id: verdict.margin for verdict in writer.results.verdicts}
    rows = []
    for claim in writer.bundle.claims:
        comparator = claim.comparator
        rows.append(
            (
                claim_link(claim.id),
                writer.word(names.QUANTITIES[claim.quantity]),
                writer.trial_title(claim.subject.trial, claim.subject.stage),
                writer.trial_title(comparator.trial, comparator.stage)
                if comparator
                else writer.empty_cell(mark("an absolute claim has no comparator")),
                writer.word(names.RELATIONS[claim.relation]),
                writer.cell(margins.get(claim.id), none=mark("exact, or a factor: no margin")),
                writer.word(names.FAMILIES[claim.family] if claim.family else mark("stands alone")),
            )
        )
    columns = (
        *writer.columns("Claim | Quantity | Subject | Comparator", words=4),
        *writer.columns("Relation | Margin"),
        *writer.columns("Family"),
    )
    return writer.table("registry", _caption(writer, "registry"), columns, rows, style="wide")
