"""Sections 3 to 5: the trials of each experiment, classifiers without a network, and examples of classification."""

from collections.abc import Iterator, Sequence
from itertools import count

from markupsafe import Markup

from cifar_report.analysis.results import TrialResult
from cifar_report.report.elements import SectionView, Table, breakable
from cifar_report.report.i18n import load_messages
from cifar_report.report.sections import tables
from cifar_report.report.text.conclusions import STUDIES, best_network, study_sentence
from cifar_report.report.text.trials import CHANGES, MOST_CHANGES, change_labels, figure_labels, judgement
from cifar_report.report.text.trials import SAY as OF_TRIALS
from cifar_report.report.text.verdicts import verdict_paragraph
from cifar_report.report.writer import Value, Writer
from cifar_report.spec import Experiment, Section, Trial

SAY = load_messages("sections")

DIGIT_SECTIONS: frozenset[Section] = frozenset({"trials", "model_2", "parallel"})  # and all of a study of one's own
EPOCHS_ON_PAPER: frozenset[Section] = frozenset({"trials", "model_2", "own"})
ORDER: tuple[Section, ...] = ("trials", "hidden_layer", "training_parameters", "model_2", "parallel", "own")
"""The studies, which the original lacks, are lettered, so that what it has keeps its numbers."""
MOST_CLAIMS = 4  # beside which a page has room for a table by epoch


def experiment_numbers(writer: Writer) -> dict[str, str]:
    """Return the number of each experiment's section by its id, in the order of the report."""
    digits, letters, numbers = count(1), map(chr, count(ord("A"))), {}
    for experiment in (each for section in ORDER for each in writer.experiments(section)):
        lettered = experiment.section not in DIGIT_SECTIONS and not writer.translation.own
        numbers[experiment.id] = f"3.{next(letters if lettered else digits)}"
    return numbers | {each.id: f"4.{place}" for place, each in enumerate(writer.experiments("classical"), start=1)}


def trials(writer: Writer, number: str) -> SectionView:
    """Return section 3; every experiment of a bundle finds its place by its own section and order."""
    heading = writer.heading("trials", writer.word("Trials"), 2, number)
    figures = writer.group("curves")
    views = [experiment_view(writer, each) for section in ORDER for each in writer.experiments(section)]
    return SectionView(heading, "trials", {"experiments": views, "figures": figures})


def experiment_view(writer: Writer, experiment: Experiment) -> dict[str, object]:
    """Return everything that is shown about one experiment; what only the screen has is folded there."""
    text, found = writer.translation.text, [writer.results.trial(trial.id) for trial in experiment.trials]
    number, study = experiment_numbers(writer)[experiment.id], experiment.section in STUDIES
    heading = writer.heading(f"experiment-{experiment.id}", text(experiment.title), 3, number)
    finished = {each.id for each in writer.results.trials if each.primary.datum.value is not None}
    ran = [trial for trial in found if trial.id in finished]
    kind = "study" if study else "trial" if experiment.section in EPOCHS_ON_PAPER else "part"
    told = len(finished.intersection(experiment.shown)) > study
    failed = [each for trial in found for each in trial.failed]
    labelled = ran if not study and experiment.section != "classical" else []
    figures = writer.group(*(["studies"] if study else []), experiment.id)
    untested = [each.id for each in experiment.claims if writer.results.verdict(each.id).outcome == "not_run"]
    waiting = untested if writer.medium == "print" and len(untested) == len(experiment.claims) else []
    claims = tables.claims(writer, experiment) if experiment.claims and not waiting else None
    return {
        "kind": kind if ran or study else "part",
        "heading": heading,
        "trial_number": experiment.number,
        "question": text(experiment.question) if told else None,
        "labels": list(_labels(writer, labelled, text(experiment.change))),
        "explanation": text(experiment.explanation) if told else None,
        "figures": figures,
        "claims": claims,
        "waiting": [(each, breakable(each)) for each in waiting],
        "judgement": list(_judgement(writer, experiment, found)),
        "problems": [writer.sentence(OF_TRIALS.failed, run=each.run, error=each.error) for each in failed],
        "epochs": list(_epochs(writer, experiment, found)) if writer.medium == "print" else [],
        "details": _details(writer, experiment, found) if writer.medium == "screen" else None,
    }


