"""What every section hands to the report's template."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from cifar_report.report.elements import Heading


@dataclass(frozen=True)
class SectionView:
    """A section: its heading, the template that shows it and what the template shows (``it``)."""

    heading: Heading
    template: str
    it: Any
