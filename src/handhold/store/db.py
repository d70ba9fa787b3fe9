"""Connections, and moving columns in and out by COPY."""

import io
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from typing import Any

import polars as pl
import psycopg
from psycopg import sql
from psycopg.adapt import Dumper
from psycopg.rows import dict_row
from psycopg_pool import ConnectionPool, PoolTimeout

from handhold.store import packed, server
from handhold.store.connection import Connection
from handhold.store.errors import StoreError

Db = psycopg.Connection[Any]
Query = str
Params = dict[str, Any] | Sequence[Any] | None

NULL = "\x01\x1a"  # stands for null in CSV on the way out
TYPES = """
    select a.attname, format_type(a.atttypid, null), c.relpersistence = 't'
    from pg_attribute a join pg_class c on c.oid = a.attrelid where c.oid = to_regclass(%s) and a.attnum > 0"""
SOME = 2_000  # rows from which on a COPY is worth a thread
MANY = 2_000  # rows changed at once of which the planner should know
GROWN = 4  # ... where they are more than one in this many of those it knows
POOL_SIZE = 16
PATIENCE = 10.0  # seconds to wait for a connection
GONE = ("08", "57P", "58")  # SQLSTATE classes: connection lost, server stopped, system error
UNDONE = "what was not finished is undone"

_pools: dict[tuple[int, str], ConnectionPool[Db]] = {}
_chosen: list[str] = []


def use(dsn: str) -> None:
    """Work with this database from now on (tests, workers); without it the home's own is used."""
    _chosen[:] = [dsn]


def dsn() -> str:
    """The connection string in use; starts the server if need be."""
    if not _chosen:
        _chosen.append(server.ensure())
    return _chosen[0]


def connect(**options: Any) -> Db:
    """A connection of one's own, to be closed by the caller."""
    with _explained():
        db = Connection.connect(dsn(), **options)
        _prepared(db)
        return db


def _prepared(db: Db) -> None:
    """Moments come as UTC wherever the server lives; ids go as one word."""
    db.adapters.register_dumper(Ids, _IdsDumper)
    busy = not db.autocommit
    db.execute("set time zone 'UTC'")
    if busy:
        db.commit()


def _pool() -> ConnectionPool[Db]:
    key = (os.getpid(), dsn())  # a forked worker must not share its parent's sockets
    if key not in _pools:
        _pools[key] = ConnectionPool(
            key[1],
            connection_class=Connection,
            min_size=0,
            max_size=POOL_SIZE,
            open=True,
            timeout=PATIENCE,
            configure=_prepared,
            check=ConnectionPool.check_connection,  # the server may have been started anew since
        )
    return _pools[key]


def close() -> None:
    """Close this process's pooled connections."""
    for key in [key for key in _pools if key[0] == os.getpid()]:
        _pools.pop(key).close()
    _chosen.clear()


@contextmanager
def transaction() -> Iterator[Db]:
    """A pooled connection in a transaction: committed at the end, rolled back by any exception.

    Raises :class:`StoreError` when the server cannot be reached, goes away or has no room left.
    """
    with _explained():
        pool, db = _taken()
        try:
            with db.transaction():
                yield db
        finally:
            pool.putconn(db)


@contextmanager
def rehearsal(db: Db) -> Iterator[Callable[[], AbstractContextManager[Db]]]:
    """A maker of transactions that are none: each is a savepoint inside ``db``'s own, and at the end all is undone.

    One at a time, whatever thread asks. What a transaction's end would drop (temporary tables) is dropped at the end of each.
    """
    turn = threading.RLock()

    @contextmanager
    def pretended() -> Iterator[Db]:
        with turn, _explained(), db.transaction():
            yield db
            db.execute("discard temp")

    with db.transaction(force_rollback=True):
        yield pretended


