"""The histories of finished runs, for the programs that others follow their trainings with."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from cifar_report.bundle import Run
from cifar_report.errors import UsageError


def to_tensorboard(runs: Sequence[Run], folder: Path) -> None:
    """Write each run's curves and test scores as TensorBoard reads them, in a folder of the run's name."""
    import tensorflow as tf

    scalars = tf.compat.v1.SummaryMetadata(
        plugin_data=tf.compat.v1.SummaryMetadata.PluginData(plugin_name="scalars"), data_class="DATA_CLASS_SCALAR"
    )
    for run in runs:
        writer = tf.summary.create_file_writer(str(folder / run.id))
        with writer.as_default():
            for step, name, value in _values(run):
                tf.summary.write(name, tf.constant(value, tf.float32), step=step, metadata=scalars)
        writer.close()


def to_mlflow(runs: Sequence[Run], folder: Path) -> None:
    """Write each run with its settings, curves and test scores into an MLflow store in ``folder``."""
    try:
        import mlflow
    except ImportError as error:
        raise UsageError("MLflow is not installed: pip install 'cifar-report[mlflow]'") from error
    folder.mkdir(parents=True, exist_ok=True)
    mlflow.set_tracking_uri(f"sqlite:///{folder.absolute() / 'mlflow.db'}")
    for run in runs:
        mlflow.set_experiment(run.trial.id)
        with mlflow.start_run(run_name=run.id):
            mlflow.log_params({"seed": run.seed, "key": run.key, "parameters": run.parameters_total})
            for step, name, value in _values(run):
                mlflow.log_metric(name, value, step=step)


def _values(run: Run) -> Iterator[tuple[int, str, float]]:
    """Yield epoch (over all stages), name and value of every curve, and of the scores at each stage's end."""
    epoch = 0
    for stage in run.stages:
        curves = {name: getattr(stage.history, name) for name in ("loss", "accuracy", "val_loss", "val_accuracy")}
        for place in range(stage.epochs):
            epoch += 1
            yield from ((epoch, name, values[place]) for name, values in curves.items() if values[place] is not None)
        test = stage.last.test
        yield epoch, "test_accuracy", test.accuracy
        if test.loss is not None:
            yield epoch, "test_loss", test.loss
