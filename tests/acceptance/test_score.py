"""`score` from outside, on what people have: formats, sidecars good and bad, files that are no recordings."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from speech.audio import decode, write_flac, write_opus
from tests.acceptance.command import ROOT, Done, probed, seatwatch
from tests.speech.values import CALL, wav

PCM = decode(CALL).pcm  # customer on channel 0, agent on channel 1
KEYS = {
    "call", "agent", "pack", "pack_version", "engine", "day", "metrics", "turns", "hits", "lines", "total",
    "synthetic", "warnings",
}  # fmt: skip
METRICS = {
    "ring_count", "ring_seconds", "answer_seconds", "talk_seconds", "hold_seconds", "silence_seconds",
    "talk_over_seconds", "agent_share", "hung_up_by",
}  # fmt: skip
LINE = {"rule", "cite", "outcome", "decide", "counts", "points", "assumed", "quote", "evidence"}
FULL = {
    "kind": "call", "id": "K-1", "agent": "A01", "seat": "s1", "direction": "in",
    "offered_at": "2026-03-02T09:00:00+08:00", "answered_at": "2026-03-02T09:00:17.200+08:00",
    "ended_at": "2026-03-02T09:00:34.200+08:00", "hung_up_by": "customer", "roles": ["customer", "agent"],
    "known_customer": True, "business": True,
}  # fmt: skip
SAID = [
    {"role": "agent", "text": "您好,请讲", "start_ms": 0, "end_ms": 1500},
    {"role": "customer", "text": "我家宽带上不了网"},
    {"role": "agent", "text": "跟你说不清"},
    {"role": "agent", "text": "感谢您的来电,再见"},
]

Objects = dict[str, dict[str, Any]]


def environment(folder: Path) -> dict[str, str]:
    env = {key: value for key, value in os.environ.items() if not key.startswith("SEATWATCH_")}
    return env | {"HOME": str(folder), "XDG_CONFIG_HOME": str(folder), "PYTHONPATH": str(ROOT)}


def score(folder: Path, *args: object, model: str | None = "fixture") -> Done:
    return seatwatch(environment(folder), *_asked(args, model), cwd=folder)


def _asked(args: Sequence[object], model: str | None = "fixture") -> list[str]:
    return ["score", *map(str, args), "--json", *(() if model is None else ("--model", model))]


def objects(done: Done) -> Objects:
    assert "Traceback" not in done.stderr, done.stderr
    found = [json.loads(line) for line in done.stdout.splitlines()]
    return {one["call"]: one for one in found}


def ulaw(samples: np.ndarray[Any, Any]) -> bytes:
    """G.711 by the library's own encoder."""
    codec = av.CodecContext.create("pcm_mulaw", "w")
    codec.sample_rate, codec.layout, codec.format = 8000, "mono", "s16"  # type: ignore[attr-defined]
    frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="s16", layout="mono")
    frame.sample_rate = 8000
    return b"".join(bytes(packet) for packet in codec.encode(frame))  # type: ignore[attr-defined]


def sidecar(recording: Path, told: object) -> None:
    recording.with_suffix(".json").write_text(json.dumps(told, ensure_ascii=False), encoding="utf-8")


def lines(one: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {line["rule"]: line for line in one["lines"]}


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Objects]:
    """One run over everything that can be scored."""
    folder = tmp_path_factory.mktemp("good")
    sound = folder / "calls"
    sound.mkdir()
    short = np.ascontiguousarray(PCM[:, :8000])  # formats are the point here, not words
    wav(sound / "wave.wav", short.T.astype("<i2").tobytes(), channels=2)
    write_flac(sound / "full.flac", PCM)
    sidecar(sound / "full.flac", FULL)
    write_opus(sound / "small.opus", short)
    (sound / "law.ulaw").write_bytes(ulaw(short[1]))
    wav(sound / "mono.wav", short[1].astype("<i2").tobytes())
    for name, told in {
        "partial": {"direction": "in", "agent": "A02"},
        "naive": {"direction": "in", "offered_at": "2026-03-02T00:30:00", "answered_at": "2026-03-02T00:30:04"},
        "swapped": {**FULL, "id": "swapped", "roles": ["agent", "customer"]},
        "alone": {"roles": ["agent"]},
        "told": {**FULL, "id": "told", "turns": SAID},
        "rings": {"direction": "in", "rings": 5, "ended_at": "2026-03-02T09:00:00", "end": "abandoned"},
    }.items():
        write_flac(sound / f"{name}.flac", PCM if name == "swapped" else short[1:] if name == "alone" else short)
        sidecar(sound / f"{name}.flac", told)
    done = score(folder, "calls")
    assert done.returncode == 0, done.stdout + done.stderr
    yield objects(done)


