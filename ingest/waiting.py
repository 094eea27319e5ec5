"""The bounded queue in front of the spool's writer. Puts never block, a take waits for rows; reads no clock."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ingest.errors import SpoolFull
from ingest.rows import Admit, Row

Done = Callable[[], None]
QUEUE_BYTES = 32 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Ticket:
    """Rows that are stored together, and what to call once they are durable."""

    items: Sequence[Row | Admit]
    done: Done | None


class Waiting:
    """Tickets between the sockets and the one writer; bounded in bytes."""

    def __init__(self, limit: int = QUEUE_BYTES) -> None:
        self._limit = limit
        self._size = 0
        self._tickets: list[Ticket] = []
        self._arrived = threading.Condition()
        self._closed = threading.Event()

    @property
    def fill(self) -> float:
        """0 = empty, 1 = full; more while rows were forced in."""
        return self._size / self._limit

    def put(self, ticket: Ticket, force: bool = False) -> None:
        """Take a ticket, whole or not at all. *force* is for legs that are already read and must not lose a row."""
        size = sum(item.size for item in ticket.items)
        with self._arrived:
            if self._size + size > self._limit and not force:
                raise SpoolFull(f"spool queue: {self._size} of {self._limit} bytes wait for the disk; send again later")
            self._tickets.append(ticket)
            self._size += size
            if len(self._tickets) == 1:  # the writer waits for the first only
                self._arrived.notify()

    def take(self, timeout_s: float) -> list[Ticket]:
        """Everything that waits; an empty list after *timeout_s* or when closed."""
        with self._arrived:
            self._arrived.wait_for(lambda: self._tickets or self._closed.is_set(), timeout_s)
            tickets, self._tickets = self._tickets, []
            return tickets

    def stored(self, tickets: Sequence[Ticket]) -> None:
        """These are on disk: their bytes are free again."""
        with self._arrived:
            self._size -= sum(item.size for ticket in tickets for item in ticket.items)

    def close(self) -> None:
        with self._arrived:
            self._closed.set()
            self._arrived.notify()

    def pause(self, timeout_s: float) -> bool:
        """Let the next commit's rows gather; at once when closed. True when closed."""
        return self._closed.wait(timeout_s)
