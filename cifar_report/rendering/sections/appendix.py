"""The appendix: runs, data, sensitivity, environment, determinism and the registry of claims."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from markupsafe import Markup, escape

from cifar_report.analysis.results import Datum, Sensitivity, TrialResult, Verdict
from cifar_report.bundle import Run
from cifar_report.rendering import names
from cifar_report.rendering.elements import Cell, Column, FigureView, Heading, Row, Table
from cifar_report.rendering.i18n import mark
from cifar_report.rendering.prose.verdicts import claim_link
from cifar_report.rendering.sections import tables
from cifar_report.rendering.sections.title import code
from cifar_report.rendering.sections.view import SectionView
from cifar_report.rendering.writer import Writer

MOST_RUN_ROWS = 500  # beyond it, one row a trial
CLASSICAL_RUN = mark("a classifier without training by gradient has none")
FAILED_RUN = mark("the run failed")
ONCE = mark("it has no randomness and runs once")

COUNTED = mark("%(how)s; n = %(count)s")
NOT_VARIED = mark("this choice does not arise for the claim")
SINGLE_CHOICES: tuple[Literal["margin_halved", "margin_doubled", "welch", "sign_flip"], ...] = (
    "margin_halved",
    "margin_doubled",
    "welch",
    "sign_flip",
)

CAUTION = mark("%(what)s %(where)s")
REPEATABLE = mark(
    "Two trainings with the same recipe, seed, data, versions and number of threads on the same type of machine are "
    "meant to agree bit by bit; between instruction sets, thread counts or versions only statistical agreement may be "
    "expected."
)
ONE_ENVIRONMENT = mark("All finished runs come from one environment.")
ENVIRONMENTS = mark(
    "The finished runs come from %(count)s different environments, so bitwise agreement is not claimed."
)
IDENTICAL = mark("Runs with byte-equal predictions: %(runs)s.")


@dataclass(frozen=True)
class AppendixView:
    """The appendix, part by part."""

    runs_heading: Heading
    runs: Table | None
    data_heading: Heading
    sensitivity_heading: Heading
    sensitivity: Table | None
    environment_heading: Heading
    environment: Table
    determinism: tuple[Markup, ...]
    replicas: Table | None
    key_parts: Table | None
    cautions: tuple[Markup, ...]
    registry_heading: Heading
    registry_hash: str
    registry: Table | None
    figures: tuple[FigureView, ...]
    data: Table | None


def build(writer: Writer) -> SectionView:
    """Return the appendix; its table of data holds every number that was linked before, so it comes last."""
    heading = writer.heading("appendix", writer.word(mark("Appendix")), 2)
    title = {
        "runs": mark("Every run"),
        "sensitivity": mark("Sensitivity of the verdicts"),
        "environment": mark("Environment and determinism"),
        "registry": mark("The registry of claims"),
        "data": mark("Every number with its origin"),
    }
    heads = {
        name: writer.heading(f"appendix-{name}", writer.word(text), 3, letter)
        for (name, text), letter in zip(title.items(), "ABCDE", strict=True)
    }
    view = AppendixView(
        runs_heading=heads["runs"],
        runs=_runs(writer),
        sensitivity_heading=heads["sensitivity"],
        sensitivity=_sensitivity(writer),
        environment_heading=heads["environment"],
        environment=_environment(writer),
        determinism=tuple(_determinism(writer)),
        replicas=_replicas(writer),
        key_parts=_key_parts(writer),
        cautions=tuple(_cautions(writer)),
        registry_heading=heads["registry"],
        registry_hash=writer.bundle.record.claims_hash,
        registry=_registry(writer),
        figures=writer.remaining(),
        data_heading=heads["data"],
        data=_data(writer),
    )
    return SectionView(heading, "appendix", view)


def _runs(writer: Writer) -> Table | None:
    runs = writer.bundle.runs
    if not runs:
        return None
    if len(runs) > MOST_RUN_ROWS:
        return _trials(writer)
    heads = tables.columns(
        writer,
        mark("Trial"),
        mark("Seed"),
        mark("Epochs"),
        mark("Best epoch"),
        mark("Training"),
        mark("Validation"),
        mark("Test"),
        mark("Test loss"),
    )
    heads += (Column(writer.word(mark("Key")), whole=True),)
    rows = [_run(writer, run) for run in runs]
    caption = writer.say(
        mark("Every run, after its last stage; the accuracies of failed runs are missing, and their sections say why")
    )
    return writer.table("runs", caption, heads, rows, style="wide runs")


def _run(writer: Writer, run: Run) -> Row:
    seed = writer.cell(None, none=ONCE) if run.seed is None else writer.count_cell(run.seed)
    key = Cell(code(run.key[:8]))
    name = writer.text_cell(writer.trial_title(run.trial.id))
    if not run.done:
        nothing = [writer.cell(None, none=FAILED_RUN)] * 6
        return writer.row((name, seed, *nothing, key), anchor=run_anchor(run.id))
    if run.classical is not None:
        nothing = [writer.cell(None, none=CLASSICAL_RUN)] * 4
        accuracy = _share(writer, run.classical.test_accuracy)
        loss = writer.cell(None, none=CLASSICAL_RUN)
        return writer.row((name, seed, *nothing, accuracy, loss, key), anchor=run_anchor(run.id))
    stage = run.stage()
    scores = writer.results.trial(run.trial.id).stage()
    weights = scores.primary_weights if scores is not None else "last"
    evaluation = stage.evaluation(weights)
    test_loss = evaluation.test.loss
    cells = (
        name,
        seed,
        writer.count_cell(sum(each.epochs for each in run.stages)),
        writer.count_cell(stage.best_epoch),
        _share(writer, evaluation.train.accuracy),
        _share(writer, evaluation.validation.accuracy),
        _share(writer, evaluation.test.accuracy),
        writer.cell(None, none=names.UNDEFINED["not_a_number"])
        if test_loss is None
        else Cell(escape(writer.numbers.bare(test_loss, "loss")), numeric=True),
        key,
    )
    return writer.row(cells, anchor=run_anchor(run.id))


def run_anchor(run_id: str) -> str:
    """Return the HTML id of a run's row."""
    return "run-" + run_id.replace("/", "-")


