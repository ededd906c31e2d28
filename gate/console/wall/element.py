"""The row of lanes as a NiceGUI element: a batch of what is new goes down, and nothing comes up but that it is there.

One element with a script of its own, not an element a lane: fifty lanes that change once a second are then one small message to each
screen, not hundreds of elements to compare and send (ADR 0038).
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from nicegui.element import Element

from gate.console.live import SILENCE_LIMIT_MS

WALL_WORDS = ("link_lost", "offline", "unknown", "silent", "old", "no_crossing")


class LaneWall(Element, component="lane_wall.js"):
    """``lanes`` are (id, title) in the order in which they stand; ``words`` has a sentence for each of :data:`WALL_WORDS`."""

    def __init__(
        self, *, lanes: Sequence[tuple[str, str]], words: Mapping[str, str], on_ready: Callable[[], None]
    ) -> None:
        super().__init__()
        self.props["lanes"] = [{"id": lane, "title": title} for lane, title in lanes]
        self.props["words"] = {name: words[name] for name in WALL_WORDS}
        self.props["silence-limit-ms"] = SILENCE_LIMIT_MS
        self.on("ready", on_ready, args=[])

    def take(self, batch: dict[str, Any]) -> None:
        """Show what is new (:meth:`gate.console.lane_feed.LaneFeed.batch`)."""
        self.run_method("take", batch)
