"""Signing in at the agency's identity provider, for browsers."""

import hashlib
import hmac
from typing import Annotated

from fastapi import APIRouter, Cookie, Query, Response
from fastapi.responses import RedirectResponse

from gate.hub.accounts import LoginRefused
from gate.hub.oidc import IdentityProvider, SignInRefused
from gate.hub.problems import Problem
from gate.hub.routers.access import HubIn
from gate.hub.routers.sessions import set_session_cookie
from gate.hub.service import Hub

router = APIRouter(tags=["sessions"])

SIGN_IN_COOKIE = "tongguan_sign_in"
_MAX_AGE_S = 600
_STATUS = {"unknown_sign_in": 400, "denied": 403, "provider_silent": 503, "not_believed": 403, "other_port": 403}


@router.get("/oidc/login", status_code=302, response_class=RedirectResponse)
def begin_sign_in(
    hub: HubIn, target: Annotated[str, Query(alias="next", max_length=500, pattern=r"^/([^/\\].*)?$")] = "/"
) -> Response:
    """Go to the identity provider. ``next`` is a path of this hub to come back to."""
    provider = _provider(hub)
    begun = provider.begin(target)
    if isinstance(begun, SignInRefused):
        raise _problem(begun)
    address, sign_in = begun
    response = RedirectResponse(address, status_code=302)
    # Ties the way back to this browser: nobody can be made to sign in as somebody else.
    response.set_cookie(
        SIGN_IN_COOKIE,
        _mark(sign_in.state),
        max_age=_MAX_AGE_S,
        path="/api/v1/oidc",
        secure=hub.site.hub.url.startswith("https:"),
        httponly=True,
        samesite="lax",
    )
    return response


@router.get("/oidc/callback", status_code=302, response_class=RedirectResponse)
def finish_sign_in(
    hub: HubIn,
    state: Annotated[str, Query(max_length=200)],
    code: Annotated[str | None, Query(max_length=4_000)] = None,
    error: Annotated[str | None, Query(max_length=500)] = None,
    mark: Annotated[str, Cookie(alias=SIGN_IN_COOKIE)] = "",
) -> Response:
    """Where the provider sends the browser back to. Opens a session, in its cookie."""
    provider = _provider(hub)
    if not hmac.compare_digest(mark.encode(), _mark(state).encode()):
        raise Problem(400, "unknown_sign_in", "this sign-in was not begun in this browser")
    person = provider.finish(state=state, code=code, error=error)
    if isinstance(person, SignInRefused):
        raise _problem(person)
    session = hub.accounts.enter(issuer=provider.issuer, subject=person.subject, name=person.name, roles=person.roles)
    if isinstance(session, LoginRefused):
        raise Problem(403, "wrong_role", "the identity provider gives you no role of this port")
    response = RedirectResponse(person.target, status_code=302)
    response.delete_cookie(SIGN_IN_COOKIE, path="/api/v1/oidc")
    set_session_cookie(hub, response, session)
    return response


def _provider(hub: Hub) -> IdentityProvider:
    if hub.identity is None:
        raise Problem(404, "not_found", "this hub has no identity provider")
    return hub.identity


def _problem(refused: SignInRefused) -> Problem:
    return Problem(_STATUS[refused.reason], refused.reason, refused.detail)


def _mark(state: str) -> str:
    return hashlib.sha256(b"sign-in:" + state.encode()).hexdigest()
