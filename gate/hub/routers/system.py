"""What needs no account: the site's outline, health, readiness and metrics."""

from typing import Any

from fastapi import APIRouter, Response

from gate.hub.routers.access import HubIn
from gate.hub.routers.answers import LiveOut, ReadyOut, SiteOut

_METRICS: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/plain": {"schema": {"type": "string"}}}, "description": "The exposition format"}
}
router = APIRouter(tags=["system"])
plain = APIRouter(tags=["system"])


@router.get("/site", response_model=SiteOut)
def get_site(hub: HubIn) -> dict[str, Any]:
    """The port, its roles and its lanes."""
    return {
        "port": hub.site.port.id,
        "title": hub.site.port.title,
        "roles": [
            {"id": role.id, "title": role.title, "title_zh": role.title_zh, "colour": role.colour}
            for role in hub.site.roles
        ],
        "lanes": [{"id": lane.id, "title": lane.title or lane.id} for lane in hub.site.lanes],
    }


@plain.get("/healthz", response_model=LiveOut, include_in_schema=False)
@plain.get("/health/live", response_model=LiveOut)
def get_liveness() -> dict[str, str]:
    """The process is up."""
    return {"status": "up"}


@plain.get("/readyz", response_model=ReadyOut, include_in_schema=False)
@plain.get("/health/ready", response_model=ReadyOut, responses={503: {"model": ReadyOut}})
def get_readiness(hub: HubIn, response: Response) -> dict[str, bool]:
    """200 when events are being taken in, 503 with what is missing when not."""
    parts = {"database": hub.store.is_answering(), "broker": hub.is_broker_ready}
    is_ready = hub.is_ready
    response.status_code = 200 if is_ready else 503
    return {"is_ready": is_ready, **parts}


@plain.get("/metrics", response_class=Response, responses=_METRICS)
def get_metrics(hub: HubIn) -> Response:
    """Counters for Prometheus; they name no traveller."""
    return Response(hub.metrics.text(), media_type="text/plain; version=1.0.0; charset=utf-8")
