"""One ingest process on real sockets: events, both audio ways, their abuse, restart and failure."""

from __future__ import annotations

import asyncio
import io
import json
import resource
from dataclasses import replace
from datetime import datetime
from ipaddress import ip_network
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import aiohttp
import pytest

from ingest import spool
from ingest.audiosocket import HANGUP, IDENT, packet
from ingest.errors import ClientError, OpenToAll, PortTaken, Refused, SpoolFailed, SpoolLocked
from ingest.pace import BURST_S
from ingest.rows import ROW_OVERHEAD
from ingest.session import fold_call
from ingest.shell.audiosocket_server import SocketLimits
from ingest.shell.client import AudioSocketClient, post_events
from ingest.shell.service import Ingest, IngestConfig
from ingest.sources import ANY, Source, Sources
from ingest.stream import FENCED, OVER, PROTOCOL, TOKEN, Clock, Hello, Piece, write_clock, write_hello, write_piece
from ingest.tokens import audiosocket_uuid
from tests.ingest import lab
from tests.ingest.test_spool import spoil
from tests.ingest.test_tail import Kept
from tests.ingest.values import SECRET, T0, event, raw


async def stored(folder: Path, call: str, leg: str, ended: str) -> spool.LegAudio:
    """The leg, once its end is on disk."""
    async with asyncio.timeout(lab.WAIT_S):
        while True:
            try:
                found = spool.read_leg(folder, call, leg)
            except spool.SpoolError:
                found = None
            if found is not None and found.ended is not None:
                assert found.ended == ended
                return found
            await lab.tick()


async def post(url: str, body: bytes, **headers: str) -> tuple[int, dict[str, Any]]:
    async with (
        aiohttp.ClientSession() as http,
        http.post(f"{url}/events", data=io.BytesIO(body), headers=headers) as answer,
    ):
        told: dict[str, Any] = await answer.json()
        return answer.status, told


async def test_events_are_answered_after_commit_and_carried_to_the_sink(tmp_path: Path) -> None:
    sink = Kept()
    async with lab.running(tmp_path, sink=sink) as ingest:
        told = await post_events(
            lab.url(ingest), [raw("offered"), raw("ringing", 1), raw("ringing", 1), raw("hold", 2)]
        )
        again = await post_events(lab.url(ingest), [raw("offered"), raw("offered", number="other")])
        await ingest.flush()

    assert told == {
        "accepted": 2,
        "duplicates": 1,
        "refused": [{"index": 3, "field": "type", "reason": told["refused"][0]["reason"]}],
    }
    assert (again["accepted"], again["duplicates"], again["refused"][0]["field"]) == (0, 1, "id")
    assert [json.loads(row.payload)["type"] for row in sink.rows] == ["offered", "ringing"]


async def test_events_out_of_order_and_twice_make_the_same_call(tmp_path: Path) -> None:
    sink = Kept()
    events = [raw("offered", 0, direction="in"), raw("ringing", 1), raw("answered", 8), raw("ended", 60, by="agent")]
    async with lab.running(tmp_path, sink=sink) as ingest:
        await post_events(lab.url(ingest), [events[3], events[1], events[1]])
        await post_events(lab.url(ingest), [events[2], events[0], events[3]])
        await ingest.flush()
    kept = [json.loads(row.payload) for row in sink.rows]

    assert sorted(kept, key=lambda one: one["at"]) == events
    assert fold_call([event(**_arguments(one)) for one in kept]).end == "answered"


def _arguments(one: dict[str, Any]) -> dict[str, Any]:
    return {"kind": one["type"], **{key: one[key] for key in one.keys() - {"type", "at"}}, "at": _seconds(one["at"])}


def _seconds(at: str) -> float:
    return (datetime.fromisoformat(at) - T0).total_seconds()


@pytest.mark.parametrize(
    ("body", "status", "says"),
    [
        (b"", 400, "is empty"),
        (b"\xff", 400, "no UTF-8"),
        (b"[" * 30_000, 400, "nested too deeply"),
        (b"\n".join([b"{}"] * 1001), 413, "at most 1000"),
        (b" " * (4 * 1024 * 1024 + 2), 413, "4194304"),
    ],
)
async def test_a_bad_body_gets_a_clear_answer(tmp_path: Path, body: bytes, status: int, says: str) -> None:
    async with lab.running(tmp_path) as ingest:
        got, told = await post(lab.url(ingest), body)
        assert (got, says in told["error"]) == (status, True)
        assert (await post_events(lab.url(ingest), [raw("offered")]))["accepted"] == 1


