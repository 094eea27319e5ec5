"""The one thread that writes the spool: group commit, rotation to a prepared file, and what a failing disk means.

A second thread prepares the next file and retires the last one, so that neither waits in front of a commit. Decides
nothing about legs or events.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal

from ingest import spool
from ingest.errors import SpoolError, SpoolFailed, SpoolFull
from ingest.rows import Admit, Row, coalesce
from ingest.waiting import QUEUE_BYTES, Done, Ticket, Waiting

State = Literal["new", "ok", "full", "failed", "closed"]
INTERVALS_S = (0.05, 0.1, 0.2)  # between commits; the longer ones when the disk is slow
RETRY_S = 0.25
AGAIN_S = 0.5  # until a chore that could not be done is tried again
Chore = spool.SpoolFile | spool.Left | Literal["prepare"]
LOG = logging.getLogger("seatwatch.ingest")


@dataclass(frozen=True, slots=True)
class SpoolLimits:
    queue_bytes: int = QUEUE_BYTES
    rotate_bytes: int = 256 * 1024 * 1024
    rotate_seconds: float = 30.0
    admit_below: float = 0.9  # of the queue; above it no new call is let in


def _call_all(done: Sequence[Done]) -> None:
    for one in done:
        one()


class Spool:
    """Put rows in from any thread; ``done`` is called (through *publish*) only after their COMMIT has returned."""

    def __init__(
        self,
        folder: Path,
        limits: SpoolLimits | None = None,
        point: Callable[[str], None] = lambda name: None,
        publish: Callable[[Sequence[Done]], None] = _call_all,
        failed: Callable[[SpoolFailed], None] = lambda error: None,
        carry: Callable[[], Iterable[Admit]] = tuple,
    ) -> None:
        self.folder = folder
        self.state: State = "new"
        self.commits = 0
        self.commit_s: deque[float] = deque(maxlen=4096)  # how long the last commits took
        self._limits, self._point, self._publish = limits or SpoolLimits(), point, publish
        self._failed, self.carry = failed, carry
        self._waiting = Waiting(self._limits.queue_bytes)
        self._next: queue.Queue[spool.SpoolFile] = queue.Queue(1)
        self._chores: queue.Queue[Chore | None] = queue.Queue()
        self._preparing = False
        self._threads: list[threading.Thread] = []
        self._lock: IO[str] | None = None
        self._last_s = 0.0  # how long the last commit took

    def open(self) -> spool.Recovered:
        """Lock the folder, read what is there, and accept on a new file."""
        self._lock, left = spool.lock(self.folder), list[spool.Left]()
        try:
            found = spool.recover(self.folder, left)
            self._file = spool.create(self.folder)
            self._file.append((), list(found.admitted.values()), lambda name: None)
        except (SpoolError, OSError):
            for one in left:
                one.close()
            self._lock.close()
            raise
        self._opened_s = time.monotonic()
        self.state = "ok"
        for name, work in (("spool-writer", self._write), ("spool-keeper", self._keep)):
            thread = threading.Thread(target=work, name=name, daemon=True)
            self._threads.append(thread)
            thread.start()
        self._prepare()
        for one in left:
            self._chores.put(one)
        return found

    def put(self, items: Sequence[Row | Admit], done: Done | None = None, force: bool = False) -> None:
        """Store these together. SpoolFull when there is no room (never with *force*); SpoolFailed after a failure."""
        if self.state in ("failed", "closed", "new"):
            raise SpoolFailed(f"{self.folder}: the spool is {self.state}; nothing is taken. Start ingest again")
        self._waiting.put(Ticket(items, done), force)

    @property
    def fill(self) -> float:
        return self._waiting.fill

    @property
    def roomy(self) -> bool:
        """Whether a new call may begin."""
        return self.state == "ok" and self.fill < self._limits.admit_below

    @property
    def live_id(self) -> str:
        """The file that is being written."""
        return self._file.spool_id

    def close(self) -> None:
        """Store what waits, then stop. Waits for both threads."""
        self._waiting.close()
        if self._threads:
            self._threads[0].join()
            self._chores.put(None)
            self._threads[1].join()
        if self.state != "failed":
            self.state = "closed"
        if self._lock is not None:
            self._lock.close()

    def _write(self) -> None:
        closing = False
        try:
            while self.state != "failed":
                tickets = self._waiting.take(self._idle_s())
                if tickets and not self._commit(tickets, closing):
                    closing = True
                    return  # the disk is full to the end: what came later must not stand without this
                if closing and not tickets:
                    return
                self._rotate_if_due()
                closing = self._waiting.pause(self._interval_s() if tickets else 0)
        except SpoolFailed as error:
            self._fail(error)
        finally:
            if not closing and self.state != "failed":
                self._fail(SpoolFailed(f"{self.folder}: the writer ended by a defect; see the log, start ingest again"))

    def _idle_s(self) -> float:
        """How long to wait for rows: an idle writer still has to rotate in time."""
        if not self._file.rows:
            return self._limits.rotate_seconds
        return max(0.0, self._opened_s + self._limits.rotate_seconds - time.monotonic())

    def _interval_s(self) -> float:
        for interval in INTERVALS_S:
            if self._last_s < interval:
                return interval
        return INTERVALS_S[-1]

    def _commit(self, tickets: Sequence[Ticket], closing: bool) -> bool:
        """Durable and told; False when the spool closes while the disk is full."""
        items = [item for ticket in tickets for item in ticket.items]
        rows = coalesce(item for item in items if isinstance(item, Row))
        admits = [item for item in items if isinstance(item, Admit)]
        began = time.monotonic()
        while not self._append(rows, admits):
            if closing or self._waiting.pause(RETRY_S):
                return False  # never acknowledged, and the sender still has it
        self._last_s = time.monotonic() - began
        self.commit_s.append(self._last_s)
        self.commits += 1
        self._waiting.stored(tickets)
        self._point("after-commit-before-ack")
        self._publish([ticket.done for ticket in tickets if ticket.done is not None])
        return True

    def _append(self, rows: Sequence[Row], admits: Sequence[Admit]) -> bool:
        try:
            self._file.append(rows, admits, self._point)
        except SpoolFull:
            self._was("ok", "full")
            return False
        self._was("full", "ok")
        return True

    def _was(self, before: State, now: State) -> None:
        """A failure is for good; full and ok come and go."""
        if self.state == before:
            self.state = now

    def _rotate_if_due(self) -> None:
        old = time.monotonic() - self._opened_s >= self._limits.rotate_seconds
        if not self._file.rows or not (old or self._file.bytes >= self._limits.rotate_bytes):
            return
        try:
            fresh = self._next.get_nowait()
        except queue.Empty:
            self._prepare()
            return  # not ready yet: the old file goes on, and the next commit asks again
        fresh.check()
        if self._swap(fresh):
            self._prepare()

    def _swap(self, fresh: spool.SpoolFile) -> bool:
        try:
            fresh.append((), list(self.carry()), lambda name: None)
        except SpoolFull:
            self._next.put(fresh)
            return False
        before, self._file, self._opened_s = self._file, fresh, time.monotonic()
        self._point("during-rotate")
        self._chores.put(before)
        return True

    def _prepare(self) -> None:
        if not self._preparing:
            self._preparing = True
            self._chores.put("prepare")

    def _fail(self, error: SpoolFailed) -> None:
        self.state = "failed"
        self._failed(error)

    def _keep(self) -> None:
        """Chores away from the writer: make the next file, close the last one. What cannot be done now is done later:
        nothing that was acknowledged hangs on it."""
        later: list[Chore] = []
        while (chore := self._chore(later)) is not None:
            try:
                if chore == "prepare":
                    self._next.put(spool.create(self.folder))
                    self._preparing = False
                else:
                    chore.retire()
            except SpoolError as error:
                if chore != "prepare" and not isinstance(error, SpoolFull):
                    self._fail(SpoolFailed(str(error)))
                    return
                if not later:
                    LOG.warning("%s", error)
                later.append(chore)
        for left in later:
            if left != "prepare":
                left.close()  # keeps its log until the next start folds it in
        self._tidy()

    def _chore(self, later: list[Chore]) -> Chore | None:
        """What is to be done next; None at the end."""
        try:
            return self._chores.get(timeout=AGAIN_S if later else None)
        except queue.Empty:
            return later.pop(0)

    def _tidy(self) -> None:
        """At the end: what holds rows is retired, what holds none goes."""
        left = [self._file] + ([self._next.get()] if not self._next.empty() else [])
        for file in left:
            if file.rows and self.state != "failed":
                try:
                    file.retire()
                except SpoolError as error:
                    LOG.warning("%s", error)
                    file.close()
            else:
                file.close()
                if not file.rows:
                    spool.remove(file.path)
