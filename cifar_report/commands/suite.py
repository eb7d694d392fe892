"""The commands around training: run, list, status, data and plan."""

from __future__ import annotations

import sys
import textwrap
from argparse import Namespace
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cifar_report.commands import check_options, print_json, split_words, tell, warn
from cifar_report.errors import UsageError

if TYPE_CHECKING:
    from cifar_report.analysis.planning import OpenClaim, Proposal
    from cifar_report.bundle import Bundle
    from cifar_report.running.plan import Prepared
    from cifar_report.spec.experiments import SeedPlan

GRADES = {
    "canonical": "canonical: the published {}",
    "unverified": "unverified: well-formed, but not shown to be the published pixels",
    "stand-in": "stand-in: synthetic, not {}",
}
OWN = "the study's own: nothing was published that they could be compared with"
WIDTH = 79
RULE = (
    "The rule: again and again the step is taken (more new seeds of the sides of one open claim, which need not get "
    "equally many) that adds the most expected decided claims an hour, counting every claim of these trials, until no "
    "step fits or is worth it. New seeds are judged alone, as a confirmation, and count from five of each side on."
)


def run(options: Namespace) -> int:
    """Train missing runs; write metrics, timings and plots to a results bundle."""
    prepared: Prepared | None = _prepare(options, download=True)
    while prepared is not None:
        if not _train(prepared, options):
            return 1
        prepared = _following(prepared)
    return 0


def _train(prepared: Prepared, options: Namespace) -> bool:
    from rich.console import Console

    from cifar_report.running.suite import run_suite

    table = (options.progress or ("line" if options.dask else "table")) == "table"
    result = run_suite(prepared, options.jobs, Console(), derive, options.dask, table=table)
    if result.ran == 0:
        print(f"all {result.already_done} runs are finished already: {result.bundle}")
    else:
        print(f"{result.ran - result.failed} of {result.ran} runs finished, {result.failed} failed: {result.bundle}")
    if result.failed:
        kept = "the tracebacks are in the failed runs' run.json, what they printed in log.txt"
        print(f"{kept}; the next call tries them again", file=sys.stderr)
    if result.timing_failed:
        print(f"{result.timing_failed} measurements of the timing pass failed; the next call goes on", file=sys.stderr)
    elif result.timed:
        print("the timing pass is finished")
    return not (result.failed or result.timing_failed)


def _following(prepared: Prepared) -> Prepared | None:
    """Return the request for the next declared look; None where nothing goes on, and say what became of the claims."""
    declared = prepared.plan
    if declared is None or declared.confirms:
        return None
    from cifar_report.analysis.planning import look_ahead, run_seconds
    from cifar_report.bundle import Bundle
    from cifar_report.running.plan import with_ends

    bundle = Bundle.load(prepared.folder)
    found = look_ahead(bundle, declared, run_seconds(bundle))
    most = max((ends[-1] for ends in declared.seeds.values()), default=0)
    print(f"planned looks: {found.decided} claims are decided, {len(found.going)} go on")
    _name(f"not decidable below {most} seeds", found.futile)
    _name("open after the last look, or at the cap of hours", found.over)
    more = with_ends(prepared, found.ends)
    if len(more.runs) > len(prepared.runs):
        return more
    if found.ends:
        print(f"the next look waits for other trials: {', '.join(found.ends)}")
    return None


def _name(what: str, claims: Sequence[str]) -> None:
    if claims:
        print(textwrap.fill(f"{what}: {', '.join(claims)}", WIDTH, break_long_words=False))


def list_trials(options: Namespace) -> int:
    """Show every experiment and its trials."""
    from cifar_report.registry import load_experiments

    found: list[dict[str, Any]] = [
        {"id": each.id, "title": each.title, "question": each.question}
        | {"trials": [{"id": trial.id, "title": trial.title} for trial in each.trials]}
        for each in load_experiments()
    ]
    if options.json:
        return print_json(found)
    for experiment in found:
        print(f"{experiment['title']}: {experiment['question']}")
        for trial in experiment["trials"]:
            print(f"    {trial['id']:24}{trial['title']}")
    return 0


