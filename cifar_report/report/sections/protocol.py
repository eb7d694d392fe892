"""The protocol (what is compared, how, and what was fixed in advance), how to reproduce it all, and the references."""

import tomllib
from collections import Counter
from pathlib import Path

from markupsafe import Markup, escape

from cifar_report.analysis.estimates import ACCURACY_LEVEL
from cifar_report.analysis.results.verdicts import LEVEL
from cifar_report.report import names
from cifar_report.report.elements import SectionView, Table, code
from cifar_report.report.i18n import load_messages, mark
from cifar_report.report.sections.claims import margins
from cifar_report.report.writer import Writer

SAY = load_messages("sections")
MOST_PROCESSORS = 8  # kinds that are listed
FINGERPRINT_SHOWN = 16  # digits of a SHA-256 that distinguish two by eye
COMMANDS = (
    (mark("train what is missing, and write the report"), "nox -s experiments report"),
    (mark("write the report from a bundle, without training"), "cifar-report report --bundle FOLDER"),
    (mark("recompute every hash, count and number of a bundle"), "cifar-report verify FOLDER"),
    (mark("train some of its runs again, and say how far they agree"), "cifar-report verify FOLDER --rerun 2"),
    (mark("name the verdicts that differ between two bundles, and why"), "cifar-report compare FOLDER FOLDER"),
)
OWN = {COMMANDS[0][1]: "cifar-report run --experiments FOLDER"}
LINK = Markup('<a class="doi" href="{}{}">doi:{}</a>')
DOI = "https://doi.org/"
REFERENCES = Path(__file__).parents[1] / "references.toml"


def protocol(writer: Writer) -> SectionView:
    """Return the protocol; counts, seeds and margins come from the bundle, and every caveat stands here once."""
    heading = writer.heading("protocol", writer.word("Protocol"), 2)
    record, numbers = writer.bundle.record, writer.numbers
    splits = Counter(trial.split_seed for trial in writer.bundle.trials.values())
    usual, *others = [split for split, _ in splits.most_common()] or [0]
    view = {
        "claims_changed": record.claims_changed,
        "claims_fingerprint": code(record.claims_hash[:FINGERPRINT_SHOWN]),
        "seeds": numbers.enumeration([numbers.integer(seed) for seed in range(record.seeds)]),
        "plan": _plan(writer),
        "split": str(usual),
        "other_splits": numbers.enumeration([str(split) for split in sorted(others)]) if others else "",
        "level": numbers.bare(ACCURACY_LEVEL, "share", trimmed=True),
        "error_rate": numbers.bare(LEVEL, "share", trimmed=True),
        "unseen": writer.results.seeds.unseen and writer.quantity(writer.results.seeds.unseen),
        "count": numbers.integer(record.seeds),
        "timed": bool(writer.results.timing),
        "own": writer.translation.own,
        "absolutes": writer.results.scope.absolutes,
        "margins": margins(writer),
    }
    return SectionView(heading, "protocol", view)


def _plan(writer: Writer) -> list[Markup]:
    """Return what was declared before further seeds were trained, and what came of it; nothing without a plan."""
    plan, numbers, verdicts = writer.bundle.record.plan, writer.numbers, writer.results.verdicts
    if plan is None:
        return []
    values: dict[str, object] = {"date": plan.declared[:10], "fingerprint": code(plan.hash[:FINGERPRINT_SHOWN])}
    if plan.confirms:
        kept = [verdict for verdict in verdicts if verdict.other is not None]
        same = sum(verdict.other is not None and verdict.other.outcome == verdict.outcome for verdict in kept)
        values["seeds"] = numbers.integer(sum(ends[-1] - plan.first for ends in plan.seeds.values()))
        counts = {"tested": numbers.integer(len(kept)), "same": numbers.integer(same)}
        said = [SAY.confirmation, SAY.confirmed if kept else SAY.unconfirmed]
        return [writer.sentence(message, **values, **counts) for message in said]
    kinds = sorted(set(plan.seeds.values()))
    listed = [numbers.enumeration([numbers.integer(end) for end in ends]) for ends in kinds]
    percents = [numbers.bare(share, "share", trimmed=True) for share in plan.shares]
    taken = max((verdict.look.taken for verdict in verdicts if verdict.look is not None), default=1)
    values |= {"looks": "; ".join(listed), "shares": numbers.enumeration(percents)}
    values |= {"taken": numbers.integer(taken), "spent": numbers.bare(sum(plan.shares[:taken]), "share", trimmed=True)}
    said = [SAY.looks, SAY.looks_taken, *([SAY.first_look] if taken == 1 else [])]
    return [writer.sentence(message, **values) for message in said]


def reproduce(writer: Writer) -> SectionView:
    """Return how to repeat the report, the suite and its checks, what made this bundle, and the references."""
    heading = writer.heading("reproduce", writer.word("How to reproduce"), 2)
    about, own = writer.bundle.record.dataset.about.name, writer.translation.own
    references = [
        (entry["text"], LINK.format(DOI, entry["doi"], entry["doi"]) if "doi" in entry else "")
        for entry in tomllib.loads(REFERENCES.read_text(encoding="utf-8"))["references"]
        if entry.get("of", about) == about
    ]
    view = {
        "commands": [(writer.word(text), OWN.get(command, command) if own else command) for text, command in COMMANDS],
        "facts": _facts(writer),
        "heading": writer.heading("references", writer.word("References"), 2),
        "references": references,
    }
    return SectionView(heading, "reproduce", view)


def _facts(writer: Writer) -> Table:
    """Return what this bundle was made from and with: data, claims, machine, and the versions of the libraries."""
    record, numbers = writer.bundle.record, writer.numbers
    dataset, environment = record.dataset, record.environment
    purposes = {name: f" ({writer.word(text)})" for name, text in SAY.purposes.items()}
    libraries = [f"{name} {version}{purposes.get(name, '')}" for name, version in sorted(environment.packages.items())]
    cores, memory = environment.cores, numbers.megabytes(environment.memory_bytes)
    form = mark("%(processor)s, %(cores)s cores, %(memory)s of memory")
    machine = writer.sentence(form, processor=environment.processor, cores=cores, memory=memory)
    kinds = writer.results.determinism.processors
    rows = [
        (writer.word(mark("Profile")), writer.word(names.WORDS.profiles[record.profile.name])),
        (writer.word(mark("Fingerprint of the data")), code(dataset.fingerprint[:FINGERPRINT_SHOWN])),
        (writer.word(mark("Fingerprint of the claims")), code(record.claims_hash[:FINGERPRINT_SHOWN])),
        (writer.word(mark("Machine")), machine),
        *([(writer.word(mark("Networks trained on")), processors(writer))] if len(kinds) > 1 else []),
        (writer.word(mark("Python")), environment.python),
        (writer.word(mark("Libraries")), ", ".join(libraries)),
    ]
    return writer.table("facts", rows)


def processors(writer: Writer) -> Markup:
    """Return the kinds of processors that trained networks; one kind that trained all of them stands by its name."""
    found = writer.results.determinism
    if len(found.processors) == 1 and not found.unknown_processors:
        return escape(found.processors[0][0])
    counted = [writer.plural(SAY.runs_on, runs, processor=name) for name, runs in found.processors[:MOST_PROCESSORS]]
    return Markup(", ").join([*counted, *["…"] * (len(found.processors) > MOST_PROCESSORS)])
