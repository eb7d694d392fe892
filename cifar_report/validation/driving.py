"""Uses the page as a reader does: sorts tables, opens and closes the enlarged figures, picks verdicts out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

Page = Any  # playwright ships its types with the session that drives a browser
MOST_TABLES = 3  # of those that can be sorted

CELLS = "(table, place) => [...table.tBodies[0].rows].map((row) => row.cells[place].innerText.trim())"
SORTABLE = "main table:has(thead button)"
SHOWN_ROWS = "(rows) => rows.filter((row) => row.checkVisibility()).length"
ROWS = ".verdicts tbody tr[data-outcome]"


def sort_tables(page: Page) -> Iterator[str]:
    """Click on heads of tables, and yield what does not happen: rows reordered, none lost, the direction told."""
    tables = page.locator(SORTABLE)
    if tables.count() == 0:
        yield "no table can be sorted"
    for table in page.locator(f"{SORTABLE}:visible").all()[:MOST_TABLES]:
        yield from _sort(table)


def _sort(table: Any) -> Iterator[str]:
    name = (table.locator("caption").inner_text() or "a table").splitlines()[0][:60]
    place = table.locator("thead button").count() - 1
    button = table.locator("thead button").nth(place)
    head = table.locator("thead th").nth(place)
    before = table.evaluate(CELLS, place)
    orders = []
    for direction in ("ascending", "descending"):
        button.click()
        if head.get_attribute("aria-sort") != direction:
            yield f"{name}: after a click the column is not marked as {direction}"
        orders.append(table.evaluate(CELLS, place))
    if any(sorted(order) != sorted(before) for order in orders):
        yield f"{name}: sorting changed what stands in the column"
    if len(set(before)) > 1 and orders[0] == orders[1]:
        yield f"{name}: sorting up and down gives the same order"


def open_figure(page: Page) -> Iterator[str]:
    """Open the first figure large and leave it open; yield what does not happen."""
    buttons = page.locator("main figure button.enlarge")
    if buttons.count() == 0:
        yield "no figure can be enlarged"
        return
    buttons.first.click()
    dialog = page.locator("dialog")
    if not dialog.is_visible():
        yield "a click on a figure opens nothing"
        return
    image = dialog.locator("img")
    if image.evaluate("(image) => image.naturalWidth") == 0:
        yield "the enlarged figure shows no picture"
    if image.get_attribute("alt") != buttons.first.locator("img").get_attribute("alt"):
        yield "the enlarged figure has another alternative text than the figure"


def close_figure(page: Page) -> Iterator[str]:
    """Close the enlarged figure with the Escape key, open it again and close it with its button."""
    dialog = page.locator("dialog")
    page.keyboard.press("Escape")
    if dialog.is_visible():
        yield "Escape does not close the enlarged figure"
    page.locator("main figure button.enlarge").first.click()
    dialog.locator("button").first.click()
    if dialog.is_visible():
        yield "the enlarged figure's button does not close it"


def filter_verdicts(page: Page) -> Iterator[str]:
    """Take each verdict out of the table and put it back; yield what does not happen."""
    boxes = page.locator("fieldset.filter input[type=checkbox]")
    total = page.locator(ROWS).count()
    if boxes.count() == 0 or total == 0:
        yield "there is no filter of verdicts"
        return
    hidden = 0
    for box in boxes.all():
        box.uncheck()
        hidden += total - page.eval_on_selector_all(ROWS, SHOWN_ROWS)
        box.check()
    if hidden != total:
        yield f"the filter hides {hidden} of {total} verdicts when each is taken out once"
    if page.eval_on_selector_all(ROWS, SHOWN_ROWS) != total:
        yield "a verdict stays hidden after everything was chosen again"
