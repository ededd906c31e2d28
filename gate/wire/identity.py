"""Who is who at the broker: the common name of each client's certificate, which mosquitto takes for its user name.

A lane's is its id, so that the broker's rule ``.../%u/...`` lets it write below its own topics only. The others hold an ``@``, which no
lane's id can: nobody who may issue a lane's certificate can name one ``hub``.
"""

from pathlib import Path

from config.schema import Broker

PLACEHOLDER = "{identity}"
"""In ``[broker] certificate_file`` and ``key_file``: one site file then serves the hub and all lanes."""


def hub_identity(port: str) -> str:
    """The hub and its workers."""
    return f"hub@{port}"


def console_identity(port: str) -> str:
    """Screens that run apart from the hub: they may only read."""
    return f"console@{port}"


def as_identity(broker: Broker, identity: str) -> Broker:
    """The broker's settings with this client's own certificate and key."""

    def own(path: Path | None) -> Path | None:
        return None if path is None else Path(str(path).replace(PLACEHOLDER, identity))

    return broker.model_copy(
        update={"certificate_file": own(broker.certificate_file), "key_file": own(broker.key_file)}
    )
