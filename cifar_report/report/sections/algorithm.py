"""Section 1: the algorithm in numbered formulas, its symbols, and one step of back-propagation in numbers."""

import tomllib
import warnings
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
from latex2mathml.converter import convert
from markupsafe import Markup

from cifar_report.report.elements import FormulaView, SectionView, Table, data_address
from cifar_report.report.i18n import load_messages
from cifar_report.report.names import activation_of, setting_name
from cifar_report.report.writer import Writer
from cifar_report.spec import BatchNormalization, Conv2D, Dropout, KerasObject, MaxPooling2D, Trial, leaves

Array = np.ndarray[Any, np.dtype[np.float64]]
SAY = load_messages("formulas")
FORMULA_SIZE = 20.0  # pixels; the page scales it by em
LATEX, SYMBOLS = tomllib.loads((Path(__file__).parents[1] / "formulas.toml").read_text(encoding="utf-8")).values()
MOST_USERS = 4  # trials that are named as having a layer
ADAM = (0.9, 0.999, 1e-7)  # the defaults of Keras, which no trial changes


def algorithm(writer: Writer, number: str) -> SectionView:
    """Return section 1; formulas of layers that no trial of the bundle has are left out."""
    heading = writer.heading("algorithm", writer.word("Description of the algorithm"), 2, number)
    trials = [trial for trial in writer.bundle.trials.values() if isinstance(trial, Trial)]
    optional = {}
    for name, kind in (("batch_normalization", BatchNormalization), ("dropout", Dropout)):
        found = [trial.id for trial in trials if any(layer.kind == kind.__name__ for layer in leaves(trial.layers))]
        optional[name] = _named(writer, found) if found else None
    others = other_optimizers(writer, trials)
    if not any(trial.optimizer.name == "Adam" for trial in trials):
        optional |= dict.fromkeys(("adam_moments", "adam_step", "means", "decay"))
    shown = [name for name in LATEX if optional.get(name, True)]
    numbers = {name: writer.numbers.integer(place) for place, name in enumerate(shown, start=1)}
    symbols = (name for name in SYMBOLS if optional.get(name, True))
    view = {
        "forward": writer.heading("forward", writer.word("Forward pass"), 3, f"{number}.1"),
        "backward": writer.heading("backward", writer.word("Loss and backward pass"), 3, f"{number}.2"),
        "adam": writer.heading("adam", writer.word("Optimizers") if others else writer.word("Adam"), 3, f"{number}.3"),
        "optimizers": others,
        "step": writer.heading("step", writer.word("One step with numbers"), 3, f"{number}.4"),
        "formulas": {name: formula(writer, LATEX[name], writer.word(SAY.words[name]), numbers[name]) for name in shown},
        "users": optional,
        "symbols": _symbols(writer, symbols, _values(writer, trials[0]) if trials else {}),
        "worked": _worked(writer, numbers),
        "rate": writer.numbers.plain(worked_step().rate),
    }
    return SectionView(heading, "algorithm", view)


def other_optimizers(writer: Writer, trials: Sequence[Trial]) -> Markup | None:
    """Return which trials are trained by another optimizer than Adam as Keras has it; None where none is."""
    others = (each for each in trials if each.optimizer != KerasObject("Adam"))
    return _by_name(writer, ((setting_name(each.optimizer), each.id) for each in others))


def other_activations(writer: Writer, trials: Sequence[Trial]) -> Markup | None:
    """Return which trials have another activation than ReLU in a layer before the last one; None where none has."""
    pairs = dict.fromkeys((activation_of(layer), each.id) for each in trials for layer in leaves(each.layers[:-1]))
    return _by_name(writer, ((name, trial) for name, trial in pairs if name and name not in ("relu", "linear")))


def _by_name(writer: Writer, pairs: Iterable[tuple[str, str]]) -> Markup | None:
    found: dict[str, list[str]] = {}
    for name, trial in pairs:
        found.setdefault(name, []).append(trial)
    named = [Markup("{} ({})").format(name, _named(writer, trials)) for name, trials in found.items()]
    return writer.enumeration(named) if named else None


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
    width = round(drawn.getsize()[0] / FORMULA_SIZE, 3)
    address = data_address(drawn.svg().encode(), "image/svg+xml")
    return FormulaView(alt=words, number=number, address=address, width_em=width)


def _inline(writer: Writer, latex: str, words: str) -> Markup:
    """Return a formula as a part of a line."""
    made = formula(writer, latex, words)
    if made.mathml is not None:
        return made.mathml.replace('display="block"', Markup('display="inline" aria-label="{}"').format(words), 1)
    return Markup('<img class="inline" src="{}" alt="{}" style="width:{}em">').format(
        made.address, made.alt, made.width_em
    )


