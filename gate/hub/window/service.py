"""What the single window does by itself, on one thread: submissions from the broker and the drop folder, and what is over forgotten."""

import json
from collections.abc import Callable, Mapping

import structlog

from config.schema import Site
from gate.core.clock import Clock
from gate.hub.heard import Incoming
from gate.hub.link import BrokerLink, Listening
from gate.hub.metrics import Metrics
from gate.hub.pump import Pump
from gate.hub.window.desk import WindowDesk
from gate.hub.window.drop import DropFolder
from gate.hub.window.intake import Conflict, Taken
from gate.hub.window.sealed import Source, load_sources, seal_key, unseal
from gate.wire.signing import Refused
from gate.wire.topics import all_window_sources, window_source, window_topic

log = structlog.get_logger(__name__)
SWEEP_EVERY_MS = 3_600_000
LOOK_EVERY_MS = 1_000


class WindowService:
    """Runs between :meth:`start` and :meth:`stop`. What the database refuses is offered again; the broker keeps what was not taken."""

    def __init__(
        self, desk: WindowDesk, *, site: Site, parcels: Callable[[], int], metrics: Metrics, clock: Clock
    ) -> None:
        """``parcels`` opens and ends the cases of parcels."""
        self._desk = desk
        self._parcels = parcels
        self._site = site
        self._metrics = metrics
        self._clock = clock
        self._sources: Mapping[str, Source] = {}
        folder = site.window.drop_dir
        self._drop = DropFolder(folder, desk.take) if folder is not None else None
        self._next_sweep_ms = 0
        self._next_look_ms = 0
        self._pump = Pump(take=self.take, set_aside=self._set_aside, tick=self.tick, metrics=metrics, clock=clock)
        self._link: BrokerLink | None = None

    def start(self) -> None:
        """Begin; returns at once. HubError or GateError when keys or the rules of entry cannot be used."""
        self._desk.check()
        self._sources = load_sources(self._site.keys_dir)
        self._pump.start()
        if self._sources:
            seal_key(self._site.keys_dir)
            self._link = BrokerLink(
                broker=self._site.broker,
                client_id=f"tongguan-window-{self._site.port.id}-{self._site.hub.name}",
                listening=Listening(filters=((all_window_sources(self._site.port.id), 1),)),
                clock=self._clock,
                on_messages=self._pump.put_all,
                on_change=lambda is_ready: log.info("window_listens", is_ready=is_ready),
            )
            self._link.start()

    def stop(self) -> None:
        """May be called twice, and without a start."""
        if self._link is not None:
            self._link.stop()
            self._link = None
        self._pump.stop()

    def tick(self) -> None:
        """Look into the drop folder, and now and then forget what is over."""
        now_ms = self._clock.utc_ms()
        self._parcels()
        if self._drop is not None and now_ms >= self._next_look_ms:
            self._next_look_ms = now_ms + LOOK_EVERY_MS
            self._drop.look()
        if now_ms >= self._next_sweep_ms:
            self._next_sweep_ms = now_ms + SWEEP_EVERY_MS
            gone = self._desk.sweep()
            if gone:
                log.info("window_records_forgotten", count=gone)

    def take(self, batch: list[Incoming]) -> None:
        """Take submissions off the broker: committed first, then answered, then acknowledged."""
        for message in batch:
            source = window_source(message.topic, self._site.port.id)
            answer = None if source is None else self._answer(source, message.payload)
            if source is not None and answer is not None and self._link is not None:
                self._link.publish(window_topic(self._site.port.id, source, "receipt"), answer, qos=1)
            if self._link is not None:
                self._link.acknowledge([message])

    def _answer(self, source: str, payload: bytes) -> str | None:
        """What the source is told, in which nothing is personal: of errors the places only. None for what is not believed."""
        submission = unseal(
            payload,
            source=source,
            sources=self._sources,
            key=seal_key(self._site.keys_dir),
            now_s=self._clock.utc_ms() / 1000,
        )
        if isinstance(submission, Refused):
            log.warning("submission_refused", source=source, reason=submission.reason)
            self._metrics.rejected.labels(reason=f"window_{submission.reason}").inc()
            return None
        taken = self._desk.take(submission)
        name = (submission.submission_id or "").removeprefix(f"{source}:")
        return json.dumps({"id": name} | _told(taken))

    def _set_aside(self, message: Incoming) -> None:
        log.error("submission_failed", topic=message.topic[:200], size=len(message.payload))
        self._metrics.rejected.labels(reason="window_internal_error").inc()
        if self._link is not None:
            self._link.acknowledge([message])


def _told(taken: Taken | Conflict) -> dict[str, object]:
    if isinstance(taken, Conflict):
        return {"problem": "id_used"}
    places = ("segment", "line", "field", "record")
    return {
        "records": taken.accepted,
        "refused": taken.refused,
        "errors": [{place: error.to_json()[place] for place in places} for error in taken.errors],
        "receipt": taken.receipt,
    }
