"""The record of runs that were trained again: how far each agrees with the first training, and what may explain it."""

import re
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal, get_args

from msgspec import Meta

from cifar_report.bundle.records import SCHEMA_VERSION, Environment, Record
from cifar_report.spec.trials import SHOWN, Word

CERTIFICATE_FILE = re.compile(r"certificates/\d{4}-\d\d-\d\dT\d\d-\d\d-\d\dZ\.json")  # names sort by date
MOST_PHRASE = 2_000  # characters
Phrase = Annotated[str, Meta(max_length=MOST_PHRASE, pattern=SHOWN)]
Distance = Annotated[float, Meta(ge=0)]
Level = Literal["bitwise", "numerical", "statistical", "different"]
"""How far a second training agrees with the first, the strongest first.

Bitwise: weights, history and predictions are the same bytes. Numerical: the same data order and epochs, and no loss or
accuracy further away than a tolerance. Statistical: every verdict stays when its results stand in for the originals.
"""
What = Literal["order", "weights", "history", "evaluation", "predictions"]  # the cause before the effect


class Deviation(Record, frozen=True, kw_only=True):
    """The largest absolute differences; None where nothing was compared or one side is not a number."""

    loss: Distance | None = None
    accuracy: Distance | None = None
    weights: Distance | None = None
    probabilities: Distance | None = None


class FirstDifference(Record, frozen=True, kw_only=True):
    """The first epoch in which two trainings differ, and by how much there."""

    stage: Word
    epoch: Annotated[int, Meta(ge=1, le=1_000_000)]  # counted from 1 within the stage
    what: tuple[What, ...]  # the cause before the effect
    deviation: Deviation

    def words(self, separator: str) -> str:
        """Return in words what differs."""
        return separator.join("data order" if each == "order" else each for each in self.what)


class Rerun(Record, frozen=True, kw_only=True):
    """One run that was trained again, compared with the run in the bundle."""

    run: Word
    key: Word  # of the bundle's run: a certificate speaks of no later run of that name
    level: Level
    compared: tuple[Word, ...]  # what of the run could be compared, by name
    first: FirstDifference | None = None  # None: nothing differs, or the trial has no epochs
    largest: Deviation = Deviation()  # over all epochs


class Change(Record, frozen=True, kw_only=True):
    """Something in which the environments of two trainings differ; None where one has no such thing."""

    name: Word
    before: Phrase | None
    after: Phrase | None


class Certificate(Record, frozen=True, kw_only=True):
    """How far the runs of a bundle agree with the same runs trained again, in a fresh process each."""

    schema_version: int = SCHEMA_VERSION
    created: Word  # ISO 8601, UTC
    level: Level  # the weakest of all reruns
    tolerance: Distance  # of losses and accuracies, for the level "numerical"
    reruns: Annotated[tuple[Rerun, ...], Meta(min_length=1, max_length=10_000)]
    verdicts_changed: tuple[Word, ...] = ()  # claims whose outcome is another with the reruns' results
    changes: tuple[Change, ...] = ()  # of the environment: what may explain a difference
    environment: Environment  # of the reruns

    def __post_init__(self) -> None:
        if not CERTIFICATE_FILE.fullmatch(self.place):
            raise ValueError(f"{self.created!r} is no date of a certificate")
        if self.level != weakest(tuple(rerun.level for rerun in self.reruns)):
            raise ValueError("its level is not the weakest one of its reruns")

    @property
    def place(self) -> str:
        """Return the certificate's path below its bundle."""
        return f"certificates/{datetime.fromisoformat(self.created):%Y-%m-%dT%H-%M-%SZ}.json"


def weakest(levels: tuple[Level, ...]) -> Level:
    """Return the weakest of some levels."""
    return max(levels, key=get_args(Level).index)


def certificate_files(folder: Path) -> list[str]:
    """Return the paths of a bundle's certificates below its folder, the oldest first."""
    names = [path.relative_to(folder).as_posix() for path in folder.glob("certificates/*.json")]
    return sorted(name for name in names if CERTIFICATE_FILE.fullmatch(name))
