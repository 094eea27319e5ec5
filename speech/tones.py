"""Finds the stretches in which a telephone tone sounds, block by block. It knows no cadence and decodes no files.

The power of the tone over the power of everything, in Hann windows of 100 ms every 20 ms: shorter windows take a held
note of 440 Hz for 450 Hz. What is kept of the sound is two numbers and a pitch a window, so memory does not grow with
its length worth speaking of.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

HOPS = 5  # a window is five hops long
HOP_MS = 20
SHARE = 0.45  # of the whole power in the tone: so much is heard as the tone
EACH = 0.12  # of the tone's power in each of its frequencies: one note of two is another sound
SILENT = 1e-6  # power of -60 dB: nothing sounds
PLAIN = 0.9  # of the whole power in one or two pitches: a tone, whichever
LOWEST_HZ = 300  # a telephone's tones are not lower; the mains' hum is
STEADY_MS = 300  # a voice does not keep its pitch for so long
CLOSE_MS = 80  # a shorter hole in a tone is none
_TONE = re.compile(r"\d{3,4}(\+\d{3,4})?(\*\d{1,2})?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Tone:
    """One reading of a tone: frequencies that sound together, each with sidebands where it is modulated."""

    hz: tuple[float, ...]
    modulation_hz: float = 0.0

    @property
    def bins(self) -> tuple[tuple[float, ...], ...]:
        """For every frequency what is summed for it."""
        by = self.modulation_hz
        return tuple((one - by, one, one + by) if by else (one,) for one in self.hz)


def tones(text: str) -> tuple[Tone, ...]:
    """``450``, ``440+480``, ``400*15`` (400 Hz modulated with 15 Hz); with ``|`` between, any of them."""
    found: list[Tone] = []
    for one in text.split("|"):
        if not _TONE.fullmatch(one):
            raise ValueError(f"tone {text!r}: write 450, 440+480, 400*15, or several with | between, in Hz")
        hz, _, by = one.partition("*")
        found.append(Tone(tuple(float(part) for part in hz.split("+")), float(by or 0)))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Burst:
    """A stretch of tone, in milliseconds; ``db`` its level under full scale, ``pure`` the tone's share of the power."""

    start_ms: int
    end_ms: int
    db: float
    pure: float

    @property
    def ms(self) -> int:
        return self.end_ms - self.start_ms


