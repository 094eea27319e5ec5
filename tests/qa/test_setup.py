"""First set-up: answers judged, files edited as they are written, people by table, and the same answers twice."""

from __future__ import annotations

import asyncio
import json
import os
import tomllib
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner, Result

from qa.cli import app
from qa.settings import SettingsError, load_settings
from qa.setup import overlay, people, toml
from qa.setup.answers import Stands, judged, stands
from qa.setup.faults import LETTERS, Refused
from qa.setup.questions import QUESTIONS
from qa.setup.toml import Table, Unsafe
from qa.store import people as stored
from qa.store import records, seating
from qa.store.people import Held, Role
from qa.store.pool import Store
from scoring.load import load_overlay
from tests.ingest.ami_server import SECRET, USER, manager_port

TODAY = date(2026, 11, 22)
EXAMPLE = Path(__file__).parents[2] / "deploy" / "seatwatch.toml.example"
NEEDED = {"announcement": "本次通话将被录音", "retention_days": 180}


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A fresh folder, and nothing set."""
    for name in [name for name in os.environ if name.startswith("SEATWATCH_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def there(place: Path) -> Stands:
    return stands(load_settings(), place / "seatwatch.toml")


def refused(place: Path, **raw: Any) -> dict[str, str]:
    with pytest.raises(Refused) as found:
        judged({**NEEDED, **{name.replace("__", "."): value for name, value in raw.items()}}, there(place), TODAY)
    assert all(one.code in LETTERS and one.text for one in found.value.found)
    return {one.field: one.code for one in found.value.found}


# --- answers


def test_what_is_not_answered_is_what_is_usual_in_that_country(place: Path) -> None:
    seoul = judged({**NEEDED, "timezone": "Asia/Seoul"}, there(place), TODAY)
    usual = judged(NEEDED, there(place), TODAY)

    assert (seoul["cadence"], seoul["language"]) == ("kr", "ko")
    assert (usual["cadence"], usual["language"], usual["pack"], usual["site"]) == ("cn", "zh", "bes", "main")
    assert (usual["start_day"], usual["ring_policy"]) == (TODAY, "next_onset")
    assert not [name for name in usual if name.startswith("pbx.")]


def test_nothing_is_recorded_without_the_announcement_and_the_days(place: Path) -> None:
    assert refused(place, announcement="", retention_days="") == {
        "announcement": "needed_to_record",
        "retention_days": "needed_to_record",
    }


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("site", "North Side", "site"), ("site", "demo", "demo"), ("timezone", "Asia/Beijing", "zone"),
        ("language", "en", "choice"), ("start_day", "tomorrow", "day"), ("pack", "nowhere", "pack"),
        ("cadence", "xx", "choice"), ("ring_policy", "third", "choice"), ("model", "/nowhere", "model"),
        ("retention_days", "0", "number"), ("retention_days", True, "number"), ("sources", "a, a", "twice"),
        ("sources", "ä", "name"), ("colour", "red", "no_question"), ("announcement", "x" * 2001, "long"),
        ("pbx.host", "http://x", "host"),
    ],
)  # fmt: skip
def test_a_wrong_answer_is_refused_by_its_name(place: Path, name: str, value: Any, code: str) -> None:
    assert refused(place, **{name: value}) == {name: code}


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("pbx.ami_port", "5038a", "number"), ("pbx.ami_tls", "maybe", "switch"), ("pbx.ari_url", "127.0.0.1", "url"),
        ("pbx.ari_url", "http://127.0.0.1:99999", "url"), ("pbx.ami_user", "a\nAction: Command", "one_line"),
        ("pbx.seats", "1001", "pair"), ("pbx.seats", "1001=S01, 1001=S02", "twice"), ("pbx.name", "a b", "name"),
        ("pbx.ami_secret", "", "needed"), ("pbx.ari_url", "http://127.0.0.1:8088", "together"),
    ],
)  # fmt: skip
def test_a_switchboard_that_cannot_be_is_refused(place: Path, name: str, value: str, code: str) -> None:
    found = refused(place, **{"pbx.host": "10.0.0.1", "pbx.ami_secret": "x", name: value})

    assert set(found.values()) == {code}
    assert name in found or code == "together"


def test_a_regulation_that_counts_no_rings_asks_for_no_reading(place: Path) -> None:
    assert "ring_policy" not in judged({**NEEDED, "pack": "tel"}, there(place), TODAY)
    assert refused(place, pack="tel", ring_policy="onset") == {"ring_policy": "no_rings"}


@pytest.mark.parametrize("raw", ["1001=S01, 1002=S02", "1001=S01\n1002 = S02\n", {"1001": "S01", "1002": "S02"}])
def test_extensions_are_told_in_a_line_in_lines_or_in_a_table(place: Path, raw: Any) -> None:
    told = judged({**NEEDED, "pbx.host": "10.0.0.1", "pbx.ami_secret": "x", "pbx.seats": raw}, there(place), TODAY)

    assert told["pbx.seats"] == {"1001": "S01", "1002": "S02"}


# --- files as they are written

VALUES = st.one_of(
    st.booleans(), st.integers(-(2**40), 2**40), st.text(max_size=30), st.lists(st.text(max_size=8), max_size=3),
    st.dictionaries(st.text(min_size=1, max_size=6), st.text(max_size=6), max_size=3),
)  # fmt: skip


@given(
    st.dictionaries(st.from_regex(r"[a-z_]{1,8}", fullmatch=True).filter(lambda one: one != "pbx"), VALUES, max_size=4)
)
def test_every_value_comes_back_from_the_file_as_it_went_in(values: dict[str, Any]) -> None:
    table = Table("pbx", "main", values)
    text = toml.edited("# kept\nsite = 'a' # here\n", values, [table])

    told = tomllib.loads(text)
    assert told == {"site": "a", **values, "pbx": [{"name": "main", **values}]}
    assert text.startswith("# kept\n") and toml.edited(text, values, [table]) == text


def test_comments_order_and_other_tables_stay() -> None:
    before = (
        '# ours\nsite = "a"  # short\n# retention_days = 9\nsilent_call_minutes = 5\n'
        'announcement = """\none\ntwo"""\n\n'
        '# the main one\n[[pbx]]\nname = "hq"\nami_user = "u"\nqueues = [\n  "sales", # first\n]\n\n'
        '[watch]\nfolder = "/srv/drop"\n'
    )
    text = toml.edited(before, {"site": "b", "retention_days": 30, "announcement": "neu"},
                       [Table("pbx", "hq", {"host": "h"}), Table("pbx", "two", {"host": "g"})])  # fmt: skip

    assert text == (
        '# ours\nsite = "b"  # short\n# retention_days = 9\nretention_days = 30\nsilent_call_minutes = 5\n'
        'announcement = "neu"\n\n# the main one\n[[pbx]]\nname = "hq"\nami_user = "u"\nqueues = [\n'
        '  "sales", # first\n]\nhost = "h"\n\n[watch]\nfolder = "/srv/drop"\n\n[[pbx]]\nname = "two"\nhost = "g"\n'
    )


@pytest.mark.parametrize("text", ['pbx = [{ name = "hq" }]\n', '"site" = "a"\n'])
def test_a_file_that_is_written_otherwise_is_refused_and_not_damaged(text: str) -> None:
    with pytest.raises(Unsafe):
        toml.edited(text, {"site": "b"}, [Table("pbx", "hq", {"host": "h"})])


def test_the_example_takes_every_answer_where_it_shows_it() -> None:
    text = toml.edited(EXAMPLE.read_text(), {"site": "north", "retention_days": 3}, [])
    lines = text.splitlines()

    assert lines[lines.index('site = "north"') - 1].startswith("# site =")
    assert lines[lines.index("retention_days = 3") - 1].startswith("# retention_days =")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("BES-16:\n    points: '-1'\n", "    mode: onset"),
        ("BES-16:  # three rings\n  mode: burst_end\n  points: '-1'\n", "  mode: onset"),
        ("BES-16.mode: burst_end\ntrust: []\n", "BES-16.mode: onset"),
        ("", "BES-16:"),
        ("trust: [BES-14]\n", "  mode: onset"),
    ],
)
def test_a_reading_goes_into_an_overlay_and_every_other_decision_stays(text: str, line: str, tmp_path: Path) -> None:
    new = overlay.edited(text, {"BES-16": "onset"})

    assert any(one.startswith(line) for one in new.splitlines())
    assert overlay.edited(new, {"BES-16": "onset"}) == new
    (tmp_path / "o.yaml").write_text(new)
    assert load_overlay(tmp_path / "o.yaml").words == {"BES-16.mode": "onset"}


def test_an_overlay_that_is_written_otherwise_is_refused() -> None:
    with pytest.raises(Unsafe):
        overlay.edited("{BES-16: {mode: burst_end}}\n", {"BES-16": "onset"})


# --- people


def test_the_template_is_a_table_without_people() -> None:
    assert people.read(people.template()) == ()
    assert people.template().startswith(b"\xef\xbb\xbfid,name,team,seat")


def test_every_refused_line_is_told_with_its_number_field_and_reason() -> None:
    table = (
        "id,name,team,seat,login,role,hired,probation_until\nA01,Kim,T1,S01,,,,\n,Lee,,,,,,\nA03,,,,,,,\n"
        "A04,Wu,,,,boss,,\nA05,Li,,,,,soon,\nA06,Qi,,,,,,2026-02-01\nA01,Bo,,S01,,,,\n,Ann,,,ann,auditor,,\nA09,x,,,,,,,,y\n"
    )
    with pytest.raises(Refused) as found:
        people.read(table.encode())

    assert [(one.line, one.field, one.code) for one in found.value.found] == [
        (3, "id", "needed"), (4, "name", "needed"), (5, "role", "role"), (6, "hired", "day"), (7, "hired", "hired"),
        (8, "id", "twice"), (8, "seat", "twice"), (10, "line", "cells"),
    ]  # fmt: skip
    assert "people, line 5: role: boss is no role; write one of agent" in found.value.faults[2]


@pytest.mark.parametrize(
    ("table", "field", "code"),
    [(b"id,colour\n", "colour", "column"), (b"\xff\xfe", "people", "table"), (b"id,team\n", "name", "needed"),
     (b'name,id\n"a\nb,c\n', "people", "table"), (b"name,name\n", "name", "twice")],
)  # fmt: skip
def test_a_table_that_is_none_is_refused(table: bytes, field: str, code: str) -> None:
    with pytest.raises(Refused) as found:
        people.read(table)

    assert (field, code) in [(one.field, one.code) for one in found.value.found]


@given(st.binary(max_size=200))
def test_whatever_comes_as_a_table_is_read_or_refused(data: bytes) -> None:
    try:
        people.read(data)
    except Refused as found:
        assert found.faults


async def test_people_are_entered_once_moved_when_told_and_never_taken_away(store: Store) -> None:
    first = b"id;name;team;seat;hired;probation_until\nA01;Kim;T1;S01;2026-01-05;2026-04-05\nA02;Lee;T1;S02;;\n"
    second = b"id,name,team,seat,hired,probation_until\nA01,Kim,T2,S03,2026-01-05,2026-05-05\n"
    zone = load_settings().zone

    async def kept(table: bytes) -> people.Kept:
        async with store.site("main", "kim") as tx:
            return await people.keep(tx, people.read(table), TODAY, zone)

    assert str(await kept(first)) == "2 entered, 0 changed, 2 seats assigned"
    assert not (await kept(first)).any
    assert str(await kept(second)) == "0 entered, 2 changed, 1 seats assigned"
    assert not (await kept(second)).any
    async with store.site("main", "reader") as tx:
        found = {one.agent: one.roles for one in await stored.everybody(tx)}
        seats = {one.seat: one.agent for one in await seating.assignments(tx)}
        told = [one.record.get("probation_until") for one in await records.versions(tx, "people-A01")]
    assert found == {"A01": (Held(Role.AGENT, "T2"),), "A02": (Held(Role.AGENT, "T1"),)}
    assert seats == {"S01": "A01", "S02": "A02", "S03": "A01"}
    assert told == [date(2026, 4, 5), date(2026, 5, 5)]


# --- the command, without anybody to ask


@pytest.fixture
def fresh(place: Path, dsn: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, value in {"DATABASE_URL": dsn, "DATA": str(place / "data"), "INGEST_PORT": "0", "WEB_PORT": "0",
                        "AUDIOSOCKET_PORT": "0"}.items():  # fmt: skip
        monkeypatch.setenv(f"SEATWATCH_{name}", value)
    return place


async def init(*args: str) -> tuple[int, dict[str, Any]]:
    done: Result = await asyncio.to_thread(CliRunner().invoke, app, ["init", "--json", *args])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, json.loads(done.stdout)


def answers(place: Path, port: int, **more: str) -> str:
    own = {"site": "north", "timezone": "Asia/Seoul", "model": "fixture", "ring_policy": "burst_end",
           "people": "people.csv", "announcement": "통화는 녹음됩니다"} | more  # fmt: skip
    lines = [f"{name} = {json.dumps(value, ensure_ascii=False)}" for name, value in own.items()]
    pbx = f'[pbx]\nname = "hq"\nhost = "127.0.0.1"\nami_port = {port}\nami_user = "{USER}"\nami_secret = "{SECRET}"\n'
    (place / "a.toml").write_text(
        "\n".join([*lines, 'retention_days = 180\nsources = ["acd"]', pbx, 'seats = {1001 = "S01"}'])
    )
    (place / "people.csv").write_text("id,name,team,seat\nA01,Kim,T1,S01\n")
    return str(place / "a.toml")


async def test_a_site_is_set_up_from_a_file_and_a_second_time_nothing_is_new(fresh: Path, store: Store) -> None:
    async with manager_port() as pbx:
        pbx.clock = datetime.now(UTC).timestamp()
        code, told = await init("--answers", answers(fresh, pbx.port))
        assert (code, told["written"]) == (0, True), told
        assert {one["what"] for one in told["findings"]} >= {"AMI of hq", "clock of hq", "speech model", "recording"}
        assert SECRET not in json.dumps(told)

        file = fresh / "seatwatch.toml"
        stamp, text = file.stat(), file.read_text()
        code, again = await init("--answers", answers(fresh, pbx.port), "--yes")
    assert (code, again["written"], again["changes"]) == (0, False, [])
    assert (file.stat().st_mtime_ns, file.read_text()) == (stamp.st_mtime_ns, text)

    made = load_settings()
    assert stamp.st_mode & 0o777 == 0o600
    assert (made.site, made.timezone, made.cadence, made.language) == ("north", "Asia/Seoul", "kr", "ko")
    assert made.pbx[0].seats == {"1001": "S01"} and made.pbx[0].ami_secret.get_secret_value() == SECRET
    assert len(made.sources[0].keys[0].get_secret_value()) == 32
    assert load_overlay(made.overlay).words == {"BES-16.mode": "burst_end"}
    assert made.lacking_to_record == []
    async with store.site("north", "reader") as tx:
        assert [one.name for one in await stored.everybody(tx)] == ["Kim"]
        assert [one.seat for one in await seating.assignments(tx)] == ["S01"]


async def test_a_settings_file_that_is_named_and_not_there_yet_is_written_where_its_folder_is(
    fresh: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = ["--set", "announcement=x", "--set", "retention_days=180", "--no-tests", "--yes"]
    monkeypatch.setenv("SEATWATCH_SETTINGS", str(fresh / "new" / "north.toml"))
    nowhere = await asyncio.to_thread(CliRunner().invoke, app, ["init", *usual])
    assert isinstance(nowhere.exception, SettingsError)
    assert "there is no folder" in str(nowhere.exception) and not (fresh / "new").exists()

    (fresh / "new").mkdir()
    with pytest.raises(SettingsError, match="name an existing TOML file"):
        load_settings()
    code, told = await init(*usual)

    assert (code, told["written"], told["file"]) == (0, True, str(fresh / "new" / "north.toml"))
    assert (fresh / "new" / "north.toml").stat().st_mode & 0o777 == 0o600
    assert load_settings().retention_days == 180
    assert not (fresh / "seatwatch.toml").exists()


async def test_only_what_is_new_is_changed_and_a_file_that_is_there_only_with_leave(fresh: Path) -> None:
    file = fresh / "seatwatch.toml"
    file.write_text('# by hand\nsite = "north" # ours\nalarm_rings = 4\n\n[watch]\nfolder = "drop"\n')
    given = ["--no-tests", "--set", "announcement=told", "--set", "retention_days=30"]
    before = file.read_text()
    code, told = await init(*given)
    assert (code, told["written"], file.read_text()) == (1, False, before)
    assert "--yes" in told["notes"][0]

    code, told = await init(*given, "--yes")
    assert (code, told["written"]) == (0, True)
    assert file.read_text().startswith('# by hand\nsite = "north" # ours\nalarm_rings = 4\n')
    assert load_settings().watch is not None

    code, told = await init("--no-tests", "--yes", "--set", "retention_days=60")
    assert [(one["what"], one["old"], one["new"]) for one in told["changes"]] == [("retention_days", "30", "60")]


async def test_a_switchboard_that_refuses_us_stops_it_unless_told_otherwise(fresh: Path) -> None:
    async with manager_port() as pbx:
        given = ("--answers", answers(fresh, pbx.port), "--set", "pbx.ami_secret=wrong")
        code, told = await init(*given)
        assert (code, told["written"], (fresh / "seatwatch.toml").exists()) == (1, False, False)
        assert any("manager.conf" in (one["advice"] or "") for one in told["findings"])
        code, told = await init(*given, "--anyway")
    assert (code, told["written"]) == (0, True)


async def test_all_faults_come_at_once_for_a_program(fresh: Path) -> None:
    (fresh / "people.csv").write_text("id,name\nA01,\n")
    code, told = await init("--set", "site=No Good", "--set", "retention_days=many", "--set", "announcement=x")
    assert (code, {one["field"] for one in told["faults"]}) == (2, {"site", "retention_days"})

    code, told = await init(
        "--set", "retention_days=3", "--set", "announcement=x", "--people", "people.csv", "--no-tests"
    )
    assert (code, [(one["field"], one["line"]) for one in told["faults"]]) == (2, [("name", 2)])
    assert not (fresh / "seatwatch.toml").exists()


async def test_a_variable_that_wins_over_the_file_is_named(fresh: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEATWATCH_TIMEZONE", "Asia/Tokyo")
    code, told = await init("--no-tests", "--set", "timezone=Asia/Seoul", "--set", "retention_days=3",
                            "--set", "announcement=x")  # fmt: skip

    assert code == 0
    assert any("SEATWATCH_TIMEZONE" in one for one in told["notes"])


def test_a_template_is_never_written_over_a_table(place: Path) -> None:
    done = CliRunner().invoke(app, ["init", "--template", "people.csv"])
    assert done.exit_code == 0 and (place / "people.csv").read_bytes() == people.template()

    done = CliRunner().invoke(app, ["init", "--template", "people.csv"])
    assert isinstance(done.exception, Refused)


def test_every_question_says_what_it_asks() -> None:
    assert len({one.name for one in QUESTIONS}) == len(QUESTIONS)
    assert all(one.label and (one.choices or one.kind != "choice") for one in QUESTIONS)
