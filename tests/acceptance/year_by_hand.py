"""The made-up year counted again with plain loops over the raw records; it knows nothing of packs and their engine.

What is asked here: lateness and absence, covered shifts, what was seen, exams, figures, reports with their ladders, the
sheets and pay of salesmen. Each function reads like the office would count it with a pocket calculator.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from tests.acceptance.year import YEAR, Raw

D = Decimal
ZERO = D(0)
DAY = timedelta(days=1)


@dataclass(slots=True)
class Result:
    """What a month came to; ``steps``: days on which a year's ladder was climbed."""

    score: Decimal | None = None
    pay: Decimal | None = None
    lines: dict[str, Decimal] = field(default_factory=dict)
    money: dict[str, Decimal] = field(default_factory=dict)
    kinds: set[str] = field(default_factory=set)
    steps: list[date] = field(default_factory=list)

    def sums(self) -> tuple[Decimal, Decimal]:
        """Points and money as an adjustment counts them."""
        return self.score or ZERO, (self.pay or ZERO) + sum(self.money.values(), ZERO)


def cents(amount: Decimal) -> Decimal:
    return amount.quantize(D("0.01"), ROUND_HALF_UP)


def holds(arrived: Iterable[Raw]) -> list[Raw]:
    """What stands after corrections and withdrawals."""
    there: dict[str, Raw] = {}
    for raw in arrived:
        if "supersedes" in raw:
            there.pop(raw["supersedes"])
        if not raw.get("void"):
            there[raw["id"]] = raw
    return list(there.values())


