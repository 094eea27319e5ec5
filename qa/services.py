"""The composition root: opens what a process needs, in order, and closes it in the opposite order.

Which parts run is an argument; everything they share (store, rules, recogniser) is made here and nowhere else.
"""

from __future__ import annotations

import asyncio
import getpass
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import structlog

from ingest.shell.service import Ingest
from qa.faults import faults
from qa.fold import Folder
from qa.handover import Mover, WrongFolder, check, same_key
from qa.ingesting import Carrier, listening
from qa.jobs import HEAR, SCORE_AWAY, Worker
from qa.settings import Settings
from qa.site import DEMO, SiteRules, rules
from qa.store.duty import Duty
from qa.store.errors import StoreAway, StoreBusy, StoreFull
from qa.store.pool import Store
from qa.store.queue import Queue
from qa.store.sink import PostgresSink
from qa.store.source import database
from speech.pool import Limits, Recogniser, whisper

log = structlog.get_logger(__name__)
TURN_SECONDS = 0.1  # how often the folds look for news
TIDY_SECONDS = 10.0


def now() -> datetime:
    """The clock of the product's shells."""
    return datetime.now(UTC)


def fixture_model() -> Path:
    """The bundled test model; it hears the bundled calls only."""
    from importlib.resources import files

    return Path(str(files("speech") / "fixture"))


class NoModel(Exception):
    """No speech model is set; says how to get one."""

    faults = (
        "no speech model is set: give --model FOLDER or set SEATWATCH_MODEL to a faster-whisper model folder",
        "to get one, where there is a network: hf download Systran/faster-whisper-small --local-dir FOLDER",
        "(the bundled test model, --model fixture, hears the demo's calls only and judges nobody)",
    )


def model_folder(name: str | None) -> Path:
    """A model folder by setting; raises NoModel when none is set."""
    if not name:
        raise NoModel
    return fixture_model() if name == "fixture" else Path(name).expanduser()


def recogniser(settings: Settings, model: Path, niceness: int = 19) -> Recogniser:
    """The child process that listens, with the settings' limits; beside ingest it takes what ingest leaves over."""
    compute = None if settings.compute_type == "default" else settings.compute_type
    make = whisper(model, device=settings.device, compute_type=compute, threads=settings.speech_threads)
    return Recogniser(make, Limits(threads=settings.speech_threads, niceness=niceness))


@dataclass(slots=True)
class Services:
    """What runs in this process; ``status`` fills as parts come up."""

    settings: Settings
    store: Store
    site: str
    status: dict[str, Any] = field(default_factory=dict)
    tasks: list[asyncio.Task[None]] = field(default_factory=list)
    rules_by_site: dict[str, SiteRules] = field(default_factory=dict)

    @property
    def recordings(self) -> Path:
        return self.settings.recordings_folder

    def clock(self) -> datetime:
        return now()

    def rules(self, site: str) -> SiteRules:
        """A site's rules, read once."""
        if site not in self.rules_by_site:
            self.rules_by_site[site] = rules(self.settings, site)
        return self.rules_by_site[site]

    async def failed(self) -> None:
        """Wait until a part fails; its error is raised. A part that has done its work is not waited for again."""
        running = set(self.tasks)
        while running:
            done, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        await asyncio.Event().wait()


@asynccontextmanager
async def opened_database(settings: Settings) -> AsyncIterator[str]:
    """The running database, by its address; its schema is left as it is."""
    url = settings.database_url.get_secret_value() if settings.database_url else None
    settings.data.mkdir(parents=True, exist_ok=True)
    async with database(url, settings.data, settings.pg_bin) as base:
        yield base.dsn


@asynccontextmanager
async def opened_store(settings: Settings) -> AsyncIterator[Store]:
    """The database of this installation at this release's schema; nothing else runs."""
    async with opened_database(settings) as dsn:
        store = await Store.open(dsn)
        try:
            await store.migrate()
            yield store
        finally:
            await store.close()


