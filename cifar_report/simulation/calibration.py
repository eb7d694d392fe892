"""The method's own error rates, when the truth is known; ``nox -s calibration`` writes them as JSON.

Every claim of the registry is drawn again and again as it scatters in a bundle, and goes through the verdicts' own
functions, in the families of the whole registry. The report shows the committed file in its appendix.
"""

import argparse
import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple, get_args

import msgspec
import numpy as np
from scipy import special, stats

from cifar_report.analysis.calibration import COMMAND, RESULTS, Calibration, Noise, Rates, Scenario, Spread
from cifar_report.analysis.decisions import DIRECTIONS, Decision, decide_onset, limits_of, margin_of, side_of
from cifar_report.analysis.hypothesis_tests import EpochTest, HypothesisTest, McNemar, TTest, exact_interval
from cifar_report.analysis.planning import take_looks
from cifar_report.analysis.power import power
from cifar_report.analysis.predictions import read_predictions
from cifar_report.analysis.results import Datum, Measure, SeedValue
from cifar_report.analysis.results.verdicts import FOUND, LEVEL, RULED_OUT
from cifar_report.analysis.samples import Sample, Scale, collect_sample
from cifar_report.analysis.verdicts import decided
from cifar_report.analysis.views import ties
from cifar_report.bundle import Bundle, encode
from cifar_report.bundle.arrays import Array
from cifar_report.errors import UsageError
from cifar_report.registry import claims_of, load_experiments, trials_of
from cifar_report.spec import Claim, Quantity, Trial
from cifar_report.spec.experiments import declare_looks

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "report" / "reference"
OUTPUT = Path("report", "calibration.json")
SEED_COUNTS = (2, 3, 5, 10)
FAMILY_WISE: tuple[Scenario, ...] = ("no_effect", "halves", "looks")  # counted by draw, not by claim
SUITES, MOST_SEEDS = 1000, 40  # simulated for planned looks, and the seeds of their last one
COUNTED: dict[Scenario, tuple[str, ...]] = {  # reasons; of "original" whatever is decided
    **dict.fromkeys(FAMILY_WISE, FOUND),
    "at_margin": (*RULED_OUT, "opposite", "outside_margin", "onset_ruled_out"),
    "at_limit": ("equivalent", "onset_shown"),
}
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


def networks(drawn: Sequence[Drawn], quantity: str = "accuracy") -> dict[str, Array]:
    """Return how the values of each network lie around their centre, by its stream."""
    same = [each for each in drawn if each.claim.quantity == quantity and len(each.streams) > 1]
    return {name: values for each in same for name, values in zip(each.streams, each.deviations, strict=True)}


def median_spread(drawn: Sequence[Drawn], quantity: str) -> float:
    """Return the standard deviation of the median network."""
    return float(np.median([np.std(values, ddof=1) for values in networks(drawn, quantity).values()] or 0.0))


@cache
def registry() -> tuple[Claim, ...]:
    """Return the project's own claims."""
    return claims_of(load_experiments())


def draw_values(
    drawn: Drawn, streams: Callable[[str], Array], shift: float, setting: Setting, falling: Sequence[int]
) -> list[Array]:
    """Return float [draws, seeds] of each side, ``shift`` apart in the mean; ``falling`` sides may collapse.

    ``streams`` gives uniform numbers by name, float [2, draws, seeds]: for the values, and for which runs collapse.
    """
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


def decisions(
    drawn: Sequence[Drawn], shifts: Sequence[float], setting: Setting, scenario: Scenario
) -> Iterator[dict[str, Decision]]:
    """Yield the decisions of each draw by claim; claims of the registry that are not drawn count in corrections."""
    generator, size = np.random.default_rng(setting.random_seed), (2, setting.draws, setting.seeds)
    known: dict[str, Array] = {}

    def streams(name: str) -> Array:
        if name not in known or scenario not in ("no_effect", "looks"):  # elsewhere each claim is a draw of its own
            known[name] = generator.random(size)
        return known[name]

    def values(each: Drawn, shift: float) -> list[Array]:
        hidden = (1,) if side_of(each.claim) > 0 else (0,)  # whose collapse makes the difference seem smaller
        return draw_values(each, streams, shift, setting, hidden if scenario == "at_margin" else (0, 1))

    pairs = list(zip(drawn, shifts, strict=True))
    if scenario == "looks":
        plan = declare_looks(registry(), trials_of(load_experiments()))
        samples = {each.claim.id: draw_samples(each, values(each, shift)) for each, shift in pairs}
        for _ in range(setting.draws):
            yield take_looks({name: next(column) for name, column in samples.items()}, registry(), plan)[0]
        return
    tests, onsets = {}, {}
    for each, shift in pairs:
        if each.claim.relation == "onset":
            hits = np.sum(values(each, 0.0)[0] == each.claim.value, axis=1)
            onsets[each.claim.id] = iter([decide_onset(int(hit), setting.seeds) for hit in hits])
        elif each.images is not None:
            tests[each.claim.id] = draw_tests_over_images(each.images, generator.random(setting.draws), shift)
        else:
            tests[each.claim.id] = draw_tests(each, values(each, shift))
    claims = registry() if scenario == "no_effect" else tuple(each.claim for each in drawn)
    for _ in range(setting.draws):
        found = decided({name: next(column) for name, column in tests.items()}, claims)
        yield found | {name: next(column) for name, column in onsets.items()}


