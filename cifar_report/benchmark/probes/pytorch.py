"""A plain PyTorch loop: batches cut from one tensor, PyTorch's own number of threads."""

from __future__ import annotations

import time
from typing import Any

import torch

from cifar_report.benchmark.probes.serving import open_images
from cifar_report.benchmark.protocol import Setting, Slice, Timed
from cifar_report.spec import INPUT_SHAPE, BatchNormalization, Conv2D, Dense, Dropout, Flatten, MaxPooling2D, Trial
from cifar_report.spec.layers import LayerRow, walk

KERAS_EPSILON, KERAS_MOMENTUM = 1e-3, 0.01  # of batch normalization; PyTorch counts the momentum from the other side


class TorchProbe:
    """Times one epoch over the slice, then an evaluation without gradients."""

    def __init__(self, setting: Setting) -> None:
        self._images, self._labels = open_images(setting.folder)

    def prepare(self, part: Slice) -> None:
        """Build the network, put the slice into memory and train on it once."""
        if part.stage.augmentation is not None:
            raise ValueError("the plain PyTorch loop knows no augmentation")
        torch.manual_seed(part.seed)
        self._part = part
        self._model = build(part.trial)
        self._optimizer = torch.optim.Adam(self._model.parameters(), lr=part.trial.learning_rate, eps=1e-7)
        self._train = self._tensors(0, part.images)
        self._validation = self._tensors(40_000, part.evaluated)
        self.measure()

    def measure(self) -> Timed:
        """Train and evaluate once more."""
        started = time.perf_counter()
        self._epoch()
        between = time.perf_counter()
        self._evaluate()
        return Timed(between - started, time.perf_counter() - between)

    def _epoch(self) -> None:
        images, labels = self._train
        self._model.train()
        for batch in torch.randperm(len(images)).split(self._part.trial.batch_size):
            self._optimizer.zero_grad()
            torch.nn.functional.cross_entropy(self._model(images[batch]), labels[batch]).backward()
            self._optimizer.step()

    def _evaluate(self) -> float:
        images, labels = self._validation
        self._model.eval()
        size = self._part.trial.batch_size
        with torch.no_grad():
            parts = zip(images.split(size), labels.split(size), strict=True)
            return sum(
                float(torch.nn.functional.cross_entropy(self._model(part), truth, reduction="sum"))
                for part, truth in parts
            )

    def _tensors(self, first: int, count: int) -> tuple[Any, Any]:
        images = torch.from_numpy(self._images[first : first + count].copy())
        labels = torch.from_numpy(self._labels[first : first + count].astype("int64"))
        return (images.permute(0, 3, 1, 2).float() / 255.0).contiguous(), labels


def build(trial: Trial) -> Any:
    """Return a trial's network; the softmax is the loss's business in PyTorch."""
    rows = list(walk(trial.layers))
    shapes = [INPUT_SHAPE, *(row.shape for row in rows[:-1])]
    parts = [module for row, before in zip(rows, shapes, strict=True) for module in _modules(row, before)]
    return torch.nn.Sequential(*parts)


def _modules(row: LayerRow, before: tuple[int, ...]) -> list[Any]:
    match row.layer:
        case Conv2D(filters, kernel_size, strides, padding, activation):
            return [torch.nn.Conv2d(before[-1], filters, kernel_size, strides, padding), *_activation(activation)]
        case MaxPooling2D(pool_size):
            return [torch.nn.MaxPool2d(pool_size)]
        case Flatten():
            return [torch.nn.Flatten()]
        case Dense(units, activation):
            return [torch.nn.Linear(before[-1], units), *_activation(activation)]
        case BatchNormalization():
            kind = torch.nn.BatchNorm2d if len(before) == 3 else torch.nn.BatchNorm1d
            return [kind(before[-1], eps=KERAS_EPSILON, momentum=KERAS_MOMENTUM)]
        case Dropout(rate):
            return [torch.nn.Dropout(rate)]


def _activation(name: str | None) -> list[Any]:
    return [torch.nn.ReLU()] if name == "relu" else []
