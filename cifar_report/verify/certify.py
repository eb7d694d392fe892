"""Makes the certificate of runs that were trained again, and records it in their bundle."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cifar_report.bundle import Bundle, Environment, Predictions, Run, encode, write_file
from cifar_report.bundle.certificates import (
    CERTIFICATES,
    MOST_PHRASE,
    MOST_WORD,
    Certificate,
    Change,
    Rerun,
    certificate_files,
    weakest,
)
from cifar_report.bundle.manifest import read_manifest, update_manifest
from cifar_report.verify.files import printable
from cifar_report.verify.run_diff import TOLERANCE, compare_arrays, compare_records, key_values

LIBRARIES = ("tensorflow", "keras", "numpy", "scikit-learn", "scipy")  # those that compute while a run is trained


@dataclass(frozen=True)
class Mixed(Bundle):
    """A bundle in which some runs stand with the results of another training."""

    again: Bundle

    def predictions(self, run: Run) -> Predictions:
        """Read a run's predictions, of the second training where there is one."""
        repeated = any(run is other for other in self.again.runs)
        return self.again.predictions(run) if repeated else super().predictions(run)


def certify(bundle: Bundle, again: Bundle, environment: Environment) -> Certificate:
    """Return how far the runs in ``again`` agree with the same runs of ``bundle``.

    Raises SuiteError when arrays are damaged.
    """
    pairs = [(next(run for run in bundle.runs if run.id == other.id), other) for other in again.runs]
    diffs = []
    for run, other in pairs:
        diffs.append(compare_records(run, other))
        compare_arrays(diffs[-1], *(each.folder / "runs" / run.id for each in (bundle, again)))
    differ = any(diff.level != "bitwise" for diff in diffs)
    changed = changed_verdicts(bundle, again) if differ else ()
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
    """Yield what differs between the trainings: first what went into the runs' keys, then what their machines say."""
    keys = [key_values(runs) for runs in zip(*pairs, strict=True)]
    told = [{name: ", ".join(values) for name, values in side.items()} for side in keys]
    facts = [_facts(each) for each in (bundle.record.environment, environment)]
    if any(run.processor for run in bundle.runs):  # a bundle that was extended elsewhere speaks of the last machine
        known = sorted({run.processor for run, _ in pairs if run.processor})
        facts[0]["processor"] = ", ".join(known) or facts[1]["processor"]
    for before, after in (told, facts):
        for name in sorted(before.keys() | after.keys()):
            old, new = before.get(name), after.get(name)
            if old != new and (before is told[0] or name not in told[0].keys() | told[1].keys()):
                yield Change(name=printable(name)[:MOST_WORD], before=_phrase(old), after=_phrase(new))


def _phrase(text: str | None) -> str | None:
    return None if text is None else printable(text)[:MOST_PHRASE]


def _facts(environment: Environment) -> dict[str, str]:
    facts = {
        "Python": environment.python,
        "platform": environment.platform,
        "processor": environment.processor,
        "suite version": environment.project_version,
        "suite commit": environment.project_commit or "none",
    }
    facts |= {f"version of {name}": environment.packages[name] for name in LIBRARIES if name in environment.packages}
    return facts | {f"variable {name}": value for name, value in environment.variables.items()}


def record_certificate(folder: Path, certificate: Certificate) -> Path:
    """Put a certificate into a finished bundle, list it in the manifest, and return its path.

    The other files keep the hashes that they had. After an interruption the manifest does not list it: ``rollback``.
    """
    listed = read_manifest(folder)
    path = folder / CERTIFICATES / certificate.file_name
    path.parent.mkdir(exist_ok=True)
    write_file(path, encode(certificate))
    update_manifest(folder, listed, (path,))
    return path


def rollback(folder: Path) -> None:
    """Remove certificates that the manifest does not list: their recording was interrupted.

    Only the holder of the bundle's lock may do so. Raises SuiteError where the bundle is unfinished.
    """
    listed = read_manifest(folder)
    for name in certificate_files(folder):
        if name not in listed:
            (folder / name).unlink()
