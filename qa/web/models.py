"""The forms in which the API speaks: one pydantic model per answer. No reading of the store, no HTTP."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Role = Literal["agent", "customer", "unknown"]
State = Literal["live", "ended", "recorded", "transcribed", "scored", "failed"]
Outcome = Literal["na", "clear", "breach", "met", "unknown"]
Decide = Literal["auto", "review", "manual", "norm"]
Points = Annotated[str, Field(pattern=r"^-?\d+(\.\d+)?$", description="decimal number as text")]


class Shape(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Titles(Shape):
    """One title in the three languages; a language may be missing."""

    zh: str | None = None
    ko: str | None = None
    en: str | None = None


class RefusedRecord(Shape):
    """Why a record was not taken: its place in the list, or the number of its line in a file, and the field."""

    index: int
    sheet: str | None = None
    id: str | None = None
    field: str
    reason: str


class Problem(Shape):
    """RFC 9457 problem details; `refused` where records were sent."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    instance: str
    refused: list[RefusedRecord] | None = None


class Totals(Shape):
    """How many calls and seat episodes there are by what became of them; `unknown` counts calls with such a line."""

    calls: int
    live: int
    scored: int
    flagged: int
    unknown: int
    assumed: int
    failed: int
    unassigned: int = Field(description="nobody's, scored for nobody")
    orphans: int = Field(description="signalling or audio of them never came")
    episodes: int


class Site(Shape):
    """What the screens say at their head: which site, whose machine, how far its text is trusted."""

    site: str
    version: str
    timezone: str
    language: str
    pack: str
    pack_version: str | None
    loopback_only: Literal[True] = True
    text_trusted: bool = Field(description="the site's overlay lets rules count that rest on recognised text")
    synthetic_trusted: bool = Field(description="the site scores text of the bundled test model: the demo site only")
    agents: list[str]
    totals: Totals


class Score(Shape):
    """`automatic`: by the machine alone; `counted`: what trust and people have let through."""

    automatic: Points
    counted: Points
    assumed: bool
    unknown: int


class Flag(Shape):
    """A rule that asks for a look, with what it is called."""

    rule: str
    cite: str
    title: Titles


class Flags(Shape):
    """Lines of the current scorecard that ask for a look."""

    breach: list[Flag] = Field(description="rules whose breach counts or is decided by the machine")
    review: list[Flag] = Field(description="rules flagged for a person")
    unknown: dict[str, int] = Field(description="undecided lines by cause")


PartKind = Literal["first", "later", "transferred", "consulted", "missed"]


class Part(Shape):
    """Which part of its conversation a call is."""

    kind: PartKind = Field(
        description="`missed`: a seat rang and did not answer; `consulted`: never had the customer; `transferred`: "
        "a later part of a conversation in which a transfer was told; `later`: of another one"
    )
    number: int = Field(description="from 1: of the seats that answered, or of the missed rings")


class PartRow(Part):
    """One part of a conversation, for the way to it."""

    id: str
    seat: str | None
    agent: str | None
    at: datetime = Field(description="since when this seat was concerned")


class CallRow(Shape):
    """One call as the list shows it."""

    id: str
    state: State
    at: datetime | None
    agent: str | None
    seat: str | None
    direction: Literal["in", "out", "internal"] | None
    end: str | None
    ring_count: int | None
    ring_seconds: float | None
    answer_seconds: float | None
    talk_seconds: float | None
    score: Score | None
    flags: Flags
    recording: bool
    synthetic: bool
    parts: list[str] = Field(
        [],
        description="ids of all parts of the conversation, in the order of their answers, then missed rings;"
        " empty where it has one",
    )
    part: Part | None = Field(None, description="null: the whole conversation is this one part")
    orphan: Literal["no signalling", "no media", "adopted"] | None = Field(
        None, description="what of it never came; adopted: its audio belongs to the call that `parts` names"
    )
    concluded: Literal["legs_over", "silent", "withdrawn"] | None = Field(
        None, description="nobody said that it ended: all its audio was over, or nothing more came"
    )
    warnings: list[str] = Field(
        description="`clock_doubted`, `out_of_turn`, `failed`, `no_signalling`, `no_media`, `adopted`, `unended`, "
        "`withdrawn`"
    )


