"""Each mechanism of the month alone, on packs made for it: ladders, caps, items, groups, answers, deadlines."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from scoring.errors import PackError
from scoring.period.close import Closing, close, month_card
from scoring.period.world import Timeline, Who, World
from scoring.records.book import Book
from scoring.records.period import Period
from scoring.records.record import Record
from tests.scoring.period.build import card, closed, pack, points, record, rule, seen, world

MINUS = pack(rule("TT-1", points("-2")))


def _ladder(window: str, *steps: str) -> str:
    rows = ", ".join(f"{{{step}}}" for step in steps)
    return f"ladder: {{window: {window}, values: {{0001-01-01: [{rows}]}}}}"


def _more(of: World, *records: Record) -> World:
    book, refused = of.book.take(records)
    assert not refused, refused
    return replace(of, book=book)


def _fines(of: World, *months: str) -> list[str]:
    return [str(card(of, month).fine) for month in months]


# ladders --------------------------------------------------------------------------------------------------------------

STEPS = ('fine: "-30"', 'fine: "-50"', 'fine: "-80"', "recommend: separation")


def test_a_ladder_pays_the_nth_step_and_its_last_step_repeats() -> None:
    laddered = pack(rule("TT-1", _ladder("month", *STEPS)))
    for number, total in enumerate((0, 30, 80, 160, 160, 160)):
        found = card(world(laddered, [seen(f"o{n}", "TT-1", f"2026-03-{n + 1:02}") for n in range(number)],
                           people=["Lin"]), "2026-03")  # fmt: skip
        assert found.fine == total
        assert found.count["TT-1"] == number
        assert [one.kind for one in found.recommendations] == (["separation"] if number > 3 else [])


def test_a_ladder_of_a_month_begins_anew_in_the_next() -> None:
    laddered = pack(rule("TT-1", _ladder("month", *STEPS)))
    at = world(laddered, [seen("o1", "TT-1", "2026-01-31"), seen("o2", "TT-1", "2026-02-01")])

    assert _fines(at, "2026-01", "2026-02") == ["30", "30"]


def test_a_ladder_of_a_year_runs_over_month_ends_and_not_over_the_year_s() -> None:
    laddered = pack(rule("TT-1", _ladder("year", *STEPS)))
    days = ("2025-12-31", "2026-01-01", "2026-01-31", "2026-02-01")
    at = world(laddered, [seen(f"o{n}", "TT-1", day) for n, day in enumerate(days)])

    assert _fines(at, "2025-12", "2026-01", "2026-02") == ["30", "80", "80"]


def test_a_rolling_ladder_forgets_after_365_days() -> None:
    laddered = pack(rule("TT-1", _ladder('"365"', *STEPS)))
    within = world(laddered, [seen("o1", "TT-1", "2025-03-02"), seen("o2", "TT-1", "2026-03-01")])
    after = world(laddered, [seen("o1", "TT-1", "2025-03-01"), seen("o2", "TT-1", "2026-03-01")])

    assert _fines(within, "2026-03") == ["50"]
    assert _fines(after, "2026-03") == ["30"]


def test_a_rolling_ladder_counts_over_the_year_s_end() -> None:
    laddered = pack(rule("TT-1", _ladder('"365"', *STEPS)))
    at = world(laddered, [seen("o1", "TT-1", "2025-12-31"), seen("o2", "TT-1", "2026-01-01")])

    assert _fines(at, "2025-12", "2026-01") == ["30", "50"]


def test_n_of_an_observation_climbs_n_steps() -> None:
    laddered = pack(rule("TT-1", _ladder("month", *STEPS)))

    assert _fines(world(laddered, [seen("o1", "TT-1", "2026-03-02", n=3)]), "2026-03") == ["160"]


def test_what_another_clause_took_is_no_step_of_the_ladder_in_any_month() -> None:
    rules = (rule("TT-1", _ladder("year", *STEPS)), rule("TT-2", points("-9")))
    at = world(pack(*rules), [seen("o1", ["TT-1", "TT-2"], "2026-01-10"), seen("o2", "TT-1", "2026-02-10")])

    assert card(at, "2026-01").count["TT-1"] == 0
    assert _fines(at, "2026-02") == ["30"]


def test_a_ladder_changes_with_its_day() -> None:
    text = 'ladder: {window: month, values: {0001-01-01: [{fine: "-30"}], 2026-03-10: [{fine: "-60"}]}}'
    at = world(pack(rule("TT-1", text)), [seen("o1", "TT-1", "2026-03-09"), seen("o2", "TT-1", "2026-03-10")])

    assert _fines(at, "2026-03") == ["90"]


# once, at most, floor and cap -----------------------------------------------------------------------------------------


def test_once_takes_effect_once_a_month() -> None:
    at = world(pack(rule("TT-1", points("-2") + "\nonce: month")), [
        seen("o1", "TT-1", "2026-03-02"), seen("o2", "TT-1", "2026-03-03"), seen("o3", "TT-1", "2026-04-01"),
    ])  # fmt: skip

    assert [card(at, month).lines["TT-1"] for month in ("2026-03", "2026-04")] == [-2, -2]
    assert card(at, "2026-03").count["TT-1"] == 1


@pytest.mark.parametrize(("number", "line"), [(4, -8), (5, -10), (6, -10)])
def test_the_deductions_of_an_item_stop_at_its_weight(number: int, line: int) -> None:
    text = points("-2") + '\nat_most: weight\nweight: {unit: point, values: {0001-01-01: "10"}}'
    at = world(pack(rule("TT-1", text)), [seen("o1", "TT-1", "2026-03-02", n=number)])

    assert card(at, "2026-03").lines["TT-1"] == line


@pytest.mark.parametrize(("number", "score", "raw"), [(1, 98, 98), (50, 0, 0), (51, 0, -2)])
def test_the_score_stops_at_its_floor_and_says_what_it_would_be(number: int, score: int, raw: int) -> None:
    found = card(world(MINUS, [seen("o1", "TT-1", "2026-03-02", n=number)]), "2026-03")

    assert (found.score, found.raw) == (score, raw)


@pytest.mark.parametrize(("number", "score"), [(2, 104), (3, 105)])
def test_the_score_stops_at_its_cap(number: int, score: int) -> None:
    at = world(pack(rule("TT-1", points("2"))), [seen("o1", "TT-1", "2026-03-02", n=number)])

    assert card(at, "2026-03").score == score
    assert card(replace(at, overlay=world(MINUS, [], overlay={"TT-S.cap": None}).overlay), "2026-03").score == (
        100 + 2 * number
    )


# items ----------------------------------------------------------------------------------------------------------------

ITEMS = pack(
    rule("TT-F", 'item: {weight: "10", starts: full}\nrange: {min: "-4", max: "-1"}'),
    rule("TT-N", 'item: {weight: "20", starts: nothing}'),
    rule("TT-S", "value: earned('TT-F', 'TT-N')", decide="auto", needs="derived"),
    head="score: TT-S", total=False,
)  # fmt: skip


def test_an_item_that_starts_full_loses_and_never_falls_below_nothing() -> None:
    lost = [seen(f"o{n}", "TT-F", "2026-03-02", points="-4") for n in range(3)]
    for number, earned in enumerate((10, 6, 2, 0)):
        found = card(world(ITEMS, lost[:number], people=["Lin"]), "2026-03")
        assert found.value["TT-F"] == earned
        assert found.lines["TT-F"] == earned - 10


def test_an_item_that_starts_from_nothing_leaves_the_total_open_until_it_is_given() -> None:
    without = card(world(ITEMS, [], people=["Lin"]), "2026-03")
    given = card(world(ITEMS, [seen("o1", "TT-N", "2026-03-02", points="17", outcome="met")]), "2026-03")

    assert (without.score, without.state) == (None, "incomplete")
    assert (given.score, given.state) == (27, "complete")
    assert given.lines["TT-N"] == -3


# ranges and times -----------------------------------------------------------------------------------------------------


def test_points_inside_a_printed_range_wait_until_a_person_sets_them() -> None:
    text = """
    range: {min: "-5", max: "-2"}
    tests:
    - each: exam
      breach: percent < 60
    """
    ranged = pack(rule("TT-1", text, decide="review", needs="exam"))
    low = record("exam", "e1", agent="Lin", day="2026-03-02", exam="service", score="40")
    waits = card(world(ranged, [low]), "2026-03")
    answer = seen("o1", "TT-1", "2026-04-02", about="e1", confirmed=True, points="-3")
    counts = card(world(ranged, [low, answer]), "2026-03")

    assert (waits.score, waits.review) == (100, {"TT-1": None})
    assert (counts.score, counts.review) == (97, {})


def test_times_multiplies_the_points_of_one_finding() -> None:
    text = (
        points("-2")
        + """
