"""The whole check of a bundle in one pass: its records, then all that follows from numbers: scores, tables, a PDF."""

import csv
import hashlib
import io
import logging
import math
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import product, zip_longest
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from cifar_report.bundle import METHOD_VERSION, Bundle, Predictions, Run, Scores
from cifar_report.bundle.arrays import COMPACT_FILE, MOST_BYTES, PREDICTIONS_FILE, Array, load_arrays, weight_place
from cifar_report.bundle.bundle import RECORD_FILE
from cifar_report.bundle.records import SETS, primary_weights
from cifar_report.bundle.store import MANIFEST_FILE, read_plain
from cifar_report.errors import SuiteError, UsageError
from cifar_report.registry import claims_of, load_experiments, load_study, trials_of
from cifar_report.spec import Experiment, Trial, differences
from cifar_report.verify.records import Report, check_files, check_records, read_bundle

TABLES = "tables/"
# What the analysis may raise on numbers that no suite has written: they are then wrong, and the program is not.
BROKEN_ANALYSIS = (ArithmeticError, LookupError, TypeError, ValueError)
MOST_CELLS = 3  # that are named of one table
ROUNDING = 1e-9  # relative; other processors and releases of libraries round the last digits in another way
NUMBERS_NAME = "results.json"  # of a PDF's attachment
MOST_PDF_BYTES = 64 * 2**20
NOT_RECOMPUTED = (
    "their Brier scores, calibration and examples' probabilities are as recorded before the others were left out, and "
    "the test scores of the weights that no verdict is about are as trained: neither can be computed again"
)
LOSS_TOLERANCE = 1e-6  # relative; TensorFlow takes the loss from the logits, and the two agree to about 1e-9
# TensorFlow flushes smaller numbers to zero, so that a probability of zero means no more than "less than this".
LEAST_PROBABILITY = float(np.finfo(np.float32).tiny)
Numbers = dict[str, dict[str, Any]]


def verify_bundle(folder: Path, pdf: Path | None = None) -> Report:
    """Check everything that a bundle says against everything else, and the numbers in a ``pdf``; sort findings by file.

    What agrees may still be invented as a whole: only training again shows that. Raises UsageError for no bundle.
    """
    if not any((folder / name).is_file() for name in (RECORD_FILE, MANIFEST_FILE)):
        raise UsageError(f"{folder} is no results bundle: it holds neither {RECORD_FILE} nor {MANIFEST_FILE}")
    report = Report(folder)
    check_files(report)
    bundle = read_bundle(report)
    if bundle is not None:
        for check in (check_records, check_scores, check_weights, check_tables):
            check(bundle, report)
        if bundle.record.study == load_study():  # a bundle of another study is not compared with this one
            report.notes += other_plan(bundle, load_experiments())
    report.findings.sort(key=lambda finding: finding.file)
    if pdf is not None:
        verify_pdf(pdf, folder, report)
    return report


def other_plan(bundle: Bundle, experiments: Sequence[Experiment]) -> Iterator[str]:
    """Yield what of a bundle's trials and claims is not as in these experiments: its verdicts may then say others."""
    trials, claims = trials_of(experiments), {claim.id: claim for claim in claims_of(experiments)}
    for name, trial in bundle.trials.items():
        if name not in trials:
            yield f"trial {name} is none of this suite's"
        elif changes := differences(trials[name], trial):
            told = ", ".join(f"{each.place} {each.after!r:.40}, here {each.before!r:.40}" for each in changes)
            yield f"trial {name} is not this suite's: {told}"
    for claim in bundle.claims:
        if (known := claims.get(claim.id)) is None:
            yield f"claim {claim.id} is none of this suite's"
        elif known != claim:
            pairs = [(name, getattr(claim, name), getattr(known, name)) for name in claim.__struct_fields__]
            told = ", ".join(f"{name} {one!r:.60}, here {other!r:.60}" for name, one, other in pairs if one != other)
            yield f"claim {claim.id} is not this suite's: {told}"


