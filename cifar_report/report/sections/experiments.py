"""Sections 3 and 4: the trials of each experiment, and classifiers without a network."""

from collections.abc import Iterator, Sequence
from itertools import count

from markupsafe import Markup

from cifar_report.analysis.results import TrialResult
from cifar_report.report.elements import SectionView, Table, breakable
from cifar_report.report.i18n import load_messages
from cifar_report.report.sections import tables
from cifar_report.report.sections.conclusions import NOT_TIMED, single_timings
from cifar_report.report.text.changes import CHANGES, MOST_CHANGES, change_labels
from cifar_report.report.text.conclusions import STUDIES, best_network, study_sentence
from cifar_report.report.text.trials import SAY as OF_TRIALS
from cifar_report.report.text.trials import failures, figure_labels, judgement
from cifar_report.report.text.verdicts import verdict_paragraph
from cifar_report.report.writer import Writer
from cifar_report.spec import Experiment, Section, Trial

SAY = load_messages("sections")

DIGIT_SECTIONS: frozenset[Section] = frozenset({"trials", "model_2", "parallel"})  # and all of a study of one's own
EPOCHS_ON_PAPER: frozenset[Section] = frozenset({"trials", "model_2", "own"})
ORDER: tuple[Section, ...] = ("trials", "hidden_layer", "training_parameters", "model_2", "parallel", "own")
"""The studies, which the original lacks, are lettered, so that what it has keeps its numbers."""
MOST_CLAIMS = 4  # beside which a page has room for a table by epoch


def experiment_numbers(writer: Writer) -> dict[str, str]:
    """Return the number of each experiment's section by its id, in the order of the report."""
    digits, letters, others = count(1), map(chr, count(ord("A"))), count(1)
    numbers = {}
    for experiment in (each for section in ORDER for each in writer.experiments(section)):
        numbers[experiment.id] = (
            f"3.{next(digits if experiment.section in DIGIT_SECTIONS or writer.translation.own else letters)}"
        )
    return numbers | {each.id: f"4.{next(others)}" for each in writer.experiments("classical")}


def trials(writer: Writer, number: str) -> SectionView:
    """Return section 3; every experiment of a bundle finds its place by its own section and order."""
    heading = writer.heading("trials", writer.word("Trials"), 2, number)
    numbers, figures = experiment_numbers(writer), writer.group("curves")
    found = [experiment for section in ORDER for experiment in writer.experiments(section)]
    views = [experiment_view(writer, experiment, numbers[experiment.id]) for experiment in found]
    return SectionView(heading, "trials", {"experiments": views, "figures": figures})


def experiment_view(writer: Writer, experiment: Experiment, number: str) -> dict[str, object]:
    """Return everything that is shown about one experiment; what only the screen has is folded there."""
    text, found = writer.translation.text, writer.own_trials(experiment)
    title, study = text(experiment.title), experiment.section in STUDIES
    heading = writer.heading(f"experiment-{experiment.id}", title, 3, number)
    ran = [trial for trial in found if trial.primary.datum.value is not None]
    kind = "study" if study else "trial" if experiment.section in EPOCHS_ON_PAPER else "part"
    told = len([each for each in experiment.shown if _finished(writer, each)]) > study
    figures = writer.group("studies" if study else experiment.id)
    untested = [each.id for each in experiment.claims if writer.results.verdict(each.id).outcome == "not_run"]
    waiting = untested if writer.medium == "print" and len(untested) == len(experiment.claims) else []
    claims = tables.claims(writer, experiment) if experiment.claims and not waiting else None
    return {
        "kind": kind if ran or study else "part",
        "heading": heading,
        "trial_number": experiment.number,
        "question": text(experiment.question) if told else None,
        "labels": []
        if study or experiment.section == "classical"
        else list(_labels(writer, ran, text(experiment.change))),
        "explanation": text(experiment.explanation) if told else None,
        "figures": figures,
        "claims": claims,
        "waiting": [(each, breakable(each)) for each in waiting],
        "judgement": list(_judgement(writer, experiment, found)),
        "problems": failures(writer, found),
        "epochs": list(_epochs(writer, experiment, found)) if writer.medium == "print" else [],
        "details": _details(writer, experiment, found) if writer.medium == "screen" else None,
    }


def _finished(writer: Writer, trial: str) -> bool:
    return any(each.id == trial and each.primary.datum.value is not None for each in writer.results.trials)


Labels = tuple[str, Markup, tuple[Markup, ...]]
"""What they say, of what, and the labels."""


def _labels(writer: Writer, trials: Sequence[TrialResult], whole: str) -> Iterator[Labels]:
    """Yield, for each trial, its name with its figures, and what sets it apart; ``whole`` tells many changes."""
    counted: set[object] = set()
    for trial in trials:
        network = trial.trial.layers if isinstance(trial.trial, Trial) else None
        yield "figures", writer.trial_name(trial.id), tuple(figure_labels(writer, trial, costs=network not in counted))
        counted.add(network)
        pairs = ((trial.trial.one_change, trial.one_change_changes), (trial.trial.as_written, trial.as_written_changes))
        for comparator, changes in dict(pairs).items():
            if comparator is not None and changes:
                against = writer.sentence(CHANGES.against, comparator=writer.trial_name(comparator))
                few = len(changes) <= MOST_CHANGES
                yield "changes", against, change_labels(writer, changes) if few else (Markup.escape(whole),)


