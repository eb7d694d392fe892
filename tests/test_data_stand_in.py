"""The synthetic stand-in: the same bytes everywhere."""

from msgspec.structs import replace

from cifar_report.data.stand_in import draw
from cifar_report.spec import CIFAR10

SMALL = replace(CIFAR10, counts=(2_500, 500))
PINNED = "2d21d5bc372daa0d867604b053eee25adacb2e503bce4aa8f561158c61a51b16"  # integers and a stable stream: any machine


def test_it_is_the_same_everywhere():
    """Its images and labels have one hash, in CIFAR-10's shapes."""
    drawn = draw(SMALL)
    assert drawn.fingerprint() == PINNED
    assert (drawn.grade, drawn.images.shape, drawn.labels.shape) == ("stand-in", (3000, 32, 32, 3), (3000,))
