"""The bench: what it derives from measurements, what it says about them, and that its probes measure anything."""

import json
import math
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import msgspec
import pytest

from cifar_report.benchmark import peers, processes
from cifar_report.benchmark.__main__ import main
from cifar_report.benchmark.blocks import Blocks, Machine, Sample
from cifar_report.benchmark.costs import FixedCosts, fixed_costs
from cifar_report.benchmark.growth import GrowthPoint, exponents, measure_growth, steepest
from cifar_report.benchmark.measuring import growth_findings, run_blocks
from cifar_report.benchmark.protocol import Request, Setting, Slice
from cifar_report.benchmark.record import BEGIN, END, Performance, update_docs
from cifar_report.benchmark.results import Benchmark, finding
from cifar_report.benchmark.schedule import Planned, play
from cifar_report.benchmark.suite_time import efficiency, suite_time
from cifar_report.benchmark.throughput import findings, table
from cifar_report.benchmark.workload import EVALUATIONS, group, works
from cifar_report.bundle import Bundle, RunTiming, encode
from cifar_report.errors import SuiteError, UsageError
from cifar_report.registry import load_experiments, trials_of
from cifar_report.running.environment import record_environment
from cifar_report.running.plan import plan_runs
from cifar_report.simulation import Simulation, simulate_bundle
from cifar_report.spec import PROFILES, Trial

TRIALS = trials_of(load_experiments())
NO_COSTS = FixedCosts(run=0.0, epoch=0.0, gap=0.0, runs=1, peak_memory=1e9, peak_memory_any=0.0)
MACHINE = Machine(block=0, peak_one=1e11, peak_all=2e11, start_seconds=0.0)


def sample(way, part, rate, block=0):
    """Return a measurement that trains and evaluates at one rate."""
    return Sample(block=block, way=way, part=part, train_rate=rate, evaluate_rate=rate)


def plan(*trials, seeds=1):
    """Return the full suite's runs of some trials."""
    return plan_runs([TRIALS[trial] for trial in trials], PROFILES["full"], seeds, 40_000)


def groups_of(*trials):
    """Return the timed parts of a suite of some trials."""
    return group(works([TRIALS[trial] for trial in trials], 1))


def test_every_part_of_the_suite_is_timed_by_one_that_is_like_it():
    """Each stage of each network belongs to one timed part, of the same strategy and augmentation."""
    parts = works(TRIALS.values(), 5)
    groups = group(parts)
    assert sum(each.runs for each in groups) == len(parts)
    assert {work.name for each in groups for work in each.stands_for} == {work.name for work in parts}
    for each in groups:
        for work in each.stands_for:
            assert work.mirrored == each.work.mirrored
            assert work.stage.augmentation == each.work.stage.augmentation
            assert 1 / 2.5 < work.trial.macs / each.work.trial.macs < 2.5 or work.trial.id == "stride_2"


def test_weights_count_every_step_of_the_suite():
    """The steps in the table add up to those that the full suite takes."""
    groups = group(works(TRIALS.values(), 5))
    networks = [trial for trial in TRIALS.values() if isinstance(trial, Trial)]
    epochs = {trial.id: sum(stage.epochs for stage in trial.stages) for trial in networks}
    steps = 5 * sum(epochs[trial.id] * math.ceil(40_000 / trial.batch_size) for trial in networks)
    rates = [sample("engine", each.work.name, 1.0) for each in groups]
    assert sum(row.steps for row in table(groups, rates, 5, None)) == steps


