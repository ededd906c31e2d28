"""The middle of an officer's screen: the X-ray picture with everybody's marks, and behind a tab the document and the faces."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from functools import partial

from config.schema import Role
from gate.console.case_panels import PicturePanel
from gate.console.context import Console
from gate.console.hub_models import Case, LastScan, MarkView
from gate.console.parts import box, button, set_prop
from gate.console.pictures import scan_url
from gate.console.view import ScanView, clock_time, scan_views
from gate.console.viewer.element import DrawnMark, ShownMark, View, XrayViewer

_TABS = (("xray", "X-ray picture"), ("document", "Document and faces"))


class CentrePanel:
    """Shows the X-ray picture when the case has one, else the document, until the officer chooses otherwise for this case."""

    def __init__(
        self,
        console: Console,
        role: Role,
        *,
        on_mark: Callable[[DrawnMark], Awaitable[None]],
        on_unmark: Callable[[str], Awaitable[None]],
    ) -> None:
        self._console = console
        self._is_allowed = "pictures" in role.sees
        self._chosen: str | None = None
        self._case_id: str | None = None
        self._shown = ""
        with box("panel centre-panel"):
            with box("tabs", tag="nav") as tabs:
                tabs.props["aria-label"] = "Pictures"
                self._tabs = {
                    name: button(title, partial(self.choose, name), "tab", testid=f"tab-{name}")
                    for name, title in _TABS
                }
            with box("tab-body xray-body") as self._xray:
                self._viewer = XrayViewer(
                    colour=role.colour, may_mark=self._is_allowed, on_mark=on_mark, on_unmark=on_unmark
                )
            with box("tab-body") as self._documents:
                self._pictures = PicturePanel(role)
        self._open("document")

    def choose(self, name: str) -> None:
        """Show this tab for as long as the case is on the screen."""
        self._chosen = name
        self._open(name)

    def show(self, case: Case | None, *, marks: Sequence[MarkView], last: LastScan | None, user: str | None) -> None:
        """Draw the case's pictures with these marks; ``user`` is whose own marks can be taken away."""
        case_id = case.case_id if case is not None else None
        if case_id != self._case_id:
            self._case_id, self._chosen = case_id, None
        views = scan_views(case.attachments) if case is not None and self._is_allowed else ()
        if case is not None:
            self._open(self._chosen or ("xray" if views else "document"))
        self._pictures.show(case)
        before = scan_views(last.attachments)[:1] if last is not None and views else ()
        title = (
            f"Last crossing {_date(last.taken_ms)}"
            if last is not None and last.taken_ms is not None
            else "Last crossing"
        )
        self._viewer.show(
            [_view(view) for view in views],
            previous=_view(before[0], title=title) if before else None,
            empty=self._why_empty(case),
        )
        self._viewer.show_marks([self._mark(mark, user) for mark in marks] if self._is_allowed else [])

    def _why_empty(self, case: Case | None) -> str:
        if case is None:
            return "No case is open"
        if not self._is_allowed:
            return "Your role does not see pictures"
        if any(item.kind.startswith("xray") for item in case.attachments):
            return "Picture is on its way"
        return "No bag was scanned" if case.status == "closed" else "No bag has been scanned yet"

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
            role_title=self._console.role_title(mark.role),
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


def _date(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, tz=UTC).astimezone().strftime("%-d %b %Y")
