"""A bundle as one file: the same bytes everywhere, and nothing that a stranger puts into such a file gets out of it."""

import gzip
import io
import os
import resource
import shutil
import tarfile
import time
import zipfile

import pytest
from command import call, contents, is_one_sentence
from reports import few_experiments
from verified import change_record, finish, flip, set_in

from cifar_report.bundle.manifest import MANIFEST_FILE, write_manifest
from cifar_report.cli import main
from cifar_report.simulation import Simulation, simulate_bundle
from cifar_report.spec import PROFILES
from cifar_report.verify import unpacking
from cifar_report.verify.archive import archive_order, end_of_archive, name_problem

RUN = "runs/nearest_centroid/once/run.json"
BLOCK = 512


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    """Return a finished bundle of a few runs, which no test changes."""
    folder = tmp_path_factory.mktemp("archive") / "bundle"
    simulate_bundle(folder, few_experiments("classical"), Simulation(profile=PROFILES["smoke"], seeds=1))
    figures = folder / "figures"
    figures.mkdir()
    (figures / "curves.svg").write_bytes(b"<svg/>\n")
    (figures / "odd.csv").write_bytes(b"x" * BLOCK)  # needs no filling
    (figures / "empty.csv").write_bytes(b"")
    finish(folder)
    return folder


@pytest.fixture(scope="module")
def archive(original):
    """Return the bundle's archive."""
    file = original.parent / "bundle.tar"
    assert main(["bundle", "export", str(original), str(file)]) == 0
    return file


@pytest.fixture
def bundle(original, tmp_path):
    """Return a copy of the bundle that a test may damage."""
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
    names = [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()]
    order = archive_order(name for name in names if name != MANIFEST_FILE)
    return [(f"bundle/{name}", (folder / name).read_bytes(), {}) for name in order]


def packed(members, form=tarfile.USTAR_FORMAT):
    """Return an archive as Python's own library writes it."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=form) as tar:
        for name, content, changes in members:
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            for field, value in changes.items():
                setattr(entry, field, value)
            tar.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def test_the_archive_is_a_plain_tar_without_dates_and_owners(original, archive):
    """Python's library writes the same bytes from names and contents alone, the manifest first."""
    assert archive.read_bytes() == packed(members_of(original))
    with tarfile.open(archive) as tar:
        entries = tar.getmembers()
    assert entries[0].name == f"bundle/{MANIFEST_FILE}"
    assert {(entry.mtime, entry.uid, entry.gid, entry.uname, entry.gname) for entry in entries} == {(0, 0, 0, "", "")}


def test_the_same_bundle_gives_the_same_bytes(original, archive, tmp_path):
    """Other dates, rights, order on the disk, name, lock and checkpoints of a bundle change no byte of its archive."""
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
    """Import gives every byte back, also into an empty folder, and its export gives the same archive."""
    (tmp_path / "empty").mkdir()
    for name in ("new", "empty"):
        assert main(["bundle", "import", str(archive), str(tmp_path / name)]) == 0
        assert contents(tmp_path / name) == contents(original)
    assert f"{len(members_of(original))} files as their manifest says" in capsys.readouterr().out
    assert main(["bundle", "export", str(tmp_path / "new"), str(tmp_path / "again.tar")]) == 0
    assert (tmp_path / "again.tar").read_bytes() == archive.read_bytes()


def test_an_unfinished_or_damaged_bundle_is_not_exported(bundle, refuse):
    """A bundle with a changed, added, linked or missing file, or without its manifest, makes no archive."""
    file = bundle.parent / "x.tar"
    flip(bundle / RUN, 800)
    assert f"{bundle} is damaged: {RUN}: was changed" in refuse("bundle", "export", bundle, file)
    flip(bundle / RUN, 800)
    (bundle / "figures" / "added.svg").write_bytes(b"")
    assert "figures/added.svg: is not in" in refuse("bundle", "export", bundle, file)
    (bundle / "figures" / "added.svg").unlink()
    (bundle / "figures" / "link.svg").symlink_to("curves.svg")
    assert "figures/link.svg: is a link" in refuse("bundle", "export", bundle, file)
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


