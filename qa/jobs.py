"""What a worker does: hear a recording, build facts, score, write the ledger. Every step rests on a unique key.

Jobs run at least once. A hearing is kept by (call, audio, engine, model, parameters), a run by (subject, inputs), so
that doing a job again does nothing. Recognition runs in a child process; the event loop only waits for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from hashlib import file_digest
from pathlib import Path
from typing import Any

import structlog

from ingest.seats import Away
from qa.assemble import put
from qa.calls import stored_record, was_missed
from qa.facts import NOTHING, Heard, away_facts, call_facts, milliseconds, seconds_between
from qa.heard import from_transcript
from qa.publishing import holding, shade
from qa.ringing import cross_checked, listened
from qa.runs import new_run
from qa.site import SiteRules
from qa.store import calls, ledger, recordings, seats, transcripts
from qa.store.errors import NotFound
from qa.store.pool import Store, Tx
from qa.store.recordings import Recording
from scoring.facts import CallFacts, Cause, Facts, Unknown
from speech.audio import decode, write_opus
from speech.errors import AudioError, SpeechError, TooLong
from speech.pool import Recogniser
from speech.transcript import Transcript, from_json, to_json

HEAR, SCORE_AWAY = "hear", "score_away"
ACTOR = "worker"
log = structlog.get_logger(__name__)
Step = Callable[[str], Awaitable[None]]


async def _no_step(_: str) -> None:
    """Nobody watches the steps."""


@dataclass(frozen=True, slots=True)
class Worker:
    """Handlers of the jobs, with all they need. ``step`` is awaited at each named point: tests stop a process there."""

    store: Store
    rules: Callable[[str], SiteRules]
    recogniser: Recogniser | None
    folder: Path
    keep_flac: bool = False
    step: Step = _no_step
    start_day: date | None = None  # what is dated before it is kept as it is

    async def hear(self, job: dict[str, Any]) -> None:
        """One ended call: hear its recording if that was not done, then score it. A failure shows on the call."""
        try:
            await self._hear(job)
        except SpeechError as error:
            log.warning("call.failed", call=job["call"], says=str(error))
            async with self.store.site(job["site"], ACTOR) as tx:
                await ledger.hold_subject(tx, f"call:{job['call']}")
                await _now(tx, await calls.get(tx, job["call"]), "failed")
            if not isinstance(error, TooLong):
                raise

    async def _hear(self, job: dict[str, Any]) -> None:
        rules = self.rules(job["site"])
        async with self.store.site(rules.id, ACTOR) as tx:
            call = await calls.get(tx, job["call"])
            gone = call.folded.get("withdrawn")
            if self._early(call.day):
                log.info("call.before_the_start", call=call.id, day=str(call.day))
                return
            found = [] if gone else await recordings.of_call(tx, job["call"])
        transcript = None
        if found:
            found = [await self._rung(rules, found[0]), *found[1:]]
        if found and self.recogniser is not None:
            transcript = await self._transcript(rules, found)
        await self.step("transcribed")
        await self._score_call(rules, job["call"], found, transcript)
        if transcript is not None and not self.keep_flac:
            await self._shrink(rules, found[0])

    def _early(self, day: date | None) -> bool:
        return self.start_day is not None and day is not None and day < self.start_day

    async def _rung(self, rules: SiteRules, one: Recording) -> Recording:
        """The newest audio with what rings in it before the answer: heard once, in the lossless sound, and kept."""
        if one.rings is not None or one.format != "flac" or one.id is None:
            return one
        rings = await asyncio.to_thread(listened, self.folder / one.path, rules.view.cadence, one.answer_ms)
        if rings is None:
            return one
        async with self.store.site(rules.id, ACTOR) as tx:
            await recordings.rang(tx, one.id, rings)
        return replace(one, rings=rings)

    async def _transcript(self, rules: SiteRules, found: list[Recording]) -> Transcript:
        """The hearing of the newest audio: from the store, else by the recogniser."""
        assert self.recogniser is not None
        who = await self.recogniser.warmed_up()
        one = found[0]
        async with self.store.site(rules.id, ACTOR) as tx:
            kept = await transcripts.find(tx, one.call, one.audio_sha, who.engine, who.model_sha, who.params_sha)
            known = kept or (await _any(tx, one.call) if one.format != "flac" else None)
        if known is not None:
            return from_json(known.body)
        call = await self._call(rules, one.call)
        language = stored_record(call.folded).language or rules.language
        heard = await self.recogniser.hear_file(self.folder / one.path, language, roles=one.roles)
        async with self.store.site(rules.id, ACTOR) as tx:
            await transcripts.add(tx, _stored(one, heard))
        return heard

    async def _call(self, rules: SiteRules, call: str) -> calls.Call:
        async with self.store.site(rules.id, ACTOR) as tx:
            return await calls.get(tx, call)

    async def _score_call(
        self, rules: SiteRules, name: str, found: list[Recording], transcript: Transcript | None
    ) -> None:
        """Score what was heard, unless other audio came meanwhile: that has a job of its own."""
        subject = f"call:{name}"
        async with self.store.site(rules.id, ACTOR) as tx:
            await ledger.hold_subject(tx, subject)
            call = await calls.get(tx, name)
            newest = [] if call.folded.get("withdrawn") else await recordings.of_call(tx, name)
            if _sound(newest) != _sound(found):
                log.info("call.overtaken", call=name)
                return
            heard = _heard(newest, transcript, rules)
            ready = await _seat_was_ready(tx, call)
            facts = _crossed(facts_of(call, heard, rules, ready), call, newest)
            await self._record(tx, rules, facts, call.day)
            await _now(tx, call, "scored")

    async def _record(self, tx: Tx, rules: SiteRules, facts: Facts, day: date | None) -> None:
        held = await holding(tx, rules, day)
        run, card = new_run(held, facts, day)
        done = await ledger.record(tx, run, hook=self.step)
        if done.new:
            await shade(tx, held, facts, day, card)

    async def _shrink(self, rules: SiteRules, flac: Recording) -> None:
        """Opus in place of the FLAC once the transcript is stored: written, measured, then the FLAC goes."""
        if flac.format != "flac":
            return
        source = self.folder / flac.path
        target = source.with_suffix(".opus")
        size, sha = await asyncio.to_thread(_to_opus, source, target, flac.duration_ms)
        path = str(target.relative_to(self.folder))
        small = replace(flac, id=None, made_at=None, path=path, format="opus", audio_sha=sha, size_bytes=size)
        async with self.store.site(rules.id, ACTOR) as tx:
            await recordings.add(tx, small)
            if flac.id is not None:
                await recordings.drop(tx, flac.id)
        await asyncio.to_thread(source.unlink, missing_ok=True)

    async def score_away(self, job: dict[str, Any]) -> None:
        """One finished stretch in which nobody was at a seat; one that was withdrawn since costs nothing any more."""
        rules = self.rules(job["site"])
        async with self.store.site(rules.id, ACTOR) as tx:
            await ledger.hold_subject(tx, f"away:{job['episode']}")
            away = await _told_away(tx, job)
            if away is not None and not self._early(away.at.astimezone(rules.zone).date()):
                facts = away_facts(away, approved=False, site=rules.view)
                await self._record(tx, rules, facts, away.at.astimezone(rules.zone).date())


def _sound(found: list[Recording]) -> str | None:
    """Names the newest sound of a call; its small copy is the same sound."""
    return Path(found[0].path).stem if found else None


def _heard(found: list[Recording], transcript: Transcript | None, rules: SiteRules) -> Heard:
    if transcript is not None:
        return from_transcript(transcript, rules.matcher, found[0].answer_ms or 0, found[0].gaps)
    if found:
        return replace(NOTHING, channels="split" if len(found[0].roles) == 2 else "mixed")
    return NOTHING


def _crossed(facts: Facts, call: calls.Call, found: list[Recording]) -> Facts:
    """Signalling held against what rings in the recording before the answer."""
    if not found:
        return facts
    one = found[0]
    return cross_checked(facts, stored_record(call.folded), one.rings, one.answer_ms, one.origin_at)


async def _told_away(tx: Tx, job: dict[str, Any]) -> Away | None:
    """The episode as it is folded now; None when it is gone and another job says so."""
    try:
        return _away(await seats.away(tx, job["episode"]))
    except NotFound:
        gone = job.get("withdrawn")
    if gone is None:
        return None
    at = datetime.fromisoformat(gone["at"])
    return Away(gone["seat"], gone["agent"], at, at, 0, 0, gone["status"], gone["source"])


async def _now(tx: Tx, call: calls.Call, state: str) -> None:
    """Where the call stands; one that has news since is still on its way."""
    if call.state not in ("live", "ended"):
        await calls.upsert(tx, replace(call, state=state))


def facts_of(call: calls.Call, heard: Heard, rules: SiteRules, seat_was_ready: bool | None) -> Facts:
    """Facts of a stored call; where clocks contradict one another, the times that rest on them mean nothing."""
    facts = call_facts(call.id, stored_record(call.folded), heard, rules.view, seat_was_ready)
    told, doubted = facts.call, Unknown(Cause.CLOCK)
    if told is not None and "part" in call.folded:
        told = _in_part(told, call, heard)
    if told is not None and was_missed(call):
        told = replace(told, talk_ms=0, hold_ms=0)
    if told is not None and call.folded.get("queued_only"):
        told = replace(told, ring_seconds=Decimal(0), ring_count=0, ring_source="clock")  # no seat ever rang
    if told is not None and (call.folded.get("clocks_mixed") or call.folded.get("clock_doubted")):
        told = replace(told, talk_ms=doubted, hold_ms=doubted)
    if told is not None and call.folded.get("clock_doubted"):
        ring = told.ring_count if told.ring_source == "phone" else doubted
        told = replace(told, ring_seconds=doubted, ring_count=ring, answer_seconds=doubted)
    return replace(facts, call=told)


def _in_part(told: CallFacts, call: calls.Call, heard: Heard) -> CallFacts:
    """Lengths of a part count from when it had the customer: an agent who was consulted first talked to a colleague."""
    met = call.folded["part"]["met_at"]
    if met is None:
        return replace(told, end="redirected", talk_ms=0, hold_ms=0)  # the customer never got here
    met_at, record = datetime.fromisoformat(met), stored_record(call.folded)
    talk = milliseconds(seconds_between(met_at, record.ended_at))
    if isinstance(talk, Unknown) and heard.duration_ms is not None:
        talk = heard.duration_ms
    gone = [seconds_between(met_at, one.at) for one in record.transfers[:1]]
    first = next((milliseconds(one) for one in gone), None)
    return replace(told, talk_ms=talk, transfer_ms=None if isinstance(first, Unknown) else first)


async def _any(tx: Tx, call: str) -> transcripts.Transcript | None:
    """The newest hearing, for a call whose lossless audio has gone."""
    return next(iter(await transcripts.of_call(tx, call)), None)


def _stored(one: Recording, heard: Transcript) -> transcripts.Transcript:
    return transcripts.Transcript(
        call=one.call,
        audio_sha=one.audio_sha,
        engine=heard.engine,
        model_sha=heard.model_sha,
        params_sha=heard.params_sha,
        language=heard.language,
        synthetic=heard.synthetic,
        duration_ms=heard.duration_ms,
        body=to_json(heard),
    )


def _to_opus(source: Path, target: Path, duration_ms: int) -> tuple[int, str]:
    """Write the small recording and measure it; a length that differs keeps the FLAC."""
    fresh = target.with_suffix(".part")
    write_opus(fresh, decode(source).pcm)
    small = decode(fresh)
    if abs(small.duration_ms - duration_ms) > 100:
        fresh.unlink()
        raise AudioError(str(target), f"came out {small.duration_ms} ms long instead of {duration_ms}", "keep the FLAC")
    with fresh.open("rb") as file:
        sha = file_digest(file, "sha256").hexdigest()
    put(fresh, target)
    return target.stat().st_size, sha


async def _seat_was_ready(tx: Tx, call: calls.Call) -> bool | None:
    """What the seat's own state said when the call was offered."""
    alert = call.offered_at or call.ringing_at
    if call.seat is None or alert is None:
        return None
    before = alert - timedelta(milliseconds=1)  # a switchboard may stamp its own ringing at the same instant
    told = await seats.history(tx, call.seat, before, alert)
    held = [one for one in told if one.kind == "status" and one.at <= before]
    return was_ready(held[-1]) if held else None


def was_ready(held: seats.Stretch) -> bool | None:
    """Whether a seat was set ready in this stretch; a guess or an unknown state says neither."""
    if held.value == "unknown" or held.confidence == "inferred":
        return None
    return held.value == "ready"


def _away(one: seats.AwayEpisode) -> Away:
    return Away(
        one.seat, one.agent, one.at, one.until_at, one.away_ms, one.ready_ms, one.status, one.source, one.contradicted
    )
