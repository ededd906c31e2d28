"""What lanes are told of the holder of a document: lists of passengers, right of entry, opening hours, trust; and what they fetch ahead."""

import asyncio
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from api_kit import Api
from hub_kit import LANE_KEYS, FakeLane, make_hub, make_site
from test_window import DOCUMENT, EXAMPLES, submit

from gate.checks.paxlst import write_paxlst
from gate.checks.paxlst.fields import doc9303_state
from gate.core.clock import ManualClock
from gate.core.policy import Answer
from gate.hub.api import create_api
from gate.hub.window.lookups import claim, trust_level
from gate.lane.hub_link import HubLink
from gate.lane.hub_lookups import HubLookups
from gate.lane.lookups import Lookups, LookupSource
from gate.lane.prefetch import Prefetched
from gate.lane.sightings import PrivateDocument
from gate.wire.prefetch import document_digest
from simulator.paxlst import PaxlstMaker

NAMES = [
    "watchlist",
    "customs_declaration",
    "health_declaration",
    "advance_passenger",
    "entry_permission",
    "opening_hours",
    "traveller_trust",
]
HOUR_MS = 3_600_000
ARRIVAL_MS = 1_772_393_400_000  # 2026-03-01T19:30Z


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(utc_ms=ARRIVAL_MS - HOUR_MS)


@pytest.fixture
def api(tmp_path: Path, clock: ManualClock) -> Iterator[Api]:
    window = {
        "region": "CN-BJ",
        "opening_hours": "06:00-19:00",
        "required": ["customs", "health"],
        "slot_travellers": 20,
        "holidays": ["2026-03-03"],
        "prefetch_every_s": 60,
    }
    hub = make_hub(make_site(tmp_path, policy={"lookups": NAMES}, window=window), clock)
    hub.store.migrate()
    made = Api(hub)
    yield made
    made.http.close()
    hub.stop()


def ask(api: Api, case_id: str = "c1", **document: str) -> dict[str, tuple[bool, str]]:
    body = {"case_id": case_id, "nationality": "USA", "birth_date": "1990-01-01"} | DOCUMENT | document
    answer = api.call("POST", "/lookups", "lane-1", json=body)
    assert answer.status_code == 200, answer.text
    results = answer.json()["results"]
    assert [item["name"] for item in results] == NAMES
    return {item["name"]: (item["is_hit"], item["detail"]) for item in results}


def test_nothing_on_file_is_a_hit_where_something_is_needed(api: Api) -> None:
    answers = ask(api)
    assert {name: hit for name, (hit, _) in answers.items()} == {
        "watchlist": False,
        "customs_declaration": True,
        "health_declaration": True,
        "advance_passenger": True,
        "entry_permission": True,
        "opening_hours": False,
        "traveller_trust": False,
    }
    assert "transit-240h: no onward ticket" in answers["entry_permission"][1]
    assert "not in force" not in answers["entry_permission"][1]
    assert answers["traveller_trust"][1] == "standard"
    assert ask(api, nationality="CHN")["entry_permission"] == (False, "national")


def test_a_passenger_is_found_by_document_and_compared(api: Api, clock: ManualClock) -> None:
    made = PaxlstMaker(11).interchange(passengers=1)
    submit(api, "passengers", write_paxlst(made))
    passenger = made.lists[0].passengers[0]
    shown = {
        "document_number": passenger.travel_document.number,
        "issuer": {"DEU": "D"}.get(passenger.travel_document.issuer, passenger.travel_document.issuer),
        "nationality": {"DEU": "D"}.get(passenger.nationality, passenger.nationality),
        "birth_date": passenger.birth_date.isoformat(),
    }
    assert ask(api, **shown)["advance_passenger"] == (False, f"flight {made.lists[0].flight}")
    other = ask(api, **(shown | {"birth_date": "1911-01-01"}))["advance_passenger"]
    assert other == (True, f"flight {made.lists[0].flight}: another birth date than on the document")
    clock.advance_ms(5 * 24 * HOUR_MS)
    assert ask(api, **shown)["advance_passenger"] == (True, "on no list of passengers")


def test_a_visa_with_one_entry_lets_in_once(api: Api, clock: ManualClock) -> None:
    submit(api, "visa", EXAMPLES["visa"])
    assert ask(api, "c1")["entry_permission"] == (False, "visa, to leave before 2026-04-01 00:00")
    lane = FakeLane(clock)
    api.hub.take_in([lane.start("c1"), lane.end("cleared")])
    answer = ask(api, "c2")["entry_permission"]
    assert answer[0]
    assert "visa: its entry was made" in answer[1]
    submit(api, "visa", EXAMPLES["visa"] | {"visa_number": "V2", "entries": 0})
    assert ask(api, "c3")["entry_permission"][0] is False
    submit(api, "visa", EXAMPLES["visa"] | {"visa_number": "V2", "entries": 0, "is_revoked": True})
    assert "revoked" in ask(api, "c3")["entry_permission"][1]


