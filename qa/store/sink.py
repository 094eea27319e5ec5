"""The tailer's sink: committed spool rows become events and marks of legs, with the cursor, in one transaction.

It carries no audio and concludes nothing; it says which calls and seats have news.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from datetime import datetime

from ingest.errors import SinkAway
from ingest.sink import SpoolRow
from qa.store import events, spools
from qa.store.canon import loads
from qa.store.errors import StoreAway, StoreBusy, StoreFull
from qa.store.levels import Levels
from qa.store.pool import Store, Tx

QUIET_DBFS = -50.0
log = logging.getLogger(__name__)
_LATER = (StoreAway, StoreBusy, StoreFull)


class PostgresSink:
    """The ``ingest.sink.Sink`` of one site. *home*: whose files these are, where machines share the database;
    *quiet_dbfs*: a leg whose peak stays below it carries no voice."""

    def __init__(
        self, store: Store, site: str, actor: str = "ingest", home: str | None = None, quiet_dbfs: float = QUIET_DBFS
    ) -> None:
        self._store = store
        self._site = site
        self._actor = actor
        self._home = home
        self._levels = Levels(quiet_dbfs)

    async def cursor(self, spool_id: str) -> int:
        try:
            async with self._store.site(self._site, self._actor) as tx:
                return await spools.cursor(tx, spool_id)
        except _LATER as error:
            raise SinkAway(str(error)) from error

    async def take(self, spool_id: str, upto: int, rows: Sequence[SpoolRow]) -> None:
        try:
            async with self._store.site(self._site, self._actor) as tx:
                stands = await spools.hold(tx, spool_id, self._home)
                for row in rows:
                    if stands < row.rowid <= upto:
                        await _keep(tx, spool_id, row)
                if upto > stands:
                    await spools.move(tx, spool_id, upto)
        except _LATER as error:
            raise SinkAway(str(error)) from error
        await self._tell(row for row in rows if stands < row.rowid <= upto)

    async def _tell(self, rows: Iterable[SpoolRow]) -> None:
        """How legs sound now; each by itself, and nothing is held up by it: the next report says it again."""
        for name in sorted(self._levels.hear(rows)):
            try:
                async with self._store.site(self._site, self._actor) as tx:
                    await self._levels.tell(tx, name)
            except _LATER as error:
                log.debug("levels: %s", error)
                return


async def _keep(tx: Tx, spool: str, row: SpoolRow) -> None:
    if row.kind == "event":
        return await _event(tx, row)
    await spools.holds(tx, spool, row.call, row.leg)
    if row.kind in ("audio", "clock"):
        return
    text = row.payload.decode()
    mark = spools.LegMark(spool, row.rowid, row.kind, row.source, row.call, row.leg, row.seq, row.at, {})
    await spools.mark(tx, mark, text)
    call = await spools.call_of(tx, row.call)
    await events.mark_due(tx, "call", call or row.call)


async def _event(tx: Tx, row: SpoolRow) -> None:
    text = row.payload.decode()
    body = loads(text)
    seq = body.get("seq")
    await events.append(
        tx,
        source=body["source"],
        id=body["id"],
        at=datetime.fromisoformat(body["at"]),
        seq=seq if isinstance(seq, int) and abs(seq) < 2**63 else None,
        type=body["type"],
        call=body.get("call"),
        leg=body.get("leg"),
        seat=body.get("seat"),
        agent=body.get("agent"),
        body=text,
    )
