"""The first day of a site: what is dated before it is kept, not heard and not scored."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from qa.store.pool import Store
from tests.ingest.values import T0
from tests.postgres import SITE
from tests.qa.lab import ZONE, floor

DAY = T0.astimezone(ZONE).date()


@pytest.mark.parametrize(("first", "runs"), [(DAY + timedelta(days=1), 0), (DAY, 1), (None, 1)])
async def test_only_calls_from_the_first_day_on_are_scored(
    store: Store, tmp_path: Path, first: object, runs: int
) -> None:
    async with floor(store, tmp_path) as here:
        await here.spoken_call()
        await here.worker(None, start_day=first).hear({"site": SITE, "call": "c1"})

        assert len(await here.runs("call:c1")) == runs
        assert len(await here.kept()) == 1
        assert (await here.call()).state == ("scored" if runs else "recorded")
