"""Which trials the timing pass holds."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from cifar_report.errors import UsageError
from cifar_report.spec import AnyTrial, Claim, ClassicalTrial, Dropout, Profile

TIMED_QUANTITIES = ("seconds", "throughput", "fit_seconds", "predict_seconds")


def choose_timed(
    profile: Profile, trials: Mapping[str, AnyTrial], claims: Iterable[Claim], asked: bool | None
) -> tuple[AnyTrial, ...]:
    """Return which of the chosen trials are timed; ``asked`` is None where the profile decides.

    Raises UsageError where a pass is asked for and the profile times none of them.
    """
    plan = profile.timing
    if asked is False or (asked is None and (plan is None or not plan.by_default)):
        return ()
    chosen = timed_trials(trials.values(), claims, plan.trials if plan else ())
    if asked and not chosen:
        names = ", ".join(plan.trials or ()) if plan else ""
        raise UsageError(f"--timing: none of these trials is timed in the profile {profile.name!r}: it times {names}")
    return chosen


def timed_trials(
    trials: Iterable[AnyTrial], claims: Iterable[Claim], names: Sequence[str] | None = None
) -> tuple[AnyTrial, ...]:
    """Return the trials of these names; without names one of each cost and every one that a claim about time names.

    Trials that differ only in what costs no time (epochs, split, learning rate, dropout rate) are timed once.
    """
    trials = list(trials)
    if names is not None:
        return tuple(trial for trial in trials if trial.id in names)
    sides = [
        side for claim in claims if claim.quantity in TIMED_QUANTITIES for side in (claim.subject, claim.comparator)
    ]
    named = {side.trial for side in sides if side is not None}
    chosen: dict[str, str] = {}  # cost: the first trial of it; the named ones come first
    for trial in sorted(trials, key=lambda trial: trial.id not in named):
        chosen.setdefault(cost_hash(trial), trial.id)
    return tuple(trial for trial in trials if trial.id in named or trial.id in chosen.values())


def cost_hash(trial: AnyTrial) -> str:
    """Return the SHA-256 of what decides a trial's speed on one machine.

    A classifier counts once whatever images it is fitted on: more of them are more of the same work.
    """
    if isinstance(trial, ClassicalTrial):
        costs: object = msgspec.to_builtins(trial.method)
    else:
        layers = ["Dropout" if isinstance(layer, Dropout) else msgspec.to_builtins(layer) for layer in trial.layers]
        costs = [layers, trial.batch_size, trial.strategy, msgspec.to_builtins(trial.stages[0].augmentation)]
    return hashlib.sha256(msgspec.json.encode(costs, order="sorted")).hexdigest()
