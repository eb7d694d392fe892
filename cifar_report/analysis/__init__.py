"""From a bundle to every number of the report: metrics, statistics and verdicts; nothing is trained or formatted."""

from cifar_report.analysis.results import Results, Seeds
from cifar_report.bundle import Bundle


def analyse(bundle: Bundle) -> Results:
    """Return everything that the report shows, the same of the same bundle; SuiteError where a file is damaged."""
    # Imported where it is asked for: who only shows results does without two seconds of statistics.
    from cifar_report.analysis import checks, sensitivity, trials, verdicts, views
    from cifar_report.analysis.estimates import scope_of
    from cifar_report.analysis.predictions import read_predictions

    predictions, scope = read_predictions(bundle), scope_of(bundle)
    results = trials.trial_results(bundle, predictions, scope)
    by_id = {trial.id: trial for trial in results}
    times = views.timing_rows(bundle)
    facts = checks.determinism(bundle, by_id, predictions)
    found = verdicts.verdicts(bundle, predictions, scope)
    least = min((len(trial.seeds_run) for trial in results if trial.trial.seeded), default=0)
    return Results(
        seeds=Seeds(
            bundle.record.profile.seeds, bundle.record.seeds, least, trials.unseen_collapses(bundle.record.seeds)
        ),
        scope=scope,
        trials=results,
        verdicts=found,
        statements=verdicts.statements(found),
        studies=tuple(views.studies(bundle, by_id)),
        ranking=views.ranked(results),
        pareto=views.pareto_fronts(results, times, bundle.record.dataset.counts[0]),
        ablation=views.ablation(by_id),
        variance=tuple(row for trial in results if (row := views.variance(trial, predictions)) is not None),
        weights=views.weights_rows(results),
        examples=views.examples(results, predictions),
        timing=times,
        determinism=facts,
        changes_of_mind=tuple(sensitivity.changes_of_mind(found)),
        cautions=checks.cautions(bundle, results, predictions, times, facts),
        dead_units=views.dead_units(results),
    )
