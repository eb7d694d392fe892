"""From what a worker handed back to the files of a run in the bundle."""

from __future__ import annotations

import socket

import msgspec

from cifar_report.bundle import Run, RunTiming, encode
from cifar_report.bundle.arrays import dump_arrays
from cifar_report.running.environment import processor_name
from cifar_report.running.keys import key_of
from cifar_report.running.plan import PlannedRun
from cifar_report.running.worker import Failure, Product
from cifar_report.spec import Trial, spec_hash


def run_record(planned: PlannedRun, key_parts: dict[str, str], product: Product | Failure) -> Run:
    """Return the scientific record of a product, or of a failure."""
    trial = planned.trial
    run = Run(
        trial=trial,
        seed=planned.seed,
        status="failed",
        key=key_of(key_parts),
        key_parts=key_parts,
        spec_hash=spec_hash(trial),
        processor=processor_name(),
        macs=trial.macs if isinstance(trial, Trial) else None,
        error=product.error or "it left no result",
    )
    if isinstance(product, Failure) or product.outcome is None:
        return run
    outcome = product.outcome
    return msgspec.structs.replace(
        run,
        status="done",
        error=None,
        stages=outcome.stages,
        classical=outcome.classical,
        streams=outcome.streams,
        parameters_total=outcome.parameters_total,
        parameters_trainable=outcome.parameters_trainable,
    )


def result_files(product: Product | Failure) -> dict[str, bytes]:
    """Return the scientific files beside the record; none for a failure."""
    if isinstance(product, Failure) or product.outcome is None:
        return {}
    outcome = product.outcome
    files = {"predictions.npz": outcome.predictions.dump()}
    if outcome.weights:
        files["weights.npz"] = dump_arrays(outcome.weights)
    if outcome.kernels is not None:
        files["kernels.npz"] = dump_arrays({"kernels": outcome.kernels})
    return files


def volatile_files(product: Product | Failure, cores: tuple[int, ...]) -> dict[str, bytes]:
    """Return the log and the timing: what differs between two equal runs. A failure has a log alone."""
    if isinstance(product, Failure):
        return {"log.txt": product.log}
    timing = RunTiming(
        started=product.started,
        finished=product.finished,
        host=socket.gethostname(),
        cores=cores,
        total_seconds=product.seconds,
        peak_memory_bytes=product.peak_memory_bytes,
    )
    if product.outcome is not None:
        seconds = product.outcome.seconds
        timing = msgspec.structs.replace(
            timing,
            epoch_seconds={stage: tuple(values) for stage, values in seconds.epochs.items()},
            validation_seconds={stage: tuple(values) for stage, values in seconds.validation.items()},
            evaluation_seconds=seconds.evaluation,
            fit_seconds=seconds.fit,
            predict_seconds=seconds.predict,
        )
    return {"timing.json": encode(timing), "log.txt": product.log}
