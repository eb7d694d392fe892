"""Copies of bundles: as one tar archive and back, without weights, compact; and their runs added to another, or merged.

An archive is the same bytes for the same bundle on every machine, and reading one trusts nothing in it. It is not
compressed: what a compressor writes depends on its release, the arrays, nearly all of a bundle, are compressed
already, and nothing uncompressed is a compression bomb.
"""

import shutil
import tarfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from cifar_report.bundle import Bundle, BundleRecord, Run, encode, read_record, store, write_record
from cifar_report.bundle.arrays import COMPACT_FILE, MOST_BYTES, PREDICTIONS_FILE
from cifar_report.bundle.bundle import RECORD_FILE, RUN_FILE, TIMING_FILE
from cifar_report.bundle.records import METHOD_VERSION, SCHEMA_VERSION
from cifar_report.bundle.store import update_manifest, write_manifest
from cifar_report.errors import SuiteError, UsageError
from cifar_report.registry import claims_of
from cifar_report.running.plan import changed_parts
from cifar_report.running.runs import now
from cifar_report.running.suite import hold
from cifar_report.spec import Trial, registry_hash
from cifar_report.verify.integrity import score_problems
from cifar_report.verify.records import KNOWN, plan_problems, sound_files

ROOT = "bundle/"  # whoever unpacks with tar gets one folder
MOST_ARCHIVE_BYTES = 16 * 2**30  # the whole suite with ten seeds and all weights has about 2
WEIGHTS_FILE = "weights.npz"
OTHERWISE = {WEIGHTS_FILE, PREDICTIONS_FILE, COMPACT_FILE, RUN_FILE}  # left out, or written in another way
BEGUN = ".added.part"
MOST_TOLD = 3  # differences in one sentence


def export_bundle(folder: Path, file: Path) -> int:
    """Write a finished bundle as one archive and return its size in bytes; a file of that name is replaced.

    Raises UsageError for no bundle or no place for the file, SuiteError for an unfinished or damaged bundle.
    """
    if file.is_dir() or file.resolve().is_relative_to(folder.resolve()):
        raise UsageError(f"{file} cannot be the archive: name a file outside of the bundle")
    if not file.parent.is_dir():
        raise UsageError(f"{file.parent} is no folder, so {file.name} cannot be written there")
    names = [store.MANIFEST_FILE, *sorted(sound_files(folder))]
    beside = file.with_name(f".{file.name}.part")
    try:
        with store.naming(file), tarfile.open(beside, "w", format=tarfile.USTAR_FORMAT) as archive:
            for name in names:
                entry = tarfile.TarInfo(ROOT + name)  # date 0, owner 0 without a name, rights 644
                entry.size = (folder / name).stat().st_size
                with store.open_plain(folder / name) as source:
                    archive.addfile(entry, source)
        beside.replace(file)
    finally:
        beside.unlink(missing_ok=True)
    return file.stat().st_size


def import_bundle(file: Path, folder: Path) -> int:
    """Unpack an archive as a new bundle, in no folder or an empty one, and return the number of its files.

    Raises UsageError where file or folder cannot be meant, SuiteError where what it holds is not sound.
    """
    if not hasattr(tarfile, "data_filter"):
        raise SuiteError("this Python cannot unpack archives of strangers safely: use 3.11.4 or later")
    _refuse_target(folder)
    if not file.is_file():
        raise UsageError(f"{file} is no file: name an archive that 'cifar-report bundle export' wrote")
    with _beside(folder) as unpacked:
        try:
            _unpack(file, unpacked.parent)
            count = 1 + len(sound_files(unpacked))
            (unpacked / RECORD_FILE).touch()  # the latest bundle is found by its date
        except (tarfile.TarError, ValueError) as error:
            raise SuiteError(f"{file} is no archive that 'cifar-report bundle export' wrote: {error}") from error
        except (SuiteError, UsageError) as error:
            raise SuiteError(f"{file} is not taken: {str(error).replace(str(unpacked), 'what it holds')}") from error
    return count


