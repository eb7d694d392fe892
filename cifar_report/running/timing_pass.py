"""The exclusive timing pass: alone on the machine, blocks that hold every timed trial once, in random order."""

from __future__ import annotations

import random
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from statistics import median

from cifar_report.bundle import Measurement, TimingPass, write_timing_pass
from cifar_report.running.environment import available_cores
from cifar_report.running.keys import graphics_cards
from cifar_report.running.measuring import MeasurementError, measure_group
from cifar_report.running.request import Prepared
from cifar_report.running.stopwatch import Reading, Request
from cifar_report.running.timing_state import LEAST_CORES, TimingState
from cifar_report.spec import AnyTrial, Trial

ORDER_SEED = 20241101  # of the blocks' random order; any fixed number serves
MOST_STEAL = 0.02  # share of processor time taken by other guests
LEAST_STOLEN = 0.015  # seconds; the system counts in hundredths, and a single one tells nothing
LEAST_SHARE = 0.95  # of its one core that a measurement must have had
MOST_OTHER_WORK = 0.15  # cores that other processes may keep busy meanwhile
MOST_AT_ONCE = 4  # processes that prepare at the same time; each holds up to a gigabyte

Measure = Callable[[Sequence[Request]], Iterable[Reading | MeasurementError]]


def run_timing_pass(
    prepared: Prepared, state: TimingState, say: Callable[[str], None], measure: Measure = measure_group
) -> int:
    """Measure what is missing, keep each block as soon as it is whole, and return how many measurements failed.

    Nothing else of the suite may run meanwhile; the caller holds the bundle's lock. ``say`` gets the lines that a
    person reads.
    """
    old = state.done.measurements if state.done is not None else ()
    kept = [each for each in old if each.trial in {trial.id for trial in state.trials}]
    open_blocks = {block: missing for block in range(state.plan.blocks) if (missing := state.missing(block))}
    say(
        f"timing pass (trials: {len(state.trials)}, blocks left: {len(open_blocks)}), one trial after the other: "
        "whatever else runs on this machine meanwhile disturbs it"
    )
    failures, started = 0, time.monotonic()
    for place, (block, missing) in enumerate(open_blocks.items(), start=1):
        measured, failed = _Block(prepared, state, block, measure, say).run(missing)
        kept += measured
        failures += failed
        write_timing_pass(prepared.folder, _record(state, kept))
        left = (time.monotonic() - started) / place * (len(open_blocks) - place)
        say(f"block {block + 1} of {state.plan.blocks} is measured; {_clock(left)}")
    return failures


def order_of(trials: Sequence[AnyTrial], block: int) -> list[AnyTrial]:
    """Return the trials in the random order of a block, the same in every call."""
    order = sorted(trials, key=lambda trial: trial.id)
    random.Random(ORDER_SEED + block).shuffle(order)  # noqa: S311 - an order, no secret
    return order


def take_group(waiting: deque[tuple[AnyTrial, int]], cores: int) -> list[tuple[AnyTrial, int]]:
    """Take the next trials, which prepare at the same time: as many networks as there are cores; others start fast."""
    group: list[tuple[AnyTrial, int]] = []
    networks = 0
    while waiting and len(group) < MOST_AT_ONCE:
        networks += isinstance(waiting[0][0], Trial)
        if networks > cores:
            break
        group.append(waiting.popleft())
    return group


def disturbances(trial: AnyTrial, reading: Reading) -> list[str]:
    """Return in words what disturbed a measurement; none where it may count."""
    found = []
    if reading.steal > MOST_STEAL and reading.stolen_seconds > LEAST_STOLEN:
        found.append(f"other guests of the host took {reading.steal:.0%} of its cores")
    if reading.throttled:
        found.append("the processor was throttled")
    if (share := processor_share(trial, reading)) is not None and share < LEAST_SHARE:
        found.append(f"it had {share:.0%} of its core")
    if reading.other_work > MOST_OTHER_WORK:
        found.append(f"other processes kept {reading.other_work:.1f} cores busy")
    return found


def processor_share(trial: AnyTrial, reading: Reading) -> float | None:
    """Return the share of its core that a measurement had; None where waiting is part of the work.

    Replicas wait for one another, and a processor waits for graphics cards.
    """
    network = isinstance(trial, Trial)
    return None if reading.replicas > 1 or (network and graphics_cards()) else reading.processor_share


