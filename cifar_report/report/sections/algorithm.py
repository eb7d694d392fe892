"""Section 1: the algorithm in numbered formulas, its symbols, and one step of back-propagation in numbers."""

import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from latex2mathml.converter import convert
from markupsafe import Markup

from cifar_report.report.elements import FormulaView, SectionView, Table, data_address
from cifar_report.report.i18n import load_messages
from cifar_report.report.names import activation_of, setting_name
from cifar_report.report.writer import Writer
from cifar_report.spec import (
    BatchNormalization,
    Conv2D,
    Dropout,
    KerasObject,
    MaxPooling2D,
    Trial,
    leaves,
)

Array = np.ndarray[Any, np.dtype[np.float64]]
SAY = load_messages("formulas")
FORMULA_SIZE = 20.0  # pixels; the page scales it by em
LATEX = {
    "convolution": r"z_{uvk} = b_k + \sum_{p,q=1}^{F} \; \sum_{c=1}^{C} \; w_{pqck}\; a_{(su+p)(sv+q)c}",
    "pooling": r"a_{uvk} = \max_{1 \leq p,\, q \leq P}\; a_{(Pu+p)(Pv+q)k}",
    "dense": r"z^{(l)} = W^{(l)} a^{(l-1)} + b^{(l)}, \qquad a^{(l)} = f\left(z^{(l)}\right)",
    "relu": r"f(z) = \max(0, z), \qquad f'(z) = \begin{cases} 1 & z > 0 \\ 0 & z \leq 0 \end{cases}",
    "softmax": r"\hat{y}_k = \frac{e^{z_k}}{\sum_{j=1}^{K} e^{z_j}}",
    "batch_normalization": (
        r"\hat{x} = \frac{x - \mu_B}{\sqrt{\sigma_B^2 + \varepsilon}}, \qquad \tilde{x} = \gamma\, \hat{x} + \beta"
    ),
    "dropout": r"\tilde{a}_i = \frac{d_i\, a_i}{1 - r}, \qquad P(d_i = 0) = r",
    "cross_entropy": r"L = -\frac{1}{B} \sum_{i=1}^{B} \; \sum_{k=1}^{K} \; y_{ik} \log \hat{y}_{ik}",
    "output_error": r"\delta^{(L)} = \hat{y} - y",
    "local_gradient": r"\delta^{(l)} = \left( W^{(l+1)} \right)^{\top} \delta^{(l+1)} \odot f'\left( z^{(l)} \right)",
    "gradients": (
        r"\frac{\partial L}{\partial W^{(l)}} = \delta^{(l)} \left( a^{(l-1)} \right)^{\top}, \qquad "
        r"\frac{\partial L}{\partial b^{(l)}} = \delta^{(l)}"
    ),
    "delta_rule": r"\Delta W^{(l)} = -\eta\, \delta^{(l)} \left( a^{(l-1)} \right)^{\top}",
    "adam_moments": (
        r"m_t = \beta_1 m_{t-1} + (1 - \beta_1)\, g_t, \qquad v_t = \beta_2 v_{t-1} + (1 - \beta_2)\, g_t^2"
    ),
    "adam_step": (
        r"\theta_t = \theta_{t-1} - \eta\, \frac{\hat{m}_t}{\sqrt{\hat{v}_t} + \varepsilon}, \qquad "
        r"\hat{m}_t = \frac{m_t}{1 - \beta_1^t}, \qquad \hat{v}_t = \frac{v_t}{1 - \beta_2^t}"
    ),
}
MOST_USERS = 4  # trials that are named as having a layer
ADAM = (0.9, 0.999, 1e-7)  # the defaults of Keras, which no trial changes
SYMBOLS = {
    "layers": r"z^{(l)},\, a^{(l)}",
    "kernel": r"w_{pqck},\, b_k",
    "side": "F",
    "channels": "C",
    "stride": "s",
    "window": "P",
    "dense": r"W^{(l)},\, b^{(l)}",
    "activation": "f",
    "truth": r"\hat{y},\, y",
    "classes": "K",
    "batch": "B",
    "loss": "L",
    "delta": r"\delta^{(l)}",
    "product": r"\odot",
    "rate": r"\eta",
    "means": r"g_t,\, m_t,\, v_t",
    "decay": r"\beta_1,\, \beta_2,\, \varepsilon",
    "batch_normalization": r"\mu_B,\, \sigma_B^2,\, \gamma,\, \beta",
    "dropout": r"d_i,\, r",
}
"""By the name of each symbol's meaning in the messages."""


