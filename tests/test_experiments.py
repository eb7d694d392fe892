"""The experiments ask what the write-up asked, compare fairly and are nothing but data."""

import ast
import hashlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

from cifar_report.published import load_original
from cifar_report.registry import FOLDER, claims_of, load_experiments, trials_of
from cifar_report.report.i18n import Translation
from cifar_report.spec import AnyTrial, Experiment, Trial, differences, spec_hash

EXPERIMENTS = load_experiments()
TRIALS = trials_of(EXPERIMENTS)
CLAIMS = claims_of(EXPERIMENTS)
ORIGINAL = load_original()
FILES = sorted(FOLDER.glob("*.py"))

GREEK = r"\u0370-\u03ff\u1f00-\u1fff"

TRIAL_IDS = """
baseline baseline_30_epochs filters_32 filters_32_30_epochs kernel_7x7 stride_2 padding_same second_conv_32
second_conv_64 pool_3x3 dense_64 batch_norm dropout third_conv_64 third_conv_128 model_2 hidden_16 hidden_128 batch_16
batch_64 batch_128 learning_rate_0.0003 learning_rate_0.003 dropout_0.25 dropout_0.75 split_43 split_44 split_45
baseline_parallel model_2_parallel nearest_neighbor_1 nearest_neighbor_3 nearest_centroid nearest_neighbor_1_50k
nearest_neighbor_3_50k nearest_centroid_50k
""".split()  # noqa: SIM905 - reads as the list that it is


def test_trials_are_exactly_those_that_are_asked_for() -> None:
    """No trial may be missing and none may be there that nobody asked for."""
    assert sorted(TRIALS) == sorted(TRIAL_IDS)


def test_no_recipe_runs_twice() -> None:
    """Two trials must never train the same thing."""
    assert len({spec_hash(trial) for trial in TRIALS.values()}) == len(TRIALS)


def test_files_are_named_like_their_experiments() -> None:
    """An experiment must be found in the file of its name."""
    assert sorted(each.id for each in EXPERIMENTS) == [path.stem for path in FILES if path.stem != "__init__"]


def test_original_numbers_are_untouched() -> None:
    """The original's numbers must be the file that was handed down, byte for byte."""
    digest = hashlib.sha256((FOLDER / "original.json").read_bytes()).hexdigest()
    assert digest == "c2f186a010686415503c5d55911a7f3359f0cc32f0ba8d9df78bcc5905e51174"


def test_model_2_is_trained_in_three_stages() -> None:
    """Model 2 must have the original's stages, each with early stopping, the last alone with augmentation."""
    trial = TRIALS["model_2"]
    assert isinstance(trial, Trial)
    assert [(stage.id, stage.epochs) for stage in trial.stages] == [("first", 40), ("second", 20), ("augmented", 50)]
    assert all(stage.early_stopping is not None and stage.early_stopping.patience == 4 for stage in trial.stages)
    assert [stage.augmentation is not None for stage in trial.stages] == [False, False, True]
    assert trial.batch_size == ORIGINAL.model_2.batch_size == 64
    assert [stage.max_epochs for stage in ORIGINAL.model_2.stages] == [stage.epochs for stage in trial.stages]


def test_augmentation_is_the_originals() -> None:
    """Turns, shifts and mirroring must be those of the original."""
    trial, original = TRIALS["model_2"], ORIGINAL.model_2.stages[2].augmentation
    assert isinstance(trial, Trial)
    ours = trial.stages[2].augmentation
    assert ours is not None
    assert original is not None
    assert ours.rotation_degrees == original["rotation_range_degrees"]
    assert ours.shift_fraction == original["width_shift_range"] == original["height_shift_range"]
    assert ours.horizontal_flip == original["horizontal_flip"]


