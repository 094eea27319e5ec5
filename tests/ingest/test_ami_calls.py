"""What an Asterisk's events say of calls, rings, seats and taps: scenarios, a recording, and disorder."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.ami import AmiParser, Block
from ingest.ami_calls import AmiCalls
from ingest.ami_names import AmiConfig, extension, interface, mask
from ingest.ami_talk import MOST_CHANNELS
from ingest.events import Event, parse_event
from ingest.session import fold_call
from ingest.taps import Tap
from tests.ingest.ami_script import CHANNELS, CONFIG, brief, fold, script, tell
from tests.ingest.values import T0, moment

RECORDED = list(AmiParser().feed((Path(__file__).parent / "recordings" / "queue.ami").read_bytes()))
LIVE = [block for block in RECORDED if "ActionID" not in block]
LAB = AmiConfig("lab", "127.0.0.1", "u", "s", seats={"seat1001": "1001", "seat1002": "1002"}, wrap_up_seconds=3)

QUEUED = """
0 Newchannel cust CallerIDNum=13912345678
0.1 QueueCallerJoin cust Queue=sales CallerIDNum=13912345678
"""
CALLED = """
1 Newchannel s1
1.1 AgentCalled cust>s1 Queue=sales Interface=PJSIP/1001 MemberName=Ann
1.1 DialBegin cust>s1
"""
RINGS = CALLED + "1.2 Newstate s1 Ringing\n1.2 DialState cust>s1 DialStatus=RINGING\n"
TALKS = (
    QUEUED
    + RINGS
    + """
8.2 Newstate s1 Up
8.2 DialEnd cust>s1 DialStatus=ANSWER
8.3 AgentConnect cust>s1 Queue=sales Interface=PJSIP/1001 MemberName=Ann HoldTime=8 RingTime=7
"""
)
CUSTOMER_ENDS = """
20 HangupRequest cust
20 AgentComplete cust>s1 Queue=sales Interface=PJSIP/1001 MemberName=Ann Reason=caller TalkTime=12
20.1 Hangup cust
20.1 Hangup s1
"""

SCENARIOS: dict[str, tuple[str, list[str], dict[str, Any]]] = {
    "the customer hangs up": (
        TALKS + CUSTOMER_ENDS,
        ["0.1 offered -", "1 offered 1", "1.2 ringing 1", "8.2 answered 1", "20 ended - customer"],
        {"end": "answered", "hung_up_by": "customer", "seat": "1", "agent": "Ann", "queue": "sales"},
    ),
    "the agent hangs up, the caller hears a survey": (
        TALKS + "20 AgentComplete cust>s1 Queue=sales Reason=agent\n20.1 Hangup s1\n"
        "75 HangupRequest cust\n75 Hangup cust",
        ["0.1 offered -", "1 offered 1", "1.2 ringing 1", "8.2 answered 1", "20 ended - agent"],
        {"end": "answered", "hung_up_by": "agent"},
    ),
    "the time is over, the caller gives up in the second round": (
        QUEUED
        + RINGS
        + """
13.2 AgentRingNoAnswer cust>s1 Queue=sales Interface=PJSIP/1001 RingTime=12000
13.2 DialEnd cust>s1 DialStatus=NOANSWER
13.2 DialEnd cust>s1 DialStatus=CANCEL
13.3 Hangup s1
15 Newchannel s2
15.1 AgentCalled cust>s2 Queue=sales Interface=PJSIP/1002 MemberName=Ben
15.2 Newstate s2 Ringing
19 HangupRequest cust
19 DialEnd cust>s2 DialStatus=CANCEL
19 DialEnd cust>s2 DialStatus=CANCEL
19 QueueCallerAbandon cust Queue=sales HoldTime=19
19.1 Hangup s2
19.1 Hangup cust
""",
        [
            "0.1 offered -", "1 offered 1", "1.2 ringing 1", "13.2 redirected 1 noanswer",
            "15 offered 2", "15.2 ringing 2", "19.1 ended - customer",
        ],
        {"end": "abandoned", "seat": "2"},
    ),
    "two seats ring, one is faster": (
        QUEUED
        + RINGS
        + """
