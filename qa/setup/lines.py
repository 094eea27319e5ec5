"""Asks the switchboards of a site: log-in and rights, the clock's difference, one call seen, one leg heard. Changes
nothing there but the taps of the test, which it takes away."""

from __future__ import annotations

import asyncio
import json
import secrets
import socket
import tempfile
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from ingest.ami_names import AmiConfig, Names, ours
from ingest.ari import AriConfig
from ingest.errors import AmiError, AriError, IngestError
from ingest.origin import is_loopback
from ingest.shell import ari_client
from ingest.shell.ami_line import AmiLine, Welcome, log_in, opened
from ingest.shell.service import Ingest, IngestConfig
from ingest.shell.switchboard import Switchboard
from ingest.sink import SpoolRow
from ingest.sources import Source, Sources
from qa.connections import PbxTable
from qa.settings import Settings
from qa.setup.looks import Finding, taken

CLOCK_S = 2.0  # more, and ring times are doubtful
PING_S = 5.0
APP = "seatwatch-setup"  # an app of its own: a running ingest keeps its taps
Clock = Callable[[], datetime]


async def switchboard(settings: Settings, pbx: PbxTable, now: Clock) -> list[Finding]:
    """Both interfaces of one switchboard, at once."""
    ari = ari_config(settings, pbx)
    asked = [manager(pbx.ami(), now), *([rest(ari)] if ari is not None else [])]
    found = [one for part in await asyncio.gather(*asked) for one in part]
    if ari is None:
        advice = "no audio is tapped; set ari_url, ari_user and ari_secret if it should be"
        found.append(Finding(f"ARI of {pbx.name}", "not set", advice, False, "ari", "ari_none", "none"))
    elif is_loopback(ari.media_host) and not is_loopback(pbx.host):
        advice = (
            "the switchboard cannot reach it; set `host` to an address of this machine, or media_host where one maps"
        )
        found.append(Finding("audio comes to", ari.media_host, advice, False, "media", "media_loopback"))
    return found


def ari_config(settings: Settings, pbx: PbxTable) -> AriConfig | None:
    return pbx.ari(pbx.media_host or settings.host, settings.audiosocket_port)


# --- the manager interface


async def manager(config: AmiConfig, now: Clock) -> list[Finding]:
    """Log in, look at the rights and the clock, leave."""
    what = f"AMI of {config.pbx}"
    try:
        async with _logged_in(config) as (_, welcome):
            at = now()
    except AmiError as error:
        return [Finding(what, "log-in failed", str(error), True, "ami", "ami_refused", "refused")]
    except (OSError, TimeoutError) as error:
        return [_away(what, config, error)]
    found = [_in(what, "ami", config.user, welcome.banner)]
    found += [Finding(f"rights of {config.user}", "not as they should be", one, False, "rights", _right(one), "rights")
              for one in welcome.warnings]  # fmt: skip
    return [*found, *_clock(config, welcome, at)]


def _in(what: str, check: str, user: str, banner: str) -> Finding:
    values = {"user": user, "banner": banner}
    return Finding(what, f"logged in as {user}, {banner}", check=check, seen="in", values=values)


def _away(what: str, config: AmiConfig, error: BaseException) -> Finding:
    why = str(error) or "no answer"
    advice = f"{why}; see that manager.conf has enabled = yes, and that bindaddr, permit and firewalls let us in"
    place = f"{config.host}:{config.port}"
    return Finding(what, f"{place} does not answer", advice, True, "ami", "ami_away", "silent", {"place": place})


def _right(warning: str) -> str:
    for word, code in (("may also", "ami_too_much"), ("may not", "ami_too_little"), ("encrypted", "ami_open")):
        if word in warning:
            return code
    return ""


def _clock(config: AmiConfig, welcome: Welcome, at: datetime) -> list[Finding]:
    if welcome.pinged_at is None:
        return []
    ahead = (welcome.pinged_at - at).total_seconds()
    advice = "let both machines keep time by NTP: ring times rest on it" if abs(ahead) > CLOCK_S else ""
    shown = f"{abs(ahead):.1f} s {'ahead of' if ahead > 0 else 'behind'} ours"
    code, seen = "clock_off" if advice else "", "ahead" if ahead > 0 else "behind"
    values = {"seconds": f"{abs(ahead):.1f}"}
    return [Finding(f"clock of {config.pbx}", shown, advice, False, "clock", code, seen, values)]


@asynccontextmanager
async def _logged_in(config: AmiConfig) -> AsyncIterator[tuple[AmiLine, Welcome]]:
    line = await opened(config)
    try:
        yield line, await log_in(line, config)
    finally:
        line.close()


# --- the REST interface


async def rest(config: AriConfig) -> list[Finding]:
    what = f"ARI of {config.pbx}"
    try:
        return [_in(what, "ari", config.user, await ari_client.greet(config))]
    except AriError as error:
        return [Finding(what, "log-in failed", str(error), True, "ari", "ari_refused", "refused")]


