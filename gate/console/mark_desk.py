"""The marks on the case that is on a screen, and the scan of the crossing before it: fetched, drawn, erased over the hub."""

from collections.abc import Callable

from config.schema import Role
from gate.console.context import Console
from gate.console.hub_client import LinkLost, Refusal
from gate.console.hub_models import Case, LastScan, MarkPage, MarkView
from gate.console.sessions import Officer
from gate.console.viewer.element import DrawnMark


class MarkDesk:
    """``explain`` hears of every mark what became of it: None, or why the hub did not take it."""

    def __init__(
        self,
        console: Console,
        role: Role,
        *,
        officer: Callable[[], Officer | None],
        explain: Callable[[Refusal | LinkLost | None], None],
    ) -> None:
        self._console = console
        self._role = role
        self._officer = officer
        self._explain = explain
        self._is_allowed = "pictures" in role.sees
        self._case_id: str | None = None
        self._scans = 0
        self.is_stale = False
        """Whether the hub did not say when it was last asked."""
        self.marks: tuple[MarkView, ...] = ()
        self.last: LastScan | None = None

    def select(self, case_id: str | None) -> None:
        """Say which case is on the screen; another's marks are forgotten."""
        if case_id != self._case_id:
            self._case_id = case_id
            self._scans = 0
            self.is_stale = False
            self.marks, self.last = (), None

    async def refresh(self, case_id: str | None) -> bool:
        """Ask the hub again; True when there is something to show."""
        officer = self._officer()
        if officer is None or case_id is None or not self._is_allowed:
            return False
        answer = await self._console.hub.marks(officer.token, case_id)
        self.is_stale = isinstance(answer, LinkLost)
        if isinstance(answer, MarkPage):
            self._take(case_id, answer)
        return isinstance(answer, MarkPage)

    async def refresh_last(self, case: Case) -> bool:
        """Ask for the scan before, once for each scan that the case has; True when there is something to show."""
        scans = sum(item.kind.startswith("xray") for item in case.attachments)
        officer = self._officer()
        if officer is None or not self._is_allowed or scans == self._scans or case.case_id != self._case_id:
            return False
        self._scans = scans
        answer = await self._console.hub.last_scan(officer.token, case.case_id)
        if not isinstance(answer, LastScan) or case.case_id != self._case_id:
            return False
        self.last = answer
        return True

    async def draw(self, mark: DrawnMark) -> None:
        """Keep what the officer has drawn."""
        officer, case_id = self._officer(), self._case_id
        if officer is None or case_id is None:
            return
        answer = await self._console.hub.draw_mark(
            officer.token,
            case_id,
            picture=mark.sha256,
            kind=mark.kind,
            box_px=(mark.x, mark.y, mark.width, mark.height),
            text=mark.text,
            role=self._role.id,
        )
        self._tell(case_id, answer)

    async def erase(self, mark_id: str) -> None:
        """Take a mark away."""
        officer, case_id = self._officer(), self._case_id
        if officer is None or case_id is None or mark_id not in {mark.mark_id for mark in self.marks}:
            return
        self._tell(case_id, await self._console.hub.erase_mark(officer.token, case_id, mark_id))

    def _tell(self, case_id: str, answer: MarkPage | Refusal | LinkLost) -> None:
        if isinstance(answer, MarkPage):
            self._take(case_id, answer)
            self._explain(None)
        else:
            self._explain(answer)

    def _take(self, case_id: str, page: MarkPage) -> None:
        if case_id == self._case_id:
            self.marks = page.marks
