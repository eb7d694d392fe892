"""What every report holds, whatever has run: sections, tables, figures, links, and where its numbers come from."""

import re
from functools import cache
from html import unescape

import pytest
from msgspec.structs import replace
from reports import Page, few_experiments, few_report, report_of, small_bundle
from suites import few, shared, simulate

from cifar_report.plain_keras import shown_excerpts
from cifar_report.report.sections import tables
from cifar_report.spec import PROFILES, Conv2D, KerasLayer, KerasObject, Trial

FEW = ("baseline", "filters", "batch_size", "learning_rate")


@cache
def whole() -> Page:
    """Return the report of all experiments, of which some have run, taken apart."""
    return Page(few_report("screen"))


def of(*ids, **settings) -> Page:
    return Page(report_of(small_bundle(*ids, **settings)))


@cache
def of_medium(medium, language="en", grade="canonical"):
    return report_of(shared(few_experiments(*FEW), seeds=3, grade=grade), medium=medium, language=language)


def test_the_report_follows_the_write_up():
    """Every section of the write-up is there with its number, whatever has run; studies that it lacks are lettered."""
    headings = [each.text for each in whole().all("h2") if "front" not in each.attributes.get("class", "")]
    assert "; ".join(headings) == (
        "Introduction; 1 Description of the algorithm; 2 Explanation of the code; Protocol; 3 Trials; "
        "4 Comparison with nearest neighbours and nearest class centroid; "
        "5 Examples of right and wrong classification; Conclusions; All claims; How to reproduce; References; Appendix"
    )
    parts = [each.text for each in whole().all("h3")]
    assert any(re.match(r"3\.14 .*augmentation", text, re.IGNORECASE) for text in parts)
    assert parts.index("3.1 The reference model") < parts.index("3.2 More filters")
    assert any(text.startswith("3.A ") for text in parts)


def test_every_id_is_there_once_and_every_link_has_its_place():
    """Ids are unique, links lead to them or to references, and the sign between two sizes keeps to both."""
    ids = whole().ids()
    assert len(ids) == len(set(ids))
    links = [each.attributes for each in whole().all("a")]
    outside = [each["href"] for each in links if each.get("class") == "doi"]
    assert len(outside) > 5
    assert all(target.startswith("https://doi.org/10.") for target in outside)
    targets = [each["href"] for each in links if each.get("class") != "doi"]
    assert all(target.startswith("#") for target in targets)
    assert {target[1:] for target in targets} <= set(ids)
    assert re.search("32\N{NO-BREAK SPACE}×\N{NO-BREAK SPACE}32", few_report("screen"))
    assert " × " not in few_report("screen")


def test_no_figure_of_a_result_stands_in_a_claims_sentences_without_its_link():
    """What is left of a claim's paragraph without its links holds no figures but counts and fixed levels."""
    said = r'<p class="statement">[^\n]*</p>\s*(?:<p class="said">[^\n]*</p>\s*)?<p>(.*?)</p>'
    paragraphs = re.findall(said, few_report("screen"), re.DOTALL)
    assert len(paragraphs) == len(few()[0].claims) == few_report("screen").count("<article ")
    assert sum('href="#d-' in paragraph for paragraph in paragraphs) > len(paragraphs) / 3
    fixed = (
        r'<span class="trial">.*?</span>( \(training \d[^)]*\))?',  # a trial\'s own name may hold figures
        r"\b(90%|95%|80%|1\.25|1\.125|1\.5|more than 60|\d+ (seeds?|blocks?|pairs?|runs?))",
        r"unusual, and counts? like every other: .*?\.(?!\d)|simulated\): (≥ )?\d+(–\d+)?\.",
        r"\b(same )?\d+ test images?|What is measured only approaches the wording: .*|without (seed|block) \d+",
    )
    for paragraph in paragraphs:
        bare = re.sub(r"<a .*?</a>", "", paragraph)
        for pattern in fixed:
            bare = re.sub(pattern, "", bare.replace("\N{NO-BREAK SPACE}", " "))
        bare = unescape(bare)
        assert not re.search(r"\d", bare), bare


def test_every_cell_holds_a_value_or_says_why_not():
    """A dash in a table carries the letter of a note below it; only the sum of layers has an empty cell."""
    for block in whole().all("div", "table-block"):
        cells = [each for each in block.inside if each.tag in ("td", "th")]
        assert sum(not cell.text.strip() for cell in cells) == ("Sum" in [cell.text for cell in cells])
        if "data" not in block.attributes["class"].split():
            letters = {cell.text[1:] for cell in cells if cell.text.startswith("–")}
            notes = [each.text for each in block.inside if "note" in each.attributes.get("class", "").split()]
            assert letters <= {note.split()[0] for note in notes}


