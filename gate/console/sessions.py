"""Who is signed in at which browser. Tokens stay in this process's memory: on disk one could be stolen, in the browser too."""

from dataclasses import dataclass

from gate.console.hub_models import Login
from gate.core.clock import Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class Officer:
    """A signed-in officer. ``roles`` are the hub's: role ids of the site, and ``supervisor``."""

    user: str
    name: str
    roles: frozenset[str]
    token: str
    expires_ms: int

    @property
    def may_command_lanes(self) -> bool:
        return bool(self.roles & {"supervisor", "border"})

    @classmethod
    def of(cls, login: Login) -> "Officer":
        return cls(
            user=login.user,
            name=login.name or login.user,
            roles=frozenset(login.roles),
            token=login.token,
            expires_ms=login.expires_ms,
        )


class Sessions:
    """Officers by browser session; one officer per browser."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._officers: dict[str, Officer] = {}

    def officer(self, browser_id: str) -> Officer | None:
        """The officer at that browser, unless the session is over."""
        officer = self._officers.get(browser_id)
        if officer is not None and officer.expires_ms <= self._clock.utc_ms():
            del self._officers[browser_id]
            return None
        return officer

    def enter(self, browser_id: str, officer: Officer) -> None:
        now_ms = self._clock.utc_ms()
        self._officers = {key: held for key, held in self._officers.items() if held.expires_ms > now_ms}
        self._officers[browser_id] = officer

    def leave(self, browser_id: str) -> Officer | None:
        """Forget the officer at that browser; who it was."""
        return self._officers.pop(browser_id, None)
