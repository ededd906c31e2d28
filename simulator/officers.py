"""Officers who follow the scenario: they use the hub's HTTP API with accounts of their own, as the screens do."""

import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx
import structlog

from config.schema import Site
from gate.core.clock import SystemClock
from gate.hub.accounts import INTAKE, SUPERVISOR, Accounts
from gate.hub.service import database_url
from gate.hub.store import Store
from simulator.scenario import Answers, TravellerSpec

_log = structlog.get_logger(__name__)
POLL_S = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """An account of the demonstration. The password is made anew for each run."""

    user: str
    password: str
    roles: tuple[str, ...]


def create_logins(site: Site) -> tuple[Login, ...]:
    """An officer for each role (border also supervises), and the intake of declarations; in the hub's own store."""
    wanted = {role.id: (role.id, SUPERVISOR) if role.id == "border" else (role.id,) for role in site.roles}
    wanted["intake"] = (INTAKE,)
    logins = tuple(Login(user=user, password=secrets.token_urlsafe(9), roles=roles) for user, roles in wanted.items())
    store = Store(database_url(site))
    try:
        store.migrate()
        accounts = Accounts(store, clock=SystemClock(), site=site)
        known = {officer.user for officer in accounts.all()}
        for login in logins:
            if login.user in known:
                accounts.remove(login.user)
            accounts.add(user=login.user, name=login.user.title(), password=login.password, roles=login.roles)
    finally:
        store.close()
    return logins


class Account:
    """One login's session at the hub; logs in again when the session is no longer good."""

    def __init__(self, url: str, login: Login) -> None:
        self._client = httpx.Client(base_url=f"{url}/api/v1", timeout=5.0, trust_env=False)
        self._login = login

    def close(self) -> None:
        self._client.close()

    def request(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """The JSON of a request's answer. httpx.HTTPError when the hub refuses it or does not answer."""
        response = self._client.request(method, path, json=body)
        if response.status_code == httpx.codes.UNAUTHORIZED:
            entered = self._client.post("/login", json={"user": self._login.user, "password": self._login.password})
            entered.raise_for_status()
            self._client.headers["Authorization"] = f"Bearer {entered.json()['token']}"
            response = self._client.request(method, path, json=body)
        response.raise_for_status()
        return response.json()


@dataclass(slots=True)
class _Case:
    """What is expected of the officers at one lane, and what they have done about it."""

    answers: Answers
    clear_lane: Callable[[], None]
    seen_s: float | None = None
    done: set[tuple[str, str]] = field(default_factory=set)


class OfficerDesk:
    """All the officers of a port, in one thread."""

    def __init__(self, site: Site, logins: tuple[Login, ...]) -> None:
        self._accounts = {login.user: Account(site.hub.url, login) for login in logins}
        self._cases: dict[str, _Case] = {}
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="officers", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._closing.set()
        self._thread.join(timeout=10.0)
        for account in self._accounts.values():
            account.close()

    def declare(self, spec: TravellerSpec) -> None:
        """What the traveller declared before the journey reaches the hub. httpx.HTTPError when it does not."""
        if spec.declaration is None:
            return
        goods, symptoms = list(spec.declaration.goods), list(spec.declaration.symptoms)
        body = {
            "document_number": spec.document.number,
            "issuer": spec.document.issuer,
            "customs": {"goods": goods, "is_nothing_to_declare": not goods},
            "health": {"symptoms": symptoms, "countries": []},
        }
        self._accounts["intake"].request("POST", "/declarations", body)

    def expect(self, lane: str, answers: Answers, clear_lane: Callable[[], None]) -> None:
        """How to answer for whoever is at ``lane`` from now on; ``clear_lane`` removes what was left there."""
        with self._lock:
            self._cases[lane] = _Case(answers=answers, clear_lane=clear_lane)

    def _run(self) -> None:
        while not self._closing.wait(POLL_S):
            try:
                self._look_round()
            except httpx.HTTPError as error:
                _log.info("officer_waits", error=str(error)[:200])

    def _look_round(self) -> None:
        for lane in self._accounts["border"].request("GET", "/lanes")["lanes"]:
            state = lane.get("state")
            with self._lock:
                case = self._cases.get(lane["lane"])
            if state is None:
                continue
            if state["state"] == "fault" and state.get("person_count") == 0:
                self._accounts["border"].request("POST", f"/lanes/{lane['lane']}/commands", {"act": "acknowledge"})
            if case is None or state["state"] not in ("referred", "alarm"):
                continue
            now_s = time.monotonic()
            case.seen_s = case.seen_s or now_s
            if now_s - case.seen_s >= case.answers.delay_s:
                self._answer(lane["lane"], state, case)

    def _answer(self, lane: str, state: dict[str, Any], case: _Case) -> None:
        case_id = state.get("case_id")
        if state["state"] == "referred" and case_id is not None:
            self._release(case_id, case)
        if case.answers.is_sent_back and case_id is not None and state.get("person_count") != 0:
            self._once(
                case, ("send_back", state["state"]), "border", f"/cases/{case_id}/send-back", {"reason": "as scripted"}
            )
        if case.answers.is_acknowledged and state["state"] == "alarm" and state.get("person_count") == 0:
            case.clear_lane()
            self._accounts["border"].request("POST", f"/lanes/{lane}/commands", {"act": "acknowledge"})

    def _release(self, case_id: str, case: _Case) -> None:
        for role in case.answers.releases:
            view = self._accounts[role].request("GET", f"/cases/{case_id}")
            digest = view["evidence_digest"]
            body = {"kind": "released_by_officer", "evidence_digest": digest, "reason": "as scripted", "role": role}
            self._once(case, (role, digest), role, f"/cases/{case_id}/verdicts", body)

    def _once(self, case: _Case, key: tuple[str, str], user: str, path: str, body: dict[str, Any]) -> None:
        if key not in case.done:
            self._accounts[user].request("POST", path, body)
            case.done.add(key)
