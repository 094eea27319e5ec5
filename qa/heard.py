"""What was heard of one call, for the facts: turns on the call's time line, phrase hits, talk measures. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from qa.facts import Heard
from qa.record import CallRecord
from scoring.facts import Gap, Hit, Turn
from scoring.records.call import HitRow
from speech.measures import Measures, measure
from speech.phrases import Matcher, TurnText
from speech.transcript import Role, Speech, Transcript

MS_A_CHARACTER = 220  # turns without times follow one another at an ordinary pace of speech
PAUSE_MS = 600
PARTIES: tuple[Role, Role] = ("customer", "agent")


def from_transcript(
    transcript: Transcript, matcher: Matcher, answer_ms: int = 0, gaps: Iterable[Mapping[str, Any]] = ()
) -> Heard:
    """Recognised speech, moved so that zero is the answer; what was said before it stays with negative times."""
    turns = tuple(
        Turn(
            transcript.role(turn.channel),
            turn.start_ms - answer_ms,
            turn.end_ms - answer_ms,
            turn.text,
            turn.confidence,
            turn.doubted,
        )
        for turn in transcript.turns
    )
    talk = measure(transcript.speech, transcript.roles, answer_ms, transcript.duration_ms)
    return Heard(
        channels=transcript.channels,
        text="synthetic" if transcript.synthetic else "recognised",
        turns=turns,
        hits=hits_of(matcher, turns),
        gaps=tuple(Gap(gap["role"], gap["start_ms"], gap["end_ms"], gap["cause"]) for gap in gaps),
        duration_ms=max(0, transcript.duration_ms - answer_ms),
        silence_ms=talk.silence_ms,
        talk_over_ms=talk.talk_over_ms,
        agent_share=talk.agent_share,
        loudness_rise_db=talk.loudness_rise_db,
    )


def from_record(record: CallRecord, matcher: Matcher) -> Heard:
    """Turns that came as text with the record; without times they follow one another."""
    turns: list[Turn] = []
    now = 0
    for row in record.turns or ():
        start = now if row.start_ms is None else row.start_ms
        end = start + MS_A_CHARACTER * len(row.text) if row.end_ms is None else max(start, row.end_ms)
        turns.append(Turn(row.role, start, end, row.text, row.confidence))
        now = end + PAUSE_MS
    talk = _measured(record, turns)
    return Heard(
        channels=record.channels or ("split" if all(turn.role != "unknown" for turn in turns) else "mixed"),
        text="given",
        turns=tuple(turns),
        silence_ms=talk.silence_ms if talk else None,
        talk_over_ms=talk.talk_over_ms if talk else None,
        agent_share=talk.agent_share if talk else None,
        hits=hits_of(matcher, turns) if record.hits is None else tuple(_found(row, turns) for row in record.hits),
    )


def _measured(record: CallRecord, turns: Sequence[Turn]) -> Measures | None:
    """Talk measured by the given times; without them, with a gap or an unknown speaker nobody can tell."""
    timed = all(row.start_ms is not None and row.end_ms is not None for row in record.turns or ())
    if not turns or not timed or record.gaps or any(turn.role == "unknown" for turn in turns):
        return None
    if record.answered_at is None or record.ended_at is None or record.ended_at < record.answered_at:
        return None
    speech = [Speech(PARTIES.index(turn.role), turn.start_ms, turn.end_ms, 0.0) for turn in turns]
    return measure(speech, PARTIES, 0, (record.ended_at - record.answered_at) // timedelta(milliseconds=1))


def _found(row: HitRow, turns: Sequence[Turn]) -> Hit:
    """A phrase that another system found; without times it stands at the beginning."""
    start = row.start_ms or 0
    end = start if row.end_ms is None else max(start, row.end_ms)
    at = next(
        (n for n, turn in enumerate(turns) if turn.role == row.role and turn.start_ms <= start <= turn.end_ms), -1
    )
    return Hit(row.category, row.entry, row.role, start, end, "", "exact", at, row.confidence)


def hits_of(matcher: Matcher, turns: Iterable[Turn]) -> tuple[Hit, ...]:
    said = [TurnText(turn.role, turn.start_ms, turn.end_ms, turn.text, turn.confidence) for turn in turns]
    return tuple(Hit(**hit._asdict()) for hit in matcher.find(said))
