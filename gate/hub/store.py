"""The hub's database: one engine, one writer at a time, every commit on disk before it counts."""

import json
import re
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    Executable,
    Result,
    Select,
    String,
    Table,
    Text,
    any_,
    bindparam,
    create_engine,
    event,
    func,
    select,
    text,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError

from gate.hub.audit import log as audit
from gate.hub.errors import HubError
from gate.hub.turns import Turn, take_turns

BUSY_TIMEOUT_MS = 5_000
_DO_NOTHING = "ON CONFLICT DO NOTHING"
CHECKPOINT_PAGES = 16_000
"""Some 64 MB: the default of 1 000 has every full batch written twice, and cases and indices again and again."""


class Store:
    """A database of the hub. SQLite (WAL, synchronous=FULL) or PostgreSQL by ``url``."""

    def __init__(self, url: str) -> None:
        """Raises HubError when ``url`` names no database that can be used."""
        try:
            parsed = make_url(url)
            if parsed.get_backend_name() == "sqlite" and parsed.database:
                Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
            self._engine = create_engine(parsed, pool_pre_ping=parsed.get_backend_name() != "sqlite")
        except (ArgumentError, NoSuchModuleError, ImportError, OSError) as error:
            raise HubError(
                f"the database {_without_password(url)!r} cannot be used ({error}): "
                "set hub.database_url to a sqlite:/// or postgresql+psycopg:// address"
            ) from None
        self._writer = threading.RLock()
        if self._engine.dialect.name == "sqlite":
            _prepare_sqlite(self._engine)

    @contextmanager
    def serialised(self) -> Iterator[None]:
        """Hold the pen over a commit and what must follow it in the same order (publishing numbered commands)."""
        with self._writer:
            yield

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that may write; committed and on disk when the block ends, rolled back when it raises."""
        with self._writer, self._engine.connect() as plain:
            connection = plain.execution_options(**{"is_write": True, audit.NOTED: []})
            with connection.begin():
                yield connection
                audit.append_noted(connection)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A consistent view of the last commit; does not wait for writers."""
        with self._engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """One view over many queries, however much is committed meanwhile."""
        with self._engine.connect() as plain:
            connection = plain.execution_options(isolation_level="REPEATABLE READ") if self.is_shared else plain
            with connection.begin():
                yield connection

    def migrate(self, to: str = "head") -> None:
        """Bring the tables up to date, or ``to`` an earlier release's. HubError when the database cannot be opened or is not the hub's."""
        from alembic import command
        from alembic.config import Config
        from alembic.util.exc import CommandError

        config = Config()
        config.set_main_option("script_location", str(resources.files("gate.hub") / "migrations"))
        config.set_main_option("path_separator", "os")
        try:
            with self.write() as connection:
                take_turns(connection, Turn.MIGRATION)
                config.attributes["connection"] = connection
                command.upgrade(config, to)
        except (DBAPIError, CommandError) as error:
            reason = str(error.orig) if isinstance(error, DBAPIError) else str(error)
            name = self._engine.url.render_as_string(hide_password=True)
            raise HubError(
                f"the hub's database {name} cannot be opened ({reason}): check its path, its permissions and that "
                "this version of the hub made it"
            ) from None

    @property
    def is_shared(self) -> bool:
        """Whether other processes may write to it at the same time."""
        return self._engine.dialect.name == "postgresql"

    def is_answering(self) -> bool:
        """Whether a trivial query works now."""
        try:
            with self.read() as connection:
                connection.execute(text("SELECT 1"))
        except DBAPIError:
            return False
        return True

    def close(self) -> None:
        """Give all connections back."""
        self._engine.dispose()


class Among:
    """A query of the rows in which ``column``, a text, is one of any number of values: one text of SQL, which is prepared once."""

    def __init__(self, query: Select[Any], column: ColumnElement[str]) -> None:
        listed = func.json_each(bindparam("wanted", type_=String)).table_valued("value")
        self._sqlite = query.where(column.in_(select(listed.c.value)))
        self._postgresql = query.where(column == any_(bindparam("wanted", type_=postgresql.ARRAY(String))))

    def find(self, connection: Connection, values: Iterable[str]) -> Result[Any]:
        """The rows that have one of ``values``."""
        wanted = sorted(values)
        if connection.dialect.name == "postgresql":
            return connection.execute(self._postgresql, {"wanted": wanted})
        return connection.execute(self._sqlite, {"wanted": json.dumps(wanted)})


def insert_new(
    connection: Connection, table: Table, rows: Sequence[dict[str, Any]], *, returning: str | None = None
) -> set[Any]:
    """Insert the rows whose key is not there yet; the values of ``returning``, the only primary key, of those that went in."""
    if not rows:
        return set()
    dialect = connection.dialect.name
    if dialect == "postgresql":
        names = tuple(rows[0])
        result = connection.exec_driver_sql(_insert_arrays(table, names, returning), _columns(table, names, rows))
        return set() if returning is None else set(result.scalars())
    # One writer has the whole of SQLite: asking first is exact, and costs a fraction of asking with each row.
    new = set() if returning is None else {row[returning] for row in rows}
    if returning is not None:
        new -= set(_held(table, returning).find(connection, new).scalars())
    names = tuple(rows[0])
    connection.exec_driver_sql(_insert_rows(table, names), [tuple(row.values()) for row in rows])
    return new


