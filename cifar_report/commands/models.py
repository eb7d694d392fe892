"""The commands on single networks: export, predict and notebook."""

from __future__ import annotations

import os
from argparse import Namespace
from typing import TYPE_CHECKING, Any

from cifar_report.commands.suite import print_json
from cifar_report.errors import UsageError

if TYPE_CHECKING:
    from cifar_report.running.models import Trained


def _trained(options: Namespace) -> Trained:
    from cifar_report.bundle import Bundle, find_bundle
    from cifar_report.running.models import find_trained

    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # nothing but what is asked
    return find_trained(Bundle.load(find_bundle(options.bundle)), options.run, options.stage, options.weights)


def export(options: Namespace) -> int:
    """Write a trained network as a file of plain Keras, or as ONNX."""
    from cifar_report.running.models import export_model

    if options.output.suffix not in (".keras", ".onnx"):
        raise UsageError(f"-o {options.output}: the file's name ends in .keras or .onnx")
    trained = _trained(options)
    export_model(trained, options.output)
    print(f"{options.output}: {trained.run}, stage {trained.stage}, {trained.which} weights; pixels divided by 255")
    return 0


def predict(options: Namespace) -> int:
    """Print the class that a trained network sees in each image, and its probabilities."""
    import numpy as np

    from cifar_report.data import CLASS_NAMES
    from cifar_report.running import models

    pictures = models.read_pictures(options.images)
    trained = _trained(options)
    answers = models.predict(trained, np.stack([pixels for pixels, _ in pictures]))
    found: list[dict[str, Any]] = [
        {
            "image": str(path),
            "size": size,
            "class": CLASS_NAMES[int(answer.argmax())],
            "probabilities": {CLASS_NAMES[place]: float(answer[place]) for place in np.argsort(-answer)},
        }
        for path, (_, size), answer in zip(options.images, pictures, answers, strict=True)
    ]
    if options.json:
        return print_json(found)
    print(f"{trained.run}, stage {trained.stage}, {trained.which} weights; middle square, resized to 32 × 32 (Lanczos)")
    for each in found:
        shares = ", ".join(f"{name} {share:.1%}" for name, share in each["probabilities"].items())
        print(f"{each['image']} ({each['size'][0]} × {each['size'][1]}): {each['class']} ({shares})")
    return 0


def notebook(options: Namespace) -> int:
    """Write a trial as a notebook of plain Keras."""
    from cifar_report.bundle import Bundle
    from cifar_report.report.notebook import make_notebook

    bundle = None if options.bundle is None else Bundle.load(options.bundle)
    options.output.write_text(make_notebook(options.trial, bundle), encoding="utf-8")
    print(f"{options.output}: 'jupyter execute --inplace {options.output}' trains it, as any notebook program does")
    return 0
