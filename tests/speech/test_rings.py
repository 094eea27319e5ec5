"""Rings by their sound: every country, cut anywhere, through a noisy line; and nothing else is ever a ring."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from shutil import which
from subprocess import run

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from ingest.rings import CADENCES, ring_count
from speech.audio import Flow, flowing, write_flac
from speech.rings import Rhythm, Rings, hear, rhythm
from speech.tones import Listener, tones
from tests.speech.values import CALL

RATE = 8000
DIFFERENT = ("cn", "de", "es", "fr", "jp", "tw", "uk", "us")  # the others ring like one of these
Sound = NDArray[np.float64]


def beat(country: str) -> Rhythm:
    return rhythm(country, CADENCES[country].pattern_s, CADENCES[country].tone_hz)


def note(hz: str, seconds: float, db: float = -20) -> Sound:
    """450, 440+480 or 400*15."""
    parts, _, modulation = hz.partition("*")
    t = np.arange(int(seconds * RATE)) / RATE
    tone = np.sum([np.sin(2 * np.pi * float(part) * t) for part in parts.split("+")], axis=0)
    if modulation:
        tone *= 0.5 + 0.5 * np.sin(2 * np.pi * float(modulation) * t)
    return np.asarray(tone * 10 ** (db / 20))


def quiet(seconds: float) -> Sound:
    return np.zeros(int(seconds * RATE))


def ringing(country: str, seconds: float, db: float = -20) -> Sound:
    """Ring-back of this many seconds, cut where the answer comes."""
    pattern = CADENCES[country].pattern_s
    tone = CADENCES[country].tone_hz
    one = [quiet(float(s)) if at % 2 else note(tone, float(s), db) for at, s in enumerate(pattern)]
    return np.tile(np.concatenate(one), int(seconds / float(sum(pattern))) + 1)[: int(seconds * RATE)]


def voice(seconds: float, seed: int = 1) -> Sound:
    """Like speech: a pitch that moves, harmonics, syllables."""
    rng = np.random.default_rng(seed)
    t = np.arange(int(seconds * RATE)) / RATE
    pitch = 140 + 50 * np.sin(2 * np.pi * 0.7 * t + rng.uniform(0, 6)) + 20 * np.sin(2 * np.pi * 2.3 * t)
    phase = 2 * np.pi * np.cumsum(pitch) / RATE
    sound = np.sum([np.sin(k * phase + rng.uniform(0, 6)) / k for k in range(1, 14)], axis=0)
    return np.asarray(0.08 * sound * np.clip(np.sin(2 * np.pi * 3.1 * t) + 0.4, 0, 1) + rng.normal(0, 0.002, len(t)))


def line(sound: Sound, noise_db: float = -50, seed: int = 2) -> Sound:
    """Through µ-law, with a line's noise."""
    noisy = sound + np.random.default_rng(seed).normal(0, 10 ** (noise_db / 20), len(sound))
    packed = np.sign(noisy) * np.log1p(255 * np.minimum(np.abs(noisy), 1)) / np.log1p(255)
    packed = np.round(packed * 127) / 127
    return np.asarray(np.sign(packed) * np.expm1(np.abs(packed) * np.log1p(255)) / 255)


def heard(*rows: Sound, country: str = "cn", pieces: int = 4001, until_ms: int | None = None) -> Rings:
    length = max(map(len, rows))
    pcm = np.stack([np.pad(row, (0, length - len(row))) for row in rows], axis=1)
    data = (np.clip(pcm, -1, 0.999) * 32768).astype("<i2")
    flow = Flow(RATE, len(rows), (data[at : at + pieces].tobytes() for at in range(0, length, pieces)))
    return hear(flow, beat(country), until_ms)


def call(country: str, seconds: float, db: float = -20) -> Sound:
    return line(np.concatenate([ringing(country, seconds, db), quiet(0.2), voice(4)]))


