"""The timing pass without a measurement: which trials, in which order, repeated when, kept and gone on with how."""

from collections import Counter

import pytest
from msgspec.structs import replace
from networks import linear_trial, small_trial
from timing_cases import CALM, CENTROID, PLAN, Readings, calm, request_for

from cifar_report.bundle import read_timing_pass, write_timing_pass
from cifar_report.bundle.bundle import TIMING_FILE
from cifar_report.cli import make_parser
from cifar_report.errors import SuiteError, UsageError
from cifar_report.registry import claims_of, load_experiments, trials_of
from cifar_report.running import timing_state as timing_states
from cifar_report.running.contention import MachineState, between, read_state
from cifar_report.running.environment import available_cores
from cifar_report.running.measuring import MeasurementError
from cifar_report.running.timed import TIMED_QUANTITIES, choose_timed, cost_hash
from cifar_report.running.timing_pass import ORDER_SEED, disturbances, order_of, processor_share, run_timing_pass
from cifar_report.running.timing_state import timing_state
from cifar_report.spec import PROFILES, Dropout, Stage

EXPERIMENTS = load_experiments()
TRIALS = trials_of(EXPERIMENTS)
CLAIMS = claims_of(EXPERIMENTS)
NETWORK, LINEAR = small_trial(), linear_trial()


def names(trials) -> set[str]:
    """Return the ids of trials."""
    return {trial.id for trial in trials}


def run(prepared, readings, say=lambda _: None) -> int:
    """Run what the pass lacks."""
    return run_timing_pass(prepared, timing_state(prepared), say, readings)


def test_one_trial_of_each_cost_and_all_that_time_claims_name():
    """The full pass times every trial that a claim about time names, and one of each other cost, none twice."""
    chosen = choose_timed(PROFILES["full"], TRIALS, CLAIMS, None)
    about_time = [claim for claim in CLAIMS if claim.quantity in TIMED_QUANTITIES]
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


def test_profiles_say_how_they_are_timed():
    """Full times all in five blocks, quick three trials in three, smoke only when asked; all names exist."""
    full, quick, smoke = (PROFILES[name].timing for name in ("full", "quick", "smoke"))
    assert (full.blocks, full.trials, full.portions * full.portion_steps, full.portion_steps) == (5, None, 200, 50)
    assert (quick.blocks, len(quick.trials), quick.portions * quick.portion_steps) == (3, 3, 200)
    assert (full.repeats, quick.repeats) == (3, 3)
    assert (full.by_default, quick.by_default, smoke.by_default) == (True, True, False)
    assert {*quick.trials, *smoke.trials} <= TRIALS.keys()


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


def test_the_timing_does_not_divide_bundles():
    """A bundle stays usable when only the way of timing changed, and for nothing else of the profile."""
    full = PROFILES["full"]
    assert replace(full, timing=None).trains_like(full)
    assert not replace(full, fraction=0.5).trains_like(full)


def test_blocks_hold_every_trial_in_a_random_order_that_is_fixed(tmp_path):
    """Each block holds each trial once, in an order that differs between blocks and is the same in every call."""
    trials = [replace(NETWORK, id=f"trial_{number}") for number in range(8)]
    orders = [[trial.id for trial in order_of(trials, block)] for block in range(5)]
    assert len({tuple(order) for order in orders}) == 5
    assert [[trial.id for trial in order_of(trials[::-1], block)] for block in range(5)] == orders
    assert all(sorted(order) == sorted(names(trials)) for order in orders)
    prepared, readings = request_for(tmp_path, *trials, plan=replace(PLAN, blocks=5)), Readings()
    assert run(prepared, readings) == 0
    assert readings.asked == [name for order in orders for name in order]
    found = read_timing_pass(prepared.folder)
    assert found.order_seed == ORDER_SEED
    assert [(each.trial, each.block) for each in found.measurements] == [
        (name, block) for block, order in enumerate(orders) for name in order
    ]


def test_what_is_measured_is_kept(tmp_path):
    """A measurement comes into the record as it was read, with the load, the steal and the shares."""
    prepared = request_for(tmp_path, NETWORK, CENTROID, plan=replace(PLAN, blocks=1))
    assert run(prepared, Readings()) == 0
    found = {each.trial: each for each in read_timing_pass(prepared.folder).measurements}
    network = found["small"]
    assert (network.steps, network.batch_size, network.replicas, network.portions) == (10, 32, 1, (0.1, 0.2))
    assert network.seconds == pytest.approx(0.3)
    assert (network.load, network.steal, network.processor_share, network.other_work) == (0.5, 0.0, 0.99, 0.01)
    assert (network.attempts, network.contended, network.peak_memory_bytes) == (1, False, 1000)
    assert (found["centroid"].fit_seconds, found["centroid"].predict_seconds) == (0.1, 0.3)
    assert read_timing_pass(prepared.folder).warmup_steps == 5


