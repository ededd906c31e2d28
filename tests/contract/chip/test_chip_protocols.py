"""A chip that is in order, with every protocol, mapping, cipher and group: read whole, and proven to be no copy."""

from __future__ import annotations

import pytest
from chip_kit import document, ec_key, read, read_well, rsa_key

from drivers.chip.access_key import CanKey
from drivers.chip.domain import STANDARDISED, standardised
from drivers.chip.errors import Reason
from drivers.chip.reader import ReadLimits
from drivers.chip.results import Access, AuthOutcome, ChipRead, ChipUnread
from drivers.chip.symmetric import BlockCipher
from simulator.chip.document import static_key
from simulator.chip.profile import PaceOption, SigningKey

AES = (BlockCipher.AES_128, BlockCipher.AES_192, BlockCipher.AES_256)
ALL = (BlockCipher.TDES, *AES)
DH = (0, 1, 2)
P224 = 10


def test_bac() -> None:
    result = read_well(document())
    assert result.access is Access.BAC
    assert result.active_authentication.outcome is AuthOutcome.NOT_SUPPORTED
    assert result.chip_authentication.outcome is AuthOutcome.NOT_SUPPORTED
    assert result.downgrade.outcome is AuthOutcome.NOT_SUPPORTED


@pytest.mark.parametrize("parameter_id", STANDARDISED)
@pytest.mark.parametrize("mapping", ["GM", "IM", "CAM"])
def test_pace_in_every_group(mapping: str, parameter_id: int) -> None:
    if (mapping == "CAM" and parameter_id in DH) or (mapping == "IM" and parameter_id == P224):
        return  # neither exists (Doc 9303-11 section 4.4.3.3, table 6)
    static = static_key(standardised(parameter_id)) if mapping == "CAM" else None
    option = PaceOption(mapping=mapping, parameter_id=parameter_id)
    result = read_well(document(pace=(option,), mapping_key=static, has_bac=False))
    assert result.access is Access.PACE
    assert result.protocol == f"PACE-{'DH' if parameter_id in DH else 'ECDH'}-{mapping}-AES-128"
    assert result.downgrade.outcome is AuthOutcome.PASS
    assert result.pace_cam.outcome is (AuthOutcome.PASS if mapping == "CAM" else AuthOutcome.NOT_SUPPORTED)


@pytest.mark.parametrize("cipher", ALL)
@pytest.mark.parametrize(("mapping", "parameter_id"), [("GM", 12), ("GM", 0), ("IM", 13), ("IM", 0), ("CAM", 13)])
def test_pace_with_every_cipher(mapping: str, parameter_id: int, cipher: BlockCipher) -> None:
    if mapping == "CAM" and cipher is BlockCipher.TDES:
        return  # CAM exists with AES only
    static = static_key(standardised(parameter_id)) if mapping == "CAM" else None
    option = PaceOption(mapping=mapping, parameter_id=parameter_id, cipher=cipher)
    assert read_well(document(pace=(option,), mapping_key=static)).protocol.endswith(f"{mapping}-{cipher}")


def test_the_card_access_number_opens_pace() -> None:
    paper = document(pace=(PaceOption(),), can="123456")
    assert read_well(paper, CanKey(number="123456")).access is Access.PACE


def test_the_best_way_in_is_taken() -> None:
    options = (
        PaceOption(cipher=BlockCipher.TDES),
        PaceOption(cipher=BlockCipher.AES_256),
        PaceOption(mapping="IM", parameter_id=13, cipher=BlockCipher.AES_256),
    )
    assert read_well(document(pace=options)).protocol == "PACE-ECDH-GM-AES-256"


@pytest.mark.parametrize("cipher", ALL)
@pytest.mark.parametrize("parameter_id", [0, 2, 12, 13, 18])
def test_chip_authentication(parameter_id: int, cipher: BlockCipher) -> None:
    static = static_key(standardised(parameter_id), cipher=cipher)
    result = read_well(document(pace=(PaceOption(),), chip_keys=(static,)))
    assert result.chip_authentication.outcome is AuthOutcome.PASS
    assert result.chip_authentication.key_file == "DG14"
    assert str(cipher) in result.chip_authentication.protocol


def test_chip_authentication_over_bac_takes_the_stronger_of_two_keys() -> None:
    weak = static_key(standardised(12), cipher=BlockCipher.TDES, key_id=1)
    strong = static_key(standardised(13), cipher=BlockCipher.AES_256, key_id=2)
    result = read_well(document(chip_keys=(weak, strong)))
    assert result.chip_authentication.protocol == "CA-ECDH-AES-256"
    assert result.chip_authentication.outcome is AuthOutcome.PASS