def summary(report: Report) -> str:
    """Return in one line how much was checked, and what of it was found wrong."""
    counts, wrong = report.counts, len(report.findings)
    failed = f" ({counts['failed runs']} failed)" if counts["failed runs"] else ""
    without = counts["runs without weights"]
    left_out = f" ({without} have none: they were left out)" if without else ""
    parts = [
        f"{counts['files']} files",
        f"{counts['runs']} of {counts['planned runs']} planned runs{failed}",
        f"{counts['test scores recomputed']} test scores recomputed",
        f"{counts['runs with weights']} networks' weights{left_out}",
        f"{counts['tables compared']} tables computed again and compared",
    ]
    if counts["attached numbers"]:
        parts.append(f"{counts['attached numbers']} numbers attached to the PDF (not its words and figures)")
    end = f"{wrong} {'thing is' if wrong == 1 else 'things are'} wrong" if wrong else "nothing is wrong"
    return f"checked {', '.join(parts)}: {end}"


def check_scores(bundle: Bundle, report: Report) -> None:
    """Recompute the test scores of every finished run whose predictions can be read."""
    images: dict[str, dict[bytes, list[str]]] = {}  # files by their runs' split, then by their test images with labels
    for run in (run for run in bundle.runs if run.done):
        whole, compact = (f"runs/{run.id}/{each}" for each in (PREDICTIONS_FILE, COMPACT_FILE))
        found = {whole, compact} & report.digests.keys()
        if len(found) == 2:
            report.find(compact, f"stands beside {PREDICTIONS_FILE}: a run has the one or the other")
        if len(found) != 1:
            continue
        name = found.pop()
        predictions = report.read(name, partial(bundle.predictions, run))
        if predictions is None:
            continue
        both = np.stack([predictions.indices, predictions.labels]).astype(np.int64).tobytes()
        images.setdefault(run.key_parts.get("split", ""), {}).setdefault(both, []).append(name)
        report.find(name, *_table_problems(run, predictions))
        report.find(f"runs/{run.id}/run.json", *score_problems(run, predictions))
        of_networks = len(predictions.compact or predictions.probabilities)
        report.counts["test scores recomputed"] += 1 if run.classical else of_networks
    for groups in images.values():
        usual = max(groups.values(), key=len)
        for name in (name for names in groups.values() if names is not usual for name in names):
            report.find(name, f"its test images or their labels are others than those of {usual[0]}")
    if count := report.counts["compact runs"]:
        report.notes.append(f"compact runs: {count}; {NOT_RECOMPUTED}")


def _table_problems(run: Run, predictions: Predictions) -> Iterator[str]:
    indices = predictions.indices
    first, count = predictions.dataset.counts
    of_test = (indices >= first) & (indices < first + count)
    if len(np.unique(indices)) < len(indices) or not np.all(of_test):
        yield "must hold test images, each of them once"
    trial = run.trial
    tables = {(stage.id, weights) for stage in run.stages for weights in SETS}
    if isinstance(trial, Trial) and predictions.compact:
        tables = {(stage.id, primary_weights(trial, stage.id)) for stage in run.stages}
    found = {*predictions.probabilities, *predictions.compact}
    if found != tables or (predictions.predicted is None) != isinstance(trial, Trial):
        yield "must hold the last and the best weights' probabilities of each stage, or a classifier's predictions"
    for (stage, weights), table in predictions.probabilities.items():
        if not np.all(np.abs(table.sum(axis=1, dtype=np.float64) - 1) <= 1e-5):  # of ten float32
            yield f"stage {stage}, {weights}: the probabilities of an image do not add up to 1"


def score_problems(run: Run, predictions: Predictions) -> Iterator[str]:
    """Yield which test accuracies and losses of a run do not follow from its predictions."""
    labels = predictions.labels
    if run.classical is not None and predictions.predicted is not None:
        yield from _accuracy_problem(run.classical.test_accuracy, predictions.predicted, labels)
    for stage, weights in product(run.stages, SETS):
        answers, stored = predictions.answers(stage.id, weights), stage.evaluation(weights).test
        if answers is not None and len(labels):
            predicted, chosen = answers
            problems = (*_accuracy_problem(stored.accuracy, predicted, labels), *_loss_problem(stored, chosen))
            yield from (f"stage {stage.id}, {weights}: {problem}" for problem in problems)