def run_names(runs: Sequence[str]) -> str:
    """Return runs in short: each trial once, with the first and the last of neighbouring seeds."""
    seeds: dict[str, list[int]] = {}
    for run in runs:
        trial, _, seed = run.partition("/seed-")
        seeds.setdefault(trial, []).extend([int(seed)] if seed.isdigit() else [])
    return ", ".join(f"{trial}/seed-{_ranges(found)}" if found else trial for trial, found in seeds.items())


def _ranges(seeds: list[int]) -> str:
    ordered = sorted(set(seeds))
    whole = len(ordered) > 2 and ordered[-1] - ordered[0] == len(ordered) - 1
    return f"{ordered[0]}…{ordered[-1]}" if whole else "+".join(str(seed) for seed in ordered)


def _share(writer: Writer, value: float) -> Cell:
    return Cell(Markup("{}%").format(writer.numbers.bare(value, "share")), numeric=True)


def _trials(writer: Writer) -> Table:
    """Return one row a trial, for bundles whose runs would fill a book."""
    heads = tables.columns(
        writer, mark("Trial"), mark("Runs"), mark("Failed"), mark("Mean"), mark("Least"), mark("Largest")
    )
    rows = [_trial(writer, trial) for trial in writer.results.trials]
    caption = writer.say(mark("Every trial; its single runs are in the attached numbers"))
    return writer.table("runs", caption, heads, rows)


def _trial(writer: Writer, trial: TrialResult) -> Row:
    values = trial.primary.values
    ends = [
        _share(writer, end(values)) if values else writer.cell(None, none=tables.NOT_FINISHED) for end in (min, max)
    ]
    counts = (writer.count_cell(len(trial.seeds_run)), writer.count_cell(len(trial.failed)))
    return writer.row(
        (writer.text_cell(writer.trial_title(trial.id)), *counts, writer.light_cell(trial.primary.datum), *ends)
    )


def _sensitivity(writer: Writer) -> Table | None:
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
    first = writer.text_cell(claim_link(verdict.id, verdict.id))
    return writer.row((first, writer.text_cell(writer.word(names.OUTCOMES[verdict.outcome])), *single, last))


def _choice(writer: Writer, entry: Sensitivity | None) -> Cell:
    if entry is None:
        return writer.no_cell(NOT_VARIED)
    name = writer.word(names.OUTCOMES[entry.outcome])
    text = name if entry.p is None else f"{name} ({writer.numbers.p_value(entry.p)})"
    return writer.text_cell(Markup("<strong>{}</strong>").format(text) if entry.changes else text)


def _environment(writer: Writer) -> Table:
    environment = writer.bundle.record.environment
    dataset = writer.bundle.record.dataset
    lines: list[tuple[str, str | Markup]] = [
        (mark("Python"), environment.python),
        (mark("Platform"), environment.platform),
        (mark("Processor"), environment.processor),
        (mark("Cores"), writer.numbers.integer(environment.cores)),
        (mark("Memory"), writer.numbers.megabytes(environment.memory_bytes)),
        (mark("Version of this suite"), environment.project_version),
        (mark("Source of the data"), dataset.source),
        (mark("Fingerprint of the data"), code(dataset.fingerprint)),
    ]
    if environment.project_commit:
        lines.append((mark("Commit of this suite"), code(environment.project_commit)))
    rows = [writer.row((writer.text_cell(writer.word(name)), writer.text_cell(value))) for name, value in lines]
    for name, value in sorted(environment.variables.items()):
        rows.append(writer.row((writer.text_cell(code(name)), writer.text_cell(code(value)))))
    heads = (Column(writer.word(mark("What"))), Column(writer.word(mark("Value"))))
    return writer.table("environment", writer.say(mark("Environment of the last pass over the suite")), heads, rows)


