"""What tests let other processes do; those import this file alone, and not what the tests themselves need."""

import os


def leave(*_arguments: object) -> None:
    """End a worker without a word, as a system without memory does."""
    os._exit(9)
