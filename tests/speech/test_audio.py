from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from speech.audio import Audio, decode, decode_raw, resample, same_signal, write_flac, write_opus
from speech.errors import AudioError
from tests.speech.values import CALL, noise, wav


def test_flac_gives_back_every_sample_of_both_channels(tmp_path: Path) -> None:
    samples = noise(3.3, channels=2)
    write_flac(tmp_path / "a.flac", samples)

    assert np.array_equal(decode(tmp_path / "a.flac").pcm, samples)


@pytest.mark.parametrize("silent", [0, 1])
def test_opus_does_not_leak_a_talker_into_the_silent_channel(tmp_path: Path, silent: int) -> None:
    samples = decode(CALL).pcm.copy()
    samples[silent] = 0
    write_opus(tmp_path / "a.opus", samples)

    loudness = np.mean(decode(tmp_path / "a.opus").samples ** 2, axis=1)
    assert 10 * np.log10(loudness[silent] / loudness[1 - silent] + 1e-12) <= -60


def test_opus_keeps_the_length(tmp_path: Path) -> None:
    write_opus(tmp_path / "a.opus", noise(2.5, channels=2))

    assert abs(decode(tmp_path / "a.opus").duration_ms - 2500) <= 20


@pytest.mark.parametrize("rate", [8000, 16000, 44100, 48000])
def test_any_usual_rate_is_read_and_none_above_16_khz_is_kept(tmp_path: Path, rate: int) -> None:
    audio = decode(wav(tmp_path / "a.wav", noise(1.0, rate).tobytes(), rate=rate))

    assert audio.rate == min(rate, 16000)
    assert abs(audio.duration_ms - 1000) <= 20


def test_a_wav_of_mulaw_is_read(tmp_path: Path) -> None:
    audio = decode(wav(tmp_path / "a.wav", bytes(range(256)) * 40, tag=7, bits=8))

    assert np.array_equal(audio.pcm, decode_raw(bytes(range(256)) * 40, "mulaw", 8000).pcm)


@pytest.mark.parametrize(
    ("suffix", "seconds"), [(".ulaw", 2.0), (".UL", 2.0), (".alaw", 2.0), (".al", 2.0), (".raw", 1.0)]
)
def test_a_headless_file_is_read_by_its_name(tmp_path: Path, suffix: str, seconds: float) -> None:
    path = tmp_path / f"a{suffix}"
    path.write_bytes(bytes(16000))

    assert decode(path).duration_ms == seconds * 1000


def test_g711_codes_mean_what_the_standard_says() -> None:
    assert decode_raw(b"\xff\x7f\x00\x80\xf0", "mulaw", 8000).pcm.tolist() == [[0, 0, -32124, 32124, 120]]
    assert decode_raw(b"\xd5\x55\x2a\xaa\xd4", "alaw", 8000).pcm.tolist() == [[8, -8, -32256, 32256, 24]]


def test_a_stream_without_a_final_size_is_whole(tmp_path: Path) -> None:
    data = noise(1.0).tobytes()

    assert decode(wav(tmp_path / "a.wav", data, size=0xFFFFFFFF)).duration_ms == 1000


def refused(path: Path, **options: float) -> str:
    with pytest.raises(AudioError) as error:
        decode(path, **options)
    assert error.value.place == str(path)
    return str(error.value)


def test_a_missing_file_is_said_to_be_missing(tmp_path: Path) -> None:
    assert "no such file" in refused(tmp_path / "none.wav")


def test_an_empty_file_is_said_to_be_empty(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(b"")

    assert "0 bytes" in refused(path)


def test_a_head_without_sound_is_refused(tmp_path: Path) -> None:
    assert "no sound in it" in refused(wav(tmp_path / "a.wav", b""))


@pytest.mark.parametrize("text", ["dear all, this is a letter\n" * 40, "#EXTM3U\n#EXTINF:3,\nother.wav\n"])
def test_a_text_file_named_wav_is_refused_and_opens_nothing_else(tmp_path: Path, text: str) -> None:
    path = tmp_path / "a.wav"
    path.write_text(text)

    assert "not audio" in refused(path)


def test_a_truncated_wav_says_how_much_is_missing(tmp_path: Path) -> None:
    path = wav(tmp_path / "a.wav", noise(1.0).tobytes(), size=20000)

    assert "cut off after 1.0 s (4000 bytes are missing)" in refused(path)


@pytest.mark.parametrize("name", ["a.flac", "a.opus"])
@pytest.mark.parametrize("part", [0.3, 0.7, 0.97])
def test_a_truncated_file_is_refused(tmp_path: Path, name: str, part: float) -> None:
    whole = tmp_path / name
    (write_flac if name == "a.flac" else write_opus)(whole, noise(5.0, channels=2))
    whole.write_bytes(whole.read_bytes()[: int(whole.stat().st_size * part)])

    assert "cut off" in refused(whole)


def test_an_unknown_codec_is_named_as_such(tmp_path: Path) -> None:
    assert "codec is unknown" in refused(wav(tmp_path / "a.wav", noise(0.5).tobytes(), tag=0x1234))


def test_six_channels_are_refused(tmp_path: Path) -> None:
    assert "6 channels" in refused(wav(tmp_path / "a.wav", noise(0.6).tobytes(), channels=6))


def test_a_long_silence_is_refused_by_what_comes_out_not_by_its_size(tmp_path: Path) -> None:
    path = tmp_path / "bomb.flac"
    write_flac(path, np.zeros((2, 8000 * 600), dtype=np.int16))

    assert path.stat().st_size < 200_000
    assert "longer than" in refused(path, max_seconds=60)


def test_random_bytes_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.mp3"
    path.write_bytes(np.random.default_rng(5).bytes(40_000))

    refused(path)


def test_a_mono_line_in_a_stereo_file_is_seen_even_at_another_level() -> None:
    line = noise(2.0)[0]

    assert same_signal(line, (line // 2).astype(np.int16))
    assert not same_signal(line, line[::-1])
    assert not same_signal(line, np.zeros_like(line))


def test_resampling_keeps_the_length_and_does_nothing_where_nothing_is_to_do() -> None:
    samples = Audio(noise(1.0), 8000).samples[0]

    assert len(resample(samples, 8000, 16000)) == 16000
    assert resample(samples, 8000, 8000) is samples


def test_an_error_survives_the_way_between_processes() -> None:
    import pickle

    error = AudioError("a.wav", "it is cut off", "copy it again")

    assert str(pickle.loads(pickle.dumps(error))) == str(error)
