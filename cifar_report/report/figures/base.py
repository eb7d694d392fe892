"""What a drawn figure is, and the names and words in it."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode
from xml.etree import ElementTree

import numpy as np

from cifar_report.analysis.results import Results, Verdict
from cifar_report.analysis.results.trials import Datum, TrialResult
from cifar_report.report import names
from cifar_report.report.i18n import Translation, load_messages
from cifar_report.report.names import QUANTITIES, SIGNS
from cifar_report.spec import AnyTrial, ClassicalTrial

Cell = str | float | int | None
Images = np.ndarray[Any, np.dtype[np.uint8]]
"""All images of the dataset, uint8 [images, rows, columns, colours], usually a memory map."""
MOST_CLASSES = 25  # of which a matrix can be read
SEPARATOR = " \N{MIDDLE DOT} "
SAY = load_messages("figures")


@dataclass(frozen=True)
class DrawnFigure:
    """One figure of the report, in one language, with its texts and its data."""

    id: str  # unique: the HTML id and the file name
    svg: bytes
    width_points: float
    height_points: float
    alt: str  # states the finding for people who do not see the picture
    caption: str  # one or two whole sentences
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]  # the numbers drawn
    group: str  # the experiment's id or the figure's own, by which sections ask for it
    png: bytes | None = None  # with photographs, which must not be passed on with the numbers: ``svg`` has none
    title: str = ""  # states the finding
    inline: str = ""  # the SVG for an HTML page, which gives it its colours


def stage_name(trial: AnyTrial, stage_id: str, translate: Translation) -> str:
    """Return what a stage is called, with its number on the same line."""
    name = names.stage_name(trial, stage_id, translate.numbers, names.AS_TITLE)
    return re.sub(r" (?=\d)", "\N{NO-BREAK SPACE}", name)


def trial_name(trial: AnyTrial, translate: Translation, stage_id: str | None = None) -> str:
    """Return a trial's title, with the stage where it has several and one is meant."""
    title = translate.text(trial.title)
    if stage_id is None or isinstance(trial, ClassicalTrial) or len(trial.stages) == 1:
        return title
    return f"{title}{SEPARATOR}{stage_name(trial, stage_id, translate)}"


def reference(results: Results) -> TrialResult | None:
    """Return the reference model, the first trial, where it has an accuracy."""
    return next((each for each in results.trials[:1] if each.stages and each.primary.datum.value is not None), None)


def written_trials(results: Results) -> list[TrialResult]:
    """Return the networks of the write-up that have finished runs; where none has, all others."""
    finished = [result for result in results.trials if result.stages]
    return [result for result in finished if result.section in ("trials", "model_2")] or finished


def percent_interval(datum: Datum) -> tuple[float, float] | None:
    """Return the part of a share's interval that is possible, in per cent; None where it has none."""
    if datum.low is None or datum.high is None:
        return None
    return max(0.0, 100 * datum.low), min(100.0, 100 * datum.high)


def comparison_name(verdict: Verdict, results: Results, translate: Translation) -> str:
    """Return a claim in signs: the two sides and the relation between them."""
    claim = verdict.claim
    names = [trial_name(results.trial(side.trial).trial, translate, side.stage) for side, _ in claim.sides]
    if claim.comparator_quantity is not None:  # one trial's fitting and prediction, for example
        quantities = (translate.gettext(QUANTITIES[quantity]) for _, quantity in claim.sides)
        names = list(map("{}, {}".format, quantities, names))
    return f" {SIGNS[claim.relation]} ".join(names)


# A drawing as SVG inside an HTML page: text stays text, and colours follow the page's theme.
Element = ElementTree.Element
DATA: Final = "data:"  # what a mark's gid begins with
HREF: Final = "{http://www.w3.org/1999/xlink}href"
REFERENCE: Final = re.compile(r"url\(#([^)]+)\)")
COLOUR: Final = re.compile(r"#[0-9a-f]{6}")
FAMILY: Final = re.compile(r" ?font-family: [^;]*;?")


def data_gid(**values: object) -> str:
    """Return a gid for a matplotlib artist that becomes ``data-…`` attributes of what it draws."""
    return DATA + urlencode({name: "" if value is None else value for name, value in values.items()})


