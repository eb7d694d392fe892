"""The commands around training: run, list, status, data."""

from __future__ import annotations

import sys
from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from cifar_report.commands.common import check_words, tell, warn, words

if TYPE_CHECKING:
    from cifar_report.running.request import Prepared

DEFAULT_PROFILE = "full"


def run(options: Namespace) -> int:
    """Train what is missing; 0 when every planned run is finished, else 1."""
    from rich.console import Console

    from cifar_report.running.suite import run_suite

    check_words(options)
    prepared = _prepare(options, download=True)
    result = run_suite(prepared, options.jobs, Console(), _derive)
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


def list_trials(_: Namespace) -> int:
    """Print every experiment with its question and its trials."""
    from cifar_report.registry import load_experiments

    for experiment in load_experiments():
        print(f"{experiment.title}: {experiment.question}")
        for trial in experiment.trials:
            print(f"    {trial.id:24}{trial.title}")
    return 0


def status(options: Namespace) -> int:
    """Print for every planned run whether it is finished, or why it would run."""
    from cifar_report.bundle import is_bundle
    from cifar_report.running.states import plan_is_current, states_of
    from cifar_report.running.timing_state import timing_state

    prepared = _prepare(options, download=False)
    states = states_of(prepared)
    for state in states:
        print(f"{state.planned.id:40}{'finished' if state.reason is None else f'would run: {state.reason}'}")
    if (timing := timing_state(prepared)) is not None:
        print(f"{'timing pass':40}{'finished' if timing.reason is None else f'would run: {timing.reason}'}")
    if is_bundle(prepared.folder) and not plan_is_current(prepared.folder):
        print(f"{'claims and texts':40}would be recorded: the experiments are not those of the bundle")
    finished = sum(state.reason is None for state in states)
    print(f"{finished} of {len(states)} runs finished: {prepared.folder}")
    return 0


def data(options: Namespace) -> int:
    """Print which data were found, their fingerprint and their grade."""
    from cifar_report.data import locate

    dataset = locate(options.data, allow_stand_in=False, warn=warn, download=False)
    meaning = {
        "canonical": "canonical: the published CIFAR-10",
        "unverified": "unverified: well-formed, but not shown to be the published pixels",
        "stand-in": "stand-in: synthetic, not CIFAR-10",
    }
    labels = "CIFAR-10's, in canonical order" if dataset.canonical_labels else "not CIFAR-10's"
    for name, value in (
        ("source", dataset.source),
        ("found in", dataset.location),
        ("fingerprint", dataset.fingerprint),
        ("grade", meaning[dataset.grade]),
        ("labels", labels),
        ("prepared in", str(dataset.folder)),
    ):
        print(f"{name:12}{value}")
    return 0


def _prepare(options: Namespace, *, download: bool) -> Prepared:
    from cifar_report.running.request import prepare

    return prepare(
        options.profile or DEFAULT_PROFILE,
        seeds=options.seeds,
        only=words(options.only),
        data=options.data,
        bundle=options.bundle,
        warn=warn,
        notify=tell,
        download=download,
        timing=options.timing,
    )


def _derive(folder: Path) -> None:
    """Write the bundle's tables and plots, where the packages that draw them are installed; the report finds them."""
    from cifar_report.bundle import Bundle

    try:
        from cifar_report.report.derived import write_derived
    except ImportError as error:
        warn(f"{error.name} is not installed, so the bundle gets no tables and plots: pip install -e '.[report]'")
        return
    write_derived(Bundle.load(folder))
