"""``gate doctor`` on contacts, turnstile, readers, codes, inspection machines and a lane on a Modbus module: twins on real wires."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from joserfc.jwk import OKPKey

from config.loader import load_site, parse_site, sites_dir
from config.schema import Site
from drivers.lane_io.interface import CommandResult, DoorPosition, LaneSensors, SafetyDevice
from drivers.xray.listener import HttpListener
from gate.cli import checkup, checkup_equipment
from gate.cli.checkup import Finding, Verdict
from gate.cli.checkup_board import check_board, judge_safety_devices
from gate.cli.checkup_equipment import check_codes, check_equipment, check_xray
from simulator.modbus_lane import SETTINGS, wired_lane
from simulator.modbus_line import ModbusFault, ModbusSlave, PtyModbusLine
from simulator.modbus_sensors import HIGH, KG_PER_COUNT, LOW, MASS, ZERO, SensorFault, SensorTwins
from simulator.osdp_readers import PtyReaders, ReaderTwin
from simulator.port import free_port
from simulator.relay_turnstile import PASSAGE, RELAY, TurnstileTwin

KEY = bytes(range(16))
TOKEN = "0123456789abcdef0123456789abcdef"


class Bench:
    """One RS-485 line with a contacts module (unit 9), a turnstile (10) and a wired lane (3)."""

    def __init__(self) -> None:
        self.contacts = ModbusSlave(9, inputs=8, coils=1, registers=2)
        self.sensors = SensorTwins(self.contacts)
        self.turnstile = ModbusSlave(10, inputs=4, coils=1, registers=1)
        self.rotor = TurnstileTwin(self.turnstile)
        self.lane = wired_lane(3)
        self.contacts.inputs[6] = True  # a stop button that is closed while nobody presses it
        self.line = PtyModbusLine([self.contacts, self.turnstile, self.lane.slave])

    def site(self, *, mat: dict[str, Any] | None = None, **changes: Any) -> Site:
        wire = {"port": self.line.port, "baud_rate": 115_200, "poll_ms": 20}
        camera = {"kind": "v4l2", "source": "0"}
        radiation = {"gamma": "!0", "neutron": "!1", "fault": "!2"}
        lane = {
            "id": "a",
            "board": {
                "kind": "modbus_io",
                "port": self.line.port,
                "baud_rate": 115_200,
                "modbus": {"unit": 3, "poll_ms": 20, **SETTINGS},
            },
            "face_camera": camera,
            "document_camera": camera,
            "contacts": wire
            | {"unit": 9, "radiation": radiation, "mat": mat or {"occupied": 4}, "emergency_stop": "!6"},
            "turnstile": wire | {"unit": 10, "relay": RELAY, "passage": PASSAGE},
        }
        roles = [{"id": name, "title": name, "title_zh": name, "colour": "#000000"} for name in ("customs", "border")]
        data = {"port": {"id": "p", "title": "P"}, "role": roles, "lane": [lane | changes.pop("lane", {})]}
        return parse_site(data | changes, origin="the test")


@pytest.fixture
def bench() -> Iterator[Bench]:
    bench = Bench()
    yield bench
    bench.line.close()


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkup_equipment, "LIGHT_S", 0.0)


async def collect(findings: AsyncIterator[Finding]) -> dict[str, Finding]:
    return {finding.what: finding async for finding in findings}


def look(site: Site) -> dict[str, Finding]:
    return asyncio.run(collect(check_equipment(site, site.lanes[0])))


def verdicts(found: dict[str, Finding]) -> dict[str, Verdict]:
    return {name: finding.verdict for name, finding in found.items()}


def test_contacts_and_turnstile_that_are_well(bench: Bench) -> None:
    found = look(bench.site())
    assert verdicts(found) == dict.fromkeys(("radiation portal", "floor mat", "further stop", "turnstile"), Verdict.OK)
    assert bench.rotor.openings == 0, "a doctor lets nobody through"


def test_what_stands_in_alarm_or_on_the_mat_or_is_pressed_is_told(bench: Bench) -> None:
    scale = {"register_number": MASS, "zero": ZERO, "kg_per_count": KG_PER_COUNT, "low": LOW, "high": HIGH}
    with bench.line.lock:
        bench.sensors.is_gamma = True
        bench.sensors.mass_kg = 30.0
        bench.contacts.inputs[6] = False
        bench.turnstile.inputs[PASSAGE] = True
    found = look(bench.site(mat=scale))
    assert found["radiation portal"].verdict is found["floor mat"].verdict is Verdict.WARNING
    assert "gamma" in found["radiation portal"].seen
    assert "30." in found["floor mat"].seen or "29." in found["floor mat"].seen
    assert found["further stop"].verdict is Verdict.FAILED
    assert all(found[name].remedy for name in ("radiation portal", "floor mat", "further stop"))


def test_modules_that_are_silent_are_named_with_their_place(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkup, "BOUND_S", 0.8)
    bench.line.inject(9, ModbusFault.SILENT)
    bench.line.inject(10, ModbusFault.SILENT)
    found = look(bench.site())
    assert set(verdicts(found).values()) == {Verdict.FAILED}
    assert "unit 9" in found["radiation portal"].seen
    assert "unit 10" in found["turnstile"].seen


def test_a_broken_wire_is_never_peace(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkup, "BOUND_S", 0.5)
    with bench.line.lock:
        bench.sensors.inject(SensorFault.BROKEN_WIRE)
    assert look(bench.site())["radiation portal"].verdict is Verdict.FAILED


def test_a_line_that_is_not_there(bench: Bench) -> None:
    site = bench.site()
    bench.line.unplug()
    found = look(site)
    assert {finding.verdict for finding in found.values()} == {Verdict.FAILED}
    assert all("does not exist" in finding.seen for finding in found.values())


# -- the board on a module -------------------------------------------------------------------------------------------------


def test_a_modbus_board_says_that_it_tests_nothing(bench: Bench) -> None:
    with bench.line.lock:
        bench.lane.slave.step(50)
    found = asyncio.run(collect(check_board(bench.site().lanes[0])))
    assert found["board"].verdict is Verdict.OK
    assert "modbus-rtu" in found["board"].seen
    assert found["safety devices"].verdict is Verdict.WARNING
    assert "have wiring and relays inspected" in found["safety devices"].remedy


def test_contacts_that_contradict_each_other_are_a_failed_safety_device(bench: Bench) -> None:
    inputs: Any = SETTINGS["inputs"]
    several = int(inputs["several"])
    bench.line.inject(3, ModbusFault.STUCK_INPUT, several)
    deadline_s = time.monotonic() + 8
    found = asyncio.run(collect(check_board(bench.site().lanes[0])))
    while "light curtain" not in found or found["light curtain"].verdict is not Verdict.FAILED:
        assert time.monotonic() < deadline_s, found
        found = asyncio.run(_patiently(bench.site()))
    assert "contradict" in found["light curtain"].remedy


async def _patiently(site: Site) -> dict[str, Finding]:
    """A doctor that stays as long as the contradiction must last to be one."""
    from gate.devices import open_board

    board, reports = open_board(site.lanes[0]), list[Any]()
    await board.start(reports.append)
    try:
        await checkup.wait_until(lambda: any(isinstance(item, LaneSensors) and item.failed for item in reports))
    finally:
        await board.stop()
    sensors = next(item for item in reversed(reports) if isinstance(item, LaneSensors))
    return {finding.what: finding for finding in judge_safety_devices(sensors, CommandResult.REFUSED_STATE)}


def test_each_failed_safety_device_is_named_with_its_remedy() -> None:
    sensors = LaneSensors(
        received_ns=0,
        sequence=0,
        board_uptime_ms=0,
        boot_id=1,
        entry=DoorPosition.CLOSED,
        exit=DoorPosition.CLOSED,
        is_entry_locked=True,
        is_exit_locked=True,
        beams=0,
        beam_count=8,
        person_count=0,
        is_estop_pressed=False,
        is_fire=False,
        is_power_failed=False,
        is_watchdog_tripped=False,
        exit_token=None,
        failed=frozenset(SafetyDevice),
    )
    found = judge_safety_devices(sensors, CommandResult.DONE)
    assert len(found) == len(SafetyDevice)
    assert all(finding.verdict is Verdict.FAILED and finding.remedy for finding in found)


# -- readers, codes, machines ----------------------------------------------------------------------------------------------


def test_readers_on_one_bus(bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkup, "BOUND_S", 3.0)
    for name, key in (("good", KEY), ("other", bytes(16))):
        (tmp_path / name).write_text(key.hex())
        (tmp_path / name).chmod(0o600)
    with PtyReaders([ReaderTwin(5, KEY), ReaderTwin(6, KEY)]) as line:
        readers = [
            {"id": name, "port": line.port, "address": address, "key_file": str(tmp_path / key), "baud_rate": 115_200}
            for name, address, key in (("in", 5, "good"), ("out", 6, "other"), ("gone", 7, "none"))
        ]
        site = bench.site(lane={"contacts": None, "turnstile": None, "reader": readers})
        found = look(site)
        assert (found["reader in"].verdict, line.readers[5].beeps) == (Verdict.OK, 1)
    assert found["reader out"].verdict is Verdict.FAILED
    assert "key" in found["reader out"].remedy
    assert "cannot be read" in found["reader gone"].seen


def test_codes_without_a_key_can_pass_nothing(bench: Bench, tmp_path: Path) -> None:
    def site(folder: Path) -> Site:
        return bench.site(policy={"health_code": "compare", "health_authority_keys_dir": str(folder)})

    assert check_codes(site(tmp_path / "none")).verdict is Verdict.FAILED
    assert check_codes(site(tmp_path)).verdict is Verdict.WARNING
    (tmp_path / "gacc.pem").write_bytes(OKPKey.generate_key("Ed25519").as_pem(private=False))
    assert check_codes(site(tmp_path)).verdict is Verdict.OK
    assert check_codes(bench.site(policy={"boarding_pass": "compare"})).verdict is Verdict.OK


def test_inspection_machines(bench: Bench, tmp_path: Path) -> None:
    folder, token = tmp_path / "scans", tmp_path / "token"
    port = free_port()
    listener = {"id": "l", "kind": "http", "port": port, "token_file": str(token)}
    site = bench.site(xray=[{"id": "f", "kind": "folder", "folder": str(folder)}, listener])
    by_folder, by_http = site.xray
    assert check_xray(by_folder).verdict is Verdict.FAILED
    (folder / "refused").mkdir(parents=True)
    assert check_xray(by_folder).verdict is Verdict.OK
    (folder / "refused" / "a.png.txt").write_text("The scan a.png breaks off.")
    assert "1 scans refused" in check_xray(by_folder).seen
    (folder / "b.png").write_bytes(b"x")
    os.utime(folder / "b.png", (1, 1))
    assert "see whether the hub runs" in check_xray(by_folder).remedy
    assert check_xray(by_http).verdict is Verdict.FAILED
    token.write_text(TOKEN)
    token.chmod(0o600)
    assert check_xray(by_http).verdict is Verdict.WARNING
    running = HttpListener(host="127.0.0.1", port=port, token_file=token)
    running.start(lambda _report: None)
    try:
        assert check_xray(by_http).verdict is Verdict.OK
    finally:
        running.stop()


def test_the_shipped_site_names_every_device_and_the_doctor_says_of_each_that_it_is_not_here(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(checkup, "BOUND_S", 0.2)
    site = load_site(sites_dir() / "alashankou-rail.toml")
    north, south = site.lanes
    found = asyncio.run(collect(check_equipment(site, south)))
    assert list(found) == [
        "contacts",
        "turnstile",
        "reader desk-south",
        "codes",
        "X-ray hall-tunnel",
        "X-ray south-cabin",
    ]
    assert {finding.verdict for finding in found.values()} == {Verdict.FAILED}
    assert all(finding.remedy and "\n" not in finding.seen for finding in found.values())
    assert "X-ray south-cabin" not in asyncio.run(collect(check_equipment(site, north))), "it stands in the other lane"
