"""A sender over AudioSocket that stops and goes on: what it did not send is missing where nothing came, on the wire."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from ingest import spool
from ingest.shell import rounds
from ingest.shell.client import AudioSocketClient
from ingest.shell.service import Ingest
from ingest.tokens import audiosocket_uuid
from tests.ingest import lab
from tests.ingest.test_leg_writer import STALLS, Clock
from tests.ingest.values import SECRET


async def heard(ingest: Ingest, now_s: float) -> None:
    """Until the only leg has taken what came at this instant."""
    async with asyncio.timeout(lab.WAIT_S):
        while not any(
            line._leg and line._leg._clock and line._leg._clock.frame_s == now_s for line in ingest._audio._lines
        ):
            await lab.tick()


@pytest.mark.parametrize(("talks", "holes"), STALLS)
async def test_what_a_stalled_sender_did_not_send_is_missing_where_nothing_came(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, talks: list[tuple[float, float]], holes: list[tuple[int, int]]
) -> None:
    """By the clock of ingest, moved by hand as each piece has arrived."""
    monkeypatch.setattr(rounds, "ROUND_S", 0.001)
    clock = Clock()
    ident = audiosocket_uuid(SECRET, "c1", "agent", "agent", lab.later())
    async with lab.running(tmp_path) as ingest:
        ingest.core.mono = clock
        async with AudioSocketClient("127.0.0.1", ingest.audiosocket_port, ident) as phone:
            for talk_s, stall_s in talks:
                for _ in range(round(talk_s * 10)):
                    clock.now_s += 0.1
                    await phone.send(lab.tone(800, phone.sent))
                    await heard(ingest, clock.now_s)
                clock.now_s += stall_s
        async with asyncio.timeout(lab.WAIT_S):
            while ingest._audio.open:
                await lab.tick()
        await ingest.flush()
        found = spool.read_leg(tmp_path, str(ident), "audiosocket")

    assert [(start // 8, count // 8, cause) for start, count, cause in found.gaps] == [
        (pytest.approx(start, abs=100), pytest.approx(ms, abs=100), "loss") for start, ms in holes
    ]  # the first packet of a piece came with the UUID, as if it were all that had sounded so far
    assert b"".join(data for _, data in found.segments) == lab.tone(phone.sent)
    assert found.ended == "eof"
