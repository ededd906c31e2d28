"""``gate chip verify`` and ``gate csca``: exit codes, one JSON object, one sentence for what cannot be done."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from emrtd_kit import COM, GROUPS, LINES, NOW, issuer, signer
from typer.testing import CliRunner

from gate.checks.emrtd.faults import ChipFault
from gate.checks.emrtd.pem import read_pem
from gate.cli import make_app
from gate.errors import GateError
from simulator.chip.files import make_dg2
from simulator.chip.sod import Signing, make_master_list, make_sod

DAY = f"{NOW:%Y-%m-%d}"


def gate(*arguments: str):  # type: ignore[no-untyped-def]
    return CliRunner().invoke(make_app(), list(arguments), catch_exceptions=False)


@pytest.fixture
def files(tmp_path: Path) -> Path:
    (tmp_path / "sod.bin").write_bytes(make_sod(GROUPS, signer()))
    (tmp_path / "com.bin").write_bytes(COM)
    for number, file in GROUPS.items():
        (tmp_path / f"dg{number}.bin").write_bytes(file)
    (tmp_path / "other.bin").write_bytes(make_dg2(b"\xff\xd8\xffother"))
    trust = tmp_path / "trust"
    trust.mkdir()
    (trust / "csca.der").write_bytes(issuer().certificate)
    (trust / "ut.crl").write_bytes(issuer().crl())
    return tmp_path


def arguments(files: Path, **changes: str) -> list[str]:
    given = {"--sod": "sod.bin", "--com": "com.bin", "--csca": "trust"} | changes
    named = [part for option, name in given.items() for part in (option, str(files / name))]
    return ["chip", "verify", *named, "--at", DAY, "--json"]


def with_groups(files: Path, **changes: str) -> list[str]:
    names = {"1": "dg1.bin", "2": "dg2.bin"} | changes
    return [part for number, name in names.items() for part in ("--dg", f"{number}={files / name}")]


def test_a_document_in_order(files: Path) -> None:
    lines = [part for line in LINES for part in ("--mrz", line)]
    done = gate(*arguments(files), *with_groups(files), *lines)
    answer = json.loads(done.stdout)
    assert done.exit_code == 0
    assert answer["passive_authentication"] == "pass"
    assert {check["outcome"] for check in answer["checks"]} == {"pass"}
    names = [check["name"] for check in answer["checks"]]
    for name in (
        "sod_signature", "message_digest", "dsc_chain", "dsc_validity", "dsc_revocation", "dg_hashes", "com_consistency", "country_match",
    ):  # fmt: skip
        assert name in names
    assert all(check["reason"] for check in answer["checks"])
    assert answer["csca_count"] == 1


def test_another_picture_is_no(files: Path) -> None:
    done = gate(*arguments(files), *with_groups(files, **{"2": "other.bin"}))
    answer = json.loads(done.stdout)
    assert done.exit_code == 1
    assert answer["passive_authentication"] == "fail"
    assert [check["name"] for check in answer["checks"] if check["outcome"] == "fail"] == ["dg_hashes"]


def test_without_a_store_nothing_is_shown(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TONGGUAN_CSCA", str(files / "none.json"))
    whole = arguments(files)
    without = whole[: whole.index("--csca")] + whole[whole.index("--csca") + 2 :]
    done = gate(*without, *with_groups(files))
    assert done.exit_code == 1
    assert json.loads(done.stdout)["passive_authentication"] == "not_checked"
    assert "gate csca import" in done.stderr


@pytest.mark.parametrize(
    ("more", "word"),
    [
        (["--dg", "one=dg1.bin"], "write --dg 1=DG1.bin"),
        (["--dg", "17=dg1.bin"], "write --dg 1=DG1.bin"),
        (["--dg", "1=nowhere.bin"], "cannot be read"),
        (["--at", "tomorrow"], "is no day"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(files: Path, more: list[str], word: str) -> None:
    with pytest.raises(GateError, match=word):
        gate(*arguments(files), *more)


@pytest.mark.slow
def test_the_process_exits_2_without_a_traceback(files: Path) -> None:
    command = [sys.executable, "-m", "gate", "chip", "verify", "--sod", str(files / "nowhere.bin")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1


def test_a_store_is_filled_listed_compared_and_handed_on(files: Path) -> None:
    store, out = ["--store", str(files / "store.json")], files / "out.pem"
    listed = make_master_list(
        [issuer().certificate], issuer().master_list_signer(), Signing(more_certificates=(issuer().certificate,))
    )
    (files / "ut.ml").write_bytes(listed)
    taken = gate("csca", "import", str(files / "ut.ml"), *store, "--json")
    summary = json.loads(taken.stdout)
    assert taken.exit_code == 0
    assert summary["added"] == summary["certificates"] == 1
    assert summary["master_lists"][0]["is_first_trust"] is True
    assert gate("csca", "diff", str(files / "ut.ml"), *store, "--json").exit_code == 0
    rows = gate("csca", "list", *store, "--json").stdout.splitlines()
    assert json.loads(rows[0])["country"] == "UT"
    assert gate("csca", "list", *store, "--country", "XU", "--json").stdout == ""
    assert gate("csca", "export", str(out), *store).exit_code == 0
    assert read_pem(out.read_bytes())[0][1] == issuer().certificate
    assert gate("csca", "export", str(files / "folder"), *store).exit_code == 0
    assert gate("csca", "export", str(files / "copy.json"), *store).exit_code == 0
    done = gate(*arguments(files, **{"--csca": "copy.json"}), *with_groups(files))
    assert done.exit_code == 0


def test_what_is_not_taken_is_named(files: Path) -> None:
    (files / "signer.der").write_bytes(signer().certificate)
    done = gate("csca", "import", str(files / "signer.der"), "--store", str(files / "new.json"), "--signers", "--json")
    assert done.exit_code == 1
    assert "no CSCA in the trust store issued it" in json.loads(done.stdout)["refused"][0]["reason"]
    with pytest.raises(ChipFault, match="neither a certificate"):
        gate("csca", "import", str(files / "com.bin"), "--store", str(files / "new.json"))
    with pytest.raises(ChipFault, match="make it with gate csca import"):
        gate("csca", "list", "--store", str(files / "nowhere.json"))
