"""`make promises`: what the service promises of its durability (docs in ingest/README.md), proved on this machine.

One line each: pass, fail or inconclusive, with its figure. A machine that is too slow to tell is measured first.
"""

from __future__ import annotations

import asyncio
import os
import re
import secrets
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ingest import spool
from ingest.rows import Row, body, micros
from qa.bench.load import LATE_S, LEGS, SECONDS, Server, Side, loaded
from qa.bench.scratch import scratch_folder
from qa.bench.stats import percentile
from tests.ingest import lab

ROOT = Path(__file__).resolve().parents[1]
CALIBRATION_S = 5.0
SYNC_MS, STOLEN = 50.0, 0.1  # a slower disk, or more of the processor gone, and nothing can be said
LOST_MS, ACK_MS, ACK_LATE_MS, STALL_MS = 250.0, 250.0, 1000.0, 500.0
RESTART_S, SCAN_MIB_S, SPOOL_MIB = 2.0, 100.0, 256
KILLS, MUTANTS = "tests/ingest/test_all_kinds_killed.py", "tests/ingest/test_mutants.py"
_KILLED = re.compile(r"(\d+) kills shown; (\d+) of (\d+) acknowledged.*?at most (\d+) ms of one lost, (\d+) ms beside")


@dataclass(frozen=True, slots=True)
class Machine:
    """How much it disturbs what is measured on it."""

    sync_ms: float  # p99
    stolen: float  # of the time of a loop that only looks at the clock

    @property
    def slow(self) -> bool:
        return self.sync_ms > SYNC_MS or self.stolen > STOLEN


@dataclass(frozen=True, slots=True)
class Verdict:
    """One line."""

    promise: str
    held: bool
    figure: str
    doubtful: bool = False

    def text(self) -> str:
        word = "inconclusive" if self.doubtful else "pass" if self.held else "fail"
        return f"{self.promise}  {word:13} {self.figure}"


def calibrated(folder: Path, seconds: float = CALIBRATION_S) -> Machine:
    """Syncs of one file for half of the time, then a loop that only looks at the clock."""
    syncs: list[float] = []
    with (folder / "calibration").open("wb", buffering=0) as file:
        end = time.monotonic() + seconds / 2
        while (began := time.monotonic()) < end:
            file.write(bytes(4096))
            os.fdatasync(file.fileno())
            syncs.append(time.monotonic() - began)
    stolen, last = 0.0, time.monotonic()
    end = last + seconds / 2
    while (now := time.monotonic()) < end:
        stolen += now - last if now - last > 0.001 else 0.0
        last = now
    return Machine(percentile(syncs, 0.99) * 1000, stolen / (seconds / 2))


