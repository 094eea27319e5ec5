"""A shift on a real switchboard, as the product tells it through its own doors, beside what the switchboard tells.

The shift is played once: every kind of call, a pause, a phone that goes, a restart of the switchboard, ingest killed.
"""

from __future__ import annotations

import asyncio
import shutil
import statistics
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
import pytest_asyncio

from speech.audio import decode
from tests.acceptance.house import eventually
from tests.ingest.test_lab_ami import quiet
from tests.lab import phones, results, screen, softphone, witness
from tests.lab.ami import Ami, Block, listening
from tests.lab.asterisk import FLOOR_SECRET, FLOOR_USER, QUEUE_LOG, RECORDS, ZONE, Asterisk, held, pause, why_not
from tests.lab.product import Product, product
from tests.lab.screen import Screen
from tests.lab.softphone import softphone as softphone_of

WHY_NOT = why_not() or softphone.lacking() or screen.lacking()
pytestmark = [
    pytest.mark.lab, pytest.mark.slow, pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT),
    pytest.mark.asyncio(loop_scope="module"),
]  # fmt: skip
PERIOD_S = 5.0  # of a ring in China
LOSS_MS = 2000  # of one call, both parties together
LONGEST_S = 1.0  # from the switchboard's news to the screen
HEAD = ("scenario", "end", "seat", "by", "ring s", "rings", "talk s", "parts", "log", "ring", "talk", "cdr", "billed",
        "events", "legs c/a", "recording", "answer at", "Hz c/a", "gaps")  # fmt: skip
WIDTHS = (16, 10, 5, 8, 7, 5, 7, 5, 9, 4, 4, 8, 6, 6, 8, 9, 9, 8, 0)
SEAT_HEAD, SEAT_WIDTHS = ("seat", "since", "state", "reason", "log at", "log"), (5, 13, 12, 24, 9, 0)
WHOLE_SECOND_S = 1.3  # the log's seconds are cut off, and written a little after


@dataclass
class Shift:
    """What was played, and what both sides tell of it."""

    calls: dict[str, str] = field(default_factory=dict)  # scenario -> the product's id of the call
    told: dict[str, dict[str, Any]] = field(default_factory=dict)  # call or part -> the product's word
    events: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    sound: dict[str, Path] = field(default_factory=dict)
    logged: dict[str, witness.Logged] = field(default_factory=dict)
    recorded: dict[str, witness.Recorded] = field(default_factory=dict)
    lines: dict[str, list[dict[str, Any]]] = field(default_factory=dict)  # seat -> its states
    said: list[tuple[str, int, str, str]] = field(default_factory=list)  # of seats, by the log
    late_s: dict[tuple[str, str, float], float | None] = field(default_factory=dict)
    captured: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def of(self, scenario: str) -> dict[str, Any]:
        return self.told[self.calls[scenario]]

    def states(self, seat: str) -> list[tuple[str, str | None]]:
        return [(one["state"], one["reason"]) for one in self.lines[seat]]


