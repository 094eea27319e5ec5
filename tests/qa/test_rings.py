"""The command that counts rings in a file, and the settings that name a cadence."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from qa.cli import app
from qa.score import Usage
from qa.settings import SettingsError, load_settings
from speech.audio import write_flac
from tests.speech.test_rings import call


@pytest.fixture
def waiting(tmp_path: Path) -> Path:
    path = tmp_path / "waiting.flac"
    sound = (call("cn", 10.4) * 32768).astype(np.int16)
    write_flac(path, np.stack([np.zeros_like(sound), sound]))
    return path


def test_the_object_has_the_form_that_programs_read(waiting: Path) -> None:
    told = CliRunner().invoke(app, ["rings", str(waiting), "--json"])
    found = json.loads(told.output)

    assert told.exit_code == 0
    assert (found["count"], found["unknown"], found["cadence"], found["channel"]) == (3, None, "cn", 1)
    assert [set(one) for one in found["bursts"]] == [{"start_ms", "end_ms"}] * 3


def test_people_read_the_count_with_its_seconds(waiting: Path) -> None:
    told = CliRunner().invoke(app, ["rings", str(waiting)]).output

    assert told.startswith("3 rings, 10.4 s (cadence cn, channel 1)\n")
    assert "5.00 – 6.00 s" in told


def test_what_does_not_ring_is_unknown_with_its_reason(waiting: Path) -> None:
    told = CliRunner().invoke(app, ["rings", str(waiting), "--cadence", "us", "--json"])
    found = json.loads(told.output)

    assert told.exit_code == 0
    assert (found["count"], found["bursts"]) == (None, [])
    assert found["unknown"]


def test_a_site_names_its_own_cadence(waiting: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "seatwatch.toml"
    file.write_text('cadence = "old"\n[cadences]\nold = "1/4 450|465"\n')
    monkeypatch.setenv("SEATWATCH_SETTINGS", str(file))

    assert load_settings().rhythm == "1/4 450|465"
    assert json.loads(CliRunner().invoke(app, ["rings", str(waiting), "--json"]).output)["count"] == 3


@pytest.mark.parametrize(
    ("text", "says"),
    [('cadence = "moon"', "no such cadence: moon"), ('[cadences]\ncn = "1/4"', "give yours another name"),
     ('[cadences]\nx = "1/4 4x0"', "its tone is no frequency"), ('[cadences]\nx = "a/4"', "unknown")],
)  # fmt: skip
def test_a_cadence_that_is_none_is_refused(
    text: str, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "seatwatch.toml"
    file.write_text(text)
    monkeypatch.setenv("SEATWATCH_SETTINGS", str(file))

    with pytest.raises(SettingsError, match=says):
        load_settings()


@pytest.mark.parametrize("name", ["moon", "5", "1/4"])
def test_a_cadence_that_cannot_be_heard_is_refused_with_what_to_do(name: str, waiting: Path) -> None:
    from qa.rings import rings_command

    with pytest.raises(Usage, match="--cadence"):
        rings_command(waiting, name)
