"""The evidence store: encrypted, kept as long as the site says, erased with proof."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from api_kit import Api
from hub_kit import FakeLane, finding
from sqlalchemy import select
from typer.testing import CliRunner

from config.loader import dump_site
from gate.cli import make_app
from gate.core.clock import ManualClock
from gate.core.evidence import Attachment
from gate.hub.blobs import BlobStore
from gate.hub.errors import HubError
from gate.hub.evidence.keys import EvidenceKeys
from gate.hub.schema import AUDIT, BLOBS

HOUR_MS = 3_600_000
PICTURES = {"page": b"a page", "portrait": b"a portrait", "live": b"a face", "private": b'{"traveller": {}}'}


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def media_type(kind: str) -> str:
    return "application/json" if kind == "private" else "image/jpeg"


class Crossing:
    """A case with one of each kind of evidence."""

    def __init__(self, api: Api, lane: FakeLane, case_id: str = "c1", pictures: dict[str, bytes] = PICTURES) -> None:
        self.api, self.lane, self.case_id, self.pictures = api, lane, case_id, pictures
        made = tuple(
            Attachment(kind=kind, sha256=sha(data), media_type=media_type(kind)) for kind, data in pictures.items()
        )
        api.hub.take_in([lane.start(case_id), lane.record(finding("x.y", "customs"), attachments=made)])
        for kind in pictures:
            assert self.put(kind).json()["is_kept"]

    def put(self, kind: str) -> Any:
        return self.api.put_evidence(self.pictures[kind], media_type(kind), self.case_id)

    def end(self) -> None:
        self.api.hub.take_in([self.lane.decide("refer"), self.lane.end()])

    def here(self) -> set[str]:
        self.api.hub.upkeep.keeper.sweep()
        return {kind for kind, data in self.pictures.items() if self.api.hub.blobs.is_here(sha(data))}


@pytest.fixture
def crossing(api: Api, lane: FakeLane) -> Crossing:
    return Crossing(api, lane)


def test_nothing_lies_on_disk_as_it_came_and_no_file_passes_for_another(tmp_path: Path) -> None:
    blobs = BlobStore(tmp_path / "e", EvidenceKeys(tmp_path / "k"))
    one, two = b"one picture of somebody", b"two"
    for data in (one, two):
        blobs.put(sha(data), data)
    files = {data: tmp_path / "e" / sha(data)[:2] / sha(data) for data in (one, two)}
    assert one not in files[one].read_bytes()
    assert files[one].stat().st_mode & 0o077 == 0
    assert BlobStore(tmp_path / "e", EvidenceKeys(tmp_path / "k")).get(sha(one)) == one
    sealed = files[one].read_bytes()
    for at in (0, 9, 17, 30, len(sealed) - 1):
        files[one].write_bytes(sealed[:at] + bytes([sealed[at] ^ 1]) + sealed[at + 1 :])
        assert blobs.get(sha(one)) is None, at
    files[one].write_bytes(sealed[:20])
    assert blobs.get(sha(one)) is None
    files[two].write_bytes(sealed)
    assert blobs.get(sha(two)) is None
    assert BlobStore(tmp_path / "e", EvidenceKeys(tmp_path / "other")).get(sha(two)) is None


def test_what_was_kept_before_there_were_keys_is_still_read_and_encrypted_by_a_rotation(tmp_path: Path) -> None:
    keys = EvidenceKeys(tmp_path / "k")
    blobs = BlobStore(tmp_path / "e", keys)
    data = b"old and plain"
    path = tmp_path / "e" / sha(data)[:2] / sha(data)
    path.parent.mkdir(parents=True)
    path.write_bytes(data)
    assert blobs.get(sha(data)) == data
    assert blobs.key_of(sha(data)) is None
    assert blobs.renew(sha(data))
    assert not blobs.renew(sha(data))
    assert data not in path.read_bytes()
    first = keys.current()[0]
    other = BlobStore(tmp_path / "e", EvidenceKeys(tmp_path / "k"))
    keys.rotate()
    assert blobs.renew(sha(data))
    assert blobs.key_of(sha(data)) != first
    assert other.get(sha(data)) == data, "a hub that runs finds the new key"


def test_a_broken_key_stops_the_hub_with_one_sentence(tmp_path: Path) -> None:
    EvidenceKeys(tmp_path)
    (tmp_path / "evidence-0001.key").write_text("!!")
    with pytest.raises(HubError, match="put the right file back"):
        EvidenceKeys(tmp_path)


def test_faces_go_with_the_traveller_and_the_rest_after_its_time(crossing: Crossing, clock: ManualClock) -> None:
    assert crossing.here() == set(PICTURES)
    crossing.end()
    assert crossing.here() == {"page", "private"}
    clock.advance_ms(24 * HOUR_MS - 1)
    assert crossing.here() == {"page", "private"}
    clock.advance_ms(1)
    assert crossing.here() == set()
    api = crossing.api
    seen = api.call("GET", "/cases/c1", "ann").json()
    assert [item["is_available"] for item in seen["attachments"]] == [False] * 4
    gone = api.call("GET", f"/evidence/{sha(PICTURES['page'])}", "ann")
    assert (gone.status_code, gone.json()["type"]) == (410, "urn:tongguan:problem:erased")


def test_the_picture_out_of_a_chip_goes_with_the_traveller_too(api: Api, lane: FakeLane) -> None:
    crossing = Crossing(api, lane, pictures={"chip": b"a signed picture", "page": b"a page"})
    assert crossing.here() == {"chip", "page"}
    crossing.end()
    assert crossing.here() == {"page"}


def test_a_case_that_was_held_keeps_its_evidence_for_the_longer_time(crossing: Crossing, clock: ManualClock) -> None:
    crossing.api.hub.take_in([crossing.lane.decide("refer")])
    verdict = {"kind": "hold", "evidence_digest": crossing.lane.evidence.digest()}
    assert crossing.api.call("POST", "/cases/c1/verdicts", "ann", json=verdict).status_code == 200
    crossing.api.hub.take_in([crossing.lane.end("sent_back")])
    clock.advance_ms(30 * 24 * HOUR_MS - 1)
    assert crossing.here() == set(PICTURES)
    clock.advance_ms(1)
    assert crossing.here() == set()


def test_a_picture_that_comes_after_its_time_does_not_stay(crossing: Crossing) -> None:
    crossing.end()
    assert "live" not in crossing.here()
    assert crossing.put("live").json() == {"sha256": sha(PICTURES["live"]), "is_kept": False}
    assert "live" not in crossing.here()


def test_evidence_of_nobody_goes_too(api: Api, clock: ManualClock) -> None:
    api.put_evidence(b"x", "image/png", "never-came")
    clock.advance_ms(24 * HOUR_MS)
    api.hub.upkeep.keeper.sweep()
    assert api.hub.blobs.is_here(sha(b"x"))
    clock.advance_ms(1)
    api.hub.upkeep.keeper.sweep()
    assert not api.hub.blobs.is_here(sha(b"x"))


def test_what_two_cases_need_stays_until_neither_does(api: Api, lane: FakeLane, clock: ManualClock) -> None:
    first = Crossing(api, lane, "c1", {"page": b"the same"})
    first.end()
    second = Crossing(api, lane, "c2", {"page": b"the same"})
    clock.advance_ms(24 * HOUR_MS)
    assert first.here() == {"page"}
    assert api.call("GET", f"/evidence/{sha(b'the same')}", "ann").status_code == 200
    second.end()
    clock.advance_ms(24 * HOUR_MS)
    assert second.here() == set()


def test_every_picture_that_is_shown_is_recorded(crossing: Crossing) -> None:
    page = sha(PICTURES["page"])
    crossing.api.call("GET", f"/evidence/{page}", "bo")
    crossing.api.call("GET", f"/evidence/{page}", "ann")
    with crossing.api.hub.store.read() as connection:
        looks = list(connection.scalars(select(AUDIT.c.body).where(AUDIT.c.kind == "evidence.seen")))
    (look,) = (json.loads(body) for body in looks)
    assert (look["who"], look["case_id"], look["data"]) == ("ann", "c1", {"sha256": page})


class Erasing:
    def __init__(self, crossing: Crossing, tmp_path: Path) -> None:
        self.site = tmp_path / "site.toml"
        dump_site(crossing.api.hub.site, self.site)
        self.key = crossing.api.hub.site.keys_dir / "audit.pub.pem"

    def run(self, *args: str, code: int = 0) -> Any:
        result = CliRunner().invoke(make_app(), [*args, "--json"])
        assert result.exit_code == code, (result.output, result.exception)
        return json.loads(result.stdout)

    def erase(self, case_id: str) -> Any:
        order = ("--case", case_id, "--by", "dpo", "--reason", "asked for")
        return self.run("hub", "erase", "--site", str(self.site), *order)


def test_erasing_a_case_proves_what_is_gone(crossing: Crossing, tmp_path: Path) -> None:
    erasing = Erasing(crossing, tmp_path)
    said = erasing.erase("c1")
    assert sorted(said["erased"]) == sorted(sha(data) for data in PICTURES.values())
    assert (said["is_verified"], said["still_there"], said["kept"], said["was_gone"]) == (True, [], [], [])
    assert crossing.here() == set()
    body = json.loads(said["proof"]["body"])
    assert (body["who"], body["kind"], body["case_id"]) == ("dpo", "evidence.erased", "c1")
    assert body["data"]["erased"] == said["erased"]
    file = tmp_path / "proof.json"
    file.write_text(json.dumps(said["proof"]), encoding="utf-8")
    assert erasing.run("audit", "check", str(file), "--key", str(erasing.key))["is_proven"]
    assert crossing.put("page").json()["is_kept"] is False
    late = b"a picture that came late"
    assert crossing.api.put_evidence(late, "image/png", "c1").json()["is_kept"] is False
    assert not crossing.api.hub.blobs.is_here(sha(late))
    again = erasing.erase("c1")
    assert (again["erased"], sorted(again["was_gone"])) == ([], sorted(said["erased"]))


def test_erasing_leaves_what_another_case_needs(crossing: Crossing, lane: FakeLane, tmp_path: Path) -> None:
    Crossing(crossing.api, lane, "c2", {"page": PICTURES["page"]})
    said = Erasing(crossing, tmp_path).erase("c1")
    assert said["kept"] == [sha(PICTURES["page"])]
    assert crossing.here() == {"page"}
    with crossing.api.hub.store.read() as connection:
        owner = connection.scalar(select(BLOBS.c.case_id).where(BLOBS.c.sha256 == sha(PICTURES["page"])))
    assert owner == "c2"


def test_rotation_encrypts_everything_anew_and_says_which_keys_are_idle(crossing: Crossing, tmp_path: Path) -> None:
    erasing = Erasing(crossing, tmp_path)
    said = erasing.run("evidence", "rotate", "--site", str(erasing.site))
    assert (said["renewed"], said["unreadable"]) == (4, 0)
    (idle,) = said["no_longer_needed"]
    Path(idle).unlink()
    fresh = BlobStore(crossing.api.hub.site.state_dir / "evidence", EvidenceKeys(crossing.api.hub.site.keys_dir))
    assert all(fresh.get(sha(data)) == data for data in PICTURES.values())
    crossing.end()
    swept = erasing.run("evidence", "sweep", "--site", str(erasing.site))
    assert swept["erased"] in (2, 4)  # by the real clock the test's own day is long over
