"""``gate watchlist import|snapshot|query``: keep the list of a port, and ask it."""

import base64
import csv
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from sqlalchemy import Connection

    from gate.checks.watchlist.entry import WatchEntry
    from gate.checks.watchlist.search import Hit
    from gate.hub.store import Store
    from gate.hub.watchlist.shelf import WatchShelf

_Site = Annotated[Path, typer.Option("--site", help="The site file (TOML).", show_default=False)]
_Json = Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")]
Note = Callable[["Connection", dict[str, int]], None]
_PIECE = 10_000
_MOST_ERRORS = 1_000


def register(app: typer.Typer) -> None:
    """Add the group to the tree."""
    group = typer.Typer(no_args_is_help=True, help="The watchlist: documents, names, faces.")
    group.command("import")(import_)
    group.command("snapshot")(snapshot)
    group.command("query")(query)
    app.add_typer(group, name="watchlist")


def import_(
    files: Annotated[list[Path], typer.Argument(help="JSON lines (one entry a line) or CSV with a header.")],
    site: _Site,
    replace: Annotated[
        str | None, typer.Option("--replace", help="Take off this list what the files do not hold.", show_default=False)
    ] = None,
    by: Annotated[str, typer.Option("--by", help="Who orders it; kept in the audit log.")] = "operator",
    as_json: _Json = False,
) -> None:
    """Take entries in; what is wrong is named by file and line, the rest goes in. Exit code 1 if something was not taken."""
    from gate.checks.watchlist.entry import WatchEntry
    from gate.hub.watchlist.entries import put_entries, replace_list

    taken: dict[str, WatchEntry] = {}
    errors: list[dict[str, Any]] = []
    templates = _Templates()
    for path in files:
        for line, said in _lines(path):
            entry = _entry(said, path.parent, templates)
            if isinstance(entry, str):
                errors.append({"file": str(path), "line": line, "message": entry})
            else:
                taken[entry.id] = entry
    removed = 0
    with _opened(site, by) as (store, shelf, note):
        entries = list(taken.values())
        with store.write() as connection:
            if replace is not None:
                others = sorted({entry.list_name for entry in entries} - {replace})
                if others:
                    raise _refusal(f"--replace {replace} was given, but the files also hold the list {others[0]!r}")
                _, removed = replace_list(connection, replace, entries)
            else:
                for start in range(0, len(entries), _PIECE):
                    put_entries(connection, entries[start : start + _PIECE])
                    print(f"{min(start + _PIECE, len(entries))} of {len(entries)}", file=sys.stderr)
            note(connection, {"kept": len(entries), "removed": removed})
        shelf.tidy()
    if as_json:
        summary = {
            "entries": len(taken),
            "removed": removed,
            "errors": errors[:_MOST_ERRORS],
            "error_count": len(errors),
        }
        typer.echo(json.dumps(summary, ensure_ascii=False))
    else:
        for error in errors[:_MOST_ERRORS]:
            print(f"{error['file']}:{error['line']}: {error['message']}", file=sys.stderr)
        print(f"{len(taken)} entries taken, {removed} taken off, {len(errors)} lines refused", file=sys.stderr)
    raise typer.Exit(1 if errors else 0)


def snapshot(site: _Site, as_json: _Json = False) -> None:
    """Make the files anew from which lanes and hub search, with every change so far; the hub does so itself when much has changed."""
    with _opened(site, "operator") as (_, shelf, _note):
        count = shelf.rebuild()
        size = shelf.size_bytes
    if as_json:
        typer.echo(json.dumps({"entries": count, "bytes": size}))
    else:
        print(f"{count} entries, {size / 1e6:.1f} MB", file=sys.stderr)


def query(
    site: _Site,
    document: Annotated[str, typer.Option("--document", help="ISSUER:NUMBER, as UTO:L898902C.")] = "",
    name: Annotated[str, typer.Option("--name", help="SURNAME, GIVEN NAMES.")] = "",
    born: Annotated[str, typer.Option("--born", help="YYYY-MM-DD; YYYY-MM or YYYY if no more is known.")] = "",
    nationality: Annotated[str, typer.Option("--nationality", help="Code of Doc 9303.")] = "",
    face: Annotated[Path | None, typer.Option("--face", help="A picture with one face.", show_default=False)] = None,
    as_json: _Json = False,
) -> None:
    """Who of the list is meant? Exit code 1 when nobody is."""
    from gate.checks.watchlist.births import packed
    from gate.checks.watchlist.search import Question

    if not (document or name or face):
        raise _refusal("nothing is asked: give --document, --name or --face")
    if born and not packed(born):
        raise _refusal(f"{born!r} is no date of birth: write it as 1974-08-12, 1974-08 or 1974")
    issuer, _, number = document.rpartition(":")
    surname, _, given = name.partition(",")
    question = Question(
        document_number=number,
        issuer=issuer,
        surname=surname.strip(),
        given_names=given.strip(),
        birth_date=born,
        nationality=nationality.upper(),
    )
    with _opened(site, "operator") as (_, shelf, _note):
        hits = shelf.find(question) if document or name else []
        if face is not None:
            hits += _faces(shelf, site, face)
    if as_json:
        typer.echo(json.dumps({"hits": [_shown(hit) for hit in hits]}, ensure_ascii=False))
    else:
        for hit in hits:
            typer.echo(f"{hit.entry.id}  {hit.entry.list_name}: {hit.words}: {hit.entry.reason}")
        print(f"{len(hits)} hits", file=sys.stderr)
    raise typer.Exit(0 if hits else 1)


