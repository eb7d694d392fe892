import re
from importlib.metadata import version

import numpy as np
import pytest
from command import TRAINING_ALONE, call
from verified import change_record, change_run, copied, draw_once, edited, findings, finish, made, set_in

from cifar_report.bundle import EpochHashes, Predictions, encode, read_run
from cifar_report.bundle.arrays import dump_arrays, load_arrays
from cifar_report.bundle.keys import ENGINE_VERSION
from cifar_report.running.environment import processor_name
from cifar_report.spec import BatchNormalization, Conv2D, Dense, walk
from cifar_report.training import seeds
from cifar_report.verify.integrity import summary, verify_bundle

BASELINE = "baseline/seed-0"
CLASSICAL = "nearest_centroid/once"
RECORD = "runs/baseline/seed-0/run.json"
PREDICTIONS = "runs/baseline/seed-0/predictions.npz"


@pytest.fixture
def bundle(tmp_path, monkeypatch):
    """Return a copy of a finished bundle, whose tables and figures are drawn once for all tests."""
    draw_once(monkeypatch)
    return copied(tmp_path)


NUMBERS = {
    "stages.0.last.test.accuracy": (lambda old: old + 0.005, "test accuracy is"),
    "stages.0.best.test.accuracy": (lambda old: old + 0.005, "test accuracy is"),
    "stages.0.last.test.loss": (lambda old: old * 1.00001, "test loss is"),
    "stages.0.best.test.loss": (None, "test loss is not a number"),
    "stages.0.last.validation.accuracy": (0.99, "not those of epoch 1"),
    "stages.0.best.validation.loss": (0.001, "not those of epoch 1"),
    "stages.0.best.train.accuracy": (0.99, "the best weights are the last ones"),
    "stages.0.stopped_early": (True, "stopped early"),
    "parameters_total": (1, "its layers have"),
    "parameters_trainable": (1, "its layers have"),
    "macs": (1, "its layers have"),
    "trial.learning_rate": (0.01, "its trial is not the one that bundle.json plans"),
    "trial.stages.0.epochs": (7, "where 7 were to be trained"),
    "key_parts.dataset": ("0" * 64, "key part 'dataset'"),
    "key_parts.seed": ("1", "key part 'seed'"),
    "key_parts.split": ("0", "key part 'split'"),
}


@pytest.mark.parametrize(("field", "case"), NUMBERS.items(), ids=NUMBERS)
def test_an_edited_number_is_found_though_every_hash_fits(bundle, field, case):
    """Whoever edits a run's record and then makes all hashes and keys fit is found by what must agree with it."""
    value, problem = case
    change_run(bundle, BASELINE, lambda run: set_in(run, field, value))
    assert problem in findings(bundle)[RECORD]


def test_a_classifiers_accuracy_and_number_of_images_are_recomputed(bundle):
    """The classical classifiers' only numbers follow from their answers and from the split."""
    change_run(bundle, CLASSICAL, lambda run: set_in(run, "classical.test_accuracy", 0.5))
    assert "but its predictions give" in findings(bundle)[f"runs/{CLASSICAL}/run.json"]
    change_run(bundle, CLASSICAL, lambda run: set_in(run, "classical.training_images", 40_000))
    assert "training_images is 40000" in findings(bundle)[f"runs/{CLASSICAL}/run.json"]


def test_a_key_and_a_recipes_hash_must_be_those_of_what_they_stand_for(bundle):
    """A key or a hash that belongs to something else is found, the manifest fitting."""
    path = bundle / RECORD
    run = read_run(bundle, BASELINE)
    for field, problem in (("key", "key is not the hash"), ("spec_hash", "spec_hash is not the hash")):
        path.write_bytes(encode(set_in(run, field, "0" * 64)))
        finish(bundle)
        assert problem in findings(bundle)[RECORD]


