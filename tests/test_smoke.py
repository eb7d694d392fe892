"""The whole chain: from the images through training and the bundle to HTML and PDF."""

from conftest import SMOKE_TRIALS
from pypdf import PdfReader
from verified import file_findings

from cifar_report.bundle import Bundle
from cifar_report.bundle.store import MANIFEST_FILE


def test_a_smoke_run_leaves_a_whole_bundle(smoke):
    """All trials train without a failure, and the bundle ends with its tables, its plots and its manifest."""
    assert (smoke.called.status, smoke.called.err) == (0, "")
    assert "3 of 3 runs finished, 0 failed" in smoke.called.out
    bundle = Bundle.load(smoke.folder)
    assert {run.trial.id for run in bundle.runs if run.done} == set(SMOKE_TRIALS)
    assert bundle.record.finished is not None
    listed = (smoke.folder / MANIFEST_FILE).read_text()
    for kind in ("tables/", "figures/", "runs/baseline/seed-0/weights.npz"):
        assert f"  {kind}" in listed


def test_the_report_of_a_smoke_run_is_built(smoke, built):
    """The report command turns the bundle into one HTML file and one PDF, names both, and changes no file of it."""
    assert sorted(path.name for path in built.folder.iterdir()) == ["report.html", "report.pdf"]
    assert built.out.split() == ["report/report.html", "report/report.pdf"]
    html = (built.folder / "report.html").read_text(encoding="utf-8")
    pages = PdfReader(built.folder / "report.pdf").pages
    assert len(pages) >= 20
    title = " ".join(pages[0].extract_text().split())
    bundle = Bundle.load(smoke.folder)
    assert bundle.record.dataset.fingerprint[:8] in html
    assert "smoke" in title
    accuracy = bundle.runs_of("baseline")[0].stage().last.test.accuracy
    assert f"{100 * accuracy:.1f}" in html
    assert file_findings(smoke.folder) == {}
