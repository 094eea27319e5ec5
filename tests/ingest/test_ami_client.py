"""The client of the manager port against a port of our own: log-in, lists, cuts, silence, and what is stored."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ingest.ami_names import AmiConfig
from ingest.errors import AmiError
from ingest.events import Event, Seat
from ingest.session import Call, fold_call
from ingest.shell import ami_client
from ingest.shell.ami_client import AmiClient, greet
from ingest.shell.last_word import LastWord
from ingest.taps import Tap
from ingest.waiting import Waiting
from tests.ingest import lab
from tests.ingest.ami_script import script
from tests.ingest.ami_server import SECRET, USER, Pbx, manager_port
from tests.ingest.test_ami_calls import CUSTOMER_ENDS, QUEUED, RINGS, TALKS
from tests.ingest.test_lab_ami import Kept
from tests.ingest.values import T0, moment


def config(pbx: Pbx, **own: Any) -> AmiConfig:
    return AmiConfig("pbx", "127.0.0.1", USER, SECRET, port=pbx.port, seats={"1001": "1", "1002": "2"}, **own)


class Floor:
    """A running client, and what has been stored of it."""

    def __init__(self, client: AmiClient, kept: Kept, ingest: Any) -> None:
        self.client, self.kept, self.ingest = client, kept, ingest
        self.taps: list[Tap] = []

    async def up(self) -> None:
        await asyncio.wait_for(self.client.up.wait(), lab.WAIT_S)

    async def events(self) -> list[Event]:
        await self.client.flush()
        await self.ingest.flush()
        return self.kept.events

    async def states(self, seat: str = "1") -> list[str]:
        await self.events()
        return self.stored(seat)

    def stored(self, seat: str = "1") -> list[str]:
        return [one.status for one in self.kept.events if isinstance(one, Seat) and one.seat == seat]

    async def until(self, status: str, seat: str = "1") -> list[str]:
        async with asyncio.timeout(lab.WAIT_S):
            while status not in (states := await self.states(seat)):
                await lab.tick()
        return states

    async def call(self, name: str = "pbx-100.1") -> Call:
        return fold_call(one for one in await self.events() if one.call == name)


@asynccontextmanager
async def floor(folder: Path, pbx: Pbx, **own: Any) -> AsyncIterator[Floor]:
    kept = Kept()
    async with lab.running(folder, sink=kept, now=lambda: T0) as ingest:
        taps: list[Tap] = []
        kept_at = own.pop("kept", None)
        client = AmiClient(config(pbx, **own), ingest.core, taps.append, lambda most: 0.02, kept_at)
        found = Floor(client, kept, ingest)
        found.taps = taps
        await client.start()
        yield found
        await client.stop()
        await ingest.flush()


async def test_a_call_from_the_wire_to_the_disk(tmp_path: Path) -> None:
    async with manager_port() as pbx:
        pbx.clock = T0.timestamp()
        async with floor(tmp_path, pbx) as found:
            await found.up()
            pbx.say(*script(TALKS + CUSTOMER_ENDS))
            await found.until("talking")
            async with asyncio.timeout(lab.WAIT_S):
                while (await found.call()).end is None:
                    await lab.tick()
            call = await found.call()
        states = found.stored()

    assert (call.end, call.seat, call.agent, call.ringing_at) == ("answered", "1", "Ann", moment(1.2))
    assert states == ["ready", "ringing", "talking", "ready", "unknown"]
    assert [one.role for one in found.taps] == ["customer", "agent"]


@pytest.mark.parametrize("challenges", [True, False])
async def test_the_secret_travels_only_where_no_challenge_is_offered(tmp_path: Path, challenges: bool) -> None:
    async with manager_port() as pbx:
        pbx.challenges = challenges
        async with floor(tmp_path, pbx) as found:
            await found.up()

    assert (SECRET.encode() in pbx.wire) is not challenges
    login = next(one for one in pbx.heard if one["Action"] == "Login")
    assert login["Events"] == "agent,call,reporting,dialplan"
    asked = {one["Action"] for one in pbx.heard}
    assert asked == {"Challenge", "Login", "Ping", "ListCommands", "QueueStatus", "CoreShowChannels", "DeviceStateList"}


async def test_a_cut_line_leaves_a_marked_hole_and_a_snapshot(tmp_path: Path) -> None:
    async with manager_port() as pbx:
        pbx.clock = T0.timestamp()
        async with floor(tmp_path, pbx) as found:
            await found.up()
            pbx.say(*script(QUEUED + RINGS))
            await found.until("ringing")
            found.client.up.clear()
            pbx.clock = moment(60).timestamp()
            pbx.lists["CoreShowChannels"] = [
                {
                    "Event": "CoreShowChannel",
                    "Channel": "PJSIP/trunk-0000000a",
                    "Uniqueid": "100.1",
                    "Linkedid": "100.1",
                    "ChannelState": "6",
                },
                {
                    "Event": "CoreShowChannel",
                    "Channel": "PJSIP/1001-0000000b",
                    "Uniqueid": "100.2",
                    "Linkedid": "100.1",
                    "ChannelState": "6",
                },
            ]
            await pbx.cut()
            await found.up()
            states = await found.until("talking")
            call = await found.call()
            events = await found.events()
    shown = [one for one in events if isinstance(one, Seat) and one.status == "talking"]

    assert states == ["ready", "ringing", "unknown", "talking"]
    assert shown[0].confidence == "snapshot" and shown[0].at == moment(60)
    assert call.clock_doubted  # nobody saw the answer: the ring has no length
    assert found.client.connects == 2


async def test_a_process_that_was_killed_leaves_a_marked_hole_to_the_next_one(tmp_path: Path) -> None:
    word = tmp_path / "pbx.heard"
    LastWord(word).keep(moment(-600))
    async with manager_port() as pbx:
        pbx.clock = T0.timestamp()
        async with floor(tmp_path, pbx, kept=word) as found:
            await found.up()
            told = [(one.at, one.status, one.reason) for one in await found.events() if isinstance(one, Seat)]
            pbx.say(*script(QUEUED + RINGS))
            await found.until("ringing")
            assert (LastWord(word).read() or T0) > moment(1.2)  # not before what was told last

    assert sorted(told) == [(moment(-600), "unknown", "not connected to the PBX"), (moment(0), "ready", None)]
    assert not word.exists()  # it ended as it should, and said so


async def test_the_queue_log_tells_the_calls_of_the_hole(tmp_path: Path) -> None:
    log, at = tmp_path / "queue_log", int(T0.timestamp())
    log.write_text("")
    async with manager_port() as pbx:
        pbx.clock = T0.timestamp()
        async with floor(tmp_path / "spool", pbx, queue_log=str(log)) as found:
            await found.up()
            found.client.up.clear()
            await pbx.cut()
            log.write_text(
                f"{at + 1}|100.1|sales|NONE|ENTERQUEUE||13912345678|1\n"
                f"{at + 8}|100.1|sales|Ann|CONNECT|7|100.2|6\n"
                f"{at + 20}|100.1|sales|Ann|COMPLETEAGENT|7|12|1\n"
            )
            pbx.clock = moment(60).timestamp()
            await found.up()
            call = await found.call()
            first = [one for one in await found.events() if one.call]

    assert (call.end, call.seat, call.agent, call.hung_up_by) == ("answered", "1", "Ann", "agent")
    assert (call.ringing_at, call.answered_at, call.number) == (moment(2), moment(8), "*******5678")
    assert {one.source for one in first} == {"pbx-log"}
    assert {one.extra["resolution_s"] for one in first} == {1}


async def test_a_log_that_cannot_be_read_leaves_the_hole(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with manager_port() as pbx, floor(tmp_path / "spool", pbx, queue_log=str(tmp_path / "none")) as found:
        await found.up()
        assert await found.states() == ["ready"]
    assert "stays unknown" in caplog.text


async def test_news_that_comes_between_the_lists_is_told_after_them(tmp_path: Path) -> None:
    """The list of channels was made before the call came: it must not end it."""
    async with manager_port() as pbx:
        pbx.clock = T0.timestamp()
        pbx.between = script(TALKS)
        async with floor(tmp_path, pbx) as found:
            await found.up()
            await found.until("talking")
            call = await found.call()

    assert call.ended_at is None and call.answered_at == moment(8.2)


async def test_a_pbx_that_is_starting_is_asked_again(tmp_path: Path) -> None:
    async with manager_port() as pbx:
        pbx.denied["QueueStatus"] = "Invalid/unknown command: QueueStatus. Use Action: ListCommands to show available"
        async with floor(tmp_path, pbx) as found:
            await pbx.until_asked("QueueStatus", 2)
            assert not found.client.up.is_set()
            pbx.denied.clear()
            await found.up()
            assert await found.states() == ["ready"]


async def test_rights_that_are_missing_or_too_many_are_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with manager_port() as pbx:
        pbx.may = ("Originate", "Command", "Ping")
        pbx.denied["CoreShowChannels"] = "Permission denied"
        async with floor(tmp_path, pbx) as found:
            await found.up()
            told = await greet(config(pbx))

    assert "may also Command, Originate" in told and "may also Command, Originate" in caplog.text
    assert "CoreShowChannels refused (Permission denied)" in caplog.text


async def test_a_wrong_secret_is_said_and_tried_again(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with manager_port() as pbx:
        with pytest.raises(AmiError, match="check user, secret and permit"):
            await greet(replace(config(pbx), secret="wrong"))
        async with floor(tmp_path, pbx) as found:
            found.client.config = replace(found.client.config, secret="wrong")
            await pbx.until_asked("Login", 3)
            assert not found.client.up.is_set()
            found.client.config = config(pbx)
            await found.up()
    assert caplog.text.count("log-in as 'qa' refused") == 1
    assert "wrong" not in caplog.text


@pytest.mark.parametrize("banner", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\0" * 70_000, b"x" * 70_000])
async def test_a_port_that_is_no_manager_port(tmp_path: Path, banner: bytes) -> None:
    async with manager_port() as pbx:
        pbx.banner, pbx.mute = banner, True
        async with floor(tmp_path, pbx) as found:
            await pbx.until_asked("Challenge", 2)
            assert not found.client.up.is_set()
        with pytest.raises(AmiError):
            await greet(config(pbx))


async def test_a_pbx_that_falls_silent_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, seconds in (("TICK_S", 0.05), ("PING_AFTER_S", 0.1), ("DEAD_AFTER_S", 0.3)):
        monkeypatch.setattr(ami_client, name, seconds)
    async with manager_port() as pbx, floor(tmp_path, pbx) as found:
        await found.up()
        await pbx.until_asked("Ping", 4)  # it answers, and is kept
        assert pbx.logged_in == 1
        pbx.mute = True
        await pbx.until_asked("Challenge", 2)
        assert "unknown" in await found.states()


async def test_events_without_a_time_are_said_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    bare = [{key: value for key, value in block.items() if key != "Timestamp"} for block in script(TALKS)]
    async with manager_port() as pbx, floor(tmp_path, pbx) as found:
        await found.up()
        pbx.say(*bare)
        await found.until("talking")
    assert caplog.text.count("timestampevents=yes") == 1


async def test_nothing_is_lost_while_the_spool_takes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ami_client, "RETRY_S", 0.05)
    async with manager_port() as pbx:
        pbx.clock = T0.timestamp()
        async with floor(tmp_path, pbx) as found:
            await found.up()
            await found.events()
            core, full = found.ingest.core, Waiting(1)
            room, core.spool._waiting = core.spool._waiting, full  # a queue without room
            pbx.say(*script(TALKS + CUSTOMER_ENDS))
            async with asyncio.timeout(lab.WAIT_S):
                while not core.counts["AMI events (waiting)"]:
                    await lab.tick()
            core.spool._waiting = room
            async with asyncio.timeout(lab.WAIT_S):
                while (await found.call()).end is None:
                    await lab.tick()
            call = await found.call()

    assert (call.end, call.ringing_at, call.answered_at) == ("answered", moment(1.2), moment(8.2))


def test_a_first_reconnect_comes_within_three_seconds() -> None:
    first, most = ami_client.JITTER_S
    waits = [min(most, first * 2 ** max(0, min(failed, 8) - 1)) for failed in range(8)]

    assert waits == [3, 3, 6, 12, 24, 30, 30, 30]


def test_the_config_hides_its_secret() -> None:
    assert SECRET not in repr(AmiConfig("pbx", "h", USER, SECRET))
