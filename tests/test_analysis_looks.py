"""Planned looks and confirmations: verdicts by hand, what goes on, and plans on data whose truth is known."""

import csv
import json

import numpy as np
import pytest
from analysis_cases import bundle, claim, experiment, sample
from msgspec.structs import replace
from reports import chapter
from scipy import stats

from cifar_report.analysis import analyse
from cifar_report.analysis.hypothesis_tests import TTest
from cifar_report.analysis.planning import allocate, look_ahead, next_look, propose, run_seconds, take_looks
from cifar_report.analysis.power import power_of_more
from cifar_report.analysis.samples import Look, deciding_look, with_looks
from cifar_report.analysis.verdicts import families_of, judged
from cifar_report.bundle import Bundle
from cifar_report.registry import claims_of, load_experiments, trials_of
from cifar_report.report.document import page_data
from cifar_report.report.i18n import Translation
from cifar_report.report.tables import BY_PLAN, summary_tables
from cifar_report.report.text.verdicts import verdict_paragraph
from cifar_report.report.writer import Writer
from cifar_report.spec import Side
from cifar_report.spec.experiments import HUB_LOOKS, LOOKS, SHARES, declare, declare_looks

FAMILY = "accuracy by one change"
BETTER = claim(id="better", family=FAMILY)
TRIALS = {trial.id: trial for trial in experiment().trials}
PLAN = declare({"first": LOOKS, "second": LOOKS}, [BETTER], TRIALS, shares=SHARES)


def drawn(seed: int, shift: float, count: int = 40, spread: float = 0.01):
    """Return values of so many seeds around 60 % plus ``shift``."""
    return list(0.6 + shift + spread * np.random.default_rng(seed).standard_normal(count))


def apart(subject, comparator, **changes):
    """Return a sample of two sides that nothing pairs."""
    return sample(subject, comparator, paired=False, **changes)


def test_p_under_looks_is_the_least_p_by_share_and_its_look_gives_the_estimate():
    """By hand: Welch's p at 5 and at 10 seeds, each divided by its share; Holm doubles the lesser of two claims."""
    first, second = drawn(1, 0.011), drawn(2, 0.0)
    seen = with_looks(BETTER, apart(first, second), PLAN, {"first": 10, "second": 10})
    assert seen.looks == (Look(5, 5, 0.1), Look(10, 10, 0.2))
    by_hand = [stats.ttest_ind(first[:n], second[:n], equal_var=False, alternative="greater").pvalue for n in (5, 10)]
    expected = min(by_hand[0] / 0.1, by_hand[1] / 0.2)
    assert seen.test().p_value(0.0, 1) == pytest.approx(min(1.0, expected))
    shown = deciding_look(BETTER, seen, "undecided")
    place = int(by_hand[1] / 0.2 < by_hand[0] / 0.1)
    assert (shown.share, shown.count) == ((0.1, 5), (0.2, 10))[place]
    assert seen.test().deciding(0.0, 1).center == pytest.approx(
        np.mean(first[: 5 * 2**place]) - np.mean(second[: 5 * 2**place])
    )
    other = replace(BETTER, id="other")
    samples = {"better": seen, "other": with_looks(other, apart(drawn(3, 0), drawn(4, 0)), PLAN, {})}
    families = families_of(samples, (BETTER, other))
    corrected = families.corrected(BETTER, families.found["better"])
    assert corrected.tested == pytest.approx(min(1.0, 2 * expected))


