"""Runs that keep less than all their probabilities: made from whole ones, and added to a bundle."""

from collections.abc import Iterator
from pathlib import Path

import msgspec

from cifar_report.bundle import (
    METHOD_VERSION,
    SCHEMA_VERSION,
    Bundle,
    BundleRecord,
    Run,
    encode,
    remove_leftovers,
    sha256,
    write_file,
    write_folder,
    write_record,
)
from cifar_report.bundle.arrays import COMPACT_FILE, PREDICTIONS_FILE
from cifar_report.bundle.bundle import RECORD_FILE, RUN_FILE
from cifar_report.bundle.store import current_parts, read_manifest, update_manifest, write_manifest
from cifar_report.errors import SuiteError
from cifar_report.registry import claims_of
from cifar_report.running.plan import changed_parts
from cifar_report.running.runs import now
from cifar_report.running.suite import hold
from cifar_report.spec import Trial, registry_hash
from cifar_report.verify.files import sound_files
from cifar_report.verify.records import plan_problems, score_problems

DERIVED = ("tables/", "figures/")
OTHERWISE = {"weights.npz", PREDICTIONS_FILE, COMPACT_FILE, RUN_FILE}  # left out, or written in another way
BEGUN = ".added.part"
MOST_TOLD = 3  # differences in one sentence


def predictions_file(bundle: Bundle, run: Run, *, compact: bool) -> dict[str, bytes]:
    """Return the file of a finished run's predictions by its name, as ``compact`` ones where it is a network's.

    Raises SuiteError where the scores in its record do not follow from them: afterwards nothing would show it.
    """
    if bundle.is_compact(run) or not (compact and isinstance(run.trial, Trial)):
        name = COMPACT_FILE if bundle.is_compact(run) else PREDICTIONS_FILE
        return {name: (bundle.folder / "runs" / run.id / name).read_bytes()}
    from cifar_report.analysis.predictions import compacted  # training again needs none of its packages

    whole = bundle.predictions(run)
    for problem in score_problems(run, whole):
        raise SuiteError(f"{bundle.folder / 'runs' / run.id} cannot be made compact: {problem}")
    return {COMPACT_FILE: compacted(run, whole).dump()}


def add_runs(source: Path, target: Path, *, compact: bool) -> tuple[int, int]:
    """Add the finished runs of one bundle to another, without weights; return how many, and how many it had already.

    Of the target's files only its record, tables, figures and manifest are written anew; the next call finishes an
    interrupted one. Raises UsageError where a folder is no bundle, and SuiteError, before anything is written, where
    one is unfinished or damaged, where profile, data or claims differ, or a run that both have.
    """
    from cifar_report.report.build import write_derived  # its packages may be missing: then nothing is added

    given, host = Bundle.load(source), Bundle.load(target)
    sound_files(source)
    with hold(target):
        listed, done = read_manifest(target), [run for run in given.runs if run.done]
        new = [run for run in done if f"runs/{run.id}/{RUN_FILE}" not in listed]
        begun = (target / BEGUN).is_file() and (target / BEGUN).read_bytes() == (target / RECORD_FILE).read_bytes()
        sound_files(target, (*DERIVED, *(f"runs/{run.id}/" for run in new), *((RECORD_FILE,) if begun else ())))
        record = _extended(given.record, host.record)
        found = [*_differences(given.record, host.record)] or [*_problems(given, host, record, listed)]
        if found:
            more = [f"and {len(found) - MOST_TOLD} more"] if len(found) > MOST_TOLD else []
            raise SuiteError(f"nothing of {source} is added to {target}: {'; '.join((*found[:MOST_TOLD], *more))}")
        files = {f"runs/{run.id}": _files(given, run, compact=compact) for run in new}
        for folder, content in files.items():
            write_folder(target / folder, content)
        write_file(target / BEGUN, encode(record))  # so that the next call knows the record if this one ends here
        write_record(target, record)
        added = (target / folder / name for folder, content in files.items() for name in content)
        update_manifest(target, listed, (target / RECORD_FILE, *added))
        write_derived(Bundle.load(target))
        write_manifest(target)
        remove_leftovers(target)
    return len(new), len(done) - len(new)


def _extended(given: BundleRecord, host: BundleRecord) -> BundleRecord:
    return msgspec.structs.replace(
        host,
        schema_version=SCHEMA_VERSION,
        seeds=max(given.seeds, host.seeds),
        plan=host.plan or given.plan,
        asked={trial: max(each.asked.get(trial, 1) for each in (given, host)) for trial in given.asked | host.asked},
        claims_hash=registry_hash(claims_of(host.experiments)),
        claims_changed=given.claims_changed or host.claims_changed,
        finished=now(),
        method_version=METHOD_VERSION,
    )


def _differences(given: BundleRecord, host: BundleRecord) -> Iterator[str]:
    if not given.profile.trains_like(host.profile):
        same = given.profile.name == host.profile.name
        yield f"the profile is {given.profile.name!r}, not {host.profile.name!r}" + (" as it is defined there" * same)
    if given.dataset.fingerprint != host.dataset.fingerprint:
        prints = [each.dataset.fingerprint[:8] for each in (given, host)]
        yield f"the data have the fingerprint {prints[0]}, not {prints[1]}"
    if None not in (given.plan, host.plan) and given.plan != host.plan:
        yield "the declared plans of their seeds differ"
    claims = [{claim.id: claim for claim in claims_of(each.experiments)} for each in (given, host)]
    if other := sorted(name for name in {**claims[0], **claims[1]} if claims[0].get(name) != claims[1].get(name)):
        yield f"{len(other)} claims differ: {', '.join(other[:MOST_TOLD])}{', …' * (len(other) > MOST_TOLD)}"


def _problems(given: Bundle, host: Bundle, record: BundleRecord, listed: dict[str, str]) -> Iterator[str]:
    """Yield which finished runs differ from the target's, or are none that it plans."""
    there, plan = {run.id: run for run in host.runs}, Bundle(host.folder, record, ())
    for run in (run for run in given.runs if run.done):
        name = f"runs/{run.id}/{RUN_FILE}"
        if name not in listed:
            yield from (f"{run.id}: {problem}" for problem in plan_problems(run, plan))
        elif sha256((given.folder / name).read_bytes()) != listed[name]:
            changes = ", ".join(changed_parts(*(current_parts(each) for each in (there[run.id], run))))
            yield f"{run.id} is in both and not the same ({changes or 'the same key, other results'})"


def _files(bundle: Bundle, run: Run, *, compact: bool) -> dict[str, bytes]:
    """Return the files of a run as they are added, its record the last."""
    folder = bundle.folder / "runs" / run.id
    names = sorted({path.name for path in folder.glob("[!.]*")} - OTHERWISE)
    files = {name: (folder / name).read_bytes() for name in (*names, RUN_FILE)}
    return {**predictions_file(bundle, run, compact=compact), **files}
