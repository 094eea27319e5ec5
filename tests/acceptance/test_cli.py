"""The command line from outside: help, exit codes, letters instead of tracebacks, JSON that parses."""

from __future__ import annotations

import json
import os
import shlex
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
import typer.main

from qa.cli import app
from tests.acceptance.command import LIMIT_S, ROOT, Done, probed, seatwatch
from tests.speech.values import wav

COMMANDS = (
    "demo", "init", "score", "serve", "push", "verify", "packs check", "packs coverage", "packs show", "packs golden",
    "packs publish", "packs promote", "packs list", "backtest",
    "phrases test", "import records", "import calls", "register", "doctor", "migrate", "backup", "restore", "bench",
    "purge", "rings", "import queue-log", "reconcile",
    "period show", "period close", "period adjust", "period decide", "period money",
    "token stream", "token audiosocket",
)  # fmt: skip
HEAVY = ("alembic", "av", "ctranslate2", "faster_whisper", "numpy", "onnxruntime", "scipy", "sqlalchemy")


@pytest.fixture
def place(tmp_path: Path) -> dict[str, str]:
    """The environment of a user who has set nothing, in a folder of the test's own."""
    env = {key: value for key, value in os.environ.items() if not key.startswith("SEATWATCH_")}
    return env | {
        "HOME": str(tmp_path / "home"), "XDG_CONFIG_HOME": str(tmp_path / "config"), "PYTHONPATH": str(ROOT),
        "SEATWATCH_DATA": str(tmp_path / "data"),
    }  # fmt: skip


def refused(done: Done, code: int, *says: str) -> None:
    """Ended with this code, in words: no traceback, and what it is about."""
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    assert done.stderr.strip()
    for word in says:
        assert word in done.stderr, done.stderr


def test_help_has_an_example_and_loads_nothing_of_the_work(place: dict[str, str], tmp_path: Path) -> None:
    """What is not loaded costs no time: this is what keeps every --help quick."""
    for name, (done, modules) in zip(
        COMMANDS, probed(place, [[*name.split(), "--help"] for name in COMMANDS], tmp_path), strict=True
    ):
        assert done.returncode == 0, name
        assert f"Example: seatwatch {name}" in " ".join(done.stdout.split()), name
        assert modules & set(HEAVY) == set(), name


def test_the_list_of_commands_is_the_one_that_is_tested() -> None:
    found: set[str] = set()
    for name, command in typer.main.get_command(app).commands.items():  # type: ignore[attr-defined]
        found |= {f"{name} {inner}" for inner in getattr(command, "commands", ())} or {name}

    assert found == set(COMMANDS)


def test_without_a_command_there_is_help(place: dict[str, str]) -> None:
    done = seatwatch(place)

    assert "Usage" in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


MISTAKES = [
    (("nonsense",), "nonsense"),
    (("score",), "PATH"),
    (("score", "--nonsense", "x.wav"), "--nonsense"),
    (("score", "x.wav", "--lang", "en", "--model", "fixture"), "--lang en"),
    (("score", "x.wav", "--day", "tomorrow", "--model", "fixture"), "--day tomorrow"),
    (("score", "x.wav", "--pack", "nowhere", "--model", "fixture"), "nowhere"),
    (("score", "x.wav", "--overlay", "none.yaml", "--model", "fixture"), "none.yaml"),
    (("score", "x.wav", "--model", "/none"), "/none"),
    (("score", "x.wav"), "SEATWATCH_MODEL"),
    (("serve", "everything"), "everything"),
    (("serve", "worker"), "SEATWATCH_MODEL"),
    (("serve", "ingest"), "SEATWATCH_ANNOUNCEMENT"),
    (("serve", "ingest"), "SEATWATCH_RETENTION_DAYS"),
    (("purge", "--site", "main"), "demo"),
    (("init", "--answers", "none.toml"), "none.toml"),
    (("init", "--set", "site=No Good", "--set", "announcement=x", "--set", "retention_days=1"), "short name"),
    (("init",), "retention_days"),
    (("push", "none.wav"), "none.wav"),
    (("push", "-"), "--call"),
    (("push", "x.wav", "--rate", "fast"), "--rate"),
    (("verify",), "--all"),
    (("packs", "check", "nowhere"), "nowhere"),
    (("packs", "check", "--sources", "nowhere"), "nowhere"),
    (("packs", "coverage", "nowhere"), "nowhere"),
    (("packs", "show", "BES-99"), "BES-99"),
    (("phrases", "test", "none.yaml"), "none.yaml"),
    (("restore", "none.tar"), "none.tar"),
    (("bench", "nonsense"), "nonsense"),
    (("demo", "--port", "many"), "--port"),
    (("restore", "other.tar"), "other.tar"),
]
TAKE_FILES = (
    ("rings",), ("push",), ("phrases", "test"), ("packs", "golden"), ("restore",), ("reconcile", "2026-11-21"),
    ("import", "records"), ("import", "queue-log", "--pbx", "north"),
    ("score", "x.wav", "--model", "fixture", "--overlay"), ("init", "--answers"),
)  # fmt: skip
TAKE_FOLDERS_TOO = (("score", "--model", "fixture"), ("import", "calls"))


