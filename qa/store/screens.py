"""What the screens list: calls and seat episodes with their current run, and how many there are. It judges nothing."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal, get_args

from qa.store import pages
from qa.store.canon import loads, storable
from qa.store.errors import BadCursor
from qa.store.pages import Page
from qa.store.pool import Row, Tx

Stage = Literal["live", "ended", "recorded", "transcribed", "scored", "failed"]
Outcome = Literal["breach", "review", "met", "unknown", "clear"]
STAGES: tuple[str, ...] = get_args(Stage)
OUTCOMES: tuple[str, ...] = get_args(Outcome)
Kind = Literal["missed", "later", "orphan", "no_signalling", "no_media", "adopted", "unended"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedCall:
    """A call with the bytes of its current run's card and facts; None before it is scored."""

    id: str
    stage: Stage
    at: datetime
    agent: str | None
    seat: str | None
    queue: str | None
    direction: str | None
    offered_at: datetime | None
    ringing_at: datetime | None
    answered_at: datetime | None
    ended_at: datetime | None
    conclusion: str | None
    hung_up_by: str | None
    conversation: str | None
    orphan: str | None
    concluded: str | None
    transferred: bool
    folded: dict[str, Any]
    automatic: Decimal | None
    counted: Decimal | None
    assumed: bool | None
    unknown: int | None
    flagged: int
    card: bytes | None
    facts: bytes | None
    recorded: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedEpisode:
    """A seat episode with the bytes of its current run's card and what names that run."""

    id: str
    seat: str
    agent: str | None
    at: datetime
    until_at: datetime | None
    away_ms: int | None
    ready_ms: int | None
    status: str
    source: str
    card: bytes | None
    inputs: str | None
    seq: int | None
    made_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which calls to list; None asks nothing. ``text`` is a piece of the call's id, ``unassigned`` nobody's calls.

    ``kind``: rings that nobody took, later parts of conversations, what never came whole; audio that another call took
    (``adopted``) is listed only where it is asked for.
    """

    agent: str | None = None
    day: date | None = None
    text: str | None = None
    flagged: bool | None = None
    outcome: Outcome | None = None
    stage: Stage | None = None
    unassigned: bool | None = None
    kind: Kind | None = None


@dataclass(frozen=True, slots=True)
class Totals:
    """Calls by what became of them; a call may count under several names."""

    calls: int
    live: int
    scored: int
    flagged: int
    unknown: int
    assumed: int
    failed: int
    unassigned: int
    orphans: int
    episodes: int


@dataclass(frozen=True, slots=True)
class Used:
    """The regulation of the newest run, and what the site had decided over it."""

    pack: str
    version: str
    overlay: bytes


EVERY = Wanted()
MOST_EPISODES = 200
_CALL = tuple(one.name for one in fields(ListedCall))


async def newest(tx: Tx, only: Wanted = EVERY, after: str | None = None, limit: int = 50) -> Page[ListedCall]:
    """Newest first; ``after`` is the cursor of the page before."""
    limit = pages.bounded(limit)
    rows = await _listed(tx, only, after, limit + 1)
    return pages.page(rows, limit, lambda one: (one.at, one.id))


async def flagged_first(tx: Tx, only: Wanted = EVERY, after: str | None = None, limit: int = 50) -> Page[ListedCall]:
    """Those with a flag before all others, each part newest first; the cursor says in which part it stands."""
    limit = pages.bounded(limit)
    part, cursor = ("f", None) if after is None else (after[:1], after[1:] or None)
    if part not in ("f", "u"):
        raise BadCursor(BadCursor.__doc__)
    first = part == "f" and only.flagged is not False
    rows = await _listed(tx, _part(only, True), cursor, limit + 1) if first else []
    if len(rows) <= limit and only.flagged is not True:
        rest = None if part == "f" else cursor
        rows += await _listed(tx, _part(only, False), rest, limit + 1 - len(rows))
    found = pages.page(rows, limit, lambda one: (one.at, one.id))
    if found.next is None:
        return found
    return Page(found.items, ("f" if found.items[-1].flagged else "u") + found.next)


async def one(tx: Tx, id: str) -> ListedCall | None:
    """One call by its whole id."""
    row = await tx.one("screens.one", storable(id))
    return None if row is None else _call(row)


async def moved(tx: Tx, seconds: float) -> list[str]:
    """Calls with news in the past seconds, by the database's clock."""
    return [row["id"] for row in await tx.all("screens.moved", seconds)]


async def totals(tx: Tx) -> Totals:
    return Totals(**await tx.need("screens.totals", "the totals"))


async def agents(tx: Tx) -> list[str]:
    return [row["agent"] for row in await tx.all("screens.agents")]


async def used(tx: Tx) -> Used | None:
    """None before anything was scored."""
    row = await tx.one("screens.used")
    return None if row is None else Used(row["pack"], row["version"], row["overlay"])


async def episodes(tx: Tx) -> list[ListedEpisode]:
    """The newest ones, newest first."""
    return [ListedEpisode(**row) for row in await tx.all("screens.episodes", MOST_EPISODES)]


def _part(only: Wanted, flagged: bool) -> Wanted:
    return replace(only, flagged=flagged)


async def _listed(tx: Tx, only: Wanted, after: str | None, limit: int) -> list[ListedCall]:
    asked = (storable(only.agent), only.day, storable(only.text), only.flagged, only.outcome)
    rows = await tx.all("screens.newest", *asked, *pages.read(after), only.stage, limit, only.unassigned, only.kind)
    return [_call(row) for row in rows]


def _call(row: Row) -> ListedCall:
    return ListedCall(**{name: row[name] for name in _CALL if name != "folded"}, folded=loads(row["folded"]))