def test_every_recording_of_a_folder_is_one_object(good: Objects) -> None:
    assert set(good) == {
        "wave", "K-1", "small", "law", "mono", "partial", "naive", "swapped", "alone", "told", "rings",
    }  # fmt: skip


def test_every_object_has_every_key_of_the_contract(good: Objects) -> None:
    for name, one in good.items():
        assert one.keys() >= KEYS, name
        assert one["metrics"].keys() >= METRICS, name
        assert {"automatic", "counted", "assumed", "unknown"} <= one["total"].keys()
        assert one["engine"] == 1 and one["pack"] == "bes"
        for line in one["lines"]:
            assert line.keys() >= LINE, (name, line)
            assert line["outcome"] in ("na", "clear", "breach", "met", "unknown")
            assert line["decide"] in ("auto", "review")
            assert Decimal(line["points"]) <= 0
            assert line["quote"] and line["cite"]
        for turn in one["turns"]:
            assert turn["role"] in ("agent", "customer", "unknown")
            assert turn["start_ms"] < turn["end_ms"]


def test_a_full_sidecar_decides_what_needs_no_text(good: Objects) -> None:
    one = good["K-1"]

    assert (one["agent"], one["day"]) == ("A01", "2026-03-02")
    assert one["metrics"] | {"ring_count": 4, "ring_seconds": 17.2, "talk_seconds": 17.0} == one["metrics"]
    line = lines(one)["BES-16"]
    assert (line["outcome"], line["counts"], line["points"]) == ("breach", True, "-0.5")
    assert {"kind": "signal", "fact": "ring_count", "value": "4"} in line["evidence"]


def test_words_of_the_test_model_judge_nobody(good: Objects) -> None:
    one = good["K-1"]

    assert one["synthetic"] is True
    assert any("test model" in warning for warning in one["warnings"])
    for rule in ("BES-13a", "BES-14", "BES-15"):
        line = lines(one)[rule]
        assert (line["outcome"], line["cause"], line["counts"]) == ("unknown", "synthetic", False), rule


def test_without_a_sidecar_nothing_is_made_up(good: Objects) -> None:
    one = good["wave"]

    assert (one["agent"], one["day"], one["metrics"]["ring_count"], one["metrics"]["hold_seconds"]) == (None,) * 4
    assert lines(one)["BES-16"]["outcome"] == "unknown"
    assert lines(one)["BES-13a"]["outcome"] == "unknown"
    assert one["total"]["counted"] == "0"
    assert any("roles" in warning for warning in one["warnings"])


def test_a_partial_sidecar_says_what_it_says(good: Objects) -> None:
    one = good["partial"]

    assert (one["agent"], one["day"]) == ("A02", None)
    assert lines(one)["BES-16"]["cause"] == "missing"


def test_a_time_without_offset_is_local_to_the_site(good: Objects) -> None:
    assert (good["naive"]["day"], good["naive"]["metrics"]["ring_seconds"]) == ("2026-03-02", 4.0)


def test_parties_are_where_the_sidecar_says(good: Objects) -> None:
    """Apart from the channel that the agent is on, both recordings are the same."""
    straight, swapped = good["K-1"]["metrics"]["agent_share"], good["swapped"]["metrics"]["agent_share"]

    assert straight > 0.6
    assert swapped == pytest.approx(1 - straight, abs=0.011)