def known(**keys: str) -> Sources:
    return Sources(Source(name, (key,)) for name, key in keys.items())


async def test_a_source_may_have_two_keys_while_they_change(tmp_path: Path) -> None:
    async with lab.running(tmp_path, sources=Sources([Source("pbx", ("old", "new"))])) as ingest:
        for key in ("old", "new"):
            assert (await post_events(lab.url(ingest), [raw("offered", id=key)], key=key))["accepted"] == 1


@pytest.mark.parametrize(
    ("source", "says"),
    [
        (Source("pbx", ("k",), ways=frozenset({"pcm"})), "may not send by events"),
        (Source("pbx", ("k",), networks=(ip_network("10.0.0.0/8"),)), "may not send from 127.0.0.1"),
    ],
)
async def test_a_source_keeps_to_its_ways_and_networks(tmp_path: Path, source: Source, says: str) -> None:
    async with lab.running(tmp_path, sources=Sources([source])) as ingest:
        status, told = await post(lab.url(ingest), json.dumps(raw("offered")).encode(), Authorization="Bearer k")
        assert (status, says in told["error"]) == (403, True)


async def test_a_source_that_floods_is_told_to_wait(tmp_path: Path) -> None:
    sources = Sources([Source("pbx", ("k",), events_per_second=3), Source("door", ("d",))])
    async with lab.running(tmp_path, sources=sources) as ingest:
        body = b"\n".join(json.dumps(raw("offered", id=f"e{n}")).encode() for n in range(12))
        told = [(await post(lab.url(ingest), body, Authorization="Bearer k"))[0] for _ in range(2)]
        assert (told[0], told[-1]) == (429, 429) and ingest.core.counts["event refused"] == 0
        assert (await post_events(lab.url(ingest), [raw("offered")], key="k"))["accepted"] == 1
        assert (await post_events(lab.url(ingest), [raw("presence", source="door")], key="d"))["accepted"] == 1


async def test_a_source_writes_with_its_own_key_only(tmp_path: Path) -> None:
    async with lab.running(tmp_path, sources=known(pbx="k-pbx", door="k-door")) as ingest:
        with pytest.raises(Refused, match="no key that is known"):
            await post_events(lab.url(ingest), [raw("offered")])
        told = await post_events(lab.url(ingest), [raw("offered")], key="k-door")
        assert told["refused"][0]["field"] == "source"
        assert (await post_events(lab.url(ingest), [raw("offered")], key="k-pbx"))["accepted"] == 1


async def test_a_key_for_all_sources_writes_any(tmp_path: Path) -> None:
    async with lab.running(tmp_path, sources=known(**{ANY: "k-all", "door": "k-door"})) as ingest:
        both = [raw("offered"), raw("presence", source="door")]
        assert (await post_events(lab.url(ingest), both, key="k-all"))["accepted"] == 2
        with pytest.raises(Refused, match="no key that is known"):
            await post_events(lab.url(ingest), both)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "http://evil.example"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Host": "evil.example"}, 421),
    ],
)
async def test_a_web_page_can_neither_post_nor_stream(tmp_path: Path, headers: dict[str, str], status: int) -> None:
    async with lab.running(tmp_path) as ingest, aiohttp.ClientSession(headers=headers) as http:
        body = json.dumps(raw("presence")).encode()
        got, told = await post(lab.url(ingest), body, **headers, **{"Content-Type": "text/plain"})
        assert (got, told["error"].partition(":")[0]) == (status, "Host" if status == 421 else "Origin")
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await http.ws_connect(f"{lab.url(ingest)}/stream")
        assert refused.value.status == status
        assert ingest.core.counts["origin"] == 2
        await ingest.flush()
    assert spool.files(tmp_path) == []


async def test_behind_a_key_a_server_has_any_name(tmp_path: Path) -> None:
    async with lab.running(tmp_path, sources=known(pbx="k")) as ingest:
        own = {"Host": "ingest.example", "Authorization": "Bearer k"}
        assert (await post(lab.url(ingest), json.dumps(raw("offered")).encode(), **own))[0] == 200