@contextmanager
def _beside(target: Path) -> Iterator[Path]:
    """Yield where a new bundle is made, hidden beside ``target``, and put it there once it is whole."""
    with TemporaryDirectory(prefix=".", suffix=".part", dir=target.absolute().parent) as folder:
        made = Path(folder, ROOT)
        yield made
        if target.exists():
            target.rmdir()  # it is empty, and not every system renames over a folder
        made.rename(target)


def _unpack(file: Path, target: Path) -> None:
    """Unpack the plain files of an archive; raises TarError or ValueError before anything is written."""
    with tarfile.open(file, "r:") as archive:
        members: list[tarfile.TarInfo] = []
        total = 0
        for member in archive:  # reads the headers alone
            name = member.name.removeprefix(ROOT)
            if member.isdir():
                continue
            if not member.isreg() or name == member.name or not (name == store.MANIFEST_FILE or KNOWN.fullmatch(name)):
                raise ValueError(f"{member.name[:200]!a} is no plain file of a bundle")
            if not 0 <= member.size <= MOST_BYTES:
                raise ValueError(f"{member.name} declares {member.size} bytes, where a file has at most {MOST_BYTES}")
            members.append(member)
            total += tarfile.BLOCKSIZE + member.size
            if total > MOST_ARCHIVE_BYTES:
                raise ValueError(f"it holds more than {MOST_ARCHIVE_BYTES} bytes")
        with store.naming(target):
            archive.extractall(target, members, filter="data")


def _refuse_target(folder: Path) -> None:
    if folder.is_symlink() or (folder.exists() and (not folder.is_dir() or any(folder.iterdir()))):
        raise UsageError(f"{folder} is there already and no empty folder: name a new one")
    if not folder.absolute().parent.is_dir():
        raise UsageError(f"{folder.absolute().parent} is no folder, so {folder.name} cannot be made there")


def copy_numbers(source: Path, target: Path, *, compact: bool = False) -> int:
    """Copy a finished bundle without its weights into a new folder and return the size of the copy in bytes.

    A ``compact`` copy keeps of each network's probabilities what ``CompactTable`` tells. The runs' records stay: they
    name each file left out with its hash. Raises as ``export_bundle``, and UsageError where the target is not empty.
    """
    _refuse_target(target)
    sound_files(source)
    bundle = Bundle.load(source)
    kept = {run.id: predictions_file(bundle, run, compact=True) for run in bundle.runs if compact and run.done}
    ignored = shutil.ignore_patterns(".*", "weights.npz", *((PREDICTIONS_FILE,) if compact else ()))
    shutil.copytree(source, target, ignore=ignored, copy_function=_copy, dirs_exist_ok=True)
    for run, files in kept.items():
        for name, content in files.items():
            store.write_file(target / "runs" / run / name, content)
    write_manifest(target)
    return sum(path.stat().st_size for path in store.bundle_files(target))


def _copy(source: str, target: str) -> None:
    try:
        shutil.copyfile(source, target)
    except OSError as error:  # which would name the source, and the copying would go on to the end
        raise SuiteError(f"{target} cannot be written: {error.strerror or error}") from error


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


