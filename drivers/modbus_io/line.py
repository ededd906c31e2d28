"""One question and its answer on a Modbus RTU line (Modbus over Serial Line V1.02), by pymodbus's asynchronous client.

Modbus RTU numbers nothing: an answer that comes too late looks like the answer to the next question. Every answer is therefore held
against its question (unit, function, echoed address and value, number of bits) before it is believed.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable

from pymodbus.client import AsyncModbusSerialClient
from pymodbus.exceptions import ModbusException
from pymodbus.pdu import ModbusPDU

from drivers.errors import DeviceError
from drivers.transport import open_serial

# Silence is a result here, told to whoever asked; pymodbus would print each one as an error as well.
logging.getLogger("pymodbus.logging").setLevel(logging.CRITICAL)

_READ_COILS = 1
_READ_INPUTS = 2
_READ_REGISTERS = 4
_WRITE_COIL = 5


class Unanswered(Exception):
    """No answer in time, or one that does not belong to the question. Ends one exchange; never leaves `drivers.modbus_io`."""


class RefusedByModule(Exception):
    """The module answered with an exception code (Modbus Application Protocol V1.1b3, clause 7)."""


class ModbusLine:
    """A serial port with Modbus RTU on it. One question at a time: the bus above sees to that."""

    def __init__(self, port: str, *, baud_rate: int, parity: str, stop_bits: int) -> None:
        self._port = port
        self._baud_rate = baud_rate
        self._client: AsyncModbusSerialClient | None = None
        self._parity = parity
        self._stop_bits = stop_bits

    @property
    def is_open(self) -> bool:
        return self._client is not None and self._client.connected

    async def open(self) -> None:
        """Raises `DeviceError` with what to do about a port that is missing, forbidden, busy or not serial."""
        self.close()
        # pymodbus only says that it failed: our own attempt says why.
        open_serial(self._port, self._baud_rate).close()
        client = AsyncModbusSerialClient(
            self._port,
            baudrate=self._baud_rate,
            parity=self._parity,
            stopbits=self._stop_bits,
            timeout=60.0,  # `ask` has the real one, by unit
            retries=0,
            reconnect_delay=0,
        )
        if not await client.connect():
            client.close()
            raise DeviceError(f"Serial port {self._port} cannot be opened for Modbus; check baud rate and parity.")
        self._client = client

    def close(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            client.close()

    async def read_coils(self, unit: int, count: int, timeout_s: float) -> tuple[bool, ...]:
        answer = await self._ask(self._open_client.read_coils(0, count=count, device_id=unit), _READ_COILS, timeout_s)
        return _bits(answer, count)

    async def read_inputs(self, unit: int, count: int, timeout_s: float) -> tuple[bool, ...]:
        question = self._open_client.read_discrete_inputs(0, count=count, device_id=unit)
        return _bits(await self._ask(question, _READ_INPUTS, timeout_s), count)

    async def read_registers(self, unit: int, count: int, timeout_s: float) -> tuple[int, ...]:
        question = self._open_client.read_input_registers(0, count=count, device_id=unit)
        answer = await self._ask(question, _READ_REGISTERS, timeout_s)
        if len(answer.registers) != count:
            raise Unanswered(f"{len(answer.registers)} registers came for {count}")
        return tuple(answer.registers)

    async def write_coil(self, unit: int, address: int, is_on: bool, timeout_s: float) -> None:
        question = self._open_client.write_coil(address, is_on, device_id=unit)
        answer = await self._ask(question, _WRITE_COIL, timeout_s)
        if answer.address != address or answer.bits[:1] != [is_on]:
            raise Unanswered("the echo of a write is another's")

    @property
    def _open_client(self) -> AsyncModbusSerialClient:
        if self._client is None or not self._client.connected:
            raise Unanswered(f"{self._port} is not open")
        return self._client

    async def _ask(self, question: Awaitable[ModbusPDU], function: int, timeout_s: float) -> ModbusPDU:
        try:
            async with asyncio.timeout(timeout_s):
                answer = await question
        except TimeoutError:
            raise Unanswered("no answer") from None
        except ModbusException as error:
            raise Unanswered(str(error)) from error
        if answer.function_code & 0x7F != function:
            raise Unanswered(f"function {answer.function_code} came for {function}")
        if answer.isError():
            raise RefusedByModule(f"exception {getattr(answer, 'exception_code', '?')}")
        return answer


def _bits(answer: ModbusPDU, count: int) -> tuple[bool, ...]:
    """Bits come padded to whole bytes."""
    if len(answer.bits) != (count + 7) // 8 * 8:
        raise Unanswered(f"{len(answer.bits)} bits came for {count}")
    return tuple(answer.bits[:count])