class Month:
    """The records of one month that are known at one closing, looked up by kind and person."""

    def __init__(self, records: list[Raw], month: int) -> None:
        self.month, self.name = month, f"{YEAR}-{month:02}"
        self.first = date(YEAR, month, 1)
        self.last = date(YEAR + month // 12, month % 12 + 1, 1) - DAY
        self.after = datetime.combine(self.last + DAY, datetime.min.time())
        self.table: dict[tuple[str, str | None], list[Raw]] = {}
        for raw in records:
            self.table.setdefault((raw["kind"], raw.get("agent")), []).append(raw)
        self.by_id = {raw["id"]: raw for raw in records}

    def of(self, kind: str, name: str | None) -> list[Raw]:
        return self.table.get((kind, name), [])

    def has(self, day: date) -> bool:
        return self.first <= day <= self.last

    def person(self, name: str) -> Raw:
        """Who somebody is on the last day of the month."""
        held = sorted((one["day"], one["id"]) for one in self.of("person", name) if one["day"] <= self.last)
        return self.by_id[held[-1][1]]

    def team(self, name: str) -> str:
        return str(self.person(name)["team"])

    def figure(self, name: str, what: str, part: str = "value") -> Decimal | None:
        found = [one for one in self.of("figure", name) if one["name"] == what and one["period"] == self.name]
        return D(found[0][part]) if found else None

    def seen(self, name: str, rule: str) -> list[Raw]:
        """What was entered about a person without answering a flag."""
        rows = [one for one in self.of("observation", name) if rule in one["rule"] and "about" not in one]
        return [one for one in rows if ("day" in one and self.has(one["day"])) or one.get("period") == self.name]

    def times(self, name: str, rule: str) -> Decimal:
        return D(sum(one.get("n", 1) for one in self.seen(name, rule)))

    def attendance(self, name: str) -> list[Raw]:
        return [one for one in self.of("attendance", name) if self.has(one["day"])]

    def leave(self, name: str, day: date, by: str | None) -> bool:
        found = [one for one in self.of("leave", name) if one["day"] == day]
        return any(by is None or by in one for one in found)

    def late(self, raw: Raw) -> float:
        """Seconds after nine."""
        if "clock_in" not in raw:
            return 0
        nine = datetime.combine(raw["day"], datetime.min.time()) + timedelta(hours=9)
        return max(0.0, (raw["clock_in"] - nine).total_seconds())

    def confirmed(self, name: str, raw: Raw) -> bool:
        """A reviewer agreed; the answer may stand under the id that a correction replaced."""
        return any(one.get("about") == raw["id"] and one["confirmed"] for one in self.of("observation", name))


# broadband seats ------------------------------------------------------------------------------------------------------


def bes(at: Month, name: str) -> Result:
    out = Result()
    days: dict[date, list[tuple[str, Decimal]]] = {}
    for raw in at.attendance(name):
        if "absent" in raw and not at.leave(name, raw["day"], None):
            days.setdefault(raw["day"], []).append(("BES-06", D(-2)))
        late = at.late(raw) > 0 and not at.leave(name, raw["day"], "approved_at")
        if late and at.confirmed(name, raw):
            days.setdefault(raw["day"], []).append(("BES-07", D("-0.5")))
    for one in at.seen(name, "BES-08"):
        days.setdefault(one["day"], []).append(("BES-08", D("-0.5")))
    for found in days.values():  # of one day only the heaviest clause
        winner = min(found, key=lambda one: (one[1], one[0]))[0]
        for rule, cost in found:
            if rule == winner:
                out.lines[rule] = out.lines.get(rule, ZERO) + cost
    for rule, each in (("BES-11", -1), ("BES-12", -2), ("BES-23", -2)):
        out.lines[rule] = each * at.times(name, rule)
    out.lines["BES-24"] = max(D(-10), -at.times(name, "BES-24"))
    _bes_exams(at, name, out)
    _bes_figures(at, name, out)
    _bes_statistics(at, name, out)
    raw_score = 100 + sum(out.lines.values(), ZERO)
    out.score = min(D(105), max(ZERO, raw_score))
    share = at.figure(name, "post_share")
    out.pay = None if share is None else cents(share * out.score / 100)
    return out


def _bes_exams(at: Month, name: str, out: Result) -> None:
    everybody = [one for (kind, _), rows in at.table.items() if kind == "exam" for one in rows]
    for own in [one for one in at.of("exam", name) if at.has(one["day"])]:
        if own["exam"] == "putonghua" and not own["passed"]:
            out.lines["BES-13b"] = out.lines.get("BES-13b", ZERO) - D("0.5")
        if own["exam"] == "business":
            marks = [int(one["score"]) for one in everybody if one.get("sitting") == own["sitting"]]
            mine = int(own["score"])
            if sum(one > mine for one in marks) < 2:
                out.lines["BES-01"] = D("0.5")
            if len(marks) >= 5 and sum(one < mine for one in marks) < 2:
                out.lines["BES-19"] = D("-0.5")


def _bes_figures(at: Month, name: str, out: Result) -> None:
    targets = {"complaints_filtered": 95, "revisits_satisfied": 100, "answered_in_three_rings": 100,
               "dispatch_on_time": 100}  # fmt: skip
    rates = {}
    for what, target in targets.items():
        part, whole = at.figure(name, what), at.figure(name, what, "of")
        if part is None or whole is None:
            continue
        rates[what] = part * 100 / whole
        steps = int(max(ZERO, target - rates[what]))
        out.lines["BES-27"] = out.lines.get("BES-27", ZERO) + max(D("-0.5") * steps, D(-10))
    good = rates.get("complaints_filtered", ZERO) >= 95 and rates.get("revisits_satisfied", ZERO) >= 100
    out.lines["BES-02"] = D(1) if good else ZERO


def _bes_statistics(at: Month, name: str, out: Result) -> None:
    """Handed in by the fourth of the next month, a point a day; after the sixth all five."""
    cost = ZERO
    for one in at.of("report", name):
        if one["report"] != "monthly_statistics" or one["period"] != f"{YEAR}-{at.month - 1:02}":
            continue
        handed = one["submitted_at"].date() if "submitted_at" in one else at.after.date()
        late = (handed - date(YEAR, at.month, 4)).days
        cost -= D(0 if late <= 0 else late if late <= 2 else 5)
    out.lines["BES-22"] = cost


# 80 and 110 points ----------------------------------------------------------------------------------------------------

_MINOR = {"A80-L02": -2, "A80-L03": -2, "A80-L10": -2, "A80-L11": -5}


def a80(at: Month, name: str, everybody: list[str], before: Callable[[str], tuple[bool, bool]]) -> Result:
    """``before``: whether somebody was last, and below 70, in the month before."""
    results = {one: _a80_alone(at, one) for one in everybody if at.team(one) == at.team(name)}
    out = _a80_bonuses(at, name, results)
    hired = at.person(name)["hired"]
    month = (YEAR - hired.year) * 12 + at.month - hired.month + 1
    assert out.score is not None
    out.pay = ZERO if month < 3 else cents(min(D(300), max(D(-300), (out.score - 80) * 10)))
    scores = [_a80_bonuses(at, one, results).score or ZERO for one in results]
    last = len(scores) > 1 and all(one >= out.score for one in scores)
    was_last, was_low = before(name)
    if out.score < 60 or (out.score < 70 and last and was_last and was_low):
        out.kinds.add("dismissal")
    return out


def a80_last(at: Month, name: str, everybody: list[str]) -> tuple[bool, bool]:
    """Whether the person is last of a team of several, and below 70."""
    results = {one: _a80_alone(at, one) for one in everybody if at.team(one) == at.team(name)}
    scores = {one: _a80_bonuses(at, one, results).score or ZERO for one in results}
    return len(scores) > 1 and all(one >= scores[name] for one in scores.values()), scores[name] < 70


def _a80_alone(at: Month, name: str) -> Result:
    out = Result()
    for rule, each in _MINOR.items():
        out.lines[rule] = each * at.times(name, rule)
    for raw in at.attendance(name):
        late = at.late(raw)
        if late > 0 and not at.leave(name, raw["day"], "approved_at") and at.confirmed(name, raw):
            cost = D(-2 if late <= 300 else -3 if late <= 600 else -4 if late <= 1800 else -5)
            out.lines["A80-L04"] = out.lines.get("A80-L04", ZERO) + cost
        if "absent" in raw and not at.leave(name, raw["day"], None):
            out.lines["A80-V01"] = out.lines.get("A80-V01", ZERO) - 20
    out.lines["A80-M01"] = -10 * at.times(name, "A80-M01")
    for one in at.of("exam", name):
        if at.has(one["day"]) and one["exam"] == "service":
            out.lines["A80-M07"] = out.lines.get("A80-M07", ZERO) - (10 if int(one["score"]) < 60 else 0)
            out.lines["A80-B02"] = out.lines.get("A80-B02", ZERO) + (5 if one["score"] == one["max"] else 0)
    for one in at.of("event", None):
        day = one["at"].date()
        if at.has(day) and name in one["absent"] and not at.leave(name, day, None):
            out.lines["A80-M06"] = out.lines.get("A80-M06", ZERO) - 10
    covers = [one for one in at.of("shift", name) if "covers" in one and at.has(one["day"])]
    out.lines["A80-B03"] = D(5 * sum(one["voluntary"] and one["shortage"] for one in covers))
    minor = sum(1 for rule in out.lines if rule.startswith("A80-L") and out.lines[rule] < 0)
    medium = sum(1 for rule in out.lines if rule.startswith("A80-M") and out.lines[rule] < 0)
    out.lines["A80-V05"] = D(-20) if medium >= 2 or minor >= 4 else ZERO
    calls = at.figure(name, "calls")
    out.lines["A80-B05"] = D(5) if calls is not None and calls > 0 else ZERO
    return out


def _a80_bonuses(at: Month, name: str, team: dict[str, Result]) -> Result:
    """The one who alone leads in workload and in quality, without any violation."""
    alone = team[name]
    out = Result(lines=dict(alone.lines))
    work = {one: at.figure(one, "workload") or ZERO for one in team}
    good = {one: at.figure(one, "quality") for one in team}
    mine = good[name]
    clean = not any(cost < 0 for rule, cost in alone.lines.items() if rule[4] in "LMV")
    if mine is not None:
        leads = all(one <= work[name] for one in work.values()) and all((one or ZERO) <= mine for one in good.values())
        sums = [work[one] + (good[one] or ZERO) for one in team if good[one] is not None]
        if leads and clean and sums.count(work[name] + mine) == 1:
            out.lines["A80-B01"] = D(5)
    out.score = min(D(110), 80 + sum(out.lines.values(), ZERO))
    return out


# property management --------------------------------------------------------------------------------------------------


def pm(at: Month, name: str) -> Result:
    out = Result()
    for rule in ("PM-11", "PM-14", "PM-26a", "PM-27a"):
        out.lines[rule] = -at.times(name, rule)
    late_fines, missed = ZERO, ZERO
    for raw in at.attendance(name):
        late = at.late(raw)
        if late > 0:
            rule, cost = ("PM-23a", -1) if late <= 300 else ("PM-23b", -5) if late <= 600 else ("PM-23c", -10)
            out.lines[rule] = out.lines.get(rule, ZERO) + cost
            late_fines -= 40 if rule == "PM-23c" else 0
        if "absent" in raw and not at.leave(name, raw["day"], "approved_at"):
            out.lines["PM-23d"] = out.lines.get("PM-23d", ZERO) - 10
            missed += 1 if raw["absent"] == "full" else D("0.5")
    wage = at.figure(name, "wage_daily_average")
    out.money["PM-23c"] = late_fines
    out.money["PM-23d"] = ZERO if missed == 0 or wage is None else cents(-wage * missed)
    if missed >= 3 or max(at.times(name, "PM-26a"), at.times(name, "PM-27a")) >= 5:
        out.kinds.add("separation")
    out.score = 100 + sum(out.lines.values(), ZERO)
    return out


# shifts with ladders of fines -----------------------------------------------------------------------------------------


def ec4(at: Month, name: str, climbed: list[date]) -> Result:
    """``climbed``: the days of a year's ladder in the months before, as they stood when those were closed."""
    out = Result()
    missing = [
        one["at"].date() for one in at.of("report", name)
        if one["report"] == "shift_handover" and at.has(one["at"].date()) and "submitted_at" not in one
    ]  # fmt: skip
    for number, _ in enumerate(sorted(missing)):
        if number < 3:
            out.money["EC4-01b"] = out.money.get("EC4-01b", ZERO) - (30, 50, 80)[number]
        else:
            out.kinds.add("month_pay_withheld" if number == 3 else "separation")
    for day in sorted(_weeks(at, name)):
        number = sum(day - timedelta(days=365) < one <= day for one in (*climbed, *out.steps))
        out.steps.append(day)
        if number < 3:
            out.money["EC4-03c"] = out.money.get("EC4-03c", ZERO) - (50, 100, 200)[number]
        else:
            out.kinds.add("month_pay_withheld" if number == 3 else "separation")
    out.money["EC4-11"] = -50 * at.times(name, "EC4-11")
    out.money["EC4-08"] = -50 * at.times(name, "EC4-08")
    return out


def _weeks(at: Month, name: str) -> Iterable[date]:
    """The Saturdays whose summary was missing, late or short."""
    for one in at.of("report", name):
        if one["report"] != "weekly_summary":
            continue
        year, week = one["period"].split("-W")
        saturday = date.fromisocalendar(int(year), int(week), 6)
        until = datetime.combine(saturday, datetime.min.time()) + timedelta(hours=17)
        handed = one.get("submitted_at")
        if at.has(saturday) and (handed is None or handed > until or one["chars"] < 200):
            yield saturday


# salesmen -------------------------------------------------------------------------------------------------------------


def sal(at: Month, name: str) -> Result:
    out = Result()
    given = {}
    for rule in ("SAL-B2w1", "SAL-B2w2", "SAL-B2w4", "SAL-B22", "SAL-B23"):
        found = at.seen(name, rule)
        given[rule] = D(found[0]["points"]) if found else None
    plan, wanted = at.figure(name, "plan_network"), at.figure(name, "plan_network", "target")
    sheet = {
        "SAL-B1a": _lost_once(at, name, "dealer_daily", 5, 5),
        "SAL-B1b": ZERO if plan is not None and wanted is not None and plan < wanted else D(5),
        "SAL-B1c": D(5),
        "SAL-B1d": D(0) if at.seen(name, "SAL-B1d") else D(5),
        "SAL-B1e": D(5),
        "SAL-B1f": _lost_once(at, name, "rebate_table", 5, 5),
        "SAL-B2w3": D(10),
        "SAL-B24": _lost_once(at, name, "advertising_plan", 2, 5),
        "SAL-B25": _lost_once(at, name, "promotion_plan", 2, 5),
        "SAL-B26": D(5),
        "SAL-B27": D(0) if at.seen(name, "SAL-B27") else D(5),
    }
    absent = sum(1 for raw in at.attendance(name) if "absent" in raw)
    present = max(ZERO, 100 - 4 * D(absent))
    if all(one is not None for one in given.values()):
        daily = sum(sheet.values(), ZERO) + sum((one for one in given.values() if one is not None), ZERO)
        out.score = D("0.7") * daily + D("0.3") * present
        total, done = at.figure(name, "total_pay"), at.figure(name, "plan")
        target, over = at.figure(name, "plan", "target"), at.figure(name, "over_plan_bonus")
        if total is not None and done is not None and target is not None and over is not None:
            met = min(D(1), done / target)
            out.pay = cents(total * (D("0.5") + D("0.35") * met + D("0.15") * daily / 100) + over)
    out.lines["SAL-32"] = max(D(-100), -4 * D(absent))
    return out


_DUE = {"advertising_plan": 13, "promotion_plan": 15, "rebate_table": 25}


def _lost_once(at: Month, name: str, what: str, each: int, weight: int) -> Decimal:
    """What an item keeps: so many points lost for every paper that came late or never."""
    late = 0
    for one in at.of("report", name):
        if one["report"] != what:
            continue
        if what == "dealer_daily":
            day, until = one["at"].date(), datetime.combine(one["at"].date(), datetime.min.time())
            until += timedelta(hours=16)
        else:
            if one["period"] != at.name:
                continue
            day = date(YEAR, at.month, _DUE[what])
            until = datetime.combine(day + DAY, datetime.min.time()) - timedelta(microseconds=1)
        handed = one.get("submitted_at")
        late += at.has(day) and (handed is None or handed > until)
    return max(ZERO, D(weight - each * late))


def count(system: str, at: Month, name: str, **more: Any) -> Result:
    """One person's month under one system."""
    if system == "a80":
        return a80(at, name, more["everybody"], more["before"])
    if system == "ec4":
        return ec4(at, name, more["climbed"])
    return {"bes": bes, "pm": pm, "sal": sal}[system](at, name)
