"""The one thread on which a hub or a worker takes what the broker delivers, in batches, and tries again while the database refuses."""

import queue
import threading
from collections.abc import Callable, Iterable

import structlog
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError

from gate.core.clock import Clock
from gate.hub.heard import Incoming
from gate.hub.metrics import Metrics

log = structlog.get_logger(__name__)

BATCH = 2000
"""At most so many messages are one transaction; a quiet port commits each as it comes."""
TICK_S = 0.5
JOIN_S = 10.0
RETRY_PAUSES_S = (0.05, 0.2, 1.0, 5.0)


class Pump:
    """``take`` commits a batch, ``set_aside`` keeps a message that broke us, ``tick`` does what is due in between.

    DBAPIError means that the database cannot take anything now: the batch is offered again. Anything else that ``take`` raises is a bug
    of ours that one message met, and must not stop the other lanes.
    """

    def __init__(
        self,
        *,
        take: Callable[[list[Incoming]], None],
        set_aside: Callable[[Incoming], None],
        tick: Callable[[], None],
        metrics: Metrics,
        clock: Clock,
    ) -> None:
        self._take_in = take
        self._set_aside = set_aside
        self._tick = tick
        self._metrics = metrics
        self._clock = clock
        self._queue: queue.SimpleQueue[Incoming | None] = queue.SimpleQueue()
        self._stopping = threading.Event()
        self._is_hurried = threading.Event()
        self._thread = threading.Thread(target=self._run, name="hub-ingest", daemon=True)

    @property
    def has_more(self) -> bool:
        """Whether more has come while a batch was taken."""
        return not self._queue.empty()

    def put_all(self, messages: Iterable[Incoming]) -> None:
        """From any thread."""
        for message in messages:
            self._queue.put(message)

    def hurry(self) -> None:
        """Tick as soon as the batch in hand is done."""
        self._is_hurried.set()
        self._queue.put(None)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """End the thread; what is in the queue stays with the broker. May be called twice, and before :meth:`start`."""
        self._stopping.set()
        self._queue.put(None)
        if self._thread.is_alive():
            self._thread.join(JOIN_S)

    @property
    def is_alive(self) -> bool:
        return self._thread.is_alive()

    def _run(self) -> None:
        pending: list[Incoming] = []
        failures = 0
        next_tick_ns = 0
        while not self._stopping.is_set():
            try:
                if not pending:
                    pending = self._next_batch()
                if pending:
                    self._take(pending)
                    pending = []
                if self._clock.monotonic_ns() >= next_tick_ns or self._is_hurried.is_set():
                    self._is_hurried.clear()
                    next_tick_ns = self._clock.monotonic_ns() + int(TICK_S * 1e9)
                    self._tick()
                failures = 0
            except DBAPIError as error:
                # Nothing is lost: neither the broker nor the lane was told that these are safe.
                self._metrics.retries.inc()
                pause_s = RETRY_PAUSES_S[min(failures, len(RETRY_PAUSES_S) - 1)]
                failures += 1
                log.error("store_refused", error=str(error.orig), waiting=len(pending), retry_in_s=pause_s)
                self._stopping.wait(pause_s)

    def _next_batch(self) -> list[Incoming]:
        batch: list[Incoming] = []
        try:
            first = self._queue.get(timeout=TICK_S)
            while first is not None:
                batch.append(first)
                if len(batch) == BATCH:
                    break
                first = self._queue.get_nowait()
        except queue.Empty:
            pass
        return batch

    def _take(self, batch: list[Incoming]) -> None:
        try:
            self._take_in(batch)
        except Exception as error:
            if _is_refusal(error):
                raise
            log.exception("batch_failed", size=len(batch))
            for message in batch:
                self._take_alone(message)

    def _take_alone(self, message: Incoming) -> None:
        """After a bug of ours struck a batch: no lane may stop because of what another sent."""
        try:
            self._take_in([message])
        except Exception as error:
            if _is_refusal(error):
                raise
            log.exception("message_failed", topic=message.topic)
            self._set_aside(message)


def _is_refusal(error: Exception) -> bool:
    """Whether the database may take the same later. Values that it can never hold are our bug: they should not have got so far."""
    return isinstance(error, DBAPIError) and not isinstance(error, DataError | IntegrityError)
