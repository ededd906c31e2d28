"""From a site's settings to who reads chips: readers by kind, the trust store, the time that a traveller's document has."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from config.errors import ConfigError
from config.loader import dump_site, load_site, sites_dir
from config.schema import Site
from drivers.chip.vpcd import VpcdChannel
from gate.checks.emrtd.certificate import read_certificate
from gate.checks.emrtd.faults import ChipFault
from gate.checks.emrtd.store import TrustStore
from gate.checks.emrtd.store_file import save_store
from gate.core.clock import SystemClock
from gate.devices import LaneDevices, open_chip_reader
from gate.settings import chip_watch
from simulator.chip.document import make_issuer


def site_with(tmp_path: Path, chip: str, reader: str) -> Site:
    text = (sites_dir() / "demo.toml").read_text(encoding="utf-8")
    head, first, rest = text.partition('[[lane]]\nid = "lane-1"\n')
    path = tmp_path / "site.toml"
    path.write_text(f"{head}{chip}\n{first}{reader}\n{rest}", encoding="utf-8")
    return load_site(path)


def devices_of(site: Site) -> LaneDevices:
    """Only what the chip's reader needs."""
    lane = site.lanes[0]
    return LaneDevices(
        board=None,  # type: ignore[arg-type]
        face_camera=None,  # type: ignore[arg-type]
        document_camera=None,  # type: ignore[arg-type]
        thermometer=None,
        chip_reader=open_chip_reader(lane),
    )


def test_a_site_says_how_chips_are_read_and_what_is_asked_of_them(tmp_path: Path) -> None:
    store = tmp_path / "csca.json"
    save_store(TrustStore(certificates=(read_certificate(make_issuer(datetime.now(UTC))[0].certificate),)), store)
    site = site_with(
        tmp_path,
        f'[chip]\ntrust_store = "{store}"\nneeds_chip = true\nneeds_revocation = true',
        'chip_reader = { kind = "vpcd", port = 4711, total_ms = 30000, allows_extended = false }',
    )
    dump_site(site, tmp_path / "again.toml")
    assert load_site(tmp_path / "again.toml") == site
    devices = devices_of(site)
    assert isinstance(devices.chip_reader, VpcdChannel)
    watch = chip_watch(site, site.lanes[0], devices, SystemClock())
    assert watch is not None
    rules = watch._rules
    assert len(rules.store.certificates) == 1
    assert rules.limits.needs_chip
    assert not rules.limits.needs_no_copy
    assert rules.passive.needs_revocation
    assert not rules.times.allows_extended
    assert rules.times.total_ms == site.policy.document_timeout_ms - 1000
    watch.close()


def test_a_lane_without_a_reader_reads_no_chips(tmp_path: Path) -> None:
    site = site_with(tmp_path, "", "")
    assert open_chip_reader(site.lanes[0]) is None
    assert chip_watch(site, site.lanes[0], devices_of(site), SystemClock()) is None


def test_a_trust_store_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    site = site_with(tmp_path, '[chip]\ntrust_store = "/nowhere/csca.json"', 'chip_reader = { kind = "vpcd" }')
    with pytest.raises(ChipFault, match="gate csca import"):
        chip_watch(site, site.lanes[0], devices_of(site), SystemClock())


def test_a_kind_that_does_not_exist_is_refused_when_the_site_is_read(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="chip_reader"):
        site_with(tmp_path, "", 'chip_reader = { kind = "telepathy" }')