def test_equivalence_and_rule_outs_spend_the_same_shares():
    """Equivalence and rule-outs spend the same shares, and one look at everything is the design without a plan."""
    first, second = drawn(5, 0.0, spread=0.004), drawn(6, 0.0, spread=0.004)
    seen = with_looks(BETTER, apart(first, second), PLAN, {"first": 20, "second": 20})
    tests = [TTest(np.array(first[:n]), np.array(second[:n])) for n in (5, 10, 20)]
    near = min(test.p_between(-0.01, 0.01) / share for test, share in zip(tests, SHARES, strict=False))
    assert seen.test().p_between(-0.01, 0.01) == pytest.approx(min(1.0, near))
    below = min(test.p_value(0.01, -1) / share for test, share in zip(tests, SHARES, strict=False))
    assert seen.test().p_value(0.01, -1) == pytest.approx(min(1.0, below))
    assert seen.test().edge(1) == tests[-1].edge(1, 0.05 * 0.3)
    plain = apart(drawn(7, 0.02, 5), drawn(8, 0.0, 5))
    looked = with_looks(BETTER, plain, declare({"first": (5,), "second": (5,)}, [BETTER], TRIALS), {})
    assert judged({"better": plain}, (BETTER,)) == judged({"better": looked}, (BETTER,))
    assert plain.test().p_value(0.0, 1) == looked.test().p_value(0.0, 1)


def test_a_look_counts_when_both_sides_have_run_and_takes_the_first_seeds_of_each():
    """Looks of unequal sizes use what the plan gives each side; one that is not complete is not looked at."""
    plan = replace(PLAN, seeds={"first": HUB_LOOKS, "second": LOOKS})
    whole = apart(drawn(1, 0), drawn(2, 0))
    seen = with_looks(BETTER, whole, plan, {"first": 40, "second": 29})
    assert [look.share for look in seen.looks] == [0.1, 0.2, 0.3]
    seen = with_looks(BETTER, whole, plan, {"first": 40, "second": 30})
    assert (len(seen.subject), len(seen.comparator)) == (30, 40)
    sizes = [(len(part.subject), len(part.comparator)) for part in seen.parts]
    assert sizes == [(5, 5), (10, 10), (20, 20), (30, 40)]


def test_only_trials_with_an_open_claim_that_can_still_be_decided_go_on():
    """Only trials with an open claim that can still be decided go on, and none beyond the cap of hours."""
    clear = {"better": apart(drawn(1, 0.05), drawn(2, 0.0))}
    decisions, done = take_looks(clear, (BETTER,), PLAN)
    assert (decisions["better"].outcome, done) == ("reproduced", {"first": 5, "second": 5})
    near = claim("equal", id="near")  # noise twenty times the margin: nothing near is ever shown
    hopeless = apart(drawn(3, 0, spread=0.2), drawn(4, 0, spread=0.2))
    hopeless = with_looks(near, hopeless, PLAN, {"first": 5, "second": 5})
    found = next_look({"near": hopeless}, (near,), PLAN, {"first": 5, "second": 5})
    assert (found.ends, found.futile, found.going) == ({}, ("near",), ())
    margin = {"better": apart(drawn(5, 0.012), drawn(6, 0.0))}
    seen = {"better": with_looks(BETTER, margin["better"], PLAN, {"first": 5, "second": 5})}
    found = next_look(seen, (BETTER,), PLAN, {"first": 5, "second": 5})
    assert (found.ends, found.going) == ({"first": 10, "second": 10}, ("better",))
    capped = replace(PLAN, hours=1.0)
    seen = {"better": with_looks(BETTER, apart(drawn(5, 0.012), drawn(6, 0.0)), PLAN, {"first": 5, "second": 5})}
    done = {"first": 5, "second": 5}
    assert next_look(seen, (BETTER,), capped, done, {"first": 180.0, "second": 180.0}).going == ("better",)
    found = next_look(seen, (BETTER,), capped, done, {"first": 181.0, "second": 180.0})
    assert (found.ends, found.over) == ({}, ("better",))


