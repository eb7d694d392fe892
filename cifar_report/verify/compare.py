"""Compares two trainings of a run, and two bundles: what differs, by how much, and what recorded may be the reason."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path
from typing import Literal, get_args

import msgspec
import numpy as np

from cifar_report.bundle import Bundle, Run, StageResult
from cifar_report.bundle.arrays import Array, comparable_arrays
from cifar_report.bundle.certificates import Deviation, FirstDifference, Level, What
from cifar_report.bundle.records import SETS
from cifar_report.bundle.store import ENGINE, current_parts
from cifar_report.spec import CIFAR10, Claim, Dataset, differences

Quantity = Literal["loss", "accuracy", "weights", "probabilities"]
TOLERANCE = 0.005  # of losses and accuracies: half a percentage point, where the claims' margins begin at one
PROSE = {"statement", "said", "proxy", "code"}  # fields of a claim that decide nothing
Place = tuple[int, int]  # a stage and an epoch of it, both counted from 1
NOWHERE: Place = (0, 0)  # of what belongs to no epoch


@dataclass
class RunDiff:
    """What two trainings of a run differ in, and how far their numbers lie apart, by place."""

    run: Run
    compared: list[str] = field(default_factory=list)
    differences: set[tuple[Place, What]] = field(default_factory=set)
    distances: list[tuple[Place, Quantity, float]] = field(default_factory=list)

    def note(self, place: Place, what: What, one: object, other: object) -> None:
        """Keep whether two things are the same."""
        if one != other:
            self.differences.add((place, what))

    def measure(self, place: Place, what: What, quantity: Quantity, one: float | None, other: float | None) -> None:
        """Keep whether two numbers are the same and how far apart; infinitely far where one of them alone is None."""
        self.note(place, what, one, other)
        distance = abs(one - other) if one is not None and other is not None else 0.0 if one is other else math.inf
        self.distances.append((place, quantity, distance))

    def largest(self, place: Place | None = None) -> Deviation:
        """Return the largest distances, of one place or of all."""
        found: dict[str, float] = {}
        for where, quantity, distance in self.distances:
            if place in (None, where):
                found[quantity] = max(found.get(quantity, 0.0), distance)
        return Deviation(**{quantity: value if math.isfinite(value) else None for quantity, value in found.items()})

    @property
    def level(self) -> Level:
        """Return how far they agree; "statistical" wherever rounding does not explain the difference."""
        if not self.differences:
            return "bitwise"
        most = {"loss": TOLERANCE, "accuracy": TOLERANCE}
        within = all(math.isfinite(value) and value <= most.get(name, value) for _, name, value in self.distances)
        return "numerical" if within and all(what != "order" for _, what in self.differences) else "statistical"

    @property
    def first(self) -> FirstDifference | None:
        """Return the first epoch that differs; None where no epoch does."""
        place = min((place for place, _ in self.differences if place != NOWHERE), default=None)
        if place is None:
            return None
        what = tuple(each for each in get_args(What) if (place, each) in self.differences)
        stage = self.run.stages[place[0] - 1].id
        return FirstDifference(stage=stage, epoch=place[1], what=what, deviation=self.largest(place))


def compare_records(run: Run, again: Run) -> RunDiff:
    """Compare the records of two finished runs with the same stages."""
    diff = RunDiff(run)
    if run.classical is not None and again.classical is not None:
        diff.compared.append("accuracy")
        accuracies = (each.test_accuracy for each in (run.classical, again.classical))
        diff.measure(NOWHERE, "evaluation", "accuracy", *accuracies)
    if run.stages:
        diff.compared.append("history")
        if all(stage.hashes for stage in (*run.stages, *again.stages)):
            diff.compared.append("hashes of each epoch")
    for number, (one, other) in enumerate(zip(run.stages, again.stages, strict=True), 1):
        _compare_stages(number, one, other, diff)
    return diff


def _compare_stages(number: int, one: StageResult, other: StageResult, diff: RunDiff) -> None:
    for epoch, (first, second) in enumerate(zip(one.hashes, other.hashes, strict=False), 1):
        diff.note((number, epoch), "order", first.order, second.order)
        diff.note((number, epoch), "weights", first.weights, second.weights)
    for name in ("loss", "accuracy", "val_loss", "val_accuracy"):
        quantity: Quantity = "loss" if name.endswith("loss") else "accuracy"
        curves = getattr(one.history, name), getattr(other.history, name)
        for epoch, values in enumerate(zip_longest(*curves, fillvalue=math.inf), 1):  # one may have stopped earlier
            diff.measure((number, epoch), "history", quantity, *values)
    diff.note((number, min(one.best_epoch, other.best_epoch)), "evaluation", one.best_epoch, other.best_epoch)
    for weights in SETS:
        place, pair = _after(number, one, weights), (one.evaluation(weights), other.evaluation(weights))
        for part in ("train", "validation", "test"):
            scores = [getattr(each, part) for each in pair]
            diff.measure(place, "evaluation", "loss", *(each.loss for each in scores))
            diff.measure(place, "evaluation", "accuracy", *(each.accuracy for each in scores))


def _after(number: int, stage: StageResult, weights: str) -> Place:
    return (number, stage.epochs if weights == "last" else stage.best_epoch)


def compare_arrays(diff: RunDiff, folder: Path, again_folder: Path, dataset: Dataset = CIFAR10) -> None:
    """Add what differs in the arrays of the two runs' folders; raises SuiteError when one of them is damaged."""
    for name in ("weights", "kernels", "predictions", "compact"):
        paths = folder / f"{name}.npz", again_folder / f"{name}.npz"
        if not all(path.is_file() for path in paths):
            continue
        diff.compared.append("compact predictions" if name == "compact" else name)
        first, second = (comparable_arrays(path, dataset) for path in paths)
        predicted = name in ("predictions", "compact")
        what: What = "predictions" if predicted else "weights"
        quantity: Quantity = "probabilities" if predicted else "weights"
        for array in sorted(first.keys() | second.keys()):
            one, other = (arrays.get(array, np.empty(0)) for arrays in (first, second))
            place = _place_of(diff.run, array)
            diff.note(place, what, *((each.dtype, each.shape, each.tobytes()) for each in (one, other)))
            if array.rpartition(".")[2] not in ("indices", "labels", "predicted"):
                diff.distances.append((place, quantity, _distance(one, other)))


