"""Stages: early stopping, best weights, the optimizer's state, and a loss that is no number."""

import msgspec
import numpy as np
import pytest
from networks import RECORD, linear_trial

from cifar_report.bundle import Predictions, Run, encode
from cifar_report.running.runs import RunRequest, pack
from cifar_report.spec import PROFILES, EarlyStopping, Stage

pytestmark = pytest.mark.usefixtures("tensorflow")
PATIENCE = 2
STAGES = (
    Stage(id="first", epochs=40, early_stopping=EarlyStopping(patience=PATIENCE)),
    Stage(id="second", epochs=40, early_stopping=EarlyStopping(patience=PATIENCE)),
    Stage(id="short", epochs=2),
)


@pytest.fixture(scope="module")
def staged(tensorflow, sample):  # noqa: ARG001 - TensorFlow must have started
    """Return the outcome of three stages, and what the engine held at the beginning of every epoch."""
    from cifar_report.training import network
    from cifar_report.training.engine import Engine

    engines, begins = [], []

    class Watched(Engine):
        def __init__(self, *arguments):
            super().__init__(*arguments)
            engines.append(self)

        def train_epoch(self, *arguments):
            begins.append((self.model.get_weights(), int(self.optimizer.iterations)))
            return super().train_epoch(*arguments)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(network, "Engine", Watched)
        trial = linear_trial(stages=STAGES, learning_rate=0.01)
        outcome = network.train_network(trial, 1, sample.images, sample.labels, sample.split)
    return outcome, begins, engines[0]


def weights_of(outcome, stage, kind):
    """Return a stage's stored weights, in the order in which Keras holds them."""
    prefix = f"{stage}.{kind}."
    return [array for name, array in outcome.weights.items() if name.startswith(prefix)]


def test_early_stopping_waits_for_its_patience_in_each_stage(staged):
    """A stage stops ``patience`` epochs behind its own least validation loss; curves and seconds are as long as it."""
    for stage in staged[0].stages[:2]:
        losses = stage.history.val_loss
        assert stage.best_epoch == int(np.argmin(losses)) + 1
        assert stage.stopped_early
        assert stage.epochs == stage.best_epoch + PATIENCE < 40
    outcome = staged[0]
    short = outcome.stages[2]
    assert (short.epochs, short.stopped_early) == (2, False)
    for stage in outcome.stages:
        curves = msgspec.structs.astuple(stage.history)[:4]
        assert {len(curve) for curve in curves} == {stage.epochs}
        seconds = outcome.seconds
        assert len(seconds.epoch_seconds[stage.id]) == len(seconds.validation_seconds[stage.id]) == stage.epochs


def test_adams_state_goes_on_from_stage_to_stage(staged):
    """The next stage starts from the best weights, and the optimizer counts the steps of all stages."""
    outcome, begins, engine = staged
    steps = 320 // 32
    assert [count for _, count in begins] == [steps * place for place in range(len(begins))]
    assert len(begins) == sum(stage.epochs for stage in outcome.stages)
    assert int(engine.optimizer.iterations) == steps * len(begins)
    begun = begins[outcome.stages[0].epochs][0]
    assert all(map(np.array_equal, begun, weights_of(outcome, "first", "best")))
    assert not np.array_equal(begun[0], weights_of(outcome, "first", "last")[0])


@pytest.mark.parametrize("kind", ["best", "last"])
def test_recorded_scores_are_those_of_the_stored_weights(staged, sample, kind):
    """Loading a stage's stored weights gives its recorded scores and probabilities again."""
    outcome, _, engine = staged
    stage = outcome.stages[0]
    before = engine.model.get_weights()
    engine.model.set_weights(weights_of(outcome, "first", kind))
    for part in ("train", "validation", "test"):
        again = engine.evaluate(getattr(sample.split, part))
        recorded = getattr(stage.evaluation(kind), part)
        assert (again.accuracy, again.loss) == (recorded.accuracy, recorded.loss)
    assert np.array_equal(again.probabilities, outcome.predictions.probabilities["first", kind])
    engine.model.set_weights(before)


def test_a_loss_that_is_no_number_is_recorded_and_not_a_crash(sample, tmp_path):
    """A diverging run ends, and its losses are stored as missing, its predictions as they came."""
    from cifar_report.training.network import train_network

    trial = linear_trial(
        stages=(Stage(epochs=2), Stage(id="more", epochs=2, early_stopping=EarlyStopping(patience=1))),
        learning_rate=1e38,
    )
    outcome = train_network(trial, 0, sample.images, sample.labels, sample.split)
    assert outcome.stages[0].history.val_loss[-1] is None
    assert outcome.stages[-1].last.test.loss is None
    request = RunRequest(trial=trial, seed=0, profile=PROFILES["smoke"], dataset=RECORD, key_parts={"spec": "x"})
    answer = pack(request, outcome)
    assert encode(msgspec.json.decode(answer.run, type=Run)) == answer.run
    (tmp_path / "predictions.npz").write_bytes(answer.files["predictions.npz"])
    loaded = Predictions.load(tmp_path / "predictions.npz")
    assert np.isnan(loaded.probabilities["more", "last"]).all()