tests:
- each: work_order
  where: has(deviations)
  breach: deviations > 0
  times: deviations
"""
    )
    timed = pack(rule("TT-1", text, decide="auto", needs="work_order"))
    order = record("work_order", "w1", agent="Lin", at="2026-03-02T09:00", order_class="fault", deviations=3)

    assert card(world(timed, [order]), "2026-03").lines["TT-1"] == -6
    assert card(world(timed, [order]), "2026-03").count["TT-1"] == 1


# one event, one effect ------------------------------------------------------------------------------------------------

PAIR = (rule("TT-1", points("-2")), rule("TT-2", points("-5")))


def test_one_observation_that_names_several_rules_takes_the_heaviest() -> None:
    found = card(world(pack(*PAIR), [seen("o1", ["TT-1", "TT-2"], "2026-03-02")]), "2026-03")

    assert (found.score, dict(found.count)) == (95, {"TT-1": 0, "TT-2": 1, "TT-S": 0})


def test_the_same_word_of_an_event_is_one_event_and_another_word_another() -> None:
    same = [seen("o1", "TT-1", "2026-03-02", event="desk"), seen("o2", "TT-2", "2026-03-02", event="desk")]
    other = [same[0], seen("o2", "TT-2", "2026-03-02", event="door")]

    assert card(world(pack(*PAIR), same), "2026-03").score == 95
    assert card(world(pack(*PAIR), other), "2026-03").score == 93


def test_two_people_who_saw_one_event_make_one_finding_of_a_rule() -> None:
    twice = [seen("o1", "TT-1", "2026-03-02", event="desk"), seen("o2", "TT-1", "2026-03-02", event="desk")]

    assert card(world(pack(*PAIR), twice), "2026-03").score == 98


@pytest.mark.parametrize("per", ["case", "proposal", "incident"])
def test_a_group_leaves_one_thing_to_its_heaviest_clause(per: str) -> None:
    grouped = pack(*PAIR, head=f"groups: [{{per: {per}, rules: [TT-1, TT-2]}}]")
    same = [seen("o1", "TT-1", "2026-03-02", about="c1"), seen("o2", "TT-2", "2026-03-09", about="c1")]
    other = [same[0], seen("o2", "TT-2", "2026-03-09", about="c2")]

    assert card(world(grouped, same), "2026-03").score == 95
    assert card(world(grouped, other), "2026-03").score == 93


def test_a_group_of_a_shift_goes_by_the_day() -> None:
    grouped = pack(*PAIR, head="groups: [{per: shift, rules: [TT-1, TT-2]}]")
    at = world(grouped, [seen("o1", "TT-1", "2026-03-02"), seen("o2", "TT-2", "2026-03-02"),
                         seen("o3", "TT-1", "2026-03-03")])  # fmt: skip

    assert dict(card(at, "2026-03").lines) == {"TT-1": -2, "TT-2": -5}


# answers of people ----------------------------------------------------------------------------------------------------

LATE = """
tests:
- each: attendance
  breach: late_ms > 0
