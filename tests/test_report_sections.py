import re
from functools import cache
from html import unescape

import pytest
from msgspec.structs import replace
from reports import Page, few_experiments, report_of, small_bundle
from suites import few, few_figures, simulated

from cifar_report.bundle import Bundle, Run, write_record, write_run
from cifar_report.report.sections import tables
from cifar_report.spec import PROFILES


@cache
def source() -> str:
    """Return the report of all experiments, of which some have run, with its figures."""
    return report_of(few()[0], few_figures())


@cache
def whole() -> Page:
    """Return that report taken apart."""
    return Page(source())


@cache
def small() -> Page:
    """Return the report of three experiments, all of them run."""
    return Page(report_of(small_bundle(seeds=5, timing=True)))


def of(*ids, **settings) -> Page:
    """Return the report of a bundle of three experiments, or of those that are named."""
    return Page(report_of(small_bundle(*ids, **settings)))


def test_every_section_of_the_write_up_is_there_in_its_order():
    """The report follows the write-up, whatever has run."""
    headings = [each.text for each in whole().all("h2") if "front" not in each.attributes.get("class", "")]
    assert headings == [
        "How to read the verdicts",
        "Introduction",
        "1 Description of the algorithm",
        "2 Explanation of the code",
        "3 Trials",
        "4 Comparison with nearest neighbours and nearest class centroid",
        "5 Examples of right and wrong classification",
        "Conclusions",
        "All claims and their verdicts",
        "Appendix",
    ]


def test_augmentation_keeps_the_number_that_it_has_in_the_write_up():
    """The studies are lettered, so that what the write-up has keeps its numbers."""
    headings = [each.text for each in whole().all("h3")]
    assert any(re.match(r"3\.14 .*augmentation", text, re.IGNORECASE) for text in headings)
    assert headings.index("3.1 The reference model") < headings.index("3.2 More filters")
    assert any(text.startswith("3.A ") for text in headings)


def test_every_id_is_there_once_and_every_link_has_its_place():
    """No link leads nowhere, and none leaves the file."""
    ids = whole().ids()
    assert len(ids) == len(set(ids))
    targets = [each.attributes["href"] for each in whole().all("a")]
    assert all(target.startswith("#") for target in targets)
    assert {target[1:] for target in targets} <= set(ids)


def test_every_number_of_a_sentence_leads_to_its_row():
    """A number in a sentence is a link to the row that says where it comes from."""
    links = [each for each in whole().all("a") if each.attributes["href"].startswith("#d-")]
    assert len(links) > 100
    rows = {each.attributes["id"]: each for each in whole().all("tr") if each.attributes.get("id", "").startswith("d-")}
    for link in links:
        assert link.attributes["href"][1:] in rows


def test_no_figure_of_a_result_stands_in_a_claims_sentences_without_its_link():
    """What is left of a claim's paragraph without its links holds no figures but counts and fixed levels."""
    paragraphs = re.findall(r'<p class="said">.*?</p>\s*<p>(.*?)</p>', source(), re.DOTALL)
    assert len(paragraphs) == len(few()[0].claims) == source().count("<article ")
    assert sum('href="#d-' in paragraph for paragraph in paragraphs) > len(paragraphs) / 3
    for paragraph in paragraphs:
        bare = unescape(re.sub(r"<a .*?</a>", "", paragraph))
        bare = re.sub(r"“.*?”( \(training \d[^)]*\))?", "", bare)  # a trial's own name may hold figures
        bare = re.sub(r"\b(95%|80%|1\.25|n = \d+|\d+ (seeds?|blocks?|pairs?|differences?))", "", bare)
        bare = re.sub(r"\b(same )?\d+ test images?", "", bare)
        bare = re.sub(r"What is measured only approaches the wording: .*", "", bare)
        bare = re.sub(r"without seed \d+", "", bare)
        assert not re.search(r"\d", bare), bare


def test_no_cell_is_empty():
    """A cell holds a value, or a dash with a letter that says why; only the sum of layers has no shape."""
    for row in whole().all("tr"):
        cells = [each for each in row.inside if each.tag in ("td", "th")]
        if cells[0].text == "Sum":
            continue
        assert all(cell.text.strip() for cell in cells), row.text


