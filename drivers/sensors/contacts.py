"""Radiation portals and floor mats on an I/O module. Give a portal inverted contacts (they open to alarm): a broken wire then alarms."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from drivers.modbus_io.driver import module_at
from drivers.modbus_io.interface import IoImage, IoModule, IoReport
from drivers.modbus_io.wiring import Contact, parse_contact
from drivers.sensors.interface import FloorMat, MatReading, RadiationAlarm, RadiationPortal, RadiationReading

_NS_PER_MS = 1_000_000


class ContactRadiationPortal(RadiationPortal):
    """Alarm and fault contacts. An alarm shorter than a poll is not seen: portals hold theirs for seconds (set so at the portal)."""

    def __init__(
        self,
        module: IoModule,
        *,
        gamma: Contact,
        neutron: Contact | None = None,
        fault: Contact | None = None,
        max_age_ms: int = 500,
        now_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self._module = module
        self._contacts = {RadiationAlarm.GAMMA: gamma} | ({RadiationAlarm.NEUTRON: neutron} if neutron else {})
        self._fault = fault
        self._max_age_ns = max_age_ms * _NS_PER_MS
        self._now_ns = now_ns
        self._watched_since_ns: int | None = None
        self._last_ns = 0
        self._alarmed_ns: dict[RadiationAlarm, int] = {}

    async def start(self) -> None:
        await self._module.start(self._receive)

    async def stop(self) -> None:
        await self._module.stop()
        self._watched_since_ns = None

    def read(self, since_ns: int) -> RadiationReading | None:
        watched_ns = self._watched_since_ns
        if watched_ns is None or watched_ns > since_ns or self._now_ns() - self._last_ns > self._max_age_ns:
            return None
        alarms = frozenset(alarm for alarm, at_ns in self._alarmed_ns.items() if at_ns >= since_ns)
        return RadiationReading(read_ns=self._last_ns, alarms=alarms)

    def _receive(self, report: IoReport) -> None:
        if not isinstance(report, IoImage):
            self._watched_since_ns = None
            return
        is_out_of_order = self._fault is not None and self._fault.read(report.inputs)
        # A gap is time in which an alarm may have come and gone.
        is_gap = report.asked_ns - self._last_ns > self._max_age_ns
        if is_out_of_order:
            self._watched_since_ns = None
        elif self._watched_since_ns is None or is_gap:
            self._watched_since_ns = report.asked_ns
        self._last_ns = report.asked_ns
        for alarm, contact in self._contacts.items():
            if contact.read(report.inputs):
                self._alarmed_ns[alarm] = report.asked_ns


class ContactMat(FloorMat):
    """A switching mat (ISO 13856-1): somebody or something stands on it."""

    def __init__(
        self,
        module: IoModule,
        *,
        occupied: Contact,
        max_age_ms: int = 500,
        now_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self._module = module
        self._occupied = occupied
        self._max_age_ns = max_age_ms * _NS_PER_MS
        self._now_ns = now_ns

    async def start(self) -> None:
        await self._module.start(lambda _report: None)

    async def stop(self) -> None:
        await self._module.stop()

    def read(self) -> MatReading | None:
        image = fresh_image(self._module, self._now_ns(), self._max_age_ns)
        if image is None:
            return None
        return MatReading(read_ns=image.asked_ns, is_occupied=self._occupied.read(image.inputs), mass_kg=None)


class WeighingMat(FloorMat):
    """Load cells behind an analogue input: `mass = (counts - zero) x kg_per_count`, occupied from `occupied_kg` on.

    `low` and `high` are the counts that a sound cell stays between (a 4 to 20 mA loop that is broken reads below `low`).
    """

    def __init__(
        self,
        module: IoModule,
        *,
        register: int,
        zero: int,
        kg_per_count: float,
        low: int = 0,
        high: int = 0xFFFF,
        occupied_kg: float = 8.0,
        max_age_ms: int = 500,
        now_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self._module = module
        self._register = register
        self._zero = zero
        self._kg_per_count = kg_per_count
        self._low = low
        self._high = high
        self._occupied_kg = occupied_kg
        self._max_age_ns = max_age_ms * _NS_PER_MS
        self._now_ns = now_ns

    async def start(self) -> None:
        await self._module.start(lambda _report: None)

    async def stop(self) -> None:
        await self._module.stop()

    def read(self) -> MatReading | None:
        image = fresh_image(self._module, self._now_ns(), self._max_age_ns)
        if image is None or not self._low <= image.registers[self._register] <= self._high:
            return None
        mass_kg = (image.registers[self._register] - self._zero) * self._kg_per_count
        return MatReading(
            read_ns=image.asked_ns, is_occupied=mass_kg >= self._occupied_kg, mass_kg=max(0.0, round(mass_kg, 1))
        )


def fresh_image(module: IoModule, now_ns: int, max_age_ns: int) -> IoImage | None:
    """The module's last image if it is not older than that."""
    image = module.image
    return image if image is not None and now_ns - image.asked_ns <= max_age_ns else None


def radiation_contacts(
    port: str,
    *,
    unit: int,
    gamma: int | str,
    neutron: int | str | None = None,
    fault: int | str | None = None,
    **line: Any,
) -> ContactRadiationPortal:
    """The device kind `radiation_contacts`: a portal on a module of its own. `line` as in `module_at`."""
    alarm = parse_contact("gamma", gamma)
    others = [
        None if value is None else parse_contact(name, value)
        for name, value in (("neutron", neutron), ("fault", fault))
    ]
    count = max(contact.number for contact in (alarm, *others) if contact is not None) + 1
    module = module_at(port, unit=unit, input_count=count, **line)
    return ContactRadiationPortal(module, gamma=alarm, neutron=others[0], fault=others[1])


def contact_mat(port: str, *, unit: int, occupied: int | str, **line: Any) -> ContactMat:
    """The device kind `contact_mat`."""
    contact = parse_contact("occupied", occupied)
    return ContactMat(module_at(port, unit=unit, input_count=contact.number + 1, **line), occupied=contact)


def weighing_mat(
    port: str,
    *,
    unit: int,
    register: int,
    zero: int,
    kg_per_count: float,
    low: int = 0,
    high: int = 0xFFFF,
    **line: Any,
) -> WeighingMat:
    """The device kind `weighing_mat`."""
    module = module_at(port, unit=unit, register_count=register + 1, **line)
    return WeighingMat(module, register=register, zero=zero, kg_per_count=kg_per_count, low=low, high=high)