async def test_a_sender_that_the_server_does_not_take_from_there_gives_up(tmp_path: Path) -> None:
    async with lab.running(tmp_path) as ingest:
        elsewhere = lab.url(ingest).replace("127.0.0.1", "0.0.0.0")  # reaches this machine, and is no loopback name
        async with lab.client(elsewhere, lab.hello()) as sender:
            with pytest.raises(Refused, match="421"):
                await sender.finish()


async def test_an_address_of_others_is_not_listened_on_without_a_key(tmp_path: Path) -> None:
    with pytest.raises(OpenToAll, match="give them a source key"):
        await Ingest(IngestConfig(tmp_path / "a", SECRET, host="0.0.0.0", http_port=0, audiosocket_port=0)).start()
    assert not (tmp_path / "a").exists()
    async with lab.running(tmp_path / "a", host="0.0.0.0", sources=known(pbx="k")) as ingest:
        assert (await post_events(lab.url(ingest), [raw("offered")], key="k"))["accepted"] == 1


async def test_too_few_descriptors_are_said_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(1000, before[0]), before[1]))
    try:
        async with lab.running(tmp_path):
            said = [line for line in caplog.messages if line.startswith("open files")]
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)

    assert len(said) == 1
    assert "1024 or more" in said[0]


async def test_one_uuid_stands_for_one_leg_also_within_a_request(tmp_path: Path) -> None:
    audio = {"audiosocket": str(uuid4())}
    sink = Kept()
    async with lab.running(tmp_path, sink=sink) as ingest:
        told = await post_events(
            lab.url(ingest),
            [
                raw("leg", audio=audio), raw("leg", 1, audio=audio, leg="customer"), raw("offered"),
                raw("leg", 2, audio=audio | {"stream": "tok"}), raw("held", seq=-1), raw("held", seat="1\u202e2"),
            ],
        )  # fmt: skip
        await ingest.flush()

    assert (told["accepted"], [(one["index"], one["field"]) for one in told["refused"]]) == (
        2,
        [(1, "audio"), (3, "audio"), (4, "seq"), (5, "seat")],
    )
    assert [(row.call, row.leg) for row in sink.rows if json.loads(row.payload)["type"] == "leg"] == [("c1", "agent")]


async def test_a_leg_over_stream_is_durable_when_it_is_finished(tmp_path: Path) -> None:
    async with lab.running(tmp_path) as ingest:
        async with lab.client(lab.url(ingest), lab.hello()) as sender:
            for at in range(0, 16000, 800):
                await sender.send(lab.tone(800, at))
            await sender.gap(1600, "pause")
            await sender.send(lab.tone(800, 17600))
            await sender.finish()
        leg = spool.read_leg(tmp_path, "c1", "agent")

    assert leg.segments == [(0, lab.tone(16000)), (17600, lab.tone(800, 17600))]
    assert (leg.gaps, leg.ended, leg.samples) == ([(16000, 1600, "pause")], "end", 18400)


async def test_a_lost_connection_is_no_end_and_the_sender_goes_on(tmp_path: Path) -> None:
    async with lab.running(tmp_path) as first:
        port = first.http_port
        sender = lab.client(lab.url(first), lab.hello())
        await sender.__aenter__()
        await sender.send(lab.tone(800))
        await sender.durable()
    await sender.send(lab.tone(800, 800))
    assert spool.read_leg(tmp_path, "c1", "agent").ended is None
    async with Ingest(IngestConfig(tmp_path, SECRET, http_port=port, audiosocket_port=0)):
        await sender.finish()
        await sender.__aexit__()

    leg = spool.read_leg(tmp_path, "c1", "agent")
    assert (leg.segments, leg.gaps, leg.ended) == ([(0, lab.tone(1600))], [], "end")
    assert sender.progress.connects == 2


async def test_a_live_sender_that_nobody_takes_declares_what_it_dropped(tmp_path: Path) -> None:
    async with lab.running(tmp_path) as first:
        port = first.http_port
    sender = lab.client(f"http://127.0.0.1:{port}", lab.hello(), live=True, ring_seconds=1)
    async with sender:
        for at in range(0, 16000, 800):
            await sender.send(lab.tone(800, at))
        async with Ingest(IngestConfig(tmp_path, SECRET, http_port=port, audiosocket_port=0)):
            await sender.finish()

    leg = spool.read_leg(tmp_path, "c1", "agent")
    assert (leg.gaps, leg.segments) == ([(0, 8000, "overrun")], [(8000, lab.tone(8000, 8000))])
    assert sender.progress.dropped == 8000


