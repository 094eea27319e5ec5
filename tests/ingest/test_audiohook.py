"""An AudioHook session as values: what each message leads to, and that no message ends in a traceback."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.audiohook import _NEXT, Broken, Hole, Note, Outcome, Over, Say, Session, Sound, State, Wanted
from ingest.audiohook_messages import NULL_ID, TEXT_CHARS, Media, Open

SESSION = "30b0e395-84d3-4570-ac13-9a62d8f514c0"
ORGANIZATION = "d7934305-0972-4844-938e-9060eef73d05"
CALL = "090eaa2f-72fa-480a-83e0-8667ff89c0ec"
PERSON = "883efee8-3d6c-4537-b500-6d7ca4b92fa0"
BOTH = {"type": "audio", "format": "PCMU", "channels": ["external", "internal"], "rate": 8000}
ONE = {**BOTH, "channels": ["external"]}
L16 = {**BOTH, "format": "L16"}


class Client:
    """Counts as a client has to, and keeps what it was told."""

    def __init__(self, session: Session | None = None) -> None:
        self.session = session or Session(SESSION, ORGANIZATION)
        self.seq = 0
        self.told: list[dict[str, Any]] = []

    def say(self, kind: str, parameters: dict[str, Any] | None = None, **own: Any) -> list[Outcome]:
        self.seq += 1
        message = {
            "version": "2", "id": SESSION, "type": kind, "seq": self.seq, "serverseq": len(self.told),
            "position": "PT0S", "parameters": parameters or {}, **own,
        }  # fmt: skip
        return self.feed(json.dumps(message))

    def feed(self, data: str | bytes) -> list[Outcome]:
        outcomes = self.session.feed(data)
        self.told += [json.loads(one.text) for one in outcomes if isinstance(one, Say)]
        return outcomes

    def open(self, **own: Any) -> list[Outcome]:
        return self.say("open", opening(**own))

    def opened(self, **own: Any) -> Client:
        wanted = self.open(**own)
        assert isinstance(wanted[0], Wanted), wanted
        self.told.append(json.loads(self.session.accept()))
        return self


def opening(**own: Any) -> dict[str, Any]:
    who = {"id": PERSON, "ani": "+1-555-555-1234", "aniName": "John Doe", "dnis": "+1-800-555-6789"}
    return {
        "organizationId": ORGANIZATION, "conversationId": CALL, "participant": who, "media": [ONE, BOTH, L16], **own
    }  # fmt: skip


def broken(outcomes: list[Outcome]) -> str:
    say, fault = outcomes
    assert isinstance(say, Say) and isinstance(fault, Broken)
    told = json.loads(say.text)
    assert told["type"] == "disconnect" and told["parameters"]["reason"] in ("error", "unauthorized")
    return str(fault.error)


def test_a_whole_session() -> None:
    client = Client().opened()
    heard = client.feed(bytes(range(8)))
    asked = client.say("ping", {"rtt": "PT0.1S"})
    ended = client.say("close", {"reason": "end"})

    assert heard == [Sound((bytes([0, 2, 4, 6]), bytes([1, 3, 5, 7])))]
    assert [told["type"] for told in client.told] == ["opened", "pong", "closed"]
    assert [(told["seq"], told["clientseq"]) for told in client.told] == [(1, 1), (2, 2), (3, 3)]
    assert client.told[0]["parameters"] == {"media": [BOTH], "startPaused": False}
    assert len(asked) == 1 and ended[1] == Over("end")
    assert client.session.state is State.CLOSED and client.session.position == 4


def test_what_the_client_says_of_the_call() -> None:
    own = {"customConfig": {"seat": "1001", "agent": "A01"}, "continuedSessions": [{"id": PERSON.upper()}]}
    wanted = Client().open(language="zh-CN", **own)

    media = Media("PCMU", ("external", "internal"))
    number, own_number = "+1-555-555-1234", "+1-800-555-6789"
    expected = Open(
        ORGANIZATION, CALL, PERSON, media, number, own_number, "zh-CN", "1001", "A01", (PERSON,)
    )  # fmt: skip
    assert wanted == [Wanted(expected)]


def test_sixteen_bits_and_one_channel() -> None:
    wide = Client().opened(media=[L16])
    single = Client().opened(media=[{**L16, "channels": ["internal"]}])

    assert wide.feed(b"aAbBcCdD") == [Sound((b"aAcC", b"bBdD"))]
    assert single.feed(b"aAbB") == [Sound((b"aAbB",))]
    assert (wide.session.position, single.session.position) == (2, 2)


def test_a_frame_may_be_empty_and_has_whole_samples() -> None:
    assert Client().opened().feed(b"") == []
    assert "whole samples" in broken(Client().opened().feed(b"abc"))
    assert "whole samples" in broken(Client().opened(media=[L16]).feed(b"abcdef"))


def test_a_frame_of_65536_bytes_is_taken() -> None:
    [sound] = Client().opened().feed(bytes(65536))
    assert isinstance(sound, Sound) and len(sound.parts[0]) == 32768
    assert "65536" in broken(Client().opened().feed(bytes(65538)))


@pytest.mark.parametrize(
    ("media", "chosen"),
    [
        ([], []),
        ([{**BOTH, "rate": 16000}], []),
        ([{**BOTH, "format": "OPUS"}], []),
        ([{**BOTH, "channels": ["external", "external"]}], []),
        ([{**BOTH, "channels": ["external", {}]}], []),
        (["x", None, BOTH], [BOTH]),
        ([ONE, L16, BOTH], [L16]),
        ([ONE], [ONE]),
        ([{**BOTH, "channels": ["internal", "external"]}], [{**BOTH, "channels": ["internal", "external"]}]),
    ],
)
def test_the_first_offer_with_both_parties_is_chosen(media: list[Any], chosen: list[Any]) -> None:
    assert Client().opened(media=media).told[0]["parameters"]["media"] == chosen


def test_a_probe_is_answered_and_heard_by_nobody() -> None:
    client = Client().opened(conversationId=NULL_ID, participant={"id": NULL_ID, "ani": ""})

    assert client.session.probe
    assert client.feed(b"") == [] and client.feed(bytes(320)) == []
    assert client.say("close", {"reason": "end"})[1] == Over("end")


def test_paused_and_discarded_time_moves_the_line() -> None:
    client = Client().opened()
    client.feed(bytes(1600))
    paused = client.say("paused")
    resumed = client.say("resumed", {"start": "PT0.1S", "discarded": "PT1.5S"})
    client.feed(bytes(1600))
    gone = client.say("discarded", {"start": "PT1.7S", "discarded": "PT.25S"})

    assert (paused, resumed, gone) == ([], [Hole(12000, "pause")], [Hole(2000, "discard")])
    assert client.session.position == 800 + 12000 + 800 + 2000


def test_a_session_is_no_longer_than_four_hours_however_it_gets_there() -> None:
    client = Client().opened()
    for hour in range(4):
        assert client.say("discarded", {"start": f"PT{hour * 3600}S", "discarded": "PT3600S"})
    beyond = client.say("discarded", {"start": "PT14400S", "discarded": "PT1S"})

    assert any(isinstance(one, Broken) for one in beyond)
    assert client.session.position == 4 * 3600 * 8000


def test_a_client_that_is_further_on_than_what_came_has_lost_it() -> None:
    client = Client().opened()
    client.feed(bytes(1600))

    assert client.say("discarded", {"start": "PT1.1S", "discarded": "PT1S"}) == [
        Hole(8000, "loss"), Hole(8000, "discard"),
    ]  # fmt: skip
    assert client.say("discarded", {"start": "PT0S", "discarded": "PT0S"}) == []


@pytest.mark.parametrize(
    "value", ["PT1", "1.5", "PT-1S", "PT1e9S", "PT1.5H", 1.5, None, "PTS", "PT99999999999S", "PT.S"]
)
def test_a_duration_that_is_none_is_a_fault(value: object) -> None:
    assert broken(Client().opened().say("discarded", {"start": "PT0S", "discarded": value}))


def test_audio_has_its_time() -> None:
    waiting = Client()
    waiting.open()
    paused = Client().opened()
    paused.say("paused")

    assert "preparing" in broken(Client().feed(b"ab"))
    assert "opening" in broken(waiting.feed(b"ab"))
    assert "paused" in broken(paused.feed(b"ab"))
    assert "no media" in broken(Client().opened(media=[]).feed(b"ab"))


def test_seq_goes_up_by_one() -> None:
    for seq in (0, 1, 3, 10):
        client = Client().opened()
        assert "follows 1" in broken(client.say("ping", seq=seq))
    assert "serverseq" in broken(Client().opened().say("ping", serverseq=2))
    assert "Audiohook-Session-Id" in broken(Client().opened().say("ping", id=CALL))


def test_another_organization_is_not_let_in() -> None:
    client = Client()
    assert "organizationId" in broken(client.open(organizationId=CALL))
    assert client.told[0]["parameters"]["reason"] == "unauthorized"


def test_after_a_fault_only_the_end_and_pings_are_answered() -> None:
    client = Client().opened()
    broken(client.feed(b"abc"))

    assert client.feed(b"ab") == [] and client.feed("{") == [] and client.say("paused") == []
    assert client.say("ping")[0] == Say(json.dumps(client.told[-1], separators=(",", ":")))
    assert client.say("close", {"reason": "disconnect"}, seq=99)[1] == Over("disconnect")
    assert [told["type"] for told in client.told] == ["opened", "disconnect", "pong", "closed"]
    assert client.say("ping") == [] and client.feed(b"ab") == []


def test_a_goodbye_lets_audio_go_on_until_the_client_closes() -> None:
    client = Client().opened()
    client.told.append(json.loads(client.session.disconnect("completed", "bye")))

    assert client.feed(b"ab") == [Sound((b"a", b"b"))]
    assert client.say("close", {"reason": "disconnect"})[1] == Over("disconnect")


def test_a_ping_is_answered_in_every_state_but_the_last() -> None:
    for make in (Client, lambda: Client().opened()):
        client = make()
        assert json.loads(client.say("ping")[0].text)["type"] == "pong"  # type: ignore[union-attr]
    waiting = Client()
    waiting.open()
    assert json.loads(waiting.say("ping")[0].text)["clientseq"] == 2  # type: ignore[union-attr]


def test_unknown_types_are_counted_and_nothing_else() -> None:
    client = Client().opened()
    assert client.say("playback_started") == [] and client.session.ignored == 1
    assert client.say("error", {"code": 408, "message": "late"}) == [Note("error", "'408' 'late'")]
    assert client.say("update", {"language": "ko-KR"})[1] == Note("language", "'ko-KR'")


def test_a_second_open_is_a_fault_and_a_close_needs_none() -> None:
    assert "active" in broken(Client().opened().open())
    assert Client().say("close", {"reason": 7})[1] == Over("end")


@pytest.mark.parametrize(
    "text",
    [
        "", "{", "[]", "7", "null", '"open"', "[" * 30_000, '{"a":' * 30_000, '{"version":"1"}', "{}" * 2, "NaN",
        '{"version":"2","version":"2"}', " " * (TEXT_CHARS + 1), "\ud800",
    ],
)  # fmt: skip
def test_garbage_is_told_so(text: str) -> None:
    assert broken(Client().opened().feed(text))


@pytest.mark.parametrize(
    "own",
    [
        {"participant": None}, {"participant": {"id": 7}}, {"conversationId": "x"}, {"media": None},
        {"media": [BOTH] * 40}, {"continuedSessions": "x"}, {"continuedSessions": [{}]},
        {"continuedSessions": [{"id": PERSON}] * 20}, {"organizationId": None},
    ],
)  # fmt: skip
def test_an_open_that_lacks_what_it_needs_is_refused(own: dict[str, Any]) -> None:
    assert broken(Client().open(**own))


def test_what_is_only_passed_on_may_be_missing_or_odd() -> None:
    [wanted] = Client().open(
        participant={"id": PERSON, "ani": "x\r\ny", "dnis": 7}, customConfig=["seat"], language="\0"
    )
    assert isinstance(wanted, Wanted)
    assert (wanted.open.ani, wanted.open.dnis, wanted.open.seat, wanted.open.language) == (None, None, None, None)


def test_every_state_can_be_reached() -> None:
    assert {State.PREPARING, *_NEXT.values()} == set(State)


_VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.just("PT1.5S"),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
_KINDS = st.sampled_from(["open", "close", "ping", "paused", "resumed", "discarded", "update", "error", "else"])
_FIELDS = [
    "start",
    "discarded",
    "reason",
    "media",
    "participant",
    "conversationId",
    "organizationId",
    "language",
    "code",
]
_MESSAGES = st.tuples(
    _KINDS, st.dictionaries(st.sampled_from(_FIELDS), _VALUES), st.booleans(), st.sampled_from([0, 0, 0, 0, 1, -1])
)


@given(st.lists(_MESSAGES | st.binary(max_size=9) | st.text(max_size=40), max_size=12))
def test_whatever_comes_is_answered_or_named_as_a_fault(script: list[Any]) -> None:
    client, audio = Client(), 0
    for one in script:
        if isinstance(one, tuple):
            kind, parameters, proper, jump = one
            client.seq += jump
            outcomes = client.say(kind, opening() if kind == "open" and proper else parameters)
        else:
            outcomes = client.feed(one)
        for outcome in outcomes:
            if isinstance(outcome, Wanted):
                client.told.append(json.loads(client.session.accept()))
            if isinstance(outcome, Sound):
                audio += len(outcome.parts[0])
            if isinstance(outcome, Hole):
                audio += outcome.samples
    assert audio == client.session.position
    assert [told["seq"] for told in client.told] == list(range(1, len(client.told) + 1))
    assert [told["type"] for told in client.told].count("closed") <= 1