def status(options: Namespace) -> int:
    """Show what is finished and why the rest would run."""
    from cifar_report.bundle import is_bundle, read_record
    from cifar_report.running.plan import plan_is_current, states_of
    from cifar_report.running.timing import timing_state

    prepared = _prepare(options, download=False)
    states = states_of(prepared)
    lines = [(state.planned.id, state.reason) for state in states]
    if (timing := timing_state(prepared)) is not None:
        lines.append(("timing pass", timing.reason))
    if options.json:
        runs = [{"name": name, "finished": reason is None, "reason": reason} for name, reason in lines]
        return print_json({"bundle": str(prepared.folder), "runs": runs})
    for name, reason in lines:
        print(f"{name:40}{'finished' if reason is None else f'would run: {reason}'}")
    if prepared.plan is not None:
        written = is_bundle(prepared.folder) and read_record(prepared.folder).plan == prepared.plan
        kind = "a confirmation" if prepared.plan.confirms else "planned looks"
        print(f"{kind:40}{f'declared on {prepared.plan.declared[:10]}' if written else 'would be declared'}")
    if is_bundle(prepared.folder) and not plan_is_current(prepared.folder):
        print(f"{'claims and texts':40}would be recorded: the experiments are not those of the bundle")
    finished = sum(state.reason is None for state in states)
    print(f"{finished} of {len(states)} runs finished: {prepared.folder}")
    return 0


def replica(_: Namespace) -> None:
    """Take part in a parallel trial; the command run starts this on other machines."""
    from cifar_report.running.workers import become_worker

    become_worker()


def new(options: Namespace) -> int:
    """Write a study of one's own from the example that comes with the package."""
    import shutil

    from cifar_report import project_folder

    folder: Path = options.study
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"{folder} is there already and not empty: name a new folder")
    ignore = shutil.ignore_patterns("__pycache__")
    shutil.copytree(project_folder("examples") / "new", folder, dirs_exist_ok=True, ignore=ignore)
    for path in folder.rglob("*.md"):
        path.write_text(path.read_text(encoding="utf-8").replace("FOLDER", str(folder)), encoding="utf-8")
    print(f"{folder}: 'cifar-report run --experiments {folder}' trains it, 'cifar-report report' tells what came out")
    return 0


def data(options: Namespace) -> int:
    """Show which CIFAR-10 is found, and whether it is canonical."""
    from cifar_report.data import locate
    from cifar_report.registry import load_source

    dataset = locate(options.data, source=load_source(), allow_stand_in=False, warn=warn, notify=tell, download=False)
    own = dataset.grade == "canonical" and not dataset.about.hashes
    told = {
        "source": dataset.source,
        "found in": dataset.location,
        "fingerprint": dataset.fingerprint,
        "grade": OWN if own else GRADES[dataset.grade].format(dataset.about.name),
        "labels": f"{'' if dataset.canonical_labels else 'not '}{dataset.about.name}'s, in canonical order",
        "prepared in": str(dataset.folder),
    }
    if options.json:
        return print_json(told | {"grade": dataset.grade})
    for name, value in told.items():
        print(f"{name:12}{value}")
    return 0


def _prepare(options: Namespace, *, download: bool) -> Prepared:
    from cifar_report.running.plan import prepare, shard_of

    check_options(options)
    apart = options.shard is not None or getattr(options, "dask", None) is not None  # this machine may not be idle
    prepared = prepare(
        options.profile or "full",
        seeds=options.seeds,
        only=split_words(options.only),
        data=options.data,
        bundle=options.bundle,
        warn=warn,
        notify=tell,
        download=download,
        timing=False if apart and options.timing is None else options.timing,
        devices=options.devices,
        workers=options.workers or (),
        hours=options.hours,
    )
    return replace(prepared, runs=shard_of(prepared.runs, *options.shard)) if options.shard else prepared


def derive(folder: Path) -> None:
    """Write the bundle's tables and plots, where the packages that draw them are installed; the report finds them."""
    from cifar_report.bundle import Bundle

    try:
        from cifar_report.report.build import write_derived

        write_derived(Bundle.load(folder))
    except ImportError as error:  # some packages are imported where they are used
        warn(f"{error.name} is not installed, so there are no tables and plots: pip install 'cifar-report[report]'")