@dataclass(slots=True)
class Listener:
    """One channel: ``feed`` it floats between -1 and 1, then ask."""

    rate: int
    wanted: tuple[Tone, ...]
    samples: int = 0
    _basis: NDArray[np.float32] = field(init=False)
    _weights: NDArray[np.float32] = field(init=False)
    _hop: int = field(init=False)
    _rest: NDArray[np.float32] = field(init=False)
    _share: list[NDArray[np.float32]] = field(default_factory=list)
    _power: list[NDArray[np.float32]] = field(default_factory=list)
    _pitch: list[NDArray[np.int16]] = field(default_factory=list)
    _window: NDArray[np.float32] = field(init=False)

    def __post_init__(self) -> None:
        self._hop = self.rate * HOP_MS // 1000
        size = self._hop * HOPS
        window = np.hanning(size + 1)[:-1]
        bins = [hz for tone in self.wanted for one in tone.bins for hz in one]
        turns = np.exp(-2j * np.pi * np.outer(np.arange(size) / self.rate, bins)) * window[:, None]
        basis = np.concatenate([turns.real, turns.imag], axis=1) * np.sqrt(2) / window.sum()
        self._basis = basis.reshape(HOPS, self._hop, -1).astype(np.float32)
        self._window = window.astype(np.float32)
        self._weights = (window**2 / (window**2).sum()).reshape(HOPS, self._hop).astype(np.float32)
        self._rest = np.zeros(0, np.float32)

    def feed(self, sound: NDArray[np.float32]) -> None:
        self.samples += len(sound)
        sound = np.concatenate([self._rest, sound])
        hops = len(sound) // self._hop
        ready = hops - HOPS + 1
        if ready < 1:
            self._rest = sound
            return
        # copied: a view would hold the whole block in memory
        self._rest = sound[ready * self._hop :].copy()
        rows = sound[: hops * self._hop].reshape(hops, self._hop)
        squares = rows * rows
        heard = sum(rows[at : at + ready] @ self._basis[at] for at in range(HOPS))
        power = sum(squares[at : at + ready] @ self._weights[at] for at in range(HOPS))
        share = self._shares(np.asarray(heard), np.asarray(power))
        self._share.append(share)
        self._power.append(np.asarray(power, np.float32))
        others = np.flatnonzero((share <= SHARE) & (self._power[-1] > SILENT))
        self._pitch.append(self._pitches(sound, others, ready))

    def _shares(self, heard: NDArray[np.float32], power: NDArray[np.float32]) -> NDArray[np.float32]:
        """How much of each window is the tone: the best of the readings."""
        half = heard.shape[1] // 2
        energy = heard[:, :half] ** 2 + heard[:, half:] ** 2
        best, at = np.zeros(len(power), np.float32), 0
        for tone in self.wanted:
            parts = []
            for one in tone.bins:
                parts.append(energy[:, at : at + len(one)].sum(1))
                at += len(one)
            whole = np.sum(parts, axis=0)
            complete = np.min(parts, axis=0) >= EACH * whole
            best = np.maximum(best, np.where(complete, whole / (power + 1e-12), 0))
        return np.where(power > SILENT, np.minimum(best, 1), 0).astype(np.float32)

    def _pitches(self, sound: NDArray[np.float32], others: NDArray[np.intp], ready: int) -> NDArray[np.int16]:
        """In Hz, what sounds in those windows where it is one or two pitches and nothing else; 0 elsewhere."""
        found = np.zeros(ready, np.int16)
        if not len(others):
            return found
        windows = np.lib.stride_tricks.sliding_window_view(sound, self._hop * HOPS)[others * self._hop]
        spectrum = np.abs(np.fft.rfft(windows * self._window)) ** 2
        whole = spectrum.sum(1)
        step = 1000 // (HOP_MS * HOPS)  # Hz from one line of the spectrum to the next
        spectrum[:, : LOWEST_HZ // step] = 0
        row, loudest = np.arange(len(others)), spectrum.argmax(1)
        told = _taken(spectrum, row, loudest) + _taken(spectrum, row, spectrum.argmax(1))
        found[others] = np.where(told >= PLAIN * whole, np.minimum(loudest, 3200) * step, 0)
        return found

    def other_tone(self, start_ms: int, end_ms: int, louder_db: float) -> int | None:
        """The pitch in Hz of another tone that holds on in a stretch; None where there is none."""
        first, last = self._inside(start_ms, end_ms)
        loud = 10 * np.log10(self.power[first:last] + 1e-12) >= louder_db
        pitches, need = np.where(loud, self.pitch[first:last], 0), STEADY_MS // HOP_MS - HOPS + 1
        if len(pitches) < need:
            return None
        held = np.lib.stride_tricks.sliding_window_view(pitches, need)
        same = np.flatnonzero((held.min(1) > 0) & (np.ptp(held, axis=1) <= 1000 // (HOP_MS * HOPS)))
        return int(np.median(held[same[0]])) if len(same) else None

    @property
    def ms(self) -> int:
        return self.samples * 1000 // self.rate

    @property
    def shares(self) -> NDArray[np.float32]:
        return np.concatenate(self._share) if self._share else np.zeros(0, np.float32)

    @property
    def power(self) -> NDArray[np.float32]:
        return np.concatenate(self._power) if self._power else np.zeros(0, np.float32)

    @property
    def pitch(self) -> NDArray[np.int16]:
        return np.concatenate(self._pitch) if self._pitch else np.zeros(0, np.int16)

    def bursts(self, shortest_ms: int = 100) -> list[Burst]:
        """Where the tone sounds, holes closed, in order."""
        share, power = self.shares, self.power
        edges = np.flatnonzero(np.diff(np.concatenate(([0], (share > SHARE).astype(np.int8), [0]))))
        runs = _closed(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))
        found = [self._burst(share, power, first, last) for first, last in runs]
        return [one for one in found if one.ms >= shortest_ms]

    def _burst(self, share: NDArray[np.float32], power: NDArray[np.float32], first: int, last: int) -> Burst:
        # a window sees the tone half a window early and late: the middle between the last without and the first with
        half = HOP_MS * HOPS // 2 - HOP_MS // 2
        start = 0 if first == 0 else first * HOP_MS + half  # nothing before the first window says when it began
        end = self.ms if last == len(share) else last * HOP_MS + half
        level = float(np.median(power[first:last]))
        return Burst(start, min(end, self.ms), 10 * float(np.log10(level + 1e-12)), float(share[first:last].mean()))

    def powers(self, start_ms: int, end_ms: int) -> NDArray[np.float32]:
        """Power in the windows of a stretch; those that reach over its edges are left out."""
        first, last = self._inside(start_ms, end_ms)
        return self.power[first:last]

    def _inside(self, start_ms: int, end_ms: int) -> tuple[int, int]:
        first, last = max(0, -(-start_ms // HOP_MS)), end_ms // HOP_MS - HOPS + 1
        return first, max(first, last)

    def level_db(self, start_ms: int, end_ms: int) -> float | None:
        """The median level of a stretch; None where no window lies inside."""
        part = self.powers(start_ms, end_ms)
        return 10 * float(np.log10(float(np.median(part)) + 1e-12)) if len(part) else None


def _taken(spectrum: NDArray[np.float32], row: NDArray[np.intp], line: NDArray[np.intp]) -> NDArray[np.float32]:
    """The power of a pitch, two lines to each side with it, taken out of the spectrum."""
    lines = np.clip(line[:, None] + np.arange(-2, 3), 0, spectrum.shape[1] - 1)
    power = spectrum[row[:, None], lines].sum(1)
    spectrum[row[:, None], lines] = 0
    return np.asarray(power, np.float32)


def _closed(runs: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Runs of windows, with short holes between them closed."""
    found: list[tuple[int, int]] = []
    for first, last in runs:
        if found and (first - found[-1][1]) * HOP_MS <= CLOSE_MS:
            found[-1] = (found[-1][0], last)
        else:
            found.append((first, last))
    return found
