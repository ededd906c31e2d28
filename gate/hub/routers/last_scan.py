"""The scan of the crossing before: what a screen compares a bag's picture with."""

import json
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel
from sqlalchemy import Connection, or_, select

from gate.hub.audit.log import AuditKind
from gate.hub.problems import Problem
from gate.hub.routers.access import HubIn, OfficerIn
from gate.hub.routers.speaking import CaseId, need_case_role
from gate.hub.scans.schema import SCANS
from gate.hub.schema import BLOBS, CASES
from gate.hub.views import sees

router = APIRouter(tags=["scans"])


class LastPictureOut(BaseModel):
    kind: str
    sha256: str
    media_type: str
    is_available: bool


class LastScanOut(BaseModel):
    """``taken_ms`` null and no picture: none is known."""

    taken_ms: int | None
    attachments: list[LastPictureOut]


@router.get("/cases/{case_id}/last-scan", response_model=LastScanOut)
def last_scan(hub: HubIn, officer: OfficerIn, case_id: CaseId) -> dict[str, Any]:
    """The newest earlier scan of the same document or bag tag, as far as the machines read these, of another case."""
    need_case_role(hub, officer)
    if "pictures" not in sees(hub.site, officer):
        raise Problem(403, "wrong_role", "your role is not shown pictures")
    with hub.store.read() as connection:
        if connection.scalar(select(CASES.c.case_id).where(CASES.c.case_id == case_id)) is None:
            raise Problem(404, "unknown_case", "there is no such case")
        found = _last(connection, case_id)
    if found is None:
        return {"taken_ms": None, "attachments": []}
    seen = {"pictures": [item["sha256"] for item in found["attachments"]]}
    hub.record(AuditKind.SCANS_SEEN, who=officer.user, case_id=case_id, data=seen)
    return found


def _last(connection: Connection, case_id: str) -> dict[str, Any] | None:
    own = connection.execute(select(SCANS).where(SCANS.c.case_id == case_id)).all()
    same = [SCANS.c.document == row.document for row in own if row.document]
    same += [SCANS.c.bag_tag == row.bag_tag for row in own if row.bag_tag]
    if not same:
        return None
    began_ms = min(row.taken_ms for row in own)
    earlier = (SCANS.c.taken_ms < began_ms, SCANS.c.case_id.is_not(None), SCANS.c.case_id != case_id)
    row = connection.execute(
        select(SCANS).where(or_(*same), *earlier).order_by(SCANS.c.taken_ms.desc(), SCANS.c.image_id).limit(1)
    ).first()
    if row is None:
        return None
    views = json.loads(row.views)
    wanted = [view["sha256"] for view in views]
    held = select(BLOBS.c.sha256).where(BLOBS.c.sha256.in_(wanted), BLOBS.c.erased_ms.is_(None))
    here = set(connection.scalars(held))
    return {
        "taken_ms": row.taken_ms,
        "attachments": [{**view, "is_available": view["sha256"] in here} for view in views],
    }