def test_ratio_is_that_of_the_times():
    """Two equal workers that are together twice as fast as the notebook way take half of its time."""
    groups = groups_of("split_43", "split_44", "baseline", "learning_rate_0.003")
    runs = plan("split_43", "split_44", "baseline", "learning_rate_0.003")
    samples = [sample("engine", "baseline", 2_000.0), sample("notebook", "baseline", 1_000.0)]
    time = suite_time(runs, groups, samples, MACHINE, NO_COSTS, 2)
    images = 15 * 50_000 + EVALUATIONS
    assert time.notebook == pytest.approx(4 * images / 1_000)
    assert time.engine == pytest.approx(4 * images / 2_000)
    assert time.ratio == pytest.approx(0.5)
    assert time.idle == pytest.approx(0.0)
    assert time.overhead == pytest.approx(EVALUATIONS / images)
    assert time.beyond_steps == pytest.approx(1 - 15 * 40_000 / images)


def test_fixed_costs_lengthen_the_engine_alone():
    """What a start, a run and an epoch cost counts to the engine's time and overhead, never to the notebook's time."""
    groups, runs = groups_of("baseline"), plan("baseline")
    samples = [sample("engine", "baseline", 1_000.0), sample("notebook", "baseline", 1_000.0)]
    costs = FixedCosts(run=10.0, epoch=2.0, gap=3.0, runs=1, peak_memory=0.0, peak_memory_any=0.0)
    machine = msgspec.structs.replace(MACHINE, start_seconds=7.0)
    free = suite_time(runs, groups, samples, MACHINE, NO_COSTS, 1)
    dear = suite_time(runs, groups, samples, machine, costs, 1)
    assert dear.engine - free.engine == pytest.approx(7 + 10 + 3 + 15 * 2)
    assert dear.notebook == free.notebook
    assert dear.overhead > free.overhead


def test_waits_count_to_the_notebook_way_and_are_told_apart():
    """What ``fit`` waits for its input pipeline is part of the notebook way's time; without it the ratio is larger."""
    groups, runs = groups_of("baseline"), plan("baseline")
    waiting = msgspec.structs.replace(sample("notebook", "baseline", 1_000.0), waited=0.25)
    time = suite_time(runs, groups, [sample("engine", "baseline", 2_000.0), waiting], MACHINE, NO_COSTS, 1)
    trained, others = 15 * 40_000, 15 * 10_000 + EVALUATIONS
    assert time.notebook == pytest.approx((trained + others) / 1_000)
    assert time.waited == pytest.approx(0.25 * trained / 1_000)
    assert time.ratio == pytest.approx(0.5)
    assert time.ratio_without_waits == pytest.approx((trained + others) / 2 / (0.75 * trained + others))


def test_efficiency_counts_three_forward_passes():
    """FLOP/s are six times the multiply-accumulates, less the gradient to the image where that is asked."""
    baseline = TRIALS["baseline"]
    first = 30 * 30 * 16 * 27
    assert efficiency(baseline, 1_000.0, 1e12) == pytest.approx(6 * baseline.macs * 1_000 / 1e12)
    assert efficiency(baseline, 1_000.0, 1e12, strict=True) == pytest.approx((6 * baseline.macs - 2 * first) / 1e9)


def test_schedule_keeps_the_order_and_the_mirrored_runs_apart():
    """Idle workers take the next run; a mirrored run waits for all, and what would end later waits for it."""
    assert play([Planned(3, 3), Planned(2, 2), Planned(1, 1)], 2) == (3, pytest.approx(0.0))
    assert play([Planned(4, 4), Planned(1, 1)], 2) == (4, pytest.approx(3 / 8))
    apart = play([Planned(4, 4), Planned(1, 1), Planned(2, 2, mirrored=True), Planned(5, 5)], 2)
    assert apart == (11, pytest.approx((3 + 5) / 22))
    ahead = play([Planned(4, 4), Planned(1, 1), Planned(2, 2, mirrored=True), Planned(1, 1)], 2)
    assert ahead == (6, pytest.approx(2 / 12))
    assert play([], 2) == (0, 0)
    with pytest.raises(ValueError, match="at least one worker"):
        play([Planned(1, 1)], 0)