@dataclass
class Floor:
    """Plays one scenario after the other, and remembers which call each one was."""

    asterisk: Asterisk
    product: Product
    screen: Screen
    ami: Ami
    shift: Shift

    async def over(self, scenario: str, number: str = "8000", by: str = "customer") -> None:
        """The scenario's call is the last one to that number, and has left the switchboard."""
        await quiet(self.asterisk)
        self.shift.calls[scenario] = f"lab-{witness.linked(self.ami.events, number, by)[-1]}"

    async def answered(self) -> None:
        async with phones.answered(7, 4):
            await asyncio.sleep(0)
        await self.over("answered")

    async def unanswered(self, scenario: str, wait_s: float) -> None:
        silent = await phones.silent_seat()
        await (await phones.customer("8000", 0.1, wait_s)).hung_up()
        await silent.put_away()
        await self.over(scenario)

    async def hold(self) -> None:
        seat = await phones.holding_seat(2, 3, 3)
        customer = await phones.customer("8000", 2.3, 10)
        await self.product.until("1001", "hold")
        await self.screen.shoot("hold")
        await customer.hung_up()
        await seat.put_away()
        await self.over("hold")

    async def transfer(self) -> None:
        first = await phones.transferring_seat(2, 4, "1002")
        second = await phones.seat(2, "1002")
        await (await phones.customer("8000", 2.3, 12)).hung_up()
        await first.put_away()
        await second.put_away()
        await self.over("blind transfer")

    async def softphones(self) -> None:
        """A seat that registers, is called by a softphone, hangs up, and is gone."""
        async with softphone_of("seat1003") as seat, softphone_of("customer") as customer:
            await self.product.until("1003", "ready")
            customer.command("dial", "sip:8005@127.0.0.1:5062")
            await seat.until("CALL_INCOMING")
            await pause(6)
            seat.command("accept")
            await pause(14)
            seat.command("hangup")
            await customer.until("CALL_CLOSED")
            await self.product.until("1003", "ready")
        await self.product.until("1003", "unreachable")

    async def busy_floor(self) -> None:
        """Two calls at once: straight to a seat that takes its time, and softphones at another one."""
        talking = asyncio.create_task(self.softphones())
        seat, customer = await phones.seat(19), await phones.customer("1001", 0.1, 4)
        await self.screen.alarm("ringing")
        await self.screen.shoot("fourth-ring")
        await customer.hung_up()
        await seat.hung_up()
        await talking
        await self.over("fourth ring", "1001")
        await self.over("softphones", "8005")

    async def paused(self) -> None:
        async with listening(FLOOR_USER, FLOOR_SECRET) as floor:
            for paused, reason, state in (("true", "tea", "busy"), ("false", "", "ready")):
                await floor.ask("QueuePause", Interface="PJSIP/seat1001", Paused=paused, Reason=reason)
                await self.screen.shows("1001", state)

    async def killed(self) -> None:
        """Ingest dies in mid-call, an inbound and an outbound one; they go on, and the rest of them is heard again."""
        async with phones.answered(2, 24), phones.outbound(2, 20, "1002"):
            await self.product.until("1001", "ringing")
            await self.product.until("1001", "talking")
            await self.product.until("1002", "talking")
            await pause(3)
            ingest = next(part for part in self.product.parts if "ingest" in part.log.name)
            ingest.kill()
            await ingest.child.wait()
            await pause(2)
            await self.product.start("ingest")
        await self.over("ingest killed")
        await self.over("killed, outbound", phones.NUMBER, "seat1002")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shift(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Shift]:
    home, found = tmp_path_factory.mktemp("floor"), Shift()
    async with held() as asterisk, product(home, asterisk) as one, screen.board(one.address) as board:
        async with listening() as ami:
            floor = Floor(asterisk, one, board, ami, found)
            await floor.answered()
            await floor.busy_floor()
            await floor.unanswered("no answer", 16)
            await floor.unanswered("abandoned", 6)
            await floor.hold()
            await floor.transfer()
            await floor.paused()
            found.late_s = await lateness(ami.events, board)
        await asterisk.stop()
        await one.until("1001", "unknown")
        await asterisk.start(anew=False)
        await one.until("1001", "ready", 60)
        async with listening() as ami:
            floor = Floor(asterisk, one, board, ami, found)
            async with phones.answered(2, 4):
                await asyncio.sleep(0)
            await floor.over("after restart")
            await floor.killed()
        await collect(found, one, asterisk, home)
        await board.shoot_page("call", f"{one.address}/calls/{found.calls['ingest killed']}")
        await board.shoot_page("seat", f"{one.address}/seats/1001")
    yield found
    shutil.rmtree(home)


async def lateness(events: list[Block], board: Screen) -> dict[tuple[str, str, float], float | None]:
    """How long after each change at the switchboard it stood on the screen; None where it never did."""
    shown, expected = await board.changes(), list(witness.changes(events))
    found: dict[tuple[str, str, float], float | None] = {}
    for at, (seat, state, when) in enumerate(expected):
        following = next((later for who, _, later in expected[at + 1 :] if who == seat), float("inf"))
        seen = [then for who, what, then in shown if (who, what) == (seat, state) and when - 0.02 <= then]
        if seen and seen[0] < following + LONGEST_S:
            found[seat, state, when] = seen[0] - when
        elif following - when > LONGEST_S:  # else it was over before it had to stand there
            found[seat, state, when] = None
    return found


