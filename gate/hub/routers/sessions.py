"""Logging in and out."""

from typing import Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field

from gate.hub.accounts import LoginRefused
from gate.hub.problems import Problem
from gate.hub.routers.access import HubIn, OfficerIn, TokenIn

router = APIRouter(tags=["sessions"])


class Login(BaseModel):
    model_config = ConfigDict(extra="forbid")

    user: str = Field(max_length=64)
    password: str = Field(max_length=256)


@router.post("/login")
def login(hub: HubIn, request: Request, body: Login) -> dict[str, Any]:
    """Open a session. 401 for a wrong user or password, 429 after too many attempts."""
    address = request.client.host if request.client else "unknown"
    result = hub.accounts.login(user=body.user, password=body.password, address=address)
    if isinstance(result, LoginRefused):
        if result.reason == "too_many":
            wait = {"Retry-After": str(result.retry_after_s)}
            raise Problem(429, "too_many_attempts", f"try again in {result.retry_after_s} s", headers=wait)
        raise Problem(401, "wrong_password", "the user name or the password is wrong")
    officer = result.officer
    return {
        "token": result.token,
        "user": officer.user,
        "name": officer.name,
        "roles": list(officer.roles),
        "expires_ms": result.expires_ms,
    }


@router.post("/logout", status_code=204)
def logout(hub: HubIn, _officer: OfficerIn, token: TokenIn) -> None:
    """End the session."""
    hub.accounts.logout(token)


@router.get("/me")
def me(officer: OfficerIn) -> dict[str, Any]:
    """Whose session this is."""
    return {"user": officer.user, "name": officer.name, "roles": list(officer.roles)}
