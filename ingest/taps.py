"""A leg that should be heard: what signalling asks of a tap, as one value. Knows no PBX, opens nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Tap:
    """Hear this channel from now on. The same call and leg asked for again is the same tap."""

    call: str
    leg: str  # the sender's own id of the leg; on Asterisk the channel's Uniqueid
    role: str  # agent, customer, unknown
    channel: str  # what the PBX calls it: on ARI the channel id
    at: datetime  # since when there is something to hear: first ringing, or the answer where ringing was missed
    seat: str | None = None  # whose phone this leg is, where it is known
