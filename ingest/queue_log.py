"""Asterisk's ``queue_log`` as events and as a list of calls. Whole seconds, and said so. Reads text, no files.

A line is ``epoch|call|queue|agent|EVENT|p1|p2…``. RINGNOANSWER and RINGCANCELED count in milliseconds, all else in
seconds. The log cannot tell a phone that rang unanswered from one that was never there: an offer without an answer is
no event here. Its seat states are inferred: what was seen on the wire stands.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from ingest.ami import TEXT_CHARS, YEARS
from ingest.ami_names import AmiConfig, Names, mask
from ingest.events import Refusal

LINE_CHARS = 2048
MOST_FIELDS = 16
MOST_OPEN = 10_000  # calls that have not ended yet
RESOLUTION_S = 1
LONGEST_S = 7 * 86_400  # of waiting, ringing or talking
_EPOCH = re.compile(r"\d{9,10}(\.\d{1,6})?")
_DAY = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d{1,6})?([+-]\d\d:?\d\d)?")
_NUMBER = re.compile(r"\d{1,9}")
_NAME = re.compile(r"[\w.:@/ +()#*~&'-]{0,128}")

# What a verb carries, as far as it is read here, with its unit; in the order in which one second tells them.
PARAMETERS: dict[str, tuple[str, ...]] = {
    "ENTERQUEUE": ("url", "number", "position"),
    "RINGNOANSWER": ("ring_ms",),
    "RINGCANCELED": ("ring_ms",),
    "CONNECT": ("hold_s", "channel", "ring_s"),
    "COMPLETECALLER": ("hold_s", "talk_s", "position"),
    "COMPLETEAGENT": ("hold_s", "talk_s", "position"),
    "ABANDON": ("position", "entered", "wait_s"),
    "EXITWITHTIMEOUT": ("position", "entered", "wait_s"),
    "EXITWITHKEY": ("key", "position", "entered", "wait_s"),
    "EXITEMPTY": ("position", "entered", "wait_s"),
    "BLINDTRANSFER": ("to", "context", "hold_s", "talk_s", "position"),
    "ATTENDEDTRANSFER": ("method", "bridge", "hold_s", "talk_s", "position"),
    "TRANSFER": ("to", "context", "hold_s", "talk_s", "position"),
    "PAUSE": ("reason",),
    "UNPAUSE": ("reason",),
    "ADDMEMBER": ("status",),
    "REMOVEMEMBER": (),
}  # fmt: skip
_RANK = {verb: rank for rank, verb in enumerate(PARAMETERS)}
_LEFT = {"ABANDON": "abandoned", "EXITWITHTIMEOUT": "timeout", "EXITWITHKEY": "key", "EXITEMPTY": "empty"}
_TALKED = {"COMPLETECALLER": "customer", "COMPLETEAGENT": "agent"}
_PASSED = {"BLINDTRANSFER": "blind", "ATTENDEDTRANSFER": "attended", "TRANSFER": None}
_SEAT = {"PAUSE": "busy", "UNPAUSE": "ready", "ADDMEMBER": "ready", "REMOVEMEMBER": "offline"}


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line: what happened, and its parameters by name."""

    at: datetime
    call: str | None
    queue: str | None
    agent: str | None
    verb: str
    values: dict[str, str]

    def number(self, name: str) -> int | None:
        """A parameter in its own unit, None where it is empty or no number."""
        value = self.values.get(name, "")
        return int(value) if _NUMBER.fullmatch(value) else None


@dataclass(frozen=True, slots=True)
class LoggedCall:
    """One visit to a queue, as Asterisk's own log has it.

    ``outcome``: answered, abandoned, timeout, key, empty, open, or queued where the caller went on to another queue.
    """

    call: str
    queue: str
    entered_at: datetime
    connected_at: datetime | None = None
    ended_at: datetime | None = None
    agent: str | None = None
    outcome: str = "open"
    wait_s: int | None = None
    ring_s: int | None = None


