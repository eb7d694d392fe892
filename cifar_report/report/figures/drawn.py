"""What a drawn figure is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

Cell = str | float | int | None
ERROR_RATES = "error_rates"  # the group of the figure on the method itself
ImageSource = np.ndarray[Any, np.dtype[np.uint8]]
"""All images of the dataset, uint8 [60000, 32, 32, 3], usually a memory map."""

Pictures = Mapping[int, np.ndarray[Any, np.dtype[np.uint8]]]
"""Some of them, uint8 [32, 32, 3], by their place in the dataset."""


@dataclass(frozen=True)
class DrawnFigure:
    """One figure of the report, in one language, with everything that stands around it.

    ``id`` is unique and serves as HTML id and as file name; ``alt`` says what the picture shows, for people who do
    not see it; ``caption`` is one or two whole sentences. ``columns`` and ``rows`` are the numbers drawn. ``group``
    is the experiment's id or one of ``overview``, ``networks``, ``confusion``, ``examples``, ``calibration`` and
    ``timing``. ``png`` is the figure with photographs in it; they must not be passed on with the numbers, so ``svg``
    never holds them.
    """

    id: str
    svg: bytes
    width_points: float
    height_points: float
    alt: str
    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    group: str
    png: bytes | None = None
