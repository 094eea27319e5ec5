"""Many legs that send 100 ms of sound each 100 ms, at real pace, in rows as the stream transport makes them.

It counts its own lateness: where it cannot keep the pace, nothing is said about the spool.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from ingest.rows import Row

MESSAGE_S = 0.1
SAMPLES = 800  # of 8 kHz A-law: one byte each
STEPS = 20  # a tenth of a second is sent in so many parts: legs are not in step with one another
LATE_S = 0.05
SOUND = bytes(range(256)) * 4

Send = Callable[[Row], None]


@dataclass(slots=True)
class Pace:
    """How the sender kept its time, and what it cost by itself."""

    sent: int = 0
    wall_s: float = 0.0
    own_cpu_s: float = 0.0
    late_s: list[float] = field(default_factory=list)


def messages(seconds: float) -> int:
    """How many each leg sends in this time."""
    return round(seconds / MESSAGE_S)


def play(legs: int, seconds: float, send: Send) -> Pace:
    """Send in the calling thread until the time is over."""
    names = [(f"call-{at // 2:04}", "agent" if at % 2 else "customer") for at in range(legs)]
    parts = [names[at::STEPS] for at in range(STEPS)]
    pace, began, cpu = Pace(), time.monotonic(), time.thread_time()
    for tick in range(messages(seconds) * STEPS):
        due = began + tick * MESSAGE_S / STEPS
        now = time.monotonic()
        if now < due:
            time.sleep(due - now)
            now = time.monotonic()
        pace.late_s.append(now - due)
        _send(parts[tick % STEPS], tick // STEPS, now, send)
        pace.sent += len(parts[tick % STEPS])
    pace.wall_s, pace.own_cpu_s = time.monotonic() - began, time.thread_time() - cpu
    return pace


def _send(names: Sequence[tuple[str, str]], message: int, now_s: float, send: Send) -> None:
    mono_us, sample = int(now_s * 1_000_000), message * SAMPLES
    payload = SOUND[message % 200 : message % 200 + SAMPLES]
    for call, leg in names:
        send(Row("audio", "stream", call, leg, mono_us, payload, message + 1, sample, SAMPLES, 1, mono_us=mono_us))
