"""Several ingest processes on one machine: a sender that meets another one than before loses nothing."""

from __future__ import annotations

import asyncio
import json
import sys
import threading
from contextlib import AsyncExitStack
from pathlib import Path
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest import spool
from ingest.audiosocket import IDENT, KINDS, packet
from ingest.legs import Builder, in_order
from ingest.rows import Row, body
from ingest.shell.client import post_events
from ingest.shell.service import Ingest, IngestConfig
from ingest.sink import SpoolRow
from ingest.stream import Piece, write_hello, write_piece
from ingest.tokens import audiosocket_uuid, stream_token
from tests.ingest import lab
from tests.ingest.test_service import Socket, talk
from tests.ingest.test_spool import audio, start, written
from tests.ingest.values import SECRET, raw


async def two(stack: AsyncExitStack, root: Path, reap_seconds: float = 30.0) -> tuple[Ingest, Ingest]:
    """Each with its own spool and, to be told apart, its own port."""
    made = [
        IngestConfig(root / name, SECRET, http_port=0, audiosocket_port=0, beside=root, reap_seconds=reap_seconds)
        for name in ("a", "b")
    ]
    first, second = [await stack.enter_async_context(Ingest(config)) for config in made]
    return first, second


GREETING = write_hello(lab.hello())  # one token for all that is said of a leg


async def said(ingest: Ingest, pieces: range, durable: int, finish: bool = False) -> None:
    """One connection: hello, what is durable so far, pieces of 800 samples, each acknowledged."""
    async with Socket(lab.url(ingest)) as socket:
        await socket.say(GREETING)
        assert (await socket.hear())["durable"] == durable
        for n in pieces:
            await socket.say(write_piece(Piece(n, (n - 1) * 800, lab.tone(800, (n - 1) * 800))))
        while pieces and (await socket.hear())["durable"] < pieces[-1]:
            continue
        if finish:
            await socket.say(f'{{"type": "end", "seq": {pieces[-1]}}}')
            assert (await socket.hear())["final"] is True