def test_the_suite_order_leaves_few_cores_idle():
    """The full suite keeps two workers busy, also where the longest networks take other times than expected."""
    runs = plan_runs(TRIALS.values(), PROFILES["full"], 5, 40_000)
    longest = max(run.cost for run in runs)
    for factor in (0.6, 1.0, 1.7):
        seconds = [run.cost * (factor if run.cost == longest else 1.0) for run in runs]
        planned = [Planned(each, run.cost, run.mirrored) for each, run in zip(seconds, runs, strict=True)]
        assert play(planned, 2).idle < 0.05, factor


TIMED_TRIALS = ("baseline", "baseline_30_epochs", "stride_2", "nearest_centroid")


@pytest.fixture
def timed_bundle(tmp_path):
    """Return a bundle of four trials, whose timings a test replaces with ``write``."""
    simulation = Simulation(seeds=1, trials=TIMED_TRIALS, counts=(80, 20, 20))
    bundle = simulate_bundle(tmp_path / "bundle", load_experiments(), simulation)

    def write(run, started, epochs, rest):
        seconds = (3.0, *(2.0,) * (epochs - 1))  # the first epoch traces for one second
        timing = RunTiming(
            started=f"2026-01-01T00:{started:02}:00+00:00",
            finished=f"2026-01-01T00:{started:02}:50+00:00",
            host="tests",
            cores=(0,),
            total_seconds=sum(seconds) + epochs * 1.0 + 5.0 + rest,
            epoch_seconds={"training": seconds},
            validation_seconds={"training": (1.0,) * epochs},
            evaluation_seconds=5.0,
            peak_memory_bytes=700 + started,
        )
        (bundle.folder / "runs" / run / "timing.json").write_bytes(encode(timing))

    return bundle.folder, write


def test_fixed_costs_come_from_what_the_runs_took_beyond_their_parts(timed_bundle):
    """Tracing and the rest of a run's time are told apart by the number of epochs; a worker's first run is left out."""
    folder, write = timed_bundle
    write("stride_2/seed-0", 0, 15, 100.0)
    write("baseline/seed-0", 1, 15, 1.0 + 15 * 0.1)
    write("baseline_30_epochs/seed-0", 2, 30, 1.0 + 30 * 0.1)
    write("nearest_centroid/once", 3, 1, 0.0)
    costs = fixed_costs(Bundle.load(folder))
    assert (costs.run, costs.epoch) == (pytest.approx(2.0), pytest.approx(0.1))  # one second of it is tracing
    assert costs.gap == pytest.approx(10.0)
    assert costs.peak_memory == 702
    assert costs.runs == 2


def test_a_network_after_a_classifier_says_nothing_about_memory(timed_bundle):
    """A worker's peak never falls, so only networks that no classifier preceded count as networks' memory."""
    folder, write = timed_bundle
    for started, run in enumerate(("stride_2/seed-0", "baseline/seed-0", "nearest_centroid/once")):
        write(run, started, 15, 1.0)
    write("baseline_30_epochs/seed-0", 3, 30, 1.0)
    costs = fixed_costs(Bundle.load(folder))
    assert (costs.peak_memory, costs.peak_memory_any) == (701, 703)


def test_what_a_worker_did_in_a_pause_says_nothing_about_memory(timed_bundle):
    """After a pause of the suite a record counts only once it has fallen, which shows a new process."""
    folder, write = timed_bundle
    write("stride_2/seed-0", 3, 15, 1.0)
    write("baseline/seed-0", 20, 15, 1.0)  # 720 bytes, after a pause
    write("baseline_30_epochs/seed-0", 21, 15, 1.0)
    write("nearest_centroid/once", 22, 15, 1.0)
    costs = fixed_costs(Bundle.load(folder))
    assert (costs.peak_memory, costs.peak_memory_any) == (703, 703)
    record = json.loads((folder / "runs/baseline_30_epochs/seed-0/timing.json").read_bytes())
    record["peak_memory_bytes"] = 710
    (folder / "runs/baseline_30_epochs/seed-0/timing.json").write_text(json.dumps(record), encoding="utf-8")
    costs = fixed_costs(Bundle.load(folder))
    assert (costs.peak_memory, costs.peak_memory_any) == (710, 722)


