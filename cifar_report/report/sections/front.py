"""The first two pages and the introduction: what came out, where it stands, and how to read the verdicts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

from markupsafe import Markup

from cifar_report.report import names
from cifar_report.report.elements import Cell, SectionView, Table
from cifar_report.report.i18n import load_messages, mark
from cifar_report.report.sections.experiments import experiment_numbers
from cifar_report.report.text.conclusions import STUDIES, abstract
from cifar_report.report.text.findings import Finding, decided_tests, findings, headline, lead, shown_effect
from cifar_report.report.writer import Writer
from cifar_report.spec import Section

SAY = load_messages("summary")
MOST_FINDINGS = 15
WIDTHS = (24.5, 37.5, 5.0, 17.5, 7.5, 8.0)  # of the printed table of findings, in hundredths
MAP_WIDTHS = (58.0, 26.0, 16.0)  # of the map of the assignment
State = Literal["done", "part", "missing"]


class Demand(NamedTuple):
    """One demand of the assignment: where the report meets it, and the sections whose trials must have finished."""

    name: str
    anchor: str
    sections: tuple[Section, ...] = ()
    timed: bool = False


DEMANDS = (
    Demand("algorithm", "algorithm"),
    Demand("examples", "examples", ("trials", "model_2")),
    Demand("rates", "trials", ("trials", "model_2")),
    Demand("hidden", "studies", STUDIES[:1], timed=True),
    Demand("parameters", "studies", STUDIES[1:], timed=True),
    Demand("classical", "classical", ("classical",)),
    Demand("comments", "conclusions", ("trials", "model_2")),
    Demand("code", "code"),
)


def title(writer: Writer) -> dict[str, object]:
    """Return the first two pages: what this is, what came out, the findings, and the map of the assignment."""
    record, results = writer.bundle.record, writer.results
    dataset, seeds, found = record.dataset, results.seeds, findings(writer)
    figures, study = writer.group("ladder", "verdict_bar"), record.study
    return {
        "title": study.title if study else writer.word("Image classification on CIFAR-10 with convolutional networks"),
        "kicker": "" if study else writer.word("Neural networks – deep learning"),
        "cover": writer.cover,
        "what": writer.sentence("A student report on CIFAR-10, repeated with several seeds and tested claim by claim"),
        "date": writer.numbers.date(record.finished or record.created),
        "abstract": abstract(writer, found),
        "figures": figures,
        "data": dataset.grade if dataset.grade == "stand-in" or dataset.canonical_labels else "other labels",
        "data_line": _data_line(writer),
        "profile": record.profile.name,
        "claims_changed": record.claims_changed,
        "seeds": seeds,
        "fewer_seeds": seeds.asked < seeds.declared,
        "unfinished": sum(trial.status != "done" for trial in results.trials),
        "findings": _findings_table(writer, found),
        "assignment": None if study else _assignment_table(writer),
    }


def _data_line(writer: Writer) -> Markup:
    """Return how many images there are, and what they are where no warning says so."""
    dataset = writer.bundle.record.dataset
    counts = dict(zip(("train", "validation", "test"), map(writer.numbers.integer, dataset.counts), strict=True))
    canonical = dataset.grade == "canonical"
    data = writer.word(names.GRADES[dataset.grade] if canonical else mark("Data"))
    data = dataset.about.name if writer.translation.own else data
    return writer.plural(SAY.data_line, writer.results.seeds.asked, data=data[:1].upper() + data[1:], **counts)


def _findings_table(writer: Writer, found: Sequence[Finding]) -> Table | None:
    """Return the strongest finding of each topic with its effect, n, verdict and place; None where there is none."""
    experiments = {claim.id: each.id for each in writer.bundle.record.experiments for claim in each.claims}
    numbers = experiment_numbers(writer)
    rows = []
    for each in lead(found)[:MOST_FINDINGS]:
        verdict, place = each.verdict, experiments[each.verdict.id]
        counts = [count for count in (verdict.n, verdict.n_comparator) if count is not None]
        link = Markup('<a class="reference page" href="#experiment-{}">{}</a>').format(place, numbers[place])
        n = Cell(Markup(" + ").join(map(writer.numbers.integer, counts)), numeric=True)
        badge, tests = Cell(writer.verdict_badge(verdict)), Cell(decided_tests(writer, found, each.topic))
        rows.append((Cell(headline(writer, each)), Cell(shown_effect(writer, each)), n, badge, tests, Cell(link)))
    columns = (
        *writer.columns("Finding | Effect [95% interval]", words=2),
        *writer.columns("n", words=0),
        *writer.columns("Verdict | Decided | Section", words=3),
    )
    caption = writer.sentence(SAY.findings_caption)
    if not rows:
        return None
    return writer.table("findings", caption, columns, rows, style="findings", widths=WIDTHS)


def _assignment_table(writer: Writer) -> Table:
    """Return each demand of the assignment with the section that meets it, and whether it is met."""
    rows = []
    for demand in DEMANDS:
        experiments = writer.experiments(*demand.sections) if demand.anchor == "studies" else ()
        anchor = f"experiment-{experiments[0].id}" if experiments else demand.anchor
        place = writer.word(SAY.places[demand.anchor])
        # Without its experiments a study has no place to point to.
        shown = Markup('<a class="reference page" href="#{}">{}</a>').format(anchor, place)
        missing = demand.anchor == "studies" and not experiments
        cells = (Cell(Markup.escape(place) if missing else shown), Cell(_state(writer, demand)))
        rows.append((writer.word(SAY.demands[demand.name]), *cells))
    columns = writer.columns("Demand | Section | State", words=3)
    return writer.table(
        "assignment", writer.sentence(SAY.assignment_caption), columns, rows, style="findings", widths=MAP_WIDTHS
    )


def _state(writer: Writer, demand: Demand) -> Markup:
    """Return whether the trials behind a demand have finished: done, part with how many, or missing.

    Of a study whose own trials have not run, the trials of others that it shows are no part unless two can be compared.
    """
    shown: dict[str, bool] = {}
    begun = False
    for experiment in writer.experiments(*demand.sections):
        done = {name: writer.results.trial(name).status == "done" for name in experiment.shown}
        begun = begun or sum(done.values()) > 1 or any(done.get(trial.id, False) for trial in experiment.trials)
        shown |= done
    timed = not demand.timed or bool(writer.results.timing)
    complete = all(shown.values()) and timed and (bool(shown) or not demand.sections)
    state = "done" if complete else "part" if begun else "missing"
    counts = {"done": sum(shown.values()), "count": len(shown)}
    text = writer.sentence(SAY.part, **counts) if state == "part" else writer.word(SAY.state[state])
    return Markup('<span class="state state-{}">{}</span>').format(state, text)


def introduction(writer: Writer) -> SectionView:
    """Return the introduction: the task, the data, and how to read the verdicts; counts come from the bundle."""
    heading = writer.heading("introduction", writer.word("Introduction"), 2)
    reading = writer.heading("reading", writer.word("How to read the verdicts"), 3)
    record = writer.bundle.record
    view = {
        "reading": reading,
        "classes": writer.numbers.enumeration(writer.translation.classes),
        "counts": [writer.numbers.integer(count) for count in record.dataset.counts],
        "study": record.study,
        "about": record.dataset.about,
        "size": " × ".join(map(str, record.dataset.about.shape[:2])),
        "whole": [writer.numbers.integer(count) for count in record.dataset.about.counts],
        "meanings": [(writer.badge(outcome), writer.word(text)) for outcome, text in names.OUTCOME_MEANINGS.items()],
    }
    return SectionView(heading, "introduction", view)
