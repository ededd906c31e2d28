"""What an officer's screen says for a moment: what changed, what was refused, and that a case was released."""

from gate.console.context import Console
from gate.console.parts import box, set_data, text
from gate.console.view import clock_time, short_id

_BANNER_MS = 8_000
_MAX_REMEMBERED = 500


class NoticeBar:
    """One sentence above the answers: what changed, what was refused."""

    def __init__(self) -> None:
        self._box = box("notice-bar", testid="notice")
        with self._box:
            self._text = text("", "notice-text", testid="notice-text")
        self.clear()

    def say(self, sentence: str, tone: str) -> None:
        """``tone``: ``info`` or ``warn``."""
        self._text.set_text(sentence)
        set_data(self._box, tone=tone)

    def clear(self) -> None:
        self._text.set_text("")
        set_data(self._box, tone=None)


class ReleaseBanner:
    """The moment of release, on every screen at once."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._until_ms = 0
        self._announced: dict[str, None] = {}
        with box("released-banner", testid="released-banner") as self._box:
            self._text = text("", "banner-text")
            self._where = text("", "banner-where")
        self._box.visible = False

    def announce(self, case_id: str, lane: str, at_ms: int) -> None:
        """Show it once a case, for as long as the moment lasts."""
        now_ms = self._console.clock.utc_ms()
        if case_id in self._announced or now_ms - at_ms > _BANNER_MS:
            return
        self._announced[case_id] = None
        if len(self._announced) > _MAX_REMEMBERED:
            del self._announced[next(iter(self._announced))]
        self._text.set_text(f"Released together {clock_time(at_ms)} · exit opening")
        self._where.set_text(f"{self._console.lane_title(lane)} · case {short_id(case_id)}")
        set_data(self._box, case_id=case_id)
        self._box.visible = True
        self._until_ms = now_ms + _BANNER_MS

    def tick(self, now_ms: int) -> None:
        """Take it away when its time is over."""
        if self._box.visible and now_ms >= self._until_ms:
            self._box.visible = False
