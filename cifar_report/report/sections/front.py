"""The first two pages and the introduction: what came out, where it stands, and how to read the verdicts."""

from collections.abc import Sequence

from markupsafe import Markup

from cifar_report.report import names
from cifar_report.report.elements import Cell, SectionView, Table
from cifar_report.report.i18n import load_messages, mark
from cifar_report.report.sections.experiments import experiment_numbers
from cifar_report.report.sections.tables import sample_sizes
from cifar_report.report.text.conclusions import STUDIES, abstract
from cifar_report.report.text.findings import Finding, findings, headline, lead, main_comparisons, shown_effect
from cifar_report.report.writer import Writer
from cifar_report.spec import Section

SAY = load_messages("summary")
MOST_FINDINGS = 24


DEMANDS: dict[str, tuple[str, tuple[Section, ...]]] = {
    "algorithm": ("algorithm", ()),
    "examples": ("examples", ("trials", "model_2")),
    "rates": ("trials", ("trials", "model_2")),
    "hidden": ("studies", STUDIES[:1]),
    "parameters": ("studies", STUDIES[1:]),
    "classical": ("classical", ("classical",)),
    "comments": ("conclusions", ("trials", "model_2")),
    "code": ("code", ()),
}
"""The demands of the assignment: where the report meets each, and the sections whose trials must have finished."""


def title(writer: Writer) -> dict[str, object]:
    """Return the first two pages: what this is, what came out, the findings, and the map of the assignment."""
    record, results = writer.bundle.record, writer.results
    seeds, found = results.seeds, findings(writer)
    figures, study = writer.group("ladder", "verdict_bar"), record.study
    return {
        "title": study.title if study else writer.word("Image classification on CIFAR-10 with convolutional networks"),
        "kicker": "" if study else writer.word("Neural networks – deep learning"),
        "cover": writer.cover,
        "what": writer.sentence("A student report on CIFAR-10, repeated with several seeds and tested claim by claim"),
        "date": writer.numbers.date(record.finished or record.created),
        "abstract": abstract(writer, found),
        "figures": figures,
        "data": _other_data(writer),
        "data_line": _data_line(writer),
        "profile": record.profile.name,
        "claims_changed": record.claims_changed,
        "seeds": seeds,
        "fewer_seeds": seeds.asked < seeds.declared,
        "unfinished": sum(trial.status != "done" for trial in results.trials),
        "findings": _findings_table(writer, found),
        "trials": _trials_table(writer) if results.ranking else None,
        "assignment": None if study else _assignment_table(writer),
    }


def _data_line(writer: Writer) -> Markup:
    """Return how many images there are, and what they are where no warning says so."""
    dataset = writer.bundle.record.dataset
    counts = dict(zip(("train", "validation", "test"), dataset.counts, strict=True))
    canonical = dataset.grade == "canonical"
    data = writer.word(names.WORDS.grades[dataset.grade] if canonical else mark("Data"))
    data = dataset.about.name if writer.translation.own else data
    return writer.plural(SAY.data_line, writer.results.seeds.asked, data=data[:1].upper() + data[1:], **counts)


def _findings_table(writer: Writer, found: Sequence[Finding]) -> Table | None:
    """Return the main comparison of each topic with its effect, n, verdict and place; None where there is none."""
    numbers, rows = experiment_numbers(writer), []
    for each, own in (main_comparisons(found) or [(each, None) for each in lead(found)])[:MOST_FINDINGS]:
        place, effect = each.experiment.id, shown_effect(writer, each)
        if own is not None:
            other, badge = shown_effect(writer, own), writer.verdict_badge(own.verdict)
            effect = writer.sentence(SAY.as_written, effect=effect, count=own.changes, other=other, verdict=badge)
        elif (each.changes or 1) > 1:
            effect = writer.sentence(SAY.several_changes, effect=effect, count=each.changes)
        link = Markup('<a class="reference page" href="#experiment-{}">{}</a>').format(place, numbers[place])
        tested = (sample_sizes(writer, each.verdict), writer.verdict_badge(each.verdict))
        rows.append((headline(writer, each), effect, *tested, link))
    return writer.table("findings", rows) if rows else None


