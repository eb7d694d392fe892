"""What a check of a bundle brings to light: findings by file, and what was looked at."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple


class Finding(NamedTuple):
    """One thing that is wrong: the file, as a path below the bundle, and what is wrong with it."""

    file: str
    problem: str

    def __str__(self) -> str:
        """Return the finding as one line."""
        return f"{self.file}: {self.problem}"


@dataclass
class Report:
    """All findings of one pass, what could not be checked and why, and how much was checked.

    ``notes`` are no findings: something was left out on purpose, or cannot be judged on this machine.
    """

    findings: list[Finding] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)

    def find(self, file: str, *problems: str) -> None:
        """Add findings about one file."""
        self.findings += [Finding(file, problem) for problem in problems]

    def note(self, text: str) -> None:
        """Add what a reader should know and what is not wrong."""
        self.notes.append(text)


def printable(text: str) -> str:
    """Return ``text`` with every character that a terminal might obey written out: names come from strangers."""
    return "".join(
        each if each.isprintable() else each.encode("unicode_escape", "backslashreplace").decode("ascii")
        for each in text
    )
