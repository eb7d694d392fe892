"""The verdict lab of a page against the suite's own tests: each claim, at the registered and at other settings."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any
from unittest.mock import patch

from playwright.sync_api import Page
from scipy import stats

from cifar_report.analysis import claim_estimates as estimates
from cifar_report.analysis import decisions
from cifar_report.analysis.decisions import Families, decide, p_values
from cifar_report.analysis.estimates import scope_of
from cifar_report.analysis.hypothesis_tests import exact_interval
from cifar_report.analysis.predictions import PredictionTable, read_predictions
from cifar_report.analysis.results.verdicts import LEVEL, RULED_OUT
from cifar_report.analysis.samples import Sample, onset_decision, onset_hits
from cifar_report.analysis.verdicts import NEAR, families_of, not_testable, planned_sample
from cifar_report.bundle import Bundle
from cifar_report.spec import Claim

Numbers = dict[str, Any]
SET = """([margin, level, correction, seeds]) => {
  const form = document.querySelector("#lab form");
  form.margin.value = margin;
  form.level.value = level;
  form.correction.checked = correction;
  for (const box of form.querySelectorAll("[name=seed]")) box.checked = !seeds.includes(Number(box.value));
  form.dispatchEvent(new Event("input"));
  return [...document.querySelectorAll("#lab tbody tr")].map((row) => ({ ...row.dataset }));
}"""


@dataclass(frozen=True)
class Settings:
    """What the lab can change: the margin's factor as a power of √2, the level, Holm's correction, seeds left out."""

    power: int = 0
    level: float = LEVEL
    correction: bool = True
    left: tuple[int, ...] = ()


SETTINGS = (
    Settings(), Settings(-4), Settings(-2), Settings(-1), Settings(2), Settings(4), Settings(level=0.001),
    Settings(level=0.2), Settings(correction=False), Settings(left=(1,)), Settings(left=(0, 3, 4)),
    Settings(3, 0.1, correction=False, left=(2,)), Settings(-3, 0.01, left=(0, 1)), Settings(left=(0, 1, 2, 3)),
)  # fmt: skip


def check_lab(page: Page, bundle: Bundle) -> Iterator[str]:
    """Yield each claim whose verdict, p-value or interval in the page is not Python's, at any of the settings."""
    if bundle.record.plan is not None:
        bundle = replace(bundle, phase="first")  # a page with a lab has no verdict from the seeds of a confirmation
    predictions = read_predictions(bundle)
    changed = 0
    for settings in SETTINGS:
        asked = [settings.power, settings.level, settings.correction, list(settings.left)]
        shown = {row["lab"]: row for row in page.evaluate(SET, asked)}
        for claim_id, expected in outcomes(bundle, predictions, settings).items():
            found = {name: shown[claim_id].get(name) for name in expected}
            wrong = [name for name, value in expected.items() if not same(value, found[name])]
            changed += settings != SETTINGS[0]
            yield from (f"lab, {settings}, {claim_id}: {each} {found[each]}, not {expected[each]}" for each in wrong)
    if changed < 100:
        yield "lab: hardly a claim was compared"


def same(expected: object, found: str | None) -> bool:
    """Whether a number or word of the page is the one expected; to seven digits."""
    if found is None or not isinstance(expected, float):
        return found == expected
    return math.isclose(float(found), expected, rel_tol=1e-7, abs_tol=1e-12)


def outcomes(bundle: Bundle, predictions: PredictionTable, settings: Settings) -> dict[str, Numbers]:
    """Return for each claim that can be computed again what the suite's functions say under these settings."""
    left = replace(bundle, runs=tuple(run for run in bundle.runs if run.seed not in settings.left))
    scope, found = scope_of(bundle), {}
    with patch.object(decisions, "LEVEL", settings.level):
        known: dict[str, Sample] = {}
        for claim in bundle.claims:
            before, sample = (planned_sample(claim, each, predictions) for each in (bundle, left))
            if claim.relation == "exact" or not_testable(claim, before, scope) is not None:
                continue
            obstacle = not_testable(claim, sample, scope)
            if obstacle is None and isinstance(sample, Sample):
                known[claim.id] = sample
            elif obstacle is not None:
                found[claim.id] = {"outcome": obstacle.outcome}
        families = families_of(known, bundle.claims) if settings.correction else Families((), {})
        for claim in bundle.claims:
            if claim.id in known and known[claim.id].images is None:
                found[claim.id] = _judged(claim, known[claim.id], families, settings)
    return found


def _judged(claim: Claim, sample: Sample, families: Families, settings: Settings) -> Numbers:
    factor, level = 2 ** (settings.power / 2), settings.level
    if claim.relation == "onset":
        decision, _ = onset_decision(claim, sample, factor)
        hits = sum(onset_hits(claim, sample, factor))
        alone = float(stats.binomtest(hits, sample.count, alternative="greater").pvalue)
        low, high = exact_interval(hits, sample.count, 1 - level)
        numbers = {"p": alone, "estimate": hits / sample.count, "low": low, "high": high}
        return {"outcome": decision.outcome, "reason": decision.reason} | numbers
    test = sample.test()
    decision, p = decide(claim, test, families, factor), p_values(claim, test, factor)
    one_sided = decision.reason in RULED_OUT or (claim.relation in NEAR and decision.reason != "outside_margin")
    datum = estimates.estimate(claim, sample, 1 - (2 if one_sided else 1) * level)
    ends = {"low": datum.low, "high": datum.high}
    return {
        "outcome": decision.outcome, "reason": decision.reason,
        "p": p.tested, "corrected": families.corrected(claim, p).tested, "estimate": datum.value,
        **{name: value for name, value in ends.items() if value is not None},
    }  # fmt: skip
