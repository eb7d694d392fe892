"""The report as one PDF that is PDF/A-3a and PDF/UA-1 at once, the same bytes for the same input."""

from __future__ import annotations

import contextlib
import datetime
import warnings
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from cifar_report.errors import SuiteError
from cifar_report.rendering import formulas
from cifar_report.rendering.drawing import Drawing
from cifar_report.rendering.environment import render
from cifar_report.rendering.figures.drawn import DrawnFigure
from cifar_report.rendering.i18n import Translation, mark
from cifar_report.rendering.pictures import paper_address
from cifar_report.rendering.pixels import UnknownShapeError
from cifar_report.rendering.sections import ReportView
from cifar_report.rendering.vector import to_picture

if TYPE_CHECKING:
    from weasyprint import Document

PANGO_PACKAGES = "libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0"
NUMBERS_NAME = "results.json"
# WeasyPrint writes one identifier; a file that keeps two promises has to carry both, and PDF/A wants the second
# one's vocabulary described.
ACCESSIBLE = b"""<rdf:Description xmlns:pdfuaid="http://www.aiim.org/pdfua/ns/id/" rdf:about="">
<pdfuaid:part>1</pdfuaid:part></rdf:Description>
<rdf:Description rdf:about="" xmlns:pdfaExtension="http://www.aiim.org/pdfa/ns/extension/"
 xmlns:pdfaSchema="http://www.aiim.org/pdfa/ns/schema#" xmlns:pdfaProperty="http://www.aiim.org/pdfa/ns/property#">
<pdfaExtension:schemas><rdf:Bag><rdf:li rdf:parseType="Resource">
<pdfaSchema:schema>PDF/UA identification schema</pdfaSchema:schema>
<pdfaSchema:namespaceURI>http://www.aiim.org/pdfua/ns/id/</pdfaSchema:namespaceURI>
<pdfaSchema:prefix>pdfuaid</pdfaSchema:prefix>
<pdfaSchema:property><rdf:Seq><rdf:li rdf:parseType="Resource">
<pdfaProperty:name>part</pdfaProperty:name><pdfaProperty:valueType>Integer</pdfaProperty:valueType>
<pdfaProperty:category>internal</pdfaProperty:category>
<pdfaProperty:description>part of ISO 14289 that the file conforms to</pdfaProperty:description>
</rdf:li></rdf:Seq></pdfaSchema:property>
</rdf:li></rdf:Bag></pdfaExtension:schemas></rdf:Description></rdf:RDF>"""


def to_pdf(
    view: ReportView, translation: Translation, created: str, numbers: bytes, figures: Sequence[DrawnFigure] = ()
) -> bytes:
    """Return the PDF file with ``numbers`` (JSON) attached; every date in it is ``created``.

    ``figures`` are those that the view shows: they are drawn faster than WeasyPrint draws pictures.

    Raises SuiteError naming the packages where the libraries for setting text are missing.
    """
    weasyprint = _load()
    from cifar_report.rendering.setter import LightHTML

    stamp = datetime.datetime.fromisoformat(created)
    attachment = weasyprint.Attachment(
        string=numbers,
        name=NUMBERS_NAME,
        description=translation.gettext(mark("Every number of this report")),
        created=stamp,
        modified=stamp,
        relationship="Data",
        url_fetcher=_fetcher(),
    )
    source = render(view, translation, "print", created)
    document = LightHTML(string=source, url_fetcher=_fetcher()).render(pdf_variant="pdf/a-3a", cache=_drawings(figures))
    _promise_accessibility(document)
    with warnings.catch_warnings():
        # WeasyPrint leaves the file of its colour profile to the garbage collector.
        warnings.simplefilter("ignore", ResourceWarning)
        content: bytes = document.write_pdf(pdf_variant="pdf/a-3a", attachments=[attachment])
    return content


def _drawings(figures: Sequence[DrawnFigure]) -> dict[str, Any]:
    """Return WeasyPrint's cache of pictures, filled with those that we can draw ourselves."""
    drawings: dict[str, Any] = {}
    for figure in figures:
        if figure.picture is not None and figure.png is None:
            drawings[paper_address(figure)] = Drawing(figure.picture)
    for address, content in formulas.pictures():
        with contextlib.suppress(UnknownShapeError):
            drawings[address] = Drawing(to_picture(content))
    return drawings


def _load() -> Any:
    try:
        import weasyprint
    except (ImportError, OSError) as error:
        raise SuiteError(
            "the PDF was not written, because the libraries that set its text are missing; install them, for "
            f"example with: apt-get install {PANGO_PACKAGES} (then build the report again). {error}"
        ) from error
    return weasyprint


def _fetcher() -> Any:
    """Return a fetcher that opens what stands in the document itself and nothing else, no file and no address."""
    from weasyprint.urls import URLFetcher

    return URLFetcher(allowed_protocols={"data"}, allow_redirects=False)


def _promise_accessibility(document: Document) -> None:
    plain = document.metadata.generate_rdf_metadata
    document.metadata.generate_rdf_metadata = partial(_with_both, plain)


def _with_both(plain: Any, variant: str, version: int, conformance: str) -> bytes:
    metadata: bytes = plain(variant, version, conformance)
    return metadata.replace(b"</rdf:RDF>", ACCESSIBLE)
