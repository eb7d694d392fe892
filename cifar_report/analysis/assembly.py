"""The whole analysis: a bundle in, every number of the report out."""

from __future__ import annotations

from cifar_report.analysis.answers import read_answers
from cifar_report.analysis.cautions import cautions
from cifar_report.analysis.changes import changes_of_mind
from cifar_report.analysis.determinism import determinism
from cifar_report.analysis.examples import examples
from cifar_report.analysis.measures import scope_of
from cifar_report.analysis.ranking import ranked
from cifar_report.analysis.results import Results, Seeds, TrialResult
from cifar_report.analysis.studies import ablation, pareto_fronts, studies, weights_rows
from cifar_report.analysis.timing import timing_rows
from cifar_report.analysis.trials import trial_results
from cifar_report.analysis.variance import variance_rows
from cifar_report.analysis.verdicts import verdicts
from cifar_report.bundle import Bundle


def analyse(bundle: Bundle) -> Results:
    """Compute everything that the report shows; pure: the same bundle gives the same results.

    Raises SuiteError when a file of the bundle is damaged.
    """
    answers, scope = read_answers(bundle), scope_of(bundle)
    trials = trial_results(bundle, answers, scope)
    by_id = {trial.id: trial for trial in trials}
    timing = timing_rows(bundle)
    facts = determinism(bundle, by_id, answers)
    found = verdicts(bundle, answers, scope)
    order, order_test = ranked(trials)
    return Results(
        seeds=_seeds(bundle, trials),
        scope=scope,
        trials=trials,
        verdicts=found,
        studies=studies(bundle, by_id),
        ranking=order,
        ranking_test=order_test,
        pareto=pareto_fronts(trials, timing, bundle.record.dataset.counts[0]),
        ablation=ablation(by_id),
        variance=variance_rows(trials, answers),
        weights=weights_rows(trials),
        examples=examples(trials, answers),
        timing=timing,
        determinism=facts,
        changes_of_mind=changes_of_mind(found),
        cautions=cautions(bundle, trials, answers, timing, facts),
    )


def _seeds(bundle: Bundle, trials: tuple[TrialResult, ...]) -> Seeds:
    counts = [len(trial.seeds_run) for trial in trials if trial.trial.seeded]
    return Seeds(bundle.record.profile.seeds, bundle.record.seeds, min(counts, default=0))
