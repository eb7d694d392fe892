"""A trial as a notebook of plain Keras, with what a bundle says of it; nothing is executed here."""

import base64
import re
from collections.abc import Iterator
from typing import Any

import nbformat

from cifar_report.analysis import analyse
from cifar_report.bundle import Bundle
from cifar_report.bundle.bundle import place
from cifar_report.errors import UsageError
from cifar_report.plain_keras import excerpts
from cifar_report.registry import load_experiments, load_source, select
from cifar_report.report.i18n import load_messages
from cifar_report.spec import CIFAR10, Experiment, Trial

SAY = load_messages("sections")
TITLES = {**SAY.excerpts, "devices": "Several devices", "batches": "Batches"}
NOTES = {
    **SAY.excerpt_notes,
    "devices": "One replica of the network on each graphics card, or on each of two parts of the processor.",
    "batches": (
        "After `keras.utils.set_random_seed`, `fit` on arrays goes through them in the same order in every epoch: "
        "whoever seeds a notebook so trains another way. This data set shuffles itself, anew in every epoch unless "
        "the trial asks for one order."
    ),
}
JUPYTER: Any = nbformat.v4  # its functions carry no types
_text = JUPYTER.new_markdown_cell
KERNEL = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}


def make_notebook(trial_id: str, bundle: Bundle | None = None) -> str:
    """Return a trial's notebook as JSON, the same for the same trial and bundle.

    Raises UsageError where there is no such network.
    """
    source = load_source() if bundle is None else None
    about = source.about if source is not None else CIFAR10 if bundle is None else bundle.record.dataset.about
    experiments = load_experiments() if bundle is None else bundle.record.experiments
    found = {trial.id: (trial, each) for each in experiments for trial in each.trials}
    select({name: trial for name, (trial, _) in found.items()}, [trial_id])
    trial, experiment = found[trial_id]
    if not isinstance(trial, Trial):
        raise UsageError(f"{trial_id} is no network: there is nothing of Keras in it")
    question = f"# {trial.title}\n\n{experiment.question}\n\n{experiment.change}"
    cells = [_text(question, id="question"), _text(experiment.explanation, id="explanation")]
    for number, each in enumerate(excerpts(trial, dataset=about)):
        stage = f" (stage *{each.stage}*)" if len(trial.stages) > 1 and each.stage else ""
        name = f"{number:02}-{each.topic}"
        cells.append(_text(f"## {TITLES[each.topic]}{stage}\n\n{NOTES[each.topic]}", id=f"{name}-text"))
        cells.append(JUPYTER.new_code_cell(each.code.rstrip(), id=name))
    if bundle is not None:
        cells += _results(bundle, trial, experiment)
    return str(JUPYTER.writes(JUPYTER.new_notebook(cells=cells, metadata=KERNEL))) + "\n"


def _results(bundle: Bundle, trial: Trial, experiment: Experiment) -> Iterator[Any]:
    """Yield what the bundle measured: the accuracy of each seed, the claims' verdicts, the experiment's figures."""
    results = analyse(bundle)
    values = results.trial(trial.id).primary.seeds
    seeds = ", ".join(f"{each.value:.1%} (seed {each.seed})" for each in values if each.value is not None)
    yield _text(f"## What the suite measured\n\nTest accuracy: {seeds or 'no run has finished'}.", id="results")
    lines = []
    for verdict in results.verdicts:
        claim = verdict.claim
        if trial.id in claim.trials:
            lines.append(f"- {claim.statement} **{verdict.outcome.replace('_', ' ')}** ({verdict.id})")
    if lines:
        yield _text("## Claims\n\n" + "\n".join(lines), id="claims")
    for path in sorted(place(bundle.folder, "figures").glob(f"*.{experiment.id}.svg")):
        name = re.sub("[^a-z0-9]", "-", path.stem)
        cell = _text(f"![{path.stem}](attachment:{path.name})", id=f"figure-{name}"[:64])
        cell["attachments"] = {path.name: {"image/svg+xml": base64.b64encode(path.read_bytes()).decode()}}
        yield cell
