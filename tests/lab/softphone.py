"""Phones of the lab that people use: baresip as a customer, and as a seat that registers; by its control port."""

from __future__ import annotations

import asyncio
import json
import math
import shutil
import struct
import wave
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tests.lab.asterisk import LAB, SIP, LabError, pause
from tests.lab.phones import HZ, RATE

MODULES = Path("/usr/lib/baresip/modules")
VOICE_S = 120  # longer than any call of the lab
PORTS = {"seat1003": (5073, 4445, 37000), "customer": (5083, 4446, 37100)}  # SIP, control, first RTP port
CONFIG = """sip_listen 127.0.0.1:{sip}
audio_player aufile,{folder}/heard.wav
audio_source aufile,{folder}/voice.wav
audio_alert aufile,{folder}/voice.wav
audio_srate 8000-8000
audio_channels 1-1
rtp_ports {rtp}-{last}
module_path {modules}
module g711.so
module aufile.so
module uuid.so
module account.so
module ctrl_tcp.so
module_app menu.so
module_app account.so
module_app ctrl_tcp.so
ctrl_tcp_listen 127.0.0.1:{control}
"""
Told = dict[str, Any]


def lacking() -> str:
    """Why there is no softphone; empty when there is one."""
    return "" if shutil.which("baresip") and MODULES.is_dir() else "no baresip: as root: apt-get install baresip-core"


class Softphone:
    """One baresip process; everything it has told is kept."""

    def __init__(self, name: str, child: Process) -> None:
        self.name, self.child = name, child
        self.told: list[Told] = []
        self._news = asyncio.Condition()
        self._writer: asyncio.StreamWriter | None = None

    async def connect(self, port: int) -> asyncio.Task[None]:
        async with asyncio.timeout(10):
            while True:
                try:
                    reader, self._writer = await asyncio.open_connection("127.0.0.1", port)
                    return asyncio.create_task(self._read(reader))
                except OSError:
                    await pause(0.1)

    async def _read(self, reader: asyncio.StreamReader) -> None:
        """Netstrings of JSON, until it ends."""
        try:
            while True:
                size = await reader.readuntil(b":")
                body = await reader.readexactly(int(size[:-1]) + 1)
                async with self._news:
                    self.told.append(json.loads(body[:-1]))
                    self._news.notify_all()
        except asyncio.IncompleteReadError:
            return

    def command(self, command: str, params: str = "") -> None:
        assert self._writer is not None
        body = json.dumps({"command": command, "params": params, "token": command}).encode()
        self._writer.write(b"%d:%s," % (len(body), body))

    async def let_go(self) -> None:
        assert self._writer is not None
        self._writer.close()
        await self._writer.wait_closed()

    async def until(self, kind: str, seconds: float = 30) -> None:
        """It has told of that, also earlier."""
        await self._told(lambda told: told.get("type") == kind, kind, seconds)

    async def _told(self, fits: Callable[[Told], bool], what: str, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds), self._news:
                while not any(map(fits, self.told)):
                    await self._news.wait()
        except TimeoutError:
            raise LabError(f"{self.name}: no {what} in {seconds} s; it told {self.told[-5:]}") from None


@asynccontextmanager
async def softphone(name: str) -> AsyncIterator[Softphone]:
    """``seat1003`` is registered within the block, and unregisters at its end; ``customer`` only calls."""
    sip, control, rtp = PORTS[name]
    folder = LAB / f"baresip-{name}"
    folder.mkdir(parents=True, exist_ok=True)
    registers = name != "customer"
    _voice(folder / "voice.wav", HZ["agent" if registers else "customer"])
    account = f"<sip:{name}@127.0.0.1:{SIP}>;regint={60 if registers else 0};audio_codecs=PCMU/8000/1\n"
    (folder / "accounts").write_text(account)
    (folder / "contacts").write_text("")
    values = {"sip": sip, "control": control, "rtp": rtp, "last": rtp + 98, "folder": folder, "modules": MODULES}
    (folder / "config").write_text(CONFIG.format_map(values))
    with (folder / "out.log").open("wb") as out:
        child = await asyncio.create_subprocess_exec(
            "baresip", "-f", str(folder), stdin=asyncio.subprocess.DEVNULL, stdout=out, stderr=out
        )
    one = Softphone(name, child)
    reading = await one.connect(control)
    try:
        yield one
    finally:
        if child.returncode is None:
            child.terminate()  # it says goodbye to the switchboard by itself
        await child.wait()
        await asyncio.gather(reading, one.let_go(), return_exceptions=True)


def _voice(path: Path, hertz: int) -> None:
    """The party's tone as a file."""
    if path.exists():
        return
    samples = (round(9000 * math.sin(2 * math.pi * hertz * at / RATE)) for at in range(RATE))
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(struct.pack(f"<{RATE}h", *samples) * VOICE_S)