def test_an_archive_is_written_where_it_can_be(bundle, refuse):
    """The archive may not be a folder, lie in the bundle or in no folder; what is no bundle is not archived."""
    for file in (bundle, bundle.parent, bundle / "x.tar", bundle / "runs" / ".." / "x.tar"):
        assert "cannot be the archive" in refuse("bundle", "export", bundle, file, status=2)
    assert "nowhere is no folder" in refuse("bundle", "export", bundle, bundle.parent / "nowhere" / "x.tar", status=2)
    assert "is no results bundle" in refuse("bundle", "export", bundle / "runs", bundle.parent / "x.tar", status=2)


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
    assert "does not exist" in refuse("bundle", "import", tmp_path / "none.tar", tmp_path / "new", status=2)
    assert "where a plain file must be" in refuse("bundle", "import", tmp_path / "empty", tmp_path / "new")


NAMES = {
    "/etc/passwd": "does not lie in the folder",
    "../bundle/x": "does not lie in the folder",
    "bundle": "does not lie in the folder",
    "bundle/": "could lead out",
    "bundle//etc/passwd": "could lead out",
    "bundle/../x": "could lead out",
    "bundle/runs/../../../x/once/run.json": "could lead out",
    "bundle/runs/../once/run.json": "could lead out",
    "bundle/./bundle.json": "could lead out",
    "bundle/runs\\..\\..\\x": "could lead out",
    "bundle/C:/x": "could lead out",
    "bundle/figures/x.svg:stream.svg": "could lead out",
    "bundle/runs/aux/once/run.json": "on every system",
    "bundle/runs/com1.x/once/run.json": "on every system",
    "bundle/figures/NUL.svg": "on every system",
    "bundle/runs/x./once/run.json": "on every system",
    "bundle/.lock": "on every system",
    "bundle/figures/a b.svg": "on every system",
    "bundle/figures/\x1b[2J.svg": "on every system",
    "bundle/autorun.exe": "is no file of a bundle",
    "bundle/runs/x/seed-0/weights.pkl": "is no file of a bundle",
}


@pytest.mark.parametrize("name", NAMES)
def test_no_name_leads_out_of_the_folder(name, original, refuse, tmp_path):
    """A file whose name leaves the folder, means a device or is none of a bundle's is refused by name."""
    members = members_of(original)
    (tmp_path / "x.tar").write_bytes(packed([*members, (name, b"evil", {})]))
    err = refuse("bundle", "import", tmp_path / "x.tar", tmp_path / "new")
    assert NAMES[name] in err
    assert "\x1b" not in err


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"type": tarfile.SYMTYPE, "linkname": "/etc/passwd", "size": 0}, "is a link"),
        ({"type": tarfile.LNKTYPE, "linkname": "bundle/bundle.json", "size": 0}, "is a link"),
        ({"type": tarfile.CHRTYPE, "devmajor": 1, "devminor": 5, "size": 0}, "is a device"),
        ({"type": tarfile.BLKTYPE, "size": 0}, "is a device"),
        ({"type": tarfile.FIFOTYPE, "size": 0}, "is a pipe"),
        ({"type": tarfile.DIRTYPE, "size": 0}, "is a folder"),
        ({"type": tarfile.GNUTYPE_SPARSE}, "is an extension"),
        ({"type": tarfile.AREGTYPE}, "is an extension"),
        ({"mode": 0o4755}, "another date, owner, mode"),
        ({"uid": 1000}, "another date, owner, mode"),
        ({"uname": "root"}, "another date, owner, mode"),
        ({"mtime": 1}, "another date, owner, mode"),
        ({"linkname": "x"}, "another date, owner, mode"),
    ],
)
def test_only_plain_files_are_taken(changes, what, original, refuse, tmp_path):
    """A link, a device, a pipe, a folder, a sparse file or a header with more in it than name and size is refused."""
    members = [(name, content, changes if name.endswith(RUN) else {}) for name, content, _ in members_of(original)]
    (tmp_path / "x.tar").write_bytes(packed(members))
    assert what in refuse("bundle", "import", tmp_path / "x.tar", tmp_path / "new")


