"""Predicates over what was said: required phrases, quarrel, turning away. It finds no phrases; hits are facts.

A missing phrase may cost points only where nothing hides it: no gap over the window, no mixed channel, no turn heard
below the confidence limit. A phrase that was found needs no such proof.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal

from scoring.canonical import decimal_text
from scoring.facts import CallFacts, Cause, Hit, Turn, Unknown
from scoring.finding import NA, Finding, breach, clear, unknown
from scoring.scorecard import Evidence, Outcome, Setting, Signal, Span
from scoring.values import Settings

Test = Callable[[CallFacts], Finding]


@dataclass(frozen=True, slots=True)
class _Part:
    """One required part: what its window says."""

    state: str  # said | missing | na | unknown
    evidence: tuple[Evidence, ...]
    cause: Cause | None = None


@dataclass(frozen=True, slots=True)
class _Asked:
    """The settings and phrase lists of the rule on required phrases, ready to compare."""

    opening_ms: int
    closing_ms: int
    hung_up_ms: int
    confidence: Decimal
    opening: frozenset[str]
    closing: frozenset[str]
    not_closing: frozenset[str]
    counted_in_order: tuple[str, ...]
    stiff: frozenset[str]
    opening_setting: Setting
    closing_setting: Setting


def _asked(settings: Settings) -> _Asked:
    """What a rule does not ask for stays empty: a rule on the opening alone has no closing window."""

    def phrases(name: str) -> frozenset[str]:
        return frozenset(settings.phrases.get(name, ()))

    def window(name: str) -> int:
        return settings.whole(name) if name in settings.numbers else 0

    def shown(name: str) -> Setting:
        return settings.evidence(name) if name in settings.numbers else Setting(name, "none", "duration", "reading")

    return _Asked(
        window("opening_within"), window("closing_within"), window("hung_up_within"), settings.exact("confidence"),
        phrases("opening"), phrases("closing"), phrases("not_closing"),
        tuple(sorted(phrases("counted"))), phrases("stiff"),
        shown("opening_within"), shown("closing_within"),
    )  # fmt: skip


def talked(call: CallFacts) -> Finding | None:
    """Why a rule about an incoming conversation cannot go on: na without one, unknown where signalling is missing."""
    if call.direction in ("out", "internal"):
        return NA
    if not isinstance(call.end, Unknown) and call.end != "answered":
        return NA
    for fact, value in (("direction", call.direction), ("end", call.end)):
        if isinstance(value, Unknown):
            return unknown(value.cause, (Signal(fact, f"unknown ({value.cause})"),))
    return None


def lacks_required_phrases(settings: Settings) -> Test:
    """BES-13a: a greeting at the opening and a farewell at the end; once per call, however many parts are missing."""
    asked = _asked(settings)

    def test(call: CallFacts) -> Finding:
        stopped = talked(call)
        if stopped is not None:
            return stopped
        if call.text == "none":
            return unknown(Cause.NO_TEXT, (Signal("transcript", "none"),))
        parts = (_opening(call, asked), _closing(call, asked))
        counted = tuple(_counts(call, asked))
        missing = tuple(one for part in parts if part.state == "missing" for one in part.evidence)
        if missing:
            return breach((*missing, *counted))
        stiff, _ = _heard(call, asked.stiff)
        if stiff:
            return breach(spans(stiff), review=True)
        evidence = tuple(one for part in parts for one in part.evidence)
        doubt = next((part for part in parts if part.cause is not None), None)
        if doubt is not None and doubt.cause is not None:
            return unknown(doubt.cause, evidence)
        return clear((*evidence, *counted))

    return test


def lacks_opening(settings: Settings) -> Test:
    """The greeting alone: the agent's first words within the limit after the answer."""
    return _lacks(settings, _opening)


def lacks_closing(settings: Settings) -> Test:
    """The farewell alone: within the last stretch of the call, unless the customer left no time for it."""
    return _lacks(settings, _closing)


def _lacks(settings: Settings, part: Callable[[CallFacts, _Asked], _Part]) -> Test:
    asked = _asked(settings)

    def test(call: CallFacts) -> Finding:
        stopped = talked(call)
        if stopped is not None:
            return stopped
        if call.text == "none":
            return unknown(Cause.NO_TEXT, (Signal("transcript", "none"),))
        found = part(call, asked)
        match found.state:
            case "missing":
                return breach(found.evidence)
            case "unknown":
                return unknown(found.cause or Cause.MISSING, found.evidence)
            case "na":
                return Finding(Outcome.NA, found.evidence)
        return clear(found.evidence)

    return test


