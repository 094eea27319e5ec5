from __future__ import annotations

import numpy as np

from speech import vad
from speech.audio import decode, resample
from tests.speech.values import CALL


def test_a_silent_line_asks_no_detector() -> None:
    assert vad.speech_spans(np.zeros(16000 * 3, dtype=np.float32)) == []
    assert vad.speech_spans(np.full(16000, 1e-4, dtype=np.float32)) == []


def test_padding_never_runs_into_the_neighbour_or_out_of_the_sound() -> None:
    assert vad.pad([(100, 500), (600, 900)], 150, 1000) == [(0, 550), (550, 1000)]


def test_a_long_stretch_is_cut_where_it_is_quietest() -> None:
    samples = np.ones(16000 * 70, dtype=np.float32)
    samples[16000 * 20 : 16000 * 20 + 3200] = 0
    samples[16000 * 45 : 16000 * 45 + 3200] = 0
    parts = vad.cut_long((0, 70_000), samples)

    assert all(abs(end - quiet) <= 60 for (_, end), quiet in zip(parts, (20_100, 45_100), strict=False))
    assert all(end - start <= vad.LONGEST_MS for start, end in parts)
    assert [parts[0][0], parts[-1][1]] == [0, 70_000]


def test_even_noise_without_a_pause_is_cut() -> None:
    parts = vad.cut_long((0, 100_000), np.ones(16000 * 100, dtype=np.float32))

    assert all(end - start <= vad.LONGEST_MS for start, end in parts)


def test_real_speech_is_found_on_its_own_channel() -> None:
    audio = decode(CALL)
    customer, agent = (vad.speech_spans(resample(row, audio.rate, vad.RATE)) for row in audio.samples)

    assert len(customer) == 1
    assert len(agent) == 3
    assert agent[0][0] < customer[0][0] < agent[1][0]
