"""A fixed-seed CIFAR-10 suite whose report draws its conclusions from the data."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cifar_report.bundle import Bundle

__version__ = "0.1.0"


def project_folder(name: str) -> Path:
    """Return a folder that a checkout has beside the package and an installed copy inside it."""
    inside = Path(__file__).resolve().parent / name
    return inside if inside.is_dir() else inside.parents[1] / name


def load_bundle(folder: str | Path) -> Bundle:
    """Read a results bundle, executing nothing; raises UsageError for no bundle, SuiteError for a damaged one."""
    from cifar_report.bundle import Bundle

    return Bundle.load(Path(folder))


def verdicts(bundle: Bundle) -> Any:
    """Return a row for each claim: verdict, estimate and interval; a pandas.DataFrame, without pandas a list of dicts.

    Differences in accuracy are shares (.01 is one point). What is not defined is None.
    """
    from cifar_report.analysis import analyse

    return _table(
        [
            {"claim": each.id, "statement": each.claim.statement, "verdict": each.outcome, "reason": each.reason}
            | {"n": each.n, "estimate": each.estimate.value, "low": each.estimate.low, "high": each.estimate.high}
            for each in analyse(bundle).verdicts
        ]
    )


def history(bundle: Bundle) -> Any:
    """Return a row for each epoch of each network's runs, as ``verdicts`` does; training values are running means."""
    names = ("loss", "accuracy", "val_loss", "val_accuracy")
    return _table(
        [
            {"run": run.id, "trial": run.trial.id, "seed": run.seed, "stage": stage.id, "epoch": epoch + 1}
            | {name: getattr(stage.history, name)[epoch] for name in names}
            for run in bundle.runs
            for stage in run.stages
            for epoch in range(stage.epochs)
        ]
    )


def _table(rows: list[dict[str, Any]]) -> Any:
    try:
        import pandas
    except ImportError:
        return rows
    return pandas.DataFrame(rows)
