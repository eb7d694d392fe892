import numpy as np
import pytest
from sklearn.metrics import confusion_matrix, log_loss, precision_recall_fscore_support

from cifar_report.analysis.metrics import brier, class_rates, confusion, negative_log_likelihood, reliability

GENERATOR = np.random.default_rng(3)
LABELS = GENERATOR.integers(0, 10, 500).astype(np.uint8)
TABLE = GENERATOR.dirichlet(np.full(10, 0.4), 500).astype(np.float32)
PREDICTED = TABLE.argmax(axis=1).astype(np.uint8)


def test_class_rates_agree_with_scikit_learn() -> None:
    """Precision, recall and F1 by class are scikit-learn's."""
    rates = class_rates(confusion(LABELS, PREDICTED))
    expected = precision_recall_fscore_support(LABELS, PREDICTED, labels=range(10), zero_division=0)
    for ours, theirs in zip(rates, expected, strict=False):
        assert ours == pytest.approx(theirs)


def test_confusion_agrees_with_scikit_learn() -> None:
    """Rows are labels and columns are answers, as in scikit-learn."""
    assert np.array_equal(confusion(LABELS, PREDICTED), confusion_matrix(LABELS, PREDICTED, labels=range(10)))


def test_class_that_is_never_predicted_has_rates_of_nought() -> None:
    """A class without answers has precision 0 instead of a division by nought, as with zero_division=0."""
    predicted = np.where(PREDICTED == 3, 4, PREDICTED).astype(np.uint8)
    rates = class_rates(confusion(LABELS, predicted))
    assert (rates.precision[3], rates.recall[3], rates.f1[3]) == (0, 0, 0)


def test_log_likelihood_agrees_with_scikit_learn() -> None:
    """The mean negative log likelihood is log_loss on the same probabilities."""
    table = TABLE.astype(np.float64)
    table /= table.sum(axis=1, keepdims=True)
    assert negative_log_likelihood(LABELS, table) == pytest.approx(log_loss(LABELS, table, labels=range(10)))


def test_certain_and_wrong_has_a_finite_likelihood() -> None:
    """A probability of nought for the label costs much, but no infinity."""
    table = np.zeros((1, 10), np.float32)
    table[0, 1] = 1
    assert 10 < negative_log_likelihood(np.array([0], np.uint8), table) < 20


def test_brier_by_hand() -> None:
    """Half on the label and half on another class: .25 + .25; certain and right: 0; certain and wrong: 2."""
    table = np.zeros((3, 10), np.float32)
    table[0, :2], table[1, 0], table[2, 1] = 0.5, 1, 1
    assert brier(np.zeros(3, np.uint8), table) == pytest.approx((0.5 + 0 + 2) / 3)


def test_calibration_error_by_hand() -> None:
    """Two images at .8, one right: confidence .8 against accuracy .5."""
    table = np.full((2, 10), 0.2 / 9, np.float32)
    table[:, 0] = 0.8
    bins = reliability(np.array([0, 1], np.uint8), table)
    assert bins.calibration_error == pytest.approx(0.3, abs=1e-6)
    assert bins.counts.sum() == 2


def test_certainty_falls_into_the_last_bin() -> None:
    """A probability of 1 belongs to the last bin and not beyond it."""
    table = np.eye(10, dtype=np.float32)
    assert reliability(np.arange(10, dtype=np.uint8), table).counts[-1] == 10
