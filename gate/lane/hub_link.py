"""The lane's HTTP requests to its hub: look-ups, pictures for the evidence store."""

import asyncio
import time
from enum import StrEnum
from pathlib import Path

import httpx
import structlog
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from gate.core.clock import Clock
from gate.core.policy import Answer, LookupFacts
from gate.lane.store import Picture
from gate.wire.messages import LookupAnswer, LookupRequest, PrefetchOut
from gate.wire.signing import SigningKey, make_lane_bearer

_log = structlog.get_logger(__name__)
_BEARER_RENEW_S = 20.0
REFUSED_FOR_GOOD = frozenset({400, 413, 415, 422})
"""Answers that the same bytes will always get."""


class Stored(StrEnum):
    DONE = "done"
    LATER = "later"
    NEVER = "never"


class ScanView(BaseModel):
    """One picture of a scan, in the hub's evidence store."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    kind: str = Field(pattern=r"^xray(_[a-z]{1,16})?$")
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    media_type: str = Field(pattern=r"^image/[a-z]{1,16}$")


class ScanOfCase(BaseModel):
    """A scan of an inspection machine that belongs to a case."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    source: str = Field(max_length=63)
    matched_by: str = Field(max_length=16)
    views: tuple[ScanView, ...] = Field(max_length=200)


class _Scans(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    scans: tuple[ScanOfCase, ...]


class HubLink:
    """One lane's client. Every failure of the hub is an answer (``None``, ``False``), never an exception, and takes bounded time."""

    def __init__(
        self,
        *,
        url: str,
        address: str,
        key: SigningKey,
        clock: Clock,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """``transport``: another way to the hub than the network."""
        self._client = httpx.AsyncClient(
            base_url=url, timeout=httpx.Timeout(5.0, connect=2.0), trust_env=False, transport=transport
        )
        self._address = address
        self._key = key
        self._clock = clock
        self._bearer = ""
        self._bearer_until_s = 0.0

    async def close(self) -> None:
        await self._client.aclose()

    def _headers(self) -> dict[str, str]:
        if time.monotonic() >= self._bearer_until_s:
            self._bearer = make_lane_bearer(self._key, address=self._address, clock=self._clock)
            self._bearer_until_s = time.monotonic() + _BEARER_RENEW_S
        return {"Authorization": f"Bearer {self._bearer}"}

    async def warm_up(self) -> None:
        """Open a connection before the first traveller needs it."""
        try:
            await self._client.get("/healthz")
        except httpx.HTTPError as error:
            _log.info("hub_not_reachable", error=type(error).__name__)

    async def look_up(self, request: LookupRequest) -> tuple[LookupFacts, ...] | None:
        """What the hub knows; None when it did not answer well. Who asks cancels it when the deadline is over."""
        try:
            response = await self._client.post(
                "/api/v1/lookups",
                content=request.model_dump_json(),
                headers={**self._headers(), "Content-Type": "application/json"},
            )
            response.raise_for_status()
            answer = LookupAnswer.model_validate_json(response.content)
        except (httpx.HTTPError, ValidationError) as error:
            _log.warning("lookup_failed", error=type(error).__name__)
            return None
        return tuple(
            LookupFacts(
                name=result.name,
                answer=Answer.HIT if result.is_hit else Answer.NOTHING,
                role=result.role,
                detail=result.detail,
            )
            for result in answer.results
        )

    async def prefetch(self) -> PrefetchOut | None:
        """The answers about passengers who are due; None when the hub did not answer well."""
        try:
            response = await self._client.get("/api/v1/lane/prefetch", headers=self._headers())
            response.raise_for_status()
            return PrefetchOut.model_validate_json(response.content)
        except (httpx.HTTPError, ValidationError) as error:
            _log.info("nothing_prefetched", error=type(error).__name__)
            return None

    async def scans_of(self, case_id: str) -> tuple[ScanOfCase, ...]:
        """The scans that belong to a case by now; none when the hub does not answer well."""
        try:
            response = await self._client.get(f"/api/v1/lane/cases/{case_id}/scans", headers=self._headers())
            response.raise_for_status()
            return _Scans.model_validate_json(response.content).scans
        except (httpx.HTTPError, ValidationError) as error:
            _log.info("scans_not_asked", error=type(error).__name__)
            return ()

    async def watch_statement(self) -> str | None:
        """What the watchlist is now, as the hub signed it (not looked at here); None when the hub does not answer well."""
        try:
            response = await self._client.get("/api/v1/lane/watchlist", headers=self._headers())
            response.raise_for_status()
            return response.text
        except httpx.HTTPError as error:
            _log.info("watchlist_not_asked", error=type(error).__name__)
            return None

    async def fetch_watch_part(self, sha256: str, path: Path, *, max_bytes: int) -> bool:
        """Write one of the watchlist's files to ``path``; False when it did not come, or is longer than it should be."""
        url = f"/api/v1/lane/watchlist/parts/{sha256}"
        received = 0
        try:
            async with self._client.stream("GET", url, headers=self._headers()) as response:
                response.raise_for_status()
                with path.open("wb") as file:
                    async for piece in response.aiter_bytes(1 << 18):
                        received += len(piece)
                        if received > max_bytes:
                            return False
                        await asyncio.to_thread(file.write, piece)
        except httpx.HTTPError as error:
            _log.warning("watchlist_part_not_fetched", error=type(error).__name__)
            return False
        return True

    async def store_picture(self, picture: Picture) -> Stored:
        """Whether the hub has it now, will have it later, or has said that it never will."""
        try:
            response = await self._client.put(
                f"/api/v1/evidence/{picture.sha256}",
                content=picture.data,
                headers={**self._headers(), "Content-Type": picture.media_type, "X-Case-Id": picture.case_id},
            )
        except httpx.HTTPError as error:
            _log.warning("picture_not_stored", error=str(error)[:200])
            return Stored.LATER
        if response.is_success:
            return Stored.DONE
        _log.warning("picture_not_stored", status=response.status_code)
        return Stored.NEVER if response.status_code in REFUSED_FOR_GOOD else Stored.LATER
