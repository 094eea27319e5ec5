"""Asterisk's REST interface: one socket of events, requests beside it, as ``ingest.ari`` asks. Places and ends no call.

When ARI is away calls go on as before; what was not heard is stored as a ``leg`` event that says so.
"""

from __future__ import annotations

import asyncio
import json
import logging
import random
import secrets
from collections.abc import Coroutine, Iterable
from datetime import timedelta
from itertools import count
from typing import Any
from uuid import UUID, uuid5

import aiohttp
from yarl import URL

from ingest.ari import UNRECORDED, AriConfig, Ask, Effect, Gone, Heard, Key, Rest, Taps
from ingest.body import load
from ingest.errors import AriError, SpoolError, SpoolFull
from ingest.shell.core import LOG, Core
from ingest.taps import Tap
from ingest.tokens import audiosocket_uuid

ASK_S = 5.0
GOODBYE_S = 3.0
HEARTBEAT_S = 10.0
REQUESTS = 16  # at once
EVENT_BYTES = 256 * 1024
FIRST_WAIT_S, LONGEST_WAIT_S = 0.25, 15.0
UUID_FOR = timedelta(minutes=10)  # the switchboard dials us at once
LATE_S = 0.25  # as much as the assembler forgives at a leg's head
EVENT_TRIES = 60
_NAMES = UUID("5f0f1f0e-6d2f-5a6e-9b5d-2f4f0c1f7a11")


