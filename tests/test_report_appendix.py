"""What the appendix says of the machine, the data, the runs and the method's own errors."""

from functools import cache
from typing import get_args

import pytest
from msgspec.structs import replace
from reports import chapter, few_experiments, report_of, small_writer
from suites import simulate

from cifar_report.analysis.calibration import load_calibration
from cifar_report.analysis.results import CautionCode, ChangeKind
from cifar_report.analysis.trials import COLUMNS
from cifar_report.bundle import Bundle
from cifar_report.report import names
from cifar_report.report.sections import appendix
from cifar_report.report.text.conclusions import SAY
from cifar_report.report.writer import Writer


@cache
def writer(language="en") -> Writer:
    return small_writer("baseline", language=language, seeds=3)


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
    one = simulate(few_experiments("baseline"), seeds=3)
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
    """Every committed rate has its row; the protocol bounds the collapses that were not seen."""
    known = load_calibration()
    table = appendix.build(writer()).it["error_rates"]["table"]
    rows = [[cell.content for cell in row.cells] for row in table.rows]
    assert len(rows) == len(known.rates)
    for rate, row in zip(known.rates, rows, strict=True):
        assert (row[3], "[" in row[5]) == (str(rate.seeds), True)
        assert row[4] == f"{rate.count:,}"
        assert row[7] == {True: "yes", False: "no", None: "–"}[rate.kept]
    text = chapter(writer(), "appendix")
    assert known.command in text
    assert f"over {known.noise.networks} networks" in text
    assert "10% of the runs lost 10 points of accuracy" in text
    told = chapter(writer(), "protocol")
    assert told.count("Where none of 3 runs collapsed, up to 63.2% of all runs still may") == 1


@pytest.mark.parametrize("broken", [0, 3])
def test_broken_promises_are_counted(monkeypatch, broken):
    """A rate above its promise is told; without one the text says how well the rates are known."""
    kept = tuple(each for each in load_calibration().rates if each.scenario == "at_limit")
    rates = [replace(each, share=0.2, low=0.19, high=0.21) if place < broken else each
             for place, each in enumerate(kept)]  # fmt: skip
    known = replace(load_calibration(), rates=tuple(rates))
    monkeypatch.setattr(appendix, "load_calibration", lambda: known)
    text = chapter(writer(), "appendix")
    assert ("In 3 rows the simulated rate breaks the promise." in text) is bool(broken)
    assert ("No simulated rate contradicts its promise" in text) is (not broken)
