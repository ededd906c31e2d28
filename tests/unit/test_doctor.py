"""``gate doctor`` on twins behind their real wires: what works, what does not, and what to do about it."""

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from config.loader import dump_site, parse_site
from config.schema import Site
from drivers.lane_io.interface import Door
from gate.cli import checkup
from gate.cli.checkup import Finding, Verdict, check_disk, judge_clock
from gate.cli.checkup_board import check_board
from gate.cli.checkup_sight import check_camera, check_lamps, check_thermometer
from gate.wire.keyring import Keyring
from simulator.cameras import MjpegServer
from simulator.lane_twin import LaneTwin
from simulator.port import free_port


@dataclass
class Bench:
    """A lane's twins, and a site that finds them."""

    twin: LaneTwin
    site: Site
    file: Path

    @property
    def lane(self) -> Any:
        return self.site.lanes[0]


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with ExitStack() as stack:
        server = stack.enter_context(MjpegServer(fps=30))
        twin = stack.enter_context(LaneTwin("lane-1", server=server, folder=tmp_path, seed=1))
        site = make_site(tmp_path, twin)
        Keyring(site.keys_dir).create_missing(["lane-1"])
        file = tmp_path / "site.toml"
        dump_site(site, file)
        yield Bench(twin, site, file)


def make_site(folder: Path, twin: LaneTwin) -> Site:
    data: dict[str, Any] = {
        "port": {"id": "p", "title": "P"},
        "state_dir": str(folder / "var"),
        "broker": {"port": free_port()},
        "hub": {"url": f"http://127.0.0.1:{free_port()}"},
        "policy": {"mode": "gate"},
        "lane": [
            {
                "id": "lane-1",
                "board": {"kind": "simulated"},
                "face_camera": {"kind": "folder", "source": "."},
                "document_camera": {"kind": "folder", "source": "."},
            }
        ],
    }
    site = parse_site(data, origin="the test")
    return site.model_copy(update={"lanes": (twin.settings(site.lanes[0]),)})


def by_name(findings: list[Finding]) -> dict[str, Finding]:
    return {finding.what: finding for finding in findings}


def look_at_board(bench: Bench) -> dict[str, Finding]:
    async def collect() -> list[Finding]:
        return [finding async for finding in check_board(bench.lane)]

    return by_name(asyncio.run(collect()))


def test_a_board_that_is_well(bench: Bench) -> None:
    found = look_at_board(bench)
    assert set(found) == {"board", "doors", "light curtain", "safety inputs", "safety devices"}
    assert {finding.verdict for finding in found.values()} == {Verdict.OK}
    assert "firmware" in found["board"].seen


def test_what_the_board_says_is_told(bench: Bench) -> None:
    with bench.twin.board.lock:
        bench.twin.board.model.press_estop()
        bench.twin.board.model.force_door(Door.EXIT)
        bench.twin.board.world.add_bag(1200.0)
    deadline = time.monotonic() + 10
    found = look_at_board(bench)
    while found["doors"].verdict is not Verdict.FAILED and time.monotonic() < deadline:
        found = look_at_board(bench)
    assert found["doors"].verdict is Verdict.FAILED
    assert "forced" in found["doors"].seen
    assert found["safety inputs"].verdict is Verdict.FAILED
    assert "emergency stop" in found["safety inputs"].seen
    assert found["light curtain"].verdict is Verdict.WARNING
    assert all(finding.remedy for name, finding in found.items() if name != "board")


def test_a_port_without_a_board(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkup, "BOUND_S", 0.3)
    from simulator.board import BoardFault

    bench.twin.board.inject(BoardFault.SILENT)
    found = look_at_board(bench)
    assert found["board"].verdict is Verdict.FAILED
    assert "no answer" in found["board"].seen
    bench.twin.board.unplug()
    assert "does not exist" in look_at_board(bench)["board"].seen


def test_a_camera_shows_its_size_and_rate(bench: Bench) -> None:
    found = check_camera("face camera", bench.lane.face_camera)
    assert found.verdict in (Verdict.OK, Verdict.WARNING), found  # a busy computer may be slow
    assert "frames/s" in found.seen
    assert "stamped by arrival" in found.seen


