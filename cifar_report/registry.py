"""Finds the experiments by looking into their folder, sorts them, and refuses what does not fit together."""

import ast
import difflib
import importlib
import inspect
import linecache
import sys
import traceback
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import FrameType, ModuleType
from typing import get_args

import msgspec

from cifar_report import project_folder
from cifar_report.errors import SuiteError, UsageError
from cifar_report.spec import AnyTrial, Claim, Experiment, Section, Trial

FOLDER = project_folder("experiments")  # the project's own
PACKAGE = "cifar_report_experiments"  # the name under which the files of a folder are imported


def load_experiments(folder: Path | None = None) -> tuple[Experiment, ...]:
    """Return every experiment of ``folder`` (default: the project's own), in the order of the report.

    Each ``*.py`` file defines one EXPERIMENT; names that begin with ``_`` or ``.`` are left out. Raises SuiteError,
    naming the file, for one that cannot be read, an id that is used twice and a reference to what does not exist.
    """
    folder = FOLDER if folder is None else folder.resolve()
    files = sorted(path for path in folder.glob("*.py") if not path.name.startswith(("_", ".")))
    if not files:
        raise SuiteError(f"{folder}: there is no experiment here; each one is a file that defines EXPERIMENT")
    _open_package(folder)
    found = {path.name: _load(path) for path in files}
    _refuse_duplicates(found)
    _refuse_unknown(found)
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
    for old in [name for name in sys.modules if name.partition(".")[0] == PACKAGE]:
        del sys.modules[old]  # files may have changed since they were read
    package = ModuleType(PACKAGE)
    package.__path__ = [str(folder)]
    sys.modules[PACKAGE] = package
    importlib.invalidate_caches()


def _load(path: Path) -> Experiment:
    try:
        module = importlib.import_module(f"{PACKAGE}.{path.stem}")
    except (Exception, SystemExit) as error:
        what = "; ".join(_missing_arguments(error, path)) or f"{type(error).__name__}: {error}"
        raise SuiteError(f"{_place(error, path)}: this experiment cannot be imported: {what}") from error
    experiment = getattr(module, "EXPERIMENT", None)
    if not isinstance(experiment, Experiment):
        raise SuiteError(f"{path}: EXPERIMENT is missing; every file here defines one cifar_report.spec.Experiment")
    try:
        return msgspec.convert(msgspec.to_builtins(experiment), Experiment)
    except (msgspec.ValidationError, TypeError) as error:
        raise SuiteError(f"{path}: EXPERIMENT holds a value of the wrong type: {error}") from error


def _place(error: BaseException, path: Path) -> str:
    """Return the file of the folder, with the line, in which the import really broke: ``path`` or one it imports."""
    if isinstance(error, SyntaxError) and error.filename and Path(error.filename).parent == path.parent:
        return f"{error.filename}:{error.lineno}"
    inside = _frames(error, path.parent)
    return f"{inside[-1][0].f_code.co_filename}:{inside[-1][1]}" if inside else str(path)


def _frames(error: BaseException, folder: Path) -> list[tuple[FrameType, int]]:
    found = traceback.walk_tb(error.__traceback__)
    return [(frame, line) for frame, line in found if Path(frame.f_code.co_filename).parent == folder]


def _missing_arguments(error: BaseException, path: Path) -> Iterator[str]:
    """Yield every argument that a call lacks where it failed for the first of them, and those of the calls around."""
    frames = _frames(error, path.parent)
    if not isinstance(error, TypeError) or "missing" not in str(error).lower() or not frames:
        return
    frame, line = frames[-1]
    for node in ast.walk(ast.parse("".join(linecache.getlines(frame.f_code.co_filename)))):
        if not (isinstance(node, ast.Call) and node.lineno <= line <= (node.end_lineno or line)):
            continue
        called = (frame.f_globals | frame.f_locals).get(getattr(node.func, "id", ""))
        if not callable(called) or not all(each.arg for each in node.keywords):
            continue
        wanted = inspect.signature(called)
        with suppress(TypeError):  # an argument too many is another fault
            given = wanted.bind_partial(*node.args, **{str(each.arg): each for each in node.keywords}).arguments
            required = [each for each in wanted.parameters.values() if each.default is each.empty]
            if lacking := [each.name for each in required if each.name not in given and each.kind != each.VAR_KEYWORD]:
                yield f"{called.__name__} lacks {', '.join(lacking)}"


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
        for where, trial_id, stage in _references(experiment):
            if trial_id not in trials:
                raise SuiteError(f"{name}: {where}: {_unknown(trial_id, trials)}")
            trial = trials[trial_id]
            stages = [each.id for each in trial.stages] if isinstance(trial, Trial) else []
            if stage is not None and stage not in stages:
                known = f"it has {', '.join(stages)}" if stages else "it has no stages"
                raise SuiteError(f"{name}: {where}: trial {trial_id!r} has no stage {stage!r}; {known}")


def _references(experiment: Experiment) -> Iterator[tuple[str, str, str | None]]:
    yield from (("points", trial_id, None) for trial_id in experiment.points)
    for trial in experiment.trials:
        for field in ("as_written", "one_change"):
            if (other := getattr(trial, field)) is not None:
                yield f"trial {trial.id}, {field}", other, None
    for claim in experiment.claims:
        for side in (claim.subject, claim.comparator):
            if side is not None:
                yield f"claim {claim.id}", side.trial, side.stage
