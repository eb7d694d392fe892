"""The command that renders a bundle."""

from __future__ import annotations

from argparse import Namespace

from cifar_report.commands.common import check_words, languages
from cifar_report.errors import SuiteError


def report(options: Namespace) -> int:
    """Render a bundle; never trains."""
    from cifar_report.bundle import Bundle
    from cifar_report.bundle.finding import find_bundle

    check_words(options)
    folder = find_bundle(options.bundle, options.profile)
    bundle = Bundle.load(folder)
    try:
        from cifar_report.rendering.report import build_report
    except ImportError as error:
        raise SuiteError(f"{error.name} is not installed: pip install -e '.[report]'") from error
    for path in build_report(bundle, options.output, languages(options.lang)):
        print(path)
    return 0
