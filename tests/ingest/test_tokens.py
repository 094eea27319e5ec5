"""What opens a leg is signed for that leg and for a time; anything else is refused."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.errors import TokenError
from ingest.tokens import audiosocket_uuid, check_uuid, read_stream_token, stream_token, uuid_stands_for
from tests.ingest.values import SECRET, T0

LATER = T0 + timedelta(minutes=5)
NAMES = st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), min_size=1, max_size=40)


@given(NAMES, NAMES, st.sampled_from(["agent", "customer", "unknown"]))
def test_a_token_says_what_it_was_made_for(call: str, leg: str, role: str) -> None:
    grant = read_stream_token(SECRET, stream_token(SECRET, call, leg, role, LATER), T0)

    assert (grant.call, grant.leg, grant.role, grant.until) == (call, leg, role, LATER)


@given(NAMES, NAMES, st.integers(1, 60 * 24 * 365))
def test_a_uuid_proves_its_maker_its_leg_and_its_time(call: str, leg: str, minutes: int) -> None:
    until = T0 + timedelta(minutes=minutes)
    ident = audiosocket_uuid(SECRET, call, leg, "agent", until)

    assert (ident.version, ident.variant) == (8, UUID("0f8f0e52-8a39-4d1c-9d0e-6a8f7a3f1b11").variant)
    assert check_uuid(SECRET, ident, T0) == until
    assert uuid_stands_for(ident, call, leg, "agent")
    assert not uuid_stands_for(ident, call, leg, "customer")


@given(st.integers(0, 127))
def test_a_uuid_with_any_bit_flipped_is_not_ours(bit: int) -> None:
    ident = audiosocket_uuid(SECRET, "c1", "agent", "agent", LATER)

    with pytest.raises(TokenError, match="neither signed nor registered"):
        check_uuid(SECRET, UUID(int=ident.int ^ 1 << bit), T0)


@given(st.data())
def test_a_token_with_any_character_changed_is_not_ours(data: st.DataObject) -> None:
    token = stream_token(SECRET, "c1", "agent", "agent", LATER)
    at = data.draw(st.integers(0, len(token) - 2))
    other = data.draw(st.characters(codec="ascii").filter(lambda char: char != token[at]))

    with pytest.raises(TokenError, match="not signed"):
        read_stream_token(SECRET, token[:at] + other + token[at + 1 :], T0)


@given(st.text(max_size=600))
def test_any_text_is_a_token_of_ours_or_refused(text: str) -> None:
    with pytest.raises(TokenError):
        read_stream_token(SECRET, text.encode("utf-8", "replace").decode(), T0)


def test_time_runs_out() -> None:
    ident = audiosocket_uuid(SECRET, "c1", "agent", "agent", LATER)
    token = stream_token(SECRET, "c1", "agent", "agent", LATER)

    with pytest.raises(TokenError, match="expired at 2026-03-01T09:05"):
        check_uuid(SECRET, ident, LATER)
    with pytest.raises(TokenError, match="expired at"):
        read_stream_token(SECRET, token, LATER)


def test_another_site_secret_opens_nothing() -> None:
    with pytest.raises(TokenError):
        check_uuid(b"x" * 32, audiosocket_uuid(SECRET, "c1", "agent", "agent", LATER), T0)


def test_a_short_secret_and_an_endless_time_are_refused() -> None:
    with pytest.raises(TokenError, match="at least 16 random bytes"):
        stream_token(b"short", "c1", "agent", "agent", LATER)
    with pytest.raises(TokenError, match="2097"):
        audiosocket_uuid(SECRET, "c1", "agent", "agent", T0.replace(year=2200))
