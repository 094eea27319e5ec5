"""Two machines on one database: files on their way from one to the other, and calls of which each has a part."""

from __future__ import annotations

import errno
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from ingest.shell.client import AudioSocketClient, StreamClient, post_events
from ingest.shell.service import Ingest
from ingest.shell.writer import SpoolLimits
from ingest.spool import all_files, by_process, contents, read_leg
from ingest.stream import Hello
from ingest.tokens import audiosocket_uuid, stream_token
from qa.fold import HANDED_LATE, LATE, Folder
from qa.handover import MARK, POINTS, Mover, WrongFolder, same_key
from qa.store import calls, recordings, spools
from qa.store.pool import Store
from qa.store.sink import PostgresSink
from speech.audio import decode
from tests.ingest.lab import later, running, tick, url
from tests.ingest.test_siblings import said
from tests.ingest.values import SECRET, raw
from tests.postgres import SITE
from tests.qa.lab import ZONE, at, hum

LATE_S = LATE.total_seconds()


class Killed(Exception):
    """The mover's process ended at a point."""


@dataclass
class Machine:
    """One of several: its ingest, its mover, and the folds, which turn where the test says."""

    name: str
    home: Path
    ingest: Ingest
    mover: Mover
    folder: Folder
    count: list[int] = field(default_factory=lambda: [0])

    async def tell(self, *events: dict[str, Any]) -> None:
        answer = await post_events(url(self.ingest), events)
        assert answer["refused"] == [], answer
        await self.ingest.flush()

    async def stream(self, call: str, role: str, pcm: bytes) -> None:
        """One whole leg."""
        token = stream_token(SECRET, call, role, role, later())
        async with StreamClient(url(self.ingest), Hello(call, role, role, 8000, "slin", 1, token, at(5), "pbx")) as one:
            await one.send(pcm)
            await one.finish()
        await self.ingest.flush()

    async def rotated(self) -> list[Path]:
        """Its files with audio, all complete and carried."""
        while True:
            self.count[0] += 1
            await self.tell(raw("presence", id=f"{self.name}-{self.count[0]}"))
            files = [path for path in all_files(self.home) if contents(path).legs]
            if all([contents(path).retired and await self._carried(path) for path in files]):
                return files
            await tick()

    async def _carried(self, path: Path) -> bool:
        async with self.folder.store.site(SITE, "test") as tx:
            return await spools.cursor(tx, path.stem) >= contents(path).last_rowid

    async def give_out(self) -> list[str]:
        """Hand over all that it has stored; the names of the files with audio."""
        files = await self.rotated()
        await self.mover.once()
        return [path.name for path in files]


@dataclass
class Site:
    """Two machines, one store, one shared folder, one clock."""

    store: Store
    home: Path
    clock: list[datetime]
    a: Machine
    b: Machine

    @property
    def shared(self) -> Path:
        return self.home / "shared" / SITE

    @property
    def given_out(self) -> list[str]:
        """Files with audio in the shared folder."""
        return [path.name for path in all_files(self.shared) if contents(path).legs]

    async def turn(self, later_s: float = 0, on: str = "a") -> None:
        self.clock[0] += timedelta(seconds=later_s)
        await getattr(self, on).folder.turn()

    async def call(self, name: str = "c1") -> calls.Call:
        async with self.store.site(SITE, "test") as tx:
            return await calls.get(tx, name)

    async def kept(self, name: str = "c1") -> list[recordings.Recording]:
        async with self.store.site(SITE, "test") as tx:
            return await recordings.of_call(tx, name)

    def pcm(self, one: recordings.Recording) -> list[list[int]]:
        return [row.tolist() for row in decode(self.home / "recordings" / one.path).pcm]


