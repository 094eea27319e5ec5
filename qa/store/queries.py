"""Named SQL: reads the ``*.sql`` files beside this module. A query is ``noun.verb``; each has one line of purpose."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType

_HEAD = re.compile(r"^-- (?P<verb>[a-z_]+): (?P<purpose>\S.*)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Query:
    """One statement, its purpose and where it stands."""

    name: str
    purpose: str
    sql: str
    place: str


def parse(noun: str, text: str) -> list[Query]:
    """The queries of one file; a file is a list of headed statements and nothing else."""
    heads = list(_HEAD.finditer(text))
    if not heads or text[: heads[0].start()].strip():
        raise ValueError(f"{noun}.sql: begins without a head; write `-- verb: purpose` above each statement")
    found = []
    for head, after in zip(heads, [*heads[1:], None], strict=True):
        sql = text[head.end() : after.start() if after else len(text)].strip().rstrip(";")
        line = text.count("\n", 0, head.start()) + 1
        if not sql:
            raise ValueError(f"{noun}.sql:{line}: {head['verb']} has no statement; write one or remove the head")
        found.append(Query(f"{noun}.{head['verb']}", head["purpose"], sql, f"{noun}.sql:{line}"))
    return found


@cache
def all_queries() -> Mapping[str, Query]:
    """Every named query of the store, read once."""
    found: dict[str, Query] = {}
    for path in sorted(Path(__file__).parent.glob("*.sql")):
        for query in parse(path.stem, path.read_text(encoding="utf-8")):
            if query.name in found:
                raise ValueError(f"{query.place}: {query.name} stands already at {found[query.name].place}; rename one")
            found[query.name] = query
    return MappingProxyType(found)


def sql(name: str) -> str:
    """The statement of that name."""
    return all_queries()[name].sql
