"""What each command does: check, call the part that does it, and say what came of it; here, what they share."""

import json
import re
import sys
from argparse import Namespace
from typing import Any

from cifar_report.errors import UsageError


def check_options(options: Namespace) -> None:
    """Raise UsageError for what either session would refuse, before anything is done: both may get the same words."""
    given = vars(options)
    for name, unit in (("seeds", "seed"), ("jobs", "worker")):
        number = given.get(name)
        if isinstance(number, int) and number < 1:
            raise UsageError(f"--{name} {number}: at least one {unit} is needed")
    if given.get("shard") is not None and given.get("seeds") == "auto":
        raise UsageError("--shard goes with a fixed number of seeds: a look needs the results of all machines")
    dask = given.get("dask")
    if dask == "" or re.fullmatch("local:(?![1-9][0-9]*$).*", dask or ""):
        raise UsageError(f"--dask {dask}: it is a scheduler's address, its file, or local:N for N workers here")
    for name in ("jobs", "devices", "workers"):
        if dask is not None and given.get(name) is not None:
            raise UsageError(f"--{name} belongs to a suite on this machine and does not go with --dask")
    hours = given.get("hours")
    if hours is not None and (given.get("seeds") != "auto" or not hours > 0):
        raise UsageError(f"--hours {hours:g}: it goes with --seeds auto, and is more than 0")
    if given.get("profile") is not None:
        from cifar_report.running.plan import find_profile

        find_profile(given["profile"])
    if given.get("only") is not None:
        from cifar_report.registry import load_experiments, select, trials_of

        select(trials_of(load_experiments()), split_words(given["only"]))
    languages(given.get("lang", "en"))


def languages(language: str) -> tuple[str, ...]:
    """Return the languages that ``--lang`` asks for; raises UsageError for one that there is no report in."""
    from cifar_report.spec import LANGUAGES

    if language not in (*LANGUAGES, "all"):
        raise UsageError(f"there is no report in the language {language!r}; there are {', '.join(LANGUAGES)} and all")
    return LANGUAGES if language == "all" else (language,)


def split_words(text: str | None) -> list[str]:
    """Return the words of a list with commas, none for None; raises UsageError when it was given and is empty."""
    found = [word.strip() for word in (text or "").split(",")]
    if text is not None and not any(found):
        raise UsageError("--only names no trial")
    return [word for word in found if word]


def print_json(value: Any) -> int:
    """Print a value as JSON and return the status of success."""
    print(json.dumps(value, indent=1))
    return 0


def tell(text: str) -> None:
    """Print what takes long to a person who waits; a log needs no such line."""
    if sys.stderr.isatty():
        print(text, file=sys.stderr)


def warn(text: str) -> None:
    """Print a warning that cannot be missed."""
    from rich.console import Console
    from rich.panel import Panel
    from rich.text import Text

    Console(stderr=True).print(Panel(Text(text), title="warning", border_style="bold yellow"))
