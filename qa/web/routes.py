"""The one table of routes: who may ask for what and what comes back. A route that is not here is not served."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiohttp import web
from pydantic import BaseModel

from qa.store.people import Role
from qa.web import (
    board,
    board_models,
    calls,
    captures,
    contract,
    health,
    imports,
    live,
    models,
    month_models,
    periods,
    recording,
    records,
    seat_times,
    setup,
    setup_models,
    site,
)

Asked = Callable[[web.Request], Awaitable[web.StreamResponse]]
API = "/api/v1"
JSON = "application/json"

ANYBODY = frozenset({"anybody"})
PEOPLE = frozenset({Role.AGENT, Role.SUPERVISOR, Role.REVIEWER, Role.ASSESSOR, Role.HANDLER, Role.OWNER, Role.AUDITOR})
# An agent reads own calls only and a reviewer assigned ones: rows are narrowed when login exists.
SCORES = frozenset({Role.AGENT, Role.SUPERVISOR, Role.REVIEWER, Role.ASSESSOR, Role.OWNER, Role.AUDITOR})
WORDS = frozenset({Role.AGENT, Role.SUPERVISOR, Role.REVIEWER, Role.OWNER})  # audio and transcripts
KEEPERS = frozenset({Role.SUPERVISOR, Role.REVIEWER, Role.ASSESSOR, Role.HANDLER, Role.OWNER, Role.AUDITOR})
SENDERS = frozenset({Role.ASSESSOR, Role.HANDLER, Role.OWNER, Role.SOURCE})  # a handler: cases only
OWNERS = frozenset({Role.OWNER})
MONTH = frozenset({Role.SUPERVISOR, Role.ASSESSOR, Role.OWNER, Role.AUDITOR})
CLOSERS = frozenset({Role.ASSESSOR, Role.OWNER})
FLOOR = frozenset({Role.SUPERVISOR, Role.OWNER, Role.AUDITOR})  # a supervisor: own teams, when login exists
TIMES = FLOOR | {Role.ASSESSOR}
WATCHERS = frozenset({Role.OWNER, Role.ADMIN, Role.AUDITOR})


@dataclass(frozen=True, slots=True)
class Route:
    """One address: its handler, the roles that may use it, and the form of its answer."""

    path: str
    handler: Asked
    roles: frozenset[str]
    summary: str
    answer: type[BaseModel] | None = None
    query: type[BaseModel] | None = None
    media: str = JSON
    errors: tuple[int, ...] = ()
    method: str = "GET"
    body: type[BaseModel] | None = None
    takes: tuple[str, ...] = (JSON,)  # media types of the body of a POST

    @property
    def name(self) -> str:
        return self.handler.__name__


async def get_openapi(request: web.Request) -> web.Response:
    from qa.web.openapi import document

    return web.json_response(document(ROUTES))


CALL = f"{API}/calls/{{id}}"
PERIOD = f"{API}/periods/{{month}}"
AUDIO = "audio/*"
GONE = (404,)
ROUTES: tuple[Route, ...] = (
    Route(f"{API}/site", site.get_site, PEOPLE, "The site, its regulation and its totals", models.Site),
    Route(f"{API}/calls", calls.list_calls, SCORES, "Calls, a page at a time", models.CallPage, calls.CallsQuery),
    Route(CALL, calls.get_call, SCORES, "One call, its measures and its run", models.Call, errors=GONE),
    Route(
        f"{CALL}/transcript", calls.get_transcript, WORDS, "What was said; logged first",
        models.Transcript, calls.OpenQuery, errors=GONE,
    ),
    Route(
        f"{CALL}/scorecard", calls.get_scorecard, SCORES, "Every line with citation and evidence; logged first",
        models.Scorecard, calls.OpenQuery, errors=GONE,
    ),
    Route(f"{CALL}/events", calls.get_events, SCORES, "The signalling of one call", models.Events, errors=GONE),
    Route(
        f"{CALL}/recording", recording.get_recording, WORDS, "The recording, whole or by byte range; logged first",
        None, calls.OpenQuery, AUDIO, (404, 416),
    ),
    Route(
        f"{API}/records", records.list_records, KEEPERS, "Records that hold now, the last taken first",
        models.RecordPage, records.RecordsQuery,
    ),
    Route(
        f"{API}/records", records.post_records, SENDERS, "Take records: all of them or, with `partial`, what is right",
        models.Taken, records.TakeQuery, errors=(403, 413, 415, 422), method="POST", body=models.Records,
        takes=(JSON, records.LINES),
    ),
    Route(
        f"{API}/records/{{id}}", records.get_record, KEEPERS, "A record with all its versions", models.RecordVersions,
        errors=GONE,
    ),
    Route(f"{API}/deliveries", records.list_deliveries, KEEPERS, "The last imports of records", models.Deliveries),
    Route(f"{API}/registers", records.get_registers, KEEPERS, "Since when registers are connected", models.Registers),
    Route(
        f"{API}/registers", records.post_register, OWNERS, "Connect a register from a day on, or let it go",
        models.Registers, errors=(400, 403, 415), method="POST", body=models.Connect,
    ),
    Route(
        f"{API}/import", imports.post_import, SENDERS, "Take a file of records: JSON Lines, YAML, CSV or a workbook",
        models.Imported, imports.ImportQuery, errors=(403, 413, 415, 422), method="POST", takes=(imports.BYTES,),
    ),
    Route(f"{API}/people", records.get_people, KEEPERS, "Everybody in calls and records", models.People),
    Route(f"{API}/me", records.get_me, PEOPLE, "Who asks, and as what", models.Me),
    Route(f"{API}/kinds", contract.get_kinds, KEEPERS, "What a record of each kind may say", models.Kinds),
    Route(
        f"{API}/kinds/{{id}}/template", contract.get_template, KEEPERS, "The head of a table of that kind",
        media=contract.CSV, errors=GONE,
    ),
    Route(
        f"{API}/rules", contract.get_rules, KEEPERS, "Rules that take what a person saw", models.ObservedRules,
        contract.RulesQuery, errors=GONE,
    ),
    Route(f"{API}/periods", periods.list_months, MONTH, "Closed months and the open one", month_models.MonthNames),
    Route(PERIOD, periods.get_month, MONTH, "Everybody's month", month_models.Month, errors=GONE),
    Route(
        f"{PERIOD}/close", periods.close_month, CLOSERS, "Freeze a month that is over", month_models.Month,
        errors=(404, 409), method="POST",
    ),
    Route(
        f"{PERIOD}/{{agent}}", periods.get_month_sheet, MONTH | {Role.AGENT},
        "One sheet with every line; an agent's own only", month_models.MonthSheet, periods.SheetQuery, errors=GONE,
    ),
    Route(
        f"{PERIOD}/{{agent}}/decide", periods.decide_recommendation, CLOSERS,
        "Review, approve or reject a recommendation; a dismissal takes two people",
        month_models.DecisionTaken, errors=(403, 404, 409, 415, 422), method="POST", body=month_models.Decision,
    ),
    Route(
        f"{PERIOD}/{{agent}}/adjust", periods.adjust_month, CLOSERS,
        "Adjust somebody's closed month, or take an adjustment back; the next open month carries it",
        month_models.AdjustmentTaken, errors=(403, 404, 409, 415, 422), method="POST", body=month_models.Adjustment,
    ),
    Route(f"{API}/episodes", calls.list_episodes, SCORES, "Stretches in which nobody was at a seat", models.Episodes),
    Route(f"{API}/board", board.get_board, FLOOR, "Every seat now, its call, and alarms", board_models.Board),
    Route(
        f"{API}/board/events", board.board_events, FLOOR,
        "Server-sent events: `snapshot` (the form of /board), `delta` (this form), `beat`, `status` of the database; "
        "a screen that comes back with `Last-Event-ID` is told what it missed",
        board_models.BoardDelta, board.FeedQuery, media="text/event-stream",
    ),
    Route(
        f"{API}/seats/{{seat}}", seat_times.get_seat_line, TIMES, "One seat's time line and times",
        board_models.SeatLine, seat_times.StretchQuery, errors=GONE,
    ),
    Route(
        f"{API}/seat-times", seat_times.get_seat_times, TIMES, "How long each seat or agent was in which state",
        board_models.SeatTimes, seat_times.TimesQuery,
    ),
    Route(
        f"{API}/captures", captures.get_captures, TIMES, "How much of each day was recorded, by other systems' lists",
        captures.Captures, captures.CapturesQuery,
    ),
    Route(
        f"{API}/seat-times.csv", seat_times.get_seat_times_table, TIMES, "The same as a table",
        None, seat_times.TimesQuery, seat_times.CSV,
    ),
    Route(
        f"{API}/stream", live.stream, SCORES, "Server-sent events `snapshot` and `change` with this form",
        models.Change, media="text/event-stream",
    ),
    Route(
        f"{API}/setup", setup.get_setup, OWNERS | {Role.AUDITOR}, "What first set-up asks, with what stands; no secret",
        setup_models.SetupState, errors=(409,),
    ),
    Route(
        f"{API}/setup", setup.write_setup, OWNERS, "What answers would change; with `write` settings, overlay, people",
        setup_models.Wrote, errors=(400, 403, 409, 415), method="POST", body=setup_models.Writing,
    ),
    Route(
        f"{API}/setup/try", setup.try_setup, OWNERS, "Try one step: its faults, and what is found on the real thing",
        setup_models.Tried, errors=(400, 403, 409, 415), method="POST", body=setup_models.Trial,
    ),
    Route(
        f"{API}/setup/people.csv", setup.get_people_template, OWNERS | {Role.AUDITOR}, "The head of a table of people",
        media=contract.CSV,
    ),
    Route(f"{API}/openapi.json", get_openapi, ANYBODY, "This description"),
    Route("/healthz", health.healthz, ANYBODY, "The process lives", models.Health),
    Route("/readyz", health.readyz, ANYBODY, "Database, schema, backlog, model; 503 if one is not well", models.Ready),
    Route("/metrics", health.metrics, WATCHERS, "Figures for Prometheus", media="text/plain"),
)  # fmt: skip
