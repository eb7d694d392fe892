"""Runs through any executor: how many are in flight, who is refused, and what a loss leaves."""

import time
from concurrent.futures import BrokenExecutor, Executor, Future, ThreadPoolExecutor
from dataclasses import replace
from io import StringIO
from types import SimpleNamespace

import msgspec
import pytest
from command import is_one_sentence
from networks import CENTROID, RECORD, small_trial
from rich.console import Console

from cifar_report.bundle import Run
from cifar_report.cli import main
from cifar_report.errors import SuiteError
from cifar_report.running.cluster import carry_out_if_fit
from cifar_report.running.plan import PlannedRun, key_parts
from cifar_report.running.runs import RunRequest, pack
from cifar_report.running.scheduler import RefusedError, Workers, train_runs
from cifar_report.spec import PROFILES

RUNS = [PlannedRun(small_trial(), seed, cost=float(seed)) for seed in range(9)]


def remote(run, **changes):
    parts = key_parts(run, PROFILES["smoke"], RECORD)
    fields = {"trial": run.trial, "seed": run.seed, "profile": PROFILES["smoke"], "dataset": RECORD}
    return RunRequest(**fields, key_parts=parts | changes)


class Writer:
    """Keeps the ids of runs in place of their files."""

    request = staticmethod(remote)

    def __init__(self):
        self.kept = []

    def keep(self, planned, answer):
        assert planned.id == msgspec.json.decode(answer.run, type=Run).id
        self.kept.append(planned.id)
        return "kept"


def answer(request):
    return replace(pack(msgspec.json.decode(request, type=RunRequest), error="stub"), host="here")


def cluster(executor, function, threads, **settings):
    """Return an executor as a cluster whose machines carry out ``function``."""
    submit = lambda _, request, __: executor.submit(function, request.to_json())  # noqa: E731
    return Workers("tcp://here", submit, threads, **settings)


def train(workers, runs=RUNS):
    """Train runs and return the writer, what was shown, and the error."""
    writer, shown, error = Writer(), StringIO(), ""
    try:
        train_runs(workers, writer, list(runs), Console(file=shown, width=200))
    except SuiteError as found:
        error = str(found)
    return writer, shown.getvalue(), error


def test_as_many_runs_are_in_flight_as_there_are_threads_now(monkeypatch):
    """The longest run goes first; a machine that joins late gets work, and the lost one's is not given out again."""
    monkeypatch.setattr("cifar_report.running.scheduler.REREAD_SECONDS", 0.0)
    begun, flying, most = [], [], []

    def work(request):
        begun.append(msgspec.json.decode(request, type=RunRequest).seed)
        flying.append(1)
        most.append(len(flying))
        time.sleep(0.02)
        flying.pop()
        return answer(request)

    with ThreadPoolExecutor(20) as pool:
        writer, shown, error = train(cluster(pool, work, lambda: 1 if len(begun) < 4 else 3))
    assert (sorted(writer.kept), error) == (sorted(run.id for run in RUNS), "")
    assert begun[:4] == [8, 7, 6, 5]
    assert (max(most[:4]), max(most)) == (1, 3)
    assert "[9/9] " in shown


def test_a_worker_that_does_not_fit_is_dismissed_and_its_run_goes_to_another():
    """What differs is said; where no worker is left the suite stops with that sentence, and nothing is recorded."""
    dismissed = []

    def work(request):
        if not dismissed:
            raise RefusedError("other", "keras is 2, not 3", "w7")
        return answer(request)

    with ThreadPoolExecutor(1) as pool:
        workers = cluster(pool, work, lambda: 1, dismiss=dismissed.append)
        writer, shown, error = train(workers)
        assert (len(writer.kept), dismissed, error) == (9, ["w7"], "")
        assert "the worker on other does not fit: keras is 2, not 3; it is dismissed" in shown
        dismissed.clear()
        alone = replace(workers, threads=lambda: 0 if dismissed else 1)
        writer, _, error = train(alone)
        assert writer.kept == []
        assert error.startswith("no worker is left: the worker on other does not fit: keras is 2, not 3; ")
        dismissed.clear()
        assert train(replace(workers, dismiss=None))[2].startswith("the worker on other does not fit: keras is 2")


class Lossy(Executor):
    """An executor that answers some calls, and has others end as ``lose`` says."""

    def __init__(self, answered, lose):
        self.left, self.lose = answered, lose

    def submit(self, function, request):
        future = Future()
        self.left -= 1
        if self.left >= 0:
            future.set_result(function(request))
        else:
            self.lose(future)
        return future


@pytest.mark.parametrize("runs", [RUNS, RUNS[:4]])
def test_a_lost_scheduler_keeps_what_is_finished(runs):
    """The suite ends with a sentence, also where the last runs are lost, and no other run is recorded."""
    lossy = Lossy(3, lambda future: future.cancel() and future.set_running_or_notify_cancel())  # as Dask does
    writer, _, error = train(cluster(lossy, answer, lambda: 2), runs)
    assert len(writer.kept) == 3
    assert error.startswith("the scheduler tcp://here was lost; every finished run is kept")


def test_what_lost_several_machines_is_given_up_and_nothing_else_is_recorded():
    """A run that machine after machine was lost with has no record; a worker that cannot begin stops the suite."""
    lossy = Lossy(3, lambda future: future.set_exception(BrokenExecutor("4 workers died")))
    writer, shown, error = train(cluster(lossy, answer, lambda: 2, machine_lost=(BrokenExecutor,)))
    assert len(writer.kept) == 3
    assert "small/seed-0: given up: 4 workers died" in shown
    assert error.startswith("6 runs have no result, because machine after machine was lost with them (small/seed-")
    lossy.left = 2
    writer, _, error = train(cluster(lossy, answer, lambda: 1))
    assert len(writer.kept) == 2
    assert "small/seed-6 cannot begin (BrokenExecutor: 4 workers died): scheduler and workers need the same" in error


@pytest.mark.parametrize(
    ("run", "changes", "sentence"),
    [
        (RUNS[0], {"version of keras": "1.0", "engine": "0"}, "engine is 1, not 0; version of keras is "),
        (PlannedRun(CENTROID, None, 1.0), {}, "it lacks the data CIFAR-10 of fingerprint aaaaaaaa (those"),
    ],
)
def test_a_machine_refuses_what_it_cannot_train_alike(run, changes, sentence, monkeypatch):
    """Other versions, another engine and other data, each with what is there and what must be."""
    other = SimpleNamespace(fingerprint="b" * 64, location="/data")
    monkeypatch.setattr("cifar_report.running.cluster.locate", lambda *_, **__: other)
    assert carry_out_if_fit(remote(run, **changes), lambda _: None).refused.startswith(sentence)


@pytest.mark.parametrize(
    "words",
    ["--dask local:0", "--dask=", "--dask local --jobs 2", "--shard 1/2 --seeds auto", "--shard 2", "--shard 4/3"],
)
def test_machines_that_are_none_are_refused(in_folder, capsys, words):
    """In one sentence, before anything is looked for."""
    try:
        status = main(["run", *words.split()])
    except SystemExit as refused:
        status = refused.code
    error = capsys.readouterr().err
    assert (status, is_one_sentence(error), words[:6] in error) == (2, True, True)
    assert list(in_folder.iterdir()) == []
