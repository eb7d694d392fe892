"""A bundle as one file: the same bytes everywhere, and nothing that a stranger puts into such a file gets out of it."""

import gzip
import io
import os
import resource
import shutil
import tarfile

import pytest
from command import call, contents, is_one_sentence
from reports import few_experiments
from verified import change_record, finish, flip, set_in

from cifar_report.bundle import SCHEMA_VERSION
from cifar_report.bundle.store import MANIFEST_FILE, write_manifest
from cifar_report.cli import main
from cifar_report.simulation import Simulation, simulate_bundle
from cifar_report.spec import PROFILES
from cifar_report.verify import copies

RUN = "runs/nearest_centroid/once/run.json"


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    folder = tmp_path_factory.mktemp("archive") / "bundle"
    simulate_bundle(folder, few_experiments("classical"), Simulation(profile=PROFILES["smoke"], seeds=1))
    figures = folder / "figures"
    figures.mkdir()
    (figures / "curves.svg").write_bytes(b"<svg/>\n")
    (figures / "odd.csv").write_bytes(b"x" * 512)
    (figures / "empty.csv").write_bytes(b"")
    finish(folder)
    return folder


@pytest.fixture(scope="module")
def archive(original):
    file = original.parent / "bundle.tar"
    assert main(["bundle", "export", str(original), str(file)]) == 0
    return file


@pytest.fixture
def bundle(original, tmp_path):
    return shutil.copytree(original, tmp_path / "bundle")


@pytest.fixture
def refuse(capsys, tmp_path):
    """Return a function that asserts that words are refused in one sentence and nothing is left on the disk."""

    def refused(*words, status=1):
        before = contents(tmp_path)
        assert main([str(word) for word in words]) == status
        out, err = capsys.readouterr()
        assert out == ""
        assert is_one_sentence(err), err
        assert contents(tmp_path) == before
        return err

    return refused


def members_of(folder):
    """Return the members of a bundle's archive: name, content and changes of the header."""
    names = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()} - {MANIFEST_FILE}
    return [(f"bundle/{name}", (folder / name).read_bytes(), {}) for name in (MANIFEST_FILE, *sorted(names))]


def packed(members, form=tarfile.USTAR_FORMAT):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=form) as tar:
        for name, content, changes in members:
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            for field, value in changes.items():
                setattr(entry, field, value)
            tar.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def test_the_archive_is_a_plain_tar_without_dates_and_owners(original, archive, tmp_path):
    """Python's library writes the same bytes, which no date, right, order, name or lock of a bundle changes."""
    assert archive.read_bytes() == packed(members_of(original))
    with tarfile.open(archive) as tar:
        entries = tar.getmembers()
    assert entries[0].name == f"bundle/{MANIFEST_FILE}"
    assert {(entry.mtime, entry.uid, entry.gid, entry.uname, entry.gname) for entry in entries} == {(0, 0, 0, "", "")}
    other = tmp_path / "elsewhere"
    for path in sorted((path for path in original.rglob("*") if path.is_file()), reverse=True):
        copy = other / path.relative_to(original)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)
        copy.chmod(0o600)
        os.utime(copy, (1, 1))
    (other / ".lock").write_text("1\n")
    (other / ".checkpoints").mkdir()
    assert main(["bundle", "export", str(other), str(tmp_path / "again.tar")]) == 0
    assert (tmp_path / "again.tar").read_bytes() == archive.read_bytes()


def test_an_imported_bundle_is_the_exported_one(original, archive, tmp_path, capsys):
    """Import gives every byte back, also of what tar itself makes of a bundle, and keeps no stranger's rights."""
    (tmp_path / "empty").mkdir()
    for name in ("new", "empty"):
        assert main(["bundle", "import", str(archive), str(tmp_path / name)]) == 0
        assert contents(tmp_path / name) == contents(original)
    assert f"{len(members_of(original))} files as their manifest says" in capsys.readouterr().out
    assert main(["bundle", "export", str(tmp_path / "new"), str(tmp_path / "again.tar")]) == 0
    assert (tmp_path / "again.tar").read_bytes() == archive.read_bytes()
    for form in (tarfile.PAX_FORMAT, tarfile.GNU_FORMAT):
        changes = {"mode": 0o4777, "uid": 1000, "mtime": 1.5}
        members = [(name, content, changes) for name, content, _ in members_of(original)]
        folder = ("bundle", b"", {"type": tarfile.DIRTYPE})
        (tmp_path / "x.tar").write_bytes(packed([folder, *members], form))
        assert main(["bundle", "import", str(tmp_path / "x.tar"), str(tmp_path / f"new-{form}")]) == 0
        assert contents(tmp_path / f"new-{form}") == contents(original)
        assert (tmp_path / f"new-{form}" / RUN).stat().st_mode & 0o7022 == 0
        status = (tmp_path / f"new-{form}" / "bundle.json").stat()
        assert status.st_mtime > 1e9, "the bundle that was written last is found by its date"