1.1 Newchannel s2
1.3 AgentCalled cust>s2 Queue=sales Interface=PJSIP/1002 MemberName=Ben
1.3 Newstate s2 Ringing
4 Newstate s2 Up
4 DialEnd cust>s2 DialStatus=ANSWER
4.1 DialEnd cust>s1 DialStatus=CANCEL
4.1 DialEnd cust>s1 DialStatus=CANCEL
4.2 Hangup s1
9 AgentComplete cust>s2 Queue=sales Reason=caller
9.1 Hangup cust
""",
        [
            "0.1 offered -", "1 offered 1", "1.1 offered 2", "1.2 ringing 1", "1.3 ringing 2", "4 answered 2",
            "4.1 redirected 1 answered by another seat", "9 ended - customer",
        ],
        {"end": "answered", "seat": "2", "agent": "Ben"},
    ),
    "a phone that is not there": (
        QUEUED + CALLED + "6 HangupRequest cust\n" + 2 * "6 DialEnd cust>s1 DialStatus=CANCEL\n" +
        "6 QueueCallerAbandon cust Queue=sales\n6.1 Hangup s1\n6.1 Hangup cust",
        ["0.1 offered -", "6.1 ended - customer"],
        {"end": "abandoned", "ringing_at": None, "seat": None},
    ),
    "the queue gives up": (
        QUEUED + RINGS + "13 DialEnd cust>s1 DialStatus=CANCEL\n13.1 Hangup s1\n"
        "13.2 QueueCallerLeave cust Queue=sales\n13.3 Hangup cust",
        ["0.1 offered -", "1 offered 1", "1.2 ringing 1", "13 redirected 1 given up", "13.3 ended - system"],
        {"end": "redirected"},
    ),
    "the agent declines": (
        QUEUED + RINGS + "3 DialEnd cust>s1 DialStatus=BUSY\n3.1 Hangup s1\n5 HangupRequest cust\n5 Hangup cust",
        ["0.1 offered -", "1 offered 1", "1.2 ringing 1", "3 redirected 1 busy", "5 ended - customer"],
        {"end": "redirected"},
    ),
    "holds and resumes; a resume without a hold is none": (
        TALKS + "9 Hold s1\n9 Hold s1\n11.5 Unhold s1\n12 Unhold s1\n13 Hold cust\n14 Unhold cust" + CUSTOMER_ENDS,
        [
            "0.1 offered -", "1 offered 1", "1.2 ringing 1", "8.2 answered 1", "9 held 1", "11.5 resumed 1",
            "20 ended - customer",
        ],
        {"end": "answered"},
    ),
    "a blind transfer": (
        TALKS
        + """
12 Unhold s1
12 BlindTransfer - Result=Success TransfererUniqueid=100.2 TransfereeUniqueid=100.1 Extension=1002
12 HangupRequest s1
12 AgentComplete cust>s1 Queue=sales Reason=transfer
12.1 Hangup s1
12.2 Newchannel s2
12.3 DialBegin cust>s2
12.4 Newstate s2 Ringing
15 Newstate s2 Up
15 DialEnd cust>s2 DialStatus=ANSWER
18 HangupRequest s2
18.1 Hangup s2
18.2 Hangup cust
""",
        [
            "0.1 offered -", "1 offered 1", "1.2 ringing 1", "8.2 answered 1", "12 transferred 1 2 blind",
            "12.2 offered 2", "12.4 ringing 2", "15 answered 2", "18.1 ended - agent",
        ],
        {"end": "answered", "hung_up_by": "agent", "seat": "1"},
    ),
    "passed on by the dialplan, without a word of a transfer": (
        TALKS
        + """
20 AgentComplete cust>s1 Queue=sales Reason=agent
20.1 Hangup s1
25 QueueCallerJoin cust Queue=billing CallerIDNum=13912345678
26 Newchannel s2
26 AgentCalled cust>s2 Queue=billing Interface=PJSIP/1002 MemberName=Ben
26.1 Newstate s2 Ringing
28 Newstate s2 Up
40 AgentComplete cust>s2 Queue=billing Reason=caller
40 Hangup cust
""",
        [
            "0.1 offered -", "1 offered 1", "1.2 ringing 1", "8.2 answered 1", "20 transferred - billing",
            "25 offered -", "26 offered 2", "26.1 ringing 2", "28 answered 2", "40 ended - customer",
        ],
        {"end": "answered", "hung_up_by": "customer"},
    ),
    "asks a colleague, then hands over": (
        TALKS
        + """
10 Hold s1
11 Newchannel ask Ring
11 DialBegin ask>asked
11.5 Newstate asked Ringing
13 Newstate asked Up
13 DialEnd ask>asked DialStatus=ANSWER
16 AttendedTransfer - Result=Success OrigTransfererUniqueid=100.2 SecondTransfererUniqueid=200.1 DestType=Bridge
16 HangupRequest s1
16.1 Hangup s1
16.1 Hangup ask
30 HangupRequest cust
30.1 Hangup cust
30.2 Hangup asked Linkedid=100.1
""",
        [
            "0.1 offered -", "1 offered 1", "1.2 ringing 1", "8.2 answered 1", "10 held 1", "11 offered 2",
            "11.5 ringing 2", "13 answered 2", "16 transferred 1 2 attended", "16 answered 2", "16 ended - agent",
            "30.1 ended - customer",
        ],
        {"end": "answered", "hung_up_by": "customer", "out_of_turn": ()},
    ),
    "an outbound call": (
        """
