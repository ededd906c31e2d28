"""What a lane does with its witnesses, its turnstile, a further stop and its card readers: findings, faults, lamps, records."""

import asyncio
import json
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from lane_kit import Rig, running_lane, until

from drivers.errors import DeviceError
from drivers.osdp import (
    AccessReader,
    CardFormat,
    CardRead,
    KeysPressed,
    ReaderColour,
    ReaderEvent,
    ReaderLost,
    ReaderResult,
    ReaderSound,
    ReaderUp,
)
from drivers.relay import PassedUnasked, Turnstile, TurnstileEvent, TurnstileFault, TurnstileReady, TurnstileResult
from drivers.sensors import (
    FloorMat,
    MatReading,
    RadiationAlarm,
    RadiationPortal,
    RadiationReading,
    StopContact,
    StopState,
)
from gate.core.clock import ManualClock
from gate.core.evidence import Outcome
from gate.core.state import State
from gate.core.witness_findings import MatFacts, judge_mat, judge_radiation
from gate.lane import barrier, witnesses
from gate.lane.equipment import Equipment, Fittings
from gate.lane.witnesses import WitnessRoles
from gate.wire.messages import Act


class Portal(RadiationPortal):
    """Watched since it was made, unless :attr:`is_heard` says otherwise."""

    def __init__(self) -> None:
        self.alarms: frozenset[RadiationAlarm] = frozenset()
        self.is_heard = True

    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    def read(self, since_ns: int) -> RadiationReading | None:
        return RadiationReading(read_ns=since_ns, alarms=self.alarms) if self.is_heard else None


class Mat(FloorMat):
    def __init__(self, is_occupied: bool | None, mass_kg: float | None = None) -> None:
        self.is_occupied = is_occupied
        self.mass_kg = mass_kg

    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    def read(self) -> MatReading | None:
        if self.is_occupied is None:
            return None
        return MatReading(read_ns=0, is_occupied=self.is_occupied, mass_kg=self.mass_kg)


class Rotor(Turnstile):
    def __init__(self) -> None:
        self.opened: list[str] = []
        self.result = TurnstileResult.DONE
        self.tell: Callable[[TurnstileEvent], None] = lambda _event: None
        self.is_dumb = False

    async def start(self, on_event: Callable[[TurnstileEvent], None]) -> None:
        self.tell = on_event
        if not self.is_dumb:
            on_event(TurnstileReady(at_ns=0))

    async def stop(self) -> None: ...

    async def open_once(self, opening: str) -> TurnstileResult:
        self.opened.append(opening)
        return self.result


class Button(StopContact):
    def __init__(self) -> None:
        self.tell: Callable[[StopState], None] = lambda _state: None

    async def start(self, on_change: Callable[[StopState], None]) -> None:
        self.tell = on_change
        on_change(StopState(is_pressed=False))

    async def stop(self) -> None: ...


class Card(AccessReader):
    def __init__(self) -> None:
        self.shown: list[tuple[ReaderColour, bool]] = []
        self.beeps = 0
        self.tell: Callable[[ReaderEvent], None] = lambda _event: None

    async def start(self, on_event: Callable[[ReaderEvent], None]) -> None:
        self.tell = on_event
        on_event(ReaderUp(at_ns=0, address=5))

    async def stop(self) -> None: ...

    @property
    def is_up(self) -> bool:
        return True

    async def show(self, colour: ReaderColour, *, is_blinking: bool = False) -> ReaderResult:
        self.shown.append((colour, is_blinking))
        return ReaderResult.DONE

    async def sound(self, _sound: ReaderSound) -> ReaderResult:
        self.beeps += 1
        return ReaderResult.DONE


def said(rig: Rig, code: str) -> dict[str, Any]:
    """The newest finding of that code."""
    for event in reversed(rig.events("evidence.recorded")):
        for finding in reversed(event["evidence"]["findings"]):
            if finding["code"] == code:
                return dict(finding)
    raise AssertionError(f"no finding {code}")


def faults(rig: Rig, device: str) -> list[str]:
    return [event["reason"] for event in rig.events("fault.raised") if event["device"] == device]


# -- what is judged --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("alarms", "outcome"),
    [(frozenset(), Outcome.PASS), (frozenset({"gamma"}), Outcome.REFER), (None, Outcome.NOT_CHECKED)],
)
def test_a_portal_passes_only_what_it_watched(alarms: frozenset[str] | None, outcome: Outcome) -> None:
    finding = judge_radiation(alarms, role="customs")
    assert (finding.outcome, finding.role) == (outcome, "customs")


