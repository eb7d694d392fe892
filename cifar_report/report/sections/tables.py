"""Tables of trials: layers, results, epochs, studies, and every run."""

from collections.abc import Iterator, Sequence

from markupsafe import Markup

from cifar_report.analysis.results import TimingRow, Verdict
from cifar_report.analysis.results.trials import Curve, Datum, PredictionMetrics, StageSummary, TrialResult, Unit
from cifar_report.bundle import Run
from cifar_report.report import names
from cifar_report.report.elements import Cell, Row, Table, breakable, code
from cifar_report.report.i18n import load_messages, mark
from cifar_report.report.writer import Value, Writer
from cifar_report.spec import Claim, Experiment, Trial, walk

SAY = load_messages("sections")
NOT_TIMED = mark("not part of the timing pass, or the pass was not run")
MOST_RUN_ROWS = 500  # beyond it, one row a trial


def sample_sizes(writer: Writer, verdict: Verdict) -> Cell:
    """Return a claim's n, that of the comparator after it where it has one of its own."""
    counts = [each for each in (verdict.n, verdict.n_comparator) if each is not None]
    return Cell(Markup(" + ").join(map(writer.numbers.integer, counts)), numeric=True)


def layers(writer: Writer, trial: Trial) -> Table:
    """Return a network layer by layer, with shapes, parameters and multiply-accumulates; for the screen alone."""
    rows: list[Sequence[Value]] = []
    for row in walk(trial.layers, trial.input_shape):
        shape = Cell(Markup(" × ").join(map(writer.numbers.integer, row.shape)), numeric=True) if row.shape else None
        cells = (shape, row.parameters, row.trainable, row.macs)
        unknown = names.FORMULAS["counted_in_model"]
        name = names.layer_name(row.layer, writer.numbers)
        rows.append((name, *(writer.cell(cell, none=unknown) for cell in cells)))
    costs = writer.results.trial(trial.id).costs
    if costs is not None:
        blank = Cell(Markup(""), numeric=True)
        rows.append((writer.word("Sum"), blank, costs.parameters, costs.trainable_parameters, costs.macs))
    return writer.table("layers", rows, anchor=f"layers-{trial.id}", trial=writer.trial_name(trial.id))


def claims(writer: Writer, experiment: Experiment) -> Table:
    """Return an experiment's claims with their estimates and verdicts; links to a claim lead to its row."""
    rows = [_claim_row(writer, writer.results.verdict(claim.id)) for claim in experiment.claims]
    return writer.table("claims", rows, anchor=f"claims-{experiment.id}")


def _claim_row(writer: Writer, verdict: Verdict) -> Row:
    estimate, verdict_cell = verdict.estimate, writer.verdict_badge(verdict)
    name = Markup('{} <span class="claim-id">{}</span>').format(
        writer.translation.text(verdict.claim.statement), breakable(verdict.id)
    )
    shown = writer.cell(estimate)
    if estimate.value is not None:
        interval = Markup(' <span class="interval">{}</span>').format(writer.interval(estimate))
        value = writer.quantity(estimate)
        if verdict.claim.relation == "onset":
            value = writer.sentence(SAY.of_runs, share=value)
        mixed = writer.word(SAY.mixed_processors) if _mixed(writer, verdict.claim) else None
        shown = Cell(value + (interval if estimate.low is not None else ""), missing=mixed)
    if verdict.seeds_needed is not None:
        verdict_cell += Markup(' <span class="needed">{}</span>').format(names.seeds_needed(verdict, writer.numbers))
    return writer.row(name, shown, Cell(verdict_cell), id=f"claim-{verdict.id}", outcome=verdict.outcome)


def _mixed(writer: Writer, claim: Claim) -> bool:
    """Whether processors of several kinds trained the networks that a claim compares."""
    if claim.comparator is None or claim.relation == "exact" or claim.timed:
        return False
    runs = [run for trial in claim.trials for run in writer.bundle.runs_of(trial) if run.stages]
    return len({run.processor for run in runs} - {None}) > 1


def results(writer: Writer, anchor: str, title: str, trials: Sequence[TrialResult]) -> Table:
    """Return what trials reached, stage by stage, with the original's numbers beside ours."""
    rows = (row for trial in trials for row in _result_rows(writer, trial))
    apart = not writer.results.scope.absolutes and any(trial.primary.original is not None for trial in trials)
    caption = SAY.results_apart if apart else ""
    return writer.table("results", rows, anchor=f"results-{anchor}", caption=caption, title=title)


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
    return writer.table(
        "epochs" if original is None else "epochs_beside",
        rows,
        anchor=f"epochs-{trial.id}-{stage.id}",
        caption="" if len(shown) == count else SAY.some_epochs,
        trial=writer.trial_name(trial.id, stage.id),
    )


