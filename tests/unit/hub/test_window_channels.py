"""The single window's other doors: files in a folder, and sealed submissions over a real broker; each taken once, each with a receipt."""

import json
import os
import threading
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
import pytest
from conftest import Mosquitto
from hub_kit import HUB_KEY, make_hub, make_site, wait_for
from joserfc.jwk import OKPKey
from paho.mqtt.enums import CallbackAPIVersion
from sqlalchemy import func, select

from gate.checks.paxlst import write_paxlst
from gate.core.clock import ManualClock, SystemClock
from gate.errors import GateError
from gate.hub.errors import HubError
from gate.hub.service import Hub
from gate.hub.window.drop import DropFolder
from gate.hub.window.forms import Kind
from gate.hub.window.intake import Submission, Taken
from gate.hub.window.receipts import verify_window_receipt
from gate.hub.window.schema import WINDOW_RECORDS, WINDOW_SUBMISSIONS
from gate.hub.window.sealed import MAX_AGE_S, Source, load_sources, seal, seal_key, unseal
from gate.wire.signing import Refused, SigningKey, Verifier
from gate.wire.topics import window_source, window_topic
from simulator.paxlst import PaxlstMaker

CUSTOMS = {"document_number": "C01X", "issuer": "UTO", "is_nothing_to_declare": True}
NOW_S = 1_767_225_600.0


def count(hub: Hub, table: Any) -> int:
    with hub.store.read() as connection:
        return int(connection.scalar(select(func.count()).select_from(table)) or 0)


# -- files -------------------------------------------------------------------------------------------------------------


def test_a_file_is_taken_when_it_has_come_to_rest_and_only_once(hub: Hub, tmp_path: Path) -> None:
    folder = DropFolder(tmp_path / "drop", hub.window.take)
    assert folder.look() == 0
    inbox = tmp_path / "drop" / "customs"
    file = inbox / "list.ndjson"
    file.write_text(json.dumps(CUSTOMS) + "\n")
    assert folder.look() == 0
    file.write_text(json.dumps(CUSTOMS) + '\n{"issuer": 1}\n')
    os.utime(file, ns=(1, 2))
    assert folder.look() == 0
    assert folder.look() == 1
    assert not file.exists()
    assert (tmp_path / "drop/done/customs/list.ndjson").exists()
    receipt = verify_window_receipt(
        Verifier.trusting(HUB_KEY.public()),
        (tmp_path / "drop/receipts/customs/list.ndjson.receipt.jwt").read_text().strip(),
    )
    assert not isinstance(receipt, Refused)
    assert (receipt.records, receipt.source) == (1, "drop")
    errors = [
        json.loads(row)
        for row in (tmp_path / "drop/receipts/customs/list.ndjson.errors.ndjson").read_text().splitlines()
    ]
    assert {(error["line"], error["field"]) for error in errors} == {
        (2, "document_number"),
        (2, "issuer"),
        (2, "is_nothing_to_declare"),
    }
    assert count(hub, WINDOW_RECORDS) == 1
    # The same file again, as after a crash between the commit and the move.
    os.replace(tmp_path / "drop/done/customs/list.ndjson", file)
    folder.look()
    assert folder.look() == 1
    assert count(hub, WINDOW_SUBMISSIONS) == 1


def test_files_that_are_being_written_are_left_alone(hub: Hub, tmp_path: Path) -> None:
    folder = DropFolder(tmp_path / "drop", hub.window.take)
    folder.look()
    inbox = tmp_path / "drop" / "passengers"
    for name in (".hidden.edi", "list.edi.part", "list.edi.tmp"):
        (inbox / name).write_bytes(b"x")
    (inbox / "folder").mkdir()
    folder.look()
    assert folder.look() == 0
    (inbox / "list.edi").write_bytes(write_paxlst(PaxlstMaker(1).interchange(passengers=4)))
    folder.look()
    assert folder.look() == 1
    assert count(hub, WINDOW_RECORDS) == 4