async def collect(found: Shift, one: Product, asterisk: Asterisk, home: Path) -> None:
    """Everything that the product tells, and everything that the switchboard has written down."""
    for call in list(found.calls.values()):
        first = await settled(one, call)
        for part in first["parts"] or [call]:
            found.told[part] = await settled(one, part)
            found.events[part] = (await one.get(f"/calls/{part}/events"))["items"]
            if found.told[part]["recording"]:
                found.sound[part] = await one.recording(part, home / f"{part}.flac")
    log, records = asterisk.file(QUEUE_LOG), asterisk.file(RECORDS)
    found.said = list(witness.said(asterisk.queue_log()))
    found.logged = {f"lab-{call}": said for call, said in witness.logged(asterisk.queue_log()).items()}
    found.recorded = {f"lab-{call}": said for call, said in witness.recorded(records.read_text()).items()}
    for seat in witness.SEATS:
        found.lines[seat] = (await one.get(f"/seats/{seat}"))["states"]
    days = sorted(
        {f"{datetime.fromisoformat(told['at']).astimezone(ZoneInfo(ZONE)):%Y-%m-%d}" for told in found.told.values()}
    )
    for path in (log, records):
        found.captured[path.name] = [await one.reconciled(day, path) for day in days]


async def settled(one: Product, call: str) -> dict[str, Any]:
    """Scored, or over without anything to hear."""

    async def look() -> dict[str, Any]:
        told: dict[str, Any] | None = await one.get(f"/calls/{call}")
        return told if told is not None and told["state"] in ("scored", "failed") else {}

    return await eventually(look, f"{call} is scored")


def tones(path: Path, answer_ms: int) -> tuple[int, ...]:
    """The loudest tone of each channel in the two seconds from a second after the answer on."""
    audio = decode(path)
    first = (answer_ms + 1000) * audio.rate // 1000
    pieces = [channel[first : first + 2 * audio.rate].astype(float) for channel in audio.pcm]
    return tuple(round(float(np.argmax(np.abs(np.fft.rfft(one))) * audio.rate / len(one))) for one in pieces)


def table(shift: Shift) -> Iterator[str]:
    yield line(HEAD, WIDTHS)
    for scenario, call in shift.calls.items():
        for part in shift.of(scenario)["parts"] or [call]:
            first = part == call
            cells = row(
                shift, scenario if first else "  its part 2", part, shift.logged.get(part), shift.recorded.get(part)
            )
            yield line(cells, WIDTHS)
    yield ""
    yield line(SEAT_HEAD, SEAT_WIDTHS)
    for seat in witness.SEATS:
        for one in shift.lines[seat]:
            since, log = datetime.fromisoformat(one["at"]), word(shift, seat, one)
            at = f"{since.astimezone(ZoneInfo(ZONE)):%H:%M:%S.%f}"[:12]
            log_at = log and f"{datetime.fromtimestamp(log[1], ZoneInfo(ZONE)):%H:%M:%S}"
            yield line((seat, at, one["state"], one["reason"], log_at, log and log[3]), SEAT_WIDTHS)


def line(cells: Iterable[object], widths: Iterable[int]) -> str:
    return " ".join(f"{'–' if cell is None else cell!s:<{width}}" for cell, width in zip(cells, widths, strict=True))


def word(shift: Shift, seat: str, one: Mapping[str, Any]) -> tuple[str, int, str, str] | None:
    """The line of the switchboard's log that says the same of the seat."""
    since_s = datetime.fromisoformat(one["at"]).timestamp()
    fits = [log for log in shift.said if (log[0], log[2]) == (seat, one["state"]) and matches(log, since_s)]
    return fits[0] if fits else None


def matches(log: tuple[str, int, str, str], since_s: float) -> bool:
    return -WHOLE_SECOND_S < since_s - log[1] < WHOLE_SECOND_S


