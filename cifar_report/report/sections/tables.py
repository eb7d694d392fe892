"""Tables that several sections show: layers, results, epochs, studies."""

from __future__ import annotations

from collections.abc import Sequence

from cifar_report.analysis.results import Curve, Datum, StageSummary, Study, TrialResult
from cifar_report.report.elements import Cell, Column, Row, Table
from cifar_report.report.i18n import mark
from cifar_report.report.writer import Writer
from cifar_report.spec import Trial, walk

NOT_FINISHED = mark("no run has finished")
NO_LAYERS = mark("this classifier has no layers")
RESULTS = mark("%(title)s: means over the runs, evaluated after training; the gap is training minus test accuracy")
RESULTS_APART = mark(
    "%(title)s: means over the runs, evaluated after training; the gap is training minus test accuracy, and the "
    "original's values are shown without being held against ours"
)
NO_SUCH_EPOCH = mark("the original stopped before this epoch")


def columns(writer: Writer, *titles: str, words: int = 1) -> tuple[Column, ...]:
    """Return columns of which the first ``words`` hold words and the others numbers."""
    return tuple(Column(writer.word(title), numeric=place >= words) for place, title in enumerate(titles))


def layers(writer: Writer, trial: Trial) -> Table:
    """Return a network layer by layer, with shapes, parameters and multiply-accumulates."""
    rows = [
        writer.row(
            (
                writer.text_cell(writer.labels.layer(row.layer)),
                Cell(writer.text_cell(writer.labels.shape(row.shape)).content, numeric=True),
                writer.count_cell(row.parameters),
                writer.count_cell(row.trainable),
                writer.count_cell(row.macs),
            )
        )
        for row in walk(trial.layers)
    ]
    costs = writer.results.trial(trial.id).costs
    if costs is not None:
        total = writer.text_cell(writer.word(mark("Sum")))
        cells = (costs.parameters, costs.trainable_parameters, costs.macs)
        blank = Cell(writer.text_cell("").content, numeric=True)
        rows.append(writer.row((total, blank, *(writer.cell(datum) for datum in cells))))
    caption = writer.say(
        mark("%(trial)s, layer by layer: output, parameters and multiply-accumulates per image"),
        trial=writer.trial_name(trial.id),
    )
    heads = columns(
        writer, mark("Layer"), mark("Output"), mark("Parameters"), mark("Trainable"), mark("Multiply-accumulates")
    )
    return writer.table(f"layers-{trial.id}", caption, heads, rows, style="layers")


def results(writer: Writer, anchor: str, title: str, trials: Sequence[TrialResult]) -> Table:
    """Return what trials reached, stage by stage, with the original's numbers beside ours."""
    rows: list[Row] = []
    for trial in trials:
        if trial.stages:
            rows += [_stage_row(writer, trial, stage) for stage in trial.stages]
        elif trial.classical is not None:
            rows.append(_single_row(writer, trial, trial.primary.datum, trial.primary.original))
        else:
            rows.append(_missing_row(writer, trial))
    heads = columns(
        writer,
        mark("Trial"),
        mark("Runs"),
        mark("Test accuracy [95% interval]"),
        mark("Original"),
        mark("Validation accuracy"),
        mark("Training accuracy"),
        mark("Gap (points)"),
        mark("Test loss"),
        mark("Original loss"),
    )
    apart = not writer.results.scope.absolutes and any(trial.primary.original is not None for trial in trials)
    caption = writer.say(RESULTS_APART if apart else RESULTS, title=title)
    return writer.table(f"results-{anchor}", caption, heads, rows, style="results")


def _stage_row(writer: Writer, trial: TrialResult, stage: StageSummary) -> Row:
    scores = stage.primary
    last = stage is trial.stages[-1]
    return writer.row(
        (
            writer.text_cell(writer.trial_title(trial.id, stage.id)),
            writer.count_cell(len(scores.test_accuracy.values)),
            writer.cell(scores.test_accuracy.datum, interval=True),
            writer.cell(scores.test_accuracy.original or (trial.primary.original if last else None)),
            writer.cell(scores.validation_accuracy.datum),
            writer.cell(scores.train_accuracy.datum),
            writer.cell(scores.gap.datum),
            writer.cell(scores.test_loss.datum),
            writer.cell(scores.test_loss.original or (trial.original_loss if last else None)),
        )
    )


