"""What an officer's screen says for a moment: what changed, what was refused, and that a case was released."""

from gate.console.context import Console
from gate.console.i18n import Words
from gate.console.parts import Handler, box, button, set_data, set_enabled, set_prop, text
from gate.console.view import clock_time, short_id

_BANNER_MS = 8_000
_MAX_REMEMBERED = 500


class NoticeBar:
    """One sentence above the answers: who else is at work, what changed, what was refused, what waits for a second officer.

    ``on_take_over``: the officer has read whose case it is and goes on with it.
    """

    def __init__(self, words: Words, *, on_take_over: Handler) -> None:
        self._words = words
        self._said: tuple[str, str] = ("", "")
        self._standing: tuple[str, str] = ("", "")
        self._box = box("notice-bar", testid="notice")
        self._box.props.update({"role": "status", "aria-live": "polite"})
        with self._box:
            self._text = text("", "notice-text", testid="notice-text")
            self._take_over = button(
                words("claim.take_over"), on_take_over, "btn-small btn-take-over", testid="btn-take-over", key="F9"
            )
        self._draw()

    def say(self, sentence: str, tone: str) -> None:
        """Say it until it is cleared. ``tone``: ``info`` or ``warn``."""
        self._said = (sentence, tone)
        self._draw()

    def clear(self) -> None:
        """What was said is no news any more; what stands, stands."""
        self._said = ("", "")
        self._draw()

    def stand(self, sentence: str, *, is_claimed: bool) -> None:
        """What is so for as long as it is so. The newer of this and what was said is shown; ``is_claimed``: by a colleague, goes first."""
        if sentence and not self._standing[0]:
            self._said = ("", "")
        self._standing = (sentence, "warn" if sentence else "")
        set_data(self._box, claimed="yes" if is_claimed else None)
        self._take_over.visible = is_claimed
        set_enabled(self._take_over, is_claimed)
        self._draw(is_claimed=is_claimed)

    def _draw(self, *, is_claimed: bool = False) -> None:
        sentence, tone = self._standing if is_claimed or not self._said[0] else self._said
        self._text.set_text(sentence)
        set_prop(self._text, "title", sentence)
        set_data(self._box, tone=tone or None)


class ReleaseBanner:
    """The moment of release, on every screen at once."""

    def __init__(self, console: Console, words: Words) -> None:
        self._console = console
        self._words = words
        self._until_ms = 0
        self._announced: dict[str, None] = {}
        with box("released-banner", testid="released-banner") as self._box:
            self._box.props.update({"role": "status", "aria-live": "assertive"})
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
        self._text.set_text(self._words("banner.released", time=clock_time(at_ms)))
        self._where.set_text(self._words("banner.where", lane=self._console.lane_title(lane), case=short_id(case_id)))
        set_data(self._box, case_id=case_id)
        self._box.visible = True
        self._until_ms = now_ms + _BANNER_MS

    def tick(self, now_ms: int) -> None:
        """Take it away when its time is over."""
        if self._box.visible and now_ms >= self._until_ms:
            self._box.visible = False
