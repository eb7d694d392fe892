"""From a bundle to every number of the report: metrics, statistics and verdicts; nothing is trained or formatted."""

from cifar_report.analysis.analyse import analyse
from cifar_report.analysis.results import Results

__all__ = ["Results", "analyse"]
