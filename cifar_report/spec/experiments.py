"""Experiments (what is asked), profiles (how much of it runs) and declared plans of seeds (when it is judged)."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, Self

import msgspec
from msgspec import Meta

from cifar_report.spec.claims import Claim, definitions, pairs_by_seed
from cifar_report.spec.trials import AnyTrial, ClassicalTrial, Id, ImageCount, Paragraph, Word, json_hash

LANGUAGES = ("en", "el")  # of the reports. Experiments are written in English; a translation of their texts is optional

Section = Literal[
    "trials",  # 3: the reference model and the trials, in order
    "hidden_layer",  # neurons in the hidden layer
    "training_parameters",  # batch size, learning rate, dropout, splits
    "model_2",  # 3.14: augmentation and the final model
    "parallel",  # tf.distribute
    "classical",  # 4: nearest neighbours and nearest centroid
    "own",  # what somebody added, and all of a study of one's own
]

Share = Annotated[float, Meta(ge=0, le=1)]
Figure = Literal["curves", "study", "stages", "scaling", "methods"]
"""What an experiment asks for; curves show stages beside each other, and effects what several devices bring."""


class Study(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a study of one's own says of itself: it tests nothing that a write-up said before."""

    name: Word  # of its folder; bundles are named by it
    title: Word
    introduction: Paragraph = ""


