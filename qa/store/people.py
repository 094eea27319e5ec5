"""People of a site and the roles that they hold. What a role may do is decided elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID, uuid4

from qa.store.canon import storable
from qa.store.pool import Row, Tx


class Role(StrEnum):
    """What a person may be."""

    AGENT = "agent"
    SUPERVISOR = "supervisor"
    REVIEWER = "reviewer"
    ASSESSOR = "assessor"
    HANDLER = "handler"
    OWNER = "owner"
    AUDITOR = "auditor"
    ADMIN = "admin"
    SOURCE = "source"


@dataclass(frozen=True, slots=True)
class Held:
    """A role, at the whole site (team '') or in one team."""

    role: Role
    team: str = ""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody of the site; ``agent`` is the code by which events name them."""

    id: UUID
    name: str
    login: str | None
    agent: str | None
    left_at: datetime | None
    roles: tuple[Held, ...]


async def add(
    tx: Tx, name: str, *, login: str | None = None, agent: str | None = None, roles: tuple[Held, ...] = ()
) -> UUID:
    """Enter a person; a login or agent code that somebody holds is a Conflict."""
    id = uuid4()
    await tx.run("people.add", id, storable(name), storable(login), storable(agent))
    for one in roles:
        await give(tx, id, one)
    return id


async def give(tx: Tx, person: UUID, held: Held) -> None:
    await tx.run("people.give", person, held.role, storable(held.team))


async def take(tx: Tx, person: UUID, held: Held) -> None:
    await tx.run("people.take", person, held.role, storable(held.team))


async def change(tx: Tx, person: UUID, name: str, login: str | None, agent: str | None) -> None:
    """They are called otherwise from now on; a login or agent code that somebody else holds is a Conflict."""
    await tx.run("people.change", person, storable(name), storable(login), storable(agent))


async def leave(tx: Tx, person: UUID) -> None:
    """They can act no more; what they did stays."""
    await tx.run("people.leave", person)


async def everybody(tx: Tx) -> list[Person]:
    return [_person(row) for row in await tx.all("people.all")]


async def by_login(tx: Tx, login: str) -> Person | None:
    row = await tx.one("people.by_login", storable(login))
    return None if row is None else _person(row)


def _person(row: Row) -> Person:
    held = (one.partition("/") for one in row["roles"])
    roles = tuple(Held(Role(role), team) for role, _, team in held)
    return Person(row["id"], row["name"], row["login"], row["agent"], row["left_at"], roles)
