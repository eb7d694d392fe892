"""The algorithm's numbered formulas, and its one step with numbers, which is computed and not typed."""

import numpy as np
import pytest
from reports import Page, report_of, small_bundle

from cifar_report.report.sections.algorithm import LATEX, worked_step


def loss(weights, step):
    """Return the loss of the tiny network on its image, written another way than in the report."""
    first, second = weights
    sums = [sum(w * max(0.0, float(row @ step.inputs)) for w, row in zip(line, first, strict=True)) for line in second]
    return -sums[1] + np.logaddexp(*sums)


def test_the_worked_step_follows_the_slope_of_the_loss():
    """Each gradient is the slope that small changes of its weight show, and the step leaves a smaller loss."""
    step = worked_step()
    assert step.loss == pytest.approx(loss(step.weights, step))
    for layer in (0, 1):
        for place in np.ndindex(2, 2):
            ends = []
            for sign in (1, -1):
                moved = [weights.copy() for weights in step.weights]
                moved[layer][place] += sign * 1e-6
                ends.append(loss(moved, step))
            assert step.gradients[layer][place] == pytest.approx((ends[0] - ends[1]) / 2e-6, abs=1e-8)
        assert step.updated[layer] == pytest.approx(step.weights[layer] - step.rate * step.gradients[layer])
    assert step.loss_after == pytest.approx(loss(step.updated, step))
    assert step.loss_after < step.loss
    assert step.outputs[0][1] == step.deltas[0][1] == 0  # the silent neuron that the text speaks of


def test_formulas_are_numbered_and_only_layers_that_occur_are_explained():
    """Numbers leave none out; without batch normalization and dropout in a bundle their formulas are not there."""
    plain, whole = (
        Page(report_of(small_bundle(*ids, seeds=2)))
        for ids in (("baseline",), ("baseline", "filters", "batch_norm", "dropout"))
    )
    for page, absent in ((plain, 2), (whole, 0)):
        chapter = page.all("section", "chapter-algorithm")[0]
        numbers = [each.text for each in chapter.inside if each.attributes.get("class") == "equation"]
        assert numbers == [f"({number})" for number in range(1, len(LATEX) - absent + 1)]
        assert ("Batch normalization (" in chapter.text) is not absent
    assert len(plain.all("math")) > len(LATEX)
