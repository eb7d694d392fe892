"""The command that checks a bundle."""

from __future__ import annotations

from argparse import Namespace

from cifar_report.commands.rerun import check_rerun, rerun
from cifar_report.errors import UsageError


def verify(options: Namespace) -> int:
    """Check a bundle, or the numbers attached to a PDF against it; 0 when nothing was found, else 1."""
    from cifar_report.bundle import find_bundle
    from cifar_report.bundle.manifest import MANIFEST_FILE
    from cifar_report.running.lock import hold
    from cifar_report.verify.certify import rollback
    from cifar_report.verify.files import printable
    from cifar_report.verify.integrity import summary, verify_bundle
    from cifar_report.verify.pdf import verify_pdf

    check_rerun(options)
    if options.pdf is not None and not options.pdf.is_file():
        raise UsageError(f"--pdf {options.pdf}: there is no such file")
    folder = options.folder or find_bundle(None)
    if options.rerun is not None and (folder / MANIFEST_FILE).is_file():
        with hold(folder):
            rollback(folder)
    report = verify_bundle(folder)
    if options.pdf is not None:
        verify_pdf(options.pdf, folder, report)
    for finding in report.findings:
        print(printable(str(finding)))
    for note in report.notes:
        print(printable(f"note: {note}"))
    print(f"{summary(report)}: {folder}")
    if report.findings or options.rerun is None:
        return 1 if report.findings else 0
    return rerun(options, folder)
