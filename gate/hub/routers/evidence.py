"""The evidence store: lanes put, officers get, both by sha256."""

import asyncio
import re
from typing import Annotated

from fastapi import APIRouter, Header, Path, Request, Response
from sqlalchemy import select

from gate.hub.problems import Problem
from gate.hub.routers.access import HubIn, LaneIn, OfficerIn
from gate.hub.schema import BLOBS, CASES
from gate.hub.service import Hub
from gate.hub.store import insert_new
from gate.hub.views import needed_for_blob, sees

router = APIRouter(tags=["evidence"])

Digest = Annotated[str, Path(pattern=r"^[0-9a-f]{64}$")]
CaseId = Annotated[str, Header(alias="X-Case-Id", pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")]
_MEDIA_TYPES = frozenset({"image/jpeg", "image/png", "image/webp", "application/json", "application/octet-stream"})
_TYPE_AND_PARAMETERS = re.compile(r"\s*([^;\s]+)")


@router.put("/evidence/{sha256}", status_code=201)
async def put_evidence(
    *, hub: HubIn, lane: LaneIn, request: Request, response: Response, sha256: Digest, case_id: CaseId
) -> dict[str, str]:
    """Keep the body under its sha256. 201 when it is new, 200 when it was there; 422 when the digest is not its own."""
    match = _TYPE_AND_PARAMETERS.match(request.headers.get("content-type", ""))
    media_type = match.group(1).lower() if match else ""
    if media_type not in _MEDIA_TYPES:
        raise Problem(415, "media_type", f"evidence is one of {', '.join(sorted(_MEDIA_TYPES))}")
    data = await request.body()
    is_new = await asyncio.to_thread(
        _keep, hub, lane=lane, sha256=sha256, case_id=case_id, media_type=media_type, data=data
    )
    response.status_code = 201 if is_new else 200
    return {"sha256": sha256}


@router.get("/evidence/{sha256}")
def get_evidence(hub: HubIn, officer: OfficerIn, sha256: Digest) -> Response:
    """The bytes. 403 for a role that may not see such things, 404 when they are not here (yet)."""
    shown = sees(hub.site, officer)
    if not shown & {"pictures", "identity"}:
        raise Problem(403, "wrong_role", "your role is not shown pictures")
    with hub.store.read() as connection:
        media_type = connection.scalar(select(BLOBS.c.media_type).where(BLOBS.c.sha256 == sha256))
    if media_type is None:
        raise Problem(404, "not_found", "this evidence is not here (yet)")
    if needed_for_blob(media_type) not in shown:
        raise Problem(403, "wrong_role", f"your role is not shown {needed_for_blob(media_type)}")
    data = hub.blobs.get(sha256)
    if data is None:
        raise Problem(404, "not_found", "this evidence is gone or was damaged on disk")
    headers = {
        "Cache-Control": "private, no-store",
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'; sandbox",
    }
    return Response(data, media_type=media_type, headers=headers)


def _keep(hub: Hub, *, lane: str, sha256: str, case_id: str, media_type: str, data: bytes) -> bool:
    with hub.store.read() as connection:
        owner = connection.scalar(select(CASES.c.lane).where(CASES.c.case_id == case_id))
    if owner is not None and owner != lane:
        raise Problem(403, "foreign_case", "this case is another lane's")
    try:
        hub.blobs.put(sha256, data)
    except ValueError:
        raise Problem(422, "wrong_digest", "the body does not have the sha256 of the address") from None
    row = {
        "sha256": sha256,
        "size": len(data),
        "media_type": media_type,
        "lane": lane,
        "case_id": case_id,
        "stored_ms": hub.clock.utc_ms(),
    }
    with hub.store.write() as connection:
        is_new = bool(insert_new(connection, BLOBS, [row], returning="sha256"))
    if is_new and owner is not None:
        hub.case_touched(case_id)
    return is_new
