"""Where the images of a study come from: published files, scikit-learn, a folder by class, a file of arrays."""

from __future__ import annotations

import gzip
import math
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import msgspec
import numpy as np

from cifar_report.data import cifar10
from cifar_report.data.cifar10 import Say, fetch, sha256_of
from cifar_report.data.dataset import Array, Grade, Images, PreparedData, cache_folder, find_prepared, keep
from cifar_report.errors import UsageError
from cifar_report.spec import BUILT_IN, Dataset

Pair = tuple[Array, Array]  # images uint8 [n, rows, columns, colours] and labels uint8 [n]
FIFTH = 5  # of each class every fifth image is for testing, where nobody has set test images aside
LEAST_TRAINING = 5  # images: of fewer none is left for validation
RGB = 3  # colours
GREY = 3  # dimensions of images without an axis for colours
PARTED, WHOLE = ("x_train", "y_train", "x_test", "y_test"), ("images", "labels")
IDX_IMAGES, IDX_LABELS = b"\0\0\x08\x03", b"\0\0\x08\x01"  # how files of bytes in three and one dimension begin
DAMAGED = (OSError, EOFError, ValueError, KeyError, TypeError, zlib.error, tarfile.TarError, zipfile.BadZipFile)


@dataclass(frozen=True)
class Source:
    """Images for training and for testing, which ``read`` gives: of the published files' paths, or of nothing."""

    about: Dataset
    read: Callable[..., tuple[Pair, Pair]]
    where: str = ""  # the images of one's own lie

    @property
    def shape(self) -> tuple[int, int, int]:
        """Return rows, columns and colours of an image."""
        return self.about.shape

    @property
    def classes(self) -> tuple[str, ...]:
        """Return what the classes are called."""
        return self.about.classes


def locate(path: str | None, *, source: Source | None = None, **options: Any) -> PreparedData:
    """Find and prepare the images of a source, by default CIFAR-10 (``cifar10.locate``, whose options these are).

    Raises UsageError, naming the file, for what is missing or does not fit.
    """
    if source is None or source.about == BUILT_IN["CIFAR10"]:
        return cifar10.locate(path, **options)
    notify: Say = options.get("notify", lambda _: None)
    if source.about.hashes:
        return _published(source, path, notify, download=options.get("download", True))
    if path is not None:
        raise UsageError(f"--data {path}: the study's dataset.py says where {source.about.name} is; change it there")
    notify(f"Reading {source.about.name}.")
    return _kept(source.about, source.read(), "own images", source.where or source.about.name)


def _published(source: Source, path: str | None, notify: Say, *, download: bool) -> PreparedData:
    about, reasons = source.about, []
    if path is None and (found := find_prepared(about)) is not None:
        return found
    folder = cache_folder() / "downloads" / about.name if path is None else Path(path).expanduser().absolute()
    folder = folder.parent if folder.is_file() else folder
    missing = [name for name in about.hashes if not (folder / name).is_file()]
    for name in missing:
        address, digest = f"{about.address}{name}", about.hashes[name]
        if path is None and download:
            notify(f"Downloading {address} to {folder}.")
            problem = fetch(address, digest, folder / name)
            reasons += [] if problem is None else [problem]
        else:
            reasons.append(f"it is published at {address} (SHA-256 {digest})")
    if reasons:
        named = f"{folder} lacks {', '.join(missing)} of {about.name}: {'; '.join(reasons)}"
        raise UsageError(f"{named}. Put it there, or name the folder that holds it with --data.")
    files = [folder / name for name in about.hashes]
    canonical = all(sha256_of(file) == about.hashes[file.name] for file in files)
    notify(f"Reading {folder}.")
    return _kept(about, source.read(*files), "published files", str(folder), canonical=canonical)