def _labels(
    writer: Writer, trials: Sequence[TrialResult], whole: str
) -> Iterator[tuple[str, Markup, tuple[Markup, ...]]]:
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
        yield (writer.plural(OF_TRIALS.not_run, len(waiting), trials=writer.trial_names(each.id for each in waiting)),)


def _details(writer: Writer, experiment: Experiment, trials: Sequence[TrialResult]) -> dict[str, object]:
    """Return what is folded on the screen: every table and figure of the trials, and each claim in full."""
    text, verdicts = writer.translation.text, [writer.results.verdict(claim.id) for claim in experiment.claims]
    networks: dict[object, Trial] = {}  # the first trial of each
    for each in (trial.trial for trial in trials if isinstance(trial.trial, Trial)):
        networks.setdefault(each.layers, each)
    return {
        "tables": [
            *([tables.results(writer, experiment.id, text(experiment.title), trials)] if trials else []),
            *(tables.layers(writer, trial) for trial in networks.values()),
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


def _epochs(writer: Writer, experiment: Experiment, trials: Sequence[TrialResult]) -> Iterator[Table]:
    """Yield the tables by epoch: all of them on the screen, in print where the page of an original's trial has room."""
    room = len(trials)
    if writer.medium == "print" and (experiment.claims or experiment.section not in EPOCHS_ON_PAPER):
        few = not experiment.number or len(experiment.claims) <= MOST_CLAIMS
        room = int(few and experiment.section in EPOCHS_ON_PAPER)
    for trial in [trial for trial in trials if trial.stages][:room]:
        for stage in trial.stages:
            if stage.epochs_table:
                yield tables.epochs(writer, trial, stage)


def classical(writer: Writer, number: str) -> SectionView:
    """Return section 4: nearest neighbours and nearest centroid, and how the networks compare with them."""
    title = writer.word("Comparison with nearest neighbours and nearest class centroid")
    heading = writer.heading("classical", title, 2, number)
    experiments = [experiment_view(writer, experiment) for experiment in writer.experiments("classical")]
    return SectionView(heading, "classical", {"comparison": _comparison(writer), "experiments": experiments})


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
    if network is not None:
        values["network"] = writer.trial_name(network.id, network.stages[-1].id)
        values["high"] = writer.quantity(network.primary.datum)
    said = [writer.sentence(OF_TRIALS.best_classifier if network else OF_TRIALS.best_classifier_alone, **values)]
    for trial in trials:
        if {change.place for change in trial.one_change_changes} == {"method"}:
            said += judgement(writer, trial, ())[:1]
    return tuple(said)


def _comparison(writer: Writer) -> Table:
    timing, best, rows = tables.single_timings(writer), best_network(writer), []
    for trial in writer.results.trials:
        if trial.section == "classical":
            images: Value = trial.classical.training_images if trial.classical else None
        elif trial is best:
            images = writer.bundle.record.dataset.counts[0]
        else:
            continue
        clock = timing.get(trial.id)
        seconds = (clock.fit_seconds, clock.predict_seconds) if clock else (None, None)
        fitted = writer.cell(images, none=SAY.not_finished)
        accuracy = writer.cell(trial.primary.datum, interval=True)
        times = [writer.cell(datum, none=tables.NOT_TIMED) for datum in seconds]
        rows.append((writer.trial_title(trial.id), fitted, accuracy, *times))
    return writer.table("classifiers", rows)


def examples(writer: Writer, number: str, *, pictures: bool) -> SectionView:
    """Return section 5; ``pictures`` says whether the dataset was at hand."""
    heading = writer.heading("examples", writer.word("Examples of right and wrong classification"), 2, number)
    title = writer.word("The most confident right and wrong predictions")
    picked = writer.heading("examples-picked", title, 3, f"{number}.1")
    confusion = writer.heading("confusion", writer.word("Confusion matrix and classes"), 3, f"{number}.2")
    found, best = writer.results.examples, best_network(writer)
    stage = best.stage() if best else None
    view = {
        "picked": picked,
        "trial": writer.trial_name(found[0].trial, found[0].stage) if found else None,
        "run": found[0].run if found else None,
        "pictures": pictures,
        "figures": writer.group("examples"),
        "confusion_heading": confusion,
        "confusion_figures": writer.group("confusion"),
        "known": stage is not None and stage.test is not None,
        "tables": list(tables.errors(writer, stage.test)) if stage and stage.test and writer.medium == "screen" else [],
        "compact": sum(map(writer.bundle.is_compact, writer.bundle.runs)),
    }
    return SectionView(heading, "examples", view)
