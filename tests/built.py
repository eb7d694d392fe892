"""A report that a process of its own has built, for all tests that look at its files."""

import json
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import NamedTuple

from command import environment
from reports import small_bundle

from cifar_report.bundle import Bundle

BUILD = """
import json, logging, sys
from pathlib import Path
from cifar_report.bundle import Bundle
from cifar_report.report.build import build_report
complaints = []
collector = logging.Handler(logging.WARNING)
collector.emit = lambda record: complaints.append(record.getMessage())
logging.getLogger("weasyprint").addHandler(collector)
build_report(Bundle.load(Path(sys.argv[1])), Path(sys.argv[2]), sys.argv[4:], processes=int(sys.argv[3]))
heavy = sorted(name for name in sys.modules if name.partition(".")[0] in ("tensorflow", "keras"))
print(json.dumps([heavy, complaints]))
"""


class Built(NamedTuple):
    """The folder of a report, which heavy packages its process imported, and what WeasyPrint complained of."""

    folder: Path
    heavy: list[str]
    complaints: list[str]


@cache
def bundle() -> Bundle:
    """Return a bundle of two experiments with a timing pass."""
    return small_bundle("baseline", "classical", seeds=2, timing=True)


def build(output: Path, cwd: Path, *languages: str, processes: int = 1, **variables: str) -> Built:
    """Build the report of that bundle in a new process, with as many others as are asked for."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", BUILD, str(bundle().folder), str(output), str(processes), *languages],
        cwd=cwd, env=environment(**variables), capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return Built(output, *json.loads(done.stdout))
