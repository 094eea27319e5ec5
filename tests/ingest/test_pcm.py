"""The engine of /pcm: openings as the three kinds of senders document them, the same samples however they are cut."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.errors import PcmError
from ingest.pcm import Pcm, Sound, Words
from ingest.pcm_dialects import DIALECTS, FORK, JAMBONZ, MEDIA, Dialect, Opening, Track, choose
from tests.ingest.lab import tone

IDENT = "0f8f0e52-8a39-4d1c-9d0e-6a8f7a3f1b11"
CHANNEL = f"seatwatch-media-c0ffee-{IDENT}"
START = {
    "event": "MEDIA_START",
    "connection_id": "seatwatch_pcm",
    "channel": "WebSocket/seatwatch_pcm/0x7f",
    "channel_id": CHANNEL,
    "format": "ulaw",
    "optimal_frame_size": 160,
    "ptime": 20,
    "channel_variables": {},
}
PLAIN = (
    f"MEDIA_START connection_id:seatwatch_pcm channel:WebSocket/seatwatch_pcm/0x7f channel_id:{CHANNEL} "
    "format:ulaw optimal_frame_size:160 ptime:20"
)
# what jambonz sends, shortened: attributes of the call beside its own
LISTEN = {
    "callSid": "9fb35c28-9688-4531-943c-e280b04f3adf",
    "direction": "inbound",
    "from": "+8613800000000",
    "callId": "d8907723-0bc7",
    "sampleRate": 16000,
    "mixType": "stereo",
    "seat": "1001",
}


def opened(dialect: Dialect, said: object, **query: str) -> Opening:
    pcm = Pcm(dialect, query)
    (opening,) = pcm.feed(said if isinstance(said, str) else json.dumps(said))
    assert isinstance(opening, Opening)
    return opening


@pytest.mark.parametrize("said", [START, PLAIN])
def test_asterisk_names_the_channel_that_we_named(said: object) -> None:
    opening = opened(MEDIA, said)

    assert (opening.ident, opening.encoding, opening.rate) == (UUID(IDENT), "ulaw", 8000)


def test_asterisk_from_a_dial_plan_says_call_and_role_by_variables() -> None:
    variables = {"call": "pbx1-17.0", "role": "agent", "seat": "1001"}
    opening = opened(MEDIA, {**START, "format": "slin16", "channel_variables": variables})

    assert opening == Opening("pbx1-17.0", (Track("agent", "agent"),), "slin", 16000, "1001")


def test_a_fork_says_its_metadata() -> None:
    said = {"call": "fs-1", "rate": "16k", "mix": "stereo", "agent": "A01", "seat": "1001"}

    assert opened(FORK, said) == Opening(
        "fs-1", (Track("caller", "customer"), Track("callee", "agent")), "slin", 16000, "1001", "A01"
    )


def test_a_fork_may_say_nothing_where_its_address_says_it() -> None:
    pcm = Pcm(FORK, {"call": "fs-1", "role": "customer"})

    assert pcm.feed(b"\1\2\3\4") == [Opening("fs-1", (Track("customer", "customer"),)), Sound((b"\1\2\3\4",))]


def test_jambonz_says_rate_and_mix() -> None:
    opening = opened(JAMBONZ, LISTEN)

    assert (opening.call, opening.rate, opening.seat) == (LISTEN["callSid"], 16000, "1001")
    assert [track.role for track in opening.tracks] == ["customer", "agent"]


def test_metadata_of_jambonz_may_stand_in_an_object_of_its_own() -> None:
    opening = opened(JAMBONZ, {"callSid": "c", "mixType": "stereo", "metadata": {"roles": ["agent", "customer"]}})

    assert [(track.leg, track.role) for track in opening.tracks] == [("caller", "agent"), ("callee", "customer")]


def test_one_mixed_channel_is_nobodys() -> None:
    assert opened(FORK, {"call": "c", "mix": "mixed"}).tracks == (Track("mixed", "unknown"),)


def test_a_token_stands_for_call_leg_and_role() -> None:
    assert opened(FORK, {"token": "sw1.x"}).tracks[0].token == "sw1.x"
    assert [track.token for track in opened(FORK, {"mix": "stereo", "tokens": "a,b"}).tracks] == ["a", "b"]


@pytest.mark.parametrize(
    ("dialect", "said", "why"),
    [
        (MEDIA, "MEDIA_XON", "no MEDIA_START"),
        (MEDIA, {**START, "format": "g722"}, "format 'g722'"),
        (MEDIA, "{", "no JSON"),
        (FORK, "[]", "must be an object"),
        (FORK, {"role": "agent"}, "names no call"),
        (FORK, {"call": "c", "role": "boss"}, "role: must be one of"),
        (FORK, {"call": "c", "rate": 8001}, "rate: '8001' is not taken"),
        (FORK, {"call": "c", "rate": [8000]}, "is not taken"),
        (FORK, {"call": "c", "mix": "quad"}, "mix: 'quad'"),
        (FORK, {"call": "c", "mix": "stereo", "roles": ["agent"]}, "roles: must be two"),
        (FORK, {"call": "c", "mix": "stereo", "roles": ["a", "b"]}, "roles: must be two of"),
        (FORK, {"call": "c" * 200}, "call: has 200 characters"),
        (FORK, {"call": "c\r\nd"}, "control character"),
        (FORK, '{"a":' * 3000, "nested too deeply"),
        (JAMBONZ, "", "no JSON"),
    ],
)
def test_an_opening_that_cannot_be_says_why(dialect: Dialect, said: object, why: str) -> None:
    with pytest.raises(PcmError, match=why):
        opened(dialect, said)


def test_asterisk_and_jambonz_say_first_what_they_send() -> None:
    for dialect in (MEDIA, JAMBONZ):
        with pytest.raises(PcmError, match="say first what it is"):
            Pcm(dialect, {"call": "c"}).feed(b"\0" * 160)


def test_words_beside_the_audio_are_not_kept() -> None:
    pcm = Pcm(MEDIA, {})
    pcm.feed(PLAIN)

    assert pcm.feed('{"event": "DTMF_END", "digit": "5"}') == [Words(35)]
    with pytest.raises(PcmError, match="at most 16384"):
        pcm.feed("x" * 16385)


def test_a_fork_that_empties_its_buffer_after_a_stall_loses_nothing() -> None:
    """jambonz sends by FreeSWITCH's fork module: three seconds of stereo at 16 kHz come as one message."""
    listen = Pcm(JAMBONZ, {})
    listen.feed(json.dumps({"callSid": "c", "mixType": "stereo", "sampleRate": 16000}))
    sound = listen.feed(bytes(192_000))

    assert [len(part) for one in sound for part in getattr(one, "parts", ())] == [96_000, 96_000]
    with pytest.raises(PcmError, match="send at most 1048576"):
        listen.feed(bytes((1 << 20) + 1))


