"""Summary tables as CSV: UTF-8, full precision, the same bytes for the same results, safe in a spreadsheet."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from cifar_report.analysis.results import Datum, Results, TrialResult, Verdict
from cifar_report.bundle import Bundle, Run

Cell = str | float | int | bool | None
Row = tuple[Cell, ...]

FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r", "\n")


def to_csv(columns: Sequence[str], rows: Iterable[Sequence[Cell]]) -> bytes:
    """Return a table as CSV with a heading line; nothing stands where a value is not defined.

    A text that a spreadsheet would run as a formula gets an apostrophe in front.
    """
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow([_text(column) for column in columns])
    writer.writerows([_text(cell) for cell in row] for row in rows)
    return stream.getvalue().encode()


def _text(cell: Cell) -> Cell:
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, str):
        text = cell.replace("\r\n", "\n").replace("\r", "\n")  # a lone carriage return would end the line
        return f"'{text}" if text.startswith(FORMULA_STARTS) else text
    return cell


def summary_tables(bundle: Bundle, results: Results) -> dict[str, bytes]:
    """Return every summary table by its file name."""
    return {
        "data.csv": to_csv(DATA_COLUMNS, map(_datum_row, results.data().values())),
        "epochs.csv": to_csv(EPOCH_COLUMNS, (row for run in bundle.runs for row in _epoch_rows(run))),
        "runs.csv": _known(RUN_COLUMNS, DEAD_UNITS, [row for run in bundle.runs for row in _run_rows(run)]),
        "trials.csv": to_csv(TRIAL_COLUMNS, map(_trial_row, results.trials)),
        "verdicts.csv": _known(VERDICT_COLUMNS, BY_PLAN, list(map(_verdict_row, results.verdicts))),
    }


def _known(columns: Sequence[str], further: Sequence[str], rows: Sequence[Row]) -> bytes:
    """Return a table as CSV, with its further columns where one of them holds something."""
    if any(cell is not None for row in rows for cell in row[len(columns) :]):
        return to_csv((*columns, *further), rows)
    return to_csv(columns, (row[: len(columns)] for row in rows))


PARTS: Final = ("train", "validation", "test")
RUN_COLUMNS: Final = (
    *("run", "trial", "seed", "status", "stage", "epochs", "best_epoch", "stopped_early"),
    *(f"{weights}_{part}_{score}" for weights in ("last", "best") for part in PARTS for score in ("accuracy", "loss")),
    *("parameters", "trainable_parameters", "macs", "training_images", "error"),
)
DEAD_UNITS: Final = ("last_dead_units", "best_dead_units")  # further columns, where a run recorded them


def _run_rows(run: Run) -> Iterator[Row]:
    """Yield one row per stage; one alone for failed runs and for classifiers without stages."""
    start = (run.id, run.trial.id, run.seed, run.status)
    images = None if run.classical is None else run.classical.training_images
    error = run.error.strip().splitlines()[-1] if run.error and run.error.strip() else None
    end = (run.parameters_total, run.parameters_trainable, run.macs, images, error)
    for stage in run.stages:
        evaluations = [(each.train, each.validation, each.test) for each in (stage.last, stage.best)]
        values = [value for parts in evaluations for part in parts for value in (part.accuracy, part.loss)]
        dead = (stage.last.dead_units, stage.best.dead_units)
        yield (*start, stage.id, stage.epochs, stage.best_epoch, stage.stopped_early, *values, *end, *dead)
    if not run.stages:
        scores: dict[str, Cell] = dict.fromkeys(RUN_COLUMNS[4:-5])
        if run.classical is not None:
            scores["last_test_accuracy"] = run.classical.test_accuracy
        yield (*start, *scores.values(), *end, None, None)


EPOCH_COLUMNS: Final = ("run", "stage", "epoch", "loss", "accuracy", "validation_loss", "validation_accuracy")


def _epoch_rows(run: Run) -> Iterator[Row]:
    for stage in run.stages:
        history = stage.history
        curves = zip(history.loss, history.accuracy, history.val_loss, history.val_accuracy, strict=True)
        for epoch, values in enumerate(curves, start=1):
            yield (run.id, stage.id, epoch, *values)


TRIAL_COLUMNS: Final = (
    *("trial", "title", "experiment", "section", "status", "seeds_planned", "seeds_run", "failed"),
    *("parameters", "trainable_parameters", "macs", "test_accuracy", "low", "high"),
    *("original_test_accuracy", "prediction_low", "prediction_high", "original_in_prediction_interval"),
)


def _trial_row(result: TrialResult) -> Row:
    costs, primary, fit = result.costs, result.primary, result.primary.compatibility
    counts = (None,) * 3 if costs is None else (costs.parameters, costs.trainable_parameters, costs.macs)
    return (
        *(result.id, result.trial.title, result.experiment, result.section, result.status),
        *(len(result.seeds_planned), len(result.seeds_run), len(result.failed)),
        *map(_value, counts),
        *(primary.datum.value, primary.datum.low, primary.datum.high),
        _value(primary.original),
        *((None, None, None) if fit is None else (fit.prediction.low, fit.prediction.high, fit.outcome)),
    )


VERDICT_COLUMNS: Final = (
    *("claim", "code", "statement", "outcome", "reason", "direction_only", "test", "n", "n_of"),
    *("n_comparator", "estimate", "low", "high", "coverage", "unit", "bound", "margin", "stated", "p", "p_corrected"),
    *("family", "family_size", "original", "original_inside", "detectable", "seeds_needed", "lacking", "fragile"),
    "missing_seeds",
)
BY_PLAN: Final = ("look", "share", "other_phase", "other_outcome", "other_n")  # further columns of a bundle with a plan


def _verdict_row(verdict: Verdict) -> Row:
    claim, estimate, look, other = verdict.claim, verdict.estimate, verdict.look, verdict.other
    by_plan = (None, None) if look is None else (look.number, look.share)
    beside = (None, None, None) if other is None else (other.phase, other.outcome, other.n)
    return (
        *(claim.id, claim.code, claim.statement, verdict.outcome, verdict.reason, verdict.direction_only),
        *(verdict.test, verdict.n, verdict.n_of),
        *(verdict.n_comparator, estimate.value, estimate.low, estimate.high, estimate.coverage, estimate.unit),
        *map(_value, (verdict.bound, verdict.margin, verdict.stated, verdict.p, verdict.p_corrected)),
        *(claim.family, verdict.family_size, _value(verdict.original), verdict.original_inside),
        *(_value(verdict.detectable), _value(verdict.seeds_needed), verdict.lacking, verdict.fragile),
        sum(len(seeds) for _, seeds in verdict.missing),
        *(*by_plan, *beside),
    )


DATA_COLUMNS: Final = ("id", "value", "unit", "n", "n_of", "low", "high", "formula", "reason", "origin", "runs")


def _datum_row(datum: Datum) -> Row:
    return (*(getattr(datum, name) for name in DATA_COLUMNS[:-1]), " ".join(datum.runs))


def _value(datum: Datum | None) -> float | None:
    return None if datum is None else datum.value
