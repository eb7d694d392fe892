"""Pages of a printed report side by side, as the README shows them.

``python -m cifar_report.report.picture report/report.pdf docs/report.png --pages 1 14 60 95`` needs pdftoppm
(poppler-utils); the picture gets smaller until it is below 300 kB.
"""

from __future__ import annotations

import argparse
import io
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from PIL import Image

MOST_BYTES = 300_000
HEIGHTS = (700, 620, 540, 460, 380)  # pixels of a page
GAP = 16  # pixels
GROUND = "#d9d6cd"  # on which white pages stand out, on a light page and on a dark one
COLOURS = 64


def page_image(pdf: Path, page: int, height: int) -> Image.Image:
    """Return one page, ``height`` pixels high; raises CalledProcessError for a page that is not there."""
    program = shutil.which("pdftoppm")
    if program is None:
        raise FileNotFoundError("pdftoppm is not installed (apt-get install poppler-utils)")
    size = ("-scale-to-x", "-1", "-scale-to-y", str(height))
    command = (program, "-png", "-singlefile", "-f", str(page), "-l", str(page), *size, str(pdf))
    done = subprocess.run(command, capture_output=True, check=True)  # noqa: S603 - a program of this machine
    return Image.open(io.BytesIO(done.stdout)).convert("RGB")


def side_by_side(pages: Sequence[Image.Image]) -> bytes:
    """Return pages of one height side by side as a PNG with few colours."""
    width = sum(page.width for page in pages) + GAP * (len(pages) + 1)
    picture = Image.new("RGB", (width, pages[0].height + 2 * GAP), GROUND)
    left = GAP
    for page in pages:
        picture.paste(page, (left, GAP))
        left += page.width + GAP
    stream = io.BytesIO()
    picture.quantize(COLOURS).save(stream, "png", optimize=True)
    return stream.getvalue()


def main(arguments: list[str] | None = None) -> int:
    """Write the picture; exit status 1 when even the smallest one is too large."""
    parser = argparse.ArgumentParser(description="Put pages of a printed report side by side.")
    parser.add_argument("report", type=Path, help="the PDF")
    parser.add_argument("picture", type=Path, help="the PNG to write")
    parser.add_argument("--pages", type=int, nargs="+", default=[1], metavar="PAGE", help="which pages (default: 1)")
    options = parser.parse_args(arguments)
    for height in HEIGHTS:
        content = side_by_side([page_image(options.report, page, height) for page in options.pages])
        if len(content) < MOST_BYTES:
            options.picture.write_bytes(content)
            print(f"{options.picture}: {len(content):,} bytes")
            return 0
    print(f"{options.picture} would be larger than {MOST_BYTES:,} bytes: show fewer pages", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
