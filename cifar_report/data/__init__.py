"""Images: found, fetched, verified, memory-mapped and split."""

from cifar_report.data.cifar10 import find_fingerprint
from cifar_report.data.dataset import PreparedData, Split, part_sizes, split
from cifar_report.data.sources import (
    CIFAR10,
    CIFAR100,
    DIGITS,
    FASHION_MNIST,
    MNIST,
    SVHN,
    Source,
    arrays,
    image_folder,
    locate,
    read_picture,
)
