"""What lane, hub and screens ask of a paho client beyond its own interface: small messages at once, and a clean end."""

import contextlib
import socket
from typing import Any

from paho.mqtt.client import Client

_QUICKACK: int | None = getattr(socket, "TCP_QUICKACK", None)  # Linux only


def send_at_once(_client: Client, _userdata: Any, connection: Any) -> None:
    """For ``on_socket_open``: do not let the kernel wait to fill a packet.

    Without this and the next, a release waits some 40 ms for a delayed acknowledgement (RFC 896 with RFC 1122 4.2.3.2).
    """
    _set(connection, socket.TCP_NODELAY)


def acknowledge_at_once(client: Client) -> None:
    """For every message, and for every acknowledgement of the broker's (``on_publish``).

    A broker that sends by Nagle's rule (rumqttd) holds its next segment back until this one is acknowledged.

    Linux forgets the wish after a while (tcp(7), TCP_QUICKACK), so it is made again with every message.
    """
    if _QUICKACK is not None:
        _set(client.socket(), _QUICKACK)


def end(client: Client) -> None:
    """Say goodbye, end the network thread, and close what paho would leave to the garbage collector (its wake-up sockets)."""
    client.disconnect()
    client.loop_stop()
    client.reinitialise()


def _set(connection: Any, option: int) -> None:
    if isinstance(connection, socket.socket):
        with contextlib.suppress(OSError):  # closed meanwhile
            connection.setsockopt(socket.IPPROTO_TCP, option, 1)
