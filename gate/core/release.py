"""The right to open the exit once.

A :class:`VerifiedRelease` can be made only by whoever holds the *seal*. The seal is handed out once in the life of a process;
``gate.wire.signing`` takes it at import, and makes a release only from a signed message that it has verified. Code that wanted
to forge one would have to take the seal first, upon which ``gate.wire.signing`` fails to import, loudly.
"""

from dataclasses import InitVar, dataclass
from typing import Final


class Seal:
    """Proof of being the one issuer of releases in this process."""

    __slots__ = ()


_seal: Final = Seal()
_takers: list[str] = []


def take_seal(taker: str) -> Seal:
    """The seal, for the first caller; RuntimeError for every other."""
    if _takers:
        raise RuntimeError(f"{taker} asked for the seal of releases, which {_takers[0]} already holds")
    _takers.append(taker)
    return _seal


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedRelease:
    """One exit opening for one stay of one person, on one evidence digest, until ``expires_utc_ms``. Spent by its first use.

    The seal is shown when it is made and not kept: a release in hand cannot be altered with ``dataclasses.replace``.
    """

    release_id: str
    lane: str
    case_id: str
    occupancy_id: str
    evidence_digest: str
    expires_utc_ms: int
    seal: InitVar[Seal]

    def __post_init__(self, seal: Seal) -> None:
        if seal is not _seal:
            raise PermissionError("a release can only be made by gate.wire.signing, out of a signed message")


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedEvacuation:
    """An officer's order to open every way out of one lane, until it is ended."""

    order_id: str
    lane: str
    seal: InitVar[Seal]

    def __post_init__(self, seal: Seal) -> None:
        if seal is not _seal:
            raise PermissionError("an evacuation order can only be made by gate.wire.signing, out of a signed message")