def tested(*what: str) -> tuple[bool, str]:
    """Whether these tests pass, and what they said at the end."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *what]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return done.returncode == 0, done.stdout


def acknowledged(machine: Machine) -> Iterator[Verdict]:
    """P1 and P2: forty kills with legs of all kinds, and every fault of the list put in and caught."""
    killed, said = tested(KILLS, "-k", "six_kills or each_of_two")
    rows = [[int(one) for one in found] for found in _KILLED.findall(said)]
    kills, lost, acked = (sum(row[n] for row in rows) for n in range(3))
    caught, told = tested(MUTANTS)
    mutants = told.count("mutant: ")
    figure = f"{lost} of {acked} acknowledged samples lost in {kills} kills; {mutants} faults put in and caught"
    yield Verdict("P1", killed and caught and lost == 0, figure)
    worst, own = (max((row[n] for row in rows), default=0) for n in (3, 4))
    figure = f"at most {worst} ms of a leg lost beside the outage ({own} ms of it ours), each in the gap map; ≤ 250 ms"
    yield Verdict("P2", killed and own <= LOST_MS, figure, machine.slow and not killed)


def in_time(machine: Machine, folder: Path) -> Iterator[Verdict]:
    """P3: acknowledgements under load at real pace."""
    secret = secrets.token_hex(16)
    server = Server("ours", folder, secret)
    try:
        sides = [loaded(server, secret, LEGS, SECONDS, "r")]
    finally:
        server.close()
    yield of_load(machine, sides)


def of_load(machine: Machine, sides: Sequence[Side]) -> Verdict:
    acks = [ack for side in sides for ack in side.told.acks_ms]
    p99, late, stall = percentile(acks, 0.99), percentile(acks, 0.999), max(side.stall_ms for side in sides)
    sender_ms = 1000 * max(side.told.late_p99_s for side in sides)
    figure = (
        f"ack p99 {p99:.0f} ms (≤ 250), p99.9 {late:.0f} ms (≤ 1000), longest stall {stall:.0f} ms (≤ 500) at "
        f"{LEGS[2]} /stream clients beside {LEGS[0]} AudioSocket legs and {LEGS[1]} WebSockets; "
        f"sender late {sender_ms:.0f} ms"
    )
    held = p99 <= ACK_MS and late <= ACK_LATE_MS and stall <= STALL_MS
    return Verdict("P3", held, figure, machine.slow or sender_ms > LATE_S * 1000)


def back_again(machine: Machine, folder: Path) -> Verdict:
    """P4: a process that was killed over a full spool file accepts again; how fast its files are read."""
    subprocess.run([sys.executable, "-m", "tests.promises", "fill", str(folder)], cwd=ROOT, check=True)
    restart_s = asyncio.run(restarted(folder))
    held = sum(path.stat().st_size for path in folder.glob("*.db*")) / 2**20
    began = time.monotonic()
    spool.recover(folder)
    rate = held / (time.monotonic() - began)
    figure = f"accepts {restart_s:.2f} s after its start (≤ 2) over {held:.0f} MiB, reads {rate:.0f} MiB/s (≥ 100)"
    return Verdict("P4", restart_s <= RESTART_S and rate >= SCAN_MIB_S, figure, machine.slow)


async def restarted(folder: Path) -> float:
    """Seconds from the start of a process until it listens."""
    began = time.monotonic()
    process = await lab.start(folder)
    took_s = time.monotonic() - began
    await process.stop()
    return took_s


def fill(folder: Path) -> None:
    """A spool file of a thousand legs as a killed process leaves it: everything still in its log."""
    folder.mkdir(parents=True, exist_ok=True)
    file, at = spool.create(folder), micros(lab.later())
    started = {"role": "agent", "rate": 8000, "encoding": "alaw", "at": lab.later().isoformat(), "epoch": 1}
    file.append([Row("start", "s", f"c{n}", "agent", at, body(started), epoch=1) for n in range(1000)], (), _nothing)
    seq = 0
    while sum(path.stat().st_size for path in folder.glob("*.db*")) < SPOOL_MIB * 2**20:
        seq += 1
        rows = [Row("audio", "s", f"c{n}", "agent", at, bytes(800), seq, (seq - 1) * 800, 800, 1) for n in range(1000)]
        file.append(rows, (), _nothing)
    os._exit(0)  # nothing is closed, as by a kill


def _nothing(point: str) -> None:
    """No fault."""


def main(say: Callable[[str], None] = print) -> int:
    with scratch_folder() as folder:
        machine = calibrated(folder)
        slow = "; too slow to judge times" if machine.slow else ""
        say(f"machine: sync p99 {machine.sync_ms:.0f} ms, {machine.stolen:.0%} of the processor gone{slow}")
        failed = False
        for verdict in _all(machine, folder):
            say(verdict.text())
            failed = failed or not (verdict.held or verdict.doubtful)
    return int(failed)


def _all(machine: Machine, folder: Path) -> Iterator[Verdict]:
    yield back_again(machine, folder / "full")
    yield from in_time(machine, folder / "load")
    yield from acknowledged(machine)


if __name__ == "__main__":
    if sys.argv[1:2] == ["fill"]:
        fill(Path(sys.argv[2]))
    sys.exit(main())