def _judgement(writer: Writer, experiment: Experiment, trials: Sequence[TrialResult]) -> Iterator[tuple[Markup, ...]]:
    """Yield the paragraphs of a judgement: of a study, of classifiers, or of each trial that has run."""
    verdicts = [writer.results.verdict(claim.id) for claim in experiment.claims]
    waiting = [trial for trial in trials if trial.primary.datum.value is None]
    ran = [trial for trial in trials if trial not in waiting]
    if experiment.section in STUDIES:
        yield (study_sentence(writer, experiment),)
    elif experiment.section == "classical":
        yield _classifiers(writer, ran)
    else:
        for trial in ran:
            yield judgement(writer, trial, verdicts if trial is ran[0] else ())
    if waiting:
        names = writer.enumeration([writer.trial_name(trial.id) for trial in waiting])
        yield (writer.plural(OF_TRIALS.not_run, len(waiting), trials=names),)


def _details(writer: Writer, experiment: Experiment, trials: Sequence[TrialResult]) -> dict[str, object]:
    """Return what is folded on the screen: every table and figure of the trials, and each claim in full."""
    text, title = writer.translation.text, writer.translation.text(experiment.title)
    verdicts = [writer.results.verdict(claim.id) for claim in experiment.claims]
    return {
        "tables": [
            *([tables.results(writer, experiment.id, title, trials)] if trials else []),
            *_layers(writer, trials),
            *_epochs(writer, experiment, trials),
        ],
        "figures": writer.group(experiment.id, numbered=False),
        "claims": [
            {
                "id": verdict.id,
                "badge": writer.verdict_badge(verdict),
                "statement": text(verdict.claim.statement),
                "said": verdict.claim.said and text(verdict.claim.said),
                "paragraph": verdict_paragraph(writer, verdict),
            }
            for verdict in verdicts
        ],
    }


def _layers(writer: Writer, trials: Sequence[TrialResult]) -> list[Table]:
    """Return one table for each different network among the trials."""
    seen: dict[object, Trial] = {}
    for trial in trials:
        if isinstance(trial.trial, Trial):
            seen.setdefault(trial.trial.layers, trial.trial)
    return [tables.layers(writer, trial) for trial in seen.values()]


def _epochs(writer: Writer, experiment: Experiment, trials: Sequence[TrialResult]) -> Iterator[Table]:
    """Yield the tables by epoch: all of them on the screen, in print those of the first trial of the original's."""
    chosen: Sequence[TrialResult] = trials
    if writer.medium == "print":
        room = experiment.section in EPOCHS_ON_PAPER and (
            not experiment.number or len(experiment.claims) <= MOST_CLAIMS
        )
        chosen = [trial for trial in trials if trial.stages][:room]
    for trial in chosen:
        for stage in trial.stages:
            if stage.epochs_table:
                yield tables.epochs(writer, trial, stage)


def classical(writer: Writer, number: str) -> SectionView:
    """Return section 4: nearest neighbours and nearest centroid, and how the networks compare with them."""
    title = writer.word("Comparison with nearest neighbours and nearest class centroid")
    heading = writer.heading("classical", title, 2, number)
    experiments = [
        experiment_view(writer, experiment, f"{number}.{place}")
        for place, experiment in enumerate(writer.experiments("classical"), start=1)
    ]
    comparison = _comparison(writer)
    return SectionView(heading, "classical", {"comparison": comparison, "experiments": experiments})


def _classifiers(writer: Writer, trials: Sequence[TrialResult]) -> tuple[Markup, ...]:
    """Return how the best classifier without a network compares with the best network, and methods with each other."""
    if not trials:
        return ()
    best, network = max(trials, key=lambda trial: trial.primary.datum.value or 0.0), best_network(writer)
    values = {
        "classifier": writer.trial_name(best.id),
        "low": writer.quantity(best.primary.datum),
        "chance": writer.numbers.bare(1 / len(writer.bundle.record.dataset.about.classes), "share", trimmed=True) + "%",
    }
    if network is None:
        said = [writer.sentence(OF_TRIALS.best_classifier_alone, **values)]
    else:
        named = writer.trial_name(network.id, network.stages[-1].id)
        high = writer.quantity(network.primary.datum)
        said = [writer.sentence(OF_TRIALS.best_classifier, network=named, high=high, **values)]
    for trial in trials:
        if {change.place for change in trial.one_change_changes} == {"method"}:
            said += judgement(writer, trial, ())[:1]
    return tuple(said)


def _comparison(writer: Writer) -> Table:
    timing = single_timings(writer)
    best = best_network(writer)
    rows = []
    for trial in writer.results.trials:
        if trial.section == "classical":
            fitted = trial.classical.training_images if trial.classical else None
            images = writer.cell(fitted, none=SAY.not_finished)
        elif trial is best:
            images = writer.cell(writer.bundle.record.dataset.counts[0])
        else:
            continue
        clock = timing.get(trial.id)
        seconds = (clock.fit_seconds, clock.predict_seconds) if clock else (None, None)
        accuracy = writer.cell(trial.primary.datum, interval=True)
        cells = [writer.cell(datum, none=NOT_TIMED) for datum in seconds]
        rows.append((writer.trial_title(trial.id), images, accuracy, *cells))
    columns = writer.columns(
        "Classifier | Training images | Test accuracy [95% interval] | Fitting (s) | Prediction (s)"
    )
    caption = writer.sentence("Classifiers on raw pixels, and the network with the best mean accuracy")
    return writer.table("classifiers", caption, columns, rows)
