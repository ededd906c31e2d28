"""Officers' accounts and sessions. Passwords are kept as Argon2id (RFC 9106), tokens as sha256; neither is ever logged."""

import hashlib
import json
import re
import secrets
import threading
from collections import deque
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import Connection, Row, delete, select

from config.schema import Site
from gate.core.clock import Clock
from gate.hub.audit.log import AuditKind, Entry, note
from gate.hub.errors import HubError
from gate.hub.schema import SESSIONS, USERS
from gate.hub.store import Store, insert_new, upsert

SUPERVISOR = "supervisor"
"""May command lanes."""
INTAKE = "intake"
"""May submit declarations."""
EVERYWHERE = "*"
"""In place of a port: all ports that share this database."""
MIN_PASSWORD_CHARS = 10
MAX_PASSWORD_CHARS = 256
ATTEMPTS_PER_USER = 5
"""From one address, in the window."""
ATTEMPTS_ON_ACCOUNT = 30
"""From all addresses together: more than one person mistypes, fewer than many machines need."""
ATTEMPTS_PER_ADDRESS = 50
ATTEMPT_WINDOW_MS = 60_000
_USER = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Officer:
    """Somebody who may log in. ``roles`` are role ids of the site, or ``supervisor`` and ``intake``; ``ports`` where they hold."""

    user: str
    name: str
    roles: tuple[str, ...]
    ports: tuple[str, ...] = ()

    def has_any(self, *roles: str) -> bool:
        return not set(roles).isdisjoint(self.roles)


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    officer: Officer
    token: str
    expires_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginRefused:
    """``wrong`` (user or password: never said which), ``other_port``, or ``too_many`` and then how long to wait."""

    reason: str
    retry_after_s: int = 0


class Accounts:
    """Who may do what at this hub. There is no account until an operator makes one."""

    def __init__(self, store: Store, *, clock: Clock, site: Site, hasher: PasswordHasher | None = None) -> None:
        self._store = store
        self._clock = clock
        self._port = site.port.id
        self._allowed = frozenset({role.id for role in site.roles} | {SUPERVISOR, INTAKE})
        self._lifetime_ms = site.hub.session_lifetime_min * 60_000
        self._hasher = hasher or PasswordHasher()
        # One at a time: a hash takes 64 MiB, and a hundred strangers must not take a hundred times that.
        self._hashing = threading.Lock()
        self._decoy: str | None = None
        self._attempts = _Attempts(clock)

    def add(
        self, *, user: str, name: str, password: str, roles: Collection[str], ports: Collection[str] = ()
    ) -> Officer:
        """Make an account, for this port unless ``ports`` names others.

        HubError when the name is taken or malformed, a role unknown, or the password too short.
        """
        if _USER.fullmatch(user) is None:
            raise HubError(f"{user!r} cannot be a user name: use lower-case letters, digits, '.', '_' and '-'")
        unknown = sorted(set(roles) - self._allowed)
        if unknown or not roles:
            what = f"the role {unknown[0]!r} is not known here" if unknown else "an account needs a role"
            raise HubError(f"{what}: choose among {', '.join(sorted(self._allowed))}")
        if not MIN_PASSWORD_CHARS <= len(password) <= MAX_PASSWORD_CHARS:
            raise HubError(
                f"the password has {len(password)} characters: choose one of {MIN_PASSWORD_CHARS} to {MAX_PASSWORD_CHARS}"
            )
        row: dict[str, Any] = {
            "user": user,
            "name": name or user,
            "password_hash": self._hasher.hash(password),
            "roles": json.dumps(sorted(set(roles))),
            "ports": json.dumps(sorted(set(ports) or {self._port})),
            "created_ms": self._clock.utc_ms(),
        }
        with self._store.write() as connection:
            is_new = bool(insert_new(connection, USERS, [row], returning="user"))
            if is_new:
                self._record(connection, AuditKind.ACCOUNT_ADDED, user, {"roles": row["roles"], "ports": row["ports"]})
        if not is_new:
            raise HubError(f"there is already an account {user!r}: remove it first, or choose another name")
        return Officer(
            user=user, name=name or user, roles=tuple(sorted(set(roles))), ports=tuple(json.loads(row["ports"]))
        )

    def remove(self, user: str) -> None:
        """End the account and its sessions. HubError when there is none."""
        with self._store.write() as connection:
            connection.execute(delete(SESSIONS).where(SESSIONS.c.user == user))
            removed = connection.execute(delete(USERS).where(USERS.c.user == user)).rowcount
            if removed:
                self._record(connection, AuditKind.ACCOUNT_REMOVED, user, {})
        if not removed:
            raise HubError(f"there is no account {user!r}: see 'gate users list'")

    def all(self) -> list[Officer]:
        """Every account, by name."""
        with self._store.read() as connection:
            rows = connection.execute(select(USERS).order_by(USERS.c.user)).all()
        return [_officer(row) for row in rows]

    def login(self, *, user: str, password: str, address: str) -> Session | LoginRefused:
        """Open a session. ``address`` is where the attempt comes from; attempts are counted per user and address."""
        wait_s = self._attempts.wait_s(user, address)
        if wait_s:
            return LoginRefused(reason="too_many", retry_after_s=wait_s)
        with self._store.read() as connection:
            row = connection.execute(select(USERS).where(USERS.c.user == user)).first()
        if not self._is_password(row.password_hash if row else None, password) or row is None:
            self._attempts.failed(user, address)
            with self._store.write() as connection:
                known = user if row else "unknown"
                self._record(connection, AuditKind.LOGIN_REFUSED, known, {"address": address})
            return LoginRefused(reason="wrong")
        self._attempts.succeeded(user, address)
        officer = _officer(row)
        if not self._holds_here(officer):
            return LoginRefused(reason="other_port")
        return self._open(officer, {"address": address, "by": "password"})

    def enter(self, *, issuer: str, subject: str, name: str, roles: Collection[str]) -> Session | LoginRefused:
        """Open a session for somebody whom an identity provider has vouched for; ``wrong`` without a role of this site.

        The account is named by provider and subject, has no password, and has the roles that it was given this time.
        """
        known = sorted(set(roles) & self._allowed)
        if not known:
            return LoginRefused(reason="wrong")
        user = f"oidc.{hashlib.sha256(f'{issuer} {subject}'.encode()).hexdigest()[:24]}"
        row: dict[str, Any] = {
            "user": user,
            "name": name[:200] or user,
            "password_hash": "",
            "roles": json.dumps(known),
            "ports": json.dumps([self._port]),
            "created_ms": self._clock.utc_ms(),
        }
        with self._store.write() as connection:
            upsert(connection, USERS, row)
        officer = Officer(user=user, name=row["name"], roles=tuple(known), ports=(self._port,))
        return self._open(officer, {"by": issuer, "roles": row["roles"]})

    def _open(self, officer: Officer, data: dict[str, str]) -> Session:
        token = secrets.token_urlsafe(32)
        now_ms = self._clock.utc_ms()
        session = Session(officer=officer, token=token, expires_ms=now_ms + self._lifetime_ms)
        with self._store.write() as connection:
            connection.execute(delete(SESSIONS).where(SESSIONS.c.expires_ms <= now_ms))
            connection.execute(
                SESSIONS.insert().values(token_hash=_hash(token), user=officer.user, expires_ms=session.expires_ms)
            )
            self._record(connection, AuditKind.LOGIN, officer.user, data)
        return session

    def officer(self, token: str) -> Officer | None:
        """Whose session this is, while it lasts."""
        query = (
            select(USERS)
            .join(SESSIONS, SESSIONS.c.user == USERS.c.user)
            .where(SESSIONS.c.token_hash == _hash(token), SESSIONS.c.expires_ms > self._clock.utc_ms())
        )
        with self._store.read() as connection:
            row = connection.execute(query).first()
        officer = _officer(row) if row else None
        return officer if officer is not None and self._holds_here(officer) else None

    def expires_ms(self, token: str) -> int:
        """When this session ends; 0 when there is none."""
        with self._store.read() as connection:
            query = select(SESSIONS.c.expires_ms).where(SESSIONS.c.token_hash == _hash(token))
            return connection.scalar(query) or 0

    def _holds_here(self, officer: Officer) -> bool:
        return self._port in officer.ports or EVERYWHERE in officer.ports

    def _record(self, connection: Connection, kind: AuditKind, who: str, data: dict[str, str]) -> None:
        note(connection, Entry(at_ms=self._clock.utc_ms(), kind=kind, who=who, data=data))

    def logout(self, token: str) -> None:
        """End the session, if there is one."""
        with self._store.write() as connection:
            user = connection.scalar(
                delete(SESSIONS).where(SESSIONS.c.token_hash == _hash(token)).returning(SESSIONS.c.user)
            )
            if user is not None:
                self._record(connection, AuditKind.LOGOUT, user, {})

    def _is_password(self, password_hash: str | None, password: str) -> bool:
        with self._hashing:
            if self._decoy is None:
                self._decoy = self._hasher.hash(secrets.token_hex(16))
            try:
                # Unknown users cost the same time, so that names cannot be found out by the clock.
                is_right = self._hasher.verify(password_hash or self._decoy, password)
            except (VerificationError, InvalidHashError):
                return False
        return is_right and password_hash is not None


