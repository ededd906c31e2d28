"""Logging in and out."""

from typing import Any

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from gate.hub.accounts import LoginRefused, Session
from gate.hub.problems import Problem
from gate.hub.routers.access import SESSION_COOKIE, HubIn, OfficerIn, TokenIn, csrf_token_of
from gate.hub.routers.answers import SessionOut
from gate.hub.service import Hub

router = APIRouter(tags=["sessions"])


class Login(BaseModel):
    """``wants_cookie``: a browser's session, kept in a cookie that no script can read; the answer then holds no token."""

    model_config = ConfigDict(extra="forbid")

    user: str = Field(max_length=64)
    password: str = Field(max_length=256)
    wants_cookie: bool = False


@router.post("/login", response_model=SessionOut)
def login(hub: HubIn, request: Request, response: Response, body: Login) -> dict[str, Any]:
    """Open a session. 401 for a wrong user or password, 403 for an account of other ports, 429 after too many attempts."""
    address = request.client.host if request.client else "unknown"
    result = hub.accounts.login(user=body.user, password=body.password, address=address)
    if isinstance(result, LoginRefused):
        if result.reason == "too_many":
            wait = {"Retry-After": str(result.retry_after_s)}
            raise Problem(429, "too_many_attempts", f"try again in {result.retry_after_s} s", headers=wait)
        if result.reason == "other_port":
            raise Problem(403, "other_port", f"this account is not for the port {hub.site.port.id}")
        raise Problem(401, "wrong_password", "the user name or the password is wrong")
    if body.wants_cookie:
        set_session_cookie(hub, response, result)
    officer = result.officer
    return {
        "token": None if body.wants_cookie else result.token,
        "user": officer.user,
        "name": officer.name,
        "roles": list(officer.roles),
        "expires_ms": result.expires_ms,
        "csrf_token": csrf_token_of(result.token),
    }


@router.post("/logout", status_code=204)
def logout(hub: HubIn, _officer: OfficerIn, token: TokenIn, response: Response) -> None:
    """End the session."""
    hub.accounts.logout(token)
    response.delete_cookie(SESSION_COOKIE, path="/")


@router.get("/me", response_model=SessionOut)
def whose_session(hub: HubIn, officer: OfficerIn, token: TokenIn) -> dict[str, Any]:
    """Whose session this is, and until when; a browser learns its X-CSRF-Token here."""
    return {
        "token": None,
        "user": officer.user,
        "name": officer.name,
        "roles": list(officer.roles),
        "expires_ms": hub.accounts.expires_ms(token),
        "csrf_token": csrf_token_of(token),
    }


def set_session_cookie(hub: Hub, response: Response, session: Session) -> None:
    """Lax, not strict: the agency's own page leads back here, and a strict cookie would stay away from that first step."""
    response.set_cookie(
        SESSION_COOKIE,
        session.token,
        max_age=(session.expires_ms - hub.clock.utc_ms()) // 1000,
        path="/",
        secure=hub.site.hub.url.startswith("https:"),
        httponly=True,
        samesite="lax",
    )
