"""Declared plans: which seeds of each trial are trained and when they are tested, fixed before the first of them."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from cifar_report.spec import TIMES, AnyTrial, Claim, definitions, pairs_by_seed
from cifar_report.spec.trials import Word

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
        """Refuse looks that do not grow, and shares that spend more than the level."""
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
        return _hash({name: value for name, value in msgspec.to_builtins(self).items() if name != "hash"})

    def holds_for(self, claims: Iterable[Claim]) -> bool:
        """Whether all that it was declared for are among ``claims``, unchanged but for their wording."""
        return self.claims_hash == _hash(definitions(claim for claim in claims if claim.id in self.claims))


def _hash(content: Mapping[str, Any]) -> str:
    return hashlib.sha256(msgspec.json.encode(content, order="sorted")).hexdigest()


def declare(
    seeds: Mapping[str, tuple[int, ...]], claims: Iterable[Claim], trials: Mapping[str, AnyTrial], **terms: Any
) -> SeedPlan:
    """Return a plan that is hashed with the claims, their margins and families, and the rule of pairing."""
    claims = tuple(claims)
    plan = SeedPlan(
        seeds=dict(seeds),
        claims=tuple(claim.id for claim in claims),
        claims_hash=_hash(definitions(claims)),
        paired=tuple(claim.id for claim in claims if claim.comparator and pairs_by_seed(claim, trials)),
        declared=datetime.now(UTC).isoformat(timespec="seconds"),
        **{"shares": (1.0,), **terms},
    )
    return msgspec.structs.replace(plan, hash=plan.sealed_hash())


def declare_looks(claims: Iterable[Claim], trials: Mapping[str, AnyTrial], hours: float | None = None) -> SeedPlan:
    """Return the planned looks of all trials with seeds; trials that many claims name get more at the last look."""
    claims = tuple(claims)
    seeded = [claim for claim in claims if claim.relation != "exact" and claim.quantity not in TIMES]
    sides = (side for claim in seeded for side in {claim.subject, claim.comparator} if side is not None)
    named = Counter(side.trial for side in sides)
    looks = {name: HUB_LOOKS if named[name] >= HUB_CLAIMS else LOOKS for name, trial in trials.items() if trial.seeded}
    return declare(looks, claims, trials, shares=SHARES, hours=hours)