class _Block:
    """One block: its trials in random order, and once more those that something disturbed."""

    def __init__(
        self, prepared: Prepared, state: TimingState, block: int, measure: Measure, say: Callable[[str], None]
    ) -> None:
        self._prepared = prepared
        self._plan = state.plan
        self._block = block
        self._measure = measure
        self._say = say
        self._cores = tuple(available_cores())
        self._count = 0

    def run(self, missing: Sequence[AnyTrial]) -> tuple[list[Measurement], int]:
        """Return the measurements of the missing trials, and how many failed."""
        waiting = deque((trial, 1) for trial in order_of(missing, self._block))
        measured: list[Measurement] = []
        while waiting:
            group = take_group(waiting, len(self._cores))
            networks = [trial for trial, _ in group if isinstance(trial, Trial)]
            requests = [self._request(trial, networks.index(trial) if trial in networks else -1) for trial, _ in group]
            for (trial, attempt), reading in zip(group, self._measure(requests), strict=True):
                if isinstance(reading, MeasurementError):
                    self._tell(trial, f"failed: {reading}", len(missing))
                    continue
                reasons = disturbances(trial, reading)
                if reasons and attempt <= self._plan.repeats:
                    waiting.append((trial, attempt + 1))
                    self._say(f"  {trial.id}: {'; '.join(reasons)}: it is measured once more")
                    continue
                measured.append(_measurement(trial, self._block, reading, attempt, contended=bool(reasons)))
                self._tell(trial, _headline(measured[-1], reasons), len(missing))
        return measured, len(missing) - len(measured)

    def _request(self, trial: AnyTrial, place: int) -> Request:
        """Return what a process is to do; all are timed on the last core, whichever one they prepare on."""
        profile, cores = self._prepared.profile, self._cores
        several = isinstance(trial, Trial) and trial.strategy == "mirrored"
        together = cores if graphics_cards() else cores[-LEAST_CORES:]
        return Request(
            trial=trial,
            dataset=self._prepared.dataset,
            fraction=profile.fraction,
            counts=profile.counts,
            portions=self._plan.portions,
            portion_steps=self._plan.portion_steps,
            prepared_on=together if several else (cores[place % len(cores)],),
            timed_on=together if several else cores[-1:],
            available=cores,
        )

    def _tell(self, trial: AnyTrial, what: str, total: int) -> None:
        self._count += 1
        self._say(f"  [{self._count:>{len(str(total))}}/{total}] {trial.id}: {what}")


def _measurement(trial: AnyTrial, block: int, reading: Reading, attempts: int, *, contended: bool) -> Measurement:
    return Measurement(
        trial=trial.id,
        block=block,
        replicas=reading.replicas,
        steps=reading.steps,
        batch_size=trial.batch_size if isinstance(trial, Trial) else 0,
        seconds=sum(reading.portions) or (reading.fit_seconds or 0.0) + (reading.predict_seconds or 0.0),
        portions=reading.portions,
        fit_seconds=reading.fit_seconds,
        predict_seconds=reading.predict_seconds,
        peak_memory_bytes=reading.peak_memory_bytes,
        load=reading.load,
        steal=reading.steal,
        throttled=reading.throttled,
        processor_share=processor_share(trial, reading),
        other_work=reading.other_work,
        attempts=attempts,
        contended=contended,
    )


def _record(state: TimingState, measurements: Sequence[Measurement]) -> TimingPass:
    return TimingPass(
        warmup_steps=state.plan.portion_steps,
        order_seed=ORDER_SEED,
        key_parts=state.key_parts,
        trials=state.hashes,
        measurements=tuple(sorted(measurements, key=lambda each: each.block)),
    )


def _headline(measurement: Measurement, reasons: Sequence[str]) -> str:
    if measurement.steps:
        step = median(measurement.portions) * len(measurement.portions) / measurement.steps
        said = f"{1000 * step:.2f} ms a step"
    else:
        said = f"fitted in {measurement.fit_seconds:.2f} s, predicted in {measurement.predict_seconds:.2f} s"
    return f"{said} (disturbed to the last: {'; '.join(reasons)})" if reasons else said


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"about {minutes // 60:d}:{minutes % 60:02d}:{rest:02d} left"