def _opening(call: CallFacts, asked: _Asked) -> _Part:
    """The greeting counts in an agent turn that starts within the limit after the answer."""
    until = asked.opening_ms
    turns = [one for one in call.turns if one.start_ms <= until]
    hits = [hit for hit in call.hits if hit.category in asked.opening and _turn_start(call, hit) <= until]
    reach = max((one.end_ms for one in turns if one.role == "agent"), default=until)
    return _part(call, asked, hits, turns, (0, until, max(until, reach)), "greeting", asked.opening_setting)


def _turn_start(call: CallFacts, hit: Hit) -> int:
    return call.turns[hit.turn].start_ms if 0 <= hit.turn < len(call.turns) else hit.start_ms


def _closing(call: CallFacts, asked: _Asked) -> _Part:
    """The farewell counts at the end of the call; na when the customer hung up first."""
    talk = call.talk_ms
    if isinstance(talk, Unknown):
        return _Part("unknown", (Signal("talk_ms", f"unknown ({talk.cause})"),), talk.cause)
    start = max(0, talk - asked.closing_ms)
    hits = [
        hit
        for hit in call.hits
        if hit.category in asked.closing and hit.part not in asked.not_closing and hit.end_ms >= start
    ]
    turns = [one for one in call.turns if one.end_ms >= start]
    if not any(hit.role == "agent" for hit in hits):
        ended = _ended_by(call, asked, talk)
        if ended is not None:
            return ended
    return _part(call, asked, hits, turns, (start, talk, talk), "closing", asked.closing_setting)


def _ended_by(call: CallFacts, asked: _Asked, talk: int) -> _Part | None:
    """Whether the agent had a chance to say goodbye; nobody knows when it is not known who hung up."""
    who = Signal("hung_up_by", call.hung_up_by)
    if call.hung_up_by == "agent":
        return None
    if call.hung_up_by != "customer":
        return _Part("unknown", (who, Span("agent", max(0, talk - asked.closing_ms), talk, "missing")), Cause.MISSING)
    last = max((one.end_ms for one in call.turns), default=None)
    if last is not None and talk - last <= asked.hung_up_ms:
        return _Part("na", (who, Span("customer", last, max(last, talk), "customer hung up")))
    tail = talk - asked.hung_up_ms
    if any(gap.end_ms >= tail and gap.start_ms <= talk for gap in call.gaps):
        return _Part("unknown", (who, Span("unknown", max(0, tail), talk, "gap")), Cause.GAP)
    return None


def _part(
    call: CallFacts, asked: _Asked, hits: list[Hit], turns: list[Turn],
    window: tuple[int, int, int], name: str, setting: Setting,
) -> _Part:  # fmt: skip
    """Said, missing, or hidden; ``window``: from, to, and how far a gap would still hide words."""
    start, end, reach = window
    said = [hit for hit in hits if hit.role == "agent" and not _doubted(call, hit)]
    if said and call.channels != "mixed":
        return _Part("said", spans(said)[:1])
    cause = _hidden(call, asked, hits, turns, (start, reach))
    if cause is not None:
        return _Part("unknown", (Span("agent", start, end, str(cause)), setting), cause)
    return _Part("missing", (Span("agent", start, end, f"no {name}"), setting))


def _doubted(call: CallFacts, hit: Hit) -> bool:
    return 0 <= hit.turn < len(call.turns) and call.turns[hit.turn].doubted


def _hidden(
    call: CallFacts, asked: _Asked, hits: list[Hit], turns: list[Turn], window: tuple[int, int]
) -> Cause | None:
    """What could hide the phrase in the window; the first of these causes that stands."""
    start, end = window
    roles = {*(hit.role for hit in hits), *(turn.role for turn in turns)}
    if call.channels == "mixed" or "unknown" in roles:
        return Cause.MIXED
    if any(gap.role != "customer" and gap.start_ms <= end and gap.end_ms >= start for gap in call.gaps):
        return Cause.GAP
    own = [one for one in turns if one.role == "agent"]
    if any(one.doubted for one in own):
        return Cause.DOUBTED
    if any(one.confidence is not None and one.confidence < asked.confidence for one in own):
        return Cause.CONFIDENCE
    return None