class AriTaps:
    """The taps of one switchboard, for as long as the process runs. ``want`` may be called at any time."""

    def __init__(self, config: AriConfig, core: Core, secret: bytes) -> None:
        self._config, self._core, self._secret = config, core, secret
        self._taps = Taps(config, self._begin, secrets.token_hex(4))
        self._legs: dict[Key, tuple[str, str]] = {}  # leg id and UUID of the present try
        self._tries = count(random.randrange(50))
        self._deaf: dict[Key, float] = {}  # since when a leg is wanted and not heard
        self._jobs: set[asyncio.Task[None]] = set()  # requests and events on their way
        self._rests: set[asyncio.Task[None]] = set()  # pauses before another try
        self._http: aiohttp.ClientSession | None = None
        self._run: asyncio.Task[None] | None = None
        self._said = ""
        self.up = asyncio.Event()

    @property
    def open(self) -> int:
        """Legs that are wanted now."""
        return self._taps.open

    @property
    def heard(self) -> int:
        return self._taps.heard

    async def start(self) -> None:
        """Returns at once; the switchboard may be away for as long as it likes."""
        config = self._config
        self._http = aiohttp.ClientSession(
            headers=_logged_in(config),
            timeout=aiohttp.ClientTimeout(total=ASK_S),
            connector=aiohttp.TCPConnector(limit=REQUESTS),
        )
        self._run = asyncio.create_task(self._stay(), name=f"ari-{config.pbx}")

    async def stop(self) -> None:
        """Take every tap away, within a few seconds, and let go."""
        if self._http is None:
            return
        if self._run is not None:
            self._run.cancel()
            await asyncio.gather(self._run, return_exceptions=True)
        for key in self._taps.keys:
            self._do(self._taps.over(key))
        if self._jobs:
            await asyncio.wait(self._jobs, timeout=GOODBYE_S)
        left = [*self._jobs, *self._rests]
        for job in left:
            job.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        await self._http.close()

    def want(self, tap: Tap) -> None:
        """Hear this leg from now on."""
        self._deaf.setdefault((tap.call, tap.leg), self._core.mono())
        self._do(self._taps.want(tap))

    def over(self, call: str, leg: str) -> None:
        """Nobody needs this leg any more; a channel that hangs up says so itself."""
        self._do(self._taps.over((call, leg)))

    async def _stay(self) -> None:
        """Connect, listen, connect again; never gives up."""
        failed = 0
        while True:
            try:
                await self._listen()
                failed = 0
            except (aiohttp.ClientError, AriError, TimeoutError, OSError, ValueError) as error:
                failed = 0 if self.up.is_set() else failed + 1
                self._say(f"ARI of {self._config.pbx}: {_why(error)}; calls go on, taps wait")
            finally:
                self.up.clear()
                self._taps.lost()
            await asyncio.sleep(_wait_s(failed))

    async def _listen(self) -> None:
        """One connection, to its end. The socket comes first: without it our app does not exist over there."""
        assert self._http is not None
        about = {"app": self._config.app, "subscribeAll": "false"}
        url = self._url("/events").with_query(about)
        async with self._http.ws_connect(url, heartbeat=HEARTBEAT_S, max_msg_size=EVENT_BYTES) as ws:
            found = [await self._names(kind) for kind in ("channels", "bridges")]
            self._do(self._taps.connected(*found))
            self._say(f"ARI of {self._config.pbx}: connected")
            self.up.set()
            async for message in ws:
                if message.type is aiohttp.WSMsgType.TEXT:
                    self._take(message.data)
            raise AriError(f"connection closed ({ws.close_code})")

    def _take(self, text: str) -> None:
        try:
            event = load(text)
        except ValueError as error:
            self._core.refuse("ari news", error)
            return
        if not isinstance(event, dict):
            return
        if event.get("type") == "ApplicationReplaced":
            raise AriError(
                f"another program connected as app {self._config.app!r}; give each process an app of its own"
            )
        self._do(self._taps.event(event))

    async def _names(self, kind: str) -> list[str]:
        assert self._http is not None
        async with self._http.get(self._url(f"/{kind}"), raise_for_status=True) as answer:
            found = load(await answer.text())
        return [str(one.get("id")) for one in found if isinstance(one, dict)]

    def _do(self, effects: Iterable[Effect]) -> None:
        for effect in effects:
            match effect:
                case Ask():
                    _spawn(self._ask(effect), self._jobs)
                case Rest():
                    LOG.info("tap of %s: %s; tried again", effect.key, effect.why)
                    self._deaf.setdefault(effect.key, self._core.mono())
                    _spawn(self._rest(effect), self._rests)
                case Heard():
                    self._heard(effect.tap)
                case Gone():
                    self._gone(effect)

    async def _ask(self, ask: Ask) -> None:
        assert self._http is not None
        try:
            url = self._url(ask.path).with_query(dict(ask.params))
            async with self._http.request(ask.method, url) as answer:
                status, why = answer.status, "" if answer.status < 300 else (await answer.text())[:200]
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            status, why = 0, _why(error)
        if status >= 300 and status != 404:
            level = logging.INFO if ask.step == UNRECORDED else logging.WARNING
            LOG.log(level, "ARI of %s: %s %s: %s %s", self._config.pbx, ask.method, ask.path, status, why)
        well = 200 <= status < 300 or (ask.ident is None and status == 404)  # what is not there need not be taken away
        self._core.counts[f"ari {ask.step or 'taken away'}{'' if well else ' refused'}"] += 1
        self._do(self._taps.answered(ask, status, why))

    async def _rest(self, rest: Rest) -> None:
        await asyncio.sleep(_wait_s(rest.failed))
        self._do(self._taps.again(rest.key))

    def _begin(self, tap: Tap) -> UUID:
        """A one-time UUID for the next try, bound to a leg id of its own."""
        leg, before = self._legs.get((tap.call, tap.leg), ("", ""))
        if not leg or self._core.admission.is_used(before):
            leg = self._core.fresh_leg(tap.call, tap.leg)
        until = self._core.now() + UUID_FOR + timedelta(minutes=next(self._tries) % 50)  # no UUID twice for a leg
        ident = audiosocket_uuid(self._secret, tap.call, leg, tap.role, until)
        self._legs[tap.call, tap.leg] = leg, str(ident)
        self._core.prompt.discard(before)
        self._core.prompt.add(str(ident))
        self._tell(tap, f"tap-{ident}", leg, audio={"audiosocket": str(ident)})
        return ident

    def _heard(self, tap: Tap) -> None:
        key, now_s = (tap.call, tap.leg), self._core.mono()
        late_s = now_s - self._deaf.pop(key, now_s)
        self._core.counts["ari heard"] += 1
        if late_s > LATE_S:
            self._note(tap, self._legs[key][0], gap="tap_late", late_ms=round(late_s * 1000))

    def _gone(self, gone: Gone) -> None:
        key = (gone.tap.call, gone.tap.leg)
        self._deaf.pop(key, None)
        self._core.prompt.discard(self._legs.pop(key, ("", ""))[1])
        if not gone.heard:
            self._core.counts["ari no tap"] += 1
            self._note(gone.tap, gone.tap.leg, gap="no_tap", why=gone.why)

    def _note(self, tap: Tap, leg: str, gap: str, **own: object) -> None:
        """What was not heard of a leg, and why."""
        named = uuid5(_NAMES, json.dumps([self._config.pbx, tap.call, leg, tap.at.isoformat(), gap]))
        self._tell(tap, f"{gap}-{named}", leg, gap=gap, **own)

    def _tell(self, tap: Tap, ident: str, leg: str, **own: object) -> None:
        """A ``leg`` event of this switchboard; its UUID counts from the next turn of the loop on."""
        event = {"source": self._config.pbx, "id": ident, "at": tap.at.isoformat(), "type": "leg", "call": tap.call,
                 "leg": leg, "role": tap.role, "channel": tap.channel, **own}  # fmt: skip
        _spawn(self._store({**event, "seat": tap.seat} if tap.seat else event), self._jobs)

    async def _store(self, event: dict[str, object]) -> None:
        """Into the spool; a full one is asked again, for a minute."""
        for tries in range(EVENT_TRIES):
            try:
                taken = await self._core.take_events([event])
            except SpoolFull:
                await asyncio.sleep(_wait_s(tries))
                continue
            except SpoolError as error:
                self._core.refuse("ari event", error)
                return
            for _, refusal in taken.refused:
                self._core.refuse("ari event", f"{refusal.field}: {refusal.reason}")
            return
        self._core.refuse("ari event", f"{event['id']}: the spool stayed full")

    def _url(self, path: str) -> URL:
        return URL(f"{self._config.url.rstrip('/')}/ari{path}", encoded=True)

    def _say(self, what: str) -> None:
        """Once, not with each try."""
        if what != self._said:
            self._said = what
            LOG.warning("%s", what)


