"""The trained networks of a bundle, as models and files of plain Keras, and their histories for other programs."""

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from cifar_report.bundle import Bundle, Run, Weights
from cifar_report.bundle.arrays import Array, load_arrays
from cifar_report.bundle.bundle import place
from cifar_report.errors import UsageError
from cifar_report.spec import Dataset, Trial


class Trained(NamedTuple):
    """One set of weights of a run, by their names in the network."""

    run: str
    trial: Trial
    stage: str
    which: Weights
    weights: Mapping[str, Array]
    about: Dataset  # the images that it was trained on

    def model(self) -> Any:
        """Return the compiled network, of Keras's own layers."""
        with _without_its_log():
            from cifar_report.training.model import plain_model
        return plain_model(self.trial, self.weights)

    def write(self, path: Path) -> None:
        """Write the network to ``path`` (``.keras`` or ``.onnx``)."""
        from cifar_report.training.model import write_model

        write_model(self.model(), path)


@contextmanager
def _without_its_log() -> Iterator[None]:
    """Send the standard error nowhere: while it is imported, TensorFlow logs whatever its settings say."""
    if sys.stderr is None:  # closed
        yield
        return
    kept = os.dup(2)
    with Path(os.devnull).open("wb") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def find_trained(bundle: Bundle, name: str, stage: str | None = None, which: Weights | None = None) -> Trained:
    """Return the weights of a run, or of a trial's median run, after a stage (default: its last).

    ``which`` is by default best after early stopping, else last. Raises UsageError where there are none.
    """
    run = find_run(bundle, name)
    trial = run.trial
    if not isinstance(trial, Trial):
        raise UsageError(f"{run.id} is no network")
    stages = {each.id: each for each in trial.stages}
    if stage is not None and stage not in stages:
        raise UsageError(f"{run.id} has no stage {stage!r}; it has {', '.join(stages)}")
    found = stages[stage] if stage is not None else trial.stages[-1]
    which = which or ("last" if found.early_stopping is None else "best")
    path = place(bundle.folder, f"runs/{run.id}/weights.npz")
    if not path.exists():
        raise UsageError(
            f"{bundle.folder} was copied without weights: 'cifar-report run --only {trial.id} --bundle NEW' trains "
            "them again, and 'cifar-report verify --rerun' says whether they are the same on this machine"
        )
    prefix = f"{found.id}.{which}."
    arrays = {n.removeprefix(prefix): a for n, a in load_arrays(path).items() if n.startswith(prefix)}
    return Trained(run.id, trial, found.id, which, arrays, bundle.record.dataset.about)


def find_run(bundle: Bundle, name: str) -> Run:
    """Return the finished run of this id; of a trial the one with the median validation accuracy (the lower of two)."""
    for run in bundle.runs:
        if run.id == name and run.done:
            return run
    runs = [run for run in bundle.runs_of(name) if run.stages]
    if not runs:
        trials = ", ".join(dict.fromkeys(run.trial.id for run in bundle.runs if run.stages))
        raise UsageError(f"{bundle.folder} has no finished run {name!r}: name one of {trials}, or one with its /seed-N")

    def validation(run: Run) -> float:
        stopping = isinstance(run.trial, Trial) and run.trial.stages[-1].early_stopping is not None
        return run.stages[-1].evaluation("best" if stopping else "last").validation.accuracy

    return sorted(runs, key=validation)[(len(runs) - 1) // 2]


def export_history(runs: Sequence[Run], folder: Path, program: str) -> None:
    """Write the histories of runs into ``folder``, for TensorBoard or MLflow."""
    from cifar_report.training import trackers

    {"tensorboard": trackers.to_tensorboard, "mlflow": trackers.to_mlflow}[program](runs, folder)
