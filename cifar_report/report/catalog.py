"""Keep the catalogues in step with the words in code, templates and experiments.

Run ``python -m cifar_report.report.catalog update`` after a change of words, ``… check`` to see whether it was
done and whether a message is missing, fuzzy or has other placeholders than its source.
"""

import argparse
import io
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.pofile import write_po

from cifar_report.registry import load_experiments
from cifar_report.report.i18n import (
    DOMAIN,
    EXPERIMENT,
    MESSAGES,
    PLACEHOLDER,
    SOURCE_LANGUAGE,
    catalogue_path,
    load_messages,
    read_catalogue,
)
from cifar_report.report.writer import TABLES
from cifar_report.spec import CIFAR10, LANGUAGES

ROOT = Path(__file__).parents[2]
MAPPING = Path(__file__).parent / "babel.cfg"
KEYWORDS: dict[str, tuple[int, ...] | None] = {
    **dict.fromkeys(("_", "mark", "gettext", "sentence", "plain", "word", "columns")),
    **dict.fromkeys(("ngettext", "plural"), (1, 2)),
}


def extract() -> Catalog:
    """Return every message of code, templates and experiments, in a fixed order and without dates."""
    with MAPPING.open(encoding="utf-8") as stream:
        methods, options = parse_mapping_cfg(stream)  # type: ignore[no-untyped-call]
    catalogue = Catalog(domain=DOMAIN, project="cifar-report", charset="utf-8")
    for folder in ("cifar_report", "templates"):
        found = extract_from_dir(str(ROOT / folder), methods, options, keywords=KEYWORDS)
        for _name, _line, message, _comments, context in sorted(found, key=lambda entry: (entry[0], entry[1])):
            # The titles of a table's columns are one text.
            for part in message.split(" | ") if isinstance(message, str) else [message]:
                catalogue.add(part, context=context)
    messages: list[str | tuple[str, ...]] = [*CIFAR10.classes]
    for path in MESSAGES.glob("*.toml"):
        messages += _texts(vars(load_messages(path.stem)))
    for table in TABLES.values():
        messages += (table["caption"], *table["columns"].replace("#", "").split(" | "))
    for text in messages:
        catalogue.add(text)
    for experiment in (each for each in load_experiments() if each.section != "own"):  # English is enough
        for text in experiment.texts:
            catalogue.add(text, context=EXPERIMENT)
    return catalogue


def _texts(messages: dict[str, Any]) -> Iterator[str | tuple[str, ...]]:
    for message in messages.values():
        if isinstance(message, dict):
            yield from _texts(message)
        else:
            yield message if isinstance(message, str) else tuple(message)


def render(catalogue: Catalog) -> bytes:
    """Return a catalogue as a ``.po`` file: the same bytes for the same messages."""
    for message in catalogue:
        # Babel takes every "95% interval" for a format string, because "% i" could be a directive of one.
        if not any("%%" in text or PLACEHOLDER.search(text) for text in _forms(message.id)):
            message.flags.discard("python-format")
    stream = io.BytesIO()
    write_po(stream, catalogue, width=110, no_location=True, sort_output=True, omit_header=False)
    changing = re.compile(rb'^"(POT-Creation-Date|PO-Revision-Date|Generated-By): .*\\n"\n', re.MULTILINE)
    return changing.sub(b"", stream.getvalue())


def updated(language: str, source: Catalog) -> Catalog:
    """Return the catalogue of ``language`` with the messages of ``source``; messages that are gone are dropped."""
    catalogue = read_catalogue(language)
    catalogue.update(source, no_fuzzy_matching=True)
    catalogue.obsolete.clear()
    return catalogue


def complaints(language: str, source: Catalog) -> list[str]:
    """Return what is wrong with the catalogue of ``language``, one sentence each."""
    catalogue, found = read_catalogue(language), []
    for message in (each for each in source if each.id):
        translated, forms = catalogue.get(message.id, message.context), _forms(message.id)
        if translated is None:
            found.append(("missing", forms))
        elif translated.fuzzy:
            found.append(("fuzzy", forms))
        elif not all(_forms(translated.string)):
            found.append(("not translated", forms))
        elif _placeholders_differ(forms, _forms(translated.string)):
            found.append(("other placeholders than its source", forms))
    gone = [each for each in catalogue if each.id and source.get(each.id, each.context) is None]
    found += [("no longer used", _forms(each.id)) for each in gone]
    return [f"{language}: {what}: {forms[0]!r}" for what, forms in found]


def _forms(text: str | Sequence[str] | None) -> tuple[str, ...]:
    return (text,) if isinstance(text, str) else tuple(text or ("",))


def _placeholders_differ(sources: tuple[str, ...], texts: tuple[str, ...]) -> bool:
    allowed = {name for text in sources for name in PLACEHOLDER.findall(text)}
    unknown = {name for text in texts for name in PLACEHOLDER.findall(text)} - allowed
    return bool(unknown or set(PLACEHOLDER.findall(sources[-1])) - set(PLACEHOLDER.findall(texts[-1])))


def main(arguments: list[str] | None = None) -> int:
    """Update the catalogues, or say what is wrong with them (exit status 1)."""
    parser = argparse.ArgumentParser(description="Keep the report's catalogues in step with code and templates.")
    parser.add_argument("action", choices=("update", "check"))
    action = parser.parse_args(arguments).action
    source, found = extract(), []
    for language in (each for each in LANGUAGES if each != SOURCE_LANGUAGE):
        if action == "check":
            found += complaints(language, source)
        else:
            catalogue_path(language).write_bytes(render(updated(language, source)))
    print("\n".join(found) or f"{len(source)} messages")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
