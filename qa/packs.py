"""Packs for people: are they whole, do they quote the text truly, what does a rule say. It scores nothing.

The regulations' texts are not shipped. With their folder every quote is proved against the line it comes from, white
space aside; without it the report says that this was not done.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from scoring.errors import PackError
from scoring.load import load_lexicons, load_pack, shipped, shipped_names
from scoring.pack import VERDICTS, Check, Dated, Lost, Pack, Reading, Rule, Source
from scoring.period.program import program
from scoring.predicates import PREDICATES

NOT_PROVED = "quotes were not compared: the regulations' texts are not shipped; give their folder with --sources DIR"
_PINYIN = re.compile(r"[((][A-Za-zÀ-ǿ]+[))]")  # sounds printed beside the words of one source


@dataclass(frozen=True, slots=True)
class Report:
    """What checking found; ``clean`` when there is no fault. ``quotes`` = how many were proved verbatim."""

    packs: tuple[dict[str, Any], ...]
    faults: tuple[str, ...]
    quotes: int
    notes: tuple[str, ...] = ()

    @property
    def clean(self) -> bool:
        return not self.faults

    def as_dict(self) -> dict[str, Any]:
        found = {"packs": list(self.packs), "faults": list(self.faults), "quotes_proved": self.quotes}
        return {**found, "notes": list(self.notes), "clean": self.clean}

    def as_text(self) -> str:
        rows = [f"{one['id']} {one['version']}: {one['rules']} rules  ({one['sha'][:12]})" for one in self.packs]
        rows += [f"{self.quotes} quotes proved against their sources"] if self.quotes else []
        rows += [*self.notes, *self.faults]
        return "\n".join([*rows, "no fault" if self.clean else f"{len(self.faults)} faults"])


def check(folder: Path | None = None, sources: Path | None = None) -> Report:
    """One pack, or all that are shipped: loaded strictly and, with ``sources``, every quote compared."""
    if astray := [one for one in (folder, sources) if one is not None and not one.is_dir()]:
        raise PackError([f"{one}: there is no such folder; check the path" for one in astray])
    faults: list[str] = []
    packs: list[dict[str, Any]] = []
    proved = 0
    for place in [folder] if folder is not None else [shipped(name) for name in shipped_names()]:
        try:
            pack = load_pack(place)
            program(pack)
        except PackError as error:
            faults += error.faults
            continue
        faults += _unheard(pack)
        packs.append({"id": pack.id, "version": pack.version, "sha": pack.sha, "rules": len(pack.rules)})
        if sources is not None:
            lines, lacking = _source_lines(pack, sources)
            wrong = [] if lacking else list(_misquoted(pack, lines))
            faults += lacking + wrong
            proved += 0 if lacking else len(pack.rules) - len(wrong)
    return Report(tuple(packs), tuple(faults), proved, () if sources is not None else (NOT_PROVED,))


def _unheard(pack: Pack) -> Iterator[str]:
    """Phrase names in tests that no lexicon has: such a test would fire, or stay silent, for ever."""
    known: set[str] = set()
    for lexicon in load_lexicons():
        entries = lexicon.get("entries", [])
        known |= {lexicon.get("category", "")} | {str(one.get(key)) for one in entries for key in ("id", "part")}
    for rule_id, rule in pack.rules.items():
        for word in (word for test in rule.tests for found in test.phrases.values() for word in found):
            if word not in known:
                where = f"{pack.section_of[rule_id]}:{_line(pack, rule_id)}"
                yield f"{where}: {rule_id}.tests: no lexicon has {word!r}; write a category, an entry id or a part"


def _source_lines(pack: Pack, folder: Path) -> tuple[list[str], list[str]]:
    found = [_source_text(source, folder) for source in pack.head.sources]
    lines = [_no_space(line) for rows, _ in found for line in rows]
    return lines, [f"pack.yaml: {pack.id}: {fault}" for _, fault in found if fault]


def _misquoted(pack: Pack, lines: list[str]) -> Iterator[str]:
    for rule_id, rule in pack.rules.items():
        for key in ("quote", "quote_ko"):
            quote = getattr(rule, key)
            if quote is not None and not any(_no_space(quote) in line for line in lines):
                where = f"{pack.section_of[rule_id]}:{_line(pack, rule_id)}"
                yield f"{where}: {rule_id}.{key}: does not stand in the source; copy it verbatim, misprints included"


def _source_text(source: Source, folder: Path) -> tuple[list[str], str | None]:
    """The lines of a source that its clauses stand in, and what is wrong with the file."""
    path = folder / Path(source.file).name
    if not path.is_file():
        return [], f"there is no source {source.file} in {folder}; give the folder that holds it"
    data = path.read_bytes()
    if sha256(data).hexdigest() != source.sha256:
        return [], f"{source.file} is another text than the pack was made from (SHA-256 differs); compare the two"
    rows = data.decode("utf-8").split("\n")
    last = source.last or source.line
    if last > len(rows) or last < source.line:
        return [], f"{source.file} has no lines {source.line} to {last}; correct sources.line and sources.last"
    found = rows[source.line - 1 : last]
    return [_PINYIN.sub("", row) for row in found] if source.strip == "pinyin" else found, None


def _no_space(text: str) -> str:
    return "".join(text.split())


def _line(pack: Pack, rule_id: str) -> int:
    rows = pack.files[pack.section_of[rule_id]].split("\n")
    return next(number for number, row in enumerate(rows, start=1) if row.startswith(f"{rule_id}:"))


def show(rule_id: str, packs: Iterable[Pack] = ()) -> dict[str, Any]:
    """One rule explained; refuses (PackError) an id that no pack has, with those that come near."""
    chosen = tuple(packs) or tuple(load_pack(shipped(name)) for name in shipped_names())
    for pack in chosen:
        if rule_id in pack.rules:
            return _shown(pack, rule_id, pack.rules[rule_id])
    ids = [one for pack in chosen for one in pack.rules]
    near = [one for one in ids if one.lower().startswith(rule_id.lower()[:6])] or ids
    raise PackError([f"there is no rule {rule_id}; near it are {', '.join(near[:10])}"])


def _shown(pack: Pack, rule_id: str, rule: Rule) -> dict[str, Any]:
    choices = [
        {"name": name, "value": one.default, "of": list(one.of), "why": one.why} for name, one in rule.choices().items()
    ]
    return {
        "rule": rule_id,
        "pack": pack.id,
        "pack_version": pack.version,
        "cite": rule.cite,
        "quote": rule.quote,
        "title": rule.title.model_dump(),
        "decide": rule.decide,
        "on": rule.on,
        "why": rule.why,
        "per": rule.per,
        "needs": list(rule.needs),
        "needs_text": rule.needs_text,
        "tests": [_test_in_words(rule, at) for at in range(len(rule.tests))],
        "settings": [row for name, one in rule.dated().items() for row in _setting_rows(name, one)] + choices,
        "overlaps": _overlaps(pack, rule_id, rule),
        "note": rule.note,
    }


def _test_in_words(rule: Rule, at: int) -> dict[str, Any]:
    test = rule.tests[at]
    if test.that is None:
        return _expression_in_words(rule, test)
    predicate = PREDICATES[test.that]
    phrases = {name: list(found) for name, found in test.phrases.items()}
    return {
        "predicate": test.that,
        "on": predicate.subject,
        "decide": test.decide or rule.decide,
        "says": predicate.says,
        "phrases": phrases,
    }


def _expression_in_words(rule: Rule, test: Check) -> dict[str, Any]:
    parts = ("where", "na", *VERDICTS, "alarm", "points")
    said = [f"{name}: {getattr(test, name)}" for name in parts if getattr(test, name) is not None]
    said += [f"{name} = {one}" for name, one in test.let.items()]
    if test.due is not None:
        said.append(f"due ({test.due.stage}): {test.due.at}")
    says = "; ".join(said)
    return {"predicate": None, "on": test.each, "decide": test.decide or rule.decide, "says": says, "phrases": {}}


def _setting_rows(name: str, dated: Dated) -> Iterator[dict[str, Any]]:
    for day, value in sorted(dated.values.items()):
        row = {"name": name, "unit": dated.unit, "since": day.isoformat()}
        if isinstance(value, Lost):
            yield {**row, "value": value.assumed, "source": "lost", "assumed": True, "why": value.why}
        elif isinstance(value, Reading):
            yield {**row, "value": value.reading, "source": "reading", "assumed": False, "why": value.why}
        else:
            yield {**row, "value": value, "source": "printed", "assumed": False, "why": dated.reference}


def _overlaps(pack: Pack, rule_id: str, rule: Rule) -> list[str]:
    groups = [
        f"one {group.per} takes effect under one of {', '.join(group.rules)}"
        for group in pack.head.groups
        if rule_id in group.rules
    ]
    return groups + [f"separate from {other}" for other in rule.also] + [f"never with {one}" for one in rule.not_with]


def show_text(shown: dict[str, Any]) -> str:
    """The same for a terminal."""
    titles = shown["title"]
    rows = [
        f"{shown['rule']}  {shown['cite']}  ({shown['pack']} {shown['pack_version']})",
        f"  {titles['zh']} / {titles['ko']} / {titles['en']}",
        f"  “{shown['quote']}”",
        f"  decided: {shown['decide']}, per {shown['per']}; from: {', '.join(shown['needs'])}",
    ]
    rows += [] if shown["on"] else [f"  off: {shown['why']}"]
    rows += ["  needs recognised speech: counts only where the site trusts it"] if shown["needs_text"] else []
    subjects = {"call": "a call", "away": "an absence from the seat"}
    rows += [
        f"  tested on {subjects.get(one['on'], 'each ' + one['on'])} ({one['decide']}): {one['says']}"
        for one in shown["tests"]
    ]
    for one in shown["settings"]:
        since = f" since {one['since']}" if one.get("since", "0001-01-01") != "0001-01-01" else ""
        mark = {"lost": " [assumed: number lost]", "reading": " [our reading]"}.get(one.get("source", ""), "")
        why = f" - {one['why']}" if one.get("why") else ""
        rows.append(
            f"  {shown['rule']}.{one['name']} = {one['value']} {one.get('unit', '')}{since}{mark}{why}".rstrip()
        )
    rows += [f"  {one}" for one in shown["overlaps"]]
    return "\n".join(rows + ([f"  note: {shown['note']}"] if shown["note"] else []))