def test_a_seed_beyond_the_plan_and_an_unplanned_trial_are_found(bundle):
    """A run belongs to a seed and a trial that the bundle's record knows."""
    run = set_in(set_in(read_run(bundle, BASELINE), "seed", 3), "key_parts.seed", "3")
    (bundle / "runs" / "baseline" / "seed-0").rename(bundle / "runs" / "baseline" / "seed-3")
    (bundle / "runs" / "baseline" / "seed-3" / "run.json").write_bytes(encode(run))
    change_run(bundle, "baseline/seed-3", lambda run: run)
    assert "seed 3 is not among the 1 seeds" in findings(bundle)["runs/baseline/seed-3/run.json"]

    def without_baseline(record):
        record = set_in(record, "experiments", lambda experiments: experiments[:1])
        return set_in(set_in(record, "experiments.0.trials", lambda trials: trials[1:]), "experiments.0.claims", ())

    change_record(bundle, without_baseline)
    assert "plans no trial baseline" in findings(bundle)["runs/baseline/seed-3/run.json"]


def test_claims_and_counts_of_the_record_are_held_to_their_hash_and_profile(bundle):
    """A margin that was edited shows in the claims' hash, another number of images in the profile."""
    change_record(bundle, lambda record: set_in(record, "experiments.1.claims.0.margin", 0.5))
    assert "claims_hash" in findings(bundle)["bundle.json"]
    change_record(bundle, lambda record: set_in(record, "dataset.counts", (40_000, 100, 200)))
    assert "counts of images" in findings(bundle)["bundle.json"]


def predictions_of(folder, run=BASELINE):
    """Return a run's predictions."""
    return Predictions.load(folder / "runs" / run / "predictions.npz")


def rewrite(folder, predictions, run=BASELINE):
    """Store other predictions and make every hash fit."""
    change_run(folder, run, lambda record: record, predictions=predictions.dump())


def test_edited_predictions_are_found_though_every_hash_fits(bundle):
    """Probabilities, labels, images and tables that were edited contradict the scores, one another or themselves."""
    whole = predictions_of(bundle)
    key = ("training", "last")
    better = edited(whole.probabilities[key], slice(None), np.eye(10, dtype=np.float32)[whole.labels])
    cases = {
        "test accuracy is": Predictions(whole.indices, whole.labels, whole.probabilities | {key: better}),
        "labels are others": Predictions(
            whole.indices, edited(whole.labels, 0, (whole.labels[0] + 1) % 10), whole.probabilities
        ),
        "test images are others": Predictions(edited(whole.indices, 0, 59_999), whole.labels, whole.probabilities),
        "is no test image": Predictions(edited(whole.indices, 0, 5), whole.labels, whole.probabilities),
        "an image twice": Predictions(edited(whole.indices, 0, whole.indices[1]), whole.labels, whole.probabilities),
        "where the data have 200": Predictions(
            whole.indices[:-1], whole.labels[:-1], {each: table[:-1] for each, table in whole.probabilities.items()}
        ),
        "do not add up to 1": Predictions(
            whole.indices, whole.labels, whole.probabilities | {key: whole.probabilities[key] / 2}
        ),
        "probabilities between 0 and 1": Predictions(
            whole.indices, whole.labels, whole.probabilities | {key: -whole.probabilities[key]}
        ),
        "does not hold one table": Predictions(whole.indices, whole.labels, {key: whole.probabilities[key]}),
        "what its kind of trial answers": Predictions(whole.indices, whole.labels, whole.probabilities, whole.labels),
    }
    for problem, predictions in cases.items():
        rewrite(bundle, predictions)
        found = findings(bundle)
        assert problem in found.get(PREDICTIONS, "") + found.get(RECORD, ""), problem
    (bundle / PREDICTIONS).write_bytes(b"PK\x05\x06" + bytes(18))
    change_run(bundle, BASELINE, lambda run: run)
    assert "no table of predictions" in findings(bundle)[PREDICTIONS]