def test_the_page_holds_all_that_it_shows_with_words_and_numbers():
    """The file holds all that it shows; pictures have words, and figures and tables numbers without a gap."""
    addresses = [each.attributes["src"] for each in whole().elements if "src" in each.attributes]
    assert len(whole().all("svg")) > 10
    assert all(address.startswith("data:") for address in addresses)
    assert not whole().all("link")
    styles = " ".join(each.text for each in whole().all("style"))
    assert not re.search(r"url\((?!data:|#)|@import", styles)
    assert all(each.attributes["alt"].strip() for each in whole().all("img"))
    for tag, label in (("figcaption", "Figure"), ("caption", "Table")):
        found = [re.match(rf"{label} (\d+)\.", each.text.strip()) for each in whole().all(tag)]
        numbers = [int(match[1]) for match in found if match]
        assert numbers == list(range(1, len(numbers) + 1)), tag


def test_every_claim_has_its_paragraph_and_its_row():
    """Each claim has its paragraph and its row, and a number's row names the runs behind it."""
    claims = few()[0].claims
    ids = [each.attributes.get("id") for each in whole().all("tr")]
    assert {f"claim-{claim.id}" for claim in claims} <= set(ids)
    assert len(whole().all("article")) == len(claims)
    table = next(each for each in whole().all("div", "verdicts"))
    assert len([each for each in table.inside if "data-outcome" in each.attributes]) == len(claims)
    rows = Page(of_medium("screen")).all("tr")
    row = next(each for each in rows if each.attributes.get("id") == "d-claim.C01a.15_epochs.estimate")
    assert row.inside[-1].text == "baseline/seed-0…2, filters_32/seed-0…2"


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"grade": "stand-in"}, "not CIFAR-10"),
        ({"grade": "unverified"}, "not verified to be the canonical"),
        ({"grade": "unverified", "canonical_labels": False}, "labels of these images are not those"),
        ({"profile": PROFILES["quick"], "seeds": 2}, "quick profile"),
        ({"profile": PROFILES["smoke"], "seeds": 2}, "smoke profile"),
        ({"seeds": 3}, "Fewer seeds were trained"),
        ({"seeds": 7}, "make chance findings likelier"),
        ({"failed": (("baseline", 1),)}, "not complete"),
    ],
    ids=["stand-in", "pixels", "labels", "quick", "smoke", "fewer-seeds", "more-seeds", "failed"],
)
def test_the_first_page_warns_of_what_limits_it(settings, words):
    """Data, profiles, seeds and runs that are not what a full report needs are named where nobody misses it."""
    page = of("baseline", **settings)
    assert words in page.all("div", "warning")[0].text
    assert page.elements.index(page.all("div", "warning")[0]) < page.elements.index(page.all("main")[0])


def test_without_a_run_the_report_says_so_and_a_full_bundle_has_no_warning():
    """Without a run there is a whole report that says what is missing; a full bundle has no warning."""
    page = of(trials=())
    assert "No network has finished its training yet" in page.all("header", "title-page")[0].text
    assert "No test came out so." in page.all("main")[0].text
    assert "This bundle holds no runs yet." in page.all("main")[0].text
    assert not of(seeds=5, timing=True).all("div", "warning")


def test_failed_runs_show_with_their_reason_and_many_runs_by_trial(monkeypatch):
    """A failed run is named with its error, and beyond the largest number of rows the appendix lists trials."""
    bundle = small_bundle(seeds=2, failed=(("filters_32", 1),))
    error = bundle.failed_of("filters_32")[0].error.strip().splitlines()[-1]
    problems = [each.text for each in Page(report_of(bundle)).all("p", "problem")]
    assert any("filters_32/seed-1" in text and error in text for text in problems)
    monkeypatch.setattr(tables, "MOST_RUN_ROWS", 5)
    bundle = small_bundle(seeds=3)
    table = next(each for each in Page(report_of(bundle)).all("table") if "Every trial; its single runs" in each.text)
    assert len([each for each in table.inside if each.tag == "tr"]) == len(bundle.trials) + 1


def test_the_code_section_is_rendered_from_the_bundle():
    """Code and symbols of an old bundle show the configuration that it holds, not today's."""
    first, *others = few_experiments()
    trials = (replace(first.trials[0], batch_size=48, learning_rate=0.0042), *first.trials[1:])
    bundle = simulate((replace(first, trials=trials), *others), seeds=2)
    page = Page(report_of(bundle))
    symbols = next(each.text for each in page.all("table") if "Symbols" in each.text)
    assert re.search(r"images in a batch: 48\b", symbols)
    assert re.search(r"learning rate: 0\.0042", symbols)
    listings = [each.text for each in page.all("pre")]
    networks = [trial for trial in bundle.trials.values() if isinstance(trial, Trial)]
    assert listings == [code for _, code in shown_excerpts(networks).values()]  # as it is copied
    assert "rows.batch(48)" in listings[3]
    assert "learning_rate=0.0042" in listings[2]
    assert all(len(text.splitlines()) <= 15 and max(map(len, text.splitlines())) <= 84 for text in listings)


