"""The hub of one port: store, cases, accounts and the broker link, with the one thread that takes lanes' messages in."""

import queue
import threading
from collections.abc import Mapping
from pathlib import Path

import structlog
from sqlalchemy.exc import DBAPIError

from config.schema import Site
from gate.core.clock import Clock
from gate.core.joint_release import VerdictKind
from gate.hub.accounts import Accounts
from gate.hub.blobs import BlobStore
from gate.hub.commands import CommandBook, Outgoing
from gate.hub.desk import CaseDesk, Changes, VerdictNotTaken
from gate.hub.ingest import Incoming, Ingest, Taken
from gate.hub.link import BrokerLink
from gate.hub.live import LiveBoard
from gate.hub.metrics import Metrics
from gate.hub.rules import SiteRules
from gate.hub.store import Store
from gate.wire.messages import Act, CaseChanged, Receipt
from gate.wire.signing import SigningKey, Verifier, VerifyKey, sign_receipt
from gate.wire.topics import Channel, case_topic, lane_topic

log = structlog.get_logger(__name__)

BATCH = 200
TICK_S = 0.5
JOIN_S = 10.0
RETRY_PAUSES_S = (0.05, 0.2, 1.0, 5.0)


def database_url(site: Site) -> str:
    """The site's own, or SQLite in its state folder."""
    return site.hub.database_url or f"sqlite:///{(site.state_dir / 'hub.db').absolute()}"