@pytest.mark.parametrize("record", ORIGINAL.trials, ids=lambda record: record.id)
def test_trials_run_as_the_original_ran_them(record) -> None:  # type: ignore[no-untyped-def]
    """Epochs and batch size of a trial must be the original's, without early stopping or augmentation."""
    trial = TRIALS[record.id]
    assert isinstance(trial, Trial)
    (stage,) = trial.stages
    assert (stage.epochs, trial.batch_size) == (record.epochs, record.batch_size)
    assert stage.early_stopping is None
    assert stage.augmentation is None


PAIRS = [trial for trial in TRIALS.values() if trial.one_change]


@pytest.mark.parametrize("trial", PAIRS, ids=lambda trial: trial.id)
def test_one_change_is_exactly_one(trial: AnyTrial) -> None:
    """What is called one change must differ in exactly one thing."""
    assert len(differences(TRIALS[trial.one_change or ""], trial)) == 1


@pytest.mark.parametrize("number", range(5, 13))
def test_trials_5_to_12_are_confounded_as_written(number: int) -> None:
    """Against the baseline, as the write-up judged them, trials 5 to 12 must show more than one change."""
    (experiment,) = (each for each in EXPERIMENTS if each.number == str(number))
    (trial,) = experiment.trials
    assert trial.as_written == "baseline"
    assert len(differences(TRIALS["baseline"], trial)) > 1


def prose(experiment: Experiment) -> list[str]:
    """Return the texts of an experiment that explain it."""
    return [experiment.title, experiment.question, experiment.change, experiment.explanation]


GREEK_WORDS = Translation("el")


def numbers_in(text: str) -> list[str]:
    """Return the numbers of a text, in order of size, without the language's separators."""
    return sorted(re.sub(r"\D", "", number) for number in re.findall(r"\d+(?:[.,]\d+)*", text))


@pytest.mark.parametrize("experiment", EXPERIMENTS, ids=lambda each: each.id)
def test_both_languages_say_the_same_numbers(experiment: Experiment) -> None:
    """Greek must be Greek, English must not, and both must hold the same numbers in their own notation."""
    for english in experiment.texts:
        greek = GREEK_WORDS.text(english)
        assert re.search(f"[{GREEK}]", greek)
        assert not re.search(f"[{GREEK}]", english)
        assert numbers_in(english) == numbers_in(greek)
        assert not re.search(r"\s{2}|^\s|\s$|[<>{}&]", f"{english}/{greek}")


def test_a_text_without_translation_stands_in_english() -> None:
    """Greek is optional for an experiment: its own words must stand in, even if the interface uses the same ones."""
    assert GREEK_WORDS.text("Nobody translated this.") == "Nobody translated this."
    assert GREEK_WORDS.gettext("Seed") != "Seed" == GREEK_WORDS.text("Seed")


@pytest.mark.parametrize("experiment", EXPERIMENTS, ids=lambda each: each.id)
def test_explanations_explain_and_do_not_conclude(experiment: Experiment) -> None:
    """A question asks, an explanation has three to six sentences, and neither holds a result of the original."""
    assert experiment.question.endswith("?")
    assert GREEK_WORDS.text(experiment.question).endswith(";")
    for text in (experiment.explanation, GREEK_WORDS.text(experiment.explanation)):
        assert 3 <= len(re.findall(r"\.(?=\s|$)", text)) <= 6
    results = {
        f"{value:.4f}" for record in ORIGINAL.trials for value in (record.test_accuracy, record.test_loss) if value
    }
    words = " ".join(prose(experiment))
    assert not any(result in words or f"{100 * float(result):.2f}" in words for result in results)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_experiments_are_data_only(path: Path) -> None:
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


def test_experiments_load_without_heavy_libraries() -> None:
    """Reading the experiments must import no training or analysis library."""
    code = (
        "import sys; from cifar_report.registry import load_experiments; load_experiments();"
        "from cifar_report.published import load_original; load_original();"
        "print([name for name in ('tensorflow', 'keras', 'sklearn', 'numpy', 'scipy') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=FOLDER.parent, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