def test_trials_that_many_claims_name_get_more_seeds():
    """Trials that many claims name or share get more seeds."""
    experiments = load_experiments()
    plan = declare_looks(claims_of(experiments), trials_of(experiments))
    assert {trial for trial, ends in plan.seeds.items() if ends == HUB_LOOKS} == {"baseline", "filters_32"}
    assert set(plan.seeds.values()) == {LOOKS, HUB_LOOKS}
    assert plan.hash == plan.sealed_hash() != replace(plan, hours=1.0).sealed_hash()
    trials = {f"claim_{number}": (f"own_{number}", "shared") for number in range(4)}

    def power(_, counts):
        return float(1 - np.exp(-0.05 / (1 / counts[0] + 1 / counts[1]))) if min(counts) else 0.0

    seeds = allocate(trials, power, dict.fromkeys(["shared", *(f"own_{n}" for n in range(4))], 60.0), 100 * 60.0)
    assert sum(seeds.values()) <= 100
    assert seeds["shared"] > max(count for trial, count in seeds.items() if trial != "shared") > 0


def test_looks_in_a_bundle_give_the_verdict_with_its_look(tmp_path):
    """The verdict, its n, its level and its interval are those of the look that gave it."""
    ends = {"first": 10, "second": 10}
    made = bundle(tmp_path, BETTER, claim("equal", id="same"), plan=PLAN, ends=ends)
    verdict = analyse(made).verdict("better")
    assert (verdict.outcome, verdict.look.taken) == ("reproduced", 2)
    assert verdict.n == LOOKS[verdict.look.number - 1]
    assert verdict.estimate.coverage == pytest.approx(1 - 0.05 * verdict.look.share)
    assert analyse(made).verdict("same").look is not None
    assert {"trimmed_mean", "without_run", "margin_halved"} <= {each.kind for each in verdict.sensitivity}
    (tmp_path / "runs" / "second" / "seed-9" / "run.json").unlink()
    again = analyse(type(made).load(tmp_path)).verdict("better")
    assert (again.look.taken, again.missing) == (1, (("second", (9,)),))


def test_what_the_last_look_would_hardly_decide_is_called_so(tmp_path):
    """An open claim without power at its last look is not decidable below its seeds; one with power goes on."""
    hopeless = replace(BETTER, id="hopeless", relation="equal", family=None)
    noise = {"accuracies": {"first": 0.6, "second": 0.6}, "seed_noise": 0.03}
    results = analyse(bundle(tmp_path, BETTER, hopeless, plan=PLAN, **noise))
    assert results.verdict("hopeless").undecidable_below == 30
    assert results.verdict("hopeless").outcome == results.verdict("better").outcome == "inconclusive"
    found = look_ahead(Bundle.load(tmp_path), PLAN, {})
    assert found.futile == tuple(each.id for each in results.verdicts if each.undecidable_below)


def confirmed(folder, first: float, new: float):
    """Return a bundle whose second trial lies so far above the first one by its first five seeds, and by new ones."""
    plan = declare({"first": (11,), "second": (11,)}, [BETTER], TRIALS, first=5)
    ends, truth = {"first": 11, "second": 11}, {"first": 0.5, "second": 0.5 + new}
    made = bundle(folder / "new", BETTER, plan=plan, ends=ends, accuracies=truth)
    old = bundle(folder / "old", BETTER, accuracies={"first": 0.5, "second": 0.5 + first})
    for run in old.runs_of("second"):
        for name in ("run.json", "predictions.npz"):
            content = (old.folder / "runs" / run.id / name).read_bytes()
            (made.folder / "runs" / run.id / name).write_bytes(content)
    return type(made).load(made.folder)


def test_a_confirmation_tests_the_new_seeds_alone_and_both_verdicts_are_kept(tmp_path):
    """New seeds that say the opposite are the headline, with the first verdict beside it; both stand in the numbers."""
    results = analyse(confirmed(tmp_path, 0.1, -0.1))
    verdict = results.verdict("better")
    assert (verdict.outcome, verdict.n, verdict.differences[0].seed) == ("not_reproduced", 6, 5)
    assert (verdict.other.phase, verdict.other.outcome, verdict.other.n) == ("first", "reproduced", 5)
    data = results.data()
    assert data["claim.better.estimate"].value < 0 < data["claim.better.first.estimate"].value


