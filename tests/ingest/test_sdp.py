"""Session descriptions: what is offered, what we answer, and a documented error for the rest."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.errors import SipError
from ingest.sdp import LABEL_CHARS, Offered, answer, read

OFFER = (
    "v=0\r\no=src 1 1 IN IP4 192.0.2.7\r\ns=-\r\nc=IN IP4 192.0.2.7\r\nt=0 0\r\n"
    "m=audio 20000 RTP/AVP 8 0 13 101\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\na=ptime:20\r\n"
    "a=sendonly\r\na=label:a_leg\r\n"
    "m=audio 20002 RTP/AVP 0\r\nc=IN IP4 192.0.2.8/127\r\na=label:2\r\na=inactive\r\n"
    "m=video 20004 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n"
)


def media(lines: str) -> Offered:
    return read(f"v=0\r\nc=IN IP4 192.0.2.7\r\n{lines}".encode())[0]


def test_an_offer_of_two_streams_and_a_camera() -> None:
    first, second, third = read(OFFER.encode())

    assert first.codecs == ((8, "alaw"), (0, "ulaw"))
    assert (first.label, first.direction, first.address, first.port) == ("a_leg", "sendonly", "192.0.2.7", 20000)
    assert (first.ptime_ms, first.taken, first.sends) == (20, True, True)
    assert (second.label, second.address, second.taken, second.sends) == ("2", "192.0.2.8", True, False)
    assert not third.taken


def test_the_answer_receives_only_and_declines_the_rest() -> None:
    text = answer(read(OFFER.encode()), [40000, 40002, 0], "192.0.2.1", 5, 1).decode()

    assert text.split("\r\n") == [
        "v=0", "o=seatwatch 5 1 IN IP4 192.0.2.1", "s=-", "c=IN IP4 192.0.2.1", "t=0 0",
        "m=audio 40000 RTP/AVP 8 0", "a=rtpmap:8 PCMA/8000", "a=rtpmap:0 PCMU/8000", "a=recvonly", "a=label:a_leg",
        "m=audio 40002 RTP/AVP 0", "a=rtpmap:0 PCMU/8000", "a=inactive", "a=label:2",
        "m=video 0 RTP/AVP 96", "",
    ]  # fmt: skip
    assert b"IN IP6 ::1" in answer(read(OFFER.encode()), [0, 0, 0], "::1", 5, 1)


@pytest.mark.parametrize(
    ("lines", "taken", "sends"),
    [
        ("m=audio 4 RTP/AVP 0", True, True),
        ("m=audio 4 RTP/AVPF 0", True, True),
        ("m=audio 4 rtp/avp 0\r\na=recvonly", True, False),
        ("m=audio 4 RTP/AVP 96\r\na=rtpmap:96 pcmu/8000/1", True, True),
        ("m=audio 4 RTP/AVP 0\r\nc=IN IP4 0.0.0.0\r\na=sendonly", True, False),
        ("a=sendonly\r\nm=audio 4 RTP/AVP 0", True, True),
        ("a=inactive\r\nm=audio 4 RTP/AVP 0", True, False),
        ("m=audio 0 RTP/AVP 0", False, True),
        ("m=audio 4 RTP/SAVP 0", False, True),
        ("m=audio 4 RTP/AVP 18 9", False, True),
        ("m=audio 4 RTP/AVP 0\r\na=rtpmap:0 PCMU/16000", False, True),
        ("m=audio 4 RTP/AVP 96\r\na=rtpmap:96 PCMU/8000/2", False, True),
        ("m=audio 4 RTP/AVP 0\r\na=rtpmap:0 G722/8000", False, True),
        ("m=image 4 udptl t38", False, True),
    ],
)
def test_what_can_be_stored(lines: str, taken: bool, sends: bool) -> None:
    assert (media(lines).taken, media(lines).sends) == (taken, sends)


def test_labels_are_short_and_printable() -> None:
    assert media("m=audio 4 RTP/AVP 0\r\na=label:  inbound leg\x07 ").label == "inbound leg"
    assert media("m=audio 4 RTP/AVP 0\r\na=label: \x01").label is None
    assert media("m=audio 4 RTP/AVP 0\r\na=label:" + "é" * 500).label == "é" * LABEL_CHARS


@pytest.mark.parametrize(
    ("text", "status", "says"),
    [
        ("v=0\r\n", 488, "no m-line"),
        ("m=audio x RTP/AVP 0", 400, "is no media line"),
        ("m=audio 70000 RTP/AVP 0", 400, "is no media line"),
        ("m=audio 1 RTP/AVP 0\r\n" * 17, 488, "more than 16 m-lines"),
        ("m=audio 1 RTP/AVP" + " 0" * 65, 488, "more than 64 formats"),
        ("x" * 40_000, 413, "send at most"),
    ],
)
def test_what_cannot_be_is_named(text: str, status: int, says: str) -> None:
    with pytest.raises(SipError, match=says) as refused:
        read(text.encode())

    assert refused.value.status == status


@given(st.binary(max_size=200), st.integers(0, len(OFFER)), st.integers(0, 60))
def test_any_description_is_taken_or_refused(junk: bytes, at: int, cut: int) -> None:
    try:
        offer = read(OFFER.encode()[:at] + junk + OFFER.encode()[at + cut :])
    except SipError as error:
        assert error.status in (400, 413, 488)
        return
    said = answer(offer, [40000 if one.taken else 0 for one in offer], "192.0.2.1", 1, 1)
    assert len(read(said)) == len(offer)
    assert all(law in ("ulaw", "alaw") for one in offer for _, law in one.codecs)
