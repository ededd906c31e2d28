"""What a reading comes to. Everything here is plain data: who read it needs no chip any more to judge it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from drivers.chip.errors import Reason


class AuthOutcome(StrEnum):
    """``NOT_SUPPORTED``: the chip does not offer it. ``NOT_CHECKED``: it does, and the reading did not get that far."""

    PASS = "pass"
    FAIL = "fail"
    NOT_SUPPORTED = "not_supported"
    NOT_CHECKED = "not_checked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Authentication:
    """Whether the chip is the one its files were made for.

    ``reason`` in words. It counts only where passive authentication holds for the file that the key came from (``key_file``).
    """

    outcome: AuthOutcome
    protocol: str
    reason: str
    key_file: str = ""


class Access(StrEnum):
    """How the chip was opened."""

    PACE = "PACE"
    BAC = "BAC"
    OPEN = "open"
    """Without any key: old chips without access control."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChipTimes:
    """Milliseconds. ``parsing_ms`` is what is neither the chip's nor cryptography's."""

    total_ms: float
    crypto_ms: float
    apdu_ms: float
    parsing_ms: float
    commands: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ChipRead:
    """A chip that was read.

    ``files`` by name ("EF.SOD", "DG1", ...): whole files with their outer tag. ``unread`` gives, for each file that is there and
    could not be read, the reason; files that the chip does not have are in neither. ``protocol`` names the PACE variant.
    """

    atr: bytes
    access: Access
    protocol: str
    files: Mapping[str, bytes] = field(repr=False)
    unread: Mapping[str, str]
    active_authentication: Authentication
    chip_authentication: Authentication
    pace_cam: Authentication
    downgrade: Authentication
    """Fails when DG14, which is signed, names a PACE that the chip did not offer at the door: somebody stands between."""
    attempts: int
    times: ChipTimes


@dataclass(frozen=True, slots=True, kw_only=True)
class ChipUnread:
    """No reading: ``reason`` for a policy, ``detail`` in words for an officer."""

    reason: Reason
    detail: str
    attempts: int
    times: ChipTimes


@dataclass(frozen=True, slots=True, kw_only=True)
class ChipProgress:
    """For the traveller: how far the reading is. ``stage`` is "connecting", "opening" or a file's name; bytes of that file."""

    stage: str
    done_bytes: int = 0
    total_bytes: int = 0
