"""How far one leg of /stream has come: what is taken, what is durable, who may write. No sockets, no clock.

hello ─▶ FRESH ──▶ OPEN ──end──▶ ENDING ──committed──▶ OVER
                    │  ▲                                ▲
               lost │  │ hello (same or newer epoch)    │ reaped after 30 s
                    ▼  │                                │
                   AWAY ────────────────────────────────┘
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from enum import StrEnum

from ingest.errors import StreamError
from ingest.legs import WIDTHS
from ingest.level import EVERY_S, Meter
from ingest.reach import LONGEST_S
from ingest.rows import Row, body, content_key, micros
from ingest.stream import FENCED, OVER, PROTOCOL, Clock, Finish, Hello, Hole, Piece

REMEMBERED = 600  # digests of the last messages: 60 s of 100 ms


class LegState(StrEnum):
    FRESH = "fresh"  # nothing stored yet
    OPEN = "open"  # a client writes
    AWAY = "away"  # the client is gone; it may come back
    ENDING = "ending"  # the client said that it is complete; not on disk yet
    OVER = "over"


_NEXT: dict[tuple[LegState, str], LegState] = {
    (LegState.FRESH, "hello"): LegState.OPEN,
    (LegState.OPEN, "hello"): LegState.OPEN,
    (LegState.AWAY, "hello"): LegState.OPEN,
    (LegState.ENDING, "hello"): LegState.ENDING,
    (LegState.OVER, "hello"): LegState.OVER,  # only to hear that everything is there
    (LegState.OPEN, "lost"): LegState.AWAY,
    (LegState.ENDING, "lost"): LegState.ENDING,
    (LegState.OVER, "lost"): LegState.OVER,
    (LegState.OPEN, "finish"): LegState.ENDING,
    (LegState.ENDING, "finish"): LegState.ENDING,
    (LegState.OVER, "finish"): LegState.OVER,
    (LegState.ENDING, "ended"): LegState.OVER,
    (LegState.AWAY, "reap"): LegState.OVER,
}


@dataclass(slots=True)
class StreamLeg:
    """One leg over all its connections. Positions are samples; ``taken`` runs ahead of ``durable`` by one commit."""

    hello: Hello
    state: LegState = LegState.FRESH
    taken: int = 0
    durable: int = 0
    sample: int = 0
    elsewhere: bool = False  # begun by another process: no file of this one tells what it is
    digests: OrderedDict[int, bytes] = field(default_factory=OrderedDict)
    _timed: Hello | None = None  # whose begin this is:
    _began_us: int = 0
    _meter: Meter = field(init=False)

    def __post_init__(self) -> None:
        self._meter = Meter(self.hello.encoding)

    @property
    def name(self) -> tuple[str, str]:
        return self.hello.call, self.hello.leg

    @property
    def drained(self) -> bool:
        return self.taken == self.durable and self.state is not LegState.ENDING

    def greet(self, hello: Hello) -> list[Row]:
        """A client wants to write. Rows to store when a new writer begins; StreamError when it may not."""
        if hello.epoch < self.hello.epoch:
            raise StreamError(f"hello: epoch {hello.epoch} is over, epoch {self.hello.epoch} writes this leg; stop, or "
                              "take it over with a greater one", FENCED)  # fmt: skip
        same = (hello.role, hello.rate, hello.encoding) == (self.hello.role, self.hello.rate, self.hello.encoding)
        if not same:
            raise StreamError("hello: role, rate and encoding differ from the leg's first hello; they stay", PROTOCOL)
        first = self.state is LegState.FRESH
        newer = hello.epoch > self.hello.epoch
        self._step("hello")
        self.hello = hello
        told = not (first or newer or self.elsewhere) or self.state is not LegState.OPEN
        self.elsewhere = self.elsewhere and told
        return [] if told else [self._start()]

    def lost(self) -> None:
        self._step("lost")

    def piece(self, piece: Piece, most_s: float = LONGEST_S) -> list[Row]:
        """Rows to store: none for what was taken before, a gap first where the sender jumped. *most_s*: as far as time
        may be declared by now."""
        if not self._is_new(piece.seq, content_key(piece.start.to_bytes(8) + piece.payload)):
            return []
        samples, rest = divmod(len(piece.payload), WIDTHS[self.hello.encoding])
        if rest:
            raise self._wrong(f"seq {piece.seq}: {len(piece.payload)} bytes are no whole samples")
        if piece.start < self.sample:
            raise self._wrong(f"seq {piece.seq}: starts at sample {piece.start}, before {self.sample}; never go back")
        self._reaches(piece.seq, piece.start + samples, LONGEST_S)
        if piece.start > self.sample:
            self._reaches(piece.seq, piece.start, most_s)
        rows = [self._gap(piece.seq, piece.start - self.sample, "declared")] if piece.start > self.sample else []
        at_us = self._at_us(piece.start)
        rows.append(self._row("audio", piece.payload, seq=piece.seq, sample=piece.start, samples=samples, at_us=at_us))
        self.taken, self.sample = piece.seq, piece.start + samples
        self._meter.hear(piece.payload, samples)
        if self._meter.samples >= EVERY_S * self.hello.rate:
            rows.append(self._level())
        return rows

    def hole(self, hole: Hole, most_s: float = LONGEST_S) -> list[Row]:
        if hole.seq > self.taken + 1:  # stands for messages that the sender had to drop
            self._writable()
            self._remember(hole.seq, b"")
        elif not self._is_new(hole.seq, content_key(f"{hole.samples} {hole.cause}".encode())):
            return []
        self._reaches(hole.seq, self.sample + hole.samples, most_s)
        row = self._gap(hole.seq, hole.samples, hole.cause)
        self.taken, self.sample = hole.seq, self.sample + hole.samples
        return [row]

    def clock(self, clock: Clock) -> list[Row]:
        """A report of the sender's clock; it has no number, and needs no acknowledgement."""
        self._writable()
        said = body({"sample": clock.sample, "at": clock.at.isoformat()})
        return [self._row("clock", said, seq=self.taken, sample=self.sample, at_us=micros(clock.at))]

    def _level(self) -> Row:
        """Our own report of how loud it was; when that was, the client's reports say."""
        said = body(self._meter.report(self.hello.rate))
        return self._row("clock", said, seq=self.taken, sample=self.sample, at_us=self._at_us(self.sample))

    def finish(self, finish: Finish) -> list[Row]:
        """The end row, once; the last number must be the last one taken."""
        if finish.seq != self.taken:
            raise self._wrong(f"end: says seq {finish.seq}, the last one here is {self.taken}; send what is missing")
        again = self.state is not LegState.OPEN
        self._step("finish")
        return [] if again else [self._end("end")]

    def committed(self, seq: int) -> None:
        """Rows up to *seq* are on disk."""
        self.durable = max(self.durable, seq)

    def overtaken(self, seq: int, sample: int) -> None:
        """Another process of this machine has taken more of the leg meanwhile, and it is on disk there."""
        self.taken = self.durable = seq
        self.sample = sample

    def ended(self) -> None:
        """The end row is on disk."""
        self._step("ended")

    def reap(self, cause: str) -> list[Row]:
        """Nobody came back."""
        self._step("reap")
        return [self._end(cause)]

    def _is_new(self, seq: int, digest: bytes) -> bool:
        self._writable()
        if seq > self.taken + 1:
            raise self._wrong(f"seq {seq}: follows {self.taken}; send without holes, and say gap where there is one")
        if seq == self.taken + 1:
            self._remember(seq, digest)
            return True
        if self.digests.get(seq, digest) not in (digest, b""):
            raise self._wrong(f"seq {seq}: was sent before with other bytes; a number is used once")
        return False

    def _reaches(self, seq: int, end: int, most_s: float) -> None:
        """Before anything of it is a row."""
        rate = self.hello.rate
        if end > LONGEST_S * rate:
            raise self._wrong(f"seq {seq}: reaches sample {end}, and no leg is longer than "
                              f"{LONGEST_S / 3600:.0f} hours; begin a new call")  # fmt: skip
        if end > most_s * rate:
            raise self._wrong(f"seq {seq}: reaches second {end // rate}, and second {int(most_s)} is as far as the "
                              "leg can be by now; declare time that has passed")  # fmt: skip

    def _writable(self) -> None:
        if self.state is not LegState.OPEN:
            raise StreamError(f"leg {self.hello.leg!r}: is {self.state}; nothing more is taken for it", OVER)

    def _remember(self, seq: int, digest: bytes) -> None:
        self.digests[seq] = digest
        if len(self.digests) > REMEMBERED:
            self.digests.popitem(last=False)

    def _step(self, event: str) -> None:
        to = _NEXT.get((self.state, event))
        if to is None:
            raise self._wrong(f"{event}: does not fit a leg that is {self.state}")
        self.state = to

    def _wrong(self, what: str) -> StreamError:
        return StreamError(f"call {self.hello.call!r} leg {self.hello.leg!r}: {what}", PROTOCOL)

    def _start(self) -> Row:
        hello = self.hello
        said = {"role": hello.role, "rate": hello.rate, "encoding": hello.encoding, "at": hello.at.isoformat()}
        return self._row("start", body(said | {"epoch": hello.epoch}), seq=self.taken, sample=self.sample)

    def _gap(self, seq: int, samples: int, cause: str) -> Row:
        said = body({"start_sample": self.sample, "samples": samples, "cause": cause})
        at_us = self._at_us(self.sample)
        return self._row("gap", said, seq=seq, sample=self.sample, samples=samples, at_us=at_us)

    def _end(self, cause: str) -> Row:
        said = body({"samples": self.sample, "cause": cause})
        return self._row("end", said, seq=self.taken, sample=self.sample, at_us=self._at_us(self.sample))

    def _at_us(self, sample: int) -> int:
        """When a sample sounded, by the sender's clock."""
        if self.hello is not self._timed:
            self._timed, self._began_us = self.hello, micros(self.hello.at)
        return self._began_us + sample * 1_000_000 // self.hello.rate

    def _row(self, kind: str, payload: bytes, seq: int, sample: int, samples: int = 0, at_us: int = 0) -> Row:
        hello = self.hello
        at_us = at_us or micros(hello.at)
        return Row(kind, hello.source, hello.call, hello.leg, at_us, payload, seq, sample, samples, hello.epoch)  # type: ignore[arg-type]