def test_a_mistake_ends_with_2_and_a_letter(place: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "other.tar").write_text("not a backup")
    for (done, _), (args, says) in zip(probed(place, [args for args, _ in MISTAKES], tmp_path), MISTAKES, strict=True):
        assert done.returncode == 2, (args, done.stdout, done.stderr)
        assert "Traceback" not in done.stderr, args
        assert says in done.stderr, (args, done.stderr)


@pytest.mark.parametrize("name", ["none", "none.csv"])
def test_a_path_that_is_not_there_is_wrong_usage_whatever_the_command(
    place: dict[str, str], tmp_path: Path, name: str
) -> None:
    _wrong_path(place, tmp_path, [*TAKE_FILES, *TAKE_FOLDERS_TOO], name, "no such file")


def test_a_folder_where_a_file_is_wanted_is_wrong_usage_whatever_the_command(
    place: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "folder").mkdir()
    _wrong_path(place, tmp_path, TAKE_FILES, "folder", "is a folder", "is a directory")


def _wrong_path(place: dict[str, str], cwd: Path, asked: Sequence[tuple[str, ...]], name: str, *says: str) -> None:
    commands = [[*args, name] for args in asked]
    for (done, _), args in zip(probed(place, commands, cwd), commands, strict=True):
        assert done.returncode == 2, (args, done.stdout, done.stderr)
        assert "Traceback" not in done.stderr, args
        assert name in done.stderr and any(one in done.stderr.lower() for one in says), (args, done.stderr)
    assert not (cwd / "data").exists()


def test_of_several_recordings_the_one_that_is_not_there_is_failed_work(place: dict[str, str], tmp_path: Path) -> None:
    """As of every recording that cannot be scored; a program gets an object for each that it asked for."""
    asked = [["score", "a.wav", "b.wav", "--model", "fixture"], ["score", "a.wav", "--model", "fixture", "--json"]]
    (several, _), (told, _) = probed(place, asked, tmp_path)

    assert (several.returncode, several.stdout.count("no such file")) == (1, 2)
    assert (told.returncode, json.loads(told.stdout)["call"]) == (1, "a")
    assert "no such file" in json.loads(told.stdout)["error"]


def test_an_unknown_setting_is_named_whatever_the_command(place: dict[str, str], tmp_path: Path) -> None:
    env = place | {"SEATWATCH_MODLE": "small", "SEATWATCH_WEB_PORT": "many"}

    refused(seatwatch(env, "doctor", cwd=tmp_path), 2, "SEATWATCH_MODLE", "web_port")


@pytest.mark.parametrize("text", ["site = ", "sites = 'x'\n", "web_port = 99999\n"])
def test_a_settings_file_with_a_fault_is_named(place: dict[str, str], tmp_path: Path, text: str) -> None:
    (tmp_path / "seatwatch.toml").write_text(text)

    refused(seatwatch(place, "packs", "coverage", cwd=tmp_path), 2)


def test_a_port_that_is_taken_is_named(place: dict[str, str], tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        env = place | {"SEATWATCH_INGEST_PORT": port, "SEATWATCH_AUDIOSOCKET_PORT": "0"}
        env |= {"SEATWATCH_ANNOUNCEMENT": "tests", "SEATWATCH_RETENTION_DAYS": "1"}
        refused(seatwatch(env, "serve", "ingest", cwd=tmp_path), 2, port)


@pytest.mark.parametrize(
    ("command", "setting"),
    [("serve web", "WEB_HOST"), ("serve ingest", "HOST"), ("serve all", "WEB_HOST"), ("demo", "WEB_HOST")],
)
def test_an_address_that_others_reach_is_refused_before_anything_is_made(
    place: dict[str, str], tmp_path: Path, command: str, setting: str
) -> None:
    env = place | {
        "SEATWATCH_ANNOUNCEMENT": "tests",
        "SEATWATCH_RETENTION_DAYS": "1",
        f"SEATWATCH_{setting}": "0.0.0.0",
    }
    done = seatwatch(env, *command.split(), cwd=tmp_path)

    refused(done, 2, "0.0.0.0", "127.0.0.1")
    assert len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "data").exists()


