"""The eighteen kinds of records, each as a model, with the words they share: stages of cases and names of figures.

The shapes follow the data contract; which fields a kind cannot do without stands in its NEED. No I/O.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType, UnionType
from typing import Annotated, Any, ClassVar, Literal, Union, get_args, get_origin, get_type_hints

from pydantic import Field, PlainValidator

from scoring.records.call import CallRecord, GapRow, HitRow, Hold, Transfer, TurnRow
from scoring.records.envelope import Dated, Envelope, Part
from scoring.records.fields import (
    Count,
    Day,
    Exact,
    Flag,
    Is,
    Line,
    Lines,
    Milliseconds,
    Moment,
    Ref,
    Rules,
    Span,
    Text,
    Word,
    number,
)  # fmt: skip

# Words of open lists. A site may use further ones; these are known, and screens offer them.
OPEN: Mapping[tuple[str, str], tuple[str, ...]] = MappingProxyType(
    {
        ("person", "role"): (
            "agent", "expert", "specialist", "team_leader", "supervisor", "manager", "head", "salesman",
            "area_manager", "field_rep",
        ),
        ("shift", "pattern"): ("day", "early", "late", "evening", "night", "on_call"),
        ("shift", "duty"): (
            "seat", "reception", "enquiry", "rescue", "complaint", "cleaning", "head_at_seat",
        ),
        ("work_order", "order_class"): (
            "fault", "activation", "dispatch", "incident", "outage", "service", "delivery_chase", "goods", "return",
            "question", "task",
        ),
        ("report", "report"): (
            "shift_handover", "weekly_summary", "weekly_report", "visit_record", "monthly_statistics",
            "monthly_report", "maintenance_summary", "dealer_daily", "rebate_table", "advertising_plan",
            "promotion_plan", "promotion_review", "parts_plan", "assessment_sheet", "monthly_count", "payout",
            "knowledge", "script",
        ),
        ("exam", "exam"): ("service", "business", "product", "process", "putonghua", "typing", "knowledge"),
        ("event", "event"): ("meeting", "training", "contest", "campaign", "launch", "promotion"),
        ("rating", "form"): (
            "revisit", "service_4x4", "shop_rating", "dealer", "soft", "factors", "self_manager",
            "satisfaction_sheet", "qa_sheet",
        ),
        ("case", "channel"): ("phone", "mail", "web", "letter", "visit", "box"),
        ("case", "cause"): (
            "service_quality", "quarrel", "attitude", "not_proactive", "slow", "wrong_answer", "quality",
            "transport", "other",
        ),
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class CaseType:
    """One process: its stages in order, and the words its levels and classes are known by (none = free)."""

    stages: tuple[str, ...]
    levels: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()


def _case(stages: str, levels: str = "", classes: str = "") -> CaseType:
    return CaseType(tuple(stages.split()), tuple(levels.split()), tuple(classes.split()))


CASE_TYPES: Mapping[str, CaseType] = MappingProxyType(
    {
        "complaint": _case(
            "received accepted escalated investigated reported marketing rd service approval solved replied analysed "
            "closed refused reviewed"
        ),
        "loss": _case("found reported decided withheld"),
        "sanction": _case(
            "proposed heard reviewed approved rejected offset",
            levels="criticism warning minor_demerit demerit suspension wage_cut removal transfer dismissal",
        ),
        "award": _case("proposed approved rejected", classes="performance special manager_bonus"),
        "proposal": _case(
            "proposed trial_ok adopted rolled_out rejected", classes="suggestion process_change rationalisation"
        ),
        "promotion": _case(
            "proposed reviewed approved notified effective",
            levels="vice_chair head below_head staff",
            classes="regular irregular probation",
        ),
        "dismissal": _case(
            "proposed investigated heard approved approved_again notified certificate appealed registered left"
        ),
        "resignation": _case("filed opinion approved notice registered left"),
        "handover": _case(
            "started listed reminded signed reviewed done concealed", classes="departure transfer promotion"
        ),
        "appraisal": _case("draft discussed final corrected"),
        "improvement_plan": _case("notified submitted done"),
        "cycle": _case("opened planned carried_out discussed closed", classes="appraisal quality survey"),
        "form": _case(
            "created approved signed executed certificate",
            classes="remote_service discount return_slip invoice receivable certificate",
        ),
        "lead": _case("recorded assigned signed"),
        "trip": _case("target_set started ended reported"),
        "feedback": _case("received answered"),
    }
)

_UNITS = {
    "money": (
        "sales repeat_orders commission wage wage_daily_average minimum_wage total_pay base_pay performance_base "
        "post_share index_bonus over_plan_bonus plan plan_network"
    ),
    "share": (
        "complaints_filtered complaints_in_time revisits_satisfied answered_in_three_rings dispatch_on_time "
        "faults_in_time orders_of_enquiries orders_valid orders_paid orders_refunded orders_abnormal "
        "complaints_of_calls"
    ),
    "count": "calls workload_reported workload_actual customers_lost",
    "hours": "overtime",
    "seconds": "refund_time response_time",
    "index": (
        "workload quality contacts solved hard_solved answered handle_time csat leader_sat attendance "
        "staff_performance staff_management team_performance tasks problem_handling refund_rate disputes dsr "
        "internal_complaints sales_growth price_holding cost debt_recovery visit_success"
    ),
}
# Name of a figure -> its unit. A share is a value of a whole (`of`), an index 0 to 100 as supplied.
FIGURES: Mapping[str, str] = MappingProxyType({name: unit for unit, names in _UNITS.items() for name in names.split()})


class Person(Dated):
    """Who works where, as what, since when; valid from ``day`` until the next one."""

    NEED: ClassVar[tuple[str, ...]] = ("agent", "hired")
    FROM: ClassVar[tuple[str, ...]] = ("hr",)
    WHEN: ClassVar[tuple[str, ...]] = ("day",)

    kind: Literal["person"]
    name: Line | None = None
    role: Word | None = None
    hired: Day | None = None
    hired_by: Literal["company", "agency"] | None = None
    graduate: Flag | None = None
    probation_until: Day | None = None
    left: Day | None = None
    trained_rater: Flag | None = None
    pack: Line | None = None


class Shift(Dated):
    """Planned time and duty, also on-call, cover shifts, campaign and cleaning; without agent nobody has the duty."""

    FROM: ClassVar[tuple[str, ...]] = ("roster", "person")
    WHEN: ClassVar[tuple[str, ...]] = ("at", "day")

    kind: Literal["shift"]
    until: Moment | None = None
    pattern: Word | None = None
    duty: Word | None = None
    seat: Line | None = None
    covers: Line | None = None
    voluntary: Flag | None = None
    shortage: Flag | None = None
    exceptional: Flag | None = None
    announced_at: Moment | None = None


class Attendance(Dated):
    """What the clock saw on one working day."""

    NEED: ClassVar[tuple[str, ...]] = ("agent",)
    FROM: ClassVar[tuple[str, ...]] = ("attendance", "person")
    WHEN: ClassVar[tuple[str, ...]] = ("day",)

    kind: Literal["attendance"]
    shift: Ref | None = None
    clock_in: Moment | None = None
    clock_out: Moment | None = None
    late: Span | None = None
    early: Span | None = None
    worked: Span | None = None
    absent: Literal["none", "half", "full"] | None = None
    proxy_by: Line | None = None
    location: Line | None = None


class Leave(Dated):
    """Permission to be away, and when it was asked for."""

    NEED: ClassVar[tuple[str, ...]] = ("agent", "leave")
    FROM: ClassVar[tuple[str, ...]] = ("attendance", "person")
    WHEN: ClassVar[tuple[str, ...]] = ("at", "day")

    kind: Literal["leave"]
    until: Moment | None = None
    leave: Literal["holiday", "sick", "emergency", "break", "post", "swap", "other"] | None = None
    told_at: Moment | None = None
    approved_at: Moment | None = None
    approved_by: Line | None = None


class CalendarDay(Dated):
    """A day that differs from the week: a holiday, a worked weekend."""

    NEED: ClassVar[tuple[str, ...]] = ("workday",)
    FROM: ClassVar[tuple[str, ...]] = ("hr",)
    WHEN: ClassVar[tuple[str, ...]] = ("day",)

    kind: Literal["calendar"]
    workday: Flag | None = None


class ChatTurn(Part):
    role: Literal["agent", "customer"]
    at: Moment
    text: Text
    question: Flag | None = None


class Chat(Dated):
    """One text conversation."""

    NEED: ClassVar[tuple[str, ...]] = ("agent", "turns")
    FROM: ClassVar[tuple[str, ...]] = ("chat",)
    WHEN: ClassVar[tuple[str, ...]] = ("at",)

    kind: Literal["chat"]
    ended_at: Moment | None = None
    turns: Annotated[tuple[ChatTurn, ...], Field(max_length=10_000)] | None = None
    hits: tuple[HitRow, ...] | None = None
    order: Ref | None = None
    offline: Flag | None = None


class SeatStatus(Dated):
    """State of a seat and presence of its person, from ``at`` to ``until``."""

    FROM: ClassVar[tuple[str, ...]] = ("telephony", "presence", "person")
    WHEN: ClassVar[tuple[str, ...]] = ("at",)

    kind: Literal["seat_status"]
    seat: Line | None = None
    until: Moment | None = None
    status: (
        Literal[
            "offline", "ready", "busy", "ringing", "talking", "hold", "wrap_up", "off_hook", "unreachable", "unknown"
        ]
        | None
    ) = None
    confidence: Literal["observed", "snapshot", "inferred"] | None = None
    present: Flag | None = None
    mobile: Flag | None = None
    blocked_calls: Count | None = None


class Correction(Part):
    at: Moment
    cause: Literal["agent_error", "customer", "system"]


class WorkOrder(Dated):
    """Any piece of work with a clock; ``at`` is when it was opened."""

    NEED: ClassVar[tuple[str, ...]] = ("order_class",)
    FROM: ClassVar[tuple[str, ...]] = ("work_orders", "person")
    WHEN: ClassVar[tuple[str, ...]] = ("at",)

    kind: Literal["work_order"]
    order_class: Word | None = None
    extra: Flag | None = None
    major: Flag | None = None
    service_type: Literal["A", "B", "C", "D"] | None = None
    assigned_at: Moment | None = None
    due_at: Moment | None = None
    dispatched_at: Moment | None = None
    returned_at: Moment | None = None
    reported_at: Moment | None = None
    answered_at: Moment | None = None
    closed_at: Moment | None = None
    resolved_online: Flag | None = None
    skipped: Flag | None = None
    province_claim: Flag | None = None
    deviations: Count | None = None
    blanks: Count | None = None
    corrections: tuple[Correction, ...] | None = None
    voucher_signed: Flag | None = None
    steps: Lines | None = None


class Order(Dated):
    """One sale in the shop system; ``at`` is when it was placed."""

    NEED: ClassVar[tuple[str, ...]] = ("agent",)
    FROM: ClassVar[tuple[str, ...]] = ("crm",)
    WHEN: ClassVar[tuple[str, ...]] = ("at",)

    kind: Literal["order"]
    amount: Exact | None = None
    paid_at: Moment | None = None
    reminded_at: Moment | None = None
    confirmed_at: Moment | None = None
    noted_at: Moment | None = None
    sampled: Flag | None = None
    price_error: Flag | None = None
    mismatch: Flag | None = None
    promise_kept: Flag | None = None
    refunded: Flag | None = None


class Report(Dated):
    """A document that is due or handed in; without ``submitted_at`` it was not handed in."""

    NEED: ClassVar[tuple[str, ...]] = ("report",)
    FROM: ClassVar[tuple[str, ...]] = ("work_orders", "person")
    WHEN: ClassVar[tuple[str, ...]] = ("at", "period")

    kind: Literal["report"]
    report: Word | None = None
    due_at: Moment | None = None
    submitted_at: Moment | None = None
    about: Ref | None = None
    chars: Count | None = None
    blanks: Count | None = None
    legible: Flag | None = None
    harm: Flag | None = None


class Figure(Dated):
    """A number that another system has summed up for an agent, a team or the site."""

    NEED: ClassVar[tuple[str, ...]] = ("name", "value")
    FROM: ClassVar[tuple[str, ...]] = (
        "crm", "payroll", "work_orders", "complaints", "survey", "telephony", "attendance", "person",
    )  # fmt: skip
    WHEN: ClassVar[tuple[str, ...]] = ("day", "period")

    kind: Literal["figure"]
    name: Annotated[str, Is("enum")] | None = None
    value: Exact | None = None
    of: Exact | None = None
    target: Exact | None = None


class Exam(Dated):
    """One candidate's result in one test."""

    NEED: ClassVar[tuple[str, ...]] = ("agent", "exam")
    FROM: ClassVar[tuple[str, ...]] = ("exam",)
    WHEN: ClassVar[tuple[str, ...]] = ("day",)

    kind: Literal["exam"]
    exam: Word | None = None
    sitting: Line | None = None
    score: Exact | None = None
    max: Exact | None = None
    passed: Flag | None = None