@pytest.mark.parametrize(
    ("form", "changes"),
    [
        (tarfile.PAX_FORMAT, {"pax_headers": {"path": "../evil"}}),
        (tarfile.PAX_FORMAT, {"pax_headers": {"GNU.sparse.realsize": "99999999999"}}),
        (tarfile.GNU_FORMAT, {"name": "bundle/" + "x" * 120}),
        (tarfile.GNU_FORMAT, {}),
    ],
)
def test_no_extension_of_the_format_is_read(form, changes, original, refuse, tmp_path):
    """Headers that override name or size, as pax and GNU have them, are refused."""
    members = members_of(original)
    (tmp_path / "x.tar").write_bytes(packed([(*members[0][:2], changes), *members[1:]], form))
    assert "x.tar is not taken" in refuse("bundle", "import", tmp_path / "x.tar", tmp_path / "new")


def test_no_two_names_meet(original, refuse, tmp_path):
    """A name that is there twice, or differs from another in case alone, is refused: one would replace the other."""
    members = members_of(original)
    for name in ("bundle/figures/curves.svg", "bundle/figures/Curves.svg"):
        (tmp_path / "x.tar").write_bytes(packed([*members, (name, b"evil", {})]))
        assert "in case alone" in refuse("bundle", "import", tmp_path / "x.tar", tmp_path / "new")
    for names in (["a", "a/b"], ["A/b", "a/c"], ["a/b", "A"]):
        with pytest.raises(ValueError, match=r"two ways|case alone"):
            unpacking._check_collisions(names)


def manifest_of(content, members):
    """Return members whose manifest holds this content."""
    return [(members[0][0], content, {}), *members[1:]]


SPOILT = {
    "nothing": (lambda _: b"", "cut short"),
    "a sentence": (lambda _: b"no archive at all", "cut short"),
    "a gzip": (lambda members: gzip.compress(packed(members)), "unpack a compressed one first"),
    "only an end": (lambda _: packed([]), "its first file is not"),
    "no end": (lambda members: packed([members[0]])[: -20 * BLOCK], "cut short"),
    "half a last file": (lambda members: packed(members).rstrip(b"\0"), "but only"),
    "half": (lambda members: packed(members)[:40_000], "but only"),
    "half a file": (lambda members: packed(members)[: BLOCK + 100], "but only 100 follow"),
    "more behind the end": (lambda members: packed(members) + b"\0" * BLOCK + b"x", "does not end"),
    "a longer end": (lambda members: packed(members) + bytes(10_240), "does not end"),
    "hidden bytes": (
        lambda members: packed(members).replace(b"<svg/>\n\0", b"<svg/>\n!"),
        "something is hidden behind figures/curves.svg",
    ),
    "a wrong checksum": (lambda members: packed(members)[:100] + b"1" + packed(members)[101:], "checksum"),
    "no size": (lambda members: packed(members)[:124] + b"\x80" * 12 + packed(members)[136:], "declares no size"),
    "no manifest": (lambda members: packed(members[1:]), "its first file is not"),
    "the manifest later": (lambda members: packed([*members[1:], members[0]]), "its first file is not"),
    "another order": (lambda members: packed([members[0], *members[:0:-1]]), "not in the order"),
    "a file less": (lambda members: packed(members[:-1]), "is missing"),
    "a file more": (
        lambda members: packed([*members, ("bundle/tables/x.csv", b"", {})]),
        "'tables/x.csv' is not in its",
    ),
    "a changed file": (
        lambda members: packed([(n, c[:-1] + b"?" if n.endswith(RUN) else c, {}) for n, c, _ in members]),
        f"{RUN} was changed",
    ),
    "an empty manifest": (lambda members: packed(manifest_of(b"", members)), "is not in its"),
    "a manifest of words": (lambda members: packed(manifest_of(b"words\n", members)), "line 1 is no hash"),
    "a manifest of bytes": (lambda members: packed(manifest_of(b"\xff" * 80, members)), "is none"),
}


