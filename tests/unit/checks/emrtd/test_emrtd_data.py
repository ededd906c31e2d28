"""What is said of the files of other hands, where they are there (TONGGUAN_DATA): a BSI specimen, PersoSim's, SODs with known results,
and the German master list.
"""

import csv
import os
from collections import Counter
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from emrtd_kit import FAIL, NOT_CHECKED, PASS, failed, the

from gate.checks.emrtd.face import read_faces
from gate.checks.emrtd.importing import ImportReport, Origin, import_files
from gate.checks.emrtd.keys import EcKey
from gate.checks.emrtd.passive import ChipFiles, authenticate
from gate.checks.emrtd.results import CheckName
from gate.checks.emrtd.store import TrustStore

DATA = Path(os.environ.get("TONGGUAN_DATA", "../shared/data")) / "chip"
NOW = datetime(2026, 11, 23, tzinfo=UTC)


@cache
def german_list() -> ImportReport | None:
    for path in (DATA / "master-lists").glob("DE_ML_*.ml"):
        return import_files([(path.name, path.read_bytes())], TrustStore(), NOW)
    return None


def test_the_bsi_specimen_is_what_was_signed_and_its_expiry_and_missing_csca_are_named() -> None:
    folder = DATA / "bsi2008"
    if not folder.is_dir():
        return
    groups = {number: (folder / f"Datagroup{number}.bin").read_bytes() for number in (1, 2, 3, 14)}
    files = ChipFiles(sod=(folder / "EF_SOD.bin").read_bytes(), groups=groups, com=(folder / "EF_COM.bin").read_bytes())
    result = authenticate(files, TrustStore(), NOW)
    assert result.authentic_groups == {1, 2, 3, 14}
    for name in (CheckName.SOD_SIGNATURE, CheckName.MESSAGE_DIGEST, CheckName.DG_HASHES, CheckName.COM_CONSISTENCY):
        assert the(result, name).outcome is PASS
    assert "expired on 2009-01-27" in the(result, CheckName.DSC_VALIDITY).reason
    chain = the(result, CheckName.DSC_CHAIN)
    assert chain.outcome is NOT_CHECKED
    assert "CSCA BDR TEST 19.09.07" in chain.reason
    assert "SHA-1" in the(result, CheckName.ALGORITHM_STRENGTH).reason
    assert result.outcome is FAIL
    assert read_faces(groups[2])[0].media_type == "image/jp2"


def test_persosim_fails_on_its_digests() -> None:
    folder = DATA / "persosim"
    if not folder.is_dir():
        return
    groups = {
        number: (folder / f"Profile01_0x{tag}.bin").read_bytes() for number, tag in ((1, 61), (2, 75), (3, 63), (4, 76))
    }
    files = ChipFiles(sod=(folder / "Profile01_0x77.bin").read_bytes(), groups=groups)
    result = authenticate(files, TrustStore(), NOW)
    assert the(result, CheckName.SOD_SIGNATURE).outcome is PASS
    assert failed(result) == {CheckName.DG_HASHES, CheckName.DSC_VALIDITY}
    assert result.authentic_groups == frozenset()
    assert "1, 2, 3 and 4 not what was signed" in the(result, CheckName.DG_HASHES).reason


def test_every_sod_gets_its_stated_results() -> None:
    truth = DATA / "sod" / "truth.csv"
    if not truth.is_file():
        return
    rows = list(csv.DictReader(truth.read_text(encoding="utf-8").splitlines()))
    assert len(rows) == 12
    for row in rows:
        result = authenticate(ChipFiles(sod=(truth.parent / row["file"]).read_bytes()), TrustStore(), NOW)
        for name, column in (
            (CheckName.SOD_SIGNATURE, "signature_ok"),
            (CheckName.MESSAGE_DIGEST, "message_digest_ok"),
        ):
            expected = PASS if row[column] == "True" else FAIL
            assert the(result, name).outcome is expected, (row["file"], name)


def test_the_german_list_is_imported_whole() -> None:
    report = german_list()
    if report is None:
        return
    _, listed = report.master_lists[0]
    assert len(listed.certificates) == 557
    assert len(report.added) + len(report.refused) == 557
    assert report.refused == []
    assert Counter(report.added.values()) == {Origin.ROOT: 363, Origin.LINK: 185, Origin.LISTED: 9}
    assert listed.is_first_trust
    assert len(report.store.countries) == 110
    assert sum(isinstance(item.key, EcKey) for item in report.store.certificates) == 138
