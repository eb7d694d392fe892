"""What a printed report says about itself: the numbers attached to it, and the two standards that it keeps."""

from __future__ import annotations

import datetime
from functools import partial
from typing import Any

import pydyf
import weasyprint

from cifar_report.report.typesetting.light import fetcher
from cifar_report.report.typesetting.paper import NUMBERS_NAME, Attached

PLACEHOLDER = b"the numbers"
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


def attachment(numbers: Attached) -> Any:
    """Return what makes WeasyPrint attach a file; ``fill`` puts the numbers into it."""
    stamp = datetime.datetime.fromisoformat(numbers.created)
    return weasyprint.Attachment(
        string=PLACEHOLDER,
        name=NUMBERS_NAME,
        description=numbers.description,
        created=stamp,
        modified=stamp,
        relationship="Data",
        url_fetcher=fetcher(),
    )


def fill(pdf: Any, numbers: Attached) -> None:
    """Put the numbers into the attached file, as they are: WeasyPrint would hold them four times."""
    (file,) = (each for each in pdf.objects if isinstance(each, pydyf.Stream) and each.stream == [PLACEHOLDER])
    file.stream, file.compress = [numbers.deflated], False
    file.extra["Filter"] = "/FlateDecode"
    file.extra["Params"] |= {"Size": numbers.size, "CheckSum": f"<{numbers.checksum}>"}


def promise_accessibility(document: Any) -> None:
    """Let a document's metadata name both standards."""
    plain = document.metadata.generate_rdf_metadata
    document.metadata.generate_rdf_metadata = partial(_with_both, plain)


def _with_both(plain: Any, variant: str, version: int, conformance: str) -> bytes:
    metadata: bytes = plain(variant, version, conformance)
    return metadata.replace(b"</rdf:RDF>", ACCESSIBLE)
