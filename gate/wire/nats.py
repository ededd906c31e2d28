"""A port on a NATS cluster: who may publish and read what, as nats-server (2.10 and later) is told it.

NATS knows no pattern for a user's own name among MQTT clients, so every lane is listed. A user is the subject of a client's certificate
(``verify_and_map``, RFC 2253), a topic is a subject with dots for slashes; what QoS 1 needs is below ``$MQTT.sub``.
"""

from collections.abc import Iterable, Sequence

from gate.wire.identity import console_identity, hub_identity
from gate.wire.topics import Channel, all_cases, all_lanes, lane_topic

USERS_FILE = "nats-users.conf"
"""Where the nodes' settings include it from: NATS looks beside the file that includes."""

_FROM_LANES = (Channel.STATUS, Channel.STATE, Channel.EVENT, Channel.ACK)
_TO_LANES = (Channel.COMMAND, Channel.RECEIPT)
_DELIVERIES = "$MQTT.sub.>"


def users(port: str, lanes: Iterable[str]) -> str:
    """The part of a node's settings that names the port's clients. What is not allowed here is refused."""
    to_all = [all_cases(port), all_lanes(port, Channel.HELP)]
    parts = [
        _user(
            hub_identity(port),
            publishes=[*(all_lanes(port, channel) for channel in _TO_LANES), *to_all],
            reads=[*(all_lanes(port, channel) for channel in _FROM_LANES), *to_all],
        ),
        _user(
            console_identity(port),
            publishes=[all_lanes(port, Channel.HELP)],
            reads=[*(all_lanes(port, channel) for channel in (Channel.STATUS, Channel.STATE)), *to_all],
        ),
        *(
            _user(
                lane,
                publishes=[lane_topic(port, lane, channel) for channel in _FROM_LANES],
                reads=[lane_topic(port, lane, channel) for channel in _TO_LANES],
            )
            for lane in lanes
        ),
    ]
    head = "# Made by 'gate keys init'; names are the subjects of certificates.\nauthorization {\n  users: [\n"
    return head + "".join(parts) + "  ]\n}\n"


def _user(identity: str, *, publishes: Sequence[str], reads: Sequence[str]) -> str:
    return (
        f'    {{ user: "CN={identity}", permissions: {{\n'
        f"      publish: [{_subjects(publishes)}]\n"
        f'      subscribe: [{_subjects(reads)}, "{_DELIVERIES}"] }} }}\n'
    )


def _subjects(topics: Sequence[str]) -> str:
    return ", ".join(f'"{topic.replace("/", ".").replace("+", "*")}"' for topic in topics)
