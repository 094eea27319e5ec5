"""Our own recording client: SIP over UDP or TCP, and RTP of as many streams as a test wants. Tests nothing itself."""

from __future__ import annotations

import asyncio
import os
import re
import socket
import struct
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from ingest.shell.service import Ingest, IngestConfig
from ingest.shell.siprec_server import SiprecServer, siprec_part
from ingest.sip import Request, Response, Stream, parse, write_response
from ingest.siprec import RoleRule
from ingest.siprec_config import SiprecConfig
from ingest.sources import Source, Sources
from tests.ingest.lab import WAIT_S
from tests.ingest.test_tail import Kept
from tests.ingest.values import SECRET

HOST = "127.0.0.1"
FRAME = 160
PORTS = (41000 + os.getpid() % 50 * 400, 41399 + os.getpid() % 50 * 400)  # test runs beside one another
RULES = (RoleRule("aor", "sip:1???@seats.example", "agent"),)
METADATA = """<?xml version="1.0" encoding="UTF-8"?>
<recording xmlns="urn:ietf:params:xml:ns:recording:1"><datamode>complete</datamode><session session_id="c2Vzcy0x"/>
<participant participant_id="P1"><nameID aor="sip:13800001234@carrier.example"><name>Zhang</name></nameID></participant>
<participant participant_id="P2"><nameID aor="sip:1001@seats.example"><name>Agent Li</name></nameID></participant>
<stream stream_id="S1"><label>1</label></stream><stream stream_id="S2"><label>2</label></stream>
<participantstreamassoc participant_id="P1"><send>S1</send></participantstreamassoc>
<participantstreamassoc participant_id="P2"><send>S2</send></participantstreamassoc></recording>"""
AGAIN_S = 0.5  # UDP may lose what is asked
_calls = count(1)


class Clock:
    """The monotonic clock, put forward by a test where others would wait."""

    def __init__(self) -> None:
        self.ahead_s = 0.0

    def __call__(self) -> float:
        return time.monotonic() + self.ahead_s


@dataclass
class Site:
    """Ingest with a recording server beside its ports."""

    ingest: Ingest
    server: SiprecServer
    clock: Clock
    sink: Kept
    folder: Path


@asynccontextmanager
async def recording(folder: Path, source: Source | None = None, **own: object) -> AsyncIterator[Site]:
    found: list[SiprecServer] = []
    config = SiprecConfig(**{"port": 0, "rtp_ports": PORTS, "roles": RULES, **own})  # type: ignore[arg-type]
    clock, sink = Clock(), Kept()

    def part(core: object, sources: object) -> SiprecServer:
        core.mono = clock  # type: ignore[attr-defined]
        found.append(siprec_part(config)(core, Sources([source] if source else [])))  # type: ignore[arg-type]
        return found[0]

    told = IngestConfig(folder, SECRET, http_port=0, audiosocket_port=0, sink=sink, parts=(part,))
    async with Ingest(told) as ingest:
        yield Site(ingest, found[0], clock, sink, folder)


def frame(number: int, mark: int = 0) -> bytes:
    """160 samples that tell their own place."""
    return struct.pack(">HBB", number, mark, 0x55) * (FRAME // 4)


def sent(numbers: Iterable[int], mark: int = 0) -> bytes:
    return b"".join(frame(number, mark) for number in numbers)


@dataclass
class Voice:
    """One RTP stream from a port of its own."""

    mark: int = 0
    source: int = 7
    seq: int = 65_500
    stamp: int = 4_294_960_000
    kind: int = 0
    to: tuple[str, int] = ("", 0)
    socket: socket.socket = field(default_factory=lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM))

    def __post_init__(self) -> None:
        self.socket.bind((HOST, 0))

    @property
    def port(self) -> int:
        port: int = self.socket.getsockname()[1]
        return port

    def packet(self, number: int, kind: int | None = None, mark: int | None = None, source: int | None = None) -> bytes:
        head = struct.pack(
            ">BBHII", 0x80, self.kind if kind is None else kind, (self.seq + number) % 65536,
            (self.stamp + number * FRAME) % (1 << 32), self.source if source is None else source,
        )  # fmt: skip
        return head + frame(number, self.mark if mark is None else mark)

    def say(self, numbers: Iterable[int], **own: int) -> None:
        for number in numbers:
            self.socket.sendto(self.packet(number, **own), self.to)


