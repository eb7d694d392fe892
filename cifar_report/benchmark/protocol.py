"""What the bench asks a probe and what it answers: one line of JSON each, so that any environment can take part."""

from __future__ import annotations

from typing import Literal, NamedTuple

import msgspec

from cifar_report.spec import Stage, Trial

EVALUATION_SHARE = 4  # training images for one validation image, as in the split of 40,000 and 10,000
EVALUATION_BATCH = 200  # images; the slices are whole batches, so that nobody computes padding


class Message(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of requests and answers."""


class Slice(Message, frozen=True, kw_only=True):
    """A part of one stage: some steps of the trial's batch size, then an evaluation of a quarter as many images."""

    trial: Trial
    stage: Stage
    steps: int
    seed: int = 0

    @property
    def images(self) -> int:
        """Return how many images are trained on."""
        return self.steps * self.trial.batch_size

    @property
    def evaluated(self) -> int:
        """Return how many images are evaluated: whole batches of the engine's."""
        return max(1, round(self.images / EVALUATION_SHARE / EVALUATION_BATCH)) * EVALUATION_BATCH


class Timed(NamedTuple):
    """Seconds of one measurement of a slice."""

    train: float  # with what it waited
    evaluate: float
    once: float = 0.0  # building and tracing; 0: not measured here
    waited: float = 0.0  # after the evaluation, until the epoch was over; 0: not measured here


class Request(Message, frozen=True, kw_only=True):
    """What a probe is to do next.

    ``prepare`` builds and warms up, ``measure`` times what was prepared, ``peak`` times matrix products, ``memory``
    reads what the process holds.
    """

    do: Literal["prepare", "measure", "peak", "memory"]
    slice: Slice | None = None
    repeats: int = 6  # of the matrix product, the quickest counts


class Answer(Message, frozen=True, kw_only=True):
    """Numbers by name, or the traceback of what went wrong."""

    values: dict[str, float] = {}
    error: str | None = None


class Setting(Message, frozen=True, kw_only=True):
    """How a probe is started: which images, which processors, whether on two logical devices."""

    way: Literal["engine", "notebook", "jax", "pytorch"]
    folder: str  # of the prepared dataset
    cores: tuple[int, ...]
    mirrored: bool = False