def rates(scenario: Scenario, drawn: Sequence[Drawn], setting: Setting) -> Iterator[Rates]:
    """Yield for each family how often the scenario gave what the method promises something about."""
    chosen = [each for each in drawn if _takes_part(scenario, each, setting)]
    shifts = [_shift(scenario, each.claim) for each in chosen]
    families: dict[str, str] = {each.claim.id: each.claim.family or "alone" for each in chosen}
    if scenario == "halves":
        families = dict.fromkeys(families, "halves")
    sizes, counts, by_draw = Counter(families.values()), Counter[str](), scenario in FAMILY_WISE
    if scenario not in FAMILY_WISE:  # each stands alone: what is counted hangs on no correction, or is not corrected
        chosen = [each._replace(claim=msgspec.structs.replace(each.claim, family=None)) for each in chosen]
    for found in decisions(chosen, shifts, setting, scenario):
        hits = [
            families[name]
            for name, decision in found.items()
            if (decision.outcome != "inconclusive" if scenario == "original" else decision.reason in COUNTED[scenario])
        ]
        counts.update(set(hits) if by_draw else hits)
    bounds: dict[str, float | None] = dict.fromkeys(sizes, LEVEL)
    if scenario == "original":
        powers: dict[str, list[float]] = {}
        for each, shift in zip(chosen, shifts, strict=True):
            spreads = [float(np.std(values, ddof=1)) for values in each.deviations]
            predicted = power(each.claim, shift, spreads, LEVEL, setting.seeds)
            powers.setdefault(families[each.claim.id], []).append(predicted)
        bounds = {family: float(np.mean(each)) for family, each in powers.items()}
    elif scenario == "at_margin" and setting.spread == "collapsing":
        bounds = dict.fromkeys(sizes)
    for family, size in sizes.items():
        count = setting.draws * (1 if by_draw else size)
        yield rate_of(scenario, family, setting, counts[family], count, bounds[family])


def rate_of(
    scenario: Scenario, family: str, setting: Setting, hits: int, count: int, bound: float | None = LEVEL
) -> Rates:
    """Return a rate with the exact binomial interval of its share."""
    low, high = exact_interval(hits, count)
    return Rates(
        scenario=scenario,
        family=family,
        spread=setting.spread,
        seeds=setting.seeds,
        draws=setting.draws,
        share=hits / count,
        count=count,
        low=low,
        high=high,
        bound=bound,
    )


def _takes_part(scenario: Scenario, drawn: Drawn, setting: Setting) -> bool:
    claim, near = drawn.claim, drawn.claim.relation not in DIRECTIONS
    if setting.spread == "collapsing":
        collapsible = len(drawn.streams) > 1 and claim.quantity in DEPTHS
        if not collapsible or (scenario == "at_margin" and drawn.whole):
            return False
    if scenario == "looks":
        return not near and not claim.timed and drawn.images is None
    if scenario == "original":  # whole epochs: their power is predicted by drawing them in the same way
        return not near and claim.original_difference is not None and not drawn.whole
    return scenario == "at_margin" or near is (scenario == "at_limit")


def _shift(scenario: Scenario, claim: Claim) -> float:
    if scenario in FAMILY_WISE or claim.relation == "onset":
        return 0.0
    if scenario == "original":
        known = claim.original_difference or 0.0
        return math.log(known) if claim.timed else known
    return side_of(claim) * margin_of(claim) if claim.relation in DIRECTIONS else limits_of(claim)[1]


