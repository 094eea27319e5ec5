"""A list of another system against what is here: every call accounted for, the reason for each that is missing."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.queue_log import LoggedCall
from qa.intake.command import fold, take
from qa.intake.plan import plan
from qa.reconcile import STATES, Ours, Sound, reconcile
from qa.reconciling import keep, read_lists, text
from qa.score import Usage
from qa.services import Services
from qa.store import captures
from qa.store.pool import Store
from tests.ingest.test_cdr import row
from tests.postgres import SITE
from tests.qa.lab import ZONE, at, settings
from tests.qa.test_intake import beside, sound

NOON = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)


def later(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def listed(call: str = "1.1", begin: float = 0, talk: float | None = 60, **own: Any) -> LoggedCall:
    connected = None if talk is None else later(begin + 5)
    end = later(begin + 5 + (talk or 0))
    told = {"outcome": "abandoned" if talk is None else "answered", "connected_at": connected, "ended_at": end}
    return LoggedCall(call, "broadband", later(begin), **{**told, **own})


def ours(id: str = "hq-1.1", begin: float = 0, talk: float = 60, **own: Any) -> Ours:
    whole = Sound(int(talk * 1000))
    told = {"answered_at": later(begin + 5), "ended_at": later(begin + 5 + talk), "sound": whole, "legs": 2, "heard": 2}
    return Ours(id, later(begin), "scored", **{**told, **own})


def states(*pairs: LoggedCall, known: list[Ours]) -> list[tuple[str, str | None]]:
    return [(line.state, line.ours) for line in reconcile(pairs, known).lines]


def test_a_call_meets_by_its_id_under_the_switchboards_name() -> None:
    assert states(listed(), known=[ours()]) == [("recorded", "hq-1.1")]
    assert states(listed(), known=[ours("north-west-1.1", 4000)]) == [("recorded", "north-west-1.1")]


@pytest.mark.parametrize(("clock", "talk", "meets"), [(5, 60, True), (5.1, 60, False), (-5, 63, True), (4, 64, False)])
def test_without_an_id_a_call_meets_by_times_within_their_tolerance(clock: float, talk: float, meets: bool) -> None:
    found = states(listed("x"), known=[ours("hq-9.9", clock, talk)])

    assert found == [("recorded", "hq-9.9") if meets else ("never_seen", None)]


def test_one_meets_one_and_the_nearest_first() -> None:
    known = [ours("a", 3), ours("b", 1)]

    assert states(listed("x"), listed("y", 2.5), known=known) == [("recorded", "b"), ("recorded", "a")]
    assert states(listed("x"), listed("y", 2.5), known=known[:1])[0] == ("never_seen", None)


@pytest.mark.parametrize(
    ("known", "state", "says"),
    [
        ([], "never_seen", "neither signalling nor audio"),
        ([ours(sound=None, legs=0, heard=0)], "no_audio", "nothing tapped it"),
        ([ours(sound=None, legs=2, heard=0)], "no_audio", "not a sample"),
        ([ours(sound=None, legs=2, heard=2)], "no_audio", "no sample of it was kept"),
        ([Ours("hq-1.1", NOON, "ended", legs=2, heard=2)], "no_audio", "not put together yet"),
        ([ours(sound=Sound(60_000, ({"role": "agent", "start_ms": 0, "end_ms": 1500, "cause": "crash"},)))], "gaps",
         "1.5 s of a party's audio are missing (crash)"),
        ([ours(sound=Sound(56_000))], "gaps", "lasts 56.0 s, the list says 60 s"),
        ([ours(sound=Sound(57_000))], "recorded", ""),
        ([ours(sound=Sound(60_000, ({"role": "agent", "start_ms": -900, "end_ms": 0, "cause": "loss"},)))],
         "recorded", ""),
        ([ours(probe=True)], "excluded", "tested the line"),
    ],
)  # fmt: skip
def test_what_is_missing_has_its_reason(known: list[Ours], state: str, says: str) -> None:
    (line,) = reconcile([listed()], known).lines

    assert line.state == state
    assert says in line.reason


@pytest.mark.parametrize(
    ("outcome", "state"),
    [("abandoned", "nothing"), ("timeout", "nothing"), ("key", "nothing"), ("empty", "nothing"),
     ("no_seat", "excluded"), ("open", "excluded"), ("queued", "excluded")],
)  # fmt: skip
def test_where_nobody_talked_nothing_is_missing(outcome: str, state: str) -> None:
    found = reconcile([listed(talk=None, outcome=outcome)], [])

    assert [(line.state, bool(line.reason)) for line in found.lines] == [(state, True)]
    assert found.rate is None


def test_visits_to_several_queues_are_one_call() -> None:
    found = reconcile([listed(outcome="queued", talk=None), listed(begin=30), listed("1.1", 90, outcome="open")], [])

    assert [line.state for line in found.lines] == ["never_seen"]


def test_the_rate_counts_whole_recordings_among_those_that_should_be() -> None:
    known = [ours(f"hq-{n}", n * 1000) for n in range(8)] + [ours("hq-9", 9000, sound=None)]
    found = reconcile([listed(str(n), n * 1000) for n in range(10)] + [listed("q", 90_000, None)], known)

    assert (found.wanted, found.counts["recorded"], found.rate) == (10, 8, 0.8)
    assert [line.call for line in found.missing] == ["8", "9"]


def test_what_the_list_has_not_is_told() -> None:
    assert reconcile([], [ours("a"), ours("b", probe=True)]).unlisted == ("a",)


times = st.floats(0, 3000)
some = st.lists(st.tuples(st.integers(0, 8), times, st.none() | st.floats(0, 300)), max_size=12)


@given(some, some)
def test_no_call_of_the_list_is_skipped_and_none_of_ours_is_used_twice(
    lists: list[tuple[int, float, float | None]], mine: list[tuple[int, float, float | None]]
) -> None:
    known = list({one.id: one for one in (ours(f"hq-{id}", begin, talk or 1) for id, begin, talk in mine)}.values())
    calls = [listed(str(id), begin, talk) for id, begin, talk in lists]
    found = reconcile(calls, known)

    assert sorted(line.call for line in found.lines) == sorted({one.call for one in calls})
    assert sum(found.counts[state] for state in STATES) == len(found.lines)
    assert max(Counter(line.ours for line in found.lines if line.ours).values(), default=0) <= 1


# --- lists


def test_a_queue_log_a_master_csv_and_records_are_lists(tmp_path: Path) -> None:
    epoch = int(NOON.timestamp())
    log = tmp_path / "queue_log"
    log.write_text(
        f"{epoch}|1.1|broadband|NONE|ENTERQUEUE||138|1\n{epoch + 5}|1.1|broadband|Seat 1|CONNECT|5|1.2|5\n"
        f"{epoch + 65}|1.1|broadband|Seat 1|COMPLETECALLER|5|60|1\nx|1.1|broadband|NONE|CONNECT\n"
    )
    csv = tmp_path / "Master.csv"
    csv.write_text("\n".join([row("2.1"), row("2.2", state="BUSY", talk=None), "nothing"]))
    lines = tmp_path / "calls.jsonl"
    told = {"id": "3.1", "offered_at": NOON.isoformat(), "answered_at": later(5).isoformat()}
    lines.write_text("\n".join([json.dumps(told), json.dumps({"id": "3.2"})]))
    found = read_lists([log, csv, lines], ZONE)

    assert [(one.call, one.outcome) for one in found.calls] == [
        ("1.1", "answered"), ("2.1", "answered"), ("2.2", "abandoned"), ("3.1", "answered"),
    ]  # fmt: skip
    assert [(one["file"], one["number"], one["field"]) for one in found.refused] == [
        ("queue_log", 4, "time"), ("Master.csv", 3, "start"), ("calls.jsonl", 2, "offered_at"),
    ]  # fmt: skip
    with pytest.raises(Usage, match="no such file"):
        read_lists([tmp_path / "none"], ZONE)


# --- over the store


async def test_a_day_is_held_against_the_store_and_its_rate_is_kept(store: Store, tmp_path: Path) -> None:
    site = Services(settings(tmp_path / "data"), store, SITE)
    (tmp_path / "drop").mkdir()
    beside(sound(tmp_path / "drop" / "k1.flac", 10, 300, -700))
    sound(tmp_path / "drop" / "k2-tx.flac", 10, -700)
    beside(tmp_path / "drop" / "k2.flac")
    await take(site, plan([tmp_path / "drop"], ZONE), lambda *_: None, name="d", partial=False, actor="test")
    await fold(site, lambda: at(3600))
    day = at(0).astimezone(ZONE).date()
    told = [{"id": name, "offered_at": at(0).isoformat(), "answered_at": at(5).isoformat(),
             "ended_at": at(15).isoformat()} for name in ("k1", "k2", "k3")]  # fmt: skip
    told += [{"id": "k4", "offered_at": at(900).isoformat(), "end": "abandoned"}]
    told += [{"id": "old", "offered_at": at(-90_000).isoformat()}]
    (tmp_path / "list.jsonl").write_text("\n".join(map(json.dumps, told)))
    found = read_lists([tmp_path / "list.jsonl"], ZONE)
    async with store.site(SITE, "test") as tx:
        one = await keep(tx, day, found, ZONE, "list.jsonl")

    assert {state: one[state] for state in STATES} == {
        "recorded": 1, "gaps": 1, "no_audio": 0, "never_seen": 1, "nothing": 1, "excluded": 0,
    }  # fmt: skip
    assert (one["listed"], one["wanted"], one["rate"]) == (4, 3, 0.3333)
    assert [(line["call"], line["state"]) for line in one["missing"]] == [("k2", "gaps"), ("k3", "never_seen")]
    assert "33.33 % recorded (1 of 3)" in text(one) and "k3" in text(one)

    async with store.site(SITE, "test") as tx:
        await keep(tx, day, found, ZONE, "again")
        (newest,) = await captures.days(tx, date.min, date.max)
    assert (newest.list, newest.rate, newest.actor) == ("again", 1 / 3, "test")


async def test_what_was_found_stands(store: Store) -> None:
    none: dict[str, Any] = dict.fromkeys(
        ("listed", "recorded", "gaps", "no_audio", "never_seen", "nothing", "excluded"), 0
    )
    one = captures.Capture(day=date(2026, 3, 2), list="x", refused=0, unlisted=0, missing=(), **none)
    async with store.site(SITE, "test") as tx:
        await captures.add(tx, one)
    for change in ("UPDATE capture SET listed = 0", "DELETE FROM capture"):
        async with store.site(SITE, "test") as tx:
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await tx.connection.execute(change)
