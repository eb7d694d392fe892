import pytest
from markupsafe import escape

from cifar_report.report.elements import UPRIGHT, Cell, Column, Row, breakable, column_widths


def table(*texts, numeric=()):
    """Return columns with short titles and one row of them."""
    columns = [Column("It", numeric=place in numeric) for place, _ in enumerate(texts)]
    return columns, [Row(tuple(Cell(escape(text), numeric=place in numeric) for place, text in enumerate(texts)))]


def test_words_stay_whole_where_a_table_wants_more_than_a_line():
    """A column of one long word keeps room for it beside columns of long sentences."""
    sentence = "a long sentence of many short words " * 4
    columns, rows = table("inconclusive", sentence, sentence, sentence, "1,234", numeric=(4,))
    widths = column_widths(columns, rows)
    assert sum(widths) == pytest.approx(100, abs=0.1)
    assert widths[0] / 100 * UPRIGHT.line >= len("inconclusive")
    assert widths[4] / 100 * UPRIGHT.line >= len("1,234")
    assert widths[1] == widths[2] == widths[3] > widths[0]


def test_columns_that_fit_share_the_line_by_what_they_want():
    """Nothing is taken from anyone where all columns have room."""
    columns, rows = table("two words", "four short words here")
    narrow, wide = column_widths(columns, rows)
    assert narrow / wide == pytest.approx((len("two words") + 2) / (len("four short words here") + 2), rel=0.01)


def test_an_id_breaks_between_its_parts_and_not_inside_of_a_word_or_a_number():
    """Markup in an id stays text, and what is copied from the page is the id."""
    assert breakable("C01a.15_epochs.as_written") == "C01a.15_<wbr>epochs.<wbr>as_<wbr>written"
    assert breakable("dropout_0.25") == "dropout_0.25"
    assert breakable("a_<b>.c") == "a_&lt;b&gt;.<wbr>c"
