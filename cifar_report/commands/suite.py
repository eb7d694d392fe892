"""The commands around training: run, list, status, data; and what they share with the others."""

from __future__ import annotations

import json
import sys
from argparse import Namespace
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cifar_report.errors import UsageError

if TYPE_CHECKING:
    from cifar_report.running.plan import Prepared

DEFAULT_PROFILE = "full"
GRADES = {
    "canonical": "canonical: the published CIFAR-10",
    "unverified": "unverified: well-formed, but not shown to be the published pixels",
    "stand-in": "stand-in: synthetic, not CIFAR-10",
}


def run(options: Namespace) -> int:
    """Train what is missing; 0 when every planned run is finished, else 1."""
    from cifar_report.commands.looks import following

    prepared: Prepared | None = _prepare(options, download=True)
    failed = 0
    while prepared is not None and not failed:
        failed = _train(prepared, options)
        prepared = None if failed else following(prepared)
    return failed


def _train(prepared: Prepared, options: Namespace) -> int:
    from rich.console import Console

    from cifar_report.running.suite import run_suite

    result = run_suite(prepared, options.jobs, Console(), derive)
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
    return 1 if result.failed or result.timing_failed else 0


def list_trials(options: Namespace) -> int:
    """Print every experiment with its question and its trials."""
    from cifar_report.registry import load_experiments

    experiments = load_experiments()
    if options.json:
        return print_json(
            [
                {"id": each.id, "title": each.title, "question": each.question}
                | {"trials": [{"id": trial.id, "title": trial.title} for trial in each.trials]}
                for each in experiments
            ]
        )
    for experiment in experiments:
        print(f"{experiment.title}: {experiment.question}")
        for trial in experiment.trials:
            print(f"    {trial.id:24}{trial.title}")
    return 0


def status(options: Namespace) -> int:
    """Print for every planned run whether it is finished, or why it would run."""
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


def data(options: Namespace) -> int:
    """Print which data were found, their fingerprint and their grade."""
    from cifar_report.data import locate

    dataset = locate(options.data, allow_stand_in=False, warn=warn, download=False)
    told = {
        "source": dataset.source,
        "found in": dataset.location,
        "fingerprint": dataset.fingerprint,
        "grade": GRADES[dataset.grade],
        "labels": "CIFAR-10's, in canonical order" if dataset.canonical_labels else "not CIFAR-10's",
        "prepared in": str(dataset.folder),
    }
    if options.json:
        return print_json(told | {"grade": dataset.grade})
    for name, value in told.items():
        print(f"{name:12}{value}")
    return 0


def _prepare(options: Namespace, *, download: bool) -> Prepared:
    from cifar_report.running.plan import prepare
    from cifar_report.running.shards import shard_of

    check_options(options)
    apart = options.shard is not None
    prepared = prepare(
        options.profile or DEFAULT_PROFILE,
        seeds=options.seeds,
        only=split_words(options.only),
        data=options.data,
        bundle=options.bundle,
        warn=warn,
        notify=tell,
        download=download,
        timing=False if apart and options.timing is None else options.timing,
        devices=options.devices,
        hours=options.hours,
    )
    return replace(prepared, runs=shard_of(prepared.runs, *options.shard)) if apart else prepared


def derive(folder: Path) -> None:
    """Write the bundle's tables and plots, where the packages that draw them are installed; the report finds them."""
    from cifar_report.bundle import Bundle

    try:
        from cifar_report.report.build import write_derived

        write_derived(Bundle.load(folder))
    except ImportError as error:  # some packages are imported where they are used
        warn(f"{error.name} is not installed, so the bundle gets no tables and plots: pip install -e '.[report]'")


def check_options(options: Namespace) -> None:
    """Raise UsageError for what either session would refuse, before anything is done: both may get the same words."""
    given = vars(options)
    for name, unit in (("seeds", "seed"), ("jobs", "worker")):
        number = given.get(name)
        if isinstance(number, int) and number < 1:
            raise UsageError(f"--{name} {number}: at least one {unit} is needed")
    if given.get("shard") is not None and given.get("seeds") == "auto":
        raise UsageError("--shard goes with a fixed number of seeds: a look needs the results of all machines")
    hours = given.get("hours")
    if hours is not None and (given.get("seeds") != "auto" or not hours > 0):
        raise UsageError(f"--hours {hours:g}: it goes with --seeds auto, and is more than 0")
    if given.get("profile") is not None:
        from cifar_report.running.plan import find_profile

        find_profile(given["profile"])
    if given.get("only") is not None:
        from cifar_report.registry import load_experiments, select, trials_of

        select(trials_of(load_experiments()), split_words(given["only"]))
    languages(given.get("lang", "en"))


def languages(language: str) -> tuple[str, ...]:
    """Return the languages that ``--lang`` asks for; raises UsageError for one that there is no report in."""
    from cifar_report.spec import LANGUAGES

    if language not in (*LANGUAGES, "all"):
        raise UsageError(f"there is no report in the language {language!r}; there are {', '.join(LANGUAGES)} and all")
    return LANGUAGES if language == "all" else (language,)


def split_words(text: str | None) -> list[str]:
    """Return the words of a list with commas, none for None; raises UsageError when it was given and is empty."""
    found = [word.strip() for word in (text or "").split(",")]
    if text is not None and not any(found):
        raise UsageError("--only names no trial")
    return [word for word in found if word]


def print_json(value: Any) -> int:
    """Print a value as JSON and return the status of success."""
    print(json.dumps(value, indent=1))
    return 0


def tell(text: str) -> None:
    """Print what takes long to a person who waits; a log needs no such line."""
    if sys.stderr.isatty():
        print(text, file=sys.stderr)


def warn(text: str) -> None:
    """Print a warning that cannot be missed."""
    from rich.console import Console
    from rich.panel import Panel
    from rich.text import Text

    Console(stderr=True).print(Panel(Text(text), title="warning", border_style="bold yellow"))
