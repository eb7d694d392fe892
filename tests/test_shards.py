"""A suite in shares: which runs each machine trains, and how their bundles become one."""

import shutil

import numpy as np
import pytest
from command import contents, is_one_sentence
from msgspec.structs import replace
from test_compact import without_drawing
from verified import change_record, change_run, copied, findings, finish, made

from cifar_report.analysis import analyse
from cifar_report.bundle import Bundle
from cifar_report.bundle.arrays import dump_arrays
from cifar_report.cli import main
from cifar_report.registry import load_experiments, trials_of
from cifar_report.running.plan import plan_runs, shard_of
from cifar_report.spec import PROFILES


def test_shares_hold_every_run_once_and_cost_about_the_same():
    """Whatever the number of shares, and in whatever order the runs are planned."""
    runs = plan_runs(trials_of(load_experiments()).values(), PROFILES["full"], 3, 40_000)
    for count in (1, 7, len(runs) + 1):
        shares = [shard_of(runs, number + 1, count) for number in range(count)]
        assert sorted(run.id for share in shares for run in share) == sorted(run.id for run in runs)
        assert shares == [shard_of(reversed(runs), number + 1, count) for number in range(count)]
    costs = [sum(run.cost for run in shard_of(runs, number, 4)) for number in (1, 2, 3, 4)]
    assert max(costs) < 1.05 * min(costs)


@pytest.fixture
def parts(tmp_path, monkeypatch):
    """Return a whole bundle and two that share its runs, with weights; figures are not drawn."""
    monkeypatch.setattr("cifar_report.report.build.derived_files", without_drawing)
    whole = copied(tmp_path, made(seeds=2))
    (whole / "runs/baseline/seed-0/weights.npz").write_bytes(dump_arrays({"none": np.zeros(1)}))
    finish(whole)
    halves = [shutil.copytree(whole, tmp_path / name) for name in ("a", "b")]
    for half, seed in zip(halves, (1, 0), strict=True):
        for path in half.glob(f"runs/*/seed-{seed}"):
            shutil.rmtree(path)
        finish(half)
    return whole, *halves


def test_merged_bundles_are_the_whole_one(parts, tmp_path, capsys):
    """Every file of a run, and the timing pass, is there byte for byte; runs of both that are the same stand once."""
    whole, first, second = parts
    assert main(["bundle", "merge", str(first), str(second), "-o", str(tmp_path / "c")]) == 0
    assert "in several bundles and the same there: " in capsys.readouterr().out
    assert findings(tmp_path / "c") == findings(whole)  # of the weights alone, which are none
    merged, expected = (
        {n: h for n, h in contents(f).items() if n[:4] in ("runs", "timi")} for f in (tmp_path / "c", whole)
    )
    assert merged == expected
    assert analyse(Bundle.load(tmp_path / "c")).data() == analyse(Bundle.load(whole)).data()
    assert main(["bundle", "merge", str(first), "-o", str(tmp_path / "c")]) == 2


SPOILT = {
    "baseline/seed-1 is in both": lambda folder: change_run(
        folder, "baseline/seed-1", lambda run: replace(run, macs=1)
    ),
    "the profile is 'smoke', not 'smoke'": lambda folder: change_record(
        folder, lambda record: replace(record, profile=replace(record.profile, fraction=0.5))
    ),
    "is damaged": lambda folder: (folder / "runs/baseline/seed-1/log.txt").write_text("added"),
    "is unfinished": lambda folder: (folder / "manifest-sha256.txt").unlink(),
}


@pytest.mark.parametrize("sentence", SPOILT)
def test_what_does_not_belong_together_is_not_merged(parts, tmp_path, capsys, sentence):
    """One sentence says which run or bundle, and nothing is left behind."""
    SPOILT[sentence](parts[2])
    before = contents(tmp_path)
    assert main(["bundle", "merge", *map(str, parts), "-o", str(tmp_path / "c")]) == 1
    error = capsys.readouterr().err
    assert is_one_sentence(error)
    assert sentence in error
    assert ".part" not in error
    assert contents(tmp_path) == before
