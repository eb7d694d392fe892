"""The appendix: runs, data, sensitivity, environment, determinism and the registry of claims."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from markupsafe import Markup

from cifar_report.analysis.results import Determinism
from cifar_report.report import names
from cifar_report.report.elements import Column, FigureView, Heading, Table
from cifar_report.report.i18n import mark, mark_plural
from cifar_report.report.sections import certificate, error_rates, origins, tables
from cifar_report.report.sections.error_rates import ErrorRatesView
from cifar_report.report.sections.origins import OriginsView
from cifar_report.report.sections.registry import registry_table, sensitivity_table
from cifar_report.report.sections.runs import runs_table
from cifar_report.report.sections.title import code
from cifar_report.report.sections.view import SectionView
from cifar_report.report.writer import Writer

CAUTION = mark("%(what)s %(where)s")
CACHED = mark("cache, filled from: %(source)s")
VERSION = mark("version of %(library)s")
OF_WEIGHTS = {
    "last": mark("%(score)s with the weights of the last epoch"),
    "best": mark("%(score)s with the weights of the best validation epoch"),
}
REPEATABLE = mark(
    "Two trainings with the same recipe, seed, data, versions and number of threads on the same type of machine are "
    "meant to agree bit by bit; between instruction sets, thread counts or versions only statistical agreement may be "
    "expected."
)
ONE_ENVIRONMENT = mark("All finished runs come from one environment.")
ENVIRONMENTS = mark(
    "The finished runs come from %(count)s different environments, so bitwise agreement is not claimed."
)
PROCESSOR = mark("The finished networks were trained on processors of one kind: %(processor)s.")
PROCESSORS = mark(
    "The networks were trained on processors of %(kinds)s kinds, which may round differently: %(processors)s. Where "
    "networks of different kinds are compared, what rounding alone brings about is part of the difference."
)
RUNS_ON = mark_plural("%(processor)s (%(count)s run)", "%(processor)s (%(count)s runs)")
NOT_RECORDED = mark_plural(
    "Of %(count)s network it was not recorded what kind of processor trained it.",
    "Of %(count)s networks it was not recorded what kind of processor trained them.",
)
MOST_PROCESSORS = 8  # kinds that are listed
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
    error_rates_heading: Heading
    error_rates: ErrorRatesView
    figures: tuple[FigureView, ...]
    data: OriginsView


def build(writer: Writer) -> SectionView:
    """Return the appendix; its table of data holds every number that was linked before, so it comes last."""
    heading = writer.heading("appendix", writer.word(mark("Appendix")), 2)
    title = {
        "runs": mark("Every run"),
        "sensitivity": mark("Sensitivity of the verdicts"),
        "environment": mark("Environment and determinism"),
        "registry": mark("The registry of claims"),
        "error-rates": mark("The method's own error rates"),
        "data": mark("Every number with its origin"),
    }
    heads = {
        name: writer.heading(f"appendix-{name}", writer.word(text), 3, letter)
        for (name, text), letter in zip(title.items(), "ABCDEF", strict=True)
    }
    view = AppendixView(
        runs_heading=heads["runs"],
        runs=runs_table(writer),
        sensitivity_heading=heads["sensitivity"],
        sensitivity=sensitivity_table(writer),
        environment_heading=heads["environment"],
        environment=_environment(writer),
        determinism=tuple(_determinism(writer)),
        replicas=_replicas(writer),
        key_parts=_key_parts(writer),
        cautions=tuple(_cautions(writer)),
        registry_heading=heads["registry"],
        registry_hash=writer.bundle.record.claims_hash,
        registry=registry_table(writer),
        error_rates_heading=heads["error-rates"],
        error_rates=error_rates.build(writer),
        figures=writer.remaining(),
        data_heading=heads["data"],
        data=origins.build(writer),
    )
    return SectionView(heading, "appendix", view)


def _environment(writer: Writer) -> Table:
    record = writer.bundle.record
    environment, dataset = record.environment, record.dataset
    lines: list[tuple[str, str | Markup]] = [
        (mark("Begun"), writer.numbers.moment(record.created)),
        (mark("Python"), environment.python),
        (mark("Platform"), environment.platform),
        (mark("Processor"), environment.processor),
        (mark("Cores"), writer.numbers.integer(environment.cores)),
        (mark("Memory"), writer.numbers.megabytes(environment.memory_bytes)),
        (mark("Version of this suite"), environment.project_version),
        (mark("Source of the data"), _source(writer, dataset.source)),
        (mark("Fingerprint of the data"), code(dataset.fingerprint)),
    ]
    if record.finished is not None:
        lines.insert(1, (mark("Finished"), writer.numbers.moment(record.finished)))
    if environment.project_commit:
        lines.append((mark("Commit of this suite"), code(environment.project_commit)))
    rows = [writer.row((writer.text_cell(writer.word(name)), writer.text_cell(value))) for name, value in lines]
    for name, value in sorted(environment.variables.items()):
        rows.append(writer.row((writer.text_cell(code(name)), writer.text_cell(code(value)))))
    heads = (Column(writer.word(mark("What"))), Column(writer.word(mark("Value"))))
    return writer.table("environment", writer.say(mark("Environment of the last pass over the suite")), heads, rows)


def _source(writer: Writer, source: str) -> str:
    """Return in words where the data came from; "cache (download)" is the cache, filled by a download."""
    outer, _, inner = source.removesuffix(")").partition(" (")
    if inner:
        return writer.translation.plain(CACHED, {"source": _source(writer, inner)})
    return writer.word(names.SOURCES.get(outer, outer))


def _determinism(writer: Writer) -> Iterator[Markup]:
    found = writer.results.determinism
    yield writer.say(REPEATABLE)
    if found.environments == 1 and len(found.processors) <= 1:
        yield writer.say(ONE_ENVIRONMENT)
    elif found.environments > 1:
        yield writer.say(ENVIRONMENTS, count=writer.numbers.integer(found.environments))
    yield from _processors(writer, found)
    for group in found.identical:
        yield writer.say(IDENTICAL, runs=writer.numbers.enumeration(list(group)))
    if found.certificate is not None:
        yield from certificate.sentences(writer, found.certificate, _part)


def _processors(writer: Writer, found: Determinism) -> Iterator[Markup]:
    kinds, unknown = found.processors, found.unknown_processors
    counted = [writer.count(RUNS_ON, runs, processor=name) for name, runs in kinds[:MOST_PROCESSORS]]
    more = ["…"] * (len(kinds) > MOST_PROCESSORS)
    if len(kinds) > 1:
        listed = Markup(", ").join([*counted, *more])
        yield writer.say(PROCESSORS, kinds=writer.numbers.integer(len(kinds)), processors=listed)
    elif kinds:
        yield writer.say(PROCESSOR, processor=counted[0] if unknown else kinds[0][0])
    if kinds and unknown:
        yield writer.count(NOT_RECORDED, unknown)


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
        writer.row((writer.text_cell(_part(writer, name)), writer.text_cell(code(_values(values)))))
        for name, values in parts
    ]
    heads = (Column(writer.word(mark("Part"))), Column(writer.word(mark("Values"))))
    caption = writer.say(mark("What went into the keys of the runs: another value would mean another run"))
    return writer.table("key-parts", caption, heads, rows)


def _part(writer: Writer, name: str) -> str | Markup:
    """Return what a part of the keys is called; a part that nobody named yet stands as it is."""
    before, _, library = name.partition("version of ")
    if library and not before:
        return writer.say(VERSION, library=library)
    return writer.word(names.KEY_PARTS[name]) if name in names.KEY_PARTS else code(name)


def _values(values: tuple[str, ...]) -> str:
    return ", ".join(value if len(value) <= 24 else f"{value[:12]}…" for value in values)


def _cautions(writer: Writer) -> Iterator[Markup]:
    for caution in writer.results.cautions:
        where = [caution.run or (writer.trial_title(caution.trial, caution.stage) if caution.trial else "")]
        where.append(writer.labels.class_name(caution.label) if caution.label is not None else "")
        where.append(_detail(writer, caution.detail) if caution.detail else "")
        place = ", ".join(part for part in where if part)
        yield writer.say(CAUTION, what=writer.word(names.CAUTIONS[caution.code]), where=f"({place})" if place else "")


def _detail(writer: Writer, detail: str) -> str:
    """Return what was odd, in words: a column of the history, or a score with the weights that it belongs to."""
    weights, _, score = detail.rpartition(".")
    name = writer.word(names.SCORES.get(score, score))
    if not weights:
        return name
    return writer.translation.plain(OF_WEIGHTS[weights], {"score": name}) if weights in OF_WEIGHTS else name
