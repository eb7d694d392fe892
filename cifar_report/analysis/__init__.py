"""From a bundle to every number of the report: metrics, statistics and verdicts; nothing is trained or formatted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cifar_report.analysis.results import Results

if TYPE_CHECKING:
    from cifar_report.analysis.assembly import analyse

__all__ = ["Results", "analyse"]


def __getattr__(name: str) -> Any:
    """Import the analysis where it is asked for: who only shows results does without two seconds of statistics."""
    if name == "analyse":
        from cifar_report.analysis.assembly import analyse

        return analyse
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