class CallPage(Shape):
    items: list[CallRow]
    next: str | None = Field(description="cursor of the next page; null at the end")


class Metrics(Shape):
    """Measures of one call; what cannot be known is null."""

    ring_count: int | None = None
    ring_seconds: float | None = None
    ring_period_seconds: float | None = None
    ring_source: str | None = None
    queue_seconds: float | None = Field(
        default=None, description="from the queue to the seat's own offer; null without a queue"
    )
    wrap_up_seconds: float | None = Field(
        default=None, description="after the call, where the seat's own state told it"
    )
    answer_seconds: float | None = None
    talk_seconds: float | None = None
    hold_seconds: float | None = None
    silence_seconds: float | None = None
    talk_over_seconds: float | None = None
    agent_share: float | None = None
    hung_up_by: str | None = None


class Gap(Shape):
    """Audio that is missing, in milliseconds from the answer."""

    role: Role
    start_ms: int
    end_ms: int
    cause: str


class Recording(Shape):
    """The stored audio; `answer_ms` is where the answer stands in the file."""

    duration_ms: int | None
    answer_ms: int
    channels: Literal["split", "mixed"]
    roles: list[Role] = Field(description="who speaks in each channel, in order")
    content_type: str
    bytes: int | None
    gaps: list[Gap]


class Run(Shape):
    """What names one scoring: the same inputs give the same bytes."""

    pack: str
    pack_version: str
    engine: int
    day: str | None
    inputs: str
    sequence: int | None = None
    at: datetime | None = None


class Offer(Shape):
    """One seat's chance to take the call; `lost`: another seat was quicker."""

    seat: str | None
    agent: str | None
    ring_seconds: float | None = Field(description="null where the seat's phone did not ring")
    end: Literal["answered", "lost", "no_answer", "cancelled"] | None = Field(description="null while it is open")


class Call(CallRow):
    """One call with what its page needs beside transcript, scorecard and events."""

    queue: str | None
    metrics: Metrics
    recording_info: Recording | None
    gaps: list[Gap]
    run: Run | None
    offers: list[Offer] = Field([], description="each seat that the call was offered to, in order")
    conversation: list[PartRow] = Field([], description="all parts of the conversation, in the order of their rings")
    channels: Literal["split", "mixed", "none"]


class Turn(Shape):
    """One utterance in milliseconds from the answer."""

    role: Role
    start_ms: int
    end_ms: int
    text: str
    confidence: str | None
    doubted: bool = False


class Hit(Shape):
    """A phrase found in a turn; `text` is as it stands in the turn."""

    category: str
    entry: str
    role: Role
    start_ms: int
    end_ms: int
    text: str
    how: str
    turn: int
    severity: str = "ordinary"


class Transcript(Shape):
    engine: str | None
    model: str | None
    language: str | None
    synthetic: bool
    turns: list[Turn]
    hits: list[Hit]


class Evidence(BaseModel):
    """A span of audio, a fact of the signalling, or a setting; more keys may follow by kind."""

    model_config = ConfigDict(extra="allow")

    kind: str
    fact: str | None = None
    value: Any = None
    role: Role | None = None
    start_ms: int | None = None
    end_ms: int | None = None
    why: str | None = None
    text: str | None = None


class Line(Shape):
    """One rule applied to one subject."""

    rule: str
    cite: str
    title: Titles
    outcome: Outcome
    decide: Decide
    counts: bool
    points: Points
    assumed: bool
    quote: str
    cause: str | None
    event: str | None
    evidence: list[Evidence]


class Scorecard(Shape):
    subject: str
    agent: str | None
    run: Run
    lines: list[Line]
    total: Score


class EventRow(Shape):
    """One stored signalling event; `offset_ms` counts from the first event of its subject."""

    id: str
    source: str
    at: datetime
    offset_ms: int
    type: str
    leg: str | None
    seat: str | None
    agent: str | None
    detail: dict[str, Any]


