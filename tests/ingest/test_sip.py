"""The SIP parser: the same messages however the bytes are cut, and a documented error for the rest."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.errors import SipError
from ingest.sip import (
    BODY_BYTES,
    HEAD_BYTES,
    HEADERS,
    Message,
    Request,
    Response,
    Stream,
    Via,
    params,
    parse,
    uri_of,
    write_request,
    write_response,
)
from ingest.sip_parts import PARTS, Part, parts, split

HEAD = (
    b'Via: SIP/2.0/UDP 10.0.0.9:5062;branch=z9hG4bK1;rport\r\nFrom: "A <b>" <sip:src@x>;tag=f1\r\n'
    b"To: <sip:srs@y>\r\nCall-ID: c1@x\r\nCSeq: 7 "
)
INVITE = b"INVITE sip:srs@y SIP/2.0\r\n" + HEAD + b"INVITE\r\nContent-Length: 5\r\n\r\nhello"
BYE = b"BYE sip:srs@y SIP/2.0\r\nv: SIP/2.0/TCP [::1];branch=2\r\nf: sip:a@b;tag=f1\r\nt: <sip:c@d>;tag=t1\r\n" \
      b"i: c1@x\r\nCSeq:  8\tBYE \r\nl: 0\r\n\r\n"  # fmt: skip
OK = b"SIP/2.0 200 OK\r\n" + HEAD + b"BYE\r\nContent-Length: 0\r\n\r\n"
TALK = INVITE + b"\r\n\r\n" + BYE + OK


def fed(*data: bytes) -> list[Request | Response]:
    stream, seen = Stream(), []
    for part in data:
        seen += stream.feed(part)
    return seen


def test_a_datagram_is_read() -> None:
    message = parse(INVITE + b"and what does not belong to it")

    assert isinstance(message, Request)
    assert (message.method, message.uri, message.body) == ("INVITE", "sip:srs@y", b"hello")
    assert (message.call_id, message.cseq, message.from_tag, message.to_tag) == ("c1@x", (7, "INVITE"), "f1", "")
    assert message.via == Via("10.0.0.9", 5062, "z9hG4bK1", True)


def test_compact_names_folded_lines_and_odd_spaces() -> None:
    message = parse(BYE.replace(b"tag=t1", b"\r\n ;tag=t1"))

    assert (message.call_id, message.cseq, message.from_tag, message.to_tag) == ("c1@x", (8, "BYE"), "f1", "t1")
    assert message.via == Via("[::1]", None, "2", False)


def test_a_datagram_without_a_length_reaches_to_its_end() -> None:
    assert parse(INVITE.replace(b"Content-Length: 5\r\n", b"")).body == b"hello"


@given(st.lists(st.integers(0, len(TALK)), max_size=14))
def test_any_cut_of_a_stream_gives_the_same_messages(cuts: list[int]) -> None:
    edges = [0, *sorted(cuts), len(TALK)]

    assert fed(*(TALK[start:end] for start, end in pairwise(edges))) == [parse(INVITE), parse(BYE), parse(OK)]


def test_byte_by_byte() -> None:
    assert fed(*(bytes([one]) for one in TALK)) == [parse(INVITE), parse(BYE), parse(OK)]


def test_half_a_message_is_noticed() -> None:
    for size in (1, 50, len(INVITE) - 6, len(INVITE) - 1):
        stream = Stream()

        assert not list(stream.feed(INVITE[:size]))
        assert stream.rest
    assert not Stream().rest


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (INVITE[:60], "ends within its headers"),
        (INVITE[:-1], "4 bytes of 5"),
        (INVITE.replace(b"h: 5", b"h: 65537"), "send at most 65536"),
        (INVITE.replace(b"h: 5", b"h: -1"), "must be one number"),
        (INVITE.replace(b"h: 5", b"h: 5\r\nl: 6"), "must be one number"),
        (INVITE.replace(b"h: 5", b"h: \xd9\xa5"), "must be one number"),
        (INVITE.replace(b"SIP/2.0\r\n", b"SIP/3.0\r\n", 1), "neither a request nor a response"),
        (INVITE.replace(b"INVITE", b"IN\x00ITE", 1), "neither a request nor a response"),
        (OK.replace(b"200", b"999", 1), "no status"),
        (OK.replace(b"200", b"2x0", 1), "no status"),
        (INVITE.replace(b"Call-ID: c1@x\r\n", b""), "call-id: is missing"),
        (INVITE.replace(b"7 INVITE", b"7 BYE"), "another method"),
        (INVITE.replace(b"7 INVITE", b"INVITE"), "cseq: must be"),
        (INVITE.replace(b"7 INVITE", b"2147483648 INVITE"), "cseq: must be"),
        (INVITE.replace(b"10.0.0.9:5062", b"10.0.0.9:99999"), "via: no transport"),
        (INVITE.replace(b"SIP/2.0/UDP 10", b"10"), "via: no transport"),
        (INVITE.replace(b"c1@x", b"c1\rX-Evil: 1"), "control characters"),
        (INVITE.replace(b"c1@x", b"c" * 5000), "longer than 4096"),
        (INVITE.replace(b"Call-ID", b"Call ID"), "is no name and value"),
        (INVITE.replace(b"Content", b"X: y\r\n" * HEADERS + b"Content"), "send at most 128"),
        (INVITE.replace(b"Content", (b"A: " + b"y" * 4090 + b"\r\n") * 4 + b"Content"), f"send at most {HEAD_BYTES}"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_named(data: bytes, says: str) -> None:
    with pytest.raises(SipError, match=says):
        parse(data)


def test_a_stream_needs_a_length_and_keeps_what_came_before() -> None:
    stream, seen = Stream(), []
    with pytest.raises(SipError, match="nothing else tells where a message ends"):
        for message in stream.feed(BYE + BYE.replace(b"l: 0\r\n", b"")):
            seen.append(message)

    assert seen == [parse(BYE)]


def test_a_stream_without_an_end_is_cut_off() -> None:
    with pytest.raises(SipError, match=f"more than {HEAD_BYTES}"):
        fed(*[b"INVITE sip:x SIP/2.0\r\n", *[b"X: " + b"y" * 1000 + b"\r\n"] * 20])
    with pytest.raises(SipError, match=f"send at most {BODY_BYTES}"):
        fed(INVITE.replace(b"h: 5", b"h: 999999999"))


@given(st.binary(max_size=300) | st.sampled_from([INVITE, BYE, OK]).flatmap(
    lambda whole: st.tuples(st.integers(0, len(whole)), st.binary(max_size=6), st.integers(0, 6)).map(
        lambda cut: whole[: cut[0]] + cut[1] + whole[cut[0] + cut[2] :])))  # fmt: skip
def test_any_bytes_are_taken_or_refused(data: bytes) -> None:
    try:
        message = parse(data)
    except SipError as error:
        assert 400 <= error.status < 500
        return
    assert message.call_id
    parse(write_response(message, 200, ("1.2.3.4", 5)) if isinstance(message, Request) else data)


@given(st.binary(max_size=300), st.lists(st.integers(0, 400), max_size=6))
def test_any_stream_is_taken_or_refused_the_same_way_however_cut(data: bytes, cuts: list[int]) -> None:
    def outcome(*pieces: bytes) -> tuple[list[Request | Response], bool]:
        stream, seen = Stream(), []
        try:
            for piece in pieces:
                for message in stream.feed(piece):
                    seen.append(message)
        except SipError:
            return seen, False
        return seen, True

    data = BYE + data
    edges = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    assert outcome(data) == outcome(*(data[start:end] for start, end in pairwise(edges)))


def test_an_answer_goes_back_the_way_that_the_request_came() -> None:
    request = parse(INVITE.replace(b"rport\r\n", b"rport\r\nVia: SIP/2.0/UDP far:5060;branch=z2\r\n"))
    assert isinstance(request, Request)
    answer = parse(write_response(request, 200, ("192.0.2.1", 4444), "mine", [("X-Own", "y")], b"body"))

    assert isinstance(answer, Response)
    assert answer.every("via") == (
        "SIP/2.0/UDP 10.0.0.9:5062;branch=z9hG4bK1;rport=4444;received=192.0.2.1",
        "SIP/2.0/UDP far:5060;branch=z2",
    )
    assert (answer.to_tag, answer.get("x-own"), answer.body, answer.cseq) == ("mine", "y", b"body", (7, "INVITE"))


def test_a_request_that_we_write_can_be_read() -> None:
    data = write_request("BYE", "sip:a@b", [("Via", "SIP/2.0/UDP h;branch=z"), ("From", "<sip:a>;tag=1"),
                                            ("To", "<sip:b>;tag=2"), ("Call-ID", "c"), ("CSeq", "1 BYE")])  # fmt: skip

    assert parse(data).to_tag == "2"


@pytest.mark.parametrize(
    ("value", "uri", "found"),
    [
        ('"A;tag=x" <sip:a@b;transport=tcp>;tag=1;+sip.src', "sip:a@b;transport=tcp", {"tag": "1", "+sip.src": ""}),
        ("sip:a@b;tag=1", "sip:a@b", {"tag": "1"}),
        ('<sip:a>;Q="x;y=z";tag = 2', "sip:a", {"q": "x;y=z", "tag": "2"}),
        ("", "", {}),
        ("<<<>", "", {}),
    ],
)
def test_addresses(value: str, uri: str, found: dict[str, str]) -> None:
    assert uri_of(value) == uri
    assert params(value) == found


def body(kind: str, data: bytes, **own: str) -> Message:
    return Message((("content-type", kind), *own.items()), data)


MIXED = (
    b"--b1\r\nContent-Type: application/sdp\r\n\r\nv=0\r\nm=audio 1 RTP/AVP 0\r\n\r\n"
    b"--b1\r\nc: Application/RS-Metadata+XML; charset=utf-8\r\nContent-Disposition: recording-session\r\n\r\n"
    b"<recording/>\r\n"
    b"--b1 \r\nContent-Type: application/gtd\r\n\r\nIAM,\r\n--b1--\r\nepilogue"
)
TOLD = [
    Part("application/sdp", "", b"v=0\r\nm=audio 1 RTP/AVP 0\r\n"),
    Part("application/rs-metadata+xml", "recording-session", b"<recording/>"),
    Part("application/gtd", "", b"IAM,"),
]


@pytest.mark.parametrize("kind", ["multipart/mixed;boundary=b1", 'Multipart/Mixed; charset=x; Boundary = "b1"'])
def test_parts_of_a_body(kind: str) -> None:
    assert parts(body(kind, MIXED)) == TOLD


def test_parts_with_bare_newlines_and_without_a_last_boundary() -> None:
    bare = MIXED.replace(b"\r\n", b"\n").partition(b"\n--b1--")[0]

    assert [one.kind for one in split(bare, "b1")] == [one.kind for one in TOLD]
    assert split(b"preamble\r\n" + MIXED, "b1") == TOLD


def test_no_body_and_a_body_that_is_one_part() -> None:
    assert parts(body("multipart/mixed", b"\r\n")) == []
    assert parts(body("application/SDP; x=y", b"v=0")) == [Part("application/sdp", "", b"v=0")]


def test_a_part_without_headers_has_no_kind() -> None:
    assert split(b"--b\r\n\r\ntext\r\n--b--", "b") == [Part("", "", b"text")]


@pytest.mark.parametrize(
    ("message", "says"),
    [
        (body("multipart/mixed", b"x"), "without a boundary"),
        (body("multipart/mixed;boundary=b2", MIXED), "is not in it"),
        (body("multipart/mixed;boundary=b", b"--b\r\nX: y\r\n--b--"), "without an empty line"),
        (body("multipart/mixed;boundary=b", b"--b\r\n\r\nx\r\n" * (PARTS + 2)), "more than 16 parts"),
        (body("application/sdp", b"x", **{"content-encoding": "gzip"}), "is compressed"),
    ],
)
def test_bodies_that_cannot_be(message: Message, says: str) -> None:
    with pytest.raises(SipError, match=says):
        parts(message)


@given(st.binary(max_size=200), st.integers(0, len(MIXED)), st.integers(0, 40))
def test_any_body_is_taken_or_refused(junk: bytes, at: int, cut: int) -> None:
    try:
        for one in split(MIXED[:at] + junk + MIXED[at + cut :], "b1"):
            assert one.kind == one.kind.lower()
    except SipError as error:
        assert error.status in (400, 413)