def test_fixed_costs_need_a_network(tmp_path):
    """A bundle of classifiers says nothing about training, and that is said."""
    simulation = Simulation(seeds=1, trials=("nearest_centroid",), counts=(80, 20, 20))
    bundle = simulate_bundle(tmp_path / "bundle", load_experiments(), simulation)
    with pytest.raises(UsageError, match="no timing of a finished network"):
        fixed_costs(bundle)


def measured(ratio, blocks=3):
    """Return a record whose suite takes ``ratio`` of the notebook's time, by blocks that differ a little."""
    groups, runs = groups_of("baseline", "split_43"), plan("baseline", "split_43")
    factors = [1.0, 1.1, 0.9][:blocks]
    samples = [sample("engine", "baseline", 2_000.0 * factors[block], block) for block in range(blocks)]
    samples += [sample("notebook", "baseline", 2_000.0 * ratio, block) for block in range(blocks)]
    samples += [sample("pytorch", "baseline", 500.0, block) for block in range(blocks)]
    machine = [msgspec.structs.replace(MACHINE, block=block, peak_memory=9e8) for block in range(blocks)]
    return Benchmark(
        date="2026-01-01T00:00:00+00:00",
        environment=record_environment(),
        workers=2,
        findings=findings(runs, groups, samples, machine, NO_COSTS, 2),
        table=table(groups, samples, 5, None),
        samples=tuple(samples),
        machine=tuple(machine),
        costs=NO_COSTS,
        missing={"jax": "it could not be installed"},
    )


def named(benchmark, words):
    """Return the one finding whose name begins with some words."""
    return next(each for each in benchmark.findings if each.name.startswith(words))


def test_findings_are_medians_with_the_least_and_the_largest():
    """A measure is the median of the blocks, and its spread reaches from the least of them to the largest."""
    suite = named(measured(0.4), "whole suite")
    assert (suite.value, suite.least, suite.largest) == pytest.approx((0.4, 0.4 / 1.1, 0.4 / 0.9))
    assert suite.must
    assert suite.met
    assert named(measured(0.4), "baseline: this engine's time over that of a plain PyTorch").value == pytest.approx(
        0.25
    )
    with pytest.raises(ValueError, match="nothing was measured"):
        finding("nothing", "ratio", [])


def test_missing_an_aim_fails_only_where_it_is_a_must():
    """An aim is kept by the median, in its own direction; only a must decides the exit status."""
    benchmark = measured(0.4)
    assert not named(benchmark, "baseline: FLOP/s").met  # far below the peak, and no must
    benchmark = msgspec.structs.replace(
        benchmark, findings=tuple(f for f in benchmark.findings if "overhead" not in f.name)
    )
    assert not benchmark.failed
    assert not named(measured(0.46), "whole suite").met
    assert measured(0.46).failed


@pytest.mark.parametrize(("ratio", "status"), [(0.4, 0), (0.46, 1)])
def test_the_command_prints_each_measure_beside_its_aim(tmp_path, capsys, monkeypatch, ratio, status):
    """A recorded measurement is shown with aims and what was skipped, and gives its own exit status."""
    monkeypatch.setenv("COLUMNS", "200")
    benchmark = measured(ratio)
    kept = tuple(each for each in benchmark.findings if not each.name.startswith("overhead"))
    (tmp_path / "bench.json").write_bytes(msgspec.json.encode(msgspec.structs.replace(benchmark, findings=kept)))
    assert main(["--from", str(tmp_path / "bench.json")]) == status
    said = capsys.readouterr().out
    assert f"{ratio:.3f}" in said
    assert "≤ 0.450 (must)" in said
    assert "skipped: jax: it could not be installed" in said
    assert ("missed: whole suite" in said) == (status == 1)


