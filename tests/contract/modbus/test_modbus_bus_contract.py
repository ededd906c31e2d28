"""Several modules on one line: each does what an `IoModule` does, and none waits for another's silence."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable

import pytest
import pytest_asyncio

from drivers.errors import DeviceError
from drivers.modbus_io.bus import LOST_AFTER_MISSES, ModbusBus
from drivers.modbus_io.interface import IoImage, IoLost, IoReport, IoRestarted, IoResult
from drivers.modbus_io.module import ModbusModule
from simulator.bench_bus import measure
from simulator.modbus_line import ModbusFault, ModbusSlave, PtyModbusLine, frame

BOUND_S = 8.0
UNITS = range(1, 9)
WATCHDOG = 7


async def until(condition: Callable[[], bool], what: str) -> None:
    deadline_s = time.monotonic() + BOUND_S
    while not condition():
        assert time.monotonic() < deadline_s, f"not within {BOUND_S} s: {what}"
        await asyncio.sleep(0.002)


class Rig:
    def __init__(self) -> None:
        self.slaves = {unit: ModbusSlave(unit, registers=2, pulse_ms={3: 50.0}, seed=unit) for unit in UNITS}
        self.line = PtyModbusLine(list(self.slaves.values()))
        self.bus = ModbusBus(self.line.port, baud_rate=115_200)
        self.reports: dict[int, list[IoReport]] = {unit: [] for unit in UNITS}
        self.modules = {
            unit: ModbusModule(
                self.bus,
                unit=unit,
                input_count=16,
                output_count=8,
                register_count=2,
                poll_ms=40,
                watchdog_output=WATCHDOG,
            )
            for unit in UNITS
        }

    def images(self, unit: int) -> list[IoImage]:
        return [report for report in self.reports[unit] if isinstance(report, IoImage)]

    def losses(self, unit: int) -> list[IoLost]:
        return [report for report in self.reports[unit] if isinstance(report, IoLost)]


@pytest_asyncio.fixture
async def rig() -> AsyncIterator[Rig]:
    rig = Rig()
    try:
        for unit, module in rig.modules.items():
            await module.start(rig.reports[unit].append)
        await until(lambda: all(module.image for module in rig.modules.values()), "an image of each")
        yield rig
    finally:
        for module in rig.modules.values():
            await module.stop()
        rig.line.close()


async def test_inputs_and_registers_arrive(rig: Rig) -> None:
    with rig.line.lock:
        rig.slaves[2].inputs[15] = True
        rig.slaves[2].registers[1] = 4242
    await until(lambda: rig.images(2)[-1].inputs[15] and rig.images(2)[-1].registers == (0, 4242), "what was set")
    assert not any(rig.images(1)[-1].inputs)


async def test_level_stays_and_pulse_ends(rig: Rig) -> None:
    assert await rig.modules[1].write({0: True}) is IoResult.DONE
    assert await rig.modules[1].write({1: True}, pulse_ms=60) is IoResult.DONE
    assert rig.slaves[1].coils[:2] == [True, True]
    await until(lambda: rig.slaves[1].coils[:2] == [True, False], "the end of the pulse")
    seen = len(rig.images(1))
    await until(lambda: len(rig.images(1)) > seen + 2, "more images")
    assert not any(isinstance(report, IoRestarted) for report in rig.reports[1])


async def test_monostable_relay_falls_back_without_its_host(rig: Rig) -> None:
    assert await rig.modules[1].write({3: True}, pulse_ms=60_000) is IoResult.DONE
    await rig.modules[1].stop()
    await until(lambda: not rig.slaves[1].coils[3], "the relay's own time")


async def test_check_sees_the_present_and_stops_the_write(rig: Rig) -> None:
    with rig.line.lock:
        rig.slaves[1].inputs[0] = True
    assert await rig.modules[1].write({0: True}, check=lambda image: not image.inputs[0]) is IoResult.REFUSED
    assert not rig.slaves[1].coils[0]
    assert await rig.modules[1].write({0: True}, check=lambda image: image.inputs[0]) is IoResult.DONE


async def test_what_a_module_refuses_is_refused(rig: Rig) -> None:
    assert await rig.modules[1].write({99: True}) is IoResult.REFUSED
    assert await rig.modules[1].write({0: True}) is IoResult.DONE


async def test_silent_module_neither_closes_nor_stalls_the_bus(rig: Rig) -> None:
    rig.line.inject(8, ModbusFault.SILENT)
    await until(lambda: bool(rig.losses(8)), "loss of one")
    before = {unit: len(rig.images(unit)) for unit in UNITS}
    asked, answered = rig.bus.counts.unanswered, rig.bus.counts.answered
    started_s = time.monotonic()
    assert await rig.modules[8].write({0: True}) is IoResult.NO_ANSWER
    assert time.monotonic() - started_s < 0.05, "a lost unit is not waited for"
    await until(lambda: all(len(rig.images(unit)) >= before[unit] + 20 for unit in range(1, 8)), "20 images of each")
    assert len(rig.images(8)) == before[8]
    # The others may be late on a busy computer; a unit asked in every round would have an eighth of all questions to itself at least.
    more = rig.bus.counts.answered - answered
    assert rig.bus.counts.unanswered - asked <= more // 10, "a silent unit is asked ever more seldom"
    assert (rig.bus.counts.reopened, [rig.losses(unit) for unit in range(1, 8)]) == (0, [[]] * 7)
    rig.line.heal(8, ModbusFault.SILENT)
    await until(lambda: len(rig.images(8)) > before[8], "its return")


async def test_back_off_grows_and_ends_with_the_first_answer(rig: Rig) -> None:
    rig.line.inject(8, ModbusFault.SILENT)
    await until(lambda: rig.modules[8]._unit.misses > LOST_AFTER_MISSES, "a probe")
    rests_ms = (rig.modules[8]._unit.next_ns - rig.bus.now_ns()) / 1e6
    assert 700 < rests_ms <= 1000
    rig.line.heal(8, ModbusFault.SILENT)
    seen = len(rig.images(8))
    await until(lambda: len(rig.images(8)) > seen + 3, "polls at their own rate")


async def test_restart_is_noticed_by_what_the_outputs_are(rig: Rig) -> None:
    assert await rig.modules[4].write({0: True}) is IoResult.DONE
    rig.line.inject(4, ModbusFault.REBOOT)
    await until(lambda: any(isinstance(report, IoRestarted) for report in rig.reports[4]), "the restart")
    assert not rig.slaves[4].coils[0], "nothing is set again behind the lane's back"


async def test_answer_of_another_time_is_not_believed(rig: Rig) -> None:
    """100 ms late is after the time-out: each answer meets, if anything, a later question."""
    rig.line.inject(5, ModbusFault.LATE, 100)
    await until(lambda: bool(rig.losses(5)), "loss")
    with rig.line.lock:
        rig.slaves[5].inputs[0] = True
    seen = len(rig.images(5))
    rig.line.heal(5, ModbusFault.LATE)
    await until(lambda: len(rig.images(5)) > seen, "its return")
    assert all(image.inputs[0] for image in rig.images(5)[seen:])


async def test_slow_module_is_waited_for_and_not_lost(rig: Rig) -> None:
    rig.line.inject(6, ModbusFault.LATE, 40)
    seen = len(rig.images(6))
    await until(lambda: len(rig.images(6)) > seen + 6, "slow images")
    assert rig.losses(6) == []


async def test_garbage_is_a_miss_and_never_an_image(rig: Rig) -> None:
    rig.line.inject(7, ModbusFault.GARBLE, 0.02)
    seen = len(rig.images(7))
    await until(lambda: rig.bus.counts.unanswered >= 5, "some garbage")
    assert all(not any(image.inputs) and image.registers == (0, 0) for image in rig.images(7)[seen:])
    rig.line.heal(7, ModbusFault.GARBLE)
    await until(lambda: rig.modules[7].image is not None, "its return")


async def test_noise_and_unasked_talk_raise_nothing_and_are_no_image(rig: Rig) -> None:
    raised: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: raised.append(context))
    rng = random.Random(5)
    for _ in range(150):
        body = bytes((rng.choice((1, 4, 5, 7, 15, 23, 43, 0x81, 0x82, 0x85)),)) + rng.randbytes(rng.randrange(12))
        rig.line.babble(rng.randbytes(rng.randrange(1, 40)) if rng.random() < 0.5 else frame(rng.randrange(1, 4), body))
        await asyncio.sleep(0.002)
    assert raised == []
    images = [image for unit in UNITS for image in rig.images(unit)]
    assert not any(any(image.inputs) for image in images)
    seen = {unit: len(rig.images(unit)) for unit in UNITS}
    await until(lambda: all(len(rig.images(unit)) > seen[unit] for unit in UNITS), "everybody again")


async def test_same_address_twice_is_one_clear_sentence(rig: Rig) -> None:
    with pytest.raises(DeviceError, match="unit address 3; give each its own"):
        await ModbusModule(rig.bus, unit=3, input_count=1, output_count=1).start(lambda _report: None)


async def test_dead_device_bench_measures_both() -> None:
    found = await measure(0.3, rounds=2)
    assert found.commands > 50
    assert 0 < found.alive_p50_ms <= found.alive_p99_ms
    assert found.dead_p50_ms < found.alive_p50_ms + 40, "not a time-out for each command"