@pytest.mark.parametrize(
    ("facts", "count", "outcome"),
    [
        (MatFacts(is_occupied=True), 1, Outcome.PASS),
        (MatFacts(is_occupied=True, mass_kg=200.0), 1, Outcome.PASS),
        (MatFacts(is_occupied=True, mass_kg=200.1), 1, Outcome.REFER),
        (MatFacts(is_occupied=False), 1, Outcome.REFER),
        (MatFacts(is_occupied=True), 2, Outcome.REFER),
        (MatFacts(is_occupied=True), None, Outcome.REFER),
        (MatFacts(is_occupied=True, mass_kg=float("nan")), 1, Outcome.NOT_CHECKED),
        (None, 1, Outcome.NOT_CHECKED),
    ],
)
def test_a_mat_that_disagrees_with_the_count_refers(
    facts: MatFacts | None, count: int | None, outcome: Outcome
) -> None:
    assert judge_mat(facts, person_count=count, one_person_max_kg=200.0, role="border").outcome is outcome


# -- in a lane -------------------------------------------------------------------------------------------------------------


async def test_witnesses_that_find_nothing_let_go_and_the_turnstile_lets_one_through(tmp_path: Path) -> None:
    rotor, card = Rotor(), Card()
    fittings = Fittings(
        portal=Portal(), mat=Mat(True, 82.0), turnstile=rotor, readers={"desk": card}, emergency_stop=Button()
    )
    fittings.mat.is_occupied = False  # type: ignore[union-attr]
    async with running_lane(tmp_path, fittings=fittings) as rig:
        walker = await rig.walk_in()
        fittings.mat.is_occupied = True  # type: ignore[union-attr]
        await rig.reaches(State.CLEARED)
        assert said(rig, "cargo.radiation")["outcome"] == said(rig, "occupancy.mat")["outcome"] == "pass"
        await until(lambda: len(rotor.opened) == 1, "the turnstile is let go")
        assert rotor.opened == [event["release_id"] for event in rig.events("release.spent")]
        rig.go(walker, 3300.0)
        await until(lambda: (ReaderColour.GREEN, False) in card.shown, "the lamp follows")


async def test_an_alarm_refers_to_its_role(tmp_path: Path) -> None:
    portal = Portal()
    roles = WitnessRoles(radiation="security")
    async with running_lane(tmp_path, fittings=Fittings(portal=portal, roles=roles)) as rig:
        await rig.walk_in()
        portal.alarms = frozenset({RadiationAlarm.NEUTRON})
        await rig.reaches(State.REFERRED)
        assert rig.events("crossing.decided")[0]["roles"] == ["security"]
        assert said(rig, "cargo.radiation")["measured"] == "neutron"


async def test_an_alarm_after_the_decision_reopens_it(tmp_path: Path) -> None:
    portal = Portal()
    async with running_lane(tmp_path, mode="joint", fittings=Fittings(portal=portal)) as rig:
        await rig.walk_in()
        await rig.reaches(State.OCCUPIED)
        await until(lambda: bool(rig.events("crossing.decided")), "the decision")
        release = rig.release_command()
        portal.alarms = frozenset({RadiationAlarm.GAMMA})
        await until(lambda: len(rig.events("crossing.decided")) > 1, "another decision")
        checked = rig.verifier.verify(release)
        assert rig.runtime.consider(checked) == "other_evidence"  # type: ignore[arg-type]
        assert rig.events("crossing.decided")[-1]["decision"] == "refer"
        await rig.reaches(State.REFERRED)


async def test_silent_witnesses_refer_and_are_reported_but_the_lane_stays_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(witnesses, "SILENT_NS", 50_000_000)
    portal, mat = Portal(), Mat(None)
    portal.is_heard = False
    async with running_lane(tmp_path, fittings=Fittings(portal=portal, mat=mat)) as rig:
        await until(lambda: bool(faults(rig, "floor_mat")), "the loss is told")
        assert len(faults(rig, "radiation_portal")) == 1
        await rig.walk_in()
        await rig.reaches(State.REFERRED)
        assert said(rig, "cargo.radiation")["outcome"] == said(rig, "occupancy.mat")["outcome"] == "not_checked"
        portal.is_heard = True
        await until(lambda: bool(rig.events("fault.cleared")), "its return is told")
        assert rig.events("fault.cleared")[0]["by"] == "radiation_portal"


async def test_somebody_on_the_mat_of_an_empty_lane_is_an_alarm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(witnesses, "STANDS_NS", 50_000_000)
    mat = Mat(False)
    async with running_lane(tmp_path, fittings=Fittings(mat=mat)) as rig:
        await rig.reaches(State.READY)
        mat.is_occupied = True
        await rig.reaches(State.ALARM)


async def test_a_turnstile_that_does_not_open_or_is_passed_unasked_shuts_the_lane_until_somebody_looks(
    tmp_path: Path,
) -> None:
    rotor = Rotor()
    async with running_lane(tmp_path, fittings=Fittings(turnstile=rotor)) as rig:
        await rig.reaches(State.READY)
        rotor.tell(PassedUnasked(at_ns=time.monotonic_ns(), count=1))
        await rig.reaches(State.FAULT)
        assert faults(rig, "turnstile") == ["1 passed unasked"]
        rig.order(Act.ACKNOWLEDGE)
        await rig.reaches(State.READY)
        rotor.tell(TurnstileFault(at_ns=0, reason="silent"))
        await rig.reaches(State.FAULT)
        rig.order(Act.ACKNOWLEDGE)
        await rig.is_settled()
        assert rig.name is State.FAULT, "the device is still out"
        rotor.tell(TurnstileReady(at_ns=0))
        await rig.is_settled()
        rig.order(Act.ACKNOWLEDGE)
        await rig.reaches(State.READY)