def test_a_probability_of_nought_bounds_the_loss_from_below(bundle):
    """Where a label's probability was flushed to nought the loss may be larger than recomputed, never smaller."""
    whole = predictions_of(bundle)
    tables = {}
    for key, table in whole.probabilities.items():
        tables[key] = np.array(table)
        place = int(np.flatnonzero(table.argmax(axis=1) != whole.labels)[0])
        tables[key][place] = np.eye(10, dtype=np.float32)[(whole.labels[place] + 1) % 10]
    chosen = tables["training", "last"][np.arange(200), whole.labels].astype(float)
    least = float(np.mean(-np.log(np.maximum(chosen, np.finfo(np.float32).tiny))))
    for loss, right in ((least, True), (least + 1, True), (least - 0.01, False)):

        def change(run, loss=loss):
            for each in ("last", "best"):
                run = set_in(run, f"stages.0.{each}.test.loss", loss)
            return run

        change_run(bundle, BASELINE, change, predictions=Predictions(whole.indices, whole.labels, tables).dump())
        assert ("test loss is" not in findings(bundle).get(RECORD, "")) is right


def test_kernels_must_have_the_first_layers_shape(bundle):
    """Kernels of another size, or other arrays in their place, are found."""
    name = "runs/baseline/seed-0/kernels.npz"
    kernels = load_arrays(bundle / name)["kernels"]
    for arrays in ({"kernels": kernels[..., :-1]}, {"others": kernels}, {"kernels": kernels[0]}):
        change_run(bundle, BASELINE, lambda run: run, kernels=dump_arrays(arrays))
        assert "kernels" in findings(bundle)[name]
    (bundle / name).unlink()
    change_run(bundle, BASELINE, lambda run: run)
    assert "lists no kernels.npz" in findings(bundle)[RECORD]


def weights_for(trial, generator):
    """Return random weights as Keras names and orders them: one array a variable."""
    shape, arrays = (32, 32, 3), {}
    for place, row in enumerate(walk(trial.layers)):
        start = f"network.{place:02d}_{type(row.layer).__name__.lower()}."
        if isinstance(row.layer, Conv2D):
            sizes = {"kernel": (row.layer.kernel_size, row.layer.kernel_size, shape[2], row.layer.filters)}
            sizes["bias"] = (row.layer.filters,)
        elif isinstance(row.layer, Dense):
            sizes = {"kernel": (shape[0], row.layer.units), "bias": (row.layer.units,)}
        elif isinstance(row.layer, BatchNormalization):
            sizes = dict.fromkeys(("gamma", "beta", "moving_mean", "moving_variance"), (shape[-1],))
        else:
            sizes = {}
        arrays |= {start + name: generator.standard_normal(size).astype(np.float32) for name, size in sizes.items()}
        shape = row.shape
    return arrays


def with_weights(folder):
    """Give a run weights, the kernels that belong to them and the log of their hashes; return the weights."""
    run = read_run(folder, BASELINE)
    own = weights_for(run.trial, np.random.default_rng(1))
    weights = {f"training.{kind}.{name}": array for kind in ("last", "best") for name, array in own.items()}
    hashes = EpochHashes(order="0" * 16, weights=seeds.fingerprint(*own.values()))
    change_run(
        folder,
        BASELINE,
        lambda run: set_in(run, "stages.0.hashes", (hashes,)),
        weights=dump_arrays(weights),
        kernels=dump_arrays({"kernels": own["network.00_conv2d.kernel"]}),
    )
    return weights


def test_weights_are_held_to_the_log_of_hashes_the_kernels_and_the_layers(bundle):
    """One changed, missing or added weight is found though every hash of a file fits."""
    weights = with_weights(bundle)
    report = verify_bundle(bundle)
    assert report.findings == []
    assert "1 networks' weights" in summary(report)
    name = "training.last.network.00_conv2d.kernel"
    cases = {
        "the log of hashes": weights | {name: edited(weights[name], (0, 0, 0, 0), 9)},
        "not the first layer's kernels": None,
        "parameters, but the network has": {each: array for each, array in weights.items() if each != name},
        "belongs to no stage": weights | {"other.last.network.00_conv2d.kernel": weights[name]},
        "something else than the variables": weights | {"training.last.optimizer": weights[name]},
    }
    for problem, arrays in cases.items():
        kernels = {} if arrays is not None else {"kernels": dump_arrays({"kernels": weights[name] + 1})}
        change_run(bundle, BASELINE, lambda run: run, weights=dump_arrays(arrays or weights), **kernels)
        assert problem in str(findings(bundle)), problem


