"""An AudioHook client over a real WebSocket, for tests: signs, counts, and keeps what it was told."""

from __future__ import annotations

import asyncio
import json
import os
import time
from base64 import b64encode
from dataclasses import dataclass, field
from typing import Any, Self
from uuid import uuid4

import aiohttp

from ingest.audiohook_messages import NULL_ID
from ingest.http_signature import Signed, read_secret, sign
from ingest.sources import Source

KEY, SECRET = "bGFiLWF1ZGlvaG9vay1rZXktMDAwMQ==", "bGFiLWF1ZGlvaG9vay1zZWNyZXQtMDAwMQ=="
GENESYS = Source("genesys", (KEY,), SECRET)
BOTH = {"type": "audio", "format": "PCMU", "channels": ["external", "internal"], "rate": 8000}
WAIT_S = 20.0


@dataclass
class HookClient:
    """One session. ``url`` is http://host:port of ingest."""

    url: str
    key: str = KEY
    secret: str | None = SECRET
    call: str = field(default_factory=lambda: str(uuid4()))
    session: str = field(default_factory=lambda: str(uuid4()))
    organization: str = field(default_factory=lambda: str(uuid4()))
    seq: int = 0
    told: list[dict[str, Any]] = field(default_factory=list)

    def headers(self, created: float | None = None) -> dict[str, str]:
        own = {
            "Audiohook-Organization-Id": self.organization,
            "Audiohook-Session-Id": self.session,
            "Audiohook-Correlation-Id": str(uuid4()),
            "X-API-KEY": self.key,
        }
        if self.secret is None:
            return own
        signed = Signed("/audiohook", self.url.removeprefix("http://"), {name.lower(): own[name] for name in own})
        nonce = b64encode(os.urandom(18)).decode()
        return own | sign(signed, self.key, read_secret(self.secret), nonce, int(created or time.time()))

    async def __aenter__(self) -> Self:
        await self.connect(self.headers())
        return self

    async def connect(self, headers: dict[str, str]) -> None:
        self._http = aiohttp.ClientSession()
        try:
            self.ws = await self._http.ws_connect(f"{self.url}/audiohook", headers=headers, max_msg_size=1 << 20)
        except aiohttp.WSServerHandshakeError:
            await self._http.close()
            raise

    async def __aexit__(self, *_: object) -> None:
        await self.ws.close()
        await self._http.close()

    async def say(self, kind: str, parameters: dict[str, Any] | None = None) -> None:
        self.seq += 1
        message = {
            "version": "2", "id": self.session, "type": kind, "seq": self.seq, "serverseq": len(self.told),
            "position": "PT0S", "parameters": parameters or {},
        }  # fmt: skip
        await self.ws.send_str(json.dumps(message))

    async def hear(self, kind: str) -> dict[str, Any]:
        """The next message, which has to be of this kind."""
        async with asyncio.timeout(WAIT_S):
            self.told.append(await self.ws.receive_json())
        assert self.told[-1]["type"] == kind, self.told[-1]
        assert (self.told[-1]["seq"], self.told[-1]["clientseq"]) == (len(self.told), self.seq)
        parameters: dict[str, Any] = self.told[-1]["parameters"]
        return parameters

    async def open(self, **own: Any) -> dict[str, Any]:
        await self.ask(**own)
        return await self.hear("opened")

    async def ask(self, **own: Any) -> None:
        who = {"id": str(uuid4()), "ani": "+1-555-555-1234", "aniName": "John Doe", "dnis": "+1-800-555-6789"}
        base = {"organizationId": self.organization, "conversationId": self.call, "participant": who, "media": [BOTH]}
        await self.say("open", base | own)

    async def probe(self) -> None:
        await self.open(conversationId=NULL_ID, participant={"id": NULL_ID, "ani": "", "aniName": "", "dnis": ""})

    async def send(self, audio: bytes) -> None:
        await self.ws.send_bytes(audio)

    async def finish(self, reason: str = "end") -> None:
        await self.say("close", {"reason": reason})
        await self.hear("closed")

    def leg(self, channel: str) -> tuple[str, str]:
        return self.call, f"{channel}-{self.session[:8]}"

    async def closed(self) -> int | None:
        """The close code, once the server is gone."""
        async with asyncio.timeout(WAIT_S):
            while (await self.ws.receive()).type is aiohttp.WSMsgType.TEXT:
                continue
        return self.ws.close_code