def test_a_transit_needs_a_document_that_is_valid_long_enough(api: Api) -> None:
    submit(api, "transit", EXAMPLES["transit"])
    assert ask(api, expiry_date="2030-01-01")["entry_permission"] == (
        False,
        "transit-240h, to leave before 2026-03-12 00:00",
    )
    assert ask(api, expiry_date="2026-04-01")["entry_permission"][0] is True


def test_a_port_that_is_closed_lets_in_by_appointment(api: Api, clock: ManualClock) -> None:
    clock.advance_ms(2 * HOUR_MS)  # 20:30
    assert ask(api)["opening_hours"] == (True, "the port is closed, and there is no appointment")
    night = EXAMPLES["reservation"] | {"starts_at": "2026-03-01T21:00:00Z", "ends_at": "2026-03-01T22:00:00Z"}
    assert submit(api, "reservation", night).json()["records"] == 1
    assert ask(api)["opening_hours"] == (False, "by appointment")
    assert ask(api, document_number="OTHER")["opening_hours"][0] is True
    submit(api, "reservation", night | {"is_cancelled": True})
    assert ask(api)["opening_hours"][0] is True
    listed = api.call("GET", f"/window/reservations?from_ms={ARRIVAL_MS}&until_ms={ARRIVAL_MS + 9 * HOUR_MS}", "ann")
    (row,) = listed.json()["reservations"]
    assert (row["key"], json.loads(row["body"])["is_cancelled"]) == ("reservation/R-1", True)


def test_a_holiday_is_closed_all_day(api: Api, clock: ManualClock) -> None:
    clock.advance_ms(17 * HOUR_MS)  # noon of the 2nd
    assert ask(api)["opening_hours"] == (False, "open")
    clock.advance_ms(24 * HOUR_MS)
    assert ask(api)["opening_hours"][0] is True


def test_an_hour_takes_no_more_appointments_than_it_has_room_for(api: Api) -> None:
    night = EXAMPLES["reservation"] | {"starts_at": "2026-03-01T21:30:00Z", "ends_at": "2026-03-01T22:30:00Z"}

    def book(name: str, travellers: int, **changes: Any) -> list[str]:
        answer = submit(api, "reservation", night | {"reservation_id": name, "travellers": travellers} | changes)
        return [error["message"] for error in answer.json()["errors"]]

    assert book("R-1", 15) == []
    assert book("R-2", 6) == ["there is room for 5 in the hour from 2026-03-01T21:00Z"]
    assert book("R-2", 6, starts_at="2026-03-01T20:00:00Z", ends_at="2026-03-01T21:00:00Z") == []
    assert book("R-3", 5) == []
    assert book("R-1", 16) == ["there is room for 15 in the hour from 2026-03-01T21:00Z"]
    assert book("R-1", 15, is_cancelled=True) == []
    assert book("R-4", 15) == []
    assert book("R-5", 1, starts_at="2026-03-01T17:00:00Z", ends_at="2026-03-01T18:00:00Z") == ["is over"]
    assert book("R-5", 1, starts_at="2027-03-01T17:00:00Z", ends_at="2027-03-01T18:00:00Z") == [
        "is more than 90 days ahead"
    ]
    assert book("R-5", 1, ends_at="2026-03-02T12:00:00Z") == ["is more than 12 hours after starts_at"]


def test_two_in_one_submission_share_the_room(api: Api) -> None:
    night = EXAMPLES["reservation"] | {
        "starts_at": "2026-03-01T21:00:00Z",
        "ends_at": "2026-03-01T22:00:00Z",
        "travellers": 12,
    }
    answer = submit(api, "reservation", [night, night | {"reservation_id": "R-2"}]).json()
    assert (answer["records"], answer["refused"]) == (1, 1)


def test_trust_is_what_an_authority_said_for_as_long_as_it_said(api: Api, clock: ManualClock) -> None:
    submit(api, "trust", EXAMPLES["trust"] | {"valid_until": "2026-03-02"})
    assert ask(api)["traveller_trust"] == (False, "known")
    submit(api, "trust", EXAMPLES["trust"] | {"level": "watched", "valid_until": "2026-03-02"})
    assert ask(api)["traveller_trust"] == (True, "watched")

    def level() -> str:
        with api.hub.store.read() as connection:
            return trust_level(connection, document_number="c01x", issuer="UTO", now_ms=clock.utc_ms())

    assert level() == "watched"
    clock.advance_ms(36 * HOUR_MS)
    assert level() == "standard"
    assert ask(api)["traveller_trust"] == (False, "standard")


