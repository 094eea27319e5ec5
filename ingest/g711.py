"""The two laws of G.711 as tables of 256 bytes, for a stream that changes from one to the other. Decodes no audio."""

from __future__ import annotations

from bisect import bisect_left

LAWS = ("ulaw", "alaw")


def ulaw_sample(byte: int) -> int:
    """16-bit sample of a µ-law byte."""
    byte = ~byte & 0xFF
    size = (((byte & 0x0F) << 3) + 0x84 << (byte >> 4 & 7)) - 0x84
    return -size if byte & 0x80 else size


def alaw_sample(byte: int) -> int:
    """16-bit sample of an A-law byte."""
    byte ^= 0x55
    segment, size = byte >> 4 & 7, (byte & 0x0F) << 4
    size = size + 8 if not segment else (size + 0x108) << segment - 1
    return size if byte & 0x80 else -size


_SAMPLES = {"ulaw": [ulaw_sample(byte) for byte in range(256)], "alaw": [alaw_sample(byte) for byte in range(256)]}


def _table(source: str, target: str) -> bytes:
    """Each byte of one law to the byte of the other that sounds nearest."""
    ladder = sorted((sample, byte) for byte, sample in enumerate(_SAMPLES[target]))
    levels = [sample for sample, _ in ladder]
    out = bytearray()
    for sample in _SAMPLES[source]:
        at = bisect_left(levels, sample)
        near = [one for one in (at - 1, at) if 0 <= one < len(levels)]
        out.append(ladder[min(near, key=lambda one: abs(levels[one] - sample))][1])
    return bytes(out)


_TABLES = {(source, target): _table(source, target) for source in LAWS for target in LAWS if source != target}


def convert(data: bytes, source: str, target: str) -> bytes:
    """The same sound in the other law; unchanged where both are one."""
    return data if source == target else data.translate(_TABLES[source, target])
