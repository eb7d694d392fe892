"""What the report says of runs that were trained again."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from markupsafe import Markup, escape

from cifar_report.bundle.certificates import Certificate
from cifar_report.report.i18n import mark
from cifar_report.report.sections.runs import run_names
from cifar_report.report.writer import Writer

CERTIFIED = {
    "bitwise": mark(
        "On %(date)s these runs were trained again, each in a fresh process: %(runs)s. Weights, history and "
        "predictions agreed bit by bit."
    ),
    "numerical": mark(
        "On %(date)s these runs were trained again, each in a fresh process: %(runs)s. Not all agreed bit by bit, but "
        "no loss and no accuracy was more than %(tolerance)s away from the first one, and every verdict stays."
    ),
    "statistical": mark(
        "On %(date)s these runs were trained again, each in a fresh process: %(runs)s. Some differ by more than "
        "rounding explains, but every verdict stays with the new results in place of the first ones."
    ),
    "different": mark(
        "On %(date)s these runs were trained again, each in a fresh process: %(runs)s. With the new results in place "
        "of the first ones, the verdicts on these claims change: %(claims)s."
    ),
}
CHANGED = mark("Between the two trainings these differ: %(names)s.")
FACTS = {
    "devices": mark("devices"),
    "platform": mark("operating system"),
    "processor": mark("processor"),
    "suite version": mark("version of this suite"),
    "suite commit": mark("commit of this suite"),
}


def sentences(
    writer: Writer, certificate: Certificate, name_part: Callable[[Writer, str], str | Markup]
) -> Iterator[Markup]:
    """Yield what was trained again and how far it agreed, then what may explain a difference.

    ``name_part`` names a part of the runs' keys.
    """
    numbers = writer.numbers
    yield writer.say(
        CERTIFIED[certificate.level],
        date=numbers.date(certificate.created),
        runs=run_names([rerun.run for rerun in certificate.reruns]),
        tolerance=numbers.plain(certificate.tolerance),
        claims=", ".join(certificate.verdicts_changed),
    )
    if certificate.changes:
        names = [
            writer.word(FACTS[change.name]) if change.name in FACTS else name_part(writer, change.name)
            for change in certificate.changes
        ]
        yield writer.say(CHANGED, names=Markup(", ").join(escape(name) for name in names))
