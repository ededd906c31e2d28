"""The single window: what carriers, agents and travellers' portals submit, the signed receipts, and what lanes fetch beforehand."""

import asyncio
import re
from typing import Annotated, Any

from fastapi import APIRouter, Header, Path, Query, Request, Response
from pydantic import BaseModel, Field
from sqlalchemy import select

from gate.hub.accounts import INTAKE, SUPERVISOR, Officer
from gate.hub.problems import Problem
from gate.hub.routers.access import HubIn, LaneIn, OfficerIn, need_role
from gate.hub.service import Hub
from gate.hub.window.forms import Kind
from gate.hub.window.intake import Conflict, Submission, Taken
from gate.hub.window.receipts import verify_window_receipt
from gate.hub.window.schema import WINDOW_RECORDS, WINDOW_SUBMISSIONS
from gate.wire.messages import PrefetchOut
from gate.wire.signing import Refused, Verifier

router = APIRouter(tags=["window"])

SubmissionName = Annotated[str, Path(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}$")]
FormName = Annotated[str, Path(pattern=r"^[a-z]{1,24}-[1-9][0-9]{0,2}$")]
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}")
CODES_SHOWN = 50
"""Submissions of more declarations than this are a portal's, which fetches each code when it is asked for."""
_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {"oneOf": [{"type": "object"}, {"type": "array", "items": {"type": "object"}}]}
            },
            "application/x-ndjson": {"schema": {"type": "string"}},
            "application/edifact": {"schema": {"type": "string"}},
        },
    }
}


class WindowErrorOut(BaseModel):
    """``line`` of the submission and ``segment`` (EDIFACT) or ``record`` (JSON), both from 1."""

    segment: str
    line: int
    field: str
    message: str
    record: int | None


class StoredOut(BaseModel):
    """``code``: of a health declaration, the text of the QR code to show at the lane (for one person, 24 hours, one crossing)."""

    key: str
    line: int
    revision: int
    code: str | None = None


class TakenOut(BaseModel):
    submission_id: str
    is_repeat: bool
    records: int
    refused: int
    errors: list[WindowErrorOut]
    stored: list[StoredOut]
    receipt: str


_TOOK: dict[int | str, dict[str, Any]] = {
    200: {"model": TakenOut, "description": "The same submission had been taken already"}
}


class SubmissionOut(BaseModel):
    submission_id: str
    kind: str
    channel: str
    source: str
    sha256: str
    received_ms: int
    records: int
    refused: int
    receipt: str


class SubmissionsOut(BaseModel):
    submissions: list[SubmissionOut]


class FormsOut(BaseModel):
    forms: list[str]


class ReceiptIn(BaseModel):
    receipt: Annotated[str, Field(max_length=10_000)]


class ReceiptOut(BaseModel):
    is_genuine: bool
    reason: str
    claims: dict[str, Any] | None


class ReservationOut(BaseModel):
    key: str
    starts_ms: int
    ends_ms: int
    body: str


class ReservationsOut(BaseModel):
    reservations: list[ReservationOut]


@router.post("/window/{kind}", status_code=201, response_model=TakenOut, responses=_TOOK, openapi_extra=_BODY)
async def submit_to_window(
    *,
    hub: HubIn,
    officer: OfficerIn,
    kind: Kind,
    request: Request,
    response: Response,
    idempotency_key: Annotated[str | None, Header()] = None,
) -> dict[str, Any]:
    """Take a submission in: PAXLST for ``passengers``, JSON or NDJSON records for the others. What is wrong is named, the rest goes in."""
    need_role(officer, INTAKE)
    if idempotency_key is not None and _ID.fullmatch(idempotency_key) is None:
        raise Problem(422, "invalid", "Idempotency-Key: letters, digits and _.:- only, at most 64")
    data = await request.body()
    submission = Submission(kind=kind, data=data, source=officer.user, channel="rest", submission_id=idempotency_key)
    return await asyncio.to_thread(_take, hub, submission, response)


def _take(hub: Hub, submission: Submission, response: Response) -> dict[str, Any]:
    taken = hub.window.take(submission)
    if isinstance(taken, Conflict):
        raise Problem(409, "id_used", "this Idempotency-Key was used for another submission")
    if taken.is_repeat:
        response.status_code = 200
    elif submission.kind is Kind.PARCEL:
        hub.see_to_parcels()
    return taken_json(hub, submission.kind, taken)


