"""A bundle as one tar archive: the same bytes for the same bundle on every machine; reading one trusts nothing in it.

The archive is not compressed: what a compressor writes depends on its release (zlib and zlib-ng, liblzma 5.2 and 5.4
differ), the arrays, nearly all of a bundle, are compressed already, and nothing uncompressed is a compression bomb.
"""

import shutil
import tarfile
from pathlib import Path
from tempfile import TemporaryDirectory

from cifar_report.bundle import Bundle, write_file
from cifar_report.bundle.arrays import MOST_BYTES, PREDICTIONS_FILE
from cifar_report.bundle.bundle import RECORD_FILE
from cifar_report.bundle.store import MANIFEST_FILE, bundle_files, naming, open_plain, write_manifest
from cifar_report.errors import SuiteError, UsageError
from cifar_report.verify.compact import predictions_file, refuse_target
from cifar_report.verify.files import KNOWN, sound_files

ROOT = "bundle/"  # whoever unpacks with tar gets one folder
MOST_ARCHIVE_BYTES = 16 * 2**30  # the whole suite with ten seeds and all weights has about 2
MOST_FILES = 200_000


def export_bundle(folder: Path, file: Path) -> int:
    """Write a finished bundle as one archive and return its size in bytes; a file of that name is replaced.

    Raises UsageError where the folder is no bundle or the file cannot be there, SuiteError where the bundle is
    unfinished or damaged; nothing is left behind then.
    """
    if file.is_dir() or file.resolve().is_relative_to(folder.resolve()):
        raise UsageError(f"{file} cannot be the archive: name a file outside of the bundle")
    if not file.parent.is_dir():
        raise UsageError(f"{file.parent} is no folder, so {file.name} cannot be written there")
    names = [MANIFEST_FILE, *sorted(sound_files(folder))]
    beside = file.with_name(f".{file.name}.part")
    try:
        with naming(file), tarfile.open(beside, "w", format=tarfile.USTAR_FORMAT) as archive:
            for name in names:
                entry = tarfile.TarInfo(ROOT + name)  # date 0, owner 0 without a name, rights 644
                entry.size = (folder / name).stat().st_size
                with open_plain(folder / name) as source:
                    archive.addfile(entry, source)
        beside.replace(file)
    finally:
        beside.unlink(missing_ok=True)
    return file.stat().st_size


def import_bundle(file: Path, folder: Path) -> int:
    """Unpack an archive as a new bundle and return the number of its files.

    The folder must not exist or be empty. Raises UsageError where file or folder cannot be meant, SuiteError where the
    archive or what it holds is not sound; nothing is left behind then.
    """
    if not hasattr(tarfile, "data_filter"):
        raise SuiteError("this Python cannot unpack archives of strangers safely: use 3.11.4 or later")
    refuse_target(folder)
    if not file.is_file():
        raise UsageError(f"{file} is no file: name an archive that 'cifar-report bundle export' wrote")
    with TemporaryDirectory(prefix=".", suffix=".part", dir=folder.absolute().parent) as beside:
        unpacked = Path(beside, ROOT)
        try:
            _unpack(file, Path(beside))
            count = 1 + len(sound_files(unpacked))
            (unpacked / RECORD_FILE).touch()  # the latest bundle is found by its date
        except (tarfile.TarError, ValueError) as error:
            raise SuiteError(f"{file} is no archive that 'cifar-report bundle export' wrote: {error}") from error
        except (SuiteError, UsageError) as error:
            raise SuiteError(f"{file} is not taken: {str(error).replace(str(unpacked), 'what it holds')}") from error
        if folder.exists():
            folder.rmdir()  # it is empty, and not every system renames over a folder
        unpacked.rename(folder)
    return count


def copy_numbers(source: Path, target: Path, *, compact: bool = False) -> int:
    """Copy a finished bundle without its weights into a new folder and return the size of the copy in bytes.

    A ``compact`` copy keeps of each network's probabilities what ``CompactTable`` tells. The runs' records stay as
    they are: they still name each file left out with its hash, so that whoever trains again can compare. Raises as
    ``export_bundle`` does, and UsageError where the target is not empty.
    """
    refuse_target(target)
    sound_files(source)
    left_out, kept = [".*", "weights.npz"], {}
    if compact:
        left_out.append(PREDICTIONS_FILE)
        bundle = Bundle.load(source)
        kept = {run.id: predictions_file(bundle, run, compact=True) for run in bundle.runs if run.done}
    ignored = shutil.ignore_patterns(*left_out)
    shutil.copytree(source, target, ignore=ignored, copy_function=_copy, dirs_exist_ok=True)
    for run, files in kept.items():
        for name, content in files.items():
            write_file(target / "runs" / run / name, content)
    write_manifest(target)
    return sum(path.stat().st_size for path in bundle_files(target))


def _copy(source: str, target: str) -> None:
    try:
        shutil.copyfile(source, target)
    except OSError as error:  # which would name the source, and the copying would go on to the end
        raise SuiteError(f"{target} cannot be written: {error.strerror or error}") from error


def _unpack(file: Path, target: Path) -> None:
    """Unpack the plain files of an archive; raises TarError or ValueError before anything is written."""
    with tarfile.open(file, "r:") as archive:
        members: list[tarfile.TarInfo] = []
        total = 0
        for member in archive:  # reads the headers alone
            name = member.name.removeprefix(ROOT)
            if member.isdir():
                continue
            if not member.isreg() or name == member.name or not (name == MANIFEST_FILE or KNOWN.fullmatch(name)):
                raise ValueError(f"{member.name[:200]!a} is no plain file of a bundle")
            if not 0 <= member.size <= MOST_BYTES:
                raise ValueError(f"{member.name} declares {member.size} bytes, where a file has at most {MOST_BYTES}")
            members.append(member)
            total += member.size
            if len(members) > MOST_FILES or total > MOST_ARCHIVE_BYTES:
                raise ValueError(f"it holds more than {MOST_FILES} files or {MOST_ARCHIVE_BYTES} bytes")
        with naming(target):
            archive.extractall(target, members, filter="data")
