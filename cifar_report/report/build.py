"""From a bundle to the report's files, and to the tables and figures that lie beside its raw numbers."""

import filecmp
import os
import signal
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from cifar_report.analysis import analyse
from cifar_report.analysis.results import Results
from cifar_report.bundle import Bundle, write_file, write_folder
from cifar_report.errors import SuiteError, UsageError
from cifar_report.report.document import page_data, render, to_pdf
from cifar_report.report.figures import draw_all, find_images
from cifar_report.report.i18n import SOURCE_LANGUAGE, Translation
from cifar_report.report.sections import assemble
from cifar_report.report.tables import summary_tables, to_csv
from cifar_report.report.writer import Cover, Writer


def usable_cores() -> int:
    """Return how many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def file_names(languages: Sequence[str]) -> tuple[str, ...]:
    """Return the names of the files that a report in these languages consists of."""
    stems = ("report" if each == SOURCE_LANGUAGE else f"report.{each}" for each in dict.fromkeys(languages))
    return tuple(f"{stem}.{ending}" for stem in stems for ending in ("html", "pdf"))


def build_report(
    bundle: Bundle,
    output: Path,
    languages: Sequence[str] = (SOURCE_LANGUAGE,),
    *,
    processes: int = 1,
    cover: Cover | None = None,
) -> list[Path]:
    """Write the report of ``bundle`` into the folder ``output``, and return its paths, language by language.

    With more than one of ``processes`` each language is written in a process of its own. ``cover`` is read from the
    TOML file beside the bundle where it is not given. Raises UsageError for a language without a catalogue, before
    anything is written, and SuiteError when a file cannot be written or a PDF cannot be made; the HTML then stays.
    """
    own = bundle.record.study is not None
    wanted = [Translation(language, own=own).language for language in dict.fromkeys(languages)]
    write = partial(_write_both, bundle, analyse(bundle), output, cover or read_cover(bundle.folder), wanted)
    if min(processes, len(wanted)) == 1:
        written = [write(language) for language in wanted]
    else:
        _refuse_unguarded_script()
        # Ctrl-C ends a worker without a word, and its one task does, also where this process was killed.
        silence = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
        with ProcessPoolExecutor(len(wanted), get_context("spawn"), silence, max_tasks_per_child=1) as pool:
            try:
                written = list(pool.map(write, wanted))
            except BrokenProcessPool as error:
                what = "a process that wrote the report ended early (is the memory exhausted?): build the report again"
                raise SuiteError(what) from error
    return [path for paths in written for path in paths]


def _refuse_unguarded_script() -> None:
    """Raise UsageError where a new process would run the whole calling script again, and so on without end."""
    main = sys.modules["__main__"]
    script = Path(getattr(main, "__file__", None) or "")
    if main.__spec__ is None and script.is_file() and "__name__" not in script.read_text("utf-8", "replace"):
        raise UsageError(
            f"{script} writes reports in several processes, each of which reads the script anew: put its calls below "
            'a line `if __name__ == "__main__":`, or call with processes=1'
        )


def check_report(bundle: Bundle, output: Path, languages: Sequence[str], *, processes: int, cover: Cover) -> list[str]:
    """Build the report of ``bundle`` again, and return the names of the files in ``output`` that differ or lack."""
    with TemporaryDirectory() as beside:
        built = build_report(bundle, Path(beside), languages, processes=processes, cover=cover)
        names = [path.name for path in built]
        same, _, _ = filecmp.cmpfiles(beside, output, names, shallow=False)
        return [name for name in names if name not in same]


def read_cover(folder: Path, author: str | None = None, course: str | None = None) -> Cover:
    """Return who hands the report in: what is given, else the table ``[report]`` of ``<bundle>.toml`` beside it.

    Raises UsageError naming the file where it is no such table.
    """
    path = folder.resolve().with_name(f"{folder.resolve().name}.toml")
    try:
        content = path.read_bytes() if path.is_file() else b""
        found = msgspec.toml.decode(content, type=dict[str, dict[str, str]]).get("report", {})
        if unknown := ", ".join(found.keys() - Cover._fields):
            raise UsageError(f"{path}: [report] knows author and course, not {unknown}")
    except (OSError, msgspec.DecodeError) as error:
        raise UsageError(f"{path}: a table [report] with author and course is wanted, as texts: {error}") from error
    given = {"author": author, "course": course}
    return Cover(**found | {name: value for name, value in given.items() if value is not None})


def _write_both(
    bundle: Bundle, results: Results, output: Path, cover: Cover, languages: Sequence[str], language: str
) -> tuple[Path, Path]:
    translation = Translation(language, bundle.record.dataset.about, own=bundle.record.study is not None)
    images = find_images(bundle.record.dataset.fingerprint)
    figures = draw_all(results, translation, bundle=bundle, images=images)
    created = bundle.record.finished or bundle.record.created
    writers = [Writer(bundle, results, translation, figures, medium, cover) for medium in ("screen", "screen", "print")]
    data = page_data(writers[0], images)
    screen, printed = (assemble(writer, pictures=images is not None) for writer in writers[1:])
    html, pdf = (output / name for name in file_names((language,)))
    others = {each: file_names((each,))[0] for each in languages if each != language}
    _write(html, render(screen, translation, "screen", created, data=data, others=others).encode())
    _write(pdf, to_pdf(printed, translation, created, to_json(results)))
    return html, pdf


def to_json(results: Results) -> bytes:
    """Return every number of the report as JSON, by its id."""
    return msgspec.json.format(msgspec.json.encode(results.data(), order="sorted"), indent=1) + b"\n"


def _write(path: Path, content: bytes) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_file(path, content)
    except OSError as error:
        raise SuiteError(f"{path} cannot be written: {error.strerror or error}") from error


def derived_files(bundle: Bundle, results: Results) -> dict[str, bytes]:
    """Return the content of ``tables/`` and ``figures/`` by path, in English and without photographs."""
    files = {f"tables/{name}": content for name, content in summary_tables(bundle, results).items()}
    own = bundle.record.study is not None
    translation = Translation(SOURCE_LANGUAGE, bundle.record.dataset.about, own=own)
    for figure in draw_all(results, translation, bundle=bundle):
        files[f"figures/{figure.id}.svg"] = figure.svg
        files[f"figures/{figure.id}.csv"] = to_csv(figure.columns, figure.rows)
    return files


def write_derived(bundle: Bundle) -> None:
    """Analyse the bundle and put its tables and figures in place of those that are there."""
    files = derived_files(bundle, analyse(bundle))
    for folder in ("tables", "figures"):
        inside = {path.partition("/")[2]: content for path, content in files.items() if path.startswith(f"{folder}/")}
        write_folder(bundle.folder / folder, inside)
