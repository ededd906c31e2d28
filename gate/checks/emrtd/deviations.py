"""Deviations as data: what is known to be wrong with a state's documents and is to be excused, in a TOML file.

[[deviation]]
country = "XX"
check = "dsc_profile"
reason = "document signers of 2019 carry no key usage (deviation list of 2020-02-01)"
key_id = "0123..."          # of one CSCA; leave out for all of the country's
signed_before = 2020-03-01  # document signers issued before; leave out for all
"""

import tomllib
from datetime import UTC, date, datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from gate.checks.emrtd.faults import ChipFault
from gate.checks.emrtd.results import CheckName
from gate.checks.emrtd.store import EXCUSABLE, Deviation


class _Row(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    country: Annotated[str, Field(pattern=r"^[A-Z]{2}$")]
    check: CheckName
    reason: Annotated[str, Field(min_length=1, max_length=400)]
    key_id: Annotated[str, Field(pattern=r"^([0-9a-f]{2}){1,64}$")] | None = None
    signed_before: date | None = None

    @field_validator("check")
    @classmethod
    def _is_excusable(cls, check: CheckName) -> CheckName:
        if check not in EXCUSABLE:
            raise ValueError(f"{check} is never excused; one of {', '.join(sorted(EXCUSABLE))} may be")
        return check


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    deviation: list[_Row]


def looks_like_deviations(data: bytes) -> bool:
    """Whether the octets are text with a table of deviations."""
    return b"[[deviation]]" in data[:65_536]


def read_deviations(data: bytes, name: str) -> tuple[Deviation, ...]:
    """Return the deviations in a TOML file. Raises ChipFault that names the file and the key."""
    try:
        rows = _File.model_validate(tomllib.loads(data.decode("utf-8"))).deviation
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ChipFault(f"{name} is no TOML file ({error}); mend it") from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ChipFault(f"{name}: {where}: {first['msg']}; mend it") from None
    return tuple(
        Deviation(
            country=row.country,
            check=row.check,
            reason=row.reason,
            key_id=bytes.fromhex(row.key_id) if row.key_id else None,
            signed_before=datetime(row.signed_before.year, row.signed_before.month, row.signed_before.day, tzinfo=UTC)
            if row.signed_before
            else None,
        )
        for row in rows
    )
