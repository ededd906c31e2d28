"""The sites that come with the product are good, and what no port should run is refused by the key's name."""

import tomllib
from pathlib import Path
from typing import Any

import pytest

from config.errors import ConfigError
from config.loader import dump_site, load_site, parse_site, sites_dir
from config.schema import Policy
from gate.wire.topics import is_segment

SITES = sorted(sites_dir().glob("*.toml"))


def minimal(**changes: Any) -> dict[str, Any]:
    data: dict[str, Any] = {
        "port": {"id": "p", "title": "P"},
        "policy": {"mode": "gate"},
        "lane": [lane("lane-1")],
    }
    return data | changes


def lane(name: str, port: str = "/dev/ttyUSB0") -> dict[str, Any]:
    camera = {"kind": "v4l2", "source": "0"}
    return {"id": name, "board": {"port": port}, "face_camera": camera, "document_camera": camera}


@pytest.mark.parametrize("file", SITES, ids=lambda file: file.stem)
def test_a_shipped_site_loads_and_survives_being_written(file: Path, tmp_path: Path) -> None:
    site = load_site(file)
    dump_site(site, tmp_path / "copy.toml")
    assert load_site(tmp_path / "copy.toml") == site
    assert is_segment(site.port.id)
    assert all(is_segment(item.id) for item in site.lanes)


@pytest.mark.parametrize("file", SITES, ids=lambda file: file.stem)
def test_a_shipped_site_holds_no_secret(file: Path) -> None:
    words = {"password", "secret", "token", "private"}
    assert not words & {key.lower() for key in _keys(tomllib.loads(file.read_text(encoding="utf-8")))}


def _keys(value: Any) -> set[str]:
    if isinstance(value, dict):
        return set(value) | {key for item in value.values() for key in _keys(item)}
    return {key for item in value for key in _keys(item)} if isinstance(value, list) else set()


def test_the_sites_are_the_ones_that_we_speak_of() -> None:
    assert [file.stem for file in SITES] == ["alashankou-rail", "demo", "desk", "erenhot-rail", "taiyuan"]


def test_taiyuan_is_an_airport_of_six_lanes_on_tls() -> None:
    site = load_site(sites_dir() / "taiyuan.toml")
    assert len(site.lanes) == 6
    assert len({item.board.port for item in site.lanes}) == 6
    assert site.required_roles == {"customs", "quarantine", "border"}
    assert site.broker.ca_file is not None
    assert site.broker.certificate_file is not None
    assert site.hub.url.startswith("https://")


def test_at_the_rail_port_customs_and_quarantine_always_look() -> None:
    site = load_site(sites_dir() / "erenhot-rail.toml")
    assert {role.id: role.releases_by_rule for role in site.roles} == {
        "customs": False,
        "quarantine": False,
        "border": True,
    }


def test_e_channels_are_for_electronic_documents_and_a_rail_port_takes_old_ones_too() -> None:
    airport, rail = (load_site(sites_dir() / f"{name}.toml") for name in ("taiyuan", "erenhot-rail"))
    assert airport.chip.needs_chip
    assert not rail.chip.needs_chip
    readers = {lane.chip_reader.reader for lane in airport.lanes if lane.chip_reader is not None}
    assert len(readers) == len(airport.lanes), "lanes must not take each other's reader"
    for site in (airport, rail):
        assert site.chip.trust_store is not None
        accepts = (site.chip.accepts_silent, site.chip.accepts_unread, site.chip.accepts_unknown_issuer)
        assert accepts == (False, False, False)
        for lane in site.lanes:
            assert lane.chip_reader is not None
            assert lane.chip_reader.total_ms < site.policy.document_timeout_ms


def test_the_desk_asks_for_nothing_that_a_desk_does_not_have() -> None:
    site = load_site(sites_dir() / "desk.toml")
    assert (site.policy.mode, site.policy.lookups, site.policy.is_temperature_checked) == ("gate", (), False)
    assert site.broker.is_embedded
    assert site.hub.is_embedded
    assert site.lanes[0].board.kind == "simulated"


@pytest.mark.parametrize(
    ("changes", "where", "remedy"),
    [
        ({"broker": {"host": "10.0.0.1"}}, "broker", "needs TLS"),
        ({"broker": {"host": "10.0.0.1", "is_embedded": True}}, "broker", "loopback only"),
        ({"broker": {"key_file": "a"}}, "broker", "set both or none"),
        ({"broker": {"port": 70000}}, "broker.port", "less than or equal to 65535"),
        ({"hub": {"url": "http://hub.example"}}, "hub", "use https"),
        ({"hub": {"url": "hub.example"}}, "hub", "not an http or https address"),
        ({"policy": {"mode": "joint"}}, "the file as a whole", "at least one [[role]]"),
        ({"policy": {"mode": "gate", "inside_limit_ms": 8000}}, "policy", "longer than face_timeout_ms"),
        ({"policy": {"mode": "gate", "lookups": ["weather"]}}, "policy.lookups.0", "watchlist"),
        ({"lane": []}, "the file as a whole", "at least one [[lane]]"),
        ({"lane": [lane("a"), lane("a", "/dev/ttyUSB1")]}, "the file as a whole", "give each its own id"),
        ({"lane": [lane("a"), lane("b")]}, "the file as a whole", "each board needs its own"),
        ({"lane": [lane("a") | {"board": {}}]}, "lane.0.board", "needs its serial port"),
        ({"lane": [lane("A b")]}, "lane.0.id", "lower-case letters"),
        ({"lane": [lane("case")]}, "lane.0.id", "not the word 'case'"),
        ({"lanes": []}, "lanes", "no such key"),
        ({"policy": {"mode": "gate", "face_threshold": float("nan")}}, "policy.face_threshold", "finite"),
    ],
)
def test_what_no_port_should_run_is_refused(changes: dict[str, Any], where: str, remedy: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_site(minimal(**changes), origin="site.toml")
    told = str(caught.value)
    assert told.startswith(f"site.toml: {where}: "), told
    assert remedy in told
    assert "\n" not in told


def test_several_problems_are_counted() -> None:
    with pytest.raises(ConfigError, match=r"\(and 1 more\)"):
        parse_site(minimal(port={"id": "P", "title": ""}), origin="site.toml")


def test_a_limit_at_its_edge_is_good() -> None:
    site = parse_site(minimal(policy={"mode": "gate", "face_timeout_ms": 8000, "inside_limit_ms": 8001}), origin="x")
    assert site.policy.inside_limit_ms == 8001


def test_a_texture_model_needs_its_calibration() -> None:
    with pytest.raises(ValueError, match="presentation_calibration_file"):
        Policy(presentation_texture_model="pad-texture")
    assert Policy().presentation_attack == Policy().presentation_unsure == "refer"
