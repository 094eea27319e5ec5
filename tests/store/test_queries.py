"""Named SQL: each query is prepared once against the migrated schema, and each file says what it is for."""

from __future__ import annotations

import ast
from pathlib import Path

import asyncpg
import pytest

import qa.store
from qa.store.queries import all_queries, parse

FOLDER = Path(qa.store.__file__).parent


async def test_every_named_query_is_understood_by_the_migrated_schema(module_dsn: str) -> None:
    conn = await asyncpg.connect(module_dsn)
    for query in all_queries().values():
        try:
            await conn.prepare(query.sql)
        except asyncpg.PostgresError as error:
            pytest.fail(f"{query.place}: {query.name}: {error}")
    await conn.close()


def test_every_named_query_is_used() -> None:
    used = {
        node.value
        for path in FOLDER.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    } | {"ledger.add_run", "ledger.add_entry"}

    assert set(all_queries()) - used == set()


def test_every_purpose_is_a_sentence() -> None:
    for query in all_queries().values():
        assert query.purpose[0].isupper() and query.purpose.endswith((".", "…")), query.place


@pytest.mark.parametrize("text", ["SELECT 1", "SELECT 1;\n-- one: One.\nSELECT 1", "-- one: One.\n"])
def test_a_file_that_is_no_list_of_headed_statements_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"noun\.sql"):
        parse("noun", text)


RUNS_SQL = {"execute", "fetch", "fetchrow", "fetchval", "executemany"}


def test_no_sql_is_built_from_text_but_where_names_cannot_be_parameters() -> None:
    allowed = {"backup.py", "postgres.py", "queue.py"}  # table names from the catalogue, roles and notes of our own
    for path in FOLDER.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            match node:
                case ast.Call(func=ast.Attribute(attr=attr), args=[first, *_]) if attr in RUNS_SQL:
                    built = isinstance(first, ast.JoinedStr | ast.BinOp)
                    assert not built or path.name in allowed, f"{path.name}:{node.lineno}"
