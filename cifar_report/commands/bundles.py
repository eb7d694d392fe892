"""The commands on finished bundles: report, verify, compare, and bundle export, import, copy, add and merge."""

from __future__ import annotations

import os
import sys
from argparse import Namespace
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cifar_report.commands import check_options, languages, print_json, split_words, tell, warn
from cifar_report.errors import SuiteError, UsageError

if TYPE_CHECKING:
    from cifar_report.bundle import Bundle
    from cifar_report.bundle.certificates import Certificate, Deviation, Rerun
    from cifar_report.verify.compare import Comparison


def report(options: Namespace) -> int:
    """Render a bundle as HTML and PDF; never trains."""
    from cifar_report.bundle import Bundle, find_bundle
    from cifar_report.registry import load_study

    check_options(options)
    folder = find_bundle(options.bundle, options.profile, load_study())
    bundle = Bundle.load(folder)
    if options.bundle is None:  # it was chosen here, as the one that was written last
        end = bundle.record.finished
        finished = f"finished {end[:16].replace('T', ' ')} UTC" if end else "not finished"
        runs = f"{sum(run.done for run in bundle.runs)} runs of the profile {bundle.record.profile.name!r}"
        print(f"the report is made from {folder} ({runs}, {finished})", file=sys.stderr)
    from cifar_report.report.build import build_report, check_report, read_cover, usable_cores

    wanted, cover = languages(options.lang), read_cover(folder, options.author, options.course)
    if not options.check:
        for path in build_report(bundle, options.output, wanted, processes=usable_cores(), cover=cover):
            print(path)
        return 0
    different = check_report(bundle, options.output, wanted, processes=usable_cores(), cover=cover)
    for name in different:
        print(f"{options.output / name} is not what this bundle gives", file=sys.stderr)
    if not different:
        print(f"{options.output}: byte for byte what this bundle gives")
    return 1 if different else 0


def export(options: Namespace) -> None:
    """Write a finished bundle as one file: the same bytes for the same bundle, on every machine."""
    from cifar_report.verify.copies import export_bundle

    size = export_bundle(options.folder, options.file)
    print(f"{options.file}: {size:,} bytes, the same for the same bundle on every machine")


def unpack(options: Namespace) -> None:
    """Unpack such a file, whoever made it; anything that export would not write is refused."""
    from cifar_report.verify.copies import import_bundle

    count = import_bundle(options.file, options.target)
    print(f"{options.target}: {count} files as their manifest says; 'cifar-report verify' checks their numbers")


def copy(options: Namespace) -> None:
    """Copy a finished bundle without its weights: small enough for a repository, enough for the report."""
    from cifar_report.verify.copies import copy_numbers

    size = copy_numbers(options.folder, options.target, compact=options.compact)
    without = "neither weights nor all probabilities" if options.compact else "no weights"
    print(f"{options.target}: {size:,} bytes, all numbers and {without} (export and predict need those)")


def add(options: Namespace) -> None:
    """Add the finished runs of a bundle to another of the same profile, data and claims, without their weights."""
    from cifar_report.verify.copies import add_runs

    added, known = add_runs([options.folder], options.target, compact=options.compact)
    print(f"{options.target}: runs added: {added}, there already: {known}; its tables and figures are new")


def merge(options: Namespace) -> None:
    """Join bundles of shares that machines trained apart in a new one, weights and all."""
    from cifar_report.verify.copies import merge_bundles

    merged, twice = merge_bundles(options.sources, options.target)
    print(f"{options.target}: runs: {merged}, in several bundles and the same there: {twice}")


def compare(options: Namespace) -> int:
    """Show which verdicts of two bundles differ, and why."""
    from cifar_report.bundle import Bundle
    from cifar_report.verify.compare import compare_bundles
    from cifar_report.verify.records import printable

    found = compare_bundles(Bundle.load(options.first), Bundle.load(options.second))
    if options.json:
        print_json(asdict(found))
    else:
        for line in (f"A: {options.first}", f"B: {options.second}", *_describe_comparison(found)):
            print(printable(line))
    return 1 if found.verdicts else 0