@asynccontextmanager
async def opened(settings: Settings, site: str, name: str, *, scores: bool = True) -> AsyncIterator[Services]:
    """Database, schema and site; parts are started on top of it. What *scores* has the site's rules read at once."""
    wanted = [asyncio.to_thread(rules, settings, site)] if scores else []  # a second of work, beside the database
    reading = asyncio.gather(*wanted)
    try:
        async with opened_store(settings) as store:
            await store.add_site(site, name, settings.timezone, "service")
            services = Services(settings, store, site)
            services.rules_by_site |= {one.id: one for one in await reading}
            try:
                yield services
            finally:
                await _stop(services)
    finally:
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)


async def _stop(services: Services) -> None:
    for task in services.tasks:
        task.cancel()
    await asyncio.gather(*services.tasks, return_exceptions=True)


def _start(settings: Settings) -> date | None:
    """The site's first day; the demo plays whenever it likes."""
    return None if settings.site == DEMO else settings.start_day


async def start_worker(services: Services, stack: AsyncExitStack, model: Path, niceness: int = 19) -> None:
    """Jobs from the queue; the model loads at once, beside whatever rings."""
    settings, fault = services.settings, faults(services.settings)
    listening = recogniser(settings, model, niceness)
    stack.callback(listening.close)
    services.status["model"] = "loading"

    async def step(point: str) -> None:
        fault(point)

    async def warm() -> None:
        services.status["model"] = (await listening.warmed_up()).engine

    worker = Worker(
        services.store, services.rules, listening, services.recordings, settings.keep_flac, step, _start(settings)
    )
    queue = await stack.enter_async_context(Queue.open(services.store.dsn))
    queue.handle(HEAR, worker.hear, at_once=settings.speech_workers)
    queue.handle(SCORE_AWAY, worker.score_away)
    services.tasks.append(asyncio.create_task(warm(), name="warm-up"))
    services.tasks.append(asyncio.create_task(queue.run(), name="worker"))
    stack.callback(queue.stop)


def start_carrying(services: Services, ingest: Ingest, carrier: Carrier) -> None:
    """From now on what an open ingest stores is carried to this site; its end is this process's end."""
    home = home_of(services.settings, ingest) if services.settings.shared_spool is not None else None
    carrier.to(PostgresSink(services.store, services.site, home=home, quiet_dbfs=services.settings.alarm_silent_dbfs))
    services.tasks.append(asyncio.create_task(ingest.failed(), name="ingest"))
    services.status["ingest"] = f"{services.settings.host}:{ingest.http_port}, AudioSocket {ingest.audiosocket_port}"


def home_of(settings: Settings, ingest: Ingest) -> str:
    """Whose spool files these are: the name of their folder below the one that all machines share."""
    return f"{settings.machine_name}/{ingest.config.folder.name}"


def start_handing_over(services: Services, ingest: Ingest) -> None:
    """Where machines share the database, each gives out what it has stored."""
    settings, fault = services.settings, faults(services.settings)
    if settings.shared_spool is None:
        return

    async def step(point: str) -> None:
        fault(point)

    home = home_of(settings, ingest)
    mover = Mover(services.store, services.site, ingest.config.folder, settings.shared_spool, home, step)
    services.tasks.append(asyncio.create_task(mover.run(), name="handover"))
    services.tasks.append(asyncio.create_task(_alike(services), name="alike"))
    services.status["handover"] = str(mover.place)


async def _alike(services: Services) -> None:
    """Says, once, what keeps this machine from being like the others. Nothing waits for it."""
    settings = services.settings
    try:
        if not await same_key(services.store, services.site, settings.secret):
            log.error("token_key.differs", says="it is not the key of the site's other machines; UUIDs and tokens that "
                      "they sign are refused here. Set token_key to a copy of the first machine's")  # fmt: skip
        await check(services.store, services.site, "recordings", services.recordings / services.site)
    except WrongFolder as error:
        log.error("recordings.differ", says=str(error))
    except (OSError, StoreAway, StoreBusy, StoreFull) as error:
        log.warning("handover.not_compared", says=str(error))


