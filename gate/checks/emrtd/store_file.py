"""The trust store on disk: one JSON file, replaced whole, so that whoever reads it sees the old or the new one.

The file is what the gate trusts: whoever may write it decides which passports are authentic. It is made readable by all and writable by its
owner only.
"""

import base64
import json
import os
import tempfile
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from gate.checks.emrtd.certificate import read_certificate
from gate.checks.emrtd.faults import ChipFault
from gate.checks.emrtd.results import CheckName
from gate.checks.emrtd.revocation import read_revocation_list
from gate.checks.emrtd.store import Deviation, TrustStore

FORMAT = "tongguan-trust-store/1"


class _Deviation(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    country: str
    check: CheckName
    reason: str
    key_id: str | None
    signed_before: datetime | None


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    format: str
    certificates: list[str]
    signers: list[str]
    revocation_lists: list[str]
    deviations: list[_Deviation]


def looks_like_store(data: bytes) -> bool:
    """Whether the octets are a trust store's."""
    return data[:64].lstrip().startswith(b"{") and FORMAT.encode() in data[:128]


def read_store(data: bytes, name: str) -> TrustStore:
    """Return the store in ``data``. Raises ChipFault, naming the file, for one that is damaged."""
    try:
        file = _File.model_validate_json(data)
    except ValidationError:
        raise ChipFault(f"the trust store {name} is damaged; import its sources anew") from None
    if file.format != FORMAT:
        raise ChipFault(f"the trust store {name} has the format {file.format[:60]!r}; import its sources anew")
    try:
        return _store(file)
    except (ChipFault, ValueError) as error:
        raise ChipFault(f"the trust store {name} is damaged ({error}); import its sources anew") from None


def _store(file: _File) -> TrustStore:
    return TrustStore(
        certificates=tuple(read_certificate(_octets(text)) for text in file.certificates),
        signers=tuple(read_certificate(_octets(text)) for text in file.signers),
        revocation_lists=tuple(read_revocation_list(_octets(text)) for text in file.revocation_lists),
        deviations=tuple(
            Deviation(
                country=row.country,
                check=row.check,
                reason=row.reason,
                key_id=bytes.fromhex(row.key_id) if row.key_id else None,
                signed_before=row.signed_before,
            )
            for row in file.deviations
        ),
    )


def default_store_path() -> Path:
    """Where the trust store of this user lies unless TONGGUAN_CSCA names a file."""
    named = os.environ.get("TONGGUAN_CSCA")
    if named:
        return Path(named)
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "tongguan" / "csca.json"


def load_store(path: Path) -> TrustStore:
    """Return the store at ``path``. Raises ChipFault if it is missing or damaged."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ChipFault(
            f"the trust store {path} cannot be read ({error.strerror}); make it with gate csca import"
        ) from None
    return read_store(data, str(path))


def save_store(store: TrustStore, path: Path) -> None:
    """Replace the store at ``path``; it is on the disk when this returns. Raises ChipFault if it cannot be written."""
    document: dict[str, Any] = {
        "format": FORMAT,
        "certificates": [_text(item.der) for item in store.certificates],
        "signers": [_text(item.der) for item in store.signers],
        "revocation_lists": [_text(item.der) for item in store.revocation_lists],
        "deviations": [
            {
                "country": item.country,
                "check": item.check.value,
                "reason": item.reason,
                "key_id": item.key_id.hex() if item.key_id else None,
                "signed_before": item.signed_before.isoformat() if item.signed_before else None,
            }
            for item in store.deviations
        ],
    }
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _replace(path, json.dumps(document).encode("ascii"))
    except OSError as error:
        raise ChipFault(f"the trust store {path} cannot be written ({error.strerror}); check the folder") from None


def _replace(path: Path, data: bytes) -> None:
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=path.name)
    new = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        new.chmod(0o644)
        new.replace(path)
    except OSError:
        new.unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)  # else the new name may be lost with the power
    finally:
        os.close(folder)


def _octets(text: str) -> bytes:
    return base64.b64decode(text, validate=True)


def _text(der: bytes) -> str:
    return base64.b64encode(der).decode("ascii")
