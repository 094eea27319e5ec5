"""Ingest, folds, worker and PostgreSQL killed at named points: nothing acknowledged is lost, nothing stands twice.

Each kill is shown to have been hit. Afterwards the process is started again and the work has to become whole by itself.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import pytest_asyncio

from ingest.spool import all_files, contents
from qa.store import pidfile
from qa.store.postgres import Embedded
from tests.acceptance.audit import audit
from tests.acceptance.house import House, eventually
from tests.acceptance.talk import Checked, Talk, abandoned, rang_before, short_call

KILLS = 3
INGEST = {"before-commit": 12, "after-commit-before-ack": 12, "after-ack": 6, "during-rotate": 1}
FOLDS = ("assembled", "written")
WORKER = ("transcribed", "run", "reversals", "entries", "pointer", "outbox")


@dataclass
class Row:
    """One line of the table."""

    point: str
    kills: int = 0
    sent: int = 0
    lost: int = 0
    phone_lost_ms: float = 0
    phone_gap_ms: float = 0
    outage_ms: float = 0
    runs: int = 0

    def add(self, one: Checked) -> None:
        one.holds()
        self.sent, self.lost = self.sent + one.sent, self.lost + one.lost
        self.phone_lost_ms = max(self.phone_lost_ms, one.phone_lost_ms - one.outage_ms)
        self.phone_gap_ms, self.outage_ms = self.phone_gap_ms + one.phone_gap_ms, self.outage_ms + one.outage_ms

    def text(self) -> str:
        told = [f"{self.kills} kills shown", f"{self.runs} runs, nothing twice", "verify clean"]
        if self.sent:
            told.insert(1, f"{self.lost} of {self.sent} acknowledged samples lost")
        if self.outage_ms:
            told.insert(2, f"AudioSocket lost at most {self.phone_lost_ms:.0f} ms beside the outage")
            told.insert(3, f"{self.phone_gap_ms:.0f} ms in the gap maps for {self.outage_ms:.0f} ms of outage")
        return f"killed at {self.point}: {'; '.join(told)}"


Tell = Callable[[Row], None]


@pytest.fixture
def tell(figures: list[str], record_property: Callable[[str, object], None]) -> Tell:
    def say(row: Row) -> None:
        figures.append(row.text())
        record_property("summary", row.text())

    return say


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def built(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    """One installation on the embedded server, which is held up as long as the tests of this module run."""
    home = tmp_path_factory.mktemp("house")
    async with Embedded(home) as server:
        yield House(home, server.url("postgres", "seatwatch"), server=server)


@pytest_asyncio.fixture
async def house(built: House) -> AsyncIterator[House]:
    """The same, without any process that an earlier test has left."""
    yield built
    await built.close()


async def closing(house: House, row: Row) -> None:
    """What has to hold after every kill: the ledger worked out again, and the product's own check."""
    row.runs = (await audit(house)).runs
    await house.verified()


async def test_a_killed_ingest_loses_nothing_that_it_acknowledged(tmp_path: Path, cluster: Embedded, dsn: str) -> None:
    """The short one: one kill, no worker."""
    name = urlsplit(dsn).path.lstrip("/")
    house = House(tmp_path, cluster.url("postgres", name), url=dsn)
    try:
        part = await house.start("ingest", "before-commit:12")
        talk = Talk(house, "c1")
        await talk.begin()
        await part.killed("before-commit")
        again = await house.start("ingest")
        await talk.on(0.5)
        await talk.end()

        async def recorded() -> bool:
            return bool(await house.one("SELECT state = 'recorded' FROM call WHERE id = 'c1'"))

        await eventually(recorded, "recorded")
        (await talk.checked(part.died_at)).holds()
        assert (len(talk.outages), talk.connects) == (1, 2)
        await again.stop()
    finally:
        await house.close()


@pytest.mark.slow
@pytest.mark.parametrize("point", INGEST)
async def test_ingest_killed_while_two_parties_talk(house: House, point: str, tell: Tell) -> None:
    row = Row(point)
    worker = await house.start("worker")
    for kill in range(KILLS):
        part = await house.start("ingest", f"{point}:{INGEST[point]}")
        talk = Talk(house, f"{point}-{kill}")
        await talk.begin()
        await part.killed(point)
        row.kills += 1
        again = await house.start("ingest")
        await talk.on(1)
        await talk.end()
        await house.scored(talk.name)
        row.add(await talk.checked(part.died_at))
        await again.stop()
    await worker.stop()
    await closing(house, row)
    tell(row)


@pytest.mark.slow
@pytest.mark.parametrize("point", FOLDS)
async def test_ingest_killed_while_a_call_is_assembled_and_another_one_talks(
    house: House, point: str, tell: Tell
) -> None:
    row = Row(point)
    worker = await house.start("worker")
    for kill in range(KILLS):
        part = await house.start("ingest", f"{point}:1")
        ended, talks = Talk(house, f"{point}-{kill}-ended"), Talk(house, f"{point}-{kill}-talks")
        await ended.begin()
        await talks.begin()
        await ended.on(1)
        await ended.end()
        await part.killed(point)
        row.kills += 1
        again = await house.start("ingest")
        await talks.on(1)
        await talks.end()
        for one in (ended, talks):
            await house.scored(one.name)
            row.add(await one.checked(part.died_at))
        await again.stop()
    await worker.stop()
    await closing(house, row)
    tell(row)