def _original_epoch(writer: Writer, original: Curve, epoch: int) -> Iterator[Cell]:
    for name in ("loss", "accuracy", "val_loss", "val_accuracy"):
        unit: Unit = "loss" if name.endswith("loss") else "share"
        value = dict(enumerate(getattr(original, name), start=1)).get(epoch)
        yield _score(writer, value, unit, none=SAY.no_such_epoch)


def _score(writer: Writer, value: float | None, unit: Unit, *, none: str = names.UNDEFINED["not_a_number"]) -> Cell:
    """Return a cell with a share or a loss; ``none`` says why there is none."""
    sign = "%" if unit == "share" else ""
    shown = None if value is None else Cell(Markup.escape(writer.numbers.bare(value, unit) + sign), numeric=True)
    return writer.cell(shown, none=none)


def runs(writer: Writer) -> Table | None:
    """Return one row for each run, or for each trial beyond MOST_RUN_ROWS; None without runs."""
    if len(writer.bundle.runs) > MOST_RUN_ROWS:
        rows = (_trial_row(writer, trial) for trial in writer.results.trials)
        return writer.table("runs_by_trial", rows, anchor="runs")
    return writer.table("runs", [_run_row(writer, run) for run in writer.bundle.runs]) if writer.bundle.runs else None


def _run_row(writer: Writer, run: Run) -> Row:
    failed, classical = (writer.cell(None, none=reason) for reason in (SAY.failed_run, SAY.classical_run))
    scores: Sequence[Value] = [failed] * 6
    if run.done and run.classical is not None:
        scores = (*[classical] * 4, _score(writer, run.classical.test_accuracy, "share"), classical)
    elif run.done:
        stage, summary = run.stage(), writer.results.trial(run.trial.id).stage()
        evaluation = stage.evaluation(summary.primary_weights if summary is not None else "last")
        parts = (evaluation.train, evaluation.validation, evaluation.test)
        scores = (
            *(sum(each.epochs for each in run.stages), stage.best_epoch),
            *(_score(writer, part.accuracy, "share") for part in parts),
            _score(writer, evaluation.test.loss, "loss"),
        )
    first = (writer.trial_title(run.trial.id), writer.cell(run.seed, none=SAY.once))
    return writer.row(*first, *scores, code(run.key[:8]), id="run-" + run.id.replace("/", "-"))


def _trial_row(writer: Writer, trial: TrialResult) -> Sequence[Value]:
    ends = (min(trial.primary.values, default=None), max(trial.primary.values, default=None))
    return (
        *(writer.trial_title(trial.id), len(trial.seeds_run), len(trial.failed)),
        writer.cell(trial.primary.datum, link=False),
        *(_score(writer, end, "share", none=SAY.not_finished) for end in ends),
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


def single_timings(writer: Writer) -> dict[str, TimingRow]:
    """Return the timings of trainings on one device, by trial."""
    return {row.trial: row for row in writer.results.timing if row.replicas == 1}


def costs(writer: Writer) -> Table:
    """Return what each network costs in parameters, operations, time and memory."""
    timing = single_timings(writer)
    rows = (
        (
            *(writer.trial_title(trial.id), trial.primary.datum, trial.costs.parameters, trial.costs.macs),
            writer.cell(clock.images_per_second if (clock := timing.get(trial.id)) else None, none=NOT_TIMED),
            writer.cell(clock.peak_memory if clock else None, none=NOT_TIMED),
            trial.original_seconds,
        )
        for trial in writer.results.trials
        if trial.costs is not None
    )
    return writer.table("costs", rows)


def spread(writer: Writer) -> Iterator[Table]:
    """Yield where the spread between runs comes from, and what choosing weights changes."""
    title, results = writer.trial_title, writer.results
    if results.variance:
        rows = [(title(each.trial), each.observed, each.sampling, each.seed_share) for each in results.variance]
        yield writer.table("variance", rows)
    if results.weights:
        rows = [(title(each.trial, each.stage), each.last, each.best, each.difference) for each in results.weights]
        yield writer.table("weights", rows)


def errors(writer: Writer, metrics: PredictionMetrics) -> Iterator[Table]:
    """Yield the most frequent confusions, and how well each class is predicted."""
    names = writer.translation.classes

    def row(words: Sequence[int], *numbers: Datum) -> Sequence[Cell | str]:
        return (*(names[word] for word in words), *(writer.cell(number, link=False) for number in numbers))

    if metrics.most_confused:
        pairs = (row((each.label, each.predicted), each.count, each.share) for each in metrics.most_confused)
        yield writer.table("confused", pairs)
    yield writer.table(
        "classes", (row((each.label,), each.precision, each.recall, each.f1) for each in metrics.classes)
    )