def row(
    shift: Shift, name: str, part: str, log: witness.Logged | None, cdr: witness.Recorded | None
) -> tuple[object, ...]:
    one = shift.told[part]
    about, ring = one["recording_info"], one["ring_seconds"]
    heard = "/".join(map(str, tones(shift.sound[part], about["answer_ms"]))) if about else None
    gaps = ", ".join(f"{gap['role']} {gap['start_ms']}–{gap['end_ms']} {gap['cause']}" for gap in one["gaps"])
    told = shift.events[part]
    return (
        name, one["end"], one["seat"], one["metrics"]["hung_up_by"], ring and f"{ring:.3f}", one["ring_count"],
        one["talk_seconds"] and f"{one['talk_seconds']:.2f}", len(one["parts"]) or 1,
        log.outcome if log else None, log.ring_s if log else None, log.talk_s if log else None,
        ("answered" if cdr.answered else "no") if cdr else None, cdr.billed_s if cdr else None,
        len(told), f"{legs(told)['customer']}/{legs(told)['agent']}",
        about and f"{about['duration_ms'] / 1000:.2f}", about and f"{about['answer_ms'] / 1000:.2f}", heard, gaps,
    )  # fmt: skip


def legs(events: Iterable[Mapping[str, Any]]) -> Counter[str]:
    """How many legs of each role the events tell of."""
    return Counter({one["leg"]: one["detail"].get("role") for one in events if one["type"] == "leg"}.values())


def capture(shift: Shift) -> Iterator[str]:
    for name, days in shift.captured.items():
        for day in days:
            counts = ", ".join(f"{key} {day[key]}" for key in ("listed", "wanted", "recorded", "gaps", "nothing"))
            yield f"{day['day']} {name}: {counts}, capture rate {day['rate']}"
            yield from (f"  {one['call']}: {one['state']}: {one['reason']}" for one in day["missing"])


def killed(shift: Shift) -> tuple[str, ...]:
    return shift.calls["ingest killed"], shift.calls["killed, outbound"]


def answered(shift: Shift) -> Mapping[str, dict[str, Any]]:
    return {part: one for part, one in shift.told.items() if one["end"] == "answered"}


async def test_the_shift_as_both_tell_it(shift: Shift, capsys: pytest.CaptureFixture[str]) -> None:
    with capsys.disabled():
        print("\n" + results.keep("shift", [*table(shift), "", *capture(shift)]))
    for scenario, call in shift.calls.items():
        one, log = shift.of(scenario), shift.logged.get(call)
        assert not one["warnings"] and one["orphan"] is None, scenario
        if log is None:
            continue  # straight to a seat: its log has no line
        assert one["end"] == log.outcome, scenario
        assert (one["seat"] if one["end"] == "answered" else None) == log.seat, scenario
        assert log.ring_s is None or abs(one["ring_seconds"] - log.ring_s) <= 1, scenario
        assert log.talk_s is None or abs(one["talk_seconds"] - log.talk_s) <= 1, scenario
        assert sum(offer["end"] == "no_answer" for offer in one["offers"]) == log.offers_unanswered, scenario
    assert shift.calls.keys() - {"fourth ring", "killed, outbound"} <= {
        name for name, call in shift.calls.items() if call in shift.logged
    }


async def test_calls_are_answered_where_the_call_records_say_so(shift: Shift) -> None:
    for scenario, call in shift.calls.items():
        assert shift.recorded[call].answered == (shift.of(scenario)["end"] == "answered"), scenario
    assert shift.recorded.keys() == set(shift.calls.values())  # our own taps leave no record


async def test_rings_are_counted_by_the_cadence_of_the_country(shift: Shift) -> None:
    counts = {name: shift.of(name)["ring_count"] for name in ("answered", "fourth ring", "softphones", "hold")}
    assert counts == {"answered": 2, "fourth ring": 4, "softphones": 2, "hold": 1}


async def test_a_blind_transfer_has_two_parts_each_with_its_seat(shift: Shift) -> None:
    first, second = (shift.told[part] for part in shift.of("blind transfer")["parts"])
    assert (first["seat"], first["agent"], second["seat"], second["agent"]) == (
        "1001",
        "Seat 1001",
        "1002",
        "Seat 1002",
    )
    assert abs(first["talk_seconds"] - 4) < 0.7 and abs(second["ring_seconds"] - 2) < 0.5


