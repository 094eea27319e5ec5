"""A recording server on real sockets, its streams fed by our own sender: every sample at its place, or a hole there."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Callable
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest

from ingest import spool
from ingest.errors import PortTaken
from ingest.events import Event, parse_event
from ingest.legs import LegAudio
from ingest.session import fold_call
from ingest.siprec_config import SiprecConfig, call_name
from ingest.sources import Source
from tests.ingest import lab
from tests.ingest.recorder import FRAME, HOST, METADATA, PORTS, Client, Site, Voice, calling, mixed, recording, sent

both = pytest.mark.parametrize("tcp", [False, True], ids=["udp", "tcp"])
sooner = pytest.mark.parametrize("tcp", [False, pytest.param(True, marks=pytest.mark.slow)], ids=["udp", "tcp"])


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(lab.WAIT_S):
        while not true():
            await lab.tick()


def counted(site: Site, what: str) -> int:
    """Of legs that run, and of those that ended."""
    live = [leg for session in site.server._sessions.values() for leg in session.open_legs]
    return site.ingest.core.counts[f"rtp {what}"] + sum(leg.receiver.counts[what] for leg in live)


async def heard(site: Site, client: Client, samples: int, leg: int = 0) -> None:
    """Until so much of a leg has been taken, holes counted."""
    legs = [one for session in site.server._sessions.values() for one in session.legs if one is not None]
    await until(lambda: legs[leg].writer.samples >= samples)


def leg(site: Site, client: Client, name: str) -> LegAudio:
    return spool.read_leg(site.folder, call_name("siprec", client.call), name)


async def over(site: Site, client: Client) -> None:
    """The session is over, and everything of it is stored and carried."""
    await until(lambda: site.server.open == 0 and not site.server._work)
    await site.ingest.flush()


def events(site: Site, kind: str) -> list[dict[str, Any]]:
    told = [json.loads(row.payload) for row in site.sink.rows if row.kind == "event"]
    return [one for one in told if one["type"] == kind]


@both
async def test_both_streams_of_a_call(tmp_path: Path, tcp: bool) -> None:
    async with recording(tmp_path) as site, calling(site, tcp) as client:
        answer = await client.invite()
        for number in range(100):
            for voice in client.voices:
                voice.say([number])
        await heard(site, client, 100 * FRAME)
        await heard(site, client, 100 * FRAME, 1)
        assert site.server.open == 2
        assert (await client.ask("BYE")).status == 200
        await over(site, client)
        customer, agent = leg(site, client, "1"), leg(site, client, "2")

    assert answer.body.decode().count("a=recvonly") == 2 and "a=label:2" in answer.body.decode()
    assert (answer.get("contact") or "").endswith("+sip.srs")
    for mark, one, role in ((0, customer, "customer"), (1, agent, "agent")):
        assert (one.segments, one.gaps, one.ended, one.role) == ([(0, sent(range(100), mark))], [], "hangup", role)
        assert (one.encoding, one.rate) == ("ulaw", 8000)
    first, second = events(site, "leg")
    assert first["call"] == f"siprec-{client.call}"
    assert (first["leg"], first["role"], first.get("seat"), first["session"]) == ("1", "customer", None, "c2Vzcy0x")
    assert first["participant"] == {"aor": "sip:*******1234@carrier.example", "name": "Z…", "assumed": False}
    assert (second["leg"], second["role"], second["seat"]) == ("2", "agent", "1001")
    assert second["participant"]["aor"] == "sip:1001@seats.example"
    assert [(one["call"], one["by"]) for one in events(site, "ended")] == [(first["call"], "unknown")]
    (answer_told,) = events(site, "answered")
    assert (answer_told["leg"], answer_told["seat"], answer_told["confidence"]) == ("2", "1001", "inferred")
    told = [parse_event(json.loads(row.payload)) for row in site.sink.rows if row.kind == "event"]
    call = fold_call([one for one in told if isinstance(one, Event)])
    assert (call.end, call.seat, call.ringing_at, call.legs) == (
        "answered",
        "1001",
        None,
        {"1": "customer", "2": "agent"},
    )


async def test_another_seat_on_the_same_stream_is_another_leg(tmp_path: Path) -> None:
    async with recording(tmp_path) as site, calling(site) as client:
        await client.invite()
        for voice in client.voices:
            voice.say(range(10))
        await heard(site, client, 6 * FRAME, 1)
        await client.offer("", METADATA.replace("sip:1001@", "sip:1002@"), "UPDATE")
        for voice in client.voices:
            voice.say(range(10, 20))
        await client.ask("BYE")
        await over(site, client)
        legs = {name: leg(site, client, name) for name in ("1", "2", "2+2")}

    assert {name: one.segments for name, one in legs.items()} == {
        "1": [(0, sent(range(20)))], "2": [(0, sent(range(10), 1))], "2+2": [(0, sent(range(10, 20), 1))]
    }  # fmt: skip
    assert {name: one.ended for name, one in legs.items()} == {"1": "hangup", "2": "end", "2+2": "hangup"}
    assert [(one["seat"], one["to"]) for one in events(site, "transferred")] == [("1001", "1002")]
    assert [(one["leg"], one["seat"]) for one in events(site, "answered")] == [("2", "1001"), ("2+2", "1002")]
    told = [parse_event(json.loads(row.payload)) for row in site.sink.rows if row.kind == "event"]
    call = fold_call([one for one in told if isinstance(one, Event)])
    assert [(part.offer.seat, part.leg) for part in call.parts] == [("1001", "2"), ("1002", "2+2")]


@pytest.mark.parametrize(
    ("metadata", "heard_legs", "leg_told"),
    [(METADATA, [0], None), (METADATA, [1], "2"), ("", [1], None), ("", [1, 0], "1")],
    ids=["the customer alone", "the seat", "somebody", "everybody"],
)
async def test_an_answer_is_the_first_sound_of_the_seat(
    tmp_path: Path, metadata: str, heard_legs: list[int], leg_told: str | None
) -> None:
    async with recording(tmp_path) as site, calling(site) as client:
        await client.invite(metadata=metadata)
        for number in heard_legs:
            client.voices[number].say(range(10))
            await heard(site, client, 6 * FRAME, number)
        await client.ask("BYE")
        await over(site, client)

    assert [one["leg"] for one in events(site, "answered")] == ([leg_told] if leg_told else [])
    assert len(events(site, "ended")) == 1


@sooner
async def test_reorder_duplicates_and_loss(tmp_path: Path, tcp: bool) -> None:
    order = [0, 2, 1, 3, 4, 5, 5, 7, 6, 8, 9, 13, 12, 12, 14, 15, 10, 16, 17, 18]  # 11 never comes
    async with recording(tmp_path) as site, calling(site, tcp) as client:
        await client.invite()
        voice = client.voices[0]
        voice.say(order)
        await heard(site, client, 19 * FRAME)
        voice.say([11, 10])
        await until(lambda: counted(site, "late or twice") == 4)
        await client.ask("BYE")
        await over(site, client)
        found = leg(site, client, "1")
        silent = leg(site, client, "2")

    assert found.segments == [(0, sent(range(11))), (12 * FRAME, sent(range(12, 19)))]
    assert found.gaps == [(11 * FRAME, FRAME, "loss")]
    assert (silent.segments, silent.ended) == ([], "hangup")


async def test_injection_another_stream_and_digits(tmp_path: Path) -> None:
    async with recording(tmp_path) as site, calling(site) as client:
        await client.invite()
        voice, attacker = client.voices[0], Voice(mark=9)
        attacker.to = voice.to
        voice.say(range(10))
        await heard(site, client, 6 * FRAME)
        attacker.say(range(30))
        attacker.say(range(30), source=7)
        voice.say([10, 11], kind=101)
        voice.say(range(12, 20))
        await until(lambda: counted(site, "foreign") == 60)
        voice.say(range(20, 30), source=99)
        await heard(site, client, 28 * FRAME)
        for source in range(200, 240):
            voice.say([30, 31], source=source)
        await until(lambda: counted(site, "too many streams") >= 40)
        attacker.socket.close()
        await client.ask("BYE")
        await over(site, client)
        found = leg(site, client, "1")

    assert b"".join(data for _, data in found.segments) == sent([*range(10), *range(12, 30)])
    assert found.gaps[0] == (10 * FRAME, 2 * FRAME, "discard")


@pytest.mark.parametrize("runs_on", [True, False], ids=["its clock runs on", "its clock stands still"])
@sooner
async def test_hold_and_resume(tmp_path: Path, tcp: bool, runs_on: bool) -> None:
    async with recording(tmp_path, silence_seconds=2.0) as site, calling(site, tcp) as client:
        await client.invite()
        for voice in client.voices:
            voice.say(range(50))
        await heard(site, client, 50 * FRAME)
        held = await client.offer(client.sdp("inactive"))
        site.clock.ahead_s += 30.0
        resumed = await client.offer(client.sdp())
        for voice in client.voices:
            voice.stamp += 30 * 8000 if runs_on else 0
            voice.say(range(50, 100))
        await client.ask("BYE")
        await over(site, client)
        legs = [leg(site, client, "1"), leg(site, client, "2")]

    assert held.body.count(b"a=inactive") == 2 and resumed.body.count(b"a=recvonly") == 2
    for mark, one in enumerate(legs):
        ((first, before), (second, after)) = one.segments
        ((at, samples, cause),) = one.gaps
        assert (before, after) == (sent(range(50), mark), sent(range(50, 100), mark))
        assert (first, at, cause, second) == (0, 50 * FRAME, "pause", 50 * FRAME + samples)
        assert 30 * 8000 <= samples <= 40 * 8000


async def test_metadata_that_comes_later_changes_who_speaks(tmp_path: Path) -> None:
    update = (
        "<recording><datamode>partial</datamode><participant participant_id='P3'><nameID aor='sip:1002@seats.example'/>"
        "</participant><participantstreamassoc participant_id='P3'><send>S2</send></participantstreamassoc></recording>"
    )
    async with recording(tmp_path) as site, calling(site) as client:
        await client.invite()
        answer = await client.offer("", update, "UPDATE")
        again = await client.offer("", update, "INVITE")
        await client.ask("BYE")
        await over(site, client)
    told = [(one["leg"], one["role"], one.get("seat")) for one in events(site, "leg")]

    assert told == [("1", "customer", None), ("2", "agent", "1001"), ("2", "agent", "1002")]
    assert not events(site, "transferred"), "nobody had spoken yet"
    assert (answer.status, answer.body, again.status) == (200, b"", 200)
    assert b"m=audio" in again.body, "an INVITE without an offer is answered with ours"


POOR = ["", "not XML", '<!DOCTYPE r [<!ENTITY a "b">]><recording>&a;</recording>', METADATA.replace("label", "etikett")]


async def test_a_call_with_poor_metadata_is_recorded_all_the_same(tmp_path: Path) -> None:
    calls = []
    async with recording(tmp_path) as site:
        for metadata in POOR:
            async with calling(site) as client:
                assert (await client.invite(metadata=metadata)).status == 200
                client.voices[1].say(range(10))
                await client.ask("BYE")
                await over(site, client)
                calls.append(leg(site, client, "2").segments)

    assert calls == [[(0, sent(range(10), 1))]] * len(POOR)
    assert {one["role"] for one in events(site, "leg")} == {"unknown"}
    assert site.ingest.core.counts["siprec metadata"] == 2


async def test_a_stream_more_and_a_stream_less(tmp_path: Path) -> None:
    async with recording(tmp_path) as site, calling(site) as client:
        await client.invite(voices=1)
        client.voices[0].say(range(10))
        await heard(site, client, 6 * FRAME)
        await client.invite(voices=3)
        client.voices[2].say(range(10))
        await heard(site, client, 6 * FRAME, 2)
        gone = client.sdp().replace(f"m=audio {client.voices[0].port} ", "m=audio 0 ")
        less = await client.offer(gone)
        assert site.server.open == 2
        fewer = await client.offer("\r\n".join(client.sdp().split("\r\n")[:10]))
        await client.ask("BYE")
        await over(site, client)
        found = {name: leg(site, client, name) for name in "123"}

    assert "m=audio 0 RTP/AVP" in less.body.decode()
    assert fewer.status == 488
    assert {name: one.ended for name, one in found.items()} == {"1": "end", "2": "hangup", "3": "hangup"}
    assert [one.segments for one in found.values()] == [[(0, sent(range(10)))], [], [(0, sent(range(10), 2))]]


async def test_the_law_may_change_in_a_call(tmp_path: Path) -> None:
    async with recording(tmp_path) as site, calling(site) as client:
        await client.invite(voices=1)
        client.voices[0].say(range(10))
        await heard(site, client, 6 * FRAME)
        answer = await client.invite(voices=1, formats="8")
        client.voices[0].say(range(10, 20), kind=8)
        await heard(site, client, 20 * FRAME)
        await client.ask("BYE")
        await over(site, client)
        found = leg(site, client, "1")

    assert b"a=rtpmap:8 PCMA/8000" in answer.body
    ((start, data),) = found.segments
    assert (start, len(data), data[: 10 * FRAME]) == (0, 20 * FRAME, sent(range(10)))
    assert data[10 * FRAME :] != sent(range(10, 20))


@sooner
async def test_silence_ends_a_session(tmp_path: Path, tcp: bool) -> None:
    async with recording(tmp_path, silence_seconds=30.0) as site, calling(site, tcp) as client:
        await client.invite()
        client.voices[0].say(range(10))
        await heard(site, client, 6 * FRAME)
        site.clock.ahead_s += 29.0
        client.voices[0].say(range(10, 20))
        await heard(site, client, 16 * FRAME)
        assert not client.bye.is_set()
        site.clock.ahead_s += 31.0
        await asyncio.wait_for(client.bye.wait(), lab.WAIT_S)
        await over(site, client)
        found = leg(site, client, "1")

    assert found.ended == "idle"
    assert found.samples >= 20 * FRAME
    assert events(site, "ended") == [], "nobody said that the call ended"


async def test_the_200_is_repeated_until_it_is_acknowledged(tmp_path: Path) -> None:
    async with recording(tmp_path) as site, calling(site) as client:
        client.acknowledges = False
        first = await client.invite()
        site.clock.ahead_s += 0.6
        second = await client.answer("INVITE")
        client.raw(client.text("ACK", client.seq))
        await until(lambda: not site.server._sip.waiting)
        assert (await client.ask("BYE")).status == 200

    assert first == second


async def test_an_ack_that_never_comes_ends_the_session(tmp_path: Path) -> None:
    async with recording(tmp_path) as site, calling(site) as client:
        client.acknowledges = False
        await client.invite()
        site.clock.ahead_s += 33.0
        await asyncio.wait_for(client.bye.wait(), lab.WAIT_S)
        await over(site, client)
        assert leg(site, client, "1").ended == "unconfirmed"


@sooner
async def test_shutdown_says_goodbye(tmp_path: Path, tcp: bool) -> None:
    async with recording(tmp_path) as site, calling(site, tcp) as client:
        await client.invite()
        client.voices[0].say(range(10))
        await heard(site, client, 6 * FRAME)
        await site.server.stop()

        await asyncio.wait_for(client.bye.wait(), lab.WAIT_S)
        await site.ingest.flush()
        assert leg(site, client, "1").ended == "shutdown"
        assert leg(site, client, "1").segments == [(0, sent(range(10)))]
        assert site.ingest.core.counts["siprec unanswered BYE"] == 0


async def test_what_the_kernel_holds_at_the_end_is_not_lost(tmp_path: Path) -> None:
    async with recording(tmp_path) as site, calling(site) as client:
        await client.invite()
        for voice in client.voices:
            voice.say(range(100))
        assert (await client.ask("BYE")).status == 200
        await over(site, client)
        assert [leg(site, client, name).segments for name in "12"] == [
            [(0, sent(range(100), mark))] for mark in range(2)
        ]


async def test_a_session_outlives_its_connection(tmp_path: Path) -> None:
    async with recording(tmp_path) as site, calling(site, tcp=True) as client:
        await client.invite()
        client.voices[0].say(range(10))
        await heard(site, client, 6 * FRAME)
        await client.hang_up()
        client.voices[0].say(range(10, 20))
        await heard(site, client, 16 * FRAME)
        await client.dial(tcp=True)
        assert (await client.ask("BYE")).status == 200
        await over(site, client)
        assert leg(site, client, "1").segments == [(0, sent(range(20)))]


async def test_an_invite_byte_by_byte(tmp_path: Path) -> None:
    async with recording(tmp_path) as site, calling(site, tcp=True) as client:
        client.voices = [Voice()]
        client.seq = 1
        for byte in client.text("INVITE", 1, *mixed(client.sdp(), METADATA)):
            client.raw(bytes([byte]))
        assert (await client.answer("INVITE")).status == 200
        assert (await client.ask("BYE")).status == 200


OFFERS = {
    "": 488,
    "v=0\r\nm=audio 4000 RTP/AVP 18\r\n": 488,
    "v=0\r\nm=audio 4000 RTP/SAVP 0\r\n": 488,
    "v=0\r\nm=audio x\r\n": 400,
}


async def test_offers_that_cannot_be_taken(tmp_path: Path) -> None:
    async with recording(tmp_path) as site, calling(site) as client:
        assert {sdp: (await client.offer(sdp)).status for sdp in OFFERS} == OFFERS
        assert site.server.open == 0 and not site.server._sessions


async def test_other_bodies_and_other_methods(tmp_path: Path) -> None:
    async with recording(tmp_path) as site, calling(site) as client:
        assert (await client.ask("OPTIONS")).status == 200
        assert (await client.ask("REGISTER")).status == 405
        assert (await client.ask("BYE")).status == 481
        assert (await client.ask("INVITE", ["Content-Type: text/plain"], b"hello")).status == 415
        assert (await client.ask("INVITE", ["Require: 100rel"], b"")).status == 420


async def test_ports_that_run_out_are_said_and_come_back(tmp_path: Path) -> None:
    async with recording(tmp_path, rtp_ports=(PORTS[0], PORTS[0] + 3)) as site:
        async with calling(site) as one, calling(site) as two:
            assert (await one.invite()).status == 200
            assert (await two.invite()).status == 503
            await one.ask("BYE")
            await over(site, one)
        async with calling(site) as greedy:
            assert (await greedy.invite(voices=3)).status == 503
        async with calling(site) as three:
            assert (await three.invite()).status == 200, "what the refused one had taken is free again"
            await three.ask("BYE")
            await over(site, three)


async def test_a_full_house_and_a_full_spool_take_no_new_session(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with recording(tmp_path, sessions=1) as site, calling(site) as one, calling(site) as two:
        assert (await one.invite()).status == 200
        assert (await two.invite()).status == 503
        assert (await two.ask("OPTIONS")).status == 503
        await one.ask("BYE")
        await over(site, one)
        two.tag = ""
        assert (await two.ask("OPTIONS")).status == 200
        monkeypatch.setattr(type(site.ingest.spool), "roomy", property(lambda self: False))
        assert (await two.invite()).status == 503


async def test_a_call_id_that_comes_again_writes_beside_what_it_wrote(tmp_path: Path) -> None:
    async with recording(tmp_path) as site:
        for mark in range(2):
            async with calling(site, call="same@src") as client:
                await client.invite(voices=1)
                client.voices[0].mark = mark
                client.voices[0].say(range(10))
                await heard(site, client, 6 * FRAME)
                await client.ask("BYE")
                await over(site, client)
        legs = sorted({one["leg"] for one in events(site, "leg")})
        assert [leg(site, client, name).segments for name in legs] == [
            [(0, sent(range(10)))],
            [(0, sent(range(10), 1))],
        ]


@sooner
async def test_strangers_get_no_answer(tmp_path: Path, tcp: bool) -> None:
    async with recording(tmp_path, networks=(ip_network("192.0.2.0/24"),)) as site, calling(site, tcp) as client:
        client.raw(client.text("OPTIONS", 1))
        await until(lambda: site.ingest.core.counts["siprec address"] > 0)
        assert client.heard.empty()


@pytest.mark.parametrize("method", ["CANCEL", "BYE"])
async def test_a_session_that_ends_while_it_is_taken_leaves_nothing_open(tmp_path: Path, method: str) -> None:
    """The answer waits for the disk; the client does not wait for the answer."""
    async with recording(tmp_path) as site, calling(site) as client:
        client.voices, client.seq = [Voice(), Voice()], 1
        client.raw(client.text("INVITE", 1, *mixed(client.sdp(), METADATA), branch="z1"))
        if method == "CANCEL":
            client.raw(client.text("CANCEL", 1, branch="z1"))
            assert (await client.answer("INVITE")).status == 487
        else:
            await until(lambda: len(site.server._sip) > 0)
            client.tag = next(iter(site.server._sessions))
            assert (await client.ask("BYE")).status == 200
        await over(site, client)
        assert site.server.open == 0 and not site.server._sessions
        assert {row.kind for row in site.sink.rows} <= {"event", "start", "end"}
        told = {one["leg"] for one in events(site, "leg")}
        assert len(events(site, "ended")) == (1 if told else 0)


async def test_a_source_of_that_name_limits_it(tmp_path: Path) -> None:
    async with recording(tmp_path, Source("siprec", legs=2)) as site, calling(site) as one, calling(site) as two:
        assert (await one.invite()).status == 200
        assert (await two.invite()).status == 503
        await one.ask("BYE")
        await over(site, one)
    for source in (
        Source("siprec", ways=frozenset({"events"})),
        Source("siprec", networks=(ip_network("10.0.0.0/8"),)),
    ):
        async with recording(tmp_path, source) as site, calling(site) as one:
            one.raw(one.text("OPTIONS", 1))
            await until(lambda site=site: site.ingest.core.counts["siprec address"] > 0)  # type: ignore[misc]
            assert one.heard.empty()


async def test_garbage_hurts_nobody(tmp_path: Path) -> None:
    async with recording(tmp_path) as site, calling(site) as client, calling(site) as noisy:
        await client.invite()
        junk = [b"\r\n\r\n", b"\0", b"x" * 1400, b"INVITE sip:x SIP/2.0\r\n\r\n", client.text("INVITE", 9)[:200]]
        for number in range(200):
            noisy.raw(junk[number % len(junk)])
            client.voices[0].say([number % 50])
        for data in (b"GET / HTTP/1.1\r\n\r\n", b"y" * 40_000):
            async with asyncio.timeout(lab.WAIT_S):
                reader, writer = await asyncio.open_connection(HOST, site.server.port)
                writer.write(data)
                assert await reader.read() == b""
                await lab.hang_up(writer)
        assert (await client.ask("BYE")).status == 200
        await over(site, client)
        assert site.ingest.core.counts["siprec message"] >= 100
        assert leg(site, client, "1").segments == [(0, sent(range(50)))]


async def test_a_flood_of_words_is_not_answered(tmp_path: Path) -> None:
    async with recording(tmp_path) as site, calling(site) as client, asyncio.timeout(lab.WAIT_S):
        while not site.ingest.core.counts["siprec pace"]:
            for _ in range(20):
                client.seq += 1
                client.raw(client.text("OPTIONS", client.seq, [f"X-Long: {'y' * 3000}"]))
            await lab.tick()
        site.clock.ahead_s += 10.0
        assert (await client.ask("OPTIONS")).status == 200, "later it is welcome again"


async def test_more_than_real_time_ends_the_session(tmp_path: Path) -> None:
    async with recording(tmp_path) as site, calling(site) as client:
        await client.invite(voices=1)
        for first in range(0, 400, 20):
            client.voices[0].say(range(first, first + 20))
            await lab.tick()
        await asyncio.wait_for(client.bye.wait(), lab.WAIT_S)
        await over(site, client)
        assert leg(site, client, "1").ended == "error"


async def test_a_port_in_use_is_named(tmp_path: Path) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as taken:
        taken.bind((HOST, 0))
        taken.listen()
        with pytest.raises(PortTaken, match=r"UDP and TCP: cannot be listened on .* \[siprec\]"):
            async with recording(tmp_path, port=taken.getsockname()[1]):
                raise AssertionError("started")


@pytest.mark.parametrize(
    ("own", "says"),
    [
        ({"rtp_ports": (40001, 40000)}, "the lower one first"),
        ({"rtp_ports": (80, 40000)}, "from 1024"),
        ({"host": "0.0.0.0"}, "advertise"),
        ({"host": "192.0.2.1", "networks": ()}, "must name who may send"),
    ],
)
def test_configurations_that_cannot_be(own: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        SiprecConfig(**own)


def test_names_of_calls() -> None:
    assert call_name("sbc1", "a84b4c76e66710@pc33") == "sbc1-a84b4c76e66710@pc33"
    assert len(call_name("sbc1", "x" * 3000)) == 37 == len(call_name("sbc1", "a\u202eb"))
    assert len(call_name("sbc1", "x~2")) == 37  # as a part of the call x is named
