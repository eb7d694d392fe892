"""The command that checks a bundle, and trains runs again where it is asked to."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from cifar_report.commands.suite import check_options, split_words, tell, warn
from cifar_report.errors import UsageError

if TYPE_CHECKING:
    from cifar_report.bundle.certificates import Certificate, Deviation, Rerun


def verify(options: Namespace) -> int:
    """Check a bundle, or the numbers attached to a PDF against it; 0 when nothing was found, else 1."""
    from cifar_report.bundle import find_bundle
    from cifar_report.bundle.manifest import MANIFEST_FILE
    from cifar_report.running.suite import hold
    from cifar_report.verify.certify import rollback
    from cifar_report.verify.files import printable
    from cifar_report.verify.integrity import summary, verify_bundle
    from cifar_report.verify.pdf import verify_pdf

    _check(options)
    folder = options.folder or find_bundle(None)
    if options.rerun is not None and (folder / MANIFEST_FILE).is_file():
        with hold(folder):
            rollback(folder)
    report = verify_bundle(folder)
    if options.pdf is not None:
        verify_pdf(options.pdf, folder, report)
    for line in (*map(str, report.findings), *(f"note: {note}" for note in report.notes)):
        print(printable(line))
    print(f"{summary(report)}: {folder}")
    if report.findings or options.rerun is None:
        return 1 if report.findings else 0
    return rerun(options, folder)


def _check(options: Namespace) -> None:
    """Refuse a PDF that is not there, a number of runs that cannot be trained, and options that go with one only."""
    check_options(Namespace(jobs=options.jobs))
    split_words(options.only)
    if options.rerun is None:
        for name in ("only", "jobs", "data"):
            if getattr(options, name) is not None:
                raise UsageError(f"--{name} goes with --rerun: it says how runs are trained again")
    elif options.rerun < 1:
        raise UsageError(f"--rerun {options.rerun}: at least one run is needed")
    if options.pdf is not None and not options.pdf.is_file():
        raise UsageError(f"--pdf {options.pdf}: there is no such file")


def rerun(options: Namespace, folder: Path) -> int:
    """Train ``options.rerun`` runs of a bundle again; 0 when all agree bit by bit, else 1."""
    from rich.console import Console

    from cifar_report.bundle import Bundle
    from cifar_report.data import locate
    from cifar_report.verify.rerun import choose_runs
    from cifar_report.verify.rerun import rerun as train_again

    bundle = Bundle.load(folder)
    runs = choose_runs(bundle, options.rerun, split_words(options.only))
    # The stand-in is drawn anew from its seed: a bundle that was made from it needs no other data.
    named = options.data or ("synthetic" if bundle.record.dataset.grade == "stand-in" else None)
    dataset = locate(named, allow_stand_in=False, warn=warn, notify=tell)
    certificate = train_again(bundle, runs, dataset, options.jobs, Console())
    for line in describe(certificate):
        print(line)
    print(f"recorded in {folder / 'certificates' / certificate.file_name}")
    return 0 if certificate.level == "bitwise" else 1


def describe(certificate: Certificate) -> Iterator[str]:
    """Yield a certificate as lines: a table of the runs, what else is another, and the level that was reached."""
    width = max(len(each.run) for each in certificate.reruns) + 2
    for each in certificate.reruns:
        yield f"{each.run:{width}}{each.level:13}{_finding(each)}"
    for change in certificate.changes:
        yield f"the environment differs: {change.name}: {change.before or 'none'}, now {change.after or 'none'}"
    if certificate.level not in ("bitwise", "different"):
        yield "every verdict stays with these results in place of the originals"
    if certificate.verdicts_changed:
        yield f"verdicts that change with these results: {', '.join(certificate.verdicts_changed)}"
    count = len(certificate.reruns)
    yield f"level reached by {'1 run' if count == 1 else f'all {count} runs'}: {certificate.level}"


def _finding(each: Rerun) -> str:
    compared = ", ".join(each.compared)
    if each.level == "bitwise":
        return f"the same: {compared}"
    if each.first is None:
        return f"differs by {_by(each.largest)} (compared: {compared})"
    what = each.first.words(" and ")
    return (
        f"differs from {each.first.stage}, epoch {each.first.epoch} ({what}) by {_by(each.first.deviation)}; "
        f"over all epochs by {_by(each.largest)}"
    )


def _by(deviation: Deviation) -> str:
    """Say how far two trainings lie apart, quantity by quantity."""
    pairs = [(name, getattr(deviation, name)) for name in ("loss", "accuracy", "weights", "probabilities")]
    return ", ".join(f"{name} {value:.2g}" for name, value in pairs if value is not None) or "nothing that is measured"
