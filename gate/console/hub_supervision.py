"""The part of the hub's HTTP API that whoever watches a port uses; the rest is in :mod:`gate.console.hub_client`."""

from dataclasses import dataclass
from typing import Any

from gate.console.hub_client import HubClient, LinkLost, Refusal
from gate.console.hub_models import CasePage, HubModel
from gate.wire.messages import Act


class LastOutcome(HubModel):
    outcome: str
    closed_ms: int


class Bucket(HubModel):
    at_ms: int
    crossings: int
    referred: int
    waiting_ms_p95: float | None = None


class LaneFlow(HubModel):
    lane: str
    crossings: int
    referred: int


class Reason(HubModel):
    code: str
    crossings: int


class Flow(HubModel):
    """What ended in a period; times are milliseconds."""

    from_ms: int
    until_ms: int
    step_ms: int
    crossings: int
    referred: int
    referral_ratio: float | None = None
    waiting_ms_p95: float | None = None
    buckets: tuple[Bucket, ...] = ()
    by_lane: tuple[LaneFlow, ...] = ()
    by_outcome: dict[str, int]
    reasons: tuple[Reason, ...] = ()


class Promise(HubModel):
    waiting_limit_ms: int
    lane_crossings_per_h: int
    crossings_per_h: int | None = None
    referral_ratio: float
    lanes_out: int
    watch_ms: int


class ForecastHour(HubModel):
    at_ms: int
    arrivals: float
    low: float
    high: float


class Forecast(HubModel):
    made_ms: int
    source: str
    hours: tuple[ForecastHour, ...]


class Now(HubModel):
    """The last hour beside what the port promises; ``forecast`` is None as long as nobody makes one."""

    now_ms: int
    last_hour: Flow
    waiting: int
    oldest_waiting_ms: int | None = None
    promise: Promise
    forecast: Forecast | None = None
    last_outcomes: dict[str, LastOutcome]


class Alarm(HubModel):
    lane: str
    kind: str
    reason: str
    device: str | None = None
    case_id: str | None = None
    raised_ms: int
    cleared_ms: int | None = None
    cleared_by: str | None = None
    acknowledged_ms: int | None = None
    acknowledged_by: str | None = None


class AlarmPage(HubModel):
    alarms: tuple[Alarm, ...]


class JournalLine(HubModel):
    sequence: int
    at_ms: int
    type: str
    case_id: str | None = None
    detail: dict[str, str]


class Journal(HubModel):
    lines: tuple[JournalLine, ...]
    next: int | None = None


class Given(HubModel):
    act: str
    author: str
    also_by: str | None = None
    case_id: str | None = None
    issued_ms: int
    state: str
    reason: str = ""


class GivenPage(HubModel):
    commands: tuple[Given, ...]


class Ordered(HubModel):
    commands: dict[str, str]


class Watch(HubModel):
    number: int
    author: str
    name: str
    began_ms: int
    ended_ms: int | None = None
    note: str = ""


class Watches(HubModel):
    limit_ms: int
    open: tuple[Watch, ...] = ()
    ended: tuple[Watch, ...] = ()


class ForceOpened(HubModel):
    """``waiting``: a second officer may agree until ``until_ms``; ``sent``: two agreed and the lane was told."""

    state: str
    until_ms: int | None = None
    officers: tuple[str, ...] = ()


class AuditEntry(HubModel):
    number: int
    at_ms: int
    kind: str
    who: str
    case_id: str | None = None
    leaf: str
    body: str


class AuditPage(HubModel):
    entries: tuple[AuditEntry, ...]
    next: str | None = None