""" + points("-2")
LATER = record("attendance", "a1", agent="Lin", day="2026-03-31", late="0:05:00")


@pytest.mark.parametrize(("answer", "score", "waits"), [(None, 100, True), (True, 98, False), (False, 100, False)])
def test_a_flag_waits_until_a_person_confirms_or_dismisses_it(answer: bool | None, score: int, waits: bool) -> None:
    reviewed = pack(rule("TT-1", LATE, decide="review", needs="attendance"))
    said = [] if answer is None else [seen("o1", "TT-1", "2026-04-02", about="a1", confirmed=answer)]
    at = world(reviewed, [LATER, *said])

    assert card(at, "2026-03").score == score
    assert ("TT-1" in card(at, "2026-03").review) is waits
    assert card(at, "2026-04").score == 100  # the answer belongs to the day of what it answers


def test_an_answer_stands_for_the_record_that_replaced_the_one_it_was_about() -> None:
    reviewed = pack(rule("TT-1", LATE, decide="review", needs="attendance"))
    again = record("attendance", "a2", agent="Lin", day="2026-03-31", late="0:04:00", supersedes="a1", reason="wrong")
    for answer, score in ((True, 98), (False, 100)):
        said = seen("o1", "TT-1", "2026-04-02", about="a1", confirmed=answer)
        found = card(world(reviewed, [LATER, said, again]), "2026-03")
        assert (found.score, found.review, found.count["TT-1"]) == (score, {}, answer)


def test_a_finding_without_a_flag_is_one_of_its_own() -> None:
    reviewed = pack(rule("TT-1", LATE, decide="review", needs="attendance"))
    at = world(reviewed, [LATER, seen("o1", "TT-1", "2026-03-30"),
                          seen("o2", "TT-1", "2026-03-31", about="a1", confirmed=True)])  # fmt: skip

    assert card(at, "2026-03").count["TT-1"] == 2


def test_a_register_that_is_not_connected_leaves_the_clause_unknown() -> None:
    text = LATE.replace("late_ms > 0", "late_ms > 0\n  needs_register: [attendance]")
    asked = pack(rule("TT-1", text, decide="auto", needs="attendance"))

    assert card(world(asked, [LATER]), "2026-03").score == 98
    found = card(world(asked, [LATER], registers=["leave"]), "2026-03")
    assert (found.score, found.unknown) == (100, ("TT-1",))


def test_a_clause_that_is_switched_off_counts_nothing() -> None:
    off = pack(rule("TT-1", points("-2") + "\non: false\nwhy: not here"))
    at = world(off, [seen("o1", "TT-1", "2026-03-02")])

    assert card(at, "2026-03").score == 100
    assert card(replace(at, overlay=world(off, [], overlay={"TT-1.on": True}).overlay), "2026-03").score == 98


def test_what_was_seen_of_a_person_is_not_counted_under_the_team() -> None:
    lin = record("person", "p1", agent="Lin", team="north")
    at = world(MINUS, [lin, seen("o1", "TT-1", "2026-03-02")])

    assert card(at, "2026-03").lines["TT-1"] == -2
    assert month_card(at, Who("team", "north"), Period("2026-03")).lines["TT-1"] == 0


# deadlines ------------------------------------------------------------------------------------------------------------


def _due(text: str) -> Any:
    body = f"{points('-1')}\ntests:\n- each: report\n  due: {{stage: submitted, {text}}}"
    return pack(rule("TT-1", body, decide="auto", needs="report"))


def _report(handed: str | None, **more: Any) -> Record:
    return record("report", "r1", agent="Lin", report="x", **{"at": "2026-03-01T09:00", **more},
                  **({} if handed is None else {"submitted_at": handed}))  # fmt: skip


@pytest.mark.parametrize(("handed", "line"), [("2026-03-04T23:59:59.999", 0), ("2026-03-05T00:00", -1), (None, -1)])
def test_a_day_runs_to_its_end(handed: str | None, line: int) -> None:
    at = world(_due("at: 'add_days(day(at), 3)'"), [_report(handed)])

    assert card(at, "2026-03").lines["TT-1"] == line


@pytest.mark.parametrize(("handed", "line"), [("2026-03-04T17:00", 0), ("2026-03-04T17:00:00.001", -1)])
def test_a_moment_is_the_last_one(handed: str, line: int) -> None:
    at = world(_due("at: \"at_time(add_days(day(at), 3), '17:00')\""), [_report(handed)])

    assert card(at, "2026-03").lines["TT-1"] == line


def test_a_deadline_that_still_runs_is_no_finding() -> None:
    running = world(_due("at: 'add_days(day(at), 3)'"), [_report(None)], now="2026-03-04T23:59")

    assert card(running, "2026-03").outcome["TT-1"] != "breach"
    assert card(replace(running, now=running.now.replace(day=5)), "2026-03").outcome["TT-1"] == "breach"


def test_a_missed_deadline_belongs_to_its_due_day_over_the_month_s_end() -> None:
    at = world(_due("at: 'add_days(day(at), 3)'"), [_report("2026-05-01T09:00", at="2026-03-30T09:00")])

    assert [card(at, month).lines["TT-1"] for month in ("2026-03", "2026-04", "2026-05")] == [0, -1, 0]


@pytest.mark.parametrize(("handed", "line"), [("2026-03-03T23:59", -1), ("2026-03-04T00:00", 0)])
def test_a_notice_must_not_come_before_its_day(handed: str, line: int) -> None:
    at = world(_due("at: 'add_days(day(at), 3)', not_before: true"), [_report(handed)])

    assert card(at, "2026-03").lines["TT-1"] == line


def test_a_right_that_nobody_used_is_no_breach() -> None:
    at = world(_due("at: 'add_days(day(at), 3)', right: true"), [_report(None)])

    assert card(at, "2026-03").lines["TT-1"] == 0


# closing --------------------------------------------------------------------------------------------------------------


def test_a_closed_month_stands_and_late_news_goes_into_the_next() -> None:
    at = closed(world(MINUS, [seen("o1", "TT-1", "2026-03-02")], now="2026-04-01T00:00"), "2026-03")
    later = closed(_more(at, seen("o2", "TT-1", "2026-03-09")), "2026-04")

    assert card(later, "2026-03") == card(at, "2026-03")
    assert (card(later, "2026-04").score, card(later, "2026-04").adjusted.points) == (100, -2)


def test_news_after_two_closings_is_carried_once_by_the_month_it_came_in() -> None:
    at = closed(world(MINUS, [], people=["Lin"], now="2026-04-01T00:00"), "2026-03")
    second = closed(_more(at, seen("o1", "TT-1", "2026-03-09")), "2026-04")
    third = closed(_more(second, seen("o2", "TT-1", "2026-03-10"), seen("o3", "TT-1", "2026-04-10")), "2026-05")

    found = [card(third, month) for month in ("2026-03", "2026-04", "2026-05")]
    assert [one.score for one in found] == [100, 100, 100]
    assert [one.adjusted.points for one in found] == [0, -2, -4]
    assert [str(one) for one in found[2].adjusted.months] == ["2026-03", "2026-04"]


def test_a_withdrawn_record_gives_back_what_it_cost() -> None:
    at = closed(world(MINUS, [seen("o1", "TT-1", "2026-03-02")], now="2026-04-01T00:00"), "2026-03")
    void = seen("o2", "TT-1", "2026-03-02", supersedes="o1", void=True)
    back = closed(_more(at, void), "2026-04")

    assert card(back, "2026-03").score == 98
    assert card(back, "2026-04").adjusted.points == 2


def test_a_total_that_was_open_at_the_closing_comes_whole_when_it_is_known() -> None:
    at = closed(world(ITEMS, [seen("o1", "TT-F", "2026-03-02", points="-4")], now="2026-04-01T00:00"), "2026-03")
    given = seen("o2", "TT-N", "2026-03-02", points="17", outcome="met")
    later = closed(_more(at, given), "2026-04")

    assert card(later, "2026-03").score is None
    assert card(later, "2026-04").adjusted.points == 23


def test_time_that_passes_adjusts_nothing() -> None:
    text = points("-2") + "\ntests:\n- each: work_order\n  breach: coalesce(closed_at, now) - due_at > days(10)\n"
    open_still = pack(rule("TT-1", text, decide="auto", needs="work_order"), rule("TT-2", points("-1")))
    order = record("work_order", "w1", agent="Lin", at="2026-03-30T09:00", due_at="2026-03-30T10:00",
                   order_class="fault")  # fmt: skip
    at = closed(world(open_still, [order], now="2026-04-01T00:00"), "2026-03")
    later = close(replace(_more(at, seen("o1", "TT-2", "2026-04-09")), now=at.now.replace(month=5)), Period("2026-04"))

    assert card(later, "2026-04").adjusted.points == 0


# pay and law ----------------------------------------------------------------------------------------------------------

PAID = """
base: {unit: point, values: {0001-01-01: "100"}}
raw: base + points()
value: base + points()
pay: figure('post_share') * score / 100
"""
LOST = 'points: {unit: point, values: {0001-01-01: {lost: true, assumed: "-2", why: the number is lost}}}'
SHARE = record("figure", "f1", agent="Lin", period="2026-03", name="post_share", value="1000.05")


def test_an_assumed_number_scores_and_never_reaches_pay() -> None:
    paid = pack(rule("TT-1", LOST), rule("TT-2", points("-1")), rule("TT-P", PAID, decide="auto", needs="derived"),
                head="score: TT-P\npay: TT-P", total=False)  # fmt: skip
    told = [SHARE, seen("o1", "TT-1", "2026-03-02"), seen("o2", "TT-2", "2026-03-02")]
    found = card(world(paid, told), "2026-03")
    named = card(world(paid, told, overlay={"TT-1.points": "-2"}), "2026-03")

    assert (found.score, found.pay, found.assumed) == (97, Decimal("990.05"), ("TT-1",))
    assert (named.score, named.pay, named.assumed) == (97, Decimal("970.05"), ())


def test_pay_without_its_figure_is_no_value() -> None:
    paid = pack(rule("TT-P", PAID, decide="auto", needs="derived"), head="score: TT-P\npay: TT-P", total=False)

    assert card(world(paid, [], people=["Lin"]), "2026-03").pay is None


def test_korea_cuts_one_fine_at_half_a_day_and_all_at_a_tenth_of_the_wage() -> None:
    fined = pack(rule("TT-1", 'fine: {unit: yuan, values: {0001-01-01: "-90"}}'))
    wage = [record("figure", f"f{name}", agent="Lin", period="2026-03", name=name, value=value)
            for name, value in (("wage", "2000"), ("wage_daily_average", "160"))]  # fmt: skip
    told = [seen(f"o{n}", "TT-1", "2026-03-02") for n in range(3)]

    assert card(world(fined, told), "2026-03").fine == 270
    assert card(world(fined, [*told[:1], *wage], jurisdiction="KR"), "2026-03").fine == 80
    assert card(world(fined, [*told, *wage], jurisdiction="KR"), "2026-03").fine == 200
    assert card(world(fined, [*told, *wage], jurisdiction="KR"), "2026-03").money["TT-1"] == -200
    assert card(world(fined, told, jurisdiction="KR"), "2026-03").fine is None


def test_nothing_is_entered_while_money_is_off() -> None:
    fined = pack(rule("TT-1", 'fine: {unit: yuan, values: {0001-01-01: "-90"}}'))
    told = [seen("o1", "TT-1", "2026-03-02")]

    assert card(closed(world(fined, told), "2026-03"), "2026-03").ledger is None
    assert card(closed(world(fined, told, money="record_only"), "2026-03"), "2026-03").ledger == -90


# other months and other people ----------------------------------------------------------------------------------------


def _with(value: str, key: str = "value") -> Any:
    return pack(rule("TT-1", points("-2")), rule("TT-V", f'{key}: "{value}"', decide="auto", needs="derived"))


def test_previous_is_the_same_a_month_ago_and_nothing_before_the_beginning() -> None:
    at = world(_with("previous(score)"), [seen("o1", "TT-1", "2025-12-09"), seen("o2", "TT-1", "2026-01-09", n=2)])

    assert [card(at, month).value["TT-V"] for month in ("2025-12", "2026-01", "2026-02")] == [None, 98, 96]


def test_a_streak_runs_over_the_year_s_end_and_a_gap_ends_it() -> None:
    bad = [seen(f"o{day}", "TT-1", day) for day in ("2025-11-03", "2025-12-03", "2026-01-03", "2026-03-03")]
    at = world(_with("streak(score < 100)"), bad)

    months = ("2025-11", "2025-12", "2026-01", "2026-02", "2026-03")
    assert [card(at, month).value["TT-V"] for month in months] == [1, 2, 3, 0, 1]


def _team(*names: str) -> list[Record]:
    return [record("person", f"p-{name}", agent=name, team="north") for name in names]


def test_ranks_are_shared_and_counted_from_both_ends() -> None:
    told = [*_team("An", "Bo", "Cai", "Du"), seen("o1", "TT-1", "2026-03-02", agent="Bo"),
            seen("o2", "TT-1", "2026-03-02", agent="Cai"),
            seen("o3", "TT-1", "2026-03-02", agent="Du", n=2)]  # fmt: skip
    for text, wanted in (
        ("rank(score)", [1, 2, 2, 4]),
        ("rank_from_last(score)", [4, 2, 2, 1]),
        ("tied(score)", [1, 2, 2, 1]),
        ("people(score)", [4, 4, 4, 4]),
        ("people_mean(score)", [98, 98, 98, 98]),
    ):
        at = Closing(world(_with(text), told))
        found = [at.card(Who("person", name), Period("2026-03")) for name in ("An", "Bo", "Cai", "Du")]
        assert [one.value["TT-V"] for one in found] == wanted, text


def test_everyone_holds_only_when_it_holds_for_each_of_the_team() -> None:
    told = [*_team("An", "Bo"), record("person", "p-Wu", agent="Wu", team="south"),
            seen("o1", "TT-1", "2026-03-02", agent="Wu")]  # fmt: skip
    at = world(_with("1 if everyone(score == 100) else 0"), told)

    assert [card(at, "2026-03", name).value["TT-V"] for name in ("An", "Bo", "Wu")] == [1, 1, 0]


def test_a_person_belongs_to_the_team_of_the_month_s_last_day() -> None:
    moved = record("person", "p2", agent="An", day="2026-03-31", hired="2020-01-01", team="south")
    at = world(_with("people(score)"), [*_team("An", "Bo"), moved, record("person", "p-Wu", agent="Wu", team="south")])

    assert [card(at, "2026-02", name).value["TT-V"] for name in ("An", "Bo", "Wu")] == [2, 2, 1]
    assert [card(at, "2026-03", name).value["TT-V"] for name in ("An", "Bo", "Wu")] == [2, 1, 2]


def test_a_year_adds_its_months_and_computes_over_those_that_are_known() -> None:
    mean = rule("TT-Y", 'year: "months_mean(score)"', decide="auto", needs="derived")
    yearly = pack(rule("TT-1", points("-2")), mean, head="year: TT-Y")
    at = world(yearly, [seen("o1", "TT-1", "2026-01-09"), seen("o2", "TT-1", "2026-12-09", n=3)])
    found = card(at, "2026")

    assert found.lines["TT-1"] == -8
    assert found.count["TT-1"] == 2
    assert found.score == Decimal(1200 - 8) / 12


def test_a_rule_that_rests_on_itself_is_refused() -> None:
    with pytest.raises(PackError, match="rests on itself"):
        card(world(_with("value('TT-V') + 1"), [], people=["Lin"]), "2026-03")


def test_the_same_record_again_changes_nothing() -> None:
    told = seen("o1", "TT-1", "2026-03-02")

    assert Book.of([told, told]) == Book.of([told])
    assert card(world(MINUS, [told, told]), "2026-03").count["TT-1"] == 1


def test_two_meetings_are_two_events_whatever_their_sort() -> None:
    text = points("-2") + "\ntests:\n- each: event\n  breach: contains(coalesce(absent, ()), me)\n"
    missed = pack(rule("TT-1", text, decide="auto", needs="event"), rule("TT-2", points("-5")))
    held = [record("event", f"m{day}", event="meeting", at=f"2026-03-{day}T09:00", absent=["Lin"]) for day in (10, 11)]

    assert card(world(missed, held), "2026-03").score == 96
    assert card(world(missed, [*held, seen("o1", "TT-2", "2026-03-10", event="meeting")]), "2026-03").score == 91


def test_only_what_takes_effect_itself_excludes_another() -> None:
    three = [rule(f"TT-{name}", points(text)) for name, text in (("1", "-9"), ("2", "-5"), ("3", "-2"))]
    grouped = pack(*three, head="groups: [{per: incident, rules: [TT-2, TT-3]}]")
    at = world(grouped, [seen("o1", ["TT-1", "TT-2"], "2026-03-02", about="c1"),
                         seen("o2", "TT-3", "2026-03-02", about="c1")])  # fmt: skip

    assert dict(card(at, "2026-03").lines) == {"TT-1": -9, "TT-2": 0, "TT-3": -2}


def test_a_month_takes_the_pack_that_holds_on_its_last_day() -> None:
    dearer = pack(rule("TT-1", points("-7")))
    at = world(MINUS, [seen(f"o{month}", "TT-1", f"2026-0{month}-09") for month in (3, 4, 5)])
    at = replace(at, timeline=Timeline([(date.min, MINUS), (date(2026, 4, 1), dearer)]))
    march_closed = close(at, Period("2026-03"))

    assert [card(at, f"2026-0{month}").score for month in (3, 4, 5)] == [98, 93, 93]
    assert [card(march_closed, f"2026-0{month}").score for month in (3, 4)] == [98, 93]
    assert card(close(march_closed, Period("2026-04")), "2026-04").score == 93
    assert card(march_closed, "2026-04").adjusted.points == 0


def test_who_joins_the_team_afterwards_is_news_for_what_reads_the_team() -> None:
    body = """\