@pytest.mark.parametrize(
    ("change", "disturbed"),
    [
        ({}, False),
        ({"steal": 0.05, "stolen_seconds": 0.05}, True),
        ({"steal": 0.05, "stolen_seconds": 0.01}, False),  # one tick of the counter
        ({"steal": 0.01, "stolen_seconds": 0.5}, False),
        ({"throttled": True}, True),
        ({"processor_share": 0.9}, True),
        ({"other_work": 0.5}, True),
        ({"replicas": 2, "processor_share": 0.7}, False),  # replicas wait for one another
    ],
)
def test_what_disturbs_a_measurement(change, disturbed):
    """Steal, throttling, a core that was shared and work on other cores disturb; what always happens does not."""
    assert bool(disturbances(NETWORK, replace(CALM, **change))) is disturbed


def test_the_machine_is_read_as_it_is():
    """The counters grow, this process's own work is nobody else's, and stolen time is a share of the timed cores."""
    before = MachineState(clock=10.0, own=1.0, busy=5.0, stolen=2.0, throttles=3)
    after = MachineState(clock=12.0, own=2.9, busy=7.4, stolen=2.2, throttles=4)
    found = between(before, after, timed=2)
    assert (found.processor_share, found.other_work, found.steal) == pytest.approx((0.95, 0.25, 0.05))
    assert found.throttled
    cores = available_cores()
    first = read_state(cores[-1:], cores)
    sum(range(3_000_000))
    second = read_state(cores[-1:], cores)
    assert second.own > first.own
    assert second.busy >= first.busy > 0
    assert between(first, second, 1).processor_share > 0


def test_a_disturbed_measurement_is_repeated_and_at_last_marked(tmp_path):
    """It is repeated after the rest of its block, at most three times, and then kept as disturbed."""
    stolen = replace(CALM, steal=0.03, stolen_seconds=0.2)

    def answer(request, times):
        if request.trial.id == "linear":
            return stolen
        return stolen if request.trial.id == "small" and times < 2 else calm(request)

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


def test_no_more_processes_prepare_than_there_are_cores(tmp_path, monkeypatch):
    """As many trials prepare at the same time as there are cores, four at most, each first on a core of its own."""
    monkeypatch.setattr("cifar_report.running.timing_pass.available_cores", lambda: list(range(6)))
    trials = [replace(NETWORK, id=f"trial_{number}") for number in range(6)]
    mirrored = replace(NETWORK, id="several", strategy="mirrored")
    seen = []
    readings = Readings(lambda request, _: (seen.append(request), CALM)[1])
    run(request_for(tmp_path, *trials, mirrored, plan=replace(PLAN, blocks=1)), readings)
    assert [len(group) for group in readings.groups] == [4, 3]
    single = [request for request in seen if request.trial.id != "several"]
    assert {request.timed_on for request in single} == {(5,)}
    assert {len(request.prepared_on) for request in single} == {1}
    assert {request.timed_on for request in seen} - {(5,)} == {(4, 5)}


def test_what_starts_fast_prepares_beside_the_networks(tmp_path, monkeypatch):
    """A classifier takes no network's place, wherever the order puts it, and the order of measuring stays."""
    monkeypatch.setattr("cifar_report.running.timing_pass.available_cores", lambda: [0, 1])
    readings = Readings()
    run(request_for(tmp_path, NETWORK, LINEAR, CENTROID, plan=replace(PLAN, blocks=4)), readings)
    assert [len(group) for group in readings.groups] == [3] * 4
    monkeypatch.setattr("cifar_report.running.timing_pass.available_cores", lambda: [0])
    alone = Readings()
    run(request_for(tmp_path / "alone", NETWORK, LINEAR, plan=replace(PLAN, blocks=1)), alone)
    assert [len(group) for group in alone.groups] == [1, 1]


def test_both_sessions_take_the_option():
    """The words after -- of either session may hold --timing and --no-timing; unsaid, the profile decides."""
    parser = make_parser(sessions=True)
    for session in ("run", "report"):
        for words, asked in ((["--timing"], True), (["--no-timing"], False), ([], None)):
            assert parser.parse_args([session, "--sessions", *words]).timing is asked
    assert make_parser().parse_args(["status", "--no-timing"]).timing is False


def test_a_pass_that_was_stopped_goes_on_with_the_next_block(tmp_path):
    """What was whole is kept, what was begun is measured again, and nothing is measured twice."""

    def stop(request, _):
        if len(readings.asked) == 3:
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
    broken = MeasurementError("ValueError: no such layer")
    readings = Readings(lambda request, _: broken if request.trial.id == "small" else calm(request))
    prepared, said = request_for(tmp_path, NETWORK, CENTROID), []
    assert run(prepared, readings, said.append) == 3
    assert sum("failed: ValueError: no such layer" in line for line in said) == 3
    assert timing_state(prepared).reason == "0 of 3 blocks finished"
    again = Readings()
    assert run(prepared, again) == 0
    assert again.asked == ["small"] * 3
    assert timing_state(prepared).reason is None


