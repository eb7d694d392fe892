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
    parser.add_argument(
        "--check", action="store_true", help="build again and name the files that differ from the output folder's"
    )


def add_verify_options(parser: argparse.ArgumentParser) -> None:
    """Ask which bundle is checked, and whether a PDF is checked against it."""
    add_folder_argument(parser)
    parser.add_argument(
        "--pdf", type=Path, metavar="FILE", help="compare the numbers attached to this report with the bundle's"
    )
    add_rerun_options(parser)
    parser.epilog = (
        "exit status: 0 nothing was found, 1 something was (each finding is one line), 2 bad usage; "
        "with --rerun, 0 every run agrees bit by bit, 1 one does not, 2 bad usage or other data"
    )


def add_compare_options(parser: argparse.ArgumentParser) -> None:
    """Ask which two bundles are set beside each other."""
    for name, text in (("first", "A"), ("second", "B")):
        parser.add_argument(name, type=Path, metavar=text, help=f"the results bundle {text}")
    parser.epilog = (
        "exit status: 0 every verdict that both have is the same, 1 some differ, 2 bad usage; "
        "verify the bundles first: what they record is taken as it stands"
    )


def add_rerun_options(parser: argparse.ArgumentParser) -> None:
    """Ask how many runs of a bundle are trained again, which, on which images, and by how many workers."""
    parser.add_argument(
        "--rerun",
        type=int,
        metavar="K",
        help="train K runs again (the cheapest, at first one of each kind), compare, and record how far they agree",
    )
    parser.add_argument("--only", metavar="ID[,ID]", help="with --rerun, of these trials or runs only")
    parser.add_argument("--jobs", type=int, metavar="N", help="with --rerun, worker processes (default: one a core)")
    add_data_option(parser)


def add_archive_options(parser: argparse.ArgumentParser) -> None:
    """Ask whether a bundle becomes an archive or an archive a bundle, and where both are."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="export|import|copy")
    text = "write a finished bundle as one file: the same bytes for the same bundle, on every machine"
    export = actions.add_parser("export", help=text, description=f"{text.capitalize()}.", allow_abbrev=False)
    export.add_argument("folder", type=Path, metavar="BUNDLE", help="the results bundle")
    export.add_argument("file", type=Path, metavar="FILE", help="the archive, for example results.tar")
    text = "unpack such a file, whoever made it; anything that export would not write is refused"
    unpack = actions.add_parser("import", help=text, description=f"{text.capitalize()}.", allow_abbrev=False)
    unpack.add_argument("file", type=Path, metavar="FILE", help="the archive")
    unpack.add_argument("folder", type=Path, metavar="DIR", help="the new bundle's folder: not there yet, or empty")
    text = "copy a finished bundle without its weights: small enough for a repository, enough for the report"
    copy = actions.add_parser("copy", help=text, description=f"{text.capitalize()}.", allow_abbrev=False)
    copy.add_argument("folder", type=Path, metavar="BUNDLE", help="the results bundle")
    copy.add_argument("target", type=Path, metavar="DIR", help="the copy's folder: not there yet, or empty")


def add_folder_argument(parser: argparse.ArgumentParser) -> None:
    """Ask which bundle, as a word without a name."""
    parser.add_argument(
        "folder",
        type=Path,
        nargs="?",
        metavar="BUNDLE",
        help="the results bundle (default: the one below report/bundle that was written last)",
    )


def add_plan_options(parser: argparse.ArgumentParser) -> None:
    """Ask which runs are meant."""
    parser.add_argument(
        "--profile", metavar="NAME", help="smoke (seconds), quick (minutes) or full (as the write-up; the default)"
    )
    parser.add_argument("--seeds", type=int, metavar="N", help="seeds 0 … N-1; more seeds extend a bundle")
    parser.add_argument("--only", metavar="ID[,ID]", help="these trials only (cifar-report list shows their ids)")
    parser.add_argument(
        "--timing",
        action=argparse.BooleanOptionalAction,
        help="time the trials after all training, one by one, alone on the machine (default: in full and quick)",
    )
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
