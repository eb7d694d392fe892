"""What other choices would have said: other margins, one run less, a missing seed, trimmed means; the fragile ones."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from cifar_report.analysis.decisions import DIRECTIONS, Families, decide, decide_onset, margin_of, p_values, side_of
from cifar_report.analysis.estimates import read
from cifar_report.analysis.hypothesis_tests import TRIM, EpochTest, HypothesisTest, TTest
from cifar_report.analysis.results import ChangeKind, ChangeOfMind
from cifar_report.analysis.results.trials import SeedValue
from cifar_report.analysis.results.verdicts import RULED_OUT, Outcome, Reason, Sensitivity, Verdict
from cifar_report.analysis.samples import Sample, onset_decision, onset_hits, planned_runs
from cifar_report.bundle import Bundle
from cifar_report.spec import Claim, Quantity, Side, Trial

LEAST_SEEDS = 3  # below, leaving one out leaves too few to say anything
LEAST_TRIMMED, LEAST_FLIPS = 5, 8  # values from which trimmed means and sign flips are looked at
MISSING: dict[ChangeKind, tuple[Reason, ...]] = {
    "canonical_pixels": ("other_pixels",),
    "real_data": ("other_labels", "stand_in"),
    "full_profile": ("reduced_profile",),
    "timing_pass": ("no_timing_pass", "not_timed", "disturbed", "one_block"),
    "missing_runs": ("missing", "failed", "no_common_seeds", "no_predictions"),
    "more_seeds": ("one_seed", "too_few_seeds", "not_decidable", "undecided"),
}


def sensitivities(
    claim: Claim, sample: Sample, families: Families, outcome: Outcome, bundle: Bundle
) -> tuple[Sensitivity, ...]:
    """Return the verdict under each other choice; ``outcome`` is the one under the method's own."""
    if claim.relation == "exact":
        return ()
    found = _onsets(claim, sample, bundle) if claim.relation == "onset" else _choices(claim, sample, families, bundle)
    return tuple(each._replace(changes=each.outcome != outcome) for each in found)


def _choices(claim: Claim, sample: Sample, families: Families, bundle: Bundle) -> Iterator[Sensitivity]:
    test = sample.test()

    def under(other: HypothesisTest, factor: float = 1.0) -> tuple[Outcome, float]:
        decision = decide(claim, other, families, factor)
        p = p_values(claim, other, factor).tested
        if decision.reason in RULED_OUT:
            p = other.p_value(side_of(claim) * margin_of(claim, factor), -side_of(claim))
        return decision.outcome, p

    yield Sensitivity("margin_halved", *under(test, 0.5))
    yield Sensitivity("margin_doubled", *under(test, 2.0))
    if families.size(claim) is not None:
        alone = Families((), {})
        yield Sensitivity("uncorrected", decide(claim, test, alone).outcome, p_values(claim, test).tested)
    if sample.images is not None:
        return
    other = None if sample.paired else claim.comparator
    names = (claim.subject.trial, other.trial) if other else (None, None)
    sides = (sample.subject, () if sample.paired else sample.comparator)
    for values, name in zip(sides, names, strict=True):
        for each in values if len(values) >= LEAST_SEEDS else ():
            yield Sensitivity("without_run", *under(sample.without(each).test()), each.seed, name)
    for counted in _counted_against(claim, sample, bundle):
        yield Sensitivity("missing_seed", *under(counted.test()))
    if isinstance(sample.parts[-1].test(), TTest) and sample.count >= LEAST_TRIMMED:
        yield Sensitivity("trimmed_mean", *under(sample.test(trim=TRIM)))
    if isinstance(test, TTest) and sample.paired and sample.count >= LEAST_FLIPS and claim.relation in DIRECTIONS:
        flips = EpochTest(sample.sides()[0] * 10_000)  # whole hundredths of a point
        p = flips.p_value(0.0, side_of(claim))
        yield Sensitivity("sign_flip", decide(claim, test, families).outcome, p)


