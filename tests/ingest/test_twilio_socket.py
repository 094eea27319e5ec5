"""Media streams on real sockets: who may send them, what is stored of both tracks, and how a stream ends."""

from __future__ import annotations

import asyncio
import base64
import json
import random
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Self

import aiohttp
import pytest

from ingest.shell.client import post_events
from ingest.shell.core import Core
from ingest.shell.twilio_socket import MediaStreamConfig, MediaStreamWay
from ingest.sources import Source, Sources
from ingest.stream import BUSY, PROTOCOL, TIMEOUT, TOKEN
from ingest.tokens import stream_token
from ingest.twilio_signature import signature
from tests.ingest import lab
from tests.ingest.test_service import stored
from tests.ingest.test_tail import Kept
from tests.ingest.test_twilio import CALL_SID, EXOTEL, SID, TELNYX, frame, media
from tests.ingest.values import SECRET, raw

PUBLIC = "wss://qa.example.com/media-stream"
TWILIO = Source("twilio", secret="12345")
LOOSE = replace(TWILIO, call_token=False)
CONFIG = MediaStreamConfig(PUBLIC, failure_seconds=0.05)
SIGNED = {"X-Twilio-Signature": signature("12345", PUBLIC)}


def ingest_at(folder: Path, *sources: Source, config: MediaStreamConfig = CONFIG, **own: Any) -> Any:
    def way(core: Core, sources: Sources) -> MediaStreamWay:
        return MediaStreamWay(core, sources, config)

    return lab.running(folder, sources=Sources(sources), ways=(way,), **own)


def token(call: str = CALL_SID, role: str = "customer", later_s: int = 0) -> str:
    """Tokens of one call differ by their end."""
    return stream_token(SECRET, call, "inbound", role, lab.later() + timedelta(seconds=later_s))


class Provider:
    """One stream. *url* is http://host:port of ingest."""

    def __init__(self, url: str, headers: dict[str, str] | None = None, query: str = "") -> None:
        self._url, self._headers = f"{url}/media-stream{query}", SIGNED if headers is None else headers

    async def __aenter__(self) -> Self:
        self._http = aiohttp.ClientSession()
        try:
            self.ws = await self._http.ws_connect(self._url, headers=self._headers)
        except aiohttp.WSServerHandshakeError:
            await self._http.close()
            raise
        await self.ws.send_str('{"event": "connected", "protocol": "Call", "version": "1.0.0"}')
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.ws.close()
        await self._http.close()

    async def start(self, stream: str = SID, **said: str) -> None:
        start = {"streamSid": stream, "callSid": CALL_SID, "tracks": ["inbound", "outbound"], "customParameters": said}
        await self.ws.send_str(json.dumps({"event": "start", "streamSid": stream, "start": start}))

    async def stop(self) -> None:
        await self.ws.send_str('{"event": "stop"}')

    async def code(self) -> int | None:
        """The close code, once the server has closed."""
        async with asyncio.timeout(lab.WAIT_S):
            while (await self.ws.receive()).type not in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED):
                continue
        return self.ws.close_code


async def test_both_tracks_out_of_order_and_doubled_are_stored_byte_for_byte(tmp_path: Path) -> None:
    sink, dice = Kept(), random.Random(7)
    async with ingest_at(tmp_path, TWILIO, sink=sink) as ingest, Provider(lab.url(ingest)) as twilio:
        await twilio.start(call="c1", seat="1001", agent="A01", token=token("c1"))
        for chunk in sorted(range(1, 101), key=lambda chunk: chunk + dice.uniform(0, 6)):
            await twilio.ws.send_str(media("inbound", chunk, frame(chunk)))
            await twilio.ws.send_str(media("outbound", chunk, frame(chunk + 100)))
            if chunk % 9 == 0:
                await twilio.ws.send_str(media("inbound", chunk, frame(chunk)))
        await twilio.stop()
        for name, role, shift in (("inbound", "customer", 0), ("outbound", "agent", 100)):
            leg = await stored(tmp_path, "c1", f"{name}-{SID[-8:]}", ended="end")
            assert leg.segments == [(0, b"".join(frame(chunk + shift) for chunk in range(1, 101)))]
            assert (leg.gaps, leg.role, leg.encoding) == ([], role, "ulaw")
        await ingest.flush()
    inbound, outbound = (json.loads(row.payload) for row in sink.rows if row.kind == "event")
    assert (inbound["source"], inbound["call"], inbound["provider_call"]) == ("twilio", "c1", CALL_SID)
    assert (outbound["seat"], outbound["agent"], outbound["role"], "seat" in inbound) == ("1001", "A01", "agent", False)


