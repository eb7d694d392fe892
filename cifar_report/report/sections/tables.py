"""Tables of trials: layers, results, epochs, studies, and every run."""

from collections.abc import Iterator, Sequence

from markupsafe import Markup

from cifar_report.analysis.results import Curve, StageSummary, TrialResult, Unit, Verdict
from cifar_report.bundle import Run
from cifar_report.report import names
from cifar_report.report.elements import Cell, Row, Table, breakable, code
from cifar_report.report.i18n import load_messages
from cifar_report.report.writer import Value, Writer
from cifar_report.spec import Experiment, Trial, walk

SAY = load_messages("sections")

SCORE_UNITS: tuple[Unit, Unit] = ("loss", "share")
MOST_RUN_ROWS = 500  # beyond it, one row a trial


def layers(writer: Writer, trial: Trial) -> Table:
    """Return a network layer by layer, with shapes, parameters and multiply-accumulates; for the screen alone."""
    rows: list[Sequence[Value]] = []
    for row in walk(trial.layers, trial.input_shape):
        shape = Cell(Markup(" × ").join(map(writer.numbers.integer, row.shape or ())), numeric=True)
        name, unknown = names.layer_name(row.layer, writer.numbers), names.FORMULAS["counted_in_model"]
        counts = (writer.cell(count, none=unknown) for count in (row.parameters, row.trainable, row.macs))
        rows.append((name, shape if row.shape else writer.cell(None, none=unknown), *counts))
    costs = writer.results.trial(trial.id).costs
    if costs is not None:
        blank = Cell(Markup(""), numeric=True)
        rows.append((writer.word("Sum"), blank, costs.parameters, costs.trainable_parameters, costs.macs))
    caption = writer.sentence(SAY.layers, trial=writer.trial_name(trial.id))
    columns = writer.columns("Layer | Output | Parameters | Trainable | Multiply-accumulates")
    return writer.table(f"layers-{trial.id}", caption, columns, rows, style="layers", numbered=False)


def claims(writer: Writer, experiment: Experiment) -> Table:
    """Return an experiment's claims with their estimates and verdicts; links to a claim lead to its row."""
    rows = [_claim_row(writer, writer.results.verdict(claim.id)) for claim in experiment.claims]
    columns = writer.columns("Claim | Estimate [interval] | Verdict, seeds needed", words=3)
    caption = writer.sentence(SAY.claims)
    return writer.table(f"claims-{experiment.id}", caption, columns, rows, style="claims", widths=(60, 19, 21))


def _claim_row(writer: Writer, verdict: Verdict) -> Row:
    estimate, verdict_cell = verdict.estimate, writer.verdict_badge(verdict)
    name = Markup('{} <span class="claim-id">{}</span>').format(
        writer.translation.text(verdict.claim.statement), breakable(verdict.id)
    )
    shown = writer.cell(estimate)
    if estimate.value is not None:
        interval = Markup(' <span class="interval">{}</span>').format(writer.interval(estimate))
        shown = Cell(writer.quantity(estimate) + (interval if estimate.low is not None else ""))
    if verdict.seeds_needed is not None:
        verdict_cell += Markup(' <span class="needed">{}</span>').format(names.seeds_needed(verdict, writer.numbers))
    return writer.row(name, shown, Cell(verdict_cell), id=f"claim-{verdict.id}", outcome=verdict.outcome)


def results(writer: Writer, anchor: str, title: str, trials: Sequence[TrialResult]) -> Table:
    """Return what trials reached, stage by stage, with the original's numbers beside ours."""
    rows = (row for trial in trials for row in _result_rows(writer, trial))
    columns = writer.columns(
        "Trial | Runs | Test accuracy [95% interval] | Original | Validation accuracy | Training accuracy | "
        "Gap (points) | Test loss | Original loss"
    )
    apart = not writer.results.scope.absolutes and any(trial.primary.original is not None for trial in trials)
    caption = writer.sentence(SAY.results_apart if apart else SAY.results, title=title)
    return writer.table(f"results-{anchor}", caption, columns, rows, style="results", numbered=False)


def _result_rows(writer: Writer, trial: TrialResult) -> Iterator[Sequence[Value]]:
    accuracy, original, name = trial.primary.datum, trial.primary.original, writer.trial_title(trial.id)
    for stage in trial.stages:
        scores, last = stage.primary, stage is trial.stages[-1]
        yield (
            *(writer.trial_title(trial.id, stage.id), len(scores.test_accuracy.values)),
            writer.cell(scores.test_accuracy.datum, interval=True),
            scores.test_accuracy.original or (original if last else None),
            *(scores.validation_accuracy.datum, scores.train_accuracy.datum, scores.gap.datum, scores.test_loss.datum),
            scores.test_loss.original or (trial.original_loss if last else None),
        )
    if trial.classical is not None:
        nothing = [writer.cell(None, none=SAY.no_gradient)] * 5
        yield name, len(trial.runs), writer.cell(accuracy, interval=True), original, *nothing
    elif not trial.stages:
        yield name, 0, accuracy, original, *[writer.cell(None, none=SAY.not_finished)] * 4, trial.original_loss


