"""A relay turnstile and optional sensors, over Modbus RTU to their twins."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from typing import TypeVar

import pytest
import pytest_asyncio

from drivers.modbus_io.driver import module_at
from drivers.modbus_io.interface import IoImage, IoReport
from drivers.modbus_io.shared import SharedModule
from drivers.modbus_io.wiring import Contact
from drivers.relay import Passed, PassedUnasked, TurnstileEvent, TurnstileFault, TurnstileReady, TurnstileResult, Unused
from drivers.relay.turnstile import relay_turnstile
from drivers.sensors import RadiationAlarm
from drivers.sensors.contacts import ContactMat, ContactRadiationPortal, WeighingMat
from simulator.modbus_line import ModbusFault, ModbusSlave, PtyModbusLine
from simulator.modbus_sensors import (
    FAULT,
    GAMMA,
    HIGH,
    KG_PER_COUNT,
    LOW,
    MASS,
    MAT,
    NEUTRON,
    ZERO,
    SensorFault,
    SensorTwins,
)
from simulator.relay_turnstile import COUNTER, PASSAGE, RELAY, TurnstileTwin, TurnstileTwinFault

BOUND_S = 8.0
Kind = TypeVar("Kind", TurnstileReady, Passed, PassedUnasked, Unused, TurnstileFault)


async def until(condition: Callable[[], bool], what: str) -> None:
    deadline_s = time.monotonic() + BOUND_S
    while not condition():
        assert time.monotonic() < deadline_s, f"not within {BOUND_S} s: {what}"
        await asyncio.sleep(0.002)


class Rig:
    def __init__(self, counter: int | None) -> None:
        self.slave = ModbusSlave(2, inputs=4, coils=1, registers=1, pulse_ms={RELAY: 100.0})
        self.twin = TurnstileTwin(self.slave)
        self.line = PtyModbusLine([self.slave])
        self.events: list[TurnstileEvent] = []
        self.turnstile = relay_turnstile(
            self.line.port,
            unit=2,
            relay=RELAY,
            passage=PASSAGE,
            counter=counter,
            pulse_ms=60,
            open_ms=600,
            stuck_ms=400,
            baud_rate=115_200,
            poll_ms=20,
        )

    def all(self, kind: type[Kind]) -> list[Kind]:
        return [event for event in self.events if isinstance(event, kind)]

    def push(self) -> bool:
        with self.line.lock:
            return self.twin.push()

    async def rests(self) -> None:
        """A contact that breaks for less than a poll is not seen to break: wait until it was."""
        await until(lambda: not self.slave.inputs[PASSAGE], "the contact at rest")
        seen = self.turnstile._module.image.sequence
        await until(lambda: self.turnstile._module.image.sequence > seen + 1, "a poll of it")

    async def passes(self) -> None:
        await until(self.push, "somebody gets through")


@pytest_asyncio.fixture(params=[None, COUNTER], ids=["contact", "counter"])
async def rig(request: pytest.FixtureRequest) -> AsyncIterator[Rig]:
    rig = Rig(request.param)
    try:
        await rig.turnstile.start(rig.events.append)
        await until(lambda: bool(rig.all(TurnstileReady)), "ready")
        yield rig
    finally:
        await rig.turnstile.stop()
        rig.line.close()


async def test_one_opening_lets_one_pass(rig: Rig) -> None:
    assert not rig.push()
    assert await rig.turnstile.open_once("a") is TurnstileResult.DONE
    await rig.passes()
    await until(lambda: bool(rig.all(Passed)), "the passage")
    assert not rig.push()
    assert [event.opening for event in rig.all(Passed)] == ["a"]
    assert (rig.twin.passed, rig.all(PassedUnasked)) == (1, [])


async def test_same_opening_twice_is_one_and_another_waits(rig: Rig) -> None:
    assert await rig.turnstile.open_once("a") is TurnstileResult.DONE
    assert await rig.turnstile.open_once("a") is TurnstileResult.DONE
    assert await rig.turnstile.open_once("b") is TurnstileResult.BUSY
    assert rig.twin.openings == 1
    await rig.passes()
    await until(lambda: bool(rig.all(Passed)), "the passage")
    await rig.rests()
    assert await rig.turnstile.open_once("b") is TurnstileResult.DONE


async def test_opening_that_nobody_uses_expires(rig: Rig) -> None:
    assert await rig.turnstile.open_once("a") is TurnstileResult.DONE
    await until(lambda: bool(rig.all(Unused)), "expiry")
    # A stall of this computer is time that the twin does not see: it may still be a little behind.
    await until(lambda: not rig.twin.is_released, "the release is over")
    assert await rig.turnstile.open_once("b") is TurnstileResult.DONE


async def test_who_passes_unasked_is_told(rig: Rig) -> None:
    with rig.line.lock:
        rig.twin.force()
    await until(lambda: bool(rig.all(PassedUnasked)), "the passage")
    assert rig.all(Passed) == []


async def test_second_on_one_opening_is_told(rig: Rig) -> None:
    assert await rig.turnstile.open_once("a") is TurnstileResult.DONE
    await rig.passes()
    await until(lambda: bool(rig.all(Passed)), "the first through")
    await rig.rests()
    with rig.line.lock:
        rig.twin.force()
    await until(lambda: bool(rig.all(PassedUnasked)), "the second")


async def test_jam_is_an_opening_that_nobody_uses(rig: Rig) -> None:
    with rig.line.lock:
        rig.twin.inject(TurnstileTwinFault.JAM_ON_NEXT_MOVE)
    assert await rig.turnstile.open_once("a") is TurnstileResult.DONE
    assert not rig.push()
    await until(lambda: bool(rig.all(Unused)), "expiry")


async def test_contact_that_stays_is_a_fault_and_opens_nothing(rig: Rig) -> None:
    with rig.line.lock:
        rig.twin.inject(TurnstileTwinFault.STUCK_CONTACT)
    await until(lambda: bool(rig.all(TurnstileFault)), "the fault")
    assert await rig.turnstile.open_once("a") is TurnstileResult.REFUSED
    with rig.line.lock:
        rig.twin.heal(TurnstileTwinFault.STUCK_CONTACT)
    await until(lambda: len(rig.all(TurnstileReady)) == 2, "ready again")
    assert rig.twin.openings == 0


async def test_silence_is_a_fault_and_no_answer(rig: Rig) -> None:
    rig.line.inject(2, ModbusFault.SILENT)
    await until(lambda: bool(rig.all(TurnstileFault)), "the fault")
    assert await rig.turnstile.open_once("a") is TurnstileResult.NO_ANSWER
    rig.line.heal(2, ModbusFault.SILENT)
    await until(lambda: len(rig.all(TurnstileReady)) == 2, "ready again")
    assert await rig.turnstile.open_once("a") is TurnstileResult.DONE


async def test_passages_between_two_polls_are_counted_by_the_module() -> None:
    rig = Rig(COUNTER)
    try:
        await rig.turnstile.start(rig.events.append)
        await until(lambda: bool(rig.all(TurnstileReady)), "ready")
        with rig.line.lock:
            rig.slave.registers[COUNTER] = 0xFFFE
        await until(lambda: bool(rig.all(PassedUnasked)), "a wrapped count")
        rig.events.clear()
        with rig.line.lock:
            for _ in range(3):
                rig.twin.force()
        await until(lambda: bool(rig.all(PassedUnasked)), "three at once")
        assert sum(event.count for event in rig.all(PassedUnasked)) == 3
    finally:
        await rig.turnstile.stop()
        rig.line.close()


class SensorRig:
    def __init__(self) -> None:
        self.slave = ModbusSlave(4, inputs=8, coils=0, registers=2)
        self.twins = SensorTwins(self.slave)
        self.line = PtyModbusLine([self.slave])
        module = module_at(self.line.port, unit=4, input_count=8, register_count=2, baud_rate=115_200, poll_ms=20)
        self.shared = SharedModule(module)
        # Their bound on age is wide, since this computer may be busy; what is old is tested by silence.
        self.portal = ContactRadiationPortal(
            self.shared.port(),
            gamma=Contact(number=GAMMA, is_inverted=True),
            neutron=Contact(number=NEUTRON, is_inverted=True),
            fault=Contact(number=FAULT, is_inverted=True),
            max_age_ms=3_000,
        )
        self.mat = ContactMat(self.shared.port(), occupied=Contact(number=MAT), max_age_ms=3_000)
        self.scales = WeighingMat(
            self.shared.port(),
            register=MASS,
            zero=ZERO,
            kg_per_count=KG_PER_COUNT,
            low=LOW,
            high=HIGH,
            max_age_ms=3_000,
        )


@pytest_asyncio.fixture
async def sensors() -> AsyncIterator[SensorRig]:
    rig = SensorRig()
    devices = (rig.portal, rig.mat, rig.scales)
    try:
        for device in devices:
            await device.start()
        await until(lambda: rig.mat.read() is not None, "a first reading")
        yield rig
    finally:
        for device in devices:
            await device.stop()
        rig.line.close()


async def test_alarm_is_remembered_for_who_was_there(sensors: SensorRig) -> None:
    began_ns = time.monotonic_ns()
    await until(lambda: sensors.portal.read(began_ns) is not None, "watched since then")
    assert sensors.portal.read(began_ns).alarms == frozenset()
    sensors.twins.is_gamma = True
    await until(lambda: bool(sensors.portal.read(began_ns).alarms), "the alarm")
    sensors.twins.is_gamma = False
    await until(lambda: sensors.shared.port().image.inputs[GAMMA], "its end")
    assert sensors.portal.read(began_ns).alarms == {RadiationAlarm.GAMMA}
    later_ns = time.monotonic_ns()
    await until(lambda: sensors.shared.port().image.asked_ns > later_ns, "a later image")
    assert sensors.portal.read(later_ns).alarms == frozenset()


async def test_portal_that_was_not_watched_says_nothing(sensors: SensorRig) -> None:
    assert sensors.portal.read(0) is None
    began_ns = time.monotonic_ns()
    sensors.twins.inject(SensorFault.OUT_OF_ORDER)
    await until(lambda: sensors.portal.read(began_ns) is None, "out of order")
    sensors.twins.heal(SensorFault.OUT_OF_ORDER)
    await until(lambda: sensors.portal.read(time.monotonic_ns()) is not None, "in order again")
    assert sensors.portal.read(began_ns) is None, "nobody knows what was in between"


async def test_broken_wire_is_never_peace(sensors: SensorRig) -> None:
    sensors.twins.inject(SensorFault.BROKEN_WIRE)
    await until(lambda: sensors.portal.read(time.monotonic_ns()) is None, "no portal")
    await until(lambda: sensors.scales.read() is None, "no scales")


async def test_mats_tell_who_stands_on_them(sensors: SensorRig) -> None:
    assert not sensors.mat.read().is_occupied
    sensors.twins.mass_kg = 71.5
    await until(lambda: sensors.mat.read().is_occupied and sensors.scales.read().is_occupied, "somebody")
    assert sensors.scales.read().mass_kg == pytest.approx(71.5, abs=0.2)
    assert sensors.mat.read().mass_kg is None
    sensors.twins.mass_kg = 0.0
    sensors.twins.inject(SensorFault.DRIFT)
    await until(lambda: not sensors.mat.read().is_occupied, "nobody")
    assert not sensors.scales.read().is_occupied


async def test_silent_module_has_no_readings(sensors: SensorRig) -> None:
    began_ns = time.monotonic_ns()
    sensors.line.inject(4, ModbusFault.SILENT)
    await until(lambda: sensors.mat.read() is sensors.scales.read() is sensors.portal.read(began_ns) is None, "silence")


async def test_one_module_serves_several_until_the_last_has_gone(sensors: SensorRig) -> None:
    seen: list[IoReport] = []
    port = sensors.shared.port()
    await port.start(seen.append)
    await until(lambda: len(seen) > 2, "reports for one more")
    await port.stop()
    count = len(seen)
    image = sensors.shared.port().image
    assert isinstance(image, IoImage)
    await until(lambda: sensors.shared.port().image.sequence != image.sequence, "reports for the others")
    assert len(seen) == count
