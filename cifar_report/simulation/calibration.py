"""The method's own error rates: how often it gives which verdict, when the truth is known.

Values by seed are drawn directly and go through the verdicts' own functions, in the families of the whole registry.
``nox -s calibration`` (``python -m cifar_report.simulation.calibration``) writes all of it as JSON; the report shows
the committed file in its appendix.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np
from scipy import stats

from cifar_report.analysis.calibration import (
    COMMAND,
    RESULTS,
    Calibration,
    CurvePoint,
    Noise,
    Rates,
    Scenario,
)
from cifar_report.analysis.decisions import side_of
from cifar_report.analysis.power import welch_power
from cifar_report.analysis.predictions import read_predictions
from cifar_report.analysis.samples import Sample
from cifar_report.analysis.statistics import exact_interval
from cifar_report.analysis.values import LEVEL, Value
from cifar_report.analysis.verdicts import judged
from cifar_report.bundle import Bundle
from cifar_report.errors import UsageError
from cifar_report.registry import claims_of, load_experiments
from cifar_report.spec import Claim, Trial

Array = np.ndarray[Any, Any]
Draw = Callable[[np.random.Generator], dict[str, Sample]]

ROOT = Path(__file__).parents[2]
OUTPUT = Path("report", "calibration.json")
ASSUMED = Noise(seed=0.006, image=0.004)
EFFECTS = (0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 5.0)  # of the curves, in margins
SEED_COUNTS = (3, 5, 10)
LEVEL_OF_ALL = 0.6  # accuracy around which everything is drawn


class Setting(NamedTuple):
    """How much is drawn, and with which noise."""

    seeds: int
    draws: int
    noise: Noise = ASSUMED
    random_seed: int = 0


def accuracy_claims(claims: Iterable[Claim]) -> tuple[Claim, ...]:
    """Return the original's claims that a family corrects and that compare two trained networks' accuracies."""
    return tuple(
        claim
        for claim in claims
        if claim.quantity == "accuracy"
        and claim.relation in ("greater", "less")
        and claim.family not in (None, "own")
        and claim.comparison in ("as_written", "one_change")
    )


def no_effect(claims: Sequence[Claim], setting: Setting) -> Rates:
    """Draw every trial around the same accuracy, so that claims that share a trial are as dependent as in truth."""

    def draw(generator: np.random.Generator) -> dict[str, Sample]:
        sides = dict.fromkeys(side for claim in claims for side in (claim.subject, claim.comparator))
        found = {side: _values(generator, 0.0, setting) for side in sides}
        return {claim.id: _sample(found[claim.subject], found[claim.comparator]) for claim in claims}

    return _rates("no_effect", claims, [0.0] * len(claims), setting, draw)


def at_margin(claims: Sequence[Claim], setting: Setting) -> Rates:
    """Draw each claim's pair with a true difference of exactly its margin, on the claimed side."""
    return _pairs("at_margin", claims, [_margin(claim) for claim in claims], setting)


def original_effects(claims: Sequence[Claim], setting: Setting) -> Rates:
    """Draw each claim's pair with the difference that the original printed; the others are left out."""
    known = {claim: claim.original_difference for claim in claims if claim.original_difference is not None}
    return _pairs("original", list(known), list(known.values()), setting)


def curve(claim: Claim, setting: Setting) -> tuple[CurvePoint, ...]:
    """Return the shares of verdicts on one claim by the size of the true difference, in margins."""
    alone = [msgspec.structs.replace(claim, family=None)]
    points = []
    for effect in EFFECTS:
        found = _pairs("at_margin", alone, [effect * _margin(claim)], setting)
        shares = {name: getattr(found, name) for name in ("reproduced", "not_reproduced", "inconclusive")}
        points.append(CurvePoint(seeds=setting.seeds, effect=effect, **shares))
    return tuple(points)


