"""Notebooks of plain Keras: what they tell of a trial and a bundle, and that they run from top to bottom."""

import shutil

import nbformat
import numpy as np
import pytest
from command import call, environment
from reports import small_bundle

from cifar_report.bundle import Bundle
from cifar_report.errors import UsageError
from cifar_report.plain_keras import excerpts
from cifar_report.registry import load_experiments, trials_of
from cifar_report.report.notebook import make_notebook

TRIALS = trials_of(load_experiments())
SMALL = """
import keras, numpy as np
drawn = np.random.default_rng(0)
def parts(count): return drawn.integers(0, 256, (count, 32, 32, 3)).astype("uint8"), drawn.integers(0, 10, (count, 1))
keras.datasets.cifar10.load_data = lambda: (parts(200), parts(100))
"""


def test_it_holds_the_program_between_the_question_and_the_trap():
    """Its code is the trial's program between the question and the trap; what is no network has none."""
    text = make_notebook("model_2")
    read = nbformat.reads(text, 4)
    nbformat.validate(read)
    code = [cell.source for cell in read.cells if cell.cell_type == "code"]
    assert code == [each.code.rstrip() for each in excerpts(TRIALS["model_2"])]
    prose = " ".join(cell.source for cell in read.cells if cell.cell_type == "markdown")
    assert "How far does a deeper" in prose
    assert "in the same order in every epoch" in prose
    assert text == make_notebook("model_2")
    for name in ("nearest_centroid", "bassline"):
        with pytest.raises(UsageError, match=name):
            make_notebook(name)


def test_a_bundle_adds_accuracies_verdicts_and_figures(tmp_path):
    """With a bundle the notebook tells the accuracy of each seed, each claim's verdict, and shows the figures."""
    folder = shutil.copytree(small_bundle(seeds=3).folder, tmp_path / "bundle")
    (folder / "figures").mkdir(exist_ok=True)
    (folder / "figures" / "curves.filters.svg").write_text("<svg/>")
    read = nbformat.reads(make_notebook("filters_32", Bundle.load(folder)), 4)
    told = "\n".join(cell.source for cell in read.cells)
    assert "(seed 2)" in told
    assert "(C01a.15_epochs)" in told
    assert [list(cell.attachments) for cell in read.cells if "attachments" in cell] == [["curves.filters.svg"]]


@pytest.mark.long
@pytest.mark.parametrize("name", ["baseline", "model_2", "baseline_parallel"])
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_it_runs_from_top_to_bottom(name, tmp_path, monkeypatch):
    """Executed on a few images with one epoch a stage, every cell ends and the last one tells an accuracy."""
    from nbclient import NotebookClient

    assert call("notebook", name, "-o", "trial.ipynb", cwd=tmp_path).status == 0
    read = nbformat.read(tmp_path / "trial.ipynb", 4)
    for cell in read.cells:
        for epochs in (15, 20, 40, 50):
            cell.source = cell.source.replace(f"epochs={epochs}", "epochs=1")
    at = next(place for place, cell in enumerate(read.cells) if "import keras\n" in cell.source)
    read.cells.insert(at, nbformat.v4.new_code_cell(SMALL, id="small"))
    for key, value in environment(TF_CPP_MIN_LOG_LEVEL="3").items():
        monkeypatch.setenv(key, value)
    NotebookClient(read, timeout=600, resources={"metadata": {"path": str(tmp_path)}}).execute()
    told = "".join(output.get("text", "") for output in read.cells[-1].outputs)
    assert told.startswith("test accuracy 0.")
    assert np.isfinite(float(told.split()[-1]))
