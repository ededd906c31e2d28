"""The hub of one port: store, cases, accounts and the broker link, with the one thread that takes lanes' messages in."""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection

from config.schema import Site
from gate.core.clock import Clock
from gate.core.joint_release import VerdictKind
from gate.hub.accounts import Accounts
from gate.hub.audit.keys import log_key
from gate.hub.audit.log import AuditKind, Entry
from gate.hub.audit.witness import Witness
from gate.hub.bell import Bell
from gate.hub.blobs import BlobStore
from gate.hub.commands import Order, Outgoing
from gate.hub.desk import CaseDesk, Changes, VerdictNotTaken
from gate.hub.evidence.keeper import EvidenceKeeper
from gate.hub.evidence.keys import EvidenceKeys
from gate.hub.flow import FlowDesk
from gate.hub.forecast import ForecastHook
from gate.hub.heard import Incoming
from gate.hub.link import BrokerLink, Listening
from gate.hub.live import LiveBoard
from gate.hub.looks import LookLog
from gate.hub.metrics import Metrics
from gate.hub.oidc import IdentityProvider
from gate.hub.parts import make_parts
from gate.hub.pump import Pump
from gate.hub.risk import RiskDesk, sampling_secret
from gate.hub.store import Store
from gate.hub.telling import Teller
from gate.hub.together import Together
from gate.hub.upkeep import Upkeep
from gate.hub.watchlist.shelf import WatchShelf
from gate.hub.window.desk import WindowDesk
from gate.hub.window.service import WindowService
from gate.wire.messages import Act, CaseChanged
from gate.wire.signing import SigningKey, Verifier, VerifyKey


def database_url(site: Site) -> str:
    """The site's own, or SQLite in its state folder."""
    return site.hub.database_url or f"sqlite:///{(site.state_dir / 'hub.db').absolute()}"


Result = TypeVar("Result")


def _identity(site: Site, clock: Clock) -> IdentityProvider | None:
    if site.hub.oidc is None:
        return None
    callback_url = f"{site.hub.url.rstrip('/')}/api/v1/oidc/callback"
    return IdentityProvider(site.hub.oidc, port=site.port.id, callback_url=callback_url, clock=clock)


@dataclass(frozen=True, slots=True, kw_only=True)
class Desks:
    """Where officers' words are taken."""

    cases: CaseDesk
    together: Together


