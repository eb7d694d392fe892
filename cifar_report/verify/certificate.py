"""Makes the certificate of runs that were trained again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec

from cifar_report.bundle import Bundle, Environment, Predictions, Run
from cifar_report.bundle.certificates import (
    MOST_PHRASE,
    MOST_WORD,
    Certificate,
    Change,
    Level,
    Rerun,
    weakest,
)
from cifar_report.bundle.keys import current_parts
from cifar_report.errors import SuiteError
from cifar_report.verify.comparison import TOLERANCE, compare
from cifar_report.verify.findings import printable

LIBRARIES = ("tensorflow", "keras", "numpy", "scikit-learn", "scipy")  # those that compute while a run is trained


@dataclass(frozen=True)
class Mixed(Bundle):
    """A bundle in which some runs stand with the results of another training."""

    again: Bundle

    def predictions(self, run: Run) -> Predictions:
        """Read a run's predictions, of the second training where there is one."""
        if any(run is other for other in self.again.runs):
            return self.again.predictions(run)
        return super().predictions(run)


def certify(bundle: Bundle, again: Bundle, environment: Environment) -> Certificate:
    """Return how far the runs in ``again`` agree with the same runs of ``bundle``.

    Raises SuiteError when arrays are damaged, or when the verdicts are needed and what computes them is not installed.
    """
    pairs = [(next(run for run in bundle.runs if run.id == other.id), other) for other in again.runs]
    reruns = [
        compare(run, bundle.folder / "runs" / run.id, other, again.folder / "runs" / run.id) for run, other in pairs
    ]
    changed: tuple[str, ...] = ()
    if any(rerun.level != "bitwise" for rerun in reruns):
        changed = changed_verdicts(bundle, again)
        reruns = [_judged(rerun, flipped=bool(changed)) for rerun in reruns]
    return Certificate(
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        level=weakest(tuple(rerun.level for rerun in reruns)),
        tolerance=TOLERANCE,
        reruns=tuple(reruns),
        verdicts_changed=changed,
        changes=tuple(environment_changes(bundle, pairs, environment)),
        environment=environment,
    )


def _judged(rerun: Rerun, *, flipped: bool) -> Rerun:
    level: Level = "different" if flipped and rerun.level != "bitwise" else rerun.level
    return msgspec.structs.replace(rerun, level=level)


def changed_verdicts(bundle: Bundle, again: Bundle) -> tuple[str, ...]:
    """Return the ids of the claims whose outcome is another with the second training's results in place."""
    by_id = {run.id: run for run in again.runs}
    mixed = Mixed(bundle.folder, bundle.record, tuple(by_id.get(run.id, run) for run in bundle.runs), again)
    before, after = _outcomes(bundle), _outcomes(mixed)
    return tuple(claim for claim, outcome in before.items() if after[claim] != outcome)


def _outcomes(bundle: Bundle) -> dict[str, str]:
    try:
        from cifar_report.analysis.answers import read_answers
        from cifar_report.analysis.measures import scope_of
        from cifar_report.analysis.verdicts import verdicts
    except ImportError as error:
        raise SuiteError(f"{error.name} is not installed: pip install -e '.[train,report]'") from error
    found = verdicts(bundle, read_answers(bundle), scope_of(bundle))
    return {verdict.claim.id: verdict.outcome for verdict in found}


def environment_changes(bundle: Bundle, pairs: Sequence[tuple[Run, Run]], environment: Environment) -> Iterator[Change]:
    """Yield what differs between the trainings: first what went into the runs' keys, then what their machines say."""
    keys = [(current_parts(run), current_parts(again)) for run, again in pairs]
    for name in sorted({name for pair in keys for parts in pair for name in parts}):
        differing = [pair for pair in keys if pair[0].get(name) != pair[1].get(name)]
        if differing:
            yield _change(name, _all(name, differing, 0), _all(name, differing, 1))
    told = {name for pair in keys for parts in pair for name in parts}
    before, after = _facts(bundle.record.environment), _facts(environment)
    if any(run.processor for run in bundle.runs):  # a bundle that was extended elsewhere speaks of the last machine
        known = {run.processor for run, _ in pairs if run.processor}
        before["processor"] = ", ".join(sorted(known)) or after["processor"]
    for name in sorted((before.keys() | after.keys()) - told):
        if before.get(name) != after.get(name):
            yield _change(name, before.get(name), after.get(name))


def _all(name: str, pairs: Sequence[tuple[dict[str, str], dict[str, str]]], side: int) -> str | None:
    values = sorted({pair[side][name] for pair in pairs if name in pair[side]})
    return ", ".join(values) or None


def _change(name: str, *values: str | None) -> Change:
    before, after = (None if value is None else printable(value)[:MOST_PHRASE] for value in values)
    return Change(name=printable(name)[:MOST_WORD], before=before, after=after)


def _facts(environment: Environment) -> dict[str, str]:
    facts = {
        "Python": environment.python,
        "platform": environment.platform,
        "processor": environment.processor,
        "suite version": environment.project_version,
        "suite commit": environment.project_commit or "none",
    }
    facts |= {f"version of {name}": environment.packages[name] for name in LIBRARIES if name in environment.packages}
    return facts | {f"variable {name}": value for name, value in environment.variables.items()}