@asynccontextmanager
async def machine(store: Store, home: Path, name: str, clock: list[datetime]) -> AsyncIterator[Machine]:
    own, shared, process = home / name / "spool", home / "shared" / SITE, f"{name}/9093"
    sink = PostgresSink(store, SITE, home=process)
    limits = SpoolLimits(rotate_bytes=1)
    async with running(own / "9093", sink=sink, spool=limits, now=lambda: at(5)) as ingest:
        mover = Mover(store, SITE, own / "9093", shared, process)
        folder = Folder(store, SITE, ZONE, own, home / "recordings", lambda: clock[0], shared=shared, machine=name)
        yield Machine(name, own, ingest, mover, folder)


@pytest_asyncio.fixture
async def site(store: Store, tmp_path: Path) -> AsyncIterator[Site]:
    (tmp_path / "shared").mkdir()
    clock = [at(3600)]
    async with AsyncExitStack() as stack:
        a, b = [await stack.enter_async_context(machine(store, tmp_path, name, clock)) for name in "ab"]
        yield Site(store, tmp_path, clock, a, b)


def told(call: str = "c1") -> list[dict[str, Any]]:
    own = {"call": call, "seat": "s1", "agent": "A01"}
    legs = [raw("leg", 5, id=f"{call}-{role}", call=call, leg=role, role=role) for role in ("agent", "customer")]
    return [
        raw("offered", 0, id=f"{call}-1", direction="in", **own),
        raw("ringing", 0, id=f"{call}-2", **own),
        raw("answered", 5, id=f"{call}-3", **own),
        *legs,
    ]


def ended(seconds: float = 5.4, call: str = "c1") -> dict[str, Any]:
    return raw("ended", seconds, id=f"{call}-9", call=call, by="customer")


async def test_two_legs_on_two_machines_become_one_recording(site: Site) -> None:
    await site.a.tell(*told())
    await site.a.stream("c1", "customer", hum(400, -300))
    await site.b.stream("c1", "agent", hum(400, 700))
    await site.b.tell(ended())
    await site.turn()
    assert ((await site.call()).state, await site.kept()) == ("ended", [])  # b's part is on its way

    await site.b.give_out()
    await site.turn(2)
    call, (one,) = await site.call(), await site.kept()
    assert (call.state, one.roles, one.gaps, one.duration_ms) == ("recorded", ("customer", "agent"), (), 400)
    assert site.pcm(one) == [[-300] * 3200, [700] * 3200]


async def test_what_does_not_come_in_time_is_a_gap_until_it_comes(site: Site) -> None:
    await site.a.tell(*told())
    await site.a.stream("c1", "customer", hum(400, -300))
    await site.b.stream("c1", "agent", hum(400, 700))
    await site.a.tell(ended())
    await site.turn()
    await site.turn(HANDED_LATE.total_seconds() - 1)
    assert (await site.call()).state == "ended"
    await site.turn(2)
    (one,) = await site.kept()
    assert one.gaps == ({"role": "agent", "start_ms": 0, "end_ms": 400, "cause": "not_handed_over"},)

    await site.a.give_out()
    names = await site.b.give_out()
    await site.turn()
    await site.a.folder.tidy()
    assert set(names) <= set(site.given_out)  # no call was assembled with them: they stay
    await site.turn()
    newest, _ = await site.kept()
    assert newest.gaps == ()
    assert site.pcm(newest) == [[-300] * 3200, [700] * 3200]

    await site.turn()
    await site.a.folder.tidy()
    assert site.given_out == []


async def test_what_comes_after_the_other_files_have_gone_joins_the_recording(site: Site) -> None:
    await site.a.tell(*told())
    await site.a.stream("c1", "customer", hum(400, -300))
    await site.b.stream("c1", "agent", hum(400, 700))
    await site.a.tell(ended())
    await site.a.give_out()
    await site.turn()
    await site.turn(HANDED_LATE.total_seconds() + 1)
    await site.a.folder.tidy()
    assert (len(await site.kept()), site.given_out) == (1, [])

    await site.b.give_out()
    await site.a.folder.tidy()
    await site.turn()
    newest, _ = await site.kept()
    assert (newest.gaps, site.pcm(newest)) == ((), [[-300] * 3200, [700] * 3200])


