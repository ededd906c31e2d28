"""What all supervisors' pages have on top: where one is, the other pages, how old what one sees is, the watch, the link, and who one is."""

from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path

from nicegui import app as pages
from nicegui import ui
from nicegui.element import Element

from gate.console.context import Console
from gate.console.hub_client import LinkLost, Refusal
from gate.console.hub_supervision import Supervision, Watch, Watches
from gate.console.i18n import Words
from gate.console.parts import box, button, link, set_data, set_prop, text
from gate.console.sessions import Officer
from gate.console.view import age, clock_time

_LOOK_EVERY_S = 20.0
_PAGES = (
    ("lanes", "/lanes"),
    ("cases", "/cases"),
    ("kpi", "/kpi"),
    ("audit", "/audit"),
    ("evacuation", "/evacuation"),
)


def as_heading(element: Element, level: int = 1) -> None:
    """Let who cannot see the page find it."""
    element.props["role"] = "heading"
    element.props["aria-level"] = str(level)


def scrolling(classes: str, *, testid: str | None = None, tag: str = "div") -> Element:
    """A box that may scroll, which the keyboard must be able to reach for that."""
    element = box(classes, testid=testid, tag=tag)
    element.props["tabindex"] = "0"
    return element


def dress(console: Console, words: Words) -> None:
    """The style of these pages for the one that is being built."""
    console.dress("control-room supervisor", words)
    ui.add_head_html(f'<link rel="stylesheet" href="{_style_url()}">')


@cache
def _style_url() -> str:
    """The address changes with the content, so that no browser shows an old one."""
    file = Path(str(resources.files("gate.console") / "supervisor.css"))
    stamp = f"{file.stat().st_mtime_ns:x}-{file.stat().st_size:x}"
    return pages.add_static_file(local_file=file, url_path=f"/console-assets/{stamp}/supervisor.css")


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchTime:
    """How long a watch lasts; ``is_over``: longer than the port lets an officer watch."""

    elapsed_ms: int
    limit_ms: int

    @property
    def is_over(self) -> bool:
        return self.elapsed_ms >= self.limit_ms

    @property
    def is_nearly_over(self) -> bool:
        """The last five minutes, in which the next officer is to be called."""
        return not self.is_over and self.limit_ms - self.elapsed_ms <= 5 * 60_000


class SupervisorHead:
    """The head bar of a page at ``path``. ``is_lost`` is the page's own word on whether the hub answers."""

    def __init__(self, console: Console, words: Words, *, active: str, browser: str) -> None:
        self._console = console
        self._words = words
        self._browser = browser
        officer = console.sessions.officer(browser)
        with box("head-bar supervisor-head", tag="header"):
            with box("head-role"):
                as_heading(text(words(f"nav.{active}"), "head-title"))
                text(console.site.port.title, "head-title-zh")
            with box("head-nav", tag="nav") as nav:
                set_prop(nav, "aria-label", words("nav.label"))
                for name, path in _PAGES:
                    item = link(words(f"nav.{name}"), path, "nav-link")
                    if name == active:
                        item.props["aria-current"] = "page"
            text("", "stale-marker", testid="stale-marker").props["role"] = "status"
            with box("head-side"):
                self.watch = WatchBar(console, words, browser) if officer and officer.may_command_lanes else None
                self._link = text("", "head-link", testid="link-state")
                text(officer.name if officer is not None else "", "head-user")
                link(words("nav.sign_out"), "/logout", "plain-link small")
        self.show(is_lost=False)

    def show(self, *, is_lost: bool) -> None:
        """Say how the links are."""
        state = "hub-lost" if is_lost else "live-news-lost" if not self._console.live.is_linked else "link-ok"
        self._link.set_text(self._words(f"link.{state}"))
        set_data(self._link, state=state)


