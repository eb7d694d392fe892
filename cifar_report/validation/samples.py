"""Broken files: a validator is believed only after it has objected to one of them."""

from __future__ import annotations

import json
from pathlib import Path

MARKUP = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>Broken</title></head>
<body><p>An element that does not exist: <figura></figura>, and one that is not closed: <b></p></body></html>
"""
PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>Broken</title></head>
<body><main><h1>Broken</h1><img src="http://127.0.0.1:9/picture.png">
<p style="color: #ccc; background: #fff">Too faint to read; the picture has no words.</p></main>
<script>nothing.of.this();</script></body></html>
"""
NUMBERS = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>Broken</title></head>
<body><h1>Results</h1><p>The accuracy was 61.67%.</p></body></html>
"""
PRINTED = ("Results", "The accuracy was 61.76%.")
CRATE = {
    "@context": "https://w3id.org/ro/crate/1.1/context",
    "@graph": [{"@id": "ro-crate-metadata.json", "@type": "CreativeWork"}],
}


def write_page(path: Path, source: str) -> Path:
    """Write a page and return its path."""
    path.write_text(source, encoding="utf-8")
    return path


def write_pdf(path: Path, lines: tuple[str, ...]) -> Path:
    """Write a correct PDF of one page that is neither tagged nor fit for an archive."""
    shown = " ".join(f"({line}) Tj T*" for line in lines)
    content = f"BT /F 12 Tf 16 TL 72 720 Td {shown} ET"
    objects = (
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F 5 0 R >> >> >>",
        f"<< /Length {len(content)} >>\nstream\n{content}\nendstream",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    )
    file, places = "%PDF-1.7\n", []
    for number, each in enumerate(objects, start=1):
        places.append(len(file))
        file += f"{number} 0 obj\n{each}\nendobj\n"
    table = "".join(f"{place:010d} 00000 n \n" for place in places)
    start, size = len(file), len(objects) + 1
    file += f"xref\n0 {size}\n0000000000 65535 f \n{table}trailer\n<< /Size {size} /Root 1 0 R >>\n"
    path.write_bytes(f"{file}startxref\n{start}\n%%EOF\n".encode("ascii"))
    return path


def write_torn_pdf(path: Path) -> Path:
    """Write a PDF whose end is missing, with its table of objects."""
    whole = write_pdf(path, PRINTED).read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    return path


def write_crate(folder: Path) -> Path:
    """Write a crate whose metadata describe nothing, and return its folder."""
    folder.mkdir()
    (folder / "ro-crate-metadata.json").write_text(json.dumps(CRATE), encoding="utf-8")
    return folder


def write_record(folder: Path) -> Path:
    """Write a bundle whose record has a field that no schema knows and lacks the others, and return its folder."""
    folder.mkdir()
    (folder / "bundle.json").write_text(json.dumps({"unheard_of": 1}), encoding="utf-8")
    return folder