async def greet(config: AriConfig) -> str:
    """The switchboard's version by a log-in of its own; AriError says what to put right."""
    url = f"{config.url.rstrip('/')}/ari/asterisk/info?only=system"
    try:
        async with (
            aiohttp.ClientSession(headers=_logged_in(config), timeout=aiohttp.ClientTimeout(total=ASK_S)) as http,
            http.get(url) as answer,
        ):
            if answer.status == 401:
                raise AriError(f"{config.url}: user {config.user!r} or its password is wrong; compare with ari.conf")
            answer.raise_for_status()
            return f"Asterisk {load(await answer.text())['system']['version']}"
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError, KeyError, TypeError) as error:
        raise AriError(f"{config.url}: {_why(error)}; is ARI enabled there (http.conf, ari.conf)?") from None


def _logged_in(config: AriConfig) -> dict[str, str]:
    return {"Authorization": aiohttp.encode_basic_auth(config.user, config.secret)}


def _spawn(work: Coroutine[Any, Any, None], among: set[asyncio.Task[None]]) -> None:
    job = asyncio.create_task(work)
    among.add(job)
    job.add_done_callback(among.discard)


def _wait_s(failed: int) -> float:
    """Longer with each failure, never in step with other clients."""
    longest = min(LONGEST_WAIT_S, FIRST_WAIT_S * (1 << min(failed, 10)))
    return longest * random.uniform(0.5, 1)


def _why(error: BaseException) -> str:
    if isinstance(error, aiohttp.WSServerHandshakeError) and error.status == 401:
        return "user or password is wrong; compare with ari.conf"
    return str(error) or type(error).__name__
