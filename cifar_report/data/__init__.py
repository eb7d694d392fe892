"""Images: found, fetched, verified, memory-mapped and split."""

from cifar_report.data.dataset import PreparedData, Split, part_sizes, split
from cifar_report.data.searching import locate
