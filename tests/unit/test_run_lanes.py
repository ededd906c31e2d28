"""Lanes of one process: a device that is missing keeps only its own lane waiting."""

import asyncio

import pytest

from drivers.errors import DeviceError
from gate.cli.run_lanes import TRY_AGAIN_S, run_lanes


class Lane:
    def __init__(self, starts: list[str], name: str, error: Exception | None) -> None:
        self._starts = starts
        self._name = name
        self._error = error

    async def run(self) -> None:
        self._starts.append(self._name)
        if self._error is not None:
            raise self._error
        await asyncio.Event().wait()


async def test_a_lane_alone_says_what_is_wrong() -> None:
    with pytest.raises(DeviceError, match="no board"):
        await run_lanes(["a"], lambda name: Lane([], name, DeviceError("no board")))


async def test_of_several_one_without_its_device_is_tried_again_and_the_others_run() -> None:
    starts: list[str] = []
    pauses: list[float] = []
    enough = asyncio.Event()

    async def pause(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 3:
            enough.set()
            await asyncio.Event().wait()

    def build(name: str) -> Lane:
        return Lane(starts, name, DeviceError("no board") if name == "a" else None)

    task = asyncio.create_task(run_lanes(["a", "b"], build, pause=pause))
    async with asyncio.timeout(5):
        await enough.wait()
    assert (starts.count("a"), starts.count("b")) == (3, 1)
    assert pauses == [TRY_AGAIN_S] * 3
    assert not task.done()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_an_error_of_ours_ends_all() -> None:
    def build(name: str) -> Lane:
        return Lane([], name, ZeroDivisionError() if name == "a" else None)

    with pytest.raises(ExceptionGroup) as caught:
        await run_lanes(["a", "b"], build)
    assert isinstance(caught.value.exceptions[0], ZeroDivisionError)