def test_a_database_that_is_away_is_named(place: dict[str, str], tmp_path: Path) -> None:
    env = place | {"SEATWATCH_DATABASE_URL": "postgresql://me:hidden-word@127.0.0.1:9/x"}
    done = seatwatch(env, "verify", "--all", cwd=tmp_path)

    refused(done, 2, "database")
    assert "hidden-word" not in done.stderr


def test_nobody_listening_is_a_failure_of_the_work(place: dict[str, str], tmp_path: Path) -> None:
    wav(tmp_path / "call.wav", b"\x01\x00" * 8000)
    done = seatwatch(place, "push", "call.wav", "--url", "http://127.0.0.1:9", cwd=tmp_path)

    refused(done, 1, "127.0.0.1:9")


def test_dialogues_that_do_not_go_as_they_say_end_with_1(place: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "good.yaml").write_text(
        "- {id: P-1, why: plain, lang: zh, turns: [{role: agent, text: '您好,请讲'}], hit: [greeting]}\n"
    )
    (tmp_path / "bad.yaml").write_text(
        "- {id: P-2, why: plain, lang: zh, turns: [{role: agent, text: '您好,请讲'}], miss: [greeting]}\n"
    )
    good, bad = (seatwatch(place, "phrases", "test", f"{name}.yaml", cwd=tmp_path) for name in ("good", "bad"))

    assert (good.returncode, good.stdout.splitlines()[-1]) == (0, "1 passed, 0 failed")
    assert (bad.returncode, bad.stdout.splitlines()[-1]) == (1, "0 passed, 1 failed")
    assert "P-2" in bad.stdout


def test_a_pack_with_faults_ends_with_1_or_2_and_names_them_all(place: dict[str, str], tmp_path: Path) -> None:
    import shutil

    shutil.copytree(ROOT / "scoring" / "packs" / "bes", tmp_path / "mine")
    file = tmp_path / "mine" / "deductions.yaml"
    text = file.read_text(encoding="utf-8")
    file.write_text(text + "\nBES-16:\n  cite: again\n", encoding="utf-8")
    done = seatwatch(place, "packs", "check", tmp_path / "mine", cwd=tmp_path)

    assert done.returncode in (1, 2)
    assert "deductions.yaml:" in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "args",
    [("packs", "check"), ("packs", "coverage"), ("packs", "coverage", "bes"), ("packs", "show", "BES-16")],
    ids=" ".join,
)
def test_what_programs_read_is_json(place: dict[str, str], args: tuple[str, ...]) -> None:
    done = seatwatch(place, *args, "--json")

    assert (done.returncode, done.stderr) == (0, "")
    assert isinstance(json.loads(done.stdout), dict)


def test_doctor_and_verify_speak_json_about_a_fresh_installation(place: dict[str, str], tmp_path: Path) -> None:
    """Both start the embedded server for their own use, and stop it again."""
    env = place | {f"SEATWATCH_{name}_PORT": "0" for name in ("WEB", "INGEST", "AUDIOSOCKET")}
    doctor, verify = seatwatch(env, "doctor", "--json"), seatwatch(env, "verify", "--all", "--json")

    assert doctor.returncode == 0, doctor.stdout
    assert {"clean", "settings", "findings"} <= json.loads(doctor.stdout).keys()
    assert verify.returncode == 0, verify.stdout + verify.stderr
    assert json.loads(verify.stdout)["clean"] is True
    assert seatwatch(env, "verify", "nobody", "--json").returncode == 1
    assert not (tmp_path / "data" / "postgres-18" / "postmaster.pid").exists()


def test_a_reader_that_goes_away_is_no_traceback(place: dict[str, str]) -> None:
    command = f"{shlex.quote(sys.executable)} -m qa.cli packs coverage | head -1"
    done = subprocess.run(
        ["bash", "-c", command], env=place, capture_output=True, text=True, timeout=LIMIT_S, check=True, cwd=ROOT
    )

    assert done.stdout
    assert "Traceback" not in done.stderr
