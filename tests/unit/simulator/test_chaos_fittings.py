"""The campaign's lanes with more than board and cameras: the product's drivers over a line in memory, and a judge who finds them out."""

from typing import Any

import pytest

from drivers.modbus_io.bus import ModbusBus
from drivers.modbus_io.interface import IoImage, IoLost, IoReport
from drivers.modbus_io.module import ModbusModule
from drivers.relay.turnstile import RelayTurnstile
from gate.core.evidence import Outcome
from gate.core.policy import Admit, Clear
from simulator.chaos.chips import ChipStory, findings_of
from simulator.chaos.fitting_faults import ALL_FAULTS, FITTING_FAULTS
from simulator.chaos.fittings import UNIT, Furniture, is_fitted
from simulator.chaos.memory_modbus import MemoryModbusLine
from simulator.chaos.people import KINDS, Kind
from simulator.chaos.shift import FITTED_RATIO, play_shift
from simulator.chaos.timeloop import LoopClock, TimeLoop
from simulator.modbus_line import ModbusFault, ModbusSlave


def test_some_lanes_have_them_and_always_the_same_ones() -> None:
    fitted = [is_fitted(f"1/{number}", FITTED_RATIO) for number in range(400)]
    assert fitted == [is_fitted(f"1/{number}", FITTED_RATIO) for number in range(400)]
    assert 0.1 < sum(fitted) / len(fitted) < 0.2


def test_a_shift_of_a_fitted_lane_is_clean_and_plays_the_same_again() -> None:
    told: list[list[str]] = [[], []]
    findings = [play_shift("9/1", crossings=7, fitted_ratio=1.0, trace=lines.append) for lines in told]
    assert told[0] == told[1]
    assert findings[0].is_clean, findings[0]
    assert sum(findings[0].outcomes.values()) == 7


def test_every_fault_of_theirs_is_mended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("simulator.chaos.shift.ALL_FAULTS", FITTING_FAULTS)
    findings = play_shift("9/2", crossings=14, fitted_ratio=1.0, fault_ratio=1.0)
    assert findings.is_clean, findings
    assert len(findings.faults) > len(FITTING_FAULTS) // 3
    assert len({fault.name for fault in ALL_FAULTS}) == len(ALL_FAULTS)


def test_a_turnstile_that_lets_through_unasked_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("simulator.chaos.shift.KINDS", {Kind.HONEST: 1})
    assert Kind.HONEST in KINDS
    monkeypatch.setattr("simulator.relay_turnstile.TurnstileTwin.is_released", True)
    monkeypatch.setattr("simulator.chaos.judge.Judge.note_spent", lambda *_: None)  # a lane that spends nothing
    findings = play_shift("9/3", crossings=3, fitted_ratio=1.0, fault_ratio=0.0)
    assert any("turnstile" in line for line in findings.unauthorised)


@pytest.mark.parametrize("story", list(ChipStory))
def test_only_a_chip_that_is_genuine_is_no_obstacle(story: ChipStory) -> None:
    outcomes = {finding.outcome for finding in findings_of(story)}
    assert (outcomes <= {Outcome.PASS, Outcome.INFO}) == (story is ChipStory.GENUINE)


def test_a_lane_that_lets_a_forged_chip_go_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("simulator.chaos.shift.KINDS", {Kind.HONEST: 1})
    forged = findings_of(ChipStory.FORGED)
    monkeypatch.setattr("simulator.chaos.fittings.findings_of", lambda _story: forged)
    assert play_shift("9/4", crossings=2, fitted_ratio=1.0, fault_ratio=0.0).unauthorised == []
    monkeypatch.setattr("gate.lane.casework.decide_entry", lambda _findings, _policy: Admit())
    monkeypatch.setattr("gate.lane.casework.decide_exit", lambda _findings: Clear())
    findings = play_shift("9/4", crossings=2, fitted_ratio=1.0, fault_ratio=0.0)
    assert any("in the way" in line for line in findings.unauthorised)


def _played(script: Any) -> None:
    loop = TimeLoop()
    try:
        loop.run_until_complete(script(loop))
    finally:
        loop.close()


@pytest.mark.parametrize("fault", [ModbusFault.SILENT, ModbusFault.POWER_OFF, ModbusFault.FAILURE, ModbusFault.GARBLE])
def test_a_module_that_breaks_is_lost_and_comes_back(fault: ModbusFault) -> None:
    async def script(loop: TimeLoop) -> None:
        slave = ModbusSlave(UNIT, registers=1)
        bus = ModbusBus("memory", now_ns=LoopClock(loop).monotonic_ns, line=MemoryModbusLine(slave, loop))
        module = ModbusModule(bus, unit=UNIT, input_count=8, output_count=2, register_count=1)
        reports: list[IoReport] = []
        await module.start(reports.append)
        await _pause(loop, 1.0)
        assert kind_of(reports) is IoImage
        slave.inject(fault, 1.0)
        await _pause(loop, 2.0)
        assert kind_of(reports) is IoLost
        slave.heal(fault)
        await _pause(loop, 6.0)
        assert kind_of(reports) is IoImage
        await module.stop()

    _played(script)


def test_a_release_lets_one_through_and_no_second() -> None:
    async def script(loop: TimeLoop) -> None:
        furniture = Furniture(loop, LoopClock(loop), is_occupied=lambda: False, seed=1)
        turnstile = furniture.fittings().turnstile
        assert isinstance(turnstile, RelayTurnstile)
        events: list[Any] = []
        await turnstile.start(events.append)
        await _pause(loop, 1.0)
        assert not await furniture.walk_through()
        await turnstile.open_once("release-1")
        assert await furniture.walk_through()
        assert not await furniture.walk_through()
        assert furniture.passed_on_release == 1
        assert [type(event).__name__ for event in events] == ["TurnstileReady", "Passed"]
        await turnstile.stop()

    _played(script)


def kind_of(reports: list[IoReport]) -> type[object]:
    return type(reports[-1])


async def _pause(loop: TimeLoop, for_s: float) -> None:
    future = loop.create_future()
    loop.call_later(for_s, future.set_result, None)
    await future