def taken_json(hub: Hub, kind: Kind, taken: Taken) -> dict[str, Any]:
    """What the sender is told."""
    has_codes = kind is Kind.HEALTH and len(taken.records) <= CODES_SHOWN
    return {
        "submission_id": taken.submission_id,
        "is_repeat": taken.is_repeat,
        "records": taken.accepted,
        "refused": taken.refused,
        "errors": [error.to_json() for error in taken.errors],
        "stored": [
            {
                "key": item.key,
                "line": item.line,
                "revision": item.revision,
                "code": hub.window.health_code(item.key) if has_codes else None,
            }
            for item in taken.records
        ],
        "receipt": taken.receipt,
    }


@router.get("/window/submissions", response_model=SubmissionsOut)
def list_submissions(
    hub: HubIn, officer: OfficerIn, limit: Annotated[int, Query(ge=1, le=500)] = 100
) -> dict[str, Any]:
    """The newest submissions: one's own, or everybody's for a supervisor."""
    need_role(officer, INTAKE, SUPERVISOR)
    table = WINDOW_SUBMISSIONS
    query = select(table).order_by(table.c.received_ms.desc(), table.c.submission_id).limit(limit)
    if not officer.has_any(SUPERVISOR):
        query = query.where(table.c.source == officer.user)
    with hub.store.read() as connection:
        rows = connection.execute(query).all()
    return {"submissions": [_submission(row) for row in rows]}


@router.get("/window/submissions/{submission_id}", response_model=SubmissionOut)
def get_submission(hub: HubIn, officer: OfficerIn, submission_id: SubmissionName) -> dict[str, Any]:
    """What became of a submission, with its receipt."""
    need_role(officer, INTAKE, SUPERVISOR)
    table = WINDOW_SUBMISSIONS
    with hub.store.read() as connection:
        row = connection.execute(select(table).where(table.c.submission_id == submission_id)).first()
    if row is None or not _may_see(officer, row.source):
        raise Problem(404, "not_found", "there is no such submission of yours")
    return _submission(row)


@router.post("/window/receipts/verify", response_model=ReceiptOut)
def verify_window_receipt_given(hub: HubIn, _officer: OfficerIn, body: ReceiptIn) -> dict[str, Any]:
    """Whether a receipt is one that this hub has given, and what it says."""
    checked = verify_window_receipt(Verifier.trusting(hub.window.public_key), body.receipt)
    if isinstance(checked, Refused):
        return {"is_genuine": False, "reason": checked.reason, "claims": None}
    return {"is_genuine": True, "reason": "", "claims": checked.model_dump()}


@router.get("/window/forms", response_model=FormsOut)
def list_window_forms(hub: HubIn, _officer: OfficerIn) -> dict[str, Any]:
    """The names of all forms: a kind and a version each."""
    return {"forms": list(hub.window.intake.forms.names)}


@router.get("/window/forms/{name}", response_model=dict[str, Any])
def get_window_form(hub: HubIn, _officer: OfficerIn, name: FormName) -> dict[str, Any]:
    """A form as a JSON Schema (2020-12)."""
    form = hub.window.intake.forms.get(name)
    if form is None:
        raise Problem(404, "not_found", "there is no such form")
    return dict(form.schema)


@router.get("/window/reservations", response_model=ReservationsOut)
def list_reservations(
    hub: HubIn,
    officer: OfficerIn,
    from_ms: Annotated[int, Query(ge=0, le=2**53)],
    until_ms: Annotated[int, Query(ge=0, le=2**53)],
) -> dict[str, Any]:
    """The appointments that begin in a span of time, for who plans the shifts."""
    need_role(officer, SUPERVISOR, *(role.id for role in hub.site.roles))
    table = WINDOW_RECORDS
    query = (
        select(table.c.key, table.c.from_ms, table.c.until_ms, table.c.body)
        .where(table.c.kind == Kind.RESERVATION.value, table.c.from_ms >= from_ms, table.c.from_ms < until_ms)
        .order_by(table.c.from_ms, table.c.key)
        .limit(1000)
    )
    with hub.store.read() as connection:
        rows = connection.execute(query).all()
    return {
        "reservations": [
            {"key": row.key, "starts_ms": row.from_ms, "ends_ms": row.until_ms, "body": row.body} for row in rows
        ]
    }


@router.get("/lane/prefetch")
def prefetch_answers(hub: HubIn, _lane: LaneIn) -> PrefetchOut:
    """The answers to the look-ups about passengers who are due soon, for when the hub is out of reach."""
    return hub.window.prefetch(hub.site.policy.lookups)


def _may_see(officer: Officer, source: str) -> bool:
    return officer.user == source or officer.has_any(SUPERVISOR)


def _submission(row: Any) -> dict[str, Any]:
    names = ("submission_id", "kind", "channel", "source", "sha256", "received_ms", "refused", "receipt")
    return {name: getattr(row, name) for name in names} | {"records": row.accepted}