async def test_a_lost_frame_is_a_stored_gap(tmp_path: Path) -> None:
    async with ingest_at(tmp_path, TWILIO) as ingest, Provider(lab.url(ingest)) as twilio:
        await twilio.start(token=token())
        for chunk in (1, 2, *range(5, 40)):
            await twilio.ws.send_str(media("inbound", chunk, frame(chunk)))
        await twilio.stop()
        leg = await stored(tmp_path, CALL_SID, f"inbound-{SID[-8:]}", ended="end")
        assert leg.gaps == [(320, 320, "loss")] and leg.samples == 39 * 160


async def test_many_streams_side_by_side(tmp_path: Path) -> None:
    async def stream(url: str, number: int) -> None:
        async with Provider(url) as twilio:
            await twilio.start(f"MZ{number:08}", call=f"c{number}", token=token(f"c{number}"))
            for chunk in range(1, 51):
                for track in ("inbound", "outbound"):
                    await twilio.ws.send_str(media(track, chunk, frame(number + chunk)))
            await twilio.stop()
            for track in ("inbound", "outbound"):
                leg = await stored(tmp_path, f"c{number}", f"{track}-{number:08}", ended="end")
                assert leg.segments == [(0, b"".join(frame(number + chunk) for chunk in range(1, 51)))]

    async with ingest_at(tmp_path, TWILIO) as ingest:
        await asyncio.gather(*(stream(lab.url(ingest), number) for number in range(10)))


async def test_a_provider_with_a_key_and_its_own_dialect(tmp_path: Path) -> None:
    telnyx = Source("telnyx", ("k",), call_token=False)
    basic = {"Authorization": f"Basic {base64.b64encode(b'user:k').decode()}"}
    async with ingest_at(tmp_path, telnyx) as ingest:
        async with Provider(lab.url(ingest), {"Authorization": "Bearer k"}) as one:
            await one.ws.send_str(json.dumps(TELNYX))
            for chunk in (3, 1, 2):
                await one.ws.send_str(media("inbound", chunk, frame(chunk)))
            await one.stop()
            leg = await stored(tmp_path, TELNYX["start"]["call_control_id"], "inbound-19c043bc", ended="end")
            assert (leg.encoding, leg.role) == ("alaw", "agent")
            assert leg.segments == [(0, frame(1) + frame(2) + frame(3))]
        async with Provider(lab.url(ingest), basic) as other:
            await other.ws.send_str(json.dumps(EXOTEL))
            await other.ws.send_str(json.dumps({"event": "media", "media": {"chunk": 1, "payload": "AAEC" * 20}}))
        leg = await stored(tmp_path, "x-1", "inbound-s-1", ended="disconnected")
        assert (leg.encoding, leg.rate, leg.samples) == ("slin", 16000, 30)


@pytest.mark.parametrize(("said", "inbound"), [({}, "agent"), ({"role": "customer"}, "customer")])
async def test_who_is_heard_on_the_inbound_track_is_the_sources_own_matter(
    tmp_path: Path, said: dict[str, str], inbound: str
) -> None:
    """Until the stream says it itself."""
    async with ingest_at(tmp_path, replace(LOOSE, inbound_role="agent")) as ingest:
        async with Provider(lab.url(ingest)) as twilio:
            await twilio.start(**said)
            await twilio.ws.send_str(media("inbound", 1, frame(1)))
            await twilio.ws.send_str(media("outbound", 1, frame(2)))
            await twilio.stop()
        for track, role in (("inbound", inbound), ("outbound", {"agent": "customer", "customer": "agent"}[inbound])):
            assert (await stored(tmp_path, CALL_SID, f"{track}-{SID[-8:]}", ended="end")).role == role


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-Twilio-Signature": signature("54321", PUBLIC)},
        {"X-Twilio-Signature": signature("12345", PUBLIC + "/")},
        {"X-Twilio-Signature": signature("12345", PUBLIC), "X-Twilio-Webhooks-Signature-Settings": "algorithm=MD5"},
        {"X-Twilio-Signature": "\u00ff"},
        {"Authorization": "Bearer k"},
        {"Authorization": "Bearer other"},
    ],
)
async def test_who_is_not_known_is_kept_out(tmp_path: Path, headers: dict[str, str]) -> None:
    signing = Source("signing", ("k",), "999")
    async with ingest_at(tmp_path, TWILIO, signing) as ingest:
        began_s = ingest.core.mono()
        with pytest.raises(aiohttp.WSServerHandshakeError) as error:
            async with Provider(lab.url(ingest), headers):
                raise AssertionError("was let in")
        assert error.value.status == 401 and ingest.core.mono() - began_s >= CONFIG.failure_seconds


