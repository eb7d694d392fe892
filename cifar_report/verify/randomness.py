"""Holds what runs recorded of their randomness to their seeds, to the code that trained them and to one another."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from cifar_report.bundle import Bundle, Run
from cifar_report.bundle.keys import ENGINE, ENGINE_VERSION, with_engine
from cifar_report.running.streams import streams_of
from cifar_report.spec import Trial
from cifar_report.verify.findings import Report


def check_randomness(bundle: Bundle, report: Report) -> None:
    """Check the streams, the log of hashes and the data order of every network's run."""
    trained = [run for run in bundle.runs if _is_trained(run)]
    with_streams, with_hashes = _codes(run for run in trained if run.streams), _codes(filter(_has_hashes, trained))
    for run in bundle.runs:
        name = f"runs/{run.id}/run.json"
        if _is_trained(run):
            report.find(name, *_stream_problems(run, with_streams), *_hash_problems(run, with_hashes))
        elif run.streams:
            report.find(name, "it has random streams, but nothing in it was trained by a seed")
    _check_orders(trained, report)


def _is_trained(run: Run) -> bool:
    return run.done and isinstance(run.trial, Trial)


def _codes(runs: Iterable[Run]) -> set[str]:
    return {engine for run in runs if (engine := _engine(run)) is not None}


def _engine(run: Run) -> str | None:
    return with_engine(run.key_parts).get(ENGINE)


def _has_hashes(run: Run) -> bool:
    return any(stage.hashes for stage in run.stages)


def _is_todays(run: Run) -> bool:
    return _engine(run) == ENGINE_VERSION


def _stream_problems(run: Run, recording: set[str]) -> Iterator[str]:
    """Yield what is wrong with a run's streams; what they must be is known of today's code alone.

    ``recording`` holds the codes that are seen to record them: an older code may have recorded none.
    """
    if not run.streams:
        if _is_todays(run) or _engine(run) in recording:
            yield "holds no random streams, but the code that trained it records them"
    elif _is_todays(run) and run.seed is not None:
        expected = streams_of(run.seed)
        for name in sorted(expected.keys() | run.streams.keys()):
            if run.streams.get(name) != expected.get(name):
                found = run.streams.get(name)
                yield f"stream {name!r:.40} is {found!r:.40}, but seed {run.seed} gives {expected.get(name)!r}"


def _hash_problems(run: Run, recording: set[str]) -> Iterator[str]:
    """Yield each stage without the hashes of its epochs; where it has some they are as many as its epochs."""
    if _is_todays(run) or _engine(run) in recording:
        for stage in run.stages:
            if not stage.hashes:
                yield f"stage {stage.id} holds no hashes of its {stage.epochs} epochs, but its code records them"


def _check_orders(trained: list[Run], report: Report) -> None:
    """All runs of a seed have the same streams and see the images in the same order, if they split and train alike."""
    seen: dict[tuple[str, int | None, str | None, str | None], dict[object, list[str]]] = {}
    for run in trained:
        code, split = _engine(run), run.key_parts.get("split")
        if run.streams:
            alike = seen.setdefault(("its random streams are others", run.seed, code, None), {})
            alike.setdefault(tuple(sorted(run.streams.items())), []).append(run.id)
        for place, stage in enumerate(run.stages, 1):
            for epoch, hashes in enumerate(stage.hashes, 1):
                what = f"stage {place}, epoch {epoch}: its hash of the data order is another"
                seen.setdefault((what, run.seed, code, split), {}).setdefault(hashes.order, []).append(run.id)
    for (what, *_), groups in seen.items():
        usual = max(groups.values(), key=len)
        for run_id in (run_id for runs in groups.values() if runs is not usual for run_id in runs):
            report.find(f"runs/{run_id}/run.json", f"{what} than that of {usual[0]}")
