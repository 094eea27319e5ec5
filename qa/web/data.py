"""Rows of the store as the forms that the API speaks. Values in, values out; nothing is read here."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal, cast

from ingest.callvalue import Offer
from ingest.missed import FIRST
from qa.calls import stored_offers
from qa.store.calls import Call as StoredCall
from qa.store.events import StoredEvent
from qa.store.recordings import Recording
from qa.store.runs import Run
from qa.store.screens import ListedCall, ListedEpisode
from qa.store.transcripts import Transcript
from qa.web import models
from scoring.facts import CallFacts, Unknown, load

CONTENT_TYPES = {"flac": "audio/flac", "opus": "audio/ogg"}
BESIDE = ("source", "id", "at", "type", "call", "leg", "seat", "agent")  # fields of an event that stand for themselves
ROLES = ("agent", "customer")


def call_row(row: ListedCall) -> models.CallRow:
    return models.CallRow(**_call(row))


def call(
    row: ListedCall,
    run: Run | None,
    recordings: Sequence[Recording],
    wrap_up_seconds: float | None = None,
    others: Sequence[StoredCall] = (),
) -> models.Call:
    facts = _facts(row.facts)
    kept = recordings[0] if recordings else None
    gaps = [_gap(gap) for gap in kept.gaps] if kept else _fact_gaps(facts)
    return models.Call(
        **_call(row),
        queue=row.queue,
        metrics=(metrics(facts) if facts else unscored(row)).model_copy(
            update={"queue_seconds": queued(row), "wrap_up_seconds": wrap_up_seconds}
        ),
        recording_info=recording(kept) if kept else None,
        gaps=gaps,
        run=run_identity(run) if run else None,
        offers=offers(row),
        conversation=conversation(others),
        channels=_channels(facts, kept),
    )


def _call(row: ListedCall) -> dict[str, Any]:
    facts = _facts(row.facts)
    known = metrics(facts) if facts else unscored(row)
    card = _card(row.card)
    return {
        "id": row.id,
        "state": row.stage,
        "at": row.at,
        "agent": row.agent,
        "seat": row.seat,
        "direction": row.direction,
        "end": row.conclusion,
        "ring_count": known.ring_count,
        "ring_seconds": known.ring_seconds,
        "answer_seconds": known.answer_seconds,
        "talk_seconds": known.talk_seconds,
        "score": models.Score(**card["total"]) if card else None,
        "flags": flags(card),
        "recording": row.recorded,
        "synthetic": facts is not None and facts.text == "synthetic",
        "parts": parts(row),
        "part": part(row, row.transferred),
        "orphan": row.orphan,
        "concluded": row.concluded,
        "warnings": warnings(row),
    }


def _facts(body: bytes | None) -> CallFacts | None:
    return load(body).call if body else None


def _card(body: bytes | None) -> dict[str, Any] | None:
    return json.loads(body) if body else None


def warnings(row: ListedCall) -> list[str]:
    """What the fold found odd, by the words of the catalogues."""
    found = []
    if row.folded.get("clock_doubted"):
        found.append("clock_doubted")
    if row.folded.get("out_of_turn"):
        found.append("out_of_turn")
    if row.stage == "failed":
        found.append("failed")
    if row.orphan is not None:
        found.append(row.orphan.replace(" ", "_"))
    if row.concluded is not None and row.orphan != "adopted":
        found.append("withdrawn" if row.concluded == "withdrawn" else "unended")
    return found


def parts(row: ListedCall) -> list[str]:
    """All parts of its conversation; of adopted audio, the call that took it."""
    if row.orphan == "adopted" and row.conversation is not None:
        return [row.conversation]
    return [str(id) for id in row.folded.get("parts", ())]


def part(row: ListedCall | StoredCall, transferred: bool) -> models.Part | None:
    """Which part of its conversation it is; None where there is no other, or where its audio belongs elsewhere."""
    if row.folded.get("missed"):
        return models.Part(kind="missed", number=int(row.id.rpartition("~")[2]) - FIRST + 1)
    if row.orphan == "adopted" or "parts" not in row.folded:
        return None
    told = row.folded.get("part", {})
    if row.conversation is None:
        return models.Part(kind="first", number=1)
    kind: models.PartKind = "transferred" if transferred else "later"
    return models.Part(kind=kind if told.get("met_at") else "consulted", number=told.get("number", 1))


def conversation(rows: Sequence[StoredCall]) -> list[models.PartRow]:
    """All its parts as one reads them: in the order in which the seats were called."""
    transferred = any(row.folded.get("record", {}).get("transfers") for row in rows)
    found = [
        models.PartRow(
            **named.model_dump(), id=row.id, seat=row.seat, agent=row.agent,
            at=row.offered_at or row.ringing_at or row.answered_at or row.at,
        )
        for row in rows
        if not row.folded.get("withdrawn") and (named := part(row, transferred)) is not None
    ]  # fmt: skip
    return sorted(found, key=lambda one: (one.at, one.id))


def offers(row: ListedCall) -> list[models.Offer]:
    """What rang where, and what became of it."""
    ends = row.folded.get("offer_ends", ())
    return [_offer(one, end, row.ended_at) for one, end in zip(stored_offers(row.folded), ends, strict=False)]


def _offer(told: Offer, end: Any, ended_at: datetime | None) -> models.Offer:
    ring = _between(told.ringing_at, told.answered_at or told.redirected_at or ended_at)
    return models.Offer(seat=told.seat, agent=told.agent, ring_seconds=ring, end=end)


def queued(row: ListedCall) -> float | None:
    """The wait in a queue: until the seat was called, or until it was given up there."""
    if row.queue is None or row.conversation is not None:
        return None
    record = row.folded.get("record", {})
    begun = record.get("queued_at")
    nobody = row.folded.get("queued_only")
    until = row.ended_at if nobody else row.ringing_at or row.offered_at or row.answered_at
    return _between(datetime.fromisoformat(begun), until) if begun else None


def flags(card: Mapping[str, Any] | None) -> models.Flags:
    """Rules with a breach, rules that wait for a person, and undecided lines by cause."""
    breach: list[models.Flag] = []
    review: list[models.Flag] = []
    unknown: dict[str, int] = {}
    for line in card["lines"] if card else ():
        if line["outcome"] == "unknown":
            cause = line["cause"] or "missing"
            unknown[cause] = unknown.get(cause, 0) + 1
        elif line["outcome"] == "breach":
            flag = models.Flag(rule=line["rule"], cite=line["cite"], title=models.Titles(**line["title"]))
            (breach if line["decide"] == "auto" or line["counts"] else review).append(flag)
    return models.Flags(breach=breach, review=review, unknown=unknown)


def _seconds(value: Decimal | int | Unknown | None, scale: int = 1) -> float | None:
    return None if value is None or isinstance(value, Unknown) else float(Decimal(value) / scale)


def metrics(call: CallFacts) -> models.Metrics:
    return models.Metrics(
        ring_count=None if isinstance(call.ring_count, Unknown) else call.ring_count,
        ring_seconds=_seconds(call.ring_seconds),
        ring_period_seconds=_seconds(call.ring_period_s),
        ring_source=call.ring_source,
        answer_seconds=_seconds(call.answer_seconds),
        talk_seconds=_seconds(call.talk_ms, 1000),
        hold_seconds=_seconds(call.hold_ms, 1000),
        silence_seconds=_seconds(call.silence_ms, 1000),
        talk_over_seconds=_seconds(call.talk_over_ms, 1000),
        agent_share=_seconds(call.agent_share),
        hung_up_by=call.hung_up_by,
    )


def unscored(row: ListedCall) -> models.Metrics:
    """What the telephone alone says, before there are facts; a ring is counted by nobody yet, and a wait in a queue
    rang at no seat. Who was sent on, or to voicemail, stopped ringing here before the call was over."""
    alert = None if row.folded.get("queued_only") else row.ringing_at or row.offered_at
    record = row.folded.get("record", {})
    over = datetime.fromisoformat(record["ended_at"]) if "ended_at" in record else row.ended_at
    return models.Metrics(
        ring_count=record.get("rings"),
        ring_seconds=_between(alert, row.answered_at or over),
        answer_seconds=_between(alert, row.answered_at),
        talk_seconds=_between(row.answered_at, row.ended_at),
        hung_up_by=row.hung_up_by,
    )


def _between(start: datetime | None, stop: datetime | None) -> float | None:
    return (stop - start).total_seconds() if start and stop and stop >= start else None


def _role(name: object) -> models.Role:
    return cast(models.Role, name if name in ROLES else "unknown")


def _gap(gap: Mapping[str, Any]) -> models.Gap:
    return models.Gap(
        role=_role(gap.get("role")), start_ms=gap["start_ms"], end_ms=gap["end_ms"], cause=str(gap.get("cause", "loss"))
    )


def _fact_gaps(facts: CallFacts | None) -> list[models.Gap]:
    if facts is None:
        return []
    return [models.Gap(role=gap.role, start_ms=gap.start_ms, end_ms=gap.end_ms, cause=gap.cause) for gap in facts.gaps]


def _channels(facts: CallFacts | None, kept: Recording | None) -> Literal["split", "mixed", "none"]:
    if facts:
        return facts.channels
    return "none" if kept is None else _layout(kept)


def _layout(kept: Recording) -> Literal["split", "mixed"]:
    return "split" if kept.channels == 2 and "unknown" not in kept.roles else "mixed"


def recording(kept: Recording) -> models.Recording:
    return models.Recording(
        duration_ms=kept.duration_ms,
        answer_ms=kept.answer_ms or 0,
        channels=_layout(kept),
        roles=[_role(role) for role in kept.roles],
        content_type=CONTENT_TYPES[kept.format],
        bytes=kept.size_bytes,
        gaps=[_gap(gap) for gap in kept.gaps],
    )


def run_identity(run: Run) -> models.Run:
    return models.Run(
        pack=run.pack,
        pack_version=run.pack_version,
        engine=run.engine,
        day=run.day.isoformat() if run.day else None,
        inputs=run.inputs,
        sequence=run.seq,
        at=run.made_at,
    )


def scorecard(run: Run) -> models.Scorecard:
    card = json.loads(run.card)
    return _scorecard(card, run_identity(run))


def _scorecard(card: Mapping[str, Any], run: models.Run) -> models.Scorecard:
    names = models.Line.model_fields
    lines = [models.Line(**{name: line.get(name) for name in names}) for line in card["lines"]]
    return models.Scorecard(
        subject=card["subject"], agent=card["agent"], run=run, lines=lines, total=models.Score(**card["total"])
    )


def transcript(heard: Transcript | None, run: Run | None, answer_ms: int) -> models.Transcript | None:
    """What the current run was scored on; before there is one, what was heard; None when there is neither."""
    facts = _facts(run.facts) if run else None
    if heard is None and (facts is None or not facts.turns):
        return None
    return models.Transcript(
        engine=heard.engine if heard else None,
        model=heard.model_sha if heard else None,
        language=heard.language if heard else facts.language if facts else None,
        synthetic=heard.synthetic if heard else False,
        turns=_turns(facts) if facts else _heard_turns(heard, answer_ms) if heard else [],
        hits=_hits(facts) if facts else [],
    )


def _turns(facts: CallFacts) -> list[models.Turn]:
    return [
        models.Turn(
            role=turn.role,
            start_ms=turn.start_ms,
            end_ms=turn.end_ms,
            text=turn.text,
            confidence=None if turn.confidence is None else str(turn.confidence),
            doubted=turn.doubted,
        )
        for turn in facts.turns
    ]


def _heard_turns(heard: Transcript, answer_ms: int) -> list[models.Turn]:
    roles = heard.body.get("roles", ())
    return [
        models.Turn(
            role=_role(roles[turn["channel"]] if turn["channel"] < len(roles) else None),
            start_ms=turn["start_ms"] - answer_ms,
            end_ms=turn["end_ms"] - answer_ms,
            text=turn["text"],
            confidence=None if turn.get("confidence") is None else str(turn["confidence"]),
            doubted=bool(turn.get("doubted")),
        )
        for turn in heard.body.get("turns", ())
    ]


def _hits(facts: CallFacts) -> list[models.Hit]:
    names = ("category", "entry", "role", "start_ms", "end_ms", "text", "how", "turn", "severity")
    return [models.Hit(**{name: getattr(hit, name) for name in names}) for hit in facts.hits]


def events(stored: Iterable[StoredEvent]) -> models.Events:
    found = sorted(stored, key=lambda one: (one.at, one.n))
    start = found[0].at if found else None
    return models.Events(items=[_event(one, start or one.at) for one in found])


def _event(one: StoredEvent, start: datetime) -> models.EventRow:
    return models.EventRow(
        id=one.id,
        source=one.source,
        at=one.at,
        offset_ms=round((one.at - start).total_seconds() * 1000),
        type=one.type,
        leg=one.leg,
        seat=one.seat,
        agent=one.agent,
        detail={name: _shown(value) for name, value in one.body.items() if name not in BESIDE and name != "audio"},
    )


def _shown(value: Any) -> Any:
    return str(value) if isinstance(value, Decimal) else value


def episode(row: ListedEpisode) -> models.Episode:
    card = _card(row.card)
    return models.Episode(
        subject=f"away:{row.id}",
        seat=row.seat,
        agent=row.agent,
        at=row.at,
        until=row.until_at,
        away_seconds=_seconds(row.away_ms, 1000),
        ready_seconds=_seconds(row.ready_ms, 1000),
        status=row.status,
        source=row.source,
        flags=flags(card),
        scorecard=_scorecard(card, _episode_run(row, card)) if card else None,
    )


def _episode_run(row: ListedEpisode, card: Mapping[str, Any]) -> models.Run:
    return models.Run(
        pack=card["pack"],
        pack_version=card["pack_version"],
        engine=card["engine"],
        day=card["day"],
        inputs=row.inputs or "",
        sequence=row.seq,
        at=row.made_at,
    )
