"""What somebody must see to: alarms and faults with who acknowledged them when, lanes that are gone, travellers who call."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial

from gate.console.context import Console
from gate.console.hub_supervision import Alarm
from gate.console.i18n import Words
from gate.console.lane_feed import problem_words
from gate.console.live import Freshness
from gate.console.parts import Rows, box, button, link, set_data, set_enabled, text
from gate.console.view import clock_time

_PAST_SHOWN = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmLine:
    """``kind``: ``problem``, ``offline`` or ``help``. ``seen`` says who has acknowledged it when, ``since`` when it began."""

    kind: str
    lane: str
    what: str
    since: str
    seen: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PastAlarm:
    """One that is over."""

    lane: str
    what: str
    when: str
    seen: str


def lines_of(console: Console, alarms: Iterable[Alarm], words: Words) -> tuple[AlarmLine, ...]:
    """What is wrong now. Whether a lane is in trouble is the lane's own word; who acknowledged it, the hub's."""
    lines: list[AlarmLine] = []
    open_alarms = {alarm.lane: alarm for alarm in reversed(list(alarms)) if alarm.cleared_ms is None}
    for lane in console.site.lanes:
        state = console.live.lane(lane.id).state
        freshness = console.live.freshness(lane.id)
        if freshness is Freshness.OFFLINE:
            lines.append(AlarmLine(kind="offline", lane=lane.id, what=words("alarm.offline"), since=""))
        elif state is not None and state.problem:
            alarm = open_alarms.get(lane.id)
            since = clock_time(int(state.since.timestamp() * 1000))
            what = problem_words(words, state.problem)
            lines.append(AlarmLine(kind="problem", lane=lane.id, what=what, since=since, seen=_seen(alarm, words)))
    lines += [
        AlarmLine(kind="help", lane=call.lane, what=words("alarm.help"), since=clock_time(call.at_ms))
        for call in console.help_desk.calls
    ]
    return tuple(lines)


def past_of(alarms: Iterable[Alarm], words: Words) -> tuple[PastAlarm, ...]:
    """The last ones that are over, the newest first."""
    past = [alarm for alarm in alarms if alarm.cleared_ms is not None][:_PAST_SHOWN]
    return tuple(
        PastAlarm(
            lane=alarm.lane,
            what=alarm_words(alarm, words),
            when=f"{clock_time(alarm.raised_ms)} – {clock_time(alarm.cleared_ms or alarm.raised_ms)}",
            seen=_seen(alarm, words),
        )
        for alarm in past
    )


def alarm_words(alarm: Alarm, words: Words) -> str:
    """What an alarm or a fault is about."""
    what = problem_words(words, alarm.reason)
    return f"{words.get(f'device.{alarm.device}') or alarm.device.replace('_', ' ')}: {what}" if alarm.device else what


def _seen(alarm: Alarm | None, words: Words) -> str:
    if alarm is None or alarm.acknowledged_by is None or alarm.acknowledged_ms is None:
        return ""
    return words("alarm.seen", name=alarm.acknowledged_by, time=clock_time(alarm.acknowledged_ms))


class AlarmPanel:
    """The panel at the right. ``acknowledge`` is called with the lane."""

    def __init__(
        self, console: Console, words: Words, *, acknowledge: Callable[[str], Awaitable[None]], may_command: bool
    ) -> None:
        self._console = console
        self._words = words
        self._acknowledge = acknowledge
        self._may_command = may_command
        with box("panel alarms-panel", tag="section"):
            text(words("alarm.title"), "panel-title")
            with box("alarm-scroll") as scroll:
                scroll.props["tabindex"] = "0"
                now = box("panel-body", testid="alarms")
                now.props["role"] = "log"
                self._now = Rows(now, self._draw)
                self._past = Rows(box("panel-body", testid="alarms-past"), self._draw_past)

    def show(self, alarms: Sequence[Alarm]) -> None:
        """Draw what is wrong now, and what was."""
        self._now.show(lines_of(self._console, alarms, self._words))
        self._past.show(past_of(alarms, self._words))

    def _draw(self, lines: Sequence[AlarmLine]) -> None:
        if not lines:
            text(self._words("alarm.none"), "empty")
        for line in lines:
            with box("alarm", testid=f"alarm-{line.lane}") as item:
                set_data(item, kind=line.kind, seen="yes" if line.seen else None)
                with box("alarm-words"):
                    link(self._console.lane_title(line.lane), f"/lanes/{line.lane}", "alarm-lane")
                    text(line.what, "alarm-what")
                    text(" · ".join(part for part in (line.since, line.seen) if part), "alarm-when")
                if line.kind == "problem":
                    seen = button(
                        self._words("alarm.acknowledge"),
                        partial(self._acknowledge, line.lane),
                        "btn-small",
                        testid=f"acknowledge-{line.lane}",
                    )
                    set_enabled(seen, self._may_command)
                elif line.kind == "help":
                    take = partial(self._console.help_desk.take, line.lane)
                    button(self._words("alarm.i_go"), take, "btn-small", testid=f"go-{line.lane}")

    def _draw_past(self, past: Sequence[PastAlarm]) -> None:
        if not past:
            return
        text(self._words("alarm.past"), "panel-title small")
        for alarm in past:
            with box("alarm-past"):
                text(f"{self._console.lane_title(alarm.lane)} · {alarm.what}", "alarm-what")
                text(" · ".join(part for part in (alarm.when, alarm.seen) if part), "alarm-when")
