"""The timing pass: which trials, in which order, repeated when, kept and gone on with how, measured by what."""

import dataclasses
import os
import re
import shutil
import signal
from collections import Counter
from contextlib import suppress
from functools import partial

import psutil
import pytest
from command import Suite, contents
from conftest import ONE_WORKER
from msgspec.structs import replace
from networks import CENTROID, RECORD, linear_trial, small_trial

from cifar_report.bundle import Bundle, Measurement, read_timing_pass
from cifar_report.bundle.bundle import TIMING_FILE
from cifar_report.bundle.store import MANIFEST_FILE
from cifar_report.cli import main
from cifar_report.commands import suite as commands
from cifar_report.data import PreparedData
from cifar_report.errors import SuiteError, UsageError
from cifar_report.registry import claims_of, load_experiments, trials_of
from cifar_report.running import suite, timing
from cifar_report.running.declaring import choose_timed, cost_hash
from cifar_report.running.environment import available_cores
from cifar_report.running.plan import Prepared
from cifar_report.running.timing import Counters, MeasurementRequest, Reading, judge, run_timing_pass, timing_state
from cifar_report.running.workers import WorkerError
from cifar_report.spec import PROFILES, TIMES, Augmentation, ClassicalTrial, Dropout, Stage, TimingPlan

EXPERIMENTS = load_experiments()
TRIALS = trials_of(EXPERIMENTS)
CLAIMS = claims_of(EXPERIMENTS)
NETWORK, LINEAR = small_trial(), linear_trial()
PLAN = TimingPlan(blocks=3, portions=2, portion_steps=5)
CALM = Measurement(
    trial="small", block=0, replicas=1, steps=10, batch_size=32, seconds=0.3, portions=(0.1, 0.2),
    peak_memory_bytes=1000, load=0.5, steal=0.0, throttled=False, processor_share=0.99, other_work=0.01, attempts=1,
    contended=False,
)  # fmt: skip
CLASSICAL = replace(CALM, steps=0, batch_size=0, portions=(), seconds=0.4, fit_seconds=0.1, predict_seconds=0.3)


def request_for(folder, *trials, plan=PLAN) -> Prepared:
    data = PreparedData(folder, RECORD.fingerprint, RECORD.grade, RECORD.canonical_labels, RECORD.source, "nowhere")
    return Prepared(replace(PROFILES["smoke"], timing=plan), 1, data, RECORD, folder / "bundle", [], trials)


class Readings:
    """Stands where the workers are: answers each request, and remembers which trial was asked for."""

    def __init__(self, answer=None) -> None:
        self.asked: list[str] = []
        self._answer = answer or (lambda request, _: calm(request))

    def __call__(self, request) -> Reading:
        """Answer; ``answer`` gets the request and how often its trial was asked for before."""
        times = self.asked.count(request.trial.id)
        self.asked.append(request.trial.id)
        found = self._answer(request, times)
        if isinstance(found, Exception):
            raise found
        return found


def calm(request: MeasurementRequest, *disturbances: str) -> Reading:
    """Return a reading that nothing disturbed but what is given."""
    measurement = CLASSICAL if isinstance(request.trial, ClassicalTrial) else CALM
    return Reading(replace(measurement, trial=request.trial.id), disturbances)


def names(trials) -> set[str]:
    return {trial.id for trial in trials}


def run(prepared, readings, say=lambda _: None) -> int:
    return run_timing_pass(prepared, timing_state(prepared), say, readings)


def test_one_trial_of_each_cost_and_all_that_time_claims_name():
    """The full pass times every trial that a claim about time names, and one of each other cost, none twice."""
    chosen = choose_timed(PROFILES["full"], TRIALS, CLAIMS, None)
    about_time = [claim for claim in CLAIMS if claim.quantity in TIMES]
    named = {side.trial for claim in about_time for side in (claim.subject, claim.comparator)}
    assert named <= names(chosen)
    assert {cost_hash(trial) for trial in chosen} == {cost_hash(trial) for trial in TRIALS.values()}
    others = Counter(cost_hash(trial) for trial in chosen if trial.id not in named)
    assert set(others.values()) == {1}
    assert not set(others) & {cost_hash(TRIALS[name]) for name in named}
    assert names(chosen) & {"baseline_30_epochs", "learning_rate_0.003", "split_43", "dropout_0.25"} == set()
    assert [trial.id for trial in chosen] == [name for name in TRIALS if name in names(chosen)]


