"""The product as its owner runs it beside the lab's switchboard: a settings file, processes, its API, its commands."""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from tests.acceptance.house import House, eventually, free_ports
from tests.lab.asterisk import AMI, AMI_SECRET, AMI_USER, ARI, ARI_SECRET, ARI_USER, QUEUE_LOG, ZONE, Asterisk

SETTINGS = """timezone = "{zone}"
announcement = "Calls are recorded"
retention_days = 1
keep_flac = true
model = "fixture"
ingest_port = {http}
audiosocket_port = {audiosocket}
web_port = {web}

[[pbx]]
name = "lab"
host = "127.0.0.1"
ami_port = {ami}
ami_user = "{ami_user}"
ami_secret = "{ami_secret}"
ari_url = "http://127.0.0.1:{ari}"
ari_user = "{ari_user}"
ari_secret = "{ari_secret}"
queue_log = "{queue_log}"
seats = {{ "seat1001" = "1001", "seat1002" = "1002", "seat1003" = "1003" }}
"""


@dataclass(slots=True)
class Product(House):
    """Everything is asked through its public doors; the database is not looked at."""

    queue_log: Path = Path()
    web_port: int = field(default_factory=lambda: free_ports(1)[0])

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.web_port}"

    def env(self, fault: str = "") -> dict[str, str]:
        own = {key: value for key, value in os.environ.items() if not key.startswith("SEATWATCH_")}
        return own | {"SEATWATCH_DATA": str(self.home), "SEATWATCH_SETTINGS": str(self._settings())}

    def _settings(self) -> Path:
        path = self.home / "seatwatch.toml"
        http, audiosocket = self.ports
        path.write_text(
            SETTINGS.format(
                zone=ZONE, http=http, audiosocket=audiosocket, web=self.web_port, ami=AMI, ami_user=AMI_USER,
                ami_secret=AMI_SECRET, ari=ARI, ari_user=ARI_USER, ari_secret=ARI_SECRET, queue_log=self.queue_log,
            )
        )  # fmt: skip
        return path

    async def get(self, path: str, **query: str) -> Any:
        """JSON of the API; None where there is no such thing."""
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"{self.address}/api/v1{path}", params=query) as told,
        ):
            assert told.status in (200, 404), (path, told.status, await told.text())
            return await told.json() if told.status == 200 else None

    async def recording(self, call: str, to: Path) -> Path:
        url = f"{self.address}/api/v1/calls/{call}/recording"
        async with aiohttp.ClientSession() as session, session.get(url) as told:
            assert told.status == 200, (call, told.status, await told.text())
            to.write_bytes(await told.read())
        return to

    async def state(self, seat: str) -> str | None:
        board = await self.get("/board")
        return next((one["state"] for one in board["seats"] if one["seat"] == seat), None)

    async def until(self, seat: str, state: str, limit_s: float = 30) -> None:
        async def look() -> bool:
            return await self.state(seat) == state

        await eventually(look, f"seat {seat} {state}", limit_s)

    async def reconciled(self, day: str, path: Path) -> dict[str, Any]:
        _, out, errors = await self.command("reconcile", day, str(path), "--json")
        assert out.startswith("{"), errors
        found: dict[str, Any] = json.loads(out)
        return found


@asynccontextmanager
async def product(home: Path, asterisk: Asterisk) -> AsyncIterator[Product]:
    """Its screens, worker and ingest; returns when the switchboard's seats are on the board."""
    home.mkdir(parents=True, exist_ok=True)
    one = Product(home, "", queue_log=asterisk.file(QUEUE_LOG))
    try:
        for name in ("web", "worker", "ingest"):
            await one.start(name)
        await one.until("1001", "ready")
        yield one
    finally:
        for part in reversed(one.parts):  # politely: the last one takes the database with it
            if part.child.returncode is None:
                part.child.terminate()
                await part.end()
        await one.close()