def to_inline(svg: bytes, anchor: str, title: str, alt: str, colours: Mapping[str, str], family: str) -> str:
    """Return matplotlib's SVG as an element of an HTML page, whose ids begin with ``anchor``.

    ``colours`` maps those of the drawing to the page's variables; ``family`` names the faces of its text.
    """
    root = ElementTree.fromstring(svg)  # noqa: S314 - drawn a moment ago
    for each in [*root]:
        if _name(each) == "metadata" or (_name(each) == "defs" and len(each) == 1 and _name(each[0]) == "style"):
            root.remove(each)  # the latter would hold for the whole page
    _number_ids(root, anchor)
    classes: dict[str, str] = {}
    for each in root.iter():
        each.tag = _name(each)
        for name in ("d", "x", "y", "transform", "width", "height"):
            if name in each.attrib:
                text = " ".join(each.attrib[name].split())
                each.attrib[name] = re.sub(r"-?\d+\.\d{3,}", lambda long: f"{round(float(long[0]), 2) + 0:g}", text)
        style = FAMILY.sub("", each.attrib.pop("style", "")).strip()
        if style == "fill: none":  # an empty background
            each.tag, each.attrib = "g", {}
        elif style:
            each.attrib["class"] = classes.setdefault(style, f"f{len(classes)}")
    _unwrap(root)
    box = root.attrib["viewBox"]
    root.attrib = {"id": anchor, "class": "drawn", "viewBox": box, "role": "img", "aria-label": alt}
    heading, sheet = Element("title"), Element("style")
    heading.text, sheet.text = title, "".join(_rules(anchor, classes, colours, family))
    root[:0] = [heading, sheet]
    root.tail = None
    return ElementTree.tostring(root, encoding="unicode")


def _name(element: Element) -> str:
    return element.tag.rpartition("}")[2]


def _number_ids(root: Element, anchor: str) -> None:
    """Give what is referred to a short id of this figure, turn marks' gids into data, and drop all other ids."""
    used = {found for each in root.iter() for value in each.attrib.values() for found in REFERENCE.findall(value)}
    used |= {each.attrib[HREF][1:] for each in root.iter() if each.attrib.get(HREF, "").startswith("#")}
    named = [each for each in root.iter() if each.attrib.get("id") in used]
    ids = {each.attrib["id"]: f"{anchor}--{place}" for place, each in enumerate(named)}
    for each in root.iter():
        old = each.attrib.pop("id", "")
        if old in ids:
            each.attrib["id"] = ids[old]
        elif old.startswith(DATA):
            values = parse_qsl(old.removeprefix(DATA), keep_blank_values=True)
            each.attrib |= {f"data-{name}": value for name, value in values if value}
        if HREF in each.attrib:
            address = each.attrib.pop(HREF)
            each.attrib["href"] = f"#{ids[address[1:]]}" if address.startswith("#") else address
        for name, value in each.attrib.items():
            each.attrib[name] = REFERENCE.sub(lambda found: f"url(#{ids[found[1]]})", value)


def _unwrap(element: Element) -> None:
    """Put the content of groups that say nothing in their place, and drop what would draw nothing."""
    kept: list[Element] = []
    for each in element:
        _unwrap(each)
        each.tail = None
        if each.tag == "g" and not each.attrib:
            kept.extend(each)
        elif each.tag not in ("g", "defs") or len(each):
            kept.append(each)
    element[:] = kept
    if element.tag != "text" and not (element.text or "").strip():
        element.text = None


def _rules(anchor: str, classes: Mapping[str, str], colours: Mapping[str, str], family: str) -> Iterator[str]:
    def themed(colour: re.Match[str]) -> str:
        return f"var({colours[colour[0]]},{colour[0]})" if colour[0] in colours else colour[0]

    yield f"#{anchor}{{fill:var({colours['#000000']},#000);font-family:{family};stroke-linejoin:round}}"
    for style, name in classes.items():
        yield f"#{anchor} .{name}{{{COLOUR.sub(themed, style).replace(': ', ':').replace('; ', ';')}}}"