def _pairs(scenario: Scenario, claims: Sequence[Claim], effects: Sequence[float], setting: Setting) -> Rates:
    """Return the rates where the two sides of each claim lie its effect apart, independent of other claims."""

    def draw(generator: np.random.Generator) -> dict[str, Sample]:
        return {
            claim.id: _sample(*(_values(generator, shift, setting) for shift in (effect, 0.0)))
            for claim, effect in zip(claims, effects, strict=True)
        }

    return _rates(scenario, claims, effects, setting, draw)


def _rates(
    scenario: Scenario, claims: Sequence[Claim], effects: Sequence[float], setting: Setting, draw: Draw
) -> Rates:
    drawn = {claim.id for claim in claims}
    among = (*claims, *(claim for claim in _registry() if claim.id not in drawn))  # undrawn ones count in corrections
    generator = np.random.default_rng(setting.random_seed)
    outcomes: Counter[str] = Counter()
    errors: dict[str, Counter[str]] = {"beyond_margin": Counter(), "opposite": Counter(), "either": Counter()}
    significant = 0
    for _ in range(setting.draws):
        samples = draw(generator)
        decisions = judged(samples, among)
        outcomes.update(decision.outcome for decision in decisions.values())
        families = {why: {c.family or c.id for c in claims if decisions[c.id].reason == why} for why in errors}
        families["either"] = families["beyond_margin"] | families["opposite"]
        for reason, erring in families.items():
            errors[reason].update(erring)
        significant += sum(samples[claim.id].test().p_value(0.0, side_of(claim)) < LEVEL for claim in claims)
    total = setting.draws * len(claims)
    worst = {reason: max(counts.values(), default=0) / setting.draws for reason, counts in errors.items()}
    spread = float(np.hypot(setting.noise.seed, setting.noise.image))
    standardized = [side_of(claim) * effect / spread for claim, effect in zip(claims, effects, strict=True)]
    rates = Rates(
        scenario=scenario,
        seeds=setting.seeds,
        draws=setting.draws,
        claims=len(claims),
        reproduced=outcomes["reproduced"] / total,
        not_reproduced=outcomes["not_reproduced"] / total,
        inconclusive=outcomes["inconclusive"] / total,
        any_reproduced=worst["beyond_margin"],
        any_opposite=worst["opposite"],
        any_direction=worst["either"],
        significant=significant / total,
        low=0.0,
        high=1.0,
        power=float(np.mean([welch_power(effect, setting.seeds) for effect in standardized])),
    )
    return with_interval(rates)


def with_interval(rates: Rates) -> Rates:
    """Return the rates with the exact interval of the share that the method promises something about."""
    share, count = rates.counted
    low, high = exact_interval(round(share * count), count)
    return msgspec.structs.replace(rates, low=low, high=high)


@cache
def _registry() -> tuple[Claim, ...]:
    return claims_of(load_experiments())


def _margin(claim: Claim) -> float:
    """Return a claim's margin, on the claimed side of zero."""
    return side_of(claim) * (claim.margin or 0.0)


def _values(generator: np.random.Generator, effect: float, setting: Setting) -> Array:
    spread = np.hypot(setting.noise.seed, setting.noise.image)
    return np.asarray(LEVEL_OF_ALL + effect + spread * generator.standard_normal(setting.seeds))


def _sample(subject: Array, comparator: Array) -> Sample:
    first, second = (tuple(Value(float(value)) for value in values) for values in (subject, comparator))
    keys = tuple(range(len(first)))
    return Sample("difference", "seeds", keys, first, second, comparator_keys=keys)