def _determinism(writer: Writer) -> Iterator[Markup]:
    found = writer.results.determinism
    yield writer.say(REPEATABLE)
    if found.environments == 1:
        yield writer.say(ONE_ENVIRONMENT)
    elif found.environments > 1:
        yield writer.say(ENVIRONMENTS, count=writer.numbers.integer(found.environments))
    for group in found.identical:
        yield writer.say(IDENTICAL, runs=writer.numbers.enumeration(list(group)))


def _replicas(writer: Writer) -> Table | None:
    agreements = writer.results.determinism.replicas
    if not agreements:
        return None
    rows = [
        writer.row(
            (
                writer.text_cell(writer.trial_title(each.trial)),
                writer.text_cell(writer.trial_title(each.single)),
                writer.cell(each.same_predictions),
                writer.cell(each.accuracy_difference),
            )
        )
        for each in agreements
    ]
    heads = tables.columns(
        writer, mark("Parallel"), mark("One device"), mark("Same answers"), mark("Difference (points)"), words=2
    )
    return writer.table("replicas", writer.say(mark("Several devices against one")), heads, rows)


def _key_parts(writer: Writer) -> Table | None:
    parts = writer.results.determinism.parts
    if not parts:
        return None
    rows = [
        writer.row((writer.text_cell(code(name)), writer.text_cell(code(_values(values))))) for name, values in parts
    ]
    heads = (Column(writer.word(mark("Part"))), Column(writer.word(mark("Values"))))
    caption = writer.say(mark("What went into the keys of the runs: another value would mean another run"))
    return writer.table("key-parts", caption, heads, rows)


def _values(values: tuple[str, ...]) -> str:
    return ", ".join(value if len(value) <= 24 else f"{value[:12]}…" for value in values)


def _cautions(writer: Writer) -> Iterator[Markup]:
    for caution in writer.results.cautions:
        where = [caution.run or (writer.trial_title(caution.trial, caution.stage) if caution.trial else "")]
        where.append(writer.labels.class_name(caution.label) if caution.label is not None else "")
        where.append(caution.detail or "")
        place = ", ".join(part for part in where if part)
        yield writer.say(CAUTION, what=writer.word(names.CAUTIONS[caution.code]), where=f"({place})" if place else "")


def _registry(writer: Writer) -> Table | None:
    if not writer.bundle.claims:
        return None
    alone = mark("stands alone")
    margins = {verdict.id: verdict.margin for verdict in writer.results.verdicts}
    rows = []
    for claim in writer.bundle.claims:
        family = writer.text_cell(writer.word(names.FAMILIES[claim.family] if claim.family else alone))
        comparator = claim.comparator
        cells = (
            writer.text_cell(claim_link(claim.id, claim.id)),
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
    caption = writer.say(mark("The claims as they were fixed before training"))
    return writer.table("registry", caption, heads, rows, style="wide")


def _data(writer: Writer) -> Table | None:
    if not writer.linked:
        return None
    heads = (
        *tables.columns(writer, mark("Number"), mark("Value"), mark("95% interval")),
        *tables.columns(writer, mark("How it was found"), mark("Runs"), words=2),
    )
    rows = [_datum(writer, datum) for datum in writer.linked.values()]
    caption = writer.say(mark("Every number that the text links to, in the order of its first mention"))
    return writer.table("data", caption, heads, rows, style="wide data")


def _datum(writer: Writer, datum: Datum) -> Row:
    interval = writer.numbers.interval(datum)
    no_interval = datum.low is None or datum.high is None
    how = writer.word(names.FORMULAS[datum.formula])
    if datum.n is not None:
        how = writer.translation.plain(COUNTED, {"how": how, "count": writer.numbers.integer(datum.n)})
    cells = (
        Cell(code(datum.id)),
        Cell(escape(writer.numbers.quantity(datum)), numeric=True),
        Cell(escape(interval), numeric=True, missing=writer.reason_for_interval(datum) if no_interval else None),
        writer.text_cell(how),
        writer.text_cell(run_names(datum.runs) or writer.word(names.ORIGINS[datum.origin])),
    )
    return writer.row(cells, anchor=writer.data_anchor(datum))