def halves(drawn: Sequence[Drawn]) -> tuple[Drawn, ...]:
    """Return for each network that one half of its runs is more accurate than the other, which never holds."""
    found, accuracies = networks(drawn), [each for each in drawn if each.claim.quantity == "accuracy"]
    model = next(each for each in accuracies if each.claim.relation == "greater" and len(each.streams) > 1)
    claims = {name: msgspec.structs.replace(model.claim, id=f"half {name}") for name in found}
    return tuple(
        model._replace(claim=claims[name], streams=(name, f"{name} again"), deviations=(values, values))
        for name, values in found.items()
    )


def ranking(drawn: Sequence[Drawn], setting: Setting) -> Rates:
    """Return how often, of equally good networks, one is called not tied with the first."""
    found, median = networks(drawn), median_spread(drawn, "accuracy")
    generator, size = np.random.default_rng(setting.random_seed), (setting.draws, len(found), setting.seeds)
    spreads = [np.std(values, ddof=1) if setting.spread == "own" else median for values in found.values()]
    values = np.array(spreads)[:, None] * generator.standard_normal(size)
    if setting.spread == "collapsing":
        values += DEPTHS["accuracy"] * (generator.random(size) < COLLAPSES)
    hits = 0
    for draw in values:
        rows = sorted(draw.tolist(), key=sum, reverse=True)
        seeds = (tuple(SeedValue(place, "", value) for place, value in enumerate(row)) for row in rows)
        datum = Datum("", 0.0, "share", "mean_over_seeds")
        hits += False in ties([Measure(datum, each) for each in seeds])
    return rate_of("ranking", "all", setting, hits, setting.draws)


def calibrate(bundle: Bundle, draws: int, command: str = "") -> Calibration:
    """Simulate all scenarios at all numbers of seeds."""
    drawn, found = drawn_claims(bundle), list[Rates]()
    for setting in (Setting(seeds, draws, spread) for spread in get_args(Spread) for seeds in SEED_COUNTS):
        for scenario in ("no_effect", "at_margin", *(("at_limit", "original") if setting.spread == "own" else ())):
            found += rates(scenario, drawn, setting)
        found += rates("halves", halves(drawn), setting)
        found.append(ranking(drawn, setting))
    found += rates("looks", drawn, Setting(MOST_SEEDS, min(draws, SUITES)))
    deviations = [float(np.std(values, ddof=1)) for values in networks(drawn).values()]
    noise = Noise(
        least=min(deviations),
        median=median_spread(drawn, "accuracy"),
        most=max(deviations),
        profile=bundle.record.profile.name,
        dataset=bundle.record.dataset.fingerprint,
        networks=len(deviations),
        runs=sum(run.done and isinstance(run.trial, Trial) for run in bundle.runs),
        collapses=COLLAPSES,
        depth=-DEPTHS["accuracy"],
    )
    return Calibration(command=command, noise=noise, rates=tuple(found))


def main(arguments: Sequence[str] | None = None) -> None:
    """Simulate the error rates on the project's own claims, print them, and write them as JSON."""
    parser = argparse.ArgumentParser(prog=COMMAND, description=main.__doc__)
    shown = f"(default: {OUTPUT}; reports show {RESULTS.relative_to(ROOT).as_posix()})"
    parser.add_argument("--output", type=Path, default=OUTPUT, help=f"the JSON file to write {shown}")
    parser.add_argument("--draws", type=int, default=4000, help="draws of each scenario (default: %(default)s)")
    spread = "the bundle whose runs' spread is drawn (default: report/reference)"
    parser.add_argument("--noise-from", type=Path, metavar="BUNDLE", default=REFERENCE, help=spread)
    chosen = parser.parse_args(arguments)
    place = chosen.noise_from.resolve()  # where it lies outside of the project is nobody's business
    named = place.relative_to(ROOT).as_posix() if place.is_relative_to(ROOT) else "BUNDLE"
    found = calibrate(Bundle.load(place), chosen.draws, f"{COMMAND} -- --draws {chosen.draws} --noise-from {named}")
    for each in found.rates:
        kept = {None: "no promise", True: "kept", False: "BROKEN"}[each.kept]
        bound = "" if each.bound is None else f", promised {each.bound:.4f}"
        print(f"{each.scenario}, {each.family}, {each.spread}, {each.seeds} seeds: {each.share:.4f}{bound}: {kept}")
    chosen.output.parent.mkdir(parents=True, exist_ok=True)
    chosen.output.write_bytes(encode(found))
    print(chosen.output)


if __name__ == "__main__":
    main()
