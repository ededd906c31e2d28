"""Secure messaging, the terminal's side: what of an answer counts, and a session's ciphers message after message."""

from __future__ import annotations

import secrets

import pytest

from drivers.chip import tlv
from drivers.chip.apdu import Command, Response
from drivers.chip.errors import ChipFailed, Reason
from drivers.chip.secure_messaging import SecureSession
from drivers.chip.symmetric import BlockCipher, SessionCipher, decrypt_cbc, encrypt_cbc
from simulator.chip.messaging import CardSession

SECRET = bytes(range(32))


def asked(cipher: BlockCipher) -> tuple[SecureSession, bytes]:
    """A session in the middle of a command, and the protected answer (data: `answer`) to it."""
    ours, card = SecureSession.from_secret(cipher, SECRET), CardSession.from_secret(cipher, SECRET)
    card.open(ours.protect(Command(ins=0xB0, expected=16)))
    return ours, card.close(Response(data=b"answer", sw=0x9000)).data


@pytest.mark.parametrize("cipher", list(BlockCipher))
def test_what_follows_the_checksum_does_not_count(cipher: BlockCipher) -> None:
    ours, answer = asked(cipher)
    assert ours.unprotect(Response(data=answer + tlv.wrap(0x99, b"\x6a\x82"), sw=0x9000)) == Response(
        data=b"answer", sw=0x9000
    )


@pytest.mark.parametrize("cipher", list(BlockCipher))
@pytest.mark.parametrize(
    "spoil",
    [
        lambda answer: tlv.wrap(0x99, b"\x6a\x82") + answer,
        lambda answer: answer[:-10] + tlv.wrap(0x8E, b""),
        lambda answer: answer[:-10],
        lambda answer: answer[-10:],
        lambda answer: answer[:-1] + bytes((answer[-1] ^ 1,)),
        lambda answer: tlv.wrap(0x8E, b"") + answer,
    ],
)
def test_an_answer_that_was_changed_is_none(cipher: BlockCipher, spoil: object) -> None:
    ours, answer = asked(cipher)
    with pytest.raises(ChipFailed) as raised:
        ours.unprotect(Response(data=spoil(answer), sw=0x9000))  # type: ignore[operator]
    assert raised.value.reason is Reason.BROKEN


@pytest.mark.parametrize("cipher", list(BlockCipher))
def test_each_message_has_its_own_initial_vector_whatever_came_before(cipher: BlockCipher) -> None:
    key, size = bytes(range(1, cipher.key_bytes + 1)), cipher.block_bytes
    session = SessionCipher(cipher, key, key)
    for number, blocks in enumerate((1, 3, 1, 256, 2)):
        counter, plain = number.to_bytes(size), secrets.token_bytes(blocks * size)
        vector = None if cipher is BlockCipher.TDES else encrypt_cbc(cipher, key, counter)
        enciphered = encrypt_cbc(cipher, key, plain, vector)
        assert decrypt_cbc(cipher, key, enciphered, vector) == plain
        assert session.decrypt(counter, enciphered) == plain
        assert session.encrypt(counter, plain) == enciphered
