"""First set-up over HTTP: what is asked, what is refused at which field, what is found, what is written."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer

from qa.settings import load_settings
from qa.setup.faults import LETTERS
from qa.setup.questions import QUESTIONS, STEPS
from qa.store import people
from qa.store.pool import Store
from qa.web.app import make_app
from tests.ingest.ami_script import block
from tests.ingest.ami_server import SECRET, USER, manager_port
from tests.web.conftest import running
from tests.web.test_words import CATALOGUES

Client = TestClient[Any, Any]
SETUP = "/api/v1/setup"
NEEDED = {"announcement": "told", "retention_days": "30"}


@pytest.fixture
def place(dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A fresh folder that the web part was started in."""
    for name in [name for name in os.environ if name.startswith("SEATWATCH_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    for name, value in {"DATABASE_URL": dsn, "DATA": str(tmp_path), "AUDIOSOCKET_PORT": "0"}.items():
        monkeypatch.setenv(f"SEATWATCH_{name}", value)
    return tmp_path


@pytest.fixture
async def desk(place: Path, store: Store) -> AsyncIterator[Client]:
    async with TestClient(TestServer(make_app(running(store, place)))) as one:
        yield one


async def said(client: Client, path: str, **body: Any) -> dict[str, Any]:
    answer = await client.post(path, json=body)
    assert answer.status == 200, await answer.text()
    return dict(await answer.json())


def pbx(port: int, **more: str) -> dict[str, str]:
    own = {"pbx.host": "127.0.0.1", "pbx.name": "hq", "pbx.ami_port": str(port), "pbx.ami_user": USER}
    return own | {"pbx.ami_secret": SECRET, "pbx.seats": "1001=S01\n1002=S02"} | more


async def test_everything_is_asked_with_what_stands_and_no_secret(desk: Client, place: Path) -> None:
    (place / "seatwatch.toml").write_text(
        f'site = "north"\n[[pbx]]\nname = "hq"\nami_user = "u"\nami_secret = "{SECRET}"\n[[sources]]\nname = "acd"\n'
    )
    text = await (await desk.get(SETUP)).text()
    told = json.loads(text)
    found = {one["name"]: one for step in told["steps"] for one in step["questions"]}

    assert SECRET not in text
    assert [one["step"] for one in told["steps"]] == list(STEPS)
    assert found.keys() == {one.name for one in QUESTIONS}
    assert (found["site"]["value"], found["pbx.name"]["value"], found["sources"]["value"]) == ("north", "hq", ["acd"])
    assert (found["pbx.ami_secret"]["value"], found["pbx.ami_secret"]["set"]) == (None, True)
    assert (told["exists"], told["records"]) == (True, False)


async def test_a_step_tells_its_own_faults_by_field_and_code(desk: Client) -> None:
    wrong = {"site": "No Good", "timezone": "Mars", "retention_days": "x"}
    site = await said(desk, f"{SETUP}/try", step="site", answers=wrong)
    recording = await said(desk, f"{SETUP}/try", step="recording", answers=wrong)

    assert {one["field"]: one["code"] for one in site["faults"]} == {"site": "site", "timezone": "zone"}
    assert {one["field"] for one in recording["faults"]} == {"announcement", "retention_days"}
    assert site["findings"] == []


async def test_the_switchboard_is_tried_and_a_call_waited_for(desk: Client) -> None:
    async with manager_port() as ami:
        ami.clock = datetime.now(UTC).timestamp()
        good = await said(desk, f"{SETUP}/try", step="pbx", answers=pbx(ami.port))
        bad = await said(desk, f"{SETUP}/try", step="pbx", answers=pbx(ami.port, **{"pbx.ami_secret": "no"}))
        waiting = asyncio.create_task(said(desk, f"{SETUP}/try", step="call", seconds=20, answers=pbx(ami.port)))
        await ami.until_asked("ListCommands", 2)
        ami.say(block("1 Newchannel s1"))
        call = await waiting

    assert [(one["check"], one["bad"]) for one in good["findings"]] == [
        ("ami", False),
        ("clock", False),
        ("ari", False),
    ]
    assert [(one["code"], one["bad"]) for one in bad["findings"]] == [("ami_refused", True), ("ari_none", False)]
    assert "seat S01" in call["findings"][0]["found"]


async def test_it_is_shown_first_then_written_and_then_nothing_is_new(desk: Client, place: Path, store: Store) -> None:
    body = {"answers": {**NEEDED, **pbx(1), "site": "north", "sources": "acd"},
            "people": "\ufeffid,name,team,seat\nA01,Kim,T1,S01\n"}  # fmt: skip
    shown = await said(desk, SETUP, **body)
    assert not shown["written"] and not (place / "seatwatch.toml").exists()
    assert {"site", "pbx.ami_secret", "people", "sources.acd"} <= {one["what"] for one in shown["changes"]}
    assert SECRET not in json.dumps(shown)

    done = await said(desk, SETUP, **body, write=True)
    assert done["written"] and (place / "seatwatch.toml").stat().st_mode & 0o777 == 0o600
    made = load_settings()
    assert (made.site, made.retention_days, made.pbx[0].seats) == ("north", 30, {"1001": "S01", "1002": "S02"})
    async with store.site("north", "reader") as tx:
        assert [one.name for one in await people.everybody(tx)] == ["Kim"]
    again = {**body, "answers": {**body["answers"], "pbx.ami_secret": ""}}  # type: ignore[dict-item]
    assert (await said(desk, SETUP, **again, write=True))["changes"] == []
    assert load_settings().pbx[0].ami_secret.get_secret_value() == SECRET
    assert (await (await desk.get(SETUP)).json())["records"] is True


async def test_what_is_refused_writes_nothing(desk: Client, place: Path) -> None:
    table = await said(desk, SETUP, answers=NEEDED, people="id,name\nA01,\n", write=True)
    tried = await said(desk, f"{SETUP}/try", step="people", answers={}, people="id,name\nA01,\n")
    empty = await said(desk, SETUP, answers={}, write=True)

    assert (
        [(one["field"], one["line"]) for one in table["faults"]]
        == [("name", 2)]
        == [(one["field"], one["line"]) for one in tried["faults"]]
    )
    assert {one["field"] for one in empty["faults"]} == {"announcement", "retention_days"}
    assert not (place / "seatwatch.toml").exists()


@pytest.mark.parametrize("body", [b"", b"[]", b'{"answers": {}, "more": 1}', b'{"answers": {"site": {"a": 1}}}'])
async def test_a_body_that_is_none_is_a_problem(desk: Client, body: bytes) -> None:
    for path in (SETUP, f"{SETUP}/try"):
        answer = await desk.post(path, data=body, headers={"Content-Type": "application/json"})
        assert answer.status == 400
        assert (await desk.post(path, data=b"x")).status == 415


async def test_a_file_at_fault_is_said_to_be(desk: Client, place: Path) -> None:
    (place / "seatwatch.toml").write_text("colour = 3\n")
    answer = await desk.get(SETUP)

    assert answer.status == 409 and "colour" in (await answer.json())["detail"]


CODES = (
    "ami_refused", "ami_away", "ami_too_much", "ami_too_little", "ami_open", "ari_none", "ari_refused", "call_none",
    "leg_none", "leg_deaf", "clock_off", "media_loopback", "model_none", "model_broken", "model_synthetic",
    "folder_closed", "disk_low", "port_taken", "recording_off",
)  # fmt: skip


@pytest.mark.parametrize(
    ("family", "members"),
    [
        ("setup.fault", LETTERS), ("setup.q", [one.name for one in QUESTIONS]), ("setup.step", STEPS),
        ("setup.advice", CODES),
        ("setup.seen", ["in", "refused", "silent", "rights", "ahead", "behind", "none", "fails", "off", "kept", "seat",
                        "nobody", "nothing", "heard", "deaf"]),
        ("setup.check", ["ami", "ari", "call", "leg", "clock", "rights", "media", "model", "folder", "disk", "port",
                         "recording"]),
    ],
)  # fmt: skip
def test_everything_that_set_up_says_has_its_words(family: str, members: Any) -> None:
    assert [one for one in members if f"{family}.{one}" not in CATALOGUES["en"]] == []
