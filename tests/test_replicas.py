"""One network on several machines, here on 127.0.0.1: the same weights everywhere, and an error for what is lost."""

import json
import re
import socket
import sys
import time
from concurrent.futures import Future
from contextlib import ExitStack, nullcontext, suppress
from types import SimpleNamespace

import msgspec
import numpy as np
import psutil
import pytest
from command import ROOT, Suite, call
from msgspec.structs import replace
from networks import RECORD, small_trial

from cifar_report.bundle import Bundle
from cifar_report.errors import SuiteError
from cifar_report.running import cluster
from cifar_report.running.cluster import Replicas
from cifar_report.running.plan import PlannedRun, key_parts
from cifar_report.running.runs import Answer, RunRequest
from cifar_report.spec import BUILT_IN, PROFILES

TWO, THREE = "baseline,baseline_parallel", "baseline,baseline_parallel,model_2_parallel"


def free_addresses(count):
    """Return addresses of this machine at which nobody listens."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return tuple(f"127.0.0.1:{each.getsockname()[1]}" for each in sockets)


def words(only, addresses=(), bundle="bundle"):
    over = ("--workers", ",".join(addresses)) if addresses else ()
    return "--profile", "smoke", "--seeds", "1", "--data", "synthetic", "--only", only, "--bundle", bundle, *over


@pytest.fixture(autouse=True)
def launch(monkeypatch):
    """Start workers on other machines here."""
    monkeypatch.setenv("CIFAR_REPORT_LAUNCH", f"env REPLICA={{host}} {sys.executable} -m cifar_report replica")


def asked(checkpoint=None, **changed):
    """Return a request for a run of two machines, which has some parts of its key changed."""
    run = PlannedRun(small_trial(strategy="mirrored"), 0, cost=1.0, machines=2)
    data = replace(RECORD, about=BUILT_IN["MNIST"])  # which nobody looks for
    fields = {"key_parts": key_parts(run, PROFILES["smoke"], data) | changed, "checkpoint": checkpoint}
    return RunRequest(trial=run.trial, seed=0, profile=PROFILES["smoke"], dataset=data, **fields)


def refused(folder, **changed):
    """Return why two machines do not meet for a run."""
    with pytest.raises(SuiteError) as error, Replicas(("first:4000", "second:4000"), folder).meet(asked(**changed)):
        pass
    return str(error.value)


def test_who_does_not_come_or_does_not_fit_is_named(tmp_path, monkeypatch):
    """A machine that cannot be reached, says nothing, or has another version or other data is named with the reason."""
    said = refused(tmp_path, **{"version of keras": "2.0"})  # it refuses without TensorFlow
    assert re.match(r"replica second:4000 does not fit: version of keras is 3\S+, not 2\.0: ", said)
    assert "lacks the data MNIST of fingerprint aaaaaaaa (there are none)" in refused(tmp_path)
    monkeypatch.setattr(cluster, "processor_name", lambda: "another")
    assert "does not fit: processor is " in refused(tmp_path)
    monkeypatch.setenv("CIFAR_REPORT_LAUNCH", "sh -c 'echo no route to {host} >&2; exit 255'")
    said = refused(tmp_path)
    assert said.startswith("replica second:4000 ended with exit status 255: no route to second: ")
    assert "go on without --workers" in said
    monkeypatch.setenv("CIFAR_REPORT_LAUNCH", "sleep 60")
    monkeypatch.setattr(cluster, "SILENCE_SECONDS", 0.5)
    assert refused(tmp_path).startswith("replica second:4000 does not answer: ")


@pytest.mark.parametrize(("seed", "status"), [(0, "done"), (1, "failed")])
def test_machines_whose_weights_differ_have_failed(tmp_path, monkeypatch, seed, status):
    """A run is done when the weights of all machines were the same after each epoch; else its checkpoint goes."""
    runs = Bundle.load(ROOT / "report" / "reference").runs_of("baseline")
    first, second = (Answer(msgspec.json.encode(runs[each]), {"weights.npz": b""}) for each in (0, seed))
    (call := Future()).set_result(second)
    others = nullcontext({"second:4000": SimpleNamespace(call=call, problem=str)})
    monkeypatch.setattr(Replicas, "meet", lambda *_: others)
    monkeypatch.setattr(cluster, "ask", lambda *_: first)
    (checkpoint := tmp_path / "checkpoint").touch()
    answer = Replicas(("first:4000", "second:4000"), tmp_path).train(asked(checkpoint), print)
    assert (json.loads(answer.run)["status"], checkpoint.exists()) == (status, status == "done")


def weights(folder):
    return {path.parts[-3]: path.read_bytes() for path in folder.glob("runs/*/*/weights.npz")}


@pytest.mark.long
@pytest.mark.parametrize("count", [2, 3])
def test_several_machines_end_with_the_same_weights_each_time(tmp_path, count):
    """All replicas agree bit by bit, or the run fails; a repetition, also of a killed suite, has the same bytes."""
    addresses = free_addresses(count)
    for bundle in ("one", "two"):
        assert call("run", *words(THREE, addresses, bundle), cwd=tmp_path).status == 0
    one, two = (tmp_path / bundle for bundle in ("one", "two"))
    assert weights(one).keys() == {*THREE.split(",")}
    assert weights(one) == weights(two)
    only = words("model_2_parallel", addresses, "three")
    with Suite(*only, cwd=tmp_path) as suite:  # killed after the first epoch
        suite.wait_for(lambda: [*tmp_path.glob("three/.checkpoints/*.msgpack")], "a checkpoint")
    assert call("run", *only, cwd=tmp_path).status == 0
    assert "going on from the checkpoint after epoch 1" in next(tmp_path.glob("three/runs/*/*/log.txt")).read_text()
    assert weights(tmp_path / "three").items() <= weights(one).items()
    alone, together = (np.load(one / "runs" / each / "seed-0/weights.npz") for each in TWO.split(","))
    # After 10 steps: a nudge of 1e-6 on one device makes 3.6e-4 of itself in 20.
    assert max(np.abs(alone[name] - together[name]).max() for name in alone.files) < 1e-5
    _, run, _ = (bundle := Bundle.load(one)).runs
    assert run.key_parts["devices"].startswith(f"{count} machines (MultiWorkerMirroredStrategy)")
    assert bundle.timing(run).replicas == addresses
    finished = call("run", *words(THREE, bundle="one"), cwd=tmp_path)  # without the others: what there is stays
    assert "all 3 runs are finished already" in finished.out
    assert call("verify", "one", cwd=tmp_path).status == 0


@pytest.mark.long
@pytest.mark.parametrize(("loss", "memory"), [("kill", 4e8), ("suspend", 4e8), ("suspend", 2.5e8)])  # bytes
def test_a_machine_that_is_lost_is_named_and_the_suite_goes_on_without(tmp_path, loss, memory):
    """Within 30 seconds an error names it; finished runs stay, and without --workers the suite trains the rest here."""
    addresses = free_addresses(3)

    def replica():
        with suppress(psutil.Error):  # a process that has just ended
            return [each for each in suite.workers() if "REPLICA" in each.environ() and each.memory_info().rss > memory]

    with Suite(*words(TWO, addresses), cwd=tmp_path) as suite:
        suite.wait_for(lambda: "[1/2]" in suite.out, "the run on one machine")  # behind what was tried out
        lost = suite.wait_for(replica, "a replica")[0]
        getattr(lost, loss)()
        begun = time.monotonic()
        ended = suite.end()
    assert (ended.status, time.monotonic() - begun < 30) == (1, True)
    assert re.match(f"cifar-report: (replica .*; )?replica ({'|'.join(addresses[1:])}) ", ended.err)
    assert not lost.is_running()
    assert weights(tmp_path / "bundle").keys() == {"baseline"}
    assert "1 of 1 runs finished" in call("run", *words(TWO), cwd=tmp_path).out
