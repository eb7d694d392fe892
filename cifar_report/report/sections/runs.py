"""The table of every run, or of every trial where there are too many runs."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup, escape

from cifar_report.analysis.results import TrialResult
from cifar_report.bundle import Run
from cifar_report.report import names
from cifar_report.report.elements import Cell, Column, Row, Table
from cifar_report.report.i18n import mark
from cifar_report.report.sections import tables
from cifar_report.report.sections.title import code
from cifar_report.report.writer import Writer

MOST_RUN_ROWS = 500  # beyond it, one row a trial
CLASSICAL_RUN = mark("a classifier without training by gradient has none")
FAILED_RUN = mark("the run failed")
ONCE = mark("it has no randomness and runs once")


def runs_table(writer: Writer) -> Table | None:
    """Return one row for each run, or for each trial beyond MOST_RUN_ROWS; None without runs."""
    runs = writer.bundle.runs
    if not runs:
        return None
    if len(runs) > MOST_RUN_ROWS:
        return _trials(writer)
    heads = tables.columns(
        writer,
        mark("Trial"),
        mark("Seed"),
        mark("Epochs"),
        mark("Best epoch"),
        mark("Training"),
        mark("Validation"),
        mark("Test"),
        mark("Test loss"),
    )
    heads += (Column(writer.word(mark("Key")), whole=True),)
    rows = [_run(writer, run) for run in runs]
    caption = writer.say(
        mark("Every run, after its last stage; the accuracies of failed runs are missing, and their sections say why")
    )
    return writer.table("runs", caption, heads, rows, style="wide runs")


def _run(writer: Writer, run: Run) -> Row:
    seed = writer.cell(None, none=ONCE) if run.seed is None else writer.count_cell(run.seed)
    key = Cell(code(run.key[:8]))
    name = writer.text_cell(writer.trial_title(run.trial.id))
    if not run.done:
        nothing = [writer.cell(None, none=FAILED_RUN)] * 6
        return writer.row((name, seed, *nothing, key), anchor=run_anchor(run.id))
    if run.classical is not None:
        nothing = [writer.cell(None, none=CLASSICAL_RUN)] * 4
        accuracy = _share(writer, run.classical.test_accuracy)
        loss = writer.cell(None, none=CLASSICAL_RUN)
        return writer.row((name, seed, *nothing, accuracy, loss, key), anchor=run_anchor(run.id))
    stage = run.stage()
    scores = writer.results.trial(run.trial.id).stage()
    weights = scores.primary_weights if scores is not None else "last"
    evaluation = stage.evaluation(weights)
    test_loss = evaluation.test.loss
    cells = (
        name,
        seed,
        writer.count_cell(sum(each.epochs for each in run.stages)),
        writer.count_cell(stage.best_epoch),
        _share(writer, evaluation.train.accuracy),
        _share(writer, evaluation.validation.accuracy),
        _share(writer, evaluation.test.accuracy),
        writer.cell(None, none=names.UNDEFINED["not_a_number"])
        if test_loss is None
        else Cell(escape(writer.numbers.bare(test_loss, "loss")), numeric=True),
        key,
    )
    return writer.row(cells, anchor=run_anchor(run.id))


def run_anchor(run_id: str) -> str:
    """Return the HTML id of a run's row."""
    return "run-" + run_id.replace("/", "-")


def run_names(runs: Sequence[str]) -> str:
    """Return runs in short: each trial once, with the first and the last of neighbouring seeds."""
    seeds: dict[str, list[int]] = {}
    for run in runs:
        trial, _, seed = run.partition("/seed-")
        seeds.setdefault(trial, []).extend([int(seed)] if seed.isdigit() else [])
    return ", ".join(f"{trial}/seed-{_ranges(found)}" if found else trial for trial, found in seeds.items())


def _ranges(seeds: list[int]) -> str:
    ordered = sorted(set(seeds))
    whole = len(ordered) > 2 and ordered[-1] - ordered[0] == len(ordered) - 1
    return f"{ordered[0]}…{ordered[-1]}" if whole else "+".join(str(seed) for seed in ordered)


def _share(writer: Writer, value: float) -> Cell:
    return Cell(Markup("{}%").format(writer.numbers.bare(value, "share")), numeric=True)


def _trials(writer: Writer) -> Table:
    """Return one row a trial, for bundles whose runs would fill a book."""
    heads = tables.columns(
        writer, mark("Trial"), mark("Runs"), mark("Failed"), mark("Mean"), mark("Least"), mark("Largest")
    )
    rows = [_trial(writer, trial) for trial in writer.results.trials]
    caption = writer.say(mark("Every trial; its single runs are in the attached numbers"))
    return writer.table("runs", caption, heads, rows)


def _trial(writer: Writer, trial: TrialResult) -> Row:
    values = trial.primary.values
    ends = [
        _share(writer, end(values)) if values else writer.cell(None, none=tables.NOT_FINISHED) for end in (min, max)
    ]
    counts = (writer.count_cell(len(trial.seeds_run)), writer.count_cell(len(trial.failed)))
    return writer.row(
        (writer.text_cell(writer.trial_title(trial.id)), *counts, writer.light_cell(trial.primary.datum), *ends)
    )
