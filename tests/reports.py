"""Reports of simulated bundles, and what a test reads in them."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from html.parser import HTMLParser
from typing import Any

from msgspec.structs import replace
from suites import few, few_figures, simulate, simulated

from cifar_report.analysis import analyse
from cifar_report.bundle import Bundle
from cifar_report.registry import load_experiments
from cifar_report.report.document import render
from cifar_report.report.figures import DrawnFigure
from cifar_report.report.i18n import Translation
from cifar_report.report.sections import assemble
from cifar_report.report.writer import Medium, Writer
from cifar_report.spec import Experiment

VOID = {"meta", "img", "link", "br", "col", "input", "wbr", "hr"}
SMALL = ("baseline", "filters", "classical")


def few_experiments(*ids: str, of: Sequence[Experiment] = ()) -> tuple[Experiment, ...]:
    """Return some experiments, of the suite or of those given, without the claims that speak of trials of others."""
    chosen = [each for each in of or load_experiments() if each.id in (ids or SMALL)]
    known = {trial.id for each in chosen for trial in each.trials}
    return tuple(
        replace(
            each,
            claims=tuple(
                claim
                for claim in each.claims
                if claim.subject.trial in known and (claim.comparator is None or claim.comparator.trial in known)
            ),
        )
        for each in chosen
    )


def report_of(
    bundle: Bundle,
    figures: Sequence[DrawnFigure] = (),
    *,
    pictures: bool = False,
    language: str = "en",
    medium: Medium = "screen",
) -> str:
    """Return the HTML of a report, by default without figures, which take long to draw."""
    translation = Translation(language, bundle.record.dataset.about, own=bundle.record.study is not None)
    view = assemble(Writer(bundle, analyse(bundle), translation, figures, medium), pictures=pictures)
    return render(view, translation, medium, bundle.record.created)


@cache
def few_report(medium: Medium) -> str:
    """Return the report of ``few``, all experiments of which some have run, with its figures."""
    return report_of(few()[0], few_figures(), medium=medium)


def page_of(writer: Writer) -> "Page":
    """Return the whole report on a writer's bundle and results, without figures."""
    fresh = Writer(writer.bundle, writer.results, writer.translation, (), cover=writer.cover)
    view = assemble(fresh, pictures=False)
    return Page(render(view, fresh.translation, "screen", fresh.bundle.record.created))


def chapter(writer: Writer, name: str) -> str:
    """Return the text of one chapter of that report."""
    return " ".join(page_of(writer).all("section", f"chapter-{name}")[0].text.split())


def small_writer(*ids: str, language: str = "en", **settings: Any) -> Writer:
    """Return a writer, without figures, of a simulated bundle of three experiments, or of those that are named."""
    return Writer(*simulated(few_experiments(*ids), **settings), Translation(language), ())


def small_bundle(*ids: str, **settings: Any) -> Bundle:
    """Return a simulated bundle of three experiments, or of those that are named."""
    return simulate(few_experiments(*ids), **settings)


@dataclass(eq=False)
class Element:
    """One element of a page: its tag and its attributes, and where its inside begins and ends on the page."""

    tag: str
    attributes: dict[str, str]
    page: "Page"
    begin: tuple[int, int]  # among the page's elements, and among its texts
    end: tuple[int, int]

    @property
    def text(self) -> str:
        return "".join(self.page.texts[self.begin[1] : self.end[1]])

    @property
    def inside(self) -> list["Element"]:
        return self.page.elements[self.begin[0] : self.end[0]]


class Page(HTMLParser):
    """A page taken apart; raises AssertionError where tags are not nested."""

    def __init__(self, source: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[Element] = []
        self.texts: list[str] = []
        self._open: list[Element] = []
        self.feed(source)
        self.close()
        assert not self._open, [element.tag for element in self._open]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        begin = (len(self.elements) + 1, len(self.texts))
        element = Element(tag, {name: value or "" for name, value in attrs}, self, begin, begin)
        self.elements.append(element)
        if tag not in VOID:
            self._open.append(element)

    def handle_endtag(self, tag: str) -> None:
        element = self._open.pop()
        assert element.tag == tag
        element.end = (len(self.elements), len(self.texts))

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    def all(self, tag: str, name: str = "") -> list[Element]:
        """Return the elements of a tag, of one class where ``name`` is given."""
        found = [element for element in self.elements if element.tag == tag]
        return [each for each in found if not name or name in each.attributes.get("class", "").split()]

    def ids(self) -> list[str]:
        return [element.attributes["id"] for element in self.elements if "id" in element.attributes]
