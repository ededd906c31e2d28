"""The whole HTTP API by its own OpenAPI document: whatever is sent, no server error, and every answer as it is documented."""

import asyncio
import json
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from argon2 import PasswordHasher
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable

from config.loader import parse_site
from gate.core.clock import ManualClock
from gate.core.evidence import Evidence
from gate.hub.accounts import Accounts
from gate.hub.api import create_api
from gate.hub.heard import Incoming
from gate.hub.service import Hub
from gate.wire.messages import CloudEvent, EventType, new_event_id, utc
from gate.wire.signing import SigningKey, make_lane_bearer

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import schemathesis
    from schemathesis.specs.openapi.checks import response_schema_conformance, status_code_conformance

PASSWORD = "a good long password"
LANE = SigningKey.generate()


def make_hub(folder: Path) -> Hub:
    roles = [{"id": role, "title": role, "title_zh": role, "colour": "#000000"} for role in ("customs", "quarantine")]
    lane = {
        "id": "lane-1",
        "board": {"port": "/dev/none"},
        "face_camera": {"kind": "folder", "source": "x"},
        "document_camera": {"kind": "folder", "source": "x"},
    }
    site = {"port": {"id": "p", "title": "P"}, "state_dir": str(folder), "role": roles, "lane": [lane]}
    clock = ManualClock()
    hub = Hub(parse_site(site, origin="test"), SigningKey.generate(), {"lane-1": LANE.public()}, clock)
    quick = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
    hub.accounts = Accounts(hub.store, clock=clock, site=hub.site, hasher=quick)
    hub.store.migrate()
    hub.accounts.add(user="all", name="All", password=PASSWORD, roles=["customs", "quarantine", "supervisor", "intake"])
    return hub


def referred(case_id: str) -> list[Incoming]:
    """What a lane says of a case that it refers to an officer."""
    evidence = Evidence(port="p", lane="lane-1", case_id=case_id, revision=1, occupancy_id="stay")
    digest = evidence.digest()
    recorded = {"case_id": case_id, "revision": 1, "digest": digest, "evidence": evidence.to_json()}
    decided = {"case_id": case_id, "decision": "refer", "reasons": [], "roles": [], "digest": digest}
    said = [(EventType.EVIDENCE_RECORDED, recorded), (EventType.CROSSING_DECIDED, decided)]
    messages = []
    for sequence, (kind, data) in enumerate(said, start=1):
        event = CloudEvent(id=new_event_id(), source="/p/lane-1", type=kind, time=utc(0), sequence=sequence, data=data)
        topic = "tongguan/v1/p/lane-1/event"
        messages.append(Incoming(topic=topic, payload=event.model_dump_json().encode(), arrived_ns=0))
    return messages


class Fuzzed:
    """A hub with a case in it, its operations, and a client who may do everything: an officer, or the lane where one is asked."""

    def __init__(self, folder: Path) -> None:
        self.hub = make_hub(folder)
        self.hub.take_in(referred("c1"))
        app = create_api(self.hub)
        self._runner = asyncio.Runner()
        # Errors of the application are raised into the test, so that the traceback is seen.
        self._client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://hub")
        self.token = self.hub.accounts.login(user="all", password=PASSWORD, address="x").token  # type: ignore[union-attr]
        schema = schemathesis.openapi.from_dict(app.openapi())
        self.operations = {item.ok().label: item.ok() for item in schema.get_all_operations()}

    def send(self, case: Any) -> httpx.Response:
        kwargs = case.as_transport_kwargs(base_url="http://hub")
        token = self.token
        if case.operation.label in LANES_ONLY:
            token = make_lane_bearer(LANE, address="p/lane-1", clock=self.hub.clock)
        headers = {key: value for key, value in dict(kwargs.get("headers") or {}).items() if _is_sendable(key, value)}
        content = kwargs.get("data")
        if kwargs.get("json") is not None:
            content = json.dumps(kwargs["json"])
            headers.setdefault("Content-Type", "application/json")
        if not isinstance(content, bytes | str | None):
            content = repr(content)
        return self._runner.run(
            self._client.request(
                kwargs["method"],
                kwargs["url"],
                params=kwargs.get("params"),
                content=content.encode("utf-8", "replace") if isinstance(content, str) else content,
                headers={**headers, "Authorization": f"Bearer {token}"},
            )
        )

    def close(self) -> None:
        self._runner.run(self._client.aclose())
        self._runner.close()
        self.hub.stop()


LANES_ONLY = frozenset(
    {"PUT /api/v1/evidence/{sha256}", "POST /api/v1/lookups", "GET /api/v1/lane/cases/{case_id}/scans"}
)
ENDS_THE_SESSION = "POST /api/v1/logout"


def _is_sendable(key: str, value: Any) -> bool:
    """A client refuses to send these at all."""
    return key.lower() not in ("authorization", "content-length", "cookie", "host") and str(value).isprintable()


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fuzzed]:
    made = Fuzzed(tmp_path_factory.mktemp("fuzz"))
    yield made
    made.close()


def run(fuzzed: Fuzzed, label: str, examples: int) -> None:
    operation = fuzzed.operations[label]
    for mode in schemathesis.GenerationMode:
        is_of_a_case = "{case_id}" in label and mode is schemathesis.GenerationMode.POSITIVE
        known = {"path_parameters": {"case_id": "c1"}} if is_of_a_case else {}

        @given(case=operation.as_strategy(generation_mode=mode, **known))
        @settings(
            max_examples=examples,
            deadline=None,
            database=None,
            derandomize=True,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        def play(case: Any) -> None:
            answer = fuzzed.send(case)
            assert answer.status_code < 500 or (label.endswith("/ready") and answer.status_code == 503), answer.text
            if answer.status_code >= 400 and not label.endswith("/ready"):
                assert answer.headers["content-type"] == "application/problem+json", answer.text
                assert answer.json()["status"] == answer.status_code
            if label == ENDS_THE_SESSION:
                fuzzed.token = fuzzed.hub.accounts.login(user="all", password=PASSWORD, address="x").token
            else:
                case.validate_response(answer, checks=[response_schema_conformance, status_code_conformance])

        try:
            play()
        except Unsatisfiable:
            assert mode is schemathesis.GenerationMode.NEGATIVE, (
                label
            )  # nothing can be wrong about an operation without input


def test_no_operation_answers_with_a_server_error_or_something_else_than_it_says(fuzzed: Fuzzed) -> None:
    assert len(fuzzed.operations) > 25
    for label in sorted(fuzzed.operations):
        run(fuzzed, label, 4)


def test_an_answer_that_is_not_as_documented_is_noticed(fuzzed: Fuzzed, monkeypatch: pytest.MonkeyPatch) -> None:
    def site() -> Any:
        raise RuntimeError("a bug of ours")

    monkeypatch.setattr(fuzzed.hub.board, "lanes", site)
    with pytest.raises(RuntimeError, match="a bug of ours"):
        run(fuzzed, "GET /api/v1/lanes", 1)


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_no_operation_answers_with_a_server_error_for_long(fuzzed: Fuzzed) -> None:
    for label in sorted(fuzzed.operations):
        run(fuzzed, label, 300)
