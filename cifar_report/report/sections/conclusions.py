"""The conclusions: every claim by its verdict, and what all trials together say."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from markupsafe import Markup

from cifar_report.analysis.results import ChangeOfMind, Outcome
from cifar_report.analysis.results.views import ChangeKind
from cifar_report.report.elements import FigureView, Heading, Table
from cifar_report.report.i18n import mark, mark_plural
from cifar_report.report.sections.overview import ablation_table, costs_table, ranking_table, spread_tables
from cifar_report.report.sections.view import SectionView
from cifar_report.report.text import conclusions
from cifar_report.report.text.studies import study_sentences
from cifar_report.report.text.verdicts import claim_link, enumerate_markup, verdict_sentence
from cifar_report.report.writer import Writer

GROUPS: dict[Outcome, tuple[str, str]] = {
    "reproduced": mark_plural(
        "%(count)s claim that the data reproduce",
        "%(count)s claims that the data reproduce",
    ),
    "not_reproduced": mark_plural(
        "%(count)s claim that the data do not reproduce",
        "%(count)s claims that the data do not reproduce",
    ),
    "inconclusive": mark_plural(
        "%(count)s claim that the data cannot decide",
        "%(count)s claims that the data cannot decide",
    ),
    "not_run": mark_plural(
        "%(count)s claim that was not tested",
        "%(count)s claims that were not tested",
    ),
    "not_testable": mark_plural(
        "%(count)s claim that cannot be tested here",
        "%(count)s claims that cannot be tested here",
    ),
}
DETAILED: frozenset[Outcome] = frozenset({"reproduced", "not_reproduced", "inconclusive"})
CHANGES: dict[ChangeKind, tuple[str, str]] = {
    "more_seeds": mark_plural(
        "More seeds could decide %(count)s claim: %(claims)s.", "More seeds could decide %(count)s claims: %(claims)s."
    ),
    "canonical_pixels": mark_plural(
        "%(count)s claim can only be tested on the canonical pixels: %(claims)s.",
        "%(count)s claims can only be tested on the canonical pixels: %(claims)s.",
    ),
    "timing_pass": mark_plural(
        "%(count)s claim needs a timing pass: %(claims)s.", "%(count)s claims need a timing pass: %(claims)s."
    ),
    "full_profile": mark_plural(
        "%(count)s claim can only be tested with the full profile: %(claims)s.",
        "%(count)s claims can only be tested with the full profile: %(claims)s.",
    ),
    "real_data": mark_plural(
        "%(count)s claim can only be tested on the real data: %(claims)s.",
        "%(count)s claims can only be tested on the real data: %(claims)s.",
    ),
    "missing_runs": mark_plural(
        "%(count)s claim needs runs that are missing: %(claims)s.",
        "%(count)s claims need runs that are missing: %(claims)s.",
    ),
    "margin_halved": mark_plural(
        "Half the margin would change %(count)s verdict: %(claims)s.",
        "Half the margin would change %(count)s verdicts: %(claims)s.",
    ),
    "margin_doubled": mark_plural(
        "Twice the margin would change %(count)s verdict: %(claims)s.",
        "Twice the margin would change %(count)s verdicts: %(claims)s.",
    ),
    "without_seed": mark_plural(
        "Leaving out a single seed would change %(count)s verdict: %(claims)s.",
        "Leaving out a single seed would change %(count)s verdicts: %(claims)s.",
    ),
}
LONG_LIST = 8  # claims that a sentence can name; more are looked up in the tables
SEE_TABLE = mark("see the table")
NEEDS: frozenset[ChangeKind] = frozenset(
    {"more_seeds", "canonical_pixels", "timing_pass", "full_profile", "real_data", "missing_runs"}
)
STEADY = mark("Neither half nor twice the margin nor one seed less would change a verdict.")


@dataclass(frozen=True)
class Point:
    """One claim in the conclusions."""

    link: Markup
    statement: str
    sentence: Markup | None


@dataclass(frozen=True)
class Group:
    """All claims of one outcome."""

    outcome: Outcome
    title: Markup
    points: tuple[Point, ...]


@dataclass(frozen=True)
class Topic:
    """One view over all trials: what it says, its table and its figures."""

    heading: Heading
    sentences: tuple[Markup, ...]
    tables: tuple[Table, ...]
    figures: tuple[FigureView, ...]


@dataclass(frozen=True)
class ConclusionsView:
    """The conclusions."""

    groups: tuple[Group, ...]
    topics: tuple[Topic, ...]


def build(writer: Writer) -> SectionView:
    """Return the conclusions; each is generated from a verdict or from a view over all trials."""
    heading = writer.heading("conclusions", writer.word(mark("Conclusions")), 2)
    groups = tuple(_groups(writer))
    return SectionView(heading, "conclusions", ConclusionsView(groups, tuple(_topics(writer))))


def _groups(writer: Writer) -> Iterator[Group]:
    for outcome, forms in GROUPS.items():
        verdicts = [verdict for verdict in writer.results.verdicts if verdict.outcome == outcome]
        if verdicts:
            points = tuple(
                Point(
                    claim_link(verdict.id),
                    writer.translation.text(verdict.claim.statement),
                    verdict_sentence(writer, verdict) if outcome in DETAILED else None,
                )
                for verdict in verdicts
            )
            yield Group(outcome, writer.count(forms, len(verdicts)), points)


def _topics(writer: Writer) -> Iterator[Topic]:
    title = writer.heading("ranking", writer.word(mark("Order of all trials")), 3)
    overview = [figure for figure in writer.figures if figure.group == "overview"]
    ranking = (ranking_table(writer),) if writer.results.ranking else ()
    yield Topic(title, conclusions.ranking(writer), ranking, writer.show(*overview))
    studies = study_sentences(writer)
    if studies:
        title = writer.heading("studies", writer.word(mark("What the studies of single settings say")), 3)
        yield Topic(title, studies, (), ())
    title = writer.heading("costs", writer.word(mark("Accuracy and cost")), 3)
    yield Topic(title, conclusions.fronts(writer), (costs_table(writer),), writer.group("timing"))
    title = writer.heading("confounding", writer.word(mark("As written, and by one change")), 3)
    ablation = (ablation_table(writer),) if writer.results.ablation else ()
    yield Topic(title, conclusions.confounding(writer), ablation, ())
    title = writer.heading("spread", writer.word(mark("Spread between runs, and choice of weights")), 3)
    yield Topic(title, tuple(conclusions.spread(writer)), tuple(spread_tables(writer)), ())
    title = writer.heading("changes", writer.word(mark("What would change these conclusions")), 3)
    yield Topic(title, tuple(_changes(writer)), (), ())


def _changes(writer: Writer) -> Iterator[Markup]:
    kinds: dict[ChangeKind, list[ChangeOfMind]] = {}
    for change in writer.results.changes_of_mind:
        kinds.setdefault(change.kind, []).append(change)
    if not kinds:
        yield writer.say(STEADY)
    for kind, changes in kinds.items():
        claims = list(dict.fromkeys(change.claim for change in changes))
        named = [claim_link(claim) for claim in claims]
        anchor = "verdicts" if kind in NEEDS else "appendix-sensitivity"
        table = Markup('<a class="reference" href="#{}">{}</a>').format(anchor, writer.word(SEE_TABLE))
        links = enumerate_markup(writer, named) if len(named) <= LONG_LIST else table
        yield writer.count(CHANGES[kind], len(claims), claims=links)