def test_a_folder_that_cannot_be_used_stops_nothing(hub: Hub, tmp_path: Path) -> None:
    (tmp_path / "drop").write_text("a file where the folder should be")
    assert DropFolder(tmp_path / "drop", hub.window.take).look() == 0


# -- sealed ------------------------------------------------------------------------------------------------------------

CARRIER, STRANGER = SigningKey.generate(), SigningKey.generate()
HUB_OWN = OKPKey.generate_key("X25519")
SOURCES = {"carrier-1": Source(name="carrier-1", key=CARRIER.public())}


def sealed(**changes: Any) -> bytes:
    to = OKPKey.import_key(changes.pop("hub", HUB_OWN).as_dict(private=False))
    values: dict[str, Any] = {"kind": Kind.CUSTOMS, "submission_id": "s-1", "key": CARRIER, "now_s": NOW_S}
    return seal(json.dumps(CUSTOMS).encode(), hub=to, **(values | changes))


def opened(payload: bytes, *, source: str = "carrier-1", now_s: float = NOW_S) -> Submission | Refused:
    return unseal(payload, source=source, sources=SOURCES, key=HUB_OWN, now_s=now_s)


def test_what_is_sealed_is_opened_by_the_hub_alone() -> None:
    payload = sealed()
    assert b"C01X" not in payload
    found = opened(payload)
    assert isinstance(found, Submission)
    assert (found.source, found.kind, found.submission_id) == ("carrier-1", Kind.CUSTOMS, "carrier-1:s-1")
    assert json.loads(found.data) == CUSTOMS


@pytest.mark.parametrize(
    ("payload", "given", "reason"),
    [
        (b"", {}, "not_for_this_hub"),
        (b"a.b.c.d.e", {}, "not_for_this_hub"),
        (b"\xff" * 100, {}, "not_for_this_hub"),
        (sealed(hub=OKPKey.generate_key("X25519")), {}, "not_for_this_hub"),
        (sealed(key=STRANGER), {}, "unknown_key"),
        (sealed(), {"source": "carrier-2"}, "unknown_source"),
        (sealed(), {"now_s": NOW_S + MAX_AGE_S + 1}, "out_of_time"),
        (sealed(), {"now_s": NOW_S - 301}, "out_of_time"),
        (sealed(submission_id="a b"), {}, "malformed"),
    ],
)
def test_what_is_not_believed_says_why(payload: bytes, given: dict[str, Any], reason: str) -> None:
    found = opened(payload, **given)
    assert isinstance(found, Refused)
    assert found.reason == reason


def test_every_altered_byte_is_noticed() -> None:
    payload = sealed()
    for place in range(0, len(payload), 7):
        altered = payload[:place] + bytes([payload[place] ^ 1]) + payload[place + 1 :]
        found = opened(altered)
        assert isinstance(found, Refused) or found.data == json.dumps(CUSTOMS).encode()


def test_sources_are_named_by_their_files(tmp_path: Path) -> None:
    assert load_sources(tmp_path) == {}
    CARRIER.save(tmp_path / "away" / "carrier.pem")
    (tmp_path / "window").mkdir()
    (tmp_path / "window" / "carrier-1.pub.pem").write_bytes((tmp_path / "away" / "carrier.pub.pem").read_bytes())
    assert list(load_sources(tmp_path)) == ["carrier-1"]
    (tmp_path / "window" / "Carrier 2.pem").write_bytes(b"")
    with pytest.raises(HubError, match="names no source"):
        load_sources(tmp_path)


def test_topics_of_sources() -> None:
    topic = window_topic("p", "carrier-1", "submit")
    assert topic == "tongguan/v1/p/window/carrier-1/submit"
    assert window_source(topic, "p") == "carrier-1"
    assert window_source(topic, "q") is None
    assert window_source("tongguan/v1/p/window/Carrier/submit", "p") is None
    assert window_source("tongguan/v1/p/window/carrier-1/receipt", "p") is None
    with pytest.raises(ValueError, match="cannot be part"):
        window_topic("p", "a b", "submit")