def _counts(call: CallFacts, asked: _Asked) -> Iterable[Signal]:
    """Courtesy that the clause does not require, counted so that a reviewer sees it."""
    said = [hit.category for hit in call.hits if hit.role == "agent"]
    for category in asked.counted_in_order:
        yield Signal(category, str(said.count(category)))


def _order(hit: Hit) -> tuple[int, int, str, str, str, str, int]:
    return (hit.start_ms, hit.end_ms, hit.category, hit.entry, hit.role, hit.text, hit.turn)


def spans(hits: Iterable[Hit]) -> tuple[Span, ...]:
    """Hits as evidence, by time: the order in which they were found changes nothing."""
    return tuple(
        Span(hit.role, hit.start_ms, hit.end_ms, hit.category, hit.text, hit.entry, hit.turn)
        for hit in sorted(hits, key=_order)
    )


def _heard(call: CallFacts, categories: frozenset[str]) -> tuple[list[Hit], Cause | None]:
    """The agent's hits in these categories, and why some of them cannot be held against anybody."""
    wanted = [hit for hit in call.hits if hit.category in categories and hit.severity != "low"]
    if not wanted:
        return [], None
    sure = [hit for hit in wanted if hit.role == "agent" and not _doubted(call, hit)]
    if any(hit.role == "unknown" for hit in wanted):
        return sure, Cause.MIXED
    return sure, Cause.DOUBTED if len(sure) < sum(hit.role == "agent" for hit in wanted) else None


def _not_heard(call: CallFacts, doubt: Cause | None) -> Finding:
    if call.text == "none":
        return unknown(Cause.NO_TEXT, (Signal("transcript", "none"),))
    if doubt is not None:
        return unknown(doubt, (Signal("channels", call.channels),))
    return clear(())


def argues(settings: Settings) -> Test:
    """BES-14: words of a quarrel, or enough signs together (talking over, a raised voice, blaming words)."""
    quarrel, cue = frozenset(settings.phrases["quarrel"]), frozenset(settings.phrases["cue"])
    over_ms, rise_db, enough = settings.whole("talk_over"), settings.exact("loudness_rise"), settings.whole("cues")

    def test(call: CallFacts) -> Finding:
        if not isinstance(call.end, Unknown) and call.end != "answered":
            return NA
        words, doubt = _heard(call, quarrel)
        if words:
            return breach(spans(words))
        blaming, doubt_too = _heard(call, cue)
        signs: list[tuple[Evidence, ...]] = []
        if not isinstance(call.talk_over_ms, Unknown) and call.talk_over_ms > over_ms:
            signs.append((Signal("talk_over_ms", str(call.talk_over_ms)), settings.evidence("talk_over")))
        if not isinstance(call.loudness_rise_db, Unknown) and call.loudness_rise_db >= rise_db:
            rise = Signal("loudness_rise_db", decimal_text(call.loudness_rise_db))
            signs.append((rise, settings.evidence("loudness_rise")))
        if blaming:
            signs.append(spans(blaming))
        if len(signs) >= enough:
            return breach(tuple(one for sign in signs for one in sign))
        return _not_heard(call, doubt or doubt_too)

    return test


def passes_the_buck(settings: Settings) -> Test:
    """BES-15: turning away, unless the call was transferred or a transfer or work order was promised afterwards."""
    evading, excused = frozenset(settings.phrases["evading"]), frozenset(settings.phrases["excused_by"])

    def test(call: CallFacts) -> Finding:
        if not isinstance(call.end, Unknown) and call.end != "answered":
            return NA
        words, doubt = _heard(call, evading)
        if not words:
            return _not_heard(call, doubt)
        helps = [hit.start_ms for hit in call.hits if hit.entry in excused and hit.role == "agent"]
        left = [hit for hit in words if not any(at >= hit.start_ms for at in helps)]
        if left and call.transfers == 0:
            return breach((*spans(left), Signal("transfers", "0")))
        return clear((*spans(words), Signal("transfers", str(call.transfers))))

    return test