0 Newchannel ask Ring Exten=13912345678
0.5 DialBegin ask>far Exten=13912345678
2 DialState ask>far DialStatus=RINGING
6 Newstate far Up
6 DialEnd ask>far DialStatus=ANSWER
6 Newstate ask Up
20 HangupRequest far
20 Hangup far
20.1 Hangup ask
""",
        ["0.5 offered 1", "2 ringing 1", "6 answered 1", "20 ended - customer"],
        {},
    ),
    "voice mail, where the dialplan may be read": (
        QUEUED + RINGS + "13 AgentRingNoAnswer cust>s1 Queue=sales RingTime=11800\n13.1 Hangup s1\n"
        "14 Newexten cust Application=VoiceMail\n30 HangupRequest cust\n30 Hangup cust",
        [
            "0.1 offered -", "1 offered 1", "1.2 ringing 1", "13 redirected 1 noanswer", "14 redirected - voicemail",
            "30 ended - customer",
        ],
        {"end": "voicemail"},
    ),
    "the phone behind a detour": (
        QUEUED
        + """
1 Newchannel l1
1 Newchannel l2
1.1 AgentCalled cust>l1 Queue=sales Interface=Local/1001@from-queue/n MemberName=Ann
1.2 Newchannel s1
1.2 DialBegin l2>s1
1.5 Newstate s1 Ringing
1.6 Newstate l1 Ringing
8 Newstate s1 Up
8 DialEnd l2>s1 DialStatus=ANSWER
8.1 Newstate l1 Up
8.1 AgentConnect cust>l1 Queue=sales RingTime=7
9 Hangup l1
9 Hangup l2
20 HangupRequest cust
20 Hangup cust
20.1 Hangup s1
""",
        ["0.1 offered -", "1 offered 1", "1.5 ringing 1", "8 answered 1", "20 ended - customer"],
        {"end": "answered", "seat": "1"},
    ),
    "two phones of one seat": (
        QUEUED
        + RINGS
        + """
1.1 Newchannel s1soft
1.1 DialBegin cust>s1soft
1.3 Newstate s1soft Ringing
6 Newstate s1soft Up
6 DialEnd cust>s1soft DialStatus=ANSWER
6 DialEnd cust>s1 DialStatus=CANCEL
6.1 Hangup s1
20 HangupRequest cust
20.1 Hangup cust
""",
        ["0.1 offered -", "1 offered 1", "1.2 ringing 1", "6 answered 1", "20.1 ended - customer"],
        {"end": "answered", "seat": "1"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", SCENARIOS)
def test_scenarios(name: str) -> None:
    text, told, folded = SCENARIOS[name]
    events, _, _ = tell(script(text))
    call = fold(events, "pbx-200.1" if "outbound" in name else "pbx-100.1")

    assert brief(events) == told
    assert {key: getattr(call, key) for key in folded} == folded
    assert call.out_of_turn == ()


@pytest.mark.parametrize("name", SCENARIOS)
def test_everything_twice_is_the_same(name: str) -> None:
    blocks = script(SCENARIOS[name][0])
    once, twice = tell(blocks)[0], tell([one for block in blocks for one in (block, block)])[0]

    assert {one["id"]: one for one in once} == {one["id"]: one for one in twice}


@pytest.mark.parametrize("name", SCENARIOS)
def test_nothing_is_left_when_all_have_hung_up(name: str) -> None:
    text, _, _ = SCENARIOS[name]
    ends = [f"99 Hangup {who}" for who in CHANNELS]
    _, _, calls = tell(script(text + "\n" + "\n".join(ends)))

    assert not calls._memory.channels and not calls._memory.calls


def test_a_recording_of_a_real_switchboard() -> None:
    """answered · no answer, then abandoned · no phone · two ring · hold · blind transfer; the log's figures beside."""
    events, _, _ = tell(LIVE, LAB)
    calls = [fold(events, name) for name in sorted({one["call"] for one in events if "call" in one})]
    rang = [
        None if one.ringing_at is None or one.alert_ended_at is None
        else round((one.alert_ended_at - one.ringing_at).total_seconds(), 2)
        for one in calls
    ]  # fmt: skip

    assert [one.end for one in calls] == ["answered", "abandoned", "abandoned", "answered", "answered", "answered"]
    assert rang == [4.01, 1.99, None, 3.0, 3.01, 2.02]  # queue_log: 4, -, -, 3, 3, 2
    assert [part.seat for part in calls[-1].parts] == ["1001", "1002"]
    assert [one.out_of_turn for one in calls] == [()] * 6


def test_the_seats_of_the_recording() -> None:
    calls = AmiCalls(LAB)
    members, devices = (
        [block for block in RECORDED if block.get("Event") == name and "ActionID" in block]
        for name in ("QueueMember", "DeviceStateChange")
    )
    events = [one for one in calls.restore(members, [], devices, T0) if isinstance(one, dict)]
    events += [one for block in LIVE for one in calls.feed(block, T0) if isinstance(one, dict)]
    told = [" ".join(line.split()[1:]) for line in brief([one for one in events if one.get("seat") == "1001"], "seat")]

    assert told == [
        "seat 1001 ready", "seat 1001 ringing", "seat 1001 talking", "seat 1001 wrap_up", "seat 1001 ready",
        "seat 1001 ringing", "seat 1001 ready", "seat 1001 ringing", "seat 1001 ready",
        "seat 1001 unreachable called, did not ring", "seat 1001 ringing", "seat 1001 ready",
        "seat 1001 busy tea", "seat 1001 ready",
        "seat 1001 ringing", "seat 1001 talking", "seat 1001 hold", "seat 1001 talking", "seat 1001 wrap_up",
        "seat 1001 ringing", "seat 1001 talking", "seat 1001 wrap_up", "seat 1001 ready",
    ]  # fmt: skip


