"""The registry of claims in a bundle: nobody moves a margin after the results without its showing."""

from io import StringIO
from pathlib import Path

import msgspec
import pytest
from networks import RECORD, small_trial
from rich.console import Console

from cifar_report.bundle import Run, read_record, write_record, write_run
from cifar_report.data import PreparedData
from cifar_report.registry import load_experiments
from cifar_report.running import plan, suite
from cifar_report.running.plan import Prepared, plan_record
from cifar_report.spec import PROFILES, Experiment, spec_hash

EXPERIMENTS = load_experiments()


def with_other_margin() -> tuple[Experiment, ...]:
    place = next(place for place, each in enumerate(EXPERIMENTS) if any(claim.margin for claim in each.claims))
    changed = EXPERIMENTS[place]
    claims = tuple(
        msgspec.structs.replace(claim, margin=2 * claim.margin) if claim.margin else claim for claim in changed.claims
    )
    return (*EXPERIMENTS[:place], msgspec.structs.replace(changed, claims=claims), *EXPERIMENTS[place + 1 :])


@pytest.fixture
def prepared(tmp_path: Path) -> Prepared:
    data = PreparedData(tmp_path, RECORD.fingerprint, RECORD.grade, RECORD.canonical_labels, RECORD.source, "nowhere")
    return Prepared(PROFILES["smoke"], 2, data, RECORD, tmp_path / "bundle", [])


@pytest.mark.parametrize("trained", [False, True])
def test_a_margin_moved_after_the_first_run_is_recorded(prepared, monkeypatch, trained):
    """A changed margin is free before anything ran; afterwards the bundle says for ever that it was changed."""
    write_record(prepared.folder, plan_record(prepared))
    first = read_record(prepared.folder)
    if trained:  # a failed run counts, since its data may have been looked at
        trial = small_trial()
        run = Run(trial=trial, seed=0, status="failed", key="k", key_parts={}, spec_hash=spec_hash(trial), error="x")
        write_run(prepared.folder, run, {}, {})
    monkeypatch.setattr(plan, "load_experiments", with_other_margin)
    write_record(prepared.folder, plan_record(prepared))
    second = read_record(prepared.folder)
    assert second.claims_hash != first.claims_hash
    assert second.claims_changed is trained
    monkeypatch.undo()
    write_record(prepared.folder, plan_record(prepared))
    assert read_record(prepared.folder).claims_hash == first.claims_hash
    assert read_record(prepared.folder).claims_changed is trained


def test_changed_claims_reach_a_bundle_that_lacks_no_run(prepared, monkeypatch):
    """A margin or a text that was edited is recorded by the next call, which derives anew; after it nothing is left."""
    derived = []

    def call():
        return suite.run_suite(prepared, 1, Console(file=StringIO()), derived.append)

    call()
    call()
    assert derived == [prepared.folder]
    assert plan.plan_is_current(prepared.folder)
    monkeypatch.setattr(plan, "load_experiments", with_other_margin)
    assert not plan.plan_is_current(prepared.folder)
    assert call().ran == 0
    call()
    assert derived == [prepared.folder] * 2
    assert read_record(prepared.folder).experiments == with_other_margin()
