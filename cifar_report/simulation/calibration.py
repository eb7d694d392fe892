"""The method's own error rates: how often it says what, when the truth is known.

Values by seed are drawn directly and go through the verdicts' own functions, so that what is measured is the
method as it is and no copy of it, in the families of the whole registry. ``nox -s calibration``
(``python -m cifar_report.simulation.calibration``) writes all of it as JSON; the report shows the committed file in
its appendix.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from cifar_report.analysis.calibration_records import (
    COMMAND,
    RESULTS,
    Calibration,
    CurvePoint,
    Noise,
    Rates,
    Scenario,
)
from cifar_report.analysis.decisions import Decision
from cifar_report.analysis.error_rates import error_rates
from cifar_report.analysis.judging import side_of
from cifar_report.analysis.samples import Sample
from cifar_report.analysis.statistics import exact_interval, power_of
from cifar_report.analysis.values import LEVEL, Value
from cifar_report.analysis.verdicts import judged
from cifar_report.bundle import Bundle
from cifar_report.registry import claims_of, load_experiments
from cifar_report.simulation.noise import ASSUMED, measured_noise
from cifar_report.spec import Claim, Side

Array = np.ndarray[Any, Any]

ROOT = Path(__file__).parents[2]
OUTPUT = Path("report", "calibration.json")
EFFECTS = (0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 5.0)  # of the curves, in margins
SEED_COUNTS = (3, 5, 10)


def accuracy_claims(claims: Iterable[Claim]) -> tuple[Claim, ...]:
    """Return the claims that a family corrects and that compare two trained networks' accuracies."""
    return tuple(
        claim
        for claim in claims
        if claim.quantity == "accuracy"
        and claim.relation in ("greater", "less")
        and claim.family is not None
        and claim.comparison in ("as_written", "one_change")
    )


def no_effect(claims: Sequence[Claim], seeds: int, draws: int, noise: Noise = ASSUMED, random_seed: int = 0) -> Rates:
    """Draw every trial around the same accuracy, so that claims that share a trial are as dependent as in truth."""
    generator = np.random.default_rng(random_seed)

    def draw(_: int) -> dict[str, Sample]:
        found: dict[Side, Array] = {}
        for claim in claims:
            for side in (claim.subject, _comparator(claim)):
                found.setdefault(side, _values(generator, 0.6, seeds, noise))
        return {claim.id: _sample(found[claim.subject], found[_comparator(claim)]) for claim in claims}

    return _rates("no_effect", claims, seeds, draws, noise, draw, [0.0] * len(claims))


def at_margin(claims: Sequence[Claim], seeds: int, draws: int, noise: Noise = ASSUMED, random_seed: int = 0) -> Rates:
    """Draw each claim's pair with a true difference of exactly its margin, on the claimed side."""
    effects = [side_of(claim) * (claim.margin or 0.0) for claim in claims]
    return _pairs("at_margin", claims, effects, seeds, draws, noise, random_seed)


def original_effects(
    claims: Sequence[Claim], seeds: int, draws: int, noise: Noise = ASSUMED, random_seed: int = 0
) -> Rates:
    """Draw each claim's pair with the difference that the original printed; the others are left out."""
    known = [claim for claim in claims if claim.original_difference is not None]
    return _pairs(
        "original", known, [claim.original_difference or 0.0 for claim in known], seeds, draws, noise, random_seed
    )


def curve(claim: Claim, seeds: int, draws: int, noise: Noise = ASSUMED, random_seed: int = 0) -> tuple[CurvePoint, ...]:
    """Return the shares of verdicts on one claim by the size of the true difference, in margins."""
    alone = msgspec.structs.replace(claim, family=None)
    points = []
    for effect in EFFECTS:
        truth = effect * side_of(claim) * (claim.margin or 0.0)
        rates = _pairs("at_margin", [alone], [truth], seeds, draws, noise, random_seed)
        points.append(
            CurvePoint(
                seeds=seeds,
                effect=effect,
                reproduced=rates.reproduced,
                not_reproduced=rates.not_reproduced,
                inconclusive=rates.inconclusive,
            )
        )
    return tuple(points)


def _pairs(
    scenario: Scenario,
    claims: Sequence[Claim],
    effects: Sequence[float],
    seeds: int,
    draws: int,
    noise: Noise,
    random_seed: int,
) -> Rates:
    generator = np.random.default_rng(random_seed)

    def draw(_: int) -> dict[str, Sample]:
        return {
            claim.id: _sample(_values(generator, 0.6 + effect, seeds, noise), _values(generator, 0.6, seeds, noise))
            for claim, effect in zip(claims, effects, strict=True)
        }

    return _rates(scenario, claims, seeds, draws, noise, draw, effects)