async def test_recordings_begin_with_the_first_ring_and_tell_customer_and_seat_apart(shift: Shift) -> None:
    for part, one in answered(shift).items():
        about = one["recording_info"]
        assert about["roles"] == ["customer", "agent"], part
        before = 0 if "~" in part else one["ring_seconds"]  # a later part begins when it has the customer
        assert abs(about["answer_ms"] / 1000 - before) < 0.5, part
        assert tones(shift.sound[part], about["answer_ms"]) == (400, 700), part
        if part not in killed(shift):
            lost = [gap for gap in one["gaps"] if gap["cause"] == "loss"]  # of a computer that is busy with others
            assert one["gaps"] == lost, part
            assert sum(gap["end_ms"] - gap["start_ms"] for gap in lost) <= LOSS_MS, part


@pytest.mark.parametrize(
    ("scenario", "seat", "talk_s"), [("ingest killed", "1001", 24), ("killed, outbound", "1002", 20)]
)
async def test_the_call_outlives_ingest_and_the_hole_is_marked(
    shift: Shift, scenario: str, seat: str, talk_s: int
) -> None:
    one, call = shift.of(scenario), shift.calls[scenario]
    assert abs(one["talk_seconds"] - talk_s) < 1
    assert scenario not in shift.logged or shift.logged[call].talk_s in (talk_s - 1, talk_s)
    assert one["direction"] == ("out" if "outbound" in scenario else "in")
    holes = {gap["role"]: gap for gap in one["gaps"] if gap["cause"] == "crash"}
    assert holes.keys() == {"customer", "agent"}
    assert all(
        2000 < gap["start_ms"] < 5000 and 2000 < gap["end_ms"] - gap["start_ms"] < 20_000 for gap in holes.values()
    )
    legs = {(event["leg"], event["seat"]) for event in shift.events[call] if event["type"] == "leg" and event["seat"]}
    assert any(leg.endswith("+2") and at == seat for leg, at in legs)
    last = np.asarray(decode(shift.sound[call]).pcm)[:, -3 * 8000 : -8000].astype(float)
    assert [round(float(np.argmax(np.abs(np.fft.rfft(row))) / 2)) for row in last] == [400, 700]


async def test_seats_have_the_history_that_was_played(shift: Shift) -> None:
    states = [state for state, _ in shift.states("1001")]
    assert ("busy", "tea") in shift.states("1001")
    assert states.count("hold") == 1 and "off_hook" not in states
    unheard = [log for log in shift.said if not any(word(shift, log[0], one) for one in shift.lines[log[0]])]
    assert unheard == []
    holes = [state for state in shift.states("1001") if state == ("unknown", "not connected to the PBX")]
    assert len(holes) == 2  # the switchboard's restart, and ingest's death
    third = [state for state, _ in shift.states("1003")]
    assert third[:5] == ["unreachable", "ready", "ringing", "talking", "ready"] and "unreachable" in third[5:]


async def test_every_call_of_the_day_is_recorded_or_named(shift: Shift) -> None:
    for name, days in shift.captured.items():
        listed = shift.logged if name == QUEUE_LOG.rpartition("/")[2] else shift.recorded
        wanted = listed.keys() & answered(shift).keys()
        assert sum(day["recorded"] + day["gaps"] for day in days) == len(wanted), (name, days)
        missing = {f"lab-{line['call']}" for day in days for line in day["missing"]}
        gapped = {part.partition("~")[0] for part, one in answered(shift).items() if one["gaps"]}
        assert shift.calls["ingest killed"] in missing <= gapped, (name, days)
        assert all(not day["refused"] and not day["never_seen"] and not day["no_audio"] for day in days), (name, days)


async def test_a_change_is_on_the_screen_within_a_second(shift: Shift, capsys: pytest.CaptureFixture[str]) -> None:
    late = sorted(value for value in shift.late_s.values() if value is not None)
    with capsys.disabled():
        print(
            f"\nswitchboard to screen: {len(late)} changes, p50 {statistics.median(late):.3f} s, max {late[-1]:.3f} s"
        )
    assert [change for change, value in shift.late_s.items() if value is None] == []
    assert len(late) >= 20
    assert late[-1] <= LONGEST_S, [one for one in shift.late_s.items() if one[1] and one[1] > LONGEST_S]