@pytest.mark.slow
@pytest.mark.parametrize("point", WORKER)
async def test_a_worker_killed_while_it_scores(house: House, point: str, tell: Tell) -> None:
    """A first score, then scores over changed facts: those reverse what stood. Reversals need something to reverse."""
    row = Row(point)
    ingest = await house.start("ingest")
    before = int(point == "reversals")
    if before:
        first = await house.start("worker")
    call = await short_call(house, f"worker-{point}")
    if before:
        await house.scored(call.name)
        await first.stop()
    for kill in range(before, KILLS + before):
        if kill:
            await rang_before(house, call, 5 * kill)
        part = await house.start("worker", f"{point}:1")
        await part.killed(point)
        row.kills += 1
        assert await house.one("SELECT count(*) FROM run WHERE subject = $1", f"call:{call.name}") == kill
        again = await house.start("worker")
        await house.scored(call.name, runs=kill + 1)
        await again.stop()
    await ingest.stop()
    assert await house.one("SELECT count(*) FROM transcript WHERE call = $1", call.name) == 1
    reversed_ = await house.one(
        "SELECT count(*) FROM entry WHERE subject = $1 AND reverses IS NOT NULL", f"call:{call.name}"
    )
    assert reversed_ >= KILLS + before - 1
    await closing(house, row)
    tell(row)


async def back(house: House, pid: int) -> None:
    """Another server than this one answers; the product has started it."""
    assert house.server is not None
    folder = house.server.folder

    async def look() -> bool:
        note = pidfile.read(folder)
        return note is not None and note.pid != pid and note.status == "ready"

    await eventually(look, "the server started again")
    assert await house.one("SELECT 1") == 1


def serving(house: House) -> int:
    assert house.server is not None
    note = pidfile.read(house.server.folder)
    assert note is not None
    return note.pid


@pytest.mark.slow
async def test_postgres_killed_while_calls_come_in(house: House, tell: Tell) -> None:
    row = Row("postgres, calls coming in")
    ingest, worker = await house.start("ingest"), await house.start("worker")
    for kill in range(KILLS):
        talk = Talk(house, f"postgres-in-{kill}")
        await talk.begin()
        await talk.on(1)
        pid = serving(house)
        assert await house.kill_postgres() > 3
        row.kills += 1
        await talk.on(0.5)
        await back(house, pid)
        await talk.on(0.5)
        await talk.end()
        await house.scored(talk.name)
        row.add(await talk.checked())
        assert (talk.outages, talk.connects) == ([], 1)
    await worker.stop()
    await ingest.stop()
    await closing(house, row)
    tell(row)


@pytest.mark.slow
async def test_postgres_killed_while_a_worker_scores(house: House, tell: Tell) -> None:
    row = Row("postgres, scoring")
    ingest, worker = await house.start("ingest"), await house.start("worker")
    for kill in range(KILLS):
        names = [f"postgres-scoring-{kill}-{number}" for number in range(40)]
        subjects = [f"call:{name}" for name in names]
        await house.tell(*(event for name in names for event in abandoned(house, name)))

        async def begun(subjects: list[str] = subjects) -> bool:
            return int(await house.one("SELECT count(*) FROM run WHERE subject = ANY($1)", subjects)) >= 3

        await eventually(begun, "three runs")
        pid = serving(house)
        await house.kill_postgres()
        await back(house, pid)
        done = await house.one("SELECT count(*) FROM run WHERE subject = ANY($1)", subjects)
        row.kills += 1
        assert done >= 3
        for name in names:
            await house.scored(name)
    await worker.stop()
    await ingest.stop()
    await closing(house, row)
    tell(row)


@pytest.mark.slow
async def test_one_of_two_ingest_processes_killed_with_half_of_a_call(house: House, tell: Tell) -> None:
    """Both hold a piece of one call; the one that turned the folds dies, and the other one takes them over."""
    row = Row("anywhere, one of two ingest processes")
    other = House(house.home, house.admin, server=house.server)
    worker = await house.start("worker")
    for kill in range(KILLS):
        first, second = await house.start("ingest"), await other.start("ingest")
        talk = Talk(house, f"two-{kill}", exchange=other)
        await talk.begin()
        await talk.on(1)
        await talk.fall_silent()

        async def carried(call: str = talk.name) -> bool:
            return bool(await house.one("SELECT count(*) FROM leg_mark WHERE call = $1 AND kind = 'end'", call))

        await eventually(carried, "the customer's leg carried")
        first.kill()
        await first.end()
        row.kills += 1
        await talk.hang_up(other)
        await house.scored(talk.name)
        row.add(await talk.checked())
        await second.stop()
    await worker.stop()
    await closing(house, row)
    tell(row)


@pytest.mark.slow
async def test_after_all_kills_the_spool_is_released_and_no_process_is_left(house: House) -> None:
    ingest = await house.start("ingest")

    async def released() -> bool:
        return not any(contents(path).retired for path in all_files(house.spool))

    await eventually(released, f"released: {[path.name for path in all_files(house.spool)]}")
    await ingest.stop()
    assert not list(house.spool.rglob("quarantine/*"))

    async def alone() -> bool:
        return not processes(house.home)

    await eventually(alone, f"gone: {processes(house.home)}")


def processes(home: Path) -> list[int]:
    """Who works with this data folder, by its environment."""
    found = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        try:
            told = path.read_bytes()
        except OSError:
            continue
        if f"SEATWATCH_DATA={home}".encode() in told.split(b"\0"):
            found.append(int(path.parent.name))
    return found


