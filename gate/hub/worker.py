"""One of several processes that take a port's events. It stores, projects and receipts; its hub sends the commands and has the screens."""

from config.schema import Site
from gate.core.clock import Clock
from gate.hub.errors import HubError
from gate.hub.heard import Incoming
from gate.hub.link import BrokerLink, Listening, forget_session
from gate.hub.live import LiveBoard
from gate.hub.metrics import Metrics
from gate.hub.parts import make_parts
from gate.hub.pump import Pump
from gate.hub.service import database_url
from gate.hub.store import Store
from gate.hub.telling import Teller
from gate.wire.identity import as_identity, hub_identity
from gate.wire.signing import SigningKey


class IngestWorker:
    """Worker ``number`` (from 1) of ``site.hub.ingest_workers``. Its name at the broker is its own for ever: the session there is kept."""

    def __init__(self, site: Site, key: SigningKey, clock: Clock, *, number: int) -> None:
        """HubError when the site has no such worker."""
        if not 1 <= number <= site.hub.ingest_workers:
            raise HubError(
                f"there is no ingest worker {number} at {site.port.id}: [hub] ingest_workers is {site.hub.ingest_workers}"
            )
        self.metrics = Metrics()
        self.store = Store(database_url(site))
        lanes = [lane.id for lane in site.lanes]
        self._ingest = make_parts(
            site, key, store=self.store, board=LiveBoard(lanes, clock), metrics=self.metrics, clock=clock
        ).ingest
        self._pump = Pump(
            take=self._take, set_aside=self._set_aside, tick=self._catch_up, metrics=self.metrics, clock=clock
        )
        self._link = BrokerLink(
            broker=as_identity(site.broker, hub_identity(site.port.id)),
            client_id=_client_id(site, number),
            listening=_listening(site, number),
            clock=clock,
            on_messages=self._pump.put_all,
            on_change=lambda is_ready: self.metrics.is_connected.set(1 if is_ready else 0),
        )
        self._teller = Teller(port=site.port.id, link=self._link, key=key, clock=clock)

    def start(self) -> None:
        """Bring the database up to date and begin to listen; returns at once. HubError when either cannot be used."""
        self.store.migrate()
        self._pump.start()
        self._link.start()

    def stop(self) -> None:
        """End; what was not committed stays with the broker, for this worker when it comes back."""
        self._link.stop()
        self._pump.stop()
        self.store.close()

    @property
    def is_ready(self) -> bool:
        """Whether events are being taken in now."""
        return self._link.is_ready and self._pump.is_alive and self.store.is_answering()

    @property
    def is_broker_ready(self) -> bool:
        return self._link.is_ready

    def _take(self, batch: list[Incoming]) -> None:
        taken = self._ingest.take(batch)
        self._teller.receipts(taken.receipts, is_busy=self._pump.has_more)
        self._teller.refusals(taken.refused)
        self._teller.cases(taken.changes.cases)
        self._link.acknowledge(batch)
        self._catch_up()

    def _catch_up(self) -> None:
        self._teller.cases(self._ingest.catch_up().cases)

    def _set_aside(self, message: Incoming) -> None:
        self._ingest.set_aside(message, "internal_error")
        self._link.acknowledge([message])


def retire(site: Site, number: int) -> None:
    """Have the broker forget a worker that will not run again: until then it keeps that worker's share for it. HubError when it cannot."""
    broker = as_identity(site.broker, hub_identity(site.port.id))
    forget_session(broker, _client_id(site, number), is_mqtt5=site.hub.ingest_sharing == "broker")


def _client_id(site: Site, number: int) -> str:
    return f"tongguan-ingest-{site.port.id}-{site.hub.name}-{number}"


def _listening(site: Site, number: int) -> Listening:
    if site.hub.ingest_sharing == "broker":
        return Listening.to_a_share(site.port.id)
    own = [lane.id for index, lane in enumerate(site.lanes) if index % site.hub.ingest_workers == number - 1]
    return Listening.to_these(site.port.id, own)
