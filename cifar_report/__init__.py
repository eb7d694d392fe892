"""A fixed-seed CIFAR-10 suite whose report draws its conclusions from the data."""

from pathlib import Path

__version__ = "0.1.0"


def project_folder(name: str) -> Path:
    """Return a folder that a checkout has beside the package and an installed copy inside it."""
    inside = Path(__file__).resolve().parent / name
    return inside if inside.is_dir() else inside.parents[1] / name
