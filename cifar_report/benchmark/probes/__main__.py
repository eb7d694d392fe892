"""Start a probe: ``python -m cifar_report.benchmark.probes SETTING`` with the setting as JSON."""

from __future__ import annotations

import sys

import msgspec

from cifar_report.benchmark.probes.serving import Probe, serve
from cifar_report.benchmark.protocol import Setting


def make_probe(setting: Setting) -> Probe:
    """Return the probe of a way of training; only here its library is imported."""
    match setting.way:
        case "engine":
            from cifar_report.benchmark.probes.engine import EngineProbe

            return EngineProbe(setting)
        case "pytorch":
            from cifar_report.benchmark.probes.pytorch import TorchProbe

            return TorchProbe(setting)
        case "notebook" | "jax":
            from cifar_report.benchmark.probes.keras_fit import KerasProbe

            return KerasProbe(setting)


if __name__ == "__main__":
    given = msgspec.json.decode(sys.argv[1], type=Setting)
    serve(given, make_probe(given))