def _rates(
    scenario: Scenario,
    claims: Sequence[Claim],
    seeds: int,
    draws: int,
    noise: Noise,
    draw: Callable[[int], dict[str, Sample]],
    effects: Sequence[float],
) -> Rates:
    outcomes: Counter[str] = Counter()
    errors: dict[str, Counter[str]] = {"beyond_margin": Counter(), "opposite": Counter(), "either": Counter()}
    significant = 0
    for number in range(draws):
        samples = draw(number)
        decisions = judged(samples, _among_all(claims))
        outcomes.update(decision.outcome for decision in decisions.values())
        found = {reason: _families(claims, decisions, reason) for reason in ("beyond_margin", "opposite")}
        for reason, families in {**found, "either": found["beyond_margin"] | found["opposite"]}.items():
            errors[reason].update(families)
        significant += sum(_p(claim, samples[claim.id]) < LEVEL for claim in claims)
    total = draws * len(claims)
    spread = float(np.sqrt(2) * np.hypot(noise.seed, noise.image))
    known = [power_of(side_of(claim) * effect / spread, seeds) for claim, effect in zip(claims, effects, strict=True)]
    rates = Rates(
        scenario=scenario,
        seeds=seeds,
        draws=draws,
        claims=len(claims),
        reproduced=outcomes["reproduced"] / total,
        not_reproduced=outcomes["not_reproduced"] / total,
        inconclusive=outcomes["inconclusive"] / total,
        any_reproduced=_most(errors["beyond_margin"]) / draws,
        any_opposite=_most(errors["opposite"]) / draws,
        any_direction=_most(errors["either"]) / draws,
        significant=significant / total,
        low=0.0,
        high=1.0,
        power=float(np.mean(known)),
    )
    return with_interval(rates)


def _among_all(claims: Sequence[Claim]) -> tuple[Claim, ...]:
    """Return the claims with all others of the registry, which count in the correction though nothing is drawn."""
    drawn = {claim.id for claim in claims}
    return (*claims, *(claim for claim in _registry() if claim.id not in drawn))


@cache
def _registry() -> tuple[Claim, ...]:
    return claims_of(load_experiments())


def with_interval(rates: Rates) -> Rates:
    """Return the rates with the exact interval of the share that the method promises something about."""
    share, count = rates.counted
    low, high = exact_interval(round(share * count), count)
    return msgspec.structs.replace(rates, low=low, high=high)


def _families(claims: Sequence[Claim], decisions: dict[str, Decision], reason: str) -> set[str]:
    """Return the families in which some claim got its verdict for this reason."""
    return {claim.family or claim.id for claim in claims if decisions[claim.id].reason == reason}


def _most(counts: Counter[str]) -> int:
    return max(counts.values(), default=0)


def _p(claim: Claim, sample: Sample) -> float:
    evidence = sample.evidence()
    return evidence.p_above(0.0) if side_of(claim) > 0 else evidence.p_below(0.0)


def _comparator(claim: Claim) -> Side:
    if claim.comparator is None:
        raise ValueError(f"claim {claim.id} compares nothing, so there is no pair to draw")
    return claim.comparator


def _values(generator: np.random.Generator, level: float, seeds: int, noise: Noise) -> Array:
    return np.asarray(level + np.hypot(noise.seed, noise.image) * generator.standard_normal(seeds))


def _sample(subject: Array, comparator: Array) -> Sample:
    first, second = (tuple(Value(float(value)) for value in values) for values in (subject, comparator))
    return Sample("difference", "seeds", tuple(range(len(first))), first, second, ())


def calibrate(claims: Sequence[Claim], draws: int, noise: Noise = ASSUMED, command: str = "") -> Calibration:
    """Simulate all scenarios at 3, 5 and 10 seeds, and the curves of the first claim."""
    scenarios = (no_effect, at_margin, original_effects)
    rates = tuple(scenario(claims, seeds, draws, noise) for scenario in scenarios for seeds in SEED_COUNTS)
    curves = tuple(point for seeds in SEED_COUNTS for point in curve(claims[0], seeds, draws, noise))
    return Calibration(command=command, noise=noise, rates=rates, curves=curves)


def main(arguments: Sequence[str] | None = None) -> None:
    """Simulate the error rates on the project's own claims, print them, and write them as JSON."""
    parser = argparse.ArgumentParser(prog=COMMAND, description=main.__doc__)
    parser.add_argument(
        "--output",
        type=Path,
        default=OUTPUT,
        help=f"the JSON file to write (default: {OUTPUT}; reports show {_public(RESULTS)})",
    )
    parser.add_argument("--draws", type=int, default=1000, help="draws of each scenario (default: %(default)s)")
    parser.add_argument("--noise-from", type=Path, metavar="BUNDLE", help="measure the noise there (default: assumed)")
    chosen = parser.parse_args(arguments)
    noise = ASSUMED if chosen.noise_from is None else measured_noise(Bundle.load(chosen.noise_from))
    command = f"{COMMAND} -- --draws {chosen.draws}"
    if chosen.noise_from is not None:
        command += f" --noise-from {_public(chosen.noise_from)}"
    found = calibrate(accuracy_claims(_registry()), chosen.draws, noise, command)
    for each in error_rates(found):
        kept = "kept" if each.kept else "BROKEN"
        print(f"{each.scenario}, {each.seeds} seeds: {each.rate.value:.4f}, promised {each.promised.value:.4f}: {kept}")
    chosen.output.parent.mkdir(parents=True, exist_ok=True)
    chosen.output.write_bytes(msgspec.json.format(msgspec.json.encode(found, order="sorted"), indent=1) + b"\n")
    print(chosen.output)


def _public(path: Path) -> str:
    """Return a path inside the project as it stands there, and a word for any other: it is nobody's business."""
    place = path.resolve()
    return place.relative_to(ROOT).as_posix() if place.is_relative_to(ROOT) else "BUNDLE"


if __name__ == "__main__":
    main()
