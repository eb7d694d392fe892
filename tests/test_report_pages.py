"""How the printed report is set: what stands on which page, and typefaces for every character."""

import io
import logging
from dataclasses import replace

import pypdf
import pytest
from fontTools.ttLib import TTFont
from reports import Page, report_of, small_bundle
from suites import few, reference

from cifar_report.report.document import FACES, FONTS, to_pdf
from cifar_report.report.elements import breakable
from cifar_report.report.figures import draw_all
from cifar_report.report.figures.ladder import draw_ladder
from cifar_report.report.figures.verdicts import draw_verdict_bar
from cifar_report.report.i18n import Translation, read_catalogue
from cifar_report.report.sections import assemble
from cifar_report.report.writer import Writer
from cifar_report.spec import LANGUAGES


def front(name, language):
    """Return the view of a report without its sections: the first two pages and the contents."""
    bundle, results = few() if name == "simulated" else reference()
    translation = Translation(language)
    figures = tuple(filter(None, (draw_ladder(results, translation), draw_verdict_bar(results, translation))))
    writer = Writer(bundle, results, translation, figures, "print")
    return replace(assemble(writer, pictures=False), sections=())


@pytest.mark.long
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", ["recorded", "simulated"])
def test_two_pages_hold_what_came_out_and_a_third_where_it_stands(name, language):
    """Abstract, figures, data and a warning more than usual fit on the first page, findings and times on the second."""
    view = front(name, language)
    view = replace(view, title={**view.title, "claims_changed": True})
    word = Translation(language).gettext
    logging.getLogger("weasyprint").setLevel(logging.CRITICAL)  # of links into sections that are left out
    content = to_pdf(view, Translation(language), "2026-01-01T00:00:00+00:00", b"{}")
    read = pypdf.PdfReader(io.BytesIO(content)).pages
    first, second, *rest = (" ".join(page.extract_text().split()) for page in read)
    assert word("Warning:") in first
    assert "CIFAR-10" in first
    assert word("Findings") in second
    assert len(rest) < 2
    for title in ("The assignment", "Contents"):
        assert word(title) in (rest or [second])[0]


MOST_PAGES = {"en": 40, "el": 44}
LETTERS = 6.5  # points; the small letters of a table's notes


@pytest.mark.long
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_recorded_report_is_short_and_large_enough_to_read(language):
    """Few pages, none of them almost empty, no word under 8 points, and in English one page for each trial."""
    bundle, results = reference()
    translation = Translation(language)
    writer = Writer(bundle, results, translation, draw_all(results, translation, bundle=bundle), "print")
    content = to_pdf(assemble(writer, pictures=False), translation, "2026-01-01T00:00:00+00:00", b"{}")
    reader = pypdf.PdfReader(io.BytesIO(content))
    assert len(reader.pages) <= MOST_PAGES[language]
    sizes = set()

    def measure(text, above, matrix, _font, size):
        if text.strip():
            sizes.add(round(abs(size * matrix[3] * above[3]), 1))

    for page in reader.pages:
        assert len(page.extract_text(visitor_text=measure)) > 400
    assert min(sizes - {LETTERS}) >= 8
    places = {name: reader.get_destination_page_number(each) for name, each in reader.named_destinations.items()}
    trials = [places[f"experiment-{each.id}"] for each in writer.experiments("trials")]
    assert language != "en" or trials == list(range(trials[0], trials[0] + len(trials)))


def test_an_id_breaks_between_its_parts_and_not_inside_of_a_word_or_a_number():
    """Markup in an id stays text, and what is copied from the page is the id."""
    assert breakable("C01a.15_epochs.as_written") == "C01a.15_<wbr>epochs.<wbr>as_<wbr>written"
    assert breakable("dropout_0.25") == "dropout_0.25"
    assert breakable("a_<b>.c") == "a_&lt;b&gt;.<wbr>c"


STYLES = sorted({(weight, style) for family, _, weight, style in FACES if family.startswith("Serif")})


def covered(kind, weight, style):
    """Return the characters of all typefaces of a kind, in one weight and style."""
    files = [name for family, name, *look in FACES if family.startswith(kind) and look == [weight, style]]
    return {chr(code) for name in files for code in TTFont(FONTS / f"{name}.woff2").getBestCmap()} | {"\n"}


def messages(language):
    for message in read_catalogue("el"):
        if message.id:
            found = message.id if language == "en" else message.string
            yield from found if isinstance(found, (list, tuple)) else (found,)


@pytest.mark.parametrize(("weight", "style"), STYLES)
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_word_is_set_in_the_report_s_own_typefaces(language, weight, style):
    """No character of a message falls back to a face of the reader's machine."""
    said = "".join(messages(language))
    assert set(said) - covered("Serif", weight, style) == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_word_of_a_figure_is_drawn_in_the_report_s_own_design(language):
    """No character of a message, and no power of ten, needs the figures' second face."""
    said = "".join((*messages(language), "×10⁰¹²³⁴⁵⁶⁷⁸⁹−…"))
    face = TTFont(FONTS / "report-figures-400-normal.otf")
    assert set(said) - {chr(code) for code in face.getBestCmap()} - {"\n"} == set()


def test_every_character_of_a_page_is_set_in_the_report_s_own_typefaces():
    """Numbers, signs and names that no catalogue holds are covered too, and so is code."""
    page = Page(report_of(small_bundle("baseline", "stride", "padding", seeds=2)))
    body = next(element for element in page.elements if element.tag == "body")
    text = body.text
    for each in page.all("math"):  # a browser has its own face for these
        text = text.replace(each.text, "", 1)
    unseen = set("".join(element.text for element in page.all("script")))
    shown = set(text) - (unseen - set("".join(element.text for element in page.all("main"))))
    assert shown - covered("Serif", 400, "normal") == set()
    code = "".join(element.text for element in (*page.all("code"), *page.all("pre")))
    assert code
    assert set(code) - covered("Mono", 400, "normal") == set()
