"""What codes, classes, layers and stages are called; the words of codes are translated where they are used."""

from __future__ import annotations

from cifar_report.analysis.results import CautionCode, Formula, Outcome, Undefined
from cifar_report.report.i18n import Numbers, load_messages, mark
from cifar_report.spec import (
    AnyLayer,
    AnyTrial,
    BatchNormalization,
    ClassicalTrial,
    Conv2D,
    Dense,
    Dropout,
    Family,
    Flatten,
    MaxPooling2D,
    Quantity,
    Relation,
    Trial,
)

WORDS = load_messages("names")
OUTCOMES: dict[Outcome, str] = WORDS.outcomes
UNMEASURED: dict[Outcome, str] = WORDS.unmeasured
MARKS: dict[str, str] = WORDS.marks
STATEMENT_KINDS: dict[str, str] = WORDS.statement_kinds
OUTCOME_MEANINGS: dict[Outcome, str] = WORDS.outcome_meanings
QUANTITIES: dict[Quantity, str] = WORDS.quantities
RELATIONS: dict[Relation, str] = WORDS.relations
FAMILIES: dict[Family, str] = WORDS.families
UNDEFINED: dict[Undefined, str] = WORDS.undefined
NO_ORIGINAL: str = WORDS.no_original
FORMULAS: dict[Formula, str] = WORDS.formulas
ORIGINS: dict[str, str] = WORDS.origins
GRADES: dict[str, str] = WORDS.grades
SOURCES: dict[str, str] = WORDS.sources
KEY_PARTS: dict[str, str] = WORDS.key_parts
SCORES: dict[str, str] = WORDS.scores
PROFILES: dict[str, str] = WORDS.profiles
SENSITIVITIES: dict[str, str] = WORDS.sensitivities
CAUTIONS: dict[CautionCode, str] = WORDS.cautions

CLASSES = (
    *(mark("airplane"), mark("automobile"), mark("bird"), mark("cat"), mark("deer")),
    *(mark("dog"), mark("frog"), mark("horse"), mark("ship"), mark("truck")),
)


def layer_name(layer: AnyLayer, numbers: Numbers) -> str:
    """Return a layer's name and its settings, one short phrase."""
    plain, whole = numbers.translation.plain, numbers.integer
    match layer:
        case Conv2D(filters, size, strides, padding):
            values = {"filters": whole(filters), "size": whole(size), "stride": whole(strides), "padding": padding}
            return plain(
                mark("Conv2D, %(filters)s filters %(size)s × %(size)s, stride %(stride)s, %(padding)s"), values
            )
        case MaxPooling2D(size):
            return plain(mark("MaxPooling2D, %(size)s × %(size)s"), {"size": whole(size)})
        case Dense(units, activation):
            return plain(
                mark("Dense, %(units)s neurons, %(activation)s"), {"units": whole(units), "activation": activation}
            )
        case Dropout(rate):
            return plain(mark("Dropout, rate %(rate)s"), {"rate": numbers.plain(rate)})
    return type(layer).__name__


def network_name(trial: Trial, numbers: Numbers) -> str:
    """Return a whole network in the shortest form: layers joined by dashes, without words to translate."""
    return " – ".join(_short_layer(layer, numbers) for layer in trial.layers)


def _short_layer(layer: AnyLayer, numbers: Numbers) -> str:
    match layer:
        case Conv2D():
            extras = (f"/{layer.strides}" if layer.strides > 1 else "") + ("s" if layer.padding == "same" else "")
            return f"C{layer.filters}·{layer.kernel_size}{extras}"
        case MaxPooling2D():
            return f"P{layer.pool_size}"
        case Dense():
            return f"D{layer.units}"
        case Dropout():
            return f"drop {numbers.plain(layer.rate)}"
    return {Flatten: "flat", BatchNormalization: "BN"}[type(layer)]


IN_SENTENCES = (mark("training %(place)s"), mark("training %(place)s, with augmentation"))
AS_TITLE = (mark("Training %(place)s"), mark("Training %(place)s, augmented"))


def stage_name(trial: AnyTrial, stage_id: str, numbers: Numbers, texts: tuple[str, str] = IN_SENTENCES) -> str:
    """Return what a stage is called: its place, and whether its images were augmented."""
    stages = () if isinstance(trial, ClassicalTrial) else trial.stages
    for place, stage in enumerate(stages, start=1):
        if stage.id == stage_id:
            return numbers.translation.plain(texts[stage.augmentation is not None], {"place": numbers.integer(place)})
    return stage_id
