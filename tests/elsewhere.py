"""What tests let other processes do; those import this file alone, and not what the tests themselves need."""

import os


def leave() -> None:
    """End a worker without a word, as a system without memory does."""
    os._exit(9)


class TooMany:
    """The pictures of a part that no process lives to set."""

    def items(self):
        """End the process that sets it."""
        leave()


def lack(package: str) -> None:
    """Import something that is not installed."""
    raise ModuleNotFoundError(f"No module named {package!r}", name=package)


def divide(number: int) -> float:
    """Do what may be a fault of this program."""
    return 1 / number
