"""What is done with a bundle whose maker is unknown: everything that the commands do with it, without a network."""

from pathlib import Path
from tempfile import TemporaryDirectory

from cifar_report.analysis import analyse
from cifar_report.bundle import Bundle, read_run
from cifar_report.report.figures import draw_all
from cifar_report.report.html import to_html
from cifar_report.report.i18n import Translation
from cifar_report.report.pdf import to_json, to_pdf
from cifar_report.report.sections import assemble
from cifar_report.report.tables import summary_tables
from cifar_report.report.writer import Writer
from cifar_report.verify.archive import export_bundle, import_bundle
from cifar_report.verify.integrity import verify_bundle


def read(folder: Path) -> None:
    """Load a bundle, analyse it and write its tables and its page, without figures, which take long."""
    bundle = Bundle.load(folder)
    results = analyse(bundle)
    summary_tables(bundle, results)
    to_json(results)
    for run in bundle.runs:
        bundle.timing(run)
        bundle.kernels(run)
    translation = Translation("en")
    view = assemble(Writer(bundle, results, translation, ()), pictures=False)
    to_html(view, translation, bundle.record.created)


def render(folder: Path) -> None:
    """Make the whole report of a bundle, both files with all figures."""
    bundle = Bundle.load(folder)
    results = analyse(bundle)
    translation = Translation("en")
    figures = draw_all(results, translation, bundle=bundle)
    created = bundle.record.finished or bundle.record.created
    for medium in ("screen", "print"):
        view = assemble(Writer(bundle, results, translation, figures, medium), pictures=False)
        if medium == "screen":
            to_html(view, translation, created)
        else:
            to_pdf(view, translation, created, to_json(results))


def resume(folder: Path) -> None:
    """Look at each run as the suite does before it goes on."""
    for path in sorted(folder.glob("runs/*/*")):
        read_run(folder, f"{path.parent.name}/{path.name}")


def verify(folder: Path) -> None:
    """Check everything that a bundle says."""
    verify_bundle(folder)


def pack(folder: Path) -> None:
    """Make an archive of a bundle, and a bundle of that archive."""
    with TemporaryDirectory() as place:
        export_bundle(folder, Path(place) / "bundle.tar")
        import_bundle(Path(place) / "bundle.tar", Path(place) / "again")


STEPS = {"read": read, "render": render, "resume": resume, "verify": verify, "pack": pack}
