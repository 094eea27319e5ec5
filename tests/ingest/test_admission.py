"""Each UUID opens one leg once; a token opens its leg again only to resume it; both survive a restart."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from ingest.admission import LOOK_AGAIN, REGISTERED_FOR, SHARE, Admission
from ingest.errors import TokenError
from ingest.events import Leg
from ingest.tokens import audiosocket_uuid, stream_token
from tests.ingest.values import SECRET, T0, event

LATER = T0 + timedelta(minutes=5)
IDENT = "0f8f0e52-8a39-4d1c-9d0e-6a8f7a3f1b11"


def leg(**audio: str) -> Leg:
    found = event("leg", role="agent", audio=audio)
    assert isinstance(found, Leg)
    return found


def test_a_signed_uuid_opens_once_and_stands_for_itself_until_it_is_bound() -> None:
    admission, ident = Admission(SECRET), audiosocket_uuid(SECRET, "c1", "agent", "agent", LATER)
    opened = admission.open_audiosocket(ident, T0)

    assert (opened.call, opened.leg, opened.role) == (str(ident), "audiosocket", "unknown")
    with pytest.raises(TokenError, match="was used before"):
        admission.open_audiosocket(ident, T0)


def test_a_registered_uuid_opens_its_leg_once() -> None:
    admission = Admission(SECRET)
    admission.register(leg(audiosocket=IDENT), T0)
    opened = admission.open_audiosocket(UUID(IDENT), T0)

    assert (opened.call, opened.leg, opened.role) == ("c1", "agent", "agent")
    with pytest.raises(TokenError, match="was used before"):
        admission.open_audiosocket(UUID(IDENT), T0)


def test_an_unknown_uuid_opens_nothing() -> None:
    with pytest.raises(TokenError, match="neither signed nor registered"):
        Admission(SECRET).open_audiosocket(UUID(IDENT), T0)


def test_a_registration_waits_an_hour() -> None:
    admission = Admission(SECRET)
    admission.register(leg(audiosocket=IDENT, stream="tok"), T0)

    with pytest.raises(TokenError, match="too long ago"):
        admission.open_audiosocket(UUID(IDENT), T0 + REGISTERED_FOR + timedelta(seconds=1))
    with pytest.raises(TokenError, match="too long ago"):
        admission.open_stream("tok", "c1", "agent", "agent", T0 + REGISTERED_FOR + timedelta(seconds=1))


def test_what_was_used_stays_used_over_a_restart() -> None:
    first, second = Admission(SECRET), Admission(SECRET)
    ident = audiosocket_uuid(SECRET, "c1", "agent", "agent", LATER)
    first.open_audiosocket(ident, T0)
    first.register(leg(stream="tok"), T0)
    second.remember(first.snapshot(T0))

    with pytest.raises(TokenError, match="was used before"):
        second.open_audiosocket(ident, T0)
    assert second.open_stream("tok", "c1", "agent", "agent", T0).call == "c1"


def test_what_has_expired_is_not_carried_on() -> None:
    admission = Admission(SECRET)
    admission.register(leg(stream="tok"), T0)

    assert admission.snapshot(T0 + timedelta(days=2)) == []


@pytest.mark.parametrize("who", [("c2", "agent", "agent"), ("c1", "customer", "agent"), ("c1", "agent", "customer")])
def test_a_token_is_good_for_its_own_leg_only(who: tuple[str, str, str]) -> None:
    admission = Admission(SECRET)
    admission.register(leg(stream="tok"), T0)

    for token in ("tok", stream_token(SECRET, "c1", "agent", "agent", LATER)):
        with pytest.raises(TokenError, match="another call, leg or role"):
            admission.open_stream(token, *who, T0)
        assert admission.open_stream(token, "c1", "agent", "agent", T0).role == "agent"


def test_a_token_that_nobody_made_is_refused() -> None:
    with pytest.raises(TokenError, match="neither signed nor registered"):
        Admission(SECRET).open_stream("guess", "c1", "agent", "agent", T0)


def test_two_legs_cannot_share_a_uuid() -> None:
    admission = Admission(SECRET)
    admission.register(leg(audiosocket=IDENT), T0)
    other = event("leg", leg="customer", id="2", audio={"audiosocket": IDENT})

    assert isinstance(other, Leg)
    assert "another leg" in (admission.fault(other, T0) or "")
    assert admission.fault(leg(audiosocket=IDENT), T0) is None


def test_a_signed_uuid_cannot_be_claimed_for_another_leg() -> None:
    admission, ident = Admission(SECRET), audiosocket_uuid(SECRET, "c9", "agent", "agent", LATER)

    assert "another call" in (admission.fault(leg(audiosocket=str(ident)), T0) or "")


def test_a_late_leg_event_binds_a_used_uuid_without_freeing_it() -> None:
    admission, ident = Admission(SECRET), audiosocket_uuid(SECRET, "c1", "agent", "agent", LATER)
    admission.open_audiosocket(ident, T0)
    (admit,) = admission.register(leg(audiosocket=str(ident)), T0)

    assert (admit.state, admit.call) == ("used", "c1")
    with pytest.raises(TokenError, match="was used before"):
        admission.open_audiosocket(ident, T0)


def test_a_source_that_registers_without_end_keeps_no_other_out() -> None:
    admission = Admission(SECRET)
    for number in range(SHARE):
        admission.register(replace(leg(stream=f"t{number}"), source="loud"), T0)
    more = replace(leg(stream="more"), source="loud")

    assert "does not use" in str(admission.fault(more, T0))
    assert admission.fault(replace(more, stream=None), T0) is None
    assert admission.fault(replace(more, source="quiet"), T0) is None
    admission.open_stream_once("t1", "c1", "agent", "agent", T0)
    assert admission.fault(more, T0 + LOOK_AGAIN) is None
    assert admission.fault(more, T0 + REGISTERED_FOR) is None
