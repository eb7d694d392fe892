"""The networks of a bundle, taken out as files and asked about images."""

import json
import shutil

import numpy as np
import pytest
from command import call
from conftest import ONE_WORKER
from PIL import Image

from cifar_report.bundle import Bundle
from cifar_report.cli import main
from cifar_report.data import read_picture
from cifar_report.errors import UsageError
from cifar_report.running.models import find_run, find_trained


@pytest.fixture
def run_here(tensorflow, in_folder, capsys):  # noqa: ARG001 - one process has TensorFlow for all
    """Return a function that runs a command in this process, to its end, and returns what it printed."""

    def run(*words):
        assert main(words) == 0
        return capsys.readouterr().out

    return run


@pytest.fixture(scope="module")
def staged(tmp_path_factory, data_words):
    folder = tmp_path_factory.mktemp("staged")
    assert call("run", *ONE_WORKER, "--only", "model_2", *data_words, cwd=folder).status == 0
    return folder / "bundle"


@pytest.mark.parametrize(
    ("name", "words", "table"),
    [
        ("baseline/seed-0", ("--stage", "training", "--weights", "best"), ("training", "best")),
        pytest.param("baseline", (), ("training", "last"), marks=pytest.mark.long),
        pytest.param("model_2/seed-0", (), ("augmented", "best"), marks=pytest.mark.long),
        pytest.param("model_2", ("--stage", "first", "--weights", "last"), ("first", "last"), marks=pytest.mark.long),
    ],
)
def test_an_exported_network_gives_the_bundle_s_probabilities(request, sample, run_here, name, words, table):
    """What the command writes predicts what the bundle holds, within 1e-6, for the stage and weights asked for."""
    import keras

    folder = request.getfixturevalue("staged") if "model_2" in name else request.getfixturevalue("smoke").folder
    written = run_here("export", name, "--bundle", str(folder), *words, "-o", "model.keras")
    assert f"stage {table[0]}, {table[1]} weights" in written
    bundle = Bundle.load(folder)
    held = bundle.predictions(find_run(bundle, name.partition("/")[0]))
    pixels = sample.images[held.indices] / np.float32(255)
    answers = keras.models.load_model("model.keras").predict(pixels, verbose=0)
    assert np.abs(answers - held.probabilities[table]).max() < 1e-6


def test_predict_tells_class_and_probabilities_of_images_of_any_size(smoke, run_here):
    """Each file gets a class, the likeliest, and ten probabilities; as JSON and as text."""
    Image.new("L", (300, 200), 90).save("grey.png")
    Image.new("RGB", (7, 9), (200, 10, 10)).save("small.jpg")
    words = ("predict", "baseline", "grey.png", "small.jpg", "--bundle", str(smoke.folder))
    found = json.loads(run_here(*words, "--json"))
    assert [(each["image"], each["size"]) for each in found] == [("grey.png", [300, 200]), ("small.jpg", [7, 9])]
    for each in found:
        shares = each["probabilities"]
        assert (len(shares), sum(shares.values())) == (10, pytest.approx(1, abs=1e-5))
        assert each["class"] == max(shares, key=shares.get)
    text = run_here(*words)
    assert "the middle, resized to 32 × 32" in text
    assert f"grey.png (300 × 200): {found[0]['class']}" in text


@pytest.mark.long
def test_the_command_for_one_network_prints_its_answer_alone(smoke, tmp_path):
    """In a process of its own TensorFlow adds no word to the answer."""
    Image.new("RGB", (32, 32), (200, 10, 10)).save(tmp_path / "red.png")
    words = ("predict", "baseline", "red.png", "--bundle", str(smoke.folder), "--json")
    called = call(*words, cwd=tmp_path, TF_CPP_MIN_LOG_LEVEL=None)  # which workers of the tests set for themselves
    assert (called.status, called.err) == (0, "")
    assert [each["image"] for each in json.loads(called.out)] == ["red.png"]


def test_the_middle_square_is_what_a_network_sees(tmp_path):
    """Of a wide image the sides are cut off, and nothing is squeezed."""
    wide = Image.new("RGB", (96, 32), (255, 0, 0))
    wide.paste((0, 255, 0), (32, 0, 64, 32))
    wide.save(tmp_path / "wide.png")
    pixels, size = read_picture(tmp_path / "wide.png", (32, 32), 3)
    assert size == (96, 32)
    assert (pixels == (0, 255, 0)).all()


def test_what_cannot_be_taken_out_is_said_in_a_sentence(smoke, tmp_path):
    """No image, no such run, stage or network, and a copy without weights each get a sentence of their own."""
    (tmp_path / "text.png").write_text("no image")
    with pytest.raises(UsageError, match=r"text\.png cannot be read as an image"):
        read_picture(tmp_path / "text.png", (32, 32), 3)
    bundle = Bundle.load(smoke.folder)
    for name, stage, said in (
        ("bassline", None, "no finished run 'bassline'"),
        ("nearest_centroid/once", None, "is no network"),
        ("baseline", "second", "has no stage 'second'; it has training"),
    ):
        with pytest.raises(UsageError, match=said):
            find_trained(bundle, name, stage)
    light = shutil.copytree(smoke.folder, tmp_path / "light", ignore=shutil.ignore_patterns("weights.npz"))
    with pytest.raises(UsageError, match="run --only baseline"):
        find_trained(Bundle.load(light), "baseline")
    refused = call("export", "baseline", "--bundle", str(smoke.folder), "-o", "model.h5", cwd=tmp_path)
    assert (refused.status, "ends in .keras or .onnx" in refused.err) == (2, True)
