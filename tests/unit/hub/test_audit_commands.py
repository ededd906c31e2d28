"""`gate audit`: verify, prove, check, checkpoint."""

import json
from pathlib import Path
from typing import Any

import pytest
from hub_kit import FakeLane, make_hub, make_site
from sqlalchemy import delete, update
from typer.testing import CliRunner

from config.loader import dump_site
from gate.cli import make_app
from gate.core.clock import SystemClock
from gate.errors import GateError
from gate.hub.schema import EVENTS
from gate.hub.service import Hub


class Port:
    """A site file, keys, and a hub's database with a crossing in it."""

    def __init__(self, folder: Path) -> None:
        site = make_site(folder)
        self.file = folder / "site.toml"
        dump_site(site, self.file)
        self.key = site.keys_dir / "audit.pub.pem"
        self.hub = make_hub(site, SystemClock())
        self.hub.store.migrate()
        lane = FakeLane(self.hub.clock)
        self.events = [lane.start("c1"), lane.record(), lane.decide("clear")]
        self.hub.take_in(self.events)

    def run(self, *args: str, code: int = 0) -> Any:
        where = [] if args[0] == "check" else ["--site", str(self.file)]
        result = CliRunner().invoke(make_app(), ["audit", *args, *where, "--json"])
        assert result.exit_code == code, (result.output, result.exception)
        return json.loads(result.stdout)


@pytest.fixture
def port(tmp_path: Path) -> Any:
    made = Port(tmp_path)
    yield made
    made.hub.stop()


def tamper(hub: Hub) -> None:
    with hub.store.write() as connection:
        connection.execute(update(EVENTS).values(body="{}"))


def test_verify_says_whether_all_is_as_it_was(port: Port) -> None:
    said = port.run("verify")
    assert (said["is_intact"], said["problems"], said["recorded"]) == (True, [], {"commands": 1, "events": 3})
    tamper(port.hub)
    said = port.run("verify", code=1)
    assert (said["is_intact"], len(said["problems"])) == (False, 3)


def test_a_checkpoint_kept_elsewhere_shows_a_rollback(port: Port, tmp_path: Path) -> None:
    note = tmp_path / "checkpoint"
    made = port.run("checkpoint", "--out", str(note))
    assert note.read_text(encoding="utf-8") == made["note"]
    assert port.run("checkpoint") == made
    assert port.run("verify", "--checkpoint", str(note), "--key", str(port.key))["checkpoints"] == 2
    (tmp_path / "hub.db").unlink()
    for rest in ("hub.db-wal", "hub.db-shm"):
        (tmp_path / rest).unlink(missing_ok=True)
    said = port.run("verify", "--checkpoint", str(note), code=1)
    assert said["problems"] == [f"the log was cut: a checkpoint knows {made['size']} entries, there are 0"]


def test_an_event_is_proven_to_whoever_has_the_key(port: Port, tmp_path: Path) -> None:
    event_id = json.loads(port.events[0].payload)["id"]
    proof = port.run("prove", "--event", event_id)
    assert event_id in proof["body"]
    file = tmp_path / "proof.json"
    file.write_text(json.dumps(proof), encoding="utf-8")
    assert port.run("check", str(file), "--key", str(port.key))["is_proven"] is True
    file.write_text(json.dumps(proof | {"body": proof["body"].replace(event_id, "0" * 32)}), encoding="utf-8")
    assert port.run("check", str(file), "--key", str(port.key), code=1)["is_proven"] is False
    assert port.run("prove", "--number", "0")["body"] == proof["body"]


def test_what_cannot_be_done_is_one_sentence(port: Port, tmp_path: Path) -> None:
    def error(*args: str) -> str:
        where = [] if args[0] == "check" else ["--site", str(port.file)]
        result = CliRunner().invoke(make_app(), ["audit", *args, *where])
        assert isinstance(result.exception, GateError)
        return str(result.exception)

    assert "no entry 99" in error("prove", "--number", "99")
    assert "records the event 'x'" in error("prove", "--event", "x")
    with port.hub.store.write() as connection:
        connection.execute(delete(EVENTS))
    junk = tmp_path / "junk"
    junk.write_text("{}", encoding="utf-8")
    assert "is no proof" in error("check", str(junk), "--key", str(port.key))
    assert "is not believed" in error("verify", "--checkpoint", str(junk))
    assert "cannot be read" in error("verify", "--checkpoint", str(tmp_path / "none"))
    assert CliRunner().invoke(make_app(), ["audit", "prove", "--site", str(port.file)]).exit_code == 2
