"""One connection to a manager port: opened, logged in, read and written. Knows no calls, never comes back by itself."""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass
from datetime import datetime
from itertools import count

from ingest.ami import AmiParser, Block, action, challenge_key, stamp
from ingest.ami_names import AmiConfig
from ingest.errors import AmiError

CONNECT_S = 5.0
ANSWER_S = 5.0
READ_BYTES = 64 * 1024
EARLY_BLOCKS = 10_000
EVENTS = "agent,call,reporting,dialplan"  # what we ask to hear; Asterisk gives of it what the user may read
# With any of these a log-in is a way into the PBX, or disturbs its calls. Reading lists needs none of them.
TOO_MUCH = ("Command", "GetConfig", "Hangup", "ModuleLoad", "Originate", "QueuePause", "Redirect", "Reload",
            "Setvar", "UpdateConfig")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Welcome:
    """What a log-in showed."""

    banner: str
    pinged_at: datetime | None  # by the PBX's own clock
    warnings: tuple[str, ...] = ()


class AmiLine:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.parser = AmiParser()
        self._reader, self._writer = reader, writer
        self._numbers = count(1)
        self._early: list[Block] = []  # came while an answer was awaited

    def send(self, name: str, **fields: str) -> str:
        """Its ActionID."""
        ident = f"seatwatch-{next(self._numbers)}"
        self._writer.write(action(name, ActionID=ident, **fields))
        return ident

    async def read(self) -> list[Block] | None:
        """The next blocks, none where a block is not complete; None at the end. May be cancelled at any time."""
        if self._early:
            early, self._early = self._early, []
            return early
        data = await self._reader.read(READ_BYTES)
        return list(self.parser.feed(data)) if data else None

    async def ask(self, name: str, **fields: str) -> Block:
        """Send, and wait for the answer; what comes before it is kept."""
        ident, aside = self.send(name, **fields), list(self._early)
        self._early = []
        async with asyncio.timeout(ANSWER_S):
            while (blocks := await self.read()) is not None:
                for at, block in enumerate(blocks):
                    if block.get("ActionID") == ident and "Response" in block:
                        self._early = [*aside, *blocks[at + 1 :]]
                        return block
                    aside.append(block)
                if len(aside) > EARLY_BLOCKS:
                    break
        raise AmiError(f"the manager port gave no answer to {name}; look at manager.conf (enabled, permit, deny)")

    def close(self) -> None:
        self._writer.close()


async def opened(config: AmiConfig) -> AmiLine:
    tls = ssl.create_default_context() if config.tls else None
    async with asyncio.timeout(CONNECT_S):
        return AmiLine(*await asyncio.open_connection(config.host, config.port, ssl=tls, limit=2 * READ_BYTES))


async def log_in(line: AmiLine, config: AmiConfig) -> Welcome:
    """By a challenge where it is offered, so that the secret does not travel; then what this user may do."""
    challenge = await line.ask("Challenge", AuthType="MD5")
    if challenge.get("Response") == "Success" and challenge.get("Challenge"):
        key = challenge_key(challenge["Challenge"], config.secret)
        answer = await line.ask("Login", AuthType="MD5", Username=config.user, Key=key, Events=EVENTS)
    else:
        answer = await line.ask("Login", Username=config.user, Secret=config.secret, Events=EVENTS)
    if answer.get("Response") != "Success":
        said = answer.get("Message", "")[:80]
        raise AmiError(f"log-in as {config.user!r} refused ({said}); check user, secret and permit in manager.conf")
    pong = await line.ask("Ping")
    return Welcome((line.parser.banner or "no banner")[:80], stamp(pong), tuple(_warnings(config, await _may(line))))


async def _may(line: AmiLine) -> frozenset[str]:
    """The actions that this user may use, as AMI lists them."""
    return frozenset(await line.ask("ListCommands"))


def _warnings(config: AmiConfig, may: frozenset[str]) -> list[str]:
    found = []
    if too_much := [name for name in TOO_MUCH if name in may]:
        told = ", ".join(too_much)
        found.append(f"user {config.user!r} may also {told}; write=reporting is enough, take the rest away")
    if may and "CoreShowChannels" not in may:
        found.append(f"user {config.user!r} may not list channels; give it write=reporting")
    if not config.tls and config.host not in ("127.0.0.1", "::1", "localhost"):
        found.append(f"the way to {config.host} is not encrypted; use TLS or a VPN")
    return found
