"""Trains some runs of a bundle again, each in a fresh process, and records a certificate of how far they agree."""

from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console

from cifar_report.bundle import Bundle, Environment, Predictions, Run, encode, read_run, remove_leftovers, write_file
from cifar_report.bundle.arrays import PREDICTIONS_FILE
from cifar_report.bundle.certificates import MOST_PHRASE, Certificate, Change, Rerun, certificate_files, weakest
from cifar_report.bundle.store import read_manifest, update_manifest
from cifar_report.data import PreparedData
from cifar_report.errors import SuiteError, UsageError
from cifar_report.running.environment import record_environment
from cifar_report.running.plan import PlannedRun, Prepared, cost, describe_dataset, key_parts, longest_first
from cifar_report.running.runs import RunWriter
from cifar_report.running.scheduler import local_workers, train_runs
from cifar_report.running.suite import hold
from cifar_report.spec import ClassicalTrial
from cifar_report.verify.compare import NOWHERE, TOLERANCE, compare_arrays, compare_records, key_values
from cifar_report.verify.copies import predictions_file
from cifar_report.verify.records import sound_files

KINDS = ("one stage", "several stages or augmentation", "several devices", "classical")  # as far as repeating goes
FACTS = {  # of an environment beside the runs' keys, by their names
    "Python": "python",
    "platform": "platform",
    "processor": "processor",
    "suite version": "project_version",
    "suite commit": "project_commit",
}


def kind_of(run: Run) -> str:
    """Return which of ``KINDS`` a run is."""
    trial = run.trial
    if isinstance(trial, ClassicalTrial):
        return "classical"
    if trial.strategy == "mirrored":
        return "several devices"
    plain = len(trial.stages) == 1 and trial.stages[0].augmentation is None
    return "one stage" if plain else "several stages or augmentation"


def choose_runs(bundle: Bundle, count: int, only: Sequence[str] = ()) -> list[Run]:
    """Return the cheapest finished run of each kind, then the cheapest of the rest; ``only`` names trials or runs."""
    for name in only:
        if name not in bundle.trials.keys() | {run.id for run in bundle.runs}:
            raise UsageError(f"{bundle.folder} has no trial and no run {name!r}")
    runs = [run for run in bundle.runs if run.done and (not only or {run.id, run.trial.id} & set(only))]
    if not runs:
        raise UsageError(f"{bundle.folder} holds no finished run {'of those' if only else 'yet'}")
    images = bundle.record.dataset.counts[0]
    runs.sort(key=lambda run: (cost(run.trial, images), run.trial.id, run.seed or 0))
    cheapest = [next((run for run in runs if kind_of(run) == kind), None) for kind in KINDS]
    first = [run for run in cheapest if run is not None]
    return [*first, *(run for run in runs if run not in first)][:count]


def rerun(
    bundle: Bundle,
    runs: Sequence[Run],
    dataset: PreparedData,
    jobs: int | None,
    console: Console,
    *,
    record: bool = True,
) -> Certificate:
    """Train ``runs`` again, set them beside the bundle's, and return how far they agree; ``record`` it in the bundle.

    Raises UsageError for other data, and SuiteError for a bundle that is unfinished, damaged or held by another suite,
    and when a run cannot be trained again.
    """
    made_from = bundle.record.dataset
    if dataset.fingerprint != made_from.fingerprint:
        raise UsageError(
            f"{bundle.folder} was made from other data (fingerprint {made_from.fingerprint[:8]}, {made_from.grade}) "
            f"than those found here ({dataset.fingerprint[:8]}, {dataset.source}): name its own data with --data"
        )
    sound_files(bundle.folder)
    with hold(bundle.folder) if record else nullcontext():
        if record:
            remove_leftovers(bundle.folder)
        # Hidden in the bundle that is held: whoever holds it next removes what a kill left.
        with TemporaryDirectory(prefix=".rerun.", suffix=".part", dir=bundle.folder if record else None) as folder:
            again = _train(bundle, runs, dataset, jobs, console, Path(folder))
            certificate = certify(bundle, again, record_environment())
        if record:
            record_certificate(bundle.folder, certificate)
    return certificate