def test_an_archive_is_written_where_it_can_be(bundle, refuse):
    """An archive is written where it can be, and never of an unfinished or damaged bundle."""
    for file in (bundle, bundle.parent, bundle / "x.tar", bundle / "runs" / ".." / "x.tar"):
        assert "cannot be the archive" in refuse("bundle", "export", bundle, file, status=2)
    assert "nowhere is no folder" in refuse("bundle", "export", bundle, bundle.parent / "nowhere" / "x.tar", status=2)
    assert "is no results bundle" in refuse("bundle", "export", bundle / "runs", bundle.parent / "x.tar", status=2)
    file = bundle.parent / "x.tar"
    flip(bundle / RUN, 800)
    assert f"{bundle} is damaged: {RUN}: was changed" in refuse("bundle", "export", bundle, file)
    flip(bundle / RUN, 800)
    (bundle / "figures" / "added.svg").write_bytes(b"")
    assert "figures/added.svg: is not in" in refuse("bundle", "export", bundle, file)
    (bundle / "figures" / "added.svg").unlink()
    (bundle / "figures" / "link.svg").symlink_to("curves.svg")
    assert "figures/link.svg: cannot be read: it is a link" in refuse("bundle", "export", bundle, file)
    (bundle / "figures" / "link.svg").unlink()
    (bundle / "figures" / "curves.svg").unlink()
    (bundle / "figures" / "odd.csv").unlink()
    assert "curves.svg: is missing" in (err := refuse("bundle", "export", bundle, file))
    assert "and 1 more" in err
    write_manifest(bundle)
    change_record(bundle, lambda record: set_in(record, "finished", None))
    assert "is unfinished" in refuse("bundle", "export", bundle, file)
    (bundle / MANIFEST_FILE).unlink()
    assert "is unfinished" in refuse("bundle", "export", bundle, file)


def test_a_full_disk_leaves_the_old_archive_and_no_half_bundle(original, archive, tmp_path):
    """Where writing fails in the middle, the file of that name stays as it was, and no folder is left behind."""
    old = tmp_path / "x.tar"
    old.write_bytes(b"old")
    before = contents(tmp_path)
    limit = 20_000  # bytes: less than some file

    def fill() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    for words in (("export", original, old), ("import", archive, tmp_path / "new")):
        called = call("bundle", *map(str, words), cwd=tmp_path, prepare=fill)
        assert called.status == 1
        assert is_one_sentence(called.err), called.err
        assert contents(tmp_path) == before


def test_an_import_touches_nothing_that_is_there(archive, refuse, tmp_path):
    """A folder with something in it, a file, a link or a place in no folder is refused before anything is read."""
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("mine")
    (tmp_path / "file").write_text("mine")
    (tmp_path / "empty").mkdir()
    (tmp_path / "link").symlink_to("empty")
    for name in ("full", "file", "link"):
        assert "is there already" in refuse("bundle", "import", archive, tmp_path / name, status=2)
    assert "is no folder" in refuse("bundle", "import", archive, tmp_path / "nowhere" / "new", status=2)
    for name in ("none.tar", "empty"):
        assert "is no file" in refuse("bundle", "import", tmp_path / name, tmp_path / "new", status=2)


NAMES = (
    *("/etc/passwd", "../bundle/x", "bundle", "bundle//etc/passwd", "bundle/../x", "bundle/runs\\..\\..\\x"),
    *("bundle/runs/../../../x/once/run.json", "bundle/runs/../once/run.json", "bundle/C:/x", "bundle/.lock"),
    *("bundle/figures/\x1b[2J.svg", "bundle/autorun.exe", "bundle/runs/x/seed-0/weights.pkl"),
    *("bundle/runs/x/seed-0/run.json", f"bundle/{RUN}"),
)


@pytest.mark.parametrize("name", NAMES)
def test_no_file_is_taken_that_the_manifest_does_not_list(name, original, refuse, tmp_path):
    """A file whose name leaves the folder, is none of a bundle's or is there twice is refused."""
    (tmp_path / "x.tar").write_bytes(packed([*members_of(original), (name, b"evil", {})]))
    assert "\x1b" not in refuse("bundle", "import", tmp_path / "x.tar", tmp_path / "new")


