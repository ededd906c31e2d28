"""The evidence store: lanes put, officers get, both by sha256."""

import asyncio
import re
from enum import Enum
from typing import Annotated, Any

from fastapi import APIRouter, Header, Path, Request, Response
from sqlalchemy import select

from gate.hub.audit.log import AuditKind, Entry, note
from gate.hub.evidence.keeper import is_wanted, keep_row
from gate.hub.problems import Problem
from gate.hub.routers.access import HubIn, LaneIn, OfficerIn
from gate.hub.routers.answers import StoredOut
from gate.hub.schema import BLOBS, CASES
from gate.hub.service import Hub
from gate.hub.views import needed_for_blob, sees

router = APIRouter(tags=["evidence"])

Digest = Annotated[str, Path(pattern=r"^[0-9a-f]{64}$")]
CaseId = Annotated[str, Header(alias="X-Case-Id", pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")]
_MEDIA_TYPES = frozenset({"image/jpeg", "image/png", "image/webp", "application/json", "application/octet-stream"})
_BYTES: dict[int | str, dict[str, Any]] = {
    200: {"content": {"*/*": {"schema": {"type": "string", "format": "binary"}}}, "description": "The bytes"}
}
_TYPE_AND_PARAMETERS = re.compile(r"\s*([^;\s]+)")


@router.put("/evidence/{sha256}", status_code=201, response_model=StoredOut, responses={200: {"model": StoredOut}})
async def put_evidence(
    *, hub: HubIn, lane: LaneIn, request: Request, response: Response, sha256: Digest, case_id: CaseId
) -> dict[str, Any]:
    """Keep the body under its sha256. 201 when it is new, 200 when it was there; 422 when the digest is not its own."""
    match = _TYPE_AND_PARAMETERS.match(request.headers.get("content-type", ""))
    media_type = match.group(1).lower() if match else ""
    if media_type not in _MEDIA_TYPES:
        raise Problem(415, "media_type", f"evidence is one of {', '.join(sorted(_MEDIA_TYPES))}")
    data = await request.body()
    kept = await asyncio.to_thread(
        _keep, hub, lane=lane, sha256=sha256, case_id=case_id, media_type=media_type, data=data
    )
    response.status_code = 201 if kept is Kept.NEW else 200
    return {"sha256": sha256, "is_kept": kept is not Kept.UNWANTED}


@router.get("/evidence/{sha256}", response_class=Response, responses=_BYTES)
def get_evidence(hub: HubIn, officer: OfficerIn, sha256: Digest) -> Response:
    """The bytes. 403 for a role that may not see such things, 404 when they are not here (yet), 410 when they were erased."""
    shown = sees(hub.site, officer)
    if not shown & {"pictures", "identity"}:
        raise Problem(403, "wrong_role", "your role is not shown pictures")
    with hub.store.read() as connection:
        row = connection.execute(select(BLOBS).where(BLOBS.c.sha256 == sha256)).first()
    if row is None:
        raise Problem(404, "not_found", "this evidence is not here (yet)")
    if needed_for_blob(row.media_type) not in shown:
        raise Problem(403, "wrong_role", f"your role is not shown {needed_for_blob(row.media_type)}")
    if row.erased_ms is not None:
        raise Problem(410, "erased", "this evidence was erased when its time was over")
    hub.record(AuditKind.EVIDENCE_SEEN, who=officer.user, case_id=row.case_id or None, data={"sha256": sha256})
    data = hub.blobs.get(sha256)
    if data is None:
        raise Problem(404, "not_found", "this evidence is gone or was damaged on disk")
    headers = {
        "Cache-Control": "private, no-store",
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'; sandbox",
    }
    return Response(data, media_type=row.media_type, headers=headers)


class Kept(Enum):
    NEW = "new"
    KNOWN = "known"
    UNWANTED = "unwanted"


def _keep(hub: Hub, *, lane: str, sha256: str, case_id: str, media_type: str, data: bytes) -> Kept:
    with hub.store.read() as connection:
        owner = connection.scalar(select(CASES.c.lane).where(CASES.c.case_id == case_id))
        is_asked_for = is_wanted(connection, sha256, case_id)
    if owner is not None and owner != lane:
        raise Problem(403, "foreign_case", "this case is another lane's")
    if not is_asked_for:
        return Kept.UNWANTED
    try:
        hub.blobs.put(sha256, data)
    except ValueError:
        raise Problem(422, "wrong_digest", "the body does not have the sha256 of the address") from None
    now_ms = hub.clock.utc_ms()
    row = {
        "sha256": sha256,
        "size": len(data),
        "media_type": media_type,
        "lane": lane,
        "case_id": case_id,
        "stored_ms": now_ms,
    }
    with hub.store.write() as connection:
        is_new = keep_row(connection, row)
        if is_new:
            kept = {"sha256": sha256, "size": len(data), "media_type": media_type}
            entry = Entry(at_ms=now_ms, kind=AuditKind.EVIDENCE_STORED, who=lane, case_id=case_id, data=kept)
            note(connection, entry)
    if not hub.blobs.is_here(sha256):
        hub.blobs.put(sha256, data)  # it was erased for another case in the same moment
    if is_new and owner is not None:
        hub.case_touched(case_id)
    return Kept.NEW if is_new else Kept.KNOWN