class Happening(Dated):
    """Something held with people in it: meeting, training, contest, campaign, product launch, promotion."""

    NEED: ClassVar[tuple[str, ...]] = ("event",)
    FROM: ClassVar[tuple[str, ...]] = ("hr", "person")
    WHEN: ClassVar[tuple[str, ...]] = ("at",)

    kind: Literal["event"]
    event: Word | None = None
    until: Moment | None = None
    title: Line | None = None
    present: Lines | None = None
    absent: Lines | None = None
    recorded: Flag | None = None
    announced_at: Moment | None = None
    about: Ref | None = None


WORDS = ("very_satisfied", "satisfied", "fair", "poor", "good", "neutral", "negative")


def _answer(value: object) -> Decimal | str:
    if isinstance(value, str) and value in WORDS:
        return value
    try:
        return number(value)
    except ValueError as error:
        raise ValueError(f"{error}, or one of the words {', '.join(WORDS)}") from None


Answer = Annotated[Decimal | str, PlainValidator(_answer), Is("answer")]


class Rating(Dated):
    """Answers on a form by a person or a customer."""

    NEED: ClassVar[tuple[str, ...]] = ("form", "rater")
    FROM: ClassVar[tuple[str, ...]] = ("survey", "person")
    WHEN: ClassVar[tuple[str, ...]] = ("at", "period")

    kind: Literal["rating"]
    form: Word | None = None
    rater: Literal["superior", "manager", "peer", "subordinate", "self", "customer", "external"] | None = None
    rater_id: Line | None = None
    about: Ref | None = None
    sent_at: Moment | None = None
    answered: Flag | None = None
    satisfied: Flag | None = None
    items: Annotated[dict[str, Answer], Field(max_length=200)] | None = None
    cause: Literal["attitude", "product", "delivery", "other"] | None = None
    context: Literal["busy", "idle", "announced", "unannounced", "stranger", "regular"] | None = None