class Events(Shape):
    items: list[EventRow]


class Episode(Shape):
    """A stretch in which nobody was seen at a seat, with its scorecard once it is scored."""

    subject: str
    seat: str | None
    agent: str | None
    at: datetime | None
    until: datetime | None
    away_seconds: float | None
    ready_seconds: float | None
    status: str | None
    source: str | None
    flags: Flags
    scorecard: Scorecard | None


class Episodes(Shape):
    items: list[Episode]


class Records(Shape):
    """What is sent: records in the form of the import contract, with `kind` and `id`."""

    records: Annotated[list[dict[str, Any]], Field(max_length=1000)]


class Taken(Shape):
    """What became of records that were sent; what stood already is a duplicate."""

    accepted: int
    duplicates: int
    refused: list[RefusedRecord]


class Imported(Taken):
    """What became of a file; ``refused`` holds the first lines only, ``refused_lines`` counts all."""

    file: str
    refused_lines: int
    kinds: dict[str, int]


class KeptRecord(Shape):
    """A record in the form of the import contract, with who entered this version and when."""

    record: dict[str, Any]
    version: int
    actor: str
    made_at: datetime


class RecordPage(Shape):
    items: list[KeptRecord]
    next: str | None = Field(description="cursor of the next page; null at the end")


class RecordVersions(Shape):
    """Oldest first. The last one holds, unless it is `void`."""

    items: list[KeptRecord]


class Delivery(Shape):
    """One import: a file, or a request."""

    id: str
    name: str
    accepted: int
    duplicates: int
    refused: int
    actor: str
    made_at: datetime


class Deliveries(Shape):
    items: list[Delivery]


class Register(Shape):
    """What is not in a connected register did not happen; `since` null: not connected, its rules stay unknown."""

    name: Literal["leave", "attendance", "case"]
    since: date | None


class Registers(Shape):
    items: list[Register]


class Connect(Shape):
    """A register and its first day; null lets it go."""

    name: Literal["leave", "attendance", "case"]
    since: date | None


class People(Shape):
    """Everybody who stands in a call or a record."""

    agents: list[str]


class Me(Shape):
    """Who asks, and as what."""

    actor: str
    role: str


class ContractField(Shape):
    """One field of a kind: the contract's name of its type, and its words; `open`: others may be written too."""

    name: str
    type: str
    need: bool
    values: list[str]
    open: bool


class Kind(Shape):
    """One kind of record; exactly one of `when` says when."""

    kind: str
    when: list[str]
    sources: list[str]
    fields: list[ContractField]


class CaseType(Shape):
    """One process; levels and classes without words are free."""

    stages: list[str]
    levels: list[str]
    classes: list[str]


class Kinds(Shape):
    """The import contract: kinds, the pieces of their lists, processes, and figures with their units."""

    kinds: list[Kind]
    parts: dict[str, list[ContractField]]
    case_types: dict[str, CaseType]
    figures: dict[str, str]


class PrintedRange(Shape):
    min: Points
    max: Points


class ObservedRule(Shape):
    """A rule that takes what a person saw: its clause, and the points that may be set."""

    rule: str
    cite: str
    title: Titles
    quote: str
    quote_ko: str | None
    decide: Decide
    per: str
    on: bool
    why: str | None = Field(description="why it is switched off, if its pack says so")
    points: Points | None = Field(description="what one costs or brings; null: none, or set within a range")
    assumed: bool
    ranges: list[PrintedRange]
    worth: Points | None = Field(description="what an item of an assessment sheet is worth")


class ObservedRules(Shape):
    """Rules of one regulation, and the names of all that can be asked for."""

    pack: str
    title: Titles
    packs: list[str]
    items: list[ObservedRule]


class Change(Shape):
    """What the stream says: calls with news, whole, and the totals."""

    calls: list[CallRow]
    totals: Totals


class Health(Shape):
    status: Literal["ok"]


class Check(Shape):
    name: str
    ok: bool
    detail: str


class Ready(Shape):
    ready: bool
    checks: list[Check]
