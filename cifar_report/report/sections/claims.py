"""The conclusions, and the tables of claims: all verdicts, margins, verdicts under other choices, the registry."""

from markupsafe import Markup

from cifar_report.analysis.results import Outcome, Sensitivity, SensitivityKind, Verdict
from cifar_report.report import names
from cifar_report.report.elements import Cell, Row, SectionView, Table, claim_link
from cifar_report.report.i18n import load_messages, mark
from cifar_report.report.sections import tables
from cifar_report.report.sections.experiments import experiment_numbers
from cifar_report.report.text import conclusions
from cifar_report.report.text.findings import SAY as FINDINGS
from cifar_report.report.text.findings import findings, group_sentences, open_sentences
from cifar_report.report.writer import Writer

SAY = load_messages("sections")

SINGLE_CHOICES: tuple[SensitivityKind, ...] = (
    *("margin_halved", "margin_doubled", "trimmed_mean", "missing_seed", "sign_flip"),
)
EXACT_SIGNS = {"equal": "=", "less": "<", "greater": ">", "quarter": "≈"}
QUARTER = 0.25


def conclude(writer: Writer) -> SectionView:
    """Return the conclusions; each sentence is generated from verdicts, effects or a view over all trials."""
    heading = writer.heading("conclusions", writer.word("Conclusions"), 2)
    found, screen = findings(writer), writer.medium == "screen"
    topics = [
        (writer.word("What surprised"), conclusions.surprises(writer)),
        (writer.word("What one run could not have told"), conclusions.one_run(writer)),
        (writer.word("Cost and studies"), (*conclusions.front(writer), *conclusions.study_sentences(writer))),
        (writer.word("What would change these conclusions"), tuple(conclusions.changes(writer))),
    ]
    decided: tuple[Outcome, ...] = ("reproduced", "not_reproduced")
    groups = [(writer.word(FINDINGS.groups[each]), group_sentences(writer, found, each)) for each in decided]
    view = {
        "groups": [*groups, (writer.word(FINDINGS.groups["inconclusive"]), open_sentences(writer, found))],
        "topics": [(title, sentences) for title, sentences in topics if sentences],
        "figures": writer.group("verdicts", "dead_units"),
        "more": writer.group("effects", "dependence", numbered=False) if screen else (),
        "tables": [tables.costs(writer), *tables.spread(writer)] if screen else [],
    }
    return SectionView(heading, "conclusions", view)