def test_a_message_beyond_the_limit_of_its_dialect() -> None:
    media, fork = Pcm(MEDIA, {}), Pcm(FORK, {"call": "c", "rate": "16000", "mix": "stereo"})
    media.feed(PLAIN)

    assert sum(len(part) for one in fork.feed(bytes(320_000))[1:] for part in getattr(one, "parts", ())) == 320_000
    with pytest.raises(PcmError, match="65537 bytes; send at most 65536"):
        media.feed(bytes(65537))


def test_the_dialect_is_the_first_known_one() -> None:
    assert choose(["x", "audio.jambonz.org", "media"]) is JAMBONZ
    assert choose([]) is FORK
    with pytest.raises(PcmError, match="offer one of media"):
        choose(["x"])


@given(st.sampled_from(["mono", "stereo"]), st.lists(st.integers(0, 800), max_size=12))
def test_any_cut_gives_the_same_samples(mix: str, cuts: list[int]) -> None:
    pcm, audio = Pcm(FORK, {"call": "c", "mix": mix}), tone(400)
    parts: list[bytes] = [b"", b""]
    for start, end in pairwise([0, *sorted(cuts), len(audio)]):
        for event in pcm.feed(audio[start:end]):
            if isinstance(event, Sound):
                parts = [one + two for one, two in zip(parts, [*event.parts, b""], strict=False)]

    samples = [audio[at : at + 2] for at in range(0, len(audio), 2)]
    wanted = [samples] if mix == "mono" else [samples[::2], samples[1::2]]
    assert [part for part in parts if part] == [b"".join(one) for one in wanted]
    assert pcm.rest == 0


_MESSAGE: st.SearchStrategy[Any] = st.one_of(
    st.binary(max_size=300), st.text(max_size=100), st.sampled_from([PLAIN, json.dumps(START), json.dumps(LISTEN)]),
    st.dictionaries(st.sampled_from(["event", "call", "rate", "mix", "roles", "tokens", "format", "channel_variables"]),
                    st.none() | st.text(max_size=9) | st.integers() | st.lists(st.text(max_size=9), max_size=3)
                    ).map(json.dumps),
)  # fmt: skip


@given(st.sampled_from(list(DIALECTS.values())), st.lists(_MESSAGE, max_size=8))
def test_anything_is_taken_or_refused_with_a_reason(dialect: Dialect, messages: list[Any]) -> None:
    pcm = Pcm(dialect, {})
    try:
        for message in messages:
            for event in pcm.feed(message):
                assert isinstance(event, Opening | Sound | Words)
    except PcmError as error:
        assert error.code in (1002, 1009)


def test_no_connection_takes_the_name_of_a_part_of_a_call() -> None:
    with pytest.raises(PcmError, match="parts of calls"):
        Pcm(FORK, {}).feed('{"call": "c1~2"}')