def missing_seeds(claim: Claim, bundle: Bundle) -> tuple[tuple[str, tuple[int, ...]], ...]:
    """Return the claim's trials that lack runs of planned seeds, where others have finished, with these seeds."""
    found = {}
    for trial in claim.trials:
        runs = planned_runs(bundle, trial)
        lacking = tuple(seed for seed in bundle.seeds(trial) if seed not in runs)
        if runs and None not in runs and lacking:
            found[trial] = lacking
    return tuple(found.items())


def _counted_against(claim: Claim, sample: Sample, bundle: Bundle) -> Iterator[Sample]:
    """Yield the sample with every missing seed filled by the worst value of any network of the bundle."""
    lacking = dict(missing_seeds(claim, bundle))
    if not lacking or sample.n_of != "seeds":
        return
    # Which value is the worst depends on the claim; claims of nearness are tried with both ends.
    claimed = {"greater": 1, "less": -1, "not_better": -side_of(claim)}.get(claim.relation)
    for side in (1, -1) if claimed is None else (claimed,):
        filled: list[dict[int | None, SeedValue]] = []
        sides = zip((sample.subject, sample.comparator), claim.sides, (min, max)[::side], strict=False)
        for values, each, worst in sides:
            runs, known = planned_runs(bundle, each[0].trial), {value.seed: value for value in values}
            absent = lacking.get(each[0].trial, ())
            for seed in sum(lacking.values(), ()) if sample.paired else absent:
                run = runs.get(seed, runs.get(None))
                value = SeedValue(seed, "", worst(_values(bundle, *each))) if run is None else read(run, *each)
                known[seed] = value._replace(seed=seed)
            filled.append(known)
        others = filled[1] if len(filled) > 1 else {}
        comparator = tuple(others[seed] for seed in (filled[0] if sample.paired else others)) if others else ()
        yield replace(sample, subject=tuple(filled[0].values()), comparator=comparator)


def _values(bundle: Bundle, side: Side, quantity: Quantity) -> list[float]:
    """Return a quantity of all networks of the bundle, each at the side's stage or its last one."""
    networks = [run for run in bundle.runs if run.done and isinstance(run.trial, Trial)]
    stages = [side if any(stage.id == side.stage for stage in run.stages) else Side(run.trial.id) for run in networks]
    found = [read(run, stage, quantity).value for run, stage in zip(networks, stages, strict=True)]
    return [value for value in found if value is not None]


def _onsets(claim: Claim, sample: Sample, bundle: Bundle) -> Iterator[Sensitivity]:
    for kind, factor in (("margin_halved", 0.5), ("margin_doubled", 2.0)):
        yield Sensitivity(kind, onset_decision(claim, sample, factor)[0].outcome, None)  # type: ignore[arg-type]
    if sample.count >= LEAST_SEEDS:
        for each in sample.subject:
            yield Sensitivity("without_run", onset_decision(claim, sample.without(each))[0].outcome, None, each.seed)
    lacking = sum(len(seeds) for _, seeds in missing_seeds(claim, bundle))
    if lacking:
        last = sample.parts[-1]
        counted = decide_onset(sum(onset_hits(claim, last)), last.count + lacking, last.share)
        yield Sensitivity("missing_seed", counted.outcome, None)


def fragile(found: Sequence[Sensitivity]) -> bool | None:
    """Whether another choice changes the verdict; None where nothing was varied."""
    varied = [each.changes for each in found if each.counts]
    return any(varied) if varied else None


def changes_of_mind(verdicts: Sequence[Verdict]) -> Iterator[ChangeOfMind]:
    """Yield, claim by claim, what would or could change its verdict: other choices, and what is missing for one."""
    for verdict in verdicts:
        for other in verdict.sensitivity:
            if other.changes and other.kind != "uncorrected" and other.kind != "sign_flip":
                yield ChangeOfMind(verdict.id, other.kind)
        kind = next((kind for kind, reasons in MISSING.items() if verdict.reason in reasons), None)
        seedless = verdict.n_of == "images" or (kind == "more_seeds" and verdict.n_of == "blocks")
        if kind is not None and not seedless:
            yield ChangeOfMind(verdict.id, kind)