def _accuracy_problem(stored: float, predicted: Array, labels: Array) -> Iterator[str]:
    accuracy = float(np.mean(predicted == labels)) if len(labels) else 0.0
    if stored != accuracy:
        yield f"test accuracy is {stored!r}, but its predictions give {accuracy!r}"


def _loss_problem(stored: Scores, chosen: Array) -> Iterator[str]:
    least = float(np.mean(-np.log(np.maximum(chosen.astype(np.float64), LEAST_PROBABILITY))))
    found = math.nan if stored.loss is None else stored.loss
    same = math.isclose(found, least, rel_tol=LOSS_TOLERANCE, abs_tol=LOSS_TOLERANCE)
    bounded = bool((chosen < LEAST_PROBABILITY).any()) and found > least
    if not (same or bounded or (math.isnan(found) and math.isnan(least))):
        yield f"test loss is {stored.loss!r}, but its predictions give {least!r}"


def check_weights(bundle: Bundle, report: Report) -> None:
    """Compare the weights of every finished network with the log of their hashes, and read its kernels."""
    for run in bundle.runs:
        name, kernels = (f"runs/{run.id}/{each}.npz" for each in ("weights", "kernels"))
        shown = report.read(kernels, partial(bundle.kernels, run)) if kernels in report.digests else None
        if not run.done or name not in report.digests:
            continue
        weights = report.read(name, partial(load_arrays, report.folder / name))
        if weights is None:
            continue
        report.find(name, *_weight_problems(run, weights))
        firsts = [array for each, array in weights.items() if ".network.00_" in each and each.endswith("kernel")]
        if shown is not None and not any(np.array_equal(shown, array) for array in firsts):
            report.find(kernels, "holds other kernels than those of the first layer in weights.npz")
        report.counts["runs with weights"] += 1


def _weight_problems(run: Run, weights: dict[str, Array]) -> Iterator[str]:
    for stage in run.stages:
        for kind, epoch in (("last", stage.epochs), ("best", stage.best_epoch)):
            start = f"{stage.id}.{kind}."
            own = {name.removeprefix(start): array for name, array in weights.items() if name.startswith(start)}
            count = sum(array.size for array in own.values())
            if count != run.parameters_total:
                yield f"{stage.id}.{kind}: holds {count} parameters, but the network has {run.parameters_total}"
            if stage.hashes and weights_hash(own) != stage.hashes[epoch - 1].weights:
                yield f"{stage.id}.{kind}: are not the weights that the log of hashes has for epoch {epoch}"


def weights_hash(arrays: dict[str, Array]) -> str:
    """Return the first 16 hexadecimal digits of SHA-256 over a network's variables in Keras's order."""
    total = hashlib.sha256()
    for name in sorted(arrays, key=lambda name: weight_place(name) or (0, 0)):
        total.update(np.ascontiguousarray(arrays[name]).tobytes())
    return total.hexdigest()[:16]


def check_tables(bundle: Bundle, report: Report) -> None:
    """Compute every table again and compare; figures are compared with their hashes in the manifest alone."""
    stored = [name for name in sorted(report.digests) if name.startswith(TABLES)]
    if not stored:
        report.notes.append("the bundle holds no tables, so none were compared")
    elif bundle.record.method_version != METHOD_VERSION:
        report.notes.append(
            f"the tables are by version {bundle.record.method_version} of the method, and this program has version "
            f"{METHOD_VERSION}, so they were not compared"
        )
    elif any(finding.file.startswith((RECORD_FILE, "runs/", "timing/")) for finding in report.findings):
        report.notes.append("tables were not computed again, because something is wrong with the numbers behind them")
    elif (computed := _compute(bundle, report)) is not None:
        for name in stored:
            if name not in computed:
                report.find(name, "does not follow from the numbers: no such table is computed from them")
                continue
            cells = list(_other_cells(read_plain(report.folder / name, MOST_BYTES), computed[name]))
            more = [f"and {len(cells) - MOST_CELLS} more cells"] if len(cells) > MOST_CELLS else []
            report.find(name, *cells[:MOST_CELLS], *more)
            report.counts["tables compared"] += 1


