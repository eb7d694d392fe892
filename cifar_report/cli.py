"""The command ``cifar-report``: reads its options and hands them on; everything heavy is imported when needed."""

import argparse
import io
import os
import re
import signal
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

from cifar_report import __version__
from cifar_report.commands import bundles, suite
from cifar_report.errors import SuiteError, UsageError

FAILED, BAD_USAGE, INTERRUPTED = 1, 2, 130
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
VERIFY_EPILOG = (
    "exit status: 0 nothing was found, 1 something was (each finding is one line), 2 bad usage; "
    "with --rerun, 0 every run agrees bit by bit, 1 one does not, 2 bad usage or other data"
)
COMPARE_EPILOG = (
    "exit status: 0 every verdict that both have is the same, 1 some differ, 2 bad usage; "
    "verify the bundles first: what they record is taken as it stands"
)


def _option(text: str, metavar: str | None = None, **settings: Any) -> dict[str, Any]:
    return {"help": text, "metavar": metavar, **settings}


def _flag(text: str) -> dict[str, Any]:
    return {"help": text, "action": "store_true"}


def _seeds(text: str) -> int | str:
    if text != "auto" and not text.removeprefix("-").isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is neither a whole number nor auto")
    return text if text == "auto" else int(text)


def _shard(text: str) -> tuple[int, int]:
    number, slash, count = text.partition("/")
    if not (slash and number.isdecimal() and count.isdecimal() and 1 <= int(number) <= int(count)):
        raise argparse.ArgumentTypeError(f"{text!r} is no share: 1/4 to 4/4 are those of four machines")
    return int(number), int(count)


def _addresses(text: str) -> tuple[str, ...]:
    if not re.fullmatch("[^:,]+:[0-9]{1,5}(,[^:,]+:[0-9]{1,5})+", text):
        raise argparse.ArgumentTypeError(f"{text!r} names no two or more machines as first:4000,second:4000")
    return tuple(text.split(","))


