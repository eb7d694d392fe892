"""Experiments are found by looking, and refused where they do not fit."""

import shutil
from pathlib import Path

import pytest

from cifar_report.errors import SuiteError, UsageError
from cifar_report.published import load_original
from cifar_report.registry import FOLDER, claims_of, load_experiments, select, trials_of

NEW = '''"""A new experiment."""

from cifar_report.spec import Experiment, Side, claim, variant

from .baseline import BASELINE

TEXT = "New"
NEW = variant(BASELINE, "{trial}", TEXT, batch_size=48, one_change="{partner}")
CLAIM = claim(
    "{claim}", TEXT, said=TEXT, quantity="accuracy", relation="greater",
    subject=Side("{trial}", {stage}), comparator="{comparator}",
)
EXPERIMENT = Experiment(
    id="{experiment}", order={order}, section="{section}", title=TEXT, question=TEXT, change=TEXT, explanation=TEXT,
    trials=(NEW,), points={points}, claims={claims},
)
'''
DEFAULTS = {
    "trial": "batch_48",
    "partner": "baseline",
    "claim": "N1",
    "stage": "None",
    "comparator": "baseline",
    "experiment": "new",
    "order": "0",
    "section": "hidden_layer",
    "points": "()",
    "claims": "(CLAIM,)",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    copy = tmp_path / "experiments"
    shutil.copytree(FOLDER, copy, ignore=shutil.ignore_patterns("__pycache__"))
    return copy


def drop_in(folder: Path, **fields: str) -> None:
    (folder / "new.py").write_text(NEW.format(**{**DEFAULTS, **fields}), encoding="utf-8")


def test_a_dropped_in_file_is_an_experiment(folder):
    """One more file adds its experiment, trial and claim in their place, and is read again when it was changed."""
    before = load_experiments(folder)
    assert before == load_experiments()  # wherever the folder lies
    drop_in(folder)
    after = load_experiments(folder)
    assert {each.id for each in after} - {each.id for each in before} == {"new"}
    assert [each.id for each in after if each.section == "hidden_layer"][:2] == ["hidden_neurons", "new"]
    assert trials_of(after)["batch_48"].batch_size == 48  # type: ignore[union-attr]
    assert "N1" in {claim.id for claim in claims_of(after)}
    drop_in(folder)
    load_experiments(folder)
    drop_in(folder, experiment="renamed_since")
    assert "renamed_since" in {each.id for each in load_experiments(folder)}


SECTIONS = ("trials", "hidden_layer", "training_parameters", "model_2", "parallel", "classical")


def test_order_is_section_then_order_then_id():
    """Experiments must come in the order of the report, however their files are named."""
    experiments = load_experiments()
    assert [each.number for each in experiments[:13]] == [None, *(str(number) for number in range(1, 13))]
    sections = list(dict.fromkeys(each.section for each in experiments))
    assert sections == [*SECTIONS, "own"][: len(sections)]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"experiment": "baseline"}, "experiment id 'baseline' is already used in baseline.py"),
        ({"trial": "dropout"}, "trial id 'dropout' is already used in dropout.py"),
        ({"claim": "C12"}, "third_conv_128.py: the claim id 'C12' is already used in new.py"),
        ({"claims": "(CLAIM, CLAIM)"}, "claim id 'N1' is already used in new.py"),
        ({"comparator": "baselin"}, "claim N1: there is no trial 'baselin'; did you mean baseline"),
        ({"partner": "ghost"}, "trial batch_48, one_change: there is no trial 'ghost'"),
        ({"stage": "'second'"}, "trial 'batch_48' has no stage 'second'; it has training"),
        ({"points": "('nowhere_to_be_found',)"}, "points: there is no trial 'nowhere_to_be_found'"),
        ({"order": "'first'"}, "wrong type"),
        ({"section": "appendix"}, "wrong type"),
        ({"points": "(1,)"}, "wrong type"),
    ],
    ids=str,
)
def test_what_does_not_fit_is_refused(folder, fields, message):
    """Duplicate ids, unknown references and values of a wrong type must stop the suite, with the file named."""
    drop_in(folder, **fields)
    with pytest.raises(SuiteError, match=message) as caught:
        load_experiments(folder)
    assert "new.py" in str(caught.value) or "third_conv_128.py" in str(caught.value)


