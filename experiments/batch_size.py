"""Study: how many images one training step sees."""

from cifar_report.spec import Experiment, variant

from .baseline import BASELINE

BATCH_16 = variant(BASELINE, "batch_16", "Batch size 16", batch_size=16)
BATCH_64 = variant(BASELINE, "batch_64", "Batch size 64", batch_size=64)
BATCH_128 = variant(BASELINE, "batch_128", "Batch size 128", batch_size=128)

EXPERIMENT = Experiment(
    id="batch_size",
    order=1,
    section="training_parameters",
    title="Batch size",
    question="How do accuracy and training time depend on the batch size?",
    change="The baseline is trained with 16, 32, 64 or 128 images in a batch.",
    explanation=(
        "The gradient of a batch estimates the gradient over all training images, with noise that falls with the "
        "square root of the batch size. Small batches take many noisy steps in an epoch; large ones take few exact "
        "steps and, at the same learning rate, move less far in the same number of epochs."
    ),
    trials=(BATCH_16, BATCH_64, BATCH_128),
    points=("batch_16", "baseline", "batch_64", "batch_128"),
    figures=("curves", "study"),
)
