"""Ring counts and the cadences they rest on. Pure arithmetic: no audio, no clock, no limits of a regulation."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Cadence:
    """How a country's phones ring, in seconds: the bursts of one ring with the pauses after them."""

    pattern_s: tuple[Decimal, ...]  # on, off, on, off …; one ring may be two bursts
    tone_hz: str  # 450, 440+480 together, 400*15 modulated, any of several with | between; empty: not known

    @property
    def period_s(self) -> Decimal:
        return sum(self.pattern_s, Decimal(0))

    @property
    def on_s(self) -> Decimal:
        """From the start of the ring to the end of its last burst."""
        return self.period_s - self.pattern_s[-1]


_SECONDS = re.compile(r"\d{1,3}(\.\d{1,3})?", re.ASCII)
_ONE = r"\d{3,4}(\+\d{3,4})?(\*\d{1,2})?"
_TONE = re.compile(rf"{_ONE}(\|{_ONE})*", re.ASCII)


def _cadence(pattern: str, tone_hz: str) -> Cadence:
    return Cadence(tuple(Decimal(part) for part in pattern.split("/")), tone_hz)


CADENCES: dict[str, Cadence] = {
    "cn": _cadence("1/4", "450"),
    "tw": _cadence("1/2", "440+480"),
    "jp": _cadence("1/2", "400*15"),
    "kr": _cadence("1/2", "440+480"),  # not checked against a Korean standard
    "uk": _cadence("0.4/0.2/0.4/2", "400+450"),
    "us": _cadence("2/4", "440+480"),
    "de": _cadence("1/4", "425"),
    "it": _cadence("1/4", "425"),
    "nl": _cadence("1/4", "425"),
    "ru": _cadence("1/4", "425"),
    "br": _cadence("1/4", "425"),
    "fr": _cadence("1.5/3.5", "440"),
    "es": _cadence("1.5/3", "425"),
}


def cadence(text: str) -> Cadence:
    """A country's cadence by its name, or one in seconds: "1/4" for on and off, "5" for a whole ring, "1/4 450" with
    its tone."""
    if text in CADENCES:
        return CADENCES[text]
    pattern, _, tone = text.partition(" ")
    parts = pattern.split("/")
    if not all(_SECONDS.fullmatch(part) for part in parts) or sum(map(Decimal, parts)) <= 0:
        raise ValueError(f"cadence {text!r} is unknown; use {', '.join(CADENCES)}, or seconds like 1/4")
    if tone and not _TONE.fullmatch(tone):
        raise ValueError(f"cadence {text!r}: its tone is no frequency; write 450, 440+480, 400*15 or 450|425")
    return _cadence(pattern if len(parts) > 1 else f"{pattern}/0", tone)


def ring_count(seconds: Decimal, period: Decimal) -> int:
    """Rings begun in *seconds* of ringing: 0 for an answer without ringing, else floor(t / period) + 1."""
    if period <= 0:
        raise ValueError(f"period {period}: a ring lasts longer than nothing; take it from CADENCES")
    return 0 if seconds <= 0 else int(seconds // period) + 1


def seconds_between(start: datetime, end: datetime) -> Decimal:
    """Seconds from one aware instant to another, exact to the microsecond; negative when the clock went back."""
    return Decimal((end.astimezone(UTC) - start.astimezone(UTC)) // timedelta(microseconds=1)) / 1_000_000