def epochs(writer: Writer, trial: TrialResult, stage: StageSummary) -> Table:
    """Return a stage epoch by epoch: means over the seeds, and the original's one run beside them.

    In print four epochs stand for all: the first, after a third, after two thirds, and the last.
    """
    original, count = stage.original_curve, len(stage.epochs_table)
    shown = sorted({1, round(count / 3), round(2 * count / 3), count} - {0})
    if writer.medium == "screen" or count <= len(shown):
        shown = list(range(1, count + 1))
    rows = []
    for row in (stage.epochs_table[epoch - 1] for epoch in shown):
        data = (row.loss, row.accuracy, row.val_loss, row.val_accuracy)
        ours = (row.epoch, row.n, *(writer.cell(datum, link=False) for datum in data))
        rows.append(ours if original is None else (*ours, *_original_epoch(writer, original, row.epoch)))
    columns = writer.columns("Epoch | Runs | Loss | Accuracy | Val. loss | Val. accuracy", words=0)
    if original is not None:
        columns += writer.columns(
            "Original loss | Original accuracy | Original val. loss | Original val. accuracy", words=0
        )
    caption = writer.sentence(
        SAY.epochs if len(shown) == count else SAY.some_epochs, trial=writer.trial_name(trial.id, stage.id)
    )
    return writer.table(f"epochs-{trial.id}-{stage.id}", caption, columns, rows, style="epochs", numbered=False)


def _original_epoch(writer: Writer, original: Curve, epoch: int) -> Iterator[Cell]:
    losses, shares = (original.loss, original.val_loss), (original.accuracy, original.val_accuracy)
    for pair in zip(losses, shares, strict=True):
        for values, unit in zip(pair, SCORE_UNITS, strict=True):
            value = values[epoch - 1] if epoch <= len(values) else None
            yield writer.cell(None, none=SAY.no_such_epoch) if value is None else _score(writer, value, unit)


def _score(writer: Writer, value: float, unit: Unit) -> Cell:
    sign = "%" if unit == "share" else ""
    return Cell(Markup.escape(writer.numbers.bare(value, unit) + sign), numeric=True)


def runs(writer: Writer) -> Table | None:
    """Return one row for each run, or for each trial beyond MOST_RUN_ROWS; None without runs."""
    if not writer.bundle.runs:
        return None
    if len(writer.bundle.runs) > MOST_RUN_ROWS:
        columns = writer.columns("Trial | Runs | Failed | Mean | Least | Largest")
        caption = writer.sentence("Every trial; its single runs are in the attached numbers")
        return writer.table("runs", caption, columns, [_trial_row(writer, trial) for trial in writer.results.trials])
    columns = writer.columns("Trial | Seed | Epochs | Best epoch | Training | Validation | Test | Test loss")
    columns += writer.columns("Key")
    caption = writer.sentence(SAY.every_run)
    rows = [_run_row(writer, run) for run in writer.bundle.runs]
    return writer.table("runs", caption, columns, rows, style="wide runs")


def _run_row(writer: Writer, run: Run) -> Row:
    failed, classical = (writer.cell(None, none=reason) for reason in (SAY.failed_run, SAY.classical_run))
    scores: Sequence[Value] = [failed] * 6
    if run.done and run.classical is not None:
        scores = (*[classical] * 4, _score(writer, run.classical.test_accuracy, "share"), classical)
    elif run.done:
        stage, summary = run.stage(), writer.results.trial(run.trial.id).stage()
        evaluation = stage.evaluation(summary.primary_weights if summary is not None else "last")
        parts = (evaluation.train, evaluation.validation, evaluation.test)
        loss = evaluation.test.loss
        none = writer.cell(None, none=names.UNDEFINED["not_a_number"])
        scores = (
            *(sum(each.epochs for each in run.stages), stage.best_epoch),
            *(_score(writer, part.accuracy, "share") for part in parts),
            none if loss is None else _score(writer, loss, "loss"),
        )
    seed = writer.cell(run.seed, none=SAY.once)
    anchor = "run-" + run.id.replace("/", "-")
    return writer.row(writer.trial_title(run.trial.id), seed, *scores, writer.cell(code(run.key[:8])), id=anchor)


def _trial_row(writer: Writer, trial: TrialResult) -> Sequence[Value]:
    values = trial.primary.values
    ends = [_score(writer, end, "share") for end in (min(values), max(values))] if values else []
    return (
        *(writer.trial_title(trial.id), len(trial.seeds_run), len(trial.failed)),
        writer.cell(trial.primary.datum, link=False),
        *(ends or [writer.cell(None, none=SAY.not_finished)] * 2),
    )


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
