"""What is to be seen of a lane: its lamp, and the state that the screens are told."""

import asyncio
from collections.abc import Callable

from drivers.lane_io.interface import LampColour
from gate.wire import messages as wire


class Display:
    """Shows once what changed at a time, however much of it changed. Lives on the lane's event loop."""

    def __init__(
        self,
        *,
        lamp: Callable[[], LampColour],
        picture: Callable[[], wire.LaneState],
        set_lamp: Callable[[LampColour], None],
        publish: Callable[[wire.LaneState], None],
    ) -> None:
        """``lamp`` and ``picture`` tell what there is to show at the moment of asking."""
        self._lamp_of = lamp
        self._picture = picture
        self._set_lamp = set_lamp
        self._publish = publish
        self._lamp: LampColour | None = None
        self._is_due = False

    def changed(self) -> None:
        """Something to be seen is other than before: it is shown when what happens now is through."""
        if not self._is_due:
            self._is_due = True
            asyncio.get_running_loop().call_soon(self._show)

    def _show(self) -> None:
        self._is_due = False
        lamp = self._lamp_of()
        if lamp is not self._lamp:
            self._lamp = lamp
            self._set_lamp(lamp)
        self._publish(self._picture())
