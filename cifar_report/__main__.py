"""``python -m cifar_report`` is the command ``cifar-report``."""

import sys

from cifar_report.cli import main

sys.exit(main())
