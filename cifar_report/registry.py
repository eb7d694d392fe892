"""Finds the experiments by looking into their folder, sorts them, and refuses what does not fit together."""

import difflib
import importlib
import os
import re
import sys
import traceback
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, get_args

import msgspec

from cifar_report import project_folder
from cifar_report.errors import SuiteError, UsageError
from cifar_report.spec import CIFAR10, AnyTrial, Claim, Dataset, Experiment, Section, Side, Study, Trial

FOLDER = project_folder("experiments")  # the project's own
VARIABLE = "CIFAR_REPORT_EXPERIMENTS"  # names another one
ORIGINAL = "original.json"  # what a write-up published; a study of one's own has none
DATASET = "dataset.py"  # which data a study is on
STUDY = "cifar_report_study"  # the names under which the files of a study and of its experiments are imported
PACKAGE = f"{STUDY}.experiments"


def experiments_folder() -> Path:
    """Return the folder of experiments, of the study that ``CIFAR_REPORT_EXPERIMENTS`` names or the project's own."""
    if not (named := os.environ.get(VARIABLE)):
        return FOLDER
    folder = Path(named).expanduser().resolve()
    if not folder.is_dir():
        raise UsageError(f"{folder} is no folder of experiments: 'cifar-report new {named}' writes one")
    return folder / "experiments" if (folder / "experiments").is_dir() else folder


def load_study(folder: Path | None = None) -> Study | None:
    """Return what a study says of itself in its ``dataset.py``; None for the suite that tests a write-up."""
    folder = folder or experiments_folder()
    if folder == FOLDER or (folder / ORIGINAL).is_file():
        return None
    top = folder.parent if folder.name == "experiments" else folder
    module, name = _dataset_file(folder), re.sub(r"[^a-z0-9_]+", "-", top.name.lower()).strip("-") or "study"
    texts = {key.lower(): getattr(module, key) for key in ("TITLE", "INTRODUCTION") if hasattr(module, key)}
    try:
        return msgspec.convert({"name": name[:64], "title": top.name} | texts, Study)
    except msgspec.ValidationError as error:
        raise SuiteError(f"{module and module.__file__}: TITLE and INTRODUCTION are texts: {error}") from error


def load_source(folder: Path | None = None) -> Any:
    """Return the source of a study's images, ``DATASET`` of its ``dataset.py``; None: CIFAR-10."""
    module = _dataset_file(folder or experiments_folder())
    if module is not None and not isinstance(getattr(getattr(module, "DATASET", None), "about", None), Dataset):
        raise SuiteError(f"{module.__file__}: DATASET is missing; it is one of cifar_report.data, for example DIGITS")
    return module and module.DATASET


def _dataset_file(folder: Path) -> ModuleType | None:
    places = ((folder, PACKAGE), (folder.parent, STUDY)) if folder != FOLDER else ()
    for place, package in places:
        if (place / DATASET).is_file() and not (folder / ORIGINAL).is_file():
            _open_package(folder)
            return _import(place / DATASET, f"{package}.dataset", "data set")
    return None


def load_experiments(folder: Path | None = None) -> tuple[Experiment, ...]:
    """Return every experiment of ``folder`` (default: the project's own), in the order of the report.

    Each ``*.py`` file defines one EXPERIMENT; names that begin with ``_`` or ``.`` are left out. Raises SuiteError,
    naming the file, for one that cannot be read, an id that is used twice and a reference to what does not exist.
    """
    folder = experiments_folder() if folder is None else folder.resolve()
    files = sorted(path for path in folder.glob("*.py") if not path.name.startswith(("_", ".", DATASET)))
    if not files:
        raise SuiteError(f"{folder}: there is no experiment here; each one is a file that defines EXPERIMENT")
    source = load_source(folder)
    _open_package(folder)
    found = {path.name: _load(path) for path in files}
    _refuse_duplicates(found)
    _refuse_unknown(found)
    _refuse_other_images(found, CIFAR10 if source is None else source.about)
    sections = get_args(Section)
    return tuple(sorted(found.values(), key=lambda each: (sections.index(each.section), each.order, each.id)))


def trials_of(experiments: Iterable[Experiment]) -> dict[str, AnyTrial]:
    """Return all trials by their ids, in the order in which they run."""
    return {trial.id: trial for experiment in experiments for trial in experiment.trials}


def claims_of(experiments: Iterable[Experiment]) -> tuple[Claim, ...]:
    """Return all claims, in the order of the report."""
    return tuple(claim for experiment in experiments for claim in experiment.claims)


