"""A document in order passes, whatever its state signs with, its door is opened by and it proves itself with."""

from __future__ import annotations

import itertools
from datetime import timedelta
from functools import cache

import pytest
from chip_kit import NOW, ec_key, read_well, rsa_key

from drivers.chip.domain import standardised
from drivers.chip.symmetric import BlockCipher
from gate.checks.emrtd.certificate import read_certificate
from gate.checks.emrtd.results import CheckOutcome
from gate.checks.emrtd.revocation import read_revocation_list
from gate.checks.emrtd.store import TrustStore
from gate.lane.chip_inspection import inspect_chip
from simulator.chip.document import SPECIMEN_LINES, Choices, make_document, static_key
from simulator.chip.keys import Algorithm
from simulator.chip.pki import Issuer, Signer
from simulator.chip.profile import PaceOption, SigningKey, StaticKey

STATES = (
    Algorithm(key="rsa-2048", digest="sha1", is_pss=False),
    Algorithm(key="rsa-2048", digest="sha512", salt_octets=20),
    Algorithm(key="P-224", digest="sha224", is_explicit=False),
    Algorithm(key="P-384", digest="sha384"),
    Algorithm(key="brainpoolP256r1"),
    Algorithm(key="brainpoolP512r1", digest="sha512"),
)
DOORS = (
    None,
    PaceOption(parameter_id=0, cipher=BlockCipher.TDES),
    PaceOption(parameter_id=12, cipher=BlockCipher.AES_128),
    PaceOption(parameter_id=16, cipher=BlockCipher.AES_192),
    PaceOption(mapping="IM", parameter_id=13, cipher=BlockCipher.AES_256),
    PaceOption(mapping="CAM", parameter_id=18, cipher=BlockCipher.AES_256),
)
SIGNING = ((1280, "sha1"), (2048, "sha256"), ("P-256", "sha256"), ("brainpoolP512r1", "sha512"), None)
STATIC = ((12, BlockCipher.TDES), (2, BlockCipher.AES_128), (13, BlockCipher.AES_256), None)
Combination = tuple[int, int, int, int]
EVERY: tuple[Combination, ...] = tuple(
    itertools.product(range(len(STATES)), range(len(DOORS)), range(len(SIGNING)), range(len(STATIC)))
)


def pairs(combinations: tuple[Combination, ...]) -> set[tuple[tuple[int, int], ...]]:
    """Every two choices that meet in some combination."""
    return {two for item in combinations for two in itertools.combinations(enumerate(item), 2)}


def covering() -> tuple[Combination, ...]:
    """Few combinations in which every two choices meet: each time the one that brings most that did not meet yet."""
    chosen: tuple[Combination, ...] = ()
    missing = pairs(EVERY)
    brings = {item: pairs((item,)) for item in EVERY}
    while missing:
        best = max(EVERY, key=lambda item: len(brings[item] & missing))
        chosen += (best,)
        missing -= brings[best]
    return chosen


@cache
def issued(state: int) -> tuple[Issuer, Signer, TrustStore]:
    issuer = Issuer(now=NOW, algorithm=STATES[state])
    store = TrustStore(
        certificates=(read_certificate(issuer.certificate),),
        revocation_lists=(read_revocation_list(issuer.crl()),),
    )
    return issuer, issuer.document_signer(), store


@cache
def signing_key(kind: int) -> SigningKey | None:
    choice = SIGNING[kind]
    if choice is None:
        return None
    key, digest = choice
    return SigningKey(key=rsa_key(key) if isinstance(key, int) else ec_key(str(key)), digest=digest)


@cache
def chip_keys(kind: int) -> tuple[StaticKey, ...]:
    choice = STATIC[kind]
    return () if choice is None else (static_key(standardised(choice[0]), cipher=choice[1]),)


def passes(combination: Combination) -> None:
    state, door, signing, static = combination
    issuer, signer, store = issued(state)
    option = DOORS[door]
    is_mapping = option is not None and option.mapping == "CAM"
    paper = make_document(
        issuer,
        signer,
        Choices(
            pace=() if option is None else (option,),
            mapping_key=static_key(standardised(option.parameter_id)) if option is not None and is_mapping else None,
            signing_key=signing_key(signing),
            chip_keys=chip_keys(static),
            digest=STATES[state].digest,
        ),
    )
    result = read_well(paper)
    inspection = inspect_chip(result, store, NOW + timedelta(hours=1), printed_mrz=SPECIMEN_LINES)
    failed = [check for check in inspection.verdict.checks if check.outcome is CheckOutcome.FAIL]
    assert failed == [], combination
    assert inspection.is_genuine
    has_proof = SIGNING[signing] is not None or STATIC[static] is not None or is_mapping
    expected = CheckOutcome.PASS if has_proof else CheckOutcome.NOT_SUPPORTED
    assert inspection.verdict.is_no_copy is expected


def test_every_two_choices_together() -> None:
    chosen = covering()
    assert pairs(chosen) == pairs(EVERY)
    for combination in chosen:
        passes(combination)


@pytest.mark.long
@pytest.mark.parametrize("state", range(len(STATES)))
def test_every_combination(state: int) -> None:
    for combination in EVERY:
        if combination[0] == state:
            passes(combination)
