"""The one door to what was said: nothing of a call leaves before its row in the access log stands.

The door writes the row and commits, and only then reads; when the row cannot be written, nothing is read. Machines at
work (transcribing, scoring) do not come through here; people and everything that serves them do.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID, uuid4

from qa.store import calls, pages, recordings, runs, transcripts
from qa.store.canon import storable
from qa.store.pages import Page
from qa.store.pool import Store, Tx

What = Literal["audio", "transcript", "card", "export"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Purpose:
    """Why a call is opened, from where, and how much of it; all of it stands in the log."""

    why: str
    place: str
    what: What = "transcript"
    from_ms: int | None = None
    to_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Opened:
    """What lies behind the door; ``log`` is the row that let it out."""

    log: UUID
    call: calls.Call
    recordings: tuple[recordings.Recording, ...]
    transcripts: tuple[transcripts.Transcript, ...]
    run: runs.Run | None


@dataclass(frozen=True, slots=True)
class Look:
    """One row of the access log."""

    id: UUID
    at: datetime
    actor: str
    place: str
    call: str
    person: str | None
    what: str
    purpose: str
    from_ms: int | None
    to_ms: int | None


async def open_call(store: Store, site: str, actor: str, call: str, purpose: Purpose) -> Opened:
    """Log, commit, then read. NotFound for a call of another site, without a row; any error hands out nothing."""
    async with store.site(site, actor) as tx:
        agent = (await calls.get(tx, call)).agent
        log = uuid4()
        said = (storable(purpose.place), storable(call), agent, purpose.what, storable(purpose.why))
        await tx.run("access.note", log, *said, purpose.from_ms, purpose.to_ms)
    async with store.site(site, actor) as tx:
        return Opened(
            log,
            await calls.get(tx, call),
            tuple(await recordings.of_call(tx, call)),
            tuple(await transcripts.of_call(tx, call)),
            await runs.current(tx, f"call:{call}"),
        )


async def of_call(tx: Tx, call: str, limit: int = 100) -> list[Look]:
    """Who looked at it, newest first."""
    return [Look(**row) for row in await tx.all("access.of_call", storable(call), limit)]


async def page(tx: Tx, after: str | None = None, limit: int = 50) -> Page[Look]:
    """Who looked at what, newest first."""
    limit = pages.bounded(limit)
    rows = await tx.all("access.page", *pages.read(after), limit + 1)
    return pages.page([Look(**row) for row in rows], limit, lambda one: (one.at, str(one.id)))
