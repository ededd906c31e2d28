"""Who is asking: an officer with a session, or a lane with a token signed by its key."""

from typing import Annotated, cast

from fastapi import Depends, Request

from gate.hub.accounts import Officer
from gate.hub.problems import Problem
from gate.hub.service import Hub
from gate.wire.signing import Refused, verify_lane_bearer


def hub_of(request: Request) -> Hub:
    return cast(Hub, request.app.state.hub)


HubIn = Annotated[Hub, Depends(hub_of)]


def token_of(request: Request) -> str:
    """The bearer token, or a 401 problem."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise _unknown("this needs 'Authorization: Bearer ...'")
    return token.strip()


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
