"""Phones of the lab: SIPp as customers and seats, a scenario of `sipp/` each, with own voices. Checks nothing."""

from __future__ import annotations

import asyncio
import math
import os
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.lab.asterisk import HERE, LAB, SIP, LabError, pause

SEATS = {"1001": (5071, 30000), "1002": (5072, 30200)}  # seat -> SIP port, RTP port
CUSTOMER = (5081, 31000)
OUTSIDE = (5082, 31200)  # a customer who is called
NUMBER = "13900001234"  # reaches that one from a seat
HZ = {"customer": 400, "agent": 700}  # who speaks is told by the tone
VOICES = LAB / "voices"
RATE = 8000
Words = Sequence[tuple[str, str]]


def ulaw(sample: int) -> int:
    """One 16-bit sample as G.711 µ-law."""
    sign, size = (0x80, -sample) if sample < 0 else (0, sample)
    size = min(size, 32635) + 132
    exponent = size.bit_length() - 8
    return ~(sign | exponent << 4 | size >> exponent + 3 & 0x0F) & 0xFF


def voices() -> None:
    """One second of each party's tone, which its phone plays again and again."""
    VOICES.mkdir(parents=True, exist_ok=True)
    for name, hertz in HZ.items():
        wave = (round(9000 * math.sin(2 * math.pi * hertz * at / RATE)) for at in range(RATE))
        (VOICES / f"{name}.ulaw").write_bytes(bytes(map(ulaw, wave)))


@dataclass
class Phone:
    """One SIPp process."""

    name: str
    child: Process

    async def hung_up(self, seconds: float = 90) -> None:
        """Waits until its scenario is over; LabError when it went another way than written."""
        async with asyncio.timeout(seconds):
            told = (await self.child.communicate())[0].decode(errors="replace")
        if self.child.returncode:
            raise LabError(f"{self.name}: its scenario failed ({self.child.returncode}): {told[-800:]}")

    async def put_away(self) -> None:
        if self.child.returncode is None:
            self.child.terminate()
            await self.child.communicate()


async def phone(
    name: str, scenario: str, ports: tuple[int, int], *more: str, calls: int = 1, turned: Words = (), **ms: int
) -> Phone:
    """A phone that plays its scenario; *ms* are the scenario's times, *turned* what its words become."""
    if not (VOICES / "agent.ulaw").exists():
        voices()
    pipe, sets = asyncio.subprocess.PIPE, [word for key, value in ms.items() for word in ("-set", key, str(value))]
    child = await asyncio.create_subprocess_exec(
        "sipp", "-nostdin", "-i", "127.0.0.1", "-m", str(calls), "-sf", str(_played(scenario, turned)),
        "-p", str(ports[0]), "-mp", str(ports[1]), *sets, *more,
        stdin=asyncio.subprocess.DEVNULL, stdout=pipe, stderr=asyncio.subprocess.STDOUT, cwd=VOICES,
        env={**os.environ, "TERM": "dumb"},
    )  # fmt: skip
    await _listening(child, ports[0])
    return Phone(name, child)


def _played(scenario: str, turned: Words) -> Path:
    """The scenario as it stands, or a copy for another party: its name, its voice."""
    path = HERE / "sipp" / f"{scenario}.xml"
    if not turned:
        return path
    text = path.read_text()
    for before, after in turned:
        assert before in text, (scenario, before)
        text = text.replace(before, after)
    copy = VOICES / f"{scenario}-turned.xml"
    copy.write_text(text)
    return copy


async def _listening(child: Process, port: int) -> None:
    """Until the phone's SIP port is open: a call before that would find no phone."""
    wanted = f":{port:04X} "
    async with asyncio.timeout(10):
        while child.returncode is None and wanted not in _udp():
            await pause(0.02)


def _udp() -> str:
    with open("/proc/net/udp", encoding="ascii") as table:
        return table.read()


async def customer(number: str = "8000", wait_s: float = 0.1, talk_s: float = 10) -> Phone:
    """Calls at once; speaks *wait_s* after the switchboard took the call, hangs up *talk_s* later."""
    where = (f"127.0.0.1:{SIP}", "-s", number)
    return await phone("customer", "customer", CUSTOMER, *where, wait_ms=_ms(wait_s), talk_ms=_ms(talk_s))


async def seat(ring_s: float = 3, number: str = "1001") -> Phone:
    """Rings, answers, speaks until the other side hangs up."""
    return await phone(f"seat {number}", "seat", SEATS[number], ring_ms=_ms(ring_s))


async def silent_seat(number: str = "1001", calls: int = 9) -> Phone:
    """Rings and is never picked up."""
    return await phone(f"seat {number}", "seat-silent", SEATS[number], calls=calls)


async def holding_seat(ring_s: float, talk_s: float, hold_s: float, number: str = "1001") -> Phone:
    """Answers, talks, holds the call for a while, goes on."""
    times = {"ring_ms": _ms(ring_s), "talk_ms": _ms(talk_s), "hold_ms": _ms(hold_s)}
    return await phone(f"seat {number}", "seat-holds", SEATS[number], **times)


async def transferring_seat(ring_s: float, talk_s: float, to: str, number: str = "1001") -> Phone:
    """Answers, talks, hands the call over blindly to another number of the seats' own dial plan."""
    where = (f"127.0.0.1:{SIP}", "-s", to)
    times = {"ring_ms": _ms(ring_s), "talk_ms": _ms(talk_s)}
    return await phone(f"seat {number}", "seat-transfers", SEATS[number], *where, **times)


@asynccontextmanager
async def answered(ring_s: float = 3, talk_s: float = 5, number: str = "8000", at: str = "1001") -> AsyncIterator[None]:
    """A call that a seat answers after *ring_s*; the body runs while it lasts, and it must end as written."""
    taking = await seat(ring_s, at)
    calling = await customer(number, ring_s + 0.3, talk_s)
    try:
        yield
        await calling.hung_up()
        await taking.hung_up()
    finally:
        await calling.put_away()
        await taking.put_away()


@asynccontextmanager
async def outbound(ring_s: float = 3, talk_s: float = 5, seat: str = "1001") -> AsyncIterator[None]:
    """A seat calls a customer, who answers after *ring_s*; the seat hangs up *talk_s* later."""
    taking = await phone("outside", "seat", OUTSIDE, turned=[("agent.ulaw", "customer.ulaw")], ring_ms=_ms(ring_s))
    own = [("customer.ulaw", "agent.ulaw"), ("sip:customer@", f"sip:seat{seat}@")]
    where = (f"127.0.0.1:{SIP}", "-s", NUMBER)
    calling = await phone(
        f"seat {seat}", "customer", SEATS[seat], *where, turned=own, wait_ms=_ms(0.1), talk_ms=_ms(talk_s)
    )
    try:
        yield
        await calling.hung_up()
        await taking.hung_up()
    finally:
        await calling.put_away()
        await taking.put_away()


def _ms(seconds: float) -> int:
    return round(seconds * 1000)