@pytest.mark.parametrize(
    ("name", "source", "message"),
    [
        ("new.py", "EXPERIMENT = 1 / 0\n", "new.py:1: .*ZeroDivisionError"),
        ("new.py", "import no_such_module\n", "new.py:1: .*ModuleNotFoundError"),
        ("new.py", "EXPERIMENT = (\n", "new.py:1: .*SyntaxError"),
        ("new.py", "ANSWER = 42\n", "new.py: EXPERIMENT is missing"),
        ("filters.py", "EXPERIMENT = 1 / 0\n", "filters.py:1: .*ZeroDivisionError"),
        ("filters.py", "EXPERIMENT = (\n", "filters.py:1: .*SyntaxError"),
    ],
)
def test_a_broken_file_is_named(folder, name, source, message):
    """A file that cannot be imported must be named, also when another one was the first to import it."""
    (folder / name).write_text(source, encoding="utf-8")
    with pytest.raises(SuiteError, match=message) as caught:
        load_experiments(folder)
    if "cannot be imported" in str(caught.value):
        assert caught.value.__cause__ is not None


def test_an_empty_folder_is_refused(tmp_path):
    """A folder without experiments must be an error and no empty suite; an underscore marks a helper."""
    (tmp_path / "_helper.py").write_text("raise RuntimeError\n", encoding="utf-8")
    with pytest.raises(SuiteError, match="no experiment here"):
        load_experiments(tmp_path)


def test_select_keeps_the_run_order_and_suggests_what_was_meant():
    """A selection must come in run order, once each; unknown ids are refused with the closest known ones."""
    trials = trials_of(load_experiments())
    assert list(select(trials, ["dropout", "baseline", "dropout"])) == ["baseline", "dropout"]
    assert select(trials, []) == trials
    with pytest.raises(UsageError, match=r"no trial 'droput'; did you mean dropout.*no trial 'zzz'"):
        select(trials, ["baseline", "droput", "zzz"])


def test_original_is_read_by_stage():
    """The original's numbers must come out under its keys, with what it never printed as None."""
    original = load_original()
    baseline = original.find("baseline")
    assert (baseline.stages[0].test_accuracy, baseline.seconds, baseline.stages[0].epochs) == (0.5959, 259.18, 15)
    model_2 = original.find("model_2")
    assert [stage.id for stage in model_2.stages] == ["first", "second", "augmented"]
    assert (model_2.stages[-1].test_accuracy, model_2.stages[-1].test_loss, model_2.seconds) == (0.7951, 0.5947, None)
    assert model_2.stage("fourth") is None
    assert original.find("filters_32").stages[-1].test_accuracy is None
    assert original.find("batch_16") is None


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ((b'"test_loss": 1.1849', b'"test_loss": "1.1849"'), "trials\\[0\\].test_loss"),
        ((b'"what"', b'"whatever"'), "unknown field"),
        ((b"     0.3356,\n", b""), "equally many epochs"),
        ((b"}", b""), "not the original's numbers"),
    ],
)
def test_a_damaged_original_is_refused(tmp_path, change, message):
    """Wrong types, unknown fields, torn curves and broken JSON must be refused with the file named."""
    data = (FOLDER / "original.json").read_bytes()
    assert change[0] in data
    (tmp_path / "original.json").write_bytes(data.replace(*change, 1))
    with pytest.raises(SuiteError, match=message) as caught:
        load_original(tmp_path)
    assert str(tmp_path) in str(caught.value)
    with pytest.raises(SuiteError, match=r"original\.json: .* cannot be read"):
        load_original(tmp_path / "nowhere")