def trained_by(code, streams, *orders):
    """Return what makes a run look as if certain code had trained it, with streams and one data order an epoch."""
    hashes = tuple(EpochHashes(order=order * 16, weights="0" * 16) for order in orders)

    def change(run):
        run = set_in(set_in(run, "streams", streams), "stages.0.hashes", hashes)
        return set_in(run, "key_parts.engine", code)

    return change


def test_streams_and_data_orders_are_those_of_the_seed(bundle):
    """A run's random streams follow from its seed, and runs of one seed saw the images in one order."""
    code = ENGINE_VERSION
    own, longer = seeds.streams(0), "baseline_30_epochs/seed-0"
    change_run(bundle, BASELINE, trained_by(code, own, "1"))
    assert findings(bundle) == {}
    change_run(bundle, BASELINE, trained_by(code, seeds.streams(1), "1"))
    assert "stream 'order' is" in findings(bundle)[RECORD]
    change_run(bundle, BASELINE, trained_by(code, own | {"more": "0"}, "1"))
    assert "stream 'more' is '0'" in findings(bundle)[RECORD]
    change_run(bundle, BASELINE, trained_by(code, own, "1"))
    change_run(bundle, longer, trained_by(code, own, "2"))
    assert "data order is another" in str(findings(bundle))


def test_an_emptied_log_of_randomness_is_found_where_the_code_keeps_one(bundle):
    """Streams and hashes are there if the code that trained the run is today's, or recorded them in another run.

    Runs of an older code that recorded none in the whole bundle have none to show.
    """
    own, longer = seeds.streams(0), "baseline_30_epochs/seed-0"
    for code in (ENGINE_VERSION, "older"):
        change_run(bundle, longer, trained_by(code, own, "1"))
        for streams, orders, problem in (
            ({}, ("1",), "holds no random streams"),
            (own, (), "stage training holds no hashes of its 1 epochs"),
        ):
            change_run(bundle, BASELINE, trained_by(code, streams, *orders))
            found = findings(bundle)
            assert list(found) == [RECORD]
            assert found[RECORD].count("\n") == 1
            assert problem in found[RECORD]
        change_run(bundle, BASELINE, trained_by(code, own, "1"))
        assert findings(bundle) == {}
    change_run(bundle, BASELINE, trained_by("older", own | {"order": "0"}, "1"))
    assert "its random streams are others" in str(findings(bundle))
    for run in (BASELINE, longer):
        change_run(bundle, run, trained_by("older", {}))
    assert findings(bundle) == {}


def test_streams_without_a_training_are_found(bundle):
    """A classifier has no seed, so that no stream of one belongs to it."""
    change_run(bundle, CLASSICAL, lambda run: set_in(run, "streams", seeds.streams(0)))
    assert "random streams" in findings(bundle)[f"runs/{CLASSICAL}/run.json"]


def test_edited_tables_and_figures_are_found_cell_by_cell(bundle):
    """A table or a figure that does not follow from the numbers is named, and in a table the cell and both values."""
    table = bundle / "tables" / "runs.csv"
    text = table.read_text()
    accuracy = repr(read_run(bundle, BASELINE).stages[0].last.test.accuracy)
    assert accuracy in text
    table.write_text(text.replace(accuracy, "0.987", 1))
    figure = bundle / "figures" / "costs.svg"
    figure.write_bytes(figure.read_bytes().replace(b"</svg>", b"<!-- --></svg>"))
    (bundle / "figures" / "costs.csv").write_bytes(b"\xff")
    (bundle / "tables" / "trials.csv").write_text("one line\n")
    (bundle / "figures" / "timing.svg").unlink()
    finish(bundle)
    found = findings(bundle)
    assert f"'0.987', but the numbers give '{accuracy}'" in found["tables/runs.csv"]
    assert "last_test_accuracy" in found["tables/runs.csv"]
    assert "is not the figure" in found["figures/costs.svg"]
    assert "cannot be read as a table" in found["figures/costs.csv"]
    assert "has 1 lines" in found["tables/trials.csv"]
    assert "the numbers give this" in found["figures/timing.svg"]


