"""Section 1, the algorithm: forward pass, loss, backward pass and Adam, with their formulas."""

from __future__ import annotations

from dataclasses import dataclass

from cifar_report.report import formulas
from cifar_report.report.elements import FormulaView, Heading
from cifar_report.report.i18n import mark
from cifar_report.report.sections.view import SectionView
from cifar_report.report.writer import Writer


@dataclass(frozen=True)
class AlgorithmView:
    """The subsections' headings and every formula by its name."""

    forward: Heading
    loss: Heading
    backward: Heading
    adam: Heading
    formulas: dict[str, FormulaView]


def build(writer: Writer, number: str) -> SectionView:
    """Return the section on the algorithm."""
    heading = writer.heading("algorithm", writer.word(mark("Description of the algorithm")), 2, number)
    found = {
        name.lower(): formulas.view(formula, writer.translation)
        for name, formula in vars(formulas).items()
        if isinstance(formula, formulas.Formula)
    }
    view = AlgorithmView(
        forward=writer.heading("forward", writer.word(mark("Forward pass")), 3, f"{number}.1"),
        loss=writer.heading("loss", writer.word(mark("Loss")), 3, f"{number}.2"),
        backward=writer.heading("backward", writer.word(mark("Backward pass")), 3, f"{number}.3"),
        adam=writer.heading("adam", writer.word(mark("Adam")), 3, f"{number}.4"),
        formulas=found,
    )
    return SectionView(heading, "algorithm", view)
