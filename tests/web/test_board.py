"""The board once: every seat with what holds there, its call, whose it is, and what must be looked at."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer

from qa.board import at_seats, seat_now
from qa.board_alarms import CallNow
from qa.store import people
from qa.store.board import Going, Open
from qa.store.people import Held, Role
from qa.store.pool import Store
from qa.web.app import make_app
from tests.postgres import SITE
from tests.web.conftest import running
from tests.web.floor import Floor, ago, call, present, seat
from tests.web.seed import ZONE

Client = TestClient[Any, Any]
T0 = datetime(2026, 3, 2, 9, tzinfo=ZONE)


@pytest.fixture
async def floor(store: Store, tmp_path: Path) -> Floor:
    return Floor(store, tmp_path)


@pytest.fixture
async def client(store: Store, tmp_path: Path) -> AsyncIterator[Client]:
    async with TestClient(TestServer(make_app(running(store, tmp_path)))) as one:
        yield one


async def board(client: Client) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    told = await (await client.get("/api/v1/board")).json()
    return {one["seat"]: one for one in told["seats"]}, [(one["kind"], one["seat"]) for one in told["alarms"]]


async def test_a_site_without_seats_has_an_empty_board(client: Client) -> None:
    assert await board(client) == ({}, [])


async def test_every_seat_is_shown_with_state_since_reason_agent_and_team(client: Client, floor: Floor) -> None:
    async with floor.store.site(SITE, "test") as tx:
        await people.add(tx, "王芳", agent="A01", roles=(Held(Role.AGENT, "north"),))
    began = ago(100)
    await floor.tell(
        seat("S01", "busy", began, reason="training", agent="A01"), seat("S02", "ready"), present("S03", "yes")
    )
    seats, alarms = await board(client)

    assert sorted(seats) == ["S01", "S02", "S03"]
    one = seats["S01"]
    assert (one["state"], one["reason"], one["agent"], one["name"], one["team"]) == (
        "busy", "training", "A01", "王芳", "north",
    )  # fmt: skip
    assert datetime.fromisoformat(one["since"]) == began
    assert (seats["S03"]["state"], seats["S03"]["present"]) == ("unknown", "yes")
    assert alarms == []


async def test_a_seat_has_its_call_from_the_first_ring_to_the_end(client: Client, floor: Floor) -> None:
    await floor.tell(
        seat("S01", "ready", ago(60)), call("offered", "c1", "S01", ago(21)), call("ringing", "c1", "S01", ago(20))
    )
    seats, alarms = await board(client)
    assert (seats["S01"]["state"], seats["S01"]["call"]["state"]) == ("ringing", "ringing")
    assert alarms == [("ringing", "S01")]

    answered = ago(2)
    await floor.tell(call("answered", "c1", "S01", answered))
    seats, alarms = await board(client)
    assert (seats["S01"]["state"], seats["S01"]["call"]["state"]) == ("talking", "talking")
    assert datetime.fromisoformat(seats["S01"]["since"]) == answered
    assert alarms == []

    await floor.tell(call("held", "c1", "S01", ago(1)))
    assert (await board(client))[0]["S01"]["call"]["state"] == "hold"

    await floor.tell(call("ended", "c1", "S01"), seat("S01", "ready"))
    seats, _ = await board(client)
    assert (seats["S01"]["state"], seats["S01"]["call"]) == ("ready", None)


async def test_a_transferred_call_moves_and_a_seat_that_only_calls_tell_of_stays(client: Client, floor: Floor) -> None:
    await floor.tell(
        call("offered", "c1", "S01", ago(60)),
        call("ringing", "c1", "S01", ago(60)),
        call("answered", "c1", "S01", ago(50)),
    )
    await floor.tell(call("transferred", "c1", "S01", ago(30), to="S02", how="blind"))
    await floor.tell(call("offered", "c1", "S02", ago(29)), call("ringing", "c1", "S02", ago(29)))
    seats, alarms = await board(client)
    assert {name: one["state"] for name, one in seats.items()} == {"S01": "talking", "S02": "ringing"}
    assert alarms == [("ringing", "S02")]

    await floor.tell(call("answered", "c1", "S02", ago(20)))
    seats, _ = await board(client)
    assert {name: one["state"] for name, one in seats.items()} == {"S01": "unknown", "S02": "talking"}
    await floor.tell(call("ended", "c1", "S02"))
    seats, _ = await board(client)
    assert {name: one["state"] for name, one in seats.items()} == {"S01": "unknown", "S02": "unknown"}


async def test_nobody_there_without_notice_is_an_alarm_until_it_is_excused(client: Client, floor: Floor) -> None:
    await floor.tell(seat("S01", "ready", ago(900)), present("S01", "no", ago(400)))
    assert (await board(client))[1] == [("away", "S01")]

    await floor.seat("S01", "busy", ago(200))
    assert (await board(client))[1] == []

    await floor.seat("S01", "ready", ago(100))
    assert (await board(client))[1] == [], "five minutes count anew from the end of the excuse"


async def test_work_without_a_rest_is_an_alarm_over_all_seats_of_an_agent(client: Client, floor: Floor) -> None:
    hour = 3600.0
    await floor.tell(seat("S01", "ready", ago(8 * hour), agent="A01"), seat("S01", "offline", ago(4 * hour)))
    await floor.tell(seat("S02", "ready", ago(4 * hour - 60), agent="A01"))

    assert (await board(client))[1] == [("work", "S02")]


@pytest.mark.parametrize("path", ["/api/v1/seats/S99", "/api/v1/seats/%00", "/api/v1/seats/" + "S" * 300])
async def test_a_seat_that_is_not_there_is_a_problem(client: Client, path: str) -> None:
    assert (await client.get(path)).status == 404


async def test_a_seats_day_is_told_with_its_times(client: Client, floor: Floor) -> None:
    at = [T0 + timedelta(minutes=number) for number in (0, 10, 20, 30, 40)]
    await floor.tell(
        seat("S01", "ready", at[0], agent="A01"), seat("S01", "talking", at[1]),
        seat("S01", "wrap_up", at[2], confidence="inferred"), seat("S01", "busy", at[3], reason="tea"),
        seat("S01", "offline", at[4]), present("S01", "no", at[3]), present("S01", "yes", at[4]),
    )  # fmt: skip
    told = await (await client.get("/api/v1/seats/S01?day=2026-03-02")).json()

    assert [one["state"] for one in told["states"]] == ["ready", "talking", "wrap_up", "busy", "offline"]
    times = told["times"]
    assert (times["told"]["ready"], times["told"]["talking"], times["busy"]) == (600, 600, {"tea": 600})
    assert (times["inferred"], times["absent_seconds"]) == ({"wrap_up": 600}, 600)
    assert times["occupancy"] == 0.5
    assert sum(times["told"].values()) + sum(times["inferred"].values()) + times["untold_seconds"] == 24 * 3600
    assert [(one["agent"], one["told"]["ready"]) for one in told["agents"]] == [("A01", 600)]


async def test_times_are_a_table_in_which_nothing_is_a_formula(client: Client, floor: Floor) -> None:
    await floor.tell(seat("=1+1", "busy", T0, reason="@tea", agent="A01"), seat("S02", "ready", T0))
    await floor.tell(seat("＝1", "ready", T0), seat("|calc", "ready", T0))
    query = {"start": T0.isoformat(), "until": (T0 + timedelta(hours=1)).isoformat()}
    answer = await client.get("/api/v1/seat-times.csv", params=query)
    head, *rows = (await answer.text()).removeprefix("\ufeff").splitlines()

    assert answer.content_type == "text/csv"
    assert head.startswith("seat,agent,name,team,start,until,offline_seconds,ready_seconds,busy_seconds")
    assert sorted(row.split(",")[0] for row in rows) == sorted(["'=1+1", "S02", "'＝1", "'|calc"])
    assert rows[0].endswith("'@tea 3600")
    by_agent = await (await client.get("/api/v1/seat-times", params={**query, "by": "agent"})).json()
    assert [(one["agent"], one["told"]) for one in by_agent["items"]] == [("A01", {"busy": 3600})]


@pytest.mark.parametrize(
    "query",
    ["day=2026-03-02&start=2026-03-02T00:00:00Z", "start=2026-03-02", "day=yesterday", "by=team", "x=1",
     "start=2020-01-01T00:00:00Z&until=2021-01-01T00:00:00Z"],
)  # fmt: skip
async def test_a_stretch_that_is_none_is_refused(client: Client, query: str) -> None:
    assert (await client.get(f"/api/v1/seat-times?{query}")).status == 400


def going(*offers: dict[str, Any], **more: Any) -> Going:
    base: dict[str, Any] = {"direction": "in", "seat": None, "agent": None, "queue": None, "offered_at": None}
    told = {**base, "ringing_at": None, "answered_at": None, **more}
    return Going(id="c1", at=T0, folded={"offers": list(offers)}, **told)


def stamp(minute: int) -> str:
    return (T0 + timedelta(minutes=minute)).isoformat()


def test_a_call_that_rings_at_two_seats_is_at_both_until_one_answers() -> None:
    first, second = {"seat": "S01", "ringing_at": stamp(0)}, {"seat": "S02", "ringing_at": stamp(0)}

    assert {name: one.state for name, (_, one) in at_seats(going(first, second)).items()} == {
        "S01": "ringing", "S02": "ringing",
    }  # fmt: skip
    taken = at_seats(going(first, {**second, "answered_at": stamp(1), "agent": "A02"}))
    assert {name: (agent, one.state) for name, (agent, one) in taken.items()} == {"S02": ("A02", "talking")}


def test_a_transferred_call_is_where_it_was_answered_last() -> None:
    first = {"seat": "S01", "ringing_at": stamp(0), "answered_at": stamp(1)}
    offered = at_seats(going(first, {"seat": "S02", "ringing_at": stamp(5)}))
    assert {name: one.state for name, (_, one) in offered.items()} == {"S01": "talking", "S02": "ringing"}

    moved = at_seats(going(first, {"seat": "S02", "ringing_at": stamp(5), "answered_at": stamp(6)}))
    assert {name: one.state for name, (_, one) in moved.items()} == {"S02": "talking"}
    assert at_seats(going({"seat": "S01", "ringing_at": stamp(0), "redirected_at": stamp(1)})) == {}


def status(value: str, minute: int) -> Open:
    return Open(
        seat="S01", kind="status", at=T0 + timedelta(minutes=minute), value=value, reason=None, confidence="observed",
        source="", agent=None, excused_until=None,
    )  # fmt: skip


TALK = (None, CallNow("c1", "talking", answered_at=T0 + timedelta(minutes=5)))


@pytest.mark.parametrize(
    ("state", "minute", "shown", "with_call"),
    [
        ("ready", 0, "talking", True),  # the call is newer
        ("ready", 9, "ready", False),  # an end that never came does not stay for ever
        ("busy", 9, "busy", True),  # asked for during the call
        ("hold", 9, "hold", True),
    ],
)
def test_the_newer_of_seat_and_call_is_shown(state: str, minute: int, shown: str, with_call: bool) -> None:
    one = seat_now("S01", status(state, minute), None, [TALK])

    assert (one.state, one.call is not None) == (shown, with_call)


def test_a_call_that_nothing_was_heard_of_is_silent_from_its_answer() -> None:
    answered = {"seat": "S01", "ringing_at": stamp(0), "answered_at": stamp(1)}
    mute = going(answered)
    mute.folded["audio"] = {"a": {"started": False}, "b": {"started": False}}
    assert at_seats(mute)["S01"][1].silent_since == T0 + timedelta(minutes=1)

    mute.folded["audio"]["a"]["started"] = True
    assert at_seats(mute)["S01"][1].silent_since is None
    mute.folded["silent_since"] = stamp(3)
    assert at_seats(mute)["S01"][1].silent_since == T0 + timedelta(minutes=3)


def levelled(
    levels: dict[str, Any], *, roles: tuple[str, ...] = ("customer", "agent"), **record: Any
) -> datetime | None:
    """Since when a call is silent that was answered at minute 1, by the reports of its legs, named by their roles."""
    call = going({"seat": "S01", "ringing_at": stamp(0), "answered_at": stamp(1)})
    call.folded["legs"] = {role: role for role in roles}
    call.folded["audio"] = {role: {"started": True, "ended": False} for role in roles}
    call.folded["levels"] = levels
    call.folded["record"] = record
    return at_seats(call)["S01"][1].silent_since


def quiet(minute: int, heard: int | None = None) -> dict[str, str | None]:
    return {"quiet_since": stamp(minute), "heard_at": None if heard is None else stamp(heard)}


VOICE = {"quiet_since": None}


@pytest.mark.parametrize(
    ("levels", "minute"),
    [
        ({}, None),
        ({"customer": VOICE, "agent": VOICE}, None),
        ({"customer": quiet(5, 5), "agent": quiet(7, 7)}, 7),
        ({"customer": quiet(0), "agent": quiet(0)}, 1),  # before the answer nobody was to speak
        ({"customer": VOICE, "agent": quiet(3, 3)}, None),  # somebody listens
        ({"agent": quiet(3, 3)}, None),  # nobody knows of the other leg
        ({"customer": quiet(0), "agent": VOICE}, 1),  # one way from the start
        ({"customer": quiet(0, 0), "agent": VOICE}, 1),
        ({"customer": quiet(2)}, 2),
    ],
)
def test_a_line_is_silent_while_no_leg_carries_voice_or_one_never_did(
    levels: dict[str, Any], minute: int | None
) -> None:
    assert levelled(levels) == (None if minute is None else T0 + timedelta(minutes=minute))


def test_silence_on_hold_is_no_silence_of_the_line() -> None:
    both = {"customer": quiet(2, 2), "agent": quiet(2, 2)}

    assert levelled(both, holds=[{"at": stamp(2), "until": stamp(6)}]) == T0 + timedelta(minutes=6)


def test_one_leg_alone_says_nothing_of_the_other_party_unless_it_carries_both() -> None:
    assert levelled({"agent": quiet(4, 4)}, roles=("agent",)) is None
    assert levelled({"unknown": quiet(4, 4)}, roles=("unknown",)) == T0 + timedelta(minutes=4)


def test_a_leg_that_is_over_is_not_asked() -> None:
    call = going({"seat": "S01", "ringing_at": stamp(0), "answered_at": stamp(1)})
    call.folded["audio"] = {"a": {"started": True, "ended": True}}
    call.folded["levels"] = {"a": quiet(2)}
    assert at_seats(call)["S01"][1].silent_since is None


async def test_nothing_on_the_board_began_tomorrow(client: Client, floor: Floor) -> None:
    """A clock that is ahead: its word is shown as a guess that nobody can date, and raises no alarm."""
    later = ago(-86400)
    await floor.seat("S01", "wrap_up", later)
    await floor.tell(present("S01", "no", later))
    await floor.tell(call("ringing", "c1", "S02", later), call("answered", "c2", "S03", later))
    seats, alarms = await board(client)

    assert (seats["S01"]["state"], seats["S01"]["since"], seats["S01"]["confidence"]) == ("wrap_up", None, "inferred")
    assert (seats["S01"]["present"], seats["S01"]["present_since"], alarms) == ("no", None, [])
    assert [(seats[name]["call"]["state"], seats[name]["call"]["ringing_at"]) for name in ("S02", "S03")] == [
        ("ringing", None), ("talking", None),
    ]  # fmt: skip

    await floor.seat("S01", "ready", began := ago(5))
    seats, _ = await board(client)
    assert (seats["S01"]["state"], datetime.fromisoformat(seats["S01"]["since"])) == ("ready", began)
