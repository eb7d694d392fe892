"""What the appendix says of the machine, the data, the runs and the method's own errors."""

from functools import cache
from typing import get_args

import pytest
from msgspec.structs import replace
from reports import chapter, few_experiments, report_of
from suites import simulated

from cifar_report.analysis.calibration import load_calibration
from cifar_report.analysis.results import CautionCode, ChangeKind
from cifar_report.analysis.trials import COLUMNS
from cifar_report.bundle import Bundle
from cifar_report.report import names
from cifar_report.report.figures import draw_error_rates
from cifar_report.report.i18n import Translation
from cifar_report.report.sections import appendix
from cifar_report.report.sections.conclusions import SAY
from cifar_report.report.writer import Writer
from cifar_report.simulation.calibration import with_interval


@cache
def writer(language="en") -> Writer:
    """Return a writer of three seeds of the reference model, with the figure of the error rates."""
    found, results = simulated(few_experiments("baseline"), seeds=3)
    translation = Translation(language)
    return Writer(found, results, translation, (draw_error_rates(load_calibration(), translation),))


def test_every_code_of_the_analysis_has_words():
    """Whatever the analysis finds odd or thinks could change a verdict has its sentence, and none is left over."""
    assert set(get_args(CautionCode)) == set(names.CAUTIONS)
    assert set(get_args(ChangeKind)) == set(SAY.changes)


@pytest.mark.parametrize("language", ["en", "el"])
def test_sources_parts_of_keys_and_details_are_told_in_words(language):
    """Where data came from, what keys are made of and what was odd is told in the report's language."""
    assert {"version of keras", "version of tensorflow"} <= set(dict(writer().results.determinism.parts))
    for source in names.SOURCES:
        told = appendix._source(writer(language), source)
        assert told != source
        assert appendix._source(writer(language), f"cache ({source})").endswith(told)
    for part in ("dataset", "variables", "training code", "engine"):
        assert appendix._part(writer(language), part) != part
    scores = [f"{part}_{score}" for part in ("train", "validation", "test") for score in ("accuracy", "loss")]
    for detail in [*COLUMNS, *(f"{weights}.{score}" for weights in ("last", "best") for score in scores)]:
        assert "_" not in appendix._detail(writer(language), detail)
    assert ("έκδοση του keras" in appendix._part(writer(language), "version of keras")) is (language == "el")
    assert "<code>new_<wbr>part</code>" in appendix._part(writer(language), "new_part")


def test_processors_of_several_kinds_are_told():
    """One kind is named, several are counted and a caution, and of networks without a record nothing is supposed."""
    one, _ = simulated(few_experiments("baseline"), seeds=3)
    assert "on processors of one kind: simulated." in report_of(one)

    def told(*kinds):
        runs = (replace(run, processor=kind) for run, kind in zip(one.runs, kinds, strict=True))
        return " ".join(report_of(Bundle(one.folder, one.record, tuple(runs))).split())

    several = told(*["A < B"] * 5, "C")
    assert "on processors of 2 kinds, which may round differently: A &lt; B (5 runs), C (1 run)." in several
    assert "The runs come from different environments." in several
    assert "come from one environment" not in several
    extended = told(*["A"] * 4, None, None)
    assert "on processors of one kind: A (4 runs). Of 2 networks it was not recorded" in extended
    assert "The runs come from different environments." not in extended
    assert "processors of" not in told(*[None] * 6)


def test_the_error_rates_stand_in_the_appendix():
    """Every committed rate has a row with its draws and interval; the command is named."""
    view = appendix.error_rates(writer())
    rows = [[cell.content for cell in row.cells] for row in view["table"].rows]
    assert len(rows) == len(load_calibration().rates)
    assert all(row[2] == "1,000" and "[" in row[4] and row[6] == "yes" for row in rows)
    assert [figure.id for figure in view["figures"]] == ["f-error_rates"]
    text = chapter(writer(), "appendix")
    assert load_calibration().command in text
    assert "No simulated rate contradicts its promise" in text


def test_noise_and_broken_promises_are_told(monkeypatch):
    """Assumed noise is called assumed, measured noise names its trials, and a rate above its promise is counted."""
    known = load_calibration()
    assumed = replace(known, noise=replace(known.noise, source="assumed", dataset=None, trials=None, runs=None))
    measured = replace(known, noise=replace(known.noise, source="measured", dataset="ab" * 32, trials=7, runs=21))
    broken = [with_interval(replace(each, any_direction=0.2)) if each.scenario == "no_effect" else each
              for each in known.rates]  # fmt: skip
    for calibration, words in (
        (assumed, "an assumed spread"),
        (measured, "median spread of 7 trials of a bundle"),
        (replace(known, rates=tuple(broken)), "In 3 rows the simulated rate breaks the promise."),
    ):
        monkeypatch.setattr(appendix, "load_calibration", lambda chosen=calibration: chosen)
        text = chapter(writer(), "appendix")
        assert words in text
        assert ("assumed" in text) is (calibration is assumed)
        assert ("No simulated rate contradicts" in text) is ("In 3 rows" not in text)


def test_the_figure_of_the_error_rates_is_drawn_from_the_committed_numbers():
    """Each point of the curves is a row, in both languages; without curves there is no figure."""
    known = load_calibration()
    english, greek = (draw_error_rates(known, Translation(language)) for language in ("en", "el"))
    assert [row[:2] for row in english.rows] == [(point.seeds, point.effect) for point in known.curves]
    assert greek.rows == english.rows
    assert greek.caption != english.caption
    assert draw_error_rates(replace(known, curves=()), Translation("en")) is None