async def test_a_turnstile_that_never_answers_keeps_the_lane_shut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(barrier, "FIRST_WORD_S", 0.02)
    rotor = Rotor()
    rotor.is_dumb = True
    async with running_lane(tmp_path, fittings=Fittings(turnstile=rotor)) as rig:
        await rig.reaches(State.FAULT)
        assert faults(rig, "turnstile") == ["does not answer"]


async def test_a_further_stop_pressed_or_unknown_shuts_the_lane(tmp_path: Path) -> None:
    button = Button()
    async with running_lane(tmp_path, fittings=Fittings(emergency_stop=button)) as rig:
        await rig.reaches(State.READY)
        button.tell(StopState(is_pressed=True))
        await rig.reaches(State.FAULT)
        button.tell(StopState(is_pressed=None, reason="no answer"))
        await until(lambda: len(faults(rig, "emergency_stop_2")) >= 1, "the fault is told")
        button.tell(StopState(is_pressed=False))
        await rig.is_settled()
        rig.order(Act.ACKNOWLEDGE)
        await rig.reaches(State.READY)


async def test_a_card_is_told_by_the_digest_of_a_record_and_keys_not_at_all(tmp_path: Path) -> None:
    card = Card()
    async with running_lane(tmp_path, fittings=Fittings(readers={"desk": card})) as rig:
        await rig.reaches(State.READY)
        card.tell(KeysPressed(at_ns=0, address=5, keys="4711#"))
        read = CardRead(
            at_ns=0, address=5, format=CardFormat.WIEGAND, bit_count=26, data=bytes((0xA5, 0x5A, 0x12, 0x40))
        )
        card.tell(read)
        card.tell(read)
        await until(lambda: card.beeps == 2, "it sounds")
        shown = rig.events("card.shown")
        assert [event["reader"] for event in shown] == ["desk", "desk"]
        assert shown[0]["record"] != shown[1]["record"], "the same card must not be told by what travels"
        kept = {picture.sha256: json.loads(picture.data) for picture in rig.store.waiting_pictures()}
        assert kept[shown[0]["record"]]["card"] == "a55a1240"
        everything = "".join(row.body for row in rig.rows) + str(rig.store.journal_tail())
        assert "a55a1240" not in everything
        assert "4711" not in everything + str(kept)
        card.tell(ReaderLost(at_ns=0, address=5, reason="no answer"))
        card.tell(ReaderLost(at_ns=0, address=5, reason="no answer"))
        assert faults(rig, "reader:desk") == ["no answer"]
        assert rig.name is State.READY, "a reader is no reason to shut a lane"
        await asyncio.sleep(0)


async def test_a_reader_that_cannot_be_opened_leaves_nothing_open() -> None:
    class Broken(Card):
        async def start(self, on_event: Callable[[ReaderEvent], None]) -> None:
            raise DeviceError("The OSDP key file x cannot be read; put the reader's key there.")

    class Counted(Card):
        stops = 0

        async def stop(self) -> None:
            self.stops += 1

    good = Counted()
    parts: Any = SimpleNamespace(put=lambda _event: None, ended=lambda _task: None, crossing=None)
    equipment = Equipment(
        Fittings(readers={"good": good, "broken": Broken()}),
        runtime=parts,
        casework=parts,
        store=parts,
        clock=ManualClock(),
        lane="a",
    )
    with pytest.raises(DeviceError, match="key file"):
        await equipment.start()
    await equipment.stop()
    assert good.stops == 1


async def test_a_stuck_exposure_is_told_to_officers_and_shuts_nothing() -> None:
    said: list[tuple[str, str]] = []

    def report(kind: Any, data: Any) -> None:
        said.append((kind.value, getattr(data, "device", None) or data.by))

    parts: Any = SimpleNamespace(put=None, ended=lambda _task: None, crossing=None, report=report)
    equipment = Equipment(Fittings(), runtime=parts, casework=parts, store=parts, clock=ManualClock(), lane="a")
    equipment.tell("face_camera_exposure", "too early to be told")
    await equipment.start()
    await asyncio.to_thread(equipment.tell, "face_camera_exposure", "stuck")
    await asyncio.to_thread(equipment.tell, "face_camera_exposure", None)
    await until(lambda: len(said) == 2, "both are recorded")
    assert said == [
        ("tongguan.fault.raised", "face_camera_exposure"),
        ("tongguan.fault.cleared", "face_camera_exposure"),
    ]
    await equipment.stop()
