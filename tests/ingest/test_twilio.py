"""Media streams as values: both tracks, numbers as strings, any order within the window, and the URL's signature."""

from __future__ import annotations

import base64
import json
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.errors import MediaStreamError
from ingest.reorder import LONGEST_HOLE_MS, WINDOW_FRAMES, Frame, Missing, Track
from ingest.twilio import Digit, Hole, MediaStream, Outcome, Over, Sound, Start
from ingest.twilio_signature import algorithm_of, asked, signature, signer, spellings

SID = "MZ18ad3ab5a668481ce02b83e7395059f0"
CALL_SID = "CA5ef8732a3c49700934481addd5ce1659"
START = {
    "event": "start",
    "sequenceNumber": "1",
    "streamSid": SID,
    "start": {
        "streamSid": SID,
        "callSid": CALL_SID,
        "accountSid": "AC0",
        "tracks": ["inbound", "outbound"],
        "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
        "customParameters": {"call": "c1", "seat": "1001", "agent": "A01", "token": "t"},
    },
}
TELNYX = {
    "event": "start",
    "sequence_number": "1",
    "stream_id": "32de0dea-53cb-4b21-89a4-9e1819c043bc",
    "start": {
        "user_id": "u",
        "call_control_id": "v2:T02llQxIyaRkhfRKxgAP8nY511EhFLiz",
        "from": "+13122010094",
        "to": "+13122123456",
        "media_format": {"encoding": "PCMA", "sample_rate": 8000, "channels": 1},
        "custom_parameters": {"role": "agent"},
    },
}
EXOTEL = {
    "event": "start",
    "stream_sid": "s-1",
    "start": {
        "stream_sid": "s-1",
        "call_sid": "x-1",
        "media_format": {"encoding": "audio/x-raw", "sample_rate": "16000"},
    },
}
FRAME_MS, FRAME_BYTES = 20, 160


def media(track: str, chunk: int, data: bytes, at_ms: int | None = None) -> str:
    at_ms = chunk * FRAME_MS if at_ms is None else at_ms
    told = {"track": track, "chunk": str(chunk), "timestamp": str(at_ms), "payload": base64.b64encode(data).decode()}
    return json.dumps({"event": "media", "sequenceNumber": "9", "streamSid": SID, "media": told})


def started(start: dict[str, Any] | None = None) -> MediaStream:
    stream = MediaStream()
    stream.feed('{"event": "connected", "protocol": "Call", "version": "1.0.0"}')
    stream.feed(json.dumps(start or START))
    return stream


def frame(chunk: int) -> bytes:
    return bytes([chunk % 256]) * FRAME_BYTES


def test_what_a_stream_says_of_itself() -> None:
    [start] = MediaStream().feed(json.dumps(START))
    said = {"call": "c1", "seat": "1001", "agent": "A01", "token": "t"}

    assert start == Start(SID, CALL_SID, "ulaw", 8000, ("inbound", "outbound"), said)
    assert (start.role("inbound", "customer"), start.role("outbound", "customer")) == ("customer", "agent")
    assert (start.role("inbound", "agent"), start.role("outbound", "agent")) == ("agent", "customer")


def test_the_other_dialects() -> None:
    [telnyx] = MediaStream().feed(json.dumps(TELNYX))
    [exotel] = MediaStream().feed(json.dumps(EXOTEL))

    assert isinstance(telnyx, Start) and isinstance(exotel, Start)
    assert (telnyx.encoding, telnyx.call[:3], telnyx.ani, telnyx.tracks) == ("alaw", "v2:", "+13122010094", ())
    assert (telnyx.role("inbound", "customer"), telnyx.role("outbound", "customer")) == ("agent", "customer")
    assert (exotel.encoding, exotel.rate, exotel.stream, exotel.call) == ("slin", 16000, "s-1", "x-1")
    assert started(EXOTEL).feed(json.dumps({"event": "media", "media": {"payload": "AAAA" * 2}})) == [
        Sound("inbound", bytes(6)),
    ]  # fmt: skip