async def start_ingest(services: Services, stack: AsyncExitStack) -> tuple[Ingest, asyncio.Event]:
    """The sockets on an open store, and the bell that rings when something was carried."""
    carrier = Carrier()
    ingest = await stack.enter_async_context(listening(services.settings, carrier, faults(services.settings)))
    start_carrying(services, ingest, carrier)
    return ingest, carrier.wake


async def start_folds(services: Services, wake: asyncio.Event | None = None) -> Folder:
    """The folds of this site, turned whenever a tailer has carried something; one process of the site turns them."""
    settings, fault = services.settings, faults(services.settings)

    async def step(point: str) -> None:
        fault(point)

    silent = timedelta(minutes=settings.silent_call_minutes)
    reasons = {theirs.strip().lower(): ours for theirs, ours in settings.busy_reasons.items()}
    folder = Folder(
        services.store, services.site, settings.zone, settings.spool, services.recordings, now, step, silent, reasons,
        shared=settings.shared_spool, machine=settings.machine_name,
    )  # fmt: skip
    duty = Duty(services.store.dsn, services.site, "folds")
    services.tasks.append(asyncio.create_task(keep_folding(folder, duty, wake or asyncio.Event()), name="folds"))
    return folder


async def keep_folding(folder: Folder, duty: Duty, wake: asyncio.Event) -> None:
    """Until cancelled. Calls are assembled beside the folds: an hour of audio takes seconds, and the floor looks at
    the board. A database that is away for a while stops nothing: the work is tried again at the next turn."""
    clock, ours, tidied = asyncio.get_running_loop().time, False, 0.0
    assembling: asyncio.Task[int] | None = None
    try:
        while True:
            try:
                ours, before = await duty.mine(), ours
                if ours and not before:
                    await folder.resume()
                    tidied = clock()
                if ours:
                    await folder.fold()
                    if assembling is not None and assembling.done():
                        done, assembling = assembling, None
                        await done  # for its fault, once
                    assembling = assembling or _assembling(folder, wake)
                if ours and clock() - tidied > TIDY_SECONDS:
                    await folder.tidy()
                    tidied = clock()
            except (StoreAway, StoreBusy) as error:
                log.warning("database.away", says=str(error))
                ours = False  # whoever has the duty next looks at everything again
                await asyncio.sleep(1)
            await _rung(wake)
    finally:
        if assembling is not None:
            assembling.cancel()
            await asyncio.gather(assembling, return_exceptions=True)
        duty.close()


def _assembling(folder: Folder, wake: asyncio.Event) -> asyncio.Task[int]:
    """What is complete by now, assembled while the folds go on."""

    def ring(done: asyncio.Task[int]) -> None:
        if not done.cancelled() and done.exception() is None and done.result():
            wake.set()  # where there was something, there may be more

    task = asyncio.create_task(folder.finish(), name="assembling")
    task.add_done_callback(ring)
    return task


async def _rung(wake: asyncio.Event) -> None:
    """Until there is news, or it is time to look."""
    try:
        async with asyncio.timeout(TURN_SECONDS):
            await wake.wait()
        wake.clear()
    except TimeoutError:
        return


async def until_stopped(services: Services) -> None:
    """Run until SIGTERM or SIGINT, or until a part fails."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for sign in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(sign, stop.set)
    waiting = asyncio.create_task(stop.wait(), name="signal")
    failing = asyncio.create_task(services.failed(), name="failures")
    await asyncio.wait({waiting, failing}, return_when=asyncio.FIRST_COMPLETED)
    for task in (waiting, failing):
        task.cancel()
    if failing.done() and not failing.cancelled():
        failing.result()


async def start_web(services: Services, stack: AsyncExitStack, port: int | None = None) -> int:
    """The screens and the API on this machine, for whoever sits at it; the port that was opened."""
    from qa.web.app import make_app
    from qa.web.guard import Principal
    from qa.web.listen import listen

    settings = services.settings
    wanted = settings.web_port if port is None else port
    runner, opened_port = await listen(
        make_app(services, principal=Principal(getpass.getuser())), settings.web_host, wanted
    )
    stack.push_async_callback(runner.cleanup)
    services.status["web"] = f"http://{settings.web_host}:{opened_port}/ (this machine only, until login exists)"
    return opened_port