def _trials_table(writer: Writer) -> Table:
    """Return all trials by their mean accuracy, with what they cost, and whether they differ from the first."""
    results, trials = writer.results, {trial.id: trial for trial in writer.results.trials}
    seconds = {point.trial: point.cost for front in results.pareto if front.cost == "seconds" for point in front.points}
    baseline = next((seconds[each] for each in trials if each in seconds), None)
    rows = []
    for row in results.ranking:
        costs, clock, ratio = trials[row.trial].costs, seconds.get(row.trial), writer.cell(None, none=SAY.not_timed)
        if clock is not None and baseline is not None:
            times = (clock.value or 0.0) / (baseline.value or 1.0)
            ratio = Cell(Markup.escape(writer.numbers.bare(times, "ratio")), numeric=True)
        accuracy = writer.cell(row.accuracy, interval=True)
        parameters = writer.cell(costs.parameters if costs else None, none=SAY.no_network)
        timed = (writer.cell(clock, interval=True, none=SAY.not_timed), ratio)
        differs = writer.word(mark("no") if row.tied else mark("yes"))
        differs_cell = writer.empty_cell(SAY.ties_need) if row.tied is None else writer.cell(differs)
        count = len(trials[row.trial].primary.values)
        rows.append((writer.trial_title(row.trial), accuracy, count, parameters, *timed, differs_cell))
    return writer.table("ranking", rows)


def _assignment_table(writer: Writer) -> Table:
    """Return each demand of the assignment with the section that meets it, and whether it is met."""
    rows = []
    for name, (anchor, sections) in DEMANDS.items():
        study, place = anchor == "studies", writer.word(SAY.places[anchor])
        experiments = writer.experiments(*sections) if study else ()
        at = f"experiment-{experiments[0].id}" if experiments else anchor
        shown = Markup('<a class="reference page" href="#{}">{}</a>').format(at, place)
        # Without its experiments a study has no place to point to.
        cell = Cell(Markup.escape(place) if study and not experiments else shown)
        rows.append((writer.word(SAY.demands[name]), cell, Cell(_state(writer, sections, timed=study))))
    if data := _other_data(writer):
        return writer.table("assignment", rows, caption=SAY.assignment_other, data=writer.word(SAY.other_data[data]))
    return writer.table("assignment", rows)


def _other_data(writer: Writer) -> str | None:
    """Return what the images are where they are not the canonical ones: a key of the message tables, else None."""
    dataset = writer.bundle.record.dataset
    known = dataset.grade == "stand-in" or dataset.canonical_labels
    return None if dataset.grade == "canonical" else dataset.grade if known else "other labels"


def _state(writer: Writer, sections: Sequence[Section], *, timed: bool) -> Markup:
    """Return whether the trials behind a demand have finished: done, part with how many, or missing."""
    # Of a study whose own trials have not run, those of others that it shows are no part unless two can be compared.
    shown: dict[str, bool] = {}
    begun = False
    for experiment in writer.experiments(*sections):
        done = {name: writer.results.trial(name).status == "done" for name in experiment.shown}
        begun = begun or sum(done.values()) > 1 or any(done.get(trial.id, False) for trial in experiment.trials)
        shown |= done
    complete = all(shown.values()) and (not timed or writer.results.timing) and (shown or not sections)
    state = "done" if complete else "part" if begun else "missing"
    part = writer.plural(SAY.part, list(shown.values()).count(False))
    text = part if state == "part" else writer.word(SAY.state[state])
    if sections and state != "missing" and _other_data(writer):
        text = writer.sentence(SAY.on_other_data, state=text)
    return Markup('<span class="state state-{}">{}</span>').format(state, text)


def introduction(writer: Writer) -> SectionView:
    """Return the introduction: the task, the data, and how to read the verdicts; counts come from the bundle."""
    heading = writer.heading("introduction", writer.word("Introduction"), 2)
    record = writer.bundle.record
    view = {
        "reading": writer.heading("reading", writer.word("How to read the verdicts"), 3),
        "classes": writer.numbers.enumeration(writer.translation.classes),
        "counts": [writer.numbers.integer(count) for count in record.dataset.counts],
        "study": record.study,
        "about": record.dataset.about,
        "size": " × ".join(map(str, record.dataset.about.shape[:2])),
        "whole": [writer.numbers.integer(count) for count in record.dataset.about.counts],
        "meanings": [(writer.badge(outcome), writer.word(text)) for outcome, text in names.OUTCOME_MEANINGS.items()],
    }
    return SectionView(heading, "introduction", view)
