"""What a hub or a worker says on the wire once it is committed: receipts, commands, case changes."""

from collections.abc import Iterable, Mapping, Sequence

import structlog

from gate.core.clock import Clock
from gate.hub.commands import Outgoing
from gate.hub.link import BrokerLink
from gate.wire.messages import CaseChanged, Receipt
from gate.wire.signing import SigningKey, sign_receipt
from gate.wire.topics import Channel, case_topic, lane_topic

log = structlog.get_logger(__name__)

RECEIPT_IDS = 1000
"""As many as a receipt may name."""
RECEIPT_WAIT_S = 0.5


class Teller:
    """Publishes for one port."""

    def __init__(self, *, port: str, link: BrokerLink, key: SigningKey, clock: Clock) -> None:
        self._port = port
        self._link = link
        self._key = key
        self._clock = clock
        self._owed: dict[str, list[str]] = {}
        self._owed_since_ns = 0

    def receipts(self, stored: Mapping[str, Sequence[str]], *, is_busy: bool = False) -> None:
        """By lane, the ids of events that are committed. While ``is_busy``, several commits' are gathered into one: each costs a signature.

        They may be late by RECEIPT_WAIT_S then, which is a fraction of the time after which lanes ask again.
        """
        now_ns = self._clock.monotonic_ns()
        if not self._owed:
            self._owed_since_ns = now_ns
        for lane, event_ids in stored.items():
            self._owed.setdefault(lane, []).extend(event_ids)
        if is_busy and now_ns - self._owed_since_ns < RECEIPT_WAIT_S * 1e9:
            return
        owed, self._owed = self._owed, {}
        now_s = self._clock.utc_ms() / 1000
        for lane, event_ids in owed.items():
            for start in range(0, len(event_ids), RECEIPT_IDS):
                receipt = Receipt(
                    aud=f"{self._port}/{lane}", iat=now_s, event_ids=event_ids[start : start + RECEIPT_IDS]
                )
                self._publish_receipt(lane, receipt)

    def commands(self, commands: Iterable[Outgoing]) -> None:
        """In the order of their numbers."""
        for command in commands:
            self._link.publish(lane_topic(self._port, command.lane, Channel.COMMAND), command.token, qos=1)
            log.info("command_sent", act=command.act.value, lane=command.lane, command_id=command.command_id)

    def refusals(self, refused: Mapping[str, Sequence[str]]) -> None:
        """By lane, the ids of events that it need not repeat."""
        for lane, event_ids in refused.items():
            for start in range(0, len(event_ids), RECEIPT_IDS):
                part = list(event_ids[start : start + RECEIPT_IDS])
                self._publish_receipt(
                    lane, Receipt(aud=f"{self._port}/{lane}", iat=self._clock.utc_ms() / 1000, refused=part)
                )

    def _publish_receipt(self, lane: str, receipt: Receipt) -> None:
        self._link.publish(lane_topic(self._port, lane, Channel.RECEIPT), sign_receipt(self._key, receipt), qos=1)

    def cases(self, cases: Iterable[CaseChanged]) -> None:
        """For the screens; who is not there will ask."""
        for case in cases:
            self._link.publish(case_topic(self._port, case.case_id), case.model_dump_json(), qos=0)
