"""The experiments ask what the write-up asked, compare fairly and are nothing but data."""

import ast
import hashlib
import re
import statistics

import pytest
from msgspec.structs import replace

from cifar_report.published import OriginalStage, load_original
from cifar_report.registry import FOLDER, claims_of, load_experiments, trials_of
from cifar_report.report.i18n import Translation
from cifar_report.spec import AnyTrial, Claim, Side, Trial, differences, spec_hash

EXPERIMENTS = tuple(each for each in load_experiments() if each.section != "own")  # the assignment's
TRIALS = trials_of(EXPERIMENTS)
CLAIMS = claims_of(EXPERIMENTS)
ORIGINAL = load_original()
FILES = sorted(path for path in FOLDER.glob("*.py") if path.stem in ("__init__", *(each.id for each in EXPERIMENTS)))

GREEK = r"\u0370-\u03ff\u1f00-\u1fff"

TRIAL_IDS = """
baseline baseline_30_epochs filters_32 filters_32_30_epochs kernel_7x7 stride_2 padding_same second_conv_32
second_conv_64 pool_3x3 dense_64 batch_norm dropout third_conv_64 third_conv_128 model_2 hidden_16 hidden_128 batch_16
batch_64 batch_128 learning_rate_0.0003 learning_rate_0.003 dropout_0.25 dropout_0.75 split_43 split_44 split_45
fixed_order baseline_parallel model_2_parallel nearest_neighbor_1 nearest_neighbor_3 nearest_centroid
nearest_neighbor_1_50k nearest_neighbor_3_50k nearest_centroid_50k
""".split()  # noqa: SIM905 - reads as the list that it is


def test_every_trial_of_the_assignment_is_there():
    """Every trial that the assignment asks for is there, none trains twice, and files have their experiments' names."""
    assert not set(TRIAL_IDS) - TRIALS.keys()
    assert len({spec_hash(trial) for trial in TRIALS.values()}) == len(TRIALS)
    assert sorted(each.id for each in EXPERIMENTS) == [path.stem for path in FILES if path.stem != "__init__"]


def test_model_2_is_trained_in_three_stages():
    """The original's numbers are the file handed down, and model 2 has its stages, stopping and augmentation."""
    trial = TRIALS["model_2"]
    assert isinstance(trial, Trial)
    assert [(stage.id, stage.epochs) for stage in trial.stages] == [("first", 40), ("second", 20), ("augmented", 50)]
    assert all(stage.early_stopping is not None and stage.early_stopping.patience == 4 for stage in trial.stages)
    assert [stage.augmentation is not None for stage in trial.stages] == [False, False, True]
    assert trial.batch_size == ORIGINAL.model_2.batch_size == 64
    assert [stage.max_epochs for stage in ORIGINAL.model_2.stages] == [stage.epochs for stage in trial.stages]
    ours, original = trial.stages[2].augmentation, ORIGINAL.model_2.stages[2].augmentation
    assert ours.rotation_degrees == original["rotation_range_degrees"]
    assert ours.shift_fraction == original["width_shift_range"] == original["height_shift_range"]
    assert ours.horizontal_flip == original["horizontal_flip"]
    digest = hashlib.sha256((FOLDER / "original.json").read_bytes()).hexdigest()
    assert digest == "c2f186a010686415503c5d55911a7f3359f0cc32f0ba8d9df78bcc5905e51174"


@pytest.mark.parametrize("record", ORIGINAL.trials, ids=lambda record: record.id)
def test_trials_run_as_the_original_ran_them(record):
    """Epochs and batch size of a trial must be the original's, without early stopping or augmentation."""
    trial = TRIALS[record.id]
    assert isinstance(trial, Trial)
    (stage,) = trial.stages
    assert (stage.epochs, trial.batch_size) == (record.epochs, record.batch_size)
    assert stage.early_stopping is None
    assert stage.augmentation is None


PAIRS = [trial for trial in TRIALS.values() if trial.one_change]


@pytest.mark.parametrize("trial", PAIRS, ids=lambda trial: trial.id)
def test_one_change_is_exactly_one(trial):
    """What is called one change must differ in exactly one thing."""
    assert len(differences(TRIALS[trial.one_change or ""], trial)) == 1


@pytest.mark.parametrize("number", range(5, 13))
def test_trials_5_to_12_are_confounded_as_written(number):
    """Against the baseline, as the write-up judged them, trials 5 to 12 must show more than one change."""
    (experiment,) = (each for each in EXPERIMENTS if each.number == str(number))
    (trial,) = experiment.trials
    assert trial.as_written == "baseline"
    assert len(differences(TRIALS["baseline"], trial)) > 1