async def test_a_sender_that_does_not_come_back_is_ended_with_the_reason(tmp_path: Path) -> None:
    greeting = lab.hello()  # one token: another one may not write this leg
    async with lab.running(tmp_path, reap_seconds=0.1) as ingest:
        async with lab.client(lab.url(ingest), greeting) as sender:
            await sender.send(lab.tone(800))
            await sender.durable()
        assert (await stored(tmp_path, "c1", "agent", "disconnected")).samples == 800
        async with lab.client(lab.url(ingest), greeting) as late:
            await late.send(lab.tone(800))
            await late.send(lab.tone(800, 800))
            with pytest.raises(Refused, match=str(OVER)):
                await late.finish()


async def test_a_sender_that_comes_back_only_to_finish_gets_its_final_acknowledgement(tmp_path: Path) -> None:
    """Hello and end in one go: the welcome must not swallow the news that the leg is over."""
    async with lab.running(tmp_path) as ingest:
        greeting = write_hello(lab.hello())
        async with Socket(lab.url(ingest)) as first:
            await first.say(greeting)
            assert (await first.hear())["type"] == "welcome"
            await first.say(GOOD)
            assert (await first.hear())["durable"] == 1
        for _ in range(2):
            async with Socket(lab.url(ingest)) as again:
                await again.say(greeting)
                await again.say('{"type": "end", "seq": 1}')
                assert await again.hear() == {"type": "welcome", "v": 1, "durable": 1, "sample": 2}
                assert await again.hear() == {"type": "ack", "durable": 1, "final": True}


async def test_a_newer_epoch_takes_the_leg_and_the_older_writer_is_closed(tmp_path: Path) -> None:
    async with lab.running(tmp_path) as ingest:
        async with lab.client(lab.url(ingest), lab.hello()) as old:
            await old.send(lab.tone(800))
            await old.durable()
            async with Socket(lab.url(ingest)) as new:
                await new.say(write_hello(lab.hello(epoch=2)))
                assert (await new.hear())["durable"] == 1
                await new.say(write_piece(Piece(2, 800, lab.tone(800, 800))))
                assert await new.hear() == {"type": "ack", "durable": 2}
                with pytest.raises(Refused, match=str(FENCED)):
                    await old.finish()
        leg = spool.read_leg(tmp_path, "c1", "agent")

    assert leg.segments == [(0, lab.tone(1600))]


class Socket:
    """A raw connection to /stream, for what no honest client sends."""

    def __init__(self, url: str) -> None:
        self._url = url + "/stream"

    async def __aenter__(self) -> Socket:
        self._http = aiohttp.ClientSession()
        self.ws = await self._http.ws_connect(self._url)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.ws.close()
        await self._http.close()

    async def say(self, message: str | bytes) -> None:
        await (self.ws.send_str(message) if isinstance(message, str) else self.ws.send_bytes(message))

    async def hear(self) -> dict[str, Any]:
        told: dict[str, Any] = await self.ws.receive_json(timeout=lab.WAIT_S)
        return told

    async def refused(self, code: int) -> str:
        """The reason that came before the connection was closed with *code*."""
        why = ""
        while True:
            frame = await self.ws.receive(timeout=lab.WAIT_S)
            if frame.type is not aiohttp.WSMsgType.TEXT:
                break
            told = json.loads(frame.data)
            why = told.get("why", why)
        assert self.ws.close_code == code, (self.ws.close_code, why)
        return why


GOOD = write_piece(Piece(1, 0, b"abcd"))


