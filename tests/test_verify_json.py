"""What other programs read: JSON of the commands, a line a bundle, and the three functions of the package."""

import builtins
import json

import pytest
from verified import copied, made

import cifar_report
from cifar_report.cli import main
from cifar_report.registry import load_experiments, trials_of


def test_verify_prints_a_line_for_each_of_several_bundles(tmp_path, capsys):
    """A sound, a damaged and no bundle get a line each, in order; the damaged one's says so, and so does the status."""
    damaged = copied(tmp_path)
    (damaged / "tables" / "trials.csv").write_text("x\n")
    folders = [str(made()), str(damaged), str(tmp_path / "none")]
    assert main(["verify", *folders]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert [line.partition(": ")[0] for line in lines] == folders
    said = ("nothing is wrong", "wrong", "is no results bundle")
    assert all(words in line for words, line in zip(said, lines, strict=True))
    assert main(["verify", *folders, "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert [bool(each["findings"]) for each in found] == [False, True, True]
    assert any("trials.csv" in problem for problem in found[1]["findings"])
    assert main(["verify", folders[0], "--json"]) == 0


@pytest.mark.parametrize("words", [("--rerun", "1"), ("--pdf", "report.pdf")])
def test_what_goes_with_one_bundle_is_refused_for_several(words, capsys):
    """Training again and the numbers of a PDF are one bundle's."""
    assert main(["verify", str(made()), str(made()), *words]) == 2
    assert "go with one bundle" in capsys.readouterr().err


def test_list_status_data_and_compare_speak_json(capsys, tmp_path, data_words):
    """Each command's JSON holds what its lines say."""
    assert main(["list", "--json"]) == 0
    listed = [trial["id"] for each in json.loads(capsys.readouterr().out) for trial in each["trials"]]
    assert listed == list(trials_of(load_experiments()))
    words = ("--profile", "smoke", "--seeds", "1", "--only", "baseline", "--data", "synthetic")
    assert main(["status", *words, "--bundle", str(tmp_path / "new"), "--json"]) == 0
    (run,) = json.loads(capsys.readouterr().out)["runs"]
    assert (run["name"], run["finished"]) == ("baseline/seed-0", False)
    assert main(["data", *(data_words or ()), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["grade"] in ("canonical", "unverified", "stand-in")
    assert main(["compare", str(made()), str(made()), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["verdicts"], len(found["runs"])) == ([], len(cifar_report.load_bundle(made()).runs))


@pytest.mark.parametrize("pandas", [True, False])
def test_the_package_reads_a_bundle_as_tables(monkeypatch, pandas):
    """A row for each claim and each epoch: data frames where pandas is installed, else lists of the same rows."""
    if pandas:
        pytest.importorskip("pandas")
    else:
        found = builtins.__import__
        monkeypatch.setattr(builtins, "__import__", lambda name, *rest: found("no_" * (name == "pandas") + name, *rest))
    bundle = cifar_report.load_bundle(str(made()))
    claims, epochs = cifar_report.verdicts(bundle), cifar_report.history(bundle)
    assert isinstance(claims, list) is not pandas
    claims, epochs = (each.to_dict("records") if pandas else each for each in (claims, epochs))
    assert [each["claim"] for each in claims] == [claim.id for claim in bundle.claims]
    stage = bundle.runs[0].stages[0]
    own = [each for each in epochs if each["run"] == bundle.runs[0].id]
    assert [each["epoch"] for each in own] == list(range(1, stage.epochs + 1))
    assert [each["val_accuracy"] for each in own] == list(stage.history.val_accuracy)