def test_an_edited_number_without_its_predictions_shows_in_the_tables(tmp_path):
    """Train accuracies cannot be recomputed, but the tables and figures drawn from the true one give it away."""
    folder = copied(tmp_path)
    for place in ("last", "best"):
        change_run(folder, BASELINE, lambda run, place=place: set_in(run, f"stages.0.{place}.train.accuracy", 0.9))
    found = findings(folder)
    assert "but the numbers give '0.9'" in found["tables/runs.csv"]
    assert RECORD not in found


def test_a_description_that_old_bundles_hold_is_verified_by_its_hash(bundle):
    """An RO-Crate file, which bundles had before, is no stray file, and is named when it was changed."""
    from cifar_report.bundle.manifest import CRATE_FILE, write_manifest

    (bundle / CRATE_FILE).write_text("{}")
    write_manifest(bundle)
    assert findings(bundle) == {}
    (bundle / CRATE_FILE).write_text("[]")
    assert list(findings(bundle)) == [CRATE_FILE]


def with_packages(folder, processor=None, **packages):
    """Say which releases of libraries and which processor were used (this one by default); make every hash fit."""

    def change(record):
        record = set_in(record, "environment.processor", processor or processor_name())
        return set_in(record, "environment.packages", packages)

    change_record(folder, change)


def same_packages():
    """Return the releases that are installed, of what calculates and draws."""
    return {name: version(name) for name in ("numpy", "scipy", "statsmodels", "scikit-learn", "matplotlib")}


def test_figures_of_another_matplotlib_are_told_and_not_called_wrong(bundle):
    """What another release drew cannot be compared byte for byte: that is said, and its numbers are compared."""
    from matplotlib import __version__

    figure = bundle / "figures" / "costs.svg"
    figure.write_bytes(figure.read_bytes() + b"<!-- -->")
    with_packages(bundle, matplotlib="0.1")
    report = verify_bundle(bundle)
    assert report.findings == []
    assert any("were drawn by matplotlib 0.1" in note and "figures/costs.svg" in note for note in report.notes)
    assert report.counts["tables and figures compared"] == 32
    with_packages(bundle, matplotlib=__version__)
    assert "is not the figure" in findings(bundle)["figures/costs.svg"]


def test_tables_of_another_numpy_may_differ_in_the_last_digit_only(bundle):
    """With another release of a calculating library, the last digits are told and anything more is a finding."""
    table = bundle / "tables" / "runs.csv"
    loss = read_run(bundle, BASELINE).stages[0].last.test.loss
    text = table.read_text()
    table.write_text(text.replace(repr(loss), repr(loss * (1 + 1e-13)), 1))
    assert table.read_text() != text
    same = same_packages()
    with_packages(bundle, **same | {"numpy": "2.0.0"})
    report = verify_bundle(bundle)
    assert report.findings == []
    assert any("agree within rounding" in note for note in report.notes)
    with_packages(bundle, **same)
    assert "is not the table" in findings(bundle)["tables/runs.csv"]
    table.write_text(text.replace(repr(loss), repr(loss * 1.001), 1))
    with_packages(bundle, **same | {"numpy": "2.0.0"})
    assert "but the numbers give" in findings(bundle)["tables/runs.csv"]


