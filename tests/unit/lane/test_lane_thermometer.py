"""A lane's thermometer: nobody waits for one that is not there; in passing or standing still; what is kept in which mode."""

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import pytest

from gate.core.clock import ManualClock
from gate.core.evidence import Outcome
from gate.core.policy import ClearancePolicy, NotTaken, TemperatureMode, judge_temperature
from gate.lane.examination import Examination
from gate.lane.temperature import STEADY_POLLS, STILL_POLLS, Thermometry


def make(celsius: Any, hints: list[str | None] | None = None) -> Examination:
    part = cast(Any, SimpleNamespace())
    examination = Examination(
        clock=ManualClock(),
        vision=part,
        casework=part,
        guard=part,
        look_up=part,
        celsius=celsius,
        last_sensors=lambda: None,
        step=lambda _event: None,
        spawn=lambda _coroutine: None,
        writes=lambda act: act(),
        on_hint=lambda: None if hints is None else hints.append(examination.hint),
    )
    return examination


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    return waits


async def test_no_thermometer_is_no_wait(at_once: list[float]) -> None:
    assert await make(None)._temperature() is None
    assert not at_once


async def test_a_reading_is_waited_for(at_once: list[float]) -> None:
    readings = iter([None, None, 36.6])
    assert await make(lambda _since_ns: next(readings))._temperature() == 36.6


async def test_thermometer_that_measures_nobody_says_why(at_once: list[float]) -> None:
    lost = Thermometry(read=lambda _since_ns: None, why_not=lambda: "the black body is not seen")
    assert await make(lost)._temperature() == NotTaken(reason="the black body is not seen")
    nobody = Thermometry(read=lambda _since_ns: None)
    assert await make(nobody)._temperature() == NotTaken(reason="nobody was seen by the thermometer")


async def test_who_is_measured_alone_is_asked_to_hold_still_until_it_is_steady(at_once: list[float]) -> None:
    hints: list[str | None] = []
    readings = iter([None, 34.0, 35.0, 36.0, *[36.5 + 0.1 * (i % 3) for i in range(STEADY_POLLS)]])
    taken = await make(Thermometry(read=lambda _since_ns: next(readings), is_each=True), hints)._temperature()
    assert taken == pytest.approx(36.6)
    assert hints == ["hold_still", None]


async def test_reading_that_never_rests_is_not_taken(at_once: list[float]) -> None:
    readings = iter([35.0, 36.0] * STILL_POLLS)
    taken = await make(Thermometry(read=lambda _since_ns: next(readings), is_each=True))._temperature()
    assert taken == NotTaken(reason="the reading was never steady")
    assert len(at_once) == STILL_POLLS


@pytest.mark.parametrize("mode", TemperatureMode)
@pytest.mark.parametrize(
    ("celsius", "outcome"),
    [(36.5, Outcome.PASS), (38.2, Outcome.REFER), (NotTaken(reason="silent"), Outcome.NOT_CHECKED)],
)
def test_what_is_kept(mode: TemperatureMode, celsius: float | NotTaken, outcome: Outcome) -> None:
    (finding,) = judge_temperature(celsius, ClearancePolicy(face_threshold=0.4, temperature_mode=mode))
    assert finding.outcome is outcome
    is_kept = mode is not TemperatureMode.ALARM or outcome is Outcome.REFER
    assert finding.measured == (celsius if is_kept and isinstance(celsius, float) else None)
    if outcome is Outcome.NOT_CHECKED:
        assert finding.detail == "silent"
    if mode is TemperatureMode.ALARM:
        assert "36.5" not in str(finding.to_json())
