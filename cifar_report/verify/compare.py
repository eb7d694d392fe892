"""Compares two bundles: which verdicts and runs differ, and everything recorded that may be the reason."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import msgspec

from cifar_report.analysis import analyse
from cifar_report.bundle import Bundle, Run
from cifar_report.bundle.keys import ENGINE
from cifar_report.bundle.records import stage_ids
from cifar_report.spec import AnyTrial, Claim, differences
from cifar_report.verify.run_diff import compare_records, key_values

EXPLAINS_RUNS = ("profile:", "data:", "trial:", "code:", "environment:")
TIMED = {"seconds", "throughput", "fit_seconds", "predict_seconds"}
BY_NAME = {"spec", "dataset", "split", "seed"}  # parts of a key that are told in words of their own
OF_A_PASS = ("platform", "python")  # facts of an environment that runs do not tell
PROSE = {"statement", "said", "proxy", "code"}  # fields of a claim that decide nothing


@dataclass(frozen=True)
class RunPair:
    """One run that is finished in both bundles.

    ``predictions`` and ``weights`` say whether the files are the same bytes (None: one bundle has none).
    ``first`` names the first epoch that differs and in what; None where no epoch does.
    """

    run: str
    predictions: bool | None
    weights: bool | None
    first: str | None

    @property
    def same(self) -> bool:
        """Whether nothing differs in what could be compared."""
        return self.first is None and self.predictions is not False and self.weights is not False


@dataclass(frozen=True)
class VerdictDiff:
    """A claim with two verdicts, and the recorded differences that may explain it; noise, where none does."""

    claim: str
    before: str
    after: str
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class Comparison:
    """Two bundles side by side; ``same`` counts the claims whose verdict is the same in both."""

    verdicts: tuple[VerdictDiff, ...]
    same: int
    claims_of_one: tuple[str, ...]
    claims_of_other: tuple[str, ...]
    trials_of_one: tuple[str, ...]  # with a finished run in the first bundle only
    trials_of_other: tuple[str, ...]
    runs: tuple[RunPair, ...]
    differences: tuple[str, ...]  # of the bundles as a whole


def compare_bundles(one: Bundle, other: Bundle) -> Comparison:
    """Analyse two bundles with the same program and return where they differ.

    Raises SuiteError when a file of either is damaged.
    """
    before, after = ({verdict.id: verdict for verdict in analyse(bundle).verdicts} for bundle in (one, other))
    pairs = common_runs(one, other)
    common = [claim for claim in before if claim in after]
    differing = [claim for claim in common if before[claim].outcome != after[claim].outcome]
    mine, theirs = ({run.trial.id: None for run in bundle.runs if run.done} for bundle in (one, other))
    return Comparison(
        verdicts=tuple(
            VerdictDiff(
                claim=claim,
                before=before[claim].outcome,
                after=after[claim].outcome,
                reasons=_reasons(one, other, pairs, before[claim].claim, after[claim].claim),
            )
            for claim in differing
        ),
        same=len(common) - len(differing),
        claims_of_one=tuple(claim for claim in before if claim not in after),
        claims_of_other=tuple(claim for claim in after if claim not in before),
        trials_of_one=tuple(trial for trial in mine if trial not in theirs),
        trials_of_other=tuple(trial for trial in theirs if trial not in mine),
        runs=pairs,
        differences=(*_bundle_differences(one, other), *_machine_differences(one, other)),
    )


def common_runs(one: Bundle, other: Bundle) -> tuple[RunPair, ...]:
    """Return every run that is finished in both bundles, in the order of the first."""
    partners = {run.id: run for run in other.runs if run.done}
    return tuple(_pair(run, partners[run.id]) for run in one.runs if run.done and run.id in partners)


def _pair(one: Run, other: Run) -> RunPair:
    def same(name: str) -> bool | None:
        return one.files[name] == other.files[name] if name in one.files and name in other.files else None

    return RunPair(one.id, same("predictions.npz"), same("weights.npz"), _first_difference(one, other))


def _first_difference(one: Run, other: Run) -> str | None:
    if stage_ids(one.trial) != stage_ids(other.trial):
        return "the stages themselves"
    diff = compare_records(one, other)
    if diff.first is not None:
        return f"{diff.first.stage}, epoch {diff.first.epoch}: {diff.first.words(', ')}"
    return "the test accuracy" if diff.differences else None


def _reasons(one: Bundle, other: Bundle, pairs: Sequence[RunPair], before: Claim, after: Claim) -> tuple[str, ...]:
    """Return every recorded difference that bears on one claim; noise, where none does."""
    sides = (before.subject, before.comparator, after.subject, after.comparator)
    trials = list(dict.fromkeys(side.trial for side in sides if side is not None))
    found = [*_claim_differences(before, after), *_bundle_differences(one, other)]
    for trial in trials:
        found += _trial_differences(one.trials.get(trial), other.trials.get(trial))
    found += _key_differences(*([run for trial in trials for run in bundle.runs_of(trial)] for bundle in (one, other)))
    for trial in trials:
        found += _seed_differences(trial, one, other)
    if {before.quantity, after.quantity} & TIMED and one.timing_pass != other.timing_pass:
        found.append("timing: another timing pass")
    common = [pair for pair in pairs if pair.run.partition("/")[0] in trials]
    if changed := [pair for pair in common if not pair.same]:
        found += _machine_differences(one, other)
        if not any(reason.startswith(EXPLAINS_RUNS) for reason in found):
            found.append(f"noise: {len(changed)} of {len(common)} common runs differ, and nothing recorded says why")
    return tuple(dict.fromkeys(found)) or (
        "correction: its runs are the same, but not those of other claims of its family",
    )


def _claim_differences(before: Claim, after: Claim) -> Iterator[str]:
    def short(value: object) -> str:
        return f"{getattr(value, 'trial', value)!r:.60}"

    old, new = msgspec.structs.asdict(before), msgspec.structs.asdict(after)
    for field in old:
        if field not in PROSE and old[field] != new[field]:
            yield f"claim: its {field} is {short(old[field])} against {short(new[field])}"


def _bundle_differences(one: Bundle, other: Bundle) -> Iterator[str]:
    """Yield how the bundles differ in what all their runs share."""
    mine, theirs = one.record, other.record
    if mine.profile != theirs.profile:
        names = (mine.profile.name, theirs.profile.name)
        yield f"profile: {names[0]} against {names[1]}" if len(set(names)) > 1 else f"profile: {names[0]} was redefined"
    if mine.dataset.fingerprint != theirs.dataset.fingerprint:
        yield f"data: fingerprint {mine.dataset.fingerprint[:8]} against {theirs.dataset.fingerprint[:8]}"
    if mine.dataset.grade != theirs.dataset.grade:
        yield f"data: {mine.dataset.grade} against {theirs.dataset.grade}"


def _machine_differences(one: Bundle, other: Bundle) -> Iterator[str]:
    facts = [
        {"processor": _processors(bundle)} | {name: getattr(bundle.record.environment, name) for name in OF_A_PASS}
        for bundle in (one, other)
    ]
    for name, before in facts[0].items():
        if before != facts[1][name]:
            yield f"environment: {name} {before:.100} against {facts[1][name]:.100}"


def _processors(bundle: Bundle) -> str:
    """Return the kinds that the runs name, or that of the last pass: runs tell more where a bundle was extended."""
    kinds = {run.processor for run in bundle.runs if run.processor}
    return " and ".join(sorted(kinds)) or bundle.record.environment.processor


def _trial_differences(one: AnyTrial | None, other: AnyTrial | None) -> Iterator[str]:
    if one is None or other is None or one.configuration() == other.configuration():
        return
    changes = differences(one, other)
    told = "; ".join(f"{change.place}: {change.before!r:.40} against {change.after!r:.40}" for change in changes[:2])
    more = f" and {len(changes) - 2} more changes" if len(changes) > 2 else ""
    yield f"trial: the configuration of {one.id} differs ({told}{more})"


def _key_differences(one: Sequence[Run], other: Sequence[Run]) -> Iterator[str]:
    """Yield how the runs differ in what their keys say, the engine first."""
    mine, theirs = key_values(one), key_values(other)
    for name in sorted((mine.keys() & theirs.keys()) - BY_NAME, key=lambda name: (name != ENGINE, name)):
        most = 8 if name == ENGINE else 60
        before, after = (" and ".join(value[:most] for value in side[name]) for side in (mine, theirs))
        if mine[name] != theirs[name] and name == ENGINE:
            yield f"code: the training engine differs ({before} against {after})"
        elif mine[name] != theirs[name]:
            yield f"environment: {name} {before} against {after}"


def _seed_differences(trial: str, one: Bundle, other: Bundle) -> Iterator[str]:
    mine, theirs = ({run.seed for run in bundle.runs_of(trial)} for bundle in (one, other))
    if mine == theirs:
        return
    if not mine or not theirs or None in mine:
        yield f"runs: {trial} has {'a' if mine else 'no'} finished run against {'one' if theirs else 'none'}"
    elif len(mine) != len(theirs):
        yield f"seeds: {trial} has {len(mine)} against {len(theirs)}"
    else:
        yield f"seeds: {trial} has as many, but others"
