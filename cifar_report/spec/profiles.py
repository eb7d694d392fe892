"""Profiles: how much of each trial runs, on how much of the data, with how many seeds."""

from __future__ import annotations

from typing import Literal

import msgspec

from cifar_report.spec.trials import AnyTrial, ClassicalTrial, Stage


class Profile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A size of the suite; bundles of different profiles are never mixed."""

    name: Literal["smoke", "quick", "full"]
    seeds: int  # declared before anything runs
    fraction: float = 1.0  # of train, validation and test, stratified, after the split
    counts: tuple[int, int, int] | None = None  # images of train, validation and test instead of a fraction
    epochs_fraction: float = 1.0
    least_epochs: int = 1  # a stage, before what the trial itself asks
    most_epochs: int | None = None  # a stage
    stand_in_allowed: bool = True  # whether the synthetic data may take the place of CIFAR-10

    @property
    def reduced(self) -> bool:
        """Whether it trains less than the write-up did, so that its claims cannot be tested."""
        return self.name != "full"

    def apply(self, trial: AnyTrial) -> AnyTrial:
        """Return the trial with this profile's epochs; everything else stays."""
        if isinstance(trial, ClassicalTrial):
            return trial
        return msgspec.structs.replace(trial, stages=tuple(self._shorten(stage) for stage in trial.stages))

    def _shorten(self, stage: Stage) -> Stage:
        epochs = round(stage.epochs * self.epochs_fraction)
        epochs = min(max(epochs, self.least_epochs), self.most_epochs or epochs, stage.epochs)
        return msgspec.structs.replace(stage, epochs=max(epochs, 1))


PROFILES: dict[str, Profile] = {
    "smoke": Profile(name="smoke", seeds=2, counts=(320, 100, 200), epochs_fraction=0.0, most_epochs=1),
    "quick": Profile(name="quick", seeds=2, fraction=0.1, epochs_fraction=0.2, least_epochs=2, most_epochs=6),
    "full": Profile(name="full", seeds=5, stand_in_allowed=False),
}
