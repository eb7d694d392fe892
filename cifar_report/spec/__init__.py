"""What is asked: layers, trials, stages, claims, experiments and profiles, as immutable data."""

from cifar_report.spec.claims import (
    STATEMENTS,
    TIMES,
    Claim,
    Family,
    Quantity,
    Relation,
    Side,
    claim,
    definitions,
    of_original,
    pairs_by_seed,
    registry_hash,
)
from cifar_report.spec.datasets import BUILT_IN, CIFAR10, Dataset
from cifar_report.spec.experiments import LANGUAGES, PROFILES, Experiment, Profile, Section, Study, TimingPlan
from cifar_report.spec.layers import (
    AnyLayer,
    BatchNormalization,
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    KerasLayer,
    KerasObject,
    MaxPooling2D,
    Residual,
    leaves,
    walk,
)
from cifar_report.spec.trials import (
    AnyTrial,
    Augmentation,
    Change,
    ClassicalTrial,
    EarlyStopping,
    NearestCentroid,
    NearestNeighbors,
    Stage,
    Trial,
    differences,
    json_hash,
    published,
    same_network,
    spec_hash,
    variant,
)
