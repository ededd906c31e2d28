"""Our PACE against OpenPACE's: what the standard's examples, which have one cipher and two groups, leave open.

Debian builds it without the integrated mapping, for which the examples of appendix H stand alone.
"""

from __future__ import annotations

import secrets
import time

import pytest
from libeac_chip import LibeacChip, libraries

from drivers.chip import tlv
from drivers.chip.access_key import CanKey
from drivers.chip.domain import STANDARDISED
from drivers.chip.errors import ChipFailed, Reason
from drivers.chip.link import ChipLink
from drivers.chip.pace import PaceDone, pace
from drivers.chip.security_infos import parse_security_infos
from drivers.chip.symmetric import BlockCipher
from simulator.chip.profile import PaceOption

CAN = "123456"


@pytest.fixture(autouse=True)
def _installed() -> None:
    try:
        libraries()
    except OSError:
        pytest.skip("the system package libeac3 is not installed")


def opened(option: PaceOption) -> tuple[LibeacChip, PaceDone]:
    """OpenPACE drops leading zeros of a secret in a prime group, against PKCS #3: one agreement of 256 fails by that, and is made again."""
    for _ in range(4 if option.parameter_id < 8 else 1):
        chip = LibeacChip(option, CAN)
        try:
            return chip, open_with(chip, option, CanKey(number=CAN))
        except ChipFailed as problem:
            chip.close()
            last = problem
    raise last


def open_with(chip: LibeacChip, option: PaceOption, key: CanKey) -> PaceDone:
    info = parse_security_infos(tlv.wrap(0x31, option.info)).pace[0]
    link = ChipLink(chip, now_ns=time.monotonic_ns, command_timeout_ms=1000, deadline_ns=1 << 62)
    return pace(link, info, key, secrets.token_bytes)


def assert_same_session(option: PaceOption) -> None:
    """Both sides come to the same keys: what one enciphers and signs at the first value of the counter, so does the other."""
    chip, done = opened(option)
    try:
        block = bytes(range(option.cipher.block_bytes))
        counter = (1).to_bytes(option.cipher.block_bytes)
        assert done.session._keyed.encrypt(counter, block) == chip.encrypt(block)[: option.cipher.block_bytes]
        assert done.session._keyed.mac(counter + block) == chip.authenticate(block)
    finally:
        chip.close()


@pytest.mark.parametrize("cipher", list(BlockCipher))
@pytest.mark.parametrize("parameter_id", [0, 2, 8, 12, 13, 16, 18])
def test_generic_mapping(parameter_id: int, cipher: BlockCipher) -> None:
    assert_same_session(PaceOption(parameter_id=parameter_id, cipher=cipher))


@pytest.mark.parametrize("parameter_id", STANDARDISED)
def test_generic_mapping_in_every_group(parameter_id: int) -> None:
    assert_same_session(PaceOption(parameter_id=parameter_id))


def test_a_wrong_password_is_denied_by_it_too() -> None:
    option = PaceOption()
    chip = LibeacChip(option, CAN)
    try:
        with pytest.raises(ChipFailed) as raised:
            open_with(chip, option, CanKey(number="123457"))
        assert raised.value.reason is Reason.DENIED
    finally:
        chip.close()
