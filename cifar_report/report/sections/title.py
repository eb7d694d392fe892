"""The first page: what this is, what came out, how far to trust it, and what it was made from."""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup, escape

from cifar_report.report import names
from cifar_report.report.elements import breakable
from cifar_report.report.i18n import mark, mark_plural
from cifar_report.report.text.summary import summary
from cifar_report.report.text.trust import trust, warnings
from cifar_report.report.writer import Writer

WHAT = mark(
    "A student report of November 2024 trained small convolutional networks on CIFAR-10 and drew its conclusions from "
    "one run each. This suite trains them again, from as many random starts as stated below, turns the conclusions of "
    "that write-up into claims with stated margins, and holds these against the data."
)
SEEDS = mark_plural("%(count)s seed for each recipe", "%(count)s seeds for each recipe")
IMAGES = mark("%(train)s for training, %(validation)s for validation, %(test)s for testing")
PROCESSOR = mark("%(processor)s, %(cores)s cores, %(memory)s of memory")
FINGERPRINT_SHOWN = 16  # digits of a SHA-256 that tell two apart by eye


@dataclass(frozen=True)
class Fact:
    """One line of the first page's list: its name and what is to be known."""

    name: str
    value: Markup


@dataclass(frozen=True)
class TitleView:
    """The first page."""

    title: str
    date: str
    warnings: tuple[Markup, ...]
    what: Markup
    summary: tuple[Markup, ...]
    trust: tuple[Markup, ...]
    facts: tuple[Fact, ...]


def build(writer: Writer) -> TitleView:
    """Return the first page; everything on it is counted or said by the bundle."""
    record = writer.bundle.record
    return TitleView(
        title=writer.word(mark("Image classification on CIFAR-10 with convolutional networks")),
        date=writer.numbers.date(record.finished or record.created),
        warnings=warnings(writer),
        what=writer.say(WHAT),
        summary=summary(writer),
        trust=trust(writer),
        facts=_facts(writer),
    )


def _facts(writer: Writer) -> tuple[Fact, ...]:
    record = writer.bundle.record
    environment = record.environment
    whole = writer.numbers.integer
    train, validation, test = (whole(count) for count in record.dataset.counts)
    machine = writer.say(
        PROCESSOR,
        processor=environment.processor,
        cores=whole(environment.cores),
        memory=writer.numbers.megabytes(environment.memory_bytes),
    )
    lines: list[tuple[str, object]] = [
        (mark("Profile"), writer.word(names.PROFILES[record.profile.name])),
        (mark("Seeds"), writer.count(SEEDS, record.seeds)),
        (mark("Data"), writer.word(names.GRADES[record.dataset.grade])),
        (mark("Images"), writer.say(IMAGES, train=train, validation=validation, test=test)),
        (mark("Fingerprint of the data"), code(record.dataset.fingerprint[:FINGERPRINT_SHOWN])),
        (mark("Fingerprint of the claims"), code(record.claims_hash[:FINGERPRINT_SHOWN])),
        (mark("Machine"), machine),
    ]
    return tuple(Fact(writer.word(name), escape(value)) for name, value in lines)


def code(text: str) -> Markup:
    """Return text in the fixed-width face."""
    return Markup("<code>{}</code>").format(breakable(text))
