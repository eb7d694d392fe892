"""Reports that processes of their own write, as the command does, for all tests that look at their files."""

import json
import os
from pathlib import Path
from typing import NamedTuple

from command import call

# As the command, but in the end it prints which modules came in that a report must not need, and what WeasyPrint said.
WATCHED = """
import json, logging, sys
from cifar_report.cli import main
complaints = []
collector = logging.Handler(logging.WARNING)
collector.emit = lambda record: complaints.append(record.getMessage())
logging.getLogger("weasyprint").addHandler(collector)
status = main(sys.argv[1:])
unwanted = {"tensorflow", "keras", "cifar_report.training", "cifar_report.running.suite", "cifar_report.running.runs"}
print(json.dumps([sorted(unwanted & set(sys.modules)), complaints]), file=sys.stderr)
sys.exit(status)
"""


class Built(NamedTuple):
    """The folder of a report, what the command printed, which modules it had no need of, WeasyPrint's complaints."""

    folder: Path
    out: str
    unneeded: list[str]
    complaints: list[str]


def build(bundle: Path, cwd: Path, *words: str, **variables: str) -> Built:
    """Call ``cifar-report report`` in a folder, with options and variables, so that warnings are errors."""
    command = ("-W", "error", "-c", WATCHED, "report")
    called = call("--bundle", str(bundle), *words, cwd=cwd, command=command, **variables)
    assert called.status == 0, called.out + called.err
    *told, watched = called.err.splitlines()
    assert told == []
    return Built(cwd / "report", called.out, *json.loads(watched))


def leave(*_arguments: object) -> None:
    """End a worker without a word, as a system without memory does."""
    os._exit(9)