def _describe_comparison(found: Comparison) -> Iterator[str]:
    yield from (f"A against B, {each}" for each in found.differences)
    if found.verdicts:
        yield "Verdicts that differ, and what may explain it:"
    for verdict in found.verdicts:
        yield f"  {verdict.claim}: {verdict.before} in A, {verdict.after} in B"
        yield from (f"      {reason}" for reason in verdict.reasons)
    yield f"{len(found.verdicts)} verdicts differ, {found.same} are the same"
    yield from _names("claims", found.claims_of_one, found.claims_of_other)
    said = {True: "same bytes", False: "differ", None: "not in both"}
    differing = [pair for pair in found.runs if not pair.same]
    if differing:
        yield "Common runs that differ:"
    for pair in differing:
        first = pair.first or "no epoch differs"
        yield f"  {pair.run}: weights {said[pair.weights]}, predictions {said[pair.predictions]}, {first}"
    yield f"{len(found.runs)} runs in both: {len(found.runs) - len(differing)} agree in every byte compared"
    yield from _names("trials with runs", found.trials_of_one, found.trials_of_other)


def _names(what: str, of_one: Sequence[str], of_other: Sequence[str]) -> Iterator[str]:
    for bundle, names in (("A", of_one), ("B", of_other)):
        if names:
            yield f"{what} in {bundle} only: {', '.join(names)}"


def verify(options: Namespace) -> int:
    """Check every hash, key, count and number of a bundle."""
    from cifar_report.bundle import find_bundle
    from cifar_report.registry import load_study
    from cifar_report.verify.integrity import summary, verify_bundle
    from cifar_report.verify.records import Report, printable

    _check(options)
    folders = options.folders or [find_bundle(None, study=load_study())]
    found, in_lines = [], len(folders) == 1 and not options.json
    for folder in folders:
        report = Report(folder)
        try:
            report = verify_bundle(folder, options.pdf)
        except (SuiteError, UsageError, OSError) as error:
            if in_lines:
                raise
            report.find(".", str(error))
        findings = [printable(str(each)) for each in report.findings]
        found.append({"bundle": str(folder), "findings": findings, "notes": report.notes, "counts": report.counts})
        if in_lines:
            for line in (*findings, *(printable(f"note: {note}") for note in report.notes)):
                print(line)
            print(f"{summary(report)}: {folder}")
        elif not options.json:
            print(printable(f"{folder}: {summary(report) if report.counts else findings[0]}"), flush=True)
    if options.json:
        print_json(found)
    if any(each["findings"] for each in found):
        return 1
    return 0 if options.rerun is None else rerun(options, folders[0])


def _check(options: Namespace) -> None:
    check_options(Namespace(jobs=options.jobs))
    split_words(options.only)
    if options.rerun is None:
        for name in ("only", "jobs", "data", "record"):
            if getattr(options, name) not in (None, False):
                raise UsageError(f"--{name} goes with --rerun: it says how runs are trained again")
    elif options.rerun < 1:
        raise UsageError(f"--rerun {options.rerun}: at least one run is needed")
    if len(options.folders) > 1 and (options.pdf is not None or options.rerun is not None):
        raise UsageError("--pdf and --rerun go with one bundle")
    if options.json and options.rerun is not None:
        raise UsageError("--json does not go with --rerun, which reports as it trains")
    if options.pdf is not None and not options.pdf.is_file():
        raise UsageError(f"--pdf {options.pdf}: there is no such file")


def rerun(options: Namespace, folder: Path) -> int:
    """Train ``options.rerun`` runs of a bundle again; 0 when all agree bit by bit, else 1."""
    from rich.console import Console

    from cifar_report.bundle import Bundle
    from cifar_report.data import locate
    from cifar_report.registry import load_source
    from cifar_report.verify import rerun as again

    bundle = Bundle.load(folder)
    runs = again.choose_runs(bundle, options.rerun, split_words(options.only))
    # The stand-in is drawn anew from its seed: a bundle that was made from it needs no other data.
    named = options.data or ("synthetic" if bundle.record.dataset.grade == "stand-in" else None)
    dataset = locate(named, source=load_source(), allow_stand_in=False, warn=warn, notify=tell)
    certificate = again.rerun(bundle, runs, dataset, options.jobs, Console(), record=options.record)
    for line in describe(certificate):
        print(line)
    if options.record:
        print(f"recorded in {folder / certificate.place}")
    return 0 if certificate.level == "bitwise" else 1


