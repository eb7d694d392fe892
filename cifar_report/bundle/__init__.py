"""The results bundle on disk: records, arrays and the atomic store. It computes no result."""

from cifar_report.bundle.arrays import Predictions
from cifar_report.bundle.bundle import (
    Bundle,
    encode,
    find_bundle,
    is_bundle,
    read_record,
    read_run,
    read_timing_pass,
    write_record,
    write_run,
    write_timing_pass,
)
from cifar_report.bundle.records import (
    METHOD_VERSION,
    SCHEMA_VERSION,
    BundleRecord,
    ClassicalResult,
    DatasetRecord,
    Environment,
    EpochHashes,
    Evaluation,
    History,
    Measurement,
    Run,
    RunTiming,
    Scores,
    StageResult,
    TimingPass,
    Weights,
)
from cifar_report.bundle.store import remove_leftovers, sha256, write_file, write_folder