class Hub:
    """One port's hub. ``lane_keys`` maps lane ids to the public keys with which they sign their requests: one, or two that overlap."""

    def __init__(
        self, site: Site, key: SigningKey, lane_keys: Mapping[str, VerifyKey | Sequence[VerifyKey]], clock: Clock
    ) -> None:
        self.site = site
        self.clock = clock
        self.metrics = Metrics()
        self.forecast = ForecastHook()
        url = database_url(site)
        self.store = Store(url)
        self._looks = LookLog(self.store)
        self._has_workers = site.hub.ingest_workers > 0
        self.blobs = BlobStore(Path(site.state_dir) / "evidence", EvidenceKeys(site.keys_dir))
        self.upkeep = Upkeep(
            self.store,
            Witness(port=site.port.id, hub=site.hub.name, key=log_key(site.keys_dir), clock=clock),
            EvidenceKeeper(self.store, self.blobs, retention=site.retention, clock=clock),
        )
        self.identity = _identity(site, clock)
        self.accounts = Accounts(self.store, clock=clock, site=site)
        lanes = [lane.id for lane in site.lanes]
        self.board = LiveBoard(lanes, clock)
        owned = [
            (key, f"{site.port.id}/{lane}")
            for lane, own in lane_keys.items()
            for key in ((own,) if isinstance(own, VerifyKey) else own)
        ]
        self.lane_verifier = Verifier.trusting(*(key for key, _ in owned))
        self.lane_owners = {key.kid: address for key, address in owned}
        self._parts = make_parts(site, key, store=self.store, board=self.board, metrics=self.metrics, clock=clock)
        self._book, self._desk, self._ingest = self._parts.book, self._parts.desk, self._parts.ingest
        self.watchlist = WatchShelf(
            store=self.store,
            folder=Path(site.state_dir) / "watchlist",
            key=key,
            port=site.port.id,
            clock=clock,
            max_age_s=site.watchlist.max_age_s,
        )
        self.flow = FlowDesk(site=site, store=self.store, clock=clock)
        self.forecast.source = self.flow.hours
        self.risk = RiskDesk(site=site, store=self.store, secret=sampling_secret(site.keys_dir), clock=clock)
        self.window = WindowDesk(site=site, key=key, store=self.store, blobs=self.blobs, clock=clock)
        self._window_service = WindowService(
            self.window, site=site, parcels=self.see_to_parcels, metrics=self.metrics, clock=clock
        )
        self._desks = Desks(cases=self._desk, together=Together(self._desk, clock))
        self._pump = Pump(
            take=self.take_in, set_aside=self._set_aside, tick=self.tick, metrics=self.metrics, clock=clock
        )
        self._link = BrokerLink(
            broker=site.broker,
            client_id=f"tongguan-hub-{site.port.id}-{site.hub.name}",
            listening=Listening.to_lanes_only(site.port.id) if self._has_workers else Listening.to_all(site.port.id),
            clock=clock,
            on_messages=self._pump.put_all,
            on_change=self._broker_changed,
        )
        self._teller = Teller(port=site.port.id, link=self._link, key=key, clock=clock)
        self._bell = Bell(url, self._send_new) if self._has_workers else None
        self._sent_seq = 0
        self._must_publish_again = threading.Event()

    def start(self) -> None:
        """Bring the database up to date and begin to listen; returns at once. HubError when either cannot be used."""
        self.store.migrate()
        self._pump.start()
        self.upkeep.start()
        self._window_service.start()
        self.flow.start()
        self._link.start()
        if self._bell is not None:
            self._bell.start()

    def stop(self) -> None:
        """End the threads; what was not committed stays with the lanes and the broker. May be called twice."""
        if self._bell is not None:
            self._bell.stop()
        self._link.stop()
        self._pump.stop()
        self.flow.stop()
        self._window_service.stop()
        self.upkeep.stop()
        if self.identity is not None:
            self.identity.close()
        self.store.close()

    @property
    def is_ready(self) -> bool:
        """Whether lanes' events are being taken in now."""
        return self.is_broker_ready and self._pump.is_alive and self.store.is_answering()

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
        self._teller.receipts(taken.receipts, is_busy=self._pump.has_more)
        self._teller.refusals(taken.refused)
        self._teller.cases(taken.changes.cases)
        for lane in taken.came_online:
            self._repeat(lane)
        self._link.acknowledge(batch)

    def at_desk(
        self, work: Callable[[Connection, Desks], tuple[Changes, Result] | VerdictNotTaken]
    ) -> Result | VerdictNotTaken:
        """Let an officer's word be taken in one transaction, and tell what came of it once that is committed."""
        with self.store.serialised():
            with self.store.write() as connection:
                done = work(connection, self._desks)
            if isinstance(done, VerdictNotTaken):
                return done
            changes, result = done
            self._announce(changes)
            for command in changes.commands:
                self.metrics.commands.labels(act=command.act.value).inc()
        return result

    def see_to_parcels(self) -> int:
        """Open the cases of parcels that were announced, and end those that are decided; how many changed."""

        def see_to(connection: Connection, desks: Desks) -> tuple[Changes, int]:
            touched = self.window.parcels.announce(connection, now_ms=self.clock.utc_ms())
            touched += self.window.parcels.finish(connection, now_ms=self.clock.utc_ms())
            return desks.cases.refresh(connection, touched), len(touched)

        with self.store.read() as connection:
            if not self.window.parcels.has_work(connection):
                return 0
        done = self.at_desk(see_to)
        return done if isinstance(done, int) else 0

    def give_verdict(
        self,
        *,
        case_id: str,
        role: str,
        kind: VerdictKind,
        digest: str,
        author: str,
        reason: str,
        seen_number: int | None = None,
        request_id: str | None = None,
    ) -> VerdictNotTaken | None:
        """Take an officer's verdict; None when it was taken."""

        def take(connection: Connection, desks: Desks) -> tuple[Changes, None] | VerdictNotTaken:
            taken = desks.cases.take_verdict(
                connection,
                case_id=case_id,
                role=role,
                kind=kind,
                digest=digest,
                author=author,
                reason=reason,
                seen_number=seen_number,
                request_id=request_id,
            )
            return taken if isinstance(taken, VerdictNotTaken) else (taken, None)

        return self.at_desk(take)

    def send_back(self, *, case_id: str, author: str, reason: str) -> str | VerdictNotTaken:
        """Let the traveller out by the way they came; the command's id."""

        def send(connection: Connection, desks: Desks) -> tuple[Changes, str] | VerdictNotTaken:
            result = desks.cases.send_back(connection, case_id=case_id, author=author, reason=reason)
            if isinstance(result, VerdictNotTaken):
                return result
            changes = Changes(commands=(result,)) + desks.cases.refresh(connection, [case_id])
            return changes, result.command_id

        return self.at_desk(send)

    def record(self, kind: AuditKind, *, who: str, case_id: str | None = None, data: Mapping[str, Any]) -> None:
        """Write down in the audit log, on disk on return, what nothing else records: a look, for example."""
        self._looks.record(Entry(at_ms=self.clock.utc_ms(), kind=kind, who=who, case_id=case_id, data=data))

    def command_lane(self, *, lane: str, act: Act, author: str) -> str:
        """Send a lane an order that concerns no case; the command's id. ValueError for an act that needs one."""
        return self.command_lanes([lane], act=act, author=author)[0]

    def command_lanes(self, lanes: Sequence[str], *, act: Act, author: str) -> list[str]:
        """Send these lanes the same order, all or none; the commands' ids. ValueError for an act that needs a case."""
        if act in (Act.RELEASE, Act.FORCE_OPEN, Act.SEND_BACK):
            raise ValueError(f"{act.value} belongs to a case")
        orders = [Order(lane=lane, act=act, author=author) for lane in lanes]
        with self.store.serialised():
            with self.store.write() as connection:
                commands = self._book.issue_all(connection, orders)
            self._announce(Changes(commands=tuple(commands)))
        return [command.command_id for command in commands]

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
                    changes = self._ingest.project(connection, self._book.settle_expired(connection))
                self._announce(changes)
            self._announce(self._ingest.catch_up())
            self._send_new()
            if self._link.is_ready and self._must_publish_again.is_set():
                self._must_publish_again.clear()
                self._repeat(None)

    def _set_aside(self, message: Incoming) -> None:
        self._ingest.set_aside(message, "internal_error")
        self._link.acknowledge([message])

    def _announce(self, changes: Changes) -> None:
        self._publish_commands(changes.commands)
        self._teller.cases(changes.cases)

    def _publish_commands(self, commands: Sequence[Outgoing]) -> None:
        """Call it with the pen still in hand, so that numbers go out in their order."""
        if self._has_workers:
            if commands:
                self._send_new()  # a worker's of a lower number may be among those that are not sent yet
        else:
            self._teller.commands(commands)

    def _send_new(self) -> None:
        """Send what any process has issued since the last time; they are committed in the order of their numbers."""
        if not self._has_workers:
            return
        with self.store.serialised():
            with self.store.read() as connection:
                commands = self._book.unanswered(connection, after_seq=self._sent_seq)
            self._teller.commands(commands)
            self._sent_seq = max((command.record.seq for command in commands), default=self._sent_seq)

    def _repeat(self, lane: str | None) -> None:
        """Publish again what is unanswered: the lane takes a number once, so this can only help."""
        with self.store.serialised():
            with self.store.read() as connection:
                commands = self._book.unanswered(connection, lane)
            self._teller.commands(commands)

    def _broker_changed(self, is_ready: bool) -> None:
        self.metrics.is_connected.set(1 if is_ready else 0)
        if is_ready:
            self._must_publish_again.set()
            self._pump.hurry()
        else:
            self.board.forget()