def test_one_channel_has_no_parties_unless_its_party_is_named(good: Objects) -> None:
    for name in ("mono", "law"):
        assert any("one channel" in warning for warning in good[name]["warnings"]), name
    assert not any("one channel" in warning for warning in good["alone"]["warnings"])


def test_turns_that_came_as_text_are_judged_as_text(good: Objects) -> None:
    one = good["told"]

    assert (one["synthetic"], [turn["text"] for turn in one["turns"]]) == (False, [turn["text"] for turn in SAID])
    assert {hit["category"] for hit in one["hits"]} >= {"greeting", "arguing", "closing"}
    assert lines(one)["BES-14"]["outcome"] == "breach"
    assert lines(one)["BES-14"]["counts"] is False


def test_the_phone_s_own_count_is_believed(good: Objects) -> None:
    assert (good["rings"]["metrics"]["ring_count"], lines(good["rings"])["BES-16"]["outcome"]) == (5, "breach")


def bomb(path: Path, hours: int) -> None:
    """Silence of many hours: small on disk, large in memory."""
    with av.open(str(path), "w", format="flac") as container:
        stream = container.add_stream("flac", rate=8000, layout="mono")
        quiet = np.zeros((1, 8000 * 600), np.int16)
        for at in range(0, hours * 3600, 600):
            frame = av.AudioFrame.from_ndarray(quiet, format="s16", layout="mono")
            frame.sample_rate, frame.pts = 8000, at * 8000
            container.mux(stream.encode(frame))  # type: ignore[attr-defined]
        container.mux(stream.encode(None))  # type: ignore[attr-defined]