def _compute(bundle: Bundle, report: Report) -> dict[str, bytes] | None:
    try:
        from cifar_report.analysis import analyse
        from cifar_report.report.tables import summary_tables

        return {f"{TABLES}{name}": content for name, content in summary_tables(bundle, analyse(bundle)).items()}
    except ImportError as error:
        package = (error.name or "a package").partition(".")[0]
        report.notes.append(f"tables were not computed again without {package} (pip install 'cifar-report[report]')")
    except (SuiteError, UsageError, *BROKEN_ANALYSIS) as error:
        report.find(RECORD_FILE, f"tables cannot be computed from the numbers ({type(error).__name__}: {error})")
    return None


def _other_cells(stored: bytes, computed: bytes) -> Iterator[str]:
    try:
        given, right = (list(csv.reader(io.StringIO(table.decode(), newline=""))) for table in (stored, computed))
    except (UnicodeDecodeError, csv.Error) as error:
        yield f"cannot be read as a table: {error}"
        return
    if len(given) != len(right):
        yield f"has {len(given)} lines, but the numbers give {len(right)}"
        return
    for line, (row, expected) in enumerate(zip(given, right, strict=True), 1):
        for column, cell, value in zip_longest(right[0], row, expected):
            if not _same(cell, value):
                what = f"{cell!r:.60}, but the numbers give {value!r:.60}"
                yield f"line {line} ({''.join(expected[:1]):.60}), {column}: {what}"


def _same(one: Any, other: Any) -> bool:
    """Whether two values are the same, or numbers (also in words) that differ by rounding alone."""
    if one == other:
        return True
    try:
        return math.isclose(float(one), float(other), rel_tol=ROUNDING, abs_tol=ROUNDING * ROUNDING)
    except (TypeError, ValueError, OverflowError):
        return False


def verify_pdf(pdf: Path, folder: Path, report: Report) -> None:
    """Compare the numbers attached to a report, not its words and figures, with those that the bundle gives."""
    from cifar_report.analysis import analyse

    try:
        attached = attached_numbers(pdf)
        expected = msgspec.json.decode(msgspec.json.encode(analyse(Bundle.load(folder)).data()))
    except (SuiteError, UsageError, *BROKEN_ANALYSIS) as error:
        report.find(pdf.name, f"was not compared: {error}")
    else:
        report.find(pdf.name, *sorted(number_differences(attached, expected)))
        report.counts["attached numbers"] += len(attached)


def attached_numbers(path: Path) -> Numbers:
    """Return the numbers attached to a PDF, fields by id; raises SuiteError for a file without them."""
    import pypdf

    logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # what is wrong is said in the error
    try:
        if path.stat().st_size > MOST_PDF_BYTES:
            raise ValueError(f"it is larger than {MOST_PDF_BYTES} bytes")
        files = [each for each in pypdf.PdfReader(path).attachment_list if each.name == NUMBERS_NAME]
        if len(files) != 1:
            raise ValueError(f"it holds {len(files)} files {NUMBERS_NAME}, where there must be one")
        content = files[0].content
        stated = getattr(files[0].checksum, "original_bytes", None)  # pypdf takes the bytes for a text
        if stated not in (None, hashlib.md5(content, usedforsecurity=False).digest()):
            raise ValueError(f"{NUMBERS_NAME} is damaged: it is not the file that was attached")
        return msgspec.json.decode(content, type=Numbers)
    except (OSError, RecursionError, pypdf.errors.PyPdfError, *BROKEN_ANALYSIS) as error:
        raise SuiteError(f"{path} is no report of this project with its numbers attached: {error}") from error


def number_differences(attached: Numbers, expected: Numbers) -> Iterator[str]:
    """Yield each number that a PDF gives otherwise than the bundle."""
    yield from (f"{number}: is not attached, but the bundle gives it" for number in expected.keys() - attached)
    yield from (f"{number}: the bundle gives no such number" for number in attached.keys() - expected)
    for number in attached.keys() & expected.keys():
        for field in sorted(attached[number].keys() | expected[number].keys()):
            given, right = attached[number].get(field), expected[number].get(field)
            if not _same(given, right):
                yield f"{number}: {field} is {given!r:.100} in the PDF, but the bundle gives {right!r:.100}"
