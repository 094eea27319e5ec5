"""Every golden scenario with its records in a real database: what comes back decides the same months to the letter."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from qa.golden import tried
from qa.play import Played, play
from qa.scenario import Scenario, scenarios
from qa.store import records as stored
from qa.store.pool import Store
from scoring.load import read_yaml
from scoring.period.card import to_json
from scoring.period.close import names
from scoring.records.book import Book, BookError
from scoring.records.period import Period
from scoring.records.record import Record

GOLDEN = Path(__file__).resolve().parent.parent / "golden"
pytestmark = pytest.mark.slow


class Cupboard:
    """The records of one scenario at a site of its own; a closed month keeps the number of the newest record."""

    def __init__(self, runner: asyncio.Runner, store: Store, site: str) -> None:
        self.runner, self.store, self.site = runner, store, site
        self.numbers: dict[Period, int] = {}

    def take(self, records: Sequence[Record]) -> Book:
        async def work() -> Book:
            async with self.store.site(self.site, "golden") as tx:
                added = await stored.add_records(tx, records, name="scenario")
            if added.refused:
                raise BookError((at, records[at], why) for at, why in added.refused)
            return await self._book(None)

        return self.runner.run(work())

    def close(self, period: Period) -> None:
        async def work() -> int:
            async with self.store.site(self.site, "golden") as tx:
                return await stored.newest(tx)

        self.numbers.setdefault(period, self.runner.run(work()))

    def stood(self, period: Period) -> Book:
        return self.runner.run(self._book(self.numbers[period]))

    async def _book(self, upto: int | None) -> Book:
        async with self.store.site(self.site, "golden") as tx:
            return await stored.current_records(tx, upto)


@pytest.fixture
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as one:
        yield one


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.yaml")), ids=lambda path: path.stem)
def test_a_scenario_comes_out_the_same_from_the_database(path: Path, dsn: str, runner: asyncio.Runner) -> None:
    store = runner.run(Store.open(dsn))
    try:
        for number, scenario in enumerate(scenarios(read_yaml(path))):
            site = f"s{number}"
            runner.run(store.add_site(site, scenario.id, scenario.site.timezone, "golden"))
            kept, listed = play(scenario, Cupboard(runner, store, site)), play(scenario)

            assert _shown(scenario, kept) == _shown(scenario, listed), scenario.id
            assert tried(scenario, kept) == tried(scenario, listed), scenario.id
    finally:
        runner.run(store.close())


def _shown(scenario: Scenario, played: Played) -> list[object]:
    """Everything that anybody could read of it: every card of every period it names, every case, every answer."""
    periods = {Period(one) for one in scenario.close} | {
        Period(period)
        for part in ("people", "teams")
        for found in scenario.expect.get(part, {}).values()
        for period in found
    }
    cards = [
        to_json(played.closing.card(who, period, pack))
        for period in sorted(periods)
        for who in names(played.world, period)
        for pack in played.world.packs
    ]
    return [cards, sorted(map(repr, played.cases.items())), sorted(map(repr, played.answers.items()))]
