"""Bad input over the sockets and in files: a clear message, the right status, and a good call beside it stays whole."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import aiohttp
import pytest
import pytest_asyncio
from typer.testing import CliRunner

from ingest.audiosocket import IDENT, KINDS, packet
from ingest.stream import Hello, write_hello
from ingest.tokens import audiosocket_uuid, stream_token
from qa.cli import app
from qa.store.postgres import Embedded
from scoring.load import shipped
from tests.acceptance.house import House, eventually
from tests.acceptance.talk import Talk, later
from tests.ingest.lab import tone
from tests.postgres import clone

SOURCES = Path(__file__).resolve().parents[3] / "shared" / "regulations" / "sources"
AUDIO = KINDS[8000]
FRAME = 160


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def house(
    cluster: Embedded, template: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[House]:
    """One running ingest process for all of it."""
    _, dsn = await clone(cluster, template)
    name = urlsplit(dsn).path.lstrip("/")
    house = House(tmp_path_factory.mktemp("bad"), cluster.url("postgres", name), url=dsn)
    try:
        await house.start("ingest")
        yield house
        await house.parts[0].stop()
    finally:
        await house.close()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def line(house: House) -> Talk:
    """A good call that is on the line while all the bad input comes."""
    talk = Talk(house, "good")
    await talk.begin()
    await talk.on(0.2)
    return talk


async def says(house: House, text: str) -> None:
    async def look() -> bool:
        return text in house.parts[0].said()

    await eventually(look, f"{text!r} in the log: {house.parts[0].said()[-2000:]}", 20)


def signed(house: House, call: str) -> UUID:
    return audiosocket_uuid(house.secret, call, "agent", "agent", later())


async def dial(house: House, data: bytes) -> bytes:
    """Send bytes to the AudioSocket port and wait until the server closes; what it said."""
    reader, writer = await asyncio.open_connection("127.0.0.1", house.ports[1])
    try:
        writer.write(data)
        writer.write_eof()
        return await asyncio.wait_for(reader.read(), 20)
    except ConnectionError:
        return b""
    finally:
        writer.close()


async def ended(house: House, ident: UUID) -> dict[str, Any]:
    """What is stored of the end of an AudioSocket leg."""

    async def look() -> list[dict[str, Any]]:
        return await house.ask("SELECT body FROM leg_mark WHERE kind = 'end' AND call = $1", str(ident))

    (row,) = await eventually(look, f"the end of {ident}", 20)
    found: dict[str, Any] = json.loads(row["body"])
    return found


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"GET / HTTP/1.1\r\nHost: here\r\n\r\n", "first packet: kind 0x47; the UUID (kind 0x01) comes first"),
        (bytes(range(255, 0, -1)) * 8, "first packet: kind 0xff; the UUID (kind 0x01) comes first"),
        (packet(IDENT, b"too short"), "UUID packet: 9 bytes; send 16 bytes, once, at the begin"),
        (packet(AUDIO, tone(FRAME)), "first packet: kind 0x10; the UUID (kind 0x01) comes first"),
        (b"\x01\x00\x10half", "closed after 7 bytes without a UUID; send it first"),
    ],
    ids=["HTTP", "noise", "a short UUID", "audio first", "half a UUID"],
)
async def test_garbage_on_the_audiosocket_port_is_named_and_closed(
    house: House, line: Talk, data: bytes, message: str
) -> None:
    assert await dial(house, data) == b""
    await says(house, f"audiosocket refused: {message}")


async def test_a_uuid_that_nobody_signed_or_registered_opens_nothing(house: House, line: Talk) -> None:
    ident = uuid4()
    assert await dial(house, packet(IDENT, ident.bytes) + packet(AUDIO, tone(FRAME))) == b""
    await says(house, f"UUID {ident}: is neither signed nor registered; send a leg event that names it first")
    assert await house.ask("SELECT 1 FROM leg_mark WHERE call = $1", str(ident)) == []


async def test_a_uuid_that_was_used_opens_nothing_again(house: House, line: Talk) -> None:
    ident = signed(house, "used")
    said = packet(IDENT, ident.bytes) + packet(AUDIO, tone(FRAME))
    await dial(house, said)
    assert await ended(house, ident) == {"samples": FRAME, "cause": "eof"}

    assert await dial(house, said) == b""
    await says(house, f"UUID {ident}: was used before; make a new one for each leg")
    assert len(await house.ask("SELECT 1 FROM leg_mark WHERE call = $1", str(ident))) == 2


@pytest.mark.parametrize(
    ("tail", "cause", "message"),
    [
        (packet(AUDIO, tone(FRAME))[:100], "truncated", ""),
        (bytes([AUDIO, 0xFF, 0xFF]), "error", "audio packet: 65535 bytes; send whole 16-bit samples, 2 to 3200 bytes"),
        (packet(AUDIO, b"odd"), "error", "audio packet: 3 bytes; send whole 16-bit samples, 2 to 3200 bytes"),
        (packet(IDENT, bytes(16)), "error", "UUID packet: 16 bytes; send 16 bytes, once, at the begin"),
    ],
    ids=["half a packet", "oversize length", "half a sample", "a second UUID"],
)
async def test_what_came_before_a_broken_packet_is_kept_with_the_cause(
    house: House, line: Talk, tail: bytes, cause: str, message: str
) -> None:
    ident = signed(house, f"broken-{tail[:8].hex()}")
    await dial(house, packet(IDENT, ident.bytes) + packet(AUDIO, tone(FRAME)) + packet(AUDIO, tone(FRAME)) + tail)

    assert await ended(house, ident) == {"samples": 2 * FRAME, "cause": cause}
    await says(house, message)


def told(call: str, seconds: float, kind: str, **own: Any) -> dict[str, Any]:
    at = datetime(2026, 11, 21, 9, tzinfo=UTC) + timedelta(seconds=seconds)
    return {"source": "pbx", "id": f"{call}-{kind}-{seconds}", "at": at.isoformat(), "type": kind, "call": call, **own}


async def folded(house: House, call: str, conclusion: str) -> dict[str, Any]:
    async def look() -> list[dict[str, Any]]:
        return await house.ask(
            "SELECT conclusion, state, folded FROM call WHERE id = $1 AND conclusion = $2", call, conclusion
        )

    (row,) = await eventually(look, f"{call} folded as {conclusion}", 30)
    found: dict[str, Any] = json.loads(row["folded"])
    return found


async def post(house: House, body: bytes) -> tuple[int, dict[str, Any]]:
    async with aiohttp.ClientSession() as http, http.post(f"{house.http}/events", data=body) as answer:
        return answer.status, await answer.json()


async def test_events_out_of_order_and_twice_make_the_same_call(house: House, line: Talk) -> None:
    good = [
        told("order", 0, "offered", direction="in", seat="s1"),
        told("order", 0.2, "ringing", seat="s1"),
        told("order", 17, "answered", seat="s1", agent="A01"),
        told("order", 60, "ended", by="customer"),
    ]
    status, first = await post(house, json.dumps(list(reversed(good))).encode())
    assert (status, first) == (200, {"accepted": 4, "duplicates": 0, "refused": []})
    status, again = await post(house, "\n".join(json.dumps(one) for one in [good[2], good[0], *good]).encode())
    assert (status, again) == (200, {"accepted": 0, "duplicates": 6, "refused": []})

    call = await folded(house, "order", "answered")
    assert (call["out_of_turn"], call["clock_doubted"]) == ([], False)
    assert call["record"]["agent"] == "A01"
    assert len(await house.ask("SELECT 1 FROM event WHERE call = 'order'")) == 4


async def test_the_same_id_with_other_content_is_refused(house: House, line: Talk) -> None:
    one = told("same", 0, "offered", direction="in")
    assert (await post(house, json.dumps(one).encode()))[1]["accepted"] == 1
    _, answer = await post(house, json.dumps({**one, "direction": "out"}).encode())

    assert answer["refused"] == [
        {"index": 0, "field": "id", "reason": "was sent before with other content; use a new id"}
    ]


async def test_a_clock_that_goes_backwards_is_kept_and_doubted(house: House, line: Talk) -> None:
    """The source counts its events: it answered after it rang, whatever its clock said."""
    await house.tell(
        told("clock", 10, "offered", direction="in", seat="s1", seq=1),
        told("clock", 10.2, "ringing", seat="s1", seq=2),
        told("clock", 3, "answered", seat="s1", agent="A01", seq=3),
        told("clock", 30, "ended", by="customer", seq=4),
    )
    call = await folded(house, "clock", "answered")

    assert call["clock_doubted"] is True
    assert len(await house.ask("SELECT 1 FROM event WHERE call = 'clock'")) == 4


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        (b"[{]", 400, "body: is no JSON list"),
        (b"\xff\xfe{}", 400, "is no UTF-8; send JSON in UTF-8"),
        (b"", 400, "body: is empty; send one event, a JSON list of events, or one event a line"),
        (b"[" * 100_000, 400, "nested too deeply"),
        (json.dumps([told("many", n, "offered") for n in range(1001)]).encode(), 413,
         "body: has 1001 events; send at most 1000 in one request"),
    ],
    ids=["no JSON", "no UTF-8", "nothing", "bottomless", "1,001 events"],
)  # fmt: skip
async def test_a_bad_body_is_refused_whole(
    house: House, line: Talk, body: bytes, status: int, message: str
) -> None:
    found, answer = await post(house, body)

    assert found == status
    assert message in answer["error"]
    assert await house.ask("SELECT 1 FROM event WHERE call = 'many'") == []


async def test_bad_lines_are_refused_by_their_number_and_the_good_ones_are_taken(house: House, line: Talk) -> None:
    good = told("lines", 0, "offered", direction="in")
    naive = {**good, "id": "x3", "at": "2026-11-21T09:00:00"}
    bad = [
        "{broken", json.dumps({**good, "id": "x1", "type": "exploded"}),
        json.dumps({**good, "id": "x2", "at": "yesterday"}), json.dumps(naive),
    ]  # fmt: skip
    status, answer = await post(house, "\n".join([bad[0], json.dumps(good), *bad[1:]]).encode())

    assert (status, answer["accepted"]) == (200, 1)
    assert [(one["index"], one["field"]) for one in answer["refused"]] == [(0, ""), (2, "type"), (3, "at"), (4, "at")]
    assert all(one["reason"] for one in answer["refused"])


def greeting(house: House, call: str, token: str | None = None) -> dict[str, Any]:
    token = token or stream_token(house.secret, call, "agent", "agent", later())
    hello = Hello(call, "agent", "agent", 8000, "slin", 1, token, datetime.now(UTC))
    found: dict[str, Any] = json.loads(write_hello(hello))
    return found


async def speak(house: House, *messages: str | bytes) -> tuple[int | None, list[dict[str, Any]]]:
    """Say these over /stream; the close code, and everything that the server said."""
    heard: list[dict[str, Any]] = []
    async with (
        aiohttp.ClientSession() as http,
        asyncio.timeout(20),
        http.ws_connect(f"{house.http}/stream", max_msg_size=0) as ws,
    ):
        for message in messages:
            await (ws.send_str(message) if isinstance(message, str) else ws.send_bytes(message))
        async for frame in ws:
            heard.append(json.loads(frame.data))
        return ws.close_code, heard


async def test_a_stream_of_another_version_is_told_which_one_is_spoken(house: House, line: Talk) -> None:
    code, heard = await speak(house, json.dumps({**greeting(house, "version"), "v": 2}))

    assert code == 4400
    assert "v: must be 1, the version of this protocol" in heard[-1]["why"]


async def test_a_token_that_was_used_opens_no_other_leg_and_no_finished_one(house: House, line: Talk) -> None:
    hello = greeting(house, "token")
    piece = (1).to_bytes(8) + (0).to_bytes(8) + tone(800)
    code, heard = await speak(house, json.dumps(hello), piece, json.dumps({"type": "end", "seq": 1}))
    assert (code, heard[-1]) == (1000, {"type": "ack", "durable": 1, "final": True})

    code, heard = await speak(house, json.dumps({**hello, "call": "another"}))
    assert code == 4401
    assert "token: was made for another call, leg or role" in heard[-1]["why"]
    code, heard = await speak(house, json.dumps({**hello, "token": "invented"}))
    assert code == 4401
    assert "token: is neither signed nor registered" in heard[-1]["why"]
    late = (2).to_bytes(8) + (800).to_bytes(8) + tone(800)
    code, heard = await speak(house, json.dumps(hello), late)
    assert code is not None and code >= 4400, heard
    assert await house.ask("SELECT 1 FROM leg_mark WHERE call = 'another'") == []


async def test_an_oversize_message_is_refused_and_what_came_before_is_durable(house: House, line: Talk) -> None:
    piece = (1).to_bytes(8) + (0).to_bytes(8) + tone(800)
    huge = (2).to_bytes(8) + (800).to_bytes(8) + bytes(200_000)
    hello = json.dumps(greeting(house, "huge"))
    code, _ = await speak(house, hello, piece, huge)
    assert code == 1009
    _, heard = await speak(house, hello, json.dumps({"type": "end", "seq": 1}))

    assert heard[0] == {"type": "welcome", "v": 1, "durable": 1, "sample": 800}


async def test_the_good_call_beside_all_of_it_is_whole(house: House, line: Talk) -> None:
    await line.on(0.3)
    await line.end()

    async def recorded() -> bool:
        return bool(await house.one("SELECT state = 'recorded' FROM call WHERE id = 'good'"))

    await eventually(recorded, "the good call recorded")
    (await line.checked()).holds()
    assert (line.outages, line.connects) == ([], 1)


# -- packs


def damaged(folder: Path, old: str, new: str, file: str = "deductions.yaml") -> Path:
    """A copy of the shipped pack with one thing wrong."""
    copy = folder / "bes"
    shutil.copytree(shipped("bes"), copy)
    text = (copy / file).read_text(encoding="utf-8")
    assert old in text
    (copy / file).write_text(text.replace(old, new, 1), encoding="utf-8")
    return copy


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("  per: shift\n", "  per: shift\n  per: shift\n", "deductions.yaml:11: per: the key stands twice"),
        ('      0001-01-01: "-2"', "      0001-01-01: -2.5", 'write the number as a quoted string: "-2.5"'),
        ("that: answered_too_late", "that: answered_too_soon", "there is no predicate 'answered_too_soon'"),
    ],
    ids=["a key twice", "a float amount", "an unknown predicate"],
)
def test_a_damaged_pack_is_refused_with_file_line_and_what_to_do(
    tmp_path: Path, old: str, new: str, message: str
) -> None:
    done = CliRunner().invoke(app, ["packs", "check", str(damaged(tmp_path, old, new))])

    assert done.exit_code == 1, done.output
    assert message in done.output
    assert "1 faults" in done.output


def test_a_misquoted_clause_is_named(tmp_path: Path) -> None:
    if not SOURCES.is_dir():
        pytest.skip("the regulations' texts are not beside this folder: quotes cannot be proved")
    copy = damaged(tmp_path, "无故旷工一次扣2分", "无故旷工一次扣3分")
    done = CliRunner().invoke(app, ["packs", "check", str(copy), "--sources", str(SOURCES)])

    assert done.exit_code == 1, done.output
    assert "deductions.yaml:2: BES-06.quote: does not stand in the source; copy it verbatim" in done.output
