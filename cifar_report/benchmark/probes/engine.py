"""The engine of this project, as a suite's worker uses it: one thread, a whole epoch a call."""

from __future__ import annotations

import time

import numpy as np

from cifar_report.benchmark.probes.serving import open_images
from cifar_report.benchmark.protocol import Setting, Slice, Timed


class EngineProbe:
    """Times ``Engine.train_epoch`` and ``Engine.evaluate``; importing it starts no TensorFlow."""

    def __init__(self, setting: Setting) -> None:
        from cifar_report.training import devices

        self._mirrored = setting.mirrored
        devices.configure(mirrored=setting.mirrored)
        self._images, self._labels = open_images(setting.folder)

    def prepare(self, part: Slice) -> None:
        """Build the engine, trace and train the slice once."""
        import keras

        from cifar_report.training import devices, seeds
        from cifar_report.training.engine import Engine

        keras.backend.clear_session()
        strategy = devices.make_strategy(mirrored=self._mirrored)
        self._engine = Engine(part.trial, part.seed, self._images, self._labels, strategy)
        self._stage = part.stage
        self._order = seeds.epoch_order(part.seed, 0, 0, np.arange(part.images))
        self._keys = seeds.epoch_keys(part.seed, 0, 0, self._engine.dropout_layers)
        self._evaluated = np.arange(40_000, 40_000 + part.evaluated)
        self.measure()

    def measure(self) -> Timed:
        """Train and evaluate once more."""
        started = time.perf_counter()
        self._engine.train_epoch(self._order, self._keys, self._stage.augmentation)
        between = time.perf_counter()
        self._engine.evaluate(self._evaluated)
        return Timed(between - started, time.perf_counter() - between)
