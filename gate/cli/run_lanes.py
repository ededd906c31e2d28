"""Several lanes in one process, for lanes that share a serial line: a line has one user, so its lanes have one process.

A lane whose device cannot be used at its start is tried again and keeps nobody else waiting. An error of ours in one ends all of them:
the boards shut and hold, and whoever started the process starts it again.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

import structlog

from drivers.errors import DeviceError

_log = structlog.get_logger(__name__)

TRY_AGAIN_S = 10.0


class Program(Protocol):
    """One lane, put together."""

    async def run(self) -> None: ...


async def run_lanes(
    lanes: Sequence[str],
    build: Callable[[str], Program],
    *,
    pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> None:
    """Run all until cancelled. One lane alone raises DeviceError when its devices cannot be used; of several, each is tried again."""
    if len(lanes) == 1:
        await build(lanes[0]).run()
        return
    async with asyncio.TaskGroup() as group:
        for lane in lanes:
            group.create_task(_keep_running(lane, build, pause), name=f"lane {lane}")


async def _keep_running(lane: str, build: Callable[[str], Program], pause: Callable[[float], Awaitable[None]]) -> None:
    while True:
        try:
            await build(lane).run()
        except DeviceError as error:
            _log.error("lane_not_started", lane=lane, why=str(error), again_in_s=TRY_AGAIN_S)
            await pause(TRY_AGAIN_S)