def measured_noise(bundle: Bundle) -> Noise:
    """Return the noise of a bundle's networks, over the trials that have at least two finished runs.

    On an image that a run gets right with probability p the answer varies by p(1 - p); over N images that adds
    mean p(1 - p) / N to the variance of the accuracy, estimated without bias by the factor n / (n - 1). The spread
    between seeds is the median over the trials, each divided by the median that chance alone gives a variance of so
    few values: so one trial with a run that collapsed does not speak for all.

    Raises UsageError when no trial has two runs with predictions.
    """
    tables = _right_answers(bundle)
    if not tables:
        raise UsageError(
            f"{bundle.folder} holds no trial with two finished runs and their predictions, so no noise can be "
            "measured there. Name a bundle with at least two seeds."
        )
    freedom = np.array([len(right) - 1 for right in tables])
    totals = np.array([np.var(right.mean(axis=1), ddof=1) for right in tables])
    shares = [right.mean(axis=0) for right in tables]
    images = np.array([np.mean(share * (1 - share)) / len(share) for share in shares]) * (freedom + 1) / freedom
    total = float(np.median(totals * freedom / stats.chi2.median(freedom)))
    image = float(np.average(images, weights=freedom))
    return Noise(
        seed=float(np.sqrt(max(total - image, 0.0))),
        image=float(np.sqrt(image)),
        source="measured",
        profile=bundle.record.profile.name,
        dataset=bundle.record.dataset.fingerprint,
        trials=len(tables),
        runs=sum(len(right) for right in tables),
    )


def _right_answers(bundle: Bundle) -> list[Array]:
    """Return bool [runs, images] for each network with at least two runs: where its last stage is right."""
    predictions, tables = read_predictions(bundle), []
    for trial in bundle.trials.values():
        if isinstance(trial, Trial):
            given = [predictions.get((run.id, trial.stages[-1].id)) for run in bundle.runs_of(trial.id)]
            right = [each.correct for each in given if each is not None]
            if len(right) > 1 and len({len(each) for each in right}) == 1:
                tables.append(np.array(right))
    return tables


def calibrate(claims: Sequence[Claim], draws: int, noise: Noise = ASSUMED, command: str = "") -> Calibration:
    """Simulate all scenarios at 3, 5 and 10 seeds, and the curves of the first claim."""
    settings = [Setting(seeds, draws, noise) for seeds in SEED_COUNTS]
    rates = (scenario(claims, each) for scenario in (no_effect, at_margin, original_effects) for each in settings)
    curves = (point for each in settings for point in curve(claims[0], each))
    return Calibration(command=command, noise=noise, rates=tuple(rates), curves=tuple(curves))


def main(arguments: Sequence[str] | None = None) -> None:
    """Simulate the error rates on the project's own claims, print them, and write them as JSON."""
    parser = argparse.ArgumentParser(prog=COMMAND, description=main.__doc__)
    shown = f"(default: {OUTPUT}; reports show {RESULTS.relative_to(ROOT).as_posix()})"
    parser.add_argument("--output", type=Path, default=OUTPUT, help=f"the JSON file to write {shown}")
    parser.add_argument("--draws", type=int, default=1000, help="draws of each scenario (default: %(default)s)")
    parser.add_argument("--noise-from", type=Path, metavar="BUNDLE", help="measure the noise there (default: assumed)")
    chosen = parser.parse_args(arguments)
    noise, command = ASSUMED, f"{COMMAND} -- --draws {chosen.draws}"
    if chosen.noise_from is not None:
        noise, place = measured_noise(Bundle.load(chosen.noise_from)), chosen.noise_from.resolve()
        inside = place.is_relative_to(ROOT)  # where else it lies is nobody's business
        command += f" --noise-from {place.relative_to(ROOT).as_posix() if inside else 'BUNDLE'}"
    found = calibrate(accuracy_claims(_registry()), chosen.draws, noise, command)
    for each in found.rates:
        kept = "kept" if each.kept else "BROKEN"
        print(f"{each.scenario}, {each.seeds} seeds: {each.rate.value:.4f}, promised {each.promised.value:.4f}: {kept}")
    chosen.output.parent.mkdir(parents=True, exist_ok=True)
    chosen.output.write_bytes(msgspec.json.format(msgspec.json.encode(found, order="sorted"), indent=1) + b"\n")
    print(chosen.output)


if __name__ == "__main__":
    main()
