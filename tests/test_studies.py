"""Studies of one's own: their folder, their data, their report, without an original, Greek or codes."""

import gzip
import io
import re
import shlex
import shutil
import subprocess
import sys
import tarfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from command import ROOT, call, environment
from msgspec.structs import replace as changed
from reports import report_of
from suites import simulated

from cifar_report import data
from cifar_report.cli import main
from cifar_report.data.cifar10 import sha256_of
from cifar_report.errors import UsageError
from cifar_report.registry import FOLDER, VARIABLE, load_experiments, load_source, load_study
from cifar_report.report.build import build_report
from cifar_report.report.catalog import extract
from cifar_report.report.figures import draw_all
from cifar_report.report.i18n import STUDY_DOMAIN, Translation, read_catalogue
from cifar_report.running.models import export_history

DIGITS = ROOT / "examples" / "digits"
USE = "from cifar_report.data import"
FOREIGN = re.compile(
    r"original|CIFAR(?!.report)|airplane|\breproduced|write-up|assignment|student report", re.IGNORECASE
)


@pytest.fixture(autouse=True)
def suite(monkeypatch):
    """Return to the suite's own experiments after a command that was called with others."""
    monkeypatch.setenv(VARIABLE, "")


@pytest.fixture
def study(monkeypatch):
    monkeypatch.setenv(VARIABLE, str(DIGITS))


