"""`token`: what it makes opens the leg that it was made for at real ingest, and nothing else."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
import pytest_asyncio
from typer.testing import CliRunner

from ingest.errors import ClientError
from ingest.shell.client import AudioSocketClient, post_events
from ingest.shell.service import Ingest, IngestConfig
from ingest.tokens import read_stream_token
from qa.cli import app
from qa.settings import load_settings
from qa.tokens import Unfit, minted
from tests.ingest import lab
from tests.ingest.test_service import stored
from tests.ingest.values import raw


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    for name in [name for name in os.environ if name.startswith("SEATWATCH_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SEATWATCH_DATA", str(tmp_path / "data"))
    mask = os.umask(0o022)
    os.umask(mask)
    yield tmp_path
    os.umask(mask)


@pytest_asyncio.fixture
async def ingest(place: Path) -> AsyncIterator[Ingest]:
    """As the site runs it: with the site's own key."""
    config = IngestConfig(place / "spool", load_settings().secret, http_port=0, audiosocket_port=0)
    async with Ingest(config) as running:
        yield running


async def test_a_token_opens_the_leg_it_was_made_for(ingest: Ingest, place: Path) -> None:
    made = await asyncio.to_thread(minted, "stream", "4711", "agent", "agent", 1)
    async with lab.client(lab.url(ingest), lab.hello("4711", token=made.token)) as client:
        await client.send(lab.tone(800))
        await client.finish()
    assert (await stored(place / "spool", "4711", "agent", ended="end")).samples == 800

    with pytest.raises(ClientError, match="another call, leg or role"):
        async with lab.client(lab.url(ingest), lab.hello("4712", token=made.token)) as client:
            await client.finish()


async def test_a_uuid_opens_the_leg_that_an_event_binds_it_to(ingest: Ingest, place: Path) -> None:
    made = await asyncio.to_thread(minted, "audiosocket", "4711", "agent", "agent", 1)
    event = raw("leg", call="4711", leg="agent", role="agent", audio={"audiosocket": made.token})
    assert (await post_events(lab.url(ingest), [event | {"call": "4712"}]))["refused"][0]["field"] == "audio"
    assert (await post_events(lab.url(ingest), [event]))["accepted"] == 1
    async with AudioSocketClient("127.0.0.1", ingest.audiosocket_port, UUID(made.token)) as client:
        await client.send(lab.tone(160))
        await client.hang_up()
    assert (await stored(place / "spool", "4711", "agent", ended="hangup")).samples == 160


def test_the_command_prints_what_a_script_can_use(place: Path) -> None:
    asked = ["--call", "来电-1", "--leg", "inbound", "--role", "customer"]
    plain = CliRunner().invoke(app, ["token", "stream", *asked])
    told = json.loads(CliRunner().invoke(app, ["token", "stream", *asked, "--hours", "0.5", "--json"]).stdout)
    grant = read_stream_token(load_settings().secret, plain.stdout.strip(), datetime.now(UTC))

    assert plain.exit_code == 0 and plain.stdout.count("\n") == 1
    assert (grant.call, grant.leg, grant.role) == ("来电-1", "inbound", "customer")
    assert timedelta(hours=7.9) < grant.until - datetime.now(UTC) <= timedelta(hours=8)
    assert told.keys() == {"kind", "token", "call", "leg", "role", "until"}
    assert datetime.fromisoformat(told["until"]) - datetime.now(UTC) < timedelta(hours=0.5)


def test_the_key_that_it_may_be_the_first_to_make_is_for_nobody_else(place: Path) -> None:
    minted("audiosocket", "4711", "agent", "agent", 1)
    folder = place / "data"

    assert folder.stat().st_mode & 0o007 == 0
    assert (folder / "secrets" / "token.key").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (("4711~2", "agent", "agent", 8), "call: ends in ~"),
        (("", "agent", "agent", 8), "call: is empty"),
        (("4711", "a\nb", "agent", 8), "leg: contains a control character"),
        (("4711", "agent", "seat", 8), "role: 'seat' is none; give one of agent, customer"),
        (("4711", "agent", "agent", 0), "hours: 0 is too few"),
        (("4711", "agent", "agent", float("nan")), "hours: nan"),
        (("话" * 128, "agent", "agent", 8), "token: "),
    ],
)
def test_what_cannot_be_signed_is_refused_with_a_letter(given: tuple[str, str, str, float], says: str) -> None:
    with pytest.raises(Unfit) as error:
        minted("stream", *given)
    assert error.value.faults[0].startswith(says)
