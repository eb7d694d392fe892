"""Names of trials, layers and settings as a reader sees them."""

from __future__ import annotations

from collections.abc import Sequence

from cifar_report.report.i18n import Translation, mark
from cifar_report.report.numbers import Numbers
from cifar_report.spec import (
    AnyLayer,
    BatchNormalization,
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    MaxPooling2D,
    Trial,
)

CLASSES = (
    mark("airplane"),
    mark("automobile"),
    mark("bird"),
    mark("cat"),
    mark("deer"),
    mark("dog"),
    mark("frog"),
    mark("horse"),
    mark("ship"),
    mark("truck"),
)


class Labels:
    """Names in the words of one language."""

    def __init__(self, translation: Translation, numbers: Numbers) -> None:
        self._translation = translation
        self._numbers = numbers

    def class_name(self, label: int) -> str:
        """Return what a class is called."""
        return self._translation.gettext(CLASSES[label])

    def layer(self, layer: AnyLayer) -> str:
        """Return a layer's name and its settings, one short phrase."""
        plain, whole = self._translation.plain, self._numbers.integer
        if isinstance(layer, Conv2D):
            values = {
                "filters": whole(layer.filters),
                "size": whole(layer.kernel_size),
                "stride": whole(layer.strides),
                "padding": layer.padding,
            }
            return plain(
                mark("Conv2D, %(filters)s filters %(size)s × %(size)s, stride %(stride)s, %(padding)s"), values
            )
        if isinstance(layer, MaxPooling2D):
            return plain(mark("MaxPooling2D, %(size)s × %(size)s"), {"size": whole(layer.pool_size)})
        if isinstance(layer, Dense):
            values = {"units": whole(layer.units), "activation": layer.activation}
            return plain(mark("Dense, %(units)s neurons, %(activation)s"), values)
        if isinstance(layer, Dropout):
            return plain(mark("Dropout, rate %(rate)s"), {"rate": self._numbers.plain(layer.rate)})
        return type(layer).__name__

    def short_layer(self, layer: AnyLayer) -> str:
        """Return a layer in the shortest form that a table of networks can hold."""
        if isinstance(layer, Conv2D):
            extras = (f"/{layer.strides}" if layer.strides > 1 else "") + ("s" if layer.padding == "same" else "")
            return f"C{layer.filters}·{layer.kernel_size}{extras}"
        if isinstance(layer, MaxPooling2D):
            return f"P{layer.pool_size}"
        if isinstance(layer, Dense):
            return f"D{layer.units}"
        if isinstance(layer, Dropout):
            return f"drop {self._numbers.plain(layer.rate)}"
        return {Flatten: "flat", BatchNormalization: "BN"}[type(layer)]

    def network(self, trial: Trial) -> str:
        """Return a whole network in the shortest form: runs of layers joined by dashes."""
        return " – ".join(self.short_layer(layer) for layer in trial.layers)

    def shape(self, shape: Sequence[int]) -> str:
        """Return the shape of a layer's output."""
        return " × ".join(self._numbers.integer(side) for side in shape)

    def stage(self, trial: Trial, stage_id: str) -> str:
        """Return what a stage is called: its place, and whether its images were augmented."""
        for place, stage in enumerate(trial.stages, start=1):
            if stage.id == stage_id:
                message = (
                    mark("training %(place)s, with augmentation") if stage.augmentation else mark("training %(place)s")
                )
                return self._translation.plain(message, {"place": self._numbers.integer(place)})
        return stage_id
