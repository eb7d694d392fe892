import numpy as np
import pytest
from analysis_cases import bundle
from suites import whole


def test_accuracies_are_as_asked(tmp_path):
    """Over many images the mean accuracy is the asked one, and the seeds spread as asked."""
    loaded = bundle(tmp_path, seeds=20, counts=(400, 100, 4000), seed_noise=0.01)
    found = [run.stages[0].last.test.accuracy for run in loaded.runs_of("second")]
    assert np.mean(found) == pytest.approx(0.6, abs=0.02)
    assert 0.004 < np.std(found) < 0.025


def test_same_arguments_write_the_same_bytes(tmp_path):
    """Two bundles of the same arguments are equal byte for byte."""
    for name in ("one", "two"):
        bundle(tmp_path / name, timing=True)
    files = sorted(path.relative_to(tmp_path / "one") for path in (tmp_path / "one").rglob("*") if path.is_file())
    assert len(files) > 20
    for path in files:
        assert (tmp_path / "one" / path).read_bytes() == (tmp_path / "two" / path).read_bytes()


def test_whole_suite_is_simulated_and_analysed():
    """All experiments have results, and every claim a verdict that canonical data can have."""
    _, results = whole()
    assert {trial.status for trial in results.trials} == {"done"}
    # Simulated runs record no dead units.
    verdicts = [verdict for verdict in results.verdicts if verdict.claim.quantity != "dead_units"]
    assert {verdict.outcome for verdict in verdicts} <= {"reproduced", "not_reproduced", "inconclusive"}
    assert results.data()
    assert not [caution for caution in results.cautions if caution.code in ("not_a_number", "test_mismatch")]