@pytest.fixture(scope="module")
def bad(tmp_path_factory: pytest.TempPathFactory) -> tuple[int, Objects]:
    """One run over everything that cannot be scored, and one recording that can, last."""
    folder = tmp_path_factory.mktemp("bad")
    short = np.ascontiguousarray(PCM[:, :8000])
    whole = wav(folder / "whole.wav", short.T.astype("<i2").tobytes(), channels=2).read_bytes()
    (folder / "cut.wav").write_bytes(whole[: len(whole) // 2])
    write_flac(folder / "cut_flac.flac", PCM)
    (folder / "cut_flac.flac").write_bytes((folder / "cut_flac.flac").read_bytes()[:20_000])
    (folder / "nothing.wav").write_bytes(b"")
    wav(folder / "no_sound.wav", b"")
    bomb(folder / "bomb.flac", 15)
    (folder / "text.wav").write_text("您好,这不是录音。" * 100)
    wav(folder / "codec.wav", b"\x01" * 4000, tag=0x7A19, bits=8)
    wav(folder / "six.wav", bytes(6 * 2 * 4000), channels=6)
    told = {
        "field": {"direction": "in", "ringing": True, "end": "dropped"},
        "number": {"rings": 4.5},
        "moment": {"offered_at": 1_772_413_200},
        "parties": {"roles": ["boss", "agent"]},
        "list": [1, 2],
    }
    for name, record in told.items():
        write_flac(folder / f"{name}.flac", short)
        sidecar(folder / f"{name}.flac", record)
    for name, text in {"json": b"{'direction': in}", "bytes": b"\xff\xfe\x00", "deep": b"[" * 100_000}.items():
        write_flac(folder / f"{name}.flac", short)
        (folder / f"{name}.json").write_bytes(text)
    names = sorted(path.name for path in folder.iterdir() if path.suffix != ".json" and path.stem != "whole")
    done = score(folder, *names, "not_there.wav", "whole.wav")
    return done.returncode, objects(done)


WRONG = {
    "cut": "cut.wav", "cut_flac": "cut off", "nothing": "empty", "no_sound": "no sound", "bomb": "longer than 4 hours",
    "text": "not audio", "codec": "codec", "six": "6 channels", "not_there": "no such file",
    "field": "field.json: ringing: no such field", "number": "rings", "moment": "offered_at", "parties": "roles.0",
    "list": "list.json", "json": "json.json", "bytes": "bytes.json", "deep": "deep.json",
}  # fmt: skip


def test_what_cannot_be_scored_is_an_object_with_its_error_and_the_others_go_on(bad: tuple[int, Objects]) -> None:
    code, found = bad

    assert code == 1
    assert set(found) == {*WRONG, "whole"}
    assert "error" not in found["whole"]


@pytest.mark.parametrize("name", WRONG)
def test_each_error_names_its_file_and_what_is_wrong(bad: tuple[int, Objects], name: str) -> None:
    error = bad[1][name]["error"]

    assert WRONG[name] in error
    assert f"{name}." in error
    assert ";" in error or ":" in error


def test_all_faults_of_a_sidecar_come_at_once(bad: tuple[int, Objects]) -> None:
    assert "ringing" in bad[1]["field"]["error"]
    assert "end" in bad[1]["field"]["error"]


@pytest.fixture
def one(tmp_path: Path) -> Path:
    wav(tmp_path / "call.wav", np.ascontiguousarray(PCM[:, :8000]).T.astype("<i2").tobytes(), channels=2)
    return tmp_path / "call.wav"


OVERLAYS = {
    "BES-99:\n  points: '-1'\n": "site.yaml:2",
    "BES-16:\n  point: '-1'\n": "site.yaml:2",
    "BES-16:\n  points: -1.5\n": "site.yaml:2",
    "trust: some\n": "site.yaml:1",
    "BES-16: [\n": "site.yaml",
}


def test_an_overlay_with_a_fault_is_named_with_its_line(one: Path) -> None:
    asked = []
    for number, text in enumerate(OVERLAYS):
        (one.parent / str(number)).mkdir()
        (one.parent / str(number) / "site.yaml").write_text(text)
        asked.append(_asked([one, "--overlay", one.parent / str(number) / "site.yaml"]))

    for (done, _), says in zip(probed(environment(one.parent), asked, one.parent), OVERLAYS.values(), strict=True):
        assert (done.returncode, done.stdout) == (2, ""), done.stderr
        assert says in done.stderr
        assert "Traceback" not in done.stderr


def test_mistakes_of_usage_end_with_2_before_anything_is_heard(one: Path) -> None:
    (one.parent / "empty").mkdir()
    asked = {
        "hf download": _asked([one], model=None),
        "no recording in this folder": _asked(["empty"]),
        "none.yaml": _asked([one, "--overlay", "none.yaml"]),
        "--day": _asked([one, "--day", "2026-02-30"]),
    }

    for (done, _), says in zip(probed(environment(one.parent), list(asked.values()), one.parent), asked, strict=True):
        assert (done.returncode, done.stdout) == (2, ""), done.stderr
        assert says in done.stderr
        assert "Traceback" not in done.stderr


def test_the_day_and_the_overlay_that_are_given_count(one: Path) -> None:
    (one.parent / "site.yaml").write_text('BES-16:\n  points: "-2"\n')
    sidecar(one, {**FULL, "id": None})
    done = score(one.parent, one, "--overlay", "site.yaml", "--day", "2026-04-01")

    (found,) = objects(done).values()
    assert (done.returncode, found["day"]) == (0, "2026-04-01")
    assert (lines(found)["BES-16"]["points"], lines(found)["BES-16"]["assumed"]) == ("-2", False)


def test_an_installed_script_without_a_guard_hears_too(tmp_path: Path) -> None:
    """Some installers write the script so that importing it runs it; the recogniser's child imports it."""
    script = tmp_path / "seatwatch"
    script.write_text("import sys\n\nfrom qa.cli import main\n\nsys.exit(main())\n", encoding="utf-8")
    env = {**environment(tmp_path), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, script, "score", CALL, "--model", "fixture", "--json"]
    told = subprocess.run(command, env=env, capture_output=True, text=True, timeout=120, check=False)

    assert told.returncode == 0, told.stderr
    assert json.loads(told.stdout)["turns"]
