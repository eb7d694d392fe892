"""What codes, classes, layers and stages are called; the words of codes are translated where they are used."""

from __future__ import annotations

from cifar_report.analysis.results import Formula, Outcome, Undefined
from cifar_report.analysis.results.views import CautionCode
from cifar_report.report.i18n import mark
from cifar_report.report.numbers import Numbers
from cifar_report.spec import (
    AnyLayer,
    BatchNormalization,
    Conv2D,
    Dense,
    Dropout,
    Family,
    Flatten,
    MaxPooling2D,
    Quantity,
    Relation,
    Trial,
)

OUTCOMES: dict[Outcome, str] = {
    "reproduced": mark("reproduced"),
    "not_reproduced": mark("not reproduced"),
    "inconclusive": mark("inconclusive"),
    "not_run": mark("not run"),
    "not_testable": mark("not testable"),
}

OUTCOME_MEANINGS: dict[Outcome, str] = {
    "reproduced": mark(
        "The data support the claim. Where it says higher or lower, the difference is on the claimed side beyond what "
        "chance explains well, and its mean reaches the margin; where it says equal or near, the data rule out a "
        "difference of the margin or more, and where it says not better, an improvement as large as that."
    ),
    "not_reproduced": mark(
        "The data speak against the claim: they rule out an effect as large as the margin, they show the opposite, or "
        "they put the value wholly outside the margin. "
        "This is a statement about this suite's networks and data; it does not say that the original measured wrongly."
    ),
    "inconclusive": mark(
        "The data allow both. This never means that two things are equal; the text says how large a difference "
        "could have been seen and how many seeds could tell the observed one from nought."
    ),
    "not_run": mark("The runs or the timing that the claim needs are missing or failed, and so nothing is said."),
    "not_testable": mark(
        "The claim cannot be tested here at all, whatever the numbers are: the data are a stand-in or their pixels are "
        "not verified to be the canonical ones, the profile is a reduced one, or the hardware is missing."
    ),
}

QUANTITIES: dict[Quantity, str] = {
    "accuracy": mark("Test accuracy"),
    "validation_accuracy": mark("Validation accuracy"),
    "loss": mark("Test loss"),
    "gap": mark("Training accuracy minus test accuracy"),
    "epochs_to_accuracy": mark("Epochs until the validation accuracy is reached"),
    "epoch_of_least_loss": mark("Epoch of the least validation loss (running median of three epochs)"),
    "seconds": mark("Training time"),
    "throughput": mark("Training throughput"),
    "fit_seconds": mark("Fitting time"),
    "predict_seconds": mark("Prediction time"),
    "parameters": mark("Number of parameters"),
    "trainable_parameters": mark("Number of trainable parameters"),
    "macs": mark("Multiply-accumulates per image"),
}

RELATIONS: dict[Relation, str] = {
    "greater": mark("greater by the margin"),
    "less": mark("less by the margin"),
    "not_better": mark("not better by the margin"),
    "equal": mark("equal within the margin"),
    "ratio": mark("ratio near the stated one"),
    "value": mark("value near the stated one"),
    "onset": mark("overfitting begins at the stated epoch"),
    "exact": mark("exact relation of two counts"),
}

FAMILIES: dict[Family, str] = {
    "accuracy as written": mark("accuracy, as written"),
    "accuracy by one change": mark("accuracy, by one change"),
    "convergence": mark("convergence"),
    "time": mark("time"),
}

UNDEFINED: dict[Undefined, str] = {
    "not_run": mark("not run"),
    "failed": mark("the runs failed"),
    "one_seed": mark("an interval or a test needs at least two seeds"),
    "not_a_number": mark("the training gave a value that is not a number"),
    "not_reached": mark("the level was not reached in at least half of the seeds"),
    "no_original": mark("the original printed no number"),
    "no_predictions": mark("the bundle holds no predictions for it"),
    "no_probabilities": mark("this classifier gives no probabilities"),
    "no_timing_pass": mark("the timing pass was not run"),
    "not_timed": mark("not part of the timing pass"),
    "disturbed": mark("other work on the machine disturbed the timing pass in every block"),
    "no_difference_observed": mark("the observed difference is exactly nought, which no number of seeds could show"),
    "too_many_seeds": mark("more seeds than the largest number that was looked for"),
    "no_spread": mark("all seeds gave the same value"),
    "does_not_apply": mark("does not apply here"),
}
NO_ORIGINAL = mark("the original has no such number")