@pytest.mark.parametrize(
    ("changed", "same", "free"),
    [
        (small_trial(Dropout(0.3)), small_trial(Dropout(0.6)), True),
        (small_trial(learning_rate=0.1, split_seed=7, stages=[Stage(epochs=9)]), small_trial(), True),
        (linear_trial(), small_trial(), False),
        (small_trial(batch_size=64), small_trial(), False),
        (small_trial(strategy="mirrored"), small_trial(), False),
        (small_trial(Dropout(0.3)), small_trial(), False),
    ],
)
def test_a_cost_is_what_decides_the_speed(changed, same, free):
    """Rates, epochs, splits and ids cost no time; layers, batch and devices do."""
    assert (cost_hash(changed) == cost_hash(same)) is free


def test_asking_decides_before_the_profile():
    """--no-timing leaves the pass out, --timing adds it, and asking for what is not timed is an error."""
    assert choose_timed(PROFILES["full"], TRIALS, CLAIMS, False) == ()
    assert choose_timed(PROFILES["smoke"], TRIALS, CLAIMS, None) == ()
    assert names(choose_timed(PROFILES["smoke"], TRIALS, CLAIMS, True)) == set(PROFILES["smoke"].timing.trials)
    assert len(choose_timed(PROFILES["quick"], TRIALS, CLAIMS, None)) == 3
    some = {name: TRIALS[name] for name in ("dropout", "baseline")}
    assert names(choose_timed(PROFILES["quick"], some, CLAIMS, None)) == {"baseline"}
    assert choose_timed(PROFILES["quick"], {"dropout": TRIALS["dropout"]}, CLAIMS, None) == ()
    with pytest.raises(UsageError, match="none of these trials is timed in the profile 'quick'"):
        choose_timed(PROFILES["quick"], {"dropout": TRIALS["dropout"]}, CLAIMS, True)


def test_blocks_hold_every_trial_in_a_random_order_that_is_fixed(tmp_path):
    """Each block holds each trial once, in an order that differs between blocks and is the same in every call."""
    trials = [replace(NETWORK, id=f"trial_{number}") for number in range(8)]
    orders = [[trial.id for trial in timing.order_of(trials, block)] for block in range(5)]
    assert len({tuple(order) for order in orders}) == 5
    assert [[trial.id for trial in timing.order_of(trials[::-1], block)] for block in range(5)] == orders
    assert all(sorted(order) == sorted(names(trials)) for order in orders)
    prepared, readings = request_for(tmp_path, *trials, plan=replace(PLAN, blocks=5)), Readings()
    assert run(prepared, readings) == 0
    assert readings.asked == [name for order in orders for name in order]
    found = read_timing_pass(prepared.folder)
    assert found.order_seed == timing.ORDER_SEED
    assert [(each.trial, each.block) for each in found.measurements] == [
        (name, block) for block, order in enumerate(orders) for name in order
    ]


def test_what_is_measured_is_kept_where_it_was_measured(tmp_path, monkeypatch):
    """A measurement is recorded as read, on the last core; a mirrored one needs two, or is not timed."""
    monkeypatch.setattr(timing, "available_cores", lambda: list(range(6)))
    seen = {}
    readings = Readings(lambda request, _: (seen.update({request.trial.id: request.cores}), calm(request))[1])
    mirrored = replace(NETWORK, id="several", strategy="mirrored")
    prepared = request_for(tmp_path, NETWORK, CENTROID, mirrored, plan=replace(PLAN, blocks=1))
    assert run(prepared, readings) == 0
    assert seen == {"small": (5,), "centroid": (5,), "several": (4, 5)}
    found = {each.trial: each for each in read_timing_pass(prepared.folder).measurements}
    assert (found["small"], found["centroid"]) == (CALM, replace(CLASSICAL, trial="centroid"))
    assert read_timing_pass(prepared.folder).warmup_steps == 5
    monkeypatch.setattr(timing, "available_cores", lambda: [0])
    assert timing_state(request_for(tmp_path / "alone", mirrored)) is None


BEFORE = Counters(clock=10.0, own=1.0, busy=5.0, stolen=2.0, throttles=3)
QUIET = Counters(clock=12.0, own=2.98, busy=6.98, stolen=2.0, throttles=3)  # two seconds later


