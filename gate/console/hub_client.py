"""The hub's HTTP API, as the screens use it: every answer is a value, also that there was none.

Not responsible for: who is logged in (``sessions``), what may be seen (the hub decides), live news (``live``).
"""

import secrets
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import httpx
from pydantic import BaseModel, ValidationError

from gate.console.hub_models import (
    Case,
    CasePage,
    ClaimPage,
    ForceOpenAnswer,
    InspectionView,
    LastScan,
    Login,
    MarkKind,
    MarkPage,
    Statistics,
    VerdictKind,
)
from gate.core.inspection import InspectionAct, InspectionOutcome
from gate.wire.messages import Act

_TIMEOUT = httpx.Timeout(5.0, connect=2.0)
_MAX_PICTURE_BYTES = 64 * 1024 * 1024
"""An X-ray picture of 4096 x 4096 pixels and 16 bits has 32 MiB before it is compressed."""

_CHUNK_BYTES = 1 << 20

Answer = TypeVar("Answer", bound=BaseModel)


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkLost:
    """The hub did not answer, or not in a way that can be understood. ``reason`` is for the log and the engineer."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """The hub answered no. ``status`` is HTTP's; ``kind`` the last part of the problem's type, ``detail`` its sentence (RFC 9457)."""

    status: int
    kind: str = ""
    detail: str = ""

    @property
    def is_session_over(self) -> bool:
        return self.status == 401


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """Taken; there is nothing more to read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    content: bytes
    media_type: str


class PictureStream:
    """A picture that is still arriving. Read :meth:`chunks` to the end, or close it."""

    def __init__(self, response: httpx.Response) -> None:
        self._response = response
        self.media_type: str = response.headers.get("content-type", "")

    async def chunks(self) -> AsyncIterator[bytes]:
        """The bytes in order, at most 64 MiB. Ends early, and the reader finds the picture incomplete, when the hub breaks off."""
        received = 0
        try:
            async for chunk in self._response.aiter_bytes(_CHUNK_BYTES):
                received += len(chunk)
                if received > _MAX_PICTURE_BYTES:
                    return
                yield chunk
        except httpx.HTTPError:
            return
        finally:
            await self._response.aclose()

    async def close(self) -> None:
        await self._response.aclose()


