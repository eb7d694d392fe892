from shutil import copytree

import numpy as np
from verified import change_run, edited, set_in

from cifar_report.bundle.arrays import dump_arrays, load_arrays
from cifar_report.verify.integrity import summary, verify_bundle

NAME = "training.last.network.00_conv2d.kernel"
WEIGHTS = "runs/baseline/seed-0/weights.npz"


def test_a_trained_bundle_verifies(smoke):
    """What the suite really trained agrees in every hash, key, score, weight, table and figure."""
    assert smoke.called.status == 0, smoke.called.err
    report = verify_bundle(smoke.folder)
    assert report.findings == []
    assert "4 networks' weights" in summary(report)
    assert report.counts["tables and figures compared"] > 10


def test_a_changed_weight_is_found_though_every_hash_of_a_file_fits(smoke, tmp_path):
    """The log of hashes by epoch gives away weights and kernels that were edited together."""
    folder = copytree(smoke.folder, tmp_path / "bundle")
    weights = load_arrays(folder / WEIGHTS)
    kernel = edited(weights[NAME], (0, 0, 0, 0), np.float32(0.25))
    both = {NAME: kernel, NAME.replace(".last.", ".best."): kernel}
    arrays = {"weights": dump_arrays(weights | both), "kernels": dump_arrays({"kernels": kernel})}
    change_run(folder, "baseline/seed-0", lambda run: run, **arrays)
    found = [str(finding) for finding in verify_bundle(folder).findings]
    assert len(found) == 2  # the last and the best weights, which are those of the only epoch
    assert all(each.startswith(f"{WEIGHTS}: ") and "the log of hashes has for epoch 1" in each for each in found)


def test_another_seeds_streams_are_found(smoke, tmp_path):
    """Streams that do not follow from a run's seed are named."""
    folder = copytree(smoke.folder, tmp_path / "bundle")
    change_run(folder, "dropout/seed-0", lambda run: set_in(run, "streams.order", "0" * 16))
    assert "stream 'order'" in str(verify_bundle(folder).findings)