def select(trials: Mapping[str, AnyTrial], only: Sequence[str]) -> dict[str, AnyTrial]:
    """Return the trials whose ids are in ``only`` (empty: all), in run order; raises UsageError for unknown ids."""
    if unknown := [trial_id for trial_id in dict.fromkeys(only) if trial_id not in trials]:
        raise UsageError("; ".join(_unknown(trial_id, trials) for trial_id in unknown))
    return {trial_id: trial for trial_id, trial in trials.items() if not only or trial_id in only}


def _unknown(trial_id: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(trial_id, list(known), n=3)
    hint = f"did you mean {' or '.join(close)}?" if close else "`cifar-report list` shows them all"
    return f"there is no trial {trial_id!r}; {hint}"


def _open_package(folder: Path) -> None:
    """Make ``folder`` importable as a package, so that its files may import one another, and forget an earlier one."""
    for old in [name for name in sys.modules if name.partition(".")[0] == STUDY]:
        del sys.modules[old]  # files may have changed since they were read
    for name, place in ((STUDY, folder.parent), (PACKAGE, folder)):
        sys.modules[name] = ModuleType(name)
        sys.modules[name].__path__ = [str(place)]
    importlib.invalidate_caches()


def _load(path: Path) -> Experiment:
    module = _import(path, f"{PACKAGE}.{path.stem}", "experiment")
    experiment = getattr(module, "EXPERIMENT", None)
    if not isinstance(experiment, Experiment):
        raise SuiteError(f"{path}: EXPERIMENT is missing; every file here defines one cifar_report.spec.Experiment")
    try:
        return msgspec.convert(msgspec.to_builtins(experiment), Experiment)
    except (msgspec.ValidationError, TypeError) as error:
        raise SuiteError(f"{path}: EXPERIMENT holds a value of the wrong type: {error}") from error


def _import(path: Path, name: str, what: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except UsageError as error:  # of a data set that is not there
        raise SuiteError(f"{path}: {error}") from error
    except (Exception, SystemExit) as error:
        why = f"{type(error).__name__}: {error}"
        raise SuiteError(f"{_place(error, path)}: this {what} cannot be imported: {why}") from error


def _place(error: BaseException, path: Path) -> str:
    """Return the file of the folder, with the line, in which the import really broke: ``path`` or one it imports."""
    if isinstance(error, SyntaxError) and error.filename and Path(error.filename).parent == path.parent:
        return f"{error.filename}:{error.lineno}"
    frames = traceback.extract_tb(error.__traceback__)
    inside = [frame for frame in frames if Path(frame.filename).parent == path.parent]
    return f"{inside[-1].filename}:{inside[-1].lineno}" if inside else str(path)


def _refuse_duplicates(found: Mapping[str, Experiment]) -> None:
    seen: dict[tuple[str, str], str] = {}
    for name, experiment in found.items():
        named = {"experiment": [experiment], "trial": experiment.trials, "claim": experiment.claims}
        for kind, each in ((kind, each) for kind, members in named.items() for each in members):
            if other := seen.get((kind, each.id)):
                raise SuiteError(f"{name}: the {kind} id {each.id!r} is already used in {other}; choose another")
            seen[kind, each.id] = name


def _refuse_unknown(found: Mapping[str, Experiment]) -> None:
    trials = trials_of(found.values())
    for name, experiment in found.items():
        named = [("points", Side(trial)) for trial in experiment.points]
        for trial in experiment.trials:
            others = {"as_written": trial.as_written, "one_change": trial.one_change}
            named += [
                (f"trial {trial.id}, {field}", Side(other)) for field, other in others.items() if other is not None
            ]
        named += [(f"claim {claim.id}", side) for claim in experiment.claims for side, _ in claim.sides]
        for where, side in named:
            if side.trial not in trials:
                raise SuiteError(f"{name}: {where}: {_unknown(side.trial, trials)}")
            stages = trials[side.trial].stage_ids
            if side.stage not in (None, *stages):
                known = f"it has {', '.join(stages)}" if stages else "it has no stages"
                raise SuiteError(f"{name}: {where}: trial {side.trial!r} has no stage {side.stage!r}; {known}")


def _refuse_other_images(found: Mapping[str, Experiment], about: Dataset) -> None:
    for name, experiment in found.items():
        for trial in (each for each in experiment.trials if isinstance(each, Trial)):
            if trial.input_shape != about.shape:
                sizes = [" × ".join(map(str, shape)) for shape in (trial.input_shape, about.shape)]
                what = f"is for images of {sizes[0]}, and those of {about.name} have {sizes[1]}"
                raise SuiteError(f"{name}: trial {trial.id} {what}: give it input_shape=DATASET.shape")
            if trial.classes != len(about.classes):
                what = f"tells {trial.classes} classes apart, and {about.name} has {len(about.classes)}"
                raise SuiteError(f"{name}: trial {trial.id} {what}: its last layer is Dense({len(about.classes)}, …)")