class Hub:
    """One port's hub. ``lane_keys`` maps lane ids to the public keys with which they sign their requests."""

    def __init__(self, site: Site, key: SigningKey, lane_keys: Mapping[str, VerifyKey], clock: Clock) -> None:
        self.site = site
        self.clock = clock
        self.metrics = Metrics()
        self.store = Store(database_url(site))
        self.blobs = BlobStore(Path(site.state_dir) / "evidence")
        self.accounts = Accounts(self.store, clock=clock, site=site)
        lanes = [lane.id for lane in site.lanes]
        self.board = LiveBoard(lanes, clock)
        self.lane_verifier = Verifier.trusting(*lane_keys.values())
        self.lane_owners = {lane_key.kid: f"{site.port.id}/{lane}" for lane, lane_key in lane_keys.items()}
        self._key = key
        self._book = CommandBook(
            issuer=site.hub.name,
            port=site.port.id,
            key=key,
            lifetime_s=site.hub.command_lifetime_s,
            clock=clock,
        )
        self._desk = CaseDesk(
            port=site.port.id,
            rules=SiteRules.of(site),
            book=self._book,
            clock=clock,
            release_max_age_ms=site.policy.inside_limit_ms,
        )
        self._ingest = Ingest(
            port=site.port.id,
            lanes=lanes,
            store=self.store,
            desk=self._desk,
            book=self._book,
            board=self.board,
            metrics=self.metrics,
            clock=clock,
        )
        self._queue: queue.SimpleQueue[Incoming | None] = queue.SimpleQueue()
        self._link = BrokerLink(
            broker=site.broker,
            port=site.port.id,
            client_id=f"tongguan-hub-{site.port.id}-{site.hub.name}",
            clock=clock,
            on_message=self._queue.put,
            on_change=self._broker_changed,
        )
        self._stopping = threading.Event()
        self._must_publish_again = threading.Event()
        self._worker = threading.Thread(target=self._run, name="hub-ingest", daemon=True)

    def start(self) -> None:
        """Bring the database up to date and begin to listen; returns at once. HubError when either cannot be used."""
        self.store.migrate()
        self._worker.start()
        self._link.start()

    def stop(self) -> None:
        """End the threads; what was not committed stays with the lanes and the broker. May be called twice."""
        self._stopping.set()
        self._queue.put(None)
        self._link.stop()
        if self._worker.is_alive():
            self._worker.join(JOIN_S)
        self.store.close()

    @property
    def is_ready(self) -> bool:
        """Whether lanes' events are being taken in now."""
        return self.is_broker_ready and self._worker.is_alive() and self.store.is_answering()

    @property
    def is_broker_ready(self) -> bool:
        return self._link.is_ready

    @property
    def is_settled(self) -> bool:
        """Ready, and what a broker may have missed while the link was down has been published again."""
        return self.is_ready and not self._must_publish_again.is_set()

    def take_in(self, batch: list[Incoming]) -> None:
        """Commit a batch, then tell: commands first, receipts, case changes; last the broker, which may then forget it."""
        with self.store.serialised():
            taken = self._ingest.take(batch)
            self._publish_commands(taken.changes.commands)
        self._tell(taken)
        for message in batch:
            self._link.acknowledge(message)

    def give_verdict(
        self, *, case_id: str, role: str, kind: VerdictKind, digest: str, author: str, reason: str
    ) -> VerdictNotTaken | None:
        """Take an officer's verdict; None when it was taken."""
        with self.store.serialised():
            with self.store.write() as connection:
                result = self._desk.take_verdict(
                    connection, case_id=case_id, role=role, kind=kind, digest=digest, author=author, reason=reason
                )
            if isinstance(result, VerdictNotTaken):
                return result
            self._announce(result)
            for command in result.commands:
                self.metrics.commands.labels(act=command.act.value).inc()
        return None

    def send_back(self, *, case_id: str, author: str, reason: str) -> str | VerdictNotTaken:
        """Let the traveller out by the way they came; the command's id."""
        with self.store.serialised():
            with self.store.write() as connection:
                result = self._desk.send_back(connection, case_id=case_id, author=author, reason=reason)
                changes = (
                    Changes() if isinstance(result, VerdictNotTaken) else self._desk.refresh(connection, [case_id])
                )
            if isinstance(result, VerdictNotTaken):
                return result
            self._announce(Changes(commands=(result,)) + changes)
        return result.command_id

    def command_lane(self, *, lane: str, act: Act, author: str) -> str:
        """Send a lane an order that concerns no case; the command's id. ValueError for an act that needs one."""
        if act in (Act.RELEASE, Act.SEND_BACK):
            raise ValueError(f"{act.value} belongs to a case")
        with self.store.serialised():
            with self.store.write() as connection:
                command = self._book.issue(connection, lane=lane, act=act, author=author)
            self._announce(Changes(commands=(command,)))
        return command.command_id

    def case_touched(self, case_id: str) -> None:
        """Something that is shown with the case, but is no event, arrived: screens should look again."""
        with self.store.read() as connection:
            view = self._desk.view(connection, case_id)
        if view is not None:
            self._announce(
                Changes(
                    cases=(
                        CaseChanged(
                            case_id=case_id,
                            lane=view.lane,
                            revision=view.joint.evidence_revision,
                            status=view.status.value,
                            verdicts=view.verdict_kinds(),
                        ),
                    )
                )
            )

    def rebuild(self) -> None:
        """Make the projections again from what is stored."""
        with self.store.write() as connection:
            self._desk.rebuild(connection)

    def tick(self) -> None:
        """Write off commands whose time ran out, and repeat those that a broker or a lane may have missed."""
        with self.store.serialised():
            with self.store.read() as connection:
                is_due = self._book.has_expired(connection)
            if is_due:
                with self.store.write() as connection:
                    changes = self._desk.refresh(connection, self._book.settle_expired(connection))
                self._announce(changes)
            if self._link.is_ready and self._must_publish_again.is_set():
                self._must_publish_again.clear()
                self._repeat(None)

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
                if self.clock.monotonic_ns() >= next_tick_ns or self._must_publish_again.is_set():
                    next_tick_ns = self.clock.monotonic_ns() + int(TICK_S * 1e9)
                    self.tick()
                failures = 0
            except DBAPIError as error:
                # Nothing is lost: neither the broker nor the lane was told that these are safe.
                self.metrics.retries.inc()
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
            self.take_in(batch)
        except DBAPIError:
            raise
        except Exception:
            log.exception("batch_failed", size=len(batch))
            for message in batch:
                self._take_alone(message)

    def _take_alone(self, message: Incoming) -> None:
        """After a bug of ours struck a batch: no lane may stop because of what another sent."""
        try:
            self.take_in([message])
        except DBAPIError:
            raise
        except Exception:
            log.exception("message_failed", topic=message.topic)
            self._ingest.set_aside(message, "internal_error")
            self._link.acknowledge(message)

    def _tell(self, taken: Taken) -> None:
        port = self.site.port.id
        now_s = self.clock.utc_ms() / 1000
        for lane, event_ids in taken.receipts.items():
            receipt = Receipt(aud=f"{port}/{lane}", iat=now_s, event_ids=event_ids)
            self._link.publish(lane_topic(port, lane, Channel.RECEIPT), sign_receipt(self._key, receipt), qos=1)
        self._publish_cases(taken.changes.cases)
        for lane in taken.came_online:
            self._repeat(lane)

    def _announce(self, changes: Changes) -> None:
        self._publish_commands(changes.commands)
        self._publish_cases(changes.cases)

    def _publish_commands(self, commands: tuple[Outgoing, ...] | list[Outgoing]) -> None:
        for command in commands:
            topic = lane_topic(self.site.port.id, command.lane, Channel.COMMAND)
            self._link.publish(topic, command.token, qos=1)
            log.info("command_sent", act=command.act.value, lane=command.lane, command_id=command.command_id)

    def _publish_cases(self, cases: tuple[CaseChanged, ...]) -> None:
        for case in cases:
            self._link.publish(case_topic(self.site.port.id, case.case_id), case.model_dump_json(), qos=0)

    def _repeat(self, lane: str | None) -> None:
        """Publish again what is unanswered: the lane takes a number once, so this can only help."""
        with self.store.serialised():
            with self.store.read() as connection:
                commands = self._book.unanswered(connection, lane)
            self._publish_commands(commands)

    def _broker_changed(self, is_ready: bool) -> None:
        self.metrics.is_connected.set(1 if is_ready else 0)
        if is_ready:
            self._must_publish_again.set()
        else:
            self.board.forget()
