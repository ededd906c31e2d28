"""Each rule of the verification, cut out in turn: some test must notice. `pytest -m long` on this file; a few minutes."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]
ROOT = Path(__file__).parents[4]
JUDGES = (
    "tests/unit/checks/emrtd/test_emrtd_passive.py",
    "tests/unit/checks/emrtd/test_emrtd_verdict.py",
    "tests/contract/chip/test_chip_attacks.py",
)
MUTANTS = {
    "signature not verified": (
        "passive.py",
        "if verification.verdict is Verdict.INVALID:",
        "if False:",
    ),
    "no signed attributes needed": (
        "passive.py",
        "if signer.signed_octets is None:",
        "if False:",
    ),
    "message digest not compared": ("passive.py", "if digest != signer.attribute_digest:", "if False:"),
    "message type not compared": (
        "passive.py",
        "if signer.attribute_type not in (None, message.content_type):",
        "if False:",
    ),
    "chain not verified": ("store.py", "if found is None and not certificate.is_signed_by(candidate):", "if False:"),
    "expired signer accepted": ("signer.py", "if now > signer.not_after:", "if False:"),
    "signature of another time accepted": ("signer.py", "if not start <= signing_time <= end:", "if False:"),
    "expired CSCA accepted": ("signer.py", "if not issuer.is_valid_at(now):", "if False:"),
    "CSCA of another country accepted": (
        "signer.py",
        "if issuer is not None and issuer.country != country:",
        "if False:",
    ),
    "revocation not looked up": ("signer.py", "if since is not None:", "if False:"),
    "digest of a group not compared": (
        "content.py",
        "return hmac.compare_digest(hashlib.new(algorithm, trimmed, usedforsecurity=False).digest(), listed)",
        "return True",
    ),
    "group that was not read vouched for": (
        "content.py",
        "authentic = frozenset(fitting)",
        "authentic = frozenset(content.digests)",
    ),
    "group that nobody signed accepted": ("content.py", "unlisted.append(number)", "fitting.append(number)"),
    "printed zone not compared": ("content.py", "if mrz.lines != printed:", "if False:"),
    "document of another country accepted": (
        "content.py",
        "if signed_by not in allowed or signer.country not in allowed:",
        "if False:",
    ),
    "EF.COM not compared": ("content.py", "if fewer := listed - common.groups:", "if fewer := frozenset():"),
    "AA and CA count without passive authentication": (
        "results.py",
        "    if passive.outcome is not CheckOutcome.PASS:\n        return Check(",
        "    if False:\n        return Check(",
    ),
    "groups vouched for without passive authentication": (
        "results.py",
        "return self.outcome is CheckOutcome.PASS and group in self.authentic_groups",
        "return group in self.authentic_groups",
    ),
    "AA and CA count with any key": (
        "results.py",
        "if is_vouched or passive.vouches_for(group):",
        "if True:",
    ),
    "EF.CardSecurity vouches for active authentication": (
        "results.py",
        "is_vouched=is_key_vouched_for and name is CheckName.CHIP_AUTHENTICATION",
        "is_vouched=is_key_vouched_for",
    ),
    "failed proof outweighed by a good one": (
        "results.py",
        "    if CheckOutcome.FAIL in outcomes:\n        proof = CheckOutcome.FAIL\n    elif CheckOutcome.PASS in outcomes:",
        "    if CheckOutcome.PASS in outcomes:",
    ),
}


def judged(folder: Path) -> int:
    """The exit code of the tests, with the packages in ``folder``."""
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "-m", "not long", *JUDGES]
    environment = {**os.environ, "PYTHONPATH": str(folder), "PYTHONSAFEPATH": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, check=False).returncode


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """The packages, of which those that are changed are copies."""
    for name in ("config", "drivers", "models", "simulator"):
        (tmp_path / name).symlink_to(ROOT / name)
    shutil.copytree(ROOT / "gate", tmp_path / "gate", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def test_the_copy_passes_as_it_is(copied: Path) -> None:
    assert judged(copied) == 0


@pytest.mark.parametrize("name", MUTANTS)
def test_a_rule_that_is_cut_out_is_missed(name: str, copied: Path) -> None:
    file, old, new = MUTANTS[name]
    path = copied / "gate/checks/emrtd" / file
    source = path.read_text(encoding="utf-8")
    assert source.count(old) == 1, f"{file} says it in another way now: mend this list"
    path.write_text(source.replace(old, new), encoding="utf-8")
    assert judged(copied) == 1
