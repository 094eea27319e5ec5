"""One call's files on one time line: formats, halves of different length, and limits that hold by decoded samples."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from qa.intake.sound import Part, convert, holes
from speech.audio import decode, write_flac, write_opus
from speech.errors import AudioError
from tests.speech.values import CALL, wav

SPOKEN = decode(CALL).pcm[:, :40_000]


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "shelf" / "one.flac"


def test_lossless_sound_stays_to_the_sample(tmp_path: Path, target: Path) -> None:
    write_flac(tmp_path / "c1.flac", SPOKEN)
    sound = convert([Part(tmp_path / "c1.flac")], None, target)

    assert (decode(target).pcm == SPOKEN).all()
    assert (sound.roles, sound.duration_ms, holes(sound)) == (("customer", "agent"), 5000, [])


def test_packed_and_raw_formats_are_taken(tmp_path: Path, target: Path) -> None:
    write_opus(tmp_path / "c1.opus", SPOKEN)
    (tmp_path / "c1.ulaw").write_bytes(bytes([0xFF, 0x7F] * 4000))
    wav(tmp_path / "c1.wav", SPOKEN.T.astype("<i2").tobytes(), channels=2)
    lengths = [
        convert([Part(tmp_path / f"c1.{ending}")], None, target).duration_ms for ending in ("opus", "ulaw", "wav")
    ]

    assert lengths == [pytest.approx(5000, abs=20), 1000, 5000]


def test_another_rate_is_brought_to_ours(tmp_path: Path, target: Path) -> None:
    write_flac(tmp_path / "c1.flac", np.repeat(SPOKEN, 2, axis=1), 16_000)
    convert([Part(tmp_path / "c1.flac")], None, target)
    heard = decode(target)

    assert (heard.rate, heard.pcm.shape) == (8000, SPOKEN.shape)
    assert np.corrcoef(heard.pcm[0], SPOKEN[0])[0, 1] > 0.95  # every sample twice is no clean doubling


def test_halves_of_different_rate_and_length_meet(tmp_path: Path, target: Path) -> None:
    write_flac(tmp_path / "rx.flac", SPOKEN[:1])
    write_flac(tmp_path / "tx.flac", np.repeat(SPOKEN[1:, :20_000], 2, axis=1), 16_000)
    sound = convert([Part(tmp_path / "rx.flac", ("customer",)), Part(tmp_path / "tx.flac", ("agent",))], None, target)

    assert holes(sound) == [{"role": "agent", "start_ms": 2500, "end_ms": 5000, "cause": "short"}]
    assert (decode(target).pcm[0] == SPOKEN[0]).all()


@pytest.mark.parametrize(("longest", "fits"), [(5, True), (4.9, False)])
def test_the_limit_counts_decoded_samples_and_leaves_nothing(
    tmp_path: Path, target: Path, longest: float, fits: bool
) -> None:
    write_flac(tmp_path / "silence.flac", np.zeros((2, 40_000), np.int16))  # a packed hour is a few bytes
    if fits:
        assert convert([Part(tmp_path / "silence.flac")], None, target, longest).duration_ms == 5000
        return
    with pytest.raises(AudioError, match="longer than"):
        convert([Part(tmp_path / "silence.flac")], None, target, longest)
    assert not target.exists()


def test_a_file_that_is_cut_off_leaves_nothing(tmp_path: Path, target: Path) -> None:
    path = tmp_path / "c1.wav"
    wav(path, SPOKEN.T.astype("<i2").tobytes(), channels=2)
    path.write_bytes(path.read_bytes()[:70_000])

    with pytest.raises(AudioError, match="cut off"):
        convert([Part(tmp_path / "c1.wav")], None, target)
    assert not target.exists()
