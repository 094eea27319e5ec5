"""Calls as the worker leaves them in the store: folded, recorded, heard, scored by the shipped regulation."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from ingest.seats import Away
from qa.calls import stored_record
from qa.facts import Heard, SiteView, away_facts, call_facts
from qa.record import CallRecord
from qa.runs import new_run
from qa.site import SiteRules
from qa.store import calls, events, ledger, recordings, seats, transcripts
from qa.store.pool import Store, Tx
from scoring import facts
from scoring.load import load_lexicons, load_pack, shipped
from scoring.overlay import from_mapping
from speech.audio import write_flac
from speech.lexicon import lexicons
from speech.phrases import Matcher, TurnText
from speech.transcript import Speech, Transcript, Turn, to_json

ZONE = ZoneInfo("Asia/Shanghai")
RATE = 8000
BEGIN = datetime(2026, 11, 20, 1, 0, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Said:
    """One utterance, in milliseconds from the answer."""

    role: str
    start_ms: int
    end_ms: int
    text: str


@dataclass(frozen=True, slots=True)
class Spoken:
    """One call to be seeded. ``scored`` False leaves it after its transcript, ``ended`` False while it rings."""

    id: str
    said: tuple[Said, ...] = ()
    agent: str = "A01"
    seat: str = "S01"
    ring_s: Decimal = Decimal("6.2")
    direction: str = "in"
    answered: bool = True
    ended: bool = True
    scored: bool = True
    mixed: bool = False
    gap: tuple[str, int, int] | None = None
    hung_up_by: str = "customer"
    at: datetime = BEGIN


@cache
def rules(site: str, trusted: bool = True) -> SiteRules:
    pack = load_pack(shipped("bes"))
    overlay = from_mapping({"trust": "all", "synthetic_ok": True} if trusted else {})
    view = SiteView(cadence="cn", leave_connected=True)
    return SiteRules(site, ZONE, pack, overlay, Matcher(lexicons(load_lexicons())), view, "zh")


async def put(store: Store, site: str, folder: Path, one: Spoken) -> None:
    """The whole way of one call."""
    record = _record(one)
    async with store.site(site, "seed") as tx:
        for event in _events(one, record):
            await events.append(tx, **event)
        row = _row(one, record)
        await calls.upsert(tx, row)
        kept = await _audio(tx, site, folder, one) if one.answered and one.ended else None
        if one.ended and (one.scored or kept):
            heard = await _hear(tx, site, one, kept) if kept else Heard()
            if one.scored:
                await _score(tx, site, row, heard)


async def put_states(store: Store, site: str, seat: str, *told: tuple[datetime, str], agent: str | None = None) -> None:
    """A seat's states, one after the other; the last one still holds."""
    ends = [*(at for at, _ in told[1:]), None]
    line = [
        seats.Stretch(seat=seat, kind="status", at=at, until_at=until, value=state, agent=agent)
        for (at, state), until in zip(told, ends, strict=True)
    ]
    async with store.site(site, "seed") as tx:
        await seats.replace(tx, seat, line)


async def put_away(store: Store, site: str, seat: str, at: datetime, away_s: int, ready_s: int) -> None:
    """A stretch in which nobody was at a seat."""
    until = at + timedelta(seconds=away_s)
    id = f"{seat}:{at.isoformat()}"
    status = "ready" if ready_s else "busy"
    one = seats.AwayEpisode(
        id=id, seat=seat, at=at, agent="A06", until_at=until, day=at.date(), away_ms=away_s * 1000,
        ready_ms=ready_s * 1000, status=status, source="presence",
    )  # fmt: skip
    async with store.site(site, "seed") as tx:
        await seats.replace_away(tx, seat, [one])
        away = Away(seat, "A06", at, until, away_s * 1000, ready_s * 1000, status, "presence")
        found = away_facts(away, approved=False, site=rules(site).view)
        run, _ = new_run(rules(site), found, at.astimezone(ZONE).date())
        await ledger.record(tx, run)


def _record(one: Spoken) -> CallRecord:
    answered = one.at + timedelta(seconds=float(one.ring_s))
    talk = max([said.end_ms for said in one.said], default=0) + 900
    ended = answered + timedelta(milliseconds=talk) if one.answered else answered
    return CallRecord(
        id=one.id, agent=one.agent, seat=one.seat, direction=one.direction, queue="broadband", offered_at=one.at,
        ringing_at=one.at, answered_at=answered if one.answered else None, ended_at=ended if one.ended else None,
        end=("answered" if one.answered else "abandoned") if one.ended else None,
        hung_up_by=one.hung_up_by if one.ended else None,
    )  # fmt: skip


def _events(one: Spoken, record: CallRecord) -> list[dict[str, Any]]:
    told = [("offered", record.offered_at, {"direction": one.direction}), ("ringing", record.ringing_at, {})]
    told += [("answered", record.answered_at, {})] if record.answered_at else []
    told += [("ended", record.ended_at, {"by": one.hung_up_by})] if record.ended_at else []
    return [
        {
            "source": "pbx1", "id": f"{one.id}/{number}", "at": at, "seq": number, "type": kind, "call": one.id,
            "leg": None, "seat": one.seat, "agent": one.agent,
            "body": {"source": "pbx1", "id": f"{one.id}/{number}", "type": kind, "call": one.id, **more},
        }
        for number, (kind, at, more) in enumerate(told)
    ]  # fmt: skip


