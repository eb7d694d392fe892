"""The whole analysis: a bundle in, every number of the report out."""

from __future__ import annotations

from cifar_report.analysis.checks import cautions, determinism
from cifar_report.analysis.estimates import scope_of
from cifar_report.analysis.predictions import read_predictions
from cifar_report.analysis.ranking import ranked
from cifar_report.analysis.results import Results, Seeds
from cifar_report.analysis.sensitivity import changes_of_mind
from cifar_report.analysis.timing import timing_rows
from cifar_report.analysis.trials import trial_results
from cifar_report.analysis.verdicts import verdicts
from cifar_report.analysis.views import ablation, examples, pareto_fronts, studies, variance_rows, weights_rows
from cifar_report.bundle import Bundle


def analyse(bundle: Bundle) -> Results:
    """Compute everything that the report shows; pure: the same bundle gives the same results.

    Raises SuiteError when a file of the bundle is damaged.
    """
    predictions, scope = read_predictions(bundle), scope_of(bundle)
    trials = trial_results(bundle, predictions, scope)
    by_id = {trial.id: trial for trial in trials}
    timing = timing_rows(bundle)
    facts = determinism(bundle, by_id, predictions)
    found = verdicts(bundle, predictions, scope)
    order, order_test = ranked(trials)
    least = min((len(trial.seeds_run) for trial in trials if trial.trial.seeded), default=0)
    return Results(
        seeds=Seeds(bundle.record.profile.seeds, bundle.record.seeds, least),
        scope=scope,
        trials=trials,
        verdicts=found,
        studies=studies(bundle, by_id),
        ranking=order,
        ranking_test=order_test,
        pareto=pareto_fronts(trials, timing, bundle.record.dataset.counts[0]),
        ablation=ablation(by_id),
        variance=variance_rows(trials, predictions),
        weights=weights_rows(trials),
        examples=examples(trials, predictions),
        timing=timing,
        determinism=facts,
        changes_of_mind=changes_of_mind(found),
        cautions=cautions(bundle, trials, predictions, timing, facts),
    )