def test_of_two_cases_at_once_one_gets_the_declaration(api: Api, clock: ManualClock) -> None:
    submit(api, "health", EXAMPLES["health"])
    key = "health/UTO/C01X"
    with api.hub.store.write() as connection:
        assert claim(connection, [key], "c1", now_ms=clock.utc_ms())
        assert claim(connection, [key], "c1", now_ms=clock.utc_ms())
        assert not claim(connection, [key], "c2", now_ms=clock.utc_ms())
        assert not claim(connection, ["health/UTO/NOBODY"], "c2", now_ms=clock.utc_ms())


def test_lanes_fetch_the_answers_about_who_is_due(api: Api, clock: ManualClock) -> None:
    made = PaxlstMaker(11).interchange(passengers=3)
    call = made.lists[0].calls[1]
    assert call.arrival.endswith("1930")
    day = replace(call, arrival="2603011930")
    today = replace(made.lists[0], calls=(made.lists[0].calls[0], day))
    tomorrow = replace(PaxlstMaker(12).interchange(passengers=2).lists[0], calls=(replace(call, arrival="2603021930"),))
    submit(api, "passengers", write_paxlst(replace(made, lists=(today, tomorrow))))
    passenger = today.passengers[0]
    travel = passenger.travel_document
    submit(api, "health", EXAMPLES["health"] | {"document_number": travel.number, "issuer": travel.issuer})
    fetched = api.call("GET", "/lane/prefetch", "lane-1").json()
    assert fetched["at_ms"] == clock.utc_ms()
    documents = {item["document"]: item for item in fetched["documents"]}
    assert len(documents) == 3
    mine = documents[document_digest(travel.issuer, travel.number, passenger.birth_date.isoformat())]
    assert mine["is_once"]
    answers = {item["name"]: item["is_hit"] for item in mine["results"]}
    assert (answers["advance_passenger"], answers["health_declaration"], answers["customs_declaration"]) == (
        False,
        False,
        True,
    )
    assert "watchlist" not in answers
    assert sum(item["is_once"] for item in documents.values()) == 1
    clock.advance_ms(29_999)
    assert api.call("GET", "/lane/prefetch", "lane-2").json()["at_ms"] == fetched["at_ms"]
    clock.advance_ms(1)
    assert api.call("GET", "/lane/prefetch", "lane-2").json()["at_ms"] == clock.utc_ms()
    clock.advance_ms(8 * HOUR_MS)
    assert api.call("GET", "/lane/prefetch", "lane-1").json()["documents"] == []
    clock.advance_ms(5 * HOUR_MS)
    assert len(api.call("GET", "/lane/prefetch", "lane-1").json()["documents"]) == 2


def test_a_lane_asks_this_hub_and_goes_by_what_it_fetched_when_it_is_gone(api: Api, clock: ManualClock) -> None:
    """The lane's own client and sources against the hub's own application."""
    made = PaxlstMaker(11).interchange(passengers=1)
    flight = made.lists[0]
    today = replace(flight, calls=(flight.calls[0], replace(flight.calls[1], arrival="2603011930")))
    submit(api, "passengers", write_paxlst(replace(made, lists=(today,))))
    passenger = today.passengers[0]
    state = doc9303_state(passenger.nationality)
    document = PrivateDocument(
        surname=passenger.surname,
        given_names="",
        document_code="P",
        document_number=passenger.travel_document.number,
        issuer=doc9303_state(passenger.travel_document.issuer),
        nationality=state,
        birth_date=passenger.birth_date.isoformat(),
        sex="F",
        expiry_date="2030-01-01",
        mrz_lines=(),
    )
    names = ["advance_passenger", "traveller_trust"]

    async def ask(link: HubLink, fetched: Prefetched) -> dict[str, Answer]:
        sources: list[LookupSource] = [HubLookups(link, names), fetched]
        return {item.name: item.answer for item in await Lookups(names, sources, deadline_ms=10_000)(document, "c1")}

    async def travel() -> tuple[dict[str, Answer], dict[str, Answer], dict[str, Answer]]:
        here = httpx.ASGITransport(create_api(api.hub))
        key, address = LANE_KEYS["lane-1"], "p/lane-1"
        link = HubLink(url="http://hub", address=address, key=key, clock=clock, transport=here)
        fetched = Prefetched(link, names, every_s=60, max_age_s=600, clock=clock)
        assert await fetched.fetch()
        together = await ask(link, fetched)
        await link.close()
        nowhere = httpx.MockTransport(lambda _request: httpx.Response(503))
        link = HubLink(url="http://hub", address=address, key=key, clock=clock, transport=nowhere)
        alone = await ask(link, fetched)
        clock.advance_ms(600_001)
        late = await ask(link, fetched)
        await link.close()
        return together, alone, late

    together, alone, late = asyncio.run(travel())
    assert together == alone == dict.fromkeys(names, Answer.NOTHING)
    assert late == dict.fromkeys(names, Answer.STALE)
