"""The difference of two trials, counted in changes: proof that a comparison is a fair one."""

from __future__ import annotations

from functools import cache
from itertools import zip_longest
from typing import Any, NamedTuple

import msgspec

from cifar_report.spec.layers import AnyLayer, Conv2D, MaxPooling2D
from cifar_report.spec.trials import AnyTrial


class Change(NamedTuple):
    """One thing that differs: where it stands and its value before and after (None: not there)."""

    place: str
    before: Any
    after: Any


def differences(before: AnyTrial, after: AnyTrial) -> tuple[Change, ...]:
    """Return every single change that leads from one trial's configuration to the other's.

    An inserted or removed convolution together with its pooling is one change, as is any one argument of one
    layer, stage or training parameter. Trials of different kinds differ in their kind.
    """
    if type(before) is not type(after):
        return (Change("kind", type(before).__name__, type(after).__name__),)
    changes: list[Change] = []
    for field, old in before.configuration().items():
        new = after.configuration()[field]
        if field == "layers":
            changes += _layer_changes(before.layers, after.layers)  # type: ignore[union-attr]
        elif field == "stages":
            changes += _stage_changes(old, new)
        elif old != new:
            changes.append(Change(field, old, new))
    return tuple(changes)


def _stage_changes(before: list[dict[str, Any]], after: list[dict[str, Any]]) -> list[Change]:
    changes = []
    for old, new in zip_longest(before, after):
        if old is None or new is None:
            changes.append(Change("stage", old, new))
            continue
        for field in old:
            if field != "id" and old[field] != new[field]:
                changes.append(Change(f"stage {new['id']}, {field}", old[field], new[field]))
    return changes


def _layer_changes(before: tuple[AnyLayer, ...], after: tuple[AnyLayer, ...]) -> list[Change]:
    """Align two networks from the front with the fewest changes (an edit distance over whole layers)."""

    @cache
    def fewest(i: int, j: int) -> tuple[Change, ...]:
        if i == len(before) and j == len(after):
            return ()
        ways = []
        if i < len(before) and j < len(after) and type(before[i]) is type(after[j]):
            ways.append((*_arguments(before[i], after[j]), *fewest(i + 1, j + 1)))
        for size in _block_sizes(before[i:]):
            ways.append((Change("layers", before[i : i + size], ()), *fewest(i + size, j)))
        for size in _block_sizes(after[j:]):
            ways.append((Change("layers", (), after[j : j + size]), *fewest(i, j + size)))
        return min(ways, key=len)

    return list(fewest(0, 0))


def _block_sizes(layers: tuple[AnyLayer, ...]) -> tuple[int, ...]:
    """Return how many layers at the front may come or go in one change: one, or a convolution with its pooling."""
    block = len(layers) > 1 and isinstance(layers[0], Conv2D) and isinstance(layers[1], MaxPooling2D)
    return (1, 2) if block else (1,) * bool(layers)


def _arguments(before: AnyLayer, after: AnyLayer) -> tuple[Change, ...]:
    old, new = (msgspec.structs.asdict(layer) for layer in (before, after))
    name = type(before).__name__
    return tuple(Change(f"{name}, {field}", old[field], new[field]) for field in old if old[field] != new[field])
