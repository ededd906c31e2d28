"""The forms of declarations: JSON Schemas (2020-12) kept as data beside this module, one file a version.

A new version is a new file; old ones stay, since old records were checked by them. Records say which by ``schema`` (``health-2``); without
it the newest counts.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib import resources
from typing import Any

from gate.hub.errors import HubError

_FILE = re.compile(r"([a-z]+)-([1-9][0-9]{0,2})\.json")
MAX_ERRORS_OF_RECORD = 20


class Kind(StrEnum):
    """What may be submitted. PASSENGERS is UN/EDIFACT and has no form."""

    PASSENGERS = "passengers"
    CUSTOMS = "customs"
    HEALTH = "health"
    VISA = "visa"
    TRANSIT = "transit"
    TRUST = "trust"
    RESERVATION = "reservation"
    PARCEL = "parcel"


@dataclass(frozen=True, slots=True, kw_only=True)
class FormError:
    """One thing that is wrong with a record. ``field`` is dotted; empty: the record as a whole."""

    field: str
    message: str


class Form:
    """One version of one kind."""

    def __init__(self, name: str, schema: Mapping[str, Any]) -> None:
        import jsonschema_rs

        self.name = name
        self.schema = schema
        try:
            self._validator = jsonschema_rs.Draft202012Validator(dict(schema), validate_formats=True)
        except ValueError as error:
            raise HubError(f"the form {name} is no JSON Schema ({error}): mend its file") from None

    def errors(self, record: Any) -> tuple[FormError, ...]:
        """What is wrong with a record, at most :data:`MAX_ERRORS_OF_RECORD`."""
        found = []
        for error in self._validator.iter_errors(record):
            path = [str(part) for part in error.instance_path]
            missing = re.match(r'"([^"]+)" is a required property', error.message)
            if missing is not None:
                path.append(missing[1])
            message = "is missing" if missing is not None else error.message[:200]
            found.append(FormError(field=".".join(path), message=message))
            if len(found) == MAX_ERRORS_OF_RECORD:
                break
        return tuple(found)


class Forms:
    """All forms, by kind and version."""

    def __init__(self, forms: Mapping[str, Form]) -> None:
        self._forms = dict(forms)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(sorted(self._forms))

    def get(self, name: str) -> Form | None:
        return self._forms.get(name)

    def newest(self, kind: Kind) -> Form:
        """The newest version. KeyError for a kind without a form."""
        versions = [int(name.rsplit("-", 1)[1]) for name in self._forms if name.rsplit("-", 1)[0] == kind.value]
        if not versions:
            raise KeyError(kind.value)
        return self._forms[f"{kind.value}-{max(versions)}"]

    def of(self, kind: Kind, name: str | None) -> Form | None:
        """The form that a record names, or the newest; None when it is not one of this kind."""
        if name is None:
            return self.newest(kind)
        return self._forms.get(name) if name.rsplit("-", 1)[0] == kind.value else None


@cache
def shipped_forms() -> Forms:
    """The forms that come with this version. HubError when one cannot be used."""
    forms = {}
    for file in (resources.files("gate.hub.window") / "schemas").iterdir():
        named = _FILE.fullmatch(file.name)
        if named is not None:
            name = f"{named[1]}-{named[2]}"
            forms[name] = Form(name, json.loads(file.read_text(encoding="utf-8")))
    return Forms(forms)