@pytest.mark.parametrize(
    ("messages", "code", "says"),
    [
        (["[" * 4000], PROTOCOL, "nested too deeply"),
        ([GOOD], PROTOCOL, "is no hello"),
        (["hello", "hello"], PROTOCOL, "once a connection"),
        (["hello", write_piece(Piece(5, 0, b"abcd"))], PROTOCOL, "send without holes"),
        (["hello", GOOD, write_piece(Piece(1, 0, b"xxxx"))], PROTOCOL, "other bytes"),
        (["hello", write_piece(Piece(1, 0, b"abc"))], PROTOCOL, "no whole samples"),
        (["hello", '{"type": "end", "seq": 7}'], PROTOCOL, "send what is missing"),
        (["hello", bytes(16 + 64 * 1024 + 1)], 1009, ""),
    ],
)
async def test_a_stream_that_breaks_the_protocol_is_told_and_closed(
    tmp_path: Path, messages: list[str | bytes], code: int, says: str
) -> None:
    async with lab.running(tmp_path) as ingest:
        async with Socket(lab.url(ingest)) as socket:
            for message in messages:
                await socket.say(write_hello(lab.hello()) if message == "hello" else message)
            assert says in await socket.refused(code)
        async with lab.client(lab.url(ingest), lab.hello("c2")) as other:
            await other.send(lab.tone(800))
            await other.finish()


@pytest.mark.parametrize(
    "greeting",
    [
        lab.hello(token="guess"),
        replace(lab.hello(), call="c2"),
        replace(lab.hello(), leg="customer", role="customer"),
    ],
)
async def test_a_token_opens_its_own_leg_only(tmp_path: Path, greeting: Hello) -> None:
    async with lab.running(tmp_path) as ingest, lab.client(lab.url(ingest), greeting) as sender:
        with pytest.raises(Refused, match=str(TOKEN)):
            await sender.finish()
        assert ingest.core.counts["stream"] == 1


KEYED = Source("acd", keys=("secret-of-the-acd",), ways=frozenset({"stream"}), legs=1)
ELSEWHERE = Source("acd", keys=("secret-of-the-acd",), networks=(ip_network("10.0.0.0/8"),))


@pytest.mark.parametrize(
    ("source", "key", "writes", "says"),
    [
        (KEYED, None, "stream", ""),
        (KEYED, "secret-of-the-acd", "acd", ""),
        (KEYED, None, "acd", str(TOKEN)),
        (KEYED, "secret-of-the-acd", "stream", str(TOKEN)),
        (KEYED, "guessed", "acd", "401"),
        (replace(KEYED, ways=frozenset({"events"})), "secret-of-the-acd", "acd", "403"),
        (replace(KEYED, ways=frozenset({"events"})), None, "stream", "403"),
        (ELSEWHERE, None, "stream", "403"),
        (ELSEWHERE, "secret-of-the-acd", "acd", "403"),
    ],
)
async def test_a_stream_keeps_to_what_its_source_may(
    tmp_path: Path, source: Source, key: str | None, writes: str, says: str
) -> None:
    """The token opens the leg; ways, networks and names of sources hold on /stream as anywhere."""
    async with (
        lab.running(tmp_path, sources=Sources([source])) as ingest,
        lab.client(lab.url(ingest), lab.hello(source=writes), key=key) as sender,
    ):
        if says:
            with pytest.raises(Refused, match=says):
                await sender.finish()
        else:
            await sender.send(lab.tone(800))
            await sender.finish()


async def test_a_source_streams_no_more_legs_than_it_may(tmp_path: Path) -> None:
    own = {"Authorization": f"Bearer {KEYED.keys[0]}"}
    async with (
        lab.running(tmp_path, sources=Sources([KEYED])) as ingest,
        aiohttp.ClientSession(headers=own) as http,
        http.ws_connect(lab.url(ingest) + "/stream"),
    ):
        with pytest.raises(aiohttp.WSServerHandshakeError) as told:
            await http.ws_connect(lab.url(ingest) + "/stream")
    assert told.value.status == 503


async def test_words_beside_the_audio_are_slowed_like_audio(tmp_path: Path) -> None:
    """A flood of clock reports is read no faster than a leg may sound."""
    burst = int(8000 * 2 * BURST_S) // ROW_OVERHEAD + 1
    async with lab.running(tmp_path) as ingest, Socket(lab.url(ingest)) as flood:
        ingest.core.mono = lambda: 7.0  # no time passes: only the burst is read at once
        await flood.say(write_hello(lab.hello()))
        assert (await flood.hear())["type"] == "welcome"
        for number in range(3 * burst):
            await flood.say(write_clock(Clock(number, lab.later())))
        async with asyncio.timeout(lab.WAIT_S):
            while clock_rows(tmp_path) < burst:
                await lab.tick()
        async with lab.client(lab.url(ingest), lab.hello("c2")) as another:
            await another.send(lab.tone(800))
            await another.finish()
        assert clock_rows(tmp_path) < 2 * burst