@pytest.mark.parametrize("what", SPOILT)
def test_what_no_export_has_written_is_refused(what, original, refuse, tmp_path):
    """An archive that is cut, longer, reordered, changed or of another kind is refused, and nothing is left of it."""
    spoil, sentence = SPOILT[what]
    (tmp_path / "x.tar").write_bytes(spoil(members_of(original)))
    assert sentence in refuse("bundle", "import", tmp_path / "x.tar", tmp_path / "new")


def test_a_zip_file_is_no_archive_of_a_bundle(original, refuse, tmp_path):
    """The same files in another kind of archive are refused, whatever their names are."""
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as zipped:
        for name, content, _ in members_of(original):
            zipped.writestr(name, content)
    assert "no archive that" in refuse("bundle", "import", tmp_path / "x.zip", tmp_path / "new")


def test_a_bundle_that_cannot_be_read_is_not_put_in_place(bundle, refuse, tmp_path):
    """Hashes that fit do not help a record that is none, of a newer schema or unfinished."""
    content = (bundle / "bundle.json").read_bytes()
    for old, new, what in (
        (b'"schema_version": 2,', b'"schema_version": 9,', "has schema version 9"),
        (b'"claims_hash"', b'"claim_hash"', "is no results bundle"),
        (b'"finished": "', b'"finished": null, "created": "', "is not taken"),
    ):
        (bundle / "bundle.json").write_bytes(content.replace(old, new))
        write_manifest(bundle)
        (tmp_path / "x.tar").write_bytes(packed(members_of(bundle)))
        err = refuse("bundle", "import", tmp_path / "x.tar", tmp_path / "new")
        assert what in err
        assert ".part" not in err


def test_sizes_are_bounded_before_anything_is_read(original, refuse, tmp_path, monkeypatch):
    """Huge declared sizes, a huge file and too many files are refused at once; not a byte of them is unpacked."""
    file = tmp_path / "x.tar"
    members = members_of(original)
    started = time.monotonic()
    for size in (2**29 + 1, 8**11 - 1):
        entry = tarfile.TarInfo("bundle/bundle.json")
        entry.size = size
        file.write_bytes(entry.tobuf(tarfile.USTAR_FORMAT))
        os.truncate(file, 10 * 2**30)  # a hole: it takes no place on the disk
        assert f"declares {size} bytes, where a file has at most" in refuse_huge(refuse, file)
    os.truncate(file, 2**35)
    assert f"it has {2**35} bytes, where at most" in refuse_huge(refuse, file)
    entry = tarfile.TarInfo(f"bundle/{MANIFEST_FILE}")
    entry.size = 2**27
    file.write_bytes(entry.tobuf(tarfile.USTAR_FORMAT))
    os.truncate(file, BLOCK + 2**27 + len(end_of_archive(BLOCK + 2**27)))
    assert "is larger than" in refuse_huge(refuse, file)
    assert time.monotonic() - started < 20
    monkeypatch.setattr(unpacking, "MOST_FILES", len(members) - 1)
    file.write_bytes(packed(members))
    assert f"more than {len(members) - 1} files" in refuse("bundle", "import", file, tmp_path / "new")


def refuse_huge(refuse, file):
    """Refuse an archive too large to be hashed: what else is on the disk is compared without it."""
    aside = file.parent.parent / "huge.tar"
    file.rename(aside)
    try:
        return refuse("bundle", "import", aside, file.parent / "new")
    finally:
        aside.rename(file)


def test_every_name_of_the_whole_suite_can_be_archived():
    """The names that a full run writes are all allowed."""
    for name in (MANIFEST_FILE, "runs/dropout_0.25/seed-10/weights.npz", "runs/nearest_neighbor_1_50k/once/run.json"):
        assert name_problem(name) is None
    assert name_problem("figures/confusion-model_2.svg") is None