def test_a_covered_face_camera_and_a_frozen_one(bench: Bench) -> None:
    import numpy as np

    from simulator.cameras import MjpegServer

    rng = np.random.default_rng(1)
    still = rng.integers(60, 200, (48, 64, 3), dtype=np.uint8)
    with MjpegServer(
        {"dark": lambda _now_ns: rng.integers(0, 6, (48, 64, 3), dtype=np.uint8), "still": lambda _now_ns: still},
        fps=30,
    ) as server:
        dark = bench.lane.face_camera.model_copy(update={"source": server.url("dark")})
        found = check_camera("face camera", dark, is_always_lit=True)
        assert found.verdict is Verdict.FAILED
        assert "lens covered" in found.seen
        frozen = bench.lane.face_camera.model_copy(update={"source": server.url("still")})
        found = check_camera("face camera", frozen)
        assert found.verdict is Verdict.WARNING
        assert "always the same picture" in found.seen


def test_the_lamps_say_what_they_take(bench: Bench) -> None:
    from config.optics import DocumentLight
    from simulator.document_light import LightTwinFault, PtyDocumentLight

    with PtyDocumentLight() as lamps:
        lane = bench.lane.model_copy(update={"document_light": DocumentLight(port=lamps.port)})
        assert check_lamps(lane).verdict is Verdict.OK
        assert "ultraviolet 240 mA" in check_lamps(lane).seen
        lamps.inject(LightTwinFault.DARK)
        found = check_lamps(lane)
        assert found.verdict is Verdict.FAILED
        assert "does not burn" in found.seen
    without = bench.lane.model_copy(update={"document_light": None})
    assert check_lamps(without).verdict is Verdict.NOT_CONFIGURED


def test_a_camera_that_is_not_there(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkup, "BOUND_S", 0.5)
    gone = bench.lane.face_camera.model_copy(update={"source": f"http://127.0.0.1:{free_port()}/x"})
    found = check_camera("face camera", gone)
    assert found.verdict is Verdict.FAILED
    assert found.remedy


def test_a_thermometer_reads_or_says_nothing(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkup, "BOUND_S", 1.0)
    bench.twin.thermometer.set(None)
    assert check_thermometer(bench.lane).verdict is Verdict.WARNING
    from simulator.thermometer import ThermalFault

    bench.twin.thermometer.inject(ThermalFault.SILENT)
    assert "silent" in check_thermometer(bench.lane).seen
    bench.twin.thermometer.heal()
    bench.twin.thermometer.set(36.6)
    assert "°C" in check_thermometer(bench.lane).seen
    none = bench.lane.model_copy(update={"thermometer": None})
    assert check_thermometer(none).verdict is Verdict.NOT_CONFIGURED


def test_a_folder_that_cannot_be_written(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    found = check_disk(bench.site.model_copy(update={"state_dir": tmp_path / "file" / "var"}))
    assert found.verdict is Verdict.FAILED
    assert check_disk(bench.site).verdict in (Verdict.OK, Verdict.WARNING)


@pytest.mark.parametrize(("ahead_s", "verdict"), [(0, "ok"), (1, "ok"), (4, "failed"), (-4, "failed")])
def test_clocks_are_compared(ahead_s: int, verdict: str) -> None:
    now = datetime(2026, 1, 1, 12, 0, 0, 500_000, tzinfo=UTC)
    stated = (now - timedelta(seconds=ahead_s)).strftime("%a, %d %b %Y %H:%M:%S GMT")
    assert judge_clock(stated, now).verdict.value == verdict
    assert judge_clock("yesterday", now).verdict is Verdict.WARNING
    assert judge_clock(None, now).verdict is Verdict.WARNING


@pytest.mark.slow
def test_the_command_says_what_does_not_work(bench: Bench) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "gate", "doctor", "--site", str(bench.file), "--json"],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )
    told = json.loads(done.stdout)
    verdicts = {row["what"]: row["verdict"] for row in told["findings"]}
    assert done.returncode == 1, done.stderr
    assert not told["ok"]
    assert verdicts["board"] == verdicts["models"] == verdicts["keys"] == "ok"
    assert verdicts["broker"] == verdicts["hub"] == "failed"
    assert all(row["remedy"] for row in told["findings"] if row["verdict"] == "failed")