class HubClient:
    """One pool of connections to one hub. Open it and close it on the same event loop."""

    def __init__(self, url: str, *, transport: httpx.AsyncBaseTransport | None = None) -> None:
        # A proxy of the machine must never see passports: trust_env is off.
        self._live_url = url.rstrip("/") + "/healthz"
        self._http = httpx.AsyncClient(
            base_url=url.rstrip("/") + "/api/v1", timeout=_TIMEOUT, trust_env=False, transport=transport
        )

    async def close(self) -> None:
        await self._http.aclose()

    async def login(self, user: str, password: str) -> Login | Refusal | LinkLost:
        """A new session of that officer."""
        return await self._json(Login, "POST", "/login", body={"user": user, "password": password})

    async def logout(self, token: str) -> Done | Refusal | LinkLost:
        return await self._done("POST", "/logout", token)

    async def cases(self, token: str, *, status: str, limit: int = 100) -> CasePage | Refusal | LinkLost:
        """The cases of that status (``open`` or ``closed``)."""
        return await self._json(CasePage, "GET", "/cases", token, query={"status": status, "limit": limit})

    async def case(self, token: str, case_id: str) -> Case | Refusal | LinkLost:
        return await self._json(Case, "GET", f"/cases/{case_id}", token)

    async def give_verdict(
        self,
        token: str,
        case_id: str,
        *,
        kind: VerdictKind,
        evidence_digest: str,
        role: str,
        reason: str = "",
        seen_number: int | None = None,
    ) -> Case | Refusal | LinkLost:
        """One role's word on the evidence that was on the screen. 409 when it is not the current evidence any more.

        Also 409 when ``seen_number``, that of the role's word on the screen, is not its newest: a colleague has spoken since.
        """
        body: dict[str, Any] = {"kind": kind.value, "evidence_digest": evidence_digest, "reason": reason, "role": role}
        body["request_id"] = secrets.token_hex(8)
        if seen_number is not None:
            body["seen_number"] = seen_number
        return await self._json(Case, "POST", f"/cases/{case_id}/verdicts", token, body=body, is_repeatable=True)

    async def take_back(
        self, token: str, case_id: str, *, evidence_digest: str, role: str
    ) -> Case | Refusal | LinkLost:
        """The role's word is no word any more, as long as the release has not gone out."""
        body = {"evidence_digest": evidence_digest, "role": role, "request_id": secrets.token_hex(8)}
        return await self._json(Case, "POST", f"/cases/{case_id}/take-back", token, body=body, is_repeatable=True)

    async def force_open(
        self, token: str, case_id: str, *, evidence_digest: str, role: str, reason: str
    ) -> ForceOpenAnswer | Refusal | LinkLost:
        """One of two officers' agreement to open the exit without the roles' verdicts."""
        body = {"evidence_digest": evidence_digest, "role": role, "reason": reason}
        return await self._json(ForceOpenAnswer, "POST", f"/cases/{case_id}/force-open", token, body=body)

    async def propose_inspection(
        self, token: str, case_id: str, *, evidence_digest: str, role: str, roles: Sequence[str]
    ) -> InspectionView | Refusal | LinkLost:
        """Ask ``roles`` to open the bag together."""
        body = {"evidence_digest": evidence_digest, "role": role, "roles": list(roles)}
        return await self._json(InspectionView, "POST", f"/cases/{case_id}/inspections", token, body=body)

    async def act_in_inspection(
        self,
        token: str,
        case_id: str,
        inspection_id: str,
        *,
        act: InspectionAct,
        evidence_digest: str,
        role: str,
        outcome: InspectionOutcome | None = None,
        detail: str = "",
    ) -> InspectionView | Refusal | LinkLost:
        """Join, leave, start, give the role's result, or call it off."""
        body = {"act": act.value, "evidence_digest": evidence_digest, "role": role, "detail": detail}
        body |= {"outcome": outcome.value} if outcome is not None else {}
        return await self._json(
            InspectionView, "POST", f"/cases/{case_id}/inspections/{inspection_id}", token, body=body
        )

    async def claim(
        self, token: str, case_id: str, *, role: str, is_knowing: bool = False
    ) -> ClaimPage | Refusal | LinkLost:
        """Say that one is at work on the case. 409 ``claimed`` when a colleague of the role is, unless ``is_knowing``."""
        body = {"role": role, "is_knowing": is_knowing}
        return await self._json(ClaimPage, "PUT", f"/cases/{case_id}/claim", token, body=body)

    async def leave_claim(self, token: str, case_id: str, *, role: str) -> ClaimPage | Refusal | LinkLost:
        """Let go of the case."""
        return await self._json(ClaimPage, "DELETE", f"/cases/{case_id}/claim", token, query={"role": role})

    async def is_answering(self) -> bool:
        """Whether the hub answers at all, within a second."""
        try:
            response = await self._http.get(self._live_url, timeout=1.0)
        except (httpx.HTTPError, httpx.InvalidURL):
            return False
        return response.is_success

    async def send_back(self, token: str, case_id: str, *, reason: str) -> Done | Refusal | LinkLost:
        return await self._done("POST", f"/cases/{case_id}/send-back", token, body={"reason": reason})

    async def marks(self, token: str, case_id: str) -> MarkPage | Refusal | LinkLost:
        """The marks on the pictures of a case."""
        return await self._json(MarkPage, "GET", f"/cases/{case_id}/marks", token)

    async def draw_mark(
        self,
        token: str,
        case_id: str,
        *,
        picture: str,
        kind: MarkKind,
        box_px: tuple[float, float, float, float],
        text: str,
        role: str,
    ) -> MarkPage | Refusal | LinkLost:
        """Draw on a picture (its sha256) for a role; all marks after it. ``box_px``: x, y, width, height."""
        x, y, width, height = box_px
        shape = {"picture": picture, "kind": kind.value, "x": x, "y": y, "width": width, "height": height}
        return await self._json(
            MarkPage, "POST", f"/cases/{case_id}/marks", token, body={**shape, "text": text, "role": role}
        )

    async def erase_mark(self, token: str, case_id: str, mark_id: str) -> MarkPage | Refusal | LinkLost:
        """Take one's own mark away; all marks after it."""
        return await self._json(MarkPage, "DELETE", f"/cases/{case_id}/marks/{mark_id}", token)

    async def last_scan(self, token: str, case_id: str) -> LastScan | Refusal | LinkLost:
        """The scan of the same traveller's or bag's crossing before this one, if there is one."""
        return await self._json(LastScan, "GET", f"/cases/{case_id}/last-scan", token)

    async def command(self, token: str, lane: str, act: Act) -> Done | Refusal | LinkLost:
        return await self._done("POST", f"/lanes/{lane}/commands", token, body={"act": act.value})

    async def statistics(self, token: str) -> Statistics | Refusal | LinkLost:
        return await self._json(Statistics, "GET", "/statistics", token)

    async def picture(self, token: str, sha256: str) -> Picture | Refusal | LinkLost:
        """A picture of the evidence store (at most 64 MiB)."""
        response = await self._send("GET", f"/evidence/{sha256}", token)
        if not isinstance(response, httpx.Response):
            return response
        if len(response.content) > _MAX_PICTURE_BYTES:
            return LinkLost(reason="the picture is larger than the hub may store")
        return Picture(content=response.content, media_type=response.headers.get("content-type", ""))

    async def stream_picture(self, token: str, sha256: str) -> PictureStream | Refusal | LinkLost:
        """A picture of the evidence store, to be passed on while it arrives."""
        request = self._http.build_request("GET", f"/evidence/{sha256}", headers={"Authorization": f"Bearer {token}"})
        try:
            response = await self._http.send(request, stream=True)
            if response.is_success:
                return PictureStream(response)
            await response.aread()
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return LinkLost(reason=f"{type(error).__name__}: {error}")
        if response.status_code >= 500:
            return LinkLost(reason=f"the hub answered {response.status_code} for a picture")
        return _refusal(response)

    async def ask(
        self,
        model: type[Answer],
        method: str,
        path: str,
        token: str,
        *,
        body: Mapping[str, Any] | None = None,
        query: Mapping[str, str | int] | None = None,
    ) -> Answer | Refusal | LinkLost:
        """Any question of the hub's API (``path`` without its prefix) that is answered with ``model``."""
        return await self._json(model, method, path, token, body=body, query=query)

    async def _json(
        self,
        model: type[Answer],
        method: str,
        path: str,
        token: str | None = None,
        *,
        body: Mapping[str, Any] | None = None,
        query: Mapping[str, str | int] | None = None,
        is_repeatable: bool = False,
    ) -> Answer | Refusal | LinkLost:
        response = await self._send(method, path, token, body=body, query=query)
        if is_repeatable and isinstance(response, LinkLost):
            # The answer may have been lost and not the word: the request carries its own name, so the hub takes it once.
            response = await self._send(method, path, token, body=body, query=query)
        if not isinstance(response, httpx.Response):
            return response
        try:
            return model.model_validate_json(response.content)
        except ValidationError as error:
            return LinkLost(reason=f"the hub's answer to {method} {path} does not fit: {error.errors()[0]['msg']}")

    async def _done(
        self, method: str, path: str, token: str, *, body: Mapping[str, Any] | None = None
    ) -> Done | Refusal | LinkLost:
        response = await self._send(method, path, token, body=body)
        return Done() if isinstance(response, httpx.Response) else response

    async def _send(
        self,
        method: str,
        path: str,
        token: str | None,
        *,
        body: Mapping[str, Any] | None = None,
        query: Mapping[str, str | int] | None = None,
    ) -> httpx.Response | Refusal | LinkLost:
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        try:
            response = await self._http.request(method, path, json=body, params=query, headers=headers)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return LinkLost(reason=f"{type(error).__name__}: {error}")
        if response.is_success:
            return response
        if response.status_code >= 500:
            return LinkLost(reason=f"the hub answered {response.status_code} to {method} {path}")
        return _refusal(response)


def _refusal(response: httpx.Response) -> Refusal:
    try:
        problem = response.json()
    except ValueError:
        problem = None
    if not isinstance(problem, dict):
        return Refusal(status=response.status_code)
    kind = str(problem.get("type", "")).rsplit("/", 1)[-1].rsplit(":", 1)[-1]
    return Refusal(
        status=response.status_code, kind=kind, detail=str(problem.get("detail") or problem.get("title") or "")
    )
