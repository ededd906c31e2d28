"""A hub without its screens, or a worker, as a process of its own to be measured and killed.

``python -m simulator.hub_process SITE_FILE [WORKER_NUMBER]``; it writes two lines: the monotonic times (ns) at
which it set out to connect, and at which it was subscribed.
"""

import logging
import signal
import sys
import time
from pathlib import Path

import structlog

from config.loader import load_site
from gate.core.clock import SystemClock
from gate.hub.service import Hub
from gate.hub.worker import IngestWorker
from gate.wire.keyring import Keyring


def main() -> None:
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    site = load_site(Path(sys.argv[1]))
    keys = Keyring(site.keys_dir)
    program: Hub | IngestWorker
    if len(sys.argv) > 2:
        program = IngestWorker(site, keys.hub(), SystemClock(), number=int(sys.argv[2]))
    else:
        program = Hub(site, keys.hub(), {lane.id: keys.lane_public(lane.id) for lane in site.lanes}, SystemClock())
    program.start()
    print(time.monotonic_ns(), flush=True)
    while signal.sigtimedwait({signal.SIGTERM}, 0.005) is None:
        if program.is_broker_ready:
            print(time.monotonic_ns(), flush=True)
            signal.sigwait({signal.SIGTERM})
            break
    program.stop()


if __name__ == "__main__":
    main()
