"""What a schema holds, compared with what `schema.sql` makes: a version number alone is not believed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache

from chartinsightd.adapters.postgres.connection import Connection
from chartinsightd.resources import schema_sql

_TABLE = re.compile(r"^create table if not exists (\w+) \((.*?)^\)", re.MULTILINE | re.DOTALL)
_VIEW = re.compile(r"^create (?:or replace )?view (\w+)(?: \(([^)]*)\))?", re.MULTILINE)
_COLUMN = re.compile(r"^    (\w+) (\w+(?:\[\])?)", re.MULTILINE)
_LATER_COLUMN = re.compile(r"^alter table (\w+) add column if not exists (\w+) (\w+(?:\[\])?)", re.MULTILINE)
_KEY = re.compile(r"^    primary key \(([^)]*)\)|^    (\w+) [^\n]* primary key", re.MULTILINE)
_TYPES = {"timestamptz": "timestamp with time zone", "double": "double precision"}
_NO_COLUMN = frozenset({"primary", "check", "unique", "constraint"})

Shape = Mapping[str, Mapping[str, str]]
"""By relation, the type of each column: of a view's the empty text, since its tables give the type.

A view that is written without its columns has none here; the columns of a primary key stand under `KEY`."""

KEY = "primary key"


@cache
def expected() -> Shape:
    """Return the relations that `schema.sql` makes, all blocks together."""
    text = schema_sql()
    found: dict[str, dict[str, str]] = {}
    for name, body in _TABLE.findall(text):
        columns = ((column, kind) for column, kind in _COLUMN.findall(body) if column not in _NO_COLUMN)
        found.setdefault(name, {}).update((column, _TYPES.get(kind, kind)) for column, kind in columns)
        if key := _KEY.search(body):
            found[name][KEY] = key[1] or key[2]
    for name, column, kind in _LATER_COLUMN.findall(text):
        found[name][column] = _TYPES.get(kind, kind)
    for name, columns in _VIEW.findall(text):
        found[name] = {column.strip(): "" for column in columns.split(",") if column}
    return found


async def present(connection: Connection, schema: str) -> Shape:
    """Return the tables and views of a schema, of anybody; of a view the columns without their types."""
    rows = await connection.fetch(_PRESENT, schema)
    found: dict[str, dict[str, str]] = {}
    for relation, kind, column, type_name in rows:
        found.setdefault(relation, {})[column] = "" if kind == b"v" else type_name
    return found


def lacking(there: Shape) -> list[str]:
    """Return what a schema lacks or has otherwise: `table seals`, `column seals.checked_at`."""
    return [word for name, columns in expected().items() for word in _lacking(name, columns, there.get(name))]


def lacking_keys(there: Shape) -> dict[str, str]:
    """Return the columns of each primary key that is not there, by table."""
    return {
        name: columns[KEY]
        for name, columns in expected().items()
        if KEY in columns and there.get(name, {}).get(KEY) != columns[KEY]
    }


def _lacking(name: str, columns: Mapping[str, str], there: Mapping[str, str] | None) -> Iterable[str]:
    if there is None:
        yield f"table {name}"
        return
    for column, kind in columns.items():
        if there.get(column) != kind:
            yield f"{KEY} {name} ({kind})" if column == KEY else f"column {name}.{column}"


def foreign(there: Shape) -> list[str]:
    """Return relations that bear a name of ours and are somebody else's, where no store was made yet.

    Ours are recognised by the history of versions, which every store has from its first block on.
    """
    history = {column: kind for column, kind in expected()["schema_version"].items() if column != KEY}
    if all(there.get("schema_version", {}).get(column) == kind for column, kind in history.items()):
        return []
    return sorted(there.keys() & expected().keys())


_PRESENT = f"""
select c.relname, c.relkind, a.attname, format_type(a.atttypid, null)
from pg_class c join pg_attribute a on a.attrelid = c.oid
where c.relnamespace = to_regnamespace($1) and c.relkind in ('r', 'p', 'v', 'm', 'f')
  and not c.relispartition and a.attnum > 0 and not a.attisdropped
union all
select c.relname, c.relkind, '{KEY}', string_agg(a.attname, ', ' order by array_position(k.conkey, a.attnum))
from pg_constraint k join pg_class c on c.oid = k.conrelid
join pg_attribute a on a.attrelid = c.oid and a.attnum = any(k.conkey)
where c.relnamespace = to_regnamespace($1) and k.contype = 'p' and not c.relispartition
group by c.relname, c.relkind
"""
