"""Where every number of the text comes from: a row for each on the screen, a row for what they belong to on paper."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from markupsafe import Markup, escape

from cifar_report.analysis.results import Datum
from cifar_report.report import names
from cifar_report.report.elements import Cell, Row, code
from cifar_report.report.i18n import mark
from cifar_report.report.sections.tables import run_names
from cifar_report.report.writer import Writer, letter

COUNTED = mark("%(how)s; n = %(count)s")
WIDTHS = (20.0, 59.0, 21.0)  # of the columns on paper, in hundredths
CAPTION = mark("Every number that the text links to")
SEVERAL_PARTS = ("claim", "timing")  # ids that begin so have what the number belongs to before their last dot


def build(writer: Writer) -> dict[str, object]:
    """Return every number that was linked before, with what it was found by and the runs behind it."""
    if not writer.linked:
        return {"table": None, "letters": {}}
    if writer.medium == "print":
        return _grouped(writer)
    columns = (
        *writer.columns("Number", whole=(0,)),
        *writer.columns("Value | 95% interval", words=0),
        *writer.columns("How it was found | Runs", words=2),
    )
    rows = [_row(writer, datum) for datum in writer.linked.values()]
    return {"table": writer.table("data", writer.sentence(CAPTION), columns, rows, style="wide data"), "letters": {}}


def _row(writer: Writer, datum: Datum) -> Row:
    return writer.row(
        code(datum.id),
        Cell(escape(writer.numbers.quantity(datum)), numeric=True),
        writer.interval_cell(datum, link=False),
        _how(writer, datum),
        run_names(datum.runs) or writer.word(names.ORIGINS[datum.origin]),
        id=f"d-{datum.id}",
    )


def _how(writer: Writer, datum: Datum) -> str:
    how = writer.word(names.FORMULAS[datum.formula])
    if datum.n is None:
        return how
    return writer.translation.plain(COUNTED, {"how": how, "count": writer.numbers.integer(datum.n)})


def _grouped(writer: Writer) -> dict[str, object]:
    """Return one row for each claim's comparison, each trial and so on: a row a number would fill 25 pages."""
    groups: dict[str, list[Datum]] = {}
    for datum in writer.linked.values():
        groups.setdefault(group_of(datum.id, writer.bundle.trials), []).append(datum)
    letters: dict[str, str] = {}
    separator = escape(writer.word(mark(";"))) + " "
    rows = [
        writer.row(
            code(group),
            separator.join(_in_line(writer, group, datum, letters) for datum in data),
            _behind(writer, data),
        )
        for group, data in groups.items()
    ]
    heads = writer.columns("Numbers of | Name, value and 95% interval | Runs", words=3)
    table = replace(writer.table("data", writer.sentence(CAPTION), heads, rows, style="wide data"), widths=WIDTHS)
    return {"table": table, "letters": letters}


def group_of(datum_id: str, trials: Iterable[str]) -> str:
    """Return what a number belongs to: a claim's comparison, a trial, or whatever its id begins with.

    A trial's own id may hold a point (``dropout_0.25``).
    """
    first = datum_id.partition(".")[0]
    if first in SEVERAL_PARTS:
        return datum_id.rpartition(".")[0] or first
    return next((trial for trial in trials if datum_id.startswith(f"{trial}.")), first)


def _in_line(writer: Writer, group: str, datum: Datum, letters: dict[str, str]) -> Markup:
    """Return a number with its name, interval and letter; only the value is an element: thousands take long to set."""
    name = datum.id.removeprefix(f"{group}.")
    value = writer.numbers.quantity(datum)
    interval = "" if datum.low is None or datum.high is None else f" {writer.numbers.interval(datum)}"
    how = _how(writer, datum)
    sign = letters.setdefault(how, letter(len(letters)))
    return Markup('{} <b id="{}">{}</b>{} ({})').format(name, f"d-{datum.id}", value, interval, sign)


def _behind(writer: Writer, data: Sequence[Datum]) -> str:
    """Return all runs behind some numbers, each once; where there are none, where the numbers come from."""
    runs = tuple(dict.fromkeys(run for datum in data for run in datum.runs))
    origins = dict.fromkeys(writer.word(names.ORIGINS[datum.origin]) for datum in data)
    return run_names(runs) or writer.numbers.enumeration(list(origins))