@pytest.mark.parametrize(
    "words",
    [("--blocks", "0"), ("--quick", "--write-docs"), ("--from", "nowhere.json"), ("--from", "README.md")],
)
def test_the_command_refuses_what_cannot_be_measured(words, capsys):
    """Bad words end with one sentence and status 2 before anything is measured."""
    assert main(words) == 2
    assert capsys.readouterr().err.startswith("bench: ")


def growth_of(*pairs):
    """Return a recorded measurement of growth from (runs, seconds) pairs."""
    points = [
        GrowthPoint(
            runs=runs,
            seconds={"load": seconds, "verdicts": seconds, "report": 10.0 + seconds},
            peak_memory=5e8,
            html_bytes=1_000_000,
        )
        for runs, seconds in pairs
    ]
    date, environment = "2026-01-02T00:00:00+00:00", record_environment()
    found = growth_findings(points)
    return Benchmark(date=date, environment=environment, workers=1, findings=found, growth=tuple(points))


def test_documents_keep_what_people_wrote_and_the_other_measurement(tmp_path):
    """Only the text between the marks changes, and each kind of measurement replaces its own kind alone."""
    page = tmp_path / "performance.md"
    page.write_text(f"# Before\n\n{BEGIN}\nold\n{END}\n\n## After\n", encoding="utf-8")
    update_docs(tmp_path, measured(0.4))
    update_docs(tmp_path, growth_of((100, 1.0), (1_000, 9.0)))
    text = page.read_text(encoding="utf-8")
    assert text.startswith(f"# Before\n\n{BEGIN}\n")
    assert text.endswith(f"{END}\n\n## After\n")
    assert "old" not in text
    assert "| 0.400 | 0.364 – 0.444 | ≤ 0.450 (must) | yes |" in text
    assert "2026-01-01" in text
    assert "2026-01-02" in text
    update_docs(tmp_path, measured(0.3))
    assert "| 1,000 | 9.00 |" in page.read_text(encoding="utf-8")
    kept = msgspec.json.decode((tmp_path / "performance.json").read_bytes(), type=Performance)
    assert named(kept.suite, "whole suite").value == pytest.approx(0.3)


def test_documents_without_marks_are_left_alone(tmp_path):
    """A page whose marks are missing is refused and stays as it is."""
    page = tmp_path / "performance.md"
    page.write_text(f"{END} {BEGIN}", encoding="utf-8")
    with pytest.raises(UsageError, match="must hold the lines"):
        update_docs(tmp_path, measured(0.4))
    assert page.read_text(encoding="utf-8") == f"{END} {BEGIN}"
    assert list(tmp_path.iterdir()) == [page]


def test_the_page_of_the_project_can_be_brought_up_to_date(tmp_path):
    """The committed page holds the marks once each."""
    text = (Path(__file__).parent.parent / "docs" / "performance.md").read_text(encoding="utf-8")
    (tmp_path / "performance.md").write_text(text, encoding="utf-8")
    update_docs(tmp_path, measured(0.4))
    assert (tmp_path / "performance.md").read_text(encoding="utf-8").partition(END)[2] == text.partition(END)[2]


def test_growth_is_that_of_the_steepest_stretch():
    """The exponent is one for linear growth, and a steep end is seen behind a flat beginning."""

    def load(point):
        return point.seconds["load"]

    linear = growth_of((100, 1.0), (1_000, 10.0), (10_000, 100.0)).growth
    assert steepest(linear, load) == pytest.approx(1.0)
    late = growth_of((100, 1.0), (1_000, 1.0), (10_000, 100.0)).growth
    assert steepest(late, load) == pytest.approx(2.0)
    twice = growth_of((100, 1.0), (1_000, 10.0), (100, 1.0), (1_000, 40.0)).growth
    assert exponents(twice, load) == pytest.approx([math.log10(25), 1.0, math.log10(40)])
    assert exponents(growth_of((100, 1.0)).growth, load) == []


def test_growth_beyond_linear_fails():
    """Growth is a must; what takes no time has no exponent."""
    assert not growth_of((100, 0.5), (1_000, 5.0)).failed
    steep = growth_of((100, 0.5), (1_000, 10.0))
    assert steep.failed
    assert not named(steep, "steepest growth: seconds, load").met
    quick = growth_of((100, 0.0001), (1_000, 0.01))
    assert [each.name for each in quick.findings if "load" in each.name] == []


@pytest.mark.long
def test_a_bundle_of_a_hundred_runs_is_read_and_reported():
    """A point of growth is a simulated bundle read in a process of its own, to the finished report."""
    said = []
    (point,) = measure_growth((100,), 1, said.append)
    assert 80 <= point.runs <= 120
    assert set(point.seconds) == {"load", "verdicts", "report"}
    assert min(point.seconds.values()) > 0
    assert point.peak_memory > 5e7
    assert point.html_bytes > 100_000
    assert said


def test_slices_are_whole_batches_with_a_quarter_as_many_to_evaluate():
    """A slice evaluates in whole batches of the engine's, so that no way computes padding."""
    model_2 = TRIALS["model_2"]
    part = Slice(trial=model_2, stage=model_2.stages[0], steps=100)
    assert (part.images, part.evaluated) == (6_400, 1_600)
    assert Slice(trial=model_2, stage=model_2.stages[0], steps=1).evaluated == 200


def test_the_notebook_way_trains_whole_epochs():
    """An epoch is all training images, as far as they fill batches, and is validated on as many as in the suite."""
    for trial, images in (("baseline", 40_000), ("model_2", 40_000), ("batch_128", 39_936)):
        epoch = groups_of(trial)[0].epoch()
        assert (epoch.images, epoch.evaluated) == (images, 10_000)
    assert groups_of("baseline")[0].epoch(2).steps == 2


@pytest.mark.long
def test_probes_train_in_both_ways_and_a_peer_that_does_not_start_is_named(dataset, tmp_path):
    """A block of one step measures the engine and the notebook way, with and without augmentation."""
    (tmp_path / "torch.py").write_text("raise ImportError('no library of CUDA')\n", encoding="utf-8")
    parts = [("baseline", "training"), ("model_2", "augmented")]
    groups = group(works([TRIALS["baseline"], TRIALS["model_2"]], 1), parts)
    blocks = Blocks(dataset.folder, [0, 0], {"pytorch": tmp_path}, lambda _: None)
    blocks.run(0, groups, steps=1)
    assert {(each.way, each.part) for each in blocks.samples} == {
        (way, part) for way in ("engine", "notebook") for part in ("baseline", "model_2/augmented")
    }
    assert all(each.train_rate > 0 and each.evaluate_rate > 0 for each in blocks.samples)
    assert "no library of CUDA" in blocks.missing["pytorch"]
    (machine,) = blocks.machine
    assert machine.peak_one > 1e8
    assert machine.peak_memory > 1e8


def test_a_peer_that_cannot_be_installed_is_named(tmp_path, monkeypatch):
    """A failing installer names each peer with its reason; nothing half installed is used later."""
    program = "import sys; print('ERROR: there is no such wheel', file=sys.stderr); sys.exit(1)"
    monkeypatch.setattr(peers, "_installers", lambda: [[sys.executable, "-c", program]])
    missing = {}
    assert peers.install_peers(missing, lambda _: None, tmp_path) == {}
    assert set(missing) == {"pytorch", "jax"}
    assert all("there is no such wheel" in reason for reason in missing.values())
    monkeypatch.setattr(peers, "_installers", list)
    peers.install_peers(missing, lambda _: None, tmp_path)
    assert all("neither uv nor pip" in reason for reason in missing.values())


def test_a_peer_that_does_not_start_is_tried_with_the_next_installer(tmp_path, monkeypatch):
    """A package that cannot be imported counts as not installed; the installer that brings a working one decides."""
    install = "import pathlib, sys; folder = pathlib.Path(sys.argv[sys.argv.index('--target') + 1]); folder.mkdir()"
    broken = f"{install}; (folder / 'jax.py').write_text('raise ImportError(1)')"
    working = f"{install}; [(folder / (name + '.py')).touch() for name in ('jax', 'torch')]"
    programs = [[sys.executable, "-c", program] for program in (broken, working)]
    monkeypatch.setattr(peers, "_installers", lambda: programs)
    missing = {}
    found = peers.install_peers(missing, lambda _: None, tmp_path)
    assert set(found) == {"pytorch", "jax"}
    assert not (found["jax"] / "jax.py").read_text(encoding="utf-8")
    assert not missing
    monkeypatch.setattr(peers, "_installers", lambda: programs[:1])
    assert peers.install_peers(missing, lambda _: None, tmp_path / "other") == {}
    assert "ImportError" in missing["jax"]


def test_python_brings_a_pip_of_its_own():
    """An environment without pip and uv can still install: the pip that comes with Python runs from its wheel."""
    done = subprocess.run([sys.executable, "-c", peers.BUNDLED_PIP, "--version"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("pip ")


def test_blocks_end_in_time_and_outlive_a_failure():
    """A block that would end too late is left out, a later one that fails costs itself alone, the first one all."""
    said, done = [], []
    run_blocks(done.append, 3, time.monotonic() + 60, said.append)
    assert (done, said) == ([0, 1, 2], [])
    run_blocks(lambda _: time.sleep(0.05), 3, time.monotonic() + 0.06, said.append)
    assert said == ["this machine is slow: 1 of 3 blocks must do"]

    def fail(block, allowed):
        if block >= allowed:
            raise SuiteError("the probe notebook ended")

    run_blocks(partial(fail, allowed=1), 3, time.monotonic() + 60, said.append)
    assert said[-1] == "1 of 3 blocks must do: the probe notebook ended"
    with pytest.raises(SuiteError, match="the probe notebook ended"):
        run_blocks(partial(fail, allowed=0), 3, time.monotonic() + 60, said.append)


def test_a_probe_that_hangs_is_ended(dataset, monkeypatch):
    """Nobody watches over the bench: a probe that does not answer in time is killed and counts as failed."""
    monkeypatch.setattr(processes, "MOST_ANSWER_SECONDS", 0.01)
    setting = Setting(way="engine", folder=str(dataset.folder), cores=())
    with processes.Probe(setting) as probe, pytest.raises(SuiteError, match="the probe engine ended with"):
        probe.wait()


def test_a_probe_that_died_between_two_answers_is_named_and_leaves_quietly(dataset, tmp_path):
    """Its next request says how it ended; ending it with that request still unsent raises nothing of its own."""
    (tmp_path / "torch.py").touch()
    setting = Setting(way="pytorch", folder=str(dataset.folder), cores=())
    with processes.Probe(setting, tmp_path) as probe:
        probe.wait()
        probe._process.kill()
        probe._process.wait()
        with pytest.raises(SuiteError, match="the probe pytorch ended with -9"):
            probe.ask(Request(do="memory"))


def test_what_cannot_be_written_or_read_is_said_before_anything_is_measured(tmp_path, capsys):
    """A document without marks and a bundle that is none end the bench at once, not after its blocks."""
    (tmp_path / "performance.md").write_text("no marks", encoding="utf-8")
    assert main(["--write-docs", str(tmp_path)]) == 2
    assert "must hold the lines" in capsys.readouterr().err
    assert main(["--bundle", str(tmp_path)]) == 2
    assert "is no results bundle" in capsys.readouterr().err