def _faces(shelf: "WatchShelf", site: Path, picture: Path) -> "list[Hit]":
    from config.loader import load_site
    from models.manifest import FACE_EMBEDDER
    from models.store import ModelStore

    threshold = load_site(site).watchlist.face_threshold
    if threshold is None:
        threshold = ModelStore().manifest.threshold(FACE_EMBEDDER, "careful")
    return shelf.find_face(_Templates()(picture), threshold)


class _Templates:
    """Templates of pictures; the models are loaded with the first."""

    def __init__(self) -> None:
        self._embed: Callable[[Path], NDArray[np.float32]] | None = None

    def __call__(self, picture: Path) -> "NDArray[np.float32]":
        """Float32 (128,) of length 1. GateError for a picture without a face, or none that can be read."""
        if self._embed is None:
            self._embed = self._load()
        return self._embed(picture)

    def _load(self) -> "Callable[[Path], NDArray[np.float32]]":
        from gate.cli.read import load_image
        from models.face import CarefulEmbedder, FaceDetector, FaceEmbedder
        from models.manifest import FACE_DETECTOR, FACE_EMBEDDER
        from models.session import ModelSession
        from models.store import ModelStore

        store = ModelStore()
        detector = FaceDetector(ModelSession(store, FACE_DETECTOR))
        embedder = CarefulEmbedder(detector, FaceEmbedder(ModelSession(store, FACE_EMBEDDER)))

        def embed(picture: Path) -> "NDArray[np.float32]":
            image = load_image(picture)
            faces = detector.detect(image)
            if not faces:
                raise _refusal(f"no face was found in {picture}: give a picture with one face, at least 80 pixels wide")
            return embedder.embed(image, faces[0])

        return embed


def _entry(said: object, folder: Path, templates: _Templates) -> "WatchEntry | str":
    """The entry, or what is wrong with it. ``picture`` names a file beside the list, of which the template is kept."""
    from gate.checks.watchlist.entry import EntryInvalid, WatchEntry
    from gate.errors import GateError

    if isinstance(said, str):
        return said
    if not isinstance(said, dict):
        return "the line is no JSON object"
    try:
        picture = said.pop("picture", None)
        if picture:
            template = templates(folder / str(picture)).astype("<f4")
            said["face"] = base64.b64encode(template.tobytes()).decode("ascii")
        return WatchEntry.from_json(said)
    except (EntryInvalid, GateError) as problem:
        return str(problem)


def _lines(path: Path) -> Iterator[tuple[int, object]]:
    """(line, what it says) of a file; a text instead where the line itself cannot be read."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            if path.suffix.lower() == ".csv":
                rows = csv.DictReader(file)
                for row in rows:
                    yield rows.line_num, _from_csv(row)
                return
            for line, text in enumerate(file, start=1):
                if text.strip():
                    try:
                        yield line, json.loads(text)
                    except ValueError as problem:
                        yield line, f"the line is no JSON ({problem})"
    except (OSError, UnicodeDecodeError, csv.Error) as problem:
        raise _refusal(f"{path} cannot be read ({problem}): give a file of JSON lines or CSV in UTF-8") from None


def _from_csv(row: dict[str | None, Any]) -> object:
    """An entry of the columns id, list, reason, roles, issuer, document_number, surname, given_names, birth_date, nationality, sex,
    valid_until, picture; several roles, dates or nationalities are separated by blanks.
    """
    if None in row:
        return "the line has more columns than the header"
    cells = {str(key).strip(): (value or "").strip() for key, value in row.items()}
    said: dict[str, Any] = {
        key: cells.pop(key, "") for key in ("id", "list", "reason", "sex", "valid_until", "picture")
    }
    said["roles"] = cells.pop("roles", "").split()
    said["birth_dates"] = cells.pop("birth_date", "").split()
    said["nationalities"] = cells.pop("nationality", "").split()
    issuer, number = cells.pop("issuer", ""), cells.pop("document_number", "")
    surname, given = cells.pop("surname", ""), cells.pop("given_names", "")
    if number:
        said["documents"] = [{"issuer": issuer, "number": number}]
    if surname:
        said["names"] = [{"surname": surname, "given_names": given}]
    if cells:
        return f"the column '{min(cells)}' is not known"
    return said


@contextmanager
def _opened(site_file: Path, by: str) -> "Iterator[tuple[Store, WatchShelf, Note]]":
    from config.loader import load_site
    from gate.core.clock import SystemClock
    from gate.hub.audit.log import AuditKind, Entry, note
    from gate.hub.service import database_url
    from gate.hub.store import Store
    from gate.hub.watchlist.shelf import WatchShelf
    from gate.wire.keyring import Keyring

    settings = load_site(site_file)
    clock = SystemClock()
    store = Store(database_url(settings))
    shelf = WatchShelf(
        store=store,
        folder=settings.state_dir / "watchlist",
        key=Keyring(settings.keys_dir).hub(),
        port=settings.port.id,
        clock=clock,
        max_age_s=settings.watchlist.max_age_s,
    )

    def noted(connection: "Connection", data: dict[str, int]) -> None:
        note(connection, Entry(at_ms=clock.utc_ms(), kind=AuditKind.WATCHLIST_CHANGED, who=by, data=data))

    try:
        store.migrate()
        yield store, shelf, noted
    finally:
        store.close()


def _refusal(words: str) -> Exception:
    from gate.errors import GateError

    return GateError(words)


def _shown(hit: "Hit") -> dict[str, Any]:
    return {
        "entry_id": hit.entry.id,
        "list": hit.entry.list_name,
        "how": hit.how.value,
        "likeness": hit.likeness,
        "why": hit.words,
        "reason": hit.entry.reason,
        "roles": list(hit.entry.roles),
    }
