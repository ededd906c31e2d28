"""A broker's settings for a port: who may publish and read what, as mosquitto (2.0) is told it."""

from pathlib import Path

from gate.wire.identity import console_identity, hub_identity
from gate.wire.topics import PREFIX, Channel, all_cases, all_lanes, all_window_sources

_FROM_LANES = (Channel.STATUS, Channel.STATE, Channel.EVENT, Channel.ACK)
_TO_LANES = (Channel.COMMAND, Channel.RECEIPT)


def access_list(port: str) -> str:
    """The ``acl_file``. What is not allowed here is refused."""
    hub = [f"topic read {all_lanes(port, channel)}" for channel in _FROM_LANES]
    hub += [f"topic write {all_lanes(port, channel)}" for channel in _TO_LANES]
    hub += [
        f"topic readwrite {topic}" for topic in (all_cases(port), all_lanes(port, Channel.HELP))
    ]  # it may have screens
    hub += [f"topic read {all_window_sources(port)}", f"topic write {PREFIX}/{port}/window/+/receipt"]
    console = [f"topic read {all_lanes(port, channel)}" for channel in (Channel.STATUS, Channel.STATE)]
    console += [f"topic read {all_cases(port)}", f"topic readwrite {all_lanes(port, Channel.HELP)}"]
    lanes = [f"pattern write {PREFIX}/{port}/%u/{channel.value}" for channel in _FROM_LANES]
    lanes += [f"pattern read {PREFIX}/{port}/%u/{channel.value}" for channel in _TO_LANES]
    sources = [f"pattern write {PREFIX}/{port}/window/%u/submit", f"pattern read {PREFIX}/{port}/window/%u/receipt"]
    parts = [
        ["# Made by 'gate keys init'; names are the common names of certificates.", f"user {hub_identity(port)}", *hub],
        [f"user {console_identity(port)}", *console],
        ["# Everybody, which is each lane, below its own name:", *lanes],
        ["# Each source of the single window, below its own name:", *sources],
    ]
    return "\n\n".join("\n".join(part) for part in parts) + "\n"


def settings(*, folder: Path, listen: str, port: int, storage: Path) -> str:
    """``mosquitto.conf`` for a port's broker, with the certificates and the access list in ``folder``."""
    return f"""\
# Made by 'gate keys init'. mosquitto 2.0; docs/scaling.md says why for each line.
per_listener_settings false
listener {port} {listen}
cafile {folder}/ca.pem
certfile {folder}/broker.pem
keyfile {folder}/broker.key
require_certificate true
use_identity_as_username true
tls_version tlsv1.2
allow_anonymous false
acl_file {folder}/acl

# Small messages at once: otherwise each hop may wait 40 ms for an acknowledgement.
set_tcp_nodelay true
# A hub that restarts finds what came meanwhile, however much; it takes many at once and commits them together.
max_queued_messages 0
max_inflight_messages 10000
max_packet_size 1048576
# Sessions outlive a broker that is killed. What is lost all the same comes again from the lanes' outboxes.
persistence true
persistence_location {storage}/
autosave_on_changes true
autosave_interval 1000
persistent_client_expiration 14d
"""