def read_line(line: str) -> LogLine | Refusal | None:
    """One line; a Refusal says which field is wrong; None for a verb that is of no concern here, or an empty line."""
    if not line.strip():
        return None
    parts = line.rstrip("\r\n").split("|")
    if len(line) > LINE_CHARS or len(parts) > MOST_FIELDS or not line.rstrip("\r\n").isprintable():
        return Refusal(
            "line", f"is no line of queue_log: over {LINE_CHARS} characters, {MOST_FIELDS} fields, or not text"
        )
    if len(parts) < 5:
        return Refusal("line", f"has {len(parts)} fields; queue_log has epoch|call|queue|agent|EVENT|…")
    at = _moment(parts[0])
    if at is None:
        return Refusal(
            "time", f"{parts[0][:40]!r} is neither epoch seconds nor a date with time and offset of our days"
        )
    for name, value in zip(("call", "queue", "agent"), parts[1:4], strict=True):
        if not _NAME.fullmatch(value):
            return Refusal(name, f"{value[:40]!r} is no name")
    verb = parts[4].strip().upper()
    if verb not in PARAMETERS:
        return None
    call, queue, agent = (None if value.strip() in ("", "NONE") else value.strip() for value in parts[1:4])
    if verb not in _SEAT and (call is None or queue is None):
        return Refusal("call" if call is None else "queue", f"is missing; every {verb} line names it")
    values = {name: value.strip()[:TEXT_CHARS] for name, value in zip(PARAMETERS[verb], parts[5:], strict=False)}
    return _checked(LogLine(at, call, queue, agent, verb, values))


def _checked(line: LogLine) -> LogLine | Refusal:
    for name, value in line.values.items():
        if name.endswith(("_s", "_ms")) and value and not _NUMBER.fullmatch(value):
            return Refusal(name, f"{value[:40]!r} is no whole number")
        if name.endswith("_s") and value and int(value) > LONGEST_S:
            return Refusal(name, f"{value} s is longer than a week")
    return line


def _moment(text: str) -> datetime | None:
    """The first column: epoch seconds by default, a date with ``queue_log_realtime_use_gmt`` and the like."""
    if _EPOCH.fullmatch(text):
        at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=int(text.partition(".")[0]))
        return at if YEARS[0] <= at.year < YEARS[1] else None
    if not _DAY.fullmatch(text):
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return None if at.tzinfo is None or not YEARS[0] < at.year < YEARS[1] - 1 else at.astimezone(UTC)


@dataclass(slots=True)
class _Open:
    """A call that has not ended: its visit, and what has been told."""

    visit: LoggedCall
    number: str | None


