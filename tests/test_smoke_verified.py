"""A bundle that the suite really trained verifies, and does no more when its weights are edited."""

from shutil import copytree

import numpy as np
from verified import change_run, edited, findings

from cifar_report.bundle.arrays import dump_arrays, load_arrays
from cifar_report.verify.integrity import summary, verify_bundle

KERNEL = "training.last.network.00_conv2d.kernel"
WEIGHTS = "runs/baseline/seed-0/weights.npz"


def test_a_trained_bundle_verifies(smoke):
    """What the suite really trained agrees in every hash, key, score, weight and table."""
    assert smoke.called.status == 0, smoke.called.err
    report = verify_bundle(smoke.folder)
    assert report.findings == []
    assert "4 networks' weights" in summary(report)
    assert report.counts["tables compared"] == 5


def test_what_was_trained_and_edited_together_is_found(smoke, tmp_path):
    """In a trained bundle, the log of hashes gives away weights and kernels that were edited together."""
    folder = copytree(smoke.folder, tmp_path / "bundle")
    weights = load_arrays(folder / WEIGHTS)
    kernel = edited(weights[KERNEL], (0, 0, 0, 0), np.float32(0.25))
    both = {KERNEL: kernel, KERNEL.replace(".last.", ".best."): kernel}
    arrays = {"weights": dump_arrays(weights | both), "kernels": dump_arrays({"kernels": kernel})}
    change_run(folder, "baseline/seed-0", lambda run: run, **arrays)
    found = findings(folder)
    assert list(found) == [WEIGHTS]
    assert found[WEIGHTS].count("the log of hashes has for epoch 1") == 2
