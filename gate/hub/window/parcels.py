"""Mail and express parcels as cases without a lane: customs and quarantine see one case, and let it go together, as at a lane.

The hub itself speaks for the place where they lie (:data:`LANE`): evidence when a parcel is announced or changes, a referral to every role
that must release, and the end when all have released it, or when two officers have refused it. Nothing of this opens a door: there is
no occupancy, so no release is ever issued (:attr:`gate.hub.cases.CaseView.may_release`), and no rule releases it either.
"""

import hashlib
import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, func, select, update

from config.schema import Site
from gate.core.effects import CrossingOutcome
from gate.core.evidence import Attachment, Evidence, Finding, Outcome, Stage
from gate.hub.audit import log as audit
from gate.hub.blobs import BlobStore
from gate.hub.cases import CaseStatus
from gate.hub.errors import HubError
from gate.hub.evidence.keeper import keep_row
from gate.hub.schema import CASES, COMMANDS, EVENTS
from gate.hub.store import insert_new
from gate.hub.window.forms import Kind
from gate.hub.window.schema import WINDOW_RECORDS
from gate.wire.messages import (
    Act,
    CloudEvent,
    CrossingDecided,
    CrossingEnded,
    CrossingStarted,
    EventType,
    EvidenceRecorded,
    Message,
    event_source,
    new_event_id,
    utc,
)

LANE = "parcels"
AT_ONCE = 200
"""Parcels of one transaction."""


def case_of(tracking_number: str) -> str:
    """The case of a parcel."""
    return f"parcel-{tracking_number}"


class ParcelDesk:
    """Opens, changes and ends the cases of parcels, inside the caller's transactions."""

    def __init__(self, *, site: Site, blobs: BlobStore) -> None:
        """HubError when a lane of the site has the parcels' own name."""
        if site.lane(LANE) is not None:
            raise HubError(f"a lane may not be called {LANE!r}, which stands for mail and parcels: give it another id")
        self._port = site.port.id
        self._roles = sorted(role.id for role in site.roles if role.is_required) or sorted(
            role.id for role in site.roles
        )
        self._blobs = blobs

    def has_work(self, connection: Connection) -> bool:
        """Whether :meth:`announce` or :meth:`finish` would find anything."""
        table = WINDOW_RECORDS
        new = select(table.c.key).where(table.c.kind == Kind.PARCEL.value, table.c.used_case_id.is_(None)).limit(1)
        return connection.scalar(new) is not None or bool(_released(connection) or _sent_back(connection))

    def announce(self, connection: Connection, *, now_ms: int) -> list[str]:
        """Open or extend the cases of parcels that no case has seen yet, as they are on record now; the cases."""
        table = WINDOW_RECORDS
        rows = connection.execute(
            select(table)
            .where(table.c.kind == Kind.PARCEL.value, table.c.used_case_id.is_(None))
            .order_by(table.c.at_ms, table.c.key)
            .limit(AT_ONCE)
        ).all()
        touched = []
        for row in rows:
            case_id = case_of(json.loads(row.body)["tracking_number"])
            connection.execute(update(table).where(table.c.key == row.key).values(used_case_id=case_id, used_ms=now_ms))
            held: Row[Any] | None = connection.execute(select(CASES).where(CASES.c.case_id == case_id)).first()
            if held is not None and held.status == CaseStatus.CLOSED.value:
                continue  # it has left; what is said of it now is on record, and nobody can act on it
            self._tell(connection, case_id, row, held, now_ms)
            touched.append(case_id)
        return touched

    def finish(self, connection: Connection, *, now_ms: int) -> list[str]:
        """End the cases that every role has released, and those that two officers have refused; the cases."""
        back, released = _sent_back(connection), _released(connection)
        ended = [(case_id, CrossingOutcome.SENT_BACK) for case_id in back]
        ended += [(case_id, CrossingOutcome.RELEASED_BY_OFFICER) for case_id in released if case_id not in set(back)]
        for case_id, outcome in ended:
            opened_ms = connection.scalar(select(CASES.c.opened_ms).where(CASES.c.case_id == case_id)) or now_ms
            data = CrossingEnded(case_id=case_id, outcome=outcome, reasons=[], duration_ms=max(0, now_ms - opened_ms))
            self._say(connection, case_id, [(EventType.CROSSING_ENDED, data)], now_ms)
        return [case_id for case_id, _ in ended]

    def _tell(self, connection: Connection, case_id: str, row: Row[Any], held: Row[Any] | None, now_ms: int) -> None:
        body = json.loads(row.body)
        revision = json.loads(held.body)["revision"] + 1 if held is not None else 1
        evidence = Evidence(
            port=self._port,
            lane=LANE,
            case_id=case_id,
            revision=revision,
            findings=_findings(body, self._roles),
            attachments=self._attachments(connection, case_id, body, now_ms),
        )
        digest = evidence.digest()
        recorded = EvidenceRecorded(case_id=case_id, revision=revision, digest=digest, evidence=evidence.to_json())
        decided = CrossingDecided(
            case_id=case_id, decision="refer", reasons=["parcel.inspection"], roles=self._roles, digest=digest
        )
        events: list[tuple[EventType, Message]] = [
            (EventType.EVIDENCE_RECORDED, recorded),
            (EventType.CROSSING_DECIDED, decided),
        ]
        if held is None:
            events.insert(0, (EventType.CROSSING_STARTED, CrossingStarted(case_id=case_id)))
        self._say(connection, case_id, events, now_ms)

    def _attachments(
        self, connection: Connection, case_id: str, body: dict[str, Any], now_ms: int
    ) -> tuple[Attachment, ...]:
        """The waybill, which is personal, and the X-ray picture if one was sent: both in the evidence store."""
        waybill = json.dumps(body, sort_keys=True).encode()
        kept = [Attachment(kind="waybill", sha256=hashlib.sha256(waybill).hexdigest(), media_type="application/json")]
        self._blobs.put(kept[0].sha256, waybill)
        picture: dict[str, Any] | None = body.get("picture")
        sizes = {kept[0].sha256: len(waybill)}
        if picture is not None:
            kept.append(Attachment(kind="xray", sha256=picture["sha256"], media_type=picture["media_type"]))
            sizes[picture["sha256"]] = picture["size"]
        for item in kept:
            stored = {
                "sha256": item.sha256,
                "size": sizes[item.sha256],
                "media_type": item.media_type,
                "lane": LANE,
                "case_id": case_id,
                "stored_ms": now_ms,
            }
            keep_row(connection, stored)
        return tuple(kept)

    def _say(
        self, connection: Connection, case_id: str, events: Sequence[tuple[EventType, Message]], now_ms: int
    ) -> None:
        last = connection.scalar(select(func.max(EVENTS.c.sequence)).where(EVENTS.c.lane == LANE)) or 0
        rows: list[dict[str, Any]] = []
        for sequence, (kind, data) in enumerate(events, start=last + 1):
            event = CloudEvent(
                id=new_event_id(),
                source=event_source(self._port, LANE),
                type=kind,
                time=utc(now_ms),
                subject=case_id,
                sequence=sequence,
                data=data.model_dump(mode="json"),
            )
            rows.append(
                {
                    "id": event.id,
                    "lane": LANE,
                    "sequence": sequence,
                    "type": kind.value,
                    "time_ms": now_ms,
                    "received_ms": now_ms,
                    "case_id": case_id,
                    "body": event.model_dump_json(),
                }
            )
        insert_new(connection, EVENTS, rows)
        audit.note(connection, audit.events_stored(now_ms, [(row["id"], row["body"]) for row in rows]))