GREEK_WORDS = Translation("el")


def numbers_in(text: str) -> list[str]:
    """Return the numbers of a text, in order of size, without the language's separators."""
    return sorted(re.sub(r"\D", "", number) for number in re.findall(r"\d+(?:[.,]\d+)*", text))


@pytest.mark.parametrize("experiment", EXPERIMENTS, ids=lambda each: each.id)
def test_both_languages_say_the_same_numbers(experiment):
    """Both languages hold the same numbers and explain, and neither concludes nor names a result."""
    for english in experiment.texts:
        greek = GREEK_WORDS.text(english)
        assert re.search(f"[{GREEK}]", greek)
        assert not re.search(f"[{GREEK}]", english)
        assert numbers_in(english) == numbers_in(greek)
        assert not re.search(r"\s{2}|^\s|\s$|[<>{}&]", f"{english}/{greek}")
    assert experiment.question.endswith("?")
    assert GREEK_WORDS.text(experiment.question).endswith(";")
    for text in (experiment.explanation, GREEK_WORDS.text(experiment.explanation)):
        assert 2 <= len(re.findall(r"\.(?=\s|$)", text)) <= 6
    results = {
        f"{value:.4f}" for record in ORIGINAL.trials for value in (record.test_accuracy, record.test_loss) if value
    }
    words = f"{experiment.title} {experiment.question} {experiment.change} {experiment.explanation}"
    assert not any(result in words or f"{100 * float(result):.2f}" in words for result in results)


