"""The appendix of the HTML report: runs, sensitivity, environment, claims, error rates and all numbers."""

from collections.abc import Iterator

from markupsafe import Markup, escape

from cifar_report.analysis.calibration import Noise, Rates, load_calibration
from cifar_report.analysis.results import Datum
from cifar_report.bundle.certificates import Certificate
from cifar_report.report import names
from cifar_report.report.elements import Cell, Row, SectionView, Table, code
from cifar_report.report.i18n import load_messages, mark
from cifar_report.report.sections import tables
from cifar_report.report.sections.claims import registry_table, sensitivity_table
from cifar_report.report.sections.protocol import FINGERPRINT_SHOWN, processors
from cifar_report.report.writer import Writer

SAY, RATES = load_messages("sections"), load_messages("error_rates")


def build(writer: Writer) -> SectionView:
    """Return the appendix; its table of data holds every number that was linked before, so it comes last."""
    heading = writer.heading("appendix", writer.word("Appendix"), 2)
    headings = {
        name: writer.heading(f"appendix-{name.replace('_', '-')}", writer.word(title), 3, letter)
        for (name, title), letter in zip(SAY.titles.items(), "ABCDEF", strict=True)
    }
    determinism, calibration = writer.results.determinism, load_calibration()
    view: dict[str, object] = {
        "headings": headings,
        "runs": tables.runs(writer),
        "sensitivity": sensitivity_table(writer),
        "environment": _environment(writer),
        "determinism": determinism,
        "processors": processors(writer),
        "identical": [writer.numbers.enumeration(list(group)) for group in determinism.identical],
        "certificate": determinism.certificate and _certificate(writer, determinism.certificate),
        "replicas": _replicas(writer),
        "key_parts": _key_parts(writer),
        "cautions": list(_cautions(writer)),
        "registry_hash": writer.bundle.record.claims_hash,
        "registry": registry_table(writer),
        "error_rates": {
            "noise": _noise(writer, calibration.noise),
            "broken": sum(rate.kept is False for rate in calibration.rates),
            "command": code(calibration.command),
            "table": writer.table("error-rates", (_rate_row(writer, rate) for rate in calibration.rates)),
        },
        "figures": writer.show(*writer.figures),
        "data": _numbers_table(writer),
    }
    return SectionView(heading, "appendix", view)


def _environment(writer: Writer) -> Table:
    record = writer.bundle.record
    environment, dataset, numbers = record.environment, record.dataset, writer.numbers
    lines: list[tuple[str, str | None]] = [
        (mark("Begun"), numbers.moment(record.created)),
        (mark("Finished"), None if record.finished is None else numbers.moment(record.finished)),
        (mark("Python"), environment.python),
        (mark("Platform"), environment.platform),
        (mark("Processor"), environment.processor),
        (mark("Cores"), numbers.integer(environment.cores)),
        (mark("Memory"), numbers.megabytes(environment.memory_bytes)),
        (mark("Version of this suite"), environment.project_version),
        (mark("Source of the data"), _source(writer, dataset.source)),
        (mark("Fingerprint of the data"), code(dataset.fingerprint)),
        (mark("Commit of this suite"), environment.project_commit and code(environment.project_commit)),
    ]
    rows = [(writer.word(name), value) for name, value in lines if value is not None]
    rows += [(code(name), code(value)) for name, value in sorted(environment.variables.items())]
    return writer.table("environment", rows)


def _source(writer: Writer, source: str) -> str:
    """Return in words where the data came from; "cache (download)" is the cache, filled by a download."""
    outer, _, inner = source.removesuffix(")").partition(" (")
    if inner:
        return writer.sentence(SAY.cached, source=_source(writer, inner))
    return writer.word(names.SOURCES.get(outer, outer))


def _certificate(writer: Writer, certificate: Certificate) -> dict[str, object]:
    """Return what was trained again, how far it agreed, and what may explain a difference."""
    named = [change.name for change in certificate.changes]
    changes = [writer.word(SAY.facts[name]) if name in SAY.facts else _part(writer, name) for name in named]
    return {
        "level": certificate.level,
        "date": writer.numbers.date(certificate.created),
        "runs": tables.run_names([rerun.run for rerun in certificate.reruns]),
        "tolerance": writer.numbers.plain(certificate.tolerance),
        "claims": ", ".join(certificate.verdicts_changed),
        "changes": Markup(", ").join(changes),
    }


