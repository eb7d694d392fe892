"""What is asked: layers, trials, stages, claims, experiments and profiles, as immutable data."""

from cifar_report.spec.claims import Claim, Family, Quantity, Relation, Side, registry_hash
from cifar_report.spec.difference import Change, differences
from cifar_report.spec.experiments import Experiment, Figure, Section
from cifar_report.spec.layers import (
    CLASS_COUNT,
    INPUT_SHAPE,
    AnyLayer,
    BatchNormalization,
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    LayerRow,
    MaxPooling2D,
    walk,
)
from cifar_report.spec.profiles import PROFILES, Profile, TimingPlan
from cifar_report.spec.text import LANGUAGES, Text
from cifar_report.spec.trials import (
    AnyTrial,
    Augmentation,
    ClassicalTrial,
    EarlyStopping,
    NearestCentroid,
    NearestNeighbors,
    Stage,
    Trial,
    spec_hash,
)

__all__ = [
    "CLASS_COUNT",
    "INPUT_SHAPE",
    "LANGUAGES",
    "PROFILES",
    "AnyLayer",
    "AnyTrial",
    "Augmentation",
    "BatchNormalization",
    "Change",
    "Claim",
    "ClassicalTrial",
    "Conv2D",
    "Dense",
    "Dropout",
    "EarlyStopping",
    "Experiment",
    "Family",
    "Figure",
    "Flatten",
    "LayerRow",
    "MaxPooling2D",
    "NearestCentroid",
    "NearestNeighbors",
    "Profile",
    "Quantity",
    "Relation",
    "Section",
    "Side",
    "Stage",
    "Text",
    "TimingPlan",
    "Trial",
    "differences",
    "registry_hash",
    "spec_hash",
    "walk",
]
