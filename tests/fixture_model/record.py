"""Record the bundled demo calls: speak each line of qa/demo/calls.yaml with espeak-ng into two-channel telephone audio.

    python -m tests.fixture_model.record --model speech/fixture [--only D-01 …]

Channel 0 is the customer, 1 the agent, 8 kHz, through a G.711 round trip, with a line's faint noise. A recording is
kept only when the model hears every line exactly, also when the audio starts a little later; else the next voice,
speed and pitch of a fixed list are tried. Writes qa/demo/audio/NAME.flac, its
sidecar NAME.json and the times of its lines, NAME.lines.json.
"""

import argparse
import itertools
import json
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

import numpy as np

from scoring.load import read_yaml
from speech.audio import decode, write_flac
from tests.fixture_model.listen import hears
from tests.fixture_model.synth import PHONE_RATE, g711, speak

DEMO = Path(__file__).resolve().parents[2] / "qa" / "demo"
AGENT_VOICES, CUSTOMER_VOICES = ["+f2", "+m3", "+f5", "+m1"], ["+m7", "+f1", "+f4", ""]
PACES = [(190, 45), (180, 50), (175, 40), (165, 55), (155, 45), (200, 50)]  # words a minute, pitch
PAUSE_MS, TAIL_MS, NOISE = 750, 900, 0.0006
SHIFTS_MS = (0, 5, 11, 17, 23, 31, 37, 53)


def takes(number: int):
    """(agent voice, customer voice, speed, pitch) in the order they are tried; calls start at different voices."""
    voices = [(AGENT_VOICES[(number + k) % 4], CUSTOMER_VOICES[(number + k) % 4]) for k in range(4)]
    return [(a, c, *pace) for pace, (a, c) in itertools.product(PACES, voices)]


def perform(call: dict, take: tuple) -> tuple[np.ndarray, list[dict]]:
    """One call as float samples [2, n] and its lines with times in milliseconds."""
    agent, customer, speed, pitch = take
    now, placed = 0, []
    for line in call["lines"]:
        voice, height = (agent, pitch) if line["role"] == "agent" else (customer, pitch + 8)
        clip = speak(line["text"], voice, speed, height).astype(np.float32) / 32768
        start = int(line.get("at_ms", now))
        now = start + len(clip) * 1000 // PHONE_RATE + PAUSE_MS
        placed.append(({"role": line["role"], "start_ms": start, "end_ms": now - PAUSE_MS, "text": line["text"]}, clip))
    samples = np.zeros((2, (now - PAUSE_MS + TAIL_MS) * PHONE_RATE // 1000), np.float32)
    for line, clip in placed:
        at = line["start_ms"] * PHONE_RATE // 1000
        samples[int(line["role"] == "agent"), at : at + len(clip)] += clip * 0.6
    samples += np.random.default_rng(len(placed)).standard_normal(samples.shape).astype(np.float32) * NOISE
    return np.stack([g711(side, "mulaw") for side in samples]), [line for line, _ in placed]


def store(path: Path, value: dict) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False, indent=1) + "\n", "utf-8")


def sidecar(call: dict, ms: int) -> dict:
    """What the telephone said of the call, for `seatwatch score`; the day is any day."""
    offered = datetime(2026, 11, 2, 9, 0, 0)
    answered = offered + timedelta(microseconds=int(Decimal(call["ring_s"]) * 1_000_000))
    told = {"kind": "call", "id": call["id"], "agent": call["agent"], "seat": call["seat"]}
    told |= {"direction": call.get("direction", "in"), "offered_at": offered.isoformat()}
    told |= {"answered_at": answered.isoformat(), "ended_at": (answered + timedelta(milliseconds=ms)).isoformat()}
    told |= {"hung_up_by": call["hung_up_by"], "roles": ["customer", "agent"]}
    return told | ({"known_customer": call["known_customer"]} if "known_customer" in call else {})


def record(call: dict, number: int, model: Path, out: Path) -> str:
    """Write the first take that is heard exactly at every shift; say which, or that none was."""
    for count, take in enumerate(takes(number), 1):
        samples, lines = perform(call, take)
        path = out / f"{call['id']}.flac"
        write_flac(path, (samples * 32767).astype(np.int16), PHONE_RATE)
        audio = decode(path)
        if all(hears(model, audio, lines, shift_ms) for shift_ms in SHIFTS_MS):
            ms = samples.shape[1] * 1000 // PHONE_RATE
            store(out / f"{call['id']}.lines.json", {"lines": lines, "ms": ms})
            store(out / f"{call['id']}.json", sidecar(call, ms))
            return f"{call['id']}: take {count}, {samples.shape[1] / PHONE_RATE:.1f} s"
    raise SystemExit(f"{call['id']}: no take was heard exactly; train longer or change its lines")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=DEMO / "audio")
    parser.add_argument("--only", nargs="*", default=None, help="names of calls")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    for number, call in enumerate(read_yaml(DEMO / "calls.yaml").value):
        if call.get("lines") and (args.only is None or call["id"] in args.only):
            print(record(call, number, args.model, args.out), flush=True)


if __name__ == "__main__":
    main()
