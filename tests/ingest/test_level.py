"""How loud a leg is: the peak of 10 s, told in a row beside its audio, cheap enough for every leg there is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest import spool
from ingest.admission import Opened
from ingest.g711 import alaw_sample, ulaw_sample
from ingest.level import SILENT_DBFS, STRIDE, Meter, dbfs, peak
from ingest.rows import Row
from ingest.shell.legs import LegWriter
from ingest.stream import Piece
from ingest.streamleg import StreamLeg
from tests.ingest import lab

QUIET = -50.0
WAVE = (np.sin(np.arange(8000) * 2 * np.pi * 425 / 8000) * 32000).astype("<i2")


def tone(amplitude: int) -> bytes:
    """A second of the dialling tone."""
    return (WAVE.astype(np.int32) * amplitude // 32000).astype("<i2").tobytes()


@pytest.mark.parametrize(("law", "sample"), [("ulaw", ulaw_sample), ("alaw", alaw_sample)])
@given(data=st.binary(max_size=400), least=st.binary(max_size=1))
def test_of_companded_audio_the_loudest_octet_is_found(law: str, sample: Any, data: bytes, least: bytes) -> None:
    before = max((abs(sample(code)) for code in least), default=0)

    assert peak(data, law, before) == max([before, *(abs(sample(code)) for code in data)])


@given(st.lists(st.integers(-32768, 32767), max_size=200), st.integers(0, 32768))
def test_of_linear_audio_no_peak_is_invented(samples: list[int], least: int) -> None:
    found = peak(np.array(samples, "<i2").tobytes(), "slin", least)

    assert least <= found <= max([least, *(abs(one) for one in samples)])
    assert found >= max([0, *(abs(one) for one in samples[::STRIDE])]) - 255


@pytest.mark.parametrize("encoding", ["slin", "ulaw", "alaw"])
def test_an_odd_octet_or_nothing_at_all_is_silent(encoding: str) -> None:
    assert peak(b"", encoding) == 0
    assert peak(b"\x01", "slin") == 0


@pytest.mark.parametrize("hertz", [50, 350, 425, 440, 620, 697, 941, 1209, 1633, 2000, 3400])
def test_no_tone_of_a_telephone_hides_between_the_samples_that_are_looked_at(hertz: int) -> None:
    wave = (np.sin(np.arange(8000) * 2 * np.pi * hertz / 8000 + 0.3) * 200).astype("<i2").tobytes()

    assert dbfs(peak(wave, "slin")) > QUIET


def test_levels_are_told_from_the_greatest_value_down() -> None:
    assert [dbfs(one) for one in (32768, 16384, 104, 103, 1, 0)] == [0.0, -6.0, -50.0, -50.1, -90.3, SILENT_DBFS]


def test_a_span_begins_after_each_report_and_says_nothing_where_nothing_came() -> None:
    meter = Meter("slin")
    meter.hear(tone(16384), 8000)
    meter.hear(tone(100), 8000)
    assert meter.report(8000) == {"peak_dbfs": -6.0, "span_ms": 2000}
    assert meter.report(8000) == {}
    meter.hear(bytes(1600), 800)
    assert meter.report(8000) == {"peak_dbfs": SILENT_DBFS, "span_ms": 100}


def reports(folder: Path) -> list[dict[str, Any]]:
    """What the rows of kind clock in the spool say."""
    (path,) = [path for path in spool.files(folder) if spool.contents(path).last_rowid]
    _, rows = spool.Reader(path).after(0, 1000)
    return [json.loads(row.payload) for row in rows if row.kind == "clock"]


@pytest.mark.parametrize("clocked", [True, False])
async def test_every_ten_seconds_a_leg_says_how_loud_it_was(tmp_path: Path, clocked: bool) -> None:
    async with lab.running(tmp_path) as ingest:
        leg = LegWriter(ingest.core, Opened("c1", "agent", "agent"), "media", clocked=clocked)
        ingest.core.mono = lambda: leg.samples / 8000
        for amplitude in [0] * 10 + [3277] + [30] * 9 + [327] * 3:
            leg.audio(tone(amplitude))
        leg.end("hangup")
        await ingest.flush()
        told = reports(tmp_path)
        found = spool.read_leg(tmp_path, "c1", "agent")

    assert [(one["peak_dbfs"], one["span_ms"]) for one in told] == [(SILENT_DBFS, 10_000), (-20.0, 10_000)]
    assert all(("sample" in one) == clocked for one in told)
    assert (found.drift_ms is not None) == clocked and len(found.segments[0][1]) == 23 * 16_000


async def test_where_time_passes_without_sound_no_level_is_told(tmp_path: Path) -> None:
    async with lab.running(tmp_path) as ingest:
        ingest.core.mono = lambda: 0.0
        leg = LegWriter(ingest.core, Opened("c1", "agent", "agent"), "media", "ulaw", clocked=False)
        ingest.core.mono = lambda: 12.0
        leg.gap(12 * 8000, "pause")
        leg.audio(b"\xff" * 800)
        leg.end("hangup")
        await ingest.flush()
        assert reports(tmp_path) == [{"peak_dbfs": SILENT_DBFS, "span_ms": 100}]


def test_a_leg_of_stream_counts_what_was_taken_and_nothing_twice() -> None:
    leg = StreamLeg(lab.hello())
    leg.greet(leg.hello)
    rows: list[Row] = []
    for second in range(21):
        piece = Piece(second + 1, second * 8000, tone(16384 if second == 3 else 0))
        rows += leg.piece(piece)
        rows += leg.piece(piece)
    told = [(row.sample, row.seq, json.loads(row.payload)) for row in rows if row.kind == "clock"]

    assert told == [(80_000, 10, {"peak_dbfs": -6.0, "span_ms": 10_000}),
                    (160_000, 20, {"peak_dbfs": SILENT_DBFS, "span_ms": 10_000})]  # fmt: skip
    assert sum(row.kind == "audio" for row in rows) == 21