async def test_files_go_everywhere_once_their_calls_are_assembled(site: Site) -> None:
    """Whoever has the folds releases them; each machine takes away what it has itself."""
    await site.a.tell(*told())
    await site.a.stream("c1", "customer", hum(400))
    await site.b.stream("c1", "agent", hum(400))
    await site.a.tell(ended())
    both = [*await site.a.give_out(), *await site.b.give_out()]
    assert sorted(site.given_out) == sorted(both)
    await site.turn(on="b")
    assert (await site.call()).state == "recorded"
    assert sorted(path.name for path in (*all_files(site.a.home), *all_files(site.b.home)) if contents(path).legs) == (
        sorted(both)
    )

    await site.b.folder.tidy()
    assert site.given_out == []
    for one in (site.a, site.b):
        await one.mover.once()
        assert [path for path in all_files(one.home) if path.name in both] == []


@pytest.mark.parametrize("point", POINTS)
async def test_a_mover_that_is_killed_loses_nothing_and_leaves_nothing_twice(site: Site, point: str) -> None:
    await site.a.tell(*told())
    await site.b.stream("c1", "agent", hum(400, 700))
    await site.a.tell(ended())
    names = [path.name for path in await site.b.rotated()]

    async def step(passed: str) -> None:
        if passed == point:
            raise Killed

    site.b.mover.step = step
    if point == "taken-away":
        await site.b.mover.once()
        await site.turn(LATE_S)
        await site.turn(LATE_S)
        await site.a.folder.tidy()
    with pytest.raises(Killed):
        await site.b.mover.once()
    if point != "taken-away":
        await site.turn(LATE_S)  # what is in both places, or only half of it there, is read once
        assert len(site.given_out) == (0 if point == "copied" else 1)

    again = Mover(site.store, SITE, site.b.mover.folder, site.shared, "b/9093")
    await again.once()
    if point != "taken-away":
        assert site.given_out == names
        assert not list(site.shared.rglob("*.new"))
        assert read_leg(by_process(site.shared, None), "c1", "agent").segments == [(0, hum(400, 700))]
        await site.turn(LATE_S)
        await site.turn(LATE_S)
        await site.a.folder.tidy()
        await again.once()
    (one,) = await site.kept()
    assert site.pcm(one)[1] == [700] * 3200
    assert [path for path in all_files(site.b.home) if path.name in names] == []
    assert site.given_out == []


async def test_a_file_that_nobody_has_recorded_as_handed_over_is_not_released(site: Site) -> None:
    """The mover was killed before its last word: what it has copied may not go, it would be copied again."""
    await site.a.tell(*told())
    await site.b.stream("c1", "agent", hum(400))
    await site.a.tell(ended())
    await site.b.rotated()

    async def step(passed: str) -> None:
        if passed == "renamed":
            raise Killed

    site.b.mover.step = step
    with pytest.raises(Killed):
        await site.b.mover.once()
    await site.turn(LATE_S)
    await site.turn(LATE_S)
    before = site.given_out
    await site.a.folder.tidy()
    assert before == site.given_out != []


async def test_an_empty_mount_point_takes_nothing(site: Site) -> None:
    await site.b.tell(*told())
    await site.b.stream("c1", "agent", hum(400))
    await site.b.give_out()
    away = site.shared.rename(site.home / "away")
    await site.b.stream("c2", "agent", hum(400))
    await site.b.rotated()
    with pytest.raises(WrongFolder, match="mount the right one"):
        await site.b.mover.once()
    assert not site.shared.exists() or all_files(site.shared) == []

    if site.shared.exists():
        site.shared.rmdir()
    away.rename(site.shared)
    assert await site.b.mover.once() > 0
    assert (site.shared / MARK).exists()


