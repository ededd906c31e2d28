"""The broker inside a command, for a desk or a demonstration, and asking what listens at an address."""

import contextlib
import socket
from collections.abc import Iterator
from typing import Protocol

from config.schema import Site
from gate.errors import GateError

EMBEDDED_BROKER_MAX_BYTES = 1024 * 1024
"""Its default of 20 KiB is smaller than a batch of receipts."""


class BrokerHandle(Protocol):
    """A running broker that can be stopped."""

    def stop(self) -> None: ...


def is_listening(host: str, port: int) -> bool:
    """Whether something accepts connections there now."""
    with contextlib.suppress(OSError), socket.create_connection((host, port), timeout=0.5):
        return True
    return False


def is_hub(url: str) -> bool:
    """Whether what answers at ``url`` says that it is a hub of ours."""
    import httpx

    try:
        answer = httpx.get(f"{url}/healthz", timeout=5.0, trust_env=False)
        return answer.is_success and "status" in answer.json()
    except (httpx.HTTPError, ValueError, TypeError):
        return False


_MQTT_CONNECT = b"\x10\x10\x00\x04MQTT\x04\x02\x00\x05\x00\x04hail"
"""CONNECT, protocol level 4, clean session, keep-alive 5 s, client id "hail" (MQTT 3.1.1, clause 3.1)."""


def speaks_mqtt(host: str, port: int) -> bool:
    """Whether what listens there answers a CONNECT with a CONNACK (MQTT 3.1.1, clause 3.2), whatever that says."""
    with contextlib.suppress(OSError), socket.create_connection((host, port), timeout=2.0) as line:
        line.settimeout(2.0)
        line.sendall(_MQTT_CONNECT)
        return line.recv(2) == b"\x20\x02"
    return False


def start_embedded_broker(site: Site) -> BrokerHandle:
    """An MQTT broker (rumqttd) in a child process, on loopback, for a desk or a demonstration. GateError when it cannot start."""
    from iotcore import Broker

    broker = Broker(
        listen=site.broker.host,
        port=site.broker.port,
        max_payload_size=EMBEDDED_BROKER_MAX_BYTES,
        connection_timeout_ms=5000,
    )
    try:
        broker.start()
    except (OSError, RuntimeError) as error:
        raise GateError(
            f"the embedded broker cannot listen on {site.broker.host}:{site.broker.port} ({error}): "
            "free that port or set another in [broker] port"
        ) from None
    handle: BrokerHandle = broker
    return handle


@contextlib.contextmanager
def embedded_broker(site: Site) -> Iterator[None]:
    """Runs the embedded broker around a block, where the site asks for one and none is there yet. GateError when none can be."""
    host, port = site.broker.host, site.broker.port
    if not site.broker.is_embedded:
        yield
        return
    if is_listening(host, port):
        if not speaks_mqtt(host, port):
            raise GateError(
                f"what listens on {host}:{port} is no MQTT broker: stop that program or set another port in [broker] port"
            )
        yield
        return
    broker = start_embedded_broker(site)
    try:
        yield
    finally:
        broker.stop()