def test_chip_authentication_with_3des_by_the_other_command() -> None:
    static = static_key(standardised(13), cipher=BlockCipher.TDES)
    paper = document(chip_keys=(static,), more={"has_key_agreement_template": False})
    assert read_well(paper).chip_authentication.outcome is AuthOutcome.PASS


@pytest.mark.parametrize("digest", ["sha1", "sha224", "sha256", "sha384", "sha512"])
def test_active_authentication_with_rsa(digest: str) -> None:
    key = SigningKey(key=rsa_key(1280), digest=digest)
    assert read_well(document(signing_key=key)).active_authentication.outcome is AuthOutcome.PASS


@pytest.mark.parametrize("bits", [1024, 2048, 3072])
def test_active_authentication_with_keys_that_need_long_answers(bits: int) -> None:
    result = read_well(document(pace=(PaceOption(),), signing_key=SigningKey(key=rsa_key(bits))))
    assert result.active_authentication.protocol == "AA-RSA"
    assert result.active_authentication.outcome is AuthOutcome.PASS


@pytest.mark.parametrize(
    ("curve", "digest"),
    [("P-224", "sha224"), ("P-256", "sha256"), ("P-384", "sha384"), ("P-521", "sha512"), ("brainpoolP512r1", "sha512")],
)
def test_active_authentication_with_ecdsa(curve: str, digest: str) -> None:
    result = read_well(document(signing_key=SigningKey(key=ec_key(curve), digest=digest)))
    assert result.active_authentication.protocol == "AA-ECDSA"
    assert result.active_authentication.outcome is AuthOutcome.PASS


def test_a_wrong_key_is_denied_and_not_tried_again() -> None:
    for paper in (document(), document(pace=(PaceOption(),))):
        other = document(lines=("P<" + "<" * 42, "X12345678<UTO8001011M3001011" + "<" * 16)).profile.mrz
        result, channel, _ = read(paper, key=other)
        assert isinstance(result, ChipUnread)
        assert result.reason is Reason.DENIED
        assert channel.connections == 1


def test_bac_needs_more_than_a_card_access_number() -> None:
    result, _, _ = read(document(), key=CanKey(number="123456"))
    assert isinstance(result, ChipUnread)
    assert result.reason is Reason.UNSUPPORTED


def test_a_chip_without_access_control_is_read_as_it_is() -> None:
    paper = document(has_bac=False, more={"is_open": True})
    result, _, _ = read(paper)
    assert isinstance(result, ChipRead)
    assert result.access is Access.OPEN


@pytest.mark.parametrize(
    "habit", [{"is_extended": False}, {"has_short_identifiers": False}, {"max_answer_bytes": 1024}]
)
@pytest.mark.parametrize("size", [900, 18_000, 40_000])
def test_habits_of_chips(habit: dict[str, object], size: int) -> None:
    """Short commands only, no short file identifiers, a small buffer; and offsets beyond 32 kB."""
    paper = document(pace=(PaceOption(),), portrait=b"\xff\xd8\xff" + bytes(range(256)) * (size // 256), more=habit)
    result, _, _ = read(paper)
    assert isinstance(result, ChipRead), result
    assert result.files["DG2"] == paper.profile.files[0x0102]


def test_a_buffer_that_the_chip_names_is_filled_and_never_overrun() -> None:
    named = document(pace=(PaceOption(),), portrait=b"\xff\xd8\xff" + bytes(18_000), buffer_bytes=1500)
    result, channel, _ = read(named)
    assert isinstance(result, ChipRead)
    assert result.attempts == 1
    unnamed = document(pace=(PaceOption(),), portrait=b"\xff\xd8\xff" + bytes(18_000), more={"max_answer_bytes": 1500})
    second, other, _ = read(unnamed)
    assert isinstance(second, ChipRead)
    assert second.attempts == 2
    assert channel.commands < other.commands


def test_a_chip_that_tells_its_buffer_only_in_a_file_is_read_in_long_parts_too() -> None:
    face = b"\xff\xd8\xff" + bytes(18_000)
    told, channel, _ = read(document(portrait=face, buffer_bytes=2000, more={"is_reticent": True}))
    untold, other, _ = read(document(portrait=face, more={"is_reticent": True}))
    assert isinstance(told, ChipRead)
    assert isinstance(untold, ChipRead)
    assert channel.commands < other.commands / 3


def test_extended_length_can_be_forbidden() -> None:
    paper = document(pace=(PaceOption(),), portrait=b"\xff\xd8\xff" + bytes(9000))
    result, channel, _ = read(paper, limits=ReadLimits(allows_extended=False))
    _, long, _ = read(paper)
    assert isinstance(result, ChipRead)
    assert channel.commands > long.commands
