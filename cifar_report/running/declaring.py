"""What a call asks for: how many seeds of each trial, as the bundle declares it, and which trials are timed."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple

import msgspec

from cifar_report.bundle import METHOD_VERSION, SCHEMA_VERSION, BundleRecord, is_bundle, read_record, write_record
from cifar_report.bundle.bundle import RECORD_FILE
from cifar_report.bundle.store import read_manifest, update_manifest, write_manifest
from cifar_report.errors import UsageError
from cifar_report.published import load_original
from cifar_report.registry import claims_of, load_experiments, load_study, trials_of
from cifar_report.spec import AnyTrial, Claim, ClassicalTrial, Dropout, definitions, registry_hash
from cifar_report.spec.experiments import LOOKS, MOST_SEEDS, Experiment, Profile, SeedPlan, declare, declare_looks
from cifar_report.spec.trials import json_hash, without_defaults

SeedsAsked = int | Literal["auto"] | None


class Seeds(NamedTuple):
    """The seeds of every trial, the plan beyond them, and the end of the seeds of trials that have more."""

    each: int
    plan: SeedPlan | None = None
    ends: Mapping[str, int] = {}


def agree_on_seeds(
    folder: Path, profile: Profile, experiments: tuple[Experiment, ...], asked: SeedsAsked, hours: float | None
) -> Seeds:
    """Return the seeds to train: those asked for (None: the plan's or the profile's), as the bundle's plan allows.

    More seeds of a bundle that was judged are a confirmation. Raises UsageError for what contradicts a declaration or
    comes too late for one.
    """
    if isinstance(asked, int) and asked > MOST_SEEDS:
        raise UsageError(f"--seeds {asked}: a bundle holds at most {MOST_SEEDS:,} seeds")
    record = read_record(folder) if is_bundle(folder) else None
    claims, trials = claims_of(experiments), trials_of(experiments)
    if record is not None and record.plan is not None:
        return _as_declared(folder, record, record.plan, claims, asked, hours)
    if asked == "auto":
        if any(folder.glob("runs/*/*/run.json")):
            raise UsageError(
                f"--seeds auto: looks are declared before the first run, and {folder} holds runs without; name "
                "another folder, or extend this one by a confirmation (cifar-report plan)"
            )
        return Seeds(LOOKS[0], declare_looks(claims, trials, hours))
    count = asked or profile.seeds
    judged = record is not None and record.finished is not None and record.seeds > 1 and not profile.reduced
    if record is None or not judged or count <= record.seeds:
        return Seeds(count)
    ends = {name: count for name, trial in trials.items() if trial.seeded}
    plan = declare({name: (end,) for name, end in ends.items()}, claims, trials, first=record.seeds)
    return Seeds(record.seeds, plan, ends)


def _as_declared(
    folder: Path, record: BundleRecord, plan: SeedPlan, claims: Iterable[Claim], asked: SeedsAsked, hours: float | None
) -> Seeds:
    looks = ", ".join(map(str, min(plan.seeds.values(), default=())))
    kind = "a confirmation" if plan.confirms else f"looks at {looks} seeds"
    declared = f"{folder} declares {kind} (of {plan.declared[:10]}, {plan.hash[:8]})"
    if plan.hash != plan.sealed_hash():
        raise UsageError(f"{declared}, and the declaration was edited since: restore its {RECORD_FILE}")
    if not plan.holds_for(claims):
        raise UsageError(f"{declared} for other claims: restore them, or name another folder")
    if not plan.confirms:
        if isinstance(asked, int):
            raise UsageError(f"--seeds {asked}: {declared}: go on with --seeds auto, or name another folder")
        if hours is not None and hours != plan.hours:
            cap = "no cap" if plan.hours is None else f"a cap of {plan.hours:g} hours"
            raise UsageError(f"--hours {hours:g}: {declared} with {cap}, which stays; leave --hours out")
        return Seeds(record.seeds, plan, dict(record.asked))
    ends = {trial: counts[-1] for trial, counts in plan.seeds.items()}
    if asked == "auto" or (asked is not None and asked > record.seeds and set(ends.values()) != {asked}):
        raise UsageError(f"--seeds {asked}: {declared}: leave --seeds out to train it, or name another folder")
    return Seeds(record.seeds, plan, ends) if asked is None or asked > record.seeds else Seeds(asked, plan)


def declare_confirmation(folder: Path, seeds: Mapping[str, int], finish: Callable[[Path], None]) -> SeedPlan:
    """Write into a finished bundle that so many new seeds of these trials are to confirm it, with today's claims.

    ``finish`` derives the tables where the claims changed. Raises UsageError where something is declared already.
    """
    old, listed = read_record(folder), read_manifest(folder)
    if old.plan is not None:
        raise UsageError(f"{folder} has a declaration of {old.plan.declared[:10]} already, which stays")
    if not seeds:
        raise UsageError("there is nothing to declare: no new seeds are worth their hours")
    record, ends = todays_record(folder, old), {trial: (old.seeds + count,) for trial, count in seeds.items()}
    plan = declare(ends, claims_of(record.experiments), trials_of(record.experiments), first=old.seeds)
    write_record(folder, msgspec.structs.replace(record, plan=plan))
    if record.experiments != old.experiments and old.method_version == METHOD_VERSION:
        finish(folder)
        write_manifest(folder)
    else:
        update_manifest(folder, listed, [folder / RECORD_FILE])
    return plan


def todays_record(folder: Path, old: BundleRecord) -> BundleRecord:
    """Return a bundle's record with the experiments and the original's numbers as they are now."""
    experiments = load_experiments()
    return msgspec.structs.replace(
        old,
        schema_version=SCHEMA_VERSION,
        experiments=experiments,
        original=load_original(),
        study=load_study(),
        claims_hash=registry_hash(claims_of(experiments)),
        claims_changed=old.claims_changed or claims_changed(folder, old, experiments),
    )


def claims_changed(folder: Path, old: BundleRecord, experiments: tuple[Experiment, ...]) -> bool:
    """Whether a claim, its wording aside, changed after runs were trained, or came when all of its trials had runs."""
    trained = {path.parent.parent.name for path in folder.glob("runs/*/*/run.json")}
    before, claims = definitions(claims_of(old.experiments)), claims_of(experiments)
    now, added = definitions(claims), [claim for claim in claims if claim.id not in before]
    late = any(trained.issuperset(each.trials) for each in added)
    return bool(trained) and (late or any(now.get(name) != each for name, each in before.items()))


def choose_timed(
    profile: Profile, trials: Mapping[str, AnyTrial], claims: Iterable[Claim], asked: bool | None
) -> tuple[AnyTrial, ...]:
    """Return which of the chosen trials are timed; ``asked`` is None where the profile decides.

    The profile names them, or else they are one of each cost and every one that a claim about time names. Raises
    UsageError where a pass is asked for and the profile times none of them.
    """
    plan = profile.timing
    if plan is None or asked is False or (asked is None and not plan.by_default):
        return ()
    names: Iterable[str] = plan.trials or ()
    if plan.trials is None:
        named = {trial for claim in claims if claim.timed for trial in claim.trials}
        chosen: dict[str, str] = {}  # cost: the first trial of it; the named ones come first
        for trial in sorted(trials.values(), key=lambda trial: trial.id not in named):
            chosen.setdefault(cost_hash(trial), trial.id)
        names = named | set(chosen.values())
    timed = tuple(trial for trial in trials.values() if trial.id in names)
    if asked and not timed:
        none = f"--timing: none of these trials is timed in the profile {profile.name!r}"
        raise UsageError(f"{none}: it times {', '.join(names)}")
    return timed


def cost_hash(trial: AnyTrial) -> str:
    """Return the SHA-256 of what decides a trial's speed on one machine, and not how much of the same work it has."""
    if isinstance(trial, ClassicalTrial):
        costs: Any = msgspec.to_builtins(trial.method)
    else:
        # A new option with a default leaves the hashes of all trials that do not use it.
        layers = ["Dropout" if isinstance(layer, Dropout) else without_defaults(layer) for layer in trial.layers]
        costs = [layers, trial.batch_size, trial.strategy, msgspec.to_builtins(trial.stages[0].augmentation)]
        if not trial.plain:
            costs.append(without_defaults(trial.optimizer))
    return json_hash(costs)
