"""All figures of a report, drawn from final results with one style."""

from __future__ import annotations

from cifar_report.report.figures.base import DrawnFigure
from cifar_report.report.figures.gallery import draw_all, figure_calls, find_images
from cifar_report.report.figures.reliability import draw_error_rates

__all__ = ["DrawnFigure", "draw_all", "draw_error_rates", "figure_calls", "find_images"]
