"""What a hub does beside its work: sign what its audit log is, and erase evidence whose time is over. On a thread of its own."""

import threading

import structlog
from sqlalchemy import func, select
from sqlalchemy.exc import DBAPIError

from gate.hub.audit.log import head
from gate.hub.audit.witness import Witness
from gate.hub.evidence.keeper import EvidenceKeeper
from gate.hub.schema import AUDIT_CHECKPOINTS
from gate.hub.store import Store

log = structlog.get_logger(__name__)

PERIOD_S = 5.0
CHECKPOINT_EVERY = 12
"""Of so many rounds one signs the log, if it has grown: once a minute."""
JOIN_S = 10.0


class Upkeep:
    """Runs until stopped; what fails is tried again the next time."""

    def __init__(self, store: Store, witness: Witness, keeper: EvidenceKeeper) -> None:
        self._store = store
        self.witness = witness
        self.keeper = keeper
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="hub-upkeep", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """May be called twice, and without a start."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(JOIN_S)

    def sign(self) -> bool:
        """Sign the log, if it has grown since the last time."""
        with self._store.read() as connection:
            signed = connection.scalar(select(func.max(AUDIT_CHECKPOINTS.c.size))) or 0
            if head(connection).size <= signed:
                return False
        with self._store.write() as connection:
            self.witness.checkpoint(connection)
        return True

    def _run(self) -> None:
        rounds = 0
        while not self._stopping.wait(PERIOD_S):
            rounds += 1
            try:
                if (erased := self.keeper.sweep()) > 0:
                    log.info("evidence_erased", count=erased)
                if rounds % CHECKPOINT_EVERY == 0:
                    self.sign()
            except (DBAPIError, OSError) as error:
                log.error("upkeep_failed", error=str(error)[:500])