def algorithm(writer: Writer, number: str) -> SectionView:
    """Return section 1; formulas of layers that no trial of the bundle has are left out."""
    heading = writer.heading("algorithm", writer.word("Description of the algorithm"), 2, number)
    trials = [trial for trial in writer.bundle.trials.values() if isinstance(trial, Trial)]
    optional = {
        "batch_normalization": _users(writer, trials, BatchNormalization),
        "dropout": _users(writer, trials, Dropout),
    }
    others = other_optimizers(writer, trials)
    if not any(trial.optimizer.name == "Adam" for trial in trials):
        optional |= dict.fromkeys(("adam_moments", "adam_step", "means", "decay"))
    shown = [name for name in LATEX if optional.get(name, True)]
    numbers = {name: writer.numbers.integer(place) for place, name in enumerate(shown, start=1)}
    symbols = [name for name in SYMBOLS if optional.get(name, True)]
    view = {
        "forward": writer.heading("forward", writer.word("Forward pass"), 3, f"{number}.1"),
        "backward": writer.heading("backward", writer.word("Loss and backward pass"), 3, f"{number}.2"),
        "adam": writer.heading("adam", writer.word("Optimizers") if others else writer.word("Adam"), 3, f"{number}.3"),
        "optimizers": others,
        "activations": other_activations(writer, trials),
        "step": writer.heading("step", writer.word("One step with numbers"), 3, f"{number}.4"),
        "formulas": {name: formula(writer, LATEX[name], writer.word(SAY.words[name]), numbers[name]) for name in shown},
        "users": optional,
        "symbols": _symbols(writer, symbols, next(iter(trials), None)),
        "worked": _worked(writer, numbers),
        "rate": writer.numbers.plain(worked_step().rate),
    }
    return SectionView(heading, "algorithm", view)


def other_optimizers(writer: Writer, trials: Sequence[Trial]) -> Markup | None:
    """Return which trials are trained by another optimizer than Adam as Keras has it; None where none is."""
    found: dict[str, list[str]] = {}
    for trial in trials:
        if trial.optimizer != KerasObject("Adam"):
            found.setdefault(setting_name(trial.optimizer), []).append(trial.id)
    return _by_name(writer, found)


def other_activations(writer: Writer, trials: Sequence[Trial]) -> Markup | None:
    """Return which trials have another activation than ReLU in a layer before the last one; None where none has."""
    found: dict[str, list[str]] = {}
    for trial in trials:
        for name in dict.fromkeys(map(activation_of, leaves(trial.layers[:-1]))):
            if name not in (None, "relu", "linear"):
                found.setdefault(name, []).append(trial.id)
    return _by_name(writer, found)


def _by_name(writer: Writer, found: Mapping[str, Sequence[str]]) -> Markup | None:
    named = [Markup("{} ({})").format(name, _named(writer, trials)) for name, trials in found.items()]
    return writer.enumeration(named) if named else None


def _users(writer: Writer, trials: list[Trial], kind: type) -> Markup | None:
    """Return the trials whose network has a kind of layer; None where there is none."""
    found = [trial.id for trial in trials if any(layer.kind == kind.__name__ for layer in leaves(trial.layers))]
    return _named(writer, found) if found else None


def _named(writer: Writer, found: Sequence[str]) -> Markup:
    """Return the names of trials, of many the first ones."""
    shown = [writer.trial_name(name) for name in found[:MOST_USERS]]
    if len(found) > MOST_USERS:
        shown.append(writer.sentence(SAY.others))
    return writer.enumeration(shown)