tests:
- {each: month, breach: "count(work_order, order_class == 'fault', whose='team') > 0"}
"""
    shared = pack(rule("TT-1", body + points("-2"), decide="auto", needs="work_order"))
    staff = [record("person", f"p-{name}", agent=name, team=team, day="2026-01-01", source="hr")
             for name, team in (("Lin", "north"), ("Bo", "south"))]  # fmt: skip
    order = record("work_order", "w1", agent="Bo", at="2026-03-02T09:00", order_class="fault")
    moved = record("person", "late", agent="Bo", team="north", day="2026-02-01", source="hr")
    at = world(shared, [*staff, order], now="2026-04-02T00:00")
    march_closed = close(at, Period("2026-03"))
    book, refused = march_closed.book.take([moved])
    assert not refused

    assert card(march_closed, "2026-03").score == 100
    assert card(at.with_book(book), "2026-03").score == 98
    assert card(march_closed.with_book(book), "2026-04").adjusted.points == -2


def test_what_nobody_knows_is_no_evidence_of_the_opposite() -> None:
    body = 'tests:\n- {breach: "exists(work_order, closed_at > due_at)"}\n' + points("-2")
    told = world(pack(rule("TT-1", body, decide="auto", needs="work_order")), [
        record("work_order", "w1", agent="Lin", at="2026-03-02T09:00", order_class="fault"),
    ])  # fmt: skip

    (found,) = [one for one in card(told, "2026-03").findings if one.rule == "TT-1"]
    assert found.outcome == "unknown"
    assert not [one for one in found.evidence if getattr(one, "value", "") == "no"]
