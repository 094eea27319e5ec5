"""One track of numbered frames put back in order within a bounded window. No clock: what is late is told by numbers.

A frame that comes in turn goes on at once. One that comes too early waits for those before it, until more wait than
the window holds; then what is still missing counts as lost. Duplicates and latecomers are dropped and counted.
"""

from __future__ import annotations

from dataclasses import dataclass, field

WINDOW_FRAMES = 16
DRIFT_MS = 250  # a time stamp this far ahead of the samples is a hole that no number told
LONGEST_HOLE_MS = 24 * 3600 * 1000


@dataclass(frozen=True, slots=True)
class Frame:
    """*number* and *at_ms* are the sender's; None where it sends none."""

    number: int | None
    at_ms: int | None
    data: bytes


@dataclass(frozen=True, slots=True)
class Missing:
    samples: int


@dataclass(slots=True)
class Track:
    """Frames in, audio and holes out. ``width`` bytes a sample."""

    rate: int
    width: int
    dropped: int = 0
    samples: int = 0  # from the first frame on, holes counted
    _next: int | None = None
    _zero_ms: int | None = None  # the time stamp of the first sample
    _waiting: dict[int, Frame] = field(default_factory=dict)
    _late: list[int] = field(default_factory=list)  # samples of frames dropped in a row

    def take(self, frame: Frame) -> list[bytes | Missing]:
        if frame.number is None:
            return self._place(frame)
        if self._next is None and frame.number <= 1:
            self._next = frame.number
        if frame.number in self._waiting or (self._next is not None and frame.number < self._next):
            self.dropped += 1
            self._late.append(len(frame.data) // self.width)
            return self._restart(frame.number) if len(self._late) > WINDOW_FRAMES else []
        self._late.clear()
        self._waiting[frame.number] = frame
        out = self._in_turn()
        while len(self._waiting) > WINDOW_FRAMES:
            out += self._skip()
        return out

    def _restart(self, number: int) -> list[bytes | Missing]:
        """Nothing but old numbers: the sender counts anew. What was taken for duplicates until now is a hole."""
        out = [*self.finish(), *self._hole(sum(self._late))]
        self._next, self._zero_ms = number + 1, None
        self._late.clear()
        return out

    def finish(self) -> list[bytes | Missing]:
        """What still waits, with its holes."""
        out: list[bytes | Missing] = []
        while self._waiting:
            out += self._skip()
        return out

    def _in_turn(self) -> list[bytes | Missing]:
        out: list[bytes | Missing] = []
        while self._next is not None and (frame := self._waiting.pop(self._next, None)) is not None:
            self._next += 1
            out += self._place(frame)
        return out

    def _skip(self) -> list[bytes | Missing]:
        """What is missing in front of the first one that waits will not come any more."""
        first = min(self._waiting)
        frame = self._waiting[first]
        lost = 0 if self._next is None else first - self._next
        self._next = first
        guess = min(lost * len(frame.data) // self.width, self.rate * LONGEST_HOLE_MS // 1000)
        hole = self._hole(guess) if self._ahead_ms(frame) <= DRIFT_MS else []  # else its stamp says how much
        return [*hole, *self._in_turn()]

    def _place(self, frame: Frame) -> list[bytes | Missing]:
        ahead_ms = self._ahead_ms(frame)
        hole = self._hole(ahead_ms * self.rate // 1000) if ahead_ms > DRIFT_MS else []
        self.samples += len(frame.data) // self.width
        return [*hole, frame.data]

    def _ahead_ms(self, frame: Frame) -> int:
        """How much later than the samples say this frame begins, by its own stamp."""
        if frame.at_ms is None:
            return 0
        if self._zero_ms is None:
            self._zero_ms = frame.at_ms - self.samples * 1000 // self.rate
        return min(frame.at_ms - self._zero_ms - self.samples * 1000 // self.rate, LONGEST_HOLE_MS)

    def _hole(self, samples: int) -> list[bytes | Missing]:
        self.samples += samples
        return [Missing(samples)] if samples > 0 else []
