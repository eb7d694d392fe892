"""Keep the catalogues in step with the words in code and templates.

Run ``python -m cifar_report.report.catalog update`` after a change of words, ``… check`` to see whether it was
done and whether a message is missing, fuzzy or has other placeholders than its source.
"""

from __future__ import annotations

import argparse
import io
import re
import sys
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.pofile import write_po

from cifar_report.registry import load_experiments
from cifar_report.report.i18n import (
    DOMAIN,
    EXPERIMENT,
    LOCALE_FOLDER,
    PLACEHOLDER,
    SOURCE_LANGUAGE,
    catalogue_path,
    read_catalogue,
)
from cifar_report.spec import LANGUAGES

ROOT = Path(__file__).parents[2]
MAPPING = Path(__file__).parent / "babel.cfg"
KEYWORDS: dict[str, tuple[int, ...] | None] = {
    "_": None,
    "mark": None,
    "gettext": None,
    "sentence": None,
    "plain": None,
    "ngettext": (1, 2),
    "plural": (1, 2),
    "mark_plural": (1, 2),
}


def extract() -> Catalog:
    """Return every message of code, templates and experiments, in a fixed order and without dates."""
    with MAPPING.open(encoding="utf-8") as stream:
        methods, options = parse_mapping_cfg(stream)  # type: ignore[no-untyped-call]
    catalogue = Catalog(domain=DOMAIN, project="cifar-report", charset="utf-8")
    for folder in ("cifar_report", "templates"):
        found = extract_from_dir(str(ROOT / folder), methods, options, keywords=KEYWORDS, comment_tags=["Translators:"])
        for name, _line, message, comments, context in sorted(found, key=lambda entry: (entry[0], entry[1])):
            catalogue.add(message, locations=[(f"{folder}/{name}", 0)], auto_comments=comments, context=context)
    for experiment in load_experiments():
        for text in experiment.texts:
            catalogue.add(text, locations=[(f"experiments/{experiment.id}.py", 0)], context=EXPERIMENT)
    return catalogue


def render(catalogue: Catalog) -> bytes:
    """Return a catalogue as a ``.po`` file: the same bytes for the same messages."""
    for message in catalogue:
        if not _is_format(message):
            message.flags.discard("python-format")
    stream = io.BytesIO()
    write_po(stream, catalogue, width=110, no_location=True, sort_output=True, omit_header=False)
    changing = re.compile(rb'^"(POT-Creation-Date|PO-Revision-Date|Generated-By): .*\\n"\n', re.MULTILINE)
    return changing.sub(b"", stream.getvalue())


def _is_format(message: Message) -> bool:
    # Babel takes every "95% interval" for a format string, because "% i" could be a directive of one.
    texts = message.id if isinstance(message.id, (list, tuple)) else (message.id,)
    return any("%%" in text or PLACEHOLDER.search(text) for text in texts)


def updated(language: str, source: Catalog) -> Catalog:
    """Return the catalogue of ``language`` with the messages of ``source``; messages that are gone are dropped."""
    path = catalogue_path(language)
    if path.is_file():
        catalogue = read_catalogue(language)
        catalogue.update(source, no_fuzzy_matching=True)
        catalogue.obsolete.clear()
        return catalogue
    catalogue = Catalog(locale=language, domain=DOMAIN, project="cifar-report", charset="utf-8", fuzzy=False)
    catalogue.update(source, no_fuzzy_matching=True)
    return catalogue


def complaints(language: str, source: Catalog) -> list[str]:
    """Return what is wrong with the catalogue of ``language``, one sentence each."""
    path = catalogue_path(language)
    if not path.is_file():
        return [f"{language}: there is no catalogue {path.name}; run 'update' and translate it"]
    catalogue = read_catalogue(language)
    found = []
    for message in source:
        if message.id:
            found += _complaints_of(language, message, catalogue.get(message.id, message.context))
    extra = [message for message in catalogue if message.id and source.get(message.id, message.context) is None]
    return found + [f"{language}: no longer used: {message.id!r}" for message in extra]


def _complaints_of(language: str, source: Message, translated: Message | None) -> list[str]:
    sources = source.id if isinstance(source.id, (list, tuple)) else (source.id,)
    if translated is None:
        return [f"{language}: missing: {sources[0]!r}"]
    strings = translated.string if isinstance(translated.string, (list, tuple)) else (translated.string,)
    if translated.fuzzy:
        return [f"{language}: fuzzy: {sources[0]!r}"]
    texts = [text for text in strings if text]
    if len(texts) != len(strings):
        return [f"{language}: not translated: {sources[0]!r}"]
    allowed = set().union(*(PLACEHOLDER.findall(text) for text in sources))
    needed = set(PLACEHOLDER.findall(sources[-1]))
    if any(set(PLACEHOLDER.findall(text)) - allowed for text in texts) or needed - set(PLACEHOLDER.findall(texts[-1])):
        return [f"{language}: other placeholders than its source: {sources[0]!r}"]
    return []


def main(arguments: list[str] | None = None) -> int:
    """Update the catalogues, or say what is wrong with them (exit status 1)."""
    parser = argparse.ArgumentParser(description="Keep the report's catalogues in step with code and templates.")
    parser.add_argument("action", choices=("update", "check"))
    parser.add_argument("--language", action="append", choices=[name for name in LANGUAGES if name != SOURCE_LANGUAGE])
    options = parser.parse_args(arguments)
    languages = options.language or [name for name in LANGUAGES if name != SOURCE_LANGUAGE]
    source = extract()
    if options.action == "check":
        found = [line for language in languages for line in complaints(language, source)]
        print("\n".join(found) or f"{len(source)} messages, complete in: {', '.join(languages)}")
        return 1 if found else 0
    for language in languages:
        path = catalogue_path(language)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(render(updated(language, source)))
        print(f"{path.relative_to(LOCALE_FOLDER)}: {len(source)} messages")
    return 0


if __name__ == "__main__":
    sys.exit(main())
