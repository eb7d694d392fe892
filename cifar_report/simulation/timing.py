"""Writes a simulated exclusive timing pass beside the runs of a simulated bundle."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from cifar_report.bundle import Measurement, TimingPass, write_timing_pass
from cifar_report.spec import AnyTrial, Trial

BLOCKS = 5
STEPS = 200
SECONDS_PER_MAC = 2e-9  # of the default seconds, so that larger networks take longer


def simulate_timing(
    folder: Path, trials: Sequence[AnyTrial], seconds: Mapping[str, float], noise: float = 0.02
) -> TimingPass:
    """Write ``timing/timing.json``: every trial once in each block, with log-normal noise; returns what was written."""
    generator = np.random.default_rng(7)
    measurements = []
    for block in range(BLOCKS):
        drift = generator.normal(0, noise)
        for trial in (trials[place] for place in generator.permutation(len(trials))):
            factor = float(np.exp(drift + generator.normal(0, noise)))
            measurements.append(_measurement(trial, block, factor, seconds.get(trial.id)))
    timing = TimingPass(warmup_steps=50, measurements=tuple(measurements))
    write_timing_pass(folder, timing)
    return timing


def _measurement(trial: AnyTrial, block: int, factor: float, seconds: float | None) -> Measurement:
    network = isinstance(trial, Trial)
    if seconds is None:
        seconds = STEPS * trial.batch_size * trial.macs * SECONDS_PER_MAC + 0.5 if isinstance(trial, Trial) else 1.0
    return Measurement(
        trial=trial.id,
        block=block,
        replicas=2 if isinstance(trial, Trial) and trial.strategy == "mirrored" else 1,
        steps=STEPS if network else 0,
        batch_size=trial.batch_size if isinstance(trial, Trial) else 0,
        seconds=seconds * factor,
        fit_seconds=None if network else 0.1 * factor,
        predict_seconds=None if network else seconds * factor,
        peak_memory_bytes=500_000_000,
        load=0.0,
        steal=0.0,
        throttled=False,
        attempts=1,
        contended=False,
    )
