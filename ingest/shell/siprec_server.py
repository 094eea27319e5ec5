"""The SIPREC recording server: SIP over UDP and TCP on one port, sessions behind it. SIP itself is decided elsewhere.

A call is only ever copied to this port: whatever happens here, the call itself goes on.
"""

from __future__ import annotations

import asyncio
import errno
import secrets
import socket
from collections.abc import Callable, Coroutine

from ingest.errors import PortTaken, SipError, SpoolError
from ingest.pace import Bucket
from ingest.shell.core import LOG, Core
from ingest.shell.siprec_media import Ports
from ingest.shell.siprec_session import Session
from ingest.sip import Request, Response, Stream, parse
from ingest.sip_dialog import Changed, Event, Flow, Invited, Over, SipServer
from ingest.siprec_config import SiprecConfig
from ingest.sources import Source, Sources, fault, inside

TICK_S = 0.05
FREE_TRIES = 20  # to find a number that is free for UDP and TCP
READ_BYTES = 64 * 1024
MESSAGE_S = 10.0  # a message that has begun is complete by then; so is the first one of a connection
IDLE_S = 3600.0  # a connection without a word
UNSENT_BYTES = 1 << 20
PEER_BYTES_S = 128 * 1024
PEERS = 4096  # whose pace is remembered
GOODBYE_S = 1.0  # for the answers to our BYEs
CAUSES = {"bye": "hangup", "cancel": "hangup"}


