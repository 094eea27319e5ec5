"""What must fit together between the rules of a pack, its groups and the closed set of predicates. It reads no file."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from scoring.pack import VERDICTS, Check, Head, Rule
from scoring.predicates import PREDICATES, Predicate

_SPEECH = re.compile(r"\b(said|said_at|heard|hits|mentions|first_hit|last_hit|last_word|tail_ms)\b")

At = Callable[[tuple[object, ...]], str]
AtRule = Callable[[str, tuple[object, ...]], str]


def pack_faults(head: Head, rules: dict[str, Rule], at: At, at_rule: AtRule, complete: bool) -> list[str]:
    """All faults at once; names of rules are compared only when every file could be read (``complete``)."""
    faults = []
    for rule_id, rule in rules.items():
        for path, what in _rule_faults(head, rule_id, rule):
            faults.append(f"{at_rule(rule_id, path)}: {'.'.join(str(step) for step in (rule_id, *path))}: {what}")
    if complete:
        faults += [f"{at(path)}: {'.'.join(map(str, path))}: {what}" for path, what in _head_faults(head, rules)]
        faults += [
            f"{at_rule(rule_id, (key,))}: {rule_id}.{key}: there is no rule {other}; correct the id"
            for rule_id, rule in rules.items()
            for key in ("also", "not_with")
            for other in getattr(rule, key)
            if other not in rules
        ]
    return faults


def _head_faults(head: Head, rules: dict[str, Rule]) -> Iterator[tuple[tuple[object, ...], str]]:
    for name in ("score", "grade", "pay", "year", "approver"):
        named = getattr(head, name)
        if named is not None and named not in rules:
            yield (name,), f"there is no rule {named}; correct the id"
    for number, group in enumerate(head.groups):
        for rule_id in group.rules:
            if rule_id not in rules:
                yield ("groups", number), f"there is no rule {rule_id}; correct the id"


def _rule_faults(head: Head, rule_id: str, rule: Rule) -> Iterator[tuple[tuple[object, ...], str]]:
    if not rule_id.startswith(head.prefix):
        yield (), f"the id does not start with {head.prefix}; rules of another regulation go into its own pack"
    if rule.points is not None and rule.points.unit != "point":
        yield ("points", "unit"), f"counts {rule.points.unit}s; write unit: point"
    named = [check.that for check in rule.tests if check.that is not None]
    subjects = [PREDICATES[that].subject for that in named if that in PREDICATES]
    for subject in sorted({one for one in subjects if subjects.count(one) > 1}):
        yield ("tests",), f"two tests on one {subject}; keep one, or split the clause into two rules"
    for number, check in enumerate(rule.tests):
        if check.that is None:
            if _hears(check) and not rule.needs_text:
                yield ("tests", number), "asks what was said in a call; write needs_text: true"
            continue
        predicate = PREDICATES.get(check.that)
        if predicate is None:
            yield (
                ("tests", number, "that"),
                f"there is no predicate {check.that!r}; write one of {', '.join(sorted(PREDICATES))}",
            )
            continue
        yield from ((("tests", number), what) for what in _test_faults(rule, check, predicate))


def _hears(check: Check) -> bool:
    """Whether a test over a call rests on recognised speech."""
    texts = [check.where, check.na, *(getattr(check, name) for name in VERDICTS), check.alarm, *check.let.values()]
    return check.each == "call" and any(_SPEECH.search(one) for one in texts if one)


def _test_faults(rule: Rule, check: Check, predicate: Predicate) -> Iterator[str]:
    dated, choices = rule.dated(), rule.choices()
    for name, unit in predicate.numbers.items():
        if name not in dated:
            yield f"{predicate.name} needs the number {name} (in {unit}); add it"
        elif dated[name].unit != unit:
            yield f"{predicate.name} reads {name} in {unit}, not in {dated[name].unit}; change its unit"
        elif any(value is None for value in dated[name].values.values()):
            yield f"{predicate.name} needs a number for {name}, not null; add it"
    for name, words in predicate.words.items():
        if name not in choices:
            yield f"{predicate.name} needs the choice {name}, of {', '.join(words)}; add it"
        elif unfit := [word for word in choices[name].of if word not in words]:
            yield f"{predicate.name} does not know {name} {unfit[0]!r}; write of {', '.join(words)}"
    for name in sorted(set(predicate.phrases) ^ set(check.phrases)):
        says = "needs the phrase list" if name in predicate.phrases else "knows no phrase list"
        yield f"{predicate.name} {says} {name}; its lists are {', '.join(predicate.phrases) or 'none'}"
    if predicate.needs_text and not rule.needs_text:
        yield f"{predicate.name} needs recognised speech; write needs_text: true"
    if check.decide == "auto" and rule.decide == "review":
        yield "a test cannot be more automatic than its rule; make the rule auto or drop decide"
