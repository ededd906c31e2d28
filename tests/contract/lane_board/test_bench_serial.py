"""``gate bench serial`` measures real processes and says so in the keys that others read."""

from __future__ import annotations

import json

import pytest
from c_kit import needs_compiler
from typer.testing import CliRunner

import simulator.bench_serial
from drivers.errors import DeviceError
from gate.cli import make_app
from simulator.c_build import built

pytestmark = needs_compiler
KEYS = {"command_ms_p50", "command_ms_p99", "echo_ms_p50", "ratio", "dead_device_p99_ratio"}


def test_one_json_object_with_the_measures() -> None:
    result = CliRunner().invoke(make_app(), ["bench", "serial", "--commands", "20", "--no-bus", "--json"])
    assert result.exit_code == 0, result.output
    figures = json.loads(result.stdout)
    assert set(figures) >= KEYS
    assert figures["commands"] == 20
    assert 0 < figures["echo_ms_p50"] <= figures["echo_ms_p99"]
    assert 0 < figures["command_ms_p50"] <= figures["command_ms_p99"]
    assert figures["ratio"] == pytest.approx(figures["command_ms_p50"] / figures["echo_ms_p50"], rel=0.05)
    assert figures["dead_device_p99_ratio"] is None


def test_the_bus_is_measured_by_its_own_bench(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(simulator.bench_serial, "measure_dead_device", lambda: 1.0625)
    result = CliRunner().invoke(make_app(), ["bench", "serial", "--commands", "1", "--json"])
    assert json.loads(result.stdout)["dead_device_p99_ratio"] == 1.062


def test_without_a_compiler_there_is_one_clear_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    monkeypatch.setenv("TONGGUAN_CACHE", str(tmp_path))
    monkeypatch.setattr("simulator.c_build.shutil.which", lambda _tool: None)
    with pytest.raises(DeviceError, match="install the packages gcc, libc6-dev and make"):
        built("board_host")


def test_sources_that_do_not_compile_say_why(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    monkeypatch.setenv("TONGGUAN_CACHE", str(tmp_path))
    monkeypatch.setenv("CC", "false")
    with pytest.raises(DeviceError, match="does not compile"):
        built("board_host")