def test_every_dash_says_why():
    """A dash in a table carries the letter of a note, and the note is there."""
    for block in whole().all("div", "table-block"):
        if "data" in block.attributes["class"].split() and "Data of Figure" in block.text:
            continue
        dashes = [each for each in block.inside if each.tag in ("td", "th") and each.text.startswith("–")]
        assert all(len(cell.text) > 1 for cell in dashes), block.text[:80]
        letters = {cell.text[1:] for cell in dashes}
        notes = [each.text for each in block.inside if "note" in each.attributes.get("class", "").split()]
        assert letters <= {note.split()[0] for note in notes}


def test_nothing_is_fetched_from_outside():
    """The file holds all that it shows."""
    addresses = [each.attributes["src"] for each in whole().elements if "src" in each.attributes]
    assert len(addresses) > 20
    assert all(address.startswith("data:") for address in addresses)
    assert not whole().all("link")
    styles = " ".join(each.text for each in whole().all("style"))
    assert not re.search(r"url\((?!data:)|@import", styles)


def test_every_picture_has_words_and_every_figure_a_number():
    """Pictures have alternative texts, and figures are numbered without a gap."""
    assert all(each.attributes["alt"].strip() for each in whole().all("img"))
    numbers = [int(re.match(r"Figure (\d+)\.", each.text.strip())[1]) for each in whole().all("figcaption")]
    assert numbers == list(range(1, len(numbers) + 1))


def test_tables_are_numbered_in_the_order_in_which_they_stand():
    """The captions' numbers grow without a gap."""
    captions = [each.text.strip() for each in whole().all("caption")]
    numbers = [int(found[1]) for text in captions if (found := re.match(r"Table (\d+)\.", text))]
    assert sorted(numbers) == list(range(1, len(numbers) + 1))


def test_the_first_page_says_what_came_out_in_five_sentences():
    """The summary has five sentences, whatever came out."""
    for page in (whole(), small(), of(seeds=1), of(trials=())):
        abstract = page.all("section", "abstract")[0]
        summary = [each for each in abstract.inside if each.tag == "p"][1].text
        assert len(re.findall(r"[.!?](?=\s|$)", re.sub(r"“.*?”", "x", summary))) == 5, summary


def test_every_claim_has_its_paragraph_and_its_row():
    """Each claim of the bundle stands in its section and in the table of all claims."""
    claims = few()[0].claims
    assert {each.attributes["id"] for each in whole().all("article")} == {f"claim-{claim.id}" for claim in claims}
    rows = [each for each in whole().all("tr") if "data-outcome" in each.attributes]
    assert len(rows) == len(claims)


def test_a_full_run_on_canonical_data_carries_no_warning():
    """Nothing is warned about where nothing is wrong."""
    assert not small().all("div", "warning")


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"grade": "stand-in"}, "not CIFAR-10"),
        ({"grade": "unverified"}, "not verified to be the canonical"),
        ({"grade": "unverified", "canonical_labels": False}, "labels of these images are not those"),
        ({"profile": PROFILES["quick"], "seeds": 2}, "quick profile"),
        ({"profile": PROFILES["smoke"], "seeds": 2}, "smoke profile"),
        ({"seeds": 3}, "Fewer seeds were trained"),
        ({"seeds": 7}, "number of seeds was changed"),
        ({"failed": (("baseline", 1),)}, "not complete"),
    ],
    ids=["stand-in", "pixels", "labels", "quick", "smoke", "fewer-seeds", "more-seeds", "failed"],
)
def test_the_first_page_warns_of_what_limits_it(settings, words):
    """Data, profiles, seeds and runs that are not what a full report needs are named where nobody misses it."""
    page = of("baseline", **settings)
    assert words in page.all("div", "warning")[0].text
    assert page.elements.index(page.all("div", "warning")[0]) < page.elements.index(page.all("main")[0])


def test_a_report_is_built_from_nothing_at_all():
    """Without a single run there is a whole report, and it says what is missing."""
    page = of(trials=())
    assert "None of its runs has finished" in page.all("main")[0].text.replace("none", "None")
    assert "This bundle holds no runs yet." in page.all("main")[0].text
    assert not [each for each in page.all("span", "badge") if each.text in ("reproduced", "inconclusive")][5:]


