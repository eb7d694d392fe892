"""Section 2, the code: how the data are prepared and what is trained, from the recipes stored in the bundle."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from markupsafe import Markup, escape

from cifar_report.report.elements import Cell, Column, Heading, Table
from cifar_report.report.i18n import mark
from cifar_report.report.sections.view import SectionView
from cifar_report.report.source import highlighted, recipe_text
from cifar_report.report.writer import Writer
from cifar_report.spec import Augmentation, EarlyStopping, Stage, Trial

ROTATION = mark("a random rotation by up to %(degrees)s degrees to either side")
SHIFT = mark("a random shift by up to %(share)s%% of the image's side, in both directions")
FLIP = mark("a horizontal mirroring of every other image, drawn at random")
AUGMENTED = mark(
    "In stages with augmentation each training image is changed anew in every epoch: %(changes)s; pixels from outside "
    "repeat the edge."
)
NOT_AUGMENTED = mark("No trial of this bundle augments its images.")
STOPPED = mark(
    "Stages with early stopping end when the validation loss has not fallen for %(patience)s epochs in a row, and go "
    "back to the weights of their best epoch."
)
NOT_STOPPED = mark("No trial of this bundle stops early.")


@dataclass(frozen=True)
class Listing:
    """A recipe as Python text."""

    title: str
    code: Markup


@dataclass(frozen=True)
class CodeView:
    """The subsections' headings, the settings, the sentences on stages and the recipes."""

    data: Heading
    training: Heading
    recipes: Heading
    settings: Table
    networks: Table
    augmentation: tuple[Markup, ...]
    early_stopping: tuple[Markup, ...]
    seeds: str
    splits: str
    listings: tuple[Listing, ...]


def build(writer: Writer, number: str) -> SectionView:
    """Return the section on the code; nothing in it is written by hand for one trial."""
    heading = writer.heading("code", writer.word(mark("Explanation of the code")), 2, number)
    trials = [trial for trial in writer.bundle.trials.values() if isinstance(trial, Trial)]
    seeds = [writer.numbers.integer(seed) for seed in range(writer.bundle.record.seeds)]
    splits = sorted({trial.split_seed for trial in writer.bundle.trials.values()})
    view = CodeView(
        data=writer.heading("code-data", writer.word(mark("Data: loading, splitting, scaling")), 3, f"{number}.1"),
        training=writer.heading("code-training", writer.word(mark("Training and evaluation")), 3, f"{number}.2"),
        settings=_settings(writer),
        recipes=writer.heading("code-recipes", writer.word(mark("The networks and their recipes")), 3, f"{number}.3"),
        networks=_networks(writer, trials),
        augmentation=_augmentation(writer, trials),
        early_stopping=_early_stopping(writer, trials),
        seeds=writer.numbers.enumeration(seeds),
        splits=writer.numbers.enumeration([str(split) for split in splits]),
        listings=tuple(_listings(writer, trials)),
    )
    return SectionView(heading, "code", view)


def _stages(trials: list[Trial]) -> Iterator[Stage]:
    for trial in trials:
        yield from trial.stages


def _augmentation(writer: Writer, trials: list[Trial]) -> tuple[Markup, ...]:
    kinds = dict.fromkeys(stage.augmentation for stage in _stages(trials) if stage.augmentation)
    said = [writer.say(AUGMENTED, changes=_changes(writer, kind)) for kind in kinds]
    return tuple(said) or (writer.say(NOT_AUGMENTED),)


def _changes(writer: Writer, augmentation: Augmentation) -> str:
    plain = writer.translation.plain
    changes = []
    if augmentation.rotation_degrees:
        changes.append(plain(ROTATION, {"degrees": writer.numbers.plain(augmentation.rotation_degrees)}))
    if augmentation.shift_fraction:
        changes.append(plain(SHIFT, {"share": writer.numbers.plain(100 * augmentation.shift_fraction)}))
    if augmentation.horizontal_flip:
        changes.append(writer.word(FLIP))
    return writer.numbers.enumeration(changes)


def _early_stopping(writer: Writer, trials: list[Trial]) -> tuple[Markup, ...]:
    kinds: dict[EarlyStopping, None] = dict.fromkeys(
        stage.early_stopping for stage in _stages(trials) if stage.early_stopping
    )
    said = [writer.say(STOPPED, patience=writer.numbers.integer(kind.patience)) for kind in kinds]
    return tuple(said) or (writer.say(NOT_STOPPED),)


def _settings(writer: Writer) -> Table:
    """Return the settings that most trials share; the ones that differ stand in the table of the networks."""
    rows = [
        (mark("Optimizer"), mark("Adam with Keras's defaults, apart from the learning rate")),
        (mark("Loss"), mark("categorical cross-entropy of one-hot labels")),
        (mark("Activation of hidden layers"), mark("ReLU")),
        (mark("Activation of the output"), mark("softmax over the ten classes")),
        (mark("Scaling of the pixels"), mark("whole numbers of a byte divided by their largest value, so 0 to 1")),
        (mark("Selection of weights"), mark("by the validation images alone, never by the test images")),
    ]
    columns = (Column(writer.word(mark("Setting"))), Column(writer.word(mark("Value"))))
    cells = [
        writer.row((writer.text_cell(writer.word(name)), writer.text_cell(writer.word(text)))) for name, text in rows
    ]
    return writer.table("settings", writer.say(mark("What all networks have in common")), columns, cells)


def _networks(writer: Writer, trials: list[Trial]) -> Table:
    columns = (
        Column(writer.word(mark("Trial"))),
        Column(writer.word(mark("Layers"))),
        Column(writer.word(mark("Epochs")), numeric=True),
        Column(writer.word(mark("Batch")), numeric=True),
        Column(writer.word(mark("Learning rate")), numeric=True),
        Column(writer.word(mark("Parameters")), numeric=True),
        Column(writer.word(mark("Multiply-accumulates")), numeric=True),
    )
    caption = writer.say(
        mark(
            "The networks: C filters·kernel (with its stride, s: padding same), P pooling window, D neurons, BN batch "
            "normalization, drop rate"
        )
    )
    rows = []
    for trial in trials:
        trained = writer.results.trial(trial.id).trained
        epochs = " + ".join(str(stage.epochs) for stage in (trained if isinstance(trained, Trial) else trial).stages)
        cells = (
            writer.text_cell(writer.translation.text(trial.title)),
            writer.text_cell(Markup('<span class="network">{}</span>').format(writer.labels.network(trial))),
            writer.text_cell(epochs),
            writer.count_cell(trial.batch_size),
            Cell(escape(writer.numbers.plain(trial.learning_rate)), numeric=True),
            writer.count_cell(trial.parameters_total),
            writer.count_cell(trial.macs),
        )
        rows.append(writer.row(cells))
    return writer.table("networks", caption, columns, rows, style="wide")


def _listings(writer: Writer, trials: list[Trial]) -> Iterator[Listing]:
    """Yield the recipe of the reference model and of the network with the most stages."""
    chosen = dict.fromkeys((*trials[:1], *(trial for trial in trials if len(trial.stages) > 1)))
    for trial in list(chosen)[:3]:
        yield Listing(writer.trial_title(trial.id), highlighted(recipe_text(trial)))
