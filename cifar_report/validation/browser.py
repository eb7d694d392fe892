"""A real browser: axe-core's rules, requests that leave the page, script errors, and the page as it is used."""

from __future__ import annotations

import contextlib
import functools
import os
import re
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from cifar_report.validation.driving import close_figure, filter_verdicts, open_figure, sort_tables
from cifar_report.validation.outcomes import MissingTool
from cifar_report.validation.tools import BROWSERS, npm_packages

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
RUN_AXE = """([context, values]) =>
  axe.run(context || document, { runOnly: { type: 'tag', values }, resultTypes: ['violations'] })"""
INSIDE = ("data:", "blob:", "about:")
WIDER = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
BROKEN_IMAGES = "() => [...document.querySelectorAll('img[src]')].filter((each) => !each.naturalWidth).length"
MOST_FINDINGS = 20
PATIENCE = 120  # seconds that a step may take: playwright's own 30 are few for a large page on a busy machine


class Look(NamedTuple):
    """How a page is looked at."""

    name: str
    width: int  # CSS pixels
    height: int
    scheme: str


LOOKS = (Look("desktop, light", 1440, 900, "light"), Look("phone, dark", 390, 844, "dark"))
"""Each width and each colour scheme once: nothing in the style sheets hangs on both at the same time."""


@dataclass
class Watch:
    """What a page did that it must not do."""

    address: str
    findings: list[str] = field(default_factory=list)

    def attach(self, page: Any) -> None:
        """Listen to a page: to its requests, its errors and its console."""
        page.on("request", lambda request: self._request(request.url))
        page.on("pageerror", lambda error: self.findings.append(f"script error: {error}"))
        page.on("console", self._console)

    def _request(self, address: str) -> None:
        inside = address.partition("#")[0] == self.address or address.startswith(INSIDE)
        if not inside:
            self.findings.append(f"a request leaves the page: {address[:120]}")

    def _console(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self.findings.append(f"the console says: {message.text[:200]}")


@contextlib.contextmanager
def browser() -> Iterator[Any]:
    """Give a headless Chromium, driven by playwright; raises MissingTool where one of them is not installed."""
    try:
        from playwright.sync_api import Error, sync_playwright
    except ImportError as error:
        raise MissingTool("the package playwright is not installed") from error
    with sync_playwright() as playwright:
        program = _find_browser(playwright.chromium.executable_path)
        try:
            running = playwright.chromium.launch(executable_path=program, args=_flags())
        except Error as error:
            raise MissingTool(f"{program} does not start: {str(error).splitlines()[0]}") from error
        try:
            yield running
        finally:
            running.close()


def _find_browser(own: str) -> str:
    for name in BROWSERS:
        if found := shutil.which(name):
            return found
    if Path(own).is_file():
        return own
    raise MissingTool("no Chromium or Chrome is installed (Debian: apt-get install chromium)")


def _flags() -> list[str]:
    quiet = ["--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync"]
    root = hasattr(os, "geteuid") and os.geteuid() == 0
    return [*quiet, "--no-first-run", *(["--no-sandbox"] if root else [])]  # the sandbox refuses to run as root


def check_page(page_file: Path, *, driven: bool = True) -> list[str]:
    """Return what a browser finds wrong with a page, in each look; ``driven``: also used, and without scripts.

    Raises MissingTool where no browser, or nothing to drive it, is installed.
    """
    findings: list[str] = []
    with browser() as running:
        from playwright.sync_api import Error

        try:
            for look in LOOKS:
                steps = _use if driven and look is LOOKS[0] else None
                findings += (f"{look.name}: {each}" for each in _look(running, page_file, look, steps))
            if driven:
                findings += (f"without scripts: {each}" for each in _without_scripts(running, page_file))
        except Error as error:
            findings.append(f"the browser could not go on: {str(error).splitlines()[0]}")
    return findings[:MOST_FINDINGS]


def _look(running: Any, page_file: Path, look: Look, steps: Callable[[Any], Iterator[str]] | None) -> list[str]:
    size = {"width": look.width, "height": look.height}
    context = running.new_context(viewport=size, color_scheme=look.scheme, reduced_motion="reduce")
    with contextlib.closing(context):
        page, watch = _open(context, page_file)
        watch.findings += _axe(page)
        if (wider := page.evaluate(WIDER)) > 0:
            watch.findings.append(f"the page is {wider} pixels wider than the window")
        if broken := page.evaluate(BROKEN_IMAGES):
            watch.findings.append(f"{broken} pictures are not shown")
        if steps is not None:
            watch.findings += steps(page)
        return watch.findings


def _open(context: Any, page_file: Path) -> tuple[Any, Watch]:
    """Return the page in a new tab, and what watches it since before it was asked for."""
    context.set_default_timeout(PATIENCE * 1000)
    page = context.new_page()
    watch = Watch(page_file.resolve().as_uri())
    watch.attach(page)
    page.goto(watch.address)
    return page, watch


def _axe(page: Any, context: str | None = None) -> list[str]:
    page.evaluate(_axe_source())
    found = page.evaluate(RUN_AXE, [context, RULES])
    return violations(found)


@functools.cache
def _axe_source() -> str:
    return (npm_packages() / "axe-core" / "axe.min.js").read_text(encoding="utf-8")


def violations(found: dict[str, Any]) -> list[str]:
    """Return the violations in axe-core's answer, each with the first element that it stands for."""
    if not found["passes"] and not found["violations"]:
        return ["axe-core found nothing to look at"]
    return [
        f"{each['id']} ({each['impact']}), {len(each['nodes'])} times: {each['help']}: {each['nodes'][0]['html'][:120]}"
        for each in found["violations"]
    ]


def _use(page: Any) -> Iterator[str]:
    """Use the page as a reader does, and hold what has changed against axe-core's rules."""
    yield from sort_tables(page)
    yield from open_figure(page)
    yield from (f"with an enlarged figure: {each}" for each in _axe(page, "dialog"))
    yield from close_figure(page)
    yield from filter_verdicts(page)
    yield from (f"with the filter: {each}" for each in _axe(page, "fieldset.filter"))


def _without_scripts(running: Any, page_file: Path) -> list[str]:
    """Return what a reader without scripts would miss: every word and picture must be there."""
    findings, words = [], []
    for scripts in (True, False):
        with contextlib.closing(running.new_context(java_script_enabled=scripts)) as context:
            page, watch = _open(context, page_file)
            words.append(Counter(page.locator("main").inner_text().split()))
            if not scripts:
                findings += watch.findings
    if missing := words[0] - words[1] - Counter(script_words(page_file)):
        findings.append(f"{missing.total()} words are missing, among them {', '.join(list(missing)[:5])}")
    return findings


def script_words(page_file: Path) -> list[str]:
    """Return the words of the controls that a script adds; they stand in attributes of the element ``words``."""
    found = re.search(r'<div id="words"[^>]*>', page_file.read_text(encoding="utf-8"))
    return " ".join(re.findall(r'"([^"]*)"', found[0])).split() if found else []