def test_the_lab_of_a_confirmed_bundle_works_on_the_first_seeds_alone(tmp_path):
    """The page's data hold the first verdict and its seeds, and say so; without new seeds they hold the only one."""
    for made, first in ((confirmed(tmp_path, 0.1, -0.1), True), (bundle(tmp_path / "one", BETTER), False)):
        data = json.loads(page_data(Writer(made, analyse(made), Translation("en"), ()), None))
        assert (data["first"], data["planned"]) == (first, False)
        known = next(each for each in data["claims"] if each["id"] == "better")
        assert known["outcome"] == "reproduced" or not first
        assert [row[0] for row in known["rows"]] == [0, 1, 2, 3, 4]


def test_a_confirmation_is_the_headline_from_five_new_seeds_of_both_sides_on(tmp_path):
    """With fewer, or before all new seeds have run, the first verdict stands."""
    made = confirmed(tmp_path, 0.1, -0.1)
    few = replace(made.record.plan, seeds={"first": (9,), "second": (11,)})
    record = replace(made.record, plan=few, asked={"first": 9, "second": 11})
    verdict = analyse(type(made)(made.folder, record, made.runs)).verdict("better")
    assert (verdict.outcome, verdict.n) == ("reproduced", 5)
    assert (verdict.other.phase, verdict.other.outcome) == ("confirmation", "not_reproduced")
    waiting = tuple(run for run in made.runs if run.id != "second/seed-10")
    verdict = analyse(type(made)(made.folder, made.record, waiting)).verdict("better")
    assert (verdict.outcome, verdict.other) == ("reproduced", None)


def test_the_proposal_spends_hours_on_open_claims_alone(tmp_path):
    """A clear difference gets no seeds; an open claim does, and more of them for more hours."""
    made = bundle(tmp_path, BETTER, accuracies={"first": 0.5, "second": 0.6})
    assert propose(made, 1.0).seeds == {}
    truth = {"first": 0.6, "second": 0.6}
    made = bundle(tmp_path / "near", BETTER, accuracies=truth, counts=(800, 200, 1000), seed_noise=0.012)
    assert analyse(made).verdict("better").outcome == "inconclusive"
    seconds = run_seconds(made)
    assert seconds["first"] == pytest.approx(8.0)  # eight epochs of a second
    little, more = (propose(made, hours) for hours in (0.05, 1.0))
    assert 0 < sum(little.seeds.values()) <= 0.05 * 3600 / 8
    assert sum(more.seeds.values()) > sum(little.seeds.values())
    assert little.expected < more.expected <= 1
    assert (more.claims[0].chance, more.decided, more.kept) == (more.expected, 0, 0)


def test_an_onset_is_decided_by_the_look_that_reaches_its_share():
    """Five unanimous seeds are not enough at a tenth of the level (1/32 > .005), ten are at a fifth (1/1024 < .01)."""
    onset = claim(
        "onset", id="onset", subject=Side("first"), comparator=None, value=4.0, comparison="absolute", margin=1.0
    )
    seen = sample([4.0] * 10)
    assert judged({"onset": with_looks(onset, seen, PLAN, {"first": 5})}, (onset,))["onset"].outcome == "inconclusive"
    assert judged({"onset": with_looks(onset, seen, PLAN, {"first": 10})}, (onset,))["onset"].outcome == "reproduced"


def test_the_tables_hold_both_verdicts(tmp_path):
    """verdicts.csv has further columns where a bundle has a plan, and the old ones alone where it has none."""
    made = confirmed(tmp_path, 0.1, -0.1)
    rows = list(csv.DictReader(summary_tables(made, analyse(made))["verdicts.csv"].decode().splitlines()))
    assert [rows[0][name] for name in BY_PLAN] == ["", "", "first", "reproduced", "5"]
    plain = bundle(tmp_path / "plain", BETTER)
    assert "other_phase" not in summary_tables(plain, analyse(plain))["verdicts.csv"].decode()


