"""What the calibration draws: each claim's values as they scatter in a bundle, around a true difference."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from typing import NamedTuple

import numpy as np
from scipy import special, stats

from cifar_report.analysis.calibration import Spread
from cifar_report.analysis.hypothesis_tests import EpochTest, HypothesisTest, McNemar, TTest
from cifar_report.analysis.predictions import read_predictions
from cifar_report.analysis.results import SeedValue
from cifar_report.analysis.samples import Sample, Scale, collect_sample
from cifar_report.bundle import Bundle
from cifar_report.bundle.arrays import Array
from cifar_report.errors import UsageError
from cifar_report.registry import claims_of, load_experiments
from cifar_report.spec import Claim, Quantity

COLLAPSES = 0.10  # share of the runs that collapse, where some do
DEPTHS: Mapping[Quantity, float] = {"accuracy": -0.10, "validation_accuracy": -0.10, "epochs_to_accuracy": 10.0}


class Setting(NamedTuple):
    """How much is drawn, and how it scatters."""

    seeds: int
    draws: int
    spread: Spread = "own"
    random_seed: int = 0


class Drawn(NamedTuple):
    """A claim as it is drawn, on the scale of its test: one sample (values, or differences of pairs) or two."""

    claim: Claim
    streams: tuple[str, ...] = ()  # of random numbers; of one network the same, so that claims depend as in truth
    deviations: tuple[Array, ...] = ()  # of a bundle's values from their centre
    whole: bool = False  # drawn from the deviations, each to either side; other values are normal with their spread
    median: float = 0.0  # standard deviation of the median network
    images: McNemar | None = None

    @property
    def collapsible(self) -> bool:
        """Whether runs that collapse are drawn."""
        return len(self.streams) > 1 and self.claim.quantity in DEPTHS


Streams = Callable[[str], Array]
"""Gives a stream's uniform numbers, float [2, draws, seeds]: for the values, and for which runs collapse."""


def drawn_claims(bundle: Bundle) -> tuple[Drawn, ...]:
    """Return the write-up's claims that a bundle has values of, as they scatter there; exact counts are none."""
    predictions, found = read_predictions(bundle), []
    for claim in registry():
        sample = collect_sample(claim, bundle, predictions)
        if not isinstance(sample, Sample) or claim.relation == "exact" or claim.family == "own" or sample.count < 2:
            continue
        if sample.images is not None:
            found.append(Drawn(claim, images=sample.images))
            continue
        sides = [each for each in sample.sides() if each is not None]
        centers = [np.sort(each)[len(each) // 2] if sample.whole else np.mean(each) for each in sides]
        deviations = tuple(each - center for each, center in zip(sides, centers, strict=True))
        names = tuple(f"{side} {claim.quantity}" for side in (claim.subject, claim.comparator))
        found.append(Drawn(claim, names if len(sides) > 1 else (" ".join(names),), deviations, sample.whole))
    if not found:
        raise UsageError(f"{bundle.folder} holds no claim with two runs a side; name a bundle with at least two seeds")
    return tuple(each._replace(median=median_spread(found, each.claim.quantity)) for each in found)


def median_spread(drawn: Sequence[Drawn], quantity: str) -> float:
    """Return the standard deviation of the median network."""
    same = [each for each in drawn if each.claim.quantity == quantity and len(each.streams) > 1]
    spreads = {name: np.std(values, ddof=1) for each in same for name, values in zip(*each[1:3], strict=True)}
    return float(np.median([*spreads.values()])) if spreads else 0.0


@cache
def registry() -> tuple[Claim, ...]:
    """Return the project's own claims."""
    return claims_of(load_experiments())


def draw_values(drawn: Drawn, streams: Streams, shift: float, setting: Setting, falling: Sequence[int]) -> list[Array]:
    """Return float [draws, seeds] of each side, ``shift`` apart in the mean; ``falling`` sides may collapse."""
    sides = []
    for place, (stream, values) in enumerate(zip(drawn.streams, drawn.deviations, strict=True)):
        chance, fate = streams(stream)
        table = np.concatenate((values, -values))
        spread = float(np.std(values, ddof=1)) if setting.spread == "own" else drawn.median
        if drawn.claim.relation == "onset":  # as often within an epoch as not
            side = np.where(chance < 0.5, drawn.claim.value or 0.0, 0.0)
        else:
            side = table[(chance * len(table)).astype(int)] if drawn.whole else spread * special.ndtri(chance)
        if setting.spread == "collapsing" and place in falling:
            fallen = (fate < COLLAPSES) - (COLLAPSES if len(falling) == 1 else 0.0)
            side = side + DEPTHS[drawn.claim.quantity] * fallen
        sides.append(side if place else side + shift)
    return sides


def draw_samples(drawn: Drawn, sides: Sequence[Array]) -> Iterator[Sample]:
    """Yield each draw as the verdicts of a bundle get it."""
    alone = len(sides) == 1
    scale: Scale = "value" if alone else "difference"
    for rows in zip(*(side.tolist() for side in sides), strict=True):
        values = (tuple(SeedValue(seed, "", value) for seed, value in enumerate(row)) for row in rows)
        yield Sample(scale, "seeds", *values, paired=alone, whole=drawn.whole)


def draw_tests(drawn: Drawn, sides: Sequence[Array]) -> Iterator[HypothesisTest]:
    """Yield the hypothesis test of each draw."""
    return map(EpochTest, *sides) if drawn.whole else TTest.of_draws(*sides)


def draw_tests_over_images(drawn: McNemar, chances: Array, shift: float) -> Iterator[HypothesisTest]:
    """Yield a test for each draw: who is right on the images that one of the two classifiers alone gets right."""
    apart, total = drawn.only_subject + drawn.only_comparator, drawn.total
    for wins in stats.binom.ppf(chances, apart, 0.5 + shift * total / (2 * apart)):
        yield McNemar(int(wins), apart - int(wins), total)
