"""The reference board in C behind the same hardware as the twin in Python: its shared library, driven through a process image.

What runs is the firmware of `drivers/lane_io/firmware/src`, compiled for this computer; only doors, beams and people are simulated.
"""

from __future__ import annotations

import ctypes
import struct
from collections.abc import Callable
from functools import cache

from drivers.lane_io import protocol as wire
from drivers.lane_io.interface import Door
from simulator.board_io import BoardConfig, BoardHal, BoardInputs, BoardOutputs, DoorOutputs
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


_INPUTS = struct.Struct("@H??H??Hh?xxxQB")
"""The inputs as they stand at the head of the image."""
_ESTOP, _FIRE = int(wire.HazardFlag.ESTOP_PRESSED), int(wire.HazardFlag.FIRE)
_POWER = int(wire.HazardFlag.POWER_FAILED)
_DRIVEN = slice(_Image.entry_motor.offset, _Image.buzzer.offset + 1)
"""Where the outputs stand in the image."""


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
    for ask in (library.tg_host_uptime_ms, library.tg_host_line_faults, library.tg_host_newest_event):
        ask.argtypes, ask.restype = (ctypes.c_void_p,), ctypes.c_uint32
    library.tg_host_event.argtypes = (ctypes.c_void_p, ctypes.c_uint8, ctypes.c_void_p)
    library.tg_host_event.restype = ctypes.c_bool
    if library.tg_host_image_bytes() != ctypes.sizeof(_Image):
        raise RuntimeError("the process image is laid out otherwise in C")
    if _INPUTS.size != _Image.hazards.offset + 1:
        raise RuntimeError("the inputs are packed otherwise than the process image has them")
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
        self._output = memoryview(self._image).cast("B")[_Image.output.offset :]
        self._driven = memoryview(self._image).cast("B")[_DRIVEN]
        self._shown: BoardInputs | None = None
        self._outputs: tuple[bytes, BoardOutputs] | None = None
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
        count = image.output_count
        if not count:
            return b""
        image.output_count = 0
        return bytes(self._output[:count])

    def _before(self) -> None:
        inputs = self._hal.read()
        if inputs is not self._shown:
            self._show(inputs)
        self._image.next_token = self._hal.draw()

    def _after(self) -> None:
        driven = bytes(self._driven)
        if self._outputs is None or self._outputs[0] != driven:
            self._outputs = (driven, self.outputs)
        self._hal.write(self._outputs[1])
        if self._library.tg_host_newest_event(self._board) != self._told_event:
            self._tell_openings()

    def _tell_openings(self) -> None:
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
        self._shown = inputs
        entry, exit_ = inputs.entry, inputs.exit
        _INPUTS.pack_into(
            self._image,
            0,
            *(entry.position_permille, entry.is_locked, entry.is_touching),
            *(exit_.position_permille, exit_.is_locked, exit_.is_touching),
            *(inputs.supply_mv, inputs.temperature_tenths_celsius, inputs.is_memory_well, inputs.beams),
            inputs.is_estop_pressed * _ESTOP | inputs.is_fire * _FIRE | inputs.is_power_failed * _POWER,
        )


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