@pytest.mark.parametrize("country", DIFFERENT)
@given(hundredths=st.integers(40, 3000))
@settings(max_examples=10, deadline=None)
@example(1040)
def test_rings_before_an_answer_are_as_many_as_the_clock_counts(country: str, hundredths: int) -> None:
    """Whatever the country and wherever the answer cuts; a burst of less than 0.15 s is too short to be heard."""
    seconds, period = Decimal(hundredths) / 100, CADENCES[country].period_s
    into = seconds % period
    if into < Decimal("0.15") or (seconds < period and into < Decimal("0.45")):
        return
    found = heard(call(country, float(seconds)), country=country)

    assert found.count == ring_count(seconds, period), found


def test_the_times_of_the_bursts_are_right_to_two_windows() -> None:
    found = heard(call("cn", 10.4))

    assert [one.start_ms for one in found.bursts] == pytest.approx([0, 5000, 10_000], abs=25)
    assert [one.end_ms for one in found.bursts] == pytest.approx([1000, 6000, 10_400], abs=45)


def test_two_bursts_are_one_ring_in_britain() -> None:
    found = heard(call("uk", 5.5), country="uk")

    assert (found.count, len(found.bursts)) == (2, 4)


def test_a_recording_that_begins_in_the_middle_of_a_ring_counts_it() -> None:
    assert heard(call("cn", 12)[5200:]).count == 3
    assert heard(call("uk", 8)[5600:], country="uk").count == 3


def test_a_faint_tone_is_found() -> None:
    assert heard(call("cn", 11.5, db=-40)).count == 3


@pytest.mark.parametrize(("seconds", "name"), [(0.35, "busy"), (0.7, "congestion")])
def test_the_cadence_tells_busy_and_congestion_from_rings(seconds: float, name: str) -> None:
    tone = np.tile(np.concatenate([note("450", seconds), quiet(seconds)]), 12)
    found = heard(line(tone))

    assert (found.count, found.bursts) == (None, ())
    assert found.unknown is not None and name in found.unknown


def test_rings_before_and_a_busy_tone_after_the_talk_are_the_rings() -> None:
    busy = np.tile(np.concatenate([note("450", 0.35), quiet(0.35)]), 12)

    assert heard(np.concatenate([call("cn", 7), busy])).count == 2


@pytest.mark.parametrize("country", DIFFERENT)
def test_clear_rings_are_told_where_a_busy_tone_follows_them(country: str) -> None:
    """The count is unknown, for who knows whether it was answered; the rings were heard all the same."""
    hz, period = CADENCES[country].tone_hz, float(CADENCES[country].period_s)
    busy = np.tile(np.concatenate([note(hz, 0.35), quiet(0.35)]), 12)
    found = heard(line(np.concatenate([ringing(country, 3 * period), busy])), country=country)
    alone = heard(line(np.concatenate([ringing(country, period), busy])), country=country)
    rings = sorted({int(one.start_ms / 1000 / period + 0.1) for one in found.bursts})

    assert (found.count, found.followed, rings) == (None, True, [0, 1, 2])
    assert found.unknown is not None and "3 clear rings" in found.unknown and "busy" in found.unknown
    assert (alone.count, alone.bursts, alone.followed) == (None, (), False)  # one may be anything


@pytest.mark.parametrize("country", [one for one in DIFFERENT if one != "uk"])
@given(hz=st.integers(350, 3000), ms=st.integers(400, 900), at=st.floats(0, 1), ring=st.integers(0, 2),
       db=st.integers(-34, -12))  # fmt: skip
