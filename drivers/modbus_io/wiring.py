"""Which terminal of an I/O module is which signal of a lane: the map that a site's configuration gives.

Inputs are terminal numbers from 0; a contact that opens to say yes (normally closed, as safety contacts are) is written with an
exclamation mark: `fire = "!5"`. A wire that breaks then reads as fire, not as peace.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Self

from drivers.errors import DeviceError

_CONTACT = re.compile(r"(!?)(\d{1,3})")
MAX_BEAMS = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    number: int
    is_inverted: bool = False

    def read(self, inputs: Sequence[bool]) -> bool:
        return inputs[self.number] is not self.is_inverted


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneInputs:
    """What the lane tells. "Closed" means the leaf is home; with a lock's own contact, shut means both."""

    entry_closed: Contact
    entry_open: Contact
    exit_closed: Contact
    exit_open: Contact
    chain: Contact
    """The safety chain is closed: watchdog relay fed, no stop, no fire, mains there, and reset since."""
    estop: Contact
    fire: Contact
    occupied: Contact
    """From the curtain's or people counter's own controller: somebody between the doors."""
    several: Contact
    """From the same: more than one."""
    entry_locked: Contact | None = None
    exit_locked: Contact | None = None
    power_failed: Contact | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneOutputs:
    """Relays. The four door relays are pulsed and their doors' operators act on the pulse's edge; the rest are levels."""

    entry_open: int
    entry_close: int
    exit_open: int
    exit_close: int
    watchdog: int
    """Turned over with every poll; feeds a retriggerable watchdog relay in the safety chain."""
    reset: int
    """Pulsed: closes the safety chain again when every cause is gone."""
    evacuate: int
    """Held: both doors open, wired past the chain."""
    red: int
    green: int
    blue: int | None = None
    buzzer: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneWiring:
    inputs: LaneInputs
    outputs: LaneOutputs
    beams: tuple[Contact, ...]
    """Light barriers from the outermost before the entry to the outermost behind the exit."""
    first_inside_beam: int
    last_inside_beam: int
    input_count: int
    output_count: int

    @classmethod
    def from_settings(
        cls,
        *,
        inputs: Mapping[str, int | str],
        outputs: Mapping[str, int],
        beams: Sequence[int | str],
        first_inside_beam: int,
        last_inside_beam: int,
    ) -> Self:
        """Raises `DeviceError` with one sentence for a map that names unknown, missing, doubled or impossible terminals."""
        contacts = _contacts(LaneInputs, inputs)
        relays = _relays(outputs)
        lights = tuple(parse_contact("beams", beam) for beam in beams)
        if not 4 <= len(lights) <= MAX_BEAMS:
            raise DeviceError(f"A Modbus lane has {len(lights)} beams; wire 4 to {MAX_BEAMS}, one outside each door.")
        if not 1 <= first_inside_beam < last_inside_beam <= len(lights) - 2:
            raise DeviceError(
                "A Modbus lane needs a beam outside each door and two between them; "
                "correct first_inside_beam and last_inside_beam."
            )
        named = {name: contact for name, contact in contacts.items() if contact is not None}
        _refuse_doubles("input", [contact.number for contact in (*named.values(), *lights)])
        _refuse_doubles("output", list(relays.values()))
        return cls(
            inputs=LaneInputs(**named),
            outputs=LaneOutputs(**relays),
            beams=lights,
            first_inside_beam=first_inside_beam,
            last_inside_beam=last_inside_beam,
            input_count=max(contact.number for contact in (*named.values(), *lights)) + 1,
            output_count=max(relays.values()) + 1,
        )

    @property
    def inside_mask(self) -> int:
        return sum(1 << beam for beam in range(self.first_inside_beam, self.last_inside_beam + 1))

    def beam_bits(self, inputs: Sequence[bool]) -> int:
        return sum(1 << i for i, beam in enumerate(self.beams) if beam.read(inputs))


def _contacts(kind: type[LaneInputs], settings: Mapping[str, int | str]) -> dict[str, Contact]:
    _check_names("input", kind, settings)
    return {name: parse_contact(name, value) for name, value in settings.items()}


def _relays(settings: Mapping[str, int]) -> dict[str, int]:
    _check_names("output", LaneOutputs, settings)
    for name, number in settings.items():
        if isinstance(number, bool) or not isinstance(number, int) or not 0 <= number <= 999:
            raise DeviceError(f"The Modbus output {name} is {number!r}; give a terminal number from 0 to 999.")
    return dict(settings)


def _check_names(what: str, kind: type[Any], settings: Mapping[str, Any]) -> None:
    known = {field.name: field for field in fields(kind)}
    unknown = sorted(set(settings) - set(known))
    if unknown:
        raise DeviceError(f"A Modbus lane has no {what} {unknown[0]!r}; choose among {', '.join(sorted(known))}.")
    optional = {name for name, field in known.items() if field.default is None}
    missing = sorted(set(known) - optional - set(settings))
    if missing:
        raise DeviceError(f"A Modbus lane needs the {what} {missing[0]!r}; say at which terminal it is wired.")


def parse_contact(name: str, value: int | str) -> Contact:
    """`5` or `"!5"`. Raises `DeviceError` for anything else."""
    found = None if isinstance(value, bool) else _CONTACT.fullmatch(str(value))
    if found is None:
        raise DeviceError(f'The Modbus input {name} is {value!r}; give a terminal number, or "!5" for one that opens.')
    return Contact(number=int(found[2]), is_inverted=bool(found[1]))


def _refuse_doubles(what: str, numbers: list[int]) -> None:
    doubled = sorted({number for number in numbers if numbers.count(number) > 1})
    if doubled:
        raise DeviceError(f"Two signals of a Modbus lane are wired to {what} {doubled[0]}; give each its own.")
