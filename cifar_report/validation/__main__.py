"""``python -m cifar_report.validation``: builds the reports and holds them against every validator."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from rich.console import Console

from cifar_report.errors import SuiteError, UsageError
from cifar_report.validation.outcomes import Outcome, failing, show
from cifar_report.validation.subjects import subjects
from cifar_report.validation.validators import VALIDATORS, Subject, Validator, judge

PASSED, FAILED, BAD_USAGE = 0, 1, 2
WIDTH = 140  # of the table where nobody's terminal says how wide it is
AT_ONCE = 2  # validators: each is a program of its own with one thread or two


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the validators; 0 when none objects, 1 when one does or, with CI=true, is missing, 2 for bad usage."""
    options = make_parser().parse_args(arguments)
    console = Console(width=None if sys.stdout.isatty() else WIDTH)
    try:
        allowed = reasons(options.may_skip)
        chosen = select(options.only)
        with subjects(options.bundle) as (built, note):
            outcomes = run(chosen, built)
    except UsageError as error:
        print(f"validate: {error}", file=sys.stderr)
        return BAD_USAGE
    except SuiteError as error:
        print(f"validate: {error}", file=sys.stderr)
        return FAILED
    show(outcomes, allowed, console)
    if note:
        console.print(note)
    strict = os.environ.get("CI", "").lower() in ("1", "true")
    found = failing(outcomes, allowed, strict=strict)
    for reason in found:
        print(f"validate: {reason}", file=sys.stderr)
    return FAILED if found else PASSED


def make_parser() -> argparse.ArgumentParser:
    """Return the parser of the options."""
    parser = argparse.ArgumentParser(prog="validate", description=__doc__, allow_abbrev=False)
    parser.add_argument(
        "--bundle",
        type=Path,
        action="append",
        default=[],
        help="a results bundle instead of a simulated one of the smoke profile (may be given several times)",
    )
    parser.add_argument(
        "--only", action="append", default=[], metavar="NAME", help="validators with NAME in their names"
    )
    parser.add_argument(
        "--may-skip",
        action="append",
        default=[],
        metavar="NAME=REASON",
        help="with CI=true, where a validator that cannot run is an error: one that may be left out, and why",
    )
    return parser


def reasons(words: Sequence[str]) -> dict[str, str]:
    """Return the validators that may be left out, each with its reason; raises UsageError without one."""
    pairs = [word.partition("=") for word in words]
    names = {validator.name for validator in VALIDATORS}
    for name, _, reason in pairs:
        if name not in names or not reason.strip():
            raise UsageError(f"--may-skip {name}: give NAME=REASON with one of {', '.join(sorted(names))}")
    return {name: reason.strip() for name, _, reason in pairs}


def select(words: Sequence[str]) -> tuple[Validator, ...]:
    """Return the validators that have one of the words in their names; all without words."""
    chosen = [each for each in VALIDATORS if not words or any(word.lower() in each.name.lower() for word in words)]
    if not chosen:
        raise UsageError(f"--only names no validator; there are {', '.join(each.name for each in VALIDATORS)}")
    return tuple(chosen)


def run(validators: Sequence[Validator], built: tuple[Subject, ...]) -> list[Outcome]:
    """Return what comes of each validator, in their order; two work at once."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return [each for outcomes in pool.map(lambda one: list(judge(one, built)), validators) for each in outcomes]


if __name__ == "__main__":
    sys.exit(main())
