"""The original assignment's published numbers, as typed records that can be stored and read again."""

from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

import msgspec
from msgspec import Meta

from cifar_report.errors import SuiteError
from cifar_report.registry import ORIGINAL, experiments_folder, load_study

Shares = Annotated[tuple[Annotated[float, Meta(ge=0, le=1)], ...], Meta(min_length=1, max_length=10_000)]
Losses = Annotated[tuple[Annotated[float, Meta(ge=0, le=1e12)], ...], Meta(min_length=1, max_length=10_000)]


class _Record(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A part of the file, with the file's own names; a field that it leaves out is None."""


class History(_Record, frozen=True, kw_only=True):
    """What the original printed, one value an epoch: running means for training, evaluated for validation."""

    accuracy: Shares
    loss: Losses
    val_accuracy: Shares
    val_loss: Losses

    def __post_init__(self) -> None:
        if len({len(self.accuracy), len(self.loss), len(self.val_accuracy), len(self.val_loss)}) != 1:
            raise ValueError("the four curves of a history must have equally many epochs")


class OriginalStage(_Record, frozen=True, kw_only=True):
    """What the original published about one training; None where it printed nothing."""

    id: str
    epochs: int  # that really ran
    seconds: float | None = msgspec.field(name="train_seconds")
    test_accuracy: float | None  # a share, not percent
    test_loss: float | None
    validation_accuracy: float | None = None  # that the text states, with the restored weights
    history: History


class TrialRecord(OriginalStage, frozen=True, kw_only=True):
    """One trial as the original ran it: one run, without a seed."""

    trial: int
    source: str
    architecture: str
    batch_size: int
    params_total: int
    params_trainable: int


class StageRecord(OriginalStage, frozen=True, kw_only=True):
    """One of the three trainings of model 2."""

    max_epochs: int
    augmentation: dict[str, Any] | None  # arguments of Keras's ImageDataGenerator
    test_read_from: Literal["plot", "text"]
    crashed_in_epoch: int | None = None


class Model2Record(_Record, frozen=True, kw_only=True):
    """The original's final model."""

    architecture: str
    params_total: int
    params_trainable: int
    batch_size: int
    note: str
    stages: Annotated[tuple[StageRecord, ...], Meta(min_length=1)]


class OriginalTrial(NamedTuple):
    """What the original published about one network, in one shape for the trials and for model 2."""

    parameters_total: int
    parameters_trainable: int
    batch_size: int
    stages: tuple[OriginalStage, ...]

    def stage(self, stage_id: str | None = None) -> OriginalStage | None:
        """Return the stage of that id (None: the last), or None where the original has no such stage."""
        return next((stage for stage in reversed(self.stages) if stage_id in (None, stage.id)), None)

    @property
    def seconds(self) -> float | None:
        """Return the seconds of all stages together, None where one of them is unknown."""
        known = [stage.seconds for stage in self.stages if stage.seconds is not None]
        return sum(known) if len(known) == len(self.stages) else None


class Original(_Record, frozen=True, kw_only=True):
    """Everything that the original published, one run each."""

    what: str
    common: dict[str, Any]  # what all trainings shared, in words
    trials: tuple[TrialRecord, ...]
    model_2: Model2Record
    classical: dict[str, Any]  # the comparison with classical classifiers, which printed no number

    def find(self, trial_id: str) -> OriginalTrial | None:
        """Return what was published about a trial, by its id; None where nothing was."""
        network: TrialRecord | Model2Record = self.model_2
        stages: tuple[OriginalStage, ...] = self.model_2.stages
        if trial_id != "model_2":
            found = next((record for record in self.trials if record.id == trial_id), None)
            if found is None:
                return None
            last = found.history.val_accuracy[-1]
            network, stages = found, (msgspec.structs.replace(found, id="training", validation_accuracy=last),)
        return OriginalTrial(network.params_total, network.params_trainable, network.batch_size, stages)


def load_original(folder: Path | None = None) -> Original | None:
    """Return the record in ``folder`` (default: the experiments in use); None for a study of one's own.

    Raises SuiteError, naming the file.
    """
    if folder is None and load_study() is not None:
        return None
    path = (folder or experiments_folder()) / ORIGINAL
    try:
        return msgspec.json.decode(path.read_bytes(), type=Original)
    except OSError as error:
        raise SuiteError(f"{path}: the original's numbers cannot be read: {error.strerror}") from error
    except msgspec.DecodeError as error:
        raise SuiteError(f"{path}: these are not the original's numbers: {error}") from error
