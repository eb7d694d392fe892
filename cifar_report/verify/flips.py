"""Which verdicts of two bundles differ, and everything recorded that may be the reason."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import msgspec

from cifar_report.analysis import analyse
from cifar_report.bundle import Bundle, Run
from cifar_report.bundle.keys import ENGINE, with_engine
from cifar_report.spec import AnyTrial, Claim, Trial, differences
from cifar_report.verify.pairs import RunPair, common_runs

EXPLAINS_RUNS = ("profile:", "data:", "trial:", "code:", "environment:")
TIMED = {"seconds", "throughput", "fit_seconds", "predict_seconds"}
BY_NAME = {"spec", "dataset", "split", "seed"}  # parts of a key that are told in words of their own
OF_A_PASS = ("platform", "python")  # facts of an environment that runs do not tell
PROSE = {"statement", "said", "proxy", "code"}  # fields of a claim that decide nothing


@dataclass(frozen=True)
class Flip:
    """A claim with two verdicts, and the recorded differences that may explain it; noise, where none does."""

    claim: str
    before: str
    after: str
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class Comparison:
    """Two bundles side by side; ``same`` counts the claims whose verdict is the same in both."""

    flips: tuple[Flip, ...]
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
    verdicts = [{verdict.id: verdict for verdict in analyse(bundle).verdicts} for bundle in (one, other)]
    common = [claim for claim in verdicts[0] if claim in verdicts[1]]
    pairs = common_runs(one, other)
    explain = _Explanation(one, other, pairs)
    flips = tuple(
        Flip(claim, before.outcome, after.outcome, explain.reasons(before.claim, after.claim))
        for claim in common
        if (before := verdicts[0][claim]).outcome != (after := verdicts[1][claim]).outcome
    )
    mine, theirs = ({run.trial.id: None for run in bundle.runs if run.done} for bundle in (one, other))
    return Comparison(
        flips=flips,
        same=len(common) - len(flips),
        claims_of_one=tuple(claim for claim in verdicts[0] if claim not in verdicts[1]),
        claims_of_other=tuple(claim for claim in verdicts[1] if claim not in verdicts[0]),
        trials_of_one=tuple(trial for trial in mine if trial not in theirs),
        trials_of_other=tuple(trial for trial in theirs if trial not in mine),
        runs=pairs,
        differences=(*_whole(one, other), *_machine(one, other)),
    )


class _Explanation:
    """Looks for what differs behind a claim, from what was asked to how it was computed."""

    def __init__(self, one: Bundle, other: Bundle, pairs: tuple[RunPair, ...]) -> None:
        self._one, self._other = one, other
        self._pairs = pairs

    def reasons(self, before: Claim, after: Claim) -> tuple[str, ...]:
        """Return every recorded difference that bears on one claim; noise, where none does."""
        sides = (before.subject, before.comparator, after.subject, after.comparator)
        trials = tuple(dict.fromkeys(side.trial for side in sides if side is not None))
        found = [*_claim(before, after), *_whole(self._one, self._other)]
        for trial in trials:
            found += _recipe(self._one.trials.get(trial), self._other.trials.get(trial))
        found += _keys(self._runs(self._one, trials), self._runs(self._other, trials))
        for trial in trials:
            found += _seeds(trial, self._one, self._other)
        if {before.quantity, after.quantity} & TIMED and self._one.timing_pass != self._other.timing_pass:
            found.append("timing: another timing pass")
        common = [pair for pair in self._pairs if pair.run.partition("/")[0] in trials]
        changed = [pair for pair in common if not pair.same]
        if changed:
            found += _machine(self._one, self._other)
        if changed and not any(reason.startswith(EXPLAINS_RUNS) for reason in found):
            found.append(f"noise: {len(changed)} of {len(common)} common runs differ, and nothing recorded says why")
        if not found:
            found.append("correction: its runs are the same, but not those of other claims of its family")
        return tuple(dict.fromkeys(found))

    def _runs(self, bundle: Bundle, trials: tuple[str, ...]) -> list[Run]:
        return [run for trial in trials for run in bundle.runs_of(trial)]


def _claim(before: Claim, after: Claim) -> Iterator[str]:
    old, new = msgspec.structs.asdict(before), msgspec.structs.asdict(after)
    for field in old:
        if field not in PROSE and old[field] != new[field]:
            yield f"claim: its {field} is {_short(old[field])} against {_short(new[field])}"


def _short(value: object) -> str:
    text = repr(value.trial) if hasattr(value, "trial") else repr(value)
    return f"{text:.60}"


def _whole(one: Bundle, other: Bundle) -> Iterator[str]:
    """Yield how the bundles differ in what all their runs share."""
    mine, theirs = one.record, other.record
    if mine.profile != theirs.profile:
        names = (mine.profile.name, theirs.profile.name)
        yield f"profile: {names[0]} against {names[1]}" if len(set(names)) > 1 else f"profile: {names[0]} was redefined"
    if mine.dataset.fingerprint != theirs.dataset.fingerprint:
        yield f"data: fingerprint {mine.dataset.fingerprint[:8]} against {theirs.dataset.fingerprint[:8]}"
    if mine.dataset.grade != theirs.dataset.grade:
        yield f"data: {mine.dataset.grade} against {theirs.dataset.grade}"


def _machine(one: Bundle, other: Bundle) -> Iterator[str]:
    for name, before, after in (
        ("processor", _processors(one), _processors(other)),
        *((name, getattr(one.record.environment, name), getattr(other.record.environment, name)) for name in OF_A_PASS),
    ):
        if before != after:
            yield f"environment: {name} {before:.100} against {after:.100}"


def _processors(bundle: Bundle) -> str:
    """Return the kinds that the runs name, or that of the last pass: runs tell more where a bundle was extended."""
    kinds = {run.processor for run in bundle.runs if run.processor}
    return " and ".join(sorted(kinds)) or bundle.record.environment.processor


def _recipe(one: AnyTrial | None, other: AnyTrial | None) -> Iterator[str]:
    if one is None or other is None or one.configuration() == other.configuration():
        return
    changes = differences(one, other)
    told = "; ".join(f"{change.place}: {change.before!r:.40} against {change.after!r:.40}" for change in changes[:2])
    more = f" and {len(changes) - 2} more changes" if len(changes) > 2 else ""
    yield f"trial: the recipe of {one.id} differs ({told}{more})"


def _keys(one: list[Run], other: list[Run]) -> Iterator[str]:
    """Yield how the runs differ in what their keys say, code first."""
    mine, theirs = _values(one), _values(other)
    for name in sorted(mine.keys() & theirs.keys(), key=lambda name: (name != ENGINE, name)):
        if mine[name] == theirs[name] or name in BY_NAME:
            continue
        if name == ENGINE:
            yield f"code: the training engine differs ({_listed(mine[name], 8)} against {_listed(theirs[name], 8)})"
        else:
            yield f"environment: {name} {_listed(mine[name], 60)} against {_listed(theirs[name], 60)}"


def _values(runs: list[Run]) -> dict[str, set[str]]:
    values: dict[str, set[str]] = {}
    for run in runs:
        for name, value in with_engine(run.key_parts).items():
            values.setdefault(name, set()).add(value)
    return values


def _listed(values: set[str], most: int) -> str:
    return " and ".join(sorted(value[:most] for value in values))


def _seeds(trial: str, one: Bundle, other: Bundle) -> Iterator[str]:
    mine, theirs = ({run.seed for run in bundle.runs_of(trial)} for bundle in (one, other))
    if mine == theirs:
        return
    seeded = isinstance(one.trials.get(trial) or other.trials.get(trial), Trial)
    if not seeded or not mine or not theirs:
        yield f"runs: {trial} has {'a' if mine else 'no'} finished run against {'one' if theirs else 'none'}"
    elif len(mine) != len(theirs):
        yield f"seeds: {trial} has {len(mine)} against {len(theirs)}"
    else:
        yield f"seeds: {trial} has as many, but others"