def _taken() -> tuple[ConnectionPool[Db], Db]:
    """A live connection. A server of our own that stopped since is started again, once."""
    pool = _pool()
    try:
        return pool, pool.getconn()
    except PoolTimeout:
        close_to(pool)
        server.ensure()
        return (pool := _pool()), pool.getconn()


def close_to(pool: ConnectionPool[Db]) -> None:
    """Forget a pool whose connections lead nowhere."""
    for key in [key for key, known in _pools.items() if known is pool]:
        _pools.pop(key).close()


@contextmanager
def _explained() -> Iterator[None]:
    """What the machine does to the database, as one sentence; mistakes in a query stay as they are."""
    try:
        yield
    except psycopg.errors.DiskFull:
        raise StoreError(
            f"the disk of the database is full; free space and do the same again: {UNDONE}"
        ) from None
    except psycopg.OperationalError as error:
        if error.sqlstate and not error.sqlstate.startswith(GONE):
            raise
        raise StoreError(f"the database does not answer; do the same again: {UNDONE}") from None


def fetch(db: Db, query: Query, params: Params = None) -> list[dict[str, Any]]:
    """Rows as dictionaries."""
    with db.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query, params).fetchall()


def near(query: Query, column: str, children: Sequence[int] | None) -> Query:
    """``query``, whose text has a place ``{near}``, about these children alone (its parameter ``children``), or about all."""
    return query.replace("{near}", "" if children is None else f"and {column} = any(%(children)s)")


def frame(db: Db, query: Query, params: Params = None) -> pl.DataFrame:
    """The rows of a query as columns, moved by COPY. jsonb and arrays come as text, timestamptz as UTC.

    With sealed columns among them they are fetched as they are: as text, bytes would be twice as many.
    """
    text = _filled(db, query, params)
    described = db.execute(sql.SQL("select * from ({}) as q limit 0").format(text)).description or []
    columns = {column.name: _type(db, column.type_code) for column in described}
    if any(how == "bytea" for _, how in columns.values()):
        return _with_bytes(db, text, {name: kind for name, (kind, _) in columns.items()})
    quoted = [sql.Identifier(name) for name, (kind, how) in columns.items() if kind == pl.String or how]
    force = sql.SQL(", force_quote ({})").format(sql.SQL(", ").join(quoted)) if quoted else sql.SQL("")
    out_of = sql.SQL("copy ({}) to stdout (format csv, null {}{})").format(text, sql.Literal(NULL), force)
    data = io.BytesIO()
    with db.cursor().copy(out_of) as out:
        for piece in out:
            data.write(piece)
    if not data.tell():
        return pl.DataFrame(schema={name: kind for name, (kind, _) in columns.items()})
    data.seek(0)
    read = {name: pl.String if how else kind for name, (kind, how) in columns.items()}
    table = pl.read_csv(
        data,
        has_header=False,
        new_columns=list(read),
        schema=read,
        null_values=[NULL],
        empty_string_is_null=False,
    )
    return table.with_columns(_converted(name, how) for name, (_, how) in columns.items() if how)


def _with_bytes(db: Db, query: sql.SQL, columns: dict[str, Any]) -> pl.DataFrame:
    """Rows with bytes in them. What polars has no type for (jsonb, arrays, numeric) comes as in :func:`frame`."""
    cast = {pl.String: "::text", pl.Float64: "::float8"}
    wanted = [sql.Identifier(name) + sql.SQL(cast.get(kind, "")) for name, kind in columns.items()]
    told = sql.SQL("select {} from ({}) as q").format(sql.SQL(", ").join(wanted), query)
    with db.cursor(binary=True) as cursor:
        rows = cursor.execute(told).fetchall()
    values = zip(*rows, strict=True) if rows else ([] for _ in columns)
    return pl.DataFrame(
        [pl.Series(name, one, kind) for (name, kind), one in zip(columns.items(), values, strict=True)]
    )