class QueueLog:
    """``feed`` line by line gives the events of each; ``done`` and ``unfinished`` are the visits to queues."""

    def __init__(self, config: AmiConfig, names: Names | None = None) -> None:
        self._config = config
        self._names = names or Names(config)
        self._open: dict[str, _Open] = {}
        self._states: dict[str, dict[str, str]] = {}  # seat -> queue -> state
        self.done: list[LoggedCall] = []

    @property
    def source(self) -> str:
        """Its own clock and its own grain: another source than the PBX's live events."""
        return f"{self._config.pbx}-log"

    @property
    def unfinished(self) -> list[LoggedCall]:
        return [one.visit for one in self._open.values()]

    def feed(self, line: LogLine) -> list[dict[str, Any]]:
        if not self._names.queue(line.queue) and line.verb not in _SEAT:
            return []
        if line.verb in _SEAT:
            return list(self._seat(line))
        assert line.call is not None and line.queue is not None
        known = self._open.get(line.call)
        if line.verb == "ENTERQUEUE":
            return list(self._enter(line, line.call, line.queue))
        if known is None:  # the log begins in the middle of the call
            known = self._keep(line.call, _Open(LoggedCall(self._id(line.call), line.queue, line.at), None))
        return list(self._goes_on(line, known))

    def _enter(self, line: LogLine, call: str, queue: str) -> Iterator[dict[str, Any]]:
        if (before := self._open.pop(call, None)) is not None:
            outcome = "queued" if before.visit.outcome == "open" else before.visit.outcome
            self.done.append(replace(before.visit, ended_at=line.at, outcome=outcome))
        number = line.values.get("number", "").strip()
        one = self._keep(call, _Open(LoggedCall(self._id(call), queue, line.at), mask(number) if number else None))
        yield self._event(line, one, "offered", line.at, direction="in", queue=queue, number=one.number)

    def _keep(self, call: str, one: _Open) -> _Open:
        if len(self._open) >= MOST_OPEN:
            self.done.append(self._open.pop(next(iter(self._open))).visit)
        self._open[call] = one
        return one

    def _goes_on(self, line: LogLine, one: _Open) -> Iterator[dict[str, Any]]:
        if line.verb == "CONNECT":
            yield from self._connect(line, one)
        elif line.verb in ("RINGNOANSWER", "RINGCANCELED"):
            return  # written of phones that were never there, too: it blames nobody
        elif line.verb in _PASSED:
            to, how = self._names.dialled(line.values.get("to") or None), _PASSED[line.verb]
            yield self._event(line, one, "transferred", line.at, **self._who(line), to=to, how=how)
            self._end(line, one, one.visit.outcome)
        elif line.verb == "EXITWITHKEY":
            yield self._event(line, one, "redirected", line.at, cause="key")
            self._end(line, one, "key")
        else:
            by = _TALKED.get(line.verb) or ("customer" if line.verb == "ABANDON" else "system")
            yield self._event(line, one, "ended", line.at, by=by)
            self._end(line, one, "answered" if line.verb in _TALKED else _LEFT[line.verb])

    def _connect(self, line: LogLine, one: _Open) -> Iterator[dict[str, Any]]:
        """Answered, so it did ring: for the whole seconds that the log gives."""
        ring, wait, who = line.number("ring_s"), line.number("hold_s"), self._who(line)
        one.visit = replace(
            one.visit, connected_at=line.at, agent=who["agent"], outcome="answered", wait_s=wait, ring_s=ring
        )
        if ring is not None:
            since = line.at - timedelta(seconds=ring)
            yield self._event(line, one, "offered", since, **who, queue=one.visit.queue)
            yield self._event(line, one, "ringing", since, **who)
        yield self._event(line, one, "answered", line.at, **who)

    def _who(self, line: LogLine) -> dict[str, str | None]:
        """Seat and agent of a queue's member, which the log calls by its name, or by its device."""
        if line.agent is None:
            return {"seat": None, "agent": None}
        if "/" in line.agent:
            return {"seat": self._names.member(line.agent, None, None), "agent": None}
        seat = self._config.seats.get(line.agent) or self._names.named(line.agent)
        return {"seat": seat, "agent": line.agent if self._config.members_are_agents else None}

    def _end(self, line: LogLine, one: _Open, outcome: str) -> None:
        wait = line.number("wait_s")
        self.done.append(
            replace(one.visit, ended_at=line.at, outcome=outcome, wait_s=one.visit.wait_s if wait is None else wait)
        )
        if line.call is not None:
            del self._open[line.call]

    def _seat(self, line: LogLine) -> Iterator[dict[str, Any]]:
        """Once per queue in the log as on the wire; a seat is busy when it is so in every queue that has named it."""
        who = self._who(line)
        seat = who["seat"]
        if seat is None or line.queue is None:
            return
        queues = self._states.setdefault(seat, {})
        before = _together(queues)
        queues[line.queue] = _SEAT[line.verb]
        status = _together(queues)
        if status == before:
            return
        reason = line.values.get("reason", "").strip() or None if status == "busy" else None
        yield self._stamp(line, "seat", line.at, **who, status=status, reason=reason, confidence="inferred")

    def _id(self, call: str) -> str:
        return f"{self._config.pbx}-{call}"[:128]

    def _event(self, line: LogLine, one: _Open, kind: str, at: datetime, **own: Any) -> dict[str, Any]:
        return self._stamp(line, kind, at, call=one.visit.call, **own)

    def _stamp(self, line: LogLine, kind: str, at: datetime, **own: Any) -> dict[str, Any]:
        """``seq`` orders what one second holds; ``resolution_s`` says how fine the times are."""
        ident = f"{int(line.at.timestamp())}:{line.call}:{line.queue}:{line.agent}:{line.verb}:{kind}"
        event = {
            "source": self.source,
            "id": ident[:128],
            "at": at.isoformat(),
            "type": kind,
            "seq": _RANK[line.verb],
            "resolution_s": RESOLUTION_S,
            "origin": "queue_log",
            **own,
        }
        return {key: value for key, value in event.items() if value is not None}


def _together(queues: dict[str, str]) -> str | None:
    states = set(queues.values()) - {"offline"}
    if not queues:
        return None
    return "offline" if not states else "ready" if "ready" in states else "busy"


def read_calls(lines: Iterable[str], config: AmiConfig) -> list[LoggedCall]:
    """Every visit to a queue that a log tells of, the open ones last."""
    log = QueueLog(config)
    for line in _good(lines):
        log.feed(line)
    return log.done + log.unfinished


def fill(
    lines: Iterable[str], config: AmiConfig, names: Names, since: datetime, until: datetime
) -> list[dict[str, Any]]:
    """What a log knows of a time in which nobody listened: all of every call that it touches, and seats' states."""
    log, touched = QueueLog(config, names), set()
    told: list[tuple[LogLine, dict[str, Any]]] = []
    for line in _good(lines):
        within = since - timedelta(seconds=RESOLUTION_S) <= line.at <= until
        if within and line.call is not None:
            touched.add(line.call)
        told += [(line, event) for event in log.feed(line) if line.call is not None or within]
    return [event for line, event in told if line.call is None or line.call in touched]


def _good(lines: Iterable[str]) -> Iterator[LogLine]:
    return (line for text in lines if isinstance(line := read_line(text), LogLine))