def plan(options: Namespace) -> None:
    """Show what would decide a bundle's open claims: seeds, hours, and the best use of H hours."""
    import msgspec

    from cifar_report.analysis.planning import propose
    from cifar_report.bundle import Bundle, find_bundle
    from cifar_report.spec.experiments import SeedPlan

    if not options.hours > 0:
        raise UsageError(f"--hours {options.hours:g}: a plan needs some hours of processor time")
    from cifar_report.registry import load_study
    from cifar_report.running.declaring import declare_confirmation, todays_record
    from cifar_report.running.suite import hold

    bundle = Bundle.load(find_bundle(options.folder, study=load_study()))
    bundle = replace(bundle, record=todays_record(bundle.folder, bundle.record))
    declared = bundle.record.plan
    if declared is not None and options.declare:
        raise UsageError(f"{bundle.folder} has a declaration of {declared.declared[:10]} already, which stays")
    found = propose(bundle, options.hours) if declared is None else declared
    if options.json:
        print(msgspec.json.format(msgspec.json.encode(found), indent=1).decode())
    else:
        print("\n".join(_describe_declared(bundle, found) if isinstance(found, SeedPlan) else _describe(found)))
    if options.declare and not isinstance(found, SeedPlan):
        with hold(bundle.folder):
            new = declare_confirmation(bundle.folder, found.seeds, derive)
        trained = f"'cifar-report run --bundle {bundle.folder}' trains them"
        print(f"declared ({new.hash[:8]}), to be committed before the first new run: {trained}", file=sys.stderr)


def _describe(proposal: Proposal) -> Iterator[str]:
    yield f"Open claims: {len(proposal.claims)}. Seeds (new ones of each side) and hours of processor time are"
    yield "those for 80 % power; the last column is the chance with the seeds below."
    yield ""
    yield f"{'claim':38}{'missing':12}{'seeds':>11}{'hours':>12}{'chance':>7}"
    for claim in proposal.claims:
        yield _row(claim)
    yield ""
    yield f"New seeds for {proposal.budget:g} hours of processor time:"
    yield f"{'trial':24}{'new seeds':>10}{'minutes a run':>15}{'hours':>8}{'open claims':>13}"
    for trial, count in proposal.seeds.items():
        seconds, named = proposal.seconds[trial], sum(trial in claim.trials for claim in proposal.claims)
        yield f"{trial:24}{count:>10}{seconds / 60:>15.1f}{count * seconds / 3600:>8.2f}{named:>13}"
    total = f"{sum(proposal.seeds.values())} runs, {proposal.hours:.1f} hours"
    yield f"{total}: about {proposal.expected:.0f} of {len(proposal.claims)} open claims are decided then, and"
    yield f"{proposal.kept:.1f} of {proposal.decided} decided ones stay so where new seeds test them again."
    yield ""
    yield from textwrap.wrap(RULE, WIDTH)


def _row(claim: OpenClaim) -> str:
    least, most = claim.seeds
    counts = "over 60" if least is None else f"{least:.0f} to {'60+' if most is None else f'{most:.0f}'}"
    hours = ["…" if each is None else f"{each:.1f}" for each in claim.hours]
    price = "–" if least is None else " to ".join(hours)
    return f"{claim.id:38}{claim.lacking or '–':12}{counts:>11}{price:>12}{claim.chance:>7.0%}"


def _describe_declared(bundle: Bundle, declared: SeedPlan) -> Iterator[str]:
    kind = f"a confirmation by new seeds from {declared.first} on" if declared.confirms else "planned looks"
    yield f"{bundle.folder} declares {kind} ({declared.declared[:10]}, {declared.hash[:8]}):"
    yield f"{'trial':24}{'ends of its seeds':>24}{'run':>6}"
    for trial, ends in declared.seeds.items():
        run = sum(each.seed is not None and each.seed >= declared.first for each in bundle.runs_of(trial))
        yield f"{trial:24}{', '.join(map(str, ends)):>24}{run:>6}"
