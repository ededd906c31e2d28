"""`gate chip read`: the command over a virtual chip, its report, its files, its one sentence when it could not be done."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from chip_kit import document, issuer
from typer.testing import CliRunner

from gate.cli import main, make_app
from simulator.chip import attacks
from simulator.chip.card import VirtualChip
from simulator.chip.document import SPECIMEN_LINES
from simulator.chip.profile import PaceOption
from simulator.chip.vpicc import VpiccServer

PAPER = document(pace=(PaceOption(),), can="123456")
ZONE = ("--mrz", SPECIMEN_LINES[0], "--mrz", SPECIMEN_LINES[1])


@pytest.fixture
def server() -> Iterator[VpiccServer]:
    serving = VpiccServer(VirtualChip(PAPER.profile))
    serving.start()
    yield serving
    serving.stop()


@pytest.fixture
def csca(tmp_path: Path) -> str:
    path = tmp_path / "csca.der"
    path.write_bytes(issuer()[0].certificate)
    return str(path)


def run(server: VpiccServer, csca: str, *more: str) -> tuple[int, dict[str, Any]]:
    where = ("--vpcd", f"127.0.0.1:{server.port}", "--csca", csca, "--json")
    result = CliRunner().invoke(make_app(), ["chip", "read", *where, *more])
    return result.exit_code, json.loads(result.stdout)


def test_a_chip_is_read_verified_and_kept(server: VpiccServer, csca: str, tmp_path: Path) -> None:
    code, report = run(server, csca, *ZONE, "--out", str(tmp_path / "files"))
    assert code == 0
    assert report["is_genuine"]
    assert report["access"] == "PACE-ECDH-GM-AES-128"
    assert report["passive_authentication"] == "pass"
    assert report["lines"] == list(SPECIMEN_LINES)
    assert report["face"]["media_type"] == "image/jpeg"
    assert set(report["split_ms"]) == {"crypto", "apdu", "parsing"}
    assert (tmp_path / "files" / "DG2.bin").read_bytes() == PAPER.profile.files[0x0102]
    again = ["chip", "verify", "--sod", str(tmp_path / "files" / "EF_SOD.bin"), "--csca", csca, "--json"]
    again += ["--dg", f"2={tmp_path / 'files' / 'DG2.bin'}"]
    assert CliRunner().invoke(make_app(), again).exit_code == 0


def test_the_access_number_and_a_recording(server: VpiccServer, csca: str, tmp_path: Path) -> None:
    code, report = run(server, csca, "--can", "123456", "--record", str(tmp_path / "t.trace"))
    assert code == 0
    assert report["files"]["DG2"]["bytes"] == len(PAPER.profile.files[0x0102])
    lines = (tmp_path / "t.trace").read_text().splitlines()
    assert lines[0].startswith("atr 3B")
    assert len([line for line in lines if line.startswith(">")]) == report["commands"]
    again = ["chip", "read", "--replay", str(tmp_path / "t.trace"), "--can", "123456", "--csca", csca, "--json"]
    replayed = CliRunner().invoke(make_app(), again)
    assert replayed.exit_code == 0
    assert json.loads(replayed.stdout)["files"] == report["files"]


def test_a_forced_way_in_and_a_wrong_key_are_no(server: VpiccServer, csca: str) -> None:
    server.chip = VirtualChip(attacks.no_pace(PAPER).profile)
    code, report = run(server, csca, *ZONE)
    assert code == 1
    assert report["downgrade"]["outcome"] == "fail"
    server.chip = VirtualChip(PAPER.profile)
    code, report = run(server, csca, "--can", "654321")
    assert code == 1
    assert report["state"] == "failed"
    assert "refuses" in report["reason"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--vpcd", "nowhere", *ZONE], "write it as 127.0.0.1:35963"),
        ([], "give each line with --mrz"),
        (["--can", "12x"], "digits only"),
        (["--mrz", "P<UTO"], "no machine-readable zone"),
        (["--mrz", SPECIMEN_LINES[0], "--mrz", SPECIMEN_LINES[1].replace("L898", "L899")], "check digit"),
        (["--replay", "/nowhere.trace", *ZONE], "cannot be replayed"),
    ],
)
def test_what_could_not_be_done_is_one_sentence(
    arguments: list[str], words: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["gate", "chip", "read", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    told = capsys.readouterr()
    assert words in told.err
    assert told.out == ""
