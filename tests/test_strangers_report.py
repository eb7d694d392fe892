"""The report of a stranger's bundle: whatever its texts say, nothing in it runs, fetches, or looks like our words."""

import re
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
import pypdf
import pytest
from reports import Page, few_experiments, report_of
from suites import simulated

from cifar_report.bundle import Bundle, encode, read_record, write_record
from cifar_report.report.build import build_report

ATTACKS = (
    "<script>alert(1)</script>",
    "</style><script>alert(2)</script>",
    "</title></head><body onload=alert(3)>",
    "\"><img src=x onerror=alert(4)>",
    "' onmouseover='alert(5)' x='",
    "<a href=javascript:alert(6)>go</a>",
    "<iframe src=data:text/html,<script>alert(7)</script>>",
    "<svg/onload=alert(8)>",
    "</script><script>alert(9)</script>",
    "<link rel=stylesheet href=ADDRESS/style.css>",
    "<img src=ADDRESS/image.png>",
    "<style>@import 'ADDRESS/import.css'</style>",
    "<object data=SECRET></object><embed src=SECRET>",
    "<div style='background:url(SECRET)'>",
    "<a href=SECRET rel=attachment>file</a>",
    "{{ 7 * 7 }} {% raw %} %(count)s %s %%",
    "<meta http-equiv=refresh content='0;url=ADDRESS'>",
    "<!--", "]]>", "<base href=ADDRESS>", "&lt;b&gt; &#60;script&#62;", "$\\frac{1}{0}$ \\input{SECRET}",
    "<math href=javascript:alert(10)><mtext>x", "<form action=ADDRESS><button>x", "=HYPERLINK(\"ADDRESS\")",
)  # fmt: skip
MOST_TITLE = 200  # characters of a name or a hash
KEPT = {"id", "kind", "layer", "method", "profile", "original", "created", "finished", "schema_version"}


class Spoiler:
    """Puts attacks into texts, one after another."""

    def __init__(self, address: str = "http://127.0.0.1:9", file: str = "file:///etc/passwd") -> None:
        self._places = count()
        self._words = {"ADDRESS": address, "SECRET": file}

    def text(self, text: str) -> str:
        """Return a text with the next attack in it."""
        attack = ATTACKS[next(self._places) % len(ATTACKS)]
        for word, value in self._words.items():
            attack = attack.replace(word, value)
        return f"{text[: max(0, MOST_TITLE - len(attack) - 1)]} {attack}"

    def tree(self, node: object, kind: type) -> object:
        """Return builtins with attacks in every text that is free to be anything, as the type's decoder finds."""
        whole = msgspec.to_builtins(node)
        self._spoil(whole, lambda: msgspec.convert(whole, kind))
        return msgspec.convert(whole, kind)

    def _spoil(self, node: object, check) -> None:
        for key, value in list(node.items() if isinstance(node, dict) else enumerate(node)):
            if isinstance(value, (dict, list)):
                self._spoil(value, check)
            elif isinstance(value, str) and key not in KEPT:
                node[key] = self.text(value)
                try:
                    check()
                except msgspec.ValidationError:
                    node[key] = value  # a word of a fixed list, or a name that other parts use


def spoil(folder: Path, spoiler: Spoiler) -> Bundle:
    """Put attacks into every text of a bundle and return it; its first run fails with an attack as its error."""
    record = read_record(folder)
    experiments = tuple(
        msgspec.structs.replace(each, **{name: spoiler.text(getattr(each, name))
                                         for name in ("title", "question", "change", "explanation")},
                                trials=tuple(titled(trial, spoiler) for trial in each.trials),
                                claims=tuple(worded(claim, spoiler) for claim in each.claims))
        for each in record.experiments
    )  # fmt: skip
    record = msgspec.structs.replace(
        record,
        experiments=experiments,
        environment=spoiler.tree(record.environment, type(record.environment)),
        dataset=spoiler.tree(record.dataset, type(record.dataset)),
        claims_hash=spoiler.text(""),
    )
    write_record(folder, record)
    for run in Bundle.load(folder).runs:
        parts = {spoiler.text(name): spoiler.text(value) for name, value in run.key_parts.items()} | run.key_parts
        changed = msgspec.structs.replace(run, key=spoiler.text(""), key_parts=parts, spec_hash=spoiler.text(""))
        if run.seed in (0, None):
            changed = msgspec.structs.replace(
                changed, status="failed", stages=(), classical=None, error="Traceback\n" + spoiler.text("ValueError:")
            )
        path = folder / "runs" / run.id / "run.json"
        path.write_bytes(encode(changed))
        timing = path.with_name("timing.json")
        timing.write_bytes(timing.read_bytes().replace(b'"simulated"', msgspec.json.encode(spoiler.text("host"))))
        write_log(path.with_name("log.txt"))
    return Bundle.load(folder)


def titled(trial, spoiler: Spoiler):
    """Return a trial with an attack as its title."""
    return msgspec.structs.replace(trial, title=spoiler.text(trial.title))


def worded(claim, spoiler: Spoiler):
    """Return a claim with attacks in its texts and its code."""
    texts = {name: spoiler.text(getattr(claim, name)) for name in ("statement", "said")}
    return msgspec.structs.replace(claim, **texts, code=spoiler.text(claim.code[:20]))