@pytest.mark.parametrize("shift", [0.0, 0.01, 0.02])
def test_conditional_power_is_what_drawing_the_rest_gives(shift):
    """Drawing the missing seeds around what is there, and judging, decides as often as the power says."""
    sides = [np.array(drawn(1, shift, 5, 0.012)), np.array(drawn(2, 0.0, 5, 0.012))]
    expected = power_of_more(BETTER, apart(*map(list, sides)), (20, 20), 0.05 * 0.3, 0.3, kept=True)
    generator, found = np.random.default_rng(0), []
    for _ in range(400):
        whole = [np.append(each, generator.normal(each.mean(), each.std(ddof=1), 15)) for each in sides]
        test = TTest(*whole)
        above = test.p_value(0.0, 1) < 0.015 and test.center >= 0.01
        found.append(above or test.p_value(0.01, -1) < 0.015)
    assert expected == pytest.approx(np.mean(found), abs=0.08)


@pytest.mark.parametrize(("sides", "few"), [(([12, 13, 12, 14, 13], [3, 4, 3, 5, 4]), 3), (([9, 9, 9, 10, 9],), 7)])
def test_whole_epochs_have_no_power_where_their_exact_test_cannot_reach_the_level(sides, few):
    """Epochs that lie far apart are not expected to be decided by fewer seeds than the exact test needs."""
    later = claim(id="later", quantity="convergence_epoch", margin=1.0)
    epochs = apart(*sides, whole=True) if len(sides) > 1 else sample(*sides, whole=True)
    assert power_of_more(later, epochs, (few, few), 0.005, kept=False) == 0.0
    assert power_of_more(later, epochs, (5, 5), 0.003, kept=True) == 0.0
    assert all(power_of_more(later, epochs, (20, 20), 0.003, kept=kept) > 0.9 for kept in (False, True))


def told(made):
    """Return the sentences of the one claim, and what the protocol says of the plan, without their links."""
    writer = Writer(made, analyse(made), Translation("en"), ())
    said = verdict_paragraph(writer, writer.results.verdict("better"))
    return said[0].striptags(), " ".join(each.striptags() for each in said), chapter(writer, "protocol")


def test_a_confirmation_that_disagrees_is_told_in_the_sentence_of_the_claim(tmp_path):
    """The claim's first sentence names both verdicts where they differ; where they agree the details say so."""
    sentence, _, protocol = told(confirmed(tmp_path / "against", 0.1, -0.1))
    assert "the opposite of the claim" in sentence
    assert "This is the confirmation by new seeds alone; the first seeds gave another verdict: reproduced" in sentence
    assert "12 new runs, tested apart from the first ones" in protocol
    assert "tested again so far: 1, with the same verdict: 0" in protocol
    sentence, whole, _ = told(confirmed(tmp_path / "for", 0.1, 0.1))
    assert "another verdict" not in whole
    assert "The first seeds alone, tested apart, gave the same verdict" in whole


def test_the_protocol_names_the_plan_its_looks_and_the_level_spent(tmp_path):
    """A bundle with looks tells them, and of its first look alone that it decides little; one without is silent."""
    _, whole, protocol = told(bundle(tmp_path / "two", BETTER, plan=PLAN, ends={"first": 10, "second": 10}))
    assert "of 2, with" in whole
    assert "at so many seeds: 5, 10, 20, and 30, with 10, 20, 30, and 40 percent of the level" in protocol
    assert "number 2; with it 30% of the level is spent" in protocol
    assert "decides little" not in protocol
    assert "The first look alone decides little" in told(bundle(tmp_path / "one", BETTER, plan=PLAN))[2]
    assert "declared on" not in told(bundle(tmp_path / "none", BETTER))[2]
