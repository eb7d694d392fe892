"""What several commands need: checking their words, and speaking to a person."""

from __future__ import annotations

import sys
from argparse import Namespace

from cifar_report.errors import UsageError


def check_words(options: Namespace) -> None:
    """Refuse what either session would refuse, before anything is done: both may get the same words."""
    given = vars(options)
    for name, unit in (("seeds", "seed"), ("jobs", "worker")):
        number = given.get(name)
        if number is not None and number < 1:
            raise UsageError(f"--{name} {number}: at least one {unit} is needed")
    if given.get("profile") is not None:
        from cifar_report.running.request import find_profile

        find_profile(given["profile"])
    if given.get("only") is not None:
        from cifar_report.registry import load_experiments, select, trials_of

        select(trials_of(load_experiments()), words(given["only"]))
    languages(given.get("lang", "en"))


def languages(language: str) -> tuple[str, ...]:
    """Return the languages that ``--lang`` asks for; raises UsageError for one that there is no report in."""
    from cifar_report.spec import LANGUAGES

    if language == "all":
        return LANGUAGES
    if language not in LANGUAGES:
        raise UsageError(f"there is no report in the language {language!r}; there are {', '.join(LANGUAGES)} and all")
    return (language,)


def words(text: str | None) -> list[str]:
    """Return the words of a list with commas, none for None; raises UsageError when it was given and is empty."""
    found = [word.strip() for word in (text or "").split(",")]
    if text is not None and not any(found):
        raise UsageError("--only names no trial")
    return [word for word in found if word]


def tell(text: str) -> None:
    """Say what takes long to a person who waits; a log needs no such line."""
    if sys.stderr.isatty():
        print(text, file=sys.stderr)


def warn(text: str) -> None:
    """Print a warning that cannot be missed."""
    from rich.console import Console
    from rich.panel import Panel
    from rich.text import Text

    Console(stderr=True).print(Panel(Text(text), title="warning", border_style="bold yellow"))
