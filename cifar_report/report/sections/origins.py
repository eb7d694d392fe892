"""Where every number of the text comes from: a row for each on the screen, a row for what they belong to on paper."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from markupsafe import Markup, escape

from cifar_report.analysis.results import Datum
from cifar_report.report import names
from cifar_report.report.elements import Cell, Column, Note, Row, Table, letter
from cifar_report.report.i18n import mark
from cifar_report.report.sections import tables
from cifar_report.report.sections.runs import run_names
from cifar_report.report.sections.title import code
from cifar_report.report.writer import Writer

COUNTED = mark("%(how)s; n = %(count)s")
WIDTHS = (20.0, 59.0, 21.0)  # of the columns on paper, in hundredths
CAPTION = mark("Every number that the text links to")
SEVERAL_PARTS = ("claim", "timing")  # ids that begin so have what the number belongs to before their last dot


@dataclass(frozen=True)
class OriginsView:
    """The table, and what its letters mean where it has letters; no table where nothing was linked."""

    table: Table | None
    letters: tuple[Note, ...] = ()


def build(writer: Writer) -> OriginsView:
    """Return every number that was linked before, with what it was found by and the runs behind it."""
    if not writer.linked:
        return OriginsView(None)
    if writer.medium == "print":
        return _grouped(writer)
    heads = (
        Column(writer.word(mark("Number")), whole=True),
        Column(writer.word(mark("Value")), numeric=True),
        Column(writer.word(mark("95% interval")), numeric=True),
        *tables.columns(writer, mark("How it was found"), mark("Runs"), words=2),
    )
    rows = [_row(writer, datum) for datum in writer.linked.values()]
    return OriginsView(writer.table("data", writer.say(CAPTION), heads, rows, style="wide data"))


def _row(writer: Writer, datum: Datum) -> Row:
    no_interval = datum.low is None or datum.high is None
    interval = writer.numbers.interval(datum)
    cells = (
        Cell(code(datum.id)),
        Cell(escape(writer.numbers.quantity(datum)), numeric=True),
        Cell(escape(interval), numeric=True, missing=writer.reason_for_interval(datum) if no_interval else None),
        writer.text_cell(_how(writer, datum)),
        writer.text_cell(run_names(datum.runs) or writer.word(names.ORIGINS[datum.origin])),
    )
    return writer.row(cells, anchor=writer.data_anchor(datum))


def _how(writer: Writer, datum: Datum) -> str:
    how = writer.word(names.FORMULAS[datum.formula])
    if datum.n is None:
        return how
    return writer.translation.plain(COUNTED, {"how": how, "count": writer.numbers.integer(datum.n)})


def _grouped(writer: Writer) -> OriginsView:
    """Return one row for each claim's comparison, each trial and so on: a row a number would fill 25 pages."""
    groups: dict[str, list[Datum]] = {}
    for datum in writer.linked.values():
        groups.setdefault(group_of(datum.id, writer.bundle.trials), []).append(datum)
    letters: dict[str, str] = {}
    separator = escape(writer.word(mark(";"))) + " "
    rows = [
        writer.row(
            (
                Cell(code(group)),
                Cell(separator.join(_in_line(writer, group, datum, letters) for datum in data)),
                writer.text_cell(_behind(writer, data)),
            )
        )
        for group, data in groups.items()
    ]
    heads = tables.columns(writer, mark("Numbers of"), mark("Name, value and 95% interval"), mark("Runs"), words=3)
    table = replace(writer.table("data", writer.say(CAPTION), heads, rows, style="wide data"), widths=WIDTHS)
    return OriginsView(table, tuple(Note(sign, how) for how, sign in letters.items()))


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
    return Markup('{} <b id="{}">{}</b>{} ({})').format(name, writer.data_anchor(datum), value, interval, sign)


def _behind(writer: Writer, data: Sequence[Datum]) -> str:
    """Return all runs behind some numbers, each once; where there are none, where the numbers come from."""
    runs = tuple(dict.fromkeys(run for datum in data for run in datum.runs))
    origins = dict.fromkeys(writer.word(names.ORIGINS[datum.origin]) for datum in data)
    return run_names(runs) or writer.numbers.enumeration(list(origins))
