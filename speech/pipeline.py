"""A recording becomes a transcript: channels, speech, one decode per utterance, guards. It reads no files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import cast

import numpy as np
from numpy.typing import NDArray

from speech import guards, vad
from speech.audio import Audio, as_float, resample, same_signal
from speech.engine import Heard, Transcriber, Utterance
from speech.guards import Verdict
from speech.transcript import Channels, Role, Speech, Transcript, Turn

BLOCK_SECONDS = 600  # a channel is worked on in blocks: memory stays bounded however long the call is
QUIET_SECONDS = 60  # a block ends at the quietest place of its last minute
PAD_MS = 150  # around each stretch of speech, for the recogniser
GROUP = 4  # utterances handed over at a time; progress is told after each group

Progress = Callable[[int, int], None]  # milliseconds done, milliseconds in all


@dataclass(frozen=True, slots=True, eq=False)
class _Piece:
    """One utterance with the stretch of speech inside its window."""

    window: Utterance
    start_ms: int
    end_ms: int


@dataclass(slots=True)
class _Notes:
    """What has been heard so far."""

    turns: list[Turn] = field(default_factory=list)
    speech: list[Speech] = field(default_factory=list)
    dropped: Counter[str] = field(default_factory=Counter)


def hear(
    audio: Audio,
    engine: Transcriber,
    language: str,
    roles: Sequence[str] | None = None,
    progress: Progress | None = None,
) -> Transcript:
    """Listen to every channel by itself. ``roles`` names the party of each channel; a mix has no parties."""
    channels, parties = layout(audio, roles)
    notes, length = _Notes(), audio.duration_ms
    for channel in range(len(parties)):
        for offset_ms, samples in _blocks(audio.pcm[channel], audio.rate):
            for done_ms in _listen(notes, engine, language, channel, offset_ms, samples):
                if progress is not None:
                    progress(channel * length + done_ms, length * len(parties))
    who = engine.identity()
    spoken = [sum(s.end_ms - s.start_ms for s in notes.speech if s.channel == c) for c in range(len(parties))]
    return Transcript(
        turns=tuple(sorted(notes.turns, key=lambda turn: (turn.start_ms, turn.channel))),
        engine=who.engine,
        model_sha=who.model_sha,
        params_sha=who.params_sha,
        language=language,
        synthetic=who.synthetic,
        speech_ms=tuple(spoken),
        duration_ms=length,
        roles=parties,
        channels=channels,
        speech=tuple(sorted(notes.speech, key=lambda one: (one.start_ms, one.channel))),
        dropped=tuple(sorted(notes.dropped.items())),
    )


def layout(audio: Audio, roles: Sequence[str] | None) -> tuple[Channels, tuple[Role, ...]]:
    """Which parties can be told apart: one signal for both is mixed, unless its one party was named."""
    if audio.channels == 1:
        alone = roles is not None and len(roles) == 1 and roles[0] in ("agent", "customer")
        return ("split", (cast(Role, (roles or ("",))[0]),)) if alone else ("mixed", ("unknown",))
    if same_signal(audio.pcm[0], audio.pcm[1]):
        return "mixed", ("unknown",)
    named = [role if role in ("agent", "customer") else "unknown" for role in roles or ()]
    return "split", cast(tuple[Role, ...], tuple([*named, "unknown", "unknown"][:2]))


def hear_again(audio: Audio, engine: Transcriber, language: str, channel: int, start_ms: int, end_ms: int) -> Heard:
    """One disputed turn once more, without any terms told beforehand: what vanishes now was no evidence."""
    start, end = max(0, start_ms - PAD_MS), min(audio.duration_ms, end_ms + PAD_MS)
    pcm = audio.pcm[channel, start * audio.rate // 1000 : end * audio.rate // 1000]
    samples = resample(as_float(pcm), audio.rate, vad.RATE)
    return engine.transcribe([Utterance(channel, start, end, samples)], language, hints=False)[0]


def _listen(
    notes: _Notes, engine: Transcriber, language: str, channel: int, offset_ms: int, samples: NDArray[np.float32]
) -> Iterator[int]:
    """One block of one channel, into the notes; tells after each group how far it is, in milliseconds."""
    spans = vad.speech_spans(samples, pad_ms=0)
    for start, end in spans:
        loud = vad.level(samples[start * vad.RATE // 1000 : end * vad.RATE // 1000])
        notes.speech.append(Speech(channel, offset_ms + start, offset_ms + end, loud))
    pieces = list(_pieces(spans, channel, offset_ms, samples))
    for at in range(0, len(pieces), GROUP):
        group = pieces[at : at + GROUP]
        for piece, heard in zip(group, engine.transcribe([one.window for one in group], language), strict=True):
            _note(notes, piece, heard)
        yield group[-1].window.end_ms
    yield offset_ms + len(samples) * 1000 // vad.RATE


def _pieces(spans: Sequence[vad.Span], channel: int, offset_ms: int, samples: NDArray[np.float32]) -> Iterator[_Piece]:
    """The windows to decode: each stretch of speech padded, the very long ones cut."""
    windows = vad.pad(spans, PAD_MS, len(samples) * 1000 // vad.RATE)
    for span, window in zip(spans, windows, strict=True):
        for start, end in vad.cut_long(window, samples):
            sound = samples[start * vad.RATE // 1000 : end * vad.RATE // 1000]
            yield _Piece(
                Utterance(channel, offset_ms + start, offset_ms + end, sound),
                offset_ms + max(start, span[0]),
                offset_ms + min(end, span[1]),
            )


def _note(notes: _Notes, piece: _Piece, heard: Heard) -> None:
    """A turn, or one more utterance that the guards threw away."""
    window = piece.window
    verdict = guards.judge(heard, window.end_ms - window.start_ms, piece.end_ms - piece.start_ms)
    if verdict not in (Verdict.KEEP, Verdict.DOUBT):
        notes.dropped[verdict.value] += 1
        return
    notes.turns.append(
        Turn(
            channel=window.channel,
            start_ms=piece.start_ms,
            end_ms=piece.end_ms,
            text=heard.text,
            confidence=guards.confidence(heard.avg_logprob),
            doubted=verdict is Verdict.DOUBT,
            avg_logprob=heard.avg_logprob,
            no_speech_prob=heard.no_speech_prob,
        )
    )


def _blocks(pcm: NDArray[np.int16], rate: int) -> Iterator[tuple[int, NDArray[np.float32]]]:
    """A channel at 16 kHz, block by block, each with its place in milliseconds."""
    at = 0
    while at < len(pcm):
        samples = resample(as_float(pcm[at : at + BLOCK_SECONDS * rate]), rate, vad.RATE)
        if at + BLOCK_SECONDS * rate < len(pcm):
            cut_ms = vad.quietest(samples, (BLOCK_SECONDS - QUIET_SECONDS) * 1000, BLOCK_SECONDS * 1000)
            samples = samples[: cut_ms * vad.RATE // 1000]
            taken = cut_ms * rate // 1000
        else:
            taken = len(pcm) - at
        yield at * 1000 // rate, samples
        at += taken
