"""The command that sets two bundles beside each other."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from cifar_report.errors import SuiteError

if TYPE_CHECKING:
    from rich.console import Console

    from cifar_report.verify.compare import Comparison

MOST_ROWS = 60  # of runs that differ; with a hundred seeds there may be thousands


def compare(options: Namespace) -> int:
    """Print which verdicts differ and why, and which common runs do; 0 when every common verdict is the same."""
    from rich.console import Console

    from cifar_report.bundle import Bundle

    bundles = [Bundle.load(folder) for folder in (options.first, options.second)]
    try:
        from cifar_report.verify.compare import compare_bundles
    except ImportError as error:
        raise SuiteError(f"{error.name} is not installed: pip install -e '.[report]'") from error
    found = compare_bundles(*bundles)
    console = Console(highlight=False)
    _say(
        console, f"A: {options.first}", f"B: {options.second}", *(f"A against B, {each}" for each in found.differences)
    )
    _print_verdicts(console, found)
    _print_runs(console, found)
    return 1 if found.verdicts else 0


def _print_verdicts(console: Console, found: Comparison) -> None:
    if found.verdicts:
        rows = [(each.claim, each.before, each.after, "\n".join(each.reasons)) for each in found.verdicts]
        _table(console, "Verdicts that differ", ("claim", "A", "B", "what may explain it"), rows)
    _say(console, f"{len(found.verdicts)} verdicts differ, {found.same} are the same")
    for which, claims in (("A", found.claims_of_one), ("B", found.claims_of_other)):
        _list(console, f"claims in {which} only", claims)


def _print_runs(console: Console, found: Comparison) -> None:
    differing = [pair for pair in found.runs if not pair.same]
    if differing:
        said = {True: "same bytes", False: "differ", None: "not in both"}
        rows = [
            (pair.run, said[pair.weights], said[pair.predictions], pair.first or "no epoch differs")
            for pair in differing[:MOST_ROWS]
        ]
        _table(console, "Common runs that differ", ("run", "weights", "predictions", "first difference"), rows)
        if len(differing) > MOST_ROWS:
            _say(console, f"and {len(differing) - MOST_ROWS} more")
    _say(console, f"{len(found.runs)} runs in both: {len(found.runs) - len(differing)} agree in every byte compared")
    for which, trials in (("A", found.trials_of_one), ("B", found.trials_of_other)):
        _list(console, f"trials with runs in {which} only", trials)


def _table(console: Console, title: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    from cifar_report.verify.files import printable

    table = Table(title=title, box=box.SIMPLE_HEAD, title_justify="left")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(Text("\n".join(map(printable, cell.split("\n")))) for cell in row))
    console.print(table)


def _list(console: Console, title: str, names: Sequence[str]) -> None:
    if names:
        _say(console, f"{title}: {', '.join(names)}")


def _say(console: Console, *lines: str) -> None:
    from cifar_report.verify.files import printable

    for line in lines:
        console.print(printable(line), markup=False, soft_wrap=True)
