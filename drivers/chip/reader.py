"""The whole reading of a passport's chip: way in, files, proofs that it is no copy; tried again when the document moved.

What the files say, and whether anybody signed them, is not judged here: that is `gate.checks.emrtd`. A file is handed out whole or not.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from drivers.chip import tlv
from drivers.chip.access_key import AccessKey, MrzKey
from drivers.chip.active_auth import CHALLENGE_BYTES, ask_signature, verify_active_authentication
from drivers.chip.answer_to_reset import has_extended_length
from drivers.chip.bac import basic_access
from drivers.chip.channel import ApduChannel
from drivers.chip.chip_auth import authenticate_chip, offered
from drivers.chip.domain import Random
from drivers.chip.errors import ChipFailed, Reason
from drivers.chip.files import File, FileFault, ask_buffer, read_file, select_application, select_master
from drivers.chip.found import (
    Found,
    judge_downgrade,
    judge_mapping,
    no_active_authentication,
    no_chip_authentication,
)
from drivers.chip.link import ChipLink, Times
from drivers.chip.pace import choose, pace
from drivers.chip.results import (
    Access,
    Authentication,
    AuthOutcome,
    ChipProgress,
    ChipRead,
    ChipTimes,
    ChipUnread,
)
from drivers.chip.security_infos import PaceInfo, SecurityInfos, parse_security_infos

NEEDED = (File.SOD, File.DG1, File.DG2)
"""Without these a reading is none."""
_FIRST = (File.DG14,)
_REST = (File.COM, File.SOD, File.DG1, File.DG15, File.DG2, File.DG11, File.DG12)
_MAX_LOSSES_OF_A_FILE = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadLimits:
    """``connect_ms``: for a chip to be there; ``command_ms``: for one answer, waiting-time extensions included; ``total_ms``: for all.

    ``attempts``: how often a document that moved is begun with again. ``wanted``: files beside the needed ones.
    """

    connect_ms: int = 1500
    command_ms: int = 5000
    total_ms: int = 20_000
    attempts: int = 4
    wanted: frozenset[File] = frozenset(File)
    allows_extended: bool = True


def read_chip(
    channel: ApduChannel,
    key: AccessKey,
    *,
    limits: ReadLimits | None = None,
    on_progress: Callable[[ChipProgress], None] = lambda _progress: None,
    random: Random = secrets.token_bytes,
    now_ns: Callable[[], int] = time.monotonic_ns,
) -> ChipRead | ChipUnread:
    """Read the chip at this antenna. ``on_progress`` runs in the caller's thread. The channel stays open.

    Raises `DeviceError` when the reader cannot be used; what a document does is a result.
    """
    return _Reading(channel, key, limits or ReadLimits(), on_progress, random, now_ns).run()


class _Reading:
    def __init__(
        self,
        channel: ApduChannel,
        key: AccessKey,
        limits: ReadLimits,
        on_progress: Callable[[ChipProgress], None],
        random: Random,
        now_ns: Callable[[], int],
    ) -> None:
        self._channel = channel
        self._key = key
        self._limits = limits
        self._on_progress = on_progress
        self._random = random
        self._now_ns = now_ns
        self._started_ns = now_ns()
        self._deadline_ns = self._started_ns + limits.total_ms * 1_000_000
        self._times = Times()
        self._found = Found()
        self._attempts = 0
        self._last: ChipFailed | None = None
        self._infos: SecurityInfos | None = None

    def run(self) -> ChipRead | ChipUnread:
        while True:
            self._attempts += 1
            try:
                self._session()
                break
            except ChipFailed as problem:
                if not self._may_try_again(problem):
                    # A chip that was silent until the time was over is silent, not slow.
                    return self._give_up(self._last or problem if problem.reason is Reason.OUT_OF_TIME else problem)
                self._last = problem
        missing = [file for file in NEEDED if file in self._found.unread]
        if missing:
            return self._unread(Reason.BROKEN, self._found.unread[missing[0]])
        absent = [file.label for file in NEEDED if file in self._found.absent]
        if absent:
            return self._unread(Reason.BROKEN, f"the chip has no {absent[0]}")
        return self._read()

    def _session(self) -> None:
        """From power-up to the last file; what was read before is not read again, what proves the chip is."""
        found = self._found
        self._on_progress(ChipProgress(stage="connecting"))
        before = self._now_ns()
        found.atr = self._channel.connect(self._limits.connect_ms)
        self._times.apdu_ns += self._now_ns() - before
        found.habits.is_extended = (
            self._limits.allows_extended and found.habits.chunk_bytes is None and has_extended_length(found.atr)
        )
        found.current = None
        found.active = found.chip = None
        link = ChipLink(
            self._channel,
            now_ns=self._now_ns,
            command_timeout_ms=self._limits.command_ms,
            deadline_ns=self._deadline_ns,
            times=self._times,
        )
        self._on_progress(ChipProgress(stage="opening"))
        self._open(link)
        self._gather(link, _FIRST)
        infos = self._infos_of_dg14()
        self._authenticate_chip(link, infos)
        self._gather(link, _REST)
        self._authenticate_actively(link, infos)

    def _open(self, link: ChipLink) -> None:
        """PACE where the chip offers one that we have; else BAC; else as it is."""
        found = self._found
        select_master(link)
        if self._limits.allows_extended:
            ask_buffer(link, found.habits)
        try:
            raw = read_file(link, File.CARD_ACCESS, found.habits)
        except FileFault:
            # Cards that are no passports have other answers; a passport's that was tampered with shows in DG14.
            raw = None
        found.card_access = None
        found.mapping = None
        info: PaceInfo | None = None
        if raw is not None:
            found.files[File.CARD_ACCESS] = raw
            found.card_access = parse_security_infos(raw)
            info = choose(found.card_access)
        if info is not None:
            done = pace(link, info, self._key, self._random)
            link.session = done.session
            found.access, found.protocol, found.mapping = Access.PACE, info.name, done.chip_mapping
            if done.chip_mapping is not None:
                self._read_once(link, File.CARD_SECURITY)
            select_application(link)
            return
        select_application(link)
        if not isinstance(self._key, MrzKey):
            raise ChipFailed(Reason.UNSUPPORTED, "the chip offers no PACE that we have, and BAC needs the whole MRZ")
        try:
            link.session = basic_access(link, self._key, self._random)
        except ChipFailed as problem:
            # A chip without access control knows no GET CHALLENGE; its files are then read in the clear.
            if problem.reason is not Reason.UNSUPPORTED:
                raise
            found.access, found.protocol = Access.OPEN, "none"
            return
        found.access, found.protocol = Access.BAC, "BAC"

    def _gather(self, link: ChipLink, files: Iterable[File]) -> None:
        for file in files:
            if file in NEEDED or file in self._limits.wanted:
                self._read_once(link, file)

    def _read_once(self, link: ChipLink, file: File) -> None:
        """Into ``files``, ``absent`` or ``unread``, unless it is in one already."""
        found = self._found
        if file in found.files or file in found.absent or file in found.unread:
            return
        found.current = file
        try:
            data = read_file(
                link,
                file,
                found.habits,
                lambda done, total: self._on_progress(
                    ChipProgress(stage=file.label, done_bytes=done, total_bytes=total)
                ),
            )
        except FileFault as problem:
            found.unread[file] = problem.detail
            return
        if data is None:
            found.absent.add(file)
        else:
            found.files[file] = data

    def _infos_of_dg14(self) -> SecurityInfos | None:
        raw = self._found.files.get(File.DG14)
        if raw is None:
            return None
        try:
            if self._infos is None:
                self._infos = parse_security_infos(tlv.only(raw, File.DG14.tag).value)
            return self._infos
        except ChipFailed as problem:
            self._found.unread[File.DG14] = f"DG14 says nothing: {problem.detail}"
            return None

    def _authenticate_chip(self, link: ChipLink, infos: SecurityInfos | None) -> None:
        """A failure here is remembered, not raised: a copy must be named as one. The session is begun anew without it."""
        found = self._found
        if found.chip is not None:
            return
        pair = offered(infos) if infos is not None and File.DG14 not in found.unread else None
        if pair is None or link.session is None:
            return
        info, key = pair
        name = f"CA-{'ECDH' if info.is_ec else 'DH'}-{info.cipher}"
        old = link.session
        try:
            authenticate_chip(link, info, key, self._random)
            # Selecting the application again is the first answer that the chip has to protect with the new keys.
            select_application(link)
        except ChipFailed as problem:
            if problem.reason not in (Reason.BROKEN, Reason.UNSUPPORTED):
                raise
            found.chip = Authentication(
                outcome=AuthOutcome.FAIL,
                protocol=name,
                reason=f"the chip does not have the key of DG14: {problem.detail}",
                key_file="DG14",
            )
            link.session = old
            self._reopen(link)
            return
        found.chip = Authentication(
            outcome=AuthOutcome.PASS, protocol=name, reason="the chip has the key of DG14", key_file="DG14"
        )
        found.current = None

    def _reopen(self, link: ChipLink) -> None:
        """A failed chip authentication leaves the session in doubt."""
        self._channel.connect(self._limits.connect_ms)
        link.session = None
        self._open(link)

    def _authenticate_actively(self, link: ChipLink, infos: SecurityInfos | None) -> None:
        found = self._found
        dg15 = found.files.get(File.DG15)
        if dg15 is None:
            return
        found.current = None
        challenge = self._random(CHALLENGE_BYTES)
        try:
            signature = ask_signature(link, challenge, dg15)
        except ChipFailed as problem:
            if problem.reason is not Reason.BROKEN:
                raise
            found.active = Authentication(
                outcome=AuthOutcome.FAIL, protocol="AA", reason=problem.detail, key_file="DG15"
            )
            return
        with link.crypto():
            found.active = verify_active_authentication(dg15, challenge, signature, infos)

    def _may_try_again(self, problem: ChipFailed) -> bool:
        """Movement and noise are worth another beginning; a refusal is not, nor is what happens to one file every time."""
        found = self._found
        is_worth_it = problem.reason in (Reason.REMOVED, Reason.SILENT, Reason.BROKEN)
        if problem.reason is Reason.NO_CHIP and self._attempts > 1:
            is_worth_it = True
        if problem.reason is Reason.BROKEN and found.current is not None:
            file = found.current
            found.losses[file] = found.losses.get(file, 0) + 1
            # A part that the reader or the chip chokes on is asked for in smaller bites next time.
            if found.habits.is_extended:
                found.habits.chunk_bytes = 223
            elif found.losses[file] >= _MAX_LOSSES_OF_A_FILE:
                found.unread[file] = problem.detail
        has_time = self._now_ns() < self._deadline_ns
        return is_worth_it and has_time and self._attempts < self._limits.attempts

    def _give_up(self, problem: ChipFailed) -> ChipRead | ChipUnread:
        """A reading that has everything needed is one, though something else is missing."""
        found = self._found
        if not all(file in found.files for file in NEEDED):
            reason = problem.reason
            if reason is Reason.NO_CHIP and self._attempts > 1:
                reason = Reason.REMOVED
            return self._unread(reason, problem.detail)
        for file in (*_FIRST, *_REST):
            is_wanted = file in self._limits.wanted
            if is_wanted and file not in found.files and file not in found.absent and file not in found.unread:
                found.unread[file] = problem.detail
        return self._read()

    def _read(self) -> ChipRead:
        found = self._found
        infos = self._infos_of_dg14()
        return ChipRead(
            atr=found.atr,
            access=found.access,
            protocol=found.protocol,
            files={file.label: data for file, data in found.files.items()},
            unread={file.label: detail for file, detail in found.unread.items()},
            active_authentication=found.active or no_active_authentication(found),
            chip_authentication=found.chip or no_chip_authentication(found, infos),
            pace_cam=judge_mapping(found),
            downgrade=judge_downgrade(found, infos),
            attempts=self._attempts,
            times=self._spent(),
        )

    def _unread(self, reason: Reason, detail: str) -> ChipUnread:
        return ChipUnread(reason=reason, detail=detail, attempts=self._attempts, times=self._spent())

    def _spent(self) -> ChipTimes:
        total = self._now_ns() - self._started_ns
        rest = total - self._times.apdu_ns - self._times.crypto_ns
        return ChipTimes(
            total_ms=total / 1e6,
            crypto_ms=self._times.crypto_ns / 1e6,
            apdu_ms=self._times.apdu_ns / 1e6,
            parsing_ms=rest / 1e6,
            commands=self._times.commands,
        )
