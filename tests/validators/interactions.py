"""What the page's script offers, used as a reader would in Chromium: by keyboard and pointer, at three widths."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from traceback import extract_tb
from typing import Any, Literal

from lab import check_lab
from playwright.sync_api import Browser, Error, Page

from cifar_report.bundle import Bundle

Scheme = Literal["light", "dark"]
WIDTHS, SCHEMES = (390, 768, 1440), ("light", "dark")
MOST_BYTES = 5 * 2**20
CONTROLS = ["#lab", "#compare", "#confusions", "#evidence", ".tools", ".claims-tools", "#t-verdicts"]
AXE = """([include, values]) => axe.run({ include: include.filter((each) => document.querySelector(each)) },
  { runOnly: { type: "tag", values }, resultTypes: ["violations"] })"""


def check_interactions(browser: Browser, page_file: Path, bundle: Bundle, axe: str, rules: list[str]) -> Iterator[str]:
    """Yield what does not work as it should in a page of ``bundle``; ``axe`` is the source of axe-core."""
    if page_file.stat().st_size > MOST_BYTES:
        yield f"the file has more than {MOST_BYTES:,} bytes"
    for check in (modes, contents, languages, evidence, claims, lab_controls, comparison, seeds, confusions):
        context = browser.new_context(
            viewport={"width": 1440, "height": 900}, permissions=["clipboard-read", "clipboard-write"]
        )
        yield from _tried(check, context.new_page(), page_file)
        context.close()
    if page_file.name != "report.html":  # the script computes and draws the same in all languages
        return
    page = browser.new_page()
    page.goto(page_file.as_uri())
    yield from check_lab(page, bundle)
    page.close()
    context = browser.new_context(java_script_enabled=False)
    yield from _tried(without_script, context.new_page(), page_file)
    context.close()
    for width in WIDTHS:
        for scheme in SCHEMES:
            yield from _in_use(browser, page_file, width, scheme, axe, rules)  # type: ignore[arg-type]


def _tried(check: Callable[[Page], None], page: Page, page_file: Path) -> Iterator[str]:
    try:
        page.goto(page_file.as_uri())
        check(page)
    except (AssertionError, Error) as error:
        *_, line = (each.lineno for each in extract_tb(error.__traceback__) if each.filename == __file__)
        yield f"{check.__name__}: {error or 'an assertion'} (line {line})"


def _data(page: Page) -> Any:
    return json.loads(page.locator("#page-data").text_content() or "")


def _press(page: Page, selector: str, key: str = "Enter") -> None:
    """Focus an element and press a key, as who has no pointer does."""
    page.locator(selector).first.focus()
    page.keyboard.press(key)


def modes(page: Page) -> None:
    """Check that findings hide the chapters, everything opens all details, a link to what is hidden shows it again."""
    inside, details = page.locator(".chapter-code"), "main details:not([open])"
    folded = page.locator(details).count()
    assert inside.is_visible()
    assert folded
    _press(page, '.modes [value="findings"]')
    assert not inside.is_visible()
    assert page.locator("#t-verdicts").is_visible()
    page.reload()
    assert not inside.is_visible(), "the address keeps no mode"
    page.evaluate("location.hash = '#code'")
    inside.wait_for(state="visible")
    _press(page, '.modes [value="everything"]', " ")
    assert not page.locator(details).count()
    _press(page, '.modes [value="report"]')
    assert page.locator(details).count() == folded


def contents(page: Page) -> None:
    """Check that the contents mark the section that is read, and only that."""
    for name in ("protocol", "experiment-kernel", "verdicts"):
        page.evaluate("name => document.getElementById(name).scrollIntoView()", name)
        page.locator(f'.contents a[href="#{name}"][aria-current]').wait_for(timeout=5000)
        assert page.locator(".contents [aria-current]").count() == 1


def languages(page: Page) -> None:
    """Check that the link to the other language leads to the same section of the file beside it."""
    page.evaluate("location.hash = '#verdicts'")
    before = page.locator("html").get_attribute("lang")
    _press(page, ".tools a[hreflang]")
    page.wait_for_url("**/*.html#verdicts")
    assert page.locator("html").get_attribute("lang") != before


def evidence(page: Page) -> None:
    """Check that a number, claim, table or figure that a link names is seen in place, by keyboard and by pointer."""
    panel = page.locator("#evidence")
    link = page.locator('.abstract a[href^="#d-"]').first
    page.locator(".tools a").last.focus()
    page.keyboard.press("Tab")
    page.wait_for_function("document.querySelector('#evidence').matches(':popover-open')")
    assert link.evaluate("each => each === document.activeElement")
    assert (link.text_content() or "").split(" ")[0] in (panel.text_content() or "")
    page.keyboard.press("Escape")
    assert not panel.is_visible()
    claim = page.locator('#t-verdicts a.claim[href="#claim-C03c.accuracy"]')
    claim.click()
    assert panel.locator(".statement").is_visible()
    claim.click()
    assert page.url.endswith("#claim-C03c.accuracy"), "a second click does not lead there"
    for kind, inner in (("t", "table"), ("f", "svg")):
        seen = page.locator(f'main p a[href^="#{kind}-"]').first
        if seen.count():
            seen.click()
            assert panel.locator(inner).first.is_visible()
            panel.locator("button").click()
            assert not panel.is_visible()


def claims(page: Page) -> None:
    """Check that one press shows one verdict, words are found, the address keeps both, and rows are copied."""
    shown = page.locator("#t-verdicts tbody tr:visible")
    everyone = shown.count()
    _press(page, '.picks [value="not_reproduced"]')
    few = shown.count()
    assert 0 < few < everyone
    assert shown.evaluate_all("rows => rows.every((row) => row.dataset.outcome === 'not_reproduced')")
    page.locator(".claims-tools input").fill((shown.locator("td").first.text_content() or "")[:3])
    found = shown.count()
    assert 0 < found < few
    page.reload()
    assert shown.count() == found, "the address keeps no filter"
    for kind, separator, lines in (("csv", ",", found + 1), ("latex", " & ", found + 6)):
        _press(page, f'.claims-tools [value="{kind}"]')
        page.wait_for_function(
            "count => document.querySelector('.claims-tools [role=status]').textContent.includes(count)", arg=str(found)
        )
        text = page.evaluate("navigator.clipboard.readText()")
        assert len(text.strip().split("\n")) == lines, text
        assert text.count(separator) >= 9 * (found + 1)
    page.locator(".claims-tools input").fill("")
    _press(page, '.picks [value="not_reproduced"]', " ")
    assert shown.count() == everyone
    order = shown.locator("a.claim").all_text_contents()
    button = page.locator("#t-verdicts thead button").nth(1)
    place = button.evaluate("each => each.parentElement.cellIndex + 1")
    button.press("Enter")
    counts = [re.match(r"[\d.,]+", text) for text in shown.locator(f":scope > :nth-child({place})").all_text_contents()]
    numbers = [int(re.sub("[.,]", "", each[0])) for each in counts if each]
    assert numbers == sorted(numbers) != []
    button.press("Enter")
    button.press("Enter")
    assert shown.locator("a.claim").all_text_contents() == order


def lab_controls(page: Page) -> None:
    """Check that registered settings change nothing; others say so until a reset."""
    banner, changed = page.locator(".exploratory strong"), page.locator("#lab tr.changed")
    counts = page.locator("#lab .counts").text_content()
    assert not banner.is_visible()
    assert not changed.count(), "a verdict of the page is not the registered one"
    for _ in range(4):
        _press(page, '#lab [name="margin"]', "ArrowRight")
    assert banner.is_visible()
    assert changed.count()
    assert page.locator("#lab .counts").text_content() != counts
    _press(page, '#lab [type="reset"]')
    banner.wait_for(state="hidden")
    assert page.locator("#lab .counts").text_content() == counts
    before = page.locator("#lab .effect").evaluate_all("all => all.map((each) => each.innerHTML)")
    _press(page, '#lab [name="seed"]', " ")
    assert banner.is_visible()
    assert page.locator("#lab .effect").evaluate_all("all => all.map((each) => each.innerHTML)") != before


def comparison(page: Page) -> None:
    """Check that two chosen trials show their changes, every seed's curve, accuracies and joining claims."""
    data = _data(page)
    page.locator('#compare [name="first"]').select_option("baseline")
    page.locator('#compare [name="second"]').select_option("pool_3x3")
    assert page.locator("#compare .chips li").all_text_contents() == data["changes"]["baseline|pool_3x3"]
    curves = sum(len(each["curves"]) for each in data["trials"] if each["id"] in ("baseline", "pool_3x3"))
    assert page.locator("#compare path[data-seed]").count() == curves > 1
    assert page.locator("#compare .seeds tbody tr").count() == curves // 2 + 1
    joined = [each["id"] for each in data["claims"] if set(each["trials"]) == {"baseline", "pool_3x3"}]
    assert page.locator("#compare .joining .claim").all_text_contents() == joined != []
    assert "second=pool_3x3" in page.url