def _filled(db: Db, query: Query, params: Params) -> sql.SQL:
    text = query if params is None else psycopg.ClientCursor(db).mogrify(query, _numbered(params))
    return sql.SQL(text.strip().rstrip(";"))


class Ids(list[int]):
    """Ids of which an array is written at once, not number by number."""


class _IdsDumper(Dumper):
    def dump(self, obj: Any) -> bytes:
        return b"{%s}" % ",".join(map(str, obj)).encode()

    def quote(self, obj: Any) -> bytes:
        return b"'%s'::bigint[]" % self.dump(obj)


def _numbered(params: dict[str, Any] | Sequence[Any]) -> Any:
    def wrapped(value: Any) -> Any:
        of_numbers = type(value) is list and value and all(type(one) is int for one in value)
        return Ids(value) if of_numbers else value

    if isinstance(params, dict):
        return {name: wrapped(value) for name, value in params.items()}
    return [wrapped(value) for value in params]


def _type(db: Db, oid: int) -> tuple[Any, str | None]:
    """Polars type of a column, and how to get there from text where CSV does not lead there by itself."""
    known = db.adapters.types.get(oid)
    name = known.name if known and known.oid == oid else "text"  # an array's oid finds its element's type
    return {
        "int8": (pl.Int64, None),
        "int4": (pl.Int32, None),
        "int2": (pl.Int16, None),
        "float8": (pl.Float64, None),
        "float4": (pl.Float32, None),
        "numeric": (pl.Float64, None),
        "bool": (pl.Boolean, "bool"),
        "date": (pl.Date, "date"),
        "timestamptz": (pl.Datetime("us", "UTC"), "timestamptz"),
        "bytea": (pl.Binary, "bytea"),
    }.get(name, (pl.String, None))


def _converted(name: str, how: str) -> pl.Expr:
    text = pl.col(name)
    if how == "bool":
        return text == "t"
    if how == "bytea":
        return text.str.slice(2).str.decode("hex")
    if how == "date":
        return text.str.to_date("%Y-%m-%d")
    return text.str.to_datetime("%Y-%m-%d %H:%M:%S%.f%#z", time_unit="us", time_zone="UTC")


def copy_in(db: Db, table: str, rows: pl.DataFrame, columns: Sequence[str] | None = None) -> int:
    """Put rows into ``table`` by COPY; the frame's columns (or those named) go to the table's of the same name.

    Many rows go in behind the caller's back, see :class:`Connection`.
    """
    rows = rows.select(columns) if columns else rows
    if not len(rows):
        return 0
    if len(rows) < SOME or not isinstance(db, Connection):
        with db.cursor() as cursor:
            _copied(cursor, table, rows)
    else:
        db.behind(partial(_copied, table=table, rows=rows))
    return len(rows)


def _copied(cursor: psycopg.Cursor[Any], table: str, rows: pl.DataFrame) -> None:
    kinds = _types(cursor, table)
    names = sql.SQL(", ").join(sql.Identifier(name) for name in rows.columns)
    into = sql.SQL("copy {} ({}) from stdin (format binary)").format(_table(table), names)
    with cursor.copy(into) as copy:
        for piece in packed.pieces(rows, {name: kinds[name] for name in rows.columns}):
            copy.write(piece)
    tell_planner(cursor, table, len(rows))


def _types(cursor: psycopg.Cursor[Any], table: str) -> dict[str, str]:
    """The type of each column; asked once a connection, but for temporary tables, of which the next may have other columns."""
    db = cursor.connection
    known: dict[str, dict[str, str]] = db.types if isinstance(db, Connection) else {}
    if table in known:
        return known[table]
    rows = cursor.execute(TYPES, [table]).fetchall()
    types = {name: kind for name, kind, _ in rows}
    if not any(temporary for _, _, temporary in rows):
        known[table] = types
    return types