class _Attempts:
    """Failed logins of the last minute, by (user, address), by address and by user; bounded in memory."""

    _MAX_KEYS = 10_000

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._failures: dict[tuple[str, str], deque[int]] = {}

    def wait_s(self, user: str, address: str) -> int:
        with self._lock:
            waits = (
                self._wait_ms((user, address), ATTEMPTS_PER_USER),
                self._wait_ms(("", address), ATTEMPTS_PER_ADDRESS),
                self._wait_ms((user, ""), ATTEMPTS_ON_ACCOUNT),
            )
        return -(-max(waits) // 1000)

    def failed(self, user: str, address: str) -> None:
        now_ms = self._clock.monotonic_ns() // 1_000_000
        with self._lock:
            if len(self._failures) >= self._MAX_KEYS:
                cutoff_ms = now_ms - ATTEMPT_WINDOW_MS
                self._failures = {key: times for key, times in self._failures.items() if times[-1] > cutoff_ms}
            for key, limit in (
                ((user[:64], address), ATTEMPTS_PER_USER),
                (("", address), ATTEMPTS_PER_ADDRESS),
                ((user[:64], ""), ATTEMPTS_ON_ACCOUNT),
            ):
                self._failures.setdefault(key, deque(maxlen=limit)).append(now_ms)

    def succeeded(self, user: str, address: str) -> None:
        with self._lock:
            self._failures.pop((user[:64], address), None)

    def _wait_ms(self, key: tuple[str, str], limit: int) -> int:
        times = self._failures.get((key[0][:64], key[1]))
        if times is None or len(times) < limit:
            return 0
        return max(0, times[0] + ATTEMPT_WINDOW_MS - self._clock.monotonic_ns() // 1_000_000)


def _officer(row: Row[Any]) -> Officer:
    """Accounts of before there were ports hold everywhere, as they did."""
    return Officer(
        user=row.user,
        name=row.name,
        roles=tuple(json.loads(row.roles)),
        ports=tuple(json.loads(row.ports)) if row.ports is not None else (EVERYWHERE,),
    )


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
