"""All figures of a report, drawn from final results with one style."""

from cifar_report.rendering.figures.drawn import DrawnFigure, ImageSource
from cifar_report.rendering.figures.gallery import draw_all

__all__ = ["DrawnFigure", "ImageSource", "draw_all"]
