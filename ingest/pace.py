"""Whether a leg keeps time: rate limits, and the audio clock against the wall clock. Seconds come in as values."""

from __future__ import annotations

from dataclasses import dataclass, field

BURST_S = 5.0  # as much as a leg may be ahead
FACTOR = 1.5  # of the nominal rate, sustained
LOSS_S = 0.2  # a lasting lag from here on is lost audio
WINDOW_S = 1.0  # a lag is lasting when no frame within this time was nearer
DRIFT = 0.001  # two honest crystals may differ by this much
STEP_S = 0.005  # a lag that grows by less is the same lag
PAUSE_S = 0.1  # a lag that grows by so much from one frame to the next lies there; less is spread over many


@dataclass(slots=True)
class Bucket:
    """Bytes at most FACTOR × nominal + BURST_S: how long to wait, or that a sender is too fast."""

    nominal: float  # bytes a second
    level: float = 0.0
    at_s: float | None = None

    def wait_s(self, size: int, now_s: float) -> float:
        """Seconds to wait after *size* more bytes, 0 while within the limit."""
        passed = 0.0 if self.at_s is None else max(0.0, now_s - self.at_s)
        self.level = max(0.0, self.level - passed * self.nominal * FACTOR) + size
        self.at_s = now_s
        return max(0.0, (self.level - self.nominal * BURST_S) / (self.nominal * FACTOR))


@dataclass(frozen=True, slots=True)
class Hole:
    """Audio that is missing. ``since``: after which sample nothing came, counted with the holes before it put in; None
    where the loss was spread, and lies nowhere in particular."""

    samples: int
    since: int | None = None


@dataclass(slots=True)
class AudioClock:
    """A sender that loses audio does not say so; a lag that stays does. Positions are samples.

    Whether a lag stays is known later than where it began. So the clock keeps, for what came last, from which sample on
    the lag was never smaller than what: who catches up takes his pause back, and what is left lies where it grew.
    """

    rate: int
    start_s: float
    sample: int = 0
    base_s: float = 0.0  # lag that is known and explained
    near_s: float = float("inf")  # smallest lag of this window
    window_s: float = 0.0  # when this window began
    frame_s: float = 0.0  # when the last frame came
    rises: list[tuple[int, float]] = field(default_factory=list)  # from this sample on, never nearer than this lag

    def frame(self, samples: int, now_s: float) -> list[Hole]:
        """What is missing of what came until now, this frame not counted; mostly nothing."""
        if self.sample == 0:
            self.start_s = now_s - samples / self.rate
            self.window_s = now_s
        elif now_s - self.frame_s >= WINDOW_S:  # whether what did not come was only late, the next window tells
            self.window_s, self.near_s = now_s, float("inf")
        self.frame_s = now_s
        before, self.sample = self.sample, self.sample + samples
        lag_s = self.lag_s(now_s)
        self._rise(before, lag_s)
        self.near_s = min(self.near_s, lag_s)
        if now_s - self.window_s < WINDOW_S:
            return []
        return self._close(now_s)

    def over(self) -> list[Hole]:
        """What is missing of a leg that ends before a window could tell: no frame will be nearer any more. A pause with
        next to nothing behind it is left out."""
        told = [lag_s for since, lag_s in self.rises if self.sample - since >= PAUSE_S * self.rate]
        return self._lost(told[-1]) if told and told[-1] - self.base_s > LOSS_S else []

    def lag_s(self, now_s: float) -> float:
        """How far the audio is behind the wall clock; negative when it is ahead."""
        return now_s - self.start_s - self.sample / self.rate

    def _rise(self, before: int, lag_s: float) -> None:
        """A frame came with this lag, after the sample *before*."""
        while self.rises and self.rises[-1][1] >= lag_s:
            before = self.rises.pop()[0]
        if lag_s - (self.rises[-1][1] if self.rises else self.base_s) >= STEP_S:
            self.rises.append((before, lag_s))

    def _close(self, now_s: float) -> list[Hole]:
        near_s, slack = self.near_s, DRIFT * (now_s - self.window_s)
        lost_s = near_s - self.base_s
        self.near_s, self.window_s = float("inf"), now_s
        if lost_s <= LOSS_S:
            self.base_s += max(-slack, min(slack, lost_s))
            while self.rises and self.rises[0][1] <= self.base_s:
                self.rises.pop(0)
            return []
        return self._lost(near_s) or self._taken([Hole(int(lost_s * self.rate))], near_s)

    def _lost(self, upto_s: float) -> list[Hole]:
        """What is missing up to this lag, where it came to a stand; nothing when it grew little by little."""
        found: list[tuple[int, float]] = []
        before_s = level_s = self.base_s
        for since, lag_s in self.rises:
            lag_s = max(before_s, min(lag_s, upto_s))
            if lag_s - before_s >= PAUSE_S:
                found.append((since, lag_s - level_s))
                level_s = lag_s
            before_s = lag_s
        if not found:
            return []
        found[-1] = found[-1][0], found[-1][1] + upto_s - level_s
        holes: list[Hole] = []
        for since, lost_s in found:
            holes.append(Hole(int(lost_s * self.rate), since + sum(one.samples for one in holes)))
        return self._taken(holes, upto_s)

    def _taken(self, holes: list[Hole], upto_s: float) -> list[Hole]:
        """They are told now, and explain the lag up to here."""
        missing = sum(one.samples for one in holes)
        self.sample += missing
        self.rises = [(since + missing, lag_s - missing / self.rate) for since, lag_s in self.rises if lag_s > upto_s]
        return holes
