"""A fixed-seed CIFAR-10 suite whose report draws its conclusions from the data."""

__version__ = "0.1.0"