_IS_OPEN = (CASES.c.lane == LANE, CASES.c.status == CaseStatus.OPEN.value)


def _released(connection: Connection) -> Sequence[str]:
    """Open cases that wait for nobody any more."""
    query = select(CASES.c.case_id).where(*_IS_OPEN, CASES.c.waiting_since_ms.is_(None)).limit(AT_ONCE)
    return connection.scalars(query).all()


def _sent_back(connection: Connection) -> Sequence[str]:
    """Open cases that two officers have refused, or that one sends back."""
    query = (
        select(CASES.c.case_id)
        .join(COMMANDS, COMMANDS.c.case_id == CASES.c.case_id)
        .where(*_IS_OPEN, COMMANDS.c.act == Act.SEND_BACK.value)
        .distinct()
        .limit(AT_ONCE)
    )
    return connection.scalars(query).all()


def _findings(body: dict[str, Any], roles: Sequence[str]) -> tuple[Finding, ...]:
    """What a screen shows of a parcel, in which nobody is named: how it came, from which state, what is declared."""
    goods = ", ".join(item["description"] for item in body["contents"])
    worth: dict[str, float] = {}
    for item in body["contents"]:
        if "value" in item:
            worth[item["currency"]] = worth.get(item["currency"], 0.0) + item["value"]
    declared = Finding(
        code="parcel.declared",
        outcome=Outcome.INFO,
        stage=Stage.EXIT,
        role="customs",
        measured="; ".join(f"{value:g} {currency}" for currency, value in sorted(worth.items())) or None,
        detail=goods[:500],
    )
    origin = Finding(
        code="parcel.origin",
        outcome=Outcome.INFO,
        stage=Stage.EXIT,
        role="customs",
        measured=body["sender"]["country"],
        detail=f"{body['channel']}, {body['weight_kg']:g} kg",
    )
    inspect = tuple(
        Finding(code="parcel.inspection", outcome=Outcome.REFER, stage=Stage.EXIT, role=role) for role in roles
    )
    return (declared, origin, *inspect)
