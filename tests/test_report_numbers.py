from typing import get_args

import pytest

from cifar_report.analysis.results import Datum, Unit
from cifar_report.report.i18n import DASH, NO_BREAK, Numbers, Translation


@pytest.fixture
def numbers():
    return Numbers(Translation("en"))


def datum(value, unit, formula="mean_over_seeds", **fields):
    return Datum(id="x", value=value, unit=unit, formula=formula, **fields)


@pytest.mark.parametrize(
    ("value", "unit", "formula", "shown"),
    [
        (0.5959, "share", "mean_over_seeds", "59.6%"),
        (0.0213, "points", "mean_difference", "+2.1 points"),
        (-0.0213, "points", "mean_difference", "−2.1 points"),
        (0.01, "points", "margin", "1 point"),
        (0.015, "points", "margin", "1.5 points"),
        (1.18494, "loss", "mean_over_seeds", "1.1849"),
        (0.1, "relative", "margin", "10%"),
        (0.123, "relative", "mean_relative_difference", "+12.3%"),
        (6.0, "epochs", "mean_over_seeds", "6.0 epochs"),
        (1.0, "epochs", "margin", "1 epoch"),
        (611626.0, "count", "counted_in_spec", "611,626"),
        (2.5, "count", "mean_over_seeds", "2.5"),
        (0.01234, "seconds", "single_value", "0.0123 s"),
        (1182.8, "seconds", "original_value", "1,183 s"),
        (1.4614, "ratio", "geometric_mean_ratio", "1.46"),
        (1.4614, "ratio", "original_difference", "1.46"),
        (123456.0, "throughput", "geometric_mean_of_blocks", "123,456 images/s"),
        (0.00004, "probability", "p_corrected", "< 0.001"),
        (0.0417, "probability", "p_value", "0.042"),
        (0.996, "probability", "p_value", "1.0"),
        (0.98765, "probability", "run_probability", "98.8%"),
        (0.6543, "score", "mean_over_seeds", "0.654"),
        (3 * 2**20, "bytes", "largest_over_blocks", "3.00 MiB"),
    ],
)
def test_a_number_shows_the_digits_and_the_unit_that_its_kind_asks_for(numbers, value, unit, formula, shown):
    """Rounding, unit and sign are decided by the kind of number, and no line breaks between a number and its unit."""
    assert numbers.quantity(datum(value, unit, formula)) == shown.replace(" ", NO_BREAK)


@pytest.mark.parametrize("unit", get_args(Unit))
def test_every_unit_can_be_shown_whatever_the_value(numbers, unit):
    """No unit is forgotten, and zero, negative, tiny and huge values are shown without an exponent."""
    for value in (0.0, -1.5, 1e-9, 3.0, 1e12):
        text = numbers.quantity(datum(value, unit))
        assert text
        assert "e" not in text.partition(NO_BREAK)[0]


def test_what_is_no_number_is_a_dash(numbers):
    """What is absent or not finite is a dash, and a difference that rounds to zero has no sign."""
    absent = datum(None, "share", reason="not_run")
    assert numbers.number(absent) == numbers.quantity(absent) == numbers.interval(absent) == DASH
    assert numbers.number(datum(float("nan"), "loss")) == numbers.number(datum(float("inf"), "loss")) == DASH
    assert numbers.number(datum(0.000001, "points", "mean_difference")) == "0.0"
    assert numbers.number(datum(-0.000001, "points", "mean_difference")) == "0.0"


def test_an_interval_keeps_together_and_has_signs_where_they_differ(numbers):
    """Bounds have the decimals of their number; a plus stands only beside a minus, and Greek needs no semicolon."""
    bounds = {(-0.005, 0.025): "[−0.5, +2.5]", (0.005, 0.025): "[0.5, 2.5]", (-0.02, -0.01): "[−2.0, −1.0]"}
    for (low, high), shown in bounds.items():
        interval = numbers.interval(datum(0.01, "points", "mean_difference", low=low, high=high))
        assert interval == shown.replace(" ", NO_BREAK)
    assert numbers.interval(datum(0.6, "share", low=0.59, high=0.61)) == f"[59.0,{NO_BREAK}61.0]"
    assert numbers.interval(datum(0.8, "share", low=-0.1, high=1.003)) == f"[0.0,{NO_BREAK}100.0]"  # no accuracy passes
    greek = Translation("el").numbers.interval(datum(0.6, "share", low=0.59, high=0.61))
    assert ";" not in greek
    assert {"59,0", "61,0"} <= set(greek.strip("[]").split())


@pytest.mark.parametrize(("value", "shown"), [(0.0004, "p < 0.001"), (0.0124, "p = 0.012")])
def test_no_line_breaks_inside_a_p_value(numbers, value, shown):
    """The sign and the number stay beside their letter."""
    assert numbers.p_statement(value) == shown.replace(" ", NO_BREAK)


def test_dates_do_not_depend_on_the_time_zone_of_the_reader(numbers, monkeypatch):
    """A moment is shown in UTC wherever the report is built."""
    monkeypatch.setenv("TZ", "Pacific/Auckland")
    assert numbers.moment("2026-01-01T23:30:00Z") == "January 1, 2026, 23:30 UTC"
    assert numbers.moment("2026-01-01T23:30:00+02:00") == "January 1, 2026, 21:30 UTC"


@pytest.mark.parametrize(
    ("value", "text"),
    [(3e38, "3e38"), (-2.5e20, "−2.5e20"), (1e-9, "1e−9"), (0.000001, "0.000001"), (5e-324, "4.94e−324")],
)
def test_numbers_with_too_many_digits_have_an_exponent(value, text):
    """The loss of a diverged run and a tiny learning rate are neither a row of zeros nor a zero."""
    assert Numbers(Translation("en")).plain(value) == text
