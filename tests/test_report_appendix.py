from functools import cache
from typing import get_args

import pytest
from msgspec.structs import replace
from reports import Page, chapter, few_experiments, report_of
from suites import simulated

from cifar_report.analysis.calibration import RESULTS, Calibration, load_calibration
from cifar_report.analysis.results import CautionCode, ChangeKind
from cifar_report.analysis.trials import COLUMNS
from cifar_report.bundle import Bundle, write_record
from cifar_report.report import names
from cifar_report.report.figures import draw_error_rates
from cifar_report.report.i18n import Translation
from cifar_report.report.sections import appendix, error_rates
from cifar_report.report.sections.conclusions import SAY
from cifar_report.report.writer import Writer
from cifar_report.simulation.calibration import with_interval


@cache
def bundle() -> Bundle:
    """Return three seeds of the reference model."""
    return simulated(few_experiments("baseline"), seeds=3)[0]


@cache
def writer(language: str = "en") -> Writer:
    """Return a writer of that bundle's report, with the figure of the error rates."""
    found, results = simulated(few_experiments("baseline"), seeds=3)
    translation = Translation(language)
    figure = draw_error_rates(load_calibration(), translation)
    return Writer(found, results, translation, () if figure is None else (figure,))


def test_every_source_of_data_has_words_in_both_languages() -> None:
    """What the reader of the data calls itself is told in the report's language, the cache's contents included."""
    sources = ("binary folder", "synthetic stand-in", "download", "Keras cache", "binary archive", "Python archive")
    for source in sources:
        assert source in names.SOURCES
        for language in ("en", "el"):
            told = appendix._source(writer(language), source)
            assert told != source
            assert appendix._source(writer(language), f"cache ({source})").endswith(told)


def test_parts_of_a_key_have_words() -> None:
    """No part of the keys that the report lists stands there by its name in the code."""
    parts = dict(writer().results.determinism.parts)
    assert {"version of keras", "version of tensorflow"} <= set(parts)
    assert "έκδοση του keras" in appendix._part(writer("el"), "version of keras")
    for name in ("dataset", "variables", "training code", "engine"):
        assert appendix._part(writer("el"), name) != name
    assert "<code>new_<wbr>part</code>" in str(appendix._part(writer(), "new_part"))


def test_processors_of_several_kinds_are_told() -> None:
    """One kind is named, several are counted and a caution, and of networks without a record nothing is supposed."""
    one, results = simulated(few_experiments("baseline"), seeds=3)
    assert (results.determinism.processors, results.determinism.unknown_processors) == ((("simulated", 6),), 0)
    assert "on processors of one kind: simulated." in report_of(one)

    def told(*kinds: str | None) -> str:
        runs = (replace(run, processor=kind) for run, kind in zip(one.runs, kinds, strict=True))
        return report_of(Bundle(one.folder, one.record, tuple(runs)))

    several = told(*["A < B"] * 5, "C")
    assert "on processors of 2 kinds, which may round differently: A &lt; B (5 runs), C (1 run)." in several
    assert "The runs come from different environments." in several
    assert "come from one environment" not in several
    extended = told(*["A"] * 4, None, None)
    assert "on processors of one kind: A (4 runs). Of 2 networks it was not recorded" in " ".join(extended.split())
    assert "The runs come from different environments." not in extended
    assert "processors of" not in told(*[None] * 6)


@pytest.mark.parametrize("code", get_args(CautionCode))
def test_every_oddity_has_words(code: str) -> None:
    """Whatever the analysis finds odd, there is a sentence for it."""
    assert code in names.CAUTIONS


def test_what_is_odd_is_told_in_words() -> None:
    """A column and a score are named as a reader calls them."""
    details = [*COLUMNS, *(f"{weights}.{part}_{score}" for weights in ("last", "best")
               for part in ("train", "validation", "test") for score in ("accuracy", "loss"))]  # fmt: skip
    for detail in details:
        told = appendix._detail(writer(), detail)
        assert "_" not in told
        assert told != appendix._detail(writer("el"), detail)
    assert appendix._detail(writer(), "best.test_loss") == "test loss with the weights of the best validation epoch"


def test_every_change_of_mind_has_its_sentence() -> None:
    """What could change a verdict has one sentence, and there is no sentence that nothing could ever call for."""
    assert set(get_args(ChangeKind)) == set(SAY.changes)


def test_the_report_names_where_the_data_came_from() -> None:
    """The appendix tells the source in words."""
    write_record(bundle().folder, replace(bundle().record, dataset=replace(bundle().record.dataset, source="download")))
    page = Page(report_of(Bundle.load(bundle().folder)))
    table = next(each for each in page.all("table") if "Environment of the last pass" in each.text)
    assert "a download" in table.text


def test_the_error_rates_stand_in_the_appendix() -> None:
    """Every committed rate has a row with its draws and interval; the command and the noise are named."""
    view = error_rates.build(writer())
    rows = [[cell.content for cell in row.cells] for row in view["table"].rows]
    assert len(rows) == len(load_calibration().rates)
    assert all(row[2] == "4,000" for row in rows)
    assert all("[" in row[4] and row[6] == "yes" for row in rows)
    text = chapter(writer(), "appendix")
    assert load_calibration().command in text
    assert "No simulated rate contradicts its promise" in text
    assert [figure.id for figure in view["figures"]] == ["f-error_rates"]
    assert not writer().group("error_rates"), "it is shown once"


def test_the_source_of_the_noise_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Assumed noise is called assumed; measured noise names the data and the trials that it was measured on."""
    known = load_calibration()
    assumed = replace(known, noise=replace(known.noise, source="assumed", dataset=None, trials=None, runs=None))
    measured = replace(known, noise=replace(known.noise, source="measured", dataset="ab" * 32, trials=7, runs=21))
    for calibration, words in ((assumed, "an assumed spread"), (measured, "median spread of 7 trials of a bundle")):
        text = told(calibration, monkeypatch)
        assert words in text
        assert ("assumed" in text) is (calibration is assumed)


def test_a_broken_promise_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """A rate above its promise is counted in words and marked in its row."""
    known = load_calibration()
    broken = tuple(
        with_interval(replace(each, any_direction=0.2)) if each.scenario == "no_effect" else each
        for each in known.rates
    )
    text = told(replace(known, rates=broken), monkeypatch)
    assert "In 3 rows the simulated rate breaks the promise." in text
    assert "No simulated rate contradicts" not in text


def told(calibration: Calibration, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return what is said of a calibration that stands in place of the committed one."""
    monkeypatch.setattr(error_rates, "load_calibration", lambda: calibration)
    return chapter(writer(), "appendix")


def test_the_figure_of_the_error_rates_is_drawn_from_the_committed_numbers() -> None:
    """Each point of the curves is a row, in both languages, and the same numbers give the same bytes."""
    known = load_calibration()
    english, again = draw_error_rates(known, Translation("en")), draw_error_rates(known, Translation("en"))
    greek = draw_error_rates(known, Translation("el"))
    assert english is not None
    assert greek is not None
    assert english == again
    assert [row[:2] for row in english.rows] == [(point.seeds, point.effect) for point in known.curves]
    assert greek.rows == english.rows
    assert greek.caption != english.caption
    assert draw_error_rates(replace(known, curves=()), Translation("en")) is None
    assert RESULTS.is_file()
