"""A lane without a thermometer does not wait for one."""

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import pytest

from gate.core.clock import ManualClock
from gate.lane.examination import Examination


def make(celsius: Any) -> Examination:
    part = cast(Any, SimpleNamespace())
    return Examination(
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
        on_hint=lambda: None,
    )


async def test_no_thermometer_is_no_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    async def never(_seconds: float) -> None:
        raise AssertionError("waited for a reading that nothing takes")

    monkeypatch.setattr(asyncio, "sleep", never)
    assert await make(None)._temperature() is None


async def test_a_reading_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    readings = iter([None, None, 36.6])

    async def at_once(_seconds: float) -> None: ...

    monkeypatch.setattr(asyncio, "sleep", at_once)
    assert await make(lambda _since_ns: next(readings))._temperature() == 36.6
    await asyncio.sleep(0)