class Inclusion(HubModel):
    """An RFC 6962 audit path in hex, from the leaf upwards, and the signed checkpoint that it leads to."""

    number: int
    size: int
    leaf: str
    path: tuple[str, ...]
    root: str
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseQuery:
    """What cases are looked for by; empty or None: by anything."""

    text: str = ""
    lane: str | None = None
    outcome: str | None = None
    is_referred: bool | None = None
    from_ms: int | None = None
    until_ms: int | None = None

    def to_query(self) -> dict[str, str | int]:
        wanted: dict[str, Any] = {name: getattr(self, name) for name in self.__slots__}
        if self.is_referred is not None:
            wanted["is_referred"] = str(self.is_referred).lower()
        return {name: value for name, value in wanted.items() if value not in (None, "")}


class Supervision:
    """Questions and orders, each with the asking officer's own token."""

    def __init__(self, hub: HubClient) -> None:
        self._hub = hub

    async def now(self, token: str) -> Now | Refusal | LinkLost:
        return await self._hub.ask(Now, "GET", "/statistics/now", token)

    async def flow(self, token: str, *, from_ms: int, until_ms: int, step_ms: int) -> Flow | Refusal | LinkLost:
        query = {"from_ms": from_ms, "until_ms": until_ms, "step_ms": step_ms}
        return await self._hub.ask(Flow, "GET", "/statistics/flow", token, query=query)

    async def alarms(self, token: str, *, lane: str | None = None) -> AlarmPage | Refusal | LinkLost:
        return await self._hub.ask(AlarmPage, "GET", "/alarms", token, query={"lane": lane} if lane else None)

    async def journal(
        self, token: str, lane: str, *, before: int | None = None, limit: int = 50
    ) -> Journal | Refusal | LinkLost:
        query = {"limit": limit} | ({"before": before} if before is not None else {})
        return await self._hub.ask(Journal, "GET", f"/lanes/{lane}/journal", token, query=query)

    async def given(self, token: str, lane: str) -> GivenPage | Refusal | LinkLost:
        return await self._hub.ask(GivenPage, "GET", f"/lanes/{lane}/commands", token)

    async def order_all(self, token: str, act: Act, lanes: tuple[str, ...] = ()) -> Ordered | Refusal | LinkLost:
        """One order to these lanes, to all when none is named."""
        body = {"act": act.value, "lanes": list(lanes)}
        return await self._hub.ask(Ordered, "POST", "/orders", token, body=body)

    async def watches(self, token: str) -> Watches | Refusal | LinkLost:
        return await self._hub.ask(Watches, "GET", "/watches", token)

    async def begin_watch(self, token: str) -> Watch | Refusal | LinkLost:
        return await self._hub.ask(Watch, "POST", "/watches", token)

    async def end_watch(self, token: str, note: str) -> Watch | Refusal | LinkLost:
        return await self._hub.ask(Watch, "POST", "/watches/end", token, body={"note": note})

    async def search(self, token: str, query: CaseQuery, *, after: str | None = None) -> CasePage | Refusal | LinkLost:
        wanted = query.to_query() | ({"after": after} if after is not None else {})
        return await self._hub.ask(CasePage, "GET", "/search/cases", token, query=wanted)

    async def force_open(
        self, token: str, case_id: str, *, digest: str, role: str, reason: str
    ) -> ForceOpened | Refusal | LinkLost:
        """Agree to opening the exit by two officers' word, on the evidence that was on the screen."""
        body = {"evidence_digest": digest, "role": role, "reason": reason}
        return await self._hub.ask(ForceOpened, "POST", f"/cases/{case_id}/force-open", token, body=body)

    async def audit(
        self, token: str, *, case_id: str = "", after: str | None = None, limit: int = 50
    ) -> AuditPage | Refusal | LinkLost:
        query: dict[str, str | int] = {"limit": limit}
        query |= {name: value for name, value in (("case_id", case_id), ("after", after or "")) if value}
        return await self._hub.ask(AuditPage, "GET", "/audit", token, query=query)

    async def proof(self, token: str, number: int) -> Inclusion | Refusal | LinkLost:
        return await self._hub.ask(Inclusion, "GET", f"/audit/{number}/proof", token)
