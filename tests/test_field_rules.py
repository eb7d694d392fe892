"""One set of rules: what the suite accepts can be read, verified and reported; the rest is refused beforehand."""

import math

import msgspec
import pytest
from command import contents
from reports import few_experiments, report_of
from verified import change_run

from cifar_report.analysis import analyse
from cifar_report.bundle import Bundle, read_run
from cifar_report.errors import SuiteError, UsageError
from cifar_report.registry import load_experiments
from cifar_report.report.figures import draw_all
from cifar_report.report.i18n import Translation
from cifar_report.report.tables import summary_tables
from cifar_report.running import plan
from cifar_report.running.environment import shown
from cifar_report.simulation import Simulation, simulate_bundle
from cifar_report.spec import PROFILES

ONE = next(each for each in load_experiments() if each.id == "baseline")

TEMPLATE = """from cifar_report.spec import *
LAYERS = {layers}
STAGES = (Stage(epochs=1),)
EXPERIMENT = Experiment(id="new", order=1, section="trials", title={title}, question="q", change="c", explanation="e",
    trials=(Trial(id="new", title="t", layers=LAYERS, {fields}),))
"""


@pytest.mark.parametrize(
    ("place", "value", "reason"),
    [
        ("fields", "stages=STAGES, learning_rate=float('inf')", "learning_rate"),
        ("fields", "stages=STAGES, learning_rate=float('nan')", "learning_rate"),
        ("fields", "stages=STAGES, learning_rate=0.0", "learning_rate"),
        ("fields", "stages=STAGES, batch_size=60_001", "<= 60000.*batch_size"),
        ("fields", "stages=STAGES, batch_size=0", ">= 1.*batch_size"),
        ("fields", "stages=STAGES, split_seed=-1", ">= 0.*split_seed"),
        ("fields", "stages=STAGES, split_seed=2**32", "split_seed"),
        ("fields", "stages=(Stage(epochs=10_001),)", "10,000|<= 10000.*epochs"),
        ("fields", "stages=(Stage(id='a', epochs=6_000), Stage(id='b', epochs=6_000))", "at most 10,000 epochs"),
        ("fields", "stages=tuple(Stage(id=f's{n}', epochs=1) for n in range(101))", "<= 100.*stages"),
        ("fields", "stages=(Stage(epochs=1, early_stopping=EarlyStopping(patience=-1)),)", "patience"),
        ("fields", "stages=(Stage(epochs=1, augmentation=Augmentation(shift_fraction=float('inf'))),)", "shift_"),
        ("fields", "stages=(Stage(epochs=1, augmentation=Augmentation(rotation_degrees=float('nan'))),)", "rotation_"),
        ("title", "'x' * 201", "length <= 200.*title"),
        ("title", "'a' + chr(0) + 'b'", "title"),
        ("title", "'a' + chr(0xd800)", "title|surrogate"),
        ("title", "'\\u202e'", "title"),
        ("layers", "(Conv2D(10_000, 32), Flatten(), Dense(10, 'softmax'))", "weights take .* at most"),
        ("layers", "(Flatten(), *[Dense(8)] * 200, Dense(10, 'softmax'))", "length <= 200.*layers"),
    ],
)
def test_what_no_bundle_could_hold_or_be_read_from_is_refused_with_its_bound(tmp_path, place, value, reason):
    """A value outside its bounds stops the suite when the experiments are read, with file, field and bound."""
    fields = {"layers": "(Flatten(), Dense(10, 'softmax'))", "title": "'t'", "fields": "stages=STAGES", place: value}
    (tmp_path / "new.py").write_text(TEMPLATE.format(**fields))
    with pytest.raises((SuiteError, UnicodeError), match=reason) as caught:
        load_experiments(tmp_path)
    assert "new.py" in str(caught.value) or isinstance(caught.value, UnicodeError)


ASKED = {"only": ("baseline",), "data": "synthetic", "warn": print}


@pytest.mark.parametrize(
    ("seeds", "only", "sentence"),
    [
        *((seeds, ("baseline",), f"--seeds {seeds}: a bundle holds at most 10,000 seeds") for seeds in (10_001, 2**70)),
        (3_501, ("baseline", "dropout"), "7,002 runs: a bundle holds at most 7,000"),
    ],
)
def test_more_than_a_bundle_holds_is_refused_before_anything_is_written(tmp_path, seeds, only, sentence):
    """Seeds that a reader would refuse, and runs of which no report was ever made, are refused with the bound."""
    with pytest.raises(UsageError, match=sentence):
        plan.prepare("smoke", seeds=seeds, bundle=tmp_path / "bundle", **ASKED | {"only": only})
    assert contents(tmp_path) == {}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"explanation": "x" * 20_001}, "length <= 20000.*explanation"),
        ({"order": 2**63}, "order"),
        ({"title": "x" * 201}, "length <= 200.*title"),
    ],
    ids=["explanation", "order", "title"],
)
def test_what_the_bundles_record_cannot_hold_is_refused(tmp_path, monkeypatch, change, reason):
    """Whatever check of the experiments is missing, a record that cannot be read again is never written."""
    new = (msgspec.structs.replace(ONE, **{"claims": (), **change}),)
    monkeypatch.setattr(plan, "load_experiments", lambda: new)
    with pytest.raises(UsageError, match=f"could not be read again.*{reason}"):
        plan.prepare("smoke", seeds=1, bundle=tmp_path / "bundle", **ASKED)
    assert contents(tmp_path) == {}


def test_texts_from_outside_fit_into_a_record():
    """An error or a processor's name is cut to its end, and signs that cannot be shown are escaped."""
    assert shown("x" * 300 + "end") == "x" * 197 + "end"
    assert shown("\udc80a\0b\u202e", 100) == r"\udc80a\x00b\u202e"


def diverged(run, first, value):
    """Return a run whose losses are ``value`` from epoch ``first`` on."""

    def stage(each):
        kept = each.history.val_loss[:first]
        rest = (value,) * (each.epochs - len(kept))
        curves = {name: getattr(each.history, name)[:first] + rest for name in ("loss", "val_loss")}
        history = msgspec.structs.replace(each.history, **curves)
        losses = [math.inf if loss is None else loss for loss in history.val_loss]
        best = losses.index(min(losses)) + 1 if min(losses) < math.inf else each.epochs
        return msgspec.structs.replace(each, history=history, best_epoch=best, hashes=())

    return msgspec.structs.replace(run, stages=tuple(map(stage, run.stages)))


@pytest.mark.parametrize(
    ("value", "seeds", "first"),
    [
        (None, (0, 1), 0),
        *(
            pytest.param(*each, marks=pytest.mark.long)
            for each in [(9e18, (0,), 1), (None, (0,), 0), (None, (0, 1), 1), (3e38, (0, 1), 0)]
        ),
    ],
)
def test_a_diverged_run_is_a_result_like_any_other(tmp_path, value, seeds, first):
    """Losses that are huge or no numbers, early or late, in one run or in all: tables and figures come out."""
    experiments = few_experiments("baseline", "dropout")
    bundle = simulate_bundle(tmp_path / "bundle", experiments, Simulation(profile=PROFILES["quick"], seeds=2))
    for seed in seeds:
        for trial in ("baseline", "dropout"):
            change_run(bundle.folder, f"{trial}/seed-{seed}", lambda run: diverged(run, first, value))
    bundle = Bundle.load(bundle.folder)
    assert read_run(bundle.folder, "baseline/seed-0").stages[0].history.loss[-1] == value
    results = analyse(bundle)
    assert summary_tables(bundle, results)
    assert report_of(bundle, draw_all(results, Translation("en"), bundle=bundle))