def verdicts(writer: Writer) -> SectionView:
    """Return the section with the verdicts of all claims."""
    heading = writer.heading("verdicts", writer.word("All claims"), 2)
    found = writer.results.verdicts
    originals = [verdict for verdict in found if verdict.original is not None and verdict.claim.relation != "onset"]
    inside = [verdict.original_inside for verdict in originals if verdict.original_inside is not None]
    view = {
        "tally": [
            (outcome, writer.badge(outcome, writer.word(names.EITHER[outcome])), writer.numbers.integer(count))
            for outcome, count in conclusions.tally(found).items()
        ],
        "claims": len(found),
        "own": len(found) - len(writer.results.tallied),
        "compared": bool(inside),  # originals with our prediction intervals
        "all_inside": all(inside),
        "table": _verdicts_table(writer),
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
        name = writer.word(names.WORDS.statement_kinds[kind.kind])
        rows.append((name, kind.statements, kind.all, kind.some, kind.none, *tests))
    return writer.table("statements", rows)


def _verdicts_table(writer: Writer) -> Table | None:
    """Return all claims, section by section, in print those that were tested; None where there is none."""
    numbers = experiment_numbers(writer)
    rows = [
        _verdict_row(writer, writer.results.verdict(claim.id), numbers[experiment.id], experiment.id)
        for experiment in sorted(writer.bundle.record.experiments, key=lambda each: list(numbers).index(each.id))
        for claim in experiment.claims
        if writer.medium == "screen" or writer.results.verdict(claim.id).outcome not in ("not_run", "not_testable")
    ]
    return writer.table("verdicts", rows, caption=_changed(writer, "verdicts")) if rows else None


def _changed(writer: Writer, table: str) -> str:
    """Return a caption that says so where claims were changed, else ""."""
    return str(SAY.captions_changed[table]) if writer.bundle.record.claims_changed else ""


def _verdict_row(writer: Writer, verdict: Verdict, number: str, experiment: str) -> Row:
    onset, exact = verdict.claim.relation == "onset", verdict.claim.relation == "exact"
    needed = names.seeds_needed(verdict, writer.numbers)
    return writer.row(
        *(Markup('<a href="#experiment-{}">{}</a>').format(experiment, number), claim_link(verdict.id)),
        *(notation(writer, verdict), writer.verdict_badge(verdict)),
        writer.cell(verdict.estimate, interval=True),
        writer.cell(verdict.margin, none=SAY.onset_margin if onset else SAY.exact_margin),
        writer.cell(verdict.p_corrected or verdict.p, none=SAY.exact if exact else SAY.not_tested),
        tables.sample_sizes(writer, verdict),
        Cell(Markup.escape(needed), numeric=True) if needed else writer.empty_cell(SAY.not_needed, numeric=True),
        _original(writer, verdict),
        outcome=verdict.outcome,
    )


def notation(writer: Writer, verdict: Verdict) -> Markup:
    """Return a claim in short: its quantity, its two sides and the relation between them."""
    claim = verdict.claim
    first, second = writer.side_title(claim.subject), writer.side_title(claim.comparator)
    if second and claim.comparator_quantity is not None and claim.comparator == claim.subject:
        second = writer.word(names.QUANTITIES[claim.comparator_quantity])
    sign = EXACT_SIGNS[claim.exact_relation] if claim.exact_relation else names.SIGNS[claim.relation]
    stated = "" if verdict.stated is None else writer.numbers.number(verdict.stated)
    if claim.exact_relation == "quarter":
        stated = writer.numbers.bare(QUARTER, "ratio")
    if second and stated:
        first, second = f"{first} / {second}", stated
    quantity = writer.word(names.QUANTITIES[claim.quantity])
    quantity = writer.sentence(SAY.share_of_runs, quantity=quantity) if claim.relation == "onset" else quantity
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
    listed = ((writer.word(quantity), writer.numbers.enumeration(list(shown))) for quantity, shown in found.items())
    return Markup("; ").join(Markup("{} {}").format(*each) for each in listed)


def sensitivity_table(writer: Writer) -> Table | None:
    """Return one row for each claim that has something to vary: the verdict under each other choice."""
    rows = [_varied(writer, verdict) for verdict in writer.results.verdicts if verdict.sensitivity]
    return writer.table("sensitivity", rows) if rows else None


def _varied(writer: Writer, verdict: Verdict) -> Row:
    single: dict[SensitivityKind, Sensitivity] = {}
    for entry in verdict.sensitivity:  # where a missing seed is tried at both ends, one that changes the verdict counts
        if entry.kind not in single or entry.changes:
            single[entry.kind] = entry
    without = [entry for entry in verdict.sensitivity if entry.kind == "without_run"]
    changing = []
    for entry in (each for each in without if each.changes):
        seed = writer.numbers.integer(entry.seed or 0)
        changing.append(seed if entry.trial is None else f"{writer.trial_title(entry.trial)}: {seed}")
    seeds = writer.numbers.enumeration(changing) if changing else writer.word("none of them")
    return writer.row(
        claim_link(verdict.id),
        writer.word(names.OUTCOMES[verdict.outcome]),
        *(_choice(writer, single.get(kind)) for kind in SINGLE_CHOICES),
        seeds if without else writer.empty_cell(SAY.not_varied),
        writer.cell(None if verdict.networks is None else verdict.networks.apart, none=SAY.not_varied),
    )


def _choice(writer: Writer, entry: Sensitivity | None) -> Cell:
    if entry is None:
        return writer.empty_cell(SAY.not_varied)
    name = writer.word(names.OUTCOMES[entry.outcome])
    text = name if entry.p is None else f"{name} ({writer.numbers.p_value(entry.p)})"
    return writer.cell(Markup("<strong>{}</strong>").format(text) if entry.changes else text)


def registry_table(writer: Writer) -> Table | None:
    """Return the claims with subject, comparator, relation, margin and family."""
    margins = {verdict.id: verdict.margin for verdict in writer.results.verdicts}
    rows = []
    for claim in writer.bundle.claims:
        other = writer.side_title(claim.comparator)
        about = (writer.word(names.QUANTITIES[claim.quantity]), writer.side_title(claim.subject))
        none = writer.empty_cell(mark("an absolute claim has no comparator"))
        relation = writer.word(names.RELATIONS[claim.relation])
        margin = writer.cell(margins.get(claim.id), none=mark("exact, or a factor: no margin"))
        family = writer.word(names.FAMILIES[claim.family] if claim.family else mark("stands alone"))
        rows.append((claim_link(claim.id), *about, other or none, relation, margin, family))
    return writer.table("registry", rows, caption=_changed(writer, "registry")) if rows else None