@pytest.fixture
def cache(monkeypatch, tmp_path):
    monkeypatch.setenv("CIFAR_REPORT_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("CIFAR10_DIR", raising=False)


def files(folder: Path, **contents: str) -> Path:
    """Write a study's files; ``experiments`` of the example stand for those that are not given."""
    (folder / "experiments").mkdir(parents=True)
    for source in (DIGITS / "experiments").glob("[b]*.py"):
        (folder / "experiments" / source.name).write_text(source.read_text())
    for name, content in ({"dataset": (DIGITS / "dataset.py").read_text()} | contents).items():
        (folder / f"{name.replace('__', '/')}.py").write_text(content)
    return folder


@pytest.mark.usefixtures("cache", "study")
def test_a_report_on_a_study_speaks_of_nothing_but_the_study(tmp_path):
    """Title and introduction are the study's, claims are supported or not, and no sentence knows an original."""
    made, results = simulated(load_experiments(), seeds=3, about=load_source().about, timing=True)
    translation = Translation("en", made.record.dataset.about, own=True)
    figures = draw_all(results, translation, bundle=made)
    html = report_of(made, figures)
    for text in (html, *(f"{figure.title} {figure.alt} {figure.caption}" for figure in figures)):
        plain = re.sub(r"<script.*?</script>|<style.*?</style>|src=\"[^\"]*\"|<[^>]+>", " ", text, flags=re.DOTALL)
        assert [plain[max(0, each.start() - 60) : each.end() + 60] for each in FOREIGN.finditer(plain)] == []
    assert load_study().title in html
    assert load_study().introduction[:60] in html
    assert "supported" in html
    with pytest.raises(UsageError, match="written in English"):
        build_report(made, tmp_path, ["el"])


def test_every_sentence_of_a_study_replaces_one_that_there_is():
    """The catalogue of studies has no message that the program no longer says, and keeps placeholders."""
    known = {message.id: message for message in extract() if not message.context}
    for message in read_catalogue("en", STUDY_DOMAIN):
        if message.id:
            assert message.id in known
            forms = [message.string] if isinstance(message.string, str) else message.string
            placeholders = set(re.findall(r"%\(\w+\)s", str(message.id)))
            assert all(set(re.findall(r"%\(\w+\)s", form)) <= placeholders for form in forms)


@pytest.mark.usefixtures("study")
def test_networks_of_a_study_are_for_its_images():
    """Counts follow from the shape of the study's images and its classes."""
    (trial,) = load_experiments()[0].trials
    assert (trial.input_shape, trial.classes, trial.parameters_total) == ((8, 8, 1), 10, 810)


@pytest.mark.parametrize(
    ("contents", "sentence"),
    [
        ({"dataset": "DATASET = 3"}, r"dataset.py: DATASET is missing"),
        ({"dataset": f"{USE} arrays\nDATASET = arrays('no.npz', 'x', 'ab')"}, r"no\.npz cannot be read"),
        ({"dataset": f"{USE} image_folder\nDATASET = image_folder('no', 'x')"}, r"no holds 0 folders"),
        ({"dataset": f"{USE} MNIST\nDATASET = MNIST"}, r"baseline is for images of 8 × 8 × 1, and"),
        ({"dataset": "import nothing_such"}, r"dataset.py:1: this data set cannot be imported"),
        ({"dataset": (DIGITS / "dataset.py").read_text() + "TITLE = 3"}, r"TITLE and INTRODUCTION are texts"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_study_is_a_sentence_that_names_the_file(tmp_path, capsys, contents, sentence):
    """Whoever writes a study wrongly reads where, and what is wanted, from every command."""
    contents = {name: re.sub(r"'no", f"'{tmp_path}/no", text) for name, text in contents.items()}
    if "MNIST" in contents["dataset"]:
        contents["experiments__baseline"] = (
            (DIGITS / "experiments/baseline.py").read_text().replace("DATASET.shape", "(8, 8, 1)")
        )
    assert main(["status", "--experiments", str(files(tmp_path / "study", **contents))]) in (1, 2)
    assert re.search(sentence, capsys.readouterr().err)


def test_a_folder_that_is_not_there_is_named_with_what_writes_one(tmp_path, capsys):
    """A wrong path costs one sentence; a study is never written over."""
    assert main(["list", "--experiments", str(tmp_path / "nowhere")]) == 2
    assert "nowhere is no folder of experiments: 'cifar-report new" in capsys.readouterr().err
    assert main(["new", str(tmp_path)]) == 0
    assert main(["new", str(tmp_path)]) == 2
    assert "not empty" in capsys.readouterr().err
    assert main(["list", "--experiments", str(tmp_path)]) == 0
    assert "wider" in capsys.readouterr().out


@pytest.mark.usefixtures("cache")
def test_a_study_without_claims_has_a_report(tmp_path, monkeypatch):
    """Nothing needs to be claimed."""
    monkeypatch.setenv(VARIABLE, str(files(tmp_path / "study")))
    experiments = tuple(changed(each, claims=()) for each in load_experiments())
    made = simulated(experiments, seeds=2, about=load_source().about)[0]
    text = report_of(made)
    assert "No claim has been tested" in text


RANDOM = np.random.default_rng(0)
SIZES = (60, 20)


def drawn(about) -> list[tuple[np.ndarray, np.ndarray]]:
    counts = [RANDOM.integers(0, len(about.classes), count, np.uint8) for count in SIZES]
    return [(RANDOM.integers(0, 256, (len(labels), *about.shape), np.uint8), labels) for labels in counts]


def idx(array: np.ndarray) -> bytes:
    sizes = b"".join(size.to_bytes(4, "big") for size in array.shape)
    return gzip.compress(bytes([0, 0, 8, array.ndim]) + sizes + array.tobytes())


def write_idx(folder, parts):
    for name, (images, labels) in zip(("train", "t10k"), parts, strict=True):
        (folder / f"{name}-images-idx3-ubyte.gz").write_bytes(idx(images[..., 0]))
        (folder / f"{name}-labels-idx1-ubyte.gz").write_bytes(idx(labels))


def write_mat(folder, parts):
    from scipy.io import savemat

    for name, (images, labels) in zip(("train", "test"), parts, strict=True):
        found = {"X": images.transpose(1, 2, 3, 0), "y": np.where(labels == 0, 10, labels)[:, None]}
        savemat(folder / f"{name}_32x32.mat", found)


def write_tar(folder, parts):
    """Write CIFAR-100's archive of the binary version: coarse label, fine label, colours one after another."""
    with tarfile.open(folder / "cifar-100-binary.tar.gz", "w:gz") as archive:
        for name, (images, labels) in zip(("train", "test"), parts, strict=True):
            planes = images.transpose(0, 3, 1, 2).reshape(len(images), -1)
            content = np.column_stack([labels % 20, labels, planes]).astype(np.uint8).tobytes()
            member = tarfile.TarInfo(f"cifar-100-binary/{name}.bin")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))


FORMATS = {"MNIST": write_idx, "FASHION_MNIST": write_idx, "SVHN": write_mat, "CIFAR100": write_tar}


@pytest.mark.usefixtures("cache")
@pytest.mark.parametrize("name", FORMATS)
def test_published_formats_are_read_as_they_are_published(name, tmp_path):
    """Images and labels of files in each format come out as they were written; known hashes make them canonical."""
    source = getattr(data, name)
    parts = drawn(source.about)
    FORMATS[name](tmp_path, parts)
    found = data.locate(str(tmp_path), source=source)
    assert (found.grade, found.about.counts) == ("unverified", SIZES)
    assert np.array_equal(found.images(), np.concatenate([images for images, _ in parts]))
    assert np.array_equal(found.labels(), np.concatenate([labels for _, labels in parts]))
    hashes = {each: sha256_of(tmp_path / each) for each in source.about.hashes}
    known = replace(source, about=changed(source.about, hashes=hashes, counts=SIZES))
    assert data.locate(str(tmp_path), source=known).grade == "canonical"
    assert data.locate(None, source=known, download=False).fingerprint == found.fingerprint


@pytest.mark.usefixtures("cache")
@pytest.mark.parametrize("name", FORMATS)
def test_a_damaged_or_missing_file_is_named(name, tmp_path):
    """Each file that is missing is named with where it is published; one that is something else is named as such."""
    source = getattr(data, name)
    with pytest.raises(UsageError, match=rf"lacks .*{next(iter(source.about.hashes))}.* published at http"):
        data.locate(str(tmp_path), source=source)
    FORMATS[name](tmp_path, drawn(source.about))
    spoilt = tmp_path / next(iter(source.about.hashes))
    spoilt.write_bytes(b"something else")
    with pytest.raises(UsageError, match=str(spoilt)):
        data.locate(str(tmp_path), source=source)


@pytest.mark.usefixtures("cache")
def test_a_folder_of_images_by_class_is_read_and_mixed_sizes_are_named(tmp_path):
    """Folders are classes; images of several sizes need a size to be brought to; what is no image is named."""
    from PIL import Image

    for kind in ("cats", "dogs"):
        (tmp_path / "photos" / kind).mkdir(parents=True)
        for number in range(10):
            Image.new("RGB", (6, 4), (number, 0, 0)).save(tmp_path / "photos" / kind / f"{number}.png")
    found = data.locate(None, source=data.image_folder(tmp_path / "photos", "Pets"))
    assert (found.about.classes, found.about.shape, found.about.counts) == (("cats", "dogs"), (4, 6, 3), (16, 4))
    assert found.images()[-1, 0, 0].tolist() == [9, 0, 0]
    Image.new("RGB", (9, 9)).save(tmp_path / "photos" / "cats" / "wide.png")
    with pytest.raises(UsageError, match=r"wide.png has 9 × 9 pixels.*give image_folder a size"):
        data.image_folder(tmp_path / "photos", "Pets")
    assert data.image_folder(tmp_path / "photos", "Pets", size=(8, 8), colours=1).shape == (8, 8, 1)
    (tmp_path / "photos" / "dogs" / "notes.txt").write_text("no image")
    with pytest.raises(UsageError, match=r"notes\.txt cannot be read as an image"):
        data.image_folder(tmp_path / "photos", "Pets")


@pytest.mark.usefixtures("cache")
def test_arrays_are_read_and_what_they_lack_is_named(tmp_path):
    """Four arrays or two; other types, labels without a class and missing names are sentences with the file."""
    images, labels = RANDOM.integers(0, 256, (50, 5, 4), np.uint8), np.arange(50) % 2
    path = tmp_path / "own.npz"
    np.savez(path, images=images, labels=labels)
    found = data.locate(None, source=data.arrays(path, "Own", ["no", "yes"]))
    assert (found.about.shape, found.about.counts, found.grade) == ((5, 4, 1), (40, 10), "canonical")
    np.savez(path, images=images / 255, labels=labels)
    with pytest.raises(UsageError, match=r"own\.npz: Own is uint8 .*not float64"):
        data.locate(None, source=data.arrays(path, "Own", ["no", "yes"]))
    np.savez(path, x_train=images, y_train=labels + 1, x_test=images, y_test=labels)
    with pytest.raises(UsageError, match=r"own\.npz: label 2 is none of 0 to 1"):
        data.locate(None, source=data.arrays(path, "Own", ["no", "yes"]))
    np.savez(path, images=images)
    with pytest.raises(UsageError, match=r"own\.npz lacks labels"):
        data.arrays(path, "Own", ["no", "yes"])


@pytest.fixture
def finished():
    return simulated([each for each in load_experiments() if each.id == "baseline"], seeds=2)[0]


@pytest.mark.long
def test_curves_go_to_tensorboard_as_scalars_by_epoch(finished, tmp_path):
    """Each run of a trial becomes a folder of its own, whose events hold every epoch's curves."""
    words = ["export", "baseline", "--bundle", str(finished.folder), "--to", "tensorboard", "-o", "logs"]
    done = call(*words, cwd=tmp_path)
    assert done.status == 0, done.err
    read = "import sys, tensorflow as tf\nfor e in tf.compat.v1.train.summary_iterator(sys.argv[1]):\n"
    read += "    print(*((e.step, v.tag, float(tf.make_ndarray(v.tensor))) for v in e.summary.value))"
    (event,) = (tmp_path / "logs" / "baseline" / "seed-1").iterdir()
    shown = subprocess.run([sys.executable, "-c", read, str(event)], capture_output=True, text=True, env=environment())
    history = next(run for run in finished.runs if run.id == "baseline/seed-1").stages[0].history
    for epoch, value in enumerate(history.val_accuracy, 1):
        assert f"({epoch}, 'val_accuracy', {float(np.float32(value))})" in shown.stdout, shown.stderr


def test_without_mlflow_its_extra_is_named(finished, tmp_path, monkeypatch):
    """Who asks for MLflow's store and has not installed it reads the name of the extra."""
    monkeypatch.setitem(sys.modules, "mlflow", None)
    with pytest.raises(UsageError, match=r"cifar-report\[mlflow\]"):
        export_history(finished.runs, tmp_path, "mlflow")


TUTORIAL = (ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8")
(KERNEL,) = re.findall(r"```python\n(.*?)```", TUTORIAL, re.DOTALL)


def test_one_file_of_fifteen_lines_adds_a_kernel_with_a_claim_of_its_own(tmp_path, monkeypatch):
    """A new file is enough: section, verdict and sentence are there, and none calls the kernel the original's."""
    assert len(KERNEL.splitlines()) <= 15
    folder = shutil.copytree(FOLDER, tmp_path / "experiments", ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "kernel_5x5.py").write_text(KERNEL, encoding="utf-8")
    monkeypatch.setenv(VARIABLE, str(folder))
    assert load_study() is None
    found = [each for each in load_experiments() if each.id in ("baseline", "kernel_5x5")]
    levels = {"baseline": 0.55, "baseline_30_epochs": 0.55, "kernel_5x5": 0.65}
    made, results = simulated(found, accuracies=levels)
    verdict = results.verdict("K1")
    assert (verdict.outcome, verdict.claim.family, verdict.original) == ("reproduced", "own", None)
    assert results.trial("baseline").primary.original is not None
    assert results.trial("kernel_5x5").primary.original is None
    text = report_of(made)
    section = text[text.index('id="experiment-kernel_5x5"') :].partition("</section>")[0]
    assert "3.A" in section
    assert "supported" in section
    assert "reproduced</span>" not in section
    told = re.sub(r"<[^>]+>", " ", section).replace("the original has no such number", "")
    assert "original" not in told  # but for the column of that name


@pytest.mark.long
def test_the_tutorial_does_what_it_says(tmp_path):
    """Its commands and its file, word for word in a copy of the project, end in a report with the kernel's claim."""
    for name in ("cifar_report", "examples", "experiments", "templates"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "experiments" / "kernel_5x5.py").write_text(KERNEL, encoding="utf-8")
    places = {"PYTHONPATH": str(tmp_path), "CIFAR_REPORT_CACHE": str(tmp_path / "cache"), "CIFAR10_DIR": None}
    commands = [shlex.split(line) for line in re.findall(r"^    cifar-report (.*)$", TUTORIAL, re.MULTILINE)]
    assert len(commands) > 9
    for words in commands:
        source = ("--data", "synthetic") if words[0] == "run" and "--experiments" not in words else ()
        done = call(*words, *source, cwd=tmp_path, **places)
        assert done.status == 0, (words, done.err)
        if words[0] == "report" and "--author" in words:
            assert "A kernel of 5×5 pixels" in (tmp_path / "report" / "report.html").read_text(encoding="utf-8")
    assert (tmp_path / "model.keras").stat().st_size > 10_000
