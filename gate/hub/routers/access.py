"""Who is asking: an officer with a session, or a lane with a token signed by its key."""

import hashlib
import hmac
from typing import Annotated, cast

from fastapi import Depends, Request, Security
from fastapi.security import APIKeyCookie, HTTPAuthorizationCredentials, HTTPBearer

from gate.hub.accounts import Officer
from gate.hub.problems import Problem
from gate.hub.service import Hub
from gate.wire.signing import Refused, verify_lane_bearer

SESSION_COOKIE = "tongguan_session"


def hub_of(request: Request) -> Hub:
    return cast(Hub, request.app.state.hub)


HubIn = Annotated[Hub, Depends(hub_of)]


_BEARER = HTTPBearer(
    auto_error=False,
    scheme_name="bearer",
    description="An officer's session token of POST /login, or a token that a lane has signed",
)
_COOKIE = APIKeyCookie(
    name=SESSION_COOKIE,
    auto_error=False,
    scheme_name="cookie",
    description="A browser's session; what changes something needs X-CSRF-Token as well",
)
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


def csrf_token_of(token: str) -> str:
    """What a page must show beside the session's cookie: only who was told at login knows it, since the cookie cannot be read."""
    return hashlib.sha256(b"csrf:" + token.encode()).hexdigest()


def token_of(
    request: Request,
    bearer: Annotated[HTTPAuthorizationCredentials | None, Security(_BEARER)],
    cookie: Annotated[str | None, Security(_COOKIE)],
) -> str:
    """The bearer token, or the session of the browser's cookie; a 401 or 403 problem."""
    if bearer is not None and bearer.credentials.strip():
        return bearer.credentials.strip()
    if "authorization" in request.headers or not cookie:
        raise _unknown("this needs 'Authorization: Bearer ...'")
    shown = request.headers.get("x-csrf-token", "")
    if request.method not in _SAFE and not hmac.compare_digest(shown.encode(), csrf_token_of(cookie).encode()):
        raise Problem(403, "csrf", "this needs the session's X-CSRF-Token")
    return cookie


TokenIn = Annotated[str, Depends(token_of)]


def officer_of(hub: HubIn, token: TokenIn) -> Officer:
    """The officer whose session it is, or a 401 problem."""
    officer = hub.accounts.officer(token)
    if officer is None:
        raise _unknown("the session is unknown or over: log in again")
    return officer


OfficerIn = Annotated[Officer, Depends(officer_of)]


def lane_of(hub: HubIn, token: TokenIn) -> str:
    """The id of the lane that signed the token, or a 401 problem."""
    address = verify_lane_bearer(hub.lane_verifier, token, clock=hub.clock, owners=hub.lane_owners)
    if isinstance(address, Refused):
        raise _unknown(f"this is not a lane's token ({address.reason})")
    return address.removeprefix(f"{hub.site.port.id}/")


LaneIn = Annotated[str, Depends(lane_of)]


def need_role(officer: Officer, *roles: str) -> None:
    """A 403 problem unless the officer has one of these roles."""
    if not officer.has_any(*roles):
        raise Problem(403, "wrong_role", f"this needs one of the roles {', '.join(sorted(roles))}")


def _unknown(detail: str) -> Problem:
    return Problem(401, "unauthenticated", detail, headers={"WWW-Authenticate": "Bearer"})
