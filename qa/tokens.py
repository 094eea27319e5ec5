"""Makes what a sender needs to open a leg: a stream token, or a one-time UUID for AudioSocket. Stores nothing.

Both are signed with the site's key, so ingest need not be told of them. Whoever has one may send that leg.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from ingest.errors import TokenError
from ingest.fields import NAME_CHARS, FieldFault, call, line
from ingest.tokens import audiosocket_uuid, stream_token
from qa.private import keep_private
from qa.services import now
from qa.settings import load_settings

ROLES = ("agent", "customer", "unknown")
MOST_HOURS = 24 * 366


class Unfit(Exception):
    """What nothing can be signed for; says what to do."""

    def __init__(self, *faults: str) -> None:
        super().__init__("\n".join(faults))
        self.faults = list(faults)


@dataclass(frozen=True, slots=True)
class Minted:
    """What opens a leg, for whom, and until when."""

    kind: str
    token: str
    call: str
    leg: str
    role: str
    until: datetime

    def as_dict(self) -> dict[str, Any]:
        return {**asdict(self), "until": self.until.isoformat()}


def minted(kind: str, name: str, leg: str, role: str, hours: float) -> Minted:
    """For one leg of a call, good for so many hours from now."""
    _look(name, leg, role, hours)
    keep_private()  # the first command of an installation makes its key and the folder of it
    secret, until = load_settings().secret, now() + timedelta(hours=hours)
    try:
        if kind == "audiosocket":
            token = str(audiosocket_uuid(secret, name, leg, role, until))
        else:
            token = stream_token(secret, name, leg, role, until)
    except TokenError as error:
        raise Unfit(str(error)) from None
    return Minted(kind, token, name, leg, role, until.replace(microsecond=0))


def _look(name: str, leg: str, role: str, hours: float) -> None:
    try:
        call({"call": name})
        line(leg, "leg", NAME_CHARS)
    except FieldFault as error:
        raise Unfit(str(error)) from None
    if role not in ROLES:
        raise Unfit(f"role: {role!r} is none; give one of {', '.join(ROLES)}")
    if not 0 < hours <= MOST_HOURS:
        raise Unfit(f"hours: {hours:g} is too few or too many; give more than 0 and at most {MOST_HOURS}")
