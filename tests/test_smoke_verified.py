"""A bundle that the suite really trained verifies; edited weights are found though every hash of a file fits."""

from shutil import copytree

import numpy as np
import pytest
from verified import change_run, edited, findings

from cifar_report.bundle.arrays import dump_arrays, load_arrays
from cifar_report.verify.integrity import summary, verify_bundle

FOLDER = "runs/baseline/seed-0"
KERNEL = "training.last.network.00_conv2d.kernel"


def test_a_trained_bundle_verifies(smoke):
    """What the suite really trained agrees in every hash, key, score, weight and table."""
    assert smoke.called.status == 0, smoke.called.err
    report = verify_bundle(smoke.folder)
    assert report.findings == []
    assert "4 networks' weights" in summary(report)
    assert report.counts["tables compared"] == 5


def changed(weights):
    """Return a kernel with one number changed, and the weights that hold it as the last and as the best one."""
    kernel = edited(weights[KERNEL], (0, 0, 0, 0), np.float32(0.25))
    return weights | {KERNEL: kernel, KERNEL.replace(".last.", ".best."): kernel}, kernel


WEIGHTS = {  # what becomes of the weights, and of the kernels beside them, by the finding
    "the log of hashes has for epoch 1": changed,
    "not the first layer's kernels": lambda weights: (weights, weights[KERNEL] + 1),
    "the first layer's kernels have": lambda weights: (weights, weights[KERNEL][..., :-1]),
    "parameters, but the network has": lambda weights: ({n: a for n, a in weights.items() if n != KERNEL}, None),
    "belongs to no stage": lambda weights: (weights | {KERNEL.replace("training", "other"): weights[KERNEL]}, None),
    "something else than the variables": lambda weights: (weights | {"training.last.optimizer": weights[KERNEL]}, None),
}


@pytest.mark.parametrize("problem", WEIGHTS)
def test_weights_are_compared_with_the_log_of_hashes_the_kernels_and_the_layers(smoke, tmp_path, problem):
    """One changed, missing or added weight is found though every hash of a file fits."""
    folder = copytree(smoke.folder, tmp_path / "bundle")
    spoilt, kernels = WEIGHTS[problem](load_arrays(folder / FOLDER / "weights.npz"))
    arrays = {"weights": dump_arrays(spoilt)}
    if kernels is not None:
        arrays["kernels"] = dump_arrays({"kernels": kernels})
    change_run(folder, "baseline/seed-0", lambda run: run, **arrays)
    found = findings(folder)
    assert {name.rpartition("/")[0] for name in found} == {FOLDER}
    assert problem in str(found)
