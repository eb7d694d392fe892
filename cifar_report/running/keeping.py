"""Makes a task of each planned run, and keeps in the bundle what comes back."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterable
from pathlib import Path

from cifar_report.bundle import Run, write_run
from cifar_report.errors import SuiteError
from cifar_report.running.keys import key_of
from cifar_report.running.lanes import Lane
from cifar_report.running.plan import PlannedRun
from cifar_report.running.products import result_files, run_record, volatile_files
from cifar_report.running.request import Prepared
from cifar_report.running.worker import Failure, Product, Task, scratch_of
from cifar_report.spec import Trial

CHECKPOINTS = ".checkpoints"  # hidden: no part of the bundle's manifest


class Keeper:
    """The only writer of a bundle's runs; ``failures`` lists the ids of those that failed."""

    def __init__(self, prepared: Prepared, key_parts: dict[str, dict[str, str]]) -> None:
        self._prepared = prepared
        self._key_parts = key_parts
        self.failures: list[str] = []

    def task(self, planned: PlannedRun) -> Task:
        """Return everything that a worker needs to carry out a run, its checkpoint's folder included."""
        profile = self._prepared.profile
        if isinstance(planned.trial, Trial):
            self._checkpoint(planned).parent.mkdir(parents=True, exist_ok=True)
        return Task(
            run_id=planned.id,
            trial=planned.trial,
            seed=planned.seed,
            dataset=self._prepared.dataset,
            fraction=profile.fraction,
            counts=profile.counts,
            key=key_of(self._key_parts[planned.id]),
            checkpoint=self._checkpoint(planned),
        )

    def keep(self, planned: PlannedRun, product: Product | Failure, lane: Lane) -> str:
        """Write a run into the bundle, drop its checkpoint, and say in a few words what became of it.

        A run that failed keeps its checkpoint: the next call goes on from there.
        """
        shutil.rmtree(scratch_of(self._checkpoint(planned)), ignore_errors=True)  # of a worker that died
        run = run_record(planned, self._key_parts[planned.id], product)
        write_run(self._prepared.folder, run, result_files(product), volatile_files(product, lane.cores))
        if run.error is not None:
            self.failures.append(planned.id)
            return f"failed: {run.error.strip().splitlines()[-1]}"
        self._checkpoint(planned).unlink(missing_ok=True)
        return f"{_headline(run)} in {product.seconds:.0f} s" if isinstance(product, Product) else _headline(run)

    def drop_checkpoints(self, finished: Iterable[PlannedRun]) -> None:
        """Remove what was left of finished runs, which a suite killed between a run and its tidying up leaves."""
        for planned in finished:
            self._checkpoint(planned).unlink(missing_ok=True)
        with contextlib.suppress(OSError):  # others are still needed, or there is none
            (self._prepared.folder / CHECKPOINTS).rmdir()

    def _checkpoint(self, planned: PlannedRun) -> Path:
        folder = self._prepared.folder.resolve() / CHECKPOINTS
        if folder.is_symlink():
            raise SuiteError(f"{folder} is a link: a bundle holds its checkpoints itself; remove it")
        return folder / f"{planned.id.replace('/', '.')}.npz"


def _headline(run: Run) -> str:
    if run.classical is not None:
        return f"test accuracy {run.classical.test_accuracy:.4f}"
    return f"test accuracy {run.stage().last.test.accuracy:.4f}"
