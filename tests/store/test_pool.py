"""The way in: bounded, cancel-safe, honest about what it does not know."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import asyncpg
import pytest

from qa.store import calls, choices, ledger, runs
from qa.store.access import Purpose, open_call
from qa.store.errors import NotFound, StoreAway, StoreBusy, StoreError
from qa.store.pool import Store
from tests.store import rows


async def cancel_at(step: int, coroutine: Coroutine[Any, Any, object]) -> bool:
    """Run a coroutine and cancel it at its k-th suspension; True when it ended before that."""
    task = asyncio.ensure_future(_counted(step, coroutine))
    try:
        await task
    except asyncio.CancelledError:
        return False
    return True


async def _counted(step: int, coroutine: Coroutine[Any, Any, object]) -> object:
    return await _Steps(step, coroutine)


class _Steps:
    """Drives a coroutine by hand so that it can be cancelled at an exact suspension."""

    def __init__(self, step: int, coroutine: Coroutine[Any, Any, object]) -> None:
        self._step = step
        self._coroutine = coroutine

    def __await__(self) -> Any:
        at = 0
        value, error = None, None
        while True:
            try:
                waits = self._coroutine.throw(error) if error else self._coroutine.send(value)
            except StopIteration as done:
                return done.value
            at += 1
            value, error = None, None
            if at == self._step:
                task = asyncio.current_task()
                assert task is not None
                task.cancel()
            try:
                value = yield waits
            except BaseException as raised:  # noqa: BLE001 - handed on into the coroutine, as the loop does
                error = raised


async def _record(store: Store, inputs: str) -> None:
    async with store.site("main", "worker") as tx:
        await ledger.record(tx, rows.run(inputs=inputs))


async def _page(store: Store, _: str) -> None:
    async with store.site("main", "reader") as tx:
        await calls.page(tx)


async def _open(store: Store, _: str) -> None:
    await open_call(store, "main", "kim", "c1", Purpose(why="check", place="cli"))


async def _sites(store: Store, _: str) -> None:
    await store.sites()


@pytest.mark.parametrize("work", [_record, _page, _open, _sites])
async def test_cancelled_at_any_await_nothing_leaks_and_nothing_is_half_done(
    dsn: str, work: Callable[[Store, str], Coroutine[Any, Any, None]]
) -> None:
    store = await Store.open(dsn, size=2)
    async with store.site("main", "worker") as tx:
        await calls.upsert(tx, rows.call())
    step, ended = 0, False
    while not ended:
        step += 1
        ended = await cancel_at(step, work(store, f"in-{step}"))
        await settled(store)
        assert step < 400
    assert step > 4
    async with store.site("main", "auditor") as tx:
        assert (await runs.walk_chain(tx)).clean
        found = runs.in_force(await runs.entries(tx, "call:c1"))
        assert len(found) <= 1
    await store.close()
    assert [task for task in asyncio.all_tasks() if task is not asyncio.current_task()] == []


async def settled(store: Store) -> None:
    """Both connections can be had at once, so none was lost."""
    await asyncio.gather(store.ping(), store.ping())
    async with store.site("main", "a"), store.site("main", "b"):
        assert store.idle[0] == 0


async def test_when_all_connections_are_in_use_it_says_busy_and_recovers(dsn: str) -> None:
    store = await Store.open(dsn, size=1, acquire_seconds=0.05)
    async with store.site("main", "a"):
        with pytest.raises(StoreBusy):
            await store.ping()
    await store.ping()
    await store.close()


async def test_an_error_rolls_everything_back(store: Store) -> None:
    with pytest.raises(RuntimeError, match="stop"):
        async with store.site("main", "a") as tx:
            await choices.put(tx, "key", 1)
            raise RuntimeError("stop")
    async with store.site("main", "a") as tx:
        assert await choices.get(tx, "key", "nothing") == "nothing"
        await choices.put(tx, "key", {"b": [1, None], "a": "您好"})
    async with store.site("main", "a") as tx:
        assert await choices.get(tx, "key") == {"a": "您好", "b": [1, None]}


async def test_a_commit_goes_through_although_we_are_cancelled_meanwhile(store: Store) -> None:
    entered = asyncio.Event()

    async def work() -> None:
        async with store.site("main", "a") as tx:
            await choices.put(tx, "key", "kept")
            entered.set()

    task = asyncio.create_task(work())
    await entered.wait()  # its next await is COMMIT
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with store.site("main", "a") as tx:
        assert await choices.get(tx, "key") == "kept"


async def test_a_server_that_cuts_the_connection_is_away_and_the_next_work_succeeds(store: Store) -> None:
    with pytest.raises(StoreAway):
        async with store.site("main", "a") as tx:
            pid = tx.connection.get_server_pid()
            other = await asyncpg.connect(store.dsn)
            await other.execute("SELECT pg_terminate_backend($1)", pid)
            await other.close()
            await choices.put(tx, "key", 1)
    await store.ping()


@pytest.mark.parametrize("dsn", ["postgresql://seatwatch@/x?host=/nowhere", "postgresql://seatwatch@127.0.0.1:1/x"])
async def test_a_server_that_is_not_there_is_away(dsn: str) -> None:
    with pytest.raises(StoreAway, match="see that the server runs"):
        await Store.open(dsn)


async def test_a_missing_database_is_one_line(cluster: Any) -> None:
    with pytest.raises(StoreError, match="nowhere"):
        await Store.open(cluster.url("seatwatch", "nowhere"))


async def test_what_is_not_there_is_named(store: Store) -> None:
    async with store.site("main", "a") as tx:
        with pytest.raises(NotFound, match="call c9"):
            await calls.get(tx, "c9")
