"""One ingest process put together: opened and closed in one place, in the order that loses nothing. No protocols."""

from __future__ import annotations

import asyncio
import errno
import os
import resource
import ssl
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Protocol, Self

from ingest.admission import Admission
from ingest.errors import PortTaken, SpoolFailed
from ingest.origin import check_bind
from ingest.shell.audiosocket_server import AudioSocketServer, SocketLimits
from ingest.shell.core import LOG, Core, utc_now
from ingest.shell.faults import Faults
from ingest.shell.server import Server, Way
from ingest.shell.siblings import Siblings
from ingest.shell.streams import Streams, crashed
from ingest.shell.tail import Tailer
from ingest.shell.writer import Spool, SpoolLimits
from ingest.sink import Sink
from ingest.sources import Sources
from ingest.spool import LegTrace, Recovered
from ingest.waiting import Done

DESCRIPTORS = 1024  # a socket a leg, and the files of the spool


class Part(Protocol):
    """Something that runs beside the ports: a client of a switchboard, a server of its own, a watched folder."""

    async def start(self) -> None: ...

    async def stop(self) -> None:
        """Ends its legs and lets go of what it holds; called also when ``start`` failed half way."""
        ...


@dataclass(frozen=True, slots=True)
class IngestConfig:
    """Everything that one ingest process is told. ``folder`` is its own; two processes never share one."""

    folder: Path
    secret: bytes  # signs tokens and UUIDs; at least 16 random bytes, the same for all processes of a site
    sink: Sink | None = None  # None = rows stay in the spool
    host: str = "127.0.0.1"
    http_port: int = 9093  # 0 = any free one
    audiosocket_port: int = 9092
    beside: Path | None = None  # folder of all spools of this machine, where several processes share the ports
    tls: ssl.SSLContext | None = None  # for the HTTP port; AudioSocket knows none
    sources: Sources = field(default_factory=Sources)  # none: this machine's programs send without a key
    ways: Sequence[Callable[[Core, Sources], Way]] = ()  # more protocols on the HTTP port
    parts: Sequence[Callable[[Core, Sources], Part]] = ()  # what runs beside the ports
    spool: SpoolLimits = field(default_factory=SpoolLimits)
    sockets: SocketLimits = field(default_factory=SocketLimits)
    reap_seconds: float = 30.0
    faults: Faults = field(default_factory=Faults)
    now: Callable[[], datetime] = utc_now
    passed: Callable[[str], None] = lambda spool_id: None  # the tailer has carried this whole file


