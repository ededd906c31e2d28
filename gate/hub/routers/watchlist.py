"""The watchlist: kept by officers who may, asked by officers who may, fetched by lanes."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Response
from fastapi.responses import FileResponse, PlainTextResponse
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Connection

from gate.checks.watchlist.entry import EntryInvalid, WatchEntry, normal_document
from gate.checks.watchlist.search import Hit, Question
from gate.hub.accounts import SUPERVISOR, Officer
from gate.hub.audit.log import AuditKind, Entry, note
from gate.hub.problems import Problem
from gate.hub.routers.access import HubIn, LaneIn, OfficerIn, need_role
from gate.hub.routers.answers import Answer, WatchlistOut
from gate.hub.service import Hub
from gate.hub.watchlist.entries import put_entries, remove_entries, replace_list

router = APIRouter(tags=["watchlist"])
LIST_OF_DOCUMENTS = "documents"
KEEPERS = ("border", SUPERVISOR)
Number = Annotated[str, Field(min_length=1, max_length=32, pattern=r"[A-Za-z0-9]")]
Issuer = Annotated[str, Field(min_length=1, max_length=3, pattern=r"^[A-Za-z<]{1,3}$")]
Digest = Annotated[str, Path(pattern=r"^[0-9a-f]{64}$")]
EntryId = Annotated[str, Path(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:-]{0,95}$")]

_BYTES: dict[int | str, dict[str, Any]] = {
    200: {"content": {"*/*": {"schema": {"type": "string", "format": "binary"}}}, "description": "The bytes"}
}


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class WatchlistEntryIn(_Body):
    document_number: Number
    issuer: Issuer
    reason: str = Field(max_length=500)


class WatchlistIn(_Body):
    entries: list[WatchlistEntryIn] = Field(max_length=100_000)


class EntriesIn(_Body):
    entries: list[dict[str, Any]] = Field(max_length=10_000)


class EntryErrorOut(Answer):
    """``line`` counts the entries of the request from 1."""

    line: int
    message: str


class EntriesOut(Answer):
    entries: int
    errors: list[EntryErrorOut]


class QuestionIn(_Body):
    """What is left out is not asked about."""

    document_number: str = Field(default="", max_length=32)
    issuer: str = Field(default="", max_length=3)
    surname: str = Field(default="", max_length=200)
    given_names: str = Field(default="", max_length=200)
    birth_date: str = Field(default="", max_length=10)
    nationality: str = Field(default="", max_length=3)
    sex: str = Field(default="", max_length=1)


class HitOut(Answer):
    entry_id: str
    list_name: str
    how: str
    likeness: float
    why: str
    reason: str
    roles: list[str]


class HitsOut(Answer):
    hits: list[HitOut]


@router.put("/watchlist", response_model=WatchlistOut)
def put_watchlist(hub: HubIn, officer: OfficerIn, body: WatchlistIn) -> dict[str, Any]:
    """Replace the list of document numbers."""
    need_role(officer, *KEEPERS)
    entries = {}
    for item in body.entries:
        document = normal_document(item.document_number, item.issuer)
        entry_id = f"{LIST_OF_DOCUMENTS}:{document.issuer}:{document.number}"
        said = {
            "id": entry_id,
            "list": LIST_OF_DOCUMENTS,
            "reason": item.reason.strip() or "listed",
            "documents": [{"issuer": document.issuer, "number": document.number}],
        }
        try:
            entries[entry_id] = WatchEntry.from_json(said)
        except EntryInvalid as problem:
            raise Problem(422, "invalid", f"document {item.document_number}: {problem}") from None
    with hub.store.write() as connection:
        count, _ = replace_list(connection, LIST_OF_DOCUMENTS, list(entries.values()))
        _note(hub, officer, connection, AuditKind.WATCHLIST_REPLACED, {"entries": count})
    hub.watchlist.tidy()
    return {"entries": count}


@router.post("/watchlist/entries", response_model=EntriesOut)
def post_entries(hub: HubIn, officer: OfficerIn, body: EntriesIn) -> dict[str, Any]:
    """Keep these entries; one with a known id takes its place. What is wrong is named by its line, the rest goes in."""
    need_role(officer, *KEEPERS)
    kept: list[WatchEntry] = []
    errors = []
    for line, said in enumerate(body.entries, start=1):
        try:
            kept.append(WatchEntry.from_json(said))
        except EntryInvalid as problem:
            errors.append({"line": line, "message": str(problem)})
    if kept:
        with hub.store.write() as connection:
            put_entries(connection, kept)
            _note(hub, officer, connection, AuditKind.WATCHLIST_CHANGED, {"kept": len(kept)})
        hub.watchlist.tidy()
    return {"entries": len(kept), "errors": errors}


@router.delete("/watchlist/entries/{entry_id}", status_code=204)
def delete_entry(hub: HubIn, officer: OfficerIn, entry_id: EntryId) -> Response:
    """Take an entry off the list, at once."""
    need_role(officer, *KEEPERS)
    with hub.store.write() as connection:
        gone = remove_entries(connection, [entry_id])
        if gone:
            _note(hub, officer, connection, AuditKind.WATCHLIST_CHANGED, {"removed": 1})
    if not gone:
        raise Problem(404, "not_found", "no such entry is on the list")
    return Response(status_code=204)


@router.post("/watchlist/query", response_model=HitsOut)
def query(hub: HubIn, officer: OfficerIn, body: QuestionIn) -> dict[str, Any]:
    """Who of the list is meant. An officer is shown the hits that one of their roles may know."""
    need_role(officer, *KEEPERS)
    hits = hub.watchlist.find(Question(**body.model_dump()))
    hub.record(AuditKind.WATCHLIST_ASKED, who=officer.user, case_id=None, data={"hits": len(hits)})
    return {"hits": [_shown(hit) for hit in hits if SUPERVISOR in officer.roles or officer.has_any(*hit.entry.roles)]}


@router.get("/lane/watchlist", response_class=PlainTextResponse)
def get_statement(hub: HubIn, _lane: LaneIn) -> PlainTextResponse:
    """What the list is now, signed (compact JWS); the files that it names are fetched by their SHA-256."""
    return PlainTextResponse(hub.watchlist.statement(), headers={"Cache-Control": "no-store"})


@router.get("/lane/watchlist/parts/{sha256}", response_class=Response, responses=_BYTES)
def get_part(hub: HubIn, _lane: LaneIn, sha256: Digest) -> Response:
    """A file of the list. 404 when it is of a list that is gone: ask what the list is now."""
    path = hub.watchlist.part(sha256)
    if path is None:
        raise Problem(404, "not_found", "no such part: ask what the list is now")
    return FileResponse(path, media_type="application/octet-stream")


def _note(hub: Hub, officer: Officer, connection: Connection, kind: AuditKind, data: dict[str, Any]) -> None:
    note(connection, Entry(at_ms=hub.clock.utc_ms(), kind=kind, who=officer.user, data=data))


def _shown(hit: Hit) -> dict[str, Any]:
    return {
        "entry_id": hit.entry.id,
        "list_name": hit.entry.list_name,
        "how": hit.how.value,
        "likeness": hit.likeness,
        "why": hit.words,
        "reason": hit.entry.reason,
        "roles": list(hit.entry.roles),
    }