def test_tracks_are_told_apart_and_the_end_is_the_end() -> None:
    stream = started()
    heard: list[Outcome] = []
    for chunk in (1, 2):
        heard += stream.feed(media("inbound", chunk, frame(chunk)))
        heard += stream.feed(media("outbound", chunk, frame(10 + chunk)))
    ended = stream.feed(json.dumps({"event": "stop", "stop": {}}))

    assert heard == [
        Sound("inbound", frame(1)), Sound("outbound", frame(11)),
        Sound("inbound", frame(2)), Sound("outbound", frame(12)),
    ]  # fmt: skip
    assert ended == [Over()] and stream.feed(media("inbound", 3, frame(3))) == []


def joined(outcomes: list[Outcome], track: str = "inbound") -> tuple[bytes, int]:
    """The audio of a track, and the samples that are missing in it."""
    sound = b"".join(one.data for one in outcomes if isinstance(one, Sound) and one.track == track)
    return sound, sum(one.samples for one in outcomes if isinstance(one, Hole) and one.track == track)


@given(st.randoms(use_true_random=False), st.integers(1, 60), st.integers(0, WINDOW_FRAMES // 2))
def test_frames_shuffled_within_the_window_and_doubled_are_the_same_sound(
    dice: random.Random, count: int, far: int
) -> None:
    order = sorted(range(1, count + 1), key=lambda chunk: chunk + dice.uniform(0, far))
    stream, heard = started(), []
    for chunk in order:
        heard += stream.feed(media("inbound", chunk, frame(chunk)))
        if dice.random() < 0.2:
            heard += stream.feed(media("inbound", chunk, frame(chunk)))
    heard += stream.finish()

    assert joined(heard) == (b"".join(frame(chunk) for chunk in range(1, count + 1)), 0)


@given(st.sets(st.integers(2, 199), max_size=60))
def test_what_is_lost_is_a_hole_of_its_length(lost: set[int]) -> None:
    stream, heard = started(), []
    for chunk in range(1, 201):
        if chunk not in lost:
            heard += stream.feed(media("inbound", chunk, frame(chunk)))
    heard += stream.finish()
    sound, missing = joined(heard)

    assert sound == b"".join(frame(chunk) for chunk in range(1, 201) if chunk not in lost)
    assert missing == len(lost) * FRAME_BYTES


def test_a_stamp_far_ahead_is_a_hole_and_jitter_is_none() -> None:
    stream = started()
    stream.feed(media("inbound", 1, frame(1), at_ms=61))
    jitter = stream.feed(media("inbound", 2, frame(2), at_ms=280))
    ahead = stream.feed(media("inbound", 3, frame(3), at_ms=61 + 2040))

    assert jitter == [Sound("inbound", frame(2))]
    assert ahead == [Hole("inbound", 16000), Sound("inbound", frame(3))]


def test_a_stream_that_was_joined_late_begins_with_what_comes() -> None:
    stream, heard = started(), []
    for chunk in range(500, 500 + WINDOW_FRAMES + 2):
        heard += stream.feed(media("inbound", chunk, frame(chunk)))

    assert joined(heard) == (b"".join(frame(chunk) for chunk in range(500, 500 + WINDOW_FRAMES + 2)), 0)


def test_a_sender_that_counts_anew_loses_what_was_taken_for_duplicates() -> None:
    stream, heard = started(), []
    for chunk in [*range(1, 101), *range(1, 101)]:
        heard += stream.feed(media("inbound", chunk, frame(chunk)))
    sound, missing = joined(heard)

    assert missing == (WINDOW_FRAMES + 1) * FRAME_BYTES
    assert len(sound) + missing == 200 * FRAME_BYTES and stream.dropped == WINDOW_FRAMES + 1


def test_a_lying_number_makes_no_endless_hole() -> None:
    track = Track(8000, 1)
    out = track.take(Frame(1, None, frame(1)))
    for number in range(1 << 52, (1 << 52) + WINDOW_FRAMES + 1):
        out += track.take(Frame(number, 1 << 52, frame(1)))

    assert sum(one.samples for one in out if isinstance(one, Missing)) <= 2 * LONGEST_HOLE_MS * 8


def test_digits_are_noticed_and_not_kept() -> None:
    assert started().feed('{"event": "dtmf", "dtmf": {"track": "inbound_track", "digit": "7"}}') == [Digit()]


@pytest.mark.parametrize(
    "text",
    [
        "", "{", "[]", "null", b"\x00\x01", "[" * 30_000, '{"event": 7}', '{"event": "media"}',
        '{"event": "dtmf"}', '{"event": "start"}', '{"event": "start", "start": 7}', '{"event": "start", "start": {}}',
        '{"event": "start", "start": {"streamSid": "a"}}',
        '{"event": "start", "start": {"streamSid": "a", "callSid": "b", "mediaFormat": {"encoding": "opus"}}}',
        '{"event": "start", "start": {"streamSid": "a", "callSid": "b", "mediaFormat": {"sampleRate": "9"}}}',
        '{"event": "start", "start": {"streamSid": "a", "callSid": "b", "mediaFormat": {"channels": 2}}}',
        " " * 70_000,
    ],
)  # fmt: skip
def test_what_cannot_be_is_a_documented_error(text: str | bytes) -> None:
    with pytest.raises(MediaStreamError):
        MediaStream().feed(text)


@pytest.mark.parametrize(
    "own",
    [{"payload": "x"}, {"payload": 7}, {"payload": None}, {"payload": "AA==AA=="}, {"chunk": "-1"}, {"chunk": "1.5"},
     {"timestamp": "x" * 40}, {"chunk": True}, {"payload": "A" * 54_000}],
)  # fmt: skip
def test_a_frame_that_is_none_is_a_documented_error(own: dict[str, Any]) -> None:
    with pytest.raises(MediaStreamError):
        started().feed(json.dumps({"event": "media", "media": {"chunk": "1", "payload": "AAAA", **own}}))
    with pytest.raises(MediaStreamError, match="twice"):
        started().feed(json.dumps(START))


_VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=12) | st.sampled_from(["1", "20", "AAAA", "inbound"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
_KEYS = st.sampled_from(
    ["track", "chunk", "timestamp", "payload", "streamSid", "callSid", "mediaFormat", "tracks", "from"]
)


@given(
    st.lists(
        st.builds(
            lambda event, inner: json.dumps({"event": event, event: inner}),
            st.sampled_from(["start", "media", "stop", "dtmf", "mark", "connected", "else"]),
            st.dictionaries(_KEYS, _VALUES),
        )
        | st.text(max_size=40)
        | st.binary(max_size=8),
        max_size=10,
    ),
    st.booleans(),
)
def test_whatever_comes_is_taken_or_refused(script: list[str | bytes], begun: bool) -> None:
    stream = started() if begun else MediaStream()
    for one in script:
        try:
            stream.feed(one)
        except MediaStreamError as error:
            assert str(error)
            return
    stream.finish()


# the example of Twilio's public documentation on request validation
URL = "https://mycompany.com/myapp.php?foo=1&bar=2"
FORM = {
    "CallSid": "CA1234567890ABCDE",
    "Caller": "+14158675309",
    "Digits": "1234",
    "From": "+14158675309",
    "To": "+18005551212",
}
MEDIA_URL = "wss://qa.example.com/media-stream"
SHA1, SHA256 = "9ECVnCycD6jQFPQCjoXfApLD864=", "k5tHT9J5narPVbT6Za8dxYmISfp8Tk97ZLUp9hcns4c="
TOKENS = [("other", "54321"), ("site", "12345")]


def test_the_documented_example() -> None:
    assert signature("12345", URL, FORM) == "RSOYDt4T1cUTdK1PDd93/VVr8B8="


def test_whose_token_signed_the_url() -> None:
    # made by the providers' own validator (Python package twilio 9.13), SHA-1 and SHA-256
    assert signer(TOKENS, MEDIA_URL, SHA1) == "site"
    assert signer(TOKENS, MEDIA_URL, SHA256, "key=k,algorithm=HMAC_SHA256") == "site"
    assert signer(TOKENS, MEDIA_URL, SHA256) is None
    assert signer(TOKENS, MEDIA_URL, SHA1, "algorithm=MD5") is None
    assert signer([], MEDIA_URL, SHA1) is None
    assert algorithm_of("") == algorithm_of("key=k") == "HMAC_SHA1"


QUERIED = [  # by the same validator
    ("?src=a", "CbPU4mvZ6asftdhiSrq3zNIH94g=", "xLK16ynx97vayL9t2ac9ZPeYYiPEK2mChrvEel7Tajs="),
    ("?call=4711&note=%E5%9D%90%E5%B8%AD%20A&x=a%2Bb+c", "khEcBmG6dDG91gwV6uKo4eODP8c=",
     "ltaaPPEE9fIVTgqdKzperwxbGnKCrZz77lRNrYdUaSY="),
]  # fmt: skip


@pytest.mark.parametrize(("query", "sha1", "sha256"), QUERIED)
def test_the_query_is_signed_to_the_letter(query: str, sha1: str, sha256: str) -> None:
    url = asked(MEDIA_URL, f"/behind/a/proxy{query}")
    assert url == MEDIA_URL + query
    assert signer(TOKENS, url, sha1) == signer(TOKENS, url, sha256, "algorithm=HMAC_SHA256") == "site"
    assert signer(TOKENS, MEDIA_URL, sha1) is None and signer(TOKENS, url, SHA1) is None
    assert signer(TOKENS, asked(MEDIA_URL, f"/media-stream{query}&call=x"), sha1) is None


def test_a_public_url_with_a_query_keeps_it_where_none_comes() -> None:
    assert asked(MEDIA_URL, "/media-stream") == asked(MEDIA_URL, "/media-stream?") == MEDIA_URL
    assert asked(f"{MEDIA_URL}?site=1", "/media-stream") == f"{MEDIA_URL}?site=1"
    assert asked(f"{MEDIA_URL}?site=1", "/media-stream?site=2") == f"{MEDIA_URL}?site=2"


@given(st.sampled_from(["", ":443", ":8443"]), st.from_regex(r"/[a-z/._-]{0,20}(\?[a-z]=[0-9])?", fullmatch=True))
def test_the_providers_own_validator_agrees(port: str, path: str) -> None:
    oracle = pytest.importorskip("twilio.request_validator", reason="the package twilio is not installed")
    url = f"wss://qa.example.com{port}{path}"
    own = oracle.RequestValidator("12345")

    assert own.compute_signature(url, {}) == signature("12345", url)
    assert own.validate(url, {}, signature("12345", url)) and signer(TOKENS, url, own.compute_signature(url, {}))
    assert not own.validate(url + "/", {}, signature("12345", url)) and not signer(
        TOKENS, url + "/", signature("12345", url)
    )


def test_the_port_may_be_there_and_the_slash_may_not() -> None:
    assert signer(TOKENS, "wss://qa.example.com:443/media-stream", SHA1) == "site"
    assert signer(TOKENS, MEDIA_URL, signature("12345", "wss://qa.example.com:443/media-stream")) == "site"
    assert signer(TOKENS, MEDIA_URL + "/", SHA1) is None
    assert signer(TOKENS, "wss://qa.example.com:8443/media-stream", SHA1) == "site"
    assert spellings("wss://[::1]:9093/x?y=1") == ["wss://[::1]/x?y=1", "wss://[::1]:9093/x?y=1"]


def test_no_byte_of_signature_or_url_can_be_changed() -> None:
    for at in range(len(SHA1)):
        other = SHA1[:at] + chr(ord(SHA1[at]) ^ 1) + SHA1[at + 1 :]
        assert signer(TOKENS, MEDIA_URL, other) is None
    for at in range(len("wss://"), len(MEDIA_URL)):
        other = MEDIA_URL[:at] + ("z" if MEDIA_URL[at] != "z" else "y") + MEDIA_URL[at + 1 :]
        assert signer(TOKENS, other, SHA1) is None
    assert signer(TOKENS, MEDIA_URL, "\udcff") is None


@pytest.mark.parametrize("said", [{"callSid": "CA1~2"}, {"customParameters": {"call": "c1~3"}}])
def test_no_stream_takes_the_name_of_a_part_of_a_call(said: dict[str, Any]) -> None:
    start = {"event": "start", "streamSid": "MZ1", "start": {"callSid": "CA1", **said}}
    with pytest.raises(MediaStreamError, match="parts of calls"):
        MediaStream().feed(json.dumps(start))
