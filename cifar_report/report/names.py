"""What codes, classes, layers and stages are called; the words of codes are translated where they are used."""

from cifar_report.analysis.results import CautionCode, Outcome, Verdict
from cifar_report.analysis.results.trials import Formula, Undefined
from cifar_report.report.i18n import Numbers, load_messages, mark
from cifar_report.spec.claims import Family, Quantity, Relation
from cifar_report.spec.layers import AnyLayer, Conv2D, Dense, Dropout, KerasLayer, KerasObject, MaxPooling2D, Residual
from cifar_report.spec.trials import AnyTrial, ClassicalTrial, Trial

WORDS = load_messages("names")
OUTCOMES: dict[Outcome, str] = WORDS.outcomes
UNMEASURED: dict[Outcome, str] = WORDS.unmeasured
EITHER: dict[Outcome, str] = OUTCOMES | WORDS.either
MARKS: dict[str, str] = WORDS.marks
OUTCOME_MEANINGS: dict[Outcome, str] = WORDS.outcome_meanings
QUANTITIES: dict[Quantity, str] = WORDS.quantities
RELATIONS: dict[Relation, str] = WORDS.relations
SIGNS = {"greater": ">", "less": "<", "not_better": "≤", **dict.fromkeys(("equal", "ratio", "value", "onset"), "≈")}
FAMILIES: dict[Family, str] = WORDS.families
UNDEFINED: dict[Undefined, str] = WORDS.undefined
NO_ORIGINAL: str = WORDS.no_original
FORMULAS: dict[Formula, str] = WORDS.formulas
SOURCES: dict[str, str] = WORDS.sources
KEY_PARTS: dict[str, str] = WORDS.key_parts
CAUTIONS: dict[CautionCode, str] = WORDS.cautions


def setting_name(setting: str | KerasObject) -> str:
    """Return a name of Keras with its arguments, as a call is written."""
    if isinstance(setting, str):
        return setting
    written = (
        f"{name}={setting_name(value) if isinstance(value, KerasObject) else repr(value)}"
        for name, value in setting.arguments.items()
    )
    return f"{setting.name}({', '.join(written)})" if setting.arguments else setting.name


def layer_name(layer: AnyLayer, numbers: Numbers) -> str:
    """Return a layer's name and its settings, one short phrase."""
    plain, whole = numbers.translation.plain, numbers.integer
    match layer:
        case KerasLayer():
            return setting_name(layer)
        case Residual(branch, shortcut):
            ways = (", ".join(layer_name(each, numbers) for each in way) for way in (branch, shortcut))
            values = dict(zip(("layers", "shortcut"), ways, strict=True))
            if shortcut:
                return plain(mark("sum of (%(shortcut)s) and (%(layers)s)"), values)
            return plain(mark("sum of the input and (%(layers)s)"), values)
        case Conv2D(filters, size, strides, padding):
            values = {"filters": whole(filters), "size": whole(size), "stride": whole(strides), "padding": padding}
            name = mark("Conv2D, %(filters)s filters %(size)s × %(size)s, stride %(stride)s, %(padding)s")
            activation = [] if layer.activation == "relu" else [setting_name(layer.activation)]
            return ", ".join([plain(name, values), *activation, *_extras(layer)])
        case MaxPooling2D(size):
            return plain(mark("MaxPooling2D, %(size)s × %(size)s"), {"size": whole(size)})
        case Dense(units):
            values = {"units": whole(units), "activation": setting_name(layer.activation)}
            return ", ".join([plain(mark("Dense, %(units)s neurons, %(activation)s"), values), *_extras(layer)])
        case Dropout(rate):
            return plain(mark("Dropout, rate %(rate)s"), {"rate": numbers.plain(rate)})
    return type(layer).__name__


def activation_of(layer: AnyLayer) -> str | None:
    """Return the name of a layer's activation, or of the activation that it is; None where it has none."""
    if isinstance(layer, (Conv2D, Dense)):
        return setting_name(layer.activation)
    if not isinstance(layer, KerasLayer) or layer.name not in ("Activation", "ELU", "LeakyReLU", "PReLU"):
        return None
    return setting_name(layer)


def _extras(layer: Conv2D | Dense) -> list[str]:
    """Return the settings of a layer that few have, as Keras writes them."""
    given = {"kernel_initializer": layer.kernel_initializer, "kernel_regularizer": layer.kernel_regularizer}
    words = [f"{name}={setting_name(value)}" for name, value in given.items() if value is not None]
    return words if layer.use_bias else [*words, "use_bias=False"]


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
        case Residual(branch, shortcut):
            ways = (" – ".join(_short_layer(each, numbers) for each in way) for way in (shortcut, branch))
            return f"[{' + '.join(filter(None, ways))}]"
    return {"Flatten": "flat", "BatchNormalization": "BN"}.get(layer.kind, layer.kind)


IN_SENTENCES = (mark("training %(place)s"), mark("training %(place)s, with augmentation"))
AS_TITLE = (mark("Training %(place)s"), mark("Training %(place)s, augmented"))


def stage_name(trial: AnyTrial, stage_id: str, numbers: Numbers, texts: tuple[str, str] = IN_SENTENCES) -> str:
    """Return what a stage is called: its place, and whether its images were augmented."""
    stages = () if isinstance(trial, ClassicalTrial) else trial.stages
    for place, stage in enumerate(stages, start=1):
        if stage.id == stage_id:
            return numbers.translation.plain(texts[stage.augmentation is not None], {"place": numbers.integer(place)})
    return stage_id


def seeds_needed(verdict: Verdict, numbers: Numbers) -> str | None:
    """Return how many seeds a side would decide a claim, as a range ("8–20", "≥ 8", "> 60"); None where none count."""
    needed = verdict.seeds_needed
    if needed is None:
        return None
    least, most = needed.value, needed.high
    if least is None:
        return numbers.translation.gettext(mark("more than 60"))
    first = numbers.integer(round(least))
    if most is None:
        return f"≥\N{NO-BREAK SPACE}{first}"
    return first if most == least else f"{first}–{numbers.integer(round(most))}"