def describe(certificate: Certificate) -> Iterator[str]:
    """Yield a certificate as lines: a table of the runs, what else is another, and the level that was reached."""
    width = max(len(each.run) for each in certificate.reruns) + 2
    for each in certificate.reruns:
        yield f"{each.run:{width}}{each.level:13}{_finding(each)}"
    for change in certificate.changes:
        yield f"the environment differs: {change.name}: {change.before or 'none'}, now {change.after or 'none'}"
    if certificate.level not in ("bitwise", "different"):
        yield "every verdict stays with these results in place of the originals"
    if certificate.verdicts_changed:
        yield f"verdicts that change with these results: {', '.join(certificate.verdicts_changed)}"
    count = len(certificate.reruns)
    yield f"level reached by {'1 run' if count == 1 else f'all {count} runs'}: {certificate.level}"


def _finding(each: Rerun) -> str:
    compared, first, by = ", ".join(each.compared), each.first, _by(each.largest)
    if each.level == "bitwise":
        return f"the same: {compared}"
    if first is None:
        return f"differs by {by} (compared: {compared})"
    what = f"{first.stage}, epoch {first.epoch} ({first.words(' and ')})"
    return f"differs from {what} by {_by(first.deviation)}; over all epochs by {by}"


def _by(deviation: Deviation) -> str:
    pairs = [(name, getattr(deviation, name)) for name in ("loss", "accuracy", "weights", "probabilities")]
    return ", ".join(f"{name} {value:.2g}" for name, value in pairs if value is not None) or "nothing that is measured"


def _for_networks(options: Namespace) -> Bundle:
    from cifar_report.bundle import Bundle, find_bundle

    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # nothing but what is asked
    return Bundle.load(find_bundle(options.bundle))


def export_network(options: Namespace) -> None:
    """Write a trained network as a file of plain Keras, or ONNX; its optimizer begins anew."""
    from cifar_report.running.models import export_history, find_run, find_trained

    if options.to is None and options.output.suffix not in (".keras", ".onnx"):
        raise UsageError(f"-o {options.output}: the file's name ends in .keras or .onnx")
    bundle = _for_networks(options)
    if options.to is not None:
        runs = [run for run in bundle.runs_of(options.run) if run.stages] or [find_run(bundle, options.run)]
        export_history(runs, options.output, options.to)
        print(f"{options.output}: {len(runs)} runs for {options.to}")
        return
    trained = find_trained(bundle, options.run, options.stage, options.weights)
    trained.write(options.output)
    print(f"{options.output}: {trained.run}, stage {trained.stage}, {trained.which} weights; pixels divided by 255")


def predict(options: Namespace) -> int:
    """Tell what a trained network sees in images."""
    import numpy as np

    from cifar_report.data import read_picture
    from cifar_report.running.models import find_trained

    trained = find_trained(_for_networks(options), options.run, options.stage, options.weights)
    about, names = trained.about, trained.about.classes
    pictures = [read_picture(path, about.shape[:2], about.shape[2]) for path in options.images]
    answers = trained.model().predict(np.stack([pixels for pixels, _ in pictures]) / np.float32(255), verbose=0)
    found: list[dict[str, Any]] = [
        {
            "image": str(path),
            "size": size,
            "class": names[int(answer.argmax())],
            "probabilities": {names[place]: float(answer[place]) for place in np.argsort(-answer)},
        }
        for path, (_, size), answer in zip(options.images, pictures, answers, strict=True)
    ]
    if options.json:
        return print_json(found)
    size = " × ".join(map(str, about.shape[:2]))
    print(f"{trained.run}, stage {trained.stage}, {trained.which} weights; the middle, resized to {size} (Lanczos)")
    for each in found:
        shares = ", ".join(f"{name} {share:.1%}" for name, share in each["probabilities"].items())
        print(f"{each['image']} ({each['size'][0]} × {each['size'][1]}): {each['class']} ({shares})")
    return 0


def notebook(options: Namespace) -> None:
    """Write a trial as a notebook of plain Keras."""
    from cifar_report.bundle import Bundle
    from cifar_report.report.notebook import make_notebook

    bundle = None if options.bundle is None else Bundle.load(options.bundle)
    options.output.write_text(make_notebook(options.trial, bundle), encoding="utf-8")
    print(f"{options.output}: 'jupyter execute --inplace {options.output}' trains it, as any notebook program does")
