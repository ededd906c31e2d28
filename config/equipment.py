"""Sections of the devices that a lane or a port may have beside board and cameras: contacts, turnstile, readers, inspection machines.

Which wire each needs and what it can and cannot say is in ``docs/protocols/modbus-osdp.md``.
"""

import re
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from config.section import LOOPBACK_HOSTS, Name, Section


def _check_terminal(value: int | str) -> int | str:
    if re.fullmatch(r"!?\d{1,3}", str(value)) is None:
        raise ValueError('give a terminal number, or "!5" for a contact that opens to say yes')
    return value


Terminal = Annotated[int | str, AfterValidator(_check_terminal)]
"""An input of an I/O module, from 0."""


class ModbusModule(Section):
    """Where an I/O module is. Modules on one ``port`` share its line and must agree on speed and parity."""

    port: str = Field(min_length=1)
    unit: int = Field(ge=1, le=247)
    baud_rate: int = Field(default=19_200, ge=1_200, le=1_000_000)
    parity: Literal["N", "E", "O"] = "N"
    poll_ms: int = Field(default=50, ge=10, le=500)
    answer_timeout_ms: int = Field(default=80, ge=10, le=1_000)


class Radiation(Section):
    """Alarm contacts of a radiation portal. Give contacts that open to alarm: a broken wire then alarms."""

    gamma: Terminal
    neutron: Terminal | None = None
    fault: Terminal | None = None
    role: Name = "customs"  # who looks at an alarm


class Mat(Section):
    """A switching mat (``occupied``) or a weighing one (``register``, ``zero``, ``kg_per_count``) between the doors."""

    occupied: Terminal | None = None
    register_number: int | None = Field(default=None, ge=0, le=999)
    zero: int = Field(default=0, ge=0, le=65_535)  # counts with nothing on it
    kg_per_count: float | None = Field(default=None, gt=0, le=10)
    low: int = Field(default=0, ge=0, le=65_535)  # counts below or above are a broken cell
    high: int = Field(default=65_535, ge=0, le=65_535)
    one_person_max_kg: float = Field(default=200.0, gt=20, le=500)  # with luggage
    role: Name = "border"  # who looks when the mat disagrees with the count

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        if (self.occupied is None) == (self.register_number is None):
            raise ValueError("a mat either switches (set occupied) or weighs (set register_number): set one of them")
        if self.register_number is not None and self.kg_per_count is None:
            raise ValueError("a weighing mat needs kg_per_count, what one count of its input weighs")
        if not self.low <= self.zero <= self.high:
            raise ValueError("zero must lie between low and high, or the empty mat would count as broken")
        return self


class Contacts(ModbusModule):
    """One I/O module with the contacts that watch a lane: at least one of ``radiation``, ``mat`` and ``emergency_stop``."""

    radiation: Radiation | None = None
    mat: Mat | None = None
    emergency_stop: Terminal | None = None  # tells of a further stop button; what stops the doors is its own wiring

    @model_validator(mode="after")
    def _terminals(self) -> Self:
        used = self.terminals
        if not used and self.mat is None:
            raise ValueError("a contacts module without contacts says nothing: wire radiation, mat or emergency_stop")
        doubled = sorted({number for number in used if used.count(number) > 1})
        if doubled:
            raise ValueError(f"two contacts are wired to input {doubled[0]}: give each its own")
        return self

    @property
    def terminals(self) -> list[int]:
        """Numbers of the inputs in use."""
        radiation, mat = self.radiation, self.mat
        wired = [self.emergency_stop, None if mat is None else mat.occupied]
        if radiation is not None:
            wired += [radiation.gamma, radiation.neutron, radiation.fault]
        return [int(str(item).removeprefix("!")) for item in wired if item is not None]


class Turnstile(ModbusModule):
    """A turnstile behind the exit that has only a relay to open and a contact that somebody passed; it is no door of the lane."""

    kind: Literal["relay"] = "relay"
    relay: int = Field(ge=0, le=999)
    passage: Terminal
    counter: int | None = Field(
        default=None, ge=0, le=999
    )  # input register that counts the contact, where there is one
    pulse_ms: int = Field(default=200, ge=20, le=2_000)
    open_ms: int = Field(default=10_000, ge=500, le=60_000)  # how long it stays released, as it is set
    stuck_ms: int = Field(default=3_000, ge=200, le=30_000)


class Reader(Section):
    """A card reader with key pad, lamp and buzzer at a lane (OSDP, secure channel only). Several may share an RS-485 ``port``."""

    id: Name
    kind: Literal["osdp"] = "osdp"
    port: str = Field(min_length=1)
    address: int = Field(ge=0, le=126)
    key_file: Path  # 32 hexadecimal digits, readable by its owner alone
    baud_rate: Literal[9_600, 19_200, 38_400, 57_600, 115_200, 230_400] = 9_600


class Xray(Section):
    """Where an inspection machine's scans come in: a watched ``folder``, or an HTTP listener of the hub's process."""

    id: Name
    kind: Literal["folder", "http"]
    title: str = ""
    lane: Name | None = None  # for a machine that stands in one lane and does not say so
    folder: Path | None = None
    host: str = "127.0.0.1"
    port: int | None = Field(default=None, ge=1, le=65535)
    token_file: Path | None = None  # the machine's bearer token, readable by its owner alone
    certificate_file: Path | None = None
    key_file: Path | None = None
    max_mib: int = Field(default=64, ge=1, le=512)

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.kind == "folder":
            if self.folder is None:
                raise ValueError("an X-ray folder needs its folder, for example folder = '/srv/xray/tunnel-1'")
            if self.port is not None or self.token_file is not None:
                raise ValueError("port and token_file belong to kind = 'http': remove them or change the kind")
            return self
        if self.folder is not None:
            raise ValueError("folder belongs to kind = 'folder': remove it or change the kind")
        if self.port is None or self.token_file is None:
            raise ValueError("an X-ray listener needs its port and the machine's token_file")
        if (self.certificate_file is None) != (self.key_file is None):
            raise ValueError("certificate_file and key_file belong together: set both or none")
        if self.host not in LOOPBACK_HOSTS and self.certificate_file is None:
            raise ValueError(
                "a listener that is not on loopback needs TLS, or its token can be read on the way: "
                "set certificate_file and key_file"
            )
        return self
