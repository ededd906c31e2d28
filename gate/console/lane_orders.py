"""Orders to lanes with the officer's own token, and what became of each in one sentence."""

from collections.abc import Callable

from nicegui import ui

from gate.console.context import Console
from gate.console.hub_client import LinkLost, Refusal
from gate.console.hub_supervision import Supervision
from gate.console.i18n import Words
from gate.console.sessions import Officer
from gate.wire.messages import Act


class Orders:
    """For one page; ``say`` gets the sentence, and whether it is a bad one."""

    def __init__(
        self, console: Console, words: Words, browser: str, *, target: str, say: Callable[[str, bool], None]
    ) -> None:
        self._console = console
        self._words = words
        self._browser = browser
        self._target = target
        self._say = say
        self.supervision = Supervision(console.hub)

    def officer(self) -> Officer | None:
        """Who is signed in; when nobody is, the way to the sign-in is begun."""
        officer = self._console.sessions.officer(self._browser)
        if officer is None:
            ui.navigate.to(f"/login?next={self._target}")
        return officer

    async def give(self, lane: str, act: Act) -> None:
        """One lane, one order."""
        officer = self.officer()
        if officer is not None:
            answer = await self._console.hub.command(officer.token, lane, act)
            self.tell(f"{self._console.lane_title(lane)}: {self._words(f'act.{act.value}')}", answer)

    async def give_all(self, act: Act) -> None:
        """All lanes at once."""
        officer = self.officer()
        if officer is not None:
            answer = await self.supervision.order_all(officer.token, act)
            self.tell(f"{self._words('order.all_lanes')}: {self._words(f'act.{act.value}')}", answer)

    def say(self, sentence: str) -> None:
        """Say something that is neither done nor refused."""
        self._say(sentence, False)

    def tell(self, what: str, answer: object) -> None:
        """Say how it went."""
        if isinstance(answer, LinkLost):
            self._say(f"{what}: {self._words('order.lost')}", True)
        elif isinstance(answer, Refusal):
            reason = self._words.get(f"refusal.{answer.kind}") or answer.detail
            self._say(f"{what}: {self._words('order.refused')} {reason}".strip(), True)
        else:
            self._say(f"{what}: {self._words('order.sent')}", False)
