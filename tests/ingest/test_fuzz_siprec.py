"""SIP, its bodies, RTP and whole sessions under half a minute of variations each: taken, or the documented error."""

from __future__ import annotations

import random
from collections import Counter
from itertools import pairwise

import pytest

from ingest import sdp, siprec
from ingest.errors import SipError
from ingest.rtp import RATE, Hole, Sound
from ingest.sip import BODY_BYTES, HEAD_BYTES, Request, Response, Stream, parse, write_response
from ingest.sip_dialog import Changed, Flow, Invited, SipServer
from ingest.sip_parts import parts
from tests.ingest.fuzz import mutants
from tests.ingest.recorder import METADATA, Client, mixed
from tests.ingest.test_rtp import HOME, packet, receiver
from tests.ingest.test_sdp import OFFER
from tests.ingest.test_sip import BYE, HEAD, INVITE, MIXED, OK
from tests.ingest.test_siprec import DRAFT, PLAIN, RULES

pytestmark = pytest.mark.slow


def coded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def talk() -> list[str]:
    """A session as its client sends it."""
    client = Client(5070, "fuzz@x")
    wire = [client.text("INVITE", 1, *mixed(OFFER, METADATA), branch="z1")]
    client.tag = "tag1"
    rest = (("ACK", 1), ("UPDATE", 2), ("OPTIONS", 3), ("INVITE", 4), ("ACK", 4), ("CANCEL", 4), ("BYE", 5))
    wire += [client.text(method, seq, branch=f"z{method}{seq}") for method, seq in rest]
    return [one.decode() for one in [*wire, OK]]


def test_messages() -> None:
    met: Counter[str] = Counter()
    good = [*talk(), *(one.decode() for one in (INVITE, BYE, OK, INVITE + BYE + OK))]
    dice = random.Random(1)
    for text in mutants(good, seed=11):
        data = coded(text)
        whole, cut = outcome([data]), outcome(pieces(data, dice))
        assert whole == cut
        try:
            message = parse(data)
        except SipError as error:
            met[str(error.status)] += 1
            continue
        met[type(message).__name__] += 1
        assert len(message.body) <= BODY_BYTES
        if isinstance(message, Request):
            back = parse(write_response(message, 200, ("192.0.2.1", 5060), "t"))
            assert isinstance(back, Response) and back.cseq == message.cseq
    assert all(met[kind] for kind in ("Request", "Response", "400", "413")), met


def pieces(data: bytes, dice: random.Random) -> list[bytes]:
    edges = [0, *sorted(dice.randint(0, len(data)) for _ in range(3)), len(data)]
    return [data[a:b] for a, b in pairwise(edges)]


def outcome(data: list[bytes]) -> tuple[list[Request | Response], bool]:
    stream, seen = Stream(), []
    try:
        for one in data:
            for message in stream.feed(one):
                seen.append(message)
            assert len(stream._buffer) <= HEAD_BYTES + BODY_BYTES + max(map(len, data))
    except SipError:
        return seen, False
    return seen, True


def test_bodies() -> None:
    met: Counter[str] = Counter()
    head = HEAD.decode() + "INVITE\r\nContent-Type: multipart/mixed;boundary=b1\r\n\r\n"
    body = mixed(OFFER, PLAIN)[1].decode()
    good = [body, MIXED.decode(), *(body.replace(PLAIN, one) for one in (DRAFT, METADATA)), OFFER, PLAIN]
    for text in mutants(good, seed=12):
        for read, data in ((sdp.read, coded(text)), (siprec.read, coded(text))):
            try:
                read(data)
                met["read"] += 1
            except SipError as error:
                met[str(error.status)] += 1
        try:
            found = parts(parse(coded(f"INVITE sip:x SIP/2.0\r\n{head}{text}")))
            for part in found:
                if part.kind == "application/sdp":
                    offer = sdp.read(part.data)
                    answer = sdp.answer(offer, [4000 if one.taken else 0 for one in offer], "192.0.2.1", 1, 1)
                    assert len(sdp.read(answer)) == len(offer)
                if part.kind in siprec.KINDS:
                    told = siprec.read(part.data)
                    assert len(siprec.speakers(told, ["1", "2"], RULES)) == 2
                    assert all(len(one.aor) <= siprec.TEXT_CHARS for one in told.participants.values())
                    met["metadata"] += 1
        except SipError as error:
            met[str(error.status)] += 1
    assert all(met[kind] for kind in ("read", "metadata", "400", "488")), met


def test_packets() -> None:
    met: Counter[str] = Counter()
    good = ["".join(map(chr, packet(number, 65530, (1 << 32) - 500))) for number in range(12)]
    one, now_s, out = receiver(), 0.0, 0
    for number, text in enumerate(mutants(good, seed=13)):
        if number % 500 == 0:
            one, now_s, out = receiver(), 0.0, 0
        now_s += 0.004
        data = text.encode("latin-1", "replace")[:1500]
        for piece in one.feed(data, HOME, now_s):
            met[type(piece).__name__] += 1
            assert isinstance(piece, Sound | Hole)
            out += piece.samples if isinstance(piece, Hole) else 0
        assert out <= (now_s + 500 * 0.2 + 10) * RATE * 3, "holes stay near the time that passed"
        assert len(one._held) <= 66
        met.update(set(one.counts))
    assert all(met[kind] for kind in ("Sound", "Hole", "malformed", "stray", "late or twice")), met


def test_sessions() -> None:
    """Mutants of whole sessions into one server: it answers, forgets, and never holds more than it may."""
    met: Counter[str] = Counter()
    dice, now_s, number = random.Random(2), 0.0, 0

    def tag() -> str:
        nonlocal number
        number += 1
        return f"tag{number % 3}"

    server = SipServer("sip:seatwatch@192.0.2.1:5070", tag)
    for text in mutants(talk(), seed=14):
        now_s += dice.choice((0.0, 0.01, 1.0))
        try:
            message = parse(coded(text))
        except SipError:
            continue
        flow = Flow(("192.0.2.7", 5062), dice.choice((None, 1)))
        for event in [*server.receive(message, flow, now_s), *server.tick(now_s)]:
            met[type(event).__name__] += 1
            if isinstance(event, Invited | Changed) and dice.random() < 0.8:
                (server.accept if dice.random() < 0.7 else refuse(server))(event.key, b"v=0", now_s)
        for sent in server.take():
            parse(sent.data)
            met["sent"] += 1
        assert len(server) < 2000
    assert all(met[kind] for kind in ("Invited", "Changed", "Over", "sent")), met


def refuse(server: SipServer):  # type: ignore[no-untyped-def]
    return lambda key, body, now_s: server.reject(key, 488, "no", now_s)
