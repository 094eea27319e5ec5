"""Counts rings in sound by their cadence: tone, length, pause and the quiet between. It overrides no signalling.

A busy tone has the ring's frequency and another cadence; music, coloured ring-back and speech have no cadence at all.
Whatever is no clean series of rings is ``unknown`` with its reason: "no ring heard" never means "answered at once".
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import pairwise

import numpy as np

from speech.audio import Flow, as_float
from speech.tones import SILENT, Burst, Listener, Tone, tones

LOOSE = 0.25  # how much a burst may differ from its length
DRIFT = 0.12  # how much the distance of two bursts may
EDGE_MS = 60  # what windows see beyond an edge
QUIETER_DB = 6.0  # the pause is at least so much quieter than the tone
FAINTER_DB = 20.0  # another tone in a pause that is fainter than by so much comes from another line
CUT_MS = 300  # a burst that the answer cut off, where nothing before it says when to expect one
PURE = 0.8
BLOCK_SECONDS = 20
ALONE_MS = 1000  # nothing else sounds so long before a single ring
ANSWER_MS = 1500  # in which the answering voice is heard after a ring that was cut off


@dataclass(frozen=True, slots=True)
class Rhythm:
    """How a country rings: on, off, on, off … in milliseconds, and the tone of it."""

    name: str
    pattern_ms: tuple[int, ...]
    tones: tuple[Tone, ...]

    @property
    def period_ms(self) -> int:
        return sum(self.pattern_ms)


@dataclass(frozen=True, slots=True)
class Rings:
    """What was heard. ``bursts`` are those of the rings; where ``count`` is None, ``unknown`` says why. ``followed``:
    they are clear, and what comes after them is no answer."""

    count: int | None
    unknown: str | None
    bursts: tuple[Burst, ...] = ()
    channel: int | None = None
    followed: bool = False

    @property
    def ms(self) -> int:
        """From the first ring's beginning to the last one's end."""
        return self.bursts[-1].end_ms - self.bursts[0].start_ms if self.bursts else 0


def rhythm(name: str, pattern_s: Sequence[Decimal], tone: str) -> Rhythm:
    """From the table of cadences; one without pauses or without a tone can be counted by a clock, not heard."""
    if len(pattern_s) % 2 or not all(pattern_s) or not tone:
        raise ValueError(f"cadence {name!r}: to be heard it needs on and off in turn and a tone, like 1/4 450")
    return Rhythm(name, tuple(int(one * 1000) for one in pattern_s), tones(tone))


def hear(flow: Flow, beat: Rhythm, until_ms: int | None = None) -> Rings:
    """Rings in a recording, of the channel that has them; only what comes before ``until_ms``, where that is given."""
    ears = [Listener(flow.rate, beat.tones) for _ in range(flow.channels)]
    left = None if until_ms is None else max(0, until_ms) * flow.rate // 1000
    for piece in _larger(flow):
        sound = np.frombuffer(piece, np.int16).reshape(-1, flow.channels)[:left]
        for one, ear in enumerate(ears):
            ear.feed(as_float(sound[:, one]))
        if left is not None:
            left -= len(sound)
            if not left:
                break
    return together([count(ear, beat) for ear in ears], ears)


def _larger(flow: Flow) -> Iterator[bytes]:
    """The pieces, some seconds at a time: windows are quicker by the thousand."""
    heap, enough = bytearray(), BLOCK_SECONDS * flow.rate * flow.channels * 2
    for piece in flow.pieces:
        heap += piece
        if len(heap) >= enough:
            yield bytes(heap)
            heap.clear()
    if heap:
        yield bytes(heap)


def together(found: Sequence[Rings], ears: Sequence[Listener]) -> Rings:
    """One answer of several channels: the loudest that rings; what leaks from one into another agrees with it."""
    told = [(one, channel) for channel, one in enumerate(found) if one.bursts]
    if not told:
        # of several reasons the most telling one: a tone of any kind says more than silence
        best = min(range(len(found)), key=lambda at: (found[at].unknown == _NOTHING, not len(ears[at].bursts())))
        return found[best]
    told.sort(key=lambda one: -max(burst.db for burst in one[0].bursts))
    best_one, channel = told[0]
    differs = any(one.count != best_one.count for one, _ in told[1:])
    if best_one.count is not None and differs:
        return Rings(None, "the channels ring differently: give the caller's side alone", best_one.bursts, channel)
    return replace(best_one, channel=channel)


_NOTHING = "there is no sound"


def count(ear: Listener, beat: Rhythm) -> Rings:
    """Rings of one channel."""
    bursts = ear.bursts()
    firm = [one for one in bursts if one.ms >= _firm_ms(beat)]
    series = _series(bursts, firm, ear, beat)
    if not series:
        return _no_series(bursts, firm, ear, beat)
    first = series[0]
    whole = _whole(first, bursts, firm, beat)
    if hz := _another_tone(whole, ear):
        return Rings(None, f"another tone (about {hz} Hz) sounds between them, so these are no rings")
    if len(whole) > len(first):
        return Rings(None, "something as loud as the rings sounds between them: music, a voice or another tone")
    if len(series) > 1 and series[1][0].start_ms - first[-1].end_ms <= 2 * beat.period_ms:
        every = tuple(burst for one in series for burst in one)
        return Rings(None, "the rings do not keep their cadence: one is missing, or two phones rang", every)
    return Rings(_cycles(first, beat), None, tuple(first))


def _no_series(bursts: Sequence[Burst], firm: Sequence[Burst], ear: Listener, beat: Rhythm) -> Rings:
    """Why it is none; rings that are clear until something else follows them are told all the same."""
    clear = _clear(bursts, firm, ear, beat)
    if not clear:
        return Rings(None, _why_none(ear, firm, beat))
    later = [one for one in firm if one.start_ms > clear[-1].end_ms]
    what = f"{_cycles(clear, beat)} clear rings, and then: {_why_none(ear, later, beat)}"
    return Rings(None, what, tuple(clear), followed=True)


def _clear(bursts: Sequence[Burst], firm: Sequence[Burst], ear: Listener, beat: Rhythm) -> list[Burst]:
    """The first two or more whole rings in the cadence, whatever follows them."""
    for one in firm:
        run = max((_run(bursts, one, phase, beat) for phase in range(len(beat.pattern_ms) // 2)), key=len)
        while run and (run[-1].ms < min(beat.pattern_ms[::2]) * (1 - LOOSE) - EDGE_MS or _begins(run[-1], firm, beat)):
            run.pop()
        if run and _cycles(run, beat) > 1 and _unmixed(run, firm, ear, beat) and not _another_tone(run, ear):
            return run
    return []


def _begins(one: Burst, firm: Sequence[Burst], beat: Rhythm) -> bool:
    """Whether it is the first of what follows: the next one comes at once and is as long."""
    after = next((other for other in firm if other.start_ms > one.end_ms), None)
    return (
        after is not None
        and after.start_ms - one.end_ms < min(beat.pattern_ms[-1] // 2, 2 * one.ms)
        and abs(after.ms - one.ms) <= EDGE_MS
    )


def _whole(run: list[Burst], bursts: Sequence[Burst], firm: Sequence[Burst], beat: Rhythm) -> list[Burst]:
    """The run with those before it that are in its cadence, but were no series with it."""
    earlier = (one for one in firm if one.start_ms < run[0].start_ms)
    longer = (_run(bursts, one, phase, beat) for one in earlier for phase in range(len(beat.pattern_ms) // 2))
    return next((one for one in longer if run[0] in one), run)


def _another_tone(run: Sequence[Burst], ear: Listener) -> int | None:
    """The pitch of what sounds in a pause and is no ring; voices, which keep no pitch, are another channel's."""
    pauses = [(one.end_ms + EDGE_MS, after.start_ms - EDGE_MS, one.db - FAINTER_DB) for one, after in pairwise(run)]
    return next((hz for pause in pauses if (hz := ear.other_tone(*pause))), None)