@pytest.mark.parametrize(
    ("query", "signed", "known"),
    [("?src=a", "?src=a", True), ("?src=evil&call=x", "", False), ("", "?src=a", False), ("?src=b", "?src=a", False)],
)
@pytest.mark.parametrize("public", [True, False])
async def test_the_signature_is_over_the_url_with_its_query(
    tmp_path: Path, query: str, signed: str, known: bool, public: bool
) -> None:
    config = CONFIG if public else replace(CONFIG, public_url=None)
    async with ingest_at(tmp_path, TWILIO, config=config) as ingest:
        url = PUBLIC if public else f"ws{lab.url(ingest).removeprefix('http')}/media-stream".replace("ws:", "wss:")
        own = {"X-Twilio-Signature": signature("12345", url + signed)}
        try:
            async with Provider(lab.url(ingest), own, query) as twilio:
                await twilio.stop()
            status = 101
        except aiohttp.WSServerHandshakeError as error:
            status = error.status
    assert status == (101 if known else 401)


@pytest.mark.parametrize("host", ["a:99999999", "a:b", "[::1", "h\udcffst"])
async def test_a_host_that_can_be_none_is_a_failed_authentication_like_any_other(tmp_path: Path, host: str) -> None:
    open_to_all = MediaStreamConfig(failure_seconds=0.05)
    async with ingest_at(tmp_path, TWILIO, config=open_to_all) as ingest:
        reader, writer = await asyncio.open_connection("127.0.0.1", ingest.http_port)
        asked = f"GET /media-stream HTTP/1.1\r\nHost: {host}\r\nX-Twilio-Signature: abc\r\n\r\n"
        writer.write(asked.encode("utf-8", "surrogateescape"))
        assert (await reader.readline()).split()[1] == b"401"
        await lab.hang_up(writer)
        assert ingest.core.counts["media-stream authentication"] == 1


async def test_a_token_opens_one_stream_of_its_own_call(tmp_path: Path) -> None:
    good = token()
    async with ingest_at(tmp_path, TWILIO) as ingest:
        async with Provider(lab.url(ingest)) as first:
            await first.start(token=good)
            await first.stop()
        for stream, said in (
            ("MZ2", {"token": good}),
            ("MZ3", {}),
            ("MZ4", {"token": token("another")}),
            ("MZ5", {"token": token(role="agent")}),
            (SID, {"token": token(later_s=60)}),
        ):
            async with Provider(lab.url(ingest)) as again:
                await again.start(stream, **said)
                assert await again.code() == TOKEN, stream
        assert ingest.core.counts["media-stream"] == 5


async def test_another_process_of_the_machine_knows_the_token_too(tmp_path: Path) -> None:
    async with (
        ingest_at(tmp_path / "a", TWILIO, beside=tmp_path) as here,
        ingest_at(tmp_path / "b", TWILIO, beside=tmp_path) as there,
    ):
        async with Provider(lab.url(here)) as first:
            await first.start(token=(good := token()))
            await first.ws.send_str(media("inbound", 1, frame(1)))
        await stored(tmp_path / "a", CALL_SID, f"inbound-{SID[-8:]}", ended="disconnected")
        async with Provider(lab.url(there)) as again:
            await again.start("MZ2", token=good)
            assert await again.code() == TOKEN