# --- a real call


async def one_call(settings: Settings, pbx: PbxTable, seconds: float) -> list[Finding]:
    """Wait for a call: whether it is seen, and where audio is tapped whether a leg of it is heard."""
    seeing = asyncio.create_task(seen(pbx.ami(), seconds))
    hearing = asyncio.create_task(heard(settings, pbx, seconds))
    try:
        return [*await seeing, *await hearing]
    finally:
        for task in (seeing, hearing):
            task.cancel()
        await asyncio.gather(seeing, hearing, return_exceptions=True)


async def seen(config: AmiConfig, seconds: float) -> list[Finding]:
    """The first channel that begins within so many seconds, and whose seat it is."""
    what, names = "one call seen", Names(config)
    try:
        async with asyncio.timeout(seconds), _logged_in(config) as (line, _):
            channel = await _channel(line)
    except AmiError as error:
        return [Finding(what, "log-in failed", str(error), True, "call", "ami_refused", "refused")]
    except TimeoutError:
        return [_nothing(what, seconds, "call")]
    except OSError as error:
        return [replace(_away(what, config, error), check="call")]
    seat = names.seat(channel)
    shown = f"{channel[:80]}, seat {seat}" if seat else f"{channel[:80]}, of no seat in the table"
    values = {"channel": channel[:80], "seat": seat or ""}
    return [Finding(what, shown, check="call", seen="seat" if seat else "nobody", values=values)]


def _nothing(what: str, seconds: float, check: str) -> Finding:
    advice = "call a seat while this waits; if one was called, give the user read=call, and look at its eventfilter"
    if check == "leg":
        advice = (
            "call a seat while this waits; if one was called, see that the switchboard reaches our AudioSocket port"
        )
    values = {"seconds": f"{seconds:.0f}"}
    return Finding(what, f"nothing within {seconds:.0f} s", advice, False, check, f"{check}_none", "nothing", values)


async def _channel(line: AmiLine) -> str:
    while True:
        try:
            async with asyncio.timeout(PING_S):
                blocks = await line.read()
        except TimeoutError:
            line.send("Ping")
            continue
        if blocks is None:
            raise AmiError("the PBX closed the connection; look at its log")
        for block in blocks:
            channel = block.get("Channel", "")
            if block.get("Event") == "Newchannel" and channel and not ours(channel):
                return channel


class FirstLeg:
    """A sink that keeps nothing: it notes the first leg of which audio came."""

    def __init__(self) -> None:
        self.role: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def cursor(self, spool_id: str) -> int:
        return 0

    async def take(self, spool_id: str, upto: int, rows: Sequence[SpoolRow]) -> None:
        silent = {(row.call, row.leg) for row in rows if row.kind == "end" and not json.loads(row.payload)["samples"]}
        for row in rows:
            if row.kind == "start" and (row.call, row.leg) not in silent and not self.role.done():
                self.role.set_result(str(json.loads(row.payload)["role"]))


async def heard(settings: Settings, pbx: PbxTable, seconds: float) -> list[Finding]:
    """The first audio of a tap, through an ingest of its own that forgets everything."""
    what = "one leg heard"
    busy = not settings.audiosocket_port or taken(settings.host, settings.audiosocket_port)
    port = _free_port(settings.host) if busy else settings.audiosocket_port
    ari = pbx.ari(pbx.media_host or settings.host, port)
    if ari is None:
        return []
    first = FirstLeg()
    try:
        with tempfile.TemporaryDirectory(prefix="seatwatch-setup-") as folder:
            async with Ingest(_listening(settings, pbx, replace(ari, app=APP), first, Path(folder))):
                role = await asyncio.wait_for(first.role, seconds)
    except TimeoutError:
        return [_nothing(what, seconds, "leg")]
    except (IngestError, OSError) as error:
        return [Finding(what, "could not listen", str(error), False, "leg", "leg_deaf", "deaf")]
    place = f"{ari.media_host}:{port}"
    return [Finding(what, f"audio of the {role} came to {place}", check="leg", seen="heard", values={"place": place})]


def _listening(settings: Settings, pbx: PbxTable, ari: AriConfig, first: FirstLeg, folder: Path) -> IngestConfig:
    """No other port than the one that the switchboard dials; where others reach it, a key that nobody knows."""
    secret = secrets.token_bytes(32)
    closed = Sources() if is_loopback(settings.host) else Sources([Source("setup", (secrets.token_hex(16),))])
    ami = replace(pbx.ami(), queue_log=None)
    return IngestConfig(
        folder=folder, secret=secret, sink=first, host=settings.host, http_port=0, audiosocket_port=ari.media_port,
        sources=closed, parts=(lambda core, sources: Switchboard(core, secret, ami, ari),),
    )  # fmt: skip


def _free_port(host: str) -> int:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])