def test_another_processor_may_round_the_last_digit_and_nothing_more(bundle):
    """A bundle from another processor verifies where last digits differ; on the same one that is found."""
    table, figure = bundle / "figures" / "costs.csv", bundle / "figures" / "costs.svg"
    text, drawing = table.read_text(), figure.read_text()
    number = next(cell for cell in text.replace("\n", ",").split(",") if cell.startswith("0.") and len(cell) > 10)
    table.write_text(text.replace(number, repr(float(number) * (1 + 1e-13)), 1))
    assert table.read_text() != text
    place = re.search(r"\d+\.\d\d(?=[ ,\"])", drawing)
    moved = f"{float(place[0]) + 0.01:.2f}"
    figure.write_text(drawing[: place.start()] + moved + drawing[place.end() :])
    with_packages(bundle, **same_packages())
    assert findings(bundle).keys() == {"figures/costs.csv", "figures/costs.svg"}
    with_packages(bundle, processor="another", **same_packages())
    report = verify_bundle(bundle)
    assert report.findings == []
    explained = next(note for note in report.notes if "agree within rounding" in note)
    assert "the processor another; here it is" in explained
    assert explained.endswith("figures/costs.csv, figures/costs.svg")
    for forged in (drawing + "<!-- -->", drawing.replace(place[0], f"{float(place[0]) + 0.05:.2f}", 1)):
        figure.write_text(forged)
        finish(bundle)
        assert "is not the figure" in findings(bundle)["figures/costs.svg"]
    table.write_text(text.replace(number, repr(float(number) * 1.001), 1))
    finish(bundle)
    assert "but the numbers give" in findings(bundle)["figures/costs.csv"]


@pytest.mark.parametrize(
    ("flags", "vectors"), [("fpu avx avx2 avx512f", "AVX-512"), ("fpu avx2 avx", "AVX2"), ("fpu sse2", "no AVX")]
)
def test_processors_of_one_name_are_told_apart(tmp_path, flags, vectors):
    """Machines rent out several generations under one name: design and instructions tell which it was."""
    information = tmp_path / "cpuinfo"
    block = f"processor\t: 0\ncpu family\t: 25\nmodel\t\t: 17\nmodel name\t: AMD EPYC\nflags\t\t: {flags}\n\n"
    information.write_text(block + block.replace("25", "26"))
    assert processor_name(information) == f"AMD EPYC (family 25, model 17, {vectors})"


def test_a_processor_without_flags_or_without_a_name_is_no_error(tmp_path):
    """Systems tell different things: what they do not tell is left out and not made up."""
    information = tmp_path / "cpuinfo"
    information.write_text("processor\t: 0\nmodel name\t: ARMv7 Processor\n\n")
    assert processor_name(information) == "ARMv7 Processor"
    information.write_text("processor\t: 0\nCPU part\t: 0xd0c\n\n")
    assert processor_name(information) == processor_name(tmp_path / "nothing")


def test_without_the_packages_of_the_report_everything_else_is_checked(tmp_path):
    """Where nothing can be drawn the report says so, and metrics and hashes are still checked."""
    folder = copied(tmp_path)
    called = call("verify", str(folder), cwd=tmp_path, command=TRAINING_ALONE)
    assert (called.status, called.err) == (0, "")
    assert "note: tables and figures were not drawn again: statsmodels is not installed" in called.out
    assert "10 test scores recomputed" in called.out


def test_failed_runs_verify_and_are_counted(monkeypatch, tmp_path):
    """A failed run has no results to recompute but may have a log, and the summary says how many failed."""
    failed = copied(tmp_path, made(("baseline",), derived=False, failed=(("baseline", 0),), timing=False))
    (failed / "runs" / BASELINE / "timing.json").unlink()
    (failed / "runs" / BASELINE / "log.txt").write_bytes(b"Fatal Python error: Aborted\n\xff")
    finish(failed)
    monkeypatch.setattr("cifar_report.verify.derived.check_derived", lambda *_: None)
    report = verify_bundle(failed)
    assert report.findings == []
    assert "2 of 2 planned runs (1 failed)" in summary(report)


def test_a_bundle_of_numbers_that_break_the_analysis_raises_nothing(tmp_path, monkeypatch):
    """When the analysis itself fails on what was made up, that is a finding and not a traceback."""
    folder = copied(tmp_path)
    monkeypatch.setattr("cifar_report.analysis.analyse", lambda _: 1 / 0)
    assert "cannot be drawn from the numbers (ZeroDivisionError" in findings(folder)["bundle.json"]