def _kept(
    about: Dataset, parts: tuple[Pair, Pair], source: str, location: str, *, canonical: bool = True
) -> PreparedData:
    """Check images and put them into the cache; raises UsageError naming where they come from."""
    images, labels = (np.ascontiguousarray(np.concatenate(both)) for both in zip(*parts, strict=True))
    about = msgspec.structs.replace(about, counts=(len(parts[0][1]), len(parts[1][1])))
    if images.dtype != np.uint8 or images.shape[1:] != about.shape or len(labels) != len(images):
        wanted = f"uint8 [images, {', '.join(map(str, about.shape))}] and a label each"
        raise UsageError(f"{location}: {about.name} is {wanted}, not {images.dtype} {list(images.shape)}")
    if labels.min(initial=0) < 0 or labels.max(initial=0) >= len(about.classes):
        raise UsageError(f"{location}: label {labels.max()} is none of 0 to {len(about.classes) - 1}, its classes")
    if about.counts[0] < LEAST_TRAINING or not about.counts[1]:
        counts = "{} images for training and {} for testing".format(*about.counts)
        raise UsageError(f"{location} has {counts}; {LEAST_TRAINING} and one are the least")
    grade: Grade = "canonical" if canonical else "unverified"
    return keep(Images(images, labels.astype(np.uint8), grade, source, about), location)


def _read_cifar100(archive: Path) -> tuple[Pair, Pair]:
    """Read the binary version: of each record the second byte is the label, and colours follow one another."""
    found = {}
    about, size = BUILT_IN["CIFAR100"], 2 + math.prod(BUILT_IN["CIFAR100"].shape)
    try:
        with tarfile.open(archive, mode="r:gz") as stream:
            for member in stream:
                name = PurePosixPath(member.name).name
                if name in ("train.bin", "test.bin") and (file := stream.extractfile(member)) is not None:
                    records = np.frombuffer(file.read(), np.uint8).reshape(-1, size)
                    rows, columns, colours = about.shape
                    images = records[:, 2:].reshape(-1, colours, rows, columns).transpose(0, 2, 3, 1)
                    found[name] = images, records[:, 1]
        return found["train.bin"], found["test.bin"]
    except DAMAGED as error:
        raise UsageError(f"{archive} is no archive of CIFAR-100's binary version: {error}") from error


def _read_mat(*files: Path) -> tuple[Pair, Pair]:
    """Read Matlab's files: X [rows, columns, colours, images], y with 10 for the digit 0."""
    from scipy.io import loadmat
    from scipy.io.matlab import MatReadError

    parts = []
    for path in files:
        try:
            found = loadmat(path)
            parts.append((found["X"].transpose(3, 0, 1, 2), found["y"].ravel() % len(BUILT_IN["SVHN"].classes)))
        except (*DAMAGED, MatReadError, NotImplementedError) as error:
            raise UsageError(f"{path} is no file of SVHN (X and y, Matlab 5): {error}") from error
    return parts[0], parts[1]


def _read_idx(*files: Path) -> tuple[Pair, Pair]:
    """Read MNIST's format: four bytes for its kind, sizes as big-endian int32, then a byte for each value."""
    arrays = []
    for path, kind in zip(files, (IDX_IMAGES, IDX_LABELS) * 2, strict=True):
        try:
            content = gzip.decompress(path.read_bytes())
            if content[:4] != kind:
                raise ValueError("it begins otherwise")
            shape = np.frombuffer(content, ">i4", kind[3], 4)
            arrays.append(np.frombuffer(content, np.uint8, offset=4 + 4 * kind[3]).reshape(shape))
        except DAMAGED as error:
            raise UsageError(f"{path} is no gzip-compressed IDX file of {kind[3]} dimensions: {error}") from error
    return (arrays[0][..., None], arrays[1]), (arrays[2][..., None], arrays[3])


def _read_digits() -> tuple[Pair, Pair]:
    from sklearn.datasets import load_digits

    digits = load_digits()
    return _fifth_apart(np.rint(digits.images[..., None] * 255 / 16).astype(np.uint8), digits.target)


def _fifth_apart(images: Array, labels: Array) -> tuple[Pair, Pair]:
    places = np.zeros(len(labels), int)
    for label in np.unique(labels):
        places[labels == label] = np.arange(np.sum(labels == label))
    test = places % FIFTH == FIFTH - 1
    return (images[~test], labels[~test]), (images[test], labels[test])


def _own(name: str, classes: Sequence[str], parts: tuple[Pair, Pair], licence: str, where: Path) -> Source:
    """Return images that are in memory as a source; a single colour needs no axis of its own."""
    whole = [(images[..., None] if images.ndim == GREY else images, labels) for images, labels in parts]
    shape, counts = whole[0][0].shape[1:], (len(parts[0][1]), len(parts[1][1]))
    found = {"name": name, "classes": tuple(classes), "shape": shape, "counts": counts, "licence": licence}
    try:
        return Source(msgspec.convert(found, Dataset), lambda: (whole[0], whole[1]), str(where))
    except msgspec.ValidationError as error:
        raise UsageError(f"{where} holds no images that a network could be trained on: {error}") from error


