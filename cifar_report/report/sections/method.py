"""Section 2: the code with the configurations of the bundle."""

from collections.abc import Iterator
from typing import cast

from markupsafe import Markup
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

from cifar_report.analysis.results.trials import Costs
from cifar_report.plain_keras import shown_excerpts
from cifar_report.report.elements import Cell, SectionView, Table
from cifar_report.report.i18n import load_messages, mark
from cifar_report.report.names import network_name, setting_name
from cifar_report.report.sections.algorithm import other_activations, other_optimizers
from cifar_report.report.text.trials import MOST_CHANGES, change_labels
from cifar_report.report.writer import Writer
from cifar_report.spec import Augmentation, Conv2D, Dense, KerasObject, Trial, leaves

SAY = load_messages("sections")

SETTINGS = (
    (mark("Loss"), mark("categorical cross-entropy of one-hot labels")),
    (mark("Activation of the output"), mark("softmax over the ten classes")),
    (mark("Scaling of the pixels"), mark("pixel values divided by 255")),
    (mark("Selection of weights"), mark("by the validation images alone, never by the test images")),
)


def code_section(writer: Writer, number: str) -> SectionView:
    """Return section 2: how the data are prepared and what is trained; nothing is written by hand for one trial."""
    heading = writer.heading("code", writer.word("Explanation of the code"), 2, number)
    trials = [trial for trial in writer.bundle.trials.values() if isinstance(trial, Trial)]
    stages = [stage for trial in trials for stage in trial.stages]
    augmentations = dict.fromkeys(stage.augmentation for stage in stages if stage.augmentation)
    stoppings = dict.fromkeys(stage.early_stopping for stage in stages if stage.early_stopping)
    title = writer.word("The networks and their configurations")
    splits = sorted({trial.split_seed for trial in writer.bundle.trials.values()})
    view = {
        "data": writer.heading("code-data", writer.word("Data: loading, splitting, scaling"), 3, f"{number}.1"),
        "training": writer.heading("code-training", writer.word("Training and evaluation"), 3, f"{number}.2"),
        "settings": _settings(writer, trials),
        "configurations": writer.heading("code-configurations", title, 3, f"{number}.3"),
        "networks": _networks(writer, trials),
        "augmentations": [writer.enumeration(list(_augmentation(writer, each))) for each in augmentations],
        "patience": [writer.numbers.integer(each.patience) for each in stoppings],
        "fixed_orders": list(_fixed_orders(writer, trials)),
        "splits": writer.numbers.enumeration([str(split) for split in splits]),
        "listings": list(_listings(writer, trials)) if trials else [],
    }
    return SectionView(heading, "code", view)


def _fixed_orders(writer: Writer, trials: list[Trial]) -> Iterator[Markup]:
    """Yield what training in one order of the images reached, beside a new order in every epoch."""
    for trial in trials:
        if trial.data_order == "fixed" and trial.one_change in writer.bundle.trials:
            fixed, other = (writer.results.trial(name).primary.datum for name in (trial.id, trial.one_change))
            if fixed.value is not None and other.value is not None:
                named = {"trial": writer.trial_name(trial.id), "comparator": writer.trial_name(trial.one_change)}
                numbers = {"fixed": writer.quantity(fixed), "other": writer.quantity(other)}
                yield writer.sentence(SAY.fixed_order, **named, **numbers)


def _augmentation(writer: Writer, augmentation: Augmentation) -> Iterator[Markup]:
    plain = writer.numbers.plain
    if augmentation.rotation_degrees:
        degrees = plain(augmentation.rotation_degrees)
        yield writer.sentence("a random rotation by up to %(degrees)s degrees to either side", degrees=degrees)
    if augmentation.shift_fraction:
        yield writer.sentence(SAY.shift, share=plain(100 * augmentation.shift_fraction))
    if augmentation.horizontal_flip:
        yield writer.sentence("a random horizontal flip (p = 0.5)")


