"""`doctor` against a real database and real ports: what is missing is named with what to do."""

from __future__ import annotations

import asyncio
import os
import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from qa.connections import PbxTable, SourceTable
from qa.doctor import Examined, examine
from qa.settings import Settings
from qa.setup.looks import SECRETS
from qa.store import seats
from qa.store.pool import Store
from tests.postgres import SITE
from tests.qa.lab import ZONE
from tests.speech.values import MODEL


@pytest.fixture
def installed(dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installation with its own database and free ports."""
    for name in [name for name in os.environ if name.startswith("SEATWATCH_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    for name, value in {"DATABASE_URL": dsn, "DATA": str(tmp_path / "data"), "INGEST_PORT": "0", "WEB_PORT": "0",
                        "AUDIOSOCKET_PORT": "0", "SOURCE_KEY": "hidden-word",
                        "ANNOUNCEMENT": "told", "RETENTION_DAYS": "30"}.items():  # fmt: skip
        monkeypatch.setenv(f"SEATWATCH_{name}", value)
    return tmp_path


async def examined() -> Examined:
    return await asyncio.to_thread(examine)


def advice(found: Examined) -> dict[str, str]:
    return {one.what: one.advice for one in found.findings if one.advice}


async def test_an_installation_without_a_model_is_usable_and_told_how_to_get_one(installed: Path) -> None:
    found = await examined()

    assert found.clean
    assert advice(found).keys() - {"open files", "free disk"} == {"speech model"}
    assert "SEATWATCH_MODEL" in advice(found)["speech model"]
    database = next(one for one in found.findings if one.what == "database")
    assert "external" in database.found
    assert "main" in database.found


async def test_a_seat_that_is_ahead_of_our_clock_is_named(installed: Path, store: Store) -> None:
    later = datetime.now(UTC) + timedelta(hours=3)
    async with store.site(SITE, "test") as tx:
        await seats.replace(tx, "s1", [seats.Stretch(seat="s1", kind="status", at=later, value="busy")])
    clocks = next(one for one in (await examined()).findings if one.what == "clocks")

    assert clocks.found == f"1 seat is ahead of our clock: main/s1 since {later.astimezone(ZONE):%Y-%m-%d %H:%M}"
    assert ("NTP" in clocks.advice, clocks.bad) == (True, False)


async def test_everything_is_shown_but_no_secret(installed: Path) -> None:
    found = await examined()

    assert found.as_dict()["settings"]["source_key"] == "set"
    assert "hidden-word" not in f"{found.as_text()} {found.as_dict()}"
    assert str(installed / "data") in found.as_text()
    assert not (installed / "data" / "postgres-18").exists()


@pytest.mark.parametrize(
    ("text", "mode", "warned"),
    [
        ('source_key = "hidden-word"', 0o644, True),
        ('[[sources]]\nname = "hq"\nkeys = ["0123456789abcdef"]', 0o604, True),
        ('source_key = "hidden-word"', 0o600, False),
        ('source_key = "hidden-word"', 0o640, False),
        ('pack = "bes"', 0o644, False),
    ],
)
async def test_a_settings_file_with_secrets_that_others_can_read_is_warned_of(
    installed: Path, text: str, mode: int, warned: bool
) -> None:
    (installed / "seatwatch.toml").write_text(text)
    (installed / "seatwatch.toml").chmod(mode)
    found = await examined()

    assert found.clean
    assert ("chmod o-rwx" in advice(found).get("settings file", "")) == warned


def test_the_doctor_knows_every_secret_of_the_settings() -> None:
    fields = {**Settings.model_fields, **SourceTable.model_fields, **PbxTable.model_fields}
    secret = {name for name, field in fields.items() if "SecretStr" in str(field.annotation)}

    assert secret == set(SECRETS)


async def test_a_port_that_is_taken_is_named_with_its_setting(installed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        monkeypatch.setenv("SEATWATCH_WEB_PORT", str(other.getsockname()[1]))
        found = await examined()

    assert "SEATWATCH_WEB_PORT" in advice(found)["port of screens"]
    assert found.clean


async def test_a_model_of_which_a_file_is_missing_does_not_pass(
    installed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = installed / "model"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    monkeypatch.setenv("SEATWATCH_MODEL", str(folder))
    found = await examined()

    assert not found.clean
    assert str(folder) in advice(found)["speech model"]


async def test_the_test_model_is_said_to_be_one(installed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert MODEL.is_dir()
    monkeypatch.setenv("SEATWATCH_MODEL", "fixture")
    found = await examined()

    assert "set a real model" in advice(found)["speech model"]
    assert found.clean


async def test_a_database_that_is_not_there_does_not_pass(installed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEATWATCH_DATABASE_URL", "postgresql://me:hidden-word@127.0.0.1:9/x")
    found = await examined()

    assert not found.clean
    assert advice(found)["database"]
    assert "hidden-word" not in found.as_text()


async def test_a_file_where_the_data_folder_should_be_does_not_pass(
    installed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (installed / "file").write_text("")
    monkeypatch.setenv("SEATWATCH_DATA", str(installed / "file" / "data"))
    found = await examined()

    assert not found.clean
    assert "data folder" in advice(found)