class Experiment(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One file of ``experiments/``: data only.

    ``points`` lists the trials that a study shows, its own and others'; empty: the experiment's own are all there is.
    """

    id: Id
    order: Annotated[int, Meta(ge=-1_000_000, le=1_000_000)] = 0  # its place in the report, within its section
    section: Section = "own"
    number: str | None = None  # "1" … "12": the write-up's trial number
    title: Word
    question: Paragraph  # one sentence
    change: Paragraph = ""  # what was changed, one sentence
    explanation: Paragraph = ""  # what the changed thing is and does, a short paragraph
    trials: tuple[AnyTrial, ...]
    points: tuple[str, ...] = ()
    claims: tuple[Claim, ...] = ()
    figures: tuple[Figure, ...] = ("curves",)

    def __post_init__(self) -> None:
        if not self.trials and not self.points:
            raise ValueError(f"experiment {self.id} has neither trials nor points")

    @property
    def shown(self) -> tuple[str, ...]:
        """Return the ids of the trials that its section shows, in order."""
        return self.points or tuple(trial.id for trial in self.trials)

    @property
    def texts(self) -> Iterator[str]:
        """Yield every text that a report translates."""
        yield from filter(None, (self.title, self.question, self.change, self.explanation))
        yield from (trial.title for trial in self.trials)
        for claim in self.claims:
            yield from (text for text in (claim.statement, claim.said, claim.proxy) if text)


class TimingPlan(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the trials are timed, alone on the machine, after everything is trained."""

    by_default: bool = True  # whether a suite that says nothing about it is timed
    blocks: int  # each holds every timed trial once
    trials: tuple[str, ...] | None = None  # ids; None: one of each cost, and all that claims about time name
    portions: int = 4  # timed one by one; their median counts
    portion_steps: int = 50  # training steps of a portion, and of the warm-up before the first one
    repeats: int = 3  # at most, of a measurement that other work disturbed


class Profile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A size of the suite; bundles of different profiles are never mixed."""

    name: Literal["smoke", "quick", "full"]
    seeds: Annotated[int, Meta(ge=0, le=10_000)]  # declared before anything runs
    fraction: Share = 1.0  # of train, validation and test, stratified, after the split
    counts: tuple[ImageCount, ImageCount, ImageCount] | None = None  # of train, validation, test; else a fraction
    epochs_fraction: Share = 1.0
    least_epochs: int = 1  # a stage, before what the trial itself asks
    most_epochs: int | None = None  # a stage
    stand_in_allowed: bool = True  # whether the synthetic data may take the place of CIFAR-10
    timing: TimingPlan | None = None

    @property
    def reduced(self) -> bool:
        """Whether it trains less than the write-up did, so that its claims cannot be tested."""
        return self.name != "full"

    def trains_like(self, other: Self) -> bool:
        """Whether both train the same; how they time it has no part in it."""
        return msgspec.structs.replace(self, timing=other.timing) == other

    def apply(self, trial: AnyTrial) -> AnyTrial:
        """Return the trial with this profile's epochs; everything else stays."""
        if isinstance(trial, ClassicalTrial):
            return trial
        stages = []
        for stage in trial.stages:
            epochs = max(round(stage.epochs * self.epochs_fraction), self.least_epochs)
            epochs = max(min(epochs, self.most_epochs or epochs, stage.epochs), 1)
            stages.append(msgspec.structs.replace(stage, epochs=epochs))
        return msgspec.structs.replace(trial, stages=tuple(stages))


PROFILES: dict[str, Profile] = {
    "smoke": Profile(
        name="smoke",
        seeds=2,
        counts=(320, 100, 200),
        epochs_fraction=0.0,
        most_epochs=1,
        timing=TimingPlan(
            by_default=False, blocks=2, trials=("baseline", "nearest_centroid"), portions=2, portion_steps=2, repeats=1
        ),
    ),
    "quick": Profile(
        name="quick",
        seeds=2,
        fraction=0.1,
        epochs_fraction=0.2,
        least_epochs=2,
        most_epochs=6,
        timing=TimingPlan(blocks=3, trials=("baseline", "filters_32", "nearest_centroid")),
    ),
    "full": Profile(name="full", seeds=5, stand_in_allowed=False, timing=TimingPlan(blocks=5)),
}

MOST_SEEDS = 10_000
SHARES = (0.1, 0.2, 0.3, 0.4)  # of the level, one a look
LOOKS, HUB_LOOKS = (5, 10, 20, 30), (5, 10, 20, 40)  # seeds of a trial; of one that many claims name
HUB_CLAIMS = 13  # where k claims name a trial, √k times the others' seeds decide most: 10 √k is near 40 from here on
SeedCount = Annotated[int, Meta(ge=1, le=MOST_SEEDS)]
Part = Annotated[float, Meta(gt=0, le=1)]


class SeedPlan(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, gc=False):
    """Planned looks, or a confirmation: the seeds from ``first`` on alone, where those before were judged already.

    ``seeds`` maps each trial to the end of its seeds at each look; ``shares`` are the looks' parts of the level. No
    look begins that would take more than ``hours`` of processor time in all. ``hash`` covers everything but itself.
    """

    seeds: dict[Word, Annotated[tuple[SeedCount, ...], Meta(min_length=1, max_length=20)]]
    shares: Annotated[tuple[Part, ...], Meta(min_length=1, max_length=20)]
    first: Annotated[int, Meta(ge=0, le=MOST_SEEDS)] = 0
    hours: Annotated[float, Meta(gt=0, le=1e6)] | None = None
    claims: tuple[Word, ...]  # that it was declared for; others may come later
    claims_hash: Word  # of their margins, families and whatever else can move a verdict, wording aside
    paired: tuple[Word, ...]  # the claims whose sides are compared seed by seed
    declared: Word  # ISO 8601, UTC
    hash: Word = ""

    def __post_init__(self) -> None:
        datetime.fromisoformat(self.declared)
        for trial, ends in self.seeds.items():
            if len(ends) != len(self.shares) or list(ends) != sorted(set(ends)) or ends[0] <= self.first:
                raise ValueError(f"the looks of {trial} do not grow, or are not as many as the shares of the level")
        if sum(self.shares) > 1 + 1e-9:
            raise ValueError("the shares of the looks spend more than the whole level")

    @property
    def confirms(self) -> bool:
        """Whether it adds new seeds to a bundle that was judged without them."""
        return self.first > 0

    def sealed_hash(self) -> str:
        """Return the SHA-256 of everything that is declared."""
        return json_hash({name: value for name, value in msgspec.to_builtins(self).items() if name != "hash"})

    def holds_for(self, claims: Iterable[Claim]) -> bool:
        """Whether all that it was declared for are among ``claims``, unchanged but for their wording."""
        return self.claims_hash == json_hash(definitions(claim for claim in claims if claim.id in self.claims))


def declare(
    seeds: Mapping[str, tuple[int, ...]], claims: Iterable[Claim], trials: Mapping[str, AnyTrial], **terms: Any
) -> SeedPlan:
    """Return a plan that is hashed with the claims, their margins and families, and the rule of pairing."""
    claims = tuple(claims)
    plan = SeedPlan(
        seeds=dict(seeds),
        claims=tuple(claim.id for claim in claims),
        claims_hash=json_hash(definitions(claims)),
        paired=tuple(claim.id for claim in claims if claim.comparator and pairs_by_seed(claim, trials)),
        declared=datetime.now(UTC).isoformat(timespec="seconds"),
        **{"shares": (1.0,), **terms},
    )
    return msgspec.structs.replace(plan, hash=plan.sealed_hash())


def declare_looks(claims: Iterable[Claim], trials: Mapping[str, AnyTrial], hours: float | None = None) -> SeedPlan:
    """Return the planned looks of all trials with seeds; trials that many claims name get more at the last look."""
    claims = tuple(claims)
    seeded = [claim for claim in claims if claim.relation != "exact" and not claim.timed]
    named = Counter(side.trial for claim in seeded for side in {side for side, _ in claim.sides})
    looks = {name: HUB_LOOKS if named[name] >= HUB_CLAIMS else LOOKS for name, trial in trials.items() if trial.seeded}
    return declare(looks, claims, trials, shares=SHARES, hours=hours)
