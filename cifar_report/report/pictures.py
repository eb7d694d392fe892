"""Figures as addresses: what stands for each in the two kinds of report."""

from __future__ import annotations

from markupsafe import Markup

from cifar_report.report.addresses import data_address, svg_address
from cifar_report.report.figures.drawn import DrawnFigure


def figure_address(figure: DrawnFigure) -> str | Markup:
    """Return a figure as a data address: its SVG, or its pixels where it holds photographs."""
    if figure.png is not None:
        return data_address(figure.png, "image/png")
    if b"'" in figure.svg:  # attributes are about to be put in single quotation marks
        return data_address(figure.svg, "image/svg+xml")
    return svg_address(figure.svg)


def paper_address(figure: DrawnFigure) -> str | Markup:
    """Return what stands for a figure in the printed report: its name, where the PDF's own picture of it is ready."""
    ready = figure.picture is not None and figure.png is None
    return f"figure:{figure.id}" if ready else figure_address(figure)
