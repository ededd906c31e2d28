"""Issuing states of Utopia and documents of theirs for the tests of this folder. Keys are made once for all tests."""

from datetime import UTC, datetime
from functools import cache

from gate.checks.emrtd.certificate import read_certificate
from gate.checks.emrtd.passive import ChipFiles, PassivePolicy, authenticate
from gate.checks.emrtd.results import Check, CheckName, CheckOutcome, PassiveAuthentication
from gate.checks.emrtd.revocation import read_revocation_list
from gate.checks.emrtd.store import TrustStore
from simulator.chip.files import make_com, make_dg1, make_dg2
from simulator.chip.keys import Algorithm, KeyPair
from simulator.chip.pki import Issuer, Signer
from simulator.chip.sod import make_sod

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
LINES = ("P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<", "L898902C36UTO7408122F2904157ZE184226B<<<<<18")
JPEG = b"\xff\xd8\xff\xe0" + bytes(range(256)) * 8
GROUPS = {1: make_dg1(LINES), 2: make_dg2(JPEG, width=413, height=531)}
COM = make_com(GROUPS)

PASS, FAIL = CheckOutcome.PASS, CheckOutcome.FAIL
NOT_CHECKED, NOT_SUPPORTED = CheckOutcome.NOT_CHECKED, CheckOutcome.NOT_SUPPORTED


P_256 = Algorithm(key="P-256")


@cache
def issuer(algorithm: Algorithm = P_256) -> Issuer:
    """A CSCA of Utopia. Its document signers are new with each call of its methods; their keys are not (see :func:`keys`)."""
    return Issuer(now=NOW, algorithm=algorithm)


@cache
def keys(algorithm: Algorithm = P_256) -> KeyPair:
    return KeyPair(algorithm)


def signer(**changes: object) -> Signer:
    return issuer().certify_signer(keys(), **changes)  # type: ignore[arg-type]


def store(*issuers: Issuer, crl: bytes | None = None) -> TrustStore:
    certificates = tuple(read_certificate(item.certificate) for item in issuers or (issuer(),))
    return TrustStore(
        certificates=certificates, revocation_lists=(read_revocation_list(crl if crl is not None else issuer().crl()),)
    )


def check(
    sod: bytes | None = None,
    *,
    groups: dict[int, bytes] | None = None,
    com: bytes | None = COM,
    trust: TrustStore | None = None,
    now: datetime = NOW,
    printed: tuple[str, ...] | None = LINES,
    policy: PassivePolicy | None = None,
) -> PassiveAuthentication:
    """Passive authentication of a document in order, but for what is given."""
    files = ChipFiles(
        sod=sod if sod is not None else make_sod(GROUPS, signer()),
        groups=GROUPS if groups is None else groups,
        com=com,
        printed_mrz=printed,
    )
    return authenticate(files, trust or store(), now, policy)


def failed(result: PassiveAuthentication) -> set[CheckName]:
    return {item.name for item in result.checks if item.outcome is FAIL}


def the(result: PassiveAuthentication, name: CheckName) -> Check:
    return next(item for item in result.checks if item.name is name)
