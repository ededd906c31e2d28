"""What the hub and each of its workers are made of alike."""

from dataclasses import dataclass

from config.schema import Site
from gate.core.clock import Clock
from gate.hub.commands import CommandBook
from gate.hub.desk import CaseDesk
from gate.hub.ingest import Ingest
from gate.hub.live import LiveBoard
from gate.hub.metrics import Metrics
from gate.hub.rules import SiteRules
from gate.hub.store import Store
from gate.wire.signing import SigningKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    book: CommandBook
    desk: CaseDesk
    ingest: Ingest


def make_parts(site: Site, key: SigningKey, *, store: Store, board: LiveBoard, metrics: Metrics, clock: Clock) -> Parts:
    """From a message to a row and a command, by the site's settings."""
    book = CommandBook(
        issuer=site.hub.name, port=site.port.id, key=key, lifetime_s=site.hub.command_lifetime_s, clock=clock
    )
    desk = CaseDesk(
        port=site.port.id,
        rules=SiteRules.of(site),
        book=book,
        clock=clock,
        release_max_age_ms=site.policy.inside_limit_ms,
    )
    ingest = Ingest(
        port=site.port.id,
        lanes=[lane.id for lane in site.lanes],
        store=store,
        desk=desk,
        book=book,
        board=board,
        metrics=metrics,
        clock=clock,
    )
    return Parts(book=book, desk=desk, ingest=ingest)
