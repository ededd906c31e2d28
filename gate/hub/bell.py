"""How a worker tells the hub that there are commands to send: PostgreSQL's NOTIFY, which is delivered with the commit."""

import threading
from collections.abc import Callable

import psycopg
import structlog
from sqlalchemy import Connection, text
from sqlalchemy.engine import make_url

log = structlog.get_logger(__name__)

CHANNEL = "tongguan_commands"
_WAIT_S = 0.5
_AGAIN_S = 1.0
_RING = text(f"SELECT pg_notify('{CHANNEL}', '')")


def ring(connection: Connection) -> None:
    """Tell the hub, if and when this transaction commits. Without effect on SQLite, where hub and worker are one process."""
    if connection.dialect.name == "postgresql":
        connection.execute(_RING)


class Bell:
    """Calls ``on_ring`` on a thread of its own. While the database is away it is silent: whoever listens also looks now and then."""

    def __init__(self, url: str, on_ring: Callable[[], None]) -> None:
        self._address = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
        self._on_ring = on_ring
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="hub-bell", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """End the thread. May be called before :meth:`start`."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                with psycopg.connect(self._address, autocommit=True, connect_timeout=2) as connection:
                    connection.execute(f"LISTEN {CHANNEL}".encode())
                    self._on_ring()  # what was rung while nobody listened
                    while not self._stopping.is_set():
                        for _ in connection.notifies(timeout=_WAIT_S, stop_after=1):
                            self._on_ring()
            except psycopg.Error as error:
                log.warning("bell_lost", error=str(error))
                self._stopping.wait(_AGAIN_S)