@pytest.mark.parametrize(
    ("change", "waits", "disturbed"),
    [
        ({}, False, False),
        ({"stolen": 2.1}, False, True),
        ({"stolen": 2.01, "clock": 10.2, "own": 1.2, "busy": 5.2}, False, False),  # one tick of the counter
        ({"throttles": 4}, False, True),
        ({"own": 2.8, "busy": 6.8}, False, True),
        ({"own": 2.8, "busy": 6.8}, True, False),  # replicas wait for one another, processors for graphics cards
        ({"busy": 7.5}, True, True),
    ],
)
def test_what_disturbs_a_measurement(change, waits, disturbed):
    """Steal, throttling, a core that was shared and work on other cores disturb; what always happens does not."""
    _, disturbances = judge(BEFORE, QUIET._replace(**change), cores=1, waits=waits)
    assert bool(disturbances) is disturbed


def test_the_machine_is_read_as_it_is():
    """The counters grow, this process's own work is nobody else's, and stolen time is a share of the timed cores."""
    after = Counters(clock=12.0, own=2.9, busy=7.4, stolen=2.2, throttles=4)
    found, _ = judge(BEFORE, after, cores=2, waits=False)
    assert found == pytest.approx({"processor_share": 0.95, "other_work": 0.25, "steal": 0.05, "throttled": True})
    assert judge(BEFORE, after, cores=2, waits=True)[0]["processor_share"] is None
    cores = available_cores()
    first = timing.read_counters(cores[-1:], cores)
    sum(range(3_000_000))
    second = timing.read_counters(cores[-1:], cores)
    assert second.own > first.own
    assert second.busy >= first.busy > 0


def test_a_disturbed_measurement_is_repeated_and_at_last_marked(tmp_path):
    """It is repeated after the rest of its block, at most three times, and then kept as disturbed."""

    def answer(request, times):
        if request.trial.id == "linear":
            return calm(request, "throttled")
        return calm(request, "throttled") if request.trial.id == "small" and times < 2 else calm(request)

    prepared, said = request_for(tmp_path, NETWORK, LINEAR, CENTROID, plan=replace(PLAN, blocks=1)), []
    readings = Readings(answer)
    assert run(prepared, readings, said.append) == 0
    assert Counter(readings.asked) == {"linear": 4, "small": 3, "centroid": 1}
    assert set(readings.asked[:3]) == {"linear", "small", "centroid"}
    found = {each.trial: (each.attempts, each.contended) for each in read_timing_pass(prepared.folder).measurements}
    assert found == {"linear": (4, True), "small": (3, False), "centroid": (1, False)}
    assert sum("measured once more" in line for line in said) == 5
    assert any("linear" in line and "disturbed to the last" in line for line in said)
    assert timing_state(prepared).reason is None


def test_a_pass_that_was_stopped_goes_on_with_the_next_block(tmp_path):
    """What was whole is kept, what was begun is measured again, and nothing is measured twice."""

    def stop(request, _):
        if len(readings.asked) == 4:
            raise KeyboardInterrupt
        return calm(request)

    prepared = request_for(tmp_path, NETWORK, CENTROID)
    readings = Readings(stop)
    with pytest.raises(KeyboardInterrupt):
        run(prepared, readings)
    kept = read_timing_pass(prepared.folder).measurements
    assert [each.block for each in kept] == [0, 0]
    assert timing_state(prepared).reason == "1 of 3 blocks finished"
    again = Readings()
    run(prepared, again)
    assert len(again.asked) == 4
    found = read_timing_pass(prepared.folder).measurements
    assert found[:2] == kept
    assert Counter((each.trial, each.block) for each in found) == {
        (name, block): 1 for name in ("small", "centroid") for block in range(3)
    }
    assert timing_state(prepared).reason is None


def test_a_measurement_that_fails_is_told_and_tried_again_by_the_next_call(tmp_path):
    """The others go on, the pass is not finished, and the next call measures what is missing alone."""
    broken = WorkerError("ValueError: no such layer")
    readings = Readings(lambda request, _: broken if request.trial.id == "small" else calm(request))
    prepared, said = request_for(tmp_path, NETWORK, CENTROID), []
    assert run(prepared, readings, said.append) == 3
    assert sum("failed: ValueError: no such layer" in line for line in said) == 3
    assert timing_state(prepared).reason == "0 of 3 blocks finished"
    again = Readings()
    assert run(prepared, again) == 0
    assert again.asked == ["small"] * 3
    assert timing_state(prepared).reason is None