@settings(max_examples=10, deadline=None)
@example(hz=523, ms=500, at=0.5, ring=0, db=-20)
def test_another_tone_between_two_rings_makes_them_unknown(
    country: str, hz: int, ms: int, at: float, ring: int, db: int
) -> None:
    """Once is enough, wherever in the pause it sounds, unless it is the ring's own tone or next to it."""
    if min(abs(hz - float(one)) for one in CADENCES[country].tone_hz.partition("*")[0].split("+")) < 60:
        return
    on, off = map(float, CADENCES[country].pattern_s)
    sound, start = ringing(country, 4 * (on + off)), ring * (on + off) + on
    start += 0.1 + at * (off - 0.2 - ms / 1000)
    sound[int(start * RATE) :][: ms * RATE // 1000] += note(str(hz), ms / 1000, db)[: ms * RATE // 1000]
    found = heard(line(sound), country=country)

    assert (found.count, found.bursts) == (None, ()), found
    assert found.unknown


def test_another_tone_before_every_other_ring_is_named() -> None:
    found = heard(line(np.tile(np.concatenate([note("450", 1), quiet(1), note("523", 1), quiet(2)]), 4)))

    assert found.unknown == "another tone (about 520 Hz) sounds between them, so these are no rings"


def test_what_is_left_of_a_series_that_is_none_is_no_ring() -> None:
    """The last burst alone would pass for a ring: it is quiet around it."""
    found = heard(line(np.tile(np.concatenate([note("450", 1), note("523", 2.5), quiet(1.5)]), 4)))

    assert (found.count, found.bursts) == (None, ())


@pytest.mark.parametrize("seed", range(6))
def test_a_voice_between_the_rings_is_another_channels(seed: int) -> None:
    sound = ringing("cn", 15)
    for ring in (0, 1):
        sound[int((5 * ring + 1.2) * RATE) : int((5 * ring + 4.8) * RATE)] += 0.5 * voice(3.6, seed + 10 * ring)[:28800]

    assert heard(line(sound)).count == 3


@pytest.mark.parametrize("hz", ["430", "440", "450", "466", "880"])
@pytest.mark.parametrize("seconds", [0.5, 3, 20])
def test_a_held_note_is_no_ring(hz: str, seconds: float) -> None:
    found = heard(line(np.concatenate([voice(2), note(hz, seconds), voice(3, 4)])))

    assert found.count is None


def test_half_of_a_double_tone_is_another_sound() -> None:
    tone = np.tile(np.concatenate([note("440", 2), quiet(4)]), 4)

    assert heard(line(tone), country="us").count is None


@pytest.mark.parametrize("seed", range(4))
def test_music_in_place_of_the_ring_is_unknown_with_its_reason(seed: int) -> None:
    """Coloured ring-back: chords, and a melody that comes back to the tone itself."""
    rng = np.random.default_rng(seed)
    notes = rng.choice([392, 440, 450, 466, 494, 523, 587, 659], 60)
    melody = np.concatenate([note(str(hz), rng.choice([0.25, 0.5, 1.0]), -18) for hz in notes])
    chords = np.concatenate([sum(note(str(hz * k), 1.0, -26) for k in (1, 1.25, 1.5)) for hz in notes[:20].astype(int)])

    for music in (melody, chords, melody[: len(chords)] + chords[: len(melody)]):
        found = heard(line(np.concatenate([music, voice(3)])))
        assert found.count is None and found.unknown


@pytest.mark.parametrize("country", DIFFERENT)
def test_speech_and_noise_have_no_rings(country: str) -> None:
    noise = np.random.default_rng(5).normal(0, 0.1, RATE * 10)

    assert heard(voice(20), country=country).count is None
    assert heard(noise, country=country).count is None


def test_silence_says_that_it_is_silence() -> None:
    assert heard(quiet(3)).unknown == "there is no sound"
    assert heard(quiet(0.01)).unknown == "there is no sound"


def test_a_missing_ring_is_not_counted_over() -> None:
    tone = ringing("cn", 22)
    tone[5 * RATE : 7 * RATE] = 0
    found = heard(line(np.concatenate([tone, voice(2)])))

    assert found.count is None
    assert found.unknown is not None and "cadence" in found.unknown


def test_a_ring_of_another_country_is_unknown() -> None:
    assert heard(call("fr", 12), country="us").count is None
    assert heard(call("us", 13), country="cn").count is None


def test_of_two_channels_the_one_that_rings_is_told() -> None:
    found = heard(voice(9), call("cn", 6))

    assert (found.count, found.channel) == (2, 1)


def test_a_leaking_channel_agrees_with_the_one_it_comes_from() -> None:
    rings = call("cn", 12)

    assert heard(rings * 0.05, rings).count == 3


def test_channels_that_ring_differently_are_unknown() -> None:
    found = heard(call("cn", 3), call("cn", 12))

    assert found.count is None
    assert found.unknown is not None and "channels" in found.unknown


def test_only_what_comes_before_the_answer_is_listened_to() -> None:
    later = np.concatenate([call("cn", 7), quiet(30), ringing("cn", 12)])

    assert heard(later, until_ms=7000).count == 2
    assert heard(voice(5), until_ms=0).unknown == "there is no sound"


@given(cut=st.integers(100, 20_000))
@settings(max_examples=8, deadline=None)
def test_pieces_of_any_length_give_the_same(cut: int) -> None:
    sound = call("cn", 6.5)

    told, whole = heard(sound, pieces=cut), heard(sound, pieces=len(sound))

    assert told.count == whole.count == 2
    assert [(one.start_ms, one.end_ms) for one in told.bursts] == [(one.start_ms, one.end_ms) for one in whole.bursts]


def test_a_listener_keeps_two_numbers_and_a_pitch_a_window() -> None:
    ear = Listener(RATE, tones("450"))
    second = ringing("cn", 1).astype(np.float32)
    for _ in range(600):
        ear.feed(second)

    held = sum(part.nbytes for part in (*ear._share, *ear._power, *ear._pitch)) + ear._rest.nbytes
    assert ear.ms == 600_000
    assert held < 600 * 50 * 10 * 1.2


def test_an_exchange_that_is_off_is_heard_by_a_second_tone() -> None:
    off = np.tile(np.concatenate([note("466", 1), quiet(4)]), 3)
    both = rhythm("own", (Decimal(1), Decimal(4)), "450|465")
    data = (line(off) * 32768).astype("<i2").tobytes()

    assert heard(line(off)).count is None
    assert hear(Flow(RATE, 1, iter([data])), both).count == 3


@pytest.mark.parametrize("tone", ["", "x", "45", "450+", "450|", "450*", "440+480+500"])
def test_a_tone_that_is_none_is_refused(tone: str) -> None:
    with pytest.raises(ValueError, match="tone"):
        rhythm("own", (Decimal(1), Decimal(4)), tone)


def test_a_cadence_without_pauses_cannot_be_heard() -> None:
    with pytest.raises(ValueError, match="on and off"):
        rhythm("own", (Decimal(5), Decimal(0)), "450")


def test_files_are_read_in_pieces(tmp_path: Path) -> None:
    path = tmp_path / "waiting.flac"
    write_flac(path, (np.stack([voice(20)[: 8 * RATE], call("cn", 10.4)[: 8 * RATE]]) * 32768).astype(np.int16))
    with flowing(path) as flow:
        assert hear(flow, beat("cn")).count == 2
    with flowing(CALL) as flow:
        assert hear(flow, beat("cn")).count is None


@pytest.mark.slow
@pytest.mark.skipif(not which("espeak-ng"), reason="espeak-ng is not installed")
def test_twenty_seconds_of_spoken_mandarin_ring_in_no_country(tmp_path: Path) -> None:
    path = tmp_path / "said.wav"
    text = "您好，很高兴为您服务，请问有什么可以帮您？我家的宽带从昨天晚上开始就上不了网了，请帮我查询一下。" * 3
    run(["espeak-ng", "-v", "cmn", "-s", "200", "-w", str(path), text], check=True, timeout=60)
    for country in CADENCES:
        with flowing(path) as flow:
            assert hear(flow, beat(country)).count is None
