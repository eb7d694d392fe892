"""The introduction: the task, the data and the programs it was solved with."""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup

from cifar_report.report import names
from cifar_report.report.elements import Column, Table
from cifar_report.report.i18n import mark
from cifar_report.report.labels import CLASSES
from cifar_report.report.sections.view import SectionView
from cifar_report.report.writer import Writer

PURPOSES = {
    "tensorflow": mark("runs the training: tensors, gradients, devices"),
    "keras": mark("layers, the Adam optimizer, early stopping, checkpoints"),
    "numpy": mark("arrays and their files"),
    "scikit-learn": mark("the split, nearest neighbours, nearest centroid"),
    "scipy": mark("statistical tests"),
    "statsmodels": mark("tests of equivalence, corrections for many tests, power"),
    "matplotlib": mark("figures"),
    "msgspec": mark("the records of the results"),
    "weasyprint": mark("the printed report"),
}


@dataclass(frozen=True)
class IntroductionView:
    """The task, the data and the programs."""

    classes: str
    counts: Markup
    grade: str
    libraries: Table


def build(writer: Writer) -> SectionView:
    """Return the introduction; counts and versions come from the bundle."""
    heading = writer.heading("introduction", writer.word(mark("Introduction")), 2)
    record = writer.bundle.record
    train, validation, test = (writer.numbers.integer(count) for count in record.dataset.counts)
    counts = writer.say(
        mark(
            "This bundle uses %(train)s of the images for training, %(validation)s for validation and %(test)s for "
            "testing."
        ),
        train=train,
        validation=validation,
        test=test,
    )
    view = IntroductionView(
        classes=writer.numbers.enumeration([writer.word(name) for name in CLASSES]),
        counts=counts,
        grade=writer.word(names.GRADES[record.dataset.grade]),
        libraries=_libraries(writer),
    )
    return SectionView(heading, "introduction", view)


def _libraries(writer: Writer) -> Table:
    packages = writer.bundle.record.environment.packages
    rows = [
        writer.row(
            (
                writer.text_cell(name),
                writer.text_cell(version),
                writer.text_cell(writer.word(PURPOSES[name]))
                if name in PURPOSES
                else writer.no_cell(mark("needed by the others")),
            )
        )
        for name, version in sorted(packages.items())
    ]
    columns = (
        Column(writer.word(mark("Library"))),
        Column(writer.word(mark("Version"))),
        Column(writer.word(mark("What it is used for"))),
    )
    return writer.table("libraries", writer.say(mark("Libraries, and what each is used for")), columns, rows)