@pytest.mark.parametrize(
    "changes",
    [
        {"type": tarfile.SYMTYPE, "linkname": "/etc/passwd", "size": 0},
        {"type": tarfile.LNKTYPE, "linkname": "bundle/bundle.json", "size": 0},
        {"type": tarfile.CHRTYPE, "devmajor": 1, "devminor": 5, "size": 0},
        {"type": tarfile.FIFOTYPE, "size": 0},
    ],
    ids=["symbolic link", "hard link", "device", "pipe"],
)
def test_only_plain_files_are_taken(changes, original, refuse, tmp_path):
    """A link, a device or a pipe in the place of a file is refused by name."""
    members = [(name, content, changes if name.endswith(RUN) else {}) for name, content, _ in members_of(original)]
    (tmp_path / "x.tar").write_bytes(packed(members))
    assert f"'bundle/{RUN}' is no plain file" in refuse("bundle", "import", tmp_path / "x.tar", tmp_path / "new")


def with_manifest(members, content):
    return packed([(members[0][0], content, {}), *members[1:]])


SPOILT = {
    "nothing": (lambda _: b"", "is no archive that"),
    "a sentence": (lambda _: b"no archive at all", "is no archive that"),
    "a gzip": (lambda members: gzip.compress(packed(members)), "is no archive that"),
    "only an end": (lambda _: packed([]), "is no results bundle"),
    "half": (lambda members: packed(members)[:40_000], "is no archive that"),
    "a wrong checksum": (lambda members: packed(members)[:100] + b"1" + packed(members)[101:], "is no archive that"),
    "no manifest": (lambda members: packed(members[1:]), "is unfinished"),
    "a file less": (lambda members: packed(members[:-1]), "is missing"),
    "a changed file": (
        lambda members: packed([(n, c[:-1] + b"?" if n.endswith(RUN) else c, {}) for n, c, _ in members]),
        f"{RUN}: was changed",
    ),
    "an empty manifest": (lambda members: with_manifest(members, b""), "is not in"),
    "a manifest of bytes": (
        lambda members: with_manifest(members, b"\xff" * 80),
        "no list of files with their SHA-256",
    ),
}


@pytest.mark.parametrize("what", SPOILT)
def test_what_no_export_has_written_is_refused(what, original, refuse, tmp_path):
    """An archive that is cut, incomplete, changed or of another kind is refused, and nothing is left of it."""
    spoil, sentence = SPOILT[what]
    (tmp_path / "x.tar").write_bytes(spoil(members_of(original)))
    err = refuse("bundle", "import", tmp_path / "x.tar", tmp_path / "new")
    assert sentence in err
    assert ".part" not in err


def test_a_bundle_that_cannot_be_read_is_not_put_in_place(bundle, refuse, tmp_path):
    """Hashes that fit do not help a record that is none, of a newer schema or unfinished."""
    content = (bundle / "bundle.json").read_bytes()
    for old, new, what in (
        (b'"schema_version": %d,' % SCHEMA_VERSION, b'"schema_version": 9,', "has schema version 9"),
        (b'"claims_hash"', b'"claim_hash"', "is no results bundle"),
        (b'"finished": "', b'"finished": null, "created": "', "is not taken"),
    ):
        (bundle / "bundle.json").write_bytes(content.replace(old, new))
        write_manifest(bundle)
        (tmp_path / "x.tar").write_bytes(packed(members_of(bundle)))
        assert what in refuse("bundle", "import", tmp_path / "x.tar", tmp_path / "new")


def test_sizes_are_bounded_before_anything_is_written(original, refuse, tmp_path, monkeypatch):
    """A huge declared size and too many bytes in all are refused."""
    file = tmp_path / "x.tar"
    entry = tarfile.TarInfo("bundle/bundle.json")
    for size in (2**29 + 1, -512):
        entry.size = size
        file.write_bytes(entry.tobuf(tarfile.GNU_FORMAT))
        assert f"declares {size} bytes, where a file has at most" in refuse("bundle", "import", file, tmp_path / "new")
    file.write_bytes(packed(members_of(original)))
    monkeypatch.setattr(copies, "MOST_ARCHIVE_BYTES", 5)
    assert "it holds more than" in refuse("bundle", "import", file, tmp_path / "new")