def seeds(page: Page) -> None:
    """Check that a run under the pointer, or its focused button, lights up in every drawing, and no other run does."""
    _press(page, ".seeds button")
    expected = page.locator(".seeds button").first.get_attribute("data-trial") or ""
    lit = page.locator("svg .lit[data-seed]").evaluate_all("all => all.map((e) => [e.dataset.seed, e.dataset.trial])")
    assert len(lit) > 10
    assert {seed for seed, _ in lit} == {"0"}
    assert {trial for _, trial in lit} == set(expected.split(" "))
    page.locator('#f-ladder [data-seed="1"][data-trial="dropout"] use').hover(force=True)
    again = page.locator("svg .lit[data-seed]").evaluate_all("all => all.map((e) => [e.dataset.seed, e.dataset.trial])")
    assert len(again) > 3
    assert all(each == ["1", "dropout"] for each in again)


def confusions(page: Page) -> None:
    """Check that each cell shows at most six images, and says which; the cells hold every test image."""
    found = _data(page)["confusions"]
    cells = page.locator("#confusions .cells button")
    assert cells.count() == len(found["classes"]) ** 2
    wrong = [each for each in range(cells.count()) if each % (len(found["classes"]) + 1)]  # beside the diagonal
    place = max(wrong, key=lambda each: len(found["cells"][each][1]))
    cells.nth(place).press("Enter")
    tiles = page.locator("#confusions .tile")
    count, images = found["cells"][place]
    assert tiles.count() == len(images) == min(6, count)
    assert images, "no cell beside the diagonal holds an image"
    assert str(images[0][0]) in (tiles.first.get_attribute("aria-label") or "").replace(",", "").replace(".", "")
    drawn = tiles.first.evaluate("each => getComputedStyle(each).backgroundImage.slice(0, 15)")
    assert drawn.startswith('url("data:image' if found["sprite"] else "none")


def without_script(page: Page) -> None:
    """Check that everything is readable without the script, and no control is there that does nothing."""
    assert page.locator(".chapter-code").is_visible()
    assert page.locator("#t-verdicts tbody tr:visible").count() > 0
    assert not page.locator("button:visible, select:visible, input:visible").count()


def _in_use(browser: Browser, page_file: Path, width: int, scheme: Scheme, axe: str, rules: list[str]) -> Iterator[str]:
    """Yield what axe-core objects to in the controls, and overflow, with all of them in use."""
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page.set_default_timeout(120_000)
    page.goto(page_file.as_uri())
    page.locator("#confusions .cells button").first.press("Enter")
    _press(page, '#lab [name="margin"]', "ArrowLeft")
    page.locator("#lab a.claim").first.click()
    page.evaluate(axe)
    answer = page.evaluate(AXE, [CONTROLS, rules])
    where = f"controls, {width} pixels wide, {scheme}"
    yield from (f"{where}: {each['id']}: {each['nodes'][0]['html'][:120]}" for each in answer["violations"])
    if page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
        yield f"{where}: the page is wider than the window"
    page.close()
