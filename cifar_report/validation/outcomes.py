"""What came of a validator: its findings on a file, or why it was left out; and the table at the end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from rich import box
from rich.console import Console
from rich.table import Table

Result = Literal["passed", "failed", "skipped"]
COLOURS: dict[Result, str] = {"passed": "green", "failed": "bold red", "skipped": "yellow"}


class MissingTool(Exception):  # noqa: N818 - no error: the validator is left out, and this says why
    """A validator cannot run on this machine; the text says what is missing and how it is got."""


@dataclass(frozen=True)
class Outcome:
    """One validator on one file: ``findings`` are its objections, ``note`` what it did or why it did not run."""

    validator: str
    file: str
    result: Result
    findings: tuple[str, ...] = ()
    note: str = ""
    seconds: float = 0.0


def failing(outcomes: Sequence[Outcome], allowed: Mapping[str, str], *, strict: bool) -> list[str]:
    """Return why these outcomes are no success, in sentences; empty where they are.

    ``allowed`` maps a validator that may be left out to the reason; with ``strict`` every other one that was left out
    counts as a failure.
    """
    reasons = [f"{each.validator} objects to {each.file}" for each in outcomes if each.result == "failed"]
    if strict:
        skipped = {each.validator: each.note for each in outcomes if each.result == "skipped"}
        reasons += [f"{name} did not run: {why}" for name, why in skipped.items() if name not in allowed]
    if not any(each.result == "passed" for each in outcomes):
        reasons.append("no validator ran")
    return reasons


def show(outcomes: Sequence[Outcome], allowed: Mapping[str, str], console: Console) -> None:
    """Print every finding, then one row for each validator and file."""
    for outcome in outcomes:
        for finding in outcome.findings:
            console.print(f"{outcome.validator}, {outcome.file}: {finding}", markup=False, highlight=False)
    table = Table("validator", "file", "result", "seconds", "what", box=box.SIMPLE)
    for outcome in outcomes:
        note = outcome.note
        if outcome.result == "skipped" and outcome.validator in allowed:
            note += f" (may be left out: {allowed[outcome.validator]})"
        if outcome.findings:
            note = "see above" if len(outcome.findings) == 1 else f"{len(outcome.findings)} findings, see above"
        result = f"[{COLOURS[outcome.result]}]{outcome.result}[/]"
        table.add_row(outcome.validator, outcome.file, result, f"{outcome.seconds:.1f}", note)
    console.print(table)
