"""What was heard in one recording, as frozen values that travel as JSON. No audio, no engine."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any, Literal

Role = Literal["agent", "customer", "unknown"]
Channels = Literal["split", "mixed"]  # mixed: one signal for both parties, nobody can say who spoke


@dataclass(frozen=True, slots=True)
class Turn:
    """One utterance of one channel, in milliseconds from the start of the recording."""

    channel: int
    start_ms: int
    end_ms: int
    text: str
    confidence: Decimal | None = None
    doubted: bool = False
    avg_logprob: float | None = None
    no_speech_prob: float | None = None


@dataclass(frozen=True, slots=True)
class Speech:
    """A stretch in which somebody speaks on a channel, and how loud (dB below full scale); no text is needed for it."""

    channel: int
    start_ms: int
    end_ms: int
    level_db: float


@dataclass(frozen=True, slots=True)
class Transcript:
    """All that was heard; engine, model and parameters name how. ``roles``: the party of each channel."""

    turns: tuple[Turn, ...]
    engine: str
    model_sha: str
    params_sha: str
    language: str
    synthetic: bool
    speech_ms: tuple[int, ...]
    duration_ms: int
    roles: tuple[Role, ...] = ()
    channels: Channels = "split"
    speech: tuple[Speech, ...] = ()
    dropped: tuple[tuple[str, int], ...] = ()  # utterances that the guards threw away, by reason

    def role(self, channel: int) -> Role:
        """The party of a channel; unknown where nobody said it."""
        return self.roles[channel] if channel < len(self.roles) else "unknown"


def to_json(transcript: Transcript) -> dict[str, Any]:
    """Plain values for storage; decimals become strings."""
    tree = asdict(transcript)
    for turn in tree["turns"]:
        turn["confidence"] = None if turn["confidence"] is None else str(turn["confidence"])
    return tree


def from_json(tree: dict[str, Any]) -> Transcript:
    """The exact inverse of ``to_json``."""
    turns = (
        Turn(**{**one, "confidence": None if one["confidence"] is None else Decimal(one["confidence"])})
        for one in tree["turns"]
    )
    return Transcript(
        **{
            **tree,
            "turns": tuple(turns),
            "speech": tuple(Speech(**one) for one in tree["speech"]),
            "speech_ms": tuple(tree["speech_ms"]),
            "roles": tuple(tree["roles"]),
            "dropped": tuple((reason, count) for reason, count in tree["dropped"]),
        }
    )
