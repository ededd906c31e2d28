"""A client of the hub's API in this process, and the officers who use it."""

import asyncio
import hashlib
from typing import Any

import httpx
from hub_kit import LANE_KEYS, PASSWORD

from gate.hub.api import create_api
from gate.hub.service import Hub
from gate.wire.signing import make_lane_bearer

OFFICERS = {
    "ann": ("customs",),
    "ben": ("quarantine",),
    "bo": ("border",),
    "sue": ("supervisor",),
    "ira": ("intake",),
    "max": ("customs", "quarantine"),
}


class Http:
    """A client of the application in this process, without a socket."""

    def __init__(self, hub: Hub) -> None:
        self._runner = asyncio.Runner()
        self._client = httpx.AsyncClient(transport=httpx.ASGITransport(create_api(hub)), base_url="http://hub")

    def request(self, method: str, path: str, **rest: Any) -> httpx.Response:
        return self._runner.run(self._client.request(method, path, **rest))

    def get(self, path: str) -> httpx.Response:
        return self.request("GET", path)

    def post(self, path: str, **rest: Any) -> httpx.Response:
        return self.request("POST", path, **rest)

    def close(self) -> None:
        self._runner.run(self._client.aclose())
        self._runner.close()


class Api:
    """A client that remembers each officer's token and a lane's."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        self.http = Http(hub)
        self.tokens: dict[str, str] = {}
        for user, roles in OFFICERS.items():
            hub.accounts.add(user=user, name=user.title(), password=PASSWORD, roles=roles)

    def headers(self, who: str | None) -> dict[str, str]:
        if who is None:
            return {}
        if who.startswith("lane-"):
            token = make_lane_bearer(LANE_KEYS[who], address=f"p/{who}", clock=self.hub.clock)
        else:
            if who not in self.tokens:
                answer = self.http.post("/api/v1/login", json={"user": who, "password": PASSWORD})
                self.tokens[who] = answer.json()["token"]
            token = self.tokens[who]
        return {"Authorization": f"Bearer {token}"}

    def call(self, method: str, path: str, who: str | None = None, **rest: Any) -> Any:
        headers = self.headers(who) | rest.pop("headers", {})
        return self.http.request(method, f"/api/v1{path}", headers=headers, **rest)

    def put_evidence(self, data: bytes, media_type: str, case_id: str, lane: str = "lane-1") -> Any:
        sha256 = hashlib.sha256(data).hexdigest()
        headers = {"X-Case-Id": case_id, "Content-Type": media_type}
        return self.call("PUT", f"/evidence/{sha256}", lane, content=data, headers=headers)
