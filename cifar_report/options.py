"""The options of each command, as argparse takes them."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_run_options(parser: argparse.ArgumentParser) -> None:
    """Ask what is to be trained, and by how many workers."""
    add_plan_options(parser)
    parser.add_argument("--jobs", type=int, metavar="N", help="worker processes (default: one a core)")


def add_report_options(parser: argparse.ArgumentParser) -> None:
    """Ask which bundle is rendered, and where to."""
    add_bundle_option(parser)
    parser.add_argument("--profile", metavar="NAME", help="the last bundle of this profile (default: of any)")
    add_output_option(parser)


def add_plan_options(parser: argparse.ArgumentParser) -> None:
    """Ask which runs are meant."""
    parser.add_argument(
        "--profile", metavar="NAME", help="smoke (seconds), quick (minutes) or full (as the write-up; the default)"
    )
    parser.add_argument("--seeds", type=int, metavar="N", help="seeds 0 … N-1; more seeds extend a bundle")
    parser.add_argument("--only", metavar="ID[,ID]", help="these trials only (cifar-report list shows their ids)")
    add_data_option(parser)
    add_bundle_option(parser)


def add_data_option(parser: argparse.ArgumentParser) -> None:
    """Ask which images."""
    parser.add_argument(
        "--data",
        metavar="PATH|synthetic",
        help="the binary version of CIFAR-10 (folder or archive), or the synthetic stand-in"
        " (default: CIFAR10_DIR, the cache, a download)",
    )


def add_bundle_option(parser: argparse.ArgumentParser) -> None:
    """Ask which bundle."""
    parser.add_argument(
        "--bundle",
        type=Path,
        metavar="DIR",
        help="the results bundle (default: below report/bundle; the report takes the one written last)",
    )


def add_output_option(parser: argparse.ArgumentParser) -> None:
    """Ask where the report goes, and in which languages."""
    parser.add_argument(
        "--output", type=Path, metavar="DIR", default=Path("report"), help="where the report goes (default: report)"
    )
    parser.add_argument("--lang", metavar="LANGUAGE", default="en", help="en, el or all (default: en)")
