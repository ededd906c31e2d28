"""Scans that the hub has matched to the case under way become evidence of the crossing: new evidence reopens every verdict.

The lane asks, since a lane alone adds to its evidence; nothing that comes this way can open a door.
"""

import asyncio
from collections.abc import Callable, Coroutine

from gate.core.evidence import Attachment, Finding, Outcome, Stage
from gate.lane.crossing import Crossing
from gate.lane.hub_link import ScanOfCase

ASK_S = 1.0
SCAN = "cargo.scan"


class ScanWatch:
    """Asks the hub once a second while somebody crosses."""

    def __init__(
        self,
        *,
        crossing: Callable[[], Crossing | None],
        ask: Callable[[str], Coroutine[None, None, tuple[ScanOfCase, ...]]],
        add: Callable[[tuple[Finding, ...], tuple[Attachment, ...]], None],
        is_referring: bool,
    ) -> None:
        """``is_referring``: customs look at every scan before a release; else it is shown only."""
        self._crossing = crossing
        self._ask = ask
        self._add = add
        self._is_referring = is_referring

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(ASK_S)

    async def look(self) -> None:
        """One question, if somebody crosses."""
        here = self._crossing()
        if here is None:
            return
        scans = await self._ask(here.case_id)
        if self._crossing() is not here:
            return
        known = {attachment.sha256 for attachment in here.evidence.attachments}
        for scan in scans:
            new = tuple(
                Attachment(kind=view.kind, sha256=view.sha256, media_type=view.media_type)
                for view in scan.views
                if view.sha256 not in known
            )
            if new:
                known |= {attachment.sha256 for attachment in new}
                self._add((self._finding(scan),), new)

    def _finding(self, scan: ScanOfCase) -> Finding:
        return Finding(
            code=SCAN,
            outcome=Outcome.REFER if self._is_referring else Outcome.INFO,
            stage=Stage.EXIT,
            role="customs",
            measured=scan.source,
            detail=f"matched by {scan.matched_by}",
        )
