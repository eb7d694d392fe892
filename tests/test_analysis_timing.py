"""What the analysis makes of a timing pass: medians by block, disturbed blocks, and no seconds from anywhere else."""

from dataclasses import replace as change
from pathlib import Path

import pytest
from analysis_cases import bundle, claim
from msgspec.structs import replace

from cifar_report.analysis import Results, analyse
from cifar_report.analysis.estimates import images_per_second, seconds_per_step
from cifar_report.analysis.sensitivity import changes_of_mind
from cifar_report.bundle import Bundle, RunTiming, encode, write_timing_pass
from cifar_report.simulation.bundles import BLOCKS
from cifar_report.spec import Side

LONGER = claim(quantity="seconds", margin=0.1, id="longer", family="time")
QUANTITIES = {"quantity": "fit_seconds", "comparator_quantity": "predict_seconds"}
SIDES = {"subject": Side("nearest_1"), "comparator": Side("nearest_1")}
FITTING = claim("less", id="fitting", margin=0.1, family="time", **QUANTITIES, **SIDES)
SECONDS = {"first": 1.0, "second": 2.0}


def disturbed(folder: Path, blocks: dict[str, set[int]]) -> Results:
    """Analyse a bundle in which a trial's measurements of some blocks take a hundred times as long and are marked."""
    loaded = bundle(folder, LONGER, FITTING, timing=True, seconds=SECONDS)
    measurements = tuple(
        replace(each, seconds=100 * each.seconds, contended=True) if each.block in blocks.get(each.trial, ()) else each
        for each in loaded.timing_pass.measurements
    )
    write_timing_pass(folder, replace(loaded.timing_pass, measurements=measurements))
    return analyse(Bundle.load(folder))


def test_a_step_is_the_median_of_the_portions(tmp_path):
    """One portion that something held up changes neither the seconds nor the rate."""
    measurement = bundle(tmp_path, timing=True, seconds=SECONDS).timing_pass.measurements[0]
    portions = (0.1, 0.1, 9.0, 0.1)
    split = replace(measurement, steps=200, batch_size=32, seconds=sum(portions), portions=portions)
    assert seconds_per_step(split) == pytest.approx(0.002)
    assert images_per_second(split) == pytest.approx(16_000)
    assert seconds_per_step(replace(split, portions=())) == pytest.approx(sum(portions) / 200)
    assert seconds_per_step(replace(split, steps=0)) is None


def test_the_parts_of_a_step_are_what_each_adds(tmp_path):
    """Shares of a step's time come from steps that end earlier; a part whose difference falls below zero has none."""
    loaded = bundle(tmp_path, timing=True, seconds=SECONDS)
    recorded = {"portions": (1.0, 1.0, 9.0), "until": {"read": 0.1, "passes": 0.8, "exchange": 0.7}}
    measurements = tuple(replace(each, **recorded) for each in loaded.timing_pass.measurements)
    write_timing_pass(tmp_path, replace(loaded.timing_pass, measurements=measurements))
    row = analyse(Bundle.load(tmp_path)).timing[0]
    shares = {part: 1.1 * each.value for part, each in row.step_parts.items()}
    assert shares == pytest.approx({"read": 0.1, "passes": 0.7, "exchange": 0.0, "update": 0.3})


def test_disturbed_blocks_are_left_out_and_counted(tmp_path):
    """A block that stayed disturbed on one side moves no ratio and no rate; the row counts it, a caution names it."""
    results = disturbed(tmp_path, {"second": {1, 3}})
    verdict = results.verdict("longer")
    assert (verdict.outcome, verdict.n) == ("reproduced", BLOCKS - 2)
    assert verdict.estimate.value == pytest.approx(2, rel=0.1)
    row = next(row for row in results.timing if row.trial == "second")
    assert (row.blocks, row.contended, row.seconds_per_step.n) == (BLOCKS, 2, BLOCKS - 2)
    assert row.seconds_per_step.value == pytest.approx(0.01, rel=0.1)
    assert row.images_per_second.value == pytest.approx(64 / row.seconds_per_step.value)
    assert [each.trial for each in results.cautions if each.code == "contended_timing"] == ["second"]


def test_where_every_block_was_disturbed_nothing_is_compared(tmp_path):
    """The claims are not run and say why; the row shows what was measured, marked; other undisturbed trials speak."""
    results = disturbed(tmp_path, {"first": set(range(BLOCKS))})
    verdict = results.verdict("longer")
    assert (verdict.outcome, verdict.reason, verdict.estimate.reason) == ("not_run", "disturbed", "disturbed")
    assert [each.kind for each in changes_of_mind([verdict])] == ["timing_pass"]
    row = next(row for row in results.timing if row.trial == "first")
    assert (row.blocks, row.contended) == (BLOCKS, BLOCKS)
    assert row.seconds_per_step.value == pytest.approx(0.5, rel=0.1)
    assert results.verdict("fitting").outcome == "reproduced"


def test_sides_that_share_one_calm_block_cannot_tell(tmp_path):
    """One block left on both sides tests nothing, and an undecided claim about seconds asks for no seeds."""
    verdict = disturbed(tmp_path, {"first": {0, 1}, "second": {2, 3}}).verdict("longer")
    assert (verdict.outcome, verdict.reason, verdict.n) == ("inconclusive", "one_block", 1)
    results = analyse(bundle(tmp_path / "open", LONGER, claim(), timing=True))
    undecided = [change(verdict, outcome="inconclusive", reason="undecided") for verdict in results.verdicts]
    assert [each.claim for each in changes_of_mind(undecided) if each.kind == "more_seeds"] == ["C"]


@pytest.mark.parametrize("timing", [True, False])
def test_seconds_of_runs_that_trained_side_by_side_say_nothing(tmp_path, timing):
    """However long the runs took beside one another, every result stays; without a pass a time claim is not run."""
    loaded = bundle(tmp_path, LONGER, FITTING, timing=timing, seconds=SECONDS)
    before = analyse(loaded)
    assert timing or before.verdict("longer").reason == "no_timing_pass"
    taken = {"started": "a", "finished": "b", "host": "h", "cores": (0,)}
    for number, run in enumerate(loaded.runs, start=1):
        seconds = 1000.0 * number
        record = RunTiming(**taken, total_seconds=seconds, fit_seconds=seconds)
        (tmp_path / "runs" / run.id / "timing.json").write_bytes(encode(record))
    assert analyse(Bundle.load(tmp_path)) == before