class Client:
    """One session at a recording server."""

    def __init__(self, port: int, call: str = "") -> None:
        self.server = (HOST, port)
        self.call = call or f"call-{next(_calls)}@src.example"
        self.tag, self.seq = "", 0
        self.voices: list[Voice] = []
        self.heard: asyncio.Queue[Request | Response] = asyncio.Queue()
        self.bye = asyncio.Event()
        self.acknowledges = True
        self._branches = count(1000 * next(_calls))
        self._udp: asyncio.DatagramTransport | None = None
        self._tcp: asyncio.StreamWriter | None = None
        self._reader: asyncio.Task[None] | None = None

    async def dial(self, tcp: bool = False) -> None:
        if not tcp:
            loop = asyncio.get_running_loop()
            self._udp, _ = await loop.create_datagram_endpoint(lambda: _Ear(self), local_addr=(HOST, 0))
            return
        reader, self._tcp = await asyncio.open_connection(*self.server)
        self._reader = asyncio.create_task(self._read(reader))

    async def hang_up(self) -> None:
        """Close the connection, not the session."""
        if self._udp is not None:
            self._udp.close()
        if self._tcp is not None:
            self._tcp.close()
        if self._reader is not None:
            self._reader.cancel()
            await asyncio.gather(self._reader, return_exceptions=True)
        self._udp = self._tcp = self._reader = None

    def close(self) -> None:
        for voice in self.voices:
            voice.socket.close()

    async def _read(self, reader: asyncio.StreamReader) -> None:
        stream = Stream()
        while data := await reader.read(65536):
            for message in stream.feed(data):
                self.take(message)

    def take(self, message: Request | Response) -> None:
        if isinstance(message, Request):
            assert message.method == "BYE"
            self.raw(write_response(message, 200, self.server))
            self.bye.set()
        else:
            self.heard.put_nowait(message)

    def raw(self, data: bytes) -> None:
        if self._tcp is not None:
            self._tcp.write(data)
        elif self._udp is not None:
            self._udp.sendto(data, self.server)

    def text(self, method: str, seq: int, headers: Sequence[str] = (), body: bytes = b"", branch: str = "") -> bytes:
        transport = "TCP" if self._tcp else "UDP"
        to = f"<sip:srs@{HOST}>;tag={self.tag}" if self.tag else f"<sip:srs@{HOST}>"
        lines = [
            f"{method} sip:srs@{HOST} SIP/2.0",
            f"Via: SIP/2.0/{transport} {HOST}:9;branch={branch or f'z9hG4bK{next(self._branches)}'};rport",
            f"From: <sip:src@src.example>;tag=src{self.call}", f"To: {to}", f"Call-ID: {self.call}",
            f"CSeq: {seq} {method}", "Contact: <sip:src@src.example>;+sip.src", "Max-Forwards: 70", *headers,
            f"Content-Length: {len(body)}", "", "",
        ]  # fmt: skip
        return "\r\n".join(lines).encode() + body

    async def ask(self, method: str, headers: Sequence[str] = (), body: bytes = b"") -> Response:
        """The final answer; that to an INVITE is acknowledged."""
        self.seq += 1
        data = self.text(method, self.seq, headers, body)
        async with asyncio.timeout(WAIT_S):
            while True:
                self.raw(data)
                try:
                    async with asyncio.timeout(AGAIN_S if self._udp else WAIT_S):
                        return await self.answer(method)
                except TimeoutError:
                    continue

    async def answer(self, method: str) -> Response:
        async with asyncio.timeout(WAIT_S):
            while True:
                message = await self.heard.get()
                assert isinstance(message, Response)
                if message.status < 200 or message.cseq != (self.seq, method):
                    continue
                if method == "INVITE" and message.status == 200:
                    self.tag = message.to_tag
                if method == "INVITE" and self.acknowledges:
                    self.raw(self.text("ACK", self.seq, branch="" if message.status == 200 else message.via.branch))
                return message

    async def invite(self, voices: int = 2, metadata: str = METADATA, **own: str) -> Response:
        """Offer streams with the labels 1, 2 …, and send to the ports of the answer."""
        self.voices += [Voice(mark=n, source=n + 7) for n in range(len(self.voices), voices)]
        return await self.offer(self.sdp(**own), metadata)

    async def offer(self, sdp: str, metadata: str = "", method: str = "INVITE") -> Response:
        answer = await self.ask(method, *mixed(sdp, metadata))
        ports = [int(port) for port in re.findall(r"m=audio (\d+)", answer.body.decode())]
        for voice, port in zip(self.voices, ports, strict=False):
            voice.to = (HOST, port)
        return answer

    def sdp(self, direction: str = "sendonly", formats: str = "0 101") -> str:
        lines = ["v=0", f"o=src 1 1 IN IP4 {HOST}", "s=-", f"c=IN IP4 {HOST}", "t=0 0"]
        for number, voice in enumerate(self.voices):
            lines += [f"m=audio {voice.port} RTP/AVP {formats}", "a=rtpmap:0 PCMU/8000", "a=ptime:20"]
            lines += [f"a={direction}", f"a=label:{number + 1}"]
        return "\r\n".join([*lines, ""])


class _Ear(asyncio.DatagramProtocol):
    def __init__(self, client: Client) -> None:
        self._client = client

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self._client.take(parse(data))


def mixed(sdp: str, metadata: str) -> tuple[list[str], bytes]:
    """The headers and the body of an INVITE."""
    require = ["Require: siprec"]
    if not metadata:
        return ([*require, "Content-Type: application/sdp"], sdp.encode()) if sdp else (require, b"")
    described = f"--b1\r\nContent-Type: application/sdp\r\n\r\n{sdp}\r\n" if sdp else ""
    body = f"{described}--b1\r\nContent-Type: application/rs-metadata+xml\r\n\r\n{metadata}\r\n--b1--\r\n"
    return [*require, "Content-Type: multipart/mixed;boundary=b1"], body.encode()


@asynccontextmanager
async def calling(site: Site, tcp: bool = False, call: str = "") -> AsyncIterator[Client]:
    client = Client(site.server.port, call)
    await client.dial(tcp)
    try:
        yield client
    finally:
        await client.hang_up()
        client.close()
