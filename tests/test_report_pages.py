"""What stands on which page of the printed report."""

import io
from dataclasses import replace
from functools import cache

import pypdf
import pytest
from command import ROOT
from suites import few

from cifar_report.analysis import analyse
from cifar_report.bundle import Bundle
from cifar_report.report.document import to_pdf
from cifar_report.report.i18n import Translation
from cifar_report.report.sections import assemble
from cifar_report.report.writer import Writer
from cifar_report.spec import LANGUAGES


@cache
def results_of(name):
    """Return a bundle and its results: the recorded one, or a simulated one with a timing pass."""
    if name == "simulated":
        return few()
    bundle = Bundle.load(ROOT / "report" / "reference")
    return bundle, analyse(bundle)


def front(name, language):
    """Return the view of a report without its sections: the first page and the contents."""
    bundle, results = results_of(name)
    writer = Writer(bundle, results, Translation(language), (), "print")
    return replace(assemble(writer, pictures=False), sections=())


def pages(view, language):
    """Return the text of each page of a report."""
    content = to_pdf(view, Translation(language), "2026-01-01T00:00:00+00:00", b"{}")
    return [" ".join(page.extract_text().split()) for page in pypdf.PdfReader(io.BytesIO(content)).pages]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_first_page_holds_everything_up_to_the_contents(language):
    """Title, warnings, summary, trust and facts fit on one page, and the contents begin on the second."""
    view = front("simulated", language)
    first, second = pages(view, language)[:2]
    assert Translation(language).gettext("Machine") in first
    assert Translation(language).gettext("Contents") in second


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_recorded_first_page_has_room_for_one_warning_more(language):
    """A bundle with missing runs and other seeds may have had its claims changed as well."""
    view = front("recorded", language)
    view = replace(view, title={**view.title, "claims_changed": True})
    first, second = pages(view, language)[:2]
    assert Translation(language).gettext("Warning") in first
    assert Translation(language).gettext("Machine") in first
    assert Translation(language).gettext("Contents") in second
