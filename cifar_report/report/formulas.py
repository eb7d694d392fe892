"""Formulas of the algorithm, set by ziamath as pictures with their words as alternative text."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import cache

from cifar_report.report.elements import FormulaView, data_address
from cifar_report.report.i18n import Translation, mark

SIZE = 20.0  # pixels; the page scales it by em


@dataclass(frozen=True)
class Formula:
    """A formula in LaTeX and in words."""

    latex: str
    words: str


CONVOLUTION = Formula(
    r"z_{uvk} = b_k + \sum_{p=1}^{F} \sum_{q=1}^{F} \sum_{c=1}^{C} w_{pqck}\; a_{(su+p)(sv+q)c}",
    mark(
        "The sum z at row u, column v of filter k equals the bias b of k plus the sum, over the F rows p, the F "
        "columns q and the C channels c of the kernel, of weight w times the input a at row s u plus p, column s v "
        "plus q and channel c; s is the stride."
    ),
)
POOLING = Formula(
    r"a_{uvk} = \max_{1 \leq p,\, q \leq P}\; a_{(Pu+p)(Pv+q)k}",
    mark("The pooled value at row u and column v of channel k is the largest of the P times P values of its window."),
)
DENSE = Formula(
    r"z^{(l)} = W^{(l)} a^{(l-1)} + b^{(l)}, \qquad a^{(l)} = f\left(z^{(l)}\right)",
    mark(
        "The weighted sums z of layer l equal the weights W of layer l times the outputs a of the layer before, plus "
        "the biases b; the outputs of layer l are the activation function f of z."
    ),
)
RELU = Formula(
    r"f(z) = \max(0, z), \qquad f'(z) = \begin{cases} 1 & z > 0 \\ 0 & z \leq 0 \end{cases}",
    mark("ReLU of z is the larger of zero and z; its derivative is one for positive z and zero otherwise."),
)
SOFTMAX = Formula(
    r"\hat{y}_k = \frac{e^{z_k}}{\sum_{j=1}^{K} e^{z_j}}",
    mark("The estimated probability of class k is e to the z of k, divided by the sum of e to the z of all K classes."),
)
CROSS_ENTROPY = Formula(
    r"L = -\frac{1}{B} \sum_{i=1}^{B} \sum_{k=1}^{K} y_{ik} \log \hat{y}_{ik}",
    mark(
        "The loss L is minus the mean, over the B images of a batch, of the sum over the classes of the true "
        "probability y times the logarithm of the estimated one."
    ),
)
OUTPUT_ERROR = Formula(
    r"\delta^{(L)} = \hat{y} - y",
    mark("The error signal delta of the output layer is the estimated minus the true probabilities."),
)
LOCAL_GRADIENT = Formula(
    r"\delta^{(l)} = \left( W^{(l+1)} \right)^{\top} \delta^{(l+1)} \odot f'\left( z^{(l)} \right)",
    mark(
        "The local gradient delta of layer l is the transposed weights of the next layer times the next layer's delta, "
        "multiplied element by element by the derivative of the activation function at z."
    ),
)
GRADIENTS = Formula(
    r"\frac{\partial L}{\partial W^{(l)}} = \delta^{(l)} \left( a^{(l-1)} \right)^{\top}, \qquad "
    r"\frac{\partial L}{\partial b^{(l)}} = \delta^{(l)}",
    mark(
        "The derivative of the loss by the weights of layer l is its delta times the transposed outputs of the layer "
        "before; the derivative by its biases is its delta."
    ),
)
DELTA_RULE = Formula(
    r"\Delta W^{(l)} = -\eta\, \delta^{(l)} \left( a^{(l-1)} \right)^{\top}",
    mark("The delta rule: the weights change by minus the learning rate eta times the gradient."),
)
ADAM_MOMENTS = Formula(
    r"m_t = \beta_1 m_{t-1} + (1 - \beta_1)\, g_t, \qquad v_t = \beta_2 v_{t-1} + (1 - \beta_2)\, g_t^2",
    mark(
        "Adam keeps a running mean m of the gradient g with the factor beta one, and a running mean v of its square "
        "with the factor beta two."
    ),
)
ADAM_STEP = Formula(
    r"\theta_t = \theta_{t-1} - \eta\, \frac{\hat{m}_t}{\sqrt{\hat{v}_t} + \varepsilon}, \qquad "
    r"\hat{m}_t = \frac{m_t}{1 - \beta_1^t}, \qquad \hat{v}_t = \frac{v_t}{1 - \beta_2^t}",
    mark(
        "Adam changes each parameter theta by minus the learning rate eta times the corrected mean of the gradient, "
        "divided by the root of the corrected mean of its square plus a small epsilon."
    ),
)
BATCH_NORMALIZATION = Formula(
    r"\hat{x} = \frac{x - \mu_B}{\sqrt{\sigma_B^2 + \varepsilon}}, \qquad y = \gamma\, \hat{x} + \beta",
    mark(
        "Batch normalization subtracts the mean of the batch from x and divides by the root of its variance plus "
        "epsilon; gamma scales and beta shifts the result."
    ),
)


def view(formula: Formula, translation: Translation) -> FormulaView:
    """Return a formula as a data address with its words in one language."""
    address, width, height = _drawn(formula.latex)
    return FormulaView(address, translation.gettext(formula.words), width, height)


@cache
def _drawn(latex: str) -> tuple[str, float, float]:
    """Return a formula's SVG as a data address, and its width and height in em."""
    with warnings.catch_warnings():
        # It opens its own font by a call that Python has deprecated, which is nothing that our users could change.
        warnings.simplefilter("ignore", DeprecationWarning)
        from ziamath.zmath import Latex

        drawn = Latex(latex, size=SIZE)
    width, height = drawn.getsize()
    return data_address(drawn.svg().encode(), "image/svg+xml"), round(width / SIZE, 3), round(height / SIZE, 3)