async def test_a_folder_that_is_away_is_not_taken_for_one_whose_files_are_done_with(site: Site) -> None:
    await site.a.tell(*told())
    await site.a.stream("c1", "customer", hum(400, -300))
    await site.b.stream("c1", "agent", hum(400, 700))
    await site.b.give_out()
    await site.a.tell(ended())
    away = site.shared.rename(site.home / "away")
    await site.turn()
    assert ((await site.call()).state, await site.kept()) == ("ended", [])

    away.rename(site.shared)
    await site.turn(2)
    (one,) = await site.kept()
    assert (one.gaps, site.pcm(one)) == ((), [[-300] * 3200, [700] * 3200])


async def test_a_full_folder_is_waited_for_and_half_a_copy_taken_away(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    await site.b.stream("c1", "agent", hum(400, 700))
    names = [path.name for path in await site.b.rotated()]

    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, "no room")

    with monkeypatch.context() as patch, pytest.raises(OSError, match="no room"):
        patch.setattr("ingest.spool.os.fsync", full)
        await site.b.mover.once()
    assert [path.name for path in site.shared.rglob("*") if path.is_file()] == [MARK]

    await site.b.mover.once()
    assert set(site.given_out) == set(names)


async def test_a_folder_that_takes_nothing_keeps_everything_where_it_is(site: Site) -> None:
    await site.b.stream("c1", "agent", hum(400))
    names = [path.name for path in await site.b.rotated()]
    site.shared.mkdir()
    (site.shared / "b").write_bytes(b"")  # no folder can be made here
    with pytest.raises(OSError):
        await site.b.mover.once()
    assert {path.name for path in all_files(site.b.home)} >= set(names)

    (site.shared / "b").unlink()
    await site.b.mover.once()
    assert set(site.given_out) == set(names)


async def test_files_that_a_crash_left_are_handed_over(site: Site) -> None:
    await site.b.stream("c1", "agent", hum(400, 700))
    await site.b.ingest.stop()
    await site.b.ingest.start()
    await site.b.give_out()
    assert read_leg(by_process(site.shared, None), "c1", "agent").segments == [(0, hum(400, 700))]


async def test_a_client_may_wander_from_machine_to_machine_and_back(site: Site) -> None:
    """Nobody told the second machine of it, nor the first one what happened there."""
    await site.a.tell(*told())
    await said(site.a.ingest, range(1, 4), durable=0)
    await said(site.b.ingest, range(1, 6), durable=0)
    await said(site.a.ingest, range(4, 9), durable=3, finish=True)
    await site.a.tell(ended(6))
    for one in (site.a, site.b):
        await one.give_out()
    leg = read_leg(by_process(site.shared, None), "c1", "agent")
    assert (leg.samples, len(leg.segments), leg.gaps, leg.ended) == (6400, 1, [], "end")


async def test_a_uuid_that_is_used_on_two_machines_is_heard_once(site: Site) -> None:
    ident = audiosocket_uuid(SECRET, "c1", "agent", "agent", later())
    await site.a.tell(*told()[:3], raw("leg", 5, id="x", leg="agent", role="agent", audio={"audiosocket": str(ident)}))
    for one, value in ((site.a, 700), (site.b, 500)):
        async with AudioSocketClient("127.0.0.1", one.ingest.audiosocket_port, ident) as client:
            await client.send(hum(400, value))
            await client.hang_up()
        while one.ingest.core.open_legs["audiosocket"]:
            await tick()
        await one.ingest.flush()
    await site.a.tell(ended())
    for one in (site.a, site.b):
        await one.give_out()
    await site.turn()
    await site.turn(LATE_S)
    (kept,) = await site.kept()
    first = {value for value in site.pcm(kept)[1] if value}
    assert len(first) == 1  # never mixed
    async with site.store.site(SITE, "test") as tx:
        (refused,) = await spools.refused(tx, "c1")
    assert (refused.leg, refused.home) == ("agent", "b/9093" if first == {700} else "a/9093")


async def test_machines_notice_that_they_sign_with_different_keys(store: Store) -> None:
    assert await same_key(store, SITE, SECRET)
    assert await same_key(store, SITE, SECRET)
    assert not await same_key(store, SITE, b"another secret of this length....")
