"""The reference board in C behind the same hardware as the twin in Python: its shared library, driven through a process image.

What runs is the firmware of `drivers/lane_io/firmware/src`, compiled for this computer; only doors, beams and people are simulated.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import cache

from drivers.lane_io import protocol as wire
from drivers.lane_io.interface import Door
from simulator.board_io import BoardConfig, BoardHal, BoardInputs, BoardOutputs, DoorInputs, DoorOutputs
from simulator.board_model import BoardHardware, OnOpening
from simulator.c_build import LIBRARY, built
from simulator.world import LaneWorld

_MAX_EVENTS = 32
_OUTPUT_BYTES = 65_536


class _Config(ctypes.Structure):
    _fields_ = (
        ("board_id", ctypes.c_uint32),
        ("watchdog_ms", ctypes.c_uint16),
        ("entry_kind", ctypes.c_uint8),
        ("exit_kind", ctypes.c_uint8),
        ("beam_count", ctypes.c_uint8),
        ("first_inside_beam", ctypes.c_uint8),
        ("last_inside_beam", ctypes.c_uint8),
        ("beam_pitch_mm", ctypes.c_uint8),
        ("curtain_settle_ms", ctypes.c_uint16),
        ("lowest_supply_mv", ctypes.c_uint16),
        ("highest_supply_mv", ctypes.c_uint16),
        ("lowest_tenths_celsius", ctypes.c_int16),
        ("highest_tenths_celsius", ctypes.c_int16),
    )


class _Door(ctypes.Structure):
    _fields_ = (
        ("position_permille", ctypes.c_uint16),
        ("is_locked", ctypes.c_bool),
        ("is_touching", ctypes.c_bool),
    )


class _Supervision(ctypes.Structure):
    _fields_ = (
        ("supply_mv", ctypes.c_uint16),
        ("tenths_celsius", ctypes.c_int16),
        ("is_memory_well", ctypes.c_bool),
    )


class _Image(ctypes.Structure):
    _fields_ = (
        ("entry", _Door),
        ("exit", _Door),
        ("supervision", _Supervision),
        ("beams", ctypes.c_uint64),
        ("hazards", ctypes.c_uint8),
        ("next_token", ctypes.c_uint32),
        ("draws", ctypes.c_uint32),
        ("entry_motor", ctypes.c_int8),
        ("exit_motor", ctypes.c_int8),
        ("is_entry_lock_driven", ctypes.c_bool),
        ("is_exit_lock_driven", ctypes.c_bool),
        ("has_light", ctypes.c_bool),
        ("lamp", ctypes.c_uint8),
        ("buzzer", ctypes.c_uint8),
        ("output_count", ctypes.c_uint32),
        ("output", ctypes.c_uint8 * _OUTPUT_BYTES),
    )


class _Event(ctypes.Structure):
    _fields_ = (
        ("sequence", ctypes.c_uint32),
        ("uptime_ms", ctypes.c_uint32),
        ("detail", ctypes.c_uint32),
        ("code", ctypes.c_uint8),
        ("door", ctypes.c_uint8),
    )


@cache
def _library() -> ctypes.CDLL:
    """Raises `DeviceError` when it cannot be built."""
    library = ctypes.CDLL(str(built(LIBRARY)))
    library.tg_host_board_bytes.restype = library.tg_host_image_bytes.restype = ctypes.c_size_t
    library.tg_host_boot.argtypes = (ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_uint32)
    library.tg_host_boot.restype = ctypes.c_bool
    library.tg_host_receive.argtypes = (ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t)
    library.tg_host_step.argtypes = (ctypes.c_void_p, ctypes.c_uint32)
    library.tg_host_uptime_ms.argtypes = library.tg_host_line_faults.argtypes = (ctypes.c_void_p,)
    library.tg_host_uptime_ms.restype = library.tg_host_line_faults.restype = ctypes.c_uint32
    library.tg_host_event.argtypes = (ctypes.c_void_p, ctypes.c_uint8, ctypes.c_void_p)
    library.tg_host_event.restype = ctypes.c_bool
    if library.tg_host_image_bytes() != ctypes.sizeof(_Image):
        raise RuntimeError("the process image is laid out otherwise in C")
    return library


class CFirmware:
    """One boot of the board in C: the same surface as `simulator.firmware.Firmware` has for its hardware.

    The board counts whole milliseconds; what is left of one is carried over.
    """

    def __init__(
        self, hal: BoardHal, config: BoardConfig, *, boot_id: int, on_opening: Callable[[Door, str], None]
    ) -> None:
        self._hal = hal
        self._on_opening = on_opening
        self._library = _library()
        self._image = _Image(has_light=True)
        self._board = ctypes.create_string_buffer(self._library.tg_host_board_bytes())
        self._left_ms = 0.0
        self._told_event = 0
        self._show(hal.read())
        fitted = _Config(**{name: int(getattr(config, name)) for name, _ in _Config._fields_})
        if not self._library.tg_host_boot(self._board, ctypes.byref(self._image), ctypes.byref(fitted), boot_id):
            raise ValueError(f"the board in C takes no such settings: {config}")

    @property
    def uptime_ms(self) -> int:
        uptime: int = self._library.tg_host_uptime_ms(self._board)
        return uptime

    @property
    def line_faults(self) -> int:
        """Pieces of the line's bytes that were no frame."""
        faults: int = self._library.tg_host_line_faults(self._board)
        return faults

    @property
    def outputs(self) -> BoardOutputs:
        image = self._image
        return BoardOutputs(
            entry=DoorOutputs(motor=image.entry_motor, is_lock_driven=image.is_entry_lock_driven),
            exit=DoorOutputs(motor=image.exit_motor, is_lock_driven=image.is_exit_lock_driven),
            has_light=image.has_light,
            lamp=wire.WireLamp(image.lamp),
            buzzer=wire.WireBuzzer(image.buzzer),
        )

    def receive(self, data: bytes) -> None:
        self._before()
        self._library.tg_host_receive(self._board, data, len(data))
        self._after()

    def step(self, dt_ms: float) -> None:
        self._left_ms += dt_ms
        whole_ms = int(self._left_ms)
        self._left_ms -= whole_ms
        self._before()
        self._library.tg_host_step(self._board, whole_ms)
        self._after()

    def take_output(self) -> bytes:
        image = self._image
        output = bytes(memoryview(image.output)[: image.output_count])
        image.output_count = 0
        return output

    def _before(self) -> None:
        self._show(self._hal.read())
        self._image.next_token = self._hal.draw()

    def _after(self) -> None:
        self._hal.write(self.outputs)
        event = _Event()
        for index in range(_MAX_EVENTS):
            if not self._library.tg_host_event(self._board, index, ctypes.byref(event)):
                break
            if event.sequence <= self._told_event:
                continue
            self._told_event = event.sequence
            if event.code == wire.EventCode.DOOR_OPENED:
                door = Door(wire.WireDoor(event.door).name.lower())
                self._on_opening(door, wire.OpeningReason(event.detail).name.lower())

    def _show(self, inputs: BoardInputs) -> None:
        image = self._image
        _show_door(image.entry, inputs.entry)
        _show_door(image.exit, inputs.exit)
        image.supervision.supply_mv = inputs.supply_mv
        image.supervision.tenths_celsius = inputs.temperature_tenths_celsius
        image.supervision.is_memory_well = inputs.is_memory_well
        image.beams = inputs.beams
        flag = wire.HazardFlag
        image.hazards = (
            inputs.is_estop_pressed * int(flag.ESTOP_PRESSED)
            | inputs.is_fire * int(flag.FIRE)
            | inputs.is_power_failed * int(flag.POWER_FAILED)
        )


def _show_door(shown: _Door, inputs: DoorInputs) -> None:
    shown.position_permille = inputs.position_permille
    shown.is_locked = inputs.is_locked
    shown.is_touching = inputs.is_touching


class CBoardModel(BoardHardware[CFirmware]):
    """The board with the firmware in C, in the same world and with the same faults as `BoardModel`."""

    def __init__(
        self,
        world: LaneWorld | None = None,
        *,
        seed: int = 1,
        config: BoardConfig | None = None,
        now_ns: Callable[[], int] | None = None,
    ) -> None:
        """Raises `DeviceError` when the board cannot be built here."""
        super().__init__(world, boot=_boot_c, config=config, seed=seed, now_ns=now_ns)


def _boot_c(hal: BoardHal, config: BoardConfig, boot_id: int, on_opening: OnOpening) -> CFirmware:
    return CFirmware(hal, config, boot_id=boot_id, on_opening=on_opening)
