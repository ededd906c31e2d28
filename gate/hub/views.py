"""A case as one officer may see it: the public projection, plus what their roles are shown of the private part.

What a role may not see is absent (null or an empty list), never merely hidden by the screen.
"""

import json
from typing import Any

from sqlalchemy import Connection, select

from config.schema import Site
from gate.hub.accounts import SUPERVISOR, Officer
from gate.hub.blobs import BlobStore
from gate.hub.intake import declaration_of
from gate.hub.schema import BLOBS

PRIVATE_KIND = "private"
_WATCHLIST = "lookup.watchlist"
_TRAVELLER_KEYS = (
    "surname",
    "given_names",
    "document_code",
    "document_number",
    "issuer",
    "nationality",
    "birth_date",
    "sex",
    "expiry_date",
)
_SUMMARY_KEYS = (
    "case_id",
    "port",
    "lane",
    "status",
    "opened_ms",
    "closed_ms",
    "waiting_since_ms",
    "revision",
    "evidence_digest",
    "decision",
    "reasons",
    "required_roles",
    "verdicts",
    "release",
    "outcome",
)


def sees(site: Site, officer: Officer) -> frozenset[str]:
    """What any of the officer's roles is shown; a supervisor, who decides no case, sees findings."""
    shown = {what for role in site.roles if role.id in officer.roles for what in role.sees}
    return frozenset(shown | ({"findings", "watchlist"} if SUPERVISOR in officer.roles else set()))


def case_summary(body: dict[str, Any], shown: frozenset[str]) -> dict[str, Any]:
    """The case in a list."""
    summary = {key: body[key] for key in _SUMMARY_KEYS}
    summary["reasons"] = [reason for reason in body["reasons"] if _may_see_code(reason, shown)]
    return summary


def case_detail(
    connection: Connection, blobs: BlobStore, body: dict[str, Any], shown: frozenset[str]
) -> dict[str, Any]:
    """The whole case for somebody who is shown ``shown`` of it."""
    here = {
        row.sha256
        for row in connection.execute(
            select(BLOBS.c.sha256).where(
                BLOBS.c.sha256.in_([item["sha256"] for item in body["attachments"]]), BLOBS.c.erased_ms.is_(None)
            )
        )
    }
    traveller = _traveller(blobs, body) if shown & {"identity", "declaration"} else None
    declaration = None
    if "declaration" in shown and traveller is not None:
        declaration = declaration_of(connection, traveller["document_number"] or "", traveller["issuer"] or "")
    return {
        **body,
        "reasons": [reason for reason in body["reasons"] if _may_see_code(reason, shown)],
        "findings": [item for item in body["findings"] if _may_see_code(item["code"], shown)],
        "attachments": [
            {**item, "is_available": item["sha256"] in here}
            for item in body["attachments"]
            if ("identity" if item["kind"] == PRIVATE_KIND else "pictures") in shown
        ],
        "inspections": body["inspections"] if "findings" in shown else [],
        "traveller": traveller if "identity" in shown else None,
        "declaration": declaration,
        "history": [_history_line(item, shown) for item in body["history"]],
    }


def needed_for_blob(media_type: str) -> str:
    """What one must be shown to fetch a blob of this type: records name people, everything else is a picture."""
    return "pictures" if media_type.startswith("image/") else "identity"


def _may_see_code(code: str, shown: frozenset[str]) -> bool:
    if code.startswith(_WATCHLIST):
        return "watchlist" in shown
    return ("temperature" if "temperature" in code else "findings") in shown


def _history_line(line: dict[str, Any], shown: frozenset[str]) -> dict[str, Any]:
    if str(line["what"]).startswith("inspection.") and "findings" not in shown:
        return {**line, "detail": ""}
    if not str(line["what"]).endswith((".decided", ".ended")):
        return line
    words = str(line["detail"]).split(" ")
    return {**line, "detail": " ".join(word for word in words if "." not in word or _may_see_code(word, shown))}


def _traveller(blobs: BlobStore, body: dict[str, Any]) -> dict[str, Any] | None:
    """The newest private part that is here; None when there is none, or it is not of the agreed shape."""
    for item in reversed(body["attachments"]):
        data = blobs.get(item["sha256"]) if item["kind"] == PRIVATE_KIND else None
        if data is None:
            continue
        try:
            traveller = json.loads(data)["traveller"]
            return {key: None if (value := traveller.get(key)) is None else str(value) for key in _TRAVELLER_KEYS}
        except (ValueError, KeyError, TypeError, AttributeError):
            return None
    return None