OPTIONS = {  # by name; the word before a name says which command has it in this form
    "--profile": _option("smoke (seconds), quick (minutes) or full (as the write-up; the default)", "NAME"),
    "report --profile": _option("the last bundle of this profile (default: of any)", "NAME"),
    "--seeds": _option(
        "seeds 0 … N-1, judged once; more of them confirm a bundle that was judged. auto: declared looks at 5, 10, 20"
        " and 30 or 40 seeds, which go on for trials of undecided claims alone; the first look decides little (10"
        " claims of the reference run, where five seeds judged once decide 16), so who stops at five takes N = 5",
        "N|auto",
        type=_seeds,
    ),
    "--hours": _option(
        "with --seeds auto, begin no further look that would take more than H hours of processor time", "H", type=float
    ),
    "plan --hours": _option("hours of processor time to spend (default: 8)", "H", type=float, default=8.0),
    "--json": _flag("print it as JSON"),
    "--declare": _flag("write these seeds into the bundle as its confirmation, which the command run then trains"),
    "--only": _option("these trials only (cifar-report list shows their ids)", "ID[,ID]"),
    "verify --only": _option("with --rerun, of these trials or runs only", "ID[,ID]"),
    "--timing": _option(
        "time the trials after all training, one by one, alone on the machine (default: in full and quick)",
        action=argparse.BooleanOptionalAction,
    ),
    "--data": _option(
        "the binary version of CIFAR-10 (folder or archive), the synthetic stand-in, or a study's published files"
        " (default: CIFAR10_DIR, the cache, a download)",
        "PATH|synthetic",
    ),
    "--bundle": _option(
        "the results bundle (default: below report/bundle; the report takes the one written last)", "DIR", type=Path
    ),
    "--devices": _option(
        "where single runs train: cpu, or gpu[:N], on N graphics cards (default: all), one run on each"
        " (default: cpu); it is part of a run's key, so repeat it with each call",
        "cpu|gpu[:N]",
    ),
    "--shard": _option(
        "only the I-th of N shares of the runs, for machines that share nothing: give each a bundle of its own, and"
        " join them with cifar-report bundle merge (default: all; no timing pass unless --timing asks for it)",
        "I/N",
        type=_shard,
    ),
    "--dask": _option(
        "train on a Dask cluster: the address of its scheduler, its scheduler file, or local[:N] for N workers here, to"
        " try it; whoever reaches a scheduler can run code, so use TLS or a network of your own; no timing pass unless"
        " --timing asks for it (docs/cluster.md)",
        "ADDRESS|FILE",
    ),
    "--progress": _option(
        "on a terminal, one line about all workers (the default on a cluster) or a table of what each does",
        choices=("line", "table"),
    ),
    "--workers": _option(
        "train parallel trials over these machines, this one first; it is part of a run's key (docs/cluster.md)",
        "HOST:PORT,…",
        type=_addresses,
    ),
    "--jobs": _option("worker processes (default: one a core)", "N", type=int),
    "verify --jobs": _option("with --rerun, worker processes (default: one a core)", "N", type=int),
    "--output": _option("where the report goes (default: report)", "DIR", type=Path, default=Path("report")),
    "--lang": _option("en, el or all (default: en)", "LANGUAGE", default="en"),
    "--author": _option("who hands the report in (default: as BUNDLE.toml beside the bundle says)", "NAME"),
    "--course": _option("for which course (default: as that file says)", "NAME"),
    "--check": _flag("build again and name the files that differ from the output folder's"),
    "--pdf": _option("compare the numbers attached to this report with the bundle's", "FILE", type=Path),
    "--rerun": _option(
        "train K runs again (the cheapest, at first one of each kind), and say how far they agree", "K", type=int
    ),
    "--record": _flag("with --rerun, put what was found into the bundle (default: it stays as it is)"),
    "plan folder": _option(
        "the results bundle (default: the one below report/bundle that was written last)",
        "BUNDLE",
        type=Path,
        nargs="?",
    ),
    "folders": _option(
        "results bundles; of several each gets a line (default: the one below report/bundle that was written last)",
        "BUNDLE",
        type=Path,
        nargs="*",
    ),
    "first": _option("the results bundle A", "A", type=Path),
    "second": _option("the results bundle B", "B", type=Path),
    "folder": _option("the results bundle", "BUNDLE", type=Path),
    "file": _option("the archive, for example results.tar", "FILE", type=Path),
    "target": _option("the new bundle's folder: not there yet, or empty", "DIR", type=Path),
    "add folder": _option("the bundle whose runs are added", "SOURCE", type=Path),
    "add target": _option("the bundle that gets them", "TARGET", type=Path),
    "sources": _option("bundles of one plan that were trained apart", "BUNDLE", type=Path, nargs="+"),
    "merge -o": _option("the new bundle's folder", "DIR", type=Path, dest="target", required=True),
    "--compact": _flag(
        "of a network's probabilities keep predicted class and the label's: a sixteenth of the size, and"
        " accuracy, confusion and loss follow as before; numbers that need all of them are recorded"
    ),
    "--experiments": _option(
        "a study of one's own, as 'cifar-report new' writes it (default: CIFAR_REPORT_EXPERIMENTS, else the suite)",
        "FOLDER",
        type=Path,
    ),
    "study": _option("the new folder", "FOLDER", type=Path),
    "run": _option("a run, as baseline/seed-0, or a trial: then its median run by validation accuracy", "RUN"),
    "images": _option("image files of any size", "IMAGE", type=Path, nargs="+"),
    "--stage": _option("the weights after this stage (default: after the last)", "STAGE"),
    "--weights": _option(
        "those of the best or of the last epoch (default: best after early stopping, else last)",
        choices=("best", "last"),
    ),
    "--to": _option("the curves of a run, or of all of a trial, in a folder", choices=("tensorboard", "mlflow")),
    "-o": _option("the file, for example model.keras or model.onnx", "FILE", type=Path, dest="output", required=True),
    "trial": _option("a trial (cifar-report list shows their ids)", "TRIAL"),
    "notebook --bundle": _option("a bundle whose results are told, too (default: none)", "DIR", type=Path),
}
MODEL = ("--bundle", "--stage", "--weights")
PLAN = (
    *("--experiments", "--profile", "--seeds", "--hours", "--only", "--timing", "--data", "--bundle", "--devices"),
    *("--shard", "--workers"),
)
RUN = (*PLAN, "--jobs", "--dask", "--progress")
REPORT = ("--experiments", "--bundle", "report --profile", "--output", "--lang", "--author", "--course", "--check")
SEEDS = ("plan folder", "--experiments", "plan --hours", "--json", "--declare")
VERIFY = (
    *("folders", "--experiments", "--json", "--pdf", "--rerun", "--record", "verify --only", "verify --jobs"),
    "--data",
)


class Command(NamedTuple):
    """One word after ``cifar-report`` or ``cifar-report bundle``; its function's docstring is its help."""

    function: Callable[[argparse.Namespace], int | None]  # the exit status, None for 0
    options: tuple[str, ...]
    epilog: str | None = None


