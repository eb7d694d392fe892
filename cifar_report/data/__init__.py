"""CIFAR-10: found, fetched, verified, memory-mapped and split."""

from cifar_report.data.dataset import Dataset, Grade
from cifar_report.data.release import CLASS_NAMES, TEST_COUNT, TRAIN_COUNT
from cifar_report.data.searching import locate
from cifar_report.data.splits import Split, split

__all__ = ["CLASS_NAMES", "TEST_COUNT", "TRAIN_COUNT", "Dataset", "Grade", "Split", "locate", "split"]
