"""Bytes to samples and back: containers, G.711, channels, resampling. It recognises nothing and trusts no header."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Literal, cast

import av
import av.container
import numpy as np
import soxr
from numpy.typing import NDArray

from speech.endings import cut_off
from speech.errors import AudioError, TooLong

Encoding = Literal["mulaw", "alaw", "slin"]

MAX_SECONDS = 4 * 3600
TOP_RATE = 16_000  # nothing above it helps a recogniser; higher rates are brought down while decoding
RAW = {
    ".ulaw": "mulaw",
    ".ul": "mulaw",
    ".mu": "mulaw",
    ".pcmu": "mulaw",
    ".alaw": "alaw",
    ".al": "alaw",
    ".pcma": "alaw",
    ".sln": "slin",
    ".raw": "slin",
}  # headerless files as PBXs name them: 8 kHz, one channel
# A playlist named call.wav would make the library open other files: only real containers are opened at all.
FORMATS = "wav,w64,mp3,ogg,flac,mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,aac,aiff,au,amr,gsm,caf"
KNOWN = "WAV, MP3, Ogg-Opus, FLAC, M4A, or raw .ulaw/.alaw at 8 kHz"


@dataclass(frozen=True, slots=True, eq=False)
class Audio:
    """Samples of a recording, 16 bit, one row per channel. Held as integers: half the memory of floats."""

    pcm: NDArray[np.int16]
    rate: int

    @property
    def channels(self) -> int:
        return int(self.pcm.shape[0])

    @property
    def duration_ms(self) -> int:
        return int(self.pcm.shape[1]) * 1000 // self.rate

    @property
    def samples(self) -> NDArray[np.float32]:
        """The same as float32 between -1 and 1, made anew at every call."""
        return as_float(self.pcm)


def as_float(pcm: NDArray[np.int16]) -> NDArray[np.float32]:
    """16-bit integers as floats between -1 and 1."""
    return pcm.astype(np.float32) / np.float32(32768)


@dataclass(frozen=True, slots=True, eq=False)
class Flow:
    """A recording while it is read: 16-bit samples with the channels interleaved, in pieces of no fixed length."""

    rate: int
    channels: int
    pieces: Iterator[bytes]


def decode(path: Path, max_seconds: float = MAX_SECONDS) -> Audio:
    """Read a recording, one or two channels. Its length is counted from decoded samples, never believed."""
    heap = bytearray()
    with flowing(path, max_seconds) as flow:
        for piece in flow.pieces:
            heap += piece
    return Audio(np.frombuffer(heap, dtype=np.int16).reshape(-1, flow.channels).T, flow.rate)


@contextmanager
def flowing(path: Path, max_seconds: float = MAX_SECONDS) -> Iterator[Flow]:
    """The same piece by piece: a long recording needs no more memory than a short one."""
    place = str(path)
    if not path.is_file():
        raise AudioError(place, "there is no such file", "check the path")
    if path.stat().st_size == 0:
        raise AudioError(place, "the file is empty (0 bytes)", "record or copy it again")
    raw = RAW.get(path.suffix.lower())
    if raw is not None:
        yield Flow(8000, 1, _read_raw(path, raw, max_seconds))
        return
    try:
        with av.open(place, options={"format_whitelist": FORMATS, "protocol_whitelist": "file"}) as container:
            yield _flow(place, container, max_seconds)
    except (av.error.InvalidDataError, av.error.EOFError, av.error.ArgumentError):
        raise AudioError(place, "this is not audio, or it is damaged at its head", f"give one of {KNOWN}") from None
    except (av.error.DecoderNotFoundError, av.error.PatchWelcomeError):
        raise _unknown_codec(place) from None
    except MemoryError:
        raise AudioError(place, "it needs more memory than a recording may use", "cut it into shorter files") from None


def _unknown_codec(place: str) -> AudioError:
    return AudioError(place, "its codec is unknown", f"convert it to one of {KNOWN}")


def _flow(place: str, container: av.container.InputContainer, max_seconds: float) -> Flow:
    if not container.streams.audio:
        raise AudioError(place, "it holds no sound", "give a recording of the call")
    stream = container.streams.audio[0]
    if stream.codec_context is None:
        raise _unknown_codec(place)
    channels, own_rate = stream.codec_context.channels, stream.codec_context.sample_rate
    if channels not in (1, 2):
        what = f"it has {channels} channels"
        raise AudioError(place, what, "give one channel, or two with one party each")
    if not 4_000 <= own_rate <= 192_000:
        raise AudioError(place, f"its sample rate is {own_rate} Hz", "give 8000 to 48000 Hz")
    rate = min(own_rate, TOP_RATE)
    found = _pieces(place, container, stream, "mono" if channels == 1 else "stereo", rate)
    return Flow(rate, channels, _measured(place, container, stream, found, max_seconds, rate * channels * 2))


def _measured(
    place: str,
    container: av.container.InputContainer,
    stream: av.AudioStream,
    pieces: Iterator[bytes],
    max_seconds: float,
    bytes_a_second: int,
) -> Iterator[bytes]:
    """The pieces, counted: too many, none at all, or fewer than the file announces are faults."""
    done = 0
    for piece in pieces:
        done += len(piece)
        if done > max_seconds * bytes_a_second:
            raise TooLong(place, f"it is longer than {max_seconds / 3600:.3g} hours", "cut it into single calls")
        yield piece
    if not done:
        raise AudioError(place, "it has a head but no sound in it", "record it again")
    declared = stream.duration * stream.time_base if stream.duration and stream.time_base else None
    seconds = done / bytes_a_second
    reason = cut_off(Path(place), container.format.name, None if declared is None else float(declared), seconds)
    if reason:
        raise AudioError(place, f"it is cut off after {seconds:.1f} s ({reason})", "copy it again")


def _pieces(
    place: str, container: av.container.InputContainer, stream: av.AudioStream, layout: str, rate: int
) -> Iterator[bytes]:
    """Interleaved 16-bit sound, packet by packet; junk is forgiven in front of the sound only."""
    convert = av.AudioResampler(format="s16", layout=layout, rate=rate)
    begun = False
    for packet in container.demux(stream):
        try:
            frames = packet.decode()
        except av.error.InvalidDataError:
            if begun:
                raise AudioError(place, "it is cut off or damaged in the middle", "copy it again") from None
            continue
        for frame in frames:
            begun = True
            yield from _converted(place, convert, frame)
    if begun:
        yield from _converted(place, convert, None)


def _converted(place: str, convert: av.AudioResampler, frame: av.AudioFrame | None) -> Iterator[bytes]:
    try:
        for done in convert.resample(frame):
            yield done.to_ndarray().tobytes()
    except ValueError:
        raise AudioError(place, "its channels or rate change on the way", "convert it to plain WAV") from None


def _read_raw(path: Path, encoding: str, max_seconds: float) -> Iterator[bytes]:
    width = 2 if encoding == "slin" else 1
    size = path.stat().st_size
    if size > max_seconds * 8000 * width:
        raise TooLong(str(path), f"it is longer than {max_seconds / 3600:.3g} hours", "cut it into single calls")
    if size % width:
        raise AudioError(str(path), "it is cut off in the middle of a sample", "copy it again")
    with path.open("rb") as file:
        while data := file.read(1 << 20):
            yield decode_raw(data, encoding, 8000).pcm.tobytes()


def _mulaw_table() -> NDArray[np.int16]:
    code = ~np.arange(256, dtype=np.int32) & 0xFF
    step = (((code & 0x0F) << 3) + 0x84) << ((code & 0x70) >> 4)
    return np.where(code & 0x80, 0x84 - step, step - 0x84).astype(np.int16)


def _alaw_table() -> NDArray[np.int16]:
    code = np.arange(256, dtype=np.int32) ^ 0x55
    segment = (code & 0x70) >> 4
    step = ((code & 0x0F) << 4) + np.where(segment == 0, 8, 0x108)
    step = np.where(segment > 1, step << np.maximum(segment - 1, 0), step)
    return np.where(code & 0x80, step, -step).astype(np.int16)


_TABLES = {"mulaw": _mulaw_table(), "alaw": _alaw_table()}


def decode_raw(data: bytes, encoding: str, rate: int) -> Audio:
    """Headerless sound of one channel: G.711 (mulaw, alaw) or 16-bit little-endian (slin)."""
    if encoding == "slin":
        pcm = np.frombuffer(data[: len(data) // 2 * 2], dtype="<i2").astype(np.int16)
    elif encoding in _TABLES:
        pcm = _TABLES[encoding][np.frombuffer(data, dtype=np.uint8)]
    else:
        raise AudioError("raw audio", f"encoding {encoding!r} is unknown", "use mulaw, alaw or slin")
    return Audio(pcm.reshape(1, -1), rate)


def resample(samples: NDArray[np.float32], rate: int, to: int) -> NDArray[np.float32]:
    """One channel at another rate; no copy where nothing is to do."""
    return samples if rate == to else np.asarray(soxr.resample(samples, rate, to, quality="HQ"), dtype=np.float32)


def same_signal(a: NDArray[np.int16], b: NDArray[np.int16], block: int = 1 << 20) -> bool:
    """One party's sound copied to both channels (a mono line in a stereo file); level and small noise may differ."""
    dot = square_a = square_b = 0.0
    for at in range(0, min(len(a), len(b)), block):
        x, y = a[at : at + block].astype(np.float64), b[at : at + block].astype(np.float64)
        dot, square_a, square_b = dot + float(x @ y), square_a + float(x @ x), square_b + float(y @ y)
    return square_a > 0 and square_b > 0 and dot * dot >= 0.98 * square_a * square_b


