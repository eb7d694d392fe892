"""A bundle that the suite really trained verifies; edited weights are found though every hash of a file fits."""

from shutil import copytree

import numpy as np
from verified import change_run, edited, findings

from cifar_report.bundle.arrays import dump_arrays, load_arrays
from cifar_report.verify.integrity import summary, verify_bundle

FOLDER = "runs/baseline/seed-0"
KERNEL = "training.last.network.00_conv2d.kernel"


def test_a_trained_bundle_verifies(smoke, tmp_path):
    """What the suite really trained agrees in everything; kernels that were edited are found."""
    assert smoke.called.status == 0, smoke.called.err
    report = verify_bundle(smoke.folder)
    assert report.findings == []
    assert "2 networks' weights" in summary(report)
    assert report.counts["tables compared"] == 5
    folder = copytree(smoke.folder, tmp_path / "bundle")
    kernels = load_arrays(folder / FOLDER / "kernels.npz")["kernels"]
    spoilt = dump_arrays({"kernels": edited(kernels, (0, 0, 0, 0), np.float32(0.25))})
    change_run(folder, "baseline/seed-0", lambda run: run, kernels=spoilt)
    assert "other kernels than those of the first layer" in findings(folder)[f"{FOLDER}/kernels.npz"]


def test_weights_are_compared_with_the_log_of_hashes(smoke, tmp_path):
    """One changed number, or a missing array, is found though every hash of a file fits."""
    weights = load_arrays(smoke.folder / FOLDER / "weights.npz")
    kernel = edited(weights[KERNEL], (0, 0, 0, 0), np.float32(0.25))
    for place, spoilt in enumerate((weights | {KERNEL: kernel}, {n: a for n, a in weights.items() if n != KERNEL})):
        folder = copytree(smoke.folder, tmp_path / str(place))
        change_run(folder, "baseline/seed-0", lambda run: run, weights=dump_arrays(spoilt))
        found = findings(folder)
        assert list(found) == [f"{FOLDER}/weights.npz"]
        assert "training.last: are not the weights that the log of hashes has for epoch 1" in str(found)
        assert ("parameters, but the network has" in str(found)) is bool(place)
