"""The middle of an officer's screen: the X-ray picture with everybody's marks, and behind a tab the document and the faces."""

from collections.abc import Awaitable, Callable, Sequence
from functools import partial

from config.schema import Role
from gate.console.context import Console
from gate.console.hub_models import Case, LastScan, MarkView
from gate.console.i18n import Words
from gate.console.parts import box, button, set_prop
from gate.console.picture_panel import PicturePanel
from gate.console.pictures import scan_url
from gate.console.spoken import role_title
from gate.console.view import ScanView, clock_time, scan_views
from gate.console.viewer.element import DrawnMark, ShownMark, View, XrayViewer

_TABS = ("xray", "document")


class CentrePanel:
    """Shows the X-ray picture when the case has one, else the document, until the officer chooses otherwise for this case."""

    def __init__(
        self,
        console: Console,
        role: Role,
        words: Words,
        *,
        on_mark: Callable[[DrawnMark], Awaitable[None]],
        on_unmark: Callable[[str], Awaitable[None]],
    ) -> None:
        self._console = console
        self._words = words
        self._is_allowed = "pictures" in role.sees
        self._chosen: str | None = None
        self._case_id: str | None = None
        self._shown = ""
        with box("panel centre-panel"):
            with box("tabs", tag="nav") as tabs:
                tabs.props["aria-label"] = words("centre.pictures")
                self._tabs = {
                    name: button(words(f"centre.{name}"), partial(self.choose, name), "tab", testid=f"tab-{name}")
                    for name in _TABS
                }
            with box("tab-body xray-body") as self._xray:
                self._viewer = XrayViewer(
                    colour=role.colour,
                    may_mark=self._is_allowed,
                    on_mark=on_mark,
                    on_unmark=on_unmark,
                    language=words.language.split("_")[0],
                )
            with box("tab-body") as self._documents:
                self._pictures = PicturePanel(role, words)
        self._open("document")

    def choose(self, name: str) -> None:
        """Show this tab for as long as the case is on the screen."""
        self._chosen = name
        self._open(name)

    def switch(self) -> None:
        """Show the other tab."""
        self.choose("document" if self._shown == "xray" else "xray")

    def show(
        self,
        case: Case | None,
        *,
        marks: Sequence[MarkView],
        last: LastScan | None,
        user: str | None,
        following: Case | None = None,
    ) -> None:
        """Draw the case's pictures with these marks; ``user`` is whose own marks can be taken away.

        ``following`` is the case that is expected next, whose pictures are fetched ahead.
        """
        case_id = case.case_id if case is not None else None
        if case_id != self._case_id:
            self._case_id, self._chosen = case_id, None
        views = scan_views(case.attachments) if case is not None and self._is_allowed else ()
        if case is not None:
            self._open(self._chosen or ("xray" if views else "document"))
        self._pictures.show(case)
        before = scan_views(last.attachments)[:1] if last is not None and views else ()
        ahead = scan_views(following.attachments) if following is not None and self._is_allowed else ()
        self._viewer.show(
            [_view(view) for view in views],
            previous=_view(before[0], title=self._last_title(last)) if before else None,
            following=[_view(view) for view in ahead],
            empty=self._why_empty(case),
        )
        self._viewer.show_marks([self._mark(mark, user) for mark in marks] if self._is_allowed else [])

    def _last_title(self, last: LastScan | None) -> str:
        if last is None or last.taken_ms is None:
            return self._words("centre.last")
        return self._words("centre.last_of", day=self._words.day(last.taken_ms))

    def _why_empty(self, case: Case | None) -> str:
        if case is None:
            return self._words("case.none")
        if not self._is_allowed:
            return self._words("pane.hidden")
        if any(item.kind.startswith("xray") for item in case.attachments):
            return self._words("pane.on_its_way")
        return self._words("centre.no_scan" if case.status == "closed" else "centre.no_scan_yet")

    def _mark(self, mark: MarkView, user: str | None) -> ShownMark:
        role = self._console.role(mark.role)
        return ShownMark(
            id=mark.mark_id,
            number=mark.number,
            sha256=mark.picture,
            kind=mark.kind,
            x=mark.x,
            y=mark.y,
            width=mark.width,
            height=mark.height,
            text=mark.text,
            role_title=role_title(self._console.site, mark.role, self._words),
            colour=role.colour if role is not None else "#8aa0b2",
            author=mark.author_name or mark.author,
            time=clock_time(mark.at_ms),
            is_own=mark.author == user,
        )

    def _open(self, name: str) -> None:
        if name == self._shown:
            return
        self._shown = name
        self._xray.visible = name == "xray"
        self._documents.visible = name == "document"
        for each, tab in self._tabs.items():
            set_prop(tab, "aria-pressed", "true" if each == name else "false")


def _view(view: ScanView, *, title: str = "") -> View:
    low = scan_url(view.low) if view.low is not None else None
    return View(sha256=view.sha256, high=scan_url(view.sha256), low=low, title=title)