class WatchBar:
    """For how long one has watched; beginning and handing over."""

    def __init__(self, console: Console, words: Words, browser: str) -> None:
        self._console = console
        self._words = words
        self._browser = browser
        self._supervision = Supervision(console.hub)
        self._watches: Watches | None = None
        self._time = button("", self._open, "watch-time", testid="watch")
        with self._time:
            self._label = text("")
        with ui.dialog() as self._dialog, box("dialog-card wide", testid="watch-dialog"):
            self._dialog.props["aria-label"] = words("watch.title")
            text(words("watch.title"), "dialog-title")
            self._state = text("", "dialog-sentence", testid="watch-state")
            self._last = box("watch-notes", testid="watch-notes")
            self._note = ui.textarea(words("watch.note")).props(
                'outlined dark autogrow maxlength=2000 data-testid="watch-note"'
            )
            self._problem = text("", "login-problem")
            with box("dialog-buttons"):
                button(words("confirm.close"), self._dialog.close)
                self._begin = button(words("watch.begin"), self._start, "btn-go", testid="watch-begin")
                self._end = button(words("watch.end"), self._finish, "btn-go", testid="watch-end")
        ui.timer(1.0, self._tick)
        ui.timer(_LOOK_EVERY_S, self.refresh, immediate=False)
        ui.timer(0.05, self.refresh, once=True)

    def _officer(self) -> Officer | None:
        return self._console.sessions.officer(self._browser)

    def _own(self) -> Watch | None:
        officer = self._officer()
        open_ones = self._watches.open if self._watches is not None else ()
        return next((item for item in open_ones if officer is not None and item.author == officer.user), None)

    def time(self) -> WatchTime | None:
        """How long one's own watch lasts; None when there is none."""
        own = self._own()
        if own is None or self._watches is None:
            return None
        elapsed_ms = max(0, self._console.clock.utc_ms() - own.began_ms)
        return WatchTime(elapsed_ms=elapsed_ms, limit_ms=self._watches.limit_ms)

    async def refresh(self) -> None:
        """Ask the hub who watches."""
        officer = self._officer()
        if officer is None:
            return
        answer = await self._supervision.watches(officer.token)
        if isinstance(answer, Watches):
            self._watches = answer
        self._tick()

    def _tick(self) -> None:
        time = self.time()
        if time is None:
            self._label.set_text(self._words("watch.none"))
            set_data(self._time, state="none")
        else:
            self._label.set_text(self._words("watch.time", elapsed=age(time.elapsed_ms), limit=age(time.limit_ms)))
            set_data(self._time, state="over" if time.is_over else "soon" if time.is_nearly_over else "running")

    async def _open(self) -> None:
        await self.refresh()
        self._draw()
        self._dialog.open()

    def _draw(self) -> None:
        own, watches = self._own(), self._watches
        others = [item.name for item in watches.open if own is None or item.number != own.number] if watches else []
        sentence = self._words("watch.yours", since=clock_time(own.began_ms)) if own else self._words("watch.not_yours")
        if others:
            sentence = f"{sentence} {self._words('watch.others', names=', '.join(others))}"
        self._state.set_text(sentence)
        self._problem.set_text("")
        self._note.visible = own is not None
        self._begin.visible = own is None
        self._end.visible = own is not None
        self._last.clear()
        with self._last:
            notes = [item for item in (watches.ended if watches else ()) if item.note][:3]
            if not notes:
                text(self._words("watch.no_notes"), "dim")
            for item in notes:
                at = self._words.moment(item.ended_ms or item.began_ms)
                text(self._words("watch.note_of", name=item.name, time=at), "dim small")
                text(item.note, "watch-words")

    async def _start(self) -> None:
        officer = self._officer()
        if officer is not None:
            await self._after(await self._supervision.begin_watch(officer.token))

    async def _finish(self) -> None:
        officer = self._officer()
        if officer is not None:
            note = str(self._note.value or "").strip()
            await self._after(await self._supervision.end_watch(officer.token, note))

    async def _after(self, answer: Watch | Refusal | LinkLost) -> None:
        if isinstance(answer, Watch):
            self._note.value = ""
            self._dialog.close()
            await self.refresh()
        else:
            is_lost = isinstance(answer, LinkLost)
            self._problem.set_text(self._words("order.lost" if is_lost else "order.refused"))
