"""Measure this suite's engine against the notebook way, plain Keras ``fit`` with its defaults: ``nox -s bench``.

Each timed part of the suite runs in fresh processes, one way after the other, whole epochs with their validation: the
engine as the suite uses it, a pinned worker with one thread on each core, all at the same time; the notebook way with
all cores. Numbers are medians of the blocks. The whole suite is every stage of every network of the profile ``full``
at the seconds of the timed part nearest to it; networks under a strategy and classifiers are left out.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from statistics import fmean, median
from subprocess import PIPE
from typing import Any, NamedTuple

import msgspec
import numpy as np
from rich.console import Console
from rich.table import Table

from cifar_report.data import PreparedData, locate, split
from cifar_report.errors import SuiteError, UsageError
from cifar_report.registry import load_experiments, trials_of
from cifar_report.running.environment import WORKER_VARIABLES, available_cores, record_environment
from cifar_report.running.plan import UNKNOWN_MACS
from cifar_report.spec import PROFILES, Stage, Trial

LIMIT = 0.45  # of the notebook way's time: more is a failure
TIMED = ("baseline/training", "filters_32/training", "second_conv_64/training", "model_2/first", "model_2/augmented")
IMAGES = 40_000  # of an epoch
EVALUATED = 2 * 60_000  # images behind the last epoch of a stage: all of them, with its last weights and its best
SIDE = 2_048  # of the matrices whose product is the yardstick for FLOP/s


class Timed(NamedTuple):
    """Seconds of one part in one way and block; of the engine, the mean of workers that ran at the same time."""

    train: float  # an epoch
    validate: float  # after each epoch
    evaluate: float  # after the last epoch of a stage
    once: float  # a run: building, tracing; of the engine with checkpoints
    waited: float  # of ``train``: after the epoch's end, until ``fit`` returned


Block = dict[str, dict[str, Timed]]  # by part and way
Measure = Callable[[], Timed | float]


def main() -> int:
    """Measure, print the table, write the JSON; 1 where the engine is slower than it must be, 2 for bad usage."""
    parser = argparse.ArgumentParser(prog="nox -s bench --", description="Measure the engine against plain Keras.")
    parser.add_argument("--blocks", type=int, default=3, metavar="N", help="repeat everything N times (default: 3)")
    parser.add_argument("--images", type=int, default=IMAGES, metavar="N", help=f"of an epoch (default: {IMAGES})")
    parser.add_argument("--data", metavar="PATH|synthetic", help="which images, as for cifar-report run")
    parser.add_argument("--output", type=Path, default=Path("report/bench.json"), metavar="FILE", help="the JSON")
    parser.add_argument("--worker", help=argparse.SUPPRESS)  # this program calls itself: what to do, as JSON
    options = parser.parse_args()
    if options.worker is not None:
        return work(**json.loads(options.worker))
    console = Console()
    try:
        dataset = locate(options.data, allow_stand_in=True, warn=console.print, notify=console.print)
        blocks, peaks = [], []
        for number in range(options.blocks):
            blocks.append(measure_block(number, dataset.folder, options.images, console))
            peaks.append(sum(run_workers("peak", "", dataset.folder, options.images)))
    except (SuiteError, UsageError) as error:
        console.print(f"bench: {error}", markup=False)
        return 2
    return report(blocks, peaks, options.images, options.output, console)


def measure_block(number: int, folder: Path, images: int, console: Console) -> Block:
    """Time each part in both ways; which one comes first alternates."""
    block: Block = {}
    for place, part in enumerate(TIMED):
        console.print(f"block {number + 1}: {part}")
        ways = ("engine", "notebook") if (number + place) % 2 == 0 else ("notebook", "engine")
        answers = {way: run_workers(way, part, folder, images) for way in ways}
        block[part] = {way: Timed(*map(fmean, zip(*answers[way], strict=True))) for way in answers}
    return block


def run_workers(way: str, part: str, folder: Path, images: int) -> list[Any]:
    """Return what one process for each core measured at the same time; of the notebook way, one process for all."""
    cores = available_cores()
    environment = os.environ | ({"KERAS_BACKEND": "tensorflow"} if way == "notebook" else WORKER_VARIABLES)
    with ExitStack() as stack:
        log = stack.enter_context(tempfile.TemporaryFile("w+"))
        processes = []
        for own in [cores] if way == "notebook" else [[core] for core in cores]:
            task = {"way": way, "part": part, "folder": str(folder), "images": images, "cores": own}
            command = [sys.executable, __file__, "--worker", json.dumps(task)]
            process = subprocess.Popen(command, env=environment, stdin=PIPE, stdout=PIPE, stderr=log, text=True)  # noqa: S603
            processes.append(stack.enter_context(process))
        ready = [process.stdout.readline() for process in processes if process.stdout]  # libraries are imported
        for process in processes:
            print("begin", file=process.stdin, flush=True)
        answers = [process.stdout.readline() for process in processes if process.stdout and all(ready)]
        if not all(answers) or not answers:
            log.seek(0)
            raise SuiteError(f"a process of the {way} way failed: {log.read()[-2000:]}")
        return [json.loads(answer) for answer in answers]


def work(way: str, part: str, folder: str, images: int, cores: list[int]) -> int:
    """Measure in this process, whose standard output is for answers alone."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, cores)
    prepare = {"engine": engine, "notebook": notebook, "peak": peak}[way]
    dataset = PreparedData(Path(folder), "", "unverified", canonical_labels=False, source="", location="")
    measure = prepare(part, dataset, images)
    print("ready", file=answers, flush=True)
    sys.stdin.readline()
    print(json.dumps(measure()), file=answers, flush=True)
    return 0


