"""A passport's chip (ISO/IEC 7816-4, Doc 9303-10 and -11): command bytes in, answer bytes out, a chip's state in between."""

from __future__ import annotations

import secrets

from drivers.chip.apdu import Command, Response, parse_command
from drivers.chip.domain import Random
from drivers.chip.errors import ChipFailed
from drivers.chip.files import APPLICATION
from simulator.chip.messaging import CardSession, MessagingError
from simulator.chip.profile import ChipProfile
from simulator.chip.protocols import Protocols, Refused
from simulator.chip.tlv import tlv

_OK = Response(sw=0x9000)
_FREE_FILES = (0x011C, 0x2F01)
"""Readable by anybody: EF.CardAccess, EF.ATR/INFO."""


class VirtualChip:
    """One chip. `power_on` forgets every session, as losing the field does."""

    def __init__(self, profile: ChipProfile, *, random: Random = secrets.token_bytes) -> None:
        self.profile = profile
        self._random = random
        self.power_on()

    @property
    def atr(self) -> bytes:
        return self.profile.atr

    def power_on(self) -> None:
        self._in_application = False
        self._file: int | None = None
        self._session: CardSession | None = None
        self._next_session: CardSession | None = None
        self._protocols = Protocols(self.profile, self._random)

    def process(self, raw: bytes) -> bytes:
        """The answer to one command, with its status word."""
        try:
            command = parse_command(raw)
        except ValueError:
            return bytes.fromhex("6700")
        if command.cla & 0x0C == 0x0C:
            return self._process_protected(command)
        # A command in the clear ends a session (section 9.8.3).
        self._session = None
        answer = self._handle(command)
        self._take_over()
        return self._fit(command, answer).encode()

    def _process_protected(self, command: Command) -> bytes:
        session = self._session
        if session is None:
            return bytes.fromhex("6987")
        try:
            plain = session.open(command)
        except (MessagingError, ChipFailed) as error:
            self._session = None
            return (error.sw if isinstance(error, MessagingError) else 0x6988).to_bytes(2)
        answer = session.close(self._handle(plain), is_odd=bool(command.ins & 1))
        self._take_over()
        fitted = self._fit(command, answer)
        if fitted is not answer:
            self._session = None
        return fitted.encode()

    def _fit(self, command: Command, answer: Response) -> Response:
        room = min(self.profile.max_answer_bytes, command.expected or 256)
        return answer if len(answer.data) <= room else Response(sw=0x6700)

    def _take_over(self) -> None:
        """New keys hold from the next command on; the answer that made them still has the old ones."""
        if self._next_session is not None:
            self._session, self._next_session = self._next_session, None

    def _handle(self, command: Command) -> Response:
        if (command.is_extended or len(command.data) > 255) and not self.profile.is_extended:
            return Response(sw=0x6700)
        handlers = {
            0xA4: self._select,
            0xB0: self._read_binary,
            0xB1: self._read_binary_odd,
            0x84: self._get_challenge,
            0x82: self._mutual_authenticate,
            0x22: self._manage_security,
            0x86: self._general_authenticate,
            0x88: self._internal_authenticate,
        }
        handler = handlers.get(command.ins)
        if handler is None:
            return Response(sw=0x6D00)
        try:
            return handler(command)
        except Refused as refused:
            return Response(sw=refused.sw)
        except ChipFailed:
            # The twin shares the reader's domain parameters, which call a bad key by that name.
            return Response(sw=0x6A80)

    def _select(self, command: Command) -> Response:
        if command.p1 == 0x04:
            if command.data != APPLICATION:
                return Response(sw=0x6A82)
            self._in_application, self._file = True, None
            return _OK
        if command.data == b"\x3f\x00":
            self._in_application, self._file = False, None
            return _OK
        identifier = int.from_bytes(command.data)
        if identifier not in self._files:
            return Response(sw=0x6A82)
        if not self._may_read(identifier):
            return Response(sw=0x6982)
        self._file = identifier
        return _OK

    def _read_binary(self, command: Command) -> Response:
        offset = command.p1 << 8 | command.p2
        if command.p1 & 0x80:
            if not self.profile.has_short_identifiers:
                return Response(sw=0x6A86)
            selected = self._select_short(command.p1 & 0x1F)
            if selected is not None:
                return selected
            offset = command.p2
        return self._read(offset, command.expected or 256)

    def _read_binary_odd(self, command: Command) -> Response:
        if command.data[:1] != b"\x54" or len(command.data) < 3:
            return Response(sw=0x6A80)
        answer = self._read(int.from_bytes(command.data[2:]), (command.expected or 256) - 4)
        return Response(data=tlv(0x53, answer.data), sw=answer.sw) if answer.data else answer

    def _select_short(self, short: int) -> Response | None:
        identifier = 0x0100 | short
        if identifier not in self._files:
            return Response(sw=0x6A82)
        if not self._may_read(identifier):
            return Response(sw=0x6982)
        self._file = identifier
        return None

    def _read(self, offset: int, count: int) -> Response:
        if self._file is None:
            return Response(sw=0x6986)
        if not self._may_read(self._file):
            return Response(sw=0x6982)
        data = self._files[self._file]
        if self._file in self.profile.endless:
            data += bytes(max(0, offset + count - len(data)))
        if offset >= len(data):
            return Response(sw=0x6B00)
        part = data[offset : offset + count]
        return Response(data=part, sw=0x9000 if len(part) == count else 0x6282)

    @property
    def _files(self) -> dict[int, bytes]:
        return dict(self.profile.files if self._in_application else self.profile.master_files)

    def _may_read(self, identifier: int) -> bool:
        is_free = not self._in_application and identifier in _FREE_FILES
        return is_free or self.profile.is_open or self._session is not None

    def _get_challenge(self, command: Command) -> Response:
        self._need_application()
        return Response(data=self._protocols.challenge(command.expected or 8), sw=0x9000)

    def _mutual_authenticate(self, command: Command) -> Response:
        self._need_application()
        answer, self._next_session = self._protocols.mutual_authenticate(command.data)
        return Response(data=answer, sw=0x9000)

    def _manage_security(self, command: Command) -> Response:
        kind = command.p1 << 8 | command.p2
        if kind == 0xC1A4:
            self._protocols.choose_pace(command.data)
        elif kind == 0x41A4 and self._session is not None:
            self._protocols.choose_chip_authentication(command.data)
        elif kind == 0x41A6 and self._session is not None:
            self._next_session = self._protocols.authenticate_by_mse(command.data)
        else:
            return Response(sw=0x6A86)
        return _OK

    def _general_authenticate(self, command: Command) -> Response:
        answer, session = self._protocols.general_authenticate(command.data)
        if session is not None:
            self._next_session = session
        return Response(data=answer, sw=0x9000)

    def _internal_authenticate(self, command: Command) -> Response:
        if self._session is None and not self.profile.is_open:
            return Response(sw=0x6982)
        return Response(data=self._protocols.sign(command.data), sw=0x9000)

    def _need_application(self) -> None:
        if not self._in_application or not self.profile.has_bac:
            raise Refused(0x6D00)
