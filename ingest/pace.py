"""Whether a leg keeps time: rate limits, and the audio clock against the wall clock. Seconds come in as values."""

from __future__ import annotations

from dataclasses import dataclass

BURST_S = 5.0  # as much as a leg may be ahead
FACTOR = 1.5  # of the nominal rate, sustained
LOSS_S = 0.2  # a lasting lag from here on is lost audio
WINDOW_S = 1.0  # a lag is lasting when no frame within this time was nearer
DRIFT = 0.001  # two honest crystals may differ by this much


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


@dataclass(slots=True)
class AudioClock:
    """A sender that loses audio does not say so; a lag that stays does. Positions are samples."""

    rate: int
    start_s: float
    sample: int = 0
    base_s: float = 0.0  # lag that is known and explained
    near_s: float = float("inf")  # smallest lag of this window
    window_s: float = 0.0  # when this window began
    frame_s: float = 0.0  # when the last frame came

    def frame(self, samples: int, now_s: float) -> int:
        """Samples that are missing before this frame, 0 while it keeps time."""
        if self.sample == 0:
            self.start_s = now_s - samples / self.rate
            self.window_s = now_s
        elif now_s - self.frame_s >= WINDOW_S:  # whether what did not come was only late, the next window tells
            self.window_s, self.near_s = now_s, float("inf")
        self.frame_s = now_s
        self.sample += samples
        self.near_s = min(self.near_s, self.lag_s(now_s))
        if now_s - self.window_s < WINDOW_S:
            return 0
        return self._close(now_s)

    def lag_s(self, now_s: float) -> float:
        """How far the audio is behind the wall clock; negative when it is ahead."""
        return now_s - self.start_s - self.sample / self.rate

    def _close(self, now_s: float) -> int:
        lost_s, slack = self.near_s - self.base_s, DRIFT * (now_s - self.window_s)
        self.near_s, self.window_s = float("inf"), now_s
        if lost_s <= LOSS_S:
            self.base_s += max(-slack, min(slack, lost_s))
            return 0
        missing = int(lost_s * self.rate)
        self.sample += missing
        return missing
