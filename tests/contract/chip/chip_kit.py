"""What the chip's tests share: issuing states and keys that are made once, readings over memory."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache

from cryptography.hazmat.primitives.asymmetric import ec, rsa

from drivers.chip.access_key import AccessKey
from drivers.chip.reader import ReadLimits, read_chip
from drivers.chip.results import ChipRead, ChipUnread
from simulator.chip.card import VirtualChip
from simulator.chip.channels import ChipFault, FaultyChannel, MemoryChannel
from simulator.chip.document import ChipDocument, Choices, make_document, make_issuer
from simulator.chip.pki import Issuer, Signer

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


@cache
def issuer() -> tuple[Issuer, Signer]:
    return make_issuer(NOW)


@cache
def rsa_key(bits: int) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, bits)


@cache
def ec_key(name: str) -> ec.EllipticCurvePrivateKey:
    curves: dict[str, ec.EllipticCurve] = {
        "P-224": ec.SECP224R1(),
        "P-256": ec.SECP256R1(),
        "P-384": ec.SECP384R1(),
        "P-521": ec.SECP521R1(),
        "brainpoolP256r1": ec.BrainpoolP256R1(),
        "brainpoolP512r1": ec.BrainpoolP512R1(),
    }
    return ec.generate_private_key(curves[name])


def document(**choices: object) -> ChipDocument:
    return make_document(*issuer(), Choices(**choices))  # type: ignore[arg-type]


@dataclass
class Clock:
    """Monotonic, moves when told, a little with every look: a reading takes time."""

    ns: int = 0

    def now_ns(self) -> int:
        self.ns += 1000
        return self.ns

    def pass_ms(self, count: int) -> None:
        self.ns += count * 1_000_000


def read(
    paper: ChipDocument,
    *,
    key: AccessKey | None = None,
    limits: ReadLimits | None = None,
    faults: dict[int, ChipFault] | None = None,
) -> tuple[ChipRead | ChipUnread, FaultyChannel, Clock]:
    """Over memory, with these faults at these commands, in simulated time."""
    clock = Clock()
    channel = FaultyChannel(MemoryChannel(VirtualChip(paper.profile)), faults or {}, pass_ms=clock.pass_ms)
    result = read_chip(channel, key or paper.profile.mrz, limits=limits, now_ns=clock.now_ns)
    return result, channel, clock


def read_well(paper: ChipDocument, key: AccessKey | None = None) -> ChipRead:
    """A reading that must succeed at once, with every file as the chip holds it."""
    result, _, _ = read(paper, key=key)
    assert isinstance(result, ChipRead), result
    assert result.attempts == 1
    assert dict(result.unread) == {}
    for name, identifier in (("EF.COM", 0x011E), ("EF.SOD", 0x011D), ("DG1", 0x0101), ("DG2", 0x0102)):
        assert result.files[name] == paper.profile.files[identifier], name
    return result