def _symbols(writer: Writer, names: Iterable[str], values: Mapping[str, str]) -> Table:
    """Return what each symbol means, with its value in the reference model where the configuration has one."""
    rows = []
    for name in names:
        meaning = writer.word(SAY.symbols[name])
        shown = writer.sentence(SAY.valued, meaning=meaning, value=values[name]) if name in values else meaning
        rows.append((_inline(writer, SYMBOLS[name], meaning), shown))
    return writer.table("symbols", rows)


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


def worked_step(rate: float = 0.5) -> SimpleNamespace:
    """Return one step of the delta rule in a network of two dense layers without biases: ReLU, then softmax.

    ``inputs`` and ``target`` have the shape [2], ``weights``, ``gradients`` and ``updated`` hold a matrix [2, 2] for
    each layer, ``sums``, ``outputs`` and ``deltas`` a vector [2]. The weights are chosen so that one hidden neuron is
    silent.
    """
    inputs, target = np.array([1.0, 0.5]), np.array([0.0, 1.0])
    weights = (np.array([[0.4, 0.2], [-0.6, 0.4]]), np.array([[0.6, -0.2], [-0.4, 0.3]]))

    def forward(first: Array, second: Array) -> tuple[tuple[Array, Array], tuple[Array, Array], float]:
        """Return the weighted sums and the outputs of both layers, and the loss."""
        hidden = first @ inputs
        silenced = np.maximum(hidden, 0.0)
        last = second @ silenced
        estimated = np.exp(last) / np.exp(last).sum()
        return (hidden, last), (silenced, estimated), float(-(target * np.log(estimated)).sum())

    sums, outputs, loss = forward(*weights)
    last = outputs[1] - target
    deltas = ((weights[1].T @ last) * (sums[0] > 0), last)
    gradients = (np.outer(deltas[0], inputs), np.outer(deltas[1], outputs[0]))
    updated = (weights[0] - rate * gradients[0], weights[1] - rate * gradients[1])
    found = {"inputs": inputs, "target": target, "rate": rate, "weights": weights, "sums": sums, "outputs": outputs}
    found |= {"loss": loss, "deltas": deltas, "gradients": gradients, "updated": updated}
    return SimpleNamespace(**found, loss_after=forward(*updated)[2])


def _worked(writer: Writer, numbers: dict[str, str]) -> Table:
    """Return the step as a table: what is computed, by which formulas, and the result."""
    rows = []
    for name, by, *results in _steps(worked_step()):
        latex = r", \qquad ".join(f"{symbol} = {_matrix(writer, value)}" for symbol, value in results)
        values = "; ".join(", ".join(_score(writer, each) for each in np.ravel(value)) for _, value in results)
        step, named = writer.word(SAY.steps[name]), ", ".join(f"({numbers[each]})" for each in by)
        rows.append((f"{step} {named}".strip(), _inline(writer, latex, f"{step}: {values}")))
    return writer.table("step", rows)


def _steps(step: SimpleNamespace) -> tuple[tuple[Any, ...], ...]:
    """Return for each row its name, its formulas, and what results: a symbol with its numbers."""
    first, second, delta = r"^{(1)}", r"^{(2)}", r"\delta"
    slope = r"\frac{\partial L}{\partial W%s}"
    return (
        ("given", (), (f"W{first}", step.weights[0]), (f"W{second}", step.weights[1]), ("x", step.inputs)),
        ("hidden", ("dense", "relu"), (f"z{first}", step.sums[0]), (f"a{first}", step.outputs[0])),
        ("output", ("dense", "softmax"), (f"z{second}", step.sums[1]), (r"\hat{y}", step.outputs[1])),
        ("loss", ("cross_entropy",), ("y", step.target), ("L", step.loss)),
        (
            "errors",
            ("output_error", "local_gradient"),
            (delta + second, step.deltas[1]),
            (delta + first, step.deltas[0]),
        ),
        ("gradients", ("gradients",), (slope % second, step.gradients[1]), (slope % first, step.gradients[0])),
        ("update", ("delta_rule",), (f"W{second}", step.updated[1]), (f"W{first}", step.updated[0])),
        ("after", ("dense", "cross_entropy"), ("L", step.loss_after)),
    )


def _matrix(writer: Writer, value: Array | float) -> str:
    """Return a number, a column or a matrix as LaTeX."""
    if isinstance(value, float):
        return _score(writer, value).replace("\N{MINUS SIGN}", "-").replace(",", "{,}")
    rows = (" & ".join(_matrix(writer, float(cell)) for cell in np.atleast_1d(row)) for row in value)
    return r"\begin{pmatrix} " + r" \\ ".join(rows) + r" \end{pmatrix}"


def _score(writer: Writer, value: float) -> str:
    return writer.numbers.bare(float(value), "score")