def formula(writer: Writer, latex: str, words: str, number: str = "") -> FormulaView:
    """Return a formula as MathML for the screen, and as a picture with alternative text for print, which has none."""
    if writer.medium == "screen":
        return FormulaView(alt=words, number=number, mathml=Markup(convert(latex, display="block")))  # noqa: S704
    with warnings.catch_warnings():
        # It opens its own font by a call that Python has deprecated, which is nothing that our users could change.
        warnings.simplefilter("ignore", DeprecationWarning)
        from ziamath.zmath import Latex

        drawn = Latex(latex, size=FORMULA_SIZE)
    width, height = (round(side / FORMULA_SIZE, 3) for side in drawn.getsize())
    address = data_address(drawn.svg().encode(), "image/svg+xml")
    return FormulaView(alt=words, number=number, address=address, width_em=width, height_em=height)


def _inline(writer: Writer, latex: str, words: str) -> Markup:
    """Return a formula as a part of a line."""
    made = formula(writer, latex, words)
    if made.mathml is not None:
        return made.mathml.replace('display="block"', Markup('display="inline" aria-label="{}"').format(words), 1)
    return Markup('<img class="inline" src="{}" alt="{}" style="width:{}em">').format(
        made.address, made.alt, made.width_em
    )


def _symbols(writer: Writer, names: list[str], reference: Trial | None) -> Table:
    """Return what each symbol means, with its value in the reference model where the configuration has one."""
    values = {} if reference is None else _values(writer, reference)
    rows = []
    for name in names:
        meaning = writer.word(SAY.symbols[name])
        shown = writer.sentence(SAY.valued, meaning=meaning, value=values[name]) if name in values else meaning
        rows.append((_inline(writer, SYMBOLS[name], meaning), shown))
    columns = writer.columns("Symbol | Meaning", words=2)
    caption = writer.sentence("Symbols, with their values in the reference model")
    return writer.table("symbols", caption, columns, rows, widths=(16, 84))


def _values(writer: Writer, trial: Trial) -> dict[str, str]:
    plain = writer.numbers.plain
    first = {type(layer): layer for layer in reversed(trial.layers)}
    found: dict[str, float] = {"classes": trial.classes, "batch": trial.batch_size}
    if not isinstance(trial.learning_rate, KerasObject):
        found["rate"] = trial.learning_rate
    if isinstance(convolution := first.get(Conv2D), Conv2D):
        found |= {"side": convolution.kernel_size, "channels": trial.input_shape[-1], "stride": convolution.strides}
    if isinstance(pooling := first.get(MaxPooling2D), MaxPooling2D):
        found["window"] = pooling.pool_size
    return {name: plain(value) for name, value in found.items()} | {"decay": "; ".join(map(plain, ADAM))}


@dataclass(frozen=True)
class WorkedStep:
    """One step of the delta rule in a network of two dense layers without biases: ReLU, then softmax.

    ``inputs`` and ``target`` have the shape [2], ``weights``, ``gradients`` and ``updated`` hold a matrix [2, 2] for
    each layer, ``sums``, ``outputs`` and ``deltas`` a vector [2].
    """

    inputs: Array
    target: Array
    rate: float
    weights: tuple[Array, Array]
    sums: tuple[Array, Array]
    outputs: tuple[Array, Array]
    loss: float
    deltas: tuple[Array, Array]
    gradients: tuple[Array, Array]
    updated: tuple[Array, Array]
    loss_after: float


def worked_step(rate: float = 0.5) -> WorkedStep:
    """Return the step; the weights are chosen so that one hidden neuron is silent."""
    inputs, target = np.array([1.0, 0.5]), np.array([0.0, 1.0])
    weights = (np.array([[0.4, 0.2], [-0.6, 0.4]]), np.array([[0.6, -0.2], [-0.4, 0.3]]))
    sums, outputs, loss = _forward(inputs, target, weights)
    last = outputs[1] - target
    deltas = ((weights[1].T @ last) * (sums[0] > 0), last)
    gradients = (np.outer(deltas[0], inputs), np.outer(deltas[1], outputs[0]))
    updated = (weights[0] - rate * gradients[0], weights[1] - rate * gradients[1])
    after = _forward(inputs, target, updated)[2]
    return WorkedStep(inputs, target, rate, weights, sums, outputs, loss, deltas, gradients, updated, after)


