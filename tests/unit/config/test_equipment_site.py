"""Contacts, turnstiles, readers and inspection machines in a site file: what fits, and one clear sentence for what does not."""

from pathlib import Path
from typing import Any

import pytest

from config.errors import ConfigError
from config.loader import dump_site, load_site, parse_site, sites_dir
from config.schema import Site
from gate.devices import open_devices, open_xray

CONTACTS: dict[str, Any] = {
    "port": "/dev/ttyS5",
    "unit": 9,
    "radiation": {"gamma": "!0", "neutron": "!1", "fault": "!2"},
    "mat": {"occupied": 4},
    "emergency_stop": "!6",
}
TURNSTILE: dict[str, Any] = {"port": "/dev/ttyS5", "unit": 10, "relay": 0, "passage": 3}
READER: dict[str, Any] = {"id": "desk", "port": "/dev/ttyS6", "address": 5, "key_file": "/etc/tongguan/osdp/desk.key"}
LISTENER: dict[str, Any] = {"id": "x", "kind": "http", "port": 8090, "token_file": "/etc/tongguan/x.token"}
ROLES = [{"id": name, "title": name, "title_zh": name, "colour": "#000000"} for name in ("customs", "border")]


def make(*, lane: dict[str, Any] | None = None, **changes: Any) -> Site:
    camera = {"kind": "v4l2", "source": "0"}
    first = {"id": "a", "board": {"port": "/dev/ttyUSB0"}, "face_camera": camera, "document_camera": camera}
    data: dict[str, Any] = {"port": {"id": "p", "title": "P"}, "role": ROLES, "lane": [first | (lane or {})]}
    return parse_site(data | changes, origin="site.toml")


def test_a_lane_with_all_of_it_survives_being_written(tmp_path: Path) -> None:
    site = make(
        lane={"contacts": CONTACTS, "turnstile": TURNSTILE, "reader": [READER, READER | {"id": "in", "address": 6}]},
        xray=[LISTENER | {"lane": "a"}, {"id": "y", "kind": "folder", "folder": "/srv/xray"}],
    )
    dump_site(site, tmp_path / "site.toml")
    assert load_site(tmp_path / "site.toml") == site
    lane = site.lanes[0]
    assert lane.contacts is not None
    assert sorted(lane.contacts.terminals) == [0, 1, 2, 4, 6]
    assert [reader.address for reader in lane.readers] == [5, 6]


WEIGHING = {"register_number": 1, "zero": 6400, "kg_per_count": 0.02, "low": 6000, "high": 32000}


@pytest.mark.parametrize(
    ("lane", "remedy"),
    [
        ({"board": {"kind": "relay", "port": "/dev/ttyS1"}}, "[lane.turnstile]"),
        ({"contacts": {"port": "/dev/ttyS5", "unit": 9}}, "wire radiation, mat or emergency_stop"),
        ({"contacts": CONTACTS | {"emergency_stop": 4}}, "two contacts are wired to input 4"),
        ({"contacts": CONTACTS | {"emergency_stop": "no"}}, "give a terminal number"),
        ({"contacts": CONTACTS | {"mat": {}}}, "set one of them"),
        ({"contacts": CONTACTS | {"mat": {"occupied": 4, "register_number": 1}}}, "set one of them"),
        ({"contacts": CONTACTS | {"mat": {"register_number": 1}}}, "needs kg_per_count"),
        ({"contacts": CONTACTS | {"mat": WEIGHING | {"zero": 10}}}, "between low and high"),
        ({"contacts": CONTACTS | {"mat": {"occupied": 4, "role": "police"}}}, "there is no role 'police'"),
        ({"contacts": CONTACTS | {"port": "/dev/ttyUSB0"}}, "the board of lane a and the contacts of lane a use"),
        ({"contacts": CONTACTS, "turnstile": TURNSTILE | {"unit": 9}}, "have the address 9 on /dev/ttyS5"),
        ({"contacts": CONTACTS, "turnstile": TURNSTILE | {"baud_rate": 9600}}, "the same baud_rate and parity"),
        ({"contacts": CONTACTS, "reader": [READER | {"port": "/dev/ttyS5"}]}, "the reader desk of lane a use"),
        ({"reader": [READER, READER]}, "two readers are called 'desk'"),
        ({"reader": [READER, READER | {"id": "in"}]}, "have the address 5 on /dev/ttyS6"),
        ({"reader": [READER, READER | {"id": "in", "address": 6, "baud_rate": 115_200}]}, "the same baud_rate"),
        ({"reader": [READER | {"key": "00"}]}, "there is no such key"),
    ],
)
def test_what_cannot_be_wired_is_refused(lane: dict[str, Any], remedy: str) -> None:
    with pytest.raises(ConfigError) as caught:
        make(lane=lane)
    assert remedy in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("machines", "remedy"),
    [
        ([LISTENER | {"token_file": None}], "needs its port and the machine's token_file"),
        ([LISTENER | {"host": "10.0.0.1"}], "set certificate_file and key_file"),
        ([LISTENER | {"key_file": "k"}], "set both or none"),
        ([LISTENER | {"folder": "/srv"}], "folder belongs to kind = 'folder'"),
        ([{"id": "y", "kind": "folder"}], "needs its folder"),
        ([{"id": "y", "kind": "folder", "folder": "/srv", "port": 1}], "belong to kind = 'http'"),
        ([LISTENER, LISTENER | {"id": "z"}], "deliver to 127.0.0.1:8090"),
        ([LISTENER, LISTENER], "two X-ray machines are called 'x'"),
        ([LISTENER | {"lane": "b"}], "there is no lane 'b'"),
    ],
)
def test_an_inspection_machine_that_cannot_be_is_refused(machines: list[dict[str, Any]], remedy: str) -> None:
    with pytest.raises(ConfigError) as caught:
        make(xray=machines)
    assert remedy in str(caught.value)


def test_health_codes_need_their_authorities() -> None:
    with pytest.raises(ConfigError, match="health_authority_keys_dir"):
        make(policy={"health_code": "compare"})
    assert make(policy={"health_code": "require", "health_authority_keys_dir": "/etc/k"}).policy.boarding_pass == "off"


def test_at_alashankou_two_lanes_share_a_line_and_everything_has_its_place() -> None:
    site = load_site(sites_dir() / "alashankou-rail.toml")
    assert len({lane.board.port for lane in site.lanes}) == 1
    for lane in site.lanes:
        assert (lane.board.kind, lane.turnstile is not None, len(lane.readers)) == ("modbus_io", True, 1)
        assert lane.contacts is not None
        assert lane.contacts.radiation is not None
        assert lane.contacts.mat is not None
    assert [machine.kind for machine in site.xray] == ["folder", "http"]
    assert (site.policy.health_code, site.policy.boarding_pass, site.policy.scans) == ("require", "compare", "refer")


def test_every_device_of_the_shipped_site_can_be_made() -> None:
    site = load_site(sites_dir() / "alashankou-rail.toml")
    for lane in site.lanes:
        devices = open_devices(lane)
        assert devices.contacts.portal is not None
        assert devices.contacts.mat is not None
        assert devices.contacts.emergency_stop is not None
        assert devices.turnstile is not None
        assert set(devices.readers) == {reader.id for reader in lane.readers}
    assert len([open_xray(machine) for machine in site.xray]) == 2
