"""`seatwatch init` at a terminal: asks, says what is wrong and asks again, tries the switchboard, writes when told."""

from __future__ import annotations

import asyncio
import os
import pty
import select
import sys
import time
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.acceptance.command import ROOT
from tests.ingest.ami_server import SECRET, USER, manager_port

LIMIT_S = 60.0


@dataclass(slots=True)
class Terminal:
    """A command with a terminal of its own; what a person sees and types there."""

    pid: int
    tty: int
    seen: str = ""
    read: int = 0

    def expect(self, text: str) -> str:
        """Wait until this stands there, after what was expected last; what came before it."""
        ends = time.monotonic() + LIMIT_S
        while (at := self.seen.find(text, self.read)) < 0:
            ready, _, _ = select.select([self.tty], [], [], max(0.0, ends - time.monotonic()))
            try:
                data = os.read(self.tty, 65536) if ready else b""
            except OSError:
                data = b""
            assert data, f"«{text}» never came: {self.seen[self.read - 500 :]}"
            self.seen += data.decode(errors="replace")
        before, self.read = self.seen[self.read : at], at + len(text)
        return before

    def type(self, text: str = "") -> None:
        os.write(self.tty, f"{text}\n".encode())

    def answers(self, *pairs: tuple[str, str]) -> None:
        """Each question with what is typed."""
        for question, text in pairs:
            self.expect(question)
            self.expect(": ")
            self.type(text)

    def ends(self) -> int:
        _, status = os.waitpid(self.pid, 0)
        return os.waitstatus_to_exitcode(status)


@contextmanager
def terminal(env: dict[str, str], cwd: Path, *args: str) -> Iterator[Terminal]:
    command = [sys.executable, "-m", "qa.cli", *args]
    pid, tty = pty.fork()
    if pid == 0:  # the child: nothing of the tests runs here
        os.chdir(cwd)
        os.execve(command[0], command, env)
    try:
        yield Terminal(pid, tty)
    finally:
        os.close(tty)


@pytest.fixture
def place(tmp_path: Path, dsn: str) -> dict[str, str]:
    """A fresh folder with a database, and nothing else set."""
    (tmp_path / "people.csv").write_text("id,name,team,seat\nA01,Kim,T1,S01\nA02,,T1,S02\n")
    (tmp_path / "mended.csv").write_text("id,name,team,seat\nA01,Kim,T1,S01\nA02,Lee,T1,S02\n")
    env = {key: value for key, value in os.environ.items() if not key.startswith("SEATWATCH_")}
    own = {
        "DATA": str(tmp_path / "data"),
        "DATABASE_URL": dsn,
        "INGEST_PORT": "0",
        "AUDIOSOCKET_PORT": "0",
        "WEB_PORT": "0",
    }
    return env | {"HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path), "PYTHONPATH": str(ROOT), "TERM": "dumb",
                  **{f"SEATWATCH_{name}": value for name, value in own.items()}}  # fmt: skip


def conversation(term: Terminal, port: int) -> None:
    term.answers(
        ("Short name of the site", "North Side"), ("Short name of the site", "north"),
        ("Time zone", "Asia/Beijing"), ("Time zone", "Asia/Seoul"), ("Language of the calls", ""),
        ("First day", "soon"), ("First day", "2026-12-01"), ("Regulation that scores", ""),
        ("How phones ring", ""), ("is read", "burst_end"), ("speech model", "/nowhere"), ("speech model", "fixture"),
        ("Address of the Asterisk", "127.0.0.1"), ("Short name of this switchboard", "hq"),
        ("Port of its manager", str(port)), ("speak TLS", ""), ("User of manager.conf", USER), ("Its secret", "wrong"),
        ("REST interface", ""), ("Extension = seat", "1001"), ("Extension = seat", "1001=S01, 1002=S02"),
    )  # fmt: skip
    assert "log-in as 'qa' refused" in term.expect("Answer this step again?")
    term.type("y")
    term.answers(
        ("Address of the Asterisk", ""), ("Short name of this switchboard", ""), ("Port of its manager", ""),
        ("speak TLS", ""), ("User of manager.conf", ""), ("Its secret", SECRET), ("REST interface", ""),
        ("Extension = seat", ""),
    )  # fmt: skip
    term.expect("ok AMI of hq: logged in as qa")
    term.expect("test call now")
    term.type("n")
    term.answers(("Table of people", "people.csv"))
    assert "people, line 3: name: is needed" in term.expect("Table of people")
    term.expect(": ")
    term.type("mended.csv")
    term.answers(
        ("callers are told", ""), ("callers are told", "통화는 녹음됩니다"), ("Days that recordings", "0"),
        ("Days that recordings", "180"), ("Other systems", "acd"),
    )  # fmt: skip


async def test_a_site_is_set_up_in_a_conversation(place: dict[str, str], tmp_path: Path) -> None:
    async with manager_port() as pbx:
        pbx.clock = datetime.now(UTC).timestamp()
        with terminal(place, tmp_path, "init") as term:
            await asyncio.to_thread(conversation, term, pbx.port)
            shown = await asyncio.to_thread(term.expect, "Write it?")
            assert "pbx.seats: 1001=S01, 1002=S02" in shown and SECRET not in term.seen
            assert not (tmp_path / "seatwatch.toml").exists()
            term.type("y")
            await asyncio.to_thread(term.expect, "people: 2 entered")
            await asyncio.to_thread(term.expect, "next: seatwatch serve all")
            assert await asyncio.to_thread(term.ends) == 0
    made = tomllib.loads((tmp_path / "seatwatch.toml").read_text())

    for letter in ("is no short name", "no time zone Asia/Beijing", "is no day", "is no speech model", "names no seat",
                   "is needed before calls are recorded", "is no whole number from 1"):  # fmt: skip
        assert letter in term.seen, letter
    assert (made["site"], made["timezone"], made["cadence"], made["start_day"]) == (
        "north",
        "Asia/Seoul",
        "kr",
        "2026-12-01",
    )
    told = {"name": "hq", "host": "127.0.0.1", "ami_port": pbx.port, "ami_user": USER, "ami_secret": SECRET}
    assert made["pbx"] == [told | {"seats": {"1001": "S01", "1002": "S02"}}]
    assert "mode: burst_end" in Path(made["overlay"]).read_text()


def again(term: Terminal) -> None:
    """Everything as it stands, but for one thing."""
    for _ in range(4):
        term.expect("]: ")
        term.type()
    term.answers(("Regulation", ""), ("phones ring", ""), ("is read", ""), ("speech model", ""), ("Asterisk", ""),
                 ("people", ""), ("callers are told", ""), ("Days that", "90"), ("Other systems", ""))  # fmt: skip


@pytest.mark.slow
async def test_a_second_time_everything_is_offered_as_it_stands(place: dict[str, str], tmp_path: Path) -> None:
    file = tmp_path / "seatwatch.toml"
    file.write_text('# mine\nsite = "north"\nannouncement = "told"\nretention_days = 30\n')
    with terminal(place, tmp_path, "init") as term:
        await asyncio.to_thread(again, term)
        shown = await asyncio.to_thread(term.expect, "Write it?")
        assert "retention_days: 90 (was 30)" in shown and "announcement" not in shown
        term.type("n")
        await asyncio.to_thread(term.expect, "nothing was written")
        assert await asyncio.to_thread(term.ends) == 1

    assert file.read_text() == '# mine\nsite = "north"\nannouncement = "told"\nretention_days = 30\n'
