"""A site's archive made from a seed: scored calls and absences of many agents over a year, in a real ledger.

Some thousand different subjects are scored; the others repeat them under their own name, agent and day.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import date, timedelta
from functools import cache
from itertools import islice
from pathlib import Path
from zoneinfo import ZoneInfo

from qa.bench.subjects import subjects
from qa.bench.talk import calls, phrase_lists
from qa.facts import SiteView
from qa.runs import new_run
from qa.site import SiteRules, demo_overlay, matcher
from qa.store.bulk import add_runs
from qa.store.ledger import NewRun
from qa.store.pool import Store
from qa.store.postgres import Embedded
from scoring.canonical import digest
from scoring.facts import Facts
from scoring.load import load_lexicons, load_overlay, load_pack, shipped

SITE = "bench"
AGENTS, DAYS = 200, 365
FIRST = date(2026, 1, 1)
DIFFERENT = 5_000
BATCH = 500
PHRASES, TALK_BYTES = 1000, 600_000
UNSYNCED = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}  # thrown away afterwards


def bench_rules() -> SiteRules:
    """The broadband regulation as the demo site has it."""
    pack = load_pack(shipped("bes"))
    return SiteRules(
        SITE, ZoneInfo("Asia/Shanghai"), pack, load_overlay(demo_overlay(), [pack]), matcher(), SiteView(), "zh"
    )


@asynccontextmanager
async def empty(folder: Path) -> AsyncIterator[Store]:
    """A database of its own with one empty site."""
    async with Embedded(folder, settings=UNSYNCED) as server:
        store = await Store.open(server.dsn)
        try:
            await store.migrate()
            await store.add_site(SITE, SITE, "Asia/Shanghai", "bench")
            yield store
        finally:
            await store.close()


async def grow(store: Store, site: SiteRules, start: int, stop: int) -> None:
    """Subjects number start to stop, scored and in the ledger."""
    made = _runs(site, start, stop)
    while batch := list(islice(made, BATCH)):
        async with store.site(site.id, "bench") as tx:
            await add_runs(tx, batch)


def _runs(site: SiteRules, start: int, stop: int) -> Iterator[NewRun]:
    texts = said()
    templates = [_template(site, at, one, texts) for at, one in enumerate(subjects(min(DIFFERENT, stop)))]
    for at in range(start, stop):
        yield _named(templates[at % len(templates)], at)


@cache
def said() -> tuple[str, ...]:
    """Utterances as the phrase benchmark has them."""
    lists = phrase_lists(load_lexicons(), PHRASES)
    return tuple(turn.text for call in calls(lists.strings, TALK_BYTES) for turn in call)


def _template(site: SiteRules, at: int, facts: Facts, texts: Sequence[str]) -> NewRun:
    call = facts.call
    if call is not None:
        turns = tuple(turn._replace(text=texts[(at * 31 + n) % len(texts)]) for n, turn in enumerate(call.turns))
        facts = replace(facts, call=replace(call, turns=turns))
    return new_run(site, facts, FIRST + timedelta(days=at * DAYS // DIFFERENT))[0]


def _named(one: NewRun, at: int) -> NewRun:
    """The same subject under another name and agent; its bytes say so too."""
    subject, agent = f"{one.subject.partition(':')[0]}:n{at}", f"A{at % AGENTS + 1:03}"

    def renamed(data: bytes) -> bytes:
        data = data.replace(b'"%s"' % one.subject.encode(), b'"%s"' % subject.encode())
        return data.replace(b'"agent":"A01"', b'"agent":"%s"' % agent.encode())

    return replace(
        one,
        subject=subject,
        agent=agent,
        facts=renamed(one.facts),
        card=renamed(one.card),
        entries=tuple(replace(each, event=subject) for each in one.entries),
        inputs=digest(f"{subject} {one.inputs}".encode()),
    )
