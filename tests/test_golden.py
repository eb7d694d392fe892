"""What must stay, as ``golden_values.py`` recorded it: numbers and verdicts of two bundles."""

import golden_values as golden
import pytest


@pytest.mark.parametrize("bundle", golden.BUNDLES)
def test_verdicts_and_numbers_are_what_they_were(bundle):
    """Every verdict is the recorded one, and so are the sums over all numbers of each formula."""
    recorded, found = golden.read("numbers")[bundle], golden.numbers(bundle)
    assert found["verdicts"] == recorded["verdicts"]
    sums = "sums of count, value, low, high"
    assert found[sums].keys() == recorded[sums].keys()
    for name, expected in recorded[sums].items():
        assert found[sums][name] == pytest.approx(expected, rel=1e-9, abs=1e-9), name