class SiprecServer:
    """``start`` and ``stop``. Sessions do not disturb one another."""

    def __init__(self, core: Core, config: SiprecConfig, source: Source | None = None) -> None:
        """*source*: where one of that name is configured, its networks and its number of legs count, too."""
        self._core, self._config, self._source = core, config, source
        self.port = 0
        self._sip = SipServer("", lambda: secrets.token_hex(8))
        self._ports = Ports(config.host, config.rtp_ports)
        self._sessions: dict[str, Session] = {}
        self._work: set[asyncio.Task[None]] = set()
        self._readers: set[asyncio.Task[None]] = set()
        self._stopping, self._quiet = False, asyncio.Event()
        self._connections: dict[int, asyncio.StreamWriter] = {}
        self._named = 0
        self._paces: dict[str, Bucket] = {}
        self._udp: asyncio.DatagramTransport | None = None
        self._tcp: asyncio.Server | None = None
        self._clock: asyncio.TimerHandle | None = None

    @property
    def open(self) -> int:
        """Legs that are open now."""
        return sum(len(session.open_legs) for session in self._sessions.values())

    async def start(self) -> None:
        """Listen on one port number, UDP and TCP; PortTaken when either is in use."""
        for tries in reversed(range(1 if self._config.port else FREE_TRIES)):
            try:
                await self._listen()
                break
            except OSError as error:
                if tries and error.errno == errno.EADDRINUSE:
                    continue
                place = f"port {self._config.port} on {self._config.host}, UDP and TCP"
                raise PortTaken(f"{place}: cannot be listened on ({error}); set another in [siprec]") from None
        address = f"[{self._config.address}]" if ":" in self._config.address else self._config.address
        self._sip.contact = f"sip:seatwatch@{address}:{self.port}"
        self._tick()

    async def _listen(self) -> None:
        family = socket.AF_INET6 if ":" in self._config.host else socket.AF_INET
        bound = socket.socket(family, socket.SOCK_DGRAM)
        try:
            bound.setblocking(False)
            bound.bind((self._config.host, self._config.port))
            self.port = bound.getsockname()[1]
            self._tcp = await asyncio.start_server(self._accept, self._config.host, self.port, limit=READ_BYTES)
        except OSError:
            bound.close()
            raise
        loop = asyncio.get_running_loop()
        self._udp, _ = await loop.create_datagram_endpoint(lambda: _Datagrams(self._datagram), sock=bound)

    async def stop(self) -> None:
        """Tell every client, end every leg, wait a moment for the answers and for what is being stored."""
        self._stopping, self._sip.open = True, False
        for key, session in list(self._sessions.items()):
            self._sip.hang_up(key, self._core.mono())
            await session.end("shutdown")
        self._sessions.clear()
        self._flush()
        try:
            async with asyncio.timeout(GOODBYE_S):
                await self._quiet.wait()
        except TimeoutError:
            self._core.counts["siprec unanswered BYE"] += 1
        if self._work:
            await asyncio.wait(self._work, timeout=GOODBYE_S)
        await self._close()

    async def _close(self) -> None:
        if self._clock is not None:
            self._clock.cancel()
        running = [*self._work, *self._readers]
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        if self._tcp is not None:
            self._tcp.close()
        for writer in self._connections.values():
            writer.close()
        if self._udp is not None:
            self._udp.close()

    def _tick(self) -> None:
        """Again and again, also when a pass goes wrong: the loop logs that, and sessions go on."""
        self._clock = asyncio.get_running_loop().call_later(TICK_S, self._tick)
        self._pass(self._core.mono())

    def _pass(self, now_s: float) -> None:
        """What time alone changes."""
        self._handle(self._sip.tick(now_s))
        for key, session in list(self._sessions.items()):
            if session.answer_due:
                self._spawn(session.tell_answer())
            if cause := session.tick(now_s):
                self._core.refuse("siprec session", f"call {session.call!r} ended: {cause}")
                self._sip.hang_up(key, now_s)
                self._end(key, cause)
        self._flush()

    def _datagram(self, data: bytes, address: tuple[str, int]) -> None:
        if not data.strip(b"\r\n\0") or not self._welcome(address[0], len(data)):
            return
        try:
            message = parse(data)
        except SipError as error:
            self._core.refuse("siprec message", f"{address[0]}: {error}")
            return
        self._receive(message, Flow(address))

    def _welcome(self, host: str, size: int) -> bool:
        """Strangers get no answer, and nobody more than its share of our time."""
        if not inside(self._config.networks, host):
            self._core.refuse("siprec address", f"{host} is in none of the networks that may record; add it to them")
            return False
        if self._source is not None and (why := fault(self._source, "siprec", host)):
            self._core.refuse("siprec address", why)
            return False
        if len(self._paces) >= PEERS:
            self._paces.clear()
        pace = self._paces.setdefault(host, Bucket(PEER_BYTES_S))
        if pace.wait_s(size, self._core.mono()) <= 0:
            return True
        pace.level -= size
        self._core.refuse("siprec pace", f"{host} sends more SIP than {PEER_BYTES_S} bytes a second")
        return False

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer = writer.get_extra_info("peername") or ("?", 0)
        address = (str(peer[0]), int(peer[1]))
        self._named += 1
        connection, task = self._named, asyncio.current_task()
        assert task is not None
        self._readers.add(task)
        try:
            if len(self._connections) < self._config.connections and self._welcome(address[0], 0):
                self._connections[connection] = writer
                await self._read(reader, Flow(address, connection))
        except SipError as error:
            self._core.refuse("siprec message", f"{address[0]}: {error}")
        except asyncio.CancelledError:
            if not self._stopping:
                raise
        except (TimeoutError, OSError):
            self._core.counts["siprec connection lost"] += 1
        finally:
            self._connections.pop(connection, None)
            self._readers.discard(task)
            writer.close()

    async def _read(self, reader: asyncio.StreamReader, flow: Flow) -> None:
        """Until the peer closes. Its sessions go on: it may come back on another connection."""
        stream, limit = Stream(), MESSAGE_S
        while True:
            async with asyncio.timeout(limit):
                data = await reader.read(READ_BYTES)
            if not data:
                return
            if not self._welcome(flow.address[0], len(data)):
                return
            for message in stream.feed(data):
                self._receive(message, flow)
                limit = IDLE_S
            limit = MESSAGE_S if stream.rest else limit

    def _receive(self, message: Request | Response, flow: Flow) -> None:
        self._sip.open = self._roomy and not self._stopping
        self._handle(self._sip.receive(message, flow, self._core.mono()))
        self._flush()

    @property
    def _roomy(self) -> bool:
        full = self._source is not None and self.open >= self._source.legs
        return self._core.spool.roomy and len(self._sessions) < self._config.sessions and not full

    def _handle(self, events: list[Event]) -> None:
        for event in events:
            match event:
                case Invited(key, request, flow):
                    session = Session(self._core, self._config, self._ports, request, flow.address[0])
                    self._sessions[key] = session
                    self._spawn(self._answer(key, session, session.open()))
                case Changed(key, request):
                    session = self._sessions[key]
                    self._spawn(self._answer(key, session, session.change(request)))
                case Over(key, cause):
                    self._end(key, CAUSES.get(cause, cause))

    async def _answer(self, key: str, session: Session, work: Coroutine[None, None, bytes]) -> None:
        """Accept or reject what waits; what is accepted is stored."""
        try:
            self._sip.accept(key, await work, self._core.mono())
        except SipError as error:
            self._refused(key, error.status, error)
        except SpoolError as error:
            self._refused(key, 503, error)
        finally:
            self._sip.reject(key, 500, "the recorder failed; its log says how", self._core.mono())  # if still open
            if key in self._sessions and not session.legs:
                del self._sessions[key]
            self._flush()

    def _refused(self, key: str, status: int, error: Exception) -> None:
        self._core.refuse("siprec", error)
        self._sip.reject(key, status, str(error), self._core.mono())

    def _end(self, key: str, cause: str) -> None:
        session = self._sessions.pop(key, None)
        if session is not None:
            self._spawn(session.end(cause))

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._work.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._work.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            LOG.error("siprec: %s", error, exc_info=error)

    def _flush(self) -> None:
        """Send what is to be sent."""
        for out in self._sip.take():
            if out.flow.connection is None:
                if self._udp is not None and not self._udp.is_closing():
                    self._udp.sendto(out.data, out.flow.address)
                continue
            assert isinstance(out.flow.connection, int)
            writer = self._connections.get(out.flow.connection)
            if writer is None or writer.transport.get_write_buffer_size() > UNSENT_BYTES:
                self._core.counts["siprec unsent"] += 1
                continue
            writer.write(out.data)
        if self._stopping and not self._sip.waiting:
            self._quiet.set()


class _Datagrams(asyncio.DatagramProtocol):
    """Hands datagrams on."""

    def __init__(self, take: Callable[[bytes, tuple[str, int]], None]) -> None:
        self._take = take

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self._take(data, (addr[0], addr[1]))


def siprec_part(config: SiprecConfig) -> Callable[[Core, Sources], SiprecServer]:
    """For ``IngestConfig.parts``."""
    return lambda core, sources: SiprecServer(core, config, sources.named(config.source))
