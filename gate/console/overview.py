"""What the hub says of a whole port, asked for once for all open screens: numbers, forecast, alarms, how crossings ended.

A screen joins with its browser; the question goes out with the token of an officer who is signed in at one of them. Alarms are for
those who may command lanes, so they are asked for with such an officer's token and handed to such screens only.
"""

import asyncio

from nicegui import Client, Event, background_tasks

from gate.console.context import Console
from gate.console.hub_client import LinkLost, Refusal
from gate.console.hub_supervision import Alarm, AlarmPage, Now, Supervision
from gate.console.live import LaneNews
from gate.console.sessions import Officer

EVERY_S = 5.0
SOONEST_S = 1.0


class Overview:
    """One a console. ``changed`` is emitted after every answer, also when there was none. Use on one event loop only."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._supervision = Supervision(console.hub)
        self._browsers: dict[str, str] = {}
        self._is_running = False
        self._asked = asyncio.Event()
        self._problems: dict[str, str | None] = {}
        self.changed: Event[[]] = Event()
        self.now: Now | None = None
        self.alarms: tuple[Alarm, ...] = ()
        self.is_lost = False
        console.live.case_changed.subscribe(lambda change: self.ask() if change.status == "closed" else None)
        console.live.lane_changed.subscribe(lambda lane: self._on_lane(console.live.lane(lane)))

    def join(self, client: Client, browser: str) -> None:
        """The page of that client follows until it is gone."""
        self._browsers[client.id] = browser
        client.on_delete(lambda: self._browsers.pop(client.id, None))
        self.ask()
        if not self._is_running:
            self._is_running = True
            background_tasks.create(self._run(), name="overview")

    def ask(self) -> None:
        """There is reason to ask the hub again, soon."""
        self._asked.set()

    def _on_lane(self, news: LaneNews) -> None:
        problem = news.state.problem if news.state is not None else None
        if self._problems.get(news.lane) != problem:
            self._problems[news.lane] = problem
            self.ask()

    async def _run(self) -> None:
        while self._browsers:
            self._asked.clear()
            await self._fetch()
            self.changed.emit()
            await asyncio.sleep(SOONEST_S)
            try:
                await asyncio.wait_for(self._asked.wait(), EVERY_S - SOONEST_S)
            except TimeoutError:
                continue
        self._is_running = False

    async def _fetch(self) -> None:
        officer = self._officer(is_commanding=False)
        if officer is None:
            return
        now = await self._supervision.now(officer.token)
        self.is_lost = isinstance(now, LinkLost)
        if isinstance(now, Now):
            self.now = now
        self._forget_if_over(officer, now)
        commander = self._officer(is_commanding=True)
        if commander is None:
            return
        alarms = await self._supervision.alarms(commander.token)
        self.is_lost |= isinstance(alarms, LinkLost)
        if isinstance(alarms, AlarmPage):
            self.alarms = alarms.alarms
        self._forget_if_over(commander, alarms)

    def _officer(self, *, is_commanding: bool) -> Officer | None:
        for browser in self._browsers.values():
            officer = self._console.sessions.officer(browser)
            if officer is not None and (officer.may_command_lanes or not is_commanding):
                return officer
        return None

    def _forget_if_over(self, officer: Officer, answer: object) -> None:
        """Let the next question go out with another officer's token when the hub no longer knows this one's."""
        if isinstance(answer, Refusal) and answer.is_session_over:
            for browser in set(self._browsers.values()):
                held = self._console.sessions.officer(browser)
                if held is not None and held.token == officer.token:
                    self._console.sessions.leave(browser)
