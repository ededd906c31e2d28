"""A hub in a process of its own, to be killed: ``python hub_process.py SITE_FILE``; its keys are in the site's folder."""

import signal
import sys
from pathlib import Path

from config.loader import load_site
from gate.core.clock import SystemClock
from gate.hub.service import Hub
from gate.wire.keyring import Keyring


def main() -> None:
    site = load_site(Path(sys.argv[1]))
    keys = Keyring(site.keys_dir)
    hub = Hub(site, keys.hub(), {lane.id: keys.lane_public(lane.id) for lane in site.lanes}, SystemClock())
    hub.start()
    signal.sigwait({signal.SIGTERM})
    hub.stop()


if __name__ == "__main__":
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    main()