def upsert(connection: Connection, table: Table, row: dict[str, Any]) -> None:
    """Insert ``row``, which has every column, or replace the one with its primary key."""
    connection.execute(_upsert(connection.dialect.name, table), row)


def upsert_all(
    connection: Connection, table: Table, rows: Sequence[dict[str, Any]], *, changes: str | None = None
) -> None:
    """:func:`upsert` of many rows, no key twice and all with the same columns in the same order.

    ``changes``: what is set (SQL of both databases) where a row is there already; without it, all columns to what is given.
    """
    if not rows:
        return
    names = tuple(rows[0])
    on_conflict = _on_conflict(table, names, changes)
    if connection.dialect.name == "postgresql":
        statement = _insert_arrays(table, names, None, on_conflict)
        connection.exec_driver_sql(statement, _columns(table, names, rows))
    else:
        connection.exec_driver_sql(_insert_rows(table, names, on_conflict), [tuple(row.values()) for row in rows])


_PLAIN_WORDS = re.compile(r"[A-Za-z0-9_.:/-]+(,[A-Za-z0-9_.:/-]+)*")
_NUMBERS = frozenset({int, float, type(None)})


def _columns(table: Table, names: Sequence[str], rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """One array of PostgreSQL's a column. psycopg writes an array by a call for each value, so what is simple is written here."""
    columns: dict[str, Any] = {}
    for name in names:
        values = [row[name] for row in rows]
        columns[name] = values if isinstance(table.c[name].type, Text) else _array(values) or values
    return columns


def _array(values: Sequence[Any]) -> str | None:
    """PostgreSQL's text of an array (its manual, 8.15.6) of numbers or plain words; None when there is anything else in it."""
    if set(map(type, values)) <= _NUMBERS:
        return "{" + ",".join(["NULL" if value is None else repr(value) for value in values]) + "}"
    words = [value for value in values if value is not None]
    if not all(isinstance(word, str) for word in words) or not _PLAIN_WORDS.fullmatch(",".join(words)):
        return None
    return "{" + ",".join(["NULL" if value is None else f'"{value}"' for value in values]) + "}"


# Building a statement costs several times what running it does, so each is built once.
# Written out: SQLAlchemy's work on each row of many costs more than the database's.
@cache
def _insert_rows(table: Table, names: tuple[str, ...], on_conflict: str = _DO_NOTHING) -> str:
    listed = ", ".join(f'"{name}"' for name in names)
    marks = ", ".join("?" * len(names))
    return f"INSERT INTO {table.name} ({listed}) VALUES ({marks}) {on_conflict}"  # noqa: S608  names of our own schema


@cache
def _on_conflict(table: Table, names: tuple[str, ...], changes: str | None) -> str:
    keys = [column.name for column in table.primary_key]
    if changes is None:
        changes = ", ".join(f'"{name}" = excluded."{name}"' for name in names if name not in keys)
    return f"ON CONFLICT ({', '.join(keys)}) DO UPDATE SET {changes}"


@cache
def _held(table: Table, key: str) -> Among:
    return Among(select(table.c[key]), table.c[key])


@cache
def _insert_arrays(table: Table, names: tuple[str, ...], returning: str | None, on_conflict: str = _DO_NOTHING) -> str:
    """One array a column: the statement's text stays the same for any number of rows, so that it is prepared once."""
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
    listed = ", ".join(f'"{name}"' for name in names)
    # Long texts in the binary form: in the other, psycopg escapes every quotation mark of every body by a call of its own.
    forms = {name: "b" if isinstance(table.c[name].type, Text) else "s" for name in names}
    arrays = ", ".join(f"%({name}){forms[name]}::{table.c[name].type.compile(dialect)}[]" for name in names)
    # By key: two workers with the same events then wait for each other in line, not in a circle.
    order = ", ".join(f'"{column.name}"' for column in table.primary_key if column.name in names) or "1"
    parts = (
        f"INSERT INTO {table.name} ({listed})",
        f"SELECT * FROM unnest({arrays}) AS new({listed}) ORDER BY {order}",  # noqa: S608  names of our own schema
        on_conflict,
        "" if returning is None else f'RETURNING "{returning}"',
    )
    return " ".join(parts)


@cache
def _upsert(dialect: str, table: Table) -> Executable:
    statement = _insert(dialect, table)
    keys = [column.name for column in table.primary_key]
    changes = {column.name: statement.excluded[column.name] for column in table.columns if column.name not in keys}
    return statement.on_conflict_do_update(index_elements=keys, set_=changes)


def _insert(dialect: str, table: Table) -> sqlite.Insert | postgresql.Insert:
    return postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)


def _prepare_sqlite(engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def _on_connect(connection: Any, _record: Any) -> None:
        # The driver's own transaction handling begins too late; ours begins in _on_begin.
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute(f"PRAGMA wal_autocheckpoint={CHECKPOINT_PAGES}")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _on_begin(connection: Connection) -> None:
        # A transaction that reads first and writes later could fail half-way when another process wrote in between.
        is_write = connection.get_execution_options().get("is_write", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if is_write else "BEGIN")


def _without_password(url: str) -> str:
    try:
        return make_url(url).render_as_string(hide_password=True)
    except ArgumentError:
        return url