@given(st.permutations(range(2)), st.permutations(range(3)))
def test_witnesses_of_one_ring_come_in_any_order(pair: list[int], three: list[int]) -> None:
    rings = ["1.2 Newstate s1 Ringing", "1.2 DialState cust>s1 DialStatus=RINGING"]
    called = ["1.2 AgentCalled cust>s1 Queue=sales Interface=PJSIP/1001 MemberName=Ann", "1.2 DialBegin cust>s1"]
    third = [rings[0], *called]
    text = QUEUED + "1 Newchannel s1\n" + "\n".join([third[at] for at in three] + [rings[at] for at in pair])
    events, _, _ = tell(script(text))

    assert brief(events) == ["0.1 offered -", "1 offered 1", "1.2 ringing 1"]


def test_a_ring_before_anybody_said_whose_phone_it_is() -> None:
    events, _, _ = tell(
        script(QUEUED + "1 Newchannel s1\n1.2 Newstate s1 Ringing\n1.3 AgentCalled cust>s1 Queue=sales "
               "Interface=PJSIP/1001 MemberName=Ann"),
        replace(CONFIG, seats={}),
    )  # fmt: skip

    assert brief(events) == ["0.1 offered -", "1 offered 1001", "1.2 ringing 1001"]


def test_the_phone_behind_a_detour_is_the_seat_without_a_table() -> None:
    text = SCENARIOS["the phone behind a detour"][0]
    events, taps, _ = tell(script(text), replace(CONFIG, seats={}))

    assert brief(events) == [line.replace(" 1", " 1001") for line in SCENARIOS["the phone behind a detour"][1]]
    assert [(one.channel, one.seat) for one in taps] == [("100.1", None), ("100.2", "1001")]


def test_taps_are_asked_for_from_the_first_ring_on() -> None:
    _, taps, _ = tell(script(TALKS))

    assert [(one.role, one.channel, one.at, one.seat) for one in taps] == [
        ("customer", "100.1", moment(1.2), None),
        ("agent", "100.2", moment(1.2), "1"),
    ]
    assert {one.call for one in taps} == {"pbx-100.1"}


def test_an_attended_transfer_brings_the_second_seat_into_the_first_call() -> None:
    events, taps, _ = tell(script(SCENARIOS["asks a colleague, then hands over"][0]))
    first, consult = fold(events), fold(events, "pbx-200.1")

    assert [part.seat for part in first.parts] == ["1", "2"]
    assert consult.direction == "internal"
    assert [(one.call, one.channel, one.role) for one in taps] == [
        ("pbx-100.1", "100.1", "customer"),
        ("pbx-100.1", "100.2", "agent"),
        ("pbx-100.1", "200.2", "agent"),  # not before: colleagues among themselves are not heard
    ]


def test_a_recording_of_an_attended_transfer() -> None:
    """Asked and handed over by the switchboard's own feature: all in one conversation, through a detour."""
    recorded = (Path(__file__).parent / "recordings" / "attended.ami").read_bytes()
    events, taps, calls = tell(list(AmiParser().feed(recorded)), LAB)
    call = fold(events, "lab-1795311656.0")
    first, second = call.parts

    assert (call.end, call.out_of_turn, call.hung_up_by) == ("answered", (), "customer")
    assert (first.seat, first.transfers[0].to, first.transfers[0].how) == ("1001", "1002", "attended")
    assert (second.seat, second.met_at) == ("1002", first.left_at)
    assert first.asides[0].at == second.answered_at
    assert [one.get("queue") for one in events if one["type"] == "offered"] == ["broadband", "broadband", None]
    assert [one.seat for one in taps] == [None, "1001", "1002"]
    assert not calls._memory.channels and not calls._memory.calls


def test_conversations_that_get_one_linkedid_are_one() -> None:
    text = SCENARIOS["asks a colleague, then hands over"][0]
    text = "\n".join(line for line in text.splitlines() if "AttendedTransfer" not in line)
    text = text.replace("16.1 Hangup s1", "16 BridgeEnter asked Linkedid=100.1\n16.1 Hangup s1")
    events, _, _ = tell(script(text))

    assert [part.seat for part in fold(events).parts] == ["1", "2"]
    assert fold(events, "pbx-200.1").ended_at == moment(16)


