"""The first page, how to read the verdicts, and the introduction."""

from __future__ import annotations

from cifar_report.analysis.values import ACCURACY_LEVEL
from cifar_report.report import names
from cifar_report.report.elements import SectionView, Table, code
from cifar_report.report.i18n import load_messages, mark
from cifar_report.report.sections.claims import margins_table
from cifar_report.report.text.conclusions import summary, tally, unusual
from cifar_report.report.writer import Writer

SAY = load_messages("sections")

FINGERPRINT_SHOWN = 16  # digits of a SHA-256 that tell two apart by eye


def title(writer: Writer) -> dict[str, object]:
    """Return the first page: what this is, what came out, how far to trust it, and what it was made from."""
    record, results = writer.bundle.record, writer.results
    dataset, environment, seeds = record.dataset, record.environment, results.seeds
    whole = writer.numbers.integer
    return {
        "title": writer.word("Image classification on CIFAR-10 with convolutional networks"),
        "date": writer.numbers.date(record.finished or record.created),
        "what": writer.sentence(SAY.what),
        "summary": summary(writer),
        "unusual": unusual(writer),
        "figures": writer.group("ladder", "verdict_bar"),
        "data": dataset.grade if dataset.grade == "stand-in" or dataset.canonical_labels else "other labels",
        "profile": record.profile.name,
        "claims_changed": record.claims_changed,
        "seeds": seeds,
        "fewer_seeds": seeds.asked < seeds.declared,
        "unfinished": sum(trial.status != "done" for trial in results.trials),
        "all_seeds": seeds.least == seeds.asked,
        # Whether the reference model finished on more than one split of the training images.
        "other_splits": any(study.only_splits and len(study.ranking) > 1 for study in results.studies),
        "timed": bool(results.timing),
        "undecided": tally(results.verdicts)["inconclusive"],
        "profile_name": writer.word(names.PROFILES[record.profile.name]),
        "seeds_planned": record.seeds,
        "grade": writer.word(names.GRADES[dataset.grade]),
        "counts": [whole(count) for count in dataset.counts],
        "fingerprint": code(dataset.fingerprint[:FINGERPRINT_SHOWN]),
        "claims_fingerprint": code(record.claims_hash[:FINGERPRINT_SHOWN]),
        "processor": environment.processor,
        "cores": whole(environment.cores),
        "memory": writer.numbers.megabytes(environment.memory_bytes),
    }


def reading(writer: Writer) -> SectionView:
    """Return the section that explains the verdicts; its table of margins comes from the claims themselves."""
    heading = writer.heading("reading", writer.word("How to read the verdicts"), 2)
    view = {
        "claims_changed": writer.bundle.record.claims_changed,
        "absolutes": writer.results.scope.absolutes,
        "level": writer.numbers.bare(ACCURACY_LEVEL, "share", trimmed=True),
        "meanings": [(writer.badge(outcome), writer.word(text)) for outcome, text in names.OUTCOME_MEANINGS.items()],
        "margins": margins_table(writer),
    }
    return SectionView(heading, "reading", view)


def introduction(writer: Writer) -> SectionView:
    """Return the introduction: the task, the data and the programs; counts and versions come from the bundle."""
    heading = writer.heading("introduction", writer.word("Introduction"), 2)
    dataset = writer.bundle.record.dataset
    view = {
        "classes": writer.numbers.enumeration([writer.word(name) for name in names.CLASSES]),
        "counts": [writer.numbers.integer(count) for count in dataset.counts],
        "grade": writer.word(names.GRADES[dataset.grade]),
        "libraries": _libraries(writer),
    }
    return SectionView(heading, "introduction", view)


def _libraries(writer: Writer) -> Table:
    unnamed = writer.empty_cell(mark("needed by the others"))
    rows = [
        (name, version, writer.word(SAY.purposes[name]) if name in SAY.purposes else unnamed)
        for name, version in sorted(writer.bundle.record.environment.packages.items())
    ]
    columns = writer.columns("Library | Version | What it is used for", words=3)
    return writer.table("libraries", writer.sentence("Libraries, and what each is used for"), columns, rows)
