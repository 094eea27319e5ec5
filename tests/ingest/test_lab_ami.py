"""Our calls, rings and seats beside Asterisk's own queue_log, on a real switchboard with real phones."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import pytest

from ingest.ami_names import AmiConfig
from ingest.events import Event, parse_event
from ingest.missed import missed
from ingest.queue_log import LoggedCall, read_calls
from ingest.seats import fold_seat
from ingest.session import Call, fold_call
from ingest.shell.ami_client import AmiClient, greet
from ingest.shell.switchboard import Switchboard
from ingest.sink import SpoolRow
from tests.ingest import lab
from tests.ingest.values import SECRET
from tests.lab import phones, results
from tests.lab.ami import Ami, listening
from tests.lab.asterisk import AMI_SECRET, AMI_USER, FLOOR_SECRET, FLOOR_USER, Asterisk, held, why_not
from tests.lab.tapping import ARI_CONFIG

pytestmark = [pytest.mark.lab, pytest.mark.slow, pytest.mark.skipif(bool(why_not()), reason=why_not())]
PERIOD_S = 5.0  # of a ring in China
HEAD = ("scenario", "ours", "log", "seat", "by", "ring s", "log s", "rings", "rang at")
WIDTHS = (15, 10, 10, 5, 9, 7, 6, 6, 7)


@dataclass
class Kept:
    """A sink that keeps what is carried."""

    events: list[Event] = field(default_factory=list)
    at: dict[str, int] = field(default_factory=dict)

    async def cursor(self, spool_id: str) -> int:
        return self.at.get(spool_id, 0)

    async def take(self, spool_id: str, upto: int, rows: Sequence[SpoolRow]) -> None:
        for row in (one for one in rows if one.kind == "event"):
            event = parse_event(json.loads(row.payload))
            assert isinstance(event, Event)
            self.events.append(event)
        self.at[spool_id] = upto

    def calls(self, source: str = "lab") -> dict[str, Call]:
        names = {event.call for event in self.events if event.call and event.source == source}
        return {
            name: fold_call(event for event in self.events if event.call == name and event.source == source)
            for name in sorted(filter(None, names))
        }

    def states(self, seat: str) -> list[tuple[str, str | None]]:
        log = fold_seat(event for event in self.events if event.seat == seat and event.source == "lab")
        return [(one.state, one.reason) for one in log.intervals]


def config(asterisk: Asterisk, **own: object) -> AmiConfig:
    return AmiConfig(
        "lab", "127.0.0.1", AMI_USER, AMI_SECRET,
        seats={"seat1001": "1001", "seat1002": "1002"},
        queue_log=str(asterisk.file("var/log/asterisk/queue_log")),
    )  # fmt: skip


@asynccontextmanager
async def watching(folder: Path, asterisk: Asterisk) -> AsyncIterator[tuple[Kept, AmiClient]]:
    kept = Kept()
    async with lab.running(folder, sink=kept) as ingest:
        client = AmiClient(config(asterisk), ingest.core, jitter=lambda most: 0.2)
        await client.start()
        await asyncio.wait_for(client.up.wait(), lab.WAIT_S)
        yield kept, client
        await client.stop()
        await ingest.flush()


async def quiet(asterisk: Asterisk) -> None:
    """Until no call is left."""
    while (await asterisk.cli("core show channels concise")).strip():
        await lab.tick()


async def unanswered(wait_s: float, number: str = "8000") -> None:
    await (await phones.customer(number, 0.1, wait_s)).hung_up()


async def answered(asterisk: Asterisk) -> None:
    async with phones.answered(7, 4):
        await asyncio.sleep(0)


async def no_answer(asterisk: Asterisk) -> None:
    silent = await phones.silent_seat()
    await unanswered(16)
    await silent.put_away()


async def dead_phone(asterisk: Asterisk) -> None:
    await unanswered(5)


async def ringall(asterisk: Asterisk) -> None:
    loser = await phones.silent_seat("1001")
    async with phones.answered(3, 3, number="8003", at="1002"):
        await asyncio.sleep(0)
    await loser.put_away()


async def fourth_ring() -> None:
    """Straight to the seat: no queue, and no line in its log."""
    async with phones.answered(16, 2, number="1001"):
        await asyncio.sleep(0)


async def hold(asterisk: Asterisk) -> None:
    seat = await phones.holding_seat(2, 2, 2)
    await (await phones.customer("8000", 2.3, 8)).hung_up()
    await seat.put_away()


async def blind_transfer(asterisk: Asterisk) -> None:
    first = await phones.transferring_seat(2, 2, "1002")
    second = await phones.seat(2, "1002")
    await (await phones.customer("8000", 2.3, 8)).hung_up()
    await first.put_away()
    await second.put_away()


async def pause_with_reason(asterisk: Asterisk) -> None:
    async with listening(FLOOR_USER, FLOOR_SECRET) as floor:
        for paused, reason in (("true", "tea"), ("false", "")):
            await floor.ask("QueuePause", Interface="PJSIP/seat1001", Paused=paused, Reason=reason, ActionID=paused)
            await floor.until(lambda block, paused=paused: block.get("ActionID") == paused)  # type: ignore[misc]
            await _both_queues(floor, paused)


async def _both_queues(floor: Ami, paused: str) -> None:
    flag = "1" if paused == "true" else "0"

    def said(block: dict[str, str], queue: str) -> bool:
        wanted = ("QueueMemberPause", queue, flag)
        return (block.get("Event"), block.get("Queue"), block.get("Paused")) == wanted

    for queue in ("broadband", "complaints"):
        await floor.until(partial(said, queue=queue))


def rings(seconds: float | None) -> int | None:
    return None if seconds is None else int(seconds // PERIOD_S) + 1


def ring_s(call: Call) -> float | None:
    """Of the offer that was answered."""
    if call.ringing_at is None or call.answered_at is None:
        return None
    return (call.answered_at - call.ringing_at).total_seconds()


def row(name: str, ours: Call, log: LoggedCall | None) -> str:
    ring, offers = ring_s(ours), [offer for offer in ours.offers if offer.ringing_at]
    cells = [
        name,
        ours.end,
        log.outcome if log else "(no queue)",
        ours.seat,
        ours.hung_up_by,
        ring if ring is None else f"{ring:.3f}",
        log.ring_s if log else None,
        rings(ring),
        len(offers),
    ]
    return " ".join(f"{'–' if cell is None else cell!s:<{width}}" for cell, width in zip(cells, WIDTHS, strict=True))


def table(
    calls: dict[str, Call], direct: Call, logged: dict[str, LoggedCall], states: list[tuple[str, str | None]]
) -> Iterator[str]:
    yield " ".join(f"{word:<{width}}" for word, width in zip(HEAD, WIDTHS, strict=True))
    yield row("fourth ring", direct, None)
    for name, call in calls.items():
        yield row(name, call, logged[name])
    yield " ".join(["seat 1001:", *[state + (f"({why})" if why else "") for state, why in states]])


SCENARIOS = {
    "answered": answered,
    "no answer": no_answer,
    "dead phone": dead_phone,
    "ringall": ringall,
    "hold": hold,
    "blind transfer": blind_transfer,
}


async def test_calls_and_rings_are_those_of_the_queue_log(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names: dict[str, str] = {}
    async with held() as asterisk, watching(tmp_path, asterisk) as (kept, client):
        assert "may also" not in await greet(config(asterisk))
        for name, play in SCENARIOS.items():
            await play(asterisk)
            await quiet(asterisk)
            new = [one.call for one in read_calls(asterisk.queue_log(), config(asterisk)) if one.call not in names]
            names[new[-1]] = name
        await fourth_ring()
        await quiet(asterisk)
        await pause_with_reason(asterisk)
        await client.flush()
        logged = {names[one.call]: one for one in read_calls(asterisk.queue_log(), config(asterisk))}
        noanswers = sum("|RINGNOANSWER|" in line for line in asterisk.queue_log())
    calls = {names.get(name, name): call for name, call in kept.calls().items()}
    direct = calls.pop(next(name for name, call in calls.items() if name not in logged and call.queue is None))

    with capsys.disabled():
        print("\n" + results.keep("calls-by-ami", table(calls, direct, logged, kept.states("1001"))))
    assert calls.keys() == logged.keys() == SCENARIOS.keys(), [one for one in kept.events if one.call in calls]
    for name, call in calls.items():
        one, ring = logged[name], ring_s(call)
        assert call.end == one.outcome, name
        assert (ring is None) == (one.ring_s is None), name
        assert ring is None or abs(ring - (one.ring_s or 0)) <= 1, name
        assert call.hung_up_by == "customer", name
        assert call.out_of_turn == (), name
    assert rings(ring_s(calls["answered"])) == 2
    assert (rings(ring_s(direct)), direct.end, direct.queue, direct.direction) == (4, "answered", None, "in")
    assert calls["ringall"].seat == "1002"
    assert [one.ringing_at for one in calls["dead phone"].offers] == [None]
    assert len(calls["hold"].holds) == 1 and calls["hold"].holds[0].until is not None
    assert [part.seat for part in calls["blind transfer"].parts] == ["1001", "1002"]
    redirected = [one for call in calls.values() for one in call.offers if one.redirected_at and one.seat == "1001"]
    assert len(redirected) == noanswers + 1  # and the one that another seat was faster at
    rang = {name: [one.offer.seat for one in missed(call)] for name, call in calls.items()}
    assert rang == {name: ["1001"] if name == "no answer" else [] for name in SCENARIOS}
    states = kept.states("1001")
    assert ("busy", "tea") in states and ("unreachable", "called, did not ring") in states
    assert "hold" in [state for state, _ in states] and "off_hook" not in [state for state, _ in states]
    assert client.calls.counts["ring time differs"] == 0


async def test_a_restart_of_the_switchboard_leaves_a_marked_hole(tmp_path: Path) -> None:
    async with held() as asterisk, watching(tmp_path, asterisk) as (kept, client):
        async with phones.answered(1, 2):
            await asyncio.sleep(0)
        await quiet(asterisk)
        client.up.clear()
        await asterisk.stop()
        async with asyncio.timeout(lab.WAIT_S):
            while ("unknown", "not connected to the PBX") not in kept.states("1001"):
                await lab.tick()
        await asterisk.start()
        await asyncio.wait_for(client.up.wait(), 2 * lab.WAIT_S)
        async with phones.answered(1, 2):
            await asyncio.sleep(0)
        await quiet(asterisk)
        await client.flush()
    states = [state for state, _ in kept.states("1001")]

    assert [call.end for call in kept.calls().values()] == ["answered", "answered"]
    assert states[-1] == "unknown"  # nobody listens any more
    assert states.count("unknown") == 2
    assert states[states.index("unknown") + 1] == "ready"


async def test_our_own_taps_make_no_calls(tmp_path: Path) -> None:
    """Each tap raises a dozen events of channels that are nobody's."""
    kept = Kept()
    async with held() as asterisk, lab.running(tmp_path, sink=kept) as ingest:
        ari = replace(ARI_CONFIG, media_port=ingest.audiosocket_port)
        board = Switchboard(ingest.core, SECRET, config(asterisk), ari)
        await board.start()
        assert board.taps is not None
        async with asyncio.timeout(lab.WAIT_S):
            await board.signals.up.wait()
            await board.taps.up.wait()
        async with phones.answered(2, 3):
            await asyncio.sleep(0)
        await quiet(asterisk)
        await board.stop()
        await ingest.flush()
        dropped = board.signals.calls.counts["own channels"]
    [call] = kept.calls().values()

    assert (call.end, call.seat, sorted(call.legs.values())) == ("answered", "1001", ["agent", "customer"])
    assert dropped >= 10
    assert [state for state, _ in kept.states("1001")] == ["ready", "ringing", "talking", "ready", "unknown"]