def clock_rows(folder: Path) -> int:
    """Reports of clocks that are on disk."""
    count = 0
    for path in spool.all_files(folder):
        reader = spool.Reader(path)
        count += sum(row.kind == "clock" for row in reader.after(0)[1])
        reader.close()
    return count


async def test_a_second_token_cannot_take_a_leg_that_is_being_written(tmp_path: Path) -> None:
    async with lab.running(tmp_path) as ingest:
        first = [
            raw("leg", audio={"stream": "one"}, role="agent"),
            raw("leg", 1, audio={"stream": "two"}, role="agent"),
        ]
        assert (await post_events(lab.url(ingest), first))["accepted"] == 2
        async with lab.client(lab.url(ingest), lab.hello(token="one")) as sender:
            await sender.send(lab.tone(800))
            await sender.durable()
            async with lab.client(lab.url(ingest), lab.hello(token="two")) as thief:
                with pytest.raises(Refused, match="another token writes this leg"):
                    await thief.finish()
            await sender.finish()


async def test_a_leg_over_audiosocket_is_stored_under_its_call(tmp_path: Path) -> None:
    ident = audiosocket_uuid(SECRET, "c1", "agent", "agent", lab.later())
    leg_event = raw("leg", role="agent", audio={"audiosocket": str(ident)})
    async with lab.running(tmp_path) as ingest:
        await post_events(lab.url(ingest), [leg_event])
        async with AudioSocketClient("127.0.0.1", ingest.audiosocket_port, ident) as phone:
            await phone.send(lab.tone(8000))
            await phone.hang_up()
        leg = await stored(tmp_path, "c1", "agent", "hangup")

    assert (leg.segments, leg.role, leg.rate) == ([(0, lab.tone(8000))], "agent", 8000)


async def test_a_leg_that_is_bound_later_is_found_then(tmp_path: Path) -> None:
    ident = audiosocket_uuid(SECRET, "c1", "agent", "agent", lab.later())
    async with lab.running(tmp_path) as ingest:
        async with AudioSocketClient("127.0.0.1", ingest.audiosocket_port, ident) as phone:
            await phone.send(lab.tone(800))
        await stored(tmp_path, str(ident), "audiosocket", "eof")
        await post_events(lab.url(ingest), [raw("leg", role="agent", audio={"audiosocket": str(ident)})])

        assert spool.read_leg(tmp_path, "c1", "agent").segments == [(0, lab.tone(800))]