def test_a_submission_over_the_broker_is_committed_answered_and_taken_once(
    tmp_path: Path, mosquitto: Mosquitto
) -> None:
    site = make_site(tmp_path / "state", broker_port=mosquitto.port)
    folder = site.keys_dir / "window"
    CARRIER.save(tmp_path / "carrier.pem")
    folder.mkdir(parents=True)
    (folder / "carrier-1.pub.pem").write_bytes((tmp_path / "carrier.pub.pem").read_bytes())
    hub = make_hub(site, SystemClock())
    answers: list[dict[str, Any]] = []
    subscribed = threading.Event()
    client = mqtt.Client(CallbackAPIVersion.VERSION2)
    client.on_message = lambda _client, _data, message: answers.append(json.loads(message.payload))
    client.on_subscribe = lambda *_: subscribed.set()
    client.connect("127.0.0.1", mosquitto.port)
    client.loop_start()
    hub.start()
    try:
        client.subscribe(window_topic("p", "carrier-1", "receipt"), qos=1)
        assert subscribed.wait(10)
        link = hub._window_service._link
        assert link is not None
        wait_for(lambda: link.is_ready, "the window listens")
        to = OKPKey.import_key(seal_key(site.keys_dir).as_dict(private=False))
        now_s = SystemClock().utc_ms() / 1000
        rows = json.dumps(CUSTOMS).encode() + b'\n{"issuer": "U@O"}\n'
        payload = seal(rows, kind=Kind.CUSTOMS, submission_id="s-1", key=CARRIER, hub=to, now_s=now_s)
        topic = window_topic("p", "carrier-1", "submit")
        client.publish(topic, b"rubbish", qos=1)
        client.publish(topic, payload, qos=1)
        client.publish(topic, payload, qos=1)
        wait_for(lambda: len(answers) == 2, "two answers")
        assert answers[0]["id"] == "s-1"
        assert (answers[0]["records"], answers[0]["refused"]) == (1, 1)
        assert "U@O" not in json.dumps(answers)
        assert answers[1]["receipt"] == answers[0]["receipt"]
        assert not isinstance(
            verify_window_receipt(Verifier.trusting(HUB_KEY.public()), answers[0]["receipt"]), Refused
        )
        assert (count(hub, WINDOW_RECORDS), count(hub, WINDOW_SUBMISSIONS)) == (1, 1)
    finally:
        hub.stop()
        client.disconnect()
        client.loop_stop()


def test_the_service_looks_into_the_folder_by_itself(tmp_path: Path, clock: ManualClock) -> None:
    drop = tmp_path / "drop"
    hub = make_hub(make_site(tmp_path / "state", window={"drop_dir": str(drop)}), clock)
    hub.store.migrate()
    (drop / "customs").mkdir(parents=True)
    (drop / "customs" / "one.json").write_text(json.dumps(CUSTOMS))
    try:
        for _ in range(2):
            hub._window_service.tick()
            assert count(hub, WINDOW_RECORDS) == 0
            clock.advance_ms(999)
        clock.advance_ms(1)
        hub._window_service.tick()
        assert count(hub, WINDOW_RECORDS) == 1
        taken = hub.window.take(Submission(kind=Kind.CUSTOMS, data=b"{}", source="x", channel="rest"))
        assert isinstance(taken, Taken)
    finally:
        hub.stop()


def test_rules_of_entry_that_cannot_be_read_stop_the_start(tmp_path: Path, clock: ManualClock) -> None:
    site = make_site(tmp_path, window={"transit_rules_file": str(tmp_path / "none.toml")})
    hub = make_hub(site, clock)
    with pytest.raises(GateError, match=r"none\.toml.*transit_rules_file"):
        hub._window_service.start()
    hub.stop()