@pytest.mark.parametrize(
    ("what", "value", "reason"),
    [
        ("ENGINE_VERSION", "other", "engine changed"),
        ("processor_name", lambda: "other", "processor changed"),
        ("library_versions", lambda **_: {}, "version of numpy changed, version of scikit-learn changed"),
    ],
)
def test_another_machine_or_code_repeats_the_pass(tmp_path, monkeypatch, what, value, reason):
    """The pass begins anew, and says why, when the machine, the code or a version is not that of the record."""
    monkeypatch.setattr(timing, "available_cores", lambda: [0, 1])
    prepared = request_for(tmp_path, CENTROID)
    run(prepared, Readings())
    assert timing_state(prepared).reason is None
    monkeypatch.setattr(timing, what, value)
    state = timing_state(prepared)
    assert (state.reason, state.done) == (reason, ())
    again = Readings()
    run(prepared, again)
    assert again.asked == ["centroid"] * 3
    assert timing_state(prepared).reason is None


def test_other_units_repeat_the_pass_and_more_blocks_extend_it(tmp_path):
    """Other steps are other measurements; a block more is only a block more."""
    run(request_for(tmp_path, CENTROID), Readings())
    assert timing_state(request_for(tmp_path, CENTROID, plan=replace(PLAN, portions=4))).reason == "unit changed"
    longer, readings = request_for(tmp_path, CENTROID, plan=replace(PLAN, blocks=5)), Readings()
    assert timing_state(longer).reason == "3 of 5 blocks finished"
    run(longer, readings)
    assert len(readings.asked) == 2


def test_a_changed_or_new_trial_repeats_the_whole_pass(tmp_path):
    """Blocks compare what was measured side by side, so one changed or new trial repeats all of them."""
    baseline, centroid, other = (TRIALS[name] for name in ("baseline", "nearest_centroid", "stride_2"))
    run(request_for(tmp_path, baseline, centroid), Readings())
    assert timing_state(request_for(tmp_path, replace(baseline, learning_rate=0.5), centroid)).reason is None
    assert timing_state(request_for(tmp_path, replace(baseline, batch_size=64))).reason == "baseline changed"
    more, readings = request_for(tmp_path, other), Readings()
    state = timing_state(more)
    assert (state.reason, state.done) == ("stride_2 not timed yet", ())
    assert names(state.trials) == {"baseline", "nearest_centroid", "stride_2"}  # what was there comes along
    run(more, readings)
    assert Counter(readings.asked) == {"baseline": 3, "nearest_centroid": 3, "stride_2": 3}
    assert {timing_state(request_for(tmp_path, trial)).reason for trial in (baseline, centroid, other)} == {None}


def test_a_damaged_record_is_refused_and_measured_again(tmp_path):
    """A record that no pass writes is an error for whoever reads it, and a reason to measure again."""
    prepared = request_for(tmp_path, CENTROID)
    run(prepared, Readings())
    path = prepared.folder / TIMING_FILE
    path.write_text(path.read_text().replace('"seconds": 0.', '"seconds": -0.'))
    with pytest.raises(SuiteError, match=r"timing\.json"):
        read_timing_pass(prepared.folder)
    assert "its record is damaged" in timing_state(prepared).reason
    run(prepared, Readings())
    assert timing_state(prepared).reason is None


CORES = tuple(available_cores())
PLAIN = (*ONE_WORKER[:-2], "--only", "nearest_centroid", "--data", "synthetic")
TIMED = (*PLAIN, "--timing")


@pytest.fixture
def request_of(dataset, tmp_path):

    def make(trial, data=dataset):
        several = not isinstance(trial, ClassicalTrial) and trial.strategy == "mirrored"
        profile = replace(PROFILES["smoke"], counts=(60, 20, 20))
        plan = TimingPlan(blocks=1, portions=3, portion_steps=2)
        return MeasurementRequest(trial, data, profile, plan, tmp_path, CORES if several else CORES[-1:], CORES)

    return make


def workers() -> list[psutil.Process]:
    with suppress(psutil.NoSuchProcess):  # one has just ended
        children = psutil.Process().children(recursive=True)
        return [process for process in children if "running.workers" in " ".join(process.cmdline())]
    return workers()


