"""The watched folder: complete files only, each once, nothing outside it, and a letter for what is refused."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
import pytest_asyncio

from qa.connections import WatchTable
from qa.intake.arrivals import Arrivals, Seen
from qa.intake.watch import Watch, start_watching
from qa.services import Services
from qa.settings import SettingsError
from qa.store.pool import Store
from tests.postgres import SITE
from tests.qa.lab import settings
from tests.qa.test_intake import beside, files, sound, stored, told


@pytest_asyncio.fixture
async def site(store: Store, tmp_path: Path) -> Services:
    return Services(settings(tmp_path / "data"), store, SITE)


@pytest.fixture
def drop(tmp_path: Path) -> Path:
    folder = tmp_path / "drop"
    folder.mkdir()
    return folder


def watch(site: Services, drop: Path) -> Watch:
    one = Watch(site, WatchTable(folder=drop, settle_seconds=5, sidecar_seconds=60))
    one.open()
    return one


def shelf(drop: Path, name: str) -> list[str]:
    return sorted(path.name for path in (drop / name).iterdir())


def seen(*names: str, size: int = 9) -> list[Seen]:
    return [Seen(name, size, 1) for name in names]


def calls(arrivals: Arrivals, entries: list[Seen], now: float) -> list[str]:
    return [one.call for one in arrivals.look(entries, now)]


# --- what is complete


def test_a_file_that_grows_is_not_complete() -> None:
    arrivals, pair = Arrivals(5, 60), ("k1.wav", "k1.json")

    assert calls(arrivals, seen(*pair), 0) == []
    assert calls(arrivals, seen(*pair, size=10), 4) == []
    assert calls(arrivals, seen(*pair, size=10), 8) == []
    assert calls(arrivals, seen(*pair, size=10), 9) == ["k1"]


def test_a_recording_waits_for_its_sidecar_and_then_no_longer() -> None:
    arrivals = Arrivals(5, 60)

    assert calls(arrivals, seen("k1.wav"), 0) == calls(arrivals, seen("k1.wav"), 59) == []
    assert calls(arrivals, seen("k1.wav"), 60) == ["k1"]


def test_a_half_waits_for_the_other_half() -> None:
    arrivals = Arrivals(5, 60)

    assert calls(arrivals, seen("k1-rx.wav", "k1.json"), 0) == []
    assert calls(arrivals, seen("k1-rx.wav", "k1.json"), 30) == []
    assert calls(arrivals, seen("k1-rx.wav", "k1.json", "k1-tx.wav"), 31) == []
    assert calls(arrivals, seen("k1-rx.wav", "k1.json", "k1-tx.wav"), 36) == ["k1"]


def test_what_mixmonitor_mixes_goes_with_its_halves() -> None:
    arrivals, names = (
        Arrivals(5, 60),
        ("k1-mix.wav", "k1-rx.wav", "k1-tx.wav", "k1.json", "song-mix.wav", "song-mix.json"),
    )
    arrivals.look(seen(*names), 0)

    assert [(one.call, one.names) for one in arrivals.look(seen(*names), 5)] == [
        ("k1", names[:4]), ("song-mix", ("song-mix.json", "song-mix.wav")),
    ]  # fmt: skip
    assert calls(arrivals, seen("k1-mix.wav", "k1-rx.wav", "k1.json"), 50) == []


def test_what_a_copying_program_writes_is_not_looked_at() -> None:
    arrivals = Arrivals(5, 0)

    assert calls(arrivals, seen(".k1.wav", "k1.wav.part", "k1.TMP"), 0) == []
    assert calls(arrivals, seen(".k1.wav", "k1.wav.part", "k1.TMP"), 99) == []


def test_a_file_that_was_renamed_into_place_settles_anew() -> None:
    arrivals = Arrivals(5, 0)
    calls(arrivals, seen("k1.wav.part"), 0)

    assert calls(arrivals, seen("k1.wav"), 50) == []
    assert calls(arrivals, seen("k1.wav"), 55) == ["k1"]


@pytest.mark.parametrize(
    "entry", [Seen("k1.wav", 9, 1, plain=False), Seen("k1.wav", 4 << 30, 1), Seen("k1.exe", 9, 1), Seen("k.csv", 9, 1)]
)
def test_what_can_be_no_recording_is_said_so(entry: Seen) -> None:
    arrivals = Arrivals(5, 60)
    arrivals.look([entry], 0)
    (one,) = arrivals.look([entry], 5)

    assert one.fault is not None and entry.name in one.fault


# --- what becomes of it


async def test_recordings_are_taken_or_refused_with_a_letter(site: Services, drop: Path, tmp_path: Path) -> None:
    secret = sound(tmp_path / "secret.flac", 10, 1, 2)
    beside(sound(drop / "good.flac", 10, 300, -700))
    sound(drop / "mute.flac", 10, 300, -700)
    (drop / "bad.wav").write_bytes(b"RIFF....WAVEjunk")
    (drop / "bad.json").write_text(json.dumps(told()))
    (drop / "link.flac").symlink_to(secret)
    (drop / "sub").mkdir()
    sound(drop / "sub" / "deep.flac", 1, 1)
    one = watch(site, drop)
    try:
        assert await one.turn(0) == 0
        assert await one.turn(5) == 3
        assert shelf(drop, "done") == ["good.flac", "good.json"]
        assert shelf(drop, "refused") == ["bad.json", "bad.txt", "bad.wav", "link.flac", "link.txt"]
        assert "this is not audio" in (drop / "refused" / "bad.txt").read_text()
        assert "link" in (drop / "refused" / "link.txt").read_text()
        assert (await stored(site, "good"))[0].state == "recorded"

        assert await one.turn(60) == 1
        assert "offered_at" in (drop / "refused" / "mute.txt").read_text()
        assert len(files(site)) == 1
        assert secret.exists() and (drop / "sub" / "deep.flac").exists()
        assert shelf(drop, ".taking") == []

        beside(sound(drop / "good.flac", 10, 300, -700))  # delivered twice
        await one.turn(100)
        await one.turn(105)
        assert shelf(drop, "done") == ["good-2.flac", "good-2.json", "good.flac", "good.json"]
        assert len(files(site)) == 1
    finally:
        one.child.close()


@pytest.mark.slow
async def test_a_process_that_died_leaves_its_files_to_the_next(site: Services, drop: Path) -> None:
    room = drop / ".taking" / "abc"
    room.mkdir(parents=True)
    beside(sound(room / "k1.flac", 10, 300, -700))
    one = watch(site, drop)
    try:
        await one.turn(0)
        assert await one.turn(5) == 1
        assert shelf(drop, "done") == ["k1.flac", "k1.json"]
    finally:
        one.child.close()


async def test_a_name_that_is_no_text_is_refused(site: Services, drop: Path) -> None:
    path = os.fsencode(drop) + b"/\xff\xfe.wav"
    Path(os.fsdecode(path)).write_bytes(b"x")
    one = watch(site, drop)
    await one.turn(0)

    assert await one.turn(60) == 1
    assert len(shelf(drop, "refused")) == 2


@pytest.mark.parametrize("name", ["x" * 251 + ".wav", "坐" * 83 + ".wav"])
async def test_a_name_as_long_as_names_can_be_holds_up_nobody_when_it_comes_again(
    site: Services, drop: Path, name: str
) -> None:
    one = watch(site, drop)
    for times in (1, 2, 3):
        (drop / name).write_bytes(b"x")
        await one.turn(100.0 * times)
        assert await one.turn(100.0 * times + 60) == 1
        assert len(shelf(drop, "refused")) == 2 * times


def test_a_folder_that_is_not_there_stops_the_start(site: Services, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="no folder"):
        start_watching(site, WatchTable(folder=tmp_path / "nowhere", settle_seconds=5, sidecar_seconds=60))
