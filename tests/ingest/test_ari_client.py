"""Taps against a switchboard on a real port: heard, ended, cut off, refused, away, left behind by a dead process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from ingest import spool
from ingest.ari import AriConfig
from ingest.errors import AriError
from ingest.shell.ari_client import AriTaps, greet
from ingest.shell.service import Ingest
from ingest.taps import Tap
from tests.ingest import lab
from tests.ingest.ari_server import FRAMES, Switchboard, switchboard
from tests.ingest.lab import tone
from tests.ingest.values import SECRET, moment

CONFIG = AriConfig("pbx1", "", "taps", "right")
TAP = Tap("pbx1-17.0", "17.1", "agent", "17.1", moment(0), "1001")
OLD = "0f8f0e52-8a39-4d1c-9d0e-6a8f7a3f1b11"


@dataclass
class Hearing:
    board: Switchboard
    ingest: Ingest
    taps: AriTaps
    folder: Path

    async def until_quiet(self) -> None:
        await self.board.until(lambda: not self.taps.open and not self.ingest.core.open_legs.total())
        await self.ingest.flush()

    def told(self) -> list[dict[str, Any]]:
        return lab.stored_events(self.folder)


@asynccontextmanager
async def hearing(folder: Path, board: Switchboard) -> AsyncIterator[Hearing]:
    async with lab.running(folder) as ingest:
        config = replace(CONFIG, url=board.url, media_port=ingest.audiosocket_port)
        taps = AriTaps(config, ingest.core, SECRET)
        await taps.start()
        try:
            yield Hearing(board, ingest, taps, folder)
        finally:
            await taps.stop()


MEDIA = "POST /ari/channels/externalMedia"


async def test_a_leg_is_heard_bound_and_cleared_away(tmp_path: Path) -> None:
    async with switchboard(channels={"17.1"}) as board, hearing(tmp_path, board) as now:
        now.taps.want(TAP)  # before ARI has answered
        await board.until(lambda: now.taps.heard == 1)
        now.taps.want(TAP)
        await board.hang_up("17.1")
        await now.until_quiet()
        await board.until(lambda: not board.ours())
        leg, told = spool.read_leg(tmp_path, TAP.call, TAP.leg), now.told()

    assert (leg.role, leg.segments, leg.ended) == ("agent", [(0, tone(160 * FRAMES))], "eof")
    assert [(one["type"], one["call"], one["leg"], one["role"], one["seat"], one["channel"]) for one in told] == [
        ("leg", "pbx1-17.0", "17.1", "agent", "1001", "17.1")
    ]
    assert board.asked.count("POST /ari/channels/17.1/snoop") == 1


async def test_a_media_channel_that_breaks_off_is_made_again_as_a_leg_of_its_own(tmp_path: Path) -> None:
    async with switchboard(channels={"17.1"}) as board, hearing(tmp_path, board) as now:
        now.taps.want(TAP)
        await board.until(lambda: now.taps.heard == 1)
        await board.gone(next(name for name in board.channels if "-media-" in name))
        await board.until(lambda: board.asked.count(MEDIA) == 2 and now.taps.heard == 1)
        await board.hang_up("17.1")
        await now.until_quiet()
        await board.until(lambda: not board.ours())
        first, second = (spool.read_leg(tmp_path, TAP.call, leg) for leg in ("17.1", "17.1+2"))

    assert first.samples == second.samples == 160 * FRAMES
    assert first.role == second.role == "agent"


async def test_a_switchboard_that_refuses_is_asked_again_and_the_late_begin_is_told(tmp_path: Path) -> None:
    async with switchboard(channels={"17.1"}, failing={"externalMedia": 2}) as board, hearing(tmp_path, board) as now:
        now.taps.want(TAP)
        await board.until(lambda: now.taps.heard == 1)
        await now.ingest.flush()
        late = [one for one in now.told() if "gap" in one]

    assert [(one["gap"], one["leg"]) for one in late] == [("tap_late", "17.1")]
    assert late[0]["late_ms"] > 250
    assert not board.ours()


async def test_a_channel_that_is_gone_is_named_as_not_heard(tmp_path: Path) -> None:
    async with switchboard() as board, hearing(tmp_path, board) as now:
        now.taps.want(TAP)
        await now.until_quiet()
        told = [one for one in now.told() if "gap" in one]

    assert [(one["gap"], one["why"]) for one in told] == [("no_tap", 'snoop: 404 {"message": "Channel not found"}')]


async def test_what_a_dead_process_left_goes_and_others_channels_stay(tmp_path: Path) -> None:
    left = {f"seatwatch-{part}-dead-{OLD}" for part in ("snoop", "media")}
    bridges = {f"seatwatch-mix-dead-{OLD}", "theirs"}
    async with switchboard(channels={"17.1", *left}, bridges=bridges) as board, hearing(tmp_path, board):
        await board.until(lambda: not board.ours())

    assert (board.channels, board.bridges) == ({"17.1"}, {"theirs"})


async def test_a_socket_of_events_that_breaks_leaves_what_is_heard_alone(tmp_path: Path) -> None:
    async with switchboard(channels={"17.1"}) as board, hearing(tmp_path, board) as now:
        now.taps.want(TAP)
        await board.until(lambda: now.taps.heard == 1)
        await board.sockets[0].close()
        await board.until(lambda: board.logins == 2 and now.taps.up.is_set())
        assert now.taps.heard == 1
        await board.hang_up("17.1")
        await now.until_quiet()
        assert board.asked.count("POST /ari/channels/17.1/snoop") == 1


async def test_a_stop_in_mid_call_takes_the_tap_away_and_leaves_the_call(tmp_path: Path) -> None:
    async with switchboard(channels={"17.1"}) as board:
        async with hearing(tmp_path, board) as now:
            now.taps.want(TAP)
            await board.until(lambda: now.taps.heard == 1)
        assert board.channels == {"17.1"}
        assert board.bridges == set()


async def test_a_wrong_password_is_said_and_the_taps_wait(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with switchboard() as board, lab.running(tmp_path) as ingest:
        wrong = replace(CONFIG, url=board.url, secret="wrong")
        taps = AriTaps(wrong, ingest.core, SECRET)
        await taps.start()
        taps.want(TAP)
        async with asyncio.timeout(10):
            while "user or password is wrong" not in caplog.text:
                await lab.tick()
        await taps.stop()
        await ingest.flush()
        assert [one["gap"] for one in lab.stored_events(tmp_path)] == ["no_tap"]
        with pytest.raises(AriError, match="'taps' or its password is wrong"):
            await greet(wrong)
    with pytest.raises(AriError, match="is ARI enabled there"):
        await greet(replace(CONFIG, url="http://127.0.0.1:9"))
