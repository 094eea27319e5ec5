"""Signed requests: the vendor's own example is taken, any byte changed or any nonce used again is not."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.errors import SignatureError
from ingest.http_signature import COMPONENTS, Nonces, Signed, public_place, read_secret, sign, verify

# the example of AudioHook's public documentation on signatures
KEY = "SGVsbG8sIEkgYW0gdGhlIEFQSSBrZXkh"
SECRET = read_secret("TXlTdXBlclNlY3JldEtleVRlbGxOby0xITJAMyM0JDU=")
CREATED = 1641013200
EXAMPLE = Signed(
    "/api/v1/voicebiometrics/ws",
    "audiohook.example.com",
    {
        "audiohook-organization-id": "d7934305-0972-4844-938e-9060eef73d05",
        "audiohook-session-id": "30b0e395-84d3-4570-ac13-9a62d8f514c0",
        "audiohook-correlation-id": "e160e428-53e2-487c-977d-96989bf5c99d",
        "x-api-key": KEY,
        "signature": "sig1=:NZBwyBHRRyRoeLqy1IzOa9VYBuI8TgMFt2GRDkDuJh4=:",
        "signature-input": 'sig1=("@request-target" "@authority" "audiohook-organization-id" "audiohook-session-id" '
        f'"audiohook-correlation-id" "x-api-key");keyid="{KEY}";nonce="VGhpc0lzQVVuaXF1ZU5vbmNl";alg="hmac-sha256";'
        "created=1641013200;expires=3282026430",
    },
)


def check(request: Signed, now_s: float = CREATED + 1, nonces: Nonces | None = None, mono_s: float = 0.0) -> None:
    verify(request, SECRET, now_s, Nonces() if nonces is None else nonces, mono_s)


def signed(nonce: str = "n" * 24, created: int = CREATED) -> Signed:
    return replace(EXAMPLE, headers=EXAMPLE.headers | sign(EXAMPLE, KEY, SECRET, nonce, created))


def resigned(change: Callable[[str], str], names: tuple[str, ...] = COMPONENTS) -> Signed:
    """The claim changed, and signed by who holds the secret: the base is written here once more, on its own."""
    claim = change(EXAMPLE.headers["signature-input"].removeprefix("sig1="))
    values = {**EXAMPLE.headers, "@request-target": EXAMPLE.target, "@authority": EXAMPLE.authority}
    base = "\n".join([*(f'"{name}": {values[name]}' for name in names), f'"@signature-params": {claim}'])
    mac = base64.b64encode(hmac.new(SECRET, base.encode(), hashlib.sha256).digest()).decode()
    headers = {**EXAMPLE.headers, "signature-input": f"sig1={claim}", "signature": f"sig1=:{mac}:"}
    return replace(EXAMPLE, headers=headers)


def test_the_vendors_example_is_verified() -> None:
    check(EXAMPLE)


def flips(text: str) -> list[str]:
    return [text[:at] + chr(ord(text[at]) ^ 1) + text[at + 1 :] for at in range(len(text))]


def test_no_byte_of_what_is_signed_can_be_changed() -> None:
    for name, value in EXAMPLE.headers.items():
        for other in flips(value):
            with pytest.raises(SignatureError):
                check(replace(EXAMPLE, headers=EXAMPLE.headers | {name: other}))
    for other in flips(EXAMPLE.target):
        with pytest.raises(SignatureError):
            check(replace(EXAMPLE, target=other))
    for other in flips(EXAMPLE.authority):
        with pytest.raises(SignatureError):
            check(replace(EXAMPLE, authority=other))


def test_the_same_bytes_in_another_spelling_of_base64_are_another_signature() -> None:
    given = EXAMPLE.headers["signature"]
    for other in (given.replace("4=:", "5=:"), given.replace("=:", ":", 1), given.replace("4=:", "4==:")):
        with pytest.raises(SignatureError):
            check(replace(EXAMPLE, headers=EXAMPLE.headers | {"signature": other}))


def test_a_request_signed_again_with_the_secret_is_good() -> None:
    check(resigned(lambda claim: claim))


@pytest.mark.parametrize("missing", COMPONENTS)
def test_each_component_has_to_be_signed(missing: str) -> None:
    left = tuple(name for name in COMPONENTS if name != missing)
    with pytest.raises(SignatureError, match="does not cover"):
        check(resigned(lambda claim: claim.replace(f' "{missing}"', "").replace(f'"{missing}" ', ""), left))


@pytest.mark.parametrize("missing", ["signature", "signature-input", "x-api-key", "audiohook-session-id"])
def test_a_header_that_is_not_there_is_no_signature(missing: str) -> None:
    with pytest.raises(SignatureError):
        check(replace(EXAMPLE, headers={name: text for name, text in EXAMPLE.headers.items() if name != missing}))


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        ('alg="hmac-sha256"', 'alg="ed25519"', "alg"),
        (";created=1641013200", "", "created missing"),
        ("expires=3282026430", 'expires="3282026430"', "wrong kind"),
        ("expires=3282026430", "expires=1641013200;expires=3282026430", "twice"),
        ("expires=3282026430", "expires=1641013200", "expires: has passed"),
        ("expires=3282026430", 'tag="x"', "unknown"),
        ('nonce="VGhpc0lzQVVuaXF1ZU5vbmNl"', 'nonce="short"', "nonce"),
    ],
)
def test_a_claim_that_says_too_much_or_too_little_is_refused_though_signed(before: str, after: str, says: str) -> None:
    with pytest.raises(SignatureError, match=says):
        check(resigned(lambda claim: claim.replace(before, after)))


@pytest.mark.parametrize(
    ("age_s", "good"), [(0, True), (10, True), (10.1, False), (11, False), (-3, True), (-3.1, False), (3600, False)]
)
def test_a_signature_is_good_for_ten_seconds_and_three_ahead(age_s: float, good: bool) -> None:
    if good:
        check(EXAMPLE, CREATED + age_s)
        return
    with pytest.raises(SignatureError, match="created"):
        check(EXAMPLE, CREATED + age_s)


def test_a_nonce_is_good_once_within_a_minute() -> None:
    nonces = Nonces()
    check(EXAMPLE, nonces=nonces, mono_s=100)
    with pytest.raises(SignatureError, match="nonce: was used"):
        check(EXAMPLE, nonces=nonces, mono_s=159)
    check(EXAMPLE, nonces=nonces, mono_s=161)
    check(signed("other nonce of 24 chars."), nonces=nonces, mono_s=161)


def test_a_full_cache_lets_nobody_in_and_forgets_nothing_early() -> None:
    nonces = Nonces(most=2)
    check(signed("a" * 22), nonces=nonces, mono_s=0)
    check(signed("b" * 22), nonces=nonces, mono_s=30)
    with pytest.raises(SignatureError, match="more slowly"):
        check(signed("c" * 22), nonces=nonces, mono_s=31)
    check(signed("c" * 22), nonces=nonces, mono_s=60)
    assert len(nonces) == 2


def test_what_is_refused_uses_up_no_nonce() -> None:
    nonces = Nonces()
    with pytest.raises(SignatureError):
        check(replace(EXAMPLE, target="/other"), nonces=nonces)
    assert len(nonces) == 0


def test_a_short_nonce_is_refused() -> None:
    check(signed("n" * 22))
    with pytest.raises(SignatureError, match="22"):
        check(signed("n" * 21))


def test_an_unknown_sender_is_refused_even_with_the_stand_in_key() -> None:
    fake = replace(EXAMPLE, headers=EXAMPLE.headers | sign(EXAMPLE, KEY, bytes(32), "n" * 24, CREATED))
    with pytest.raises(SignatureError, match="X-API-KEY"):
        verify(fake, None, CREATED, Nonces(), 0)


def test_the_signed_key_is_the_key_that_is_sent() -> None:
    other = replace(EXAMPLE, headers=EXAMPLE.headers | {"x-api-key": "another"})
    signed_by_one = replace(other, headers=other.headers | sign(other, KEY, SECRET, "n" * 24, CREATED))
    with pytest.raises(SignatureError, match="keyid"):
        check(signed_by_one)


def test_the_default_port_in_host_changes_nothing() -> None:
    check(replace(EXAMPLE, authority="Audiohook.Example.com:443"))
    with pytest.raises(SignatureError):
        check(replace(EXAMPLE, authority="audiohook.example.com:8443"))


def test_a_public_url_stands_for_what_a_proxy_changed() -> None:
    assert public_place("wss://qa.example.com/in/audiohook?site=1") == ("/in/audiohook?site=1", "qa.example.com")
    assert public_place("wss://qa.example.com:8443") == ("/", "qa.example.com:8443")
    assert public_place("wss://qa.example.com/audiohook", "/in?site=1") == ("/audiohook?site=1", "qa.example.com")
    assert public_place("wss://qa.example.com/audiohook?site=1", "/in?site=2")[0] == "/audiohook?site=2"


@given(st.text(max_size=300), st.text(max_size=80))
def test_any_headers_are_refused_with_the_documented_error(claim: str, signature: str) -> None:
    headers = {**EXAMPLE.headers, "signature-input": claim, "signature": signature}
    with pytest.raises(SignatureError):
        check(replace(EXAMPLE, headers=headers))


@given(st.data())
def test_any_piece_of_the_claim_replaced_is_refused(data: st.DataObject) -> None:
    claim = EXAMPLE.headers["signature-input"]
    at = data.draw(st.integers(0, len(claim)))
    to = data.draw(st.integers(at, len(claim)))
    other = claim[:at] + data.draw(st.text(alphabet='"();=: \\abcdefsig0123456789\udc80@', max_size=12)) + claim[to:]
    if other.strip() == claim:
        return
    with pytest.raises(SignatureError):
        check(replace(EXAMPLE, headers=EXAMPLE.headers | {"signature-input": other}))
