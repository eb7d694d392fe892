"""What a call may ask of a bundle that declares its seeds, and how --seeds auto goes from look to look."""

import json
import shutil
from argparse import Namespace

import msgspec
import pytest
from analysis_cases import bundle, claim, experiment
from networks import RECORD

from cifar_report import cli
from cifar_report.bundle import Bundle, read_record, write_record
from cifar_report.bundle.store import write_manifest
from cifar_report.commands import suite as commands
from cifar_report.data import PreparedData
from cifar_report.errors import UsageError
from cifar_report.running import declaring, plan, suite
from cifar_report.running.declaring import agree_on_seeds, declare_confirmation
from cifar_report.running.plan import Prepared, plan_runs
from cifar_report.running.suite import SuiteResult
from cifar_report.spec import PROFILES
from cifar_report.spec.experiments import LOOKS, MOST_SEEDS
from cifar_report.verify.integrity import verify_bundle

BETTER = claim(id="better", family="accuracy by one change")
EXPERIMENTS = (experiment(BETTER),)
OTHERS = (experiment(msgspec.structs.replace(BETTER, margin=0.02)),)
FULL = PROFILES["full"]


@pytest.fixture(autouse=True)
def small_suite(monkeypatch):
    """Let the suite consist of two networks and two classifiers."""
    for module in (plan, declaring):
        monkeypatch.setattr(module, "load_experiments", lambda: EXPERIMENTS)


def agree(folder, asked=None, hours=None, experiments=EXPERIMENTS):
    return agree_on_seeds(folder, FULL, experiments, asked, hours)


def finished(folder, **changes):
    bundle(folder, BETTER, **changes)
    write_manifest(folder)
    return folder


def test_looks_are_declared_before_the_first_run_and_stay(tmp_path):
    """Later calls go on with declared looks; numbers, another cap and other (not reworded) claims are refused."""
    first = agree(tmp_path / "new", "auto", 8.0)
    assert (first.each, first.ends, first.plan.seeds) == (5, {}, {"first": LOOKS, "second": LOOKS})
    folder = finished(tmp_path / "looks", plan=first.plan, ends={"first": 10, "second": 10})
    for asked, hours in ((None, None), ("auto", None), ("auto", 8.0)):
        assert agree(folder, asked, hours) == (5, first.plan, {"first": 10, "second": 10})
    for asked, hours, sentence in (
        (5, None, "--seeds 5: .* declares looks at 5, 10, 20, 30 seeds .* go on with --seeds auto"),
        ("auto", 9.0, "--hours 9: .* with a cap of 8 hours, which stays"),
    ):
        with pytest.raises(UsageError, match=sentence):
            agree(folder, asked, hours)
    with pytest.raises(UsageError, match="for other claims"):
        agree(folder, "auto", None, OTHERS)
    reworded = msgspec.structs.replace(BETTER, statement="The first one is better, in other words.")
    assert agree(folder, "auto", None, (experiment(reworded, msgspec.structs.replace(BETTER, id="added")),)).plan
    record = read_record(folder)
    edited = msgspec.structs.replace(first.plan, hours=80.0)
    write_record(folder, msgspec.structs.replace(record, plan=edited))
    with pytest.raises(UsageError, match="edited"):
        agree(folder, "auto")
    assert any("plan of its seeds was edited" in finding for finding in map(str, verify_bundle(folder).findings))
    write_record(folder, msgspec.structs.replace(record, asked={"first": 10, "second": 11}))
    assert any("other seeds than a plan declares" in finding for finding in map(str, verify_bundle(folder).findings))


def test_looks_come_too_late_for_a_bundle_that_holds_runs(tmp_path):
    """Whoever has trained without a declaration can confirm, but no longer look by plan."""
    with pytest.raises(UsageError, match="looks are declared before the first run"):
        agree(finished(tmp_path / "bundle"), "auto")


def test_more_seeds_of_a_judged_bundle_are_a_confirmation(tmp_path):
    """A finished bundle takes more seeds as a confirmation of its own; one that never ended just gets them."""
    folder = finished(tmp_path / "bundle")
    assert agree(folder, 5) == (5, None, {})
    more = agree(folder, 11)
    assert (more.each, more.plan.first, more.ends) == (5, 5, {"first": 11, "second": 11})
    write_record(folder, msgspec.structs.replace(read_record(folder), plan=more.plan))
    assert agree(folder) == agree(folder, 11) == (5, more.plan, more.ends)
    assert agree(folder, 3) == (3, more.plan, {})
    for asked in (12, "auto"):
        with pytest.raises(UsageError, match=f"--seeds {asked}: .* declares a confirmation"):
            agree(folder, asked)
    write_record(folder, msgspec.structs.replace(read_record(folder), plan=None, finished=None))
    assert agree(folder, 11) == (11, None, {})
    once = finished(tmp_path / "once", seeds=1)  # one seed decides nothing
    assert agree(once, 11) == (11, None, {})
    with pytest.raises(UsageError, match="at most 10,000 seeds"):
        agree(folder, MOST_SEEDS + 1)


