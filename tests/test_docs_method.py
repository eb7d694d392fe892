import ast
import re
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from cifar_report.analysis.calibration import load_calibration
from cifar_report.analysis.decisions import LEAST_SEEDS_FOR_ONSET, RATIO_SLACK
from cifar_report.analysis.estimates import ACCURACY_LEVEL, LOSS_RISE
from cifar_report.analysis.hypothesis_tests import TRIM, EpochTest, McNemar, TTest, holm
from cifar_report.analysis.results import Datum, Measure, SeedValue
from cifar_report.analysis.results.verdicts import LEVEL
from cifar_report.analysis.trials import unseen_collapses, unusual_runs
from cifar_report.simulation.calibration import COLLAPSES, DEPTHS, SEED_COUNTS, SUITES

ROOT = Path(__file__).resolve().parents[1]
TEXT = (ROOT / "docs" / "method.md").read_text(encoding="utf-8")
OTHERS = {"ttost_paired"}  # code in the text that is no name of the project


def test_every_name_in_the_method_is_where_the_text_says() -> None:
    """Whoever follows the text into the code finds each file and function that it names, and there."""
    known = {
        f"/{path.relative_to(ROOT).as_posix()}": {
            node.name
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(node, (ast.FunctionDef, ast.ClassDef))
        }
        for path in (ROOT / "cifar_report").rglob("*.py")
    }
    placed = set(re.findall(r"`([\w/]+\.py)(?:: (\w+))?`", TEXT))
    assert len(placed) > 20
    for file, name in placed:
        found = [names for path, names in known.items() if path.endswith(f"/{file}") and (not name or name in names)]
        assert found, f"{file} has no {name or 'such file'}"
    alone = {each.split(".")[-1] for each in re.findall(r"`([A-Z]?\w+(?:\.\w+)?)`", TEXT)} - {"py"} - OTHERS
    assert len(alone) > 15
    assert sorted(alone - set().union(*known.values())) == []


def test_the_method_states_the_numbers_of_the_code() -> None:
    """The levels, factors, least numbers and the unusual run in the text are those of the code."""
    assert f"at the level {LEVEL:g}".replace("0.", ".") in TEXT
    assert f"between r / {RATIO_SLACK} and {RATIO_SLACK} r" in TEXT
    assert f"validation accuracy of {ACCURACY_LEVEL:g}".replace("0.", ".") in TEXT
    assert f"a rise of {LOSS_RISE - 1:.0%}".replace("%", " %") in TEXT
    assert LEAST_SEEDS_FOR_ONSET == 5
    assert "Five seeds are the least" in TEXT
    values = (0.50, 0.60, 0.61, 0.62, 0.63)
    seeds = tuple(SeedValue(place, "", value) for place, value in enumerate(values))
    assert [run.seed for run in unusual_runs(Measure(Datum("", 0.6, "share", "mean_over_seeds"), seeds))] == [0]
    assert 4 * stats.median_abs_deviation(100 * np.array(values), scale="normal") == pytest.approx(5.9, abs=0.05)
    assert "4 · 1.483 · 1 = 5.9 points" in TEXT


def examples() -> dict[str, float]:
    """Return the results of the examples in the text, by the words before each number."""

    def array(*values: float) -> np.ndarray:
        return np.array(values, float)

    welch, pairs = TTest(array(61, 63, 65, 67), array(60, 61, 62, 61)), TTest(array(1, 2, 3))
    ratios = TTest(np.log(2) + array(-0.01, 0, 0.01))
    return {
        "= 3.59, and P(T > 2.22) =": welch.p_value(0, 1),
        "1/2 − t/(2√(2 + t²)) =": pairs.p_value(0, 1),
        "−1.5 + 2.92 · .5/√3 =": TTest(array(-2, -1.5, -1)).edge(1),
        "t = 5/(1/√3) = 8.66, p =": TTest(array(69, 70, 71)).p_between(65, 75),
        "= 38.6, p =": ratios.p_between(np.log(2 / 1.25), np.log(2 * 1.25)),
        "so p = 2/20 =": EpochTest(array(9, 10, 12), array(5, 6, 9)).p_value(0, 1),
        "Five of five runs within one epoch: p = 1/32 =": stats.binomtest(5, 5, alternative="greater").pvalue,
        "Four of five: 6/32 =": stats.binomtest(4, 5, alternative="greater").pvalue,
        "p = (1/2)⁶ = 1/64 =": McNemar(6, 0, 200).p_value(0, 1),
        "4 · .010 =": holm([0.01, 0.02, 0.03], 4)[0],
        "3 · .020 =": holm([0.01, 0.02, 0.03], 4)[1],
        "2 · .030) =": holm([0.01, 0.02, 0.03], 4)[2],
        "the highest fifth the mean is": TTest(array(50, 60, 61, 62, 63), trim=TRIM).center,
        "1 − .05^(1/5) =": 100 * unseen_collapses(5).value,
    }


@pytest.mark.parametrize(("words", "value"), examples().items())
def test_every_example_is_what_the_functions_give(words: str, value: float) -> None:
    """The number behind these words in the text is the function's, to the digits that are shown."""
    text = " ".join(TEXT.split())
    shown = re.search(re.escape(words) + r" (−?[\d.]+\d)", text)
    assert shown, words
    number = shown[1].replace("−", "-")
    digits = len(number.partition(".")[2])
    assert float(number) == pytest.approx(value, abs=0.5001 * 10.0**-digits)


def test_the_calibration_is_described_as_it_was_made() -> None:
    """Draws, seeds, suites and collapses in the text are the program's, and the told rate is the committed one."""
    text, known = " ".join(TEXT.split()), load_calibration()
    assert "4,000 times with 2, 3, 5 and 10 seeds" in text
    assert (SEED_COUNTS, SUITES) == ((2, 3, 5, 10), 1000)
    assert {each.draws for each in known.rates} == {4000, SUITES}
    assert (COLLAPSES, DEPTHS["accuracy"], DEPTHS["epochs_to_accuracy"]) == (0.1, -0.1, 10)
    told = [each for each in known.rates if each.bound is None and each.family == "accuracy as written"]
    shares = ", ".join(f"{each.share:.0%}".replace("%", "") for each in told)
    assert f"{shares} % of the claims" in text.replace(" and ", ", ")
    looks = max(each.share for each in known.rates if each.scenario == "looks")
    assert f"at most {100 * looks:.1f} % named a direction" in text
    assert not any(each.kept is False for each in known.rates)