async def talk(port: int, data: bytes, half_close: bool = True) -> bytes:
    """Send bytes to the AudioSocket port; what came back until it closed."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(data)
    if half_close:
        writer.write_eof()
    try:
        return await asyncio.wait_for(reader.read(), lab.WAIT_S)
    except ConnectionResetError:
        return b""
    finally:
        await lab.hang_up(writer)


@pytest.mark.parametrize(
    "garbage",
    [
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"\x00" * 100,
        b"\xff" * 5000,
        packet(IDENT, UUID(int=0xB2_29_BF_EC_06_32_42_FA_AD_F1_B1_46_15_FD_FA_F8).bytes),
        packet(IDENT, bytes(16)),
        packet(IDENT, b"short"),
        b"\x01\x00\x10abc",
        b"",
    ],
)
async def test_garbage_on_the_audiosocket_port_is_counted_and_stores_nothing(tmp_path: Path, garbage: bytes) -> None:
    async with lab.running(tmp_path) as ingest:
        assert await talk(ingest.audiosocket_port, garbage) == b""
        assert ingest.core.counts["audiosocket"] == 1
        await ingest.flush()
        assert ingest.spool.state == "ok"
    assert spool.files(tmp_path) == []


@pytest.mark.parametrize(
    ("tail", "ended"),
    [
        (packet(0x10, lab.tone(160, 160))[:100], "truncated"),
        (b"\x10\xff\xff", "error"),
        (packet(IDENT, bytes(16)), "error"),
        (packet(0x12, b"abcd"), "error"),
        (packet(0x99, b"x" * 70), "eof"),
        (packet(0x99, b"x" * 60_000), "error"),
        (packet(HANGUP) + b"rubbish", "hangup"),
    ],
)
async def test_what_came_before_a_fault_is_kept_with_the_cause(tmp_path: Path, tail: bytes, ended: str) -> None:
    ident = audiosocket_uuid(SECRET, "c1", "agent", "agent", lab.later())
    async with lab.running(tmp_path) as ingest:
        await talk(ingest.audiosocket_port, packet(IDENT, ident.bytes) + packet(0x10, lab.tone(160)) + tail)
        leg = await stored(tmp_path, str(ident), "audiosocket", ended)

    assert leg.segments == [(0, lab.tone(160))]


async def test_a_uuid_is_used_once(tmp_path: Path) -> None:
    ident = audiosocket_uuid(SECRET, "c1", "agent", "agent", lab.later())
    async with lab.running(tmp_path) as ingest:
        hello = packet(IDENT, ident.bytes) + packet(0x10, lab.tone(160))
        await talk(ingest.audiosocket_port, hello)
        await talk(ingest.audiosocket_port, hello)
        assert ingest.core.counts["audiosocket"] == 1
    async with lab.running(tmp_path) as ingest:
        await talk(ingest.audiosocket_port, hello)
        assert ingest.core.counts["audiosocket"] == 1

    assert spool.read_leg(tmp_path, str(ident), "audiosocket").samples == 160


async def test_a_silent_peer_is_closed_in_time(tmp_path: Path) -> None:
    ident = audiosocket_uuid(SECRET, "c1", "agent", "agent", lab.later())
    limits = SocketLimits(ident_seconds=0.05, idle_seconds=0.05)
    async with lab.running(tmp_path, sockets=limits) as ingest:
        assert await talk(ingest.audiosocket_port, b"\x01\x00", half_close=False) == b""
        assert await talk(ingest.audiosocket_port, packet(IDENT, ident.bytes), half_close=False) == b""
        assert (await stored(tmp_path, str(ident), "audiosocket", "idle")).samples == 0


async def test_a_tap_of_ours_that_brings_no_audio_is_let_go_soon(tmp_path: Path) -> None:
    """Its bridge has no sound: made anew at once, little of the greeting is missing."""
    ident = audiosocket_uuid(SECRET, "c1", "agent", "agent", lab.later())
    async with lab.running(tmp_path, sockets=SocketLimits(idle_seconds=600, prompt_seconds=0.05)) as ingest:
        ingest.core.prompt.add(str(ident))
        assert await talk(ingest.audiosocket_port, packet(IDENT, ident.bytes), half_close=False) == b""
        assert (await stored(tmp_path, str(ident), "audiosocket", "idle")).samples == 0


async def test_a_tap_of_ours_is_woken_until_it_sounds(tmp_path: Path) -> None:
    """Asterisk's own read of the socket, which nobody ever answers, may keep a tap from its bridge."""
    ident = audiosocket_uuid(SECRET, "c1", "agent", "agent", lab.later())
    async with lab.running(tmp_path, sockets=SocketLimits(nudge_seconds=0.02)) as ingest:
        ingest.core.prompt.add(str(ident))
        reader, writer = await asyncio.open_connection("127.0.0.1", ingest.audiosocket_port)
        writer.write(packet(IDENT, ident.bytes))
        for _ in range(2):
            assert await asyncio.wait_for(reader.readexactly(323), lab.WAIT_S) == packet(0x10, bytes(320))
        writer.write(packet(0x10, lab.tone(160)))
        writer.write_eof()
        await asyncio.wait_for(reader.read(), lab.WAIT_S)
        await lab.hang_up(writer)
        assert (await stored(tmp_path, str(ident), "audiosocket", "eof")).samples == 160


async def test_nobody_else_is_sent_anything(tmp_path: Path) -> None:
    """Where AudioSocket stands in the call, the party would hear it."""
    ident = audiosocket_uuid(SECRET, "c1", "agent", "agent", lab.later())
    limits = SocketLimits(nudge_seconds=0.01, idle_seconds=0.2)
    async with lab.running(tmp_path, sockets=limits) as ingest:
        assert await talk(ingest.audiosocket_port, packet(IDENT, ident.bytes), half_close=False) == b""


