"""The command ``cifar-report``: reads its options and hands them on; everything heavy is imported when needed."""

from __future__ import annotations

import argparse
import copy
import os
import signal
import sys
from collections.abc import Callable, Sequence
from typing import NamedTuple, NoReturn

from cifar_report import __version__, options
from cifar_report.commands import archive, compare, report, suite, verify
from cifar_report.errors import SuiteError, UsageError

DONE, FAILED, BAD_USAGE, INTERRUPTED = 0, 1, 2, 130
SESSIONS = "--sessions"

EPILOG = """\
examples:
  cifar-report run --profile quick          a tenth of the data, a few epochs, two seeds: minutes
  cifar-report run --only baseline,dropout  two trials of the full suite
  cifar-report report                       HTML and PDF from the bundle that was written last
  cifar-report status                       what is finished, and why the rest would run
  cifar-report verify                       is everything in that bundle what it says?

exit status: 0 done, 1 something failed, 2 bad usage, 130 interrupted
"""


class Parser(argparse.ArgumentParser):
    """An argument parser whose errors are one sentence."""

    def error(self, message: str) -> NoReturn:
        """Print the sentence and exit with status 2."""
        print(f"{self.prog}: {message} (see {self.prog} --help)", file=sys.stderr)
        sys.exit(BAD_USAGE)


class Command(NamedTuple):
    """One word after ``cifar-report``."""

    name: str
    function: Callable[[argparse.Namespace], int]
    add_options: Callable[[argparse.ArgumentParser], None]
    text: str


COMMANDS = (
    Command("run", suite.run, options.add_run_options, "train what is missing and gather it in a results bundle"),
    Command("report", report.report, options.add_report_options, "render a bundle as HTML and PDF; never trains"),
    Command("list", suite.list_trials, lambda _: None, "show every experiment and its trials"),
    Command("status", suite.status, options.add_plan_options, "show what is finished and why the rest would run"),
    Command("data", suite.data, options.add_data_option, "show which CIFAR-10 is found, and whether it is canonical"),
    Command("verify", verify.verify, options.add_verify_options, "check every hash, key, count and number of a bundle"),
    Command(
        "compare", compare.compare, options.add_compare_options, "show which verdicts of two bundles differ, and why"
    ),
    Command("bundle", archive.bundle, options.add_archive_options, "make one file of a bundle, or a bundle of it"),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status."""
    signal.signal(signal.SIGTERM, _interrupt)
    words = sys.argv[1:] if arguments is None else arguments
    found = make_parser(sessions=SESSIONS in words).parse_args(words)
    command: Callable[[argparse.Namespace], int] = found.command
    try:
        status = command(found)
        sys.stdout.flush()
        return status
    except UsageError as error:
        print(f"cifar-report: {error}", file=sys.stderr)
        return BAD_USAGE
    except SuiteError as error:
        print(f"cifar-report: {error}", file=sys.stderr)
        return FAILED
    except BrokenPipeError:  # whoever read the output has gone; nothing is left to say, at exit neither
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except OSError as error:
        print(f"cifar-report: {error.filename or 'a file'}: {error.strerror or error}", file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        kept = "; every finished run is kept, the same call goes on from here" if command is suite.run else ""
        print(f"cifar-report: interrupted{kept}", file=sys.stderr)
        return INTERRUPTED


def make_parser(*, sessions: bool = False) -> Parser:
    """Return the parser of the whole command; with ``sessions``, run and report take each other's options too."""
    parser = Parser(
        prog="cifar-report",
        description="Train the fixed-seed CIFAR-10 suite, and report what its data say about the write-up's claims.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"cifar-report {__version__}")
    subparsers = parser.add_subparsers(required=True, metavar="COMMAND", parser_class=Parser)
    for command in COMMANDS:
        added = subparsers.add_parser(
            command.name,
            help=command.text,
            description=f"{command.text[0].upper()}{command.text[1:]}.",
            allow_abbrev=False,
        )
        added.set_defaults(command=command.function)
        command.add_options(added)
    if sessions:
        _share_options(subparsers.choices["run"], subparsers.choices["report"])
    return parser


def _share_options(*parsers: argparse.ArgumentParser) -> None:
    """Let each command accept the others' options, unseen: both nox sessions get the same words after ``--``."""
    every = {action.option_strings[-1]: action for parser in parsers for action in parser._actions}
    for parser in parsers:
        parser.add_argument(SESSIONS, action="store_true", help=argparse.SUPPRESS)
        for name in every.keys() - {action.option_strings[-1] for action in parser._actions}:
            hidden = copy.copy(every[name])
            hidden.help = argparse.SUPPRESS
            parser._add_action(hidden)


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt
