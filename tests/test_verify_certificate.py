"""How far two trainings of a run agree, from which epoch on they do not, and what the bundle keeps of that."""

import dataclasses
from functools import partial
from shutil import copytree

import msgspec
import numpy as np
import pytest
from msgspec.structs import replace
from power_cuts import interrupt
from reports import chapter, few_experiments, report_of
from suites import simulate
from verified import change_run, copied, flip, set_in

from cifar_report.analysis import analyse
from cifar_report.bundle import Bundle, EpochHashes, read_run
from cifar_report.bundle.arrays import dump_arrays, load_arrays
from cifar_report.bundle.certificates import Deviation
from cifar_report.commands.bundles import describe
from cifar_report.errors import UsageError
from cifar_report.report.i18n import Translation
from cifar_report.report.writer import Writer
from cifar_report.running.environment import record_environment
from cifar_report.simulation import Simulation, simulate_bundle
from cifar_report.verify.compare import TOLERANCE, compare_arrays, compare_records
from cifar_report.verify.records import Report, check_files, read_bundle
from cifar_report.verify.rerun import certify, choose_runs, kind_of, record_certificate

RUN = "model_2/seed-0"
STAGE = 1  # of the run: the second one


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    """Return a simulated bundle whose runs have a log of hashes and weights."""
    folder = tmp_path_factory.mktemp("certificate") / "bundle"
    trials = ("model_2", "nearest_centroid")
    simulate_bundle(folder, few_experiments("model_2", "classical"), Simulation(seeds=1, trials=trials))
    run, arrays = read_run(folder, RUN), {}
    for place, stage in enumerate(run.stages):
        hashes = tuple(EpochHashes(order=f"{epoch:016x}", weights=f"{epoch:016d}") for epoch in range(stage.epochs))
        run = set_in(run, f"stages.{place}.hashes", hashes)
        for kind in ("last", "best"):
            arrays[f"{stage.id}.{kind}.network.00_dense.kernel"] = np.full((2, 2), 0.5, "f4")
    change_run(folder, RUN, lambda _: run, weights=dump_arrays(arrays))
    return folder


@pytest.fixture
def again(original, tmp_path):
    """Return a copy of the bundle, for the place of the second training."""
    return copytree(original, tmp_path / "again")


def compared(original, again, run_id=RUN):
    diff = compare_records(*(read_run(folder, run_id) for folder in (original, again)))
    compare_arrays(diff, *(folder / "runs" / run_id for folder in (original, again)))
    return diff


def edit(folder, path, value, run_id=RUN):
    change_run(folder, run_id, lambda run: set_in(run, path, value))


def edit_array(folder, name, array, change, run_id=RUN):
    arrays = load_arrays(folder / "runs" / run_id / f"{name}.npz")
    arrays[array] = change(arrays[array])
    change_run(folder, run_id, lambda run: run, **{name: dump_arrays(arrays)})


def test_equal_bytes_are_bitwise_equal(original, again):
    """The same run twice agrees bit by bit, and it is said what was compared; weights may be left out."""
    found = compared(original, again)
    assert (found.level, found.first) == ("bitwise", None)
    assert found.compared == ["history", "hashes of each epoch", "weights", "kernels", "predictions"]
    assert found.largest() == Deviation(loss=0.0, accuracy=0.0, weights=0.0, probabilities=0.0)
    found = compared(original, again, "nearest_centroid/once")
    assert (found.level, found.compared) == ("bitwise", ["accuracy", "predictions"])
    (again / "runs" / RUN / "weights.npz").unlink()
    found = compared(original, again)
    assert (found.level, found.compared) == ("bitwise", ["history", "hashes of each epoch", "kernels", "predictions"])


@pytest.mark.parametrize("curve", ["loss", "accuracy", "val_loss", "val_accuracy"])
def test_the_first_epoch_with_another_history_is_found(curve, original, again):
    """One value of one curve that is slightly another makes the level numerical, from that epoch on, by that much."""
    edit(
        again,
        f"stages.{STAGE}.history.{curve}.2",
        getattr(read_run(original, RUN).stages[STAGE].history, curve)[2] + 0.001,
    )
    found, quantity = compared(original, again), curve.removeprefix("val_")
    assert found.level == "numerical"
    assert (found.first.stage, found.first.epoch, found.first.what) == ("second", 3, ("history",))
    assert getattr(found.first.deviation, quantity) == pytest.approx(0.001)
    assert getattr(found.largest(), quantity) == pytest.approx(0.001)


def test_the_log_of_hashes_tells_data_order_from_weights(original, again):
    """Other weights from an epoch on are numerical; another data order is not, and it is named as the cause."""
    edit(again, f"stages.{STAGE}.hashes.3.weights", "f" * 16)
    found = compared(original, again)
    assert (found.level, found.first.stage, found.first.epoch) == ("numerical", "second", 4)
    assert found.first.what == ("weights",)
    edit(again, "stages.0.hashes.1.order", "f" * 16)
    edit(again, "stages.0.hashes.1.weights", "f" * 16)
    edit(again, "stages.0.history.loss.1", lambda old: old + 1e-7)
    found = compared(original, again)
    assert (found.level, found.first.stage, found.first.epoch) == ("statistical", "first", 2)
    assert found.first.words(" and ") == "data order and weights and history"


def test_arrays_belong_to_the_epoch_after_which_they_were_taken(original, again):
    """Other arrays point to the last or best epoch of their stage, with their distance where it can be told."""
    stages = read_run(original, RUN).stages
    edit_array(again, "weights", "second.last.network.00_dense.kernel", lambda old: old + np.float32(0.25))
    found = compared(original, again)
    assert (found.level, found.first.stage, found.first.epoch) == ("numerical", "second", stages[1].epochs)
    assert (found.first.what, found.largest().weights) == (("weights",), 0.25)
    edit_array(again, "predictions", "first.best", lambda old: np.nextafter(old, np.float32(2)))
    found = compared(original, again)
    assert (found.level, found.first.stage, found.first.epoch) == ("numerical", "first", stages[0].best_epoch)
    assert found.first.what == ("predictions",)
    assert 0 < found.first.deviation.probabilities < 1e-6
    edit_array(again, "weights", "first.best.network.00_dense.kernel", lambda old: old * np.float32(np.nan))
    found = compared(original, again)
    assert (found.level, found.largest().weights) == ("statistical", None)


def shorter(stage):
    curves = {name: values[:-1] for name, values in msgspec.structs.asdict(stage.history).items()}
    return replace(stage, history=replace(stage.history, **curves), hashes=stage.hashes[:-1], best_epoch=1)


@pytest.mark.parametrize(
    ("run_id", "path", "value"),
    [
        (RUN, f"stages.{STAGE}.last.test.accuracy", lambda old: old - 2 * TOLERANCE),
        (RUN, f"stages.{STAGE}.last.test.loss", None),
        (RUN, "stages", lambda old: (old[0], shorter(old[1]), *old[2:])),
        ("nearest_centroid/once", "classical.test_accuracy", lambda old: old - 2 * TOLERANCE),
    ],
)
def test_what_rounding_does_not_explain_is_not_numerical(original, again, run_id, path, value):
    """Accuracies beyond the tolerance, a loss that is no number and another length are no rounding."""
    edit(again, path, value, run_id)
    found = compared(original, again, run_id)
    assert found.level == "statistical"
    assert (found.first is None) == (run_id != RUN)  # a classifier has no epochs


def test_the_cheapest_of_each_kind_are_chosen_first():
    """One stage, several stages or augmentation, several devices, classical; then the rest by its cost."""
    trials = ("baseline", "stride_2", "model_2", "baseline_parallel", "nearest_centroid")
    bundle = simulate(trials=trials, seeds=2, failed=[("stride_2", 1)])
    chosen = choose_runs(bundle, 6)
    assert [kind_of(run) for run in chosen[:4]] == [
        "one stage", "several stages or augmentation", "several devices", "classical",
    ]  # fmt: skip
    assert [run.id for run in chosen[:3]] == ["stride_2/seed-0", "model_2/seed-0", "baseline_parallel/seed-0"]
    assert [run.id for run in chosen[4:]] == ["baseline/seed-0", "baseline/seed-1"]
    assert choose_runs(bundle, 4) == chosen[:4]
    assert len(choose_runs(bundle, 99)) == len([run for run in bundle.runs if run.done])
    only = choose_runs(bundle, 9, ["baseline", "model_2/seed-1"])
    assert [run.id for run in only] == ["baseline/seed-0", "model_2/seed-1", "baseline/seed-1"]
    with pytest.raises(UsageError, match="no trial and no run 'zzz'"):
        choose_runs(bundle, 1, ["zzz"])
    with pytest.raises(UsageError, match="no finished run of those"):
        choose_runs(bundle, 1, ["dropout"])


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    """Return a bundle of two trials with a clear difference, and a second training in which it is turned around."""
    folder, trials = tmp_path_factory.mktemp("verdicts"), ("baseline", "filters_32")
    return tuple(
        simulate_bundle(
            folder / name,
            few_experiments("baseline", "filters"),
            Simulation(trials=trials, accuracies={"baseline": 0.6, "filters_32": level}, seed_noise=0.002),
        )
        for name, level in (("first", 0.7), ("second", 0.4))
    )


def test_the_verdicts_decide_where_rounding_does_not(pair):
    """Results that turn a verdict around are different; some others that leave every verdict are statistical."""
    first, second = pair
    turned = Bundle(second.folder, second.record, second.runs_of("filters_32"))
    found = certify(first, turned, first.record.environment)
    assert found.level == "different"
    assert found.verdicts_changed
    assert {each.level for each in found.reruns} == {"different"}
    shifted = set_in(first.runs_of("filters_32")[0], "stages.0.history.loss.0", lambda old: old + 0.1)
    same = certify(first, Bundle(first.folder, first.record, (shifted,)), first.record.environment)
    assert (same.level, same.verdicts_changed) == ("statistical", ())


def test_the_environments_differences_are_told(pair):
    """Other versions, processors and parts of the keys stand in the certificate with both values."""
    first, _ = pair
    run = first.runs_of("baseline")[0]
    again = set_in(run, "key_parts", run.key_parts | {"engine": "other", "version of numpy": "3.0.0"})
    environment = replace(first.record.environment, processor="another", packages={"keras": "9.9"})
    found = certify(first, Bundle(first.folder, first.record, (again,)), environment)
    assert found.level == "bitwise"
    changes = {change.name: (change.before, change.after) for change in found.changes}
    assert changes["engine"] == (None, "other")
    assert changes["processor"] == ("simulated", "another")
    assert changes["version of numpy"][1] == "3.0.0"
    text = "\n".join(describe(found))
    assert "the environment differs: processor: simulated, now another" in text
    assert text.endswith("level reached by 1 run: bitwise")


@pytest.mark.parametrize(("own", "told"), [("new", None), ("old", ("old", "new"))])
def test_each_run_tells_its_own_processor(pair, own, told):
    """A bundle that was extended elsewhere is compared by the processors of the runs that are repeated."""
    first, _ = pair
    one, other = (
        replace(run, processor=name) for run, name in zip(first.runs_of("baseline"), ("new", own), strict=False)
    )
    extended, again = (Bundle(first.folder, first.record, runs) for runs in ((one, other), (other,)))
    found = certify(extended, again, replace(first.record.environment, processor="new"))
    assert {change.name: (change.before, change.after) for change in found.changes}.get("processor") == told


def found_in(folder):
    """Return what is wrong with the files and records of a bundle, line by line."""
    report = Report(folder)
    check_files(report)
    read_bundle(report)
    return "".join(f"{finding}\n" for finding in report.findings)


def example(folder):
    bundle = Bundle.load(folder)
    return certify(bundle, Bundle(folder, bundle.record, bundle.runs[:1]), record_environment())


def test_a_certificate_is_part_of_the_bundle(original, tmp_path):
    """A recorded certificate is read back, listed in the manifest, found sound, and named when it was changed."""
    folder = copied(tmp_path, original)
    made = example(folder)
    path = record_certificate(folder, made)
    assert Bundle.load(folder).certificate == made
    assert found_in(folder) == ""
    later = replace(made, created="2999-01-01T00:00:00+00:00")
    record_certificate(folder, later)
    assert Bundle.load(folder).certificate == later
    path.write_bytes(path.read_bytes().replace(b'"bitwise"', b'"different"', 1))
    assert "level" in found_in(folder).partition(path.name)[2]


@pytest.mark.parametrize("way", ["power off", "no space"])
def test_a_recording_that_is_cut_off_leaves_a_sound_bundle(original, tmp_path, way):
    """At whatever step it ends, nothing is wrong with the bundle, and the next recording lists what was left."""
    made, left = example(original), 0
    later = replace(made, created="2999-01-01T00:00:00+00:00")
    for step in range(1_000):
        folder = copytree(original, tmp_path / str(step))
        if not interrupt(partial(record_certificate, folder, made), step, way):
            break
        found = Report(folder)
        check_files(found)
        assert found.findings == [], step
        left += any("as when recording it was interrupted" in note for note in found.notes)
        record_certificate(folder, later)
        found = Report(folder)
        check_files(found)
        assert (found.findings, later.place in found.digests) == ([], True)
        assert found.digests.keys() == found.listed.keys()
    assert step > 1
    assert left > 0 or way == "no space"


def test_recording_covers_up_no_damage(original, tmp_path):
    """What was damaged while runs were trained again keeps its old hash, so that it is still found afterwards."""
    folder = copied(tmp_path, original)
    made = example(folder)
    name = f"runs/{RUN}/run.json"
    flip(folder / name, 40)
    record_certificate(folder, made)
    assert f"{name}: was changed: its SHA-256 is not the one in" in found_in(folder)


def test_the_report_shows_the_latest_certificate_of_its_runs(original, tmp_path):
    """The section on determinism says what was trained again, until one of those runs is another."""
    folder = copied(tmp_path, original)
    record_certificate(folder, example(folder))
    assert "were trained again, each in a fresh process" in report_of(Bundle.load(folder))
    run_id = Bundle.load(folder).runs[0].id
    edit(folder, "key_parts", lambda parts: parts | {"engine": "another"}, run_id)
    assert analyse(Bundle.load(folder)).determinism.certificate is None


@pytest.mark.parametrize("language", ["en", "el"])
@pytest.mark.parametrize(
    ("level", "words"),
    [
        ("bitwise", "agreed bit by bit"),
        ("numerical", "no loss and no accuracy was more than"),
        ("statistical", "more than rounding explains"),
        ("different", "the verdicts on these claims change: C01, C02."),
    ],
)
def test_each_level_has_its_sentence(level, words, language, pair):
    """Every level is told in the report's language, with its runs, and what differed in a second sentence."""
    first, _ = pair
    made, changed = example(first.folder), ("C01", "C02") if level == "different" else ()
    reruns = tuple(replace(rerun, level=level) for rerun in made.reruns)
    made = replace(made, level=level, reruns=reruns, verdicts_changed=changed)
    results = analyse(first)
    results = dataclasses.replace(results, determinism=dataclasses.replace(results.determinism, certificate=made))
    told = chapter(Writer(first, results, Translation(language), ()), "appendix")
    assert "baseline/seed-0" in told
    assert ("C01, C02" in told) == (level == "different")
    assert (words in told) == ("trained again" in told) == ("these differ:" in told) == (language == "en")