async def test_audio_faster_than_it_can_sound_is_cut(tmp_path: Path) -> None:
    ident = audiosocket_uuid(SECRET, "c1", "agent", "agent", lab.later())
    async with lab.running(tmp_path) as ingest:
        frames = b"".join(packet(0x10, lab.tone(1600, at)) for at in range(0, 80_000, 1600))
        await talk(ingest.audiosocket_port, packet(IDENT, ident.bytes) + frames)
        leg = await stored(tmp_path, str(ident), "audiosocket", "error")

    assert 40_000 <= leg.samples < 60_000


def begun(folder: Path, call: str) -> bool:
    try:
        return spool.read_leg(folder, call, "audiosocket").started_at is not None
    except spool.SpoolError:
        return False


async def test_stopping_ends_the_legs_that_cannot_come_back(tmp_path: Path) -> None:
    ident = UUID(str(audiosocket_uuid(SECRET, "c1", "agent", "agent", lab.later())))
    async with lab.running(tmp_path) as ingest:
        phone = AudioSocketClient("127.0.0.1", ingest.audiosocket_port, ident)
        await phone.__aenter__()
        await phone.send(lab.tone(800))
        async with asyncio.timeout(lab.WAIT_S):
            while not begun(tmp_path, str(ident)):
                await ingest.flush()
    leg = await stored(tmp_path, str(ident), "audiosocket", "shutdown")
    assert leg.segments in ([(0, lab.tone(800))], [])
    await lab.hang_up(phone._writer)


async def test_a_taken_port_says_what_to_do(tmp_path: Path) -> None:
    async with lab.running(tmp_path / "a") as first:
        config = IngestConfig(tmp_path / "b", SECRET, http_port=first.http_port, audiosocket_port=0)
        with pytest.raises(PortTaken, match=f"port {first.http_port} on 127.0.0.1: .*set another port"):
            await Ingest(config).start()
        with pytest.raises(SpoolLocked):
            await Ingest(IngestConfig(tmp_path / "a", SECRET, http_port=0, audiosocket_port=0)).start()
    async with lab.running(tmp_path / "b"):
        pass


async def test_a_failing_disk_ends_the_process_and_acknowledges_nothing(tmp_path: Path) -> None:
    ingest = Ingest(IngestConfig(tmp_path, SECRET, http_port=0, audiosocket_port=0))
    await ingest.start()
    live = tmp_path / f"{ingest.spool.live_id}.db"
    spoil(live, "CREATE TRIGGER broken BEFORE INSERT ON rows BEGIN SELECT RAISE(ABORT, 'disk on fire'); END")
    waiting = asyncio.create_task(post_events(lab.url(ingest), [raw("offered")]))

    with pytest.raises(SpoolFailed, match="check the disk and start again"):
        await asyncio.wait_for(ingest.failed(), lab.WAIT_S)
    with pytest.raises(ClientError, match="503"):
        await waiting
    async with aiohttp.ClientSession() as http, http.get(f"{lab.url(ingest)}/healthz") as answer:
        assert (answer.status, (await answer.json())["spool"]) == (503, "failed")
    await ingest.stop()


async def test_health_tells_how_it_is(tmp_path: Path) -> None:
    async with (
        lab.running(tmp_path) as ingest,
        aiohttp.ClientSession() as http,
        http.get(f"{lab.url(ingest)}/healthz") as answer,
    ):
        told = await answer.json()

    assert (told["status"], told["spool"], told["streams"]) == ("ok", "ok", 0)


async def test_nobody_there_is_said_so() -> None:
    with pytest.raises(ClientError, match="is ingest running there"):
        await post_events("http://127.0.0.1:9", [raw("offered")])
    with pytest.raises(ClientError, match="is ingest running there"):
        await AudioSocketClient("127.0.0.1", 9, uuid4()).__aenter__()


async def test_a_sender_that_reads_no_acknowledgement_is_let_go(tmp_path: Path) -> None:
    """It may send for days; what it does not read would wait in our memory."""
    async with lab.running(tmp_path) as ingest, Socket(lab.url(ingest)) as socket:
        await socket.say(write_hello(lab.hello()))
        await socket.hear()
        live = ingest.streams._legs["c1", "agent"]
        assert live.writer is not None
        while not ingest.core.counts["stream"]:  # commit after commit, and nobody reads meanwhile
            live.leg.durable += 1
            live.writer.moved()
        async with asyncio.timeout(lab.WAIT_S):
            while live.writer is not None:
                await lab.tick()
        assert ingest.core.counts["stream"] == 1
