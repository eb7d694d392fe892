"""Whether the PDF is whole (qpdf), accessible (PDF/UA-1) and fit for an archive (PDF/A-3a; both veraPDF)."""

from __future__ import annotations

import shutil
from pathlib import Path

from cifar_report.validation.outcomes import MissingTool
from cifar_report.validation.tools import find_program, java, run, verapdf_classes

PROGRAM = Path(__file__).with_name("VeraCheck.java")
MOST_FINDINGS = 20


def check_structure(document: Path) -> list[str]:
    """Return what ``qpdf --check`` objects to, warnings included."""
    qpdf = find_program(["qpdf"], "install it (Debian: apt-get install qpdf)")
    done = run(qpdf, "--check", document)
    if done.returncode == 0:
        return []
    lines = [line for line in (done.stderr + done.stdout).splitlines() if line.strip()]
    return lines[:MOST_FINDINGS] or [f"exit status {done.returncode}"]


def read_text(document: Path) -> str:
    """Return the text of a PDF in the order of its content, pages separated by form feeds."""
    pdftotext = find_program(["pdftotext"], "install poppler (Debian: apt-get install poppler-utils)")
    done = run(pdftotext, "-raw", "-enc", "UTF-8", document, "-")
    if done.returncode != 0:
        raise MissingTool(f"pdftotext could not read {document.name}: {done.stderr.strip()[-200:]}")
    return done.stdout


def check_accessibility(document: Path) -> list[str]:
    """Return the rules of PDF/UA-1 that a PDF breaks."""
    return _verapdf(document, "ua1")


def check_archive(document: Path) -> list[str]:
    """Return the rules of PDF/A-3a that a PDF breaks."""
    return _verapdf(document, "3a")


def _verapdf(document: Path, flavour: str) -> list[str]:
    """Ask the program ``verapdf`` where there is one, else the library through a small program of our own."""
    if program := shutil.which("verapdf"):
        done = run(program, "--format", "text", "-v", "-f", flavour, document)
    else:
        find_program(["javac"], "veraPDF's library needs a JDK (Debian: apt-get install default-jdk-headless)")
        done = run(java(), "-Xmx1g", "-cp", verapdf_classes(), PROGRAM, flavour, document)
    return broken_rules(done.stdout, done.stderr)


def broken_rules(answer: str, complaint: str = "") -> list[str]:
    """Return the broken rules in veraPDF's answer; raises MissingTool when it holds no judgement."""
    lines = [line.strip() for line in answer.splitlines()]
    verdicts = [line.split()[0] for line in lines if line.split()[:1] in (["PASS"], ["FAIL"])]
    if not verdicts:
        raise MissingTool(f"veraPDF did not judge the file: {(complaint or answer).strip()[-300:] or 'no answer'}")
    if verdicts == ["PASS"]:
        return []
    failures = [line for line in lines if line.startswith("FAIL")]
    return failures[:MOST_FINDINGS] or ["veraPDF does not pass it, and names no rule"]
