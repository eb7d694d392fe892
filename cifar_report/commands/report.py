"""The command that renders a bundle."""

from __future__ import annotations

import sys
from argparse import Namespace
from typing import TYPE_CHECKING

from cifar_report.commands.common import check_words, languages
from cifar_report.errors import SuiteError

if TYPE_CHECKING:
    from cifar_report.bundle import Bundle


def report(options: Namespace) -> int:
    """Render a bundle, or compare the report that is there with a new one; never trains."""
    from cifar_report.bundle import Bundle
    from cifar_report.bundle.finding import find_bundle

    check_words(options)
    folder = find_bundle(options.bundle, options.profile)
    bundle = Bundle.load(folder)
    try:
        from cifar_report.collecting import collect_rarely
        from cifar_report.rendering.figures.cache import user_cache
        from cifar_report.rendering.report import build_report
        from cifar_report.rendering.workers import usable_cores

        collect_rarely()
        if options.check:
            return _check(bundle, options)
        wanted = languages(options.lang)
        for path in build_report(bundle, options.output, wanted, processes=usable_cores(), cache=user_cache()):
            print(path)
    except ImportError as error:
        raise SuiteError(f"{error.name} is not installed: pip install -e '.[report]'") from error
    return 0


def _check(bundle: Bundle, options: Namespace) -> int:
    from cifar_report.rendering.report import check_report
    from cifar_report.rendering.workers import usable_cores

    different = check_report(bundle, options.output, languages(options.lang), processes=usable_cores())
    for name in different:
        print(f"{options.output / name} is not what this bundle gives", file=sys.stderr)
    if not different:
        print(f"{options.output}: byte for byte what this bundle gives")
    return 1 if different else 0
