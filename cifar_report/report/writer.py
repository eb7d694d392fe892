"""What every section is written with: sentences, numbers linked to their origin, numbered tables and figures."""

import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from string import ascii_lowercase
from typing import Any, Literal, NamedTuple, TypeAlias

from markupsafe import Markup, escape

from cifar_report.analysis.results import Datum, Outcome, Results, Verdict
from cifar_report.bundle import Bundle
from cifar_report.report import names
from cifar_report.report.elements import Cell, Column, FigureView, Heading, Row, Table, data_address
from cifar_report.report.figures.base import DrawnFigure
from cifar_report.report.i18n import DASH, Translation, mark
from cifar_report.spec import Experiment, Section, Side, Trial

Medium = Literal["screen", "print"]
Value: TypeAlias = Cell | Datum | str | int | None  # what a table cell is made from
ORIGINAL = "Original"  # how columns begin of which a study of one's own has no numbers
TABLES: dict[str, dict[str, Any]] = tomllib.loads(Path(__file__).with_name("tables.toml").read_text(encoding="utf-8"))
USUAL = 0.95  # coverage of an interval that says nothing of it


class Cover(NamedTuple):
    """Who hands the report in, and for which course; neither is known to a bundle."""

    author: str = ""
    course: str = ""


@dataclass
class Writer:
    """One report being written: numbers tables and figures, remembers headings and the numbers that were linked."""

    bundle: Bundle
    results: Results
    translation: Translation
    figures: Sequence[DrawnFigure]
    medium: Medium = "screen"
    cover: Cover = field(default_factory=Cover)
    linked: dict[str, Datum] = field(default_factory=dict)
    headings: list[Heading] = field(default_factory=list)
    _tables: int = 0
    _shown: set[str] = field(default_factory=set)  # ids of figures
    _figures: int = 0

    def __post_init__(self) -> None:
        self.numbers = self.translation.numbers

    # Words

    def sentence(self, message: str, /, **values: object) -> Markup:
        """Return a translated sentence with its placeholders filled; what is no markup is escaped."""
        return self.translation.sentence(message, values)

    def plural(self, forms: Sequence[str], count: int, /, **values: object) -> Markup:
        """Return a translated sentence in the form, singular or plural, of ``count``; ``%(count)s`` stands for it."""
        return self.translation.plural(forms, count, {"count": self.numbers.integer(count), **values})

    def word(self, message: str) -> str:
        """Return a translated word or phrase without placeholders."""
        return self.translation.gettext(message)

    def enumeration(self, words: Sequence[str]) -> Markup:
        """Return words or links as a list in a sentence; what is no markup is escaped."""
        return Markup(self.numbers.enumeration([escape(word) for word in words]))  # noqa: S704 - escaped here

    def heading(self, anchor: str, title: str, level: int, number: str = "") -> Heading:
        """Return a heading that the table of contents will list."""
        heading = Heading(anchor, number, title, level)
        self.headings.append(heading)
        return heading

    def badge(self, outcome: Outcome, text: str | None = None) -> Markup:
        """Return an outcome as a mark that can be told from others without colour: its name, or a longer text."""
        shown = self.word(names.OUTCOMES[outcome]) if text is None else text
        return Markup('<span class="badge badge-{}">{}</span>').format(outcome, shown)

    def verdict_badge(self, verdict: Verdict) -> Markup:
        """Return a verdict's mark: its outcome, "supported" where the original measured nothing, and its cautions."""
        words = names.OUTCOMES if verdict.measured_before else {**names.OUTCOMES, **names.UNMEASURED}
        cautions = {"fragile": verdict.fragile, "missing": bool(verdict.missing)}
        shown = [words[verdict.outcome], *(names.MARKS[name] for name, holds in cautions.items() if holds)]
        return self.badge(verdict.outcome, ", ".join(map(self.word, shown)))

    # Names

    def trial_name(self, trial_id: str, stage: str | None = None) -> Markup:
        """Return a trial's title for a sentence, set apart from it, with its stage where one of several is meant."""
        name = Markup('<span class="trial">{}</span>').format(self.trial_title(trial_id))
        stage_name = self.stage_name(trial_id, stage)
        return name if stage_name is None else self.sentence("%(name)s (%(stage)s)", name=name, stage=stage_name)

    def trial_names(self, trials: Iterable[str]) -> Markup:
        """Return the names of trials as a list in a sentence."""
        return self.enumeration([self.trial_name(each) for each in trials])

    def side_name(self, side: Side | None) -> Markup:
        """Return the name of the trial, or of its stage, that is a side of a claim; nothing for none."""
        return Markup("") if side is None else self.trial_name(side.trial, side.stage)

    def side_title(self, side: Side | None) -> str:
        """Return a side's title as it stands in a table; nothing for none."""
        return "" if side is None else self.trial_title(side.trial, side.stage)

    def trial_title(self, trial_id: str, stage: str | None = None) -> str:
        """Return a trial's title as it stands in a table."""
        trial, name = self.bundle.trials.get(trial_id), self.stage_name(trial_id, stage)
        title = trial_id if trial is None else self.translation.text(trial.title)
        return title if name is None else f"{title}, {name}"

    def stage_name(self, trial_id: str, stage: str | None) -> str | None:
        """Return what a trial's stage is called; None where it has only one."""
        trial = self.bundle.trials.get(trial_id)
        if stage is None or not isinstance(trial, Trial) or len(trial.stages) < 2:
            return None
        return names.stage_name(trial, stage, self.numbers)

    def experiments(self, *sections: Section) -> tuple[Experiment, ...]:
        """Return the experiments of some sections, in their order."""
        return tuple(each for each in self.bundle.record.experiments if each.section in sections)

    # Numbers

    def link(self, datum: Datum, text: str | None = None) -> Markup:
        """Return a number as a link to its row of the appendix, which print lacks; where it has no value, a dash."""
        if datum.value is None:
            return Markup('<span class="missing" title="{}">{}</span>').format(self.reason(datum), DASH)
        shown = self.numbers.number(datum) if text is None else text
        if self.medium == "print":
            return escape(shown)
        self.linked.setdefault(datum.id, datum)
        return Markup('<a href="#d-{}">{}</a>').format(datum.id, shown)

    def quantity(self, datum: Datum | None, *, size: bool = False) -> Markup:
        """Return a number with its unit in words, as a link, nothing for none; ``size``: without its sign."""
        return Markup("") if datum is None else self.link(datum, self.numbers.quantity(datum, size=size))

    def interval(self, datum: Datum, *, inverse: bool = False) -> Markup:
        """Return a number's interval as a link to the number's row, a dash where it has none."""
        no_interval = datum.low is None and datum.high is None
        return escape(DASH) if no_interval else self.link(datum, self.bounds(datum, inverse=inverse))

    def bounds(self, datum: Datum, *, inverse: bool = False) -> str:
        """Return a number's interval as text, with its level where that is not 95 %."""
        level = "" if datum.coverage == USUAL else f"{self.numbers.bare(datum.coverage, 'share', trimmed=True)}% "
        return level + self.numbers.interval(datum, inverse=inverse)

    def reason(self, datum: Datum) -> str:
        """Return in words why a number has no value."""
        return self.word(names.UNDEFINED[datum.reason] if datum.reason else mark("not measured"))

    # Tables

    def cell(self, value: Value, *, interval: bool = False, link: bool = True, none: str = names.NO_ORIGINAL) -> Cell:
        """Return a cell: words, a whole number, or an estimate with its interval; ``none`` says why it is empty."""
        if isinstance(value, Cell):
            return value
        if value is None:
            return self.empty_cell(none, numeric=True)
        if isinstance(value, str):
            return Cell(escape(value))
        if isinstance(value, int):
            return Cell(escape(self.numbers.integer(value)), numeric=True)
        if value.value is None:
            return Cell(escape(DASH), numeric=True, missing=self.reason(value))
        shown = self.link(value) if link else escape(self.numbers.number(value))
        if interval and (value.low is not None or value.high is not None):
            shown += Markup(' <span class="interval">{}</span>').format(self.bounds(value))
        return Cell(shown, numeric=True)

    def interval_cell(self, datum: Datum) -> Cell:
        """Return a cell with a number's interval, or a dash and why it has none."""
        if datum.low is not None and datum.high is not None:
            return Cell(escape(self.numbers.interval(datum)), numeric=True)
        reason = self.reason(datum) if datum.reason else self.word(mark("a single value has no interval"))
        return Cell(escape(DASH), numeric=True, missing=reason)

    def empty_cell(self, reason: str, *, numeric: bool = False) -> Cell:
        """Return a cell that holds a dash and says why."""
        return Cell(escape(DASH), numeric, self.word(reason))

    def row(self, *values: Value, id: str | None = None, outcome: str | None = None) -> Row:  # noqa: A002 - as in HTML
        """Return a row of cells."""
        return Row(tuple(map(self.cell, values)), id, outcome)

    def table(
        self, name: str, rows: Iterable[Row | Sequence[Any]], *, anchor: str = "", caption: str = "", **values: object
    ) -> Table:
        """Return the table ``name`` of tables.toml; every dash in it gets a letter, and a note that says why.

        ``caption`` stands in place of its own, and ``values`` are the caption's placeholders.
        """
        layout = TABLES[name]
        number = ""
        if layout.get("numbered", True):
            self._tables += 1
            number = self.numbers.integer(self._tables)
        titles = layout["columns"].split(" | ")
        columns = [Column(self.word(title.removeprefix("#")), title.startswith("#")) for title in titles]
        widths = layout.get("widths", [])
        whole = tuple(row if isinstance(row, Row) else self.row(*row) for row in rows)
        if self.translation.own and any(column.title.startswith(ORIGINAL) for column in columns):
            kept = [place for place, column in enumerate(columns) if not column.title.startswith(ORIGINAL)]
            whole = tuple(row._replace(cells=tuple(row.cells[place] for place in kept)) for row in whole)
            columns, widths = [columns[place] for place in kept], [widths[place] for place in kept if widths]
        reasons = dict.fromkeys(cell.missing for row in whole for cell in row.cells if cell.missing)
        notes = {reason: _letter(place) for place, reason in enumerate(reasons)}
        widths = widths if self.medium == "print" else ()
        message = caption or layout["caption"]
        shown, style = self.sentence(message, **values), layout.get("style", "")
        return Table(f"t-{anchor or name}", number, shown, tuple(columns), whole, notes, style, tuple(widths))

    # Figures

    def show(self, *wanted: DrawnFigure, numbered: bool = True) -> tuple[FigureView, ...]:
        """Return figures numbered in the order in which they are shown, without those that were shown before."""
        return tuple(self._view(figure, numbered=numbered) for figure in wanted if figure.id not in self._shown)

    def group(self, *groups: str, numbered: bool = True) -> tuple[FigureView, ...]:
        """Return every figure of some groups that was not shown before."""
        return self.show(*(figure for figure in self.figures if figure.group in groups), numbered=numbered)

    def _view(self, figure: DrawnFigure, *, numbered: bool) -> FigureView:
        self._shown.add(figure.id)
        self._figures += numbered
        number = self.numbers.integer(self._figures) if numbered else ""
        # The printed report keeps pictures: inline SVG with a label fails PDF/UA.
        inline = self.medium == "screen" and figure.png is None
        picture = (figure.svg, "image/svg+xml") if figure.png is None else (figure.png, "image/png")
        return FigureView(
            id=f"f-{figure.id}",
            number=number,
            address="" if inline else data_address(*picture),
            inline=Markup(figure.inline if inline else ""),  # noqa: S704 - drawn by this project
            title=figure.title,
            alt=figure.alt,
            caption=figure.caption,
            width=round(figure.width_points),
            height=round(figure.height_points),
            pixelated=figure.png is not None,
            data=self._figure_data(figure, number) if self.medium == "screen" and figure.rows else None,
        )

    def _figure_data(self, figure: DrawnFigure, number: str) -> Table:
        """Return what a figure draws as a table without a number, leaving out columns that hold nothing."""
        rows = figure.rows
        told = [place for place in range(len(figure.columns)) if any(row[place] not in (None, "") for row in rows)]
        numeric = {place: all(isinstance(row[place], (int, float, type(None))) for row in rows) for place in told}

        def cell(value: str | float | None, place: int) -> Cell:
            if isinstance(value, str) and value:
                return Cell(escape(value))
            shown = self.numbers.plain(value) if isinstance(value, (int, float)) else DASH
            return Cell(escape(shown), numeric=numeric[place])

        columns = tuple(Column(figure.columns[place], numeric[place]) for place in told)
        shown = tuple(Row(tuple(cell(row[place], place) for place in told)) for row in rows)
        caption = self.sentence("Data of Figure %(number)s", number=number) if number else escape(figure.caption)
        return Table(f"t-data-{figure.id}", "", caption, columns, shown, {}, style="data")


def _letter(place: int) -> str:
    """Return the letter of the note at a place, counted from 0: a to z, then aa, ab and so on."""
    before, last = divmod(place, 26)
    return (_letter(before - 1) if before else "") + ascii_lowercase[last]