def _firm_ms(beat: Rhythm) -> int:
    return min(CUT_MS, min(beat.pattern_ms[::2]) * 3 // 4)


def _cycles(run: Sequence[Burst], beat: Rhythm) -> int:
    """Bursts of one ring lie nearer than the long pause: Britain rings twice a cycle, and that is one ring."""
    pause = beat.pattern_ms[-1] / 2
    return 1 + sum(after.start_ms - before.end_ms > pause for before, after in pairwise(run))


def _series(bursts: Sequence[Burst], firm: Sequence[Burst], ear: Listener, beat: Rhythm) -> list[list[Burst]]:
    """Every run of bursts in the cadence, in order."""
    found: list[list[Burst]] = []
    for one in firm:
        if found and one.start_ms <= found[-1][-1].end_ms:
            continue
        runs = [_run(bursts, one, phase, beat) for phase in range(len(beat.pattern_ms) // 2)]
        run = max(runs, key=len)
        if run and _sound(run, firm, ear, beat):
            found.append(run)
    return found


def _run(bursts: Sequence[Burst], first: Burst, phase: int, beat: Rhythm) -> list[Burst]:
    """From one burst on as long as length and distance fit; a short one ends it, for the answer cut it off."""
    run: list[Burst] = []
    now = first
    while True:
        on, off = beat.pattern_ms[2 * phase], beat.pattern_ms[2 * phase + 1]
        if now.ms > on * (1 + LOOSE) + EDGE_MS:
            return run
        run.append(now)
        begun = now is first and now.start_ms <= EDGE_MS  # the recording began in the middle of it
        if now.ms < on * (1 - LOOSE) - EDGE_MS and not begun:
            return run
        due, loose = now.end_ms + off, DRIFT * (on + off) + EDGE_MS
        later = [one for one in bursts if one.start_ms > now.end_ms and abs(one.start_ms - due) <= loose]
        if not later:
            return run
        now, phase = later[0], (phase + 1) % (len(beat.pattern_ms) // 2)


def _sound(run: Sequence[Burst], firm: Sequence[Burst], ear: Listener, beat: Rhythm) -> bool:
    """Whether it is a series of rings and no part of a busy tone, a melody or a beep."""
    alone, last = beat.pattern_ms[-1] // 2, run[-1]
    if any(one not in run and -alone < one.start_ms - last.end_ms < alone for one in firm):
        return False
    return _unmixed(run, firm, ear, beat) and (len(run) > 1 or _single(run[0], ear, beat))


def _unmixed(run: Sequence[Burst], firm: Sequence[Burst], ear: Listener, beat: Rhythm) -> bool:
    """Whether nothing else of the tone comes shortly before a run or inside it, and its pauses are quiet."""
    alone = beat.pattern_ms[-1] // 2
    first, last = run[0], run[-1]
    near = [one for one in firm if one not in run and -alone < first.start_ms - one.end_ms < alone]
    between = [one for one in firm if first.end_ms < one.start_ms < last.start_ms and one not in run]
    if near or between:
        return False
    pauses = [(one, (one.end_ms, after.start_ms)) for one, after in pairwise(run)]
    before = (first, (max(0, first.start_ms - 400), first.start_ms))
    return all(_quiet(ear, one, pause) for one, pause in [before, *pauses])


def _single(one: Burst, ear: Listener, beat: Rhythm) -> bool:
    """A single burst: out of the quiet and into it; cut short only by the recording's end or a voice that answers."""
    floor = 10 ** ((one.db - QUIETER_DB) / 10)
    before = ear.powers(one.start_ms - ALONE_MS, one.start_ms - EDGE_MS)
    after = ear.powers(one.end_ms, one.end_ms + ALONE_MS // 2)
    if one.pure < PURE or (len(before) and float(before.max()) > floor):
        return False
    if one.end_ms >= ear.ms - EDGE_MS:
        return True
    if not len(after) or float(after.min()) > floor:
        return False
    on = beat.pattern_ms[0] if len(beat.pattern_ms) == 2 else min(beat.pattern_ms[::2])
    answer = ear.powers(one.end_ms, one.end_ms + ANSWER_MS)
    return one.ms >= on * (1 - LOOSE) - EDGE_MS or float(answer.max()) > 10 * SILENT


def _quiet(ear: Listener, one: Burst, pause: tuple[int, int]) -> bool:
    level = ear.level_db(pause[0] + EDGE_MS, pause[1] - EDGE_MS)
    return level is None or level <= one.db - QUIETER_DB


def _why_none(ear: Listener, firm: Sequence[Burst], beat: Rhythm) -> str:
    """What is heard instead of rings."""
    if not len(ear.power) or float(ear.power.max()) <= SILENT:
        return _NOTHING
    longest = max(firm, key=lambda one: one.ms, default=None)
    if longest is not None and longest.ms > max(beat.pattern_ms[::2]) * (1 + LOOSE) + EDGE_MS:
        return f"a tone of {longest.ms / 1000:.1f} s without a pause is no ring"
    gaps = [after.start_ms - one.end_ms for one, after in pairwise(firm)]
    if gaps:
        on, off = float(np.median([one.ms for one in firm])) / 1000, float(np.median(gaps)) / 1000
        if max(on, off) < 1:
            name = "busy" if on < 0.6 else "congestion"
            return f"a {name} tone ({on:.2f} s on, {off:.2f} s off) is no ring"
    if firm:
        return f"{len(firm)} tones are heard, and not in the cadence of {beat.name}"
    return f"no ring of cadence {beat.name} is heard: speech, music, or recorded from the answer on"