def engine(part: str, dataset: PreparedData, images: int) -> Measure:
    """Train two epochs as a worker of the suite does; the first one traces, the second one counts."""
    from cifar_report.training.engine import configure
    from cifar_report.training.network import Resumption, train_network

    configure(mirrored=False)
    trial, stage = find(part)
    trial = msgspec.structs.replace(trial, stages=(msgspec.structs.replace(stage, epochs=2),))
    counts = None if images == IMAGES else (images, images // 4, images // 4)
    parts = split(dataset.labels(), counts=counts)

    def measure() -> Timed:
        with tempfile.TemporaryDirectory() as place:
            started = time.perf_counter()
            where = Resumption(Path(place, "checkpoint.npz"), "bench")
            outcome = train_network(trial, 0, dataset.images("c"), dataset.labels(), parts, resumption=where)
            total = time.perf_counter() - started
        seconds = outcome.seconds
        train, validate = seconds.epoch_seconds[stage.id][1], seconds.validation_seconds[stage.id][1]
        evaluate = seconds.evaluation_seconds or 0.0
        return Timed(train, validate, evaluate, total - 2 * (train + validate) - evaluate, 0.0)

    return measure


def notebook(part: str, dataset: PreparedData, images: int) -> Measure:
    """Train one epoch by ``fit`` with its defaults, from its beginning until ``fit`` returns."""
    import keras

    trial, stage = find(part)
    train, validation = (arrays(dataset, first, count) for first, count in ((0, images), (IMAGES, images // 4)))
    few = [[each[: 2 * trial.batch_size] for each in pair] for pair in (train, validation)]
    times: dict[str, float] = {}
    names = ("on_epoch_begin", "on_test_begin", "on_epoch_end")
    clock = {name: lambda *_, name=name: times.__setitem__(name, time.perf_counter()) for name in names}

    def measure() -> Timed:
        started = time.perf_counter()
        model = keras_model(trial)
        fit(model, trial, stage, *few)
        once = time.perf_counter() - started
        fit(model, trial, stage, train, validation, keras.callbacks.LambdaCallback(**clock))
        waited = time.perf_counter() - times["on_epoch_end"]
        validate = times["on_epoch_end"] - times["on_test_begin"]
        evaluate = validate * EVALUATED / (images // 4)
        return Timed(times["on_test_begin"] - times["on_epoch_begin"] + waited, validate, evaluate, once, waited)

    return measure


def arrays(dataset: PreparedData, first: int, count: int) -> list[np.ndarray[Any, Any]]:
    """Return images as float32 [count, 32, 32, 3] from 0 to 1, and labels one-hot [count, 10], as the notebook does."""
    images, labels = (each[first : first + count] for each in (dataset.images(), dataset.labels()))
    return [images.astype(np.float32) / np.float32(255), np.eye(10, dtype=np.float32)[labels]]


def fit(model: Any, trial: Trial, stage: Stage, train: list[Any], validation: list[Any], *callbacks: Any) -> None:
    """Call Keras's ``fit`` for one epoch; a stage that augments takes Keras's generator, as the notebook does."""
    options = {"validation_data": tuple(validation), "callbacks": list(callbacks), "verbose": 0}
    if (augmentation := stage.augmentation) is None:
        model.fit(*train, batch_size=trial.batch_size, **options)
        return
    import tensorflow as tf

    generator = tf.keras.preprocessing.image.ImageDataGenerator(
        rotation_range=augmentation.rotation_degrees,
        width_shift_range=augmentation.shift_fraction,
        height_shift_range=augmentation.shift_fraction,
        horizontal_flip=augmentation.horizontal_flip,
    )
    batches = generator.flow(*train, batch_size=trial.batch_size)
    model.fit(batches, validation_batch_size=trial.batch_size, **options)


def keras_model(trial: Trial) -> Any:
    """Return a trial's network of Keras's own layers, compiled as in the notebook."""
    import keras

    layers = [getattr(keras.layers, type(each).__name__)(**msgspec.structs.asdict(each)) for each in trial.layers]
    model = keras.Sequential([keras.Input((32, 32, 3)), *layers])
    model.compile(keras.optimizers.Adam(trial.learning_rate), "categorical_crossentropy", metrics=["accuracy"])
    return model


def peak(part: str, dataset: PreparedData, images: int) -> Measure:  # noqa: ARG001 - called as the ways are
    """Measure the FLOP/s of NumPy's product of two float32 matrices with one thread, the best of ten."""
    left, right = np.random.default_rng(0).random((2, SIDE, SIDE), np.float32)

    def product_seconds() -> float:
        started = time.perf_counter()
        left @ right
        return time.perf_counter() - started

    return lambda: 2 * SIDE**3 / min(product_seconds() for _ in range(10))


@cache
def networks() -> list[tuple[Trial, Stage]]:
    """Return every stage of every network of the suite that takes one device."""
    trials = map(PROFILES["full"].apply, trials_of(load_experiments()).values())
    single = [trial for trial in trials if isinstance(trial, Trial) and trial.strategy == "single"]
    return [(trial, stage) for trial in single for stage in trial.stages]


def find(part: str) -> tuple[Trial, Stage]:
    """Return the trial and the stage of a timed part."""
    return next((trial, stage) for trial, stage in networks() if f"{trial.id}/{stage.id}" == part)


def macs_of(trial: Trial) -> float:
    """Return the multiply-accumulates of an image; a guess where only Keras could count them."""
    return trial.macs or UNKNOWN_MACS


def nearest(trial: Trial, stage: Stage) -> str:
    """Return the timed part with the same augmentation that is nearest by batch size and multiply-accumulates."""

    def distance(part: str) -> tuple[bool, float]:
        other, its = find(part)
        batch = abs(math.log(other.batch_size / trial.batch_size))
        return its.augmentation != stage.augmentation, batch + abs(math.log(macs_of(other) / macs_of(trial)))

    return min(TIMED, key=distance)


def whole_suite(block: Block, nearests: Sequence[tuple[Trial, Stage, str]]) -> dict[str, float]:
    """Return the seconds of the whole suite in both ways, and what they consist of, from one block."""
    seeds, workers = PROFILES["full"].seeds, len(available_cores())
    total: dict[str, float] = defaultdict(float)
    for trial, stage, part in nearests:
        for way, share in (("engine", seeds / workers), ("notebook", seeds)):
            timed = block[part][way]
            epochs = stage.epochs * (timed.train + timed.validate)
            once = timed.once if stage is trial.stages[0] else 0.0
            total[way] += share * (epochs + timed.evaluate + once)
            total[f"{way}, epochs"] += share * epochs
            total[f"{way}, waits"] += share * stage.epochs * timed.waited
    return total


def report(blocks: list[Block], peaks: list[float], images: int, output: Path, console: Console) -> int:
    """Print what was found and write it to a file; 1 where the must is missed."""
    workers = len(available_cores())
    nearests = [(trial, stage, nearest(trial, stage)) for trial, stage in networks()]
    suites = [whole_suite(block, nearests) for block in blocks]
    ratios = [each["engine"] / each["notebook"] for each in suites]
    findings = {
        f"whole suite: engine over notebook way (must: at most {LIMIT})": ratios,
        "the same without its waits": [s["engine"] / (s["notebook"] - s["notebook, waits"]) for s in suites],
        "overhead beside epochs, of the engine's time": [1 - s["engine, epochs"] / s["engine"] for s in suites],
        "whole suite, engine, hours": [s["engine"] / 3600 for s in suites],
        "whole suite, notebook way, hours": [s["notebook"] / 3600 for s in suites],
        "matrix product, all cores, GFLOP/s": [each / 1e9 for each in peaks],
    }
    for part in TIMED:
        rates = [images * workers / block[part]["engine"].train for block in blocks]
        flops = 6 * macs_of(find(part)[0])  # of an image: forward, to the weights and to the inputs, 2 each
        findings[f"{part}: engine, images/s"] = rates
        findings[f"{part}: notebook way, images/s"] = [images / block[part]["notebook"].train for block in blocks]
        findings[f"{part}: share of that product"] = [flops * r / p for r, p in zip(rates, peaks, strict=True)]
    table = Table("measure", "median", "least", "most")
    for name, values in findings.items():
        shown = (median(values), min(values), max(values))
        table.add_row(name, *(f"{each:,.{3 if each < 100 else 0}f}" for each in shown))
    console.print(table)
    output.parent.mkdir(parents=True, exist_ok=True)
    record = {"date": datetime.now(UTC), "environment": record_environment(), "findings": findings, "blocks": blocks}
    output.write_bytes(msgspec.json.format(msgspec.json.encode(record), indent=1))
    console.print(f"written: {output}", markup=False)
    return int(median(ratios) > LIMIT)


if __name__ == "__main__":
    sys.exit(main())
