"""The command plan, and the next of the looks that ``run --seeds auto`` declares."""

from __future__ import annotations

import sys
import textwrap
from argparse import Namespace
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from cifar_report.commands.suite import derive
from cifar_report.errors import UsageError

if TYPE_CHECKING:
    from cifar_report.analysis.planning import OpenClaim, Proposal
    from cifar_report.bundle import Bundle
    from cifar_report.bundle.plans import SeedPlan
    from cifar_report.running.plan import Prepared

WIDTH = 79
RULE = (
    "The rule: again and again the step is taken (more new seeds of the sides of one open claim, which need not get "
    "equally many) that adds the most expected decided claims an hour, counting every claim of these trials, until no "
    "step fits or is worth it. New seeds are judged alone, as a confirmation, and count from five of each side on."
)


def plan(options: Namespace) -> int:
    """Print what would decide the open claims, or what the bundle has declared; declare it where that is asked."""
    import msgspec

    from cifar_report.analysis.planning import propose
    from cifar_report.bundle import Bundle, find_bundle
    from cifar_report.bundle.plans import SeedPlan

    if not options.hours > 0:
        raise UsageError(f"--hours {options.hours:g}: a plan needs some hours of processor time")
    from cifar_report.running.declaring import declare_confirmation, todays_record
    from cifar_report.running.suite import hold

    bundle = Bundle.load(find_bundle(options.folder))
    bundle = replace(bundle, record=todays_record(bundle.folder, bundle.record))
    declared = bundle.record.plan
    if declared is not None and options.declare:
        raise UsageError(f"{bundle.folder} has a declaration of {declared.declared[:10]} already, which stays")
    found = propose(bundle, options.hours) if declared is None else declared
    if options.json:
        print(msgspec.json.format(msgspec.json.encode(found), indent=1).decode())
    else:
        print("\n".join(_describe_declared(bundle, found) if isinstance(found, SeedPlan) else describe(found)))
    if options.declare and not isinstance(found, SeedPlan):
        with hold(bundle.folder):
            new = declare_confirmation(bundle.folder, found.seeds, derive)
        trained = f"'cifar-report run --bundle {bundle.folder}' trains them"
        print(f"declared ({new.hash[:8]}), to be committed before the first new run: {trained}", file=sys.stderr)
    return 0


def describe(proposal: Proposal) -> Iterator[str]:
    """Yield a proposal as lines of at most 80 characters."""
    yield f"Open claims: {len(proposal.claims)}. Seeds (new ones of each side) and hours of processor time are"
    yield "those for 80 % power; the last column is the chance with the seeds below."
    yield ""
    yield f"{'claim':38}{'missing':12}{'seeds':>11}{'hours':>12}{'chance':>7}"
    for claim in proposal.claims:
        yield _row(claim)
    yield ""
    yield f"New seeds for {proposal.budget:g} hours of processor time:"
    yield f"{'trial':24}{'new seeds':>10}{'minutes a run':>15}{'hours':>8}{'open claims':>13}"
    for trial, count in proposal.seeds.items():
        seconds, named = proposal.seconds[trial], sum(trial in claim.trials for claim in proposal.claims)
        yield f"{trial:24}{count:>10}{seconds / 60:>15.1f}{count * seconds / 3600:>8.2f}{named:>13}"
    total = f"{sum(proposal.seeds.values())} runs, {proposal.hours:.1f} hours"
    yield f"{total}: about {proposal.expected:.0f} of {len(proposal.claims)} open claims are decided then, and"
    yield f"{proposal.kept:.1f} of {proposal.decided} decided ones stay so where new seeds test them again."
    yield ""
    yield from textwrap.wrap(RULE, WIDTH)


def _row(claim: OpenClaim) -> str:
    least, most = claim.seeds
    counts = "over 60" if least is None else f"{least:.0f} to {'60+' if most is None else f'{most:.0f}'}"
    hours = ["…" if each is None else f"{each:.1f}" for each in claim.hours]
    price = "–" if least is None else " to ".join(hours)
    return f"{claim.id:38}{claim.lacking or '–':12}{counts:>11}{price:>12}{claim.chance:>7.0%}"


def _describe_declared(bundle: Bundle, declared: SeedPlan) -> Iterator[str]:
    """Yield what a bundle has declared, and how much of it has run, as lines."""
    kind = f"a confirmation by new seeds from {declared.first} on" if declared.confirms else "planned looks"
    yield f"{bundle.folder} declares {kind} ({declared.declared[:10]}, {declared.hash[:8]}):"
    yield f"{'trial':24}{'ends of its seeds':>24}{'run':>6}"
    for trial, ends in declared.seeds.items():
        run = sum(each.seed is not None and each.seed >= declared.first for each in bundle.runs_of(trial))
        yield f"{trial:24}{', '.join(map(str, ends)):>24}{run:>6}"


def following(prepared: Prepared) -> Prepared | None:
    """Return the request for the next declared look; None where nothing goes on, and say what became of the claims."""
    declared = prepared.plan
    if declared is None or declared.confirms:
        return None
    from cifar_report.analysis.looks import look_ahead
    from cifar_report.analysis.planning import run_seconds
    from cifar_report.bundle import Bundle
    from cifar_report.running.plan import with_ends

    bundle = Bundle.load(prepared.folder)
    found = look_ahead(bundle, declared, run_seconds(bundle))
    most = max((ends[-1] for ends in declared.seeds.values()), default=0)
    print(f"planned looks: {found.decided} claims are decided, {len(found.going)} go on")
    _name(f"not decidable below {most} seeds", found.futile)
    _name("open after the last look, or at the cap of hours", found.over)
    more = with_ends(prepared, found.ends)
    if len(more.runs) > len(prepared.runs):
        return more
    if found.ends:
        print(f"the next look waits for other trials: {', '.join(found.ends)}")
    return None


def _name(what: str, claims: Sequence[str]) -> None:
    if claims:
        print(textwrap.fill(f"{what}: {', '.join(claims)}", WIDTH, break_long_words=False))
