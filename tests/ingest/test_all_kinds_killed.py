"""Ingest killed at every named point while legs of all kinds talk, alone and with a sibling on the same ports.

Of what a witness saw acknowledged nothing may be lost (P1); a leg that never sends again loses at most 250 ms beside
the outage, and its gap map says so (P2).
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from ingest import spool
from ingest.legs import LegAudio
from ingest.shell.faults import POINTS
from tests.ingest import lab

NTH = {"gathered": 21, "before-commit": 11, "after-commit-before-ack": 11, "after-ack": 17, "during-rotate": 2}
KILLS = 6  # and two more of two processes: at each of five points, forty
LEGS = 3  # of each kind
LOST_MS = 250  # where the machine itself does not stand still
MESSAGE = 800


@dataclass
class Tally:
    """What came of it."""

    point: str
    kills: int = 0
    acked: int = 0  # samples
    missing: int = 0  # of those
    phones: int = 0
    worst_ms: float = 0.0
    own_ms: float = 0.0

    def text(self) -> str:
        return (
            f"all kinds of legs, killed at {self.point}: {self.kills} kills shown; {self.missing} of {self.acked} "
            f"acknowledged samples lost; {self.phones} legs cut off, at most {self.worst_ms:.0f} ms of one lost, "
            f"{self.own_ms:.0f} ms beside what the machine stood still"
        )


@dataclass
class Witness:
    """The other process, and its book."""

    book: Path
    child: asyncio.subprocess.Process | None = field(default=None)

    async def start(self, ports: tuple[int, int]) -> None:
        command = [sys.executable, "-m", "tests.ingest.oracle", *map(str, ports), str(self.book), str(LEGS)]
        self.child = await asyncio.create_subprocess_exec(*command, stdin=asyncio.subprocess.PIPE, cwd=lab.ROOT)

    async def finish(self) -> None:
        assert self.child is not None and self.child.stdin is not None
        self.child.stdin.close()
        assert await asyncio.wait_for(self.child.wait(), 60) == 0

    def lines(self, kind: str) -> Iterator[dict[str, Any]]:
        for line in self.book.read_bytes().split(b"\n")[:-1] if self.book.exists() else []:
            told = json.loads(line)
            if told["kind"] == kind:
                yield told

    def acked(self) -> dict[str, int]:
        """The highest number that was durable, by call."""
        return {told["call"]: told["durable"] for told in self.lines("ack")}


class Part:
    """One ingest process, and the next one in its place."""

    def __init__(self, folder: Path, point: str, beside: Path | None = None) -> None:
        self._folder, self._point, self._beside = folder, point, beside
        self._rotate = 30_000 if point == "during-rotate" else 1 << 28
        self.ports = (0, 0)

    async def start(self, ports: tuple[int, int] = (0, 0), fault: bool = True) -> None:
        named = f"{self._point}:{NTH[self._point]}" if fault else ""
        self.process = await lab.start(self._folder, named, ports, self._rotate, self._beside)
        self.ports = (self.process.http, self.process.audio)

    async def dies(self, tally: Tally, witness: Witness, again: bool) -> None:
        """At its point, shown; then the next one starts, which dies *again* or does not."""
        assert f"killed at {self._point}" in await self.process.killed()
        tally.kills += 1
        for call, durable in witness.acked().items():
            tally.missing += max(0, durable * MESSAGE - len(whole(self._folder.parent, call)) // 2)
        await self.start(self.ports, again)


async def killed_again_and_again(root: Path, point: str, kills: int) -> Tally:
    tally, witness = Tally(point), Witness(root / "book")
    part = Part(root / "spool" / "a", point)
    await part.start()
    await witness.start(part.ports)
    for left in reversed(range(kills)):
        await part.dies(tally, witness, again=left > 0)
    await closed(root, witness, tally, [part])
    return tally


async def each_of_two_killed(root: Path, point: str) -> Tally:
    """Whoever dies first leaves its legs to the other one, which dies then."""
    tally, witness = Tally(f"{point}, two on the same ports"), Witness(root / "book")
    parts = [Part(root / "spool" / name, point, root / "spool") for name in ("a", "b")]
    await parts[0].start()
    await parts[1].start(parts[0].ports)
    await witness.start(parts[0].ports)
    await asyncio.gather(*(part.dies(tally, witness, again=False) for part in parts))
    await closed(root, witness, tally, parts)
    return tally


async def closed(root: Path, witness: Witness, tally: Tally, parts: list[Part]) -> None:
    await witness.finish()
    for part in parts:
        assert await part.process.stop() == 0
    judged(root, witness, tally)


def whole(spools: Path, call: str) -> bytes:
    """A leg of /stream as far as it is stored: no gap, nothing twice, every byte as it was sent."""
    try:
        leg = spool.read_leg(spools, call, "agent")
    except spool.SpoolError:
        return b""
    assert leg.gaps == []
    found = b"".join(data for _, data in leg.segments)
    assert found == lab.tone(leg.samples)
    return found


def judged(root: Path, witness: Witness, tally: Tally) -> None:
    done = {told["call"]: told["samples"] for told in witness.lines("done")}
    assert len(done) == LEGS
    for call, durable in witness.acked().items():
        tally.acked += durable * MESSAGE
        assert len(whole(root / "spool", call)) == 2 * done[call]
        assert spool.read_leg(root / "spool", call, "agent").ended == "end"
    for told in witness.lines("phone"):
        lost_ms, own_ms = cut_off(root, told)
        tally.worst_ms, tally.own_ms = max(tally.worst_ms, lost_ms), max(tally.own_ms, own_ms)
        tally.phones += told["lost"]
    assert tally.missing == 0, tally


def cut_off(root: Path, told: dict[str, Any]) -> tuple[float, float]:
    """Milliseconds that are lost of a leg that never sends again; and without those that the machine stood still, by
    the witness's own lateness and the syncs of its book."""
    try:
        leg = spool.read_leg(root / "spool", told["call"], told["leg"])
    except spool.SpoolError:
        leg = LegAudio(8000, "slin", None, [], [], "never begun")  # died before it read the first packet
    heard = b"".join(data for _, data in leg.segments)
    assert heard == lab.tone(len(heard) // 2)
    missing = told["sent"] - len(heard) // 2
    if told["lost"] and leg.started_at is not None:
        start, samples, cause = leg.gaps[-1]
        assert (leg.ended, cause) == ("crash", "crash"), (told, leg.gaps)
        assert samples >= missing and start + samples == leg.samples
    return missing / 8, max(0.0, missing / 8 - told["slow_ms"])


@pytest.fixture
def tell(record_property: Callable[[str, object], None]) -> Callable[[Tally], None]:
    return lambda tally: record_property("summary", tally.text())


async def test_one_kill(tmp_path: Path, tell: Callable[[Tally], None]) -> None:
    tell(await killed_again_and_again(tmp_path, "gathered", 1))


@pytest.mark.slow
@pytest.mark.parametrize("point", POINTS)
async def test_six_kills(tmp_path: Path, point: str, tell: Callable[[Tally], None]) -> None:
    tally = await killed_again_and_again(tmp_path, point, KILLS)
    tell(tally)
    assert tally.own_ms <= LOST_MS, tally


@pytest.mark.slow
@pytest.mark.parametrize("point", POINTS)
async def test_each_of_two_killed(tmp_path: Path, point: str, tell: Callable[[Tally], None]) -> None:
    tally = await each_of_two_killed(tmp_path, point)
    tell(tally)
    assert tally.own_ms <= LOST_MS, tally
