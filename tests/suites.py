"""Simulated bundles of the real experiments, for tests of what is drawn and written from them."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from xml.etree import ElementTree

from cifar_report.analysis import Results, analyse
from cifar_report.bundle import Bundle
from cifar_report.registry import load_experiments
from cifar_report.report.figures import DrawnFigure, draw_all
from cifar_report.report.i18n import Translation
from cifar_report.simulation import Simulation, simulate_bundle
from cifar_report.spec import Experiment

FEW = ("baseline", "filters_32", "batch_64", "model_2", "baseline_parallel", "nearest_neighbor_1", "nearest_centroid")
"""Trials that together ask for every kind of figure."""

_FOLDERS: list[TemporaryDirectory[str]] = []
_SHARED: dict[str, Bundle] = {}


def written() -> tuple[Experiment, ...]:
    """Return the assignment's experiments, without what somebody added."""
    return tuple(each for each in load_experiments() if each.section != "own")


def simulate(experiments: Sequence[Experiment] | None = None, **settings: Any) -> Bundle:
    """Return a simulated bundle; its folder lasts as long as this process."""
    _FOLDERS.append(TemporaryDirectory())
    folder = Path(_FOLDERS[-1].name) / "bundle"
    return simulate_bundle(folder, experiments or written(), Simulation(**settings))


def simulated(experiments: Sequence[Experiment] | None = None, **settings: Any) -> tuple[Bundle, Results]:
    bundle = simulate(experiments, **settings)
    return bundle, analyse(bundle)


def shared(experiments: Sequence[Experiment] | None = None, **settings: Any) -> Bundle:
    """Return a simulated bundle that is made once for equal arguments; it must not be changed, so copy it."""
    key = repr((experiments, settings))
    if key not in _SHARED:
        _SHARED[key] = simulate(experiments, **settings)
    return _SHARED[key]


@cache
def whole() -> tuple[Bundle, Results]:
    """Return five seeds of every experiment with a timing pass."""
    return simulated(timing=True)


@cache
def reference() -> tuple[Bundle, Results]:
    bundle = Bundle.load(Path(__file__).parents[1] / "report" / "reference")
    return bundle, analyse(bundle)


@cache
def few() -> tuple[Bundle, Results]:
    """Return five seeds of a few trials with a timing pass."""
    return simulated(trials=FEW, timing=True)


@cache
def few_figures() -> tuple[DrawnFigure, ...]:
    """Return the English figures of those trials; drawing them takes seconds."""
    bundle, results = few()
    return tuple(draw_all(results, Translation("en"), bundle=bundle))


def parse(svg: bytes) -> ElementTree.Element:
    return ElementTree.fromstring(svg)  # noqa: S314 - drawn a moment ago
