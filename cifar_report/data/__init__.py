"""CIFAR-10: found, fetched, verified, memory-mapped and split."""

from cifar_report.data.dataset import CIFAR10, CLASS_NAMES, TEST_COUNT, TRAIN_COUNT, Dataset, Split, split
from cifar_report.data.searching import locate