def arrays(path: str | Path, name: str, classes: Sequence[str], *, licence: str = "") -> Source:
    """Return images of an ``.npz`` file: ``x_train``, ``y_train``, ``x_test``, ``y_test``; or ``images``, ``labels``.

    Images are uint8 [n, rows, columns] or [n, rows, columns, colours], labels whole numbers from 0. Of the second
    kind every fifth image of each class is for testing. Raises UsageError naming the file.
    """
    path = Path(path).expanduser().absolute()
    try:
        with np.load(path, allow_pickle=False) as file:
            found = {key: file[key] for key in file.files}
    except DAMAGED as error:
        raise UsageError(f"{path} cannot be read as an .npz file of arrays: {error}") from error
    if missing := [key for key in (WHOLE if "images" in found else PARTED) if key not in found]:
        raise UsageError(f"{path} lacks {', '.join(missing)}: it holds {', '.join(found) or 'nothing'}")
    if "images" in found:
        return _own(name, classes, _fifth_apart(found["images"], found["labels"]), licence, path)
    x_train, y_train, x_test, y_test = (found[key] for key in PARTED)
    return _own(name, classes, ((x_train, y_train), (x_test, y_test)), licence, path)


def image_folder(
    path: str | Path, name: str, *, size: tuple[int, int] | None = None, colours: int = RGB, licence: str = ""
) -> Source:
    """Return the images of a folder that holds a folder for each class, or ``train`` and ``test`` with such folders.

    ``size`` is (rows, columns), to which the middle of each image is resized (Lanczos); without it all must have the
    first one's. ``colours`` is 3, or 1 for grey. Without ``test`` every fifth image of each class, by file name, is for
    testing. Raises UsageError naming the file.
    """
    path = Path(path).expanduser().absolute()
    parted = (path / "train").is_dir() and (path / "test").is_dir()
    tops = [path / "train", path / "test"] if parted else [path]
    classes = sorted(each.name for each in tops[0].glob("[!.]*") if each.is_dir())
    if len(classes) < 2:
        raise UsageError(f"{path} holds {len(classes)} folders of images, and a folder for each class is needed")
    pairs = []
    for top in tops:
        files = [(each, label) for label, kind in enumerate(classes) for each in sorted((top / kind).glob("[!.]*"))]
        if not files:
            raise UsageError(f"{top} holds no images")
        images = [read_picture(file, size, colours)[0] for file, _ in files]
        for (file, _), image in zip(files, images, strict=True):
            if image.shape != images[0].shape:
                sizes = [" × ".join(map(str, each.shape[:2])) for each in (image, images[0])]
                differ = f"{file} has {sizes[0]} pixels, and {files[0][0]} {sizes[1]}"
                raise UsageError(f"{differ}: give image_folder a size=(rows, columns), to which all are brought")
        pairs.append((np.stack(images), np.array([label for _, label in files])))
    return _own(name, classes, (pairs[0], pairs[1]) if parted else _fifth_apart(*pairs[0]), licence, path)


def read_picture(file: Path, size: tuple[int, int] | None, colours: int) -> tuple[Array, tuple[int, int]]:
    """Return an image, its middle resized to ``size`` (rows, columns), and the width and height that it had.

    The image is uint8 [rows, columns, colours]. Raises UsageError for what is none.
    """
    from PIL import Image, ImageOps

    try:
        with Image.open(file) as opened:
            picture = ImageOps.exif_transpose(opened).convert("RGB" if colours == RGB else "L")
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise UsageError(f"{file} cannot be read as an image: {error}") from error
    fitted = picture if size is None else ImageOps.fit(picture, size[::-1], Image.Resampling.LANCZOS)
    return np.asarray(fitted).reshape(*fitted.size[::-1], colours), picture.size


CIFAR10 = Source(BUILT_IN["CIFAR10"], tuple)  # read by ``cifar10``
CIFAR100 = Source(BUILT_IN["CIFAR100"], _read_cifar100)
SVHN = Source(BUILT_IN["SVHN"], _read_mat)
MNIST = Source(BUILT_IN["MNIST"], _read_idx)
FASHION_MNIST = Source(BUILT_IN["FASHION_MNIST"], _read_idx)
DIGITS = Source(BUILT_IN["DIGITS"], _read_digits)
