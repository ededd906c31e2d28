"""What all lanes do, for every open row of lanes: worked out once a change and language, sent to all at most eight times a second.

Not responsible for: numbers, alarms and how crossings ended, which the hub is asked for (:mod:`gate.console.overview`).
"""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from gate.console.context import Console
from gate.console.hub_supervision import LastOutcome
from gate.console.i18n import Words
from gate.console.live import LaneNews
from gate.console.view import clock_time
from gate.console.wall.element import LaneWall

MIN_INTERVAL_S = 0.12
BEAT_S = 1.0
"""A batch goes out at least so often, also an empty one: a screen that hears nothing for three seconds says that it is old."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Screen:
    wall: LaneWall
    words: Words


class LaneFeed:
    """One a console. Use on its event loop only."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._screens: dict[int, _Screen] = {}
        self._dirty: set[str] = set()
        self._outcomes: Mapping[str, LastOutcome] = {}
        self.is_beating = False  # whether there are screens to tell
        self._beating: asyncio.Task[None] | None = None
        self._flush_at: asyncio.TimerHandle | None = None
        self._flushed_s = 0.0
        console.live.lane_changed.subscribe(self._on_lane)
        console.live.link_changed.subscribe(lambda _: self._mark_all())

    def join(self, wall: LaneWall, words: Words) -> None:
        """This screen is there and follows from now on; it leaves when its page is gone."""
        self._screens[id(wall)] = _Screen(wall=wall, words=words)
        wall.client.on_delete(lambda: self._screens.pop(id(wall), None))
        wall.take(self.batch(self._lanes(), words))
        if not self.is_beating:
            self.is_beating = True
            self._beating = asyncio.get_running_loop().create_task(self._beat(), name="lane feed")

    def outcomes(self, outcomes: Mapping[str, LastOutcome]) -> None:
        """How each lane's last crossing ended, as the hub says."""
        changed = {lane for lane, outcome in outcomes.items() if self._outcomes.get(lane) != outcome}
        self._outcomes = outcomes
        self._mark(changed)

    def batch(self, lanes: Iterable[str], words: Words) -> dict[str, Any]:
        """What a row of lanes is told of these lanes, in one language."""
        return {
            "now": self._console.clock.utc_ms(),
            "link": self._console.live.is_linked,
            "lanes": [self._told(self._console.live.lane(lane), words) for lane in lanes],
        }

    def _lanes(self) -> list[str]:
        return [lane.id for lane in self._console.site.lanes]

    def _told(self, news: LaneNews, words: Words) -> dict[str, Any]:
        state = news.state
        last = self._outcomes.get(news.lane)
        silence_ms = self._console.live.silence_ms(news.lane)
        return {
            "id": news.lane,
            "online": news.status is None or news.status.is_online,
            "heard": None if silence_ms is None else self._console.clock.utc_ms() - silence_ms,
            "state": state.state if state is not None else None,
            "words": state_words(words, state.state) if state is not None else "",
            "step": state.step.value if state is not None else None,
            "lamp": state.lamp if state is not None else "off",
            "entry": state.entry if state is not None else "unknown",
            "exit": state.exit if state is not None else "unknown",
            "count": state.person_count if state is not None else None,
            "since": int(state.since.timestamp() * 1000) if state is not None else 0,
            "crossings": words.count("lanes.crossings", state.crossings) if state is not None else "",
            "problem": problem_words(words, state.problem) if state is not None and state.problem else "",
            "outcome": None
            if last is None
            else words("lanes.last", outcome=outcome_words(words, last.outcome), time=clock_time(last.closed_ms)),
        }

    def _on_lane(self, lane: str) -> None:
        self._mark((lane,))

    def _mark_all(self) -> None:
        self._mark(self._lanes())

    def _mark(self, lanes: Iterable[str]) -> None:
        self._dirty.update(lanes)
        if not self._screens or not self._dirty or self._flush_at is not None:
            return
        loop = asyncio.get_running_loop()
        wait_s = max(0.0, self._flushed_s + MIN_INTERVAL_S - loop.time())
        self._flush_at = loop.call_later(wait_s, self._flush)

    def _flush(self) -> None:
        self._flush_at = None
        self._flushed_s = asyncio.get_running_loop().time()
        dirty, self._dirty = sorted(self._dirty), set()
        made: dict[str, dict[str, Any]] = {}
        for screen in tuple(self._screens.values()):
            language = screen.words.language
            if language not in made:
                made[language] = self.batch(dirty, screen.words)
            screen.wall.take(made[language])

    async def _beat(self) -> None:
        while self._screens:
            await asyncio.sleep(BEAT_S)
            if asyncio.get_running_loop().time() - self._flushed_s >= BEAT_S:
                self._flush()
        self.is_beating = False


def state_words(words: Words, state: str) -> str:
    """A lane's state in words; a state that we do not know as it is."""
    return words.get(f"lane_state.{state}") or state.replace("_", " ")


def problem_words(words: Words, problem: str) -> str:
    """Why a lane is in alarm or fault; what a driver says in its own words stays as it is."""
    return words.get(f"problem.{problem}") or problem.replace("_", " ")


def outcome_words(words: Words, outcome: str) -> str:
    """How a crossing ended."""
    return words.get(f"outcome.{outcome}") or outcome.replace("_", " ")