def test_a_conversation_under_another_number_goes_on() -> None:
    """The customer comes into an older talk of which nothing is known: every channel gets that one's Linkedid."""
    moved = "\n".join(f"{at} {event} Linkedid=50.1" for at, event in (
        (12, "BridgeEnter s1"), (12, "BridgeEnter cust"), (15, "Hold s1"), (16, "Unhold s1"), (20, "HangupRequest s1"),
        (20, "Hangup s1"), (20.1, "Hangup cust"),
    ))  # fmt: skip
    events, _, calls = tell(script(TALKS + moved))
    call = fold(events)

    assert (call.end, call.hung_up_by, call.out_of_turn) == ("answered", "agent", ())
    assert len(call.holds) == 1
    assert {one.get("call") for one in events} - {None} == {"pbx-100.1"}
    assert not calls._memory.calls and not calls._memory.channels


def test_our_own_channels_make_no_calls() -> None:
    text = (
        "2 Newchannel snoop\n2 Newstate snoop Up\n2 DialBegin snoop>s1\n2 Newchannel sock\n2 DialEnd cust>sock\n"
        "3 Hangup snoop"
    )
    events, _, calls = tell(script(TALKS + text + CUSTOMER_ENDS))

    assert brief(events) == SCENARIOS["the customer hangs up"][1]
    assert calls.counts["own channels"] == 6


def test_an_outbound_call_has_both_legs_and_no_clear_number() -> None:
    events, taps, _ = tell(script(READY + SCENARIOS["an outbound call"][0]))
    call = fold(events, "pbx-200.1")

    assert (call.direction, call.number, call.end) == ("out", "*******5678", "answered")
    assert dict(call.legs) == {"200.3": "customer", "200.1": "agent"}
    assert [one.role for one in taps] == ["customer", "agent"]
    assert [line.split()[3] for line in brief(events, "seat")] == ["ready", "off_hook", "talking", "ready"]


def test_calls_of_other_queues_are_left_alone() -> None:
    events, taps, _ = tell(script(READY + TALKS + CUSTOMER_ENDS), replace(CONFIG, queues=("billing",)))

    assert [one["type"] for one in events if one["type"] != "seat"] == []
    assert taps == []
    assert [line.split()[3] for line in brief(events, "seat")] == ["ready", "ringing", "talking", "ready"]


def test_ring_times_of_another_unit_are_noticed() -> None:
    told = TALKS.replace("RingTime=7", "RingTime=7000")

    assert tell(script(TALKS))[2].counts["ring time differs"] == 0
    assert tell(script(told))[2].counts["ring time differs"] == 1
    for ring_ms, differs in ((12000, 0), (12, 1)):
        text = f"{QUEUED}{RINGS}13.2 AgentRingNoAnswer cust>s1 Queue=sales RingTime={ring_ms}"
        assert tell(script(text))[2].counts["ring time differs"] == differs