AUGMENTED = small_trial(strategy="mirrored", stages=[Stage(epochs=1, augmentation=Augmentation())])


@pytest.mark.long
@pytest.mark.parametrize(("trial", "replicas"), [(small_trial(Dropout(0.5)), 1), (AUGMENTED, 2)])
def test_a_network_is_measured(request_of, trial, replicas):
    """A network, also a mirrored one with augmentation, gives its seconds; no process is left."""
    found = timing.measure(request_of(trial)).measurement
    assert (found.replicas, found.steps, len(found.portions)) == (replicas, 6, 3)
    assert min(found.portions) > 0
    assert list(found.until) == ([] if replicas == 1 else ["read", "passes", "exchange"])
    assert 2e8 < found.peak_memory_bytes < 2.5e9
    assert replicas == 1 or found.processor_share is None
    assert 0 <= found.steal <= 1
    assert 0 <= found.other_work < len(CORES) + 1
    assert workers() == []


def test_a_classifier_is_measured_and_what_fails_says_why(request_of, dataset, tmp_path):
    """A classifier gives the seconds of fitting and predicting; a measurement that raises gives its error."""
    found = timing.measure(request_of(CENTROID)).measurement
    assert (found.steps, found.portions) == (0, ())
    assert min(found.fit_seconds, found.predict_seconds) > 0
    with pytest.raises(WorkerError, match=r"^FileNotFoundError: "):
        timing.measure(request_of(CENTROID, dataclasses.replace(dataset, folder=tmp_path)))
    assert workers() == []


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Return a bundle in which nothing is left to train."""
    folder = tmp_path_factory.mktemp("trained")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr(commands, "derive", lambda _: None)  # tables and plots
        assert main(["run", *PLAIN]) == 0
    assert not (folder / "bundle" / TIMING_FILE).exists()
    return folder / "bundle"


@pytest.fixture
def finished(trained, in_folder):
    return shutil.copytree(trained, in_folder / "bundle")


@pytest.mark.parametrize("faked", [True, pytest.param(False, marks=pytest.mark.long)], ids=["faked", "real"])
def test_timing_alone_runs_on_a_finished_bundle(finished, monkeypatch, capsys, faked):
    """--timing adds the pass and nothing else, the manifest covers it, and the next call finds it finished."""
    monkeypatch.setattr(commands, "derive", lambda _: None)  # tables and plots
    if faked:
        monkeypatch.setattr(suite, "run_timing_pass", partial(run_timing_pass, take=Readings()))
    runs = contents(finished / "runs")
    assert main(["status", *TIMED]) == 0
    assert re.search("timing pass +would run: not run yet", capsys.readouterr().out)
    assert main(["run", *TIMED]) == 0
    out = capsys.readouterr().out
    assert "the timing pass is finished" in out
    assert "block 2 of 2 is measured" in out
    assert contents(finished / "runs") == runs
    assert f"  {TIMING_FILE}\n" in (finished / MANIFEST_FILE).read_text()
    bundle = Bundle.load(finished)
    measured = bundle.timing_pass.measurements
    assert [(each.trial, each.block) for each in measured] == [("nearest_centroid", 0), ("nearest_centroid", 1)]
    assert all(each.attempts <= 2 and each.peak_memory_bytes for each in measured)
    assert main(["run", *TIMED]) == main(["status", *TIMED]) == 0
    assert re.match("all 1 runs are finished already(.|\n)*timing pass +finished", capsys.readouterr().out)


@pytest.mark.skipif(not hasattr(os, "killpg"), reason="signals to a group are those of Unix")
@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGINT, 130), pytest.param(signal.SIGKILL, -9, marks=pytest.mark.long)]
)
@pytest.mark.usefixtures("finished")
def test_whatever_ends_the_pass_leaves_no_process(in_folder, capsys, number, status):
    """After Ctrl-C and a kill, no measuring process lives on, and the lock is free."""
    with Suite(*TIMED, cwd=in_folder) as running:
        measuring = running.wait_for(workers, "a measurement")
        os.killpg(running.process.pid, number)
        assert running.end().status == status
        assert psutil.wait_procs(measuring, timeout=10)[1] == []
        assert workers() == []
    assert main(["status", *TIMED]) == 0
    assert "would run" in capsys.readouterr().out
