"""What a bundle holds beside its raw numbers: summary tables and figures, so that it can be read without a report."""

from __future__ import annotations

from cifar_report.analysis import analyse
from cifar_report.analysis.results import Results
from cifar_report.bundle import Bundle, write_folder
from cifar_report.report.figures import draw_all
from cifar_report.report.i18n import SOURCE_LANGUAGE, Translation
from cifar_report.report.tables import summary_tables, to_csv

FOLDERS = ("tables", "figures")


def derived_files(bundle: Bundle, results: Results) -> dict[str, bytes]:
    """Return the content of ``tables/`` and ``figures/`` by path, in English and without photographs.

    ``results`` must be those of ``bundle``. The same bundle gives the same bytes.
    """
    files = {f"tables/{name}": content for name, content in summary_tables(bundle, results).items()}
    for figure in draw_all(results, Translation(SOURCE_LANGUAGE), bundle=bundle):
        files[f"figures/{figure.id}.svg"] = figure.svg
        files[f"figures/{figure.id}.csv"] = to_csv(figure.columns, figure.rows)
    return files


def write_derived(bundle: Bundle) -> None:
    """Analyse the bundle and put its tables and figures in place of those that are there."""
    files = derived_files(bundle, analyse(bundle))
    for folder in FOLDERS:
        inside = {path.partition("/")[2]: content for path, content in files.items() if path.startswith(f"{folder}/")}
        write_folder(bundle.folder / folder, inside)
