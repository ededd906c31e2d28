"""A call at a kiosk is known to every console of the port, and is not lost, doubled or raised from the dead."""

import asyncio
from datetime import timedelta
from pathlib import Path

from config.loader import parse_site
from config.schema import Site
from gate.console.help_desk import HelpDesk
from gate.console.live import Live
from gate.core.clock import ManualClock
from gate.wire.identity import console_identity
from gate.wire.messages import HelpAsked, utc
from gate.wire.mosquitto import access_list
from gate.wire.topics import Channel, lane_topic


class Port:
    """Consoles that hear each other as over a broker that keeps the last word of each lane."""

    def __init__(self, clock: ManualClock) -> None:
        self._clock = clock
        self.kept: dict[str, HelpAsked | None] = {}
        self.desks: list[HelpDesk] = []

    def console(self) -> HelpDesk:
        desk = HelpDesk(self._clock, self._say)
        self.desks.append(desk)
        for lane, call in self.kept.items():
            desk.hear(lane, call)
        return desk

    def _say(self, lane: str, call: HelpAsked | None) -> None:
        self.kept[lane] = call
        for desk in self.desks:
            desk.hear(lane, call)


def test_every_console_knows_a_call_also_one_that_starts_later() -> None:
    port = Port(ManualClock())
    kiosk, officers = port.console(), port.console()
    kiosk.ask("lane-1")
    assert [call.lane for call in officers.calls] == ["lane-1"]
    assert [call.lane for call in port.console().calls] == ["lane-1"]


def test_the_kiosk_learns_that_an_officer_comes_and_forgets_it_when_the_traveller_has_gone() -> None:
    port = Port(ManualClock())
    kiosk, officers = port.console(), port.console()
    kiosk.ask("lane-1")
    assert not kiosk.is_taken("lane-1")
    officers.take("lane-1")
    assert kiosk.is_taken("lane-1")
    assert kiosk.calls == officers.calls == ()
    kiosk.done("lane-1")
    assert not officers.is_taken("lane-1")
    assert port.kept["lane-1"] is None


def test_a_call_that_nobody_took_outlives_its_traveller() -> None:
    port = Port(ManualClock())
    kiosk = port.console()
    kiosk.ask("lane-1")
    kiosk.done("lane-1")
    assert [call.lane for call in kiosk.calls] == ["lane-1"]


def test_a_console_that_was_cut_off_does_not_raise_a_taken_call_again() -> None:
    port = Port(ManualClock())
    kiosk, officers = port.console(), port.console()
    kiosk.ask("lane-1")
    port.desks.remove(kiosk)
    officers.take("lane-1")
    port.desks.append(kiosk)
    kiosk.repeat()
    assert officers.calls == ()
    officers.repeat()
    assert kiosk.is_taken("lane-1")


def test_a_later_call_counts_for_more_than_the_one_before() -> None:
    clock = ManualClock()
    desk = HelpDesk(clock)
    first = HelpAsked(at=utc(clock.utc_ms()), is_taken=True)
    desk.hear("lane-1", first)
    desk.hear("lane-1", first.model_copy(update={"is_taken": False, "at": first.at + timedelta(seconds=1)}))
    assert [call.lane for call in desk.calls] == ["lane-1"]
    desk.hear("lane-1", first)
    assert [call.lane for call in desk.calls] == ["lane-1"]


def test_a_word_that_there_is_no_call_does_not_end_one_that_nobody_took() -> None:
    desk = HelpDesk(ManualClock())
    desk.ask("lane-1")
    desk.hear("lane-1", None)
    assert [call.lane for call in desk.calls] == ["lane-1"]


def small_site() -> Site:
    camera = {"kind": "folder", "source": "x"}
    lane = {"id": "lane-1", "board": {"port": "/dev/none"}, "face_camera": camera, "document_camera": camera}
    role = {"id": "customs", "title": "Customs", "title_zh": "海关", "colour": "#3aa0ff"}
    return parse_site({"port": {"id": "quay", "title": "Quay"}, "role": [role], "lane": [lane]}, origin="test")


async def test_a_call_is_taken_from_its_topic_and_junk_is_not(tmp_path: Path) -> None:
    live = Live(small_site(), ManualClock())
    heard: list[tuple[str, HelpAsked | None]] = []
    live.help_heard.subscribe(lambda lane, call: heard.append((lane, call)))
    call = HelpAsked(at=utc(1_800_000_000_000))
    live.take(lane_topic("quay", "lane-1", Channel.HELP), call.model_dump_json().encode())
    live.take(lane_topic("quay", "lane-1", Channel.HELP), b"")
    live.take(lane_topic("quay", "lane-1", Channel.HELP), b"{")
    live.take(lane_topic("quay", "lane-7", Channel.HELP), call.model_dump_json().encode())
    await asyncio.sleep(0)
    assert heard == [("lane-1", call), ("lane-1", None)]
    assert live.rejected_count == 2


def test_only_screens_may_say_that_somebody_calls() -> None:
    rights = {part.splitlines()[0]: part for part in access_list("quay").split("\n\n") if part.strip()}
    assert "topic readwrite tongguan/v1/quay/+/help" in rights[f"user {console_identity('quay')}"]
    everybody = next(part for name, part in rights.items() if name.startswith("# Everybody"))
    assert "pattern write" in everybody
    assert "help" not in everybody
