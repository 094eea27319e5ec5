"""The table of taps: what is asked in which order, and that whatever happens nothing of ours stays behind."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid5

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from ingest.ari import NEXT, UNRECORDED, AriConfig, Ask, Effect, Gone, Heard, Rest, Sign, State, Taps
from ingest.taps import Tap
from tests.ingest.values import moment

CONFIG = AriConfig("pbx1", "http://127.0.0.1:8088", "taps", "secret", app="sw")
RUN = "c0ffee"
SPACE = UUID("0f8f0e52-8a39-4d1c-9d0e-6a8f7a3f1b11")


def tap(channel: str = "17.1", role: str = "agent") -> Tap:
    return Tap("pbx1-17.0", channel, role, channel, moment(0))


_KEYS = st.sampled_from(["type", "channel", "id", "x"])
_LEAF = st.none() | st.booleans() | st.integers() | st.text()
_JSON = st.recursive(_LEAF, lambda inner: st.lists(inner) | st.dictionaries(_KEYS, inner), max_leaves=8)


class Idents:
    """UUIDs in order, so that a test can say which try it means."""

    def __init__(self) -> None:
        self.made: list[UUID] = []

    def __call__(self, tap: Tap) -> UUID:
        self.made.append(uuid5(SPACE, str(len(self.made))))
        return self.made[-1]


def started(config: AriConfig = CONFIG) -> tuple[Taps, Idents]:
    idents = Idents()
    taps = Taps(config, idents, RUN)
    taps.connected([], [])
    return taps, idents


def asks(effects: list[Effect]) -> list[tuple[str, str]]:
    return [(one.method, one.path) for one in effects if isinstance(one, Ask)]


def entered(taps: Taps, part: str, ident: UUID, kind: str = "StasisStart") -> list[Effect]:
    return taps.event({"type": kind, "channel": {"id": f"sw-{part}-{RUN}-{ident}"}})


def good(taps: Taps, effects: list[Effect]) -> list[Effect]:
    return [more for ask in effects if isinstance(ask, Ask) for more in taps.answered(ask, 200)]


def heard(taps: Taps, idents: Idents) -> UUID:
    more = good(taps, taps.want(tap()))
    ident = idents.made[-1]
    good(taps, more)
    entered(taps, "snoop", ident)
    assert good(taps, entered(taps, "media", ident))[0] == Heard(tap())
    return ident


def test_a_leg_is_heard_after_four_requests_in_order() -> None:
    taps, idents = started()

    first = taps.want(tap())
    assert asks(first) == [("POST", "/channels/17.1/snoop")]
    ident = idents.made[0]
    second = good(taps, first)
    assert asks(second) == [("POST", "/channels/externalMedia"), ("POST", "/bridges")]
    assert isinstance(second[0], Ask)
    assert dict(second[0].params) == {
        "app": "sw",
        "external_host": "127.0.0.1:9092",
        "format": "slin",
        "encapsulation": "audiosocket",
        "transport": "tcp",
        "data": str(ident),
        "channelId": f"sw-media-{RUN}-{ident}",
    }
    assert good(taps, second) == []
    assert entered(taps, "snoop", ident) == []
    third = entered(taps, "media", ident)
    assert asks(third) == [("POST", f"/bridges/sw-mix-{RUN}-{ident}/addChannel")]
    assert good(taps, third)[0] == Heard(tap())


def test_a_channel_that_enters_before_its_answer_counts() -> None:
    taps, idents = started()
    first = taps.want(tap())
    entered(taps, "snoop", idents.made[0])
    second = good(taps, first)
    entered(taps, "media", idents.made[0])

    assert asks(good(taps, second))[0] == ("POST", f"/bridges/sw-mix-{RUN}-{idents.made[0]}/addChannel")


def test_a_tap_leaves_no_line_in_the_switchboards_own_list_of_calls() -> None:
    taps, idents = started()
    second = good(taps, taps.want(tap()))
    entered(taps, "snoop", idents.made[0])
    good(taps, second)
    told, *rest = good(taps, entered(taps, "media", idents.made[0]))

    assert told == Heard(tap())
    assert [one.params for one in rest if isinstance(one, Ask)] == 2 * [
        (("variable", "CDR_PROP(disable)"), ("value", "1"))
    ]
    assert [taps.answered(one, 500) for one in rest if isinstance(one, Ask)] == [[], []]  # it keeps no such list


def test_by_websocket_the_connection_of_the_switchboard_is_named() -> None:
    taps, idents = started(AriConfig("pbx1", "http://x", "u", "s", app="sw", connection="seatwatch_pcm"))
    media = good(taps, taps.want(tap()))[0]

    assert isinstance(media, Ask)
    told = dict(media.params)
    assert (told["external_host"], told["transport"], told["encapsulation"]) == ("seatwatch_pcm", "websocket", "none")
    assert told["channelId"] == f"sw-media-{RUN}-{idents.made[0]}"


def test_the_end_of_the_snoop_takes_the_rest_away() -> None:
    taps, idents = started()
    ident = heard(taps, idents)
    out = entered(taps, "snoop", ident, "StasisEnd")

    assert asks(out) == [("DELETE", f"/channels/sw-media-{RUN}-{ident}"), ("DELETE", f"/bridges/sw-mix-{RUN}-{ident}")]
    assert out[-1] == Gone(tap(), True, "the snoop channel ended")
    assert taps.open == 0
    assert entered(taps, "media", ident, "StasisEnd") == []


def test_a_channel_that_hung_up_before_was_not_heard_and_that_is_said() -> None:
    taps, _ = started()
    (ask,) = taps.want(tap())
    assert isinstance(ask, Ask)

    assert taps.answered(ask, 404, "Channel not found") == [Gone(tap(), False, "snoop: 404 Channel not found")]


def test_a_media_channel_that_breaks_off_is_made_anew_under_another_uuid() -> None:
    taps, idents = started()
    ident = heard(taps, idents)
    out = entered(taps, "media", ident, "StasisEnd")

    assert isinstance(out[-1], Rest)
    assert {path for _, path in asks(out)} >= {f"/channels/sw-snoop-{RUN}-{ident}", f"/bridges/sw-mix-{RUN}-{ident}"}
    assert asks(taps.again(out[-1].key)) == [("POST", "/channels/17.1/snoop")]
    assert len(set(idents.made)) == 2


def test_while_ari_is_away_taps_wait() -> None:
    idents = Idents()
    taps = Taps(CONFIG, idents, RUN)

    assert taps.want(tap()) == []
    assert asks(taps.connected([], [])) == [("POST", "/channels/17.1/snoop")]


def test_a_leg_that_is_heard_is_left_alone_when_the_socket_of_events_comes_back() -> None:
    taps, idents = started()
    ident = heard(taps, idents)
    taps.lost()

    assert (
        taps.connected([f"sw-snoop-{RUN}-{ident}", f"sw-media-{RUN}-{ident}", "17.1"], [f"sw-mix-{RUN}-{ident}"]) == []
    )
    assert taps.connected(["17.1"], [f"sw-mix-{RUN}-{ident}"])[-1] == Gone(tap(), True, "ARI was away")


def test_what_an_earlier_process_left_is_taken_away_and_nothing_else() -> None:
    taps = Taps(CONFIG, Idents(), RUN)
    channels = [
        f"sw-snoop-dead-{SPACE}",
        f"sw-media-dead-{SPACE}",
        "17.1",
        f"other-snoop-dead-{SPACE}",
        f"sw-snoop-dead-{SPACE}x",
        "sw-mix",
    ]

    assert asks(taps.connected(channels, [f"sw-mix-dead-{SPACE}", "theirs"])) == [
        ("DELETE", f"/channels/sw-media-dead-{SPACE}"),
        ("DELETE", f"/bridges/sw-mix-dead-{SPACE}"),
        ("DELETE", f"/channels/sw-snoop-dead-{SPACE}"),
    ]


def test_what_is_made_after_the_call_went_is_taken_away() -> None:
    taps, idents = started()
    media, mix = good(taps, taps.want(tap()))
    entered(taps, "snoop", idents.made[0], "StasisEnd")

    assert asks(good(taps, [media, mix])) == [
        ("DELETE", f"/channels/sw-media-{RUN}-{idents.made[0]}"),
        ("DELETE", f"/bridges/sw-mix-{RUN}-{idents.made[0]}"),
    ]
    assert asks(entered(taps, "media", idents.made[0])) == [("DELETE", f"/channels/sw-media-{RUN}-{idents.made[0]}")]


def test_asked_twice_is_one_tap() -> None:
    taps, _ = started()
    taps.want(tap())

    assert taps.want(tap()) == []


def test_every_state_but_the_last_can_be_left_and_the_last_cannot() -> None:
    for state in State:
        assert ((state, Sign.OVER) in NEXT) == (state is not State.GONE)


@given(_JSON)
def test_any_event_is_taken_or_left(value: Any) -> None:
    taps, _ = started()

    assert taps.event(value if isinstance(value, dict) else {"channel": value}) == []


class AnySwitchboard(RuleBasedStateMachine):
    """A switchboard that answers late, never, out of order or with faults: at the end nothing of ours is there."""

    def __init__(self) -> None:
        super().__init__()
        self.taps, self.idents = started()
        self.asked: list[Ask] = []
        self.made: set[str] = set()
        self.rests: list[tuple[str, str]] = []
        self.hung_up: set[str] = set()

    def take(self, effects: list[Effect]) -> None:
        self.asked += [one for one in effects if isinstance(one, Ask)]
        self.rests += [one.key for one in effects if isinstance(one, Rest)]

    @rule(channel=st.sampled_from(["1", "2"]))
    def wants(self, channel: str) -> None:
        self.take(self.taps.want(tap(channel)))

    @precondition(lambda self: self.asked)
    @rule(data=st.data(), fails=st.booleans())
    def answers(self, data: st.DataObject, fails: bool) -> None:
        ask = self.asked.pop(data.draw(st.integers(0, len(self.asked) - 1)))
        self.take(self.taps.answered(ask, 500, "") if fails and ask.ident else self.does(ask))

    def does(self, ask: Ask) -> list[Effect]:
        if ask.method == "DELETE":
            name = ask.path.rpartition("/")[2]
            gone = name in self.made
            self.made.discard(name)
            return self.ended(name) if gone else []
        if ask.step == "snoop" and ask.path.split("/")[2] in self.hung_up:
            return self.taps.answered(ask, 404)
        if ask.step in ("join", UNRECORDED):
            return self.taps.answered(ask, 204)
        name = f"sw-{ask.step}-{RUN}-{ask.ident}"
        self.made.add(name)
        came = [] if ask.step == "mix" else self.taps.event({"type": "StasisStart", "channel": {"id": name}})
        return [*came, *self.taps.answered(ask, 200)]

    def ended(self, name: str) -> list[Effect]:
        return self.taps.event({"type": "StasisEnd", "channel": {"id": name}}) if "-mix-" not in name else []

    @precondition(lambda self: any("-mix-" not in name for name in self.made))
    @rule(data=st.data())
    def a_channel_ends(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(sorted(name for name in self.made if "-mix-" not in name)))
        self.made.discard(name)
        self.take(self.ended(name))

    @precondition(lambda self: self.rests)
    @rule()
    def rested(self) -> None:
        self.take(self.taps.again(self.rests.pop()))

    @rule()
    def reconnects(self) -> None:
        self.taps.lost()
        self.take(self.taps.connected(sorted(self.made), sorted(self.made)))

    @invariant()
    def what_is_heard_is_there(self) -> None:
        assert self.taps.heard <= self.taps.open <= 2

    def teardown(self) -> None:
        """Both calls end, every request is answered: the switchboard is as before."""
        self.hung_up = {"1", "2"}
        for name in sorted(self.made):
            if "-snoop-" in name:
                self.made.discard(name)
                self.take(self.ended(name))
        while self.asked or self.rests:
            self.take(self.does(self.asked.pop(0)) if self.asked else self.taps.again(self.rests.pop()))
        assert self.taps.open == 0
        assert self.made == set()


TestAnySwitchboard = AnySwitchboard.TestCase
