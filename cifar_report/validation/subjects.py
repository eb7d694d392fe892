"""What is held against the validators: bundles, and the reports built from them in every language."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from cifar_report.bundle import Bundle, is_bundle
from cifar_report.bundle.crate import write_crate
from cifar_report.bundle.manifest import write_manifest
from cifar_report.errors import UsageError
from cifar_report.registry import load_experiments
from cifar_report.report.build import build_report
from cifar_report.simulation import Simulation, simulate_bundle
from cifar_report.spec import LANGUAGES, PROFILES
from cifar_report.validation.validators import Report, Subject

REFERENCE = Path(__file__).parents[2] / "report" / "reference"
SEEDS = 3  # of the simulated bundle: the fewest that give every kind of sentence


@contextmanager
def subjects(bundles: Sequence[Path]) -> Iterator[tuple[tuple[Subject, ...], str]]:
    """Give every subject, built in a folder that is removed at the end, and a note on what was left out.

    ``bundles``: instead of a simulated one of the smoke profile. The reference bundle comes with them where the
    checkout holds it. Raises UsageError for a folder that is no bundle.
    """
    for folder in bundles:
        if not is_bundle(folder):
            raise UsageError(f"{folder} is no results bundle")
    with tempfile.TemporaryDirectory() as place:
        chosen = list(bundles) or [simulate(Path(place) / "simulated-smoke")]
        note = ""
        if not is_bundle(REFERENCE):
            note = "the reference report is left out: report/reference holds no bundle"
        elif REFERENCE not in [folder.resolve() for folder in chosen]:
            chosen.append(REFERENCE)
        yield tuple(build(folder, Path(place) / f"report-{number}") for number, folder in enumerate(chosen)), note


def simulate(folder: Path) -> Path:
    """Write a simulated bundle of all experiments under the smoke profile, described as a real one is."""
    simulation = Simulation(profile=PROFILES["smoke"], seeds=SEEDS, timing=True)
    bundle = simulate_bundle(folder, load_experiments(), simulation)
    write_crate(folder, bundle.record)
    write_manifest(folder)
    return folder


def build(folder: Path, output: Path, languages: Sequence[str] = LANGUAGES) -> Subject:
    """Build a bundle's reports in each language."""
    written = build_report(Bundle.load(folder), output, languages)
    pages = [path for path in written if path.suffix == ".html"]
    return Subject(folder.name, folder, tuple(Report(page, page.with_suffix(".pdf")) for page in pages))
