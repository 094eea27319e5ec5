"""Bare audio over WebSocket as a sans-I/O engine: messages in, an opening and each track's bytes out. No sockets.

First the opening, by the dialect's own words; then audio, cut by the sender wherever it likes. Words in between say
nothing that is kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ingest.errors import PcmError
from ingest.fields import FieldFault
from ingest.legs import WIDTHS
from ingest.pcm_dialects import TEXT_CHARS, Dialect, Opening


@dataclass(frozen=True, slots=True)
class Sound:
    """The next samples, one part for each track, whole samples only."""

    parts: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Words:
    """A message beside the audio: a digit, a mark, flow control. Its content is not kept."""

    size: int


Event = Opening | Sound | Words


class Pcm:
    """One connection. ``feed`` raises PcmError for the message that cannot be."""

    def __init__(self, dialect: Dialect, query: Mapping[str, str]) -> None:
        self._dialect, self._query = dialect, query
        self._rest = b""
        self.opening: Opening | None = None

    @property
    def rest(self) -> int:
        """Bytes of a sample that is not complete."""
        return len(self._rest)

    def feed(self, message: str | bytes) -> list[Event]:
        """What one message means, in order."""
        if isinstance(message, str):
            return self._text(message)
        if self.opening is not None:
            return self._sound(self.opening, message)
        if not self._dialect.begins_with_audio:
            raise PcmError("first message: is audio; say first what it is")
        return [self._open(None), *self.feed(message)]

    def _text(self, message: str) -> list[Event]:
        if len(message) > TEXT_CHARS:
            raise PcmError(f"text message: {len(message)} characters; send at most {TEXT_CHARS}", 1009)
        return [self._open(message)] if self.opening is None else [Words(len(message))]

    def _open(self, message: str | None) -> Opening:
        try:
            self.opening = self._dialect.opening(message, self._query)
        except FieldFault as fault:
            raise PcmError(f"first message: {fault}") from None
        return self.opening

    def _sound(self, opening: Opening, message: bytes) -> list[Event]:
        if len(message) > self._dialect.message_bytes:
            raise PcmError(f"audio message: {len(message)} bytes; send at most {self._dialect.message_bytes}", 1009)
        width = WIDTHS[opening.encoding] * len(opening.tracks)
        data = self._rest + message
        whole = len(data) - len(data) % width
        self._rest = data[whole:]
        return [Sound(split(data[:whole], opening))] if whole else []


def split(data: bytes, opening: Opening) -> tuple[bytes, ...]:
    """Interleaved samples as one run of bytes a track."""
    count = len(opening.tracks)
    if count == 1:
        return (data,)
    samples = np.frombuffer(data, np.dtype(f"V{WIDTHS[opening.encoding]}")).reshape(-1, count)
    return tuple(samples[:, track].tobytes() for track in range(count))
