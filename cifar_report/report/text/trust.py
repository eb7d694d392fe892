"""How far the report may be trusted: warnings that cannot be missed, and the limits that always hold."""

from __future__ import annotations

from markupsafe import Markup

from cifar_report.report.i18n import mark, mark_plural
from cifar_report.report.text.summary import tally
from cifar_report.report.writer import Writer

STAND_IN = mark(
    "These data are not CIFAR-10. They are a synthetic stand-in that a program drew, so that the machinery can be "
    "tried where the real images are not at hand. No number in this report says anything about CIFAR-10, and every "
    "claim that needs training is marked as not testable."
)
REDUCED = {
    "smoke": mark(
        "This is the smoke profile: a few hundred images and a single epoch, made to check that the machinery works. "
        "Its accuracies mean nothing, and no claim of the write-up is tested."
    ),
    "quick": mark(
        "This is the quick profile: a tenth of the data and a fraction of the epochs. Its accuracies are lower than "
        "those of the full suite, and no claim of the write-up that needs training is tested."
    ),
}
UNVERIFIED = mark(
    "The images are not verified to be the canonical CIFAR-10: their labels are CIFAR-10's, in its order, but the "
    "pixels differ from, or could not be compared with, the published ones. Comparisons between networks on these "
    "images stand; absolute accuracies cannot be held against the write-up's."
)
OTHER_LABELS = mark(
    "The labels of these images are not those of CIFAR-10 in its canonical order. No claim of the write-up that needs "
    "training can be tested on them."
)
OTHER_SEEDS = mark_plural(
    "The number of seeds was changed after it had been declared: %(asked)s instead of %(declared)s seed. Seeds that "
    "are added after looking at results make chance findings likelier.",
    "The number of seeds was changed after it had been declared: %(asked)s instead of %(declared)s seeds. Seeds that "
    "are added after looking at results make chance findings likelier.",
)
FEWER_SEEDS = mark_plural(
    "Fewer seeds were trained than had been declared: %(asked)s instead of %(declared)s seed, so that less can be "
    "decided than planned.",
    "Fewer seeds were trained than had been declared: %(asked)s instead of %(declared)s seeds, so that less can be "
    "decided than planned.",
)
CLAIMS_CHANGED = mark(
    "The claims or their margins were changed after runs of this bundle had been trained. A claim that is made or "
    "changed with results in view is no test of them."
)
INCOMPLETE = mark_plural(
    "The bundle is not complete: %(count)s trial has missing or failed runs, which the sections name.",
    "The bundle is not complete: %(count)s trials have missing or failed runs, which the sections name.",
)

SEEDS = mark_plural(
    "Every recipe was trained from scratch with %(count)s seed, that is, one random start; with one seed, chance "
    "cannot be told from the recipe.",
    "Every recipe was trained from scratch with %(count)s seeds, that is, from as many random starts, and differences "
    "are judged against the spread between them.",
)
SEEDS_ASKED = mark_plural(
    "This bundle is for %(count)s seed of each recipe, but not all runs have finished.",
    "This bundle is for %(count)s seeds of each recipe, but not all runs have finished.",
)
ONE_SPLIT = mark(
    "All of it holds for one fixed division of the images into training and validation, and for these test images."
)
OTHER_SPLITS = mark(
    "All of it holds for one fixed division of the images into training and validation, and for these test images; "
    "the section on the training parameters shows the reference model on other divisions beside it."
)
FIXED = mark(
    "By the record of this bundle, the claims and the margins by which they are judged have not changed since its "
    "first run was trained; their fingerprint is stored with the results, so that a change would show."
)
FAMILIES = mark(
    "Many claims are tested at once; within each family of claims the tests for a direction are corrected, so that, "
    "if recipes did not differ at all, chance would name a direction in about one of twenty reports per family at "
    "most. Claims of equality, of ratios and of absolute values are tested singly, and so is whether an effect as "
    "large as the margin can be ruled out; each of these may err in about one of twenty cases."
)
TIMES = mark(
    "Seconds depend on the machine: time claims are judged by ratios between trainings timed alone on one machine, "
    "and the write-up's own seconds are shown without a verdict."
)
NO_TIMES = mark("The timing pass was not run, so nothing is said about training times.")
UNDECIDED = mark_plural(
    "For %(count)s claim the data cannot tell, which never means that two things are equal.",
    "For %(count)s claims the data cannot tell, which never means that two things are equal.",
)


def warnings(writer: Writer) -> tuple[Markup, ...]:
    """Return what a reader must know before believing any number; empty for a full run on canonical data."""
    record = writer.bundle.record
    said = []
    if record.dataset.grade == "stand-in":
        said.append(writer.say(STAND_IN))
    elif not record.dataset.canonical_labels:
        said.append(writer.say(OTHER_LABELS))
    elif record.dataset.grade == "unverified":
        said.append(writer.say(UNVERIFIED))
    if record.profile.name in REDUCED:
        said.append(writer.say(REDUCED[record.profile.name]))
    if record.claims_changed:
        said.append(writer.say(CLAIMS_CHANGED))
    seeds = writer.results.seeds
    if seeds.differs:
        whole = writer.numbers.integer
        values = {"asked": whole(seeds.asked), "declared": whole(seeds.declared)}
        said.append(
            writer.count(FEWER_SEEDS if seeds.asked < seeds.declared else OTHER_SEEDS, seeds.declared, **values)
        )
    unfinished = [trial for trial in writer.results.trials if trial.status != "done"]
    if unfinished:
        said.append(writer.count(INCOMPLETE, len(unfinished)))
    return tuple(said)


def _other_splits(writer: Writer) -> bool:
    """Whether the reference model finished on more than one division."""
    return any(study.only_splits and len(study.ranking) > 1 for study in writer.results.studies)


def trust(writer: Writer) -> tuple[Markup, ...]:
    """Return how far to trust the report: the limits that always hold, for these data."""
    results = writer.results
    whole = results.seeds.least == results.seeds.asked
    said = [writer.count((SEEDS if whole else SEEDS_ASKED), results.seeds.asked)]
    said.append(writer.say(OTHER_SPLITS if _other_splits(writer) else ONE_SPLIT))
    if not writer.bundle.record.claims_changed:
        said.append(writer.say(FIXED))
    said.append(writer.say(FAMILIES))
    said.append(writer.say(TIMES if results.timing else NO_TIMES))
    open_claims = tally(results.verdicts)["inconclusive"]
    if open_claims:
        said.append(writer.count(UNDECIDED, open_claims))
    return tuple(said)