class Observation(Dated):
    """What a person saw, judged or confirmed; also item points and points inside a printed range."""

    NEED: ClassVar[tuple[str, ...]] = ("reason", "rule")
    FROM: ClassVar[tuple[str, ...]] = ("person",)
    WHEN: ClassVar[tuple[str, ...]] = ("at", "day", "period")

    kind: Literal["observation"]
    rule: Rules | None = None
    outcome: Literal["breach", "clear", "met"] | None = None
    n: Annotated[Count, Field(ge=1)] | None = None
    points: Exact | None = None
    severity: Literal["light", "ordinary", "serious"] | None = None
    confirmed: Flag | None = None
    about: Ref | None = None
    event: Line | None = None
    start_ms: Milliseconds | None = None
    end_ms: Milliseconds | None = None
    reviewer: Line | None = None


class Case(Dated):
    """One step of a process; records of one process share ``case``, and what a step said holds until a later one."""

    NEED: ClassVar[tuple[str, ...]] = ("case", "stage")
    FROM: ClassVar[tuple[str, ...]] = ("complaints", "hr", "person")
    WHEN: ClassVar[tuple[str, ...]] = ("at",)

    kind: Literal["case"]
    case: Line | None = None
    case_type: Annotated[str, Is("enum")] | None = None
    stage: Annotated[str, Is("enum")] | None = None
    by: Line | None = None
    by_role: Line | None = None
    parent: Line | None = None
    about: Ref | None = None
    event: Line | None = None
    class_: Annotated[Line | None, Field(alias="class")] = None
    channel: Word | None = None
    cause: Word | None = None
    valid: Flag | None = None
    severity: Literal["ordinary", "serious"] | None = None
    settled_at_seat: Flag | None = None
    amount: Exact | None = None
    level: Line | None = None
    due_at: Moment | None = None
    content: Text | None = None
    copies: Count | None = None
    signatures: Lines | None = None
    items: Lines | None = None
    receiver: Line | None = None
    answers: Count | None = None
    agreed: Flag | None = None


