"""What `gate doctor` says of a chip reader and of the trust store."""

from datetime import timedelta
from pathlib import Path

import pytest
from chip_kit import NOW, document, issuer

from config.chip import ChipPolicy, ChipReader
from config.loader import load_site, sites_dir
from config.schema import Lane, Site
from gate.checks.emrtd.certificate import read_certificate
from gate.checks.emrtd.revocation import read_revocation_list
from gate.checks.emrtd.store import TrustStore
from gate.checks.emrtd.store_file import save_store
from gate.cli.checkup import Verdict
from gate.cli.checkup_chip import check_chip_reader, check_chips, check_trust_store
from simulator.chip.card import VirtualChip
from simulator.chip.vpicc import VpiccServer


def lane_with(reader: ChipReader | None) -> Lane:
    return load_site(sites_dir() / "demo.toml").lanes[0].model_copy(update={"chip_reader": reader})


def site_with(store: Path | None) -> Site:
    return load_site(sites_dir() / "demo.toml").model_copy(update={"chip": ChipPolicy(trust_store=store)})


def test_a_reader_with_a_chip_and_without() -> None:
    server = VpiccServer(VirtualChip(document().profile))
    server.start()
    lane = lane_with(ChipReader(kind="vpcd", port=server.port))
    found = check_chip_reader(lane)
    assert found.verdict is Verdict.OK
    assert "3B85" in found.seen
    server.stop()
    assert "no virtual chip listens" in check_chip_reader(lane).seen


def test_a_reader_that_cannot_be_used() -> None:
    found = check_chip_reader(lane_with(ChipReader(kind="pcsc", reader="a reader that nobody has")))
    assert found.verdict is Verdict.FAILED


@pytest.mark.parametrize(
    ("lists", "verdict", "words"),
    [
        (0, Verdict.WARNING, "no revocation list"),
        (1, Verdict.OK, "1 revocation lists"),
        (-1, Verdict.WARNING, "out of date"),
    ],
)
def test_whom_a_site_trusts(tmp_path: Path, lists: int, verdict: Verdict, words: str) -> None:
    csca = issuer()[0]
    crls = (read_revocation_list(csca.crl()),) if lists else ()
    path = tmp_path / "csca.json"
    save_store(TrustStore(certificates=(read_certificate(csca.certificate),), revocation_lists=crls), path)
    now = NOW + timedelta(days=1000 if lists < 0 else 1)
    found = check_trust_store(site_with(path), now)
    assert found.verdict is verdict
    assert words in found.seen


def test_nobody_is_trusted_without_a_store(tmp_path: Path) -> None:
    assert check_trust_store(site_with(None), NOW).verdict is Verdict.WARNING
    assert check_trust_store(site_with(tmp_path / "none.json"), NOW).verdict is Verdict.FAILED


async def test_a_lane_without_a_reader_is_not_spoken_of() -> None:
    assert [finding async for finding in check_chips(site_with(None), lane_with(None))] == []
