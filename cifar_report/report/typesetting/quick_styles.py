"""WeasyPrint's computed styles, shared by all elements whose looks are the same; see ``quick``.

It shares a style among equal children of one parent, and counts an id among the looks. So each table with an id, and
each number that something links to, had looks of its own, and everything inside it as well.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeAlias
from xml.etree.ElementTree import Element

from weasyprint.css import ComputedStyle

ANCHOR = "anchor"  # what WeasyPrint calls an id; no element inherits it

Key: TypeAlias = tuple[Any, ...]


class AnchoredStyle(ComputedStyle):  # type: ignore[misc]
    """The looks of an element with an id: those of all that are alike but for the id."""

    def __init__(self, alike: Any, anchor: str) -> None:
        self.__dict__.update(alike.__dict__)
        self.alike = alike
        self[ANCHOR] = anchor

    def __missing__(self, key: str) -> Any:
        """Return a property as those that are alike have it."""
        value = self[key] = self.alike[key]
        return value

    @property
    def anonymous_style(self) -> Any:
        """Return the style of what stands in the element without an element of its own."""
        return self.alike.anonymous_style


def styles_shared(compute: Callable[..., None]) -> Callable[..., None]:
    """Stand in for ``StyleFor.set_computed_styles``: compute a style where no element alike had one before."""
    known: dict[Key, tuple[Any, Any, Any]] = {}

    @wraps(compute)
    def shared(
        self: Any,
        element: Any,
        parent: Any,
        root: Any = None,
        pseudo_type: str | None = None,
        base_url: str | None = None,
        target_collector: Any = None,
    ) -> None:
        if parent is None or not isinstance(element, Element):  # the first element, and the pages
            compute(self, element, parent, root, pseudo_type, base_url, target_collector)
            return
        computed, declared = self.get_computed_styles(), self.get_cascaded_styles().get((element, pseudo_type), {})
        above = computed[parent, None]
        above = getattr(above, "alike", above)
        without = {name: value for name, value in declared.items() if name != ANCHOR}
        key = (id(above), pseudo_type, *((name, id(value), weight) for name, (value, weight) in without.items()))
        if key not in known:
            style = ComputedStyle(
                above, without, pseudo_type, computed[root, None], base_url, self.font_config, self.initial_page_sizes
            )
            known[key] = style, above, declared  # what is kept keeps its id
        style = known[key][0]
        if ANCHOR in declared:
            style = AnchoredStyle(style, declared[ANCHOR][0])
            if target_collector and style[ANCHOR]:
                target_collector.collect_anchor(style[ANCHOR])
        computed[element, pseudo_type] = style

    return shared
