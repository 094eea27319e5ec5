"""Ingest under 200 AudioSocket legs, 60 WebSocket streams and 200 /stream clients at real pace, beside a bare server.

The bare server (aiohttp, asyncio) only reads the same frames. Both have a process of their own and are loaded in turn
by one sender, which counts its own lateness: a run whose sender was late says nothing.
"""

from __future__ import annotations

import json
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

from qa.bench.load_sender import Asked, Told
from qa.bench.rows import Row, alone, compared
from qa.bench.scratch import scratch_folder
from qa.bench.stats import percentile

LEGS, QUICK_LEGS = (200, 60, 200), (20, 6, 20)
SECONDS, QUICK_SECONDS = 60.0, 2.0
ROUNDS, QUICK_ROUNDS = 6, 1
LATE_S = 0.02  # of the sender, p99: one frame's time
GOAL = 1.5
HOGS = 2
COMPUTED_LEGS = 1000


@dataclass(frozen=True, slots=True)
class Side:
    """One server in one round."""

    frame_us: float
    rss_mib: float
    stall_ms: float
    told: Told


class Server:
    """One of the two, in its own process."""

    def __init__(self, kind: str, folder: Path, secret: str) -> None:
        command = [sys.executable, "-m", "qa.bench.load_server", kind, str(folder), secret]
        self._child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.ports: Sequence[int] = self._line()

    def figures(self) -> dict[str, float]:
        assert self._child.stdin is not None
        self._child.stdin.write("\n")
        self._child.stdin.flush()
        found: dict[str, float] = self._line()
        return found

    def close(self) -> None:
        assert self._child.stdin is not None
        self._child.stdin.close()
        self._child.wait(30)

    def _line(self) -> Any:
        assert self._child.stdout is not None
        return json.loads(self._child.stdout.readline())


def rows(name: str, quick: bool) -> Iterator[Row]:
    """CPU a frame beside the bare server, acknowledgements, memory, stalls; then with two transcriptions beside it."""
    legs, seconds = (QUICK_LEGS, QUICK_SECONDS) if quick else (LEGS, SECONDS)
    ours, bare = [], []
    secret = secrets.token_hex(16)
    with scratch_folder() as folder, ExitStack() as stack:
        servers = [Server(kind, folder / kind, secret) for kind in ("ours", "bare")]
        for server in servers:
            stack.callback(server.close)
        for at in range(QUICK_ROUNDS if quick else ROUNDS):
            ours.append(loaded(servers[0], secret, legs, seconds, f"r{at}"))
            bare.append(loaded(servers[1], secret, legs, seconds, f"r{at}"))
        with hogs(HOGS):
            beside = [loaded(servers[0], secret, legs, seconds, f"h{at}") for at in range(len(ours) // 2 or 1)]
    yield from told(name, legs, seconds, ours, bare, beside)


def told(
    name: str, legs: Sequence[int], seconds: float, ours: Sequence[Side], bare: Sequence[Side], beside: Sequence[Side]
) -> Iterator[Row]:
    late = percentile([side.told.late_p99_s for side in (*ours, *bare)], 1.0)
    doubt = f"inconclusive: the sender was {late * 1000:.0f} ms late (p99); " if late > LATE_S else ""
    lost = sum(side.told.lost for side in (*ours, *bare, *beside))
    doubt += f"{lost} connections were closed by a server; " if lost else ""
    what = (
        f"{doubt}{legs[0]} AudioSocket + {legs[1]} WebSocket × 20 ms + {legs[2]} /stream × 100 ms, {seconds:g} s a run"
    )
    frame_us = [side.frame_us for side in ours]
    yield compared(f"{name}-cpu", "µs/frame", frame_us, [side.frame_us for side in bare], None if doubt else GOAL, what)
    acks = [percentile(side.told.acks_ms, 0.99) for side in ours]
    yield alone(f"{name}-ack-p50", "ms", [percentile(side.told.acks_ms, 0.50) for side in ours], f"{what}; durable")
    yield alone(f"{name}-ack-p99", "ms", acks, f"{doubt}P3: ≤ 250 ms; the bare server acknowledges nothing")
    yield alone(f"{name}-ack-p99.9", "ms", [percentile(side.told.acks_ms, 0.999) for side in ours], f"{doubt}P3: ≤ 1 s")
    stalls = [side.stall_ms for side in ours]
    yield compared(
        f"{name}-stall", "ms", stalls, [side.stall_ms for side in bare], None, f"{doubt}longest; P3: ≤ 500 ms"
    )
    yield compared(f"{name}-rss", "MiB", [side.rss_mib for side in ours], [side.rss_mib for side in bare], None, what)
    rate = sum(side.told.frames for side in ours) / (seconds * len(ours)) * COMPUTED_LEGS / sum(legs)
    cores = percentile(frame_us, 0.5) * rate / 1e6
    note = f"computed, not measured: {COMPUTED_LEGS} legs of the same mix are {rate:.0f} frames a second"
    yield alone(f"{name}-1000", "cores", [cores], note)
    hogged = [percentile(side.told.acks_ms, 0.99) for side in beside]
    pairs = list(zip(hogged, acks, strict=False))
    note = f"{doubt}ack p99 with {HOGS} busy transcription children, beside the same without"
    yield compared(f"{name}-hogs", "ms", [a for a, _ in pairs], [b for _, b in pairs], 1.5, note)


def loaded(server: Server, secret: str, legs: Sequence[int], seconds: float, name: str) -> Side:
    """One run of the sender against one server."""
    asked = Asked(server.ports[0], server.ports[1], secret, legs, seconds, name)
    before = server.figures()
    command = [sys.executable, "-m", "qa.bench.load_sender", json.dumps(asdict(asked))]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, timeout=seconds + 120)
    after, sent = server.figures(), Told(**json.loads(done.stdout))
    cpu_us = (after["cpu_s"] - before["cpu_s"]) * 1e6
    return Side(cpu_us / sent.frames, after["rss_mib"], after["stall_s"] * 1000, sent)


@contextmanager
def hogs(count: int) -> Iterator[None]:
    """Children that only compute, started as transcriptions are: same launcher, same low priority."""
    from speech.errors import SpeechError
    from speech.pool import Limits, Recogniser

    makers = [Recogniser(partial(_burn, 3600.0), Limits(start_seconds=3600, stall_seconds=3600)) for _ in range(count)]

    def run(one: Recogniser) -> None:
        try:
            one.warm_up()
        except SpeechError:
            return  # it was ended, as it should be

    with ThreadPoolExecutor(count) as threads:
        for one in makers:
            threads.submit(run, one)
        while not all(one.pid for one in makers):
            time.sleep(0.05)
        try:
            yield
        finally:
            for one in makers:
                if one.pid is not None:
                    os.kill(one.pid, signal.SIGKILL)


def _burn(seconds: float) -> Any:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        sum(range(10_000))
    raise ValueError("nothing was to be heard")
