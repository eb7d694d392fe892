"""The commands that pass a bundle on: as one file, back from such a file, and as a copy without weights."""

from __future__ import annotations

from argparse import Namespace


def bundle(options: Namespace) -> int:
    """Do what the word after ``bundle`` says."""
    return {"export": _export, "import": _import, "copy": _copy}[options.action](options)


def _export(options: Namespace) -> int:
    """Write a finished bundle as one archive."""
    from cifar_report.verify.archive import export_bundle

    size = export_bundle(options.folder, options.file)
    print(f"{options.file}: {size:,} bytes, the same for the same bundle on every machine")
    return 0


def _import(options: Namespace) -> int:
    """Unpack an archive as a new bundle; nothing in it is believed."""
    from cifar_report.verify.archive import import_bundle

    count = import_bundle(options.file, options.folder)
    print(f"{options.folder}: {count} files as their manifest says; 'cifar-report verify' checks their numbers")
    return 0


def _copy(options: Namespace) -> int:
    """Copy a finished bundle without its weights."""
    from cifar_report.bundle.manifest import copy_numbers
    from cifar_report.verify.files import sound_files

    sound_files(options.folder)
    size = copy_numbers(options.folder, options.target)
    print(f"{options.target}: {size:,} bytes, all numbers and no weights")
    return 0