async def test_a_registered_token_is_as_good(tmp_path: Path) -> None:
    event = raw("leg", call="c7", leg="inbound", role="customer", audio={"stream": "one-time"}, source="twilio")
    keyed = Source("pbx", ("k",))
    async with ingest_at(tmp_path, TWILIO, keyed) as ingest:
        await post_events(lab.url(ingest), [event | {"source": "pbx"}], key="k")
        for code in (None, TOKEN):
            async with Provider(lab.url(ingest)) as twilio:
                await twilio.start(f"MZ{code}", call="c7", token="one-time")
                if code is None:
                    await twilio.stop()
                else:
                    assert await twilio.code() == code


@pytest.mark.parametrize(
    ("text", "code"),
    [("{", PROTOCOL), ('{"event": "media"}', PROTOCOL), ("x" * 70_000, 1009), (b"\x00", PROTOCOL)],
)
async def test_a_broken_message_closes_its_own_connection_only(tmp_path: Path, text: str | bytes, code: int) -> None:
    async with ingest_at(tmp_path, TWILIO) as ingest, Provider(lab.url(ingest)) as good:
        await good.start(token=token())
        async with Provider(lab.url(ingest)) as bad:
            await (bad.ws.send_str(text) if isinstance(text, str) else bad.ws.send_bytes(text))
            assert await bad.code() == code
        await good.ws.send_str(media("inbound", 1, frame(1)))
        await good.stop()
        leg = await stored(tmp_path, CALL_SID, f"inbound-{SID[-8:]}", ended="end")
        assert leg.segments == [(0, frame(1))]


async def test_a_flood_and_audio_faster_than_sound_are_cut(tmp_path: Path) -> None:
    async with ingest_at(tmp_path, TWILIO) as ingest:
        async with Provider(lab.url(ingest)) as twice:
            await twice.start(token=token())
            for _ in range(1500):
                await twice.ws.send_str(media("inbound", 1, frame(1)))
            assert await twice.code() == PROTOCOL
        async with Provider(lab.url(ingest)) as fast:
            await fast.start("MZfast", token=token(later_s=60))
            for chunk in range(1, 400):
                await fast.ws.send_str(media("inbound", chunk, frame(chunk)))
            assert await fast.code() == PROTOCOL
        await stored(tmp_path, CALL_SID, "inbound-MZfast", ended="error")


async def test_who_never_starts_is_let_go_and_a_full_source_refused(tmp_path: Path) -> None:
    quick = MediaStreamConfig(PUBLIC, start_seconds=0.05)
    async with ingest_at(tmp_path, TWILIO, config=quick) as ingest, Provider(lab.url(ingest)) as mute:
        assert await mute.code() == TIMEOUT
    few = Source("twilio", secret="12345", legs=1)
    async with ingest_at(tmp_path / "few", few) as ingest, Provider(lab.url(ingest)) as twilio:
        await twilio.start(token=token())
        assert await twilio.code() == BUSY


async def test_the_process_goes_with_1001(tmp_path: Path) -> None:
    async with ingest_at(tmp_path, TWILIO) as ingest, Provider(lab.url(ingest)) as twilio:
        await twilio.start(token=token())
        await twilio.ws.send_str(media("inbound", 1, frame(1)))
        await legs_open(ingest, 1)
        stopping = asyncio.create_task(ingest.stop())
        assert await twilio.code() == 1001
        await stopping
        await stored(tmp_path, CALL_SID, f"inbound-{SID[-8:]}", ended="shutdown")


async def legs_open(ingest: Any, legs: int) -> None:
    """Until so many legs are open."""
    async with asyncio.timeout(lab.WAIT_S):
        while ingest.core.open_legs["twilio"] < legs:
            await lab.tick()


async def test_on_this_machine_nobody_needs_a_signature_but_the_token(tmp_path: Path) -> None:
    async with ingest_at(tmp_path) as ingest, Provider(lab.url(ingest), {}) as script:
        await script.start(token=token())
        await script.ws.send_str(media("outbound", 1, frame(1)))
        await script.stop()
        leg = await stored(tmp_path, CALL_SID, f"outbound-{SID[-8:]}", ended="end")
        assert leg.role == "agent"
