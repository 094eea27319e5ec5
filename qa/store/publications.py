"""Which pack a site has published, from which day on, by whom: a list that is only added to, and the packs themselves.

A publication in the shadow gives no points until a person promotes it. What holds on a day is for the reader to say.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from qa.store import choices, packs
from qa.store.errors import Conflict, NotFound, PeriodClosed
from qa.store.pool import Tx

KEY = "packs"


@dataclass(frozen=True, slots=True)
class Publication:
    """One decision; ``n`` counts them from 1. ``promotes``: the number of the shadow that it ends."""

    n: int
    sha: str
    id: str
    version: str
    since: date
    shadow: bool
    by: str
    at: datetime
    promotes: int | None = None

    def plain(self) -> dict[str, Any]:
        return {
            "n": self.n, "sha": self.sha, "id": self.id, "version": self.version, "since": self.since.isoformat(),
            "shadow": self.shadow, "by": self.by, "at": self.at.isoformat(), "promotes": self.promotes,
        }  # fmt: skip


def _of(row: dict[str, Any]) -> Publication:
    days = {"since": date.fromisoformat(row["since"]), "at": datetime.fromisoformat(row["at"])}
    return Publication(**{**row, **days})


async def every(tx: Tx) -> tuple[Publication, ...]:
    """All of them, in the order they were made."""
    return tuple(_of(row) for row in await choices.get(tx, KEY, []))


async def publish(tx: Tx, pack: packs.Pack, since: date, *, shadow: bool, at: datetime) -> Publication:
    """Keep the pack and the decision; a version that was published never gets other content."""
    await tx.run("packs.publish_lock")
    stands = await every(tx)
    for one in stands:
        if (one.id, one.version) == (pack.id, pack.version) and one.sha != pack.sha:
            raise Conflict(f"pack {pack.id} {pack.version}: published already with other content; raise its version")
    if not shadow:
        await _open(tx, since)
    await packs.put(tx, pack)
    return await _add(tx, stands, pack, since, shadow, at, None)


async def promote(tx: Tx, id: str, since: date, *, at: datetime) -> Publication:
    """The newest shadow of that pack scores from a day on."""
    await tx.run("packs.publish_lock")
    stands = await every(tx)
    found = [one for one in shadows(stands) if one.id == id]
    if not found:
        raise NotFound(f"pack {id}: none of this name runs in the shadow; `seatwatch packs list` shows what does")
    await _open(tx, since)
    return await _add(tx, stands, await packs.get(tx, found[-1].sha), since, False, at, found[-1].n)


def shadows(stands: tuple[Publication, ...]) -> tuple[Publication, ...]:
    """Those in the shadow that no later decision about the same pack has ended."""
    later = {one.id: one.n for one in stands}  # the last decision about each pack
    return tuple(one for one in stands if one.shadow and later[one.id] == one.n)


async def _open(tx: Tx, since: date) -> None:
    closed: date | None = await tx.value("packs.closed_until")
    if closed is not None and since <= closed:
        raise PeriodClosed(f"{since}: that month is closed; publish from a day after {closed}")


async def _add(
    tx: Tx, stands: tuple[Publication, ...], pack: packs.Pack, since: date, shadow: bool, at: datetime,
    promotes: int | None,
) -> Publication:  # fmt: skip
    when = at.astimezone(UTC)
    one = Publication(len(stands) + 1, pack.sha, pack.id, pack.version, since, shadow, tx.actor, when, promotes)
    await choices.put(tx, KEY, [each.plain() for each in (*stands, one)])
    return one


async def scored_since(tx: Tx, since: date, after: int, limit: int) -> list[tuple[int, str, str]]:
    """Calls and absences from a day on: number of the run that counts, subject, and fingerprint of its pack."""
    rows = await tx.all("packs.scored_since", since, after, limit)
    return [(row["seq"], row["subject"], row["pack_sha"]) for row in rows]
