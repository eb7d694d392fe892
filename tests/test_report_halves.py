"""One configuration's runs, split in two and compared: nothing that the report says of the halves reads as evidence."""

import random
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace
from reports import Page, report_of
from scipy import stats
from test_report_falsifiable import give, made

from cifar_report.analysis import Results, analyse
from cifar_report.bundle import Bundle, write_record
from cifar_report.report.i18n import Translation
from cifar_report.report.text.verdicts import verdict_paragraph
from cifar_report.report.writer import Writer

SPLITS, SEEDS = 8, 5
OF_HALVES = ("higher", "lower", "same", "no_gain", "loss")
DIRECTED = ("beyond_margin", "opposite", "improvement_found")
EVIDENCE = ("is reached", "the opposite of the claim", "is found", "differ by more", "direction only")


def split(folder: Path, whole: Bundle, order: list[int]) -> Bundle:
    """Copy a bundle and give each of two trials one half of the first one's runs, in this order of their seeds."""
    shutil.copytree(whole.folder, folder)
    runs = {run.seed: run for run in whole.runs_of("first")}
    for place, seed in enumerate(order):
        trial, other = ("first", "second")[place // SEEDS], place % SEEDS
        target = next(run for run in whole.runs_of(trial) if run.seed == other)
        for path, content in give(whole.folder, target, runs[seed]).items():
            (folder / path.relative_to(whole.folder)).write_bytes(content)
    for trial in ("first", "second"):
        for seed in range(SEEDS, 2 * SEEDS):
            shutil.rmtree(folder / "runs" / trial / f"seed-{seed}")
    write_record(folder, replace(whole.record, seeds=SEEDS))
    return Bundle.load(folder)


@pytest.fixture(scope="module")
def halves(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[Bundle, Results]]:
    """Return bundles in which both trials are one configuration, with their results."""
    folder, chance = tmp_path_factory.mktemp("halves"), random.Random(11)  # noqa: S311 - the same in each run
    whole = made(folder / "whole", seeds=2 * SEEDS, seed_noise=0.01)

    def bundles() -> Iterator[Bundle]:
        for place in range(SPLITS):
            yield split(folder / str(place), whole, chance.sample(range(2 * SEEDS), 2 * SEEDS))

    return [(bundle, analyse(bundle)) for bundle in bundles()]


def test_halves_of_one_configuration_get_few_directions(halves):
    """Halves get few directions, and where none was found no sentence reads as evidence."""
    found = [any(results.verdict(name).reason in DIRECTED for name in OF_HALVES) for _, results in halves]
    assert sum(found) <= stats.binom.ppf(0.999, SPLITS, 0.05) < SPLITS / 2
    for bundle, results in halves:
        writer = Writer(bundle, results, Translation("en"), ())
        for verdict in map(results.verdict, OF_HALVES):
            text = " ".join(each.striptags() for each in verdict_paragraph(writer, verdict))
            told = [words for words in EVIDENCE if words in text]
            if verdict.reason in DIRECTED:
                assert told, text
            else:
                assert not told, text
                assert any(words in text for words in ("inconclusive", "ruled out", "agree within")), text


def test_the_report_on_halves_ranks_them_without_a_difference(halves):
    """The table of all trials finds no difference between the halves, and one from the neighbours."""
    table = next(each for each in Page(report_of(halves[0][0])).all("table") if "All trials by mean test" in each.text)
    rows = [[cell.text for cell in row.inside if cell.tag in ("td", "th")] for row in table.inside if row.tag == "tr"]
    assert {row[0]: row[-1] for row in rows[1:]} == {
        **dict.fromkeys(("Trial first", "Trial second"), "no"),
        **dict.fromkeys(("Trial nearest_3", "Trial nearest_1"), "yes"),
    }
