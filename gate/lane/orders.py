"""What a verified command means for the lane: an event for the machine, after what the board and the guard must hear first."""

import asyncio
import contextlib
import sqlite3
from collections.abc import Callable, Coroutine
from typing import assert_never

import structlog

from drivers.lane_io.interface import CommandResult, LaneIo
from gate.core import events as on
from gate.core.events import Event
from gate.core.guard import Guard
from gate.core.release import VerifiedRelease
from gate.lane.casework import Casework
from gate.lane.store import LaneStore
from gate.wire.messages import Act
from gate.wire.signing import VerifiedCommand

_log = structlog.get_logger(__name__)

ACKNOWLEDGE_WAIT_S = 0.5


class Orders:
    """Obeys on the lane's event loop. ``faults`` are the machine's at the moment of asking."""

    def __init__(
        self,
        *,
        board: LaneIo,
        guard: Guard,
        casework: Casework,
        store: LaneStore,
        step: Callable[[Event], None],
        post: Callable[[Event], None],
        spawn: Callable[[Coroutine[None, None, None]], None],
        writes: Callable[[Callable[[], None]], None],
        faults: Callable[[], frozenset[str]],
    ) -> None:
        self._board = board
        self._guard = guard
        self._casework = casework
        self._store = store
        self._step = step
        self._post = post
        self._spawn = spawn
        self._writes = writes
        self._faults = faults
        self._faults_changed = asyncio.Event()

    def faults_changed(self) -> None:
        """The machine's faults are others than before."""
        self._faults_changed.set()

    def obey(self, verified: VerifiedCommand) -> None:
        """Do what a command that was taken says."""
        command = verified.command
        match command.act:
            case Act.RELEASE | Act.FORCE_OPEN:
                if verified.release is not None:
                    self._release(verified.release)
            case Act.SEND_BACK:
                self._step(on.SentBack(by=command.by))
            case Act.ACKNOWLEDGE:
                self._spawn(self._acknowledge(command.by))
            case Act.TAKE_OUT_OF_SERVICE:
                self._step(on.TakenOutOfService(by=command.by))
            case Act.PUT_IN_SERVICE:
                self._step(on.PutInService(by=command.by))
            case Act.EVACUATE:
                if verified.evacuation is not None:
                    self._guard.order_evacuation(verified.evacuation)
                    self._step(on.EvacuationOrdered(by=command.by))
            case Act.END_EVACUATION:
                self._step(on.EvacuationEnded(by=command.by))
            case _:
                assert_never(command.act)
        row = {"act": command.act.value, "by": command.by, "jti": command.jti}
        if command.also_by is not None:
            row["also_by"] = command.also_by
        self._writes(lambda: self._store.journal([("command", row)]))

    def _release(self, release: VerifiedRelease) -> None:
        """Since it was taken, new evidence may have come: then it releases something else than what is known now."""
        objection = self._casework.objection_to(release)
        if objection is None:
            self._step(on.ReleaseVerified(release=release))
        else:
            _log.warning("release_void", reason=objection)
            self._writes(lambda: self._casework.report_veto("exit", objection))

    async def _acknowledge(self, by: str) -> None:
        """Clear what the board latched first; its next report tells whether the cause is gone, then the machine may go on."""
        if "store" in self._faults() and self._is_store_well():
            self._post(on.DeviceRecovered(device="store"))
        if await self._board.acknowledge_fault() is CommandResult.DONE:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(ACKNOWLEDGE_WAIT_S):
                    while "board" in self._faults():
                        self._faults_changed.clear()
                        await self._faults_changed.wait()
        self._post(on.Acknowledged(by=by))

    def _is_store_well(self) -> bool:
        try:
            self._store.check()
        except sqlite3.Error as error:
            _log.error("store_still_failed", error=str(error))
            return False
        return True
