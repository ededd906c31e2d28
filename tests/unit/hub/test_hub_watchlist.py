"""The hub's watchlist: entries kept, removed, found, signed for, and what may be fetched."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from api_kit import Api
from hub_kit import HUB_KEY

from gate.checks.watchlist.entry import WatchEntry
from gate.hub.watchlist import shelf
from gate.hub.watchlist.entries import put_entries
from gate.wire.signing import Refused, Verifier
from gate.wire.watchlist import WatchStatement, verify_watch_statement

ANNA = {
    "id": "w1",
    "list": "wanted",
    "reason": "warrant 7/26",
    "names": [{"surname": "Eriksson", "given_names": "Anna Maria"}],
    "birth_dates": ["1974-08-12"],
}
STOLEN = {
    "id": "s1",
    "list": "stolen",
    "reason": "lost in Datong",
    "documents": [{"issuer": "UTO", "number": "L898902C"}],
}


def _statement(api: Api) -> WatchStatement:
    token = api.call("GET", "/lane/watchlist", "lane-1").text
    found = verify_watch_statement(Verifier.trusting(HUB_KEY.public()), token, port=api.hub.site.port.id)
    assert isinstance(found, WatchStatement)
    return found


def _ask(api: Api, **asked: str) -> list[dict[str, Any]]:
    return list(api.call("POST", "/watchlist/query", "bo", json=asked).json()["hits"])


def test_entries_are_kept_found_with_the_reason_and_gone_at_once(api: Api) -> None:
    answer = api.call("POST", "/watchlist/entries", "bo", json={"entries": [ANNA, {"id": "x"}, STOLEN]}).json()
    assert answer["entries"] == 2
    assert [error["line"] for error in answer["errors"]] == [2]
    (hit,) = _ask(api, surname="ERIKSON", given_names="ANNA", birth_date="1974-08-12")
    assert (hit["entry_id"], hit["reason"], hit["how"]) == ("w1", "warrant 7/26", "name")
    assert "same date of birth" in hit["why"]
    assert [hit["entry_id"] for hit in _ask(api, document_number="L898902C<", issuer="UTO")] == ["s1"]
    assert api.call("DELETE", "/watchlist/entries/w1", "bo").status_code == 204
    assert _ask(api, surname="ERIKSSON", given_names="ANNA MARIA", birth_date="1974-08-12") == []
    assert api.call("DELETE", "/watchlist/entries/w1", "bo").status_code == 404


def test_who_may_not_keep_the_list_may_not_ask_it_either(api: Api) -> None:
    assert api.call("POST", "/watchlist/entries", "ann", json={"entries": [ANNA]}).status_code == 403
    assert api.call("POST", "/watchlist/query", "ann", json={"surname": "ERIKSSON"}).status_code == 403
    assert api.call("GET", "/lane/watchlist", "bo").status_code == 401
    assert api.call("GET", f"/lane/watchlist/parts/{'0' * 64}", "lane-1").status_code == 404


def test_a_hit_is_shown_to_the_roles_that_may_know_only(api: Api) -> None:
    api.call("POST", "/watchlist/entries", "bo", json={"entries": [ANNA | {"roles": ["quarantine"]}]})
    assert _ask(api, surname="ERIKSSON", given_names="ANNA MARIA", birth_date="1974-08-12") == []
    body = {"case_id": "c", "document_number": "Z", "issuer": "UTO", "nationality": "UTO", "birth_date": "1974-08-12"}
    asked = body | {"surname": "ERIKSSON", "given_names": "ANNA MARIA"}
    (found,) = [
        item
        for item in api.call("POST", "/lookups", "lane-1", json=asked).json()["results"]
        if item["name"] == "watchlist"
    ]
    assert (found["is_hit"], found["role"]) == (True, "quarantine")


def test_what_is_signed_for_can_be_fetched_and_is_what_it_says(api: Api) -> None:
    api.call("POST", "/watchlist/entries", "bo", json={"entries": [ANNA]})
    before = _statement(api)
    assert before.base == []
    assert before.changes is not None
    data = api.call("GET", f"/lane/watchlist/parts/{before.changes.sha256}", "lane-1").content
    assert hashlib.sha256(data).hexdigest() == before.changes.sha256
    assert [entry["id"] for entry in json.loads(data)["added"]] == ["w1"]
    assert api.hub.watchlist.rebuild() == 1
    after = _statement(api)
    assert after.changes is None
    for part in after.base:
        data = api.call("GET", f"/lane/watchlist/parts/{part.sha256}", "lane-1").content
        assert (hashlib.sha256(data).hexdigest(), len(data)) == (part.sha256, part.size)
    api.call("POST", "/watchlist/entries", "bo", json={"entries": [STOLEN]})
    api.call("DELETE", "/watchlist/entries/w1", "bo")
    last = _statement(api)
    assert last.number > after.number
    assert last.base == after.base
    assert last.changes is not None
    said = json.loads(api.call("GET", f"/lane/watchlist/parts/{last.changes.sha256}", "lane-1").content)
    assert (said["removed"], [entry["id"] for entry in said["added"]]) == (["w1"], ["s1"])
    assert _ask(api, surname="ERIKSSON", given_names="ANNA MARIA", birth_date="1974-08-12") == []


def test_a_statement_of_another_port_or_key_is_refused(api: Api) -> None:
    token = api.call("GET", "/lane/watchlist", "lane-1").text
    assert isinstance(verify_watch_statement(Verifier.trusting(HUB_KEY.public()), token, port="dat"), Refused)
    assert isinstance(verify_watch_statement(Verifier.trusting(), token, port=api.hub.site.port.id), Refused)
    assert isinstance(
        verify_watch_statement(Verifier.trusting(HUB_KEY.public()), token[:-4] + "AAAA", port="tyn"), Refused
    )


def test_many_changes_become_a_base_and_old_ones_go(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shelf, "MANY_CHANGES", 10)
    for turn in range(4):
        entries = [WatchEntry.from_json(STOLEN | {"id": f"s{turn}-{i}"}) for i in range(11)]
        with api.hub.store.write() as connection:
            put_entries(connection, entries)
        api.hub.watchlist.tidy()
    folder = Path(api.hub.site.state_dir) / "watchlist"
    assert len([item for item in folder.iterdir() if item.is_dir()]) == 2
    assert len(_ask(api, document_number="L898902C", issuer="UTO")) == 44


def test_a_base_that_was_damaged_on_disk_is_not_used_and_nothing_is_lost(api: Api) -> None:
    api.call("POST", "/watchlist/entries", "bo", json={"entries": [ANNA, STOLEN]})
    api.hub.watchlist.rebuild()
    (base,) = [item for item in (Path(api.hub.site.state_dir) / "watchlist").iterdir() if item.is_dir()]
    (base / "entries.jsonl").write_bytes(b"")
    api.call("POST", "/watchlist/entries", "bo", json={"entries": [STOLEN | {"id": "s2"}]})
    assert _statement(api).base == []
    assert len(_ask(api, document_number="L898902C", issuer="UTO")) == 2
    assert len(_ask(api, surname="ERIKSSON", given_names="ANNA MARIA", birth_date="1974-08-12")) == 1