def test_a_text_without_translation_stands_in_english():
    """Greek is optional for an experiment: its own words must stand in, even if the interface uses the same ones."""
    assert GREEK_WORDS.text("Nobody translated this.") == "Nobody translated this."
    assert GREEK_WORDS.gettext("Seed") != "Seed" == GREEK_WORDS.text("Seed")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_experiments_are_data_only(path):
    """A file of experiments may import, assign and describe; it must not loop, branch, define or read anything."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert ast.get_docstring(tree)
    for statement in tree.body[1:]:
        assert isinstance(statement, ast.Import | ast.ImportFrom | ast.Assign)
    allowed = {name for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for name in names_of(node)}
    for node in ast.walk(tree):
        assert not isinstance(node, ast.comprehension | ast.Lambda | ast.IfExp | ast.JoinedStr | ast.NamedExpr)
        if isinstance(node, ast.Call):
            assert isinstance(node.func, ast.Name)
            assert node.func.id in allowed


def names_of(node: ast.ImportFrom) -> set[str]:
    """Return the imported names; only the specification, ``replace`` and other experiments may be imported."""
    assert node.level == 1 or node.module in ("cifar_report.spec", "msgspec.structs")
    return {alias.name for alias in node.names}


CODES = """
C01a C01b C01c C02a C02b C03a C03b C03c C04a C04b C04c C05a C05b C05c C06a C06b C07a C07b C08a C08b C08c C09a C09b C09c
C10a C10b C10c C11a C11b C11c C12 C13a C13b C13c C13d C14 C15 C16 P1
""".split()  # noqa: SIM905 - reads as the list that it is

CONFOUNDED = {  # as written, these compare more than one change, and no single change could stand for them
    "C10a.as_written.batch_norm": "one regulariser against another",
    "C11c": "the sentence names a multiple of the baseline's time",
    "C13d": "another network altogether",
}


def test_every_row_of_the_write_up_has_claims():
    """Each row of the write-up has its claims, with the values that it named and proxies for its wordings."""
    assert sorted({claim.code for claim in CLAIMS if claim.said}) == sorted(CODES)
    assert not {claim.code for claim in CLAIMS if not claim.said} & set(CODES)
    assert all(claim.id == claim.code or claim.id.startswith(f"{claim.code}.") for claim in CLAIMS)
    values = {claim.id: claim.value for claim in CLAIMS}
    seconds = ORIGINAL.find("second_conv_32").seconds or 0.0
    stated = {"C02a": 1.5, "C05b.as_written": 2.0, "C11c": 5.0, "C01c": 1.0, "C10b.as_written": 1.0, "C09b": 4.0}
    for claim_id, value in {**stated, "C06b": round((seconds + 60) / seconds, 2)}.items():
        assert values[claim_id] == value
    assert {claim.code for claim in CLAIMS if claim.proxy is not None} >= {"C02b", "C06b", "C07b", "C15"}


def as_compared(side: Side) -> AnyTrial:
    """Return the trial cut off behind the stage that is compared: what comes later cannot act on it."""
    trial = TRIALS[side.trial]
    if side.stage is None or not isinstance(trial, Trial):
        return trial
    ids = [stage.id for stage in trial.stages]
    return replace(trial, stages=trial.stages[: ids.index(side.stage) + 1])


def changes_of(claim: Claim) -> int:
    assert claim.comparator is not None
    return len(differences(as_compared(claim.comparator), as_compared(claim.subject)))


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.id)
def test_claims_compare_what_they_say(claim):
    """Absolute claims stand alone, claims by one change differ in one thing, confounded ones have such a sibling."""
    if claim.comparison == "absolute":
        assert claim.comparator is None
    elif claim.comparison == "one_change":
        assert changes_of(claim) == 1
    elif claim.comparison == "as_written" and claim.id not in CONFOUNDED and changes_of(claim) > 1:
        siblings = [each for each in CLAIMS if each.code == claim.code and each.comparison == "one_change"]
        assert any(each.quantity == claim.quantity and each.relation == claim.relation for each in siblings)


@pytest.mark.parametrize("claim_id", sorted(CONFOUNDED))
def test_the_exceptions_are_confounded(claim_id):
    """What is excused from a fair partner must really compare more than one change."""
    assert changes_of(next(claim for claim in CLAIMS if claim.id == claim_id)) > 1


CLEARLY = {"C03c.accuracy", "C05a.as_written", "C05a.one_change"}  # "clearly" and "much": two points


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.id)
def test_margins_and_families_are_the_methods(claim):
    """A margin must be one point (two for a gap, and for strong words; five for dead units), one epoch or a tenth."""
    points = {"gap": 0.02, "dead_units": 0.05}.get(claim.quantity, 0.02 if claim.id in CLEARLY else 0.01)
    epochs = 1.0 if claim.quantity.startswith("epoch") else 0.1
    margin = points if claim.quantity in ("accuracy", "validation_accuracy", "gap", "dead_units") else epochs
    assert claim.margin == (None if claim.relation in ("exact", "ratio") else margin)
    directed = claim.relation in ("greater", "less", "not_better")
    kinds = {1.0: "convergence", 0.1: "time"}
    by = "accuracy by one change" if claim.comparison == "one_change" else "accuracy as written"
    assert claim.family == ((kinds.get(margin, by) if claim.said else "own") if directed else None)


def least_smoothed(losses: tuple[float, ...]) -> float:
    """Return the epoch of the least median over each epoch and its two neighbours."""
    medians = [statistics.median(losses[max(0, at - 1) : at + 2]) for at in range(len(losses))]
    return 1.0 + medians.index(min(medians))


def printed(stage: OriginalStage, quantity: str) -> float | None:
    """Return what the original printed for a quantity, None where it printed nothing or never got there."""
    history = stage.history
    reached = [1.0 + at for at, value in enumerate(history.val_accuracy) if value >= 0.55]
    return {
        "accuracy": stage.test_accuracy,
        "validation_accuracy": stage.validation_accuracy,
        "loss": stage.test_loss,
        "seconds": stage.seconds,
        "epochs_to_accuracy": reached[0] if reached else None,
        "epoch_of_least_loss": least_smoothed(history.val_loss),
    }.get(quantity)


def measured(side: Side, quantity: str) -> float | None:
    """Return the original's number for one side of a claim."""
    trial = ORIGINAL.find(side.trial)
    if trial is None:
        return None
    if quantity == "parameters":
        return trial.parameters_total
    if quantity == "trainable_parameters":
        return trial.parameters_trainable
    stage = trial.stage(side.stage)
    assert stage is not None
    return printed(stage, quantity)


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.id)
def test_original_differences_come_from_the_originals_numbers(claim):
    """Each original value, difference or ratio must follow from original.json, and none may be left out."""
    ours = measured(claim.subject, claim.quantity)
    if claim.comparator is None:
        expected = ours
    else:
        other = measured(claim.comparator, claim.comparator_quantity or claim.quantity)
        known = ours is not None and other is not None
        as_ratio = claim.quantity == "seconds" or claim.exact_relation == "quarter"
        expected = (ours / other if as_ratio else ours - other) if known else None  # type: ignore[operator]
    if expected is None:
        assert claim.original_difference is None
    else:
        assert claim.original_difference == pytest.approx(expected, abs=5.1e-5)


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.id)
def test_statements_are_one_whole_sentence(claim):
    """A statement must be one sentence with its full stop, in both languages."""
    for text in (claim.statement, GREEK_WORDS.text(claim.statement)):
        assert text.endswith(".")
        assert not re.search(r"[.;?]\s", text)
        assert text[0].isupper() or text[0].isdigit()