def _train(
    bundle: Bundle, runs: Sequence[Run], dataset: PreparedData, jobs: int | None, console: Console, folder: Path
) -> Bundle:
    record = bundle.record
    images = record.dataset.counts[0]
    planned = longest_first(PlannedRun(run.trial, run.seed, cost(run.trial, images)) for run in runs)
    described = describe_dataset(dataset, record.profile)
    prepared = Prepared(record.profile, record.seeds, dataset, described, folder, planned)
    writer = RunWriter(prepared, {each.id: key_parts(each, record.profile, described) for each in planned})
    with local_workers(folder, jobs, len(planned), fresh=True) as workers:  # nothing of one run may reach the next
        train_runs(workers, writer, planned, console)
    again = tuple(found for run in runs if (found := read_run(folder, run.id)) is not None)
    for run in again:
        if run.error is not None:
            raise SuiteError(f"{run.id} could not be trained again: {run.error.strip().splitlines()[-1]}")
    return Bundle(folder, record, again)


@dataclass(frozen=True)
class Mixed(Bundle):
    """A bundle in which some runs stand with the results of another training."""

    again: Bundle

    def predictions(self, run: Run) -> Predictions:
        """Read a run's predictions, of the second training where there is one."""
        repeated = any(run is other for other in self.again.runs)
        return self.again.predictions(run) if repeated else super().predictions(run)


def certify(bundle: Bundle, again: Bundle, environment: Environment) -> Certificate:
    """Return how far the runs in ``again`` agree with the bundle's; raises SuiteError when arrays are damaged."""
    pairs = [(next(run for run in bundle.runs if run.id == other.id), other) for other in again.runs]
    diffs = []
    for run, other in pairs:
        diffs.append(compare_records(run, other))
        if bundle.is_compact(run) and not again.is_compact(run):  # of the rest it has the hash
            for name, content in predictions_file(again, other, compact=True).items():
                write_file(again.folder / "runs" / run.id / name, content)
            diffs[-1].note(NOWHERE, "predictions", *(each.files[PREDICTIONS_FILE] for each in (run, other)))
        one, two = (each.folder / "runs" / run.id for each in (bundle, again))
        compare_arrays(diffs[-1], one, two, bundle.record.dataset.about)
    changed = changed_verdicts(bundle, again) if any(diff.level != "bitwise" for diff in diffs) else ()
    reruns = tuple(
        Rerun(
            run=diff.run.id,
            key=diff.run.key,
            level="different" if changed and diff.level != "bitwise" else diff.level,
            compared=tuple(diff.compared),
            first=diff.first,
            largest=diff.largest(),
        )
        for diff in diffs
    )
    return Certificate(
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        level=weakest(tuple(rerun.level for rerun in reruns)),
        tolerance=TOLERANCE,
        reruns=reruns,
        verdicts_changed=changed,
        changes=tuple(environment_changes(bundle, pairs, environment)),
        environment=environment,
    )


def changed_verdicts(bundle: Bundle, again: Bundle) -> tuple[str, ...]:
    """Return the ids of the claims whose outcome is another with the second training's results in place."""
    from cifar_report.analysis import analyse

    by_id = {run.id: run for run in again.runs}
    mixed = Mixed(bundle.folder, bundle.record, tuple(by_id.get(run.id, run) for run in bundle.runs), again)
    before, after = ({verdict.id: verdict.outcome for verdict in analyse(each).verdicts} for each in (bundle, mixed))
    return tuple(claim for claim, outcome in before.items() if after[claim] != outcome)


def environment_changes(bundle: Bundle, pairs: Sequence[tuple[Run, Run]], environment: Environment) -> Iterator[Change]:
    """Yield what differs between the trainings: in what their machines say, and in what went into the runs' keys."""
    before, after = (
        {name: str(getattr(each, field)) for name, field in FACTS.items()}
        | {name: ", ".join(values)[:MOST_PHRASE] for name, values in key_values(runs).items()}
        for each, runs in zip((bundle.record.environment, environment), zip(*pairs, strict=True), strict=True)
    )
    if known := sorted({run.processor for run, _ in pairs if run.processor}):  # a bundle may be extended elsewhere
        before["processor"] = ", ".join(known)
    for name in sorted(before.keys() | after.keys()):
        if before.get(name) != after.get(name):
            yield Change(name=name, before=before.get(name), after=after.get(name))


def record_certificate(folder: Path, certificate: Certificate) -> Path:
    """Put a certificate into a bundle, list it (and any left unlisted) in the manifest, and return its path."""
    listed = read_manifest(folder)
    path = folder / certificate.place
    path.parent.mkdir(exist_ok=True)
    write_file(path, encode(certificate))
    update_manifest(folder, listed, (folder / name for name in certificate_files(folder) if name not in listed))
    return path