def _place_of(run: Run, array: str) -> Place:
    """Return the epoch after which an array was taken, by its name ``<stage>.<last|best>…``."""
    for number, stage in enumerate(run.stages, 1):
        for weights in SETS:
            if f"{array}.".startswith(f"{stage.id}.{weights}."):
                return _after(number, stage, weights)
    return _after(len(run.stages), run.stages[-1], "last") if run.stages else NOWHERE


def _distance(one: Array, other: Array) -> float:
    """Return the largest difference of two arrays; infinite where they differ in shape or in what is a number."""
    known = np.isfinite(one)
    if one.shape != other.shape or not np.array_equal(known, np.isfinite(other)):
        return math.inf
    return float(np.max(np.abs(one[known].astype(float) - other[known].astype(float)), initial=0.0))


def key_values(runs: Sequence[Run]) -> dict[str, list[str]]:
    """Return the values of each part of some runs' keys by name, as they are written today."""
    values: dict[str, set[str]] = {}
    for run in runs:
        for name, value in current_parts(run).items():
            values.setdefault(name, set()).add(value)
    return {name: sorted(found) for name, found in values.items()}


@dataclass(frozen=True)
class RunPair:
    """One run that is finished in both bundles.

    ``predictions`` and ``weights``: whether the files are the same bytes (None: one bundle has none). ``first`` names
    the first epoch that differs and in what; None where no epoch does.
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
    """Analyse two bundles and return where they differ; raises SuiteError when a file of either is damaged."""
    from cifar_report.analysis import analyse  # training again needs none of its packages

    before, after = ({verdict.id: verdict for verdict in analyse(bundle).verdicts} for bundle in (one, other))
    pairs = common_runs(one, other)
    common = [(before[claim], after[claim]) for claim in before if claim in after]
    differing = [
        VerdictDiff(first.id, first.outcome, second.outcome, _reasons(one, other, pairs, first.claim, second.claim))
        for first, second in common
        if first.outcome != second.outcome
    ]
    mine, theirs = ({run.trial.id: None for run in bundle.runs if run.done} for bundle in (one, other))
    plans, machines = map(_plan_facts, (one, other)), map(_machine_facts, (one, other))
    compact = ({"compact runs:": str(sum(map(each.is_compact, each.runs)))} for each in (one, other))
    return Comparison(
        verdicts=tuple(differing),
        same=len(common) - len(differing),
        claims_of_one=tuple(claim for claim in before if claim not in after),
        claims_of_other=tuple(claim for claim in after if claim not in before),
        trials_of_one=tuple(trial for trial in mine if trial not in theirs),
        trials_of_other=tuple(trial for trial in theirs if trial not in mine),
        runs=pairs,
        differences=(*_against(*plans), *_against(*machines), *_against(*compact)),
    )


def common_runs(one: Bundle, other: Bundle) -> tuple[RunPair, ...]:
    """Return every run that is finished in both bundles, in the order of the first."""
    partners = {run.id: run for run in other.runs if run.done}
    return tuple(_pair(run, partners[run.id]) for run in one.runs if run.done and run.id in partners)


def _pair(one: Run, other: Run) -> RunPair:
    same = {name: one.files[name] == other.files[name] for name in one.files.keys() & other.files.keys()}
    if one.trial.stage_ids != other.trial.stage_ids:
        first: str | None = "the stages themselves"
    elif (found := compare_records(one, other)).first is not None:
        first = f"{found.first.stage}, epoch {found.first.epoch}: {found.first.words(', ')}"
    else:
        first = "the test accuracy" if found.differences else None
    return RunPair(one.id, same.get("predictions.npz"), same.get("weights.npz"), first)


def _reasons(one: Bundle, other: Bundle, pairs: Sequence[RunPair], before: Claim, after: Claim) -> tuple[str, ...]:
    trials = list(dict.fromkeys((*before.trials, *after.trials)))
    found = [*_against(_claim_facts(before), _claim_facts(after)), *_against(_plan_facts(one), _plan_facts(other))]
    for trial in trials:
        if trial in one.trials and trial in other.trials:
            for change in differences(one.trials[trial], other.trials[trial]):
                found.append(f"trial: {trial}, {change.place} {change.before!r:.40} against {change.after!r:.40}")
    found += _against(*(_run_facts(bundle, trials) for bundle in (one, other)))
    if (before.timed or after.timed) and one.timing_pass != other.timing_pass:
        found.append("timing: another timing pass")
    common = [pair for pair in pairs if pair.run.partition("/")[0] in trials]
    if changed := [pair for pair in common if not pair.same]:
        found += _against(_machine_facts(one), _machine_facts(other))
        if not any(reason.startswith(("profile:", "data:", "trial:", "code:", "environment:")) for reason in found):
            found.append(f"noise: {len(changed)} of {len(common)} common runs differ, and nothing recorded says why")
    return tuple(found) or ("correction: its runs are the same, but not those of other claims of its family",)


def _against(before: dict[str, str], after: dict[str, str]) -> Iterator[str]:
    for name in sorted(before.keys() & after.keys()):
        if before[name] != after[name]:
            yield f"{name} {before[name]:.100} against {after[name]:.100}"


def _claim_facts(claim: Claim) -> dict[str, str]:
    fields = {name: value for name, value in msgspec.structs.asdict(claim).items() if name not in PROSE}
    return {f"claim: its {name} is": str(getattr(value, "trial", value)) for name, value in fields.items()}


def _plan_facts(bundle: Bundle) -> dict[str, str]:
    data = bundle.record.dataset
    return {"profile:": bundle.record.profile.name, "data: fingerprint": data.fingerprint[:8], "data:": data.grade}


def _machine_facts(bundle: Bundle) -> dict[str, str]:
    machine = bundle.record.environment  # of it that keys do not tell
    return {f"environment: {name}": getattr(machine, name) for name in ("processor", "platform", "python")}


def _run_facts(bundle: Bundle, trials: Sequence[str]) -> dict[str, str]:
    runs = {trial: bundle.runs_of(trial) for trial in trials}
    facts = {
        f"seeds: {trial} has": ", ".join("once" if run.seed is None else str(run.seed) for run in found) or "none"
        for trial, found in runs.items()
    }
    for name, values in key_values([run for found in runs.values() for run in found]).items():
        if name not in {"spec", "dataset", "split", "seed"}:  # these are told in words of their own
            facts[f"{'code' if name == ENGINE else 'environment'}: {name}"] = " and ".join(values)
    return facts