def test_a_failed_run_shows_with_its_reason():
    """The section of a trial names the run that failed and the last line of its traceback."""
    bundle = small_bundle(seeds=2, failed=(("filters_32", 1),))
    error = bundle.failed_of("filters_32")[0].error.strip().splitlines()[-1]
    problems = [each.text for each in Page(report_of(bundle)).all("p", "problem")]
    assert any("filters_32/seed-1" in text and error in text for text in problems)


def test_texts_of_a_bundle_never_become_markup():
    """A title, an error and a host's name are shown as they are, whoever wrote them."""
    evil = "<script>alert('x')</script><img src=x onerror=y>"
    experiments = few_experiments()
    title = f"Baseline {evil}"
    trials = tuple(replace(each, title=title) if each.id == "baseline" else each for each in experiments[0].trials)
    changed = (replace(experiments[0], trials=trials, question=title, explanation=title), *experiments[1:])
    bundle, _ = simulated(changed, seeds=2)
    run = bundle.runs_of("baseline")[0]
    failed = Run(
        trial=run.trial,
        seed=1,
        status="failed",
        key=evil,
        key_parts={},
        spec_hash=run.spec_hash,
        error=f"Traceback\nValueError: {evil}",
    )
    write_run(bundle.folder, failed, {}, {})
    environment = replace(bundle.record.environment, processor=evil, platform=evil, packages={evil: evil})
    write_record(bundle.folder, replace(bundle.record, environment=environment))
    spoilt = report_of(Bundle.load(bundle.folder))
    page = Page(spoilt)
    assert len(page.all("script")) == 1
    assert not [each for each in page.elements if "onerror" in each.attributes]
    assert spoilt.count("&lt;script&gt;") >= 5


def test_one_seed_makes_no_recipe_claim():
    """With one seed every claim about configurations is undecided, and the sentence says that seeds are lacking."""
    page = of(seeds=1, profile=replace(PROFILES["full"], seeds=1))
    bodies = [each.text for each in page.all("article") if "C01a" in each.attributes["id"]]
    assert bodies
    assert all("with one seed" in text for text in bodies)


def test_swapping_two_trials_swaps_what_is_said():
    """Verdicts and sentences follow the data and nothing else."""
    claim = "claim-C01a.30_epochs.one_change"
    texts = []
    for first, second in ((0.7, 0.5), (0.5, 0.7)):
        accuracies = {"baseline_30_epochs": first, "filters_32_30_epochs": second}
        page = of(seeds=5, accuracies=accuracies, counts=(800, 200, 1000))
        texts.append(next(each.text for each in page.all("article") if each.attributes["id"] == claim))
    assert "exceeded" in texts[0]
    assert "support the claim" in texts[0]
    assert "stayed below" in texts[1]
    assert "support the claim" not in texts[1]


def test_the_code_section_is_rendered_from_the_bundle():
    """An old bundle shows the configuration that it holds, not today's."""
    experiments = few_experiments()
    trials = tuple(
        replace(each, batch_size=48, learning_rate=0.0042) if each.id == "baseline" else each
        for each in experiments[0].trials
    )
    bundle, _ = simulated((replace(experiments[0], trials=trials), *experiments[1:]), seeds=2)
    listing = Page(report_of(bundle)).all("pre")[0].text
    assert "batch_size=48" in listing
    assert "learning_rate=0.0042" in listing


def test_the_full_report_stays_small():
    """All experiments with figures and five seeds of some fit well below four megabytes."""
    assert len(source().encode()) < 4_000_000


def test_many_runs_get_one_row_a_trial(monkeypatch):
    """Beyond the largest number of rows the appendix lists trials, and says where the single runs are."""
    monkeypatch.setattr(tables, "MOST_RUN_ROWS", 5)
    bundle = small_bundle(seeds=3)
    page = Page(report_of(bundle))
    table = next(each for each in page.all("table") if "Every trial; its single runs" in each.text)
    assert len([each for each in table.inside if each.tag == "tr"]) == len(bundle.trials) + 1
