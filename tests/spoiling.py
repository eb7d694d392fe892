"""Spoils bundles and data files in one random way at a time; the same seed spoils in the same way."""

import json
import os
import random
import shutil
from pathlib import Path

NASTY = (
    *(None, True, 0, -1, 1, 10, 10**6, 2**31, 2**63, 10**400, -0.0, 0.5, 1.0000001, 1e300, float("nan"), float("inf")),
    *("", "x", "x" * 300, "x" * 100_000, "../../outside", "/dev/zero", "nul", "baseline", "\u202e", "\0", "\ud800"),
    *("<script>alert(1)</script>", "$\\frac{1}$", "%(count)s %s {0} {{ 7*7 }}", "2024-13-45", "=1+1", "once"),
    *([], {}, [[]], [None], {"": 0}, {"kind": "network"}),
)


def spoil_bundle(folder: Path, seed: int) -> str:
    """Change a bundle in one to three places and return in words what was done."""
    source = random.Random(seed)  # noqa: S311 - spoils files
    kinds = (_json, _json, _json, _bytes, _bytes, _place)
    return "; ".join(source.choice(kinds)(folder, source) for _ in range(source.choice((1, 1, 1, 2, 3))))


def _pick(folder: Path, source: random.Random, ending: str = "") -> Path | None:
    files = sorted(path for path in folder.rglob(f"*{ending}") if path.is_file() and not path.is_symlink())
    top = [path for path in files if path.parent == folder or path.parent.name == "timing"]
    return source.choice(top if top and source.random() < 0.3 else files) if files else None


def _json(folder: Path, source: random.Random) -> str:
    path = _pick(folder, source, ".json")
    try:
        tree = json.loads(path.read_bytes())
    except (AttributeError, ValueError):  # gone or spoilt already
        return "nothing"
    what = _change(tree, source)
    path.write_text(json.dumps(tree), "utf-8", "surrogatepass")
    return f"{path.relative_to(folder)}: {what}"


def _change(tree: object, source: random.Random) -> str:
    """Go down to a random place, a level at a time so that small parts are as likely as large ones, and change it."""
    place, node = "$", tree
    while isinstance(node, (dict, list)) and node:
        key = source.choice(sorted(node)) if isinstance(node, dict) else source.randrange(len(node))
        child = node[key]
        if not isinstance(child, (dict, list)) or not child or source.random() < 0.12:
            return f"{place}[{key!r}] {_change_at(node, key, source)}"
        place, node = f"{place}[{key!r}]", child
    return "nothing"


def _change_at(node: dict | list, key: object, source: random.Random) -> str:
    kind = source.choice(("value", "value", "value", "delete", "other", "many"))
    if kind == "delete":
        del node[key]
    elif kind == "other":
        node[key] = source.choice(list(node.values()) if isinstance(node, dict) else node)
    elif kind == "many" and isinstance(node, list):
        node.extend([node[key]] * source.choice((1, 1000, 100_000)))
    else:
        alike = [each for each in NASTY if _kind(each) == _kind(node[key])]
        node[key] = source.choice(alike if alike and source.random() < 0.8 else NASTY)
        return f"= {node[key]!r:.40}"
    return kind


def _kind(value: object) -> type:
    return float if type(value) in (int, float) else type(value)


def _bytes(folder: Path, source: random.Random) -> str:
    path = _pick(folder, source)
    if path is None:
        return "nothing"
    path.write_bytes(spoil_bytes(path.read_bytes(), source))
    return f"{path.relative_to(folder)}: bytes"


def spoil_bytes(content: bytes, source: random.Random) -> bytes:
    """Change, cut, double or fill some bytes."""
    place = source.randrange(len(content) + 1)
    head, tail = content[:place], content[place:]
    some = source.randbytes(source.choice((1, 2, 16)))
    return source.choice(
        (head + some + tail[len(some) :], head + some + tail, head, head + tail[9:], head + content, b"")
    )


def _place(folder: Path, source: random.Random) -> str:
    """Put something else in the place of a file or a folder, or give it another name."""
    path = source.choice(sorted(folder.rglob("*")))
    copy = path.with_name(source.choice(("seed-7", "once", "seed-x", "..x", "baseline", "run.json")))
    kind = source.choice(("away", "folder", "link", "pipe", "device", "loop", "renamed"))
    if kind == "renamed":
        if not os.path.lexists(copy):
            path.rename(copy)
        return f"{path.relative_to(folder)}: renamed {copy.name}"
    shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind != "away":
        path.symlink_to({"link": "/etc/passwd", "device": "/dev/zero", "loop": path.name}[kind])
    return f"{path.relative_to(folder)}: {kind}"