class Audit(Dated):
    """What the machines logged about data and devices."""

    NEED: ClassVar[tuple[str, ...]] = ("action", "authorised")
    FROM: ClassVar[tuple[str, ...]] = ("audit", "person")
    WHEN: ClassVar[tuple[str, ...]] = ("at",)

    kind: Literal["audit"]
    action: Literal["export", "copy", "view", "change", "install", "leak"] | None = None
    object: Line | None = None
    authorised: Flag | None = None


MODELS: Mapping[str, type[Envelope]] = MappingProxyType(
    {
        "person": Person, "shift": Shift, "attendance": Attendance, "leave": Leave, "calendar": CalendarDay,
        "call": CallRecord, "chat": Chat, "seat_status": SeatStatus, "work_order": WorkOrder, "order": Order,
        "report": Report, "figure": Figure, "exam": Exam, "event": Happening, "rating": Rating,
        "observation": Observation, "case": Case, "audit": Audit,
    }
)  # fmt: skip


def _shape(model: type[Part]) -> Mapping[str, str]:
    """Field -> name of its type, in the words of the contract; a list of parts is named by its part."""
    hints = get_type_hints(model, include_extras=True)
    names = {name: field.alias or name for name, field in model.model_fields.items()}
    when = getattr(model, "WHEN", None)
    absent = () if when is None else tuple(one for one in ("at", "day", "period") if one not in when)
    return MappingProxyType({names[name]: _named(hints[name]) for name in names if name not in absent})


def _named(hint: Any) -> str:
    own = [one.name for one in getattr(hint, "__metadata__", ()) if isinstance(one, Is)]
    if own:
        return str(own[-1])
    origin, inner = get_origin(hint), [one for one in get_args(hint) if one is not type(None)]
    if origin is Annotated or origin in (Union, UnionType):
        return _named(inner[0])
    if origin is Literal or hint is str:
        return "enum"
    if origin is tuple:
        return f"[{_named(inner[0])}]"
    if origin is dict:
        return f"{{str: {_named(inner[1])}}}"
    return str(hint.__name__)


PARTS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {part.__name__: _shape(part) for part in (Transfer, Hold, GapRow, TurnRow, HitRow, ChatTurn, Correction)}
)
FIELDS: Mapping[str, Mapping[str, str]] = MappingProxyType({kind: _shape(model) for kind, model in MODELS.items()})
