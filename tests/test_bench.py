"""The bench: what its processes answer, and when it fails."""

import importlib.util
import json
import math

import pytest
from command import ROOT
from conftest import find_images
from rich.console import Console

spec = importlib.util.spec_from_file_location("bench", ROOT / "benchmarks" / "bench.py")
bench = importlib.util.module_from_spec(spec)
spec.loader.exec_module(bench)


@pytest.mark.long
@pytest.mark.parametrize("way", ["engine", "notebook"])
def test_both_ways_train_and_tell_their_seconds(way):
    """Each process answers with the seconds of an epoch, its validation, the evaluation and what happens once."""
    for answer in bench.run_workers(way, "model_2/augmented", find_images().folder, 640):
        timed = bench.Timed(*answer)
        assert all(math.isfinite(each) for each in timed)
        assert min(timed[:4]) > 0
    assert min(bench.run_workers("peak", "", find_images().folder, 0)) > 1e8  # the yardstick, on each core at once


@pytest.mark.parametrize(("seconds", "status"), [(0.8, 0), (1.0, 1)])
def test_an_engine_that_is_too_slow_fails_the_bench(seconds, status, tmp_path):
    """Above 0.45 of the notebook way's time the exit status is 1; the file holds every measure."""
    workers = len(bench.available_cores())
    engine = bench.Timed(seconds / 2 * workers, 0.0, 0.0, 0.0, 0.0)
    blocks = [{part: {"engine": engine, "notebook": bench.Timed(1.0, 0.0, 0.0, 0.0, 0.25)} for part in bench.TIMED}]
    found = bench.report(blocks, [1e11], bench.IMAGES, tmp_path / "bench.json", Console(quiet=True))
    findings = json.loads((tmp_path / "bench.json").read_text())["findings"]
    (ratio,), (without_waits,) = list(findings.values())[:2]
    assert (found, round(ratio, 6), round(without_waits, 6)) == (status, seconds / 2, round(seconds / 1.5, 6))