def write_flac(path: Path, samples: NDArray[np.int16], rate: int = 8000) -> None:
    """16-bit samples, one row per channel, without loss."""
    _write(path, samples, rate, "flac", "flac", 0, {})


def write_opus(path: Path, samples: NDArray[np.int16], rate: int = 8000) -> None:
    """Ogg-Opus at 24 kbit/s. ``voip``: the library's default mode leaks one channel into the other at -25 dB."""
    _write(path, samples, rate, "ogg", "libopus", 24_000, {"application": "voip"})


def _write(
    path: Path, samples: NDArray[np.int16], rate: int, box: str, codec: str, bits: int, options: dict[str, str]
) -> None:
    seconds = (samples[:, at : at + rate] for at in range(0, samples.shape[1], rate))
    _encode(path, seconds, samples.shape[0], rate, box, codec, bits, options)


def write_flac_of(path: Path, pieces: Iterable[NDArray[np.int16]], channels: int, rate: int = 8000) -> int:
    """The same as FLAC from pieces, one row per channel; how many samples a channel."""
    return _encode(path, pieces, channels, rate, "flac", "flac", 0, {})


def _encode(
    path: Path,
    pieces: Iterable[NDArray[np.int16]],
    channels: int,
    rate: int,
    box: str,
    codec: str,
    bits: int,
    options: dict[str, str],
) -> int:
    layout, at = "mono" if channels == 1 else "stereo", 0
    with av.open(str(path), "w", format=box) as container:
        stream = cast(av.AudioStream, container.add_stream(codec, rate=rate, layout=layout, options=options))
        if bits:
            stream.bit_rate = bits
        for samples in pieces:
            piece = np.ascontiguousarray(samples.T).reshape(1, -1)
            frame = av.AudioFrame.from_ndarray(piece, format="s16", layout=layout)
            frame.sample_rate, frame.pts = rate, at
            at += samples.shape[1]
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return at


def rows_of(flow: Flow, to: int) -> Iterator[NDArray[np.int16]]:
    """What flows in, one row per channel, at another rate, in pieces of a second and one that is shorter."""
    convert = None if flow.rate == to else soxr.ResampleStream(flow.rate, to, flow.channels, dtype="int16")
    heap: list[NDArray[np.int16]] = []
    held = 0
    for data in chain(flow.pieces, (b"",)):
        piece = np.frombuffer(data, np.int16).reshape(-1, flow.channels)
        if convert is not None:
            piece = convert.resample_chunk(piece, last=not data).reshape(-1, flow.channels)
        heap.append(piece)
        held += len(piece)
        if held >= to or not data:
            whole = np.concatenate(heap)
            full = len(whole) // to * to if data else len(whole)
            for at in range(0, full, to):
                yield whole[at : min(at + to, full)].T
            heap, held = [whole[full:]], len(whole) - full
