"""The answering side of SIP, driven by messages and by time as a value."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.sip import Request, Response, parse
from ingest.sip_dialog import LIFE_S, Changed, Event, Flow, Invited, Over, SipServer

UDP = Flow(("192.0.2.7", 5062))
TCP = Flow(("192.0.2.7", 5062), 1)


class Peer:
    """A recording client on the other side of a server."""

    def __init__(self, flow: Flow = UDP) -> None:
        tags: Iterator[int] = count(1)
        self.server = SipServer("sip:seatwatch@192.0.2.1:5070", lambda: f"tag{next(tags)}")
        self.flow, self.now_s, self.tag = flow, 0.0, ""
        self.heard: list[Response | Request] = []

    def send(
        self, method: str, seq: int, branch: str = "", headers: str = "", body: str = "", **own: str
    ) -> list[Event]:
        call, tag = own.get("call", "c1@x"), own.get("tag", self.tag)
        to = f"<sip:srs@y>;tag={tag}" if tag else "<sip:srs@y>"
        text = (
            f"{method} sip:srs@y SIP/2.0\r\n"
            f"Via: SIP/2.0/UDP 192.0.2.7:5062;branch=z9{branch or method + str(seq)};rport\r\n"
            f"From: <sip:src@x>;tag={own.get('mine', 'f1')}\r\nTo: {to}\r\nCall-ID: {call}\r\nCSeq: {seq} {method}\r\n"
            f"Contact: <sip:src@192.0.2.7:5062>;+sip.src\r\n{headers}Content-Length: {len(body)}\r\n\r\n{body}"
        )
        return self.raw(text.encode())

    def raw(self, data: bytes) -> list[Event]:
        events = self.server.receive(parse(data), self.flow, self.now_s)
        self.listen()
        return events

    def listen(self) -> None:
        self.heard += [parse(out.data) for out in self.server.take()]

    def said(self) -> list[int | str]:
        """Statuses and methods since the last look."""
        heard, self.heard = self.heard, []
        return [one.status if isinstance(one, Response) else one.method for one in heard]

    def invite(self, headers: str = "", acknowledge: bool = True) -> str:
        (event,) = self.send("INVITE", 1, headers=headers)
        assert isinstance(event, Invited)
        self.server.accept(event.key, b"v=0", self.now_s)
        self.listen()
        self.tag = self.heard[-1].to_tag
        if acknowledge:
            self.send("ACK", 1, "ack1")
        return event.key

    def pass_time(self, seconds: float, step_s: float = 0.1) -> list[Event]:
        events: list[Event] = []
        for _ in range(round(seconds / step_s)):
            self.now_s += step_s
            events += self.server.tick(self.now_s)
            self.listen()
        return events


def test_a_session_from_invite_to_bye() -> None:
    peer = Peer()
    key = peer.invite("Require: siprec\r\nRecord-Route: <sip:p1;lr>\r\nRecord-Route: <sip:p2;lr>\r\n")
    trying, ok = peer.heard
    assert isinstance(trying, Response) and isinstance(ok, Response)
    assert (trying.status, trying.to_tag, ok.status, ok.body) == (100, "", 200, b"v=0")
    assert ok.get("contact") == "<sip:seatwatch@192.0.2.1:5070>;+sip.srs"
    assert ok.every("record-route") == ("<sip:p1;lr>", "<sip:p2;lr>")
    assert ok.get("content-type") == "application/sdp"
    peer.said()

    assert peer.send("BYE", 2) == [Over(key, "bye")]
    assert peer.said() == [200]
    assert len(peer.server) == 0
    assert peer.send("BYE", 2) == [] and peer.said() == [200], "the same answer to the same question"
    assert peer.send("BYE", 3) == [] and peer.said() == [481]


def test_an_invite_that_comes_again_is_answered_again_and_offered_once() -> None:
    peer = Peer()
    (event,) = peer.send("INVITE", 1)
    assert peer.send("INVITE", 1) == []
    assert peer.said() == [100, 100]
    assert isinstance(event, Invited)
    peer.server.accept(event.key, b"v=0", 0.0)
    assert peer.send("INVITE", 1) == []
    assert peer.said() == [200, 200]
    assert peer.send("INVITE", 1, "otherway") == []
    assert peer.said() == [482], "the same request by another way"


@pytest.mark.parametrize("flow", [UDP, TCP])
def test_the_200_is_repeated_until_its_ack(flow: Flow) -> None:
    peer = Peer(flow)
    peer.invite(acknowledge=False)
    peer.said()
    peer.pass_time(4.0)
    assert peer.said() == [200, 200, 200], "after 0.5, 1.5 and 3.5 s"
    peer.send("ACK", 1, "x")
    assert peer.pass_time(60) == []
    assert peer.said() == []


def test_a_session_whose_200_never_arrives_ends() -> None:
    peer = Peer()
    key = peer.invite(acknowledge=False)
    peer.said()

    assert peer.pass_time(LIFE_S + 1) == [Over(key, "unconfirmed")]
    said = peer.said()
    assert said[:-2] == [200] * 10 and "BYE" in said


def test_a_refusal_is_repeated_over_udp_until_its_ack() -> None:
    for flow, repeats in ((UDP, [488] * 3), (TCP, [])):
        peer = Peer(flow)
        (event,) = peer.send("INVITE", 1)
        peer.server.reject(event.key, 488, 'no "stream"\r\nX: y', 0.0)
        peer.listen()
        assert peer.heard[-1].get("warning") == '399 seatwatch "no streamX: y"'
        assert peer.said() == [100, 488]
        peer.pass_time(4.0)
        assert peer.said() == repeats
        peer.send("ACK", 1, "INVITE1")
        peer.pass_time(40)
        assert peer.said() == []
        assert len(peer.server) == 0


def test_cancel_before_the_answer() -> None:
    peer = Peer()
    (event,) = peer.send("INVITE", 1)
    assert peer.send("CANCEL", 1, "INVITE1") == [Over(event.key, "cancel")]
    assert peer.said() == [100, 200, 487]
    peer.server.accept(event.key, b"too late", 0.0)
    peer.listen()
    assert peer.said() == []


def test_cancel_after_the_answer_or_of_nothing() -> None:
    peer = Peer()
    peer.invite()
    peer.said()
    assert peer.send("CANCEL", 1, "INVITE1", tag="") == [] and peer.said() == [200]
    assert peer.send("CANCEL", 9, "INVITE9", tag="") == [] and peer.said() == [481]
    assert len(peer.server) == 1


def test_reinvite_and_update() -> None:
    peer = Peer()
    key = peer.invite()
    peer.said()
    (event,) = peer.send("INVITE", 2, body="offer")
    assert isinstance(event, Changed) and event.key == key and event.request.body == b"offer"
    assert peer.send("UPDATE", 3) == []
    assert peer.said() == [100, 491], "one offer at a time"
    peer.server.accept(key, b"answer", peer.now_s)
    peer.listen()
    assert peer.send("INVITE", 4) == []
    assert peer.said() == [200, 491], "its 200 is not acknowledged yet"
    peer.send("ACK", 4, "INVITE4")
    peer.send("ACK", 2, "ack2")
    (event,) = peer.send("UPDATE", 5)
    peer.server.accept(key, b"", peer.now_s)
    peer.listen()
    assert peer.heard[-1].get("content-type") is None
    assert peer.said() == [200]
    assert peer.pass_time(40) == [] and peer.said() == []


def test_a_refused_change_leaves_the_session_as_it_was() -> None:
    peer = Peer()
    key = peer.invite()
    peer.send("INVITE", 2)
    peer.server.reject(key, 488, "no", peer.now_s)
    peer.listen()
    peer.said()
    peer.send("ACK", 2, "INVITE2")

    assert len(peer.server) == 1
    assert peer.pass_time(40) == [] and peer.said() == []
    assert peer.send("BYE", 3) == [Over(key, "bye")]


def test_an_old_number_and_a_foreign_tag_change_nothing() -> None:
    peer = Peer()
    peer.invite()
    peer.said()
    for method, seq, own, answer in (
        ("UPDATE", 1, {}, 500),
        ("BYE", 2, {"mine": "other"}, 481),
        ("BYE", 2, {"tag": "guessed"}, 481),
        ("BYE", 2, {"call": "other"}, 481),
        ("INVITE", 2, {"tag": "guessed"}, 481),
        ("UPDATE", 2, {"tag": ""}, 481),
    ):
        assert peer.send(method, seq, f"{method}{own}".replace(" ", ""), **own) == []
        assert peer.said() == [answer]
    assert peer.send("ACK", 5, "stray", tag="guessed") == [] and peer.said() == []
    assert len(peer.server) == 1


@pytest.mark.parametrize(
    ("method", "headers", "answer", "told"),
    [
        ("OPTIONS", "", 200, ("allow", "INVITE, ACK, BYE, CANCEL, OPTIONS, UPDATE")),
        ("REGISTER", "", 405, ("allow", "INVITE, ACK, BYE, CANCEL, OPTIONS, UPDATE")),
        ("INFO", "", 405, ("allow", "INVITE, ACK, BYE, CANCEL, OPTIONS, UPDATE")),
        ("INVITE", "Require: siprec, 100rel, x-own\r\n", 420, ("unsupported", "100rel, x-own")),
        ("INVITE", "Supported: timer\r\nSession-Expires: 30\r\n", 422, ("min-se", "90")),
    ],
)
def test_answers_without_a_session(method: str, headers: str, answer: int, told: tuple[str, str]) -> None:
    peer = Peer()

    assert peer.send(method, 1, headers=headers) == []
    assert peer.heard[-1].get(told[0]) == told[1]
    assert peer.said() == [answer]
    assert len(peer.server) == 0


def test_without_room_new_sessions_are_refused_and_running_ones_go_on() -> None:
    peer = Peer()
    key = peer.invite()
    peer.said()
    peer.server.open = False

    assert peer.send("INVITE", 1, "new", call="c2", tag="") == []
    assert peer.heard[-1].get("retry-after") == "30"
    assert peer.send("OPTIONS", 1, "o", tag="") == []
    assert peer.said() == [503, 503]
    assert peer.send("UPDATE", 2) != []
    assert peer.send("BYE", 3) == [Over(key, "bye")]
    assert peer.said() == [487, 200], "what still waited is refused before the session ends"


def test_a_session_that_is_not_refreshed_expires() -> None:
    peer = Peer()
    key = peer.invite("Supported: timer\r\nSession-Expires: 90;refresher=uac\r\n")
    ok = peer.heard[-1]
    assert (ok.get("session-expires"), ok.get("require")) == ("90;refresher=uac", "timer")
    assert peer.pass_time(60, 1) == []
    peer.send("UPDATE", 2, headers="Supported: timer\r\nSession-Expires: 90\r\n")
    peer.server.accept(key, b"", peer.now_s)
    assert peer.pass_time(60, 1) == []
    assert peer.pass_time(31, 1) == [Over(key, "expired")]
    assert "BYE" in peer.said()


@pytest.mark.parametrize(
    "headers", ["Supported: timer\r\nSession-Expires: 90;refresher=uas\r\n", "Session-Expires: 90\r\n"]
)
def test_where_the_peer_does_not_refresh_there_is_no_timer(headers: str) -> None:
    peer = Peer()
    peer.invite(headers)

    assert peer.heard[-1].get("session-expires") is None
    assert peer.pass_time(200, 1) == []


def test_our_own_bye_goes_out_until_it_is_answered() -> None:
    peer = Peer()
    key = peer.invite("Record-Route: <sip:p1;lr>\r\n")
    peer.said()
    peer.server.hang_up(key, peer.now_s)
    peer.listen()
    (bye,) = peer.heard
    assert isinstance(bye, Request)
    assert (bye.method, bye.uri, bye.from_tag, bye.to_tag) == ("BYE", "sip:src@192.0.2.7:5062", peer.tag, "f1")
    assert (bye.call_id, bye.every("route")) == ("c1@x", ("<sip:p1;lr>",))
    peer.said()
    peer.pass_time(2)
    assert peer.said() == ["BYE", "BYE"]
    assert peer.server.waiting
    answer = f"SIP/2.0 200 OK\r\nVia: {bye.get('via')}\r\nFrom: <sip:a>;tag={peer.tag}\r\nTo: <sip:b>;tag=f1\r\n" \
             "Call-ID: c1@x\r\nCSeq: 1 BYE\r\nContent-Length: 0\r\n\r\n"  # fmt: skip
    peer.raw(answer.encode())
    assert not peer.server.waiting
    peer.pass_time(40)
    assert peer.said() == []


def test_hanging_up_before_the_answer_refuses() -> None:
    peer = Peer()
    (event,) = peer.send("INVITE", 1)
    peer.server.hang_up(event.key, 0.0)
    peer.listen()
    assert peer.said() == [100, 503]
    assert len(peer.server) == 0


def test_bye_while_an_offer_waits() -> None:
    peer = Peer()
    key = peer.invite()
    peer.send("INVITE", 2)
    peer.said()

    assert peer.send("BYE", 3) == [Over(key, "bye")]
    assert sorted(map(str, peer.said())) == ["200", "487"]


def test_answers_go_to_the_port_that_the_peer_names() -> None:
    server = SipServer("sip:s@192.0.2.1:5070", lambda: "t")
    for via, port in (("192.0.2.7:5090;branch=z1", 5090), ("host;branch=z2", 5060), ("host:1;branch=z3;rport", 40001)):
        data = f"OPTIONS sip:x SIP/2.0\r\nVia: SIP/2.0/UDP {via}\r\nFrom: <sip:a>;tag=1\r\nTo: <sip:b>\r\n" \
               f"Call-ID: {port}\r\nCSeq: 1 OPTIONS\r\n\r\n"  # fmt: skip
        server.receive(parse(data.encode()), Flow(("198.51.100.1", 40001)), 0.0)
        assert [out.flow.address for out in server.take()] == [("198.51.100.1", port)]


def test_nothing_is_remembered_for_ever() -> None:
    peer = Peer()
    for number in range(100):
        peer.send("OPTIONS", 1, f"o{number}", call=f"c{number}")
    peer.pass_time(LIFE_S + 2, 1.0)

    assert not peer.server._transactions


METHODS = st.sampled_from(["INVITE", "ACK", "BYE", "CANCEL", "UPDATE", "OPTIONS", "INFO"])


STEPS = st.tuples(METHODS, st.integers(1, 4), st.sampled_from(["", "a", "b"]), st.booleans(), st.integers(0, 3))


@given(st.lists(STEPS, max_size=30))
def test_any_order_of_messages_leaves_a_sane_server(steps: list[tuple[str, int, str, bool, int]]) -> None:
    """Each session that is over was offered before, and is over once; nothing raises."""
    peer = Peer()
    opened: set[str] = set()
    over: list[str] = []
    for method, seq, branch, tagged, reply in steps:
        events = peer.send(method, seq, branch + str(seq) if branch else "", tag=peer.tag if tagged else "")
        events += peer.pass_time(reply * 20, 5.0)
        for event in events:
            if isinstance(event, Over):
                over.append(event.key)
                continue
            opened |= {event.key} if isinstance(event, Invited) else set()
            assert event.key in opened
            if reply == 1:
                peer.server.accept(event.key, b"v=0", peer.now_s)
            elif reply == 2:
                peer.server.reject(event.key, 488, "no", peer.now_s)
            peer.listen()
            peer.tag = event.key
    assert len(over) == len(set(over)) and set(over) <= opened
    assert len(peer.server) <= len(opened) - len(over)