def tell_planner(db: Db | psycopg.Cursor[Any], table: str, changed: int) -> None:
    """Let the planner look at a table of which many rows are new or changed. By itself it does so a minute later, and until then plans
    for an empty table: a join of a nation row by row takes hours."""
    if changed < MANY:
        return
    known: Any = db.execute(
        "select coalesce(max(reltuples), 0) from pg_class where oid = to_regclass(%s)", [table]
    ).fetchone()
    if changed * GROWN > known[0]:
        db.execute(sql.SQL("analyze (skip_locked) {}").format(_table(table)))


def _table(name: str) -> sql.Composable:
    return sql.SQL(".").join(sql.Identifier(part) for part in name.split("."))


def upsert(
    db: Db, table: str, rows: pl.DataFrame, key: Sequence[str], update: Sequence[str] | None = None
) -> int:
    """Insert rows; where ``key`` is there already, update the columns of ``update`` (default: all others; ``[]``: none).

    Returns how many rows were inserted or updated.
    """
    if not len(rows):
        return 0
    staged = "staged_" + table.replace(".", "_")
    names = [sql.Identifier(name) for name in rows.columns]
    db.execute(
        sql.SQL("create temp table {} on commit drop as select {} from {} with no data").format(
            sql.Identifier(staged), sql.SQL(", ").join(names), _table(table)
        )
    )
    copy_in(db, staged, rows)
    done = db.execute(
        sql.SQL("insert into {} ({}) select {} from {} on conflict ({}) do {}").format(
            _table(table),
            sql.SQL(", ").join(names),
            sql.SQL(", ").join(names),
            sql.Identifier(staged),
            sql.SQL(", ").join(map(sql.Identifier, key)),
            _on_conflict(rows.columns, key, update),
        )
    )
    db.execute(sql.SQL("drop table {}").format(sql.Identifier(staged)))
    tell_planner(db, table, done.rowcount)
    return done.rowcount


def _on_conflict(columns: Sequence[str], key: Sequence[str], update: Sequence[str] | None) -> sql.Composable:
    changed = [c for c in columns if c not in key] if update is None else list(update)
    if not changed:
        return sql.SQL("nothing")
    return sql.SQL("update set ") + sql.SQL(", ").join(
        sql.SQL("{0} = excluded.{0}").format(sql.Identifier(c)) for c in changed
    )


def lock(db: Db, name: str) -> None:
    """Wait until this transaction alone holds ``name``; it is let go at its end."""
    db.execute("select pg_advisory_xact_lock(hashtextextended(%s, 0))", [name])


def share(db: Db, name: str) -> None:
    """Hold ``name`` together with others until this transaction ends; whoever wants it alone (:func:`lock`) waits."""
    db.execute("select pg_advisory_xact_lock_shared(hashtextextended(%s, 0))", [name])


def lock_within(db: Db, name: str, seconds: float) -> bool:
    """Like :func:`lock`, but give up after a while; whether it is held now."""
    try:
        with db.transaction():
            db.execute("select set_config('lock_timeout', %s, true)", [f"{int(seconds * 1000)}ms"])
            lock(db, name)
            db.execute("select set_config('lock_timeout', '0', true)")
    except psycopg.errors.LockNotAvailable:
        return False
    return True


def put_setting(db: Db, key: str, value: Any) -> None:
    """Remember a setting of this deployment."""
    db.execute(
        "insert into store_setting (key, value) values (%s, to_jsonb(%s)) on conflict (key) do update set value = excluded.value",
        [key, value],
    )


def setting(db: Db, key: str) -> Any:
    """A setting of this deployment, or ``None``."""
    return setting_later(db, key)()


def setting_later(db: Db, key: str) -> Callable[[], Any]:
    """Ask for a setting; call what is returned to read the answer. In a pipeline all that was asked takes one round trip."""
    asked = db.execute("select value from store_setting where key = %s", [key])

    def read() -> Any:
        row = asked.fetchone()
        return row[0] if row else None

    return read
