"""A hub with its screens in a process of its own, as a port runs it: ``python port_process.py FOLDER HTTP_PORT BROKER_PORT``."""

import sys
from pathlib import Path

import uvicorn
from port_kit import LANES, OFFICERS, PASSWORD, make_site

from gate.console.app import mount_console
from gate.core.clock import SystemClock
from gate.hub.api import create_api
from gate.hub.service import Hub
from gate.wire.signing import SigningKey, VerifyKey


def main(folder: Path, http_port: int, broker_port: int) -> None:
    site = make_site(folder, http_port=http_port, broker_port=broker_port)
    clock = SystemClock()
    lane_keys = {lane: VerifyKey.load(site.keys_dir / f"lane-{lane}.pub.pem") for lane in LANES}
    hub = Hub(site, SigningKey.load(site.keys_dir / "hub.pem"), lane_keys, clock)
    hub.start()
    known = {officer.user for officer in hub.accounts.all()}
    for user, name, roles in OFFICERS:
        if user not in known:
            hub.accounts.add(user=user, name=name, password=PASSWORD, roles=roles)
    app = create_api(hub)
    mount_console(app, site, hub_url=site.hub.url, clock=clock)
    try:
        uvicorn.run(app, host="127.0.0.1", port=http_port, log_level="warning", timeout_graceful_shutdown=1)
    finally:
        hub.stop()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
