"""The typefaces inside the report hold every character that it sets."""

import pytest
from fontTools.ttLib import TTFont
from reports import Page, report_of, small_bundle

from cifar_report.report.document import FACES, FONTS
from cifar_report.report.i18n import read_catalogue
from cifar_report.spec import LANGUAGES

STYLES = sorted({(weight, style) for family, _, weight, style in FACES if family.startswith("Serif")})


def covered(kind, weight, style):
    """Return the characters of all typefaces of a kind, in one weight and style."""
    files = [name for family, name, *look in FACES if family.startswith(kind) and look == [weight, style]]
    return {chr(code) for name in files for code in TTFont(FONTS / f"{name}.woff2").getBestCmap()} | {"\n"}


def messages(language):
    """Yield every message of the catalogue in one language."""
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
    unseen = "".join(element.text for element in page.all("script"))
    shown = set(body.text) - (set(unseen) - set("".join(element.text for element in page.all("main"))))
    assert shown - covered("Serif", 400, "normal") == set()
    code = "".join(element.text for element in (*page.all("code"), *page.all("pre")))
    assert code
    assert set(code) - covered("Mono", 400, "normal") == set()
