"""The commands on finished bundles: report, compare, and bundle export, import and copy."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from cifar_report.commands.suite import check_options, languages

if TYPE_CHECKING:
    from rich.console import Console

    from cifar_report.bundle import Bundle
    from cifar_report.verify.compare import Comparison

MOST_ROWS = 60  # of runs that differ; with a hundred seeds there may be thousands


def report(options: Namespace) -> int:
    """Render a bundle, or compare the report that is there with a new one; never trains."""
    from cifar_report.bundle import Bundle, find_bundle

    check_options(options)
    folder = find_bundle(options.bundle, options.profile)
    bundle = Bundle.load(folder)
    if options.bundle is None:  # it was chosen here, as the one that was written last
        print(f"the report is made from {folder} ({_contents(bundle)})", file=sys.stderr)
    from cifar_report.report.build import build_report, check_report, usable_cores

    wanted = languages(options.lang)
    if not options.check:
        for path in build_report(bundle, options.output, wanted, processes=usable_cores()):
            print(path)
        return 0
    different = check_report(bundle, options.output, wanted, processes=usable_cores())
    for name in different:
        print(f"{options.output / name} is not what this bundle gives", file=sys.stderr)
    if not different:
        print(f"{options.output}: byte for byte what this bundle gives")
    return 1 if different else 0


def _contents(bundle: Bundle) -> str:
    record = bundle.record
    finished = f"finished {record.finished[:16].replace('T', ' ')} UTC" if record.finished else "not finished"
    return f"{sum(run.done for run in bundle.runs)} runs of the profile {record.profile.name!r}, {finished}"


def export(options: Namespace) -> int:
    """Write a finished bundle as one archive."""
    from cifar_report.verify.archive import export_bundle

    size = export_bundle(options.folder, options.file)
    print(f"{options.file}: {size:,} bytes, the same for the same bundle on every machine")
    return 0


def unpack(options: Namespace) -> int:
    """Unpack an archive as a new bundle; nothing in it is believed."""
    from cifar_report.verify.archive import import_bundle

    count = import_bundle(options.file, options.target)
    print(f"{options.target}: {count} files as their manifest says; 'cifar-report verify' checks their numbers")
    return 0


def copy(options: Namespace) -> int:
    """Copy a finished bundle without its weights."""
    from cifar_report.bundle.manifest import copy_numbers
    from cifar_report.verify.files import sound_files

    sound_files(options.folder)
    size = copy_numbers(options.folder, options.target)
    print(f"{options.target}: {size:,} bytes, all numbers and no weights")
    return 0


def compare(options: Namespace) -> int:
    """Print which verdicts differ and why, and which common runs do; 0 when every common verdict is the same."""
    from rich.console import Console

    from cifar_report.bundle import Bundle
    from cifar_report.verify.compare import compare_bundles

    found = compare_bundles(Bundle.load(options.first), Bundle.load(options.second))
    console = Console(highlight=False)
    _print(
        console, f"A: {options.first}", f"B: {options.second}", *(f"A against B, {each}" for each in found.differences)
    )
    if found.verdicts:
        rows = [(each.claim, each.before, each.after, "\n".join(each.reasons)) for each in found.verdicts]
        _print_table(console, "Verdicts that differ", ("claim", "A", "B", "what may explain it"), rows)
    _print(console, f"{len(found.verdicts)} verdicts differ, {found.same} are the same")
    _print_names(console, "claims", found.claims_of_one, found.claims_of_other)
    _print_runs(console, found)
    return 1 if found.verdicts else 0


def _print_runs(console: Console, found: Comparison) -> None:
    differing = [pair for pair in found.runs if not pair.same]
    if differing:
        said = {True: "same bytes", False: "differ", None: "not in both"}
        rows = [
            (pair.run, said[pair.weights], said[pair.predictions], pair.first or "no epoch differs")
            for pair in differing[:MOST_ROWS]
        ]
        _print_table(console, "Common runs that differ", ("run", "weights", "predictions", "first difference"), rows)
        if len(differing) > MOST_ROWS:
            _print(console, f"and {len(differing) - MOST_ROWS} more")
    _print(console, f"{len(found.runs)} runs in both: {len(found.runs) - len(differing)} agree in every byte compared")
    _print_names(console, "trials with runs", found.trials_of_one, found.trials_of_other)


def _print_table(console: Console, title: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
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


def _print_names(console: Console, what: str, of_one: Sequence[str], of_other: Sequence[str]) -> None:
    for bundle, names in (("A", of_one), ("B", of_other)):
        if names:
            _print(console, f"{what} in {bundle} only: {', '.join(names)}")


def _print(console: Console, *lines: str) -> None:
    from cifar_report.verify.files import printable

    for line in lines:
        console.print(printable(line), markup=False, soft_wrap=True)
