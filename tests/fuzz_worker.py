"""Reads spoilt bundles and data in a process of its own, whose memory is bounded, and says how each one ended.

A line of its input is a kind and a folder; a line of its output is what came of it: ``done``, ``refused`` or
``crashed``, and why, in JSON.
"""

import json
import resource
import sys
import tempfile
import traceback
import warnings
from pathlib import Path

from data_samples import RELEASE, find
from fuzz_steps import STEPS

from cifar_report.errors import SuiteError, UsageError

MOST_MEMORY = 2**30  # bytes beyond what the process holds when it has imported all it needs


def read_data(folder: Path) -> None:
    """Find a dataset in a folder or an archive, as a command does."""
    with tempfile.TemporaryDirectory() as places:
        for path in sorted(folder.iterdir()):
            dataset = find(Path(places), path)
            assert dataset.images().shape == (RELEASE.count, 32, 32, 3)
            assert dataset.labels().max() < 10


def main() -> None:
    """Answer line by line."""
    warnings.simplefilter("error")
    kinds = {**STEPS, "data": read_data}
    _bound_memory()
    for line in sys.stdin:
        kind, _, folder = line.rstrip("\n").partition(" ")
        try:
            kinds[kind](Path(folder))
            answer = ("done", "")
        except (SuiteError, UsageError) as error:
            answer = ("refused", str(error))
        except BaseException:  # noqa: BLE001 - the answer to whoever asked
            answer = ("crashed", traceback.format_exc())
        print(json.dumps(answer), flush=True)


def _bound_memory() -> None:
    """Let an allocation beyond the bound fail; what counts is what is private and written to."""
    held = sum(int(line.split()[1]) for line in Path("/proc/self/status").read_text().splitlines() if "VmData" in line)
    resource.setrlimit(resource.RLIMIT_DATA, (held * 1024 + MOST_MEMORY,) * 2)


if __name__ == "__main__":
    main()
