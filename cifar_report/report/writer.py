"""What every section builder writes with: words, numbers, links to data, tables and figures, all numbered in order."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from markupsafe import Markup, escape

from cifar_report.analysis.results import Datum, Results, TrialResult
from cifar_report.bundle import Bundle
from cifar_report.report import names
from cifar_report.report.elements import Cell, Column, FigureView, Heading, Note, Row, Table, data_address, letter
from cifar_report.report.figure_data import figure_data
from cifar_report.report.figures.drawn import DrawnFigure
from cifar_report.report.i18n import Translation, mark
from cifar_report.report.labels import Labels
from cifar_report.report.numbers import DASH, Numbers
from cifar_report.report.widths import ACROSS, UPRIGHT, column_widths
from cifar_report.spec import Experiment, Section, Side, Trial

Medium = Literal["screen", "print"]
INNER_QUOTATION_MARKS = str.maketrans("“”«»", "\u2018\u2019“”")  # of a name that itself stands in quotation marks


@dataclass
class Writer:
    """One report being written, in one language and for one medium.

    It counts tables, figures and headings in the order in which they are made, and remembers which data were
    linked, so that the appendix can hold a row for each.
    """

    bundle: Bundle
    results: Results
    translation: Translation
    figures: Sequence[DrawnFigure]
    medium: Medium = "screen"
    linked: dict[str, Datum] = field(default_factory=dict)
    headings: list[Heading] = field(default_factory=list)
    _anchors: dict[str, int] = field(default_factory=dict)
    _tables: int = 0
    _shown: dict[str, str] = field(default_factory=dict)  # figure ids with their numbers

    def __post_init__(self) -> None:
        self.numbers = Numbers(self.translation)
        self.labels = Labels(self.translation, self.numbers)
        self._experiments = {experiment.id: experiment for experiment in self.bundle.record.experiments}

    # Words

    def say(self, message: str, /, **values: object) -> Markup:
        """Return a translated whole sentence with its placeholders filled; what is no markup is escaped."""
        return self.translation.sentence(message, values)

    def count(self, forms: tuple[str, str], count: int, /, **values: object) -> Markup:
        """Return a translated whole sentence in the plural form of ``count``; ``%(count)s`` stands for it."""
        return self.translation.plural(*forms, count, {"count": self.numbers.integer(count), **values})

    def word(self, message: str) -> str:
        """Return a translated word or phrase without placeholders."""
        return self.translation.gettext(message)

    def heading(self, anchor: str, title: str, level: int, number: str = "") -> Heading:
        """Return a heading that the table of contents will list."""
        heading = Heading(anchor, number, title, level)
        self.headings.append(heading)
        return heading

    # Names

    def trial_name(self, trial_id: str, stage: str | None = None) -> Markup:
        """Return a trial's title in quotation marks, with its stage where one of several is meant."""
        trial = self.bundle.trials.get(trial_id)
        if trial is None:
            return self.say(mark("“%(name)s”"), name=trial_id)
        title = self.translation.text(trial.title).translate(INNER_QUOTATION_MARKS)
        if stage is not None and isinstance(trial, Trial) and len(trial.stages) > 1:
            return self.say(mark("“%(name)s” (%(stage)s)"), name=title, stage=self.labels.stage(trial, stage))
        return self.say(mark("“%(name)s”"), name=title)

    def trial_title(self, trial_id: str, stage: str | None = None) -> str:
        """Return a trial's title as it stands in a table."""
        trial = self.bundle.trials.get(trial_id)
        if trial is None:
            return trial_id
        title = self.translation.text(trial.title)
        if stage is not None and isinstance(trial, Trial) and len(trial.stages) > 1:
            return f"{title}, {self.labels.stage(trial, stage)}"
        return title

    def side_name(self, side: Side) -> Markup:
        """Return one side of a comparison in quotation marks."""
        return self.trial_name(side.trial, side.stage)

    def experiments(self, *sections: Section) -> tuple[Experiment, ...]:
        """Return the experiments of some sections, in their order."""
        return tuple(each for each in self.bundle.record.experiments if each.section in sections)

    def own_trials(self, experiment: Experiment) -> tuple[TrialResult, ...]:
        """Return the results of an experiment's own trials."""
        return tuple(self.results.trial(trial.id) for trial in experiment.trials)

    # Numbers

    def link(self, datum: Datum, text: str | Markup | None = None) -> Markup:
        """Return a number as a link to its row of the appendix; a dash with its reason where it has no value."""
        if datum.value is None:
            return Markup('<span class="missing" title="{}">{}</span>').format(self.reason(datum), DASH)
        return self._linked(datum, self.numbers.number(datum) if text is None else text)

    def quantity(self, datum: Datum, *, size: bool = False) -> Markup:
        """Return a number with its unit in words, as a link to its row of the appendix."""
        return self.link(datum, self.numbers.quantity(datum, size=size))

    def interval(self, datum: Datum) -> Markup:
        """Return a number's 95 % interval as a link to its row of the appendix, a dash where it has none."""
        if datum.low is None or datum.high is None:
            return escape(DASH)
        return self._linked(datum, self.numbers.interval(datum))

    def _linked(self, datum: Datum, text: str | Markup) -> Markup:
        self.linked.setdefault(datum.id, datum)
        # A thousand anchors by their full names would make an eighth of the file.
        place = self._anchors.setdefault(datum.id, len(self._anchors) + 1)
        return Markup('<a href="#d-{}">{}</a>').format(place, text)

    def data_anchor(self, datum: Datum) -> str:
        """Return the HTML id of a linked number's row; raises KeyError when nothing links to it."""
        return f"d-{self._anchors[datum.id]}"

    def reason(self, datum: Datum) -> str:
        """Return in words why a number has no value."""
        return self.word(names.UNDEFINED[datum.reason]) if datum.reason else self.word(mark("not measured"))

    def reason_for_interval(self, datum: Datum) -> str:
        """Return in words why a number has no interval."""
        return self.reason(datum) if datum.reason else self.word(mark("a single value has no interval"))

    # Cells and tables

    def cell(self, datum: Datum | None, *, interval: bool = False, none: str = names.NO_ORIGINAL) -> Cell:
        """Return a cell with a number (and its interval); ``none`` says why where there is no datum at all.

        On paper only the numbers of sentences have a row in the appendix: thousands of rows help nobody there, and
        all numbers are attached to the file.
        """
        if datum is None:
            return Cell(escape(DASH), numeric=True, missing=self.word(none))
        if datum.value is None:
            return Cell(escape(DASH), numeric=True, missing=self.reason(datum))
        content = self.link(datum) if self.medium == "screen" else escape(self.numbers.number(datum))
        if interval and datum.low is not None:
            content += Markup(' <span class="interval">{}</span>').format(self.numbers.interval(datum))
        return Cell(content, numeric=True)

    def light_cell(self, datum: Datum | None, none: str = names.NO_ORIGINAL) -> Cell:
        """Return a cell with a number that has no row of its own in the appendix."""
        if datum is None or datum.value is None:
            return self.cell(datum, none=none)
        return Cell(escape(self.numbers.number(datum)), numeric=True)

    def text_cell(self, text: str | Markup) -> Cell:
        """Return a cell with words; text that is no markup is escaped."""
        return Cell(escape(text))

    def count_cell(self, value: int | None, none: str = names.NO_ORIGINAL) -> Cell:
        """Return a cell with a whole number."""
        if value is None:
            return self.cell(None, none=none)
        return Cell(escape(self.numbers.integer(value)), numeric=True)

    def no_cell(self, reason: str) -> Cell:
        """Return a cell that holds a dash and says why."""
        return Cell(escape(DASH), missing=self.word(reason))

    def row(self, cells: Iterable[Cell], *, anchor: str | None = None, outcome: str | None = None) -> Row:
        """Return a row; the letters of its notes are set when its table is made."""
        return Row(tuple((cell, "") for cell in cells), anchor, outcome)

    def table(
        self,
        anchor: str,
        caption: str | Markup,
        columns: Sequence[Column],
        rows: Iterable[Row],
        style: str = "",
        *,
        numbered: bool = True,
    ) -> Table:
        """Return a table; every dash in it gets a letter and a note that says why it is there.

        A table that only one medium shows has no number, so that the numbers of all others are the same in both.
        """
        self._tables += numbered
        letters: dict[str, str] = {}
        lettered = tuple(
            replace(row, cells=tuple(self._lettered(cell, letters) for cell, _ in row.cells)) for row in rows
        )
        notes = tuple(Note(letter, reason) for reason, letter in letters.items())
        number = self.numbers.integer(self._tables) if numbered else ""
        room = ACROSS if "verdicts" in style.split() else UPRIGHT
        # Laying out thousands of cells to find a column's width takes longer than all the rest of the printed report.
        widths = column_widths(columns, lettered, room) if self.medium == "print" else ()
        return Table(f"t-{anchor}", number, escape(caption), tuple(columns), lettered, notes, style, widths)

    def _lettered(self, cell: Cell, letters: dict[str, str]) -> tuple[Cell, str]:
        if cell.missing is None:
            return cell, ""
        return cell, letters.setdefault(cell.missing, letter(len(letters)))

    def table_reference(self, table: Table) -> Markup:
        """Return a link to a table by its number."""
        words = self.say(mark("Table %(number)s"), number=table.number)
        return Markup('<a class="reference" href="#{}">{}</a>').format(table.id, words)

    # Figures

    def show(self, *wanted: DrawnFigure) -> tuple[FigureView, ...]:
        """Return figures numbered in the order in which they are shown; one that was shown before is left out."""
        return tuple(self._view(figure) for figure in wanted if figure.id not in self._shown)

    def group(self, *groups: str) -> tuple[FigureView, ...]:
        """Return every figure of some groups that was not shown before."""
        return self.show(*(figure for figure in self.figures if figure.group in groups))

    def remaining(self) -> tuple[FigureView, ...]:
        """Return every figure that was not shown yet."""
        return self.show(*self.figures)

    def figure_reference(self, view: FigureView) -> Markup:
        """Return a link to a figure by its number."""
        words = self.say(mark("Figure %(number)s"), number=view.number)
        return Markup('<a class="reference" href="#{}">{}</a>').format(view.id, words)

    def _view(self, figure: DrawnFigure) -> FigureView:
        number = self.numbers.integer(len(self._shown) + 1)
        self._shown[figure.id] = number
        caption = self.say(mark("Data of Figure %(number)s"), number=number)
        picture = (figure.svg, "image/svg+xml") if figure.png is None else (figure.png, "image/png")
        return FigureView(
            id=f"f-{figure.id}",
            number=number,
            address=data_address(*picture),
            alt=figure.alt,
            caption=figure.caption,
            width=round(figure.width_points),
            height=round(figure.height_points),
            pixelated=figure.png is not None,
            data=figure_data(figure, self.numbers, caption) if self.medium == "screen" else None,
        )