def add_runs(sources: Sequence[Path], target: Path, *, compact: bool, weights: bool = False) -> tuple[int, int]:
    """Add the finished runs of bundles to another; return how many, and how many were there or given already.

    Of the target's files only its record, tables, figures and manifest are written anew; the next call finishes an
    interrupted one. Raises UsageError for no bundle, and SuiteError, before anything is written, for an unfinished or
    damaged one, and where profile, data, claims or a run that two of them have differ.
    """
    from cifar_report.report.build import write_derived  # its packages may be missing: then nothing is added

    given, host = [Bundle.load(source) for source in sources], Bundle.load(target)
    for source in sources:
        sound_files(source)
    with hold(target):
        listed = store.read_manifest(target)
        record, new, known = _joined(given, host, listed)
        begun = (target / BEGUN).is_file() and (target / BEGUN).read_bytes() == (target / RECORD_FILE).read_bytes()
        sound_files(
            target, ("tables/", "figures/", *(f"runs/{run.id}/" for _, run in new), *((RECORD_FILE,) if begun else ()))
        )
        for bundle, run in new if compact else ():
            predictions_file(bundle, run, compact=True)  # raises before anything is written
        added = []
        for bundle, run in new:
            files, folder = _files(bundle, run, compact=compact, weights=weights), target / "runs" / run.id
            store.write_folder(folder, files)
            added += [folder / name for name in files]
        store.write_file(target / BEGUN, encode(record))  # so that the next call knows the record if this one ends here
        write_record(target, record)
        update_manifest(target, listed, (target / RECORD_FILE, *added))
        write_derived(Bundle.load(target))
        write_manifest(target)
        store.remove_leftovers(target)
    return len(new), known


def merge_bundles(sources: Sequence[Path], target: Path) -> tuple[int, int]:
    """Write the finished runs of bundles of one plan, weights and all, as a new bundle; return what ``add_runs`` does.

    A run that several have must be the same in each. The timing pass is the first one's that has one.
    """
    _refuse_target(target)
    passes = filter(Path.is_file, (source / TIMING_FILE for source in sources))
    with _beside(target) as merged:
        write_record(merged, read_record(sources[0]))
        for timing in islice(passes, 1):
            store.write_folder(merged / "timing", {timing.name: timing.read_bytes()})
        write_manifest(merged)
        try:
            return add_runs(sources, merged, compact=False, weights=True)
        except SuiteError as error:
            raise SuiteError(str(error).replace(str(merged), str(target))) from error


def _joined(
    given: Sequence[Bundle], host: Bundle, listed: dict[str, str]
) -> tuple[BundleRecord, list[tuple[Bundle, Run]], int]:
    record, new, known = host.record, [], 0
    hashes, runs = dict(listed), {run.id: run for run in host.runs}
    for bundle in given:
        extended = _extended(bundle.record, record)
        found = [*_differences(bundle.record, record)] or [
            *_problems(bundle, runs, Bundle(host.folder, extended, ()), hashes)
        ]
        if found:
            more = [f"and {len(found) - MOST_TOLD} more"] if len(found) > MOST_TOLD else []
            sentence = "; ".join((*found[:MOST_TOLD], *more))
            raise SuiteError(f"nothing of {bundle.folder} is added to {host.folder}: {sentence}")
        record = extended
        for run in (run for run in bundle.runs if run.done):
            name = f"runs/{run.id}/{RUN_FILE}"
            if name in hashes:
                known += 1
            else:
                hashes[name] = store.sha256((bundle.folder / name).read_bytes())
                runs[run.id] = run
                new.append((bundle, run))
    return record, new, known


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


def _problems(given: Bundle, there: dict[str, Run], plan: Bundle, listed: dict[str, str]) -> Iterator[str]:
    for run in (run for run in given.runs if run.done):
        name = f"runs/{run.id}/{RUN_FILE}"
        if name not in listed:
            yield from (f"{run.id}: {problem}" for problem in plan_problems(run, plan))
        elif store.sha256((given.folder / name).read_bytes()) != listed[name]:
            changes = ", ".join(changed_parts(*(store.current_parts(each) for each in (there[run.id], run))))
            yield f"{run.id} is in both and not the same ({changes or 'the same key, other results'})"


def _files(bundle: Bundle, run: Run, *, compact: bool, weights: bool) -> dict[str, bytes]:
    folder = bundle.folder / "runs" / run.id
    left_out = OTHERWISE - ({WEIGHTS_FILE} if weights else set())
    names = sorted({path.name for path in folder.glob("[!.]*")} - left_out)
    files = {name: (folder / name).read_bytes() for name in (*names, RUN_FILE)}
    return {**predictions_file(bundle, run, compact=compact), **files}