class Ingest:
    """``start``, then ``stop``; or ``async with``. ``failed`` raises when the process has to end."""

    def __init__(self, config: IngestConfig) -> None:
        self.config = config
        self.http_port = self.audiosocket_port = 0
        self.recovered = Recovered()
        self.error: BaseException | None = None
        self._tail: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Recover, then listen. Leaves nothing open when it raises OpenToAll, SpoolLocked, SpoolFailed or PortTaken."""
        config, self._loop = self.config, asyncio.get_running_loop()
        check_bind(config.host, keyless=config.sources.keyless)
        _look_at_limits()
        self.error, self._ended = None, asyncio.Event()
        admission = Admission(config.secret)
        self.spool = Spool(
            config.folder,
            config.spool,
            config.faults,
            self._publish,
            self._fail,
            lambda: admission.snapshot(config.now()),
        )
        self.recovered = await asyncio.to_thread(self.spool.open)
        admission.remember(self.recovered.admitted.values())
        self.core = Core(self.spool, admission, self.recovered.keys, config.faults, config.now)
        self.core.legs_before(self.recovered.legs)
        siblings = Siblings(config.beside, config.folder)
        self.core.elsewhere = siblings.admitted
        self.streams = Streams(self.core, config.reap_seconds, siblings)
        self.tailer = None if config.sink is None else Tailer(config.folder, config.sink, config.passed)
        self._resume(self.recovered.legs.values())
        ways = [make(self.core, config.sources) for make in config.ways]
        self._parts = [make(self.core, config.sources) for make in config.parts]
        self._http = Server(self.core, self.streams, config.sources, ways, config.tls, siblings.any)
        self._audio = AudioSocketServer(self.core, config.sockets, siblings)
        try:
            self.http_port = await _listen(self._http.start, config.host, config.http_port)
            self.audiosocket_port = await _listen(self._audio.start, config.host, config.audiosocket_port)
            for part in self._parts:
                await part.start()
        except BaseException:
            await self.stop()
            raise
        if self.tailer is not None:
            self._tail = asyncio.create_task(self.tailer.run(), name="tailer")
            self._tail.add_done_callback(self._tail_ended)

    async def stop(self) -> None:
        """Clients first, then what waits to be stored, then what waits to be carried."""
        stopped = await asyncio.gather(*(part.stop() for part in self._parts), return_exceptions=True)
        for error in filter(None, stopped):
            LOG.error("stopping: %r", error)  # what the others still hold is stored all the same
        await self._audio.stop()
        await self._http.stop()
        self.streams.close()
        self.core.flush_legs()
        await asyncio.to_thread(self.spool.close)
        if self._tail is not None:
            self._tail.cancel()
            await asyncio.gather(self._tail, return_exceptions=True)
        if self.tailer is not None and self.error is None:
            await self.tailer.once()
            self.tailer.close()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def flush(self) -> None:
        """Returns once everything stored so far is durable and, if there is a sink that answers, carried."""
        durable = asyncio.Event()
        self.core.flush_legs()
        self.streams.send()
        self.core.store((), durable.set, force=True)
        await durable.wait()
        if self.tailer is not None:
            await self.tailer.once()

    def _resume(self, found: Collection[LegTrace]) -> None:
        """Legs that an earlier process left: /stream clients may come back, others cannot."""
        self.streams.restore(trace for trace in found if trace.epoch and trace.start)
        for trace in found:
            if trace.end is None and not (trace.epoch and trace.start):
                self.core.store(crashed(trace, self.core.now(), self.core.mono()), force=True)
                LOG.warning("call %r leg %r ended: crash", trace.call, trace.leg)

    def _publish(self, done: Sequence[Done]) -> None:
        """From the writer's thread to the loop, once a commit."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._after_commit, done)

    def _after_commit(self, done: Sequence[Done]) -> None:
        for one in done:
            one()
        if self.tailer is not None:
            self.tailer.wake()

    def _fail(self, error: SpoolFailed) -> None:
        LOG.critical("%s", error)
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._set_failed, error)

    def _set_failed(self, error: BaseException) -> None:
        self.error = self.error or error
        if isinstance(error, SpoolFailed):
            self.core.fail(error)
        self._ended.set()

    async def failed(self) -> None:
        """Waits for as long as all is well; raises what went wrong. Nothing is acknowledged any more then."""
        await self._ended.wait()
        assert self.error is not None
        raise self.error

    def _tail_ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            LOG.critical("tailer: %s", error)
            self._set_failed(error)


def _look_at_limits() -> None:
    """Too few descriptors turn callers away at the busiest hour; better said at the start."""
    most, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if most != resource.RLIM_INFINITY and most < DESCRIPTORS:
        LOG.warning(
            "open files: at most %d in this process, and every leg takes one; allow %d or more (ulimit -n)",
            most,
            DESCRIPTORS,
        )


async def _listen(start: Callable[[str, int], Awaitable[int]], host: str, port: int) -> int:
    try:
        return await start(host, port)
    except OSError as error:
        if error.errno not in (errno.EADDRINUSE, errno.EACCES, errno.EADDRNOTAVAIL):
            raise
        raise PortTaken(
            f"port {port} on {host}: cannot be listened on ({os.strerror(error.errno)}); stop the program that holds "
            "it, or set another port"
        ) from None