COMMANDS = {
    "run": Command(suite.run, RUN),
    "report": Command(bundles.report, REPORT),
    "list": Command(suite.list_trials, ("--experiments", "--json")),
    "status": Command(suite.status, (*PLAN, "--json")),
    "plan": Command(suite.plan, SEEDS),
    "data": Command(suite.data, ("--experiments", "--data", "--json")),
    "replica": Command(suite.replica, ()),
    "new": Command(suite.new, ("study",)),
    "verify": Command(bundles.verify, VERIFY, VERIFY_EPILOG),
    "compare": Command(bundles.compare, ("first", "second", "--json"), COMPARE_EPILOG),
    "export": Command(bundles.export_network, ("run", *MODEL, "--to", "-o")),
    "notebook": Command(bundles.notebook, ("trial", "--experiments", "notebook --bundle", "-o")),
    "predict": Command(bundles.predict, ("run", "images", *MODEL, "--json")),
}
BUNDLE = "make one file of a bundle, or a bundle of it; copy one, add runs to it, or merge several"
BUNDLE_COMMANDS = {
    "export": Command(bundles.export, ("folder", "file")),
    "import": Command(bundles.unpack, ("file", "target")),
    "copy": Command(bundles.copy, ("folder", "target", "--compact")),
    "add": Command(bundles.add, ("add folder", "add target", "--compact")),
    "merge": Command(bundles.merge, ("sources", "merge -o")),
}


class Parser(argparse.ArgumentParser):
    """An argument parser whose errors are one sentence."""

    def error(self, message: str) -> NoReturn:
        """Print the sentence and exit with status 2."""
        print(f"{self.prog}: {message} (see {self.prog} --help)", file=sys.stderr)
        sys.exit(BAD_USAGE)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    _open_output()
    words = sys.argv[1:] if arguments is None else arguments
    found = make_parser(sessions=SESSIONS in words).parse_args(words)
    if folder := getattr(found, "experiments", None):
        os.environ["CIFAR_REPORT_EXPERIMENTS"] = str(folder.absolute())  # its processes look there, too
    try:
        status: int = found.command(found) or 0
        sys.stdout.flush()
        return status
    except UsageError as error:
        return _fail(str(error), BAD_USAGE)
    except SuiteError as error:
        return _fail(str(error))
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("cifar_report"):
            raise
        return _fail(f"{error.name} is not installed: pip install 'cifar-report[train,report,notebook]'")
    except BrokenPipeError:  # whoever read the output has gone; nothing is left to say
        _drop_output()
        return FAILED
    except OSError as error:
        if error.filename is None:
            _drop_output()  # it may be what could not be written
        return _fail(f"{error.filename2 or error.filename or 'the output or a file'}: {error.strerror or error}")
    except KeyboardInterrupt:
        kept = "; every finished run is kept, the same call goes on from here" if found.command is suite.run else ""
        return _fail(f"interrupted{kept}", INTERRUPTED)


def _open_output() -> None:
    """Let any terminal show any text; where standard streams are closed, let no other file take their numbers."""
    closed = sys.stdout is None
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open(mode, encoding="utf-8"))  # noqa: SIM115 - open to the end
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    if closed:
        print("cifar-report: the standard output is closed, so nothing is shown", file=sys.stderr)


def _drop_output() -> None:
    """Send what is still to be written nowhere, so that the end of the process does not stumble over it."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _fail(sentence: str, status: int = FAILED) -> int:
    print(f"cifar-report: {sentence}", file=sys.stderr)
    return status


def make_parser(*, sessions: bool = False) -> Parser:
    """Return the parser; with ``sessions``, run and report accept each other's options too, and show them not."""
    parser = Parser(
        prog="cifar-report",
        description="Train the fixed-seed CIFAR-10 suite, and report what its data say about the write-up's claims.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    with suppress(ImportError):  # an extra
        import shtab

        shtab.add_argument_to(parser)
    parser.add_argument("--version", action="version", version=f"cifar-report {__version__}")
    subparsers = parser.add_subparsers(required=True, metavar="COMMAND", parser_class=Parser)
    for name, command in COMMANDS.items():
        added = _add_command(subparsers, name, command)
        if sessions and name in ("run", "report"):
            added.add_argument(SESSIONS, action="store_true", help=argparse.SUPPRESS)
            own = {option.split()[-1] for option in command.options}
            for option in dict.fromkeys(RUN + REPORT):
                if option.split()[-1] not in own:
                    added.add_argument(option.split()[-1], **OPTIONS[option] | {"help": argparse.SUPPRESS})
    bundle = subparsers.add_parser("bundle", help=BUNDLE, description=f"{BUNDLE.capitalize()}.", allow_abbrev=False)
    actions = bundle.add_subparsers(required=True, metavar="export|import|copy|add|merge")
    for name, command in BUNDLE_COMMANDS.items():
        _add_command(actions, name, command)
    return parser


def _add_command(subparsers: Any, name: str, command: Command) -> argparse.ArgumentParser:
    text = command.function.__doc__ or ""
    help_line = f"{text[:1].lower()}{text[1:].removesuffix('.')}"
    parser: argparse.ArgumentParser = subparsers.add_parser(
        name, help=help_line, description=text, epilog=command.epilog, allow_abbrev=False
    )
    parser.set_defaults(command=command.function)
    for option in command.options:
        parser.add_argument(option.split()[-1], **OPTIONS[option])
    return parser
