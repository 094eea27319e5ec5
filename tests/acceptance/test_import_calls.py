"""Recordings of another system from outside: imported, listed once, and held against that system's own list."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from speech.audio import decode, write_flac
from tests.acceptance.command import Done, seatwatch
from tests.acceptance.test_score import environment
from tests.speech.values import CALL

BEGIN = datetime(2026, 3, 2, 9, 0, tzinfo=ZoneInfo("Asia/Shanghai"))
PCM = decode(CALL).pcm
SECONDS = PCM.shape[1] / 8000


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "recordings").mkdir()
    return tmp_path


def run(home: Path, *args: str) -> Done:
    own = {"SEATWATCH_DATA": str(home / "data")}
    return seatwatch(environment(home) | own, *args, cwd=home)


def told(number: int) -> dict[str, Any]:
    begin = BEGIN + timedelta(minutes=10 * number)
    answered = begin + timedelta(seconds=12)
    moments = {"offered_at": begin, "ringing_at": begin, "answered_at": answered,
               "ended_at": answered + timedelta(seconds=SECONDS)}  # fmt: skip
    return {"direction": "in", "agent": f"A{number}", **{name: at.isoformat() for name, at in moments.items()}}


@pytest.mark.slow
def test_recordings_are_taken_once_and_every_call_of_the_day_is_accounted_for(home: Path) -> None:
    for number in range(3):
        path = home / "recordings" / f"k{number}.flac"
        write_flac(path, PCM)
        path.with_suffix(".json").write_text(json.dumps(told(number)))
    write_flac(home / "recordings" / "k2.flac", PCM[:, : PCM.shape[1] // 2])  # half of it was lost
    lines = [{"id": f"k{number}", **told(number)} for number in range(4)]
    lines += [{"id": "k9", "direction": "in", "offered_at": "2026-03-02T12:00:00", "end": "abandoned"}]
    (home / "list.jsonl").write_text("\n".join(map(json.dumps, lines)))

    first, again = (run(home, "import", "calls", "recordings", "--json") for _ in range(2))
    day = run(home, "reconcile", "2026-03-02", "list.jsonl", "--json")
    known = run(home, "reconcile", "2026-03-02", "--json")

    assert first.returncode == 0, first.stderr
    assert json.loads(first.stdout) | {"recordings": 3, "refused": []} == json.loads(first.stdout)
    assert json.loads(first.stdout)["notes"][0]["call"] == "k2"
    assert json.loads(again.stdout)["duplicates"] == 3
    found = json.loads(day.stdout)
    assert day.returncode == known.returncode == 1
    assert (found["listed"], found["recorded"], found["gaps"], found["never_seen"], found["nothing"]) == (5, 2, 1, 1, 1)
    assert [line["call"] for line in found["missing"]] == ["k2", "k3"]
    assert found["rate"] == json.loads(known.stdout)["rate"] == 0.5


@pytest.mark.slow
def test_one_bad_sidecar_keeps_all_out_and_says_where(home: Path) -> None:
    write_flac(home / "recordings" / "k1.flac", PCM)
    (home / "recordings" / "k1.json").write_text(json.dumps({**told(1), "agent_id": "A1"}))
    done = run(home, "import", "calls", "recordings")

    assert done.returncode == 1
    assert "k1.flac:1: agent_id:" in done.stdout and "nothing was stored" in done.stdout
    assert "Traceback" not in done.stderr