def test_a_declared_confirmation_is_sound_and_trains_exactly_its_seeds(tmp_path):
    """The bundle verifies after its declaration; each trial gets its own new seeds; a second one is refused."""
    folder = finished(tmp_path / "bundle")
    derived = []
    declared = declare_confirmation(folder, {"first": 20, "second": 6}, derived.append)
    assert (derived, verify_bundle(folder).findings) == ([], [])
    agreed = agree(folder)
    assert agreed.ends == {"first": 25, "second": 11}
    trials = {trial.id: trial for trial in EXPERIMENTS[0].trials}
    runs = plan_runs(trials.values(), FULL, agreed.each, 40_000, agreed.ends)
    assert sum(run.trial.id == "first" for run in runs) == 25
    assert sum(run.trial.id == "second" for run in runs) == 11
    assert read_record(folder).seeds_of("nearest_1") == 5
    with pytest.raises(UsageError, match=f"declaration of {declared.declared[:10]} already"):
        declare_confirmation(folder, {"first": 5}, derived.append)


def test_other_claims_are_noted_unless_they_were_added_before_their_trials_ran(tmp_path):
    """A changed margin, or a claim about trained trials alone, counts as changed; one about a new trial does not."""
    folder = finished(tmp_path / "bundle", trials=("first",))
    record = read_record(folder)
    late = msgspec.structs.replace(BETTER, id="late", comparator=None, relation="value", value=0.5, family=None)
    for experiments, changed in (
        (EXPERIMENTS, False),
        (OTHERS, True),
        ((experiment(BETTER, late),), False),
        ((experiment(BETTER, msgspec.structs.replace(late, subject=BETTER.comparator)),), True),
    ):
        assert declaring.claims_changed(folder, record, experiments) is changed


def request(folder):
    agreed = agree(folder, "auto")
    runs = plan_runs(EXPERIMENTS[0].trials, FULL, agreed.each, 40_000, agreed.ends)
    data = PreparedData(folder, RECORD.fingerprint, "canonical", True, RECORD.source, "nowhere")
    return Prepared(FULL, agreed.each, data, RECORD, folder, runs, (), agreed.plan, agreed.ends)


@pytest.mark.parametrize(("better", "first", "last"), [(0.611, 10, 30), (0.7, 5, 5)])
def test_seeds_auto_goes_on_while_a_claim_is_open_and_resumes(tmp_path, monkeypatch, capsys, better, first, last):
    """Open claims train the next look of their trials, decided ones nothing; an interrupted call goes on."""
    folder, trained, truth = tmp_path / "bundle", [], {"first": 0.6, "second": better}

    def simulate(prepared, *_, **__):
        """Train by drawing, and be interrupted once, in the middle of the second look."""
        seeds = {trial: sum(run.trial.id == trial for run in prepared.runs) for trial in ("first", "second")}
        shutil.rmtree(folder, ignore_errors=True)
        drawn = {"accuracies": truth, "counts": (800, 200, 1000)}
        bundle(folder, BETTER, plan=prepared.plan, ends=seeds, **drawn)
        trained.append(seeds)
        if len(trained) == 2:
            shutil.rmtree(folder / "runs" / "second" / "seed-9")
            raise KeyboardInterrupt
        return SuiteResult(folder, 1, 0, 0)

    monkeypatch.setattr(suite, "run_suite", simulate)
    monkeypatch.setattr(commands, "_prepare", lambda *_, **__: request(folder))
    if first > 5:
        with pytest.raises(KeyboardInterrupt):
            commands.run(Namespace(jobs=1, dask=None, progress=None))
        assert trained[-1] == {"first": first, "second": first}
        record = read_record(folder)
        assert record.asked == trained[-1]
        assert Bundle.load(folder).record.plan == record.plan
    assert commands.run(Namespace(jobs=1, dask=None, progress=None)) == 0
    assert trained[-1] == {"first": last, "second": last}
    assert len({read_record(folder).plan.hash}) == 1
    assert "planned looks:" in capsys.readouterr().out


def test_the_command_plan_prints_and_declares(tmp_path, capsys):
    """Its text fits 80 columns, its JSON has the same seeds, and --declare writes them once."""
    truth = {"first": 0.6, "second": 0.6}
    folder = finished(tmp_path / "bundle", accuracies=truth, counts=(800, 200, 1000), seed_noise=0.012)
    assert cli.main(["plan", str(folder), "--hours", "0.2"]) == 0
    text = capsys.readouterr().out
    assert max(map(len, text.splitlines())) <= 80
    assert "Open claims: 1." in text
    assert cli.main(["plan", str(folder), "--hours", "0.2", "--json", "--declare"]) == 0
    found = json.loads(capsys.readouterr().out)
    declared = read_record(folder).plan
    assert declared.seeds == {trial: (5 + count,) for trial, count in found["seeds"].items()} != {}
    assert verify_bundle(folder).findings == []
    assert cli.main(["plan", str(folder)]) == 0
    assert "declares a confirmation by new seeds from 5 on" in capsys.readouterr().out
    assert cli.main(["plan", str(folder), "--declare"]) == 2
