"""What can go wrong in the store, each with one sentence for the person who can fix it. No driver types leave here.

StoreError
├── StoreBusy        every connection is in use for longer than the limit
├── StoreAway        the server cannot be reached, or went away in the middle
│   └── CommitUnknown    it went away during COMMIT: read again by key, never write again blindly
├── StoreFull        the disk of the server is full
├── ServerTooOld     an external server below the lowest version that works
├── WrongSchema      the database's revision is not one that this release knows
├── Conflict         a unique key stands already
├── Refused          grants, row-level security or a trigger forbid it
│   ├── PeriodClosed     the day lies in a closed period
│   └── ChainBroken      the row does not follow the head of the chain
├── NotFound         no such row at this site
└── BadCursor        a page cursor that we did not make
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg


class StoreError(Exception):
    """The store cannot do what was asked."""


class StoreBusy(StoreError):
    """All database connections are in use; try again in a moment or raise the pool size."""


class StoreAway(StoreError):
    """The database cannot be reached."""


class CommitUnknown(StoreAway):
    """The database went away during COMMIT; whether it stands is unknown, so read again by key."""


class StoreFull(StoreError):
    """The database's disk is full; free space there, writing then goes on by itself."""


class ServerTooOld(StoreError):
    """The PostgreSQL server is older than the lowest version that works."""


class WrongSchema(StoreError):
    """The database's schema does not fit this release."""


class Conflict(StoreError):
    """A row with this key stands already."""


class Refused(StoreError):
    """The database refuses the change."""


class PeriodClosed(Refused):
    """The day lies in a closed period; enter a signed adjustment in the next one."""


class ChainBroken(Refused):
    """The row does not follow the head of the ledger's chain."""


class NotFound(StoreError):
    """There is no such row at this site."""


class BadCursor(StoreError):
    """The page cursor was not made here; start again without one."""


_BY_STATE: dict[str, type[StoreError]] = {
    "SW001": PeriodClosed,
    "SW002": Refused,
    "SW003": ChainBroken,
    "23505": Conflict,
    "42501": Refused,
    "53100": StoreFull,
    "53300": StoreBusy,
}


def spoken(error: BaseException) -> StoreError:
    """The driver's error as one of ours; a connection that died is StoreAway."""
    if isinstance(error, StoreError):
        return error
    state = getattr(error, "sqlstate", None) or ""
    kind = _BY_STATE.get(state)
    if kind is StoreFull:
        return StoreFull(StoreFull.__doc__)
    if kind is not None:
        return kind(str(error))
    if state == "" or state.startswith(("08", "57P")):
        return StoreAway(f"database: lost or unreachable ({error or type(error).__name__}); see that the server runs")
    return StoreError(f"database: {error}")


DRIVER = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError)


@contextmanager
def speaking() -> Iterator[None]:
    """Turn the driver's errors into ours around a block."""
    try:
        yield
    except DRIVER as error:
        raise spoken(error) from error