def test_a_pass_that_told_the_processors_name_alone_is_kept(tmp_path, monkeypatch):
    """Older records lack the processor's design: the same name does not repeat a pass of many minutes, another does."""
    monkeypatch.setattr(timing_states, "available_cores", lambda: [0, 1])
    prepared = request_for(tmp_path, CENTROID)
    monkeypatch.setattr(timing_states, "processor_name", lambda: "AMD EPYC")
    run(prepared, Readings())
    monkeypatch.setattr(timing_states, "processor_name", lambda: "AMD EPYC (family 25, model 1, AVX2)")
    assert timing_state(prepared).reason is None
    monkeypatch.setattr(timing_states, "processor_name", lambda: "AMD Ryzen (family 25, model 1, AVX2)")
    assert timing_state(prepared).reason == "processor changed"


@pytest.mark.parametrize(
    ("what", "value", "reason"),
    [
        ("ENGINE_VERSION", "other", "engine changed"),
        ("processor_name", lambda: "other", "processor changed"),
        ("available_cores", lambda: [0, 1, 2], "cores changed"),
        ("graphics_cards", lambda: 1, "graphics cards changed"),
        ("version_of", lambda name: f"{name} 9", "version of numpy changed, version of scikit-learn changed"),
    ],
)
def test_another_machine_or_code_repeats_the_pass(tmp_path, monkeypatch, what, value, reason):
    """The pass begins anew, and says why, when the machine, the code or a version is not that of the record."""
    monkeypatch.setattr(timing_states, "available_cores", lambda: [0, 1])
    prepared = request_for(tmp_path, CENTROID)
    run(prepared, Readings())
    assert timing_state(prepared).reason is None
    monkeypatch.setattr(timing_states, what, value)
    state = timing_state(prepared)
    assert (state.reason, state.done) == (reason, None)
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
    assert (state.reason, state.done) == ("stride_2 not timed yet", None)
    assert names(state.trials) == {"baseline", "nearest_centroid", "stride_2"}  # what was there comes along
    run(more, readings)
    assert Counter(readings.asked) == {"baseline": 3, "nearest_centroid": 3, "stride_2": 3}
    for trial in (baseline, centroid, other):
        assert timing_state(request_for(tmp_path, trial)).reason is None


def test_several_devices_need_two_cores(tmp_path, monkeypatch):
    """On one core a mirrored trial is not timed: its replicas would only take turns."""
    mirrored = replace(NETWORK, id="several", strategy="mirrored")
    monkeypatch.setattr(timing_states, "available_cores", lambda: [0])
    assert names(timing_state(request_for(tmp_path, NETWORK, mirrored)).trials) == {"small"}
    assert timing_state(request_for(tmp_path, mirrored)) is None
    monkeypatch.setattr(timing_states, "available_cores", lambda: [0, 1])
    assert names(timing_state(request_for(tmp_path, mirrored)).trials) == {"several"}


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text[: len(text) // 2],
        lambda text: text.replace('"seconds": 0.', '"seconds": -0.'),
        lambda text: text.replace('"load": 0.5', '"load": 1e999'),
        lambda text: text.replace('"block": 0', '"block": -1'),
        lambda text: text.replace('"order_seed"', '"other_seed"'),
    ],
)
def test_a_damaged_record_is_refused_and_measured_again(tmp_path, damage):
    """A record that no pass writes is an error for whoever reads it, and a reason to measure again."""
    prepared = request_for(tmp_path, CENTROID)
    run(prepared, Readings())
    path = prepared.folder / TIMING_FILE
    changed = damage(path.read_text())
    assert changed != path.read_text()
    path.write_text(changed)
    with pytest.raises(SuiteError, match=r"timing\.json"):
        read_timing_pass(prepared.folder)
    assert "its record is damaged" in timing_state(prepared).reason
    run(prepared, Readings())
    assert timing_state(prepared).reason is None


def test_nothing_is_written_through_a_link(tmp_path):
    """A link where the pass lies is refused, so that no file outside the bundle is replaced."""
    prepared = request_for(tmp_path, CENTROID)
    run(prepared, Readings())
    known = read_timing_pass(prepared.folder)
    (prepared.folder / "timing").rename(tmp_path / "elsewhere")
    (prepared.folder / "timing").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(SuiteError, match="is a link"):
        write_timing_pass(prepared.folder, known)


def test_the_share_of_a_core_says_nothing_where_waiting_is_part_of_the_work(monkeypatch):
    """Several replicas wait for one another, and a processor waits for its graphics cards; a classifier does not."""
    assert processor_share(NETWORK, CALM) == 0.99
    assert processor_share(NETWORK, replace(CALM, replicas=2)) is None
    monkeypatch.setattr("cifar_report.running.timing_pass.graphics_cards", lambda: 1)
    assert processor_share(NETWORK, CALM) is None
    assert processor_share(CENTROID, CALM) == 0.99
