"""The tables and files that are derived from a bundle."""

import csv
import dataclasses
import io
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from reports import few_experiments, report_of
from suites import few, few_figures, simulated

from cifar_report.analysis import analyse
from cifar_report.report.build import derived_files, write_derived
from cifar_report.report.tables import FORMULA_STARTS, summary_tables, to_csv


def read(content):
    return list(csv.DictReader(io.StringIO(content.decode(), newline="")))


@pytest.fixture(scope="module")
def tables():
    bundle, results = few()
    return {name: read(content) for name, content in summary_tables(bundle, results).items()}


@given(st.lists(st.one_of(st.none(), st.text(st.characters(codec="utf-8")), st.integers(), st.floats(allow_nan=False))))
def test_cells_survive_and_never_start_a_formula(cells):
    """Whatever stands in a cell must come back from the file, and no text may begin as a formula does."""
    names = [f"c{place}" for place in range(len(cells))]
    rows = list(csv.reader(io.StringIO(to_csv(names, [cells]).decode(), newline="")))
    for cell, found in zip(cells, rows[1] if cells else [], strict=True):
        if isinstance(cell, str):
            text = cell.replace("\r\n", "\n").replace("\r", "\n")
            assert found in (text, f"'{text}")
            assert not found.startswith(FORMULA_STARTS)
        else:
            assert (None if found == "" else type(cell)(found)) == cell


def test_lines_end_with_a_line_feed_alone():
    """The same table must be the same bytes on every system."""
    assert to_csv(("a", "b"), [(1, "x"), (None, 0.5)]) == b"a,b\n1,x\n,0.5\n"


def test_every_number_of_the_report_is_in_the_data(tables):
    """The data table must hold each number once, with all its digits."""
    _, results = few()
    found = {row["id"]: row for row in tables["data.csv"]}
    assert list(found) == list(results.data())
    primary = results.trial("baseline").primary.datum
    row = found[primary.id]
    assert float(row["value"]) == primary.value
    assert (float(row["low"]), float(row["high"])) == (primary.low, primary.high)
    assert row["runs"].split() == list(primary.runs)


def test_stages_epochs_trials_and_claims_have_their_rows(tables):
    """Each stage and each epoch of each run has its row, and planned trials and claims have theirs."""
    bundle, results = few()
    assert len(tables["runs.csv"]) == sum(max(len(run.stages), 1) for run in bundle.runs)
    run = bundle.runs_of("model_2")[1]
    rows = {row["stage"]: row for row in tables["runs.csv"] if row["run"] == run.id}
    assert list(rows) == ["first", "second", "augmented"]
    assert float(rows["second"]["best_test_accuracy"]) == run.stage("second").best.test.accuracy
    assert float(rows["second"]["last_validation_loss"]) == run.stage("second").last.validation.loss
    nearest = next(row for row in tables["runs.csv"] if row["trial"] == "nearest_centroid")
    assert float(nearest["last_test_accuracy"]) == bundle.runs_of("nearest_centroid")[0].classical.test_accuracy
    assert nearest["seed"] == ""
    stage = bundle.runs_of("baseline")[2].stage()
    rows = [row for row in tables["epochs.csv"] if row["run"] == "baseline/seed-2"]
    assert [float(row["validation_loss"]) for row in rows] == list(stage.history.val_loss)
    assert [int(row["epoch"]) for row in rows] == list(range(1, stage.epochs + 1))
    assert [row["trial"] for row in tables["trials.csv"]] == list(bundle.trials)
    assert {row["status"] for row in tables["trials.csv"]} == {"done", "missing"}
    assert [row["claim"] for row in tables["verdicts.csv"]] == [verdict.id for verdict in results.verdicts]
    assert [row["outcome"] for row in tables["verdicts.csv"]] == [verdict.outcome for verdict in results.verdicts]


def test_failed_runs_name_their_error_and_dead_units_stand_where_they_were_recorded():
    """A failed run keeps its row with its error; dead units have columns and words where they were recorded."""
    bundle, results = simulated(trials=("baseline",), seeds=2, failed=(("baseline", 1),))
    rows = read(summary_tables(bundle, results)["runs.csv"])
    assert [row["status"] for row in rows] == ["done", "failed"]
    assert rows[1]["error"] == bundle.failed_of("baseline")[0].error.strip().splitlines()[-1]
    assert rows[1]["last_test_accuracy"] == ""
    bundle, results = simulated(few_experiments("baseline"), trials=("baseline",), seeds=2)
    assert not {"last_dead_units", "best_dead_units"} & read(summary_tables(bundle, results)["runs.csv"])[0].keys()
    run, stage = bundle.runs[0], bundle.runs[0].stages[0]
    stage = replace(stage, last=replace(stage.last, dead_units=0.25), best=replace(stage.best, dead_units=0.5))
    bundle = dataclasses.replace(bundle, runs=(replace(run, stages=(stage,)), *bundle.runs[1:]))
    rows = read(summary_tables(bundle, analyse(bundle))["runs.csv"])
    assert [(row["last_dead_units"], row["best_dead_units"]) for row in rows] == [("0.25", "0.5"), ("", "")]
    page = report_of(bundle)
    assert re.search(r"dead hidden units <a[^>]*>25\.0+%</a> \(1 of 2 runs; else not recorded\)", page)


def test_derived_files_replace_what_was_there(monkeypatch):
    """Writing must put exactly the derived files in place, remove older ones, and change no other folder."""
    monkeypatch.setattr("cifar_report.report.build.draw_all", lambda *_, **__: few_figures())
    bundle, results = simulated(few_experiments("baseline"), trials=("baseline",), seeds=2)
    (bundle.folder / "tables").mkdir()
    (bundle.folder / "tables" / "old.csv").write_bytes(b"old")
    others = {path: path.read_bytes() for path in bundle.folder.rglob("*") if path.is_file() and path.name != "old.csv"}
    write_derived(bundle)
    files = {path: path.read_bytes() for path in bundle.folder.rglob("*") if path.is_file()}
    derived = {bundle.folder / path: content for path, content in derived_files(bundle, results).items()}
    assert files == others | derived


@pytest.fixture
def files(monkeypatch):
    monkeypatch.setattr("cifar_report.report.build.draw_all", lambda *_, **__: few_figures())
    return derived_files(*few())


def test_each_figure_has_its_data_beside_it(files):
    """Every SVG of a bundle must have a CSV of the same name, and no photograph may be among them."""
    names = [Path(path) for path in files if path.startswith("figures/")]
    assert len(names) == 2 * len(few_figures())
    assert {path.stem for path in names if path.suffix == ".svg"} == {
        path.stem for path in names if path.suffix == ".csv"
    }
    assert {path.suffix for path in names} == {".svg", ".csv"}
