"""Which case this screen's officer is at work on, told to the hub, and the colleague who is at the same one."""

from collections.abc import Callable
from dataclasses import dataclass

from config.schema import Role
from gate.console.context import Console
from gate.console.hub_client import LinkLost, Refusal
from gate.console.hub_models import CaseSummary, ClaimPage, ClaimView
from gate.console.sessions import Officer

REPEAT_S = 4.0
"""How often a claim is repeated; the hub forgets one that it has not heard of for 12 s."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Whose a case is, as this screen knows it. ``colleague`` has it when it is not ours; ``is_lost``: it was ours before."""

    is_ours: bool = False
    colleague: ClaimView | None = None
    is_lost: bool = False


class ClaimDesk:
    """One open page's claim. ``changed`` hears that :attr:`standing` is another."""

    def __init__(
        self, console: Console, role: Role, *, officer: Callable[[], Officer | None], changed: Callable[[], None]
    ) -> None:
        self._console = console
        self._role = role
        self._officer = officer
        self._changed = changed
        self._case_id: str | None = None
        self.standing = Standing()

    async def select(self, case: CaseSummary | None) -> None:
        """Say which case is on the screen now; a case that is over, or does not ask this role, is nobody's work."""
        case_id = case.case_id if case is not None and case.status != "closed" else None
        if case is not None and self._role.id not in case.required_roles:
            case_id = None
        if case_id == self._case_id:
            return
        before, self._case_id = self._case_id, case_id
        self.standing = Standing()
        if before is not None:
            await self._leave(before)
        if case_id is not None:
            await self._claim(is_knowing=False)

    async def repeat(self) -> None:
        """Keep the claim, or ask for one that a colleague has let go of."""
        if self._case_id is not None:
            await self._claim(is_knowing=False)

    async def take_over(self) -> None:
        """The officer has read who is at work on the case and goes on."""
        if self._case_id is not None:
            await self._claim(is_knowing=True)

    async def close(self) -> None:
        """The page is gone."""
        before, self._case_id = self._case_id, None
        if before is not None:
            await self._leave(before)

    async def _claim(self, *, is_knowing: bool) -> None:
        officer, case_id = self._officer(), self._case_id
        if officer is None or case_id is None:
            return
        answer = await self._console.hub.claim(officer.token, case_id, role=self._role.id, is_knowing=is_knowing)
        if case_id != self._case_id or isinstance(answer, LinkLost):
            return  # a hub that is away must not take a case out of an officer's hands
        before = self.standing
        if isinstance(answer, ClaimPage):
            self.standing = Standing(is_ours=True)
        elif answer.kind == "claimed":
            self.standing = Standing(
                colleague=await self._colleague(officer, case_id), is_lost=before.is_ours or before.is_lost
            )
        elif isinstance(answer, Refusal):
            self.standing = Standing()
        if self.standing != before:
            self._changed()

    async def _colleague(self, officer: Officer, case_id: str) -> ClaimView | None:
        page = await self._console.hub.cases(officer.token, status="open")
        if isinstance(page, Refusal | LinkLost):
            return self.standing.colleague
        found = next((case for case in page.cases if case.case_id == case_id), None)
        return found.claims.get(self._role.id) if found is not None else None

    async def _leave(self, case_id: str) -> None:
        officer = self._officer()
        if officer is not None:
            await self._console.hub.leave_claim(officer.token, case_id, role=self._role.id)
