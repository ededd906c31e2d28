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


class Teller:
    """Publishes for one port."""

    def __init__(self, *, port: str, link: BrokerLink, key: SigningKey, clock: Clock) -> None:
        self._port = port
        self._link = link
        self._key = key
        self._clock = clock

    def receipts(self, stored: Mapping[str, Sequence[str]]) -> None:
        """By lane, the ids of events that are committed."""
        now_s = self._clock.utc_ms() / 1000
        for lane, event_ids in stored.items():
            for start in range(0, len(event_ids), RECEIPT_IDS):
                receipt = Receipt(
                    aud=f"{self._port}/{lane}", iat=now_s, event_ids=list(event_ids[start : start + RECEIPT_IDS])
                )
                token = sign_receipt(self._key, receipt)
                self._link.publish(lane_topic(self._port, lane, Channel.RECEIPT), token, qos=1)

    def commands(self, commands: Iterable[Outgoing]) -> None:
        """In the order of their numbers."""
        for command in commands:
            self._link.publish(lane_topic(self._port, command.lane, Channel.COMMAND), command.token, qos=1)
            log.info("command_sent", act=command.act.value, lane=command.lane, command_id=command.command_id)

    def cases(self, cases: Iterable[CaseChanged]) -> None:
        """For the screens; who is not there will ask."""
        for case in cases:
            self._link.publish(case_topic(self._port, case.case_id), case.model_dump_json(), qos=0)
