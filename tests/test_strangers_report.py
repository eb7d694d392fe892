"""The report of a stranger's bundle: whatever its texts say, nothing in it runs, fetches, or looks like our words."""

import json
import re
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import cycle
from pathlib import Path
from tempfile import TemporaryDirectory

import pypdf
from reports import Page, few_experiments, report_of
from suites import simulate

from cifar_report.bundle import Bundle
from cifar_report.report import build

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
LONGEST = 200  # characters of a name or a hash
# What may hold any text; below "environment", values and names alike.
FREE = {"title", "question", "change", "explanation", "statement", "said", "code", "environment", "source", "error"}
FREE |= {"claims_hash", "key", "key_parts", "spec_hash", "processor", "host"}


def spoilt(node, words, attacks, *, free=False):
    """Return JSON with the next attack in every text that may be anything."""
    if isinstance(node, dict):
        return {key: spoilt(value, words, attacks, free=free or key in FREE) for key, value in node.items()}
    if isinstance(node, list):
        return [spoilt(value, words, attacks, free=free) for value in node]
    if not (free and isinstance(node, str)):
        return node
    attack = next(attacks)
    for word, value in words.items():
        attack = attack.replace(word, value)
    return f"{node[: max(0, LONGEST - len(attack) - 1)]} {attack}"


def made(*ids) -> Bundle:
    chosen = few_experiments(*ids)
    trials = [trial for each in chosen for trial in each.trials]
    failed = [(trial.id, 0 if trial.seeded else None) for trial in trials]
    return simulate(chosen, seeds=3, timing=True, failed=failed)


def spoilt_copy(*ids, address="http://127.0.0.1:9", secret="file:///etc/passwd") -> Bundle:  # noqa: S107 - no password
    folder, words, attacks = made(*ids).folder, {"ADDRESS": address, "SECRET": secret}, cycle(ATTACKS)
    for path in (folder / "bundle.json", *sorted((folder / "runs").rglob("*.json"))):
        path.write_text(json.dumps(spoilt(json.loads(path.read_text()), words, attacks)))
    for path in (folder / "runs").rglob("run.json"):
        path.with_name("log.txt").write_text("\n".join(ATTACKS))
    return Bundle.load(folder)


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


def test_no_text_of_a_bundle_comes_to_life_in_the_page():
    """With attacks in every text, the page has the tags, attributes, scripts and addresses that it has without."""
    ids = ("baseline", "classical")
    ours, theirs = Page(report_of(made(*ids))), Page(report_of(spoilt_copy(*ids)))
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


def test_no_file_is_read_and_no_address_asked_while_rendering(tmp_path, monkeypatch):
    """A server that stands in every text of a bundle is never asked, and a secret file beside it shows nowhere."""
    monkeypatch.setattr(build, "draw_all", lambda *_, **__: ())  # in figures words are drawn as curves
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_error(404)

    # A path short enough to fit into any text twice.
    with TemporaryDirectory() as folder, ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        secret = Path(folder) / "secret"
        secret.write_text("the-secret-words")
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}"
        paths = build.build_report(
            spoilt_copy("classical", address=address, secret=secret.as_uri()), tmp_path / "output"
        )
        server.shutdown()
    assert asked == []
    assert not [path for path in paths if b"the-secret-words" in path.read_bytes()]
    document = pypdf.PdfReader(paths[1])
    assert "the-secret-words" not in "".join(page.extract_text() for page in document.pages)
    assert list(document.attachments) == ["results.json"]
    raw = " ".join(map(str, objects(document)))
    assert not re.search("'/(JavaScript|JS|Launch|OpenAction|AA|SubmitForm|RichMedia)'", raw)
    assert all(address.startswith("https://") for address in re.findall(r"'/URI': '([^']*)'", raw))


def objects(document: pypdf.PdfReader) -> list:
    """Return every object of a PDF, and what its annotations do."""
    numbers = {*(document.xref.get(0) or {}), *document.xref_objStm}
    annotations = [each.get_object() for page in document.pages for each in page.get("/Annots") or []]
    actions = [each["/A"].get_object() for each in annotations if "/A" in each]
    return [*(document.get_object(number) for number in sorted(numbers)), *annotations, *actions]
