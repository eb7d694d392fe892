"""What must change in the report when the data change; each test damages a bundle and reads the whole report."""

import re
import shutil
from pathlib import Path

import pytest
from analysis_cases import claim, experiment
from msgspec.structs import replace
from reports import Page, report_of

from cifar_report.analysis import analyse
from cifar_report.bundle import Bundle, Predictions, Run, encode, sha256
from cifar_report.simulation import Simulation, simulate_bundle
from cifar_report.spec import PROFILES, Side

CLAIMS = (
    claim(id="higher", family="accuracy by one change"),
    claim("less", id="lower", family="accuracy by one change"),
    claim("equal", id="same"),
    claim("not_better", id="no_gain"),
    claim("less", id="loss", quantity="loss", margin=0.1),
    claim("value", id="level", comparator=None, value=0.6, margin=0.05, comparison="absolute"),
    claim("onset", id="onset", comparator=None, value=4.0, margin=1.0, comparison="absolute"),
    claim("exact", id="count", quantity="parameters", exact_relation="equal", margin=None),
    claim(id="beats_nearest", subject=Side("first"), comparator=Side("nearest_1")),
)
DRAWN = {"first": 0.5, "second": 0.6, "nearest_1": 0.3, "nearest_3": 0.4}


def made(folder: Path, **settings: object) -> Bundle:
    """Write a bundle of two networks, 10 points apart, with those claims; the trials are called by their ids."""
    whole = experiment(*CLAIMS)
    trials = tuple(replace(each, title=f"Trial {each.id}") for each in whole.trials)
    chosen = {"accuracies": DRAWN, "seed_noise": 0.002, **settings}
    return simulate_bundle(folder, [replace(whole, trials=trials)], Simulation(**chosen))


def articles(bundle: Bundle) -> dict[str, str]:
    """Return what the report says of each claim."""
    page = Page(report_of(bundle))
    return {
        next(link.text for link in each.inside if link.attributes.get("class") == "claim"): each.text.replace(
            "\xa0", " "
        )
        for each in page.all("article")
    }


def give(folder: Path, target: Run, source: Run) -> dict[Path, bytes]:
    """Return the files that put another run's results in the place of a run's own."""
    place, other = folder / "runs" / target.id, folder / "runs" / source.id
    content = {place / path.name: path.read_bytes() for path in other.iterdir()}
    return content | {place / "run.json": encode(replace(target, stages=source.stages, files=source.files))}


def rewritten(bundle: Bundle, *, both: bool) -> Bundle:
    """Give the second network the first one's results, seed by seed, and with ``both`` the first one the second's."""
    for one, other in zip(bundle.runs_of("first"), bundle.runs_of("second"), strict=True):
        files = give(bundle.folder, other, one) | (give(bundle.folder, one, other) if both else {})
        for path, content in files.items():
            path.write_bytes(content)
    return Bundle.load(bundle.folder)


def test_swapped_data_swap_every_sentence_that_speaks_of_them(tmp_path: Path) -> None:
    """When two trials' runs change places, verdicts, comparisons and the order of the trials turn round."""
    bundle = made(tmp_path)
    before, order = articles(bundle), ranked(bundle)
    assert order.index("Trial second") < order.index("Trial first")
    assert "Trial second is 1" in before["higher"]
    assert "the margin of 1 point is reached" in before["higher"]
    assert "the opposite of the claim" in before["lower"]
    assert "or more is found" in before["no_gain"]
    after_swap = rewritten(bundle, both=True)
    after, order = articles(after_swap), ranked(after_swap)
    assert order.index("Trial first") < order.index("Trial second")
    assert "below Trial first" in after["higher"]
    assert "the opposite of the claim" in after["higher"]
    assert "the margin of 1 point is reached" in after["lower"]
    assert "or more is ruled out" in after["no_gain"]
    assert "is reached" not in after["higher"]
    assert before["count"] == after["count"]


def ranked(bundle: Bundle) -> list[str]:
    table = next(each for each in Page(report_of(bundle)).all("table") if "All trials by mean test" in each.text)
    rows = [[cell.text for cell in row.inside if cell.tag in ("td", "th")] for row in table.inside if row.tag == "tr"]
    return [row[0] for row in rows[1:]]


def test_deleted_runs_leave_no_number_behind(tmp_path: Path) -> None:
    """Without a trial's runs its claims read "not run", its rows hold dashes with reasons, and no zero stands in."""
    bundle = made(tmp_path)
    shutil.rmtree(tmp_path / "runs" / "second")
    bundle = Bundle.load(tmp_path)
    told = articles(bundle)
    for name in ("higher", "lower", "same", "no_gain", "loss", "level", "onset", "count"):
        assert "not run" in told[name], name
        assert "the runs that it needs are missing" in told[name]
        assert "0.00" not in told[name]
    assert "is reached" in told["beats_nearest"]
    assert "Trial second" not in ranked(bundle)
    text = Page(report_of(bundle)).all("main")[0].text
    assert "Not run: Trial second." in text