FORMULAS: dict[Formula, str] = {
    "mean_over_seeds": mark("mean over the seeds; interval: t over the seeds"),
    "single_value": mark("the value of one run"),
    "mean_over_running_seeds": mark("mean over the seeds that still trained in this epoch"),
    "prediction_interval": mark("mean ± t·s·sqrt(1 + 1/n), where one more run is expected"),
    "prediction_interval_of_difference": mark(
        "mean difference ± t·s·sqrt(1 + 1/n), where the difference of one more seed is expected"
    ),
    "mean_difference": mark("mean of the differences by seed; interval: paired t"),
    "mean_relative_difference": mark("mean of (subject − comparator) / comparator by seed; interval: paired t"),
    "geometric_mean_ratio": mark("geometric mean of the paired ratios; interval: t on their logarithms"),
    "median_over_seeds": mark("median over the seeds; a run that did not reach the level counts as later than all"),
    "median_difference": mark("median of the differences by seed"),
    "share_of_seeds": mark("count of seeds; interval: exact binomial"),
    "share_of_images": mark("share of the test images; interval: Wilson"),
    "difference_over_images": mark("difference of one pair of networks; interval: paired bootstrap over the images"),
    "mean_difference_over_images": mark("mean over the seeds; interval: paired bootstrap over the test images"),
    "difference_beyond_images": mark("mean difference; SE² = s²/n + variance over the images / N"),
    "count_of_images": mark("count of test images"),
    "mcnemar": mark("exact test of McNemar, two-sided, each pair by itself"),
    "count_of_pairs": mark("count of pairs of trials that are tested against each other"),
    "least_standardized_difference": mark(
        "t / sqrt(n) with the level .05, two-sided, divided by the number of pairs: the first step of Holm's correction"
    ),
    "one_sided_bound": mark("one-sided 95% bound of the difference"),
    "margin": mark("margin, stated with the claim"),
    "stated_value": mark("the value that the claim states"),
    "original_value": mark("printed by the original"),
    "original_difference": mark("from the original's printed numbers"),
    "counted_in_spec": mark("counted in the network's description"),
    "exact_ratio": mark("ratio of two counts"),
    "exact_difference": mark("difference of two counts"),
    "detectable_difference": mark("least difference found with 80% power at .05, uncorrected"),
    "seeds_needed": mark("seeds for the observed difference, 80% power at .05, uncorrected"),
    "p_value": mark("p-value, uncorrected"),
    "p_corrected": mark("p-value, corrected within its family by Holm's method"),
    "sum_over_seeds": mark("sum over the seeds"),
    "standard_deviation": mark("standard deviation"),
    "variance_share": mark("share of the variance"),
    "geometric_mean_of_blocks": mark("geometric mean over the blocks of the timing pass"),
    "seconds_of_an_epoch": mark("images of an epoch divided by the images per second of the timing pass"),
    "largest_over_blocks": mark("largest value over the blocks of the timing pass"),
    "run_probability": mark("probability that one run gave to its answer"),
    "share_of_draws": mark("share of the simulated draws; interval: exact binomial"),
    "assumed_deviation": mark("assumed standard deviation of simulated values"),
    "promised_rate": mark("what the method promises of such a share"),
}

ORIGINS = {
    "measured": mark("measured here"),
    "original": mark("printed by the original"),
    "spec": mark("counted or chosen, not measured"),
    "simulated": mark("simulated, not measured"),
}

GRADES = {
    "canonical": mark("the canonical CIFAR-10 (published checksums match)"),
    "unverified": mark("well-formed data that is not verified to be the canonical CIFAR-10"),
    "stand-in": mark("a synthetic stand-in, drawn by a program; it is not CIFAR-10"),
}

SOURCES = {
    "binary folder": mark("a folder with the binary files"),
    "binary archive": mark("an archive of the binary version"),
    "Python archive": mark("an archive of the Python version"),
    "Python batches": mark("a folder with the batches of the Python version"),
    "archive": mark("an archive"),
    "Keras cache": mark("the cache of Keras"),
    "download": mark("a download"),
    "synthetic stand-in": mark("the synthetic stand-in"),
    "simulation": mark("a simulation"),
}