def _single_row(writer: Writer, trial: TrialResult, accuracy: Datum, original: Datum | None) -> Row:
    unknown = [writer.cell(None, none=mark("a classifier without training by gradient has no such number"))] * 5
    cells = (writer.text_cell(writer.trial_title(trial.id)), writer.count_cell(len(trial.runs)))
    return writer.row((*cells, writer.cell(accuracy, interval=True), writer.cell(original), *unknown))


def _missing_row(writer: Writer, trial: TrialResult) -> Row:
    cells = (writer.text_cell(writer.trial_title(trial.id)), writer.count_cell(0), writer.cell(trial.primary.datum))
    nothing = [writer.cell(None, none=NOT_FINISHED)] * 4
    return writer.row(
        (*cells, writer.cell(trial.primary.original), *nothing, writer.cell(trial.original_loss)),
    )


def epochs(writer: Writer, trial: TrialResult, stage: StageSummary, *, numbered: bool) -> Table | None:
    """Return a stage epoch by epoch: means over the seeds, and the original's one run beside them.

    ``numbered``: no for a table that the printed report leaves out.
    """
    if not stage.epochs_table:
        return None
    original = stage.original_curve
    rows = []
    for row in stage.epochs_table:
        data = (row.loss, row.accuracy, row.val_loss, row.val_accuracy)
        cells = [writer.count_cell(row.epoch), writer.count_cell(row.n), *(writer.light_cell(datum) for datum in data)]
        if original is not None:
            cells += _original_epoch(writer, original, row.epoch)
        rows.append(writer.row(cells))
    titles = [mark("Epoch"), mark("Runs"), mark("Loss"), mark("Accuracy"), mark("Val. loss"), mark("Val. accuracy")]
    if original is not None:
        titles += [mark("Original loss"), mark("Original accuracy"), mark("Original val. loss")]
        titles += [mark("Original val. accuracy")]
    caption = writer.say(
        mark("%(trial)s, epoch by epoch; training values are running means over the epoch, as Keras prints them"),
        trial=writer.trial_name(trial.id, stage.id),
    )
    heads = tuple(Column(writer.word(title), numeric=True) for title in titles)
    style = "epochs" if numbered else "epochs screen-only"
    return writer.table(f"epochs-{trial.id}-{stage.id}", caption, heads, rows, style, numbered=numbered)


def _original_epoch(writer: Writer, original: Curve, epoch: int) -> list[Cell]:
    cells = []
    for values, unit in (
        (original.loss, "loss"),
        (original.accuracy, "share"),
        (original.val_loss, "loss"),
        (original.val_accuracy, "share"),
    ):
        value = values[epoch - 1] if epoch <= len(values) else None
        if value is None:
            cells.append(writer.cell(None, none=NO_SUCH_EPOCH))
            continue
        sign = "%" if unit == "share" else ""
        text = writer.numbers.bare(value, unit) + sign  # type: ignore[arg-type]
        cells.append(Cell(writer.text_cell(text).content, numeric=True))
    return cells


def study(writer: Writer, title: str, points: Study) -> Table:
    """Return the points of a study: accuracy and size of each."""
    rows = []
    for point in points.points:
        rows.append(
            writer.row(
                (
                    writer.text_cell(writer.trial_title(point.trial, point.stage)),
                    writer.cell(point.accuracy),
                    Cell(
                        writer.interval(point.accuracy),
                        numeric=True,
                        missing=None if point.accuracy.low is not None else writer.reason_for_interval(point.accuracy),
                    ),
                    writer.cell(point.parameters, none=NO_LAYERS),
                )
            )
        )
    heads = columns(writer, mark("Trial"), mark("Test accuracy"), mark("95% interval"), mark("Parameters"))
    return writer.table(
        f"study-{points.experiment}", writer.say(mark("%(title)s: the points of this study"), title=title), heads, rows
    )
