"""Do the devices of a site fit on their serial lines? Who may share a line, and with what in common.

Lanes that share a line must run in one process (`gate run --lane a --lane b`): a serial port has one user.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from config.schema import Lane


@dataclass(frozen=True, slots=True, kw_only=True)
class _User:
    """A device on a line. ``address`` None: it wants the line for itself; ``terms`` are what all on one line must have alike."""

    port: str
    what: str
    protocol: str
    address: int | None = None
    terms: tuple[object, ...] = ()


def line_problem(lanes: Iterable["Lane"]) -> str | None:
    """The first thing that cannot be, as one sentence with its remedy; None when all fits."""
    first: dict[str, _User] = {}
    taken: dict[tuple[str, int | None], _User] = {}
    for lane in lanes:
        for user in _users(lane):
            there = first.setdefault(user.port, user)
            if there is user:
                taken[user.port, user.address] = user
                continue
            if user.address is None or there.address is None or user.protocol != there.protocol:
                both = f"{there.what} and {user.what}"
                return f"{both} use the serial port {user.port}: each board needs its own port or unit"
            if (user.port, user.address) in taken:
                other = taken[user.port, user.address].what
                return (
                    f"{other} and {user.what} have the address {user.address} on {user.port}: "
                    "each board needs its own port or unit"
                )
            taken[user.port, user.address] = user
            if user.terms != there.terms:
                return (
                    f"{there.what} and {user.what} share the serial port {user.port} at different settings: "
                    "give both the same baud_rate and parity"
                )
    return None


def _users(lane: "Lane") -> Iterator[_User]:
    where = f"of lane {lane.id}"
    board = lane.board
    if board.port and board.modbus is not None:
        terms = (board.baud_rate, board.modbus.parity)
        yield _User(
            port=board.port, what=f"the board {where}", protocol="modbus", address=board.modbus.unit, terms=terms
        )
    elif board.port:
        yield _User(port=board.port, what=f"the board {where}", protocol=board.kind)
    if lane.thermometer is not None and lane.thermometer.port:
        yield _User(port=lane.thermometer.port, what=f"the thermometer {where}", protocol="thermometer")
    for name, module in (("contacts", lane.contacts), ("turnstile", lane.turnstile)):
        if module is not None:
            terms = (module.baud_rate, module.parity)
            what = f"the {name} {where}"
            yield _User(port=module.port, what=what, protocol="modbus", address=module.unit, terms=terms)
    for reader in lane.readers:
        what = f"the reader {reader.id} {where}"
        yield _User(
            port=reader.port, what=what, protocol="osdp", address=reader.address, terms=(reader.baud_rate, None)
        )