def _row(one: Spoken, record: CallRecord) -> calls.Call:
    return calls.Call(
        id=one.id, state="scored" if one.scored else "recorded" if one.ended else "live", at=one.at,
        direction=one.direction, agent=one.agent, seat=one.seat, queue=record.queue,
        day=one.at.astimezone(ZONE).date(), offered_at=record.offered_at, ringing_at=record.ringing_at,
        answered_at=record.answered_at, ended_at=record.ended_at, conclusion=record.end, hung_up_by=record.hung_up_by,
        folded={"record": record.model_dump(mode="json", exclude_none=True), "clock_doubted": False, "out_of_turn": []},
    )  # fmt: skip


def _roles(one: Spoken) -> tuple[str, ...]:
    return ("unknown",) if one.mixed else ("customer", "agent")


def _samples(one: Spoken, duration_ms: int) -> np.ndarray[Any, np.dtype[np.int16]]:
    """Bursts with the rise and fall of syllables where somebody speaks, a faint floor elsewhere."""
    length = duration_ms * RATE // 1000
    noise = np.random.default_rng(7)
    sound = noise.normal(0, 30, (len(_roles(one)), length))
    for said in one.said:
        first, last = (ms * RATE // 1000 for ms in (said.start_ms, said.end_ms))
        t = np.arange(last - first) / RATE
        pitch = 210 if said.role == "customer" else 150
        voice = sum(np.sin(2 * np.pi * pitch * k * t) / k for k in (1, 2, 3, 5))
        syllables = (
            np.abs(np.sin(2 * np.pi * 2.3 * t)) ** 0.7 * noise.uniform(0.55, 1, 1 + len(t) // 900).repeat(900)[: len(t)]
        )
        sound[0 if one.mixed else int(said.role == "agent"), first:last] += voice * syllables * 5200
    if one.gap and not one.mixed:
        sound[int(one.gap[0] == "agent"), one.gap[1] * 8 : one.gap[2] * 8] = 0
    return np.clip(sound, -32000, 32000).astype(np.int16)


async def _audio(tx: Tx, site: str, folder: Path, one: Spoken) -> recordings.Recording:
    duration = max(said.end_ms for said in one.said) + 900
    path = Path(site) / f"{hashlib.sha256(one.id.encode()).hexdigest()[:16]}.flac"
    (folder / site).mkdir(parents=True, exist_ok=True)
    write_flac(folder / path, _samples(one, duration), RATE)
    body = (folder / path).read_bytes()
    gaps = ({"role": one.gap[0], "start_ms": one.gap[1], "end_ms": one.gap[2], "cause": "loss"},) if one.gap else ()
    kept = recordings.Recording(
        call=one.id, path=str(path), audio_sha=hashlib.sha256(body).hexdigest(), format="flac", rate=RATE,
        channels=len(_roles(one)), size_bytes=len(body), duration_ms=duration, answer_ms=0,
        roles=_roles(one), gaps=gaps,
    )  # fmt: skip
    await recordings.add(tx, kept)
    return kept


async def _hear(tx: Tx, site: str, one: Spoken, kept: recordings.Recording) -> Heard:
    heard = _transcript(one, kept)
    stored = transcripts.Transcript(
        call=one.id, audio_sha=kept.audio_sha, engine=heard.engine, model_sha=heard.model_sha,
        params_sha=heard.params_sha, language="zh", synthetic=True, duration_ms=kept.duration_ms, body=to_json(heard),
    )  # fmt: skip
    await transcripts.add(tx, stored)
    return _heard(site, one, heard, kept)


def _transcript(one: Spoken, kept: recordings.Recording) -> Transcript:
    def channel(said: Said) -> int:
        return 0 if one.mixed else int(said.role == "agent")

    lost = (one.gap[1], one.gap[2]) if one.gap else (0, 0)
    said = [each for each in one.said if not (one.gap and each.role == one.gap[0] and each.start_ms < lost[1])]
    turns = tuple(
        Turn(channel(each), each.start_ms, each.end_ms, each.text, Decimal("0.93"), False, -0.2, 0.01) for each in said
    )
    spans = tuple(Speech(channel(each), each.start_ms, each.end_ms, -20.0) for each in said)
    return Transcript(
        turns=turns, engine="fixture", model_sha="f" * 64, params_sha="a" * 64, language="zh", synthetic=True,
        speech_ms=(0,) * len(_roles(one)), duration_ms=kept.duration_ms, roles=_roles(one),
        channels="mixed" if one.mixed else "split", speech=spans, dropped=(),
    )  # fmt: skip


def _heard(site: str, one: Spoken, heard: Transcript, kept: recordings.Recording) -> Heard:
    turns = tuple(
        facts.Turn(heard.role(turn.channel), turn.start_ms, turn.end_ms, turn.text, turn.confidence)  # type: ignore[arg-type]
        for turn in heard.turns
    )
    told = [TurnText(turn.role, turn.start_ms, turn.end_ms, turn.text, turn.confidence) for turn in turns]
    return Heard(
        channels="mixed" if one.mixed else "split",
        text="synthetic",
        turns=turns,
        hits=tuple(facts.Hit(**hit._asdict()) for hit in rules(site).matcher.find(told)),
        gaps=tuple(facts.Gap(gap["role"], gap["start_ms"], gap["end_ms"], gap["cause"]) for gap in kept.gaps),
        duration_ms=kept.duration_ms,
        silence_ms=2100,
        talk_over_ms=0,
        agent_share=Decimal("0.55"),
        loudness_rise_db=Decimal("1.5"),
    )


async def _score(tx: Tx, site: str, row: calls.Call, heard: Heard) -> None:
    found = call_facts(row.id, stored_record(row.folded), heard, rules(site).view, True)
    run, _ = new_run(rules(site), found, row.day)
    await ledger.record(tx, run)


def moved(one: Spoken, by: timedelta) -> Spoken:
    """The same call, later."""
    return replace(one, at=one.at + by)
