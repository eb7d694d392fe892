"""Setting a printed report that is written: the one part of the work that needs WeasyPrint, and nothing else of ours.

A process that only sets pages stays small this way: no results, no statistics, no matplotlib.
"""

from __future__ import annotations

import contextlib
import datetime
import gc
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from cifar_report.errors import SuiteError
from cifar_report.rendering.drawing import Drawing
from cifar_report.rendering.quick import quick_setting
from cifar_report.rendering.vector import Picture

if TYPE_CHECKING:
    from weasyprint import Document

PANGO_PACKAGES = "libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0"
NUMBERS_NAME = "results.json"
VARIANT = "pdf/a-3a"
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


@dataclass(frozen=True)
class Paper:
    """A printed report before it is set: all that another process needs to set it.

    ``source`` is its HTML, ``numbers`` the JSON to be attached and ``description`` what to call that, ``created`` the
    date of everything in it, and ``pictures`` are those that ``source`` names and we can draw ourselves.
    """

    source: str
    created: str
    numbers: bytes
    description: str
    pictures: Mapping[str, Picture]

    def pdf(self) -> bytes:
        """Return the PDF file.

        Raises SuiteError naming the packages where the libraries for setting text are missing.
        """
        weasyprint = load_setter()
        from cifar_report.rendering.setter import LightHTML

        stamp = datetime.datetime.fromisoformat(self.created)
        attachment = weasyprint.Attachment(
            string=self.numbers,
            name=NUMBERS_NAME,
            description=self.description,
            created=stamp,
            modified=stamp,
            relationship="Data",
            url_fetcher=fetcher(),
        )
        # WeasyPrint looks for a picture in its cache first.
        drawings = {address: Drawing(picture) for address, picture in self.pictures.items()}
        with warnings.catch_warnings(), quick_setting():
            # WeasyPrint leaves the file of its colour profile to the garbage collector.
            warnings.simplefilter("ignore", ResourceWarning)
            document = LightHTML(self.source, fetcher()).render(pdf_variant=VARIANT, cache=drawings)
            _promise_accessibility(document)
            content: bytes = document.write_pdf(pdf_variant=VARIANT, attachments=[attachment])
        return content


def load_setter() -> Any:
    """Import what sets text, some tenths of a second."""
    try:
        import weasyprint
    except (ImportError, OSError) as error:
        raise SuiteError(
            "the PDF was not written, because the libraries that set its text are missing; install them, for "
            f"example with: apt-get install {PANGO_PACKAGES} (then build the report again). {error}"
        ) from error
    return weasyprint


def prepare() -> None:
    """Make a process ready that will do nothing but set pages: import what that needs, and never look for garbage.

    To look once at the end would take a second, and the process ends then.
    """
    gc.disable()
    with contextlib.suppress(SuiteError):  # which is raised again, and heard, when there is something
        load_setter()
        import cifar_report.rendering.setter  # noqa: F401


def fetcher() -> Any:
    """Return a fetcher that opens what stands in the document itself and nothing else, no file and no address."""
    from weasyprint.urls import URLFetcher

    return URLFetcher(allowed_protocols={"data"}, allow_redirects=False)


def _promise_accessibility(document: Document) -> None:
    plain = document.metadata.generate_rdf_metadata
    document.metadata.generate_rdf_metadata = partial(_with_both, plain)


def _with_both(plain: Any, variant: str, version: int, conformance: str) -> bytes:
    metadata: bytes = plain(variant, version, conformance)
    return metadata.replace(b"</rdf:RDF>", ACCESSIBLE)
