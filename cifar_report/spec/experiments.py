"""An experiment: the question, the trials that answer it, the claims that they test."""

from __future__ import annotations

from typing import Literal

import msgspec

from cifar_report.spec.claims import Claim
from cifar_report.spec.text import Text
from cifar_report.spec.trials import AnyTrial, check_id

Section = Literal[
    "trials",  # 3: the reference model and the trials, in order
    "hidden_layer",  # neurons in the hidden layer
    "training_parameters",  # batch size, learning rate, dropout, splits
    "model_2",  # 3.14: augmentation and the final model
    "parallel",  # tf.distribute
    "classical",  # 4: nearest neighbours and nearest centroid
]

Figure = Literal["curves", "study", "stages", "scaling", "methods"]


class Experiment(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One file of ``experiments/``: data only.

    ``points`` lists the trials that a study shows, in order, its own and others' (nothing is trained twice);
    it is empty where the experiment's own trials are all there is.
    """

    id: str
    order: int  # its place in the report, within its section
    section: Section
    number: str | None = None  # "1" … "12": the write-up's trial number
    title: Text
    question: Text  # one sentence
    change: Text  # what was changed, one sentence
    explanation: Text  # what the changed thing is and does, a short paragraph
    trials: tuple[AnyTrial, ...]
    points: tuple[str, ...] = ()
    claims: tuple[Claim, ...] = ()
    figures: tuple[Figure, ...] = ("curves",)

    def __post_init__(self) -> None:
        """Refuse an experiment that could not be shown."""
        check_id(self.id)
        if not self.trials and not self.points:
            raise ValueError(f"experiment {self.id} has neither trials nor points")
        if len({trial.id for trial in self.trials}) != len(self.trials):
            raise ValueError(f"experiment {self.id} has two trials of one id")

    @property
    def shown(self) -> tuple[str, ...]:
        """Return the ids of the trials that its section shows, in order."""
        return self.points or tuple(trial.id for trial in self.trials)
