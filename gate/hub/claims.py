"""Which officer is at work on which case, so that no two of one role are without knowing it.

A claim is a courtesy between colleagues, not a lock: it lives in memory, ends by itself when its screen falls silent, and is taken over
by whoever says that they know of it. What an officer may decide does not depend on it (``seen_number`` sees to that).
"""

import threading
from dataclasses import dataclass, replace

from gate.core.clock import Clock

LIFETIME_MS = 12_000
"""A screen repeats its claim every few seconds; one that is closed or loses its link lets go of its case after this time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """An officer of a role at a case. ``since_ms`` is UTC."""

    case_id: str
    role: str
    user: str
    since_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """The officer has the case now. ``is_news``: colleagues have to hear of it. ``before``: whose it was until now."""

    claim: Claim
    is_news: bool
    before: str | None = None


class ClaimBook:
    """All claims of a port. Thread-safe."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._claims: dict[tuple[str, str], tuple[Claim, int]] = {}

    def take(self, *, case_id: str, role: str, user: str, is_knowing: bool = False) -> Claimed | Claim:
        """Claim a case for a role, or repeat it. A colleague's claim comes back instead, unless ``is_knowing``."""
        with self._lock:
            self._forget_silent()
            key = (case_id, role)
            held = self._claims[key][0] if key in self._claims else None
            if held is not None and held.user != user and not is_knowing:
                return held
            is_same = held is not None and held.user == user
            claim = Claim(case_id=case_id, role=role, user=user, since_ms=self._clock.utc_ms())
            if held is not None and is_same:
                claim = replace(claim, since_ms=held.since_ms)
            self._claims[key] = (claim, self._clock.monotonic_ns() + LIFETIME_MS * 1_000_000)
            before = held.user if held is not None and not is_same else None
            return Claimed(claim=claim, is_news=not is_same, before=before)

    def leave(self, *, case_id: str, role: str, user: str) -> bool:
        """Let go of a case; whether it was claimed by that officer."""
        with self._lock:
            self._forget_silent()
            held = self._claims.get((case_id, role))
            if held is None or held[0].user != user:
                return False
            del self._claims[case_id, role]
            return True

    def of(self, case_id: str) -> dict[str, Claim]:
        """The claims on a case, by role."""
        return self.all().get(case_id, {})

    def all(self) -> dict[str, dict[str, Claim]]:
        """All claims, by case and role."""
        with self._lock:
            self._forget_silent()
            found: dict[str, dict[str, Claim]] = {}
            for (case_id, role), (claim, _) in self._claims.items():
                found.setdefault(case_id, {})[role] = claim
            return found

    def _forget_silent(self) -> None:
        now_ns = self._clock.monotonic_ns()
        self._claims = {key: held for key, held in self._claims.items() if held[1] > now_ns}
