"""Read what a TensorFlow Lite file holds: one graph of float32 tensors.

The format is a FlatBuffer of TensorFlow's ``schema.fbs`` (version 3): tables whose vtable gives the offset of each field,
little-endian (FlatBuffers internals, "Tables"). A dozen fields of seven tables are needed, once, to prepare a model, so they are read
here directly and no other package is installed for it.
"""

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

_IDENTIFIER = b"TFL3"
_DTYPES: dict[int, type[np.generic]] = {0: np.float32, 2: np.int32}
"""TensorType of schema.fbs."""


class Kind(IntEnum):
    """The operators that can be read (BuiltinOperator of schema.fbs)."""

    ADD = 0
    CONV_2D = 3
    DEPTHWISE_CONV_2D = 4
    MAX_POOL_2D = 17
    RESHAPE = 22
    PAD = 34
    PRELU = 54


class Padding(StrEnum):
    """How a window meets the border."""

    SAME = "same"
    VALID = "valid"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LiteTensor:
    """``shape`` as stored, pictures as (batch, height, width, channels); ``value`` of a constant, else None."""

    name: str
    shape: tuple[int, ...]
    value: NDArray[Any] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LiteOperator:
    """``inputs`` and ``outputs`` number the graph's tensors. ``stride`` and ``window`` are rows, columns; 1, 1 where there are none."""

    kind: Kind
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    padding: Padding = Padding.VALID
    stride: tuple[int, int] = (1, 1)
    window: tuple[int, int] = (1, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class LiteGraph:
    """The one graph of a file; operators in the order in which they run."""

    tensors: tuple[LiteTensor, ...]
    operators: tuple[LiteOperator, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]


def read_tflite(data: bytes) -> LiteGraph:
    """Return the graph of a file. Raises ValueError if it is none, or has what this project's models do not have."""
    if data[4:8] != _IDENTIFIER:
        raise ValueError("not a TensorFlow Lite file: it lacks the identifier TFL3")
    try:
        model = _Table(data, _offset(data, 0))
        graphs = model.tables(2)
        if len(graphs) != 1:
            raise ValueError(f"expected one graph, found {len(graphs)}")
        codes = [max(table.int8(0), table.int32(3)) for table in model.tables(1)]
        buffers = [table.bytes(0) for table in model.tables(4)]
        return LiteGraph(
            tensors=tuple(_tensor(table, buffers) for table in graphs[0].tables(0)),
            operators=tuple(_operator(table, codes) for table in graphs[0].tables(3)),
            inputs=graphs[0].int32s(1),
            outputs=graphs[0].int32s(2),
        )
    except (struct.error, IndexError) as error:
        raise ValueError(f"the TensorFlow Lite file is cut short or damaged ({error})") from error


@dataclass(frozen=True)
class _Table:
    data: bytes
    start: int

    @cached_property
    def _fields(self) -> tuple[int, ...]:
        vtable = self.start - struct.unpack_from("<i", self.data, self.start)[0]
        size = struct.unpack_from("<H", self.data, vtable)[0]
        return struct.unpack_from(f"<{(size - 4) // 2}H", self.data, vtable + 4)

    def _place(self, field: int) -> int | None:
        offset = self._fields[field] if field < len(self._fields) else 0
        return self.start + offset if offset else None

    def _number(self, field: int, code: str, default: int) -> int:
        place = self._place(field)
        return default if place is None else int(struct.unpack_from(f"<{code}", self.data, place)[0])

    def int8(self, field: int, default: int = 0) -> int:
        return self._number(field, "b", default)

    def int32(self, field: int, default: int = 0) -> int:
        return self._number(field, "i", default)

    def uint32(self, field: int, default: int = 0) -> int:
        return self._number(field, "I", default)

    def table(self, field: int) -> "_Table | None":
        place = self._place(field)
        return None if place is None else _Table(self.data, _offset(self.data, place))

    def tables(self, field: int) -> tuple["_Table", ...]:
        start, length = self._vector(field)
        return tuple(_Table(self.data, _offset(self.data, start + 4 * i)) for i in range(length))

    def int32s(self, field: int) -> tuple[int, ...]:
        start, length = self._vector(field)
        return struct.unpack_from(f"<{length}i", self.data, start)

    def bytes(self, field: int) -> bytes:
        start, length = self._vector(field)
        if start + length > len(self.data):
            raise IndexError("a vector ends behind the file")
        return self.data[start : start + length]

    def _vector(self, field: int) -> tuple[int, int]:
        place = self._place(field)
        if place is None:
            return 0, 0
        start = _offset(self.data, place)
        return start + 4, struct.unpack_from("<I", self.data, start)[0]


def _offset(data: bytes, place: int) -> int:
    """Where the reference at ``place`` points."""
    return place + int(struct.unpack_from("<I", data, place)[0])


def _tensor(table: _Table, buffers: list[bytes]) -> LiteTensor:
    shape, kind, stored = table.int32s(0), table.int8(1), buffers[table.uint32(2)]
    name = table.bytes(3).decode()
    if kind not in _DTYPES:
        raise ValueError(f"tensor {name!r} has the type {kind} of TensorType, which is not read here")
    value = np.frombuffer(stored, np.dtype(_DTYPES[kind]).newbyteorder("<")).reshape(shape) if stored else None
    return LiteTensor(name=name, shape=shape, value=value)


def _operator(table: _Table, codes: list[int]) -> LiteOperator:
    code = codes[table.uint32(0)]
    if code not in set(Kind):
        raise ValueError(f"the operator {code} of BuiltinOperator is not read here")
    kind = Kind(code)
    options = table.table(4)
    return LiteOperator(
        kind=kind,
        inputs=table.int32s(1),
        outputs=table.int32s(2),
        **({} if options is None else _options(kind, options)),
    )


_ACTIVATION_FIELD = {Kind.CONV_2D: 3, Kind.DEPTHWISE_CONV_2D: 4, Kind.MAX_POOL_2D: 5, Kind.ADD: 0}
_DILATION_FIELDS = {Kind.CONV_2D: (4, 5), Kind.DEPTHWISE_CONV_2D: (5, 6)}


def _options(kind: Kind, options: _Table) -> Mapping[str, Any]:
    if kind in _ACTIVATION_FIELD and options.int8(_ACTIVATION_FIELD[kind]) != 0:
        raise ValueError(f"{kind.name} with an activation of its own is not read here")
    if any(options.int32(field, 1) != 1 for field in _DILATION_FIELDS.get(kind, ())):
        raise ValueError(f"{kind.name} with dilation is not read here")
    if kind is Kind.DEPTHWISE_CONV_2D and options.int32(3) != 1:
        raise ValueError("DEPTHWISE_CONV_2D with a depth multiplier is not read here")
    if kind not in {Kind.CONV_2D, Kind.DEPTHWISE_CONV_2D, Kind.MAX_POOL_2D}:
        return {}
    return {
        "padding": Padding.VALID if options.int8(0) else Padding.SAME,
        "stride": (options.int32(2), options.int32(1)),
        "window": (options.int32(4), options.int32(3)) if kind is Kind.MAX_POOL_2D else (1, 1),
    }
