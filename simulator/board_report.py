"""SENSORS as a board tells them: the flags, and whether anything has changed since the last report."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drivers.lane_io import protocol as wire

if TYPE_CHECKING:
    from simulator.firmware import Firmware

SENSORS_EVERY_MS = 90
"""The line promises 100; a scan takes 10."""
UPTIMES = 0x1_0000_0000
News = tuple[object, ...]


class Reporter:
    """Says when a report is due: at once on a change, else every `SENSORS_EVERY_MS`."""

    def __init__(self, firmware: Firmware) -> None:
        self._board = firmware
        self._sent: News | None = None
        self._sent_ms = -float(SENSORS_EVERY_MS)

    def forget(self) -> None:
        """Somebody new listens: the next report is due at once."""
        self._sent = None

    def due(self) -> wire.Sensors | None:
        """To be sent now, and then taken as sent."""
        board, news = self._board, self._news()
        if news == self._sent and board.uptime_ms - self._sent_ms < SENSORS_EVERY_MS:
            return None
        self._sent, self._sent_ms = news, board.uptime_ms
        return self.sensors()

    def _news(self) -> News:
        """All but the uptime and the temperature: one that flickers is no news and goes along with the next report."""
        board = self._board
        return (
            board.entry.position(),
            board.exit.position(),
            self._door_bits(),
            self._hazard_bits(),
            board.beams,
            board.beams_changed_ms,
            board.person_count,
            board.exit_token,
            board.shown_lamp,
            board.self_test.state,
            board.self_test.failed,
        )

    def sensors(self) -> wire.Sensors:
        board = self._board
        return wire.Sensors(
            uptime_ms=int(board.uptime_ms) % UPTIMES,
            entry=board.entry.position(),
            exit=board.exit.position(),
            doors=wire.DoorFlag(self._door_bits()),
            hazards=wire.HazardFlag(self._hazard_bits()),
            beams=board.beams,
            beams_changed_ms=board.beams_changed_ms,
            beam_count=board.config.beam_count,
            person_count=board.person_count,
            exit_token=board.exit_token,
            boot_id=board.boot_id,
            lamp=board.shown_lamp,
            temperature_tenths_celsius=board.inputs.temperature_tenths_celsius,
            self_test=board.self_test.state,
            failed=board.self_test.failed,
        )

    def _door_bits(self) -> int:
        entry, exit_ = self._board.entry, self._board.exit
        return (
            entry.is_locked * 0x01
            | exit_.is_locked * 0x02
            | entry.is_forced * 0x04
            | exit_.is_forced * 0x08
            | entry.is_jammed * 0x10
            | exit_.is_jammed * 0x20
        )

    def _hazard_bits(self) -> int:
        board = self._board
        return (
            board.is_estop_pressed * 0x01
            | board.is_fire * 0x02
            | board.is_power_failed * 0x04
            | board.is_watchdog_tripped * 0x08
            | board.is_evacuating * 0x10
            | board.is_holding * 0x20
        )