def _forward(
    inputs: Array, target: Array, weights: tuple[Array, Array]
) -> tuple[tuple[Array, Array], tuple[Array, Array], float]:
    """Return the weighted sums and the outputs of both layers, and the loss."""
    hidden = weights[0] @ inputs
    silenced = np.maximum(hidden, 0.0)
    last = weights[1] @ silenced
    estimated = np.exp(last) / np.exp(last).sum()
    return (hidden, last), (silenced, estimated), float(-(target * np.log(estimated)).sum())


def _worked(writer: Writer, numbers: dict[str, str]) -> Table:
    """Return the step as a table: what is computed, by which formulas, and the result."""
    rows = []
    for name, by, latex, values in _steps(writer, worked_step()):
        step = writer.word(SAY.steps[name])
        named = ", ".join(f"({numbers[each]})" for each in by)
        rows.append((f"{step} {named}".strip(), _inline(writer, latex, f"{step}: {values}")))
    columns = writer.columns("Step | Result", words=2)
    return writer.table("step", writer.sentence("One step of back-propagation"), columns, rows, widths=(26, 74))


Row = tuple[str, tuple[str, ...], str, str]
"""Name, formulas, result as LaTeX, and its numbers."""


def _steps(writer: Writer, step: WorkedStep) -> Iterator[Row]:
    """Yield for each row its name, its formulas, and its result as LaTeX and as a list of numbers."""

    def row(name: str, by: tuple[str, ...], *results: tuple[str, Array | float]) -> Row:
        latex = r", \qquad ".join(f"{symbol} = {_matrix(writer, value)}" for symbol, value in results)
        return name, by, latex, "; ".join(_listed(writer, value) for _, value in results)

    first, second = r"^{(1)}", r"^{(2)}"
    yield row("given", (), (f"W{first}", step.weights[0]), (f"W{second}", step.weights[1]), ("x", step.inputs))
    yield row("hidden", ("dense", "relu"), (f"z{first}", step.sums[0]), (f"a{first}", step.outputs[0]))
    yield row("output", ("dense", "softmax"), (f"z{second}", step.sums[1]), (r"\hat{y}", step.outputs[1]))
    yield row("loss", ("cross_entropy",), ("y", step.target), ("L", step.loss))
    yield row(
        "errors",
        ("output_error", "local_gradient"),
        (rf"\delta{second}", step.deltas[1]),
        (rf"\delta{first}", step.deltas[0]),
    )
    yield row(
        "gradients",
        ("gradients",),
        (rf"\frac{{\partial L}}{{\partial W{second}}}", step.gradients[1]),
        (rf"\frac{{\partial L}}{{\partial W{first}}}", step.gradients[0]),
    )
    yield row("update", ("delta_rule",), (f"W{second}", step.updated[1]), (f"W{first}", step.updated[0]))
    yield row("after", ("dense", "cross_entropy"), ("L", step.loss_after))


def _matrix(writer: Writer, value: Array | float) -> str:
    """Return a number, a column or a matrix as LaTeX."""
    if isinstance(value, float):
        return _latex_number(writer, value)
    rows = [" & ".join(_latex_number(writer, cell) for cell in np.atleast_1d(row)) for row in value]
    return r"\begin{pmatrix} " + r" \\ ".join(rows) + r" \end{pmatrix}"


def _latex_number(writer: Writer, value: float) -> str:
    return writer.numbers.bare(float(value), "score").replace("\N{MINUS SIGN}", "-").replace(",", "{,}")


def _listed(writer: Writer, value: Array | float) -> str:
    return ", ".join(writer.numbers.bare(float(each), "score") for each in np.ravel(value))