def test_no_other_optimizer_stands_under_adam():
    """The algorithm's text follows the configurations: all by Adam, some by another optimizer, or none by Adam."""
    (first,) = few_experiments("baseline")
    momentum, schedule = KerasObject("SGD", {"momentum": 0.9}), KerasObject("ExponentialDecay", {"decay_steps": 9})
    other = replace(
        first.trials[1],
        optimizer=momentum,
        learning_rate=schedule,
        layers=(
            Conv2D(4, 3, activation="swish"),
            KerasLayer("SeparableConv2D", {"filters": 3}),
            *first.trials[0].layers[2:],
        ),
    )
    texts = []
    for trials in ((first.trials[0],), (first.trials[0], other), (other,)):
        bundle = simulate((replace(first, trials=trials),), seeds=2)
        page = Page(report_of(bundle))
        texts.append(" ".join(page.all("main")[0].text.split()))
    words = ("All networks are trained with Adam", "SGD(momentum=0.9) (Baseline, 30 epochs)")
    words += ("Adam keeps running means", "Adam with Keras's defaults")
    assert [[word in text for word in words] for text in texts] == [
        [True, False, False, True],
        [False, True, True, True],
        [False, True, False, False],
    ]
    for text in texts[1:]:
        assert "swish (Baseline, 30 epochs)" in text
        assert "learning rate: ExponentialDecay(decay_steps=9), optimizer: SGD(momentum=0.9)" in text
        assert "SeparableConv2D(filters=3)" in text


def test_the_trap_of_seeded_notebooks_is_told_with_the_numbers_that_there_are():
    """The code section warns of Keras's one order; the means of the trial that trains so follow where it has run."""
    few = few_experiments("baseline", "filters", "second_conv_32", "second_conv_64", "third_conv_64", "fixed_order")
    for trials, told in ((None, True), (("third_conv_64",), False)):
        settings = {"accuracies": {"fixed_order": 0.3, "third_conv_64": 0.7}, "seed_noise": 0, "seeds": 2}
        page = Page(report_of(simulate(few, trials=trials, **settings)))
        text = next(each.text for each in page.all("p") if "Notebooks hold a trap" in each.text)
        assert ("one fixed order reached a mean test accuracy of 3" in text) is told
        assert ("in every epoch, one of 7" in text or "in every epoch, one of 6" in text) is told
    own = next(each for each in page.all("article") if "P2.accuracy" in each.text)
    assert [each for each in own.inside if "said" in each.attributes.get("class", "")] == []


@pytest.mark.parametrize(("language", "grade"), [("en", "canonical"), ("en", "unverified"), ("el", "canonical")])
def test_every_linked_number_leads_to_a_row_of_its_own(language, grade):
    """On the screen each number's link has exactly one target, and each target is linked to."""
    html = of_medium("screen", language, grade)
    targets = re.findall(r'<tr id="(d-[^"]+)"', html)
    assert len(targets) == len(set(targets)) > 50
    assert set(re.findall(r'href="#(d-[^"]+)"', html)) == set(targets)


def test_paper_leaves_full_tables_to_the_screen_and_the_attached_numbers():
    """The print has no table of all numbers nor of layers, and of each training's epochs no more than four."""
    screen, paper = Page(of_medium("screen")), Page(of_medium("print"))
    assert not [each for each in paper.all("a") if each.attributes["href"].startswith("#d-")]
    for words in ("Every number with its origin", "layer by layer"):
        assert words in screen.all("main")[0].text
        assert words not in paper.all("main")[0].text
    blocks = [[row.inside[0].text for row in each.inside if row.tag == "tr"] for each in paper.all("div", "epochs")]
    assert [block[1:] for block in blocks[:1]] == [["1", "5", "10", "15"]]
    told = [number for each in screen.all("caption") for number in re.findall(r"^Table \d+", each.text)]
    printed = [number for each in paper.all("caption") for number in re.findall(r"^Table \d+", each.text)]
    assert printed == told[: len(printed)]
    assert len(printed) > 5
    short = report_of(small_bundle("baseline", seeds=2, profile=PROFILES["smoke"]), medium="print")
    assert "epoch by epoch" in short
    assert "some of its epochs" not in short
