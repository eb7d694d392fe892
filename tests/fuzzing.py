"""Spoils bundles and data files in one random way at a time; the same seed spoils in the same way."""

import io
import json
import os
import random
import shutil
import zipfile
from pathlib import Path

import numpy as np

NASTY = (
    *(None, True, False, 0, -1, 1, 2, 10, 10**6, 2**31, 2**63, 2**70, 10**400),
    *(-0.0, 0.5, 1.0000001, -1e-9, 1e-320, 1e300, float("nan"), float("inf")),
    *(
        "",
        " ",
        "x",
        "x" * 300,
        "x" * 100_000,
        "../../outside",
        "/dev/zero",
        "nul",
        "baseline",
        "training",
        "\u202e",
        "\0",
    ),
    *(
        "<script>alert(1)</script>",
        "$\\frac{1}$",
        "%(count)s %s {0} {{ 7*7 }}",
        "2024-13-45",
        "\ud800",
        "é" * 3000,
        "=1+1",
        "once",
    ),
    *([], {}, [[]], [None], [0], {"": 0}, {"kind": "network"}),
)


def spoil_bundle(folder: Path, seed: int) -> str:
    """Change a bundle in one to three places and return in words what was done."""
    source = random.Random(seed)  # noqa: S311 - spoils files
    kinds = (_json, _json, _json, _json, _json, _bytes, _bytes, _arrays, _arrays, _arrays, _place)
    return "; ".join(source.choice(kinds)(folder, source) for _ in range(source.choice((1, 1, 1, 2, 3))))


def _files(folder: Path, *endings: str) -> list[Path]:
    found = sorted(path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    return [path for path in found if not endings or path.suffix in endings]


def _pick(folder: Path, source: random.Random, *endings: str) -> Path | None:
    files = _files(folder, *endings)
    top = [path for path in files if path.parent == folder or path.parent.name == "timing"]
    return source.choice(top if top and source.random() < 0.3 else files) if files else None


def _json(folder: Path, source: random.Random) -> str:
    path = _pick(folder, source, ".json")
    if path is None:
        return "nothing"
    try:
        tree = json.loads(path.read_bytes())
    except ValueError:
        return "nothing"
    for _ in range(source.choice((1, 1, 2))):
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
    kind = source.choice(("value", "value", "value", "value", "delete", "double", "other", "many"))
    if kind == "delete":
        del node[key]
    elif kind == "double" and isinstance(node, list):
        node.insert(key, node[key])
    elif kind == "other":
        node[key] = source.choice(list(node.values()) if isinstance(node, dict) else node)
    elif kind == "many" and isinstance(node, list):
        node.extend([node[key]] * source.choice((10, 1000, 100_000)))
    else:
        alike = [each for each in NASTY if _kind(each) == _kind(node[key])]
        node[key] = source.choice(alike if alike and source.random() < 0.8 else NASTY)
        if isinstance(node[key], (list, dict)):
            node[key] = json.loads(json.dumps(node[key]))
        kind = f"= {node[key]!r:.40}"
    return kind


def _kind(value: object) -> type:
    return float if type(value) in (int, float) else type(value)


def _bytes(folder: Path, source: random.Random) -> str:
    path = _pick(folder, source)
    if path is None:
        return "nothing"
    content = spoil_bytes(path.read_bytes(), source)
    path.write_bytes(content)
    return f"{path.relative_to(folder)}: bytes"


def spoil_bytes(content: bytes, source: random.Random) -> bytes:
    """Change, cut, double or fill some bytes."""
    changed = bytearray(content)
    place = source.randrange(len(changed) + 1)
    kind = source.choice(("change", "change", "cut", "cut out", "double", "fill", "empty"))
    if kind == "cut":
        return bytes(changed[:place])
    if kind == "cut out":
        return bytes(changed[:place] + changed[place + source.randrange(1, 40) :])
    if kind == "double":
        return bytes(changed[:place] + changed[place : place + 1000] * 3 + changed[place:])
    if kind == "fill":
        return bytes(changed[:place] + source.randbytes(source.choice((1, 8, 1000))) + changed[place:])
    if kind == "empty":
        return b""
    for _ in range(source.choice((1, 2, 16))):
        if changed:
            changed[source.randrange(len(changed))] = source.randrange(256)
    return bytes(changed)


def _arrays(folder: Path, source: random.Random) -> str:
    path = _pick(folder, source, ".npz")
    if path is None:
        return "nothing"
    try:
        with np.load(path, allow_pickle=False) as loaded:
            arrays = dict(loaded)
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, NotImplementedError, RuntimeError):
        return "nothing"
    if not arrays:
        return "nothing"
    name = source.choice(sorted(arrays))
    what = _change_array(arrays, name, source)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for each, array in arrays.items():
            member = io.BytesIO()
            np.lib.format.write_array(member, array)
            archive.writestr(f"{each}.npy", member.getvalue())
    return f"{path.relative_to(folder)}: {name} {what}"


def _change_array(arrays: dict[str, np.ndarray], name: str, source: random.Random) -> str:
    array = arrays[name]
    kind = source.choice(("type", "value", "shape", "name", "delete", "cut", "columns", "many"))
    if kind == "type":
        arrays[name] = array.astype(source.choice(("u1", "i4", "i8", "f4", "f8", "?", ">f4", "U3", "O")))
    elif kind == "value" and array.size:
        flat = array.copy().reshape(-1)
        for _ in range(source.choice((1, len(flat)))):
            value = source.choice((0, 1, 255, float("nan"), float("inf"), -1, 1e38, 60_000, 2**31))
            with np.errstate(all="ignore"):
                flat[source.randrange(len(flat))] = np.array(value).astype(array.dtype)
        arrays[name] = flat.reshape(array.shape)
    elif kind == "shape":
        arrays[name] = array.reshape(source.choice(((-1,), (1, -1), (-1, 1), (*array.shape, 1))))
    elif kind == "name":
        arrays[source.choice(("a", "training.last", "first.best", "kernels", "labels", "x" * 200))] = arrays.pop(name)
    elif kind == "delete":
        del arrays[name]
    elif kind == "cut":
        cut = source.randrange(3)
        for each in arrays if source.random() < 0.5 else [name]:
            arrays[each] = arrays[each][:cut]
    elif kind == "columns":
        arrays[name] = np.asfortranarray(array)
    else:
        arrays[name] = np.zeros((source.choice((60_000, 10**7)), *array.shape[1:2]), array.dtype)
    return kind


def _place(folder: Path, source: random.Random) -> str:
    """Put something else in the place of a file or a folder."""
    places = sorted(path for path in folder.rglob("*") if not path.is_symlink())
    if not places:
        return "nothing"
    path = source.choice(places)
    kind = source.choice(("away", "folder", "link", "pipe", "device", "loop", "renamed", "another"))
    copy = path.with_name(source.choice(("seed-7", "once", "seed-x", "..x", "baseline", "run.json")))
    if kind in ("renamed", "another"):
        if os.path.lexists(copy):
            return "nothing"
        if kind == "renamed":
            path.rename(copy)
        else:
            (shutil.copytree if path.is_dir() else shutil.copy)(path, copy)
        return f"{path.relative_to(folder)}: {kind} {copy.name}"
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    match kind:
        case "folder":
            path.mkdir()
        case "link":
            path.symlink_to(source.choice(("/etc/passwd", "/", "nowhere")))
        case "device":
            path.symlink_to("/dev/zero")
        case "loop":
            path.symlink_to(path.name)
        case "pipe":
            os.mkfifo(path)
    return f"{path.relative_to(folder)}: {kind}"
