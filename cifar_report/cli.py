"""The command ``cifar-report``: reads its options and hands them on; everything heavy is imported when needed."""

from __future__ import annotations

import argparse
import copy
import os
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn

from cifar_report import __version__, commands
from cifar_report.errors import SuiteError, UsageError

DONE, FAILED, BAD_USAGE, INTERRUPTED = 0, 1, 2, 130
SESSIONS = "--sessions"

EPILOG = """\
examples:
  cifar-report run --profile quick          a tenth of the data, a few epochs, two seeds: minutes
  cifar-report run --only baseline,dropout  two trials of the full suite
  cifar-report report                       HTML and PDF from the bundle that was written last
  cifar-report status                       what is finished, and why the rest would run

exit status: 0 done, 1 something failed, 2 bad usage, 130 interrupted
"""


class Parser(argparse.ArgumentParser):
    """An argument parser whose errors are one sentence."""

    def error(self, message: str) -> NoReturn:
        """Print the sentence and exit with status 2."""
        print(f"{self.prog}: {message} (see {self.prog} --help)", file=sys.stderr)
        sys.exit(BAD_USAGE)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status."""
    signal.signal(signal.SIGTERM, _interrupt)
    words = sys.argv[1:] if arguments is None else arguments
    options = make_parser(sessions=SESSIONS in words).parse_args(words)
    command: Callable[[argparse.Namespace], int] = options.command
    try:
        status = command(options)
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
        print("cifar-report: interrupted; every finished run is kept, the same call goes on from here", file=sys.stderr)
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
    _add(subparsers, "run", commands.run, "train what is missing and gather it in a results bundle", _add_run_options)
    _add(subparsers, "report", commands.report, "render a bundle as HTML and PDF; never trains", _add_report_options)
    if sessions:
        _share_options(subparsers.choices["run"], subparsers.choices["report"])
    _add(subparsers, "list", commands.list_trials, "show every experiment and its trials", lambda _: None)
    _add(subparsers, "status", commands.status, "show what is finished and why the rest would run", _add_plan_options)
    _add(subparsers, "data", commands.data, "show which CIFAR-10 is found, and whether it is canonical", _add_data)
    return parser


def _add(
    subparsers: argparse._SubParsersAction[Parser],
    name: str,
    command: Callable[[argparse.Namespace], int],
    text: str,
    add_options: Callable[[argparse.ArgumentParser], None],
) -> None:
    parser = subparsers.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.", allow_abbrev=False)
    parser.set_defaults(command=command)
    add_options(parser)


def _add_run_options(parser: argparse.ArgumentParser) -> None:
    _add_plan_options(parser)
    parser.add_argument("--jobs", type=int, metavar="N", help="worker processes (default: one a core)")


def _add_report_options(parser: argparse.ArgumentParser) -> None:
    _add_bundle(parser)
    parser.add_argument("--profile", metavar="NAME", help="the last bundle of this profile (default: of any)")
    _add_output(parser)


def _add_plan_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--profile", metavar="NAME", help="smoke (seconds), quick (minutes) or full (as the write-up; the default)"
    )
    parser.add_argument("--seeds", type=int, metavar="N", help="seeds 0 … N-1; more seeds extend a bundle")
    parser.add_argument("--only", metavar="ID[,ID]", help="these trials only (cifar-report list shows their ids)")
    _add_data(parser)
    _add_bundle(parser)


def _add_data(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--data",
        metavar="PATH|synthetic",
        help="the binary version of CIFAR-10 (folder or archive), or the synthetic stand-in"
        " (default: CIFAR10_DIR, the cache, a download)",
    )


def _add_bundle(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--bundle",
        type=Path,
        metavar="DIR",
        help="the results bundle (default: below report/bundle; the report takes the one written last)",
    )


def _add_output(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--output", type=Path, metavar="DIR", default=Path("report"), help="where the report goes (default: report)"
    )
    parser.add_argument("--lang", metavar="LANGUAGE", default="en", help="en, el or all (default: en)")


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