MEMBER = "Interface=PJSIP/1001 MemberName=Ann Status=1"
READY = f"0 QueueMemberStatus - Queue=sales {MEMBER} Paused=0\n"
PAUSES: dict[str, tuple[str, list[str]]] = {
    "in both queues at once": (
        f"0 QueueMemberStatus - Queue=a {MEMBER} Paused=0\n0 QueueMemberStatus - Queue=b {MEMBER} Paused=0\n"
        f"5 QueueMemberPause - Queue=a {MEMBER} Paused=1 PausedReason=tea\n"
        f"5 QueueMemberPause - Queue=b {MEMBER} Paused=1 PausedReason=tea\n"
        f"9 QueueMemberPause - Queue=a {MEMBER} Paused=0\n9 QueueMemberPause - Queue=b {MEMBER} Paused=0",
        ["0 seat 1 ready", "5 seat 1 busy tea", "9 seat 1 ready"],
    ),
    "in one of two: still ready": (
        f"0 QueueMemberStatus - Queue=a {MEMBER} Paused=0\n0 QueueMemberStatus - Queue=b {MEMBER} Paused=0\n"
        f"5 QueueMemberPause - Queue=a {MEMBER} Paused=1 PausedReason=tea",
        ["0 seat 1 ready"],
    ),
    "without a reason, then with one": (
        f"0 QueueMemberPause - Queue=a {MEMBER} Paused=1\n"
        f"3 QueueMemberPause - Queue=a {MEMBER} Paused=1 PausedReason=会议",
        ["0 seat 1 busy", "3 seat 1 busy 会议"],
    ),
    "logs off, and on at another seat": (
        f"0 QueueMemberAdded - Queue=a {MEMBER} Paused=0\n5 QueueMemberRemoved - Queue=a Interface=PJSIP/1001\n"
        "6 QueueMemberAdded - Queue=a Interface=PJSIP/1002 MemberName=Ann Status=1 Paused=0",
        ["0 seat 1 ready", "5 seat 1 offline", "6 seat 2 ready"],
    ),
    "the phone is lost, and back": (
        f"0 QueueMemberStatus - Queue=a {MEMBER} Paused=0\n3 DeviceStateChange - Device=PJSIP/1001 State=UNAVAILABLE\n"
        "3 DeviceStateChange - Device=PJSIP/1001 State=UNAVAILABLE\n"
        "8 DeviceStateChange - Device=PJSIP/1001 State=NOT_INUSE\n"
        "8 DeviceStateChange - Device=Queue:a_pause_PJSIP/1001 State=INUSE",
        ["0 seat 1 ready", "3 seat 1 unreachable", "8 seat 1 ready"],
    ),
    "in use without a call of ours": (
        f"0 QueueMemberStatus - Queue=a {MEMBER} Paused=0\n3 DeviceStateChange - Device=PJSIP/1001 State=INUSE\n"
        "6 DeviceStateChange - Device=PJSIP/1001 State=NOT_INUSE",
        ["0 seat 1 ready", "3 seat 1 off_hook", "6 seat 1 ready"],
    ),
    "a caller who gives up at once blames no phone": (
        QUEUED + CALLED + "1.5 DialEnd cust>s1 DialStatus=CANCEL\n1.6 Hangup s1\n1.6 Hangup cust",
        [],
    ),
    "a phone that did not ring is back when it rings": (
        QUEUED + CALLED + "6 DialEnd cust>s1 DialStatus=CHANUNAVAIL\n6 Hangup s1\n"

        f"7 QueueMemberStatus - Queue=sales {MEMBER} Paused=0\n"
        "8 Newchannel s2\n9 Newchannel s1\n9.5 DialBegin cust>s1\n10 Newstate s1 Ringing",
        ["6 seat 1 unreachable called, did not ring", "10 seat 1 ringing"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", PAUSES)
def test_seats(name: str) -> None:
    text, told = PAUSES[name]

    assert brief(tell(script(text))[0], "seat") == told


def test_wrap_up_is_inferred_and_ends_by_the_clock() -> None:
    events, _, calls = tell(script(READY + TALKS + CUSTOMER_ENDS), replace(CONFIG, wrap_up_seconds=10))
    late = calls.tick(moment(30.5))
    wrap_up = next(one for one in events if one.get("status") == "wrap_up")

    assert wrap_up["confidence"] == "inferred"
    assert brief(late, "seat") == ["30 seat 1 ready"]
    assert calls.tick(moment(60)) == []


def test_names_of_members_are_agents_unless_they_are_phones() -> None:
    text = (
        QUEUED + "1 AgentCalled cust>s1 Queue=sales Interface=PJSIP/1001 MemberName=PJSIP/1001\n1.2 Newstate s1 Ringing"
    )
    rostered = replace(CONFIG, members_are_agents=False)

    assert not [one for one in tell(script(text))[0] if "agent" in one]
    assert not [one for one in tell(script(TALKS), rostered)[0] if "agent" in one]


@pytest.mark.parametrize(
    ("channel", "device", "dialled"),
    [
        ("PJSIP/1001-0000001a", "PJSIP/1001", "1001"),
        ("SIP/trunk-acme-0000001a", "SIP/trunk-acme", "trunk-acme"),
        ("Local/1001@from-queue-00000003;1", "Local/1001@from-queue", "1001"),
        ("Local/1001@from-queue/n", "Local/1001@from-queue", "1001"),
        ("PJSIP/1001-0000001a<ZOMBIE>", "PJSIP/1001", "1001"),
        ("IAX2/host-12345678", "IAX2/host", "host"),
    ],
)
def test_a_channel_is_of_a_device(channel: str, device: str, dialled: str) -> None:
    assert interface(channel) == device
    assert extension(device) == dialled


def test_numbers_are_masked_to_their_last_four() -> None:
    assert [mask(one) for one in ("13912345678", "1002", "")] == ["*******5678", "1002", ""]


SNAP = {
    "members": [
        {"Queue": "sales", "Name": "Ann", "Location": "PJSIP/1001", "Status": "2", "Paused": "0"},
        {"Queue": "sales", "Name": "Ben",
         "Location": "PJSIP/1002", "Status": "1", "Paused": "1", "PausedReason": "tea"},
    ],
    "channels": [
        {"Channel": CHANNELS[who][0], "Uniqueid": CHANNELS[who][1], "Linkedid": "100.1", "ChannelState": "6"}
        for who in ("cust", "s1")
    ],
    "devices": [{"Device": "PJSIP/1001", "State": "INUSE"}, {"Device": "Queue:sales", "State": "NOT_INUSE"}],
}  # fmt: skip


def restored(calls: AmiCalls, at: float, **own: list[Block]) -> list[dict[str, Any]]:
    lists: dict[str, Any] = {**SNAP, **own}
    told = calls.restore(lists["members"], lists["channels"], lists["devices"], moment(at))
    events = [one for one in told if not isinstance(one, Tap)]
    assert all(isinstance(parse_event(one), Event) for one in events)
    return events


def test_a_snapshot_tells_each_seat_once_and_calls_that_go_on() -> None:
    calls = AmiCalls(CONFIG)
    events = restored(calls, 50)

    assert brief(events, "seat") == ["50 seat 1 talking", "50 seat 2 busy tea"]
    assert {one["confidence"] for one in events} == {"snapshot"}
    call = fold(events)
    assert (call.seat, call.answered_at, call.ringing_at, call.clock_doubted) == ("1", moment(50), None, True)
    ended = [calls.feed(block, T0) for block in script("60 HangupRequest cust\n60 Hangup cust")]
    assert [one["by"] for told in ended for one in told if isinstance(one, dict) and one["type"] == "ended"] == [
        "customer"
    ]


def test_a_snapshot_taps_both_parties_in_whatever_order_it_lists_them() -> None:
    channels = SNAP["channels"]
    for shown in (channels, channels[::-1]):
        told = AmiCalls(CONFIG).restore(SNAP["members"], shown, SNAP["devices"], moment(50))
        taps = [(one.role, one.seat) for one in told if isinstance(one, Tap)]
        assert sorted(taps, key=str) == [("agent", "1"), ("customer", None)]


def test_a_call_that_goes_on_over_a_restart_of_ours_is_the_same_call() -> None:
    """A new process finds it in its snapshot: neither its ring nor its answer comes into doubt."""
    events, _, _ = tell(script(TALKS))
    calls = AmiCalls(CONFIG)
    events += restored(calls, 10)
    events += [one for block in script(CUSTOMER_ENDS) for one in calls.feed(block, T0) if isinstance(one, dict)]
    before, _, _ = tell(script(TALKS + CUSTOMER_ENDS))
    call, whole = fold(events), fold(before)

    assert (call.ringing_at, call.answered_at, call.ended_at) == (whole.ringing_at, whole.answered_at, whole.ended_at)
    assert (call.clock_doubted, call.out_of_turn, call.end) == (False, (), "answered")


OUT = SCENARIOS["an outbound call"][0].splitlines(keepends=True)


def listed(*who: str, **own: str) -> list[Block]:
    """Channels as the list of a new connection has them; a name with ``~`` behind it only rings."""
    told = []
    for one in who:
        channel, uid, linked = CHANNELS[one.rstrip("~")]
        state = "5" if one.endswith("~") else "6"
        told.append({"Channel": channel, "Uniqueid": uid, "Linkedid": linked, "ChannelState": state, **own})
    return told


@pytest.mark.parametrize("order", [("ask", "far"), ("far", "ask")])
def test_an_outbound_call_that_goes_on_over_a_restart_of_ours_is_the_same_call(order: tuple[str, str]) -> None:
    told, _, _ = tell(script("".join(OUT[:7])))
    calls = AmiCalls(CONFIG)
    again = calls.restore([], listed(*order, Exten="13912345678", BridgeId="b"), [], moment(10))
    told += [one for one in again if isinstance(one, dict)]
    told += [one for block in script("".join(OUT[7:])) for one in calls.feed(block, T0) if isinstance(one, dict)]
    call, whole = fold(told, "pbx-200.1"), fold(tell(script("".join(OUT)))[0], "pbx-200.1")

    taps = [(one.call, one.leg, one.role, one.seat) for one in again if isinstance(one, Tap)]
    assert taps == [("pbx-200.1", "200.3", "customer", None), ("pbx-200.1", "200.1", "agent", "1")]
    assert call == whole
    assert (call.direction, call.clock_doubted, call.number) == ("out", False, "*******5678")


def test_an_outbound_call_found_in_progress_is_told_once() -> None:
    calls = AmiCalls(CONFIG)
    events = restored(calls, 10, channels=listed("ask", "far", Exten="13912345678"))
    call = fold(events, "pbx-200.1")
    calls.lost(moment(11))
    again = restored(calls, 12, channels=listed("ask", "far", Exten="13912345678"))

    assert brief(events) == ["10 offered 1", "10 answered 1"]
    assert (call.direction, call.seat, call.clock_doubted) == ("out", "1", True)
    assert brief(again) == []


def test_an_outbound_call_that_still_rings_after_a_restart_is_answered_when_it_is() -> None:
    told, _, _ = tell(script("".join(OUT[:4])))
    calls = AmiCalls(CONFIG)
    told += restored(calls, 4, channels=listed("ask", "far~", Exten="13912345678"))
    told += [one for block in script("".join(OUT[4:])) for one in calls.feed(block, T0) if isinstance(one, dict)]
    call = fold(told, "pbx-200.1")

    assert (call.direction, call.ringing_at, call.answered_at, call.end) == ("out", moment(2), moment(6), "answered")
    assert not call.clock_doubted


def test_a_call_between_seats_is_not_taken_for_an_outbound_one_after_a_restart() -> None:
    told = AmiCalls(CONFIG).restore([], listed("ask", "asked"), [], moment(10))

    assert {one["direction"] for one in told if isinstance(one, dict) and one["type"] == "offered"} == {"internal"}
    assert [one for one in told if isinstance(one, Tap)] == []


def test_who_was_handed_an_outbound_call_is_heard_with_the_customer_after_a_restart() -> None:
    """The seat that began it has gone; its channel is in no list any more."""
    told = AmiCalls(CONFIG).restore([], listed("asked", "far"), [], moment(10))

    taps = [(one.leg, one.role) for one in told if isinstance(one, Tap)]
    assert taps == [("200.3", "customer"), ("200.2", "agent")]


def test_what_happened_in_a_hole_is_known_by_its_outcome_only() -> None:
    """The seat rang when the line broke, and talks when it is back: nobody knows how long it rang."""
    events, _, calls = tell(script(QUEUED + RINGS))
    events += calls.lost(moment(2))
    events += restored(calls, 60)
    call = fold(events)

    assert brief(events, "seat") == [
        "1.2 seat 1 ringing", "2 seat 1 unknown not connected to the PBX", "60 seat 1 talking", "60 seat 2 busy tea",
    ]  # fmt: skip
    assert call.clock_doubted and call.answered_at == moment(60)


def test_channels_that_are_gone_after_a_hole_end_their_calls() -> None:
    events, _, calls = tell(script(TALKS))
    events += calls.lost(moment(10))
    events += restored(calls, 60, channels=[], devices=[])
    call = fold(events)

    assert (call.end, call.hung_up_by, call.ended_at) == ("answered", "unknown", moment(60))
    assert not calls._memory.calls and not calls._memory.channels


def test_a_seat_that_left_every_queue_in_a_hole_is_offline() -> None:
    _, _, calls = tell(script(TALKS + CUSTOMER_ENDS + f"21 QueueMemberStatus - Queue=sales {MEMBER} Paused=0"))
    calls.lost(moment(22))

    assert brief(restored(calls, 60, members=[], channels=[], devices=[]), "seat") == ["60 seat 1 offline"]


def test_what_is_remembered_is_bounded() -> None:
    calls = AmiCalls(CONFIG)
    for n in range(MOST_CHANNELS + 10):
        calls.feed(
            {"Event": "Newchannel", "Channel": f"PJSIP/x-{n:08x}", "Uniqueid": f"{n}.1", "Linkedid": f"{n}.1"}, T0
        )

    assert len(calls._memory.channels) == MOST_CHANNELS
    assert calls._memory.forgotten == 10


WORDS = st.sampled_from([*(one[0] for one in CHANNELS.values()), *(one[1] for one in CHANNELS.values()),
                         "PJSIP/1001", "sales", "1", "6", "RINGING", "CANCEL", "ANSWER", "Success", "INUSE", "12000",
                         "-1", "", "x" * 300, "张\x00三", "\u202e", "1795309507.1", "NaN"])  # fmt: skip
KEYS = ["Channel", "Uniqueid", "Linkedid", "DestChannel", "DestUniqueid", "DestLinkedid", "Queue", "Interface",

        "Location", "MemberName", "Status", "Paused", "PausedReason", "DialStatus", "ChannelState", "Reason",
        "RingTime", "Device",
        "State", "CallerIDNum", "Exten", "Result", "Extension", "TransfererUniqueid", "OrigTransfererUniqueid",
        "SecondTransfererUniqueid", "Application", "Newname", "Timestamp"]  # fmt: skip


@given(st.data())
def test_any_disorder_makes_good_events_or_none(data: st.DataObject) -> None:
    calls = AmiCalls(CONFIG)
    kinds = st.sampled_from([*calls._on, "Unheard"])
    fields = st.dictionaries(st.sampled_from(KEYS), WORDS, max_size=12)
    blocks = data.draw(st.lists(st.tuples(kinds, fields), max_size=30))
    for kind, values in blocks:
        for told in calls.feed({"Event": kind, **values}, T0):
            assert isinstance(told, Tap) or isinstance(parse_event(told), Event), told


@settings(max_examples=25)
@given(st.lists(st.integers(0, len(LIVE) - 1), max_size=60), st.lists(st.integers(0, len(LIVE) - 2), max_size=20))
def test_events_that_come_twice_or_swapped_make_the_same_calls(doubled: list[int], swapped: list[int]) -> None:
    """Asterisk gives no order between its topics; neighbours of one millisecond may change places."""
    blocks = list(LIVE)
    for at in swapped:
        one, other = blocks[at], blocks[at + 1]
        near = abs(float(one["Timestamp"]) - float(other["Timestamp"])) < 0.001
        if near and {one["Event"], other["Event"]} & {"DeviceStateChange", "QueueMemberStatus", "DialState"}:
            blocks[at], blocks[at + 1] = other, one
    blocks = [block for at, block in enumerate(blocks) for _ in range(1 + (at in doubled))]
    events, _, _ = tell(blocks, LAB)
    good = {one.id: one for one in map(parse_event, events) if isinstance(one, Event) and one.call}
    calls = [
        fold_call(one for one in good.values() if one.call == name) for name in {one.call for one in good.values()}
    ]

    assert sorted(call.end or "" for call in calls) == ["abandoned"] * 2 + ["answered"] * 4
    assert sum(offer.ringing_at is not None for call in calls for offer in call.offers) == 8
