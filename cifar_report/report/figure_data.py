"""The numbers of a figure as the table that stands below it on the screen."""

from __future__ import annotations

from markupsafe import Markup, escape

from cifar_report.report.elements import Cell, Column, Row, Table
from cifar_report.report.figures.drawn import Cell as Value
from cifar_report.report.figures.drawn import DrawnFigure
from cifar_report.report.numbers import DASH, Numbers


def figure_data(figure: DrawnFigure, numbers: Numbers, caption: Markup) -> Table | None:
    """Return what a figure draws, without a number of its own; None for a figure without numbers."""
    if not figure.rows:
        return None
    # A trial without an original has no curves of it: a column of dashes says nothing, a thousand times.
    told = [place for place in range(len(figure.columns)) if any(row[place] not in (None, "") for row in figure.rows)]
    columns = tuple(
        Column(figure.columns[place], all(isinstance(row[place], (int, float, type(None))) for row in figure.rows))
        for place in told
    )
    rows = tuple(
        Row(tuple((_cell(row[place], column, numbers), "") for place, column in zip(told, columns, strict=True)))
        for row in figure.rows
    )
    return Table(f"t-data-{figure.id}", "", caption, columns, rows, style="data")


def _cell(value: Value, column: Column, numbers: Numbers) -> Cell:
    if value is None or value == "":
        return Cell(escape(DASH), numeric=column.numeric)
    if isinstance(value, str):
        return Cell(escape(value))
    return Cell(escape(numbers.plain(value)), numeric=column.numeric)
