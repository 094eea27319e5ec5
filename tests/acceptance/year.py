"""A made-up year of 200 people in five systems: what is recorded, what is corrected later, and when it becomes known.

Only inventing: every record is a plain mapping as an import would bring it. Nothing here knows what a clause costs.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from random import Random
from typing import Any

Raw = dict[str, Any]
SYSTEMS = ("bes", "a80", "pm", "ec4", "sal")
YEAR = 2026
DAY = timedelta(days=1)


@dataclass(slots=True)
class Year:
    """``known[p]``: the records that arrive before the closing of month p; 0 holds who works where."""

    known: dict[int, list[Raw]] = field(default_factory=lambda: {month: [] for month in range(13)})
    names: dict[str, list[str]] = field(default_factory=dict)  # system -> its people


def days_of(month: int) -> list[date]:
    first = date(YEAR, month, 1)
    after = date(YEAR + month // 12, month % 12 + 1, 1)
    return [first + DAY * n for n in range((after - first).days)]


def at(day: date, hour: int, minute: int = 0, second: int = 0) -> datetime:
    return datetime.combine(day, time(hour, minute, second))


def invent(each: int, seed: int = 2026) -> Year:
    """``each`` people in every system, twelve months."""
    made = Year()
    dice = Random(seed)
    for system in SYSTEMS:
        made.names[system] = [f"{system}{number:02}" for number in range(each)]
        for number, name in enumerate(made.names[system]):
            made.known[0].append(_person(system, name, number, each))
    for month in range(1, 13):
        _moves(made, month, dice)
        for system in SYSTEMS:
            for name in made.names[system]:
                for raw in _month(system, name, month, dice):
                    _arrives(made, raw, month, dice)
        for raw in _shared(made, month, dice):
            _arrives(made, raw, month, dice)
    _corrected(made, dice)
    return made


def _person(system: str, name: str, number: int, each: int) -> Raw:
    hired = date(2025, 12, 15) if number % 13 == 5 else date(2024, 3, 1)
    return {
        "kind": "person", "id": f"p-{name}", "agent": name, "day": hired, "hired": hired, "source": "hr",
        "team": f"{system}-{number * 4 // each + 1}", "pack": system,
        "role": "salesman" if system == "sal" else "agent",
    }  # fmt: skip


def _moves(made: Year, month: int, dice: Random) -> None:
    """In every month some people change their team on a day in it; one move becomes known two months late."""
    for system in SYSTEMS:
        name = dice.choice([one for one in made.names[system] if one != "ec401"])
        team = f"{system}-{dice.randint(1, 4)}"
        day = date(YEAR, month, dice.randint(2, 27))
        raw = {
            "kind": "person", "id": f"move-{system}-{month}", "agent": name, "day": day, "hired": date(2024, 3, 1),
            "source": "hr", "team": team, "pack": system, "role": "salesman" if system == "sal" else "agent",
        }  # fmt: skip
        made.known[min(12, month + 2) if month % 5 == 0 else month].append(raw)
    if month == 6:  # and one changes from one regulation to another in the middle of June
        made.known[6].append({
            "kind": "person", "id": "change", "agent": "ec401", "day": date(YEAR, 6, 15), "hired": date(2024, 3, 1),
            "source": "hr", "team": "pm-1", "pack": "pm", "role": "agent",
        })  # fmt: skip


def _arrives(made: Year, raw: Raw, month: int, dice: Random) -> None:
    """Most records are there when their month is closed; some come one to three months late."""
    on_time = raw.get("clock_in") is None or raw["clock_in"] <= at(raw["day"], 9)
    late = dice.random() < 0.01 and on_time and raw["kind"] in ("attendance", "observation", "report", "exam", "leave")
    delay = dice.randint(1, 3) if late else raw.pop("delay", 0)
    raw.pop("delay", None)
    made.known[min(12, month + delay)].append(raw)


def _month(system: str, name: str, month: int, dice: Random) -> Iterator[Raw]:
    yield from _attendance(system, name, month, dice)
    yield from _seen(system, name, month, dice)
    if system == "bes":
        yield from _of_bes(name, month, dice)
    if system == "a80":
        yield from _of_a80(name, month, dice)
    if system == "pm":
        yield _figure(name, month, "wage_daily_average", f"{dice.randint(120, 260)}.5")
    if system == "ec4":
        yield from _of_ec4(name, month, dice)
    if system == "sal":
        yield from _of_sal(name, month, dice)


def _attendance(system: str, name: str, month: int, dice: Random) -> Iterator[Raw]:
    for day in days_of(month):
        if day.weekday() > 4:
            continue
        key = f"{name}-{day.isoformat()}"
        yield {
            "kind": "shift", "id": f"s-{key}", "agent": name, "at": at(day, 9), "until": at(day, 17, 30),
            "source": "roster",
        }  # fmt: skip
        raw: Raw = {"kind": "attendance", "id": f"a-{key}", "agent": name, "day": day, "source": "attendance"}
        luck = dice.random()
        if luck < 0.012:
            yield {**raw, "absent": dice.choice(["half", "full"])}
            if dice.random() < 0.5:
                told = {"told_at": at(day - DAY, 12)}
                approved = {"approved_at": at(day - DAY, 15), "approved_by": "Zhao"} if dice.random() < 0.6 else {}
                yield {
                    "kind": "leave", "id": f"l-{key}", "agent": name, "day": day, "leave": "sick",
                    "source": "attendance", **told, **approved,
                }  # fmt: skip
            continue
        seconds = dice.choice([1, 59, 299, 300, 301, 600, 601, 1500, 1800, 1801]) if luck < 0.06 else 0
        yield {
            **raw, "clock_in": at(day, 9) + timedelta(seconds=seconds or -dice.randint(0, 900)),
            "clock_out": at(day, 17, 30) + timedelta(seconds=dice.randint(0, 600)),
        }  # fmt: skip
        if seconds and system in ("bes", "a80") and dice.random() < 0.8:
            yield _observation(
                name, day, "BES-07" if system == "bes" else "A80-L04", f"o-late-{key}",
                about=f"a-{key}", confirmed=dice.random() < 0.85,
            )  # fmt: skip


_SEEN = {
    "bes": ("BES-11", "BES-12", "BES-23", "BES-24", "BES-08"),
    "a80": ("A80-L02", "A80-L03", "A80-L10", "A80-L11", "A80-M01"),
    "pm": ("PM-11", "PM-14", "PM-26a", "PM-27a"),
    "ec4": ("EC4-11", "EC4-08"),
    "sal": ("SAL-B1d", "SAL-B27"),
}
_MANY = ("BES-24", "PM-11", "PM-26a")


def _seen(system: str, name: str, month: int, dice: Random) -> Iterator[Raw]:
    for rule in _SEEN[system]:
        for number in range(dice.choice([0, 0, 0, 0, 0, 1, 1, 2] if system != "sal" else [0, 0, 0, 0, 1])):
            day = dice.choice(days_of(month))
            more = {"n": dice.randint(1, 4)} if rule in _MANY and dice.random() < 0.5 else {}
            yield _observation(name, day, rule, f"o-{name}-{month}-{rule}-{number}", **more)


def _observation(name: str, day: date, rule: str, id: str, **more: Any) -> Raw:
    return {
        "kind": "observation", "id": id, "agent": name, "day": day, "rule": [rule], "reason": "seen on a round",
        "source": "person", "entered_by": "Zhao", **more,
    }  # fmt: skip


def _figure(name: str, month: int, what: str, value: str, **more: str) -> Raw:
    return {
        "kind": "figure", "id": f"f-{name}-{month}-{what}", "agent": name, "period": f"{YEAR}-{month:02}",
        "name": what, "value": value, "source": "crm", **more,
    }  # fmt: skip


def _exam(name: str, day: date, what: str, **more: Any) -> Raw:
    return {
        "kind": "exam", "id": f"e-{name}-{what}-{day.isoformat()}", "agent": name, "day": day, "exam": what,
        "source": "exam", **more,
    }  # fmt: skip


def _report(name: str, month: int, what: str, id: str, **more: Any) -> Raw:
    return {
        "kind": "report", "id": id, "agent": name, "report": what, "source": "work_orders",
        **({} if "at" in more or "period" in more else {"period": f"{YEAR}-{month:02}"}), **more,
    }  # fmt: skip


def _of_bes(name: str, month: int, dice: Random) -> Iterator[Raw]:
    yield _figure(name, month, "post_share", f"{dice.randint(1500, 3000)}")
    for what, whole in (
        ("complaints_filtered", 40),
        ("revisits_satisfied", 20),
        ("answered_in_three_rings", 400),
        ("dispatch_on_time", 30),
    ):
        if dice.random() < 0.9:
            missed = dice.choice([0, 0, 0, 0, 1, 1, 2, 9])
            yield _figure(name, month, what, str(whole - missed), of=str(whole))
    if month % 6 == 4:
        yield _exam(name, date(YEAR, month, 12), "putonghua", passed=dice.random() < 0.9)
    days = dice.choice([3, 4, 4, 4, 5, 6, 7, 20, None])
    handed: Raw = {}
    if days is not None:
        handed = {"submitted_at": at(date(YEAR + month // 12, month % 12 + 1, days), 16)}
    if month < 12:
        yield {**_report(name, month, "monthly_statistics", f"r-{name}-{month}", **handed), "delay": 1}


def _of_a80(name: str, month: int, dice: Random) -> Iterator[Raw]:
    yield _figure(name, month, "workload", str(dice.randint(300, 340)))
    yield _figure(name, month, "quality", str(dice.randint(88, 97)))
    if dice.random() < 0.9:
        yield _figure(name, month, "calls", str(dice.randint(200, 400)))
    yield _exam(name, date(YEAR, month, 20), "service", score=str(dice.choice([59, 60, 72, 80, 91, 100])), max="100")
    for number in range(dice.choice([0, 0, 1, 1, 2])):
        day = [one for one in days_of(month) if one.weekday() > 4][dice.randint(0, 3) * 2 + number]
        yield {
            "kind": "shift", "id": f"c-{name}-{month}-{number}", "agent": name, "day": day, "covers": "Wu",
            "voluntary": dice.random() < 0.9, "shortage": True, "source": "person", "entered_by": "Zhao",
        }  # fmt: skip


def _of_ec4(name: str, month: int, dice: Random) -> Iterator[Raw]:
    for day in days_of(month):
        if dice.random() < 0.06:
            handed = {} if dice.random() < 0.5 else {"submitted_at": at(day, 18)}
            yield _report(name, month, "shift_handover", f"h-{name}-{day.isoformat()}", at=at(day, 18, 30), **handed)
        if day.weekday() == 5:
            monday = day - DAY * 5
            year, week, _ = monday.isocalendar()
            clock = dice.choice([at(day, 17), at(day, 16), at(day, 12), at(day, 17, 0, 1), None])
            good = dice.random() < 0.9
            yield _report(
                name, month, "weekly_summary", f"w-{name}-{week}", period=f"{year}-W{week:02}",
                **({"submitted_at": at(day, 15) if good else clock} if good or clock else {}),
                chars=dice.choice([199, 200, 400]) if dice.random() < 0.3 else 300,
            )  # fmt: skip


def _of_sal(name: str, month: int, dice: Random) -> Iterator[Raw]:
    last = days_of(month)[-1]
    for rule, weight in (("SAL-B2w1", 10), ("SAL-B2w2", 10), ("SAL-B2w4", 10), ("SAL-B22", 5), ("SAL-B23", 5)):
        if dice.random() < 0.97:
            raw = _observation(name, last, rule, f"o-{name}-{month}-{rule}", outcome="met")
            raw["points"] = str(dice.randint(weight // 2, weight))
            del raw["day"]
            yield {**raw, "period": f"{YEAR}-{month:02}"}
    wanted = dice.randint(80, 120)
    yield _figure(name, month, "plan_network", str(dice.randint(wanted - 2, wanted + 9)), target=str(wanted))
    yield _figure(name, month, "total_pay", str(dice.randint(4000, 9000)))
    yield _figure(name, month, "plan", str(dice.randint(700, 1100)), target="1000")
    yield _figure(name, month, "over_plan_bonus", str(dice.choice([0, 0, 0, 250])))
    for what, due in (("advertising_plan", 13), ("promotion_plan", 15), ("rebate_table", 25)):
        day = dice.choice([due - 3, due - 1, due, due, due, due + 1, None])
        handed = {} if day is None else {"submitted_at": at(date(YEAR, month, day), 23, 59)}
        yield _report(name, month, what, f"r-{name}-{month}-{what}", **handed)
    for day in days_of(month)[:28:9]:
        clock = at(day, 16) if dice.random() < 0.9 else at(day, 16, 0, 1)
        yield _report(name, month, "dealer_daily", f"d-{name}-{day.isoformat()}", at=at(day, 8), submitted_at=clock)


def _shared(made: Year, month: int, dice: Random) -> Iterator[Raw]:
    """An exam sat together, and a meeting with people missing."""
    if month % 3 == 0:
        for name in made.names["bes"]:
            yield {
                **_exam(name, date(YEAR, month, 18), "business", score=str(dice.randint(40, 100)), max="100"),
                "sitting": f"spring-{month}-{int(name[3:]) % 3}",
            }  # fmt: skip
    names = made.names["a80"]
    absent = sorted(dice.sample(names, max(1, len(names) // 20)))
    yield {
        "kind": "event", "id": f"m-{month}", "event": "meeting", "at": at(date(YEAR, month, 9), 18), "source": "hr",
        "present": [one for one in names if one not in absent], "absent": absent,
    }  # fmt: skip


def _corrected(made: Year, dice: Random) -> None:
    """Corrections of what was known: a clock read wrongly, an observation withdrawn, a figure delivered anew."""
    for month in range(1, 12):
        there = [one for one in made.known[month] if one["kind"] in ("attendance", "observation", "figure")]
        for number, old in enumerate(dice.sample(there, max(5, len(there) // 200))):
            new = {**old, "id": f"fix-{month}-{number}", "supersedes": old["id"], "reason": "entered wrongly"}
            if old["kind"] == "attendance" and "clock_in" in old and old["agent"][:3] not in ("bes", "a80"):
                new["clock_in"] = old["clock_in"] - timedelta(minutes=dice.choice([5, 40]))
            elif old["kind"] == "observation":
                new = {**new, "void": True}
            elif old["kind"] == "figure":
                new["value"] = str(int(float(old["value"])) - 1)
            else:
                continue
            made.known[min(12, month + dice.choice([0, 1, 1, 2, 4]))].append(new)