def test_one_seed_leaves_every_claim_of_a_configuration_open(tmp_path: Path) -> None:
    """With one seed no configuration claim is decided, however far apart the numbers are."""
    told = articles(made(tmp_path, seeds=1))
    for name in ("higher", "lower", "same", "no_gain", "loss", "level", "beats_nearest"):
        assert "inconclusive" in told[name], name
        assert "one seed cannot separate" in told[name]
    assert "supported" in told["count"]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"profile": PROFILES["quick"]}, "Not testable in this reduced profile"),
        ({"profile": PROFILES["smoke"]}, "Not testable in this reduced profile"),
        ({"grade": "stand-in"}, "Not testable on the synthetic stand-in"),
        ({"grade": "unverified", "canonical_labels": False}, "whose labels are not those of CIFAR-10"),
    ],
    ids=["quick", "smoke", "stand-in", "labels"],
)
def test_reduced_profiles_and_other_data_test_nothing(tmp_path: Path, settings: dict[str, object], words: str) -> None:
    """A reduced profile, the stand-in and other labels make every claim that needs training "not testable"."""
    told = articles(made(tmp_path, seeds=3, **settings))
    for name, text in told.items():
        if name != "count":
            assert "not testable" in text, name
            assert words in text
            assert "is reached" not in text
    assert "supported" in told["count"]


def test_what_is_no_number_is_told_and_nothing_breaks(tmp_path: Path) -> None:
    """A loss that is not a number and a constant column are named in words; the claim about the loss stays open."""
    bundle = made(tmp_path, seeds=2)
    run = bundle.runs_of("second")[0]
    stage = run.stages[0]
    history = replace(stage.history, val_loss=(None,) * stage.epochs, val_accuracy=(0.1,) * stage.epochs)
    last = replace(stage.last, test=replace(stage.last.test, loss=None))
    changed = replace(run, stages=(replace(stage, last=last, history=history),))
    (tmp_path / "runs" / run.id / "run.json").write_bytes(encode(changed))
    bundle = Bundle.load(tmp_path)
    loss = analyse(bundle).trial("second").stages[0].last.test_loss.datum
    assert (loss.value, loss.reason) == (None, "not_a_number")
    told = articles(bundle)
    assert "a value of the comparison is not a number" in told["loss"]
    assert "inconclusive" in told["loss"]
    odd = Page(report_of(bundle)).all("ul", "cautions")[0].text
    assert "A value was not a number. (second/seed-0, validation loss)" in odd
    assert "A value was not a number. (second/seed-0, test loss with the weights of the last epoch)" in odd
    assert "A column of values is constant. (second/seed-0, validation accuracy)" in odd


@pytest.mark.parametrize("seeds", [2, 3])
def test_ties_are_told_without_calling_anything_equal(tmp_path: Path, seeds: int) -> None:
    """Two trials with the same answers under every seed: the sentences rule differences out and never deny them."""
    told = articles(rewritten(made(tmp_path, seeds=seeds), both=False))
    assert re.search(
        "have the same mean.*; (an advantage of 1 point or more is ruled out|inconclusive)", told["higher"]
    )
    assert re.search("within (1 point|the margin)", told["same"])
    for text in told.values():
        assert "no difference" not in text
        assert "equal to" not in text


def test_a_class_that_is_never_answered_is_told(tmp_path: Path) -> None:
    """A class without any answer is named, and its precision is a number."""
    bundle = made(tmp_path, seeds=2)
    run = bundle.runs_of("first")[0]
    predictions = bundle.predictions(run)
    tables = {key: table.copy() for key, table in predictions.probabilities.items()}
    for table in tables.values():
        table[:, 3] = 0
    content = Predictions(predictions.indices, predictions.labels, tables).dump()
    (tmp_path / "runs" / run.id / "predictions.npz").write_bytes(content)
    changed = replace(run, files=run.files | {"predictions.npz": sha256(content)})
    (tmp_path / "runs" / run.id / "run.json").write_bytes(encode(changed))
    odd = Page(report_of(Bundle.load(tmp_path))).all("ul", "cautions")[0].text
    assert "A class was never predicted. (first/seed-0, cat)" in odd
    assert "The stored test accuracy is not that of the stored predictions. (first/seed-0)" in odd