KEY_PARTS = {
    "dataset": mark("data"),
    "variables": mark("environment variables"),
    "training code": mark("program that trains"),
    "engine": mark("program that trains"),
}

SCORES = {
    "loss": mark("training loss"),
    "accuracy": mark("training accuracy"),
    "val_loss": mark("validation loss"),
    "val_accuracy": mark("validation accuracy"),
    "train_loss": mark("training loss"),
    "train_accuracy": mark("training accuracy"),
    "validation_loss": mark("validation loss"),
    "validation_accuracy": mark("validation accuracy"),
    "test_loss": mark("test loss"),
    "test_accuracy": mark("test accuracy"),
}

PROFILES = {
    "smoke": mark("smoke: a trial run of the machinery on a few hundred images"),
    "quick": mark("quick: a tenth of the data and a fraction of the epochs"),
    "full": mark("full: the write-up's epochs on all data"),
}

SENSITIVITIES = {
    "margin_halved": mark("half the margin"),
    "margin_doubled": mark("twice the margin"),
    "welch": mark("unpaired test (Welch)"),
    "sign_flip": mark("sign-flip test"),
}

CAUTIONS: dict[CautionCode, str] = {
    "not_a_number": mark("A value was not a number."),
    "constant_values": mark("A column of values is constant."),
    "class_never_predicted": mark("A class was never predicted."),
    "failed_run": mark("A run failed."),
    "missing_seeds": mark("Seeds are missing."),
    "unplanned_run": mark("The bundle holds a run that was not planned."),
    "other_recipe": mark("A run was trained by another recipe than the plan asks for."),
    "parameter_mismatch": mark("The built model has another number of parameters than its description."),
    "different_environments": mark("The runs come from different environments."),
    "contended_timing": mark("Blocks of the timing pass stayed disturbed by other work."),
    "test_mismatch": mark("The stored test accuracy is not that of the stored predictions."),
}

CLASSES = (
    *(mark("airplane"), mark("automobile"), mark("bird"), mark("cat"), mark("deer")),
    *(mark("dog"), mark("frog"), mark("horse"), mark("ship"), mark("truck")),
)


def layer_name(layer: AnyLayer, numbers: Numbers) -> str:
    """Return a layer's name and its settings, one short phrase."""
    plain, whole = numbers.translation.plain, numbers.integer
    match layer:
        case Conv2D(filters, size, strides, padding):
            values = {"filters": whole(filters), "size": whole(size), "stride": whole(strides), "padding": padding}
            return plain(
                mark("Conv2D, %(filters)s filters %(size)s × %(size)s, stride %(stride)s, %(padding)s"), values
            )
        case MaxPooling2D(size):
            return plain(mark("MaxPooling2D, %(size)s × %(size)s"), {"size": whole(size)})
        case Dense(units, activation):
            return plain(
                mark("Dense, %(units)s neurons, %(activation)s"), {"units": whole(units), "activation": activation}
            )
        case Dropout(rate):
            return plain(mark("Dropout, rate %(rate)s"), {"rate": numbers.plain(rate)})
    return type(layer).__name__


def network_name(trial: Trial, numbers: Numbers) -> str:
    """Return a whole network in the shortest form: layers joined by dashes, without words to translate."""
    return " – ".join(_short_layer(layer, numbers) for layer in trial.layers)


def _short_layer(layer: AnyLayer, numbers: Numbers) -> str:
    match layer:
        case Conv2D():
            extras = (f"/{layer.strides}" if layer.strides > 1 else "") + ("s" if layer.padding == "same" else "")
            return f"C{layer.filters}·{layer.kernel_size}{extras}"
        case MaxPooling2D():
            return f"P{layer.pool_size}"
        case Dense():
            return f"D{layer.units}"
        case Dropout():
            return f"drop {numbers.plain(layer.rate)}"
    return {Flatten: "flat", BatchNormalization: "BN"}[type(layer)]


def stage_name(trial: Trial, stage_id: str, numbers: Numbers) -> str:
    """Return what a stage is called: its place, and whether its images were augmented."""
    for place, stage in enumerate(trial.stages, start=1):
        if stage.id == stage_id:
            plain, augmented = mark("training %(place)s"), mark("training %(place)s, with augmentation")
            message = augmented if stage.augmentation else plain
            return numbers.translation.plain(message, {"place": numbers.integer(place)})
    return stage_id