def _replicas(writer: Writer) -> Table | None:
    rows = [
        (*map(writer.trial_title, (each.trial, each.single)), each.same_predictions, each.accuracy_difference)
        for each in writer.results.determinism.replicas
    ]
    return writer.table("replicas", rows) if rows else None


def _key_parts(writer: Writer) -> Table | None:
    rows = []
    for name, values in writer.results.determinism.parts:
        short = (value if len(value) <= 24 else f"{value[:12]}…" for value in values)
        rows.append((_part(writer, name), code(", ".join(short))))
    return writer.table("key-parts", rows) if rows else None


def _part(writer: Writer, name: str) -> str:
    """Return what a part of the keys is called; a part that nobody named yet stands as it is."""
    before, _, library = name.partition("version of ")
    if library and not before:
        return writer.sentence(SAY.version, library=library)
    return writer.word(names.KEY_PARTS[name]) if name in names.KEY_PARTS else code(name)


def _cautions(writer: Writer) -> Iterator[Markup]:
    for caution in writer.results.cautions:
        where = [
            caution.run or (writer.trial_title(caution.trial, caution.stage) if caution.trial else ""),
            writer.translation.classes[caution.label] if caution.label is not None else "",
            _detail(writer, caution.detail) if caution.detail else "",
        ]
        place = ", ".join(part for part in where if part)
        what = writer.word(names.CAUTIONS[caution.code])
        yield writer.sentence("%(what)s %(where)s", what=what, where=f"({place})" if place else "")


def _detail(writer: Writer, detail: str) -> str:
    """Return what was odd, in words: a column of the history, or a score with the weights that it belongs to."""
    weights, _, score = detail.rpartition(".")
    name = writer.word(names.WORDS.scores.get(score, score))
    return writer.sentence(SAY.of_weights[weights], score=name) if weights in SAY.of_weights else name


def _numbers_table(writer: Writer) -> Table | None:
    """Return every number that was linked before, with what it was found by and the runs behind it."""
    rows = [
        writer.row(
            code(datum.id),
            Cell(escape(writer.numbers.quantity(datum)), numeric=True),
            writer.interval_cell(datum),
            _how(writer, datum),
            tables.run_names(datum.runs) or writer.word(names.WORDS.origins[datum.origin]),
            id=f"d-{datum.id}",
        )
        for datum in writer.linked.values()
    ]
    return writer.table("data", rows) if rows else None


def _how(writer: Writer, datum: Datum) -> str:
    how = writer.word(names.FORMULAS[datum.formula])
    return how if datum.n is None else writer.sentence(SAY.counted, how=how, count=datum.n)


def _noise(writer: Writer, noise: Noise) -> Markup:
    values: dict[str, Markup] = {}
    for name in ("least", "median", "most"):
        spread: float = getattr(noise, name)
        datum = Datum(f"calibration.noise.{name}", spread, "points", "standard_deviation", noise.runs, "runs")
        values[name] = writer.quantity(datum)
    dataset = code(noise.dataset[:FINGERPRINT_SHOWN])
    collapses, depth = (writer.numbers.bare(each, "share", trimmed=True) for each in (noise.collapses, noise.depth))
    return writer.plural(RATES.noise, noise.networks, dataset=dataset, collapses=collapses, depth=depth, **values)


def _rate_row(writer: Writer, rate: Rates) -> Row:
    shown, unpromised = rate.datum("rate"), writer.empty_cell(RATES.unpromised)
    interval = Markup(' <span class="interval">{}</span>').format(writer.numbers.interval(shown))
    message = RATES.promised["original" if rate.scenario == "original" else "bound"]
    promised = writer.sentence(message, promised=writer.numbers.number(rate.datum("promised")))
    return writer.row(
        writer.word(RATES.counted[rate.scenario]),
        writer.word(RATES.families.get(rate.family) or names.WORDS.families[rate.family]),
        *(writer.word(RATES.spreads[rate.spread]), rate.seeds, rate.count),
        Cell(escape(writer.numbers.number(shown)) + interval, numeric=True),
        unpromised if rate.bound is None else promised,
        unpromised if rate.kept is None else writer.word(mark("yes") if rate.kept else mark("no")),
    )
