"""Declarations: taken in, and asked about a document. A look-up that finds nothing says so; it never guesses."""

import json
import secrets
from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import Connection, select

from gate.hub.schema import DECLARATIONS
from gate.hub.store import upsert
from gate.wire.messages import LookupAnswer, LookupRequest, LookupResult

NONE_ON_FILE = "none on file"


def normal_document(number: str, issuer: str) -> tuple[str, str]:
    """(issuer, document number) as compared: upper case, without fillers, blanks and hyphens (ICAO 9303 part 3, 4.6)."""
    drop = str.maketrans("", "", " <-")
    return issuer.upper().translate(drop), number.upper().translate(drop)


def put_declaration(
    connection: Connection,
    *,
    document_number: str,
    issuer: str,
    customs: Mapping[str, Any] | None,
    health: Mapping[str, Any] | None,
    author: str,
    at_ms: int,
) -> str:
    """Keep a declaration; the last of a document replaces the one before. Its id."""
    issuer, document_number = normal_document(document_number, issuer)
    declaration_id = secrets.token_hex(16)
    upsert(
        connection,
        DECLARATIONS,
        {
            "issuer": issuer,
            "document_number": document_number,
            "declaration_id": declaration_id,
            "author": author,
            "at_ms": at_ms,
            "body": json.dumps({"customs": customs, "health": health}, ensure_ascii=False),
        },
    )
    return declaration_id


def declaration_of(connection: Connection, document_number: str, issuer: str) -> dict[str, Any] | None:
    """``{"customs": ..., "health": ...}`` of a document, if one is on file."""
    issuer, document_number = normal_document(document_number, issuer)
    body = connection.scalar(
        select(DECLARATIONS.c.body).where(
            DECLARATIONS.c.issuer == issuer, DECLARATIONS.c.document_number == document_number
        )
    )
    return dict(json.loads(body)) if body is not None else None


def look_up(connection: Connection, request: LookupRequest, names: Collection[str]) -> LookupAnswer:
    """Answer those look-ups in ``names`` (the site's policy), in the order of :data:`_LOOKUPS`."""
    return LookupAnswer(results=[ask(connection, request) for name, ask in _LOOKUPS.items() if name in names])


def _customs(connection: Connection, request: LookupRequest) -> LookupResult:
    declaration = declaration_of(connection, request.document_number, request.issuer)
    customs = declaration["customs"] if declaration else None
    is_hit = customs is not None and bool(customs["goods"] or not customs["is_nothing_to_declare"])
    detail = NONE_ON_FILE if customs is None else ", ".join(customs["goods"])
    return LookupResult(name="customs_declaration", is_hit=is_hit, role="customs", detail=detail)


def _health(connection: Connection, request: LookupRequest) -> LookupResult:
    declaration = declaration_of(connection, request.document_number, request.issuer)
    health = declaration["health"] if declaration else None
    is_hit = health is not None and bool(health["symptoms"])
    detail = NONE_ON_FILE if health is None else ", ".join(health["symptoms"])
    return LookupResult(name="health_declaration", is_hit=is_hit, role="quarantine", detail=detail)


_LOOKUPS = {"customs_declaration": _customs, "health_declaration": _health}