def write_log(path: Path) -> None:
    """Write a log that is one attack."""
    path.write_text("\n".join(ATTACKS))


def live(page: Page) -> tuple[Counter, Counter, list[str]]:
    """Return what in a page acts: its tags, its attributes' names, and the addresses that lead out of it."""
    tags = Counter(each.tag for each in page.elements)
    attributes = Counter(name for each in page.elements for name in each.attributes)
    addresses = [
        value
        for each in page.elements
        for name, value in each.attributes.items()
        if name in ("href", "src", "action", "data", "poster", "srcset", "formaction", "xlink:href")
    ]
    return tags, attributes, sorted(each for each in addresses if not each.startswith(("#", "data:image/")))


@pytest.fixture(scope="module")
def clean() -> Bundle:
    """Return a bundle of our own, with the same failed runs as the spoilt one."""
    return simulated(few_experiments("baseline", "classical"), seeds=3, timing=True, failed=failed())[0]


def failed() -> list[tuple[str, int | None]]:
    """Return the runs that fail."""
    trials = [trial for each in few_experiments("baseline", "classical") for trial in each.trials]
    return [(trial.id, 0 if trial.seeded else None) for trial in trials]


def spoilt_copy(spoiler: Spoiler, *ids: str) -> Bundle:
    """Return the same bundle, or one of these experiments alone, with attacks in all its texts."""
    bundle, _ = simulated(few_experiments(*(ids or ("baseline", "classical"))), seeds=3, timing=True)
    return spoil(bundle.folder, spoiler)


def test_no_text_of_a_bundle_comes_to_life_in_the_page(clean):
    """With attacks in every text, the page has the tags, attributes, scripts and addresses that it has without."""
    ours, theirs = Page(report_of(clean)), Page(report_of(spoilt_copy(Spoiler())))
    (tags, attributes, addresses), (their_tags, their_attributes, their_addresses) = live(ours), live(theirs)
    assert set(their_tags) <= set(tags)
    assert their_tags["script"] == tags["script"] == 1
    assert [each.text for each in theirs.all("script")] == [each.text for each in ours.all("script")]
    assert [each.text for each in theirs.all("style")] == [each.text for each in ours.all("style")]
    for tag in ("meta", "img", "iframe", "object", "embed", "form", "base", "link", "svg", "style", "button"):
        assert their_tags[tag] == tags[tag], tag
    assert set(their_attributes) <= set(attributes)
    assert not [name for name in their_attributes if name.startswith("on")]
    assert set(their_addresses) <= set(addresses)
    assert not [address for address in their_addresses if re.match(r"(?i)\s*(javascript|data|file|vbscript):", address)]
    shown = " ".join(each.text for each in theirs.elements if each.tag == "body")
    assert shown.count("alert(") > 20, "the attacks are there to be read"
    assert "{{ 7 * 7 }} {% raw %} %(count)s %s %%" in shown, "templates in texts stay texts"


class Asked(ThreadingHTTPServer):
    """A server that counts who asks it for anything."""

    daemon_threads = True
    requests = 0


class _Count(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        """Count a request and answer nothing useful."""
        self.server.requests += 1
        self.send_error(404)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def short_folder():
    """Return a folder whose path is short enough to fit into any text twice."""
    with TemporaryDirectory() as folder:
        yield Path(folder)


def test_no_file_is_read_and_no_address_asked_while_rendering(tmp_path, short_folder):
    """A server that stands in every text of a bundle is never asked, and a secret file beside it shows nowhere."""
    secret = short_folder / "secret"
    secret.write_text("the-secret-words")
    with Asked(("127.0.0.1", 0), _Count) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        bundle = spoilt_copy(Spoiler(f"http://127.0.0.1:{server.server_port}", secret.as_uri()), "classical")
        paths = build_report(bundle, tmp_path / "output")
        server.shutdown()
    assert server.requests == 0
    for path in paths:
        assert b"the-secret-words" not in path.read_bytes()
    document = pypdf.PdfReader(paths[1])
    assert "the-secret-words" not in "".join(page.extract_text() for page in document.pages)
    assert actions(document) <= {"/GoTo", "/URI"}
    addresses = {str(each["/URI"]) for each in objects(document) if isinstance(each, dict) and "/URI" in each}
    assert not [address for address in addresses if "127.0.0.1" in address or not address.startswith("https://")]
    assert list(document.attachments) == ["results.json"]


def objects(document: pypdf.PdfReader) -> list:
    """Return every object of a PDF."""
    numbers = {*(document.xref.get(0) or {}), *document.xref_objStm}
    found = [document.get_object(number) for number in sorted(numbers)]
    annotations = [each.get_object() for page in document.pages for each in page.get("/Annots") or []]
    return [*found, *annotations, *(each["/A"].get_object() for each in annotations if "/A" in each)]


def actions(document: pypdf.PdfReader) -> set[str]:
    """Return the kinds of actions in a PDF: links and nothing that runs."""
    kinds = {each["/S"] for each in objects(document) if isinstance(each, dict) and each.get("/Type") == "/Action"}
    names = ("/JavaScript", "/JS", "/Launch", "/OpenAction", "/AA", "/SubmitForm", "/RichMedia")
    raw = " ".join(str(each) for each in objects(document) if isinstance(each, dict))
    return {str(kind) for kind in kinds} | {name for name in names if f"'{name}'" in raw}
