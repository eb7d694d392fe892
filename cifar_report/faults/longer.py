"""The command ``cifar-report`` with a smoke profile of several epochs a stage, so that there is something to lose.

A bundle gets no tables and figures of it: they follow from its numbers, and drawing them takes longer than training.
"""

import sys
from unittest import mock

import msgspec

from cifar_report.cli import main
from cifar_report.commands import suite
from cifar_report.spec import PROFILES

EPOCHS = 3

if __name__ == "__main__":
    PROFILES["smoke"] = msgspec.structs.replace(
        PROFILES["smoke"], epochs_fraction=1.0, least_epochs=EPOCHS, most_epochs=EPOCHS
    )
    with mock.patch.object(suite, "_derive"):
        sys.exit(main())