async def test_a_leg_may_wander_from_one_process_to_another_and_back(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        here, there = await two(stack, tmp_path)
        await said(here, range(1, 4), durable=0)
        await said(there, range(4, 6), durable=3)
        await said(here, range(6, 9), durable=5, finish=True)
        leg = spool.read_leg(tmp_path, "c1", "agent")
    assert (leg.segments, leg.gaps, leg.ended) == ([(0, lab.tone(6400))], [], "end")


async def test_a_process_that_was_left_does_not_end_a_leg_that_goes_on_elsewhere(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        here, there = await two(stack, tmp_path, reap_seconds=0.5)
        await said(here, range(1, 4), durable=0)
        async with Socket(lab.url(there)) as socket:
            await socket.say(GREETING)
            await socket.hear()
            await socket.say(write_piece(Piece(4, 2400, lab.tone(800, 2400))))
            await socket.hear()
            async with asyncio.timeout(lab.WAIT_S):
                while here.streams.open or ("c1", "agent") in here.streams.known:
                    await lab.tick()
            assert spool.read_leg(tmp_path, "c1", "agent").ended is None
    assert spool.read_leg(tmp_path, "c1", "agent").samples == 3200


async def test_what_one_process_registered_opens_a_leg_at_another_once(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        here, there = await two(stack, tmp_path)
        ident = uuid4()
        event = raw("leg", call="c9", leg="seat", role="agent", audio={"audiosocket": str(ident)})
        assert (await post_events(lab.url(here), [event]))["accepted"] == 1
        sound = packet(IDENT, ident.bytes) + packet(KINDS[8000], lab.tone(160))
        await talk(there.audiosocket_port, sound)
        await there.flush()
        assert spool.read_leg(tmp_path, "c9", "seat").segments == [(0, lab.tone(160))]

        await talk(here.audiosocket_port, sound)
        assert here.core.counts["audiosocket"] == 1  # used before, elsewhere


async def test_two_processes_share_one_port(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        one = IngestConfig(tmp_path / "a", SECRET, http_port=0, audiosocket_port=0, beside=tmp_path)
        first = await stack.enter_async_context(Ingest(one))
        ports = {"http_port": first.http_port, "audiosocket_port": first.audiosocket_port}
        second = await stack.enter_async_context(Ingest(IngestConfig(tmp_path / "b", SECRET, beside=tmp_path, **ports)))
        async with asyncio.timeout(lab.WAIT_S):
            n = 0
            while not (first.core.counts["events"] and second.core.counts["events"]):
                n += 1
                await post_events(lab.url(first), [raw("presence", id=f"e{n}")])
        assert first.core.counts["events"] + second.core.counts["events"] == n


def row(seq: int, samples: int, epoch: int = 1) -> Row:
    return Row("audio", "s", "c", "l", 0, bytes(samples), seq, (seq - samples) * 1, samples, epoch)


@given(st.lists(st.integers(0, 2), min_size=1, max_size=40))
def test_rows_of_one_leg_follow_one_another_wherever_they_lie(homes: list[int]) -> None:
    rows = [row(seq, 1) for seq in range(1, len(homes) + 1)]
    written = [[(one, True) for one, home in zip(rows, homes, strict=True) if home == n] for n in range(3)]
    assert [one for one, _ in in_order(written)] == rows


@given(st.lists(st.integers(0, 2), min_size=1, max_size=40))
def test_what_was_heard_anywhere_is_no_gap(homes: list[int]) -> None:
    """A sender that moves to a machine which knows nothing of its leg declares lost what it sent before."""
    written: list[list[tuple[Row, bool]]] = [[], [], []]
    last = [0, 0, 0]
    for seq, home in enumerate(homes, 1):
        if (lost := seq - 1 - last[home]) > 0:
            said = body({"start_sample": last[home], "samples": lost, "cause": "overrun"})
            written[home].append((Row("gap", "s", "c", "l", 0, said, seq - 1, last[home], lost, 1), True))
        written[home].append((Row("audio", "s", "c", "l", 0, bytes([seq]), seq, seq - 1, 1, 1), True))
        last[home] = seq
    builder = Builder(encoding="ulaw")
    for one, sound in in_order(written):
        builder.take(one, sound)
    assert builder.build().segments == [(0, bytes(range(1, len(homes) + 1)))]
    assert builder.build().gaps == []


def test_a_row_that_cannot_be_trusted_stays_behind_the_one_before_it() -> None:
    liar = (row(99, 1), False)
    told = list(in_order([[(row(1, 1), True), liar, (row(2, 1), True)], [(row(3, 1), True)]]))
    assert [one.seq for one, _ in told] == [1, 99, 2, 3]


async def test_an_end_stands_once_wherever_the_leg_was_left(tmp_path: Path) -> None:
    """Everything was sent to one process, the end to another; the first one hears nobody and says nothing."""
    async with AsyncExitStack() as stack:
        here, there = await two(stack, tmp_path, reap_seconds=0.3)
        await said(here, range(1, 4), durable=0)
        async with Socket(lab.url(there)) as socket:
            await socket.say(GREETING)
            assert (await socket.hear())["durable"] == 3
            await socket.say('{"type": "end", "seq": 3}')
            assert (await socket.hear())["final"] is True
        async with asyncio.timeout(lab.WAIT_S):
            while ("c1", "agent") in here.streams.known:
                await lab.tick()
        await here.flush()
    ends = [row for path in spool.all_files(tmp_path) for row in marks(path) if row.kind == "end"]
    assert [json.loads(row.payload)["cause"] for row in ends] == ["end"]


def marks(path: Path) -> list[SpoolRow]:
    reader = spool.Reader(path)
    try:
        return reader.after(0)[1]
    finally:
        reader.close()


async def test_a_leg_that_came_from_elsewhere_is_known_here_after_a_restart(tmp_path: Path) -> None:
    """Its start lies with the first process; the second one must not take it for a leg that cannot come back."""
    async with AsyncExitStack() as stack:
        here, there = await two(stack, tmp_path)
        await said(here, range(1, 4), durable=0)
        await said(there, range(4, 6), durable=3)
        await there.stop()
        await there.start()
        await said(there, range(6, 8), durable=5, finish=True)
        leg = spool.read_leg(tmp_path, "c1", "agent")
    assert (leg.segments, leg.gaps, leg.ended) == ([(0, lab.tone(5600))], [], "end")


async def test_a_spoilt_file_of_one_process_stops_no_other(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        here, there = await two(stack, tmp_path)
        await said(here, range(1, 4), durable=0)
        (tmp_path / "c").mkdir()
        (tmp_path / "c" / "000000000001-00000000000000aa.db").write_bytes(b"this is no database, " * 400)
        await said(there, range(4, 6), durable=3, finish=True)
        ident = audiosocket_uuid(SECRET, "c2", "agent", "agent", lab.later())
        await talk(there.audiosocket_port, packet(IDENT, ident.bytes) + packet(KINDS[8000], lab.tone(160)))
        await there.flush()
        assert spool.read_leg(tmp_path, str(ident), "audiosocket").samples == 160
    assert spool.read_leg(tmp_path, "c1", "agent").samples == 4000


def test_what_is_told_of_another_process_is_on_the_disk_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that was killed between writing and syncing has left rows that no disk holds yet."""
    synced: list[str] = []
    file = written(tmp_path / "a", start(), audio(1, 0))
    written(tmp_path / "b", start("c2")).close()
    monkeypatch.setattr(
        "ingest.spool.os.fsync", lambda log: synced.append(Path(f"/proc/self/fd/{log}").readlink().name)
    )

    found = spool.trace(spool.all_files(tmp_path), "c1", "agent")
    assert found is not None and (found.seq, synced) == (1, [f"{file.path.name}-wal"])
    file.close()


READ: list[str] = []  # files that were opened while somebody looks
LOOKING = threading.Event()


def look(event: str, given: tuple[object, ...]) -> None:
    """An audit hook stays for as long as the process lives."""
    if LOOKING.is_set() and event in ("open", "sqlite3.connect"):
        READ.append(str(given[0]))


FORGED = stream_token(b"a secret of somebody else", "c1", "agent", "agent", lab.later())
OURS = stream_token(SECRET, "c1", "agent", "agent", lab.later())
OTHERS = stream_token(SECRET, "c2", "agent", "agent", lab.later())


@pytest.mark.parametrize(
    ("token", "looks"),
    [(FORGED, False), (OTHERS, False), ("guess", True), (OURS, True)],
    ids=["forged", "of another leg", "not signed", "of this leg"],
)
async def test_a_stranger_makes_no_process_read_the_files_of_another(tmp_path: Path, token: str, looks: bool) -> None:
    """A token that is not signed may be registered there; one that is can be refused without a look."""
    async with AsyncExitStack() as stack:
        here, there = await two(stack, tmp_path)
        await said(there, range(1, 3), durable=0)
        READ.clear()
        sys.addaudithook(look)
        LOOKING.set()
        async with Socket(lab.url(here)) as socket:
            await socket.say(write_hello(lab.hello(token=token)))
            await socket.ws.receive(timeout=lab.WAIT_S)
        LOOKING.clear()
        read = [path for path in READ if str(tmp_path / "b") in path]
    assert bool(read) == looks
    assert here.core.counts["stream"] == (0 if token == OURS else 1)
