"""Every MQTT topic of the system; nothing else builds one.

=============================================  ========  =======  ==========================================
topic                                          retained  QoS      who publishes, what
=============================================  ========  =======  ==========================================
``tongguan/v1/{port}/{lane}/status``           yes       1        lane: online; last will: offline
``tongguan/v1/{port}/{lane}/state``            yes       0        lane: what it does now (screens follow it)
``tongguan/v1/{port}/{lane}/event``            no        1        lane: CloudEvents out of its outbox
``tongguan/v1/{port}/{lane}/receipt``          no        1        hub: signed, events that are committed
``tongguan/v1/{port}/{lane}/command``          no        1        hub: signed commands
``tongguan/v1/{port}/{lane}/ack``              no        1        lane: what became of a command
``tongguan/v1/{port}/{lane}/help``             yes       1        console: somebody at the kiosk calls an officer
``tongguan/v1/{port}/case/{case_id}``          no        0        hub: this case changed (no personal data)
``tongguan/v1/{port}/window/{source}/submit``  no        1        a source of the single window: signed and encrypted
``tongguan/v1/{port}/window/{source}/receipt`` no        1        hub: signed, what it took of a submission
=============================================  ========  =======  ==========================================
"""

import re
from dataclasses import dataclass
from enum import StrEnum

PREFIX = "tongguan/v1"
_SEGMENT = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")


class Channel(StrEnum):
    """What a lane's topic carries."""

    STATUS = "status"
    STATE = "state"
    EVENT = "event"
    RECEIPT = "receipt"
    COMMAND = "command"
    ACK = "ack"
    HELP = "help"


_CHANNELS = {channel.value: channel for channel in Channel}


@dataclass(frozen=True, slots=True)
class LaneTopic:
    """A parsed lane topic."""

    port: str
    lane: str
    channel: Channel


@dataclass(frozen=True, slots=True)
class CaseTopic:
    """A parsed case topic."""

    port: str
    case_id: str


def is_segment(name: str) -> bool:
    """Whether ``name`` may stand for a port or a lane: lower-case letters, digits, hyphens, at most 63, and not ``case``."""
    return _SEGMENT.fullmatch(name) is not None and name != "case"


def lane_topic(port: str, lane: str, channel: Channel) -> str:
    """The topic of one lane's channel. ValueError when a name could not be a topic segment."""
    for name in (port, lane):
        if not is_segment(name):
            raise ValueError(
                f"{name!r} cannot be part of a topic: use lower-case letters, digits and hyphens, not 'case'"
            )
    return f"{PREFIX}/{port}/{lane}/{channel.value}"


def all_lanes(port: str, channel: Channel) -> str:
    """The filter that matches this channel of every lane of a port."""
    return f"{PREFIX}/{port}/+/{channel.value}"


def case_topic(port: str, case_id: str) -> str:
    """The topic on which the hub says that a case changed."""
    return f"{PREFIX}/{port}/case/{case_id}"


def all_cases(port: str) -> str:
    """The filter that matches every case of a port."""
    return f"{PREFIX}/{port}/case/+"


def window_topic(port: str, source: str, channel: str) -> str:
    """The topic on which a source submits (``submit``) or hears of it (``receipt``). ValueError for a name that no topic can carry."""
    for name in (port, source):
        if not is_segment(name):
            raise ValueError(f"{name!r} cannot be part of a topic: use lower-case letters, digits and hyphens")
    return f"{PREFIX}/{port}/window/{source}/{channel}"


def all_window_sources(port: str) -> str:
    """The filter that matches the submissions of every source of a port."""
    return f"{PREFIX}/{port}/window/+/submit"


def window_source(topic: str, port: str) -> str | None:
    """Whose submission's topic this is; None when it is none of this port's."""
    parts = topic.split("/")
    is_one = (
        len(parts) == 6
        and "/".join(parts[:2]) == PREFIX
        and (parts[2], parts[3], parts[5]) == (port, "window", "submit")
    )
    return parts[4] if is_one and is_segment(parts[4]) else None


def parse(topic: str) -> LaneTopic | CaseTopic | None:
    """What ``topic`` is, or None when it is not one of ours."""
    parts = topic.split("/")
    if len(parts) != 5 or "/".join(parts[:2]) != PREFIX or not is_segment(parts[2]):
        return None
    if parts[3] == "case":
        return CaseTopic(parts[2], parts[4]) if parts[4] else None
    channel = _CHANNELS.get(parts[4])
    if channel is None or not is_segment(parts[3]):
        return None
    return LaneTopic(parts[2], parts[3], channel)
