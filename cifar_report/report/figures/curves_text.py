"""What stands around learning curves: caption, alternative text and data."""

from __future__ import annotations

from cifar_report.analysis.results import StageSummary, TrialResult
from cifar_report.report.figures import words
from cifar_report.report.figures.drawn import Cell
from cifar_report.report.figures.thinning import MOST_SEEDS
from cifar_report.report.i18n import Translation, mark
from cifar_report.report.numbers import Numbers

THINNED = mark("Of the seeds, only %(count)s are drawn, evenly spaced.")


def caption(result: TrialResult, translate: Translation) -> str:
    """Return one or two sentences on what the curves show."""
    count = max(len(stage.curves) for stage in result.stages)
    values = {
        "trial": words.trial_name(result.trial, translate),
        "seeds": words.seeds(count, translate),
    }
    if any(stage.original_curve for stage in result.stages):
        sentence = translate.ngettext(
            "%(trial)s: accuracy and loss by epoch, under a single seed. Dashed curves are the original's single run,"
            " horizontal lines the test values at the end.",
            "%(trial)s: accuracy and loss by epoch, each seed thin and the mean of %(seeds)s strong. Dashed curves are"
            " the original's single run, horizontal lines the test values at the end.",
            count,
        )
    else:
        sentence = translate.ngettext(
            "%(trial)s: accuracy and loss by epoch, under a single seed. Horizontal lines are the test values at the"
            " end.",
            "%(trial)s: accuracy and loss by epoch, each seed thin and the mean of %(seeds)s strong. Horizontal lines"
            " are the test values at the end.",
            count,
        )
    more = [translate.plain(THINNED, {"count": Numbers(translate).integer(MOST_SEEDS)})] if count > MOST_SEEDS else []
    if any(stage.original_curve and not words.held_against(stage.primary.test_accuracy) for stage in result.stages):
        more.append(translate.gettext(words.ORIGINAL_APART))
    return " ".join((sentence % values, *more))


def alternative(result: TrialResult, translate: Translation) -> str:
    """Return what the curves say, one sentence a stage."""
    return " ".join(_finding(stage, result, translate) for stage in result.stages)


def _finding(stage: StageSummary, result: TrialResult, translate: Translation) -> str:
    """Return one sentence on where the curves of a stage end and where overfitting begins."""
    last = stage.epochs_table[-1]
    sentence = translate.ngettext(
        "%(trial)s, a single seed: after epoch %(epoch)s training accuracy is %(training)s, validation accuracy"
        " %(validation)s and test accuracy %(test)s; validation loss is least at epoch %(best)s.",
        "%(trial)s, mean of %(seeds)s: after epoch %(epoch)s training accuracy is %(training)s, validation accuracy"
        " %(validation)s and test accuracy %(test)s; validation loss is least at epoch %(best)s on average.",
        len(stage.curves),
    )
    numbers = Numbers(translate)
    values = {
        "trial": words.trial_name(result.trial, translate, stage.id),
        "seeds": words.seeds(len(stage.curves), translate),
        "epoch": numbers.integer(last.epoch),
        "training": numbers.number(last.accuracy),
        "validation": numbers.number(last.val_accuracy),
        "test": numbers.number(stage.primary.test_accuracy.datum),
        "best": numbers.number(stage.best_epoch.datum),
    }
    return sentence % values


def columns(translate: Translation) -> tuple[str, ...]:
    """Return the headings of the curves' data."""
    _ = translate.gettext
    return (
        _("Training"),
        _("Epoch"),
        _("Seeds"),
        _("Training accuracy"),
        _("Validation accuracy"),
        _("Training loss"),
        _("Validation loss"),
        _("Original, training accuracy"),
        _("Original, validation accuracy"),
        _("Original, training loss"),
        _("Original, validation loss"),
    )


def rows(stage: StageSummary, result: TrialResult, translate: Translation) -> list[tuple[Cell, ...]]:
    """Return one row an epoch: the means over the seeds, and the original's values."""
    original = stage.original_curve
    stage_title = words.stage_name(result.trial, stage.id, translate)
    found: list[tuple[Cell, ...]] = []
    for place, row in enumerate(stage.epochs_table):
        ours = (row.accuracy.value, row.val_accuracy.value, row.loss.value, row.val_loss.value)
        theirs: tuple[Cell, ...] = (None,) * 4
        if original is not None and place < len(original.accuracy):
            curves = (original.accuracy, original.val_accuracy, original.loss, original.val_loss)
            theirs = tuple(column[place] for column in curves)
        found.append((stage_title, row.epoch, row.n, *ours, *theirs))
    return found
