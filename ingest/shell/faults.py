"""Named points at which a test may end or break the process. Does nothing unless a point was asked for."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Sequence

from ingest.errors import IngestError

POINTS = ("gathered", "before-commit", "after-commit-before-ack", "after-ack", "during-rotate")


class Faults:
    """Runs an action at the n-th passing of one point. Passings are counted over all threads of the process."""

    def __init__(
        self,
        point: str | None = None,
        nth: int = 1,
        action: Callable[[], None] | None = None,
        points: Sequence[str] = POINTS,
    ) -> None:
        if point is not None and point not in points:
            raise IngestError(f"fault point {point!r}: is not known; take one of {', '.join(points)}")
        self._point, self._left, self._action = point, nth, action or self._kill

    @classmethod
    def parse(cls, text: str | None, points: Sequence[str] = POINTS) -> Faults:
        """``point:n``, such as after-ack:3; nothing or an empty text switches faults off. ``points``: those known."""
        if not text:
            return cls()
        point, _, nth = text.partition(":")
        if not nth.isdecimal() or int(nth) < 1:
            raise IngestError(f"fault {text!r}: has no count; write it as point:n, such as after-ack:3")
        return cls(point, int(nth), points=points)

    def __call__(self, point: str) -> None:
        """The code is passing *point*."""
        if point != self._point:
            return
        self._left -= 1
        if self._left == 0:
            self._action()

    def _kill(self) -> None:
        os.write(2, f"fault: killed at {self._point}\n".encode())
        os.kill(os.getpid(), signal.SIGKILL)
