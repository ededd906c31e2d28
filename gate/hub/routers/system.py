"""What needs no account: the site's outline, health, readiness and metrics."""

from typing import Any

from fastapi import APIRouter, Response

from gate.hub.routers.access import HubIn

router = APIRouter(tags=["system"])
plain = APIRouter(tags=["system"])


@router.get("/site")
def site(hub: HubIn) -> dict[str, Any]:
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


@plain.get("/healthz")
def healthz() -> dict[str, str]:
    """The process is up."""
    return {"status": "up"}


@plain.get("/readyz")
def readyz(hub: HubIn, response: Response) -> dict[str, bool]:
    """200 when events are being taken in, 503 with what is missing when not."""
    parts = {"database": hub.store.is_answering(), "broker": hub.is_broker_ready}
    is_ready = hub.is_ready
    response.status_code = 200 if is_ready else 503
    return {"is_ready": is_ready, **parts}


@plain.get("/metrics")
def metrics(hub: HubIn) -> Response:
    """Counters for Prometheus; they name no traveller."""
    return Response(hub.metrics.text(), media_type="text/plain; version=1.0.0; charset=utf-8")