def _settings(writer: Writer, trials: list[Trial]) -> Table:
    """Return the settings that trials share, with those that differ; the others stand in the table of the networks."""
    adam = writer.word("Adam with Keras's defaults, apart from the learning rate")
    optimizers, activations = other_optimizers(writer, trials), other_activations(writer, trials)
    by_adam = any(trial.optimizer.name == "Adam" for trial in trials)
    own = [
        (writer.word("Optimizer"), _but_for(writer, adam if by_adam else None, optimizers)),
        (writer.word("Activation of hidden layers"), _but_for(writer, writer.word("ReLU"), activations)),
    ]
    weighted = [layer for trial in trials for layer in leaves(trial.layers) if isinstance(layer, (Conv2D, Dense))]
    if any(trial.label_smoothing for trial in trials) or any(layer.kernel_regularizer for layer in weighted):
        own.append((writer.word("Training loss"), writer.cell(writer.word(SAY.training_loss))))
    rows = [*own, *((writer.word(name), writer.word(text)) for name, text in SETTINGS)]
    return writer.table("settings", rows)


def _but_for(writer: Writer, usual: str | None, others: Markup | None) -> Cell:
    if others is None or usual is None:
        return Cell(Markup.escape(others or usual or ""))
    return Cell(writer.sentence("%(usual)s, but for %(others)s", usual=usual, others=others))


def _networks(writer: Writer, trials: list[Trial]) -> Table:
    """Return all networks as differences: the first in full, every other one by what changes from its comparator."""
    rows = []
    for trial in trials:
        costs = cast("Costs", writer.results.trial(trial.id).costs)  # of the built model where nothing else tells them
        counts = (costs.parameters, costs.macs) if trial.macs is None else (trial.parameters_total, trial.macs)
        shown = _difference(writer, trial) or _in_full(writer, trial)
        rows.append((writer.translation.text(trial.title), shown, *counts))
    return writer.table("networks", rows)


def _difference(writer: Writer, trial: Trial) -> Markup | None:
    """Return what changes from the trial's comparator; None without one, or where so much changes that it says less."""
    result = writer.results.trial(trial.id)
    pairs = ((trial.one_change, result.one_change_changes), (trial.as_written, result.as_written_changes))
    for comparator, changes in pairs:
        if comparator is not None and 0 < len(changes) <= MOST_CHANGES:
            labels = Markup(", ").join(change_labels(writer, changes))
            return writer.sentence(SAY.difference, comparator=writer.trial_name(comparator), changes=labels)
    return None


def _in_full(writer: Writer, trial: Trial) -> Markup:
    trained = writer.results.trial(trial.id).trained
    stages = (trained if isinstance(trained, Trial) else trial).stages
    rate = trial.learning_rate
    line = writer.sentence(
        SAY.in_full,
        layers=Markup('<span class="network">{}</span>').format(network_name(trial, writer.numbers)),
        epochs=" + ".join(str(stage.epochs) for stage in stages),
        batch=trial.batch_size,
        rate=setting_name(rate) if isinstance(rate, KerasObject) else writer.numbers.plain(rate),
    )
    optimizer = writer.sentence("optimizer: %(name)s", name=setting_name(trial.optimizer))
    smoothing = writer.sentence("label smoothing: %(rate)s", rate=writer.numbers.plain(trial.label_smoothing))
    parts = (line, optimizer if trial.optimizer.name != "Adam" else "", smoothing if trial.label_smoothing else "")
    return Markup(", ").join(filter(None, parts))


def _listings(writer: Writer, trials: list[Trial]) -> Iterator[tuple[str, str, Markup]]:
    """Yield title, note and text of the parts of the program in plain Keras that trains the same."""
    for topic, (trial, code) in shown_excerpts(trials, writer.bundle.record.dataset.about).items():
        title = f"{writer.word(SAY.excerpts[topic])} ({writer.trial_title(trial.id)})"
        listing = highlight(code, PythonLexer(), HtmlFormatter(nowrap=True))
        yield title, writer.word(SAY.excerpt_notes[topic]), Markup(listing)  # noqa: S704 - escaped by Pygments
