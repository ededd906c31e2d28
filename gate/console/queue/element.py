"""The open cases of a queue as one NiceGUI element: what changed goes down as one list.

Not an element a case: at a port of fifty lanes ten cases come and go each second, and making six elements for each of them on every screen
took the console more than half of its time (ADR 0038).
"""

from collections.abc import Callable, Sequence
from typing import Any

from nicegui.element import Element
from nicegui.events import GenericEventArguments

Item = dict[str, str | None]
"""``id``, ``lane``, ``short``, ``mark``, ``age``, ``who``, ``status``; at times ``selected``, ``waiting``, ``urgency``, ``claimed``."""


class QueueItems(Element, component="queue_items.js"):
    """``on_select`` is told the id of the case that was pressed."""

    def __init__(self, on_select: Callable[[str], None]) -> None:
        super().__init__()
        self._items: list[Item] = []
        self.props["items"] = []

        def press(event: GenericEventArguments) -> None:
            chosen: Any = event.args
            if any(item["id"] == chosen for item in self._items):
                on_select(str(chosen))

        self.on("select", press)

    def show(self, items: Sequence[Item]) -> None:
        """Draw these, in this order; nothing is sent when nothing changed."""
        listed = list(items)
        if listed != self._items:
            self._items = listed
            self.props["items"] = listed
