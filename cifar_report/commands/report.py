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
    from cifar_report.bundle import Bundle, find_bundle

    check_words(options)
    folder = find_bundle(options.bundle, options.profile)
    bundle = Bundle.load(folder)
    if options.bundle is None:  # it was chosen here, as the one that was written last
        print(f"the report is made from {folder} ({_what_is_in(bundle)})", file=sys.stderr)
    try:
        from cifar_report.report.build import build_report, usable_cores

        if options.check:
            return _check(bundle, options)
        wanted = languages(options.lang)
        for path in build_report(bundle, options.output, wanted, processes=usable_cores()):
            print(path)
    except ImportError as error:
        raise SuiteError(f"{error.name} is not installed: pip install -e '.[report]'") from error
    return 0


def _what_is_in(bundle: Bundle) -> str:
    record = bundle.record
    finished = f"finished {record.finished[:16].replace('T', ' ')} UTC" if record.finished else "not finished"
    return f"{sum(run.done for run in bundle.runs)} runs of the profile {record.profile.name!r}, {finished}"


def _check(bundle: Bundle, options: Namespace) -> int:
    from cifar_report.report.build import check_report, usable_cores

    different = check_report(bundle, options.output, languages(options.lang), processes=usable_cores())
    for name in different:
        print(f"{options.output / name} is not what this bundle gives", file=sys.stderr)
    if not different:
        print(f"{options.output}: byte for byte what this bundle gives")
    return 1 if different else 0
