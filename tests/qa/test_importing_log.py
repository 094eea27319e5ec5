"""`seatwatch import queue-log`: a log becomes calls, once however often, every refused line named."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from ingest.events import Event, parse_event
from ingest.session import fold_call
from qa.cli import app
from qa.letters import letters
from qa.store import events
from qa.store.pool import Store
from tests.postgres import SITE

LOG = Path(__file__).parents[1] / "ingest" / "recordings" / "queue_log"
SETTINGS = """
[[pbx]]
name = "lab"
ami_user = "qa"
ami_secret = "not asked here"
seats = { "Seat 1001" = "1001", "Seat 1002" = "1002" }
"""


@pytest.fixture
def seatwatch(dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """The command on a database of the test's own, with one switchboard in its settings."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SEATWATCH_DATABASE_URL", dsn)
    monkeypatch.setenv("SEATWATCH_DATA", str(tmp_path / "data"))
    (tmp_path / "seatwatch.toml").write_text(SETTINGS)

    async def run(*words: object) -> Any:
        said = ["import", "queue-log", *(str(word) for word in words)]
        return await asyncio.to_thread(CliRunner().invoke, app, said, catch_exceptions=True)

    return run


async def calls(store: Store) -> dict[str, Any]:
    async with store.site(SITE, "reader") as tx:
        found = [parse_event(one.body) for one in await events.newest(tx, 1000)]
    good = [one for one in found if isinstance(one, Event) and one.call]
    return {
        name: fold_call(one for one in good if one.call == name) for name in sorted({str(one.call) for one in good})
    }


async def test_a_log_is_imported_once_however_often(seatwatch: Callable[..., Any], store: Store) -> None:
    first = await seatwatch(LOG, "--json")
    told = json.loads(first.stdout)
    again = await seatwatch(LOG)
    found = await calls(store)
    async with store.site(SITE, "reader") as tx:
        due = await events.count_due(tx)

    assert (first.exit_code, told["duplicates"], told["refused"]) == (0, 0, [])
    assert told["kinds"]["answered"] == 4
    assert f"0 events taken, {told['accepted']} known already" in again.stdout
    assert [one.end for one in found.values()] == ["answered", "abandoned", "abandoned", "answered", "answered", None]
    assert found["lab-1795309450.0"].seat == "1001"
    assert due == len(found) + 2  # and both seats


async def test_a_refused_line_stops_the_log_unless_a_part_will_do(
    seatwatch: Callable[..., Any], store: Store, tmp_path: Path
) -> None:
    log = tmp_path / "queue_log.1"
    log.write_text("yesterday|1.1|sales|NONE|ENTERQUEUE||5|1\n" + LOG.read_text().splitlines()[0] + "\n1|2|3\n")

    whole = await seatwatch(log, "--json")
    told = json.loads(whole.stdout)
    assert whole.exit_code == 1 and await calls(store) == {}
    assert [(one["number"], one["field"]) for one in told["refused"]] == [(1, "time"), (3, "line")]

    part = await seatwatch(log, "--partial")
    assert part.exit_code == 1
    assert f"{log.name}:1: time:" in part.stdout and "1 events taken" in part.stdout
    assert len(await calls(store)) == 1


async def test_a_switchboard_that_the_settings_do_not_know_is_refused(
    seatwatch: Callable[..., Any], store: Store
) -> None:
    """Its calls would be nobody's; where no switchboard is set up at all, any name will do."""
    wrong = await seatwatch(LOG, "--pbx", "nosuch")

    assert letters(wrong.exception) == (["--pbx nosuch: there is no [[pbx]] of this name; name one of lab"], 2)
    assert await calls(store) == {}


async def test_a_log_of_nobody_knows_which_switchboard(
    seatwatch: Callable[..., Any], store: Store, tmp_path: Path
) -> None:
    (tmp_path / "seatwatch.toml").write_text("")
    nobody, missing = await seatwatch(LOG), await seatwatch(tmp_path / "none", "--pbx", "lab")
    named = await seatwatch(LOG, "--pbx", "north")

    assert "--pbx NAME" in str(nobody.exception or nobody.output)
    assert "there is no such file" in str(missing.exception or missing.output)
    assert named.exit_code == 0 and "north-1795309450.0" in await calls(store)
