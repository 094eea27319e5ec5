"""Train the fixture model from scratch on the clips of synth.py.

    python -m tests.fixture_model.train --data DIR --out DIR --steps 8000 --stop-after 6400
    F=DIR/weights_f16.npz
    python -m tests.fixture_model.train --data DIR --out A --start-from $F --fine mixed --steps 1500 --peak-rate 3e-4 \\
        --validate-every 150 --stop-after 1050
    python -m tests.fixture_model.train --data DIR --out B --start-from $F --fine alone --steps 1800 --peak-rate 6e-4 \\
        --stop-after 800

What the stages did after those steps brought no gain on the valid split and was not kept.
build_ct2.py takes the mean of the two second stages: it is surer of the demo's sentences than either.

A Whisper-shaped encoder-decoder (width 128, 2+2 layers) learns to write the phrases. Besides the usual token loss,
every encoder frame has to name the character being spoken (labels spread evenly over each clip). Without that
auxiliary loss the decoder learns the list of phrases by heart and never listens.

The schedule counts steps, never seconds, and all seeds are fixed. Early stopping looks at the valid split only.
Writes weights_f16.npz (best so far), train_log.jsonl and settings.json.
"""

import argparse
import json
import math
import random
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from faster_whisper.feature_extractor import FeatureExtractor
from torch import nn

from tests.fixture_model.build_ct2 import DECODER_POSITIONS, ENCODER_POSITIONS, FIXTURE_SHAPE, make_tokenizer, sinusoids
from tests.fixture_model.phrases import ALL
from tests.fixture_model.synth import MODEL_RATE, PHONE_RATE, g711, load_split, to_model_rate

WIDTH, HEADS, MELS = FIXTURE_SHAPE["width"], FIXTURE_SHAPE["heads"], FIXTURE_SHAPE["mels"]
ENCODER_RATE = 50  # encoder frames per second
IGNORE = -100

TOKENIZER, VOCABULARY, _ = make_tokenizer(ALL)
TOKEN_ID = {token: number for number, token in enumerate(VOCABULARY)}
END, START, CHINESE, TRANSCRIBE, NO_SPEECH, PREVIOUS, NO_TIMES, TIME_0 = (
    TOKEN_ID[token]
    for token in ("<|endoftext|>", "<|startoftranscript|>", "<|zh|>", "<|transcribe|>", "<|nospeech|>",
                  "<|startofprev|>", "<|notimestamps|>", "<|0.00|>")
)
PHRASE_TOKENS = [TOKENIZER.encode(text + "。", add_special_tokens=False).ids for text in ALL]
FRAME_CLASS = {token: number for number, token in enumerate(sorted({t for p in PHRASE_TOKENS for t in p}), 1)}
FRAME_CLASSES = len(FRAME_CLASS) + 1  # class 0: nobody speaks


@dataclass(frozen=True)
class WindowKind:
    """One shape of training window. Short ones are cheap; 30 s ones are what the decoder meets in use."""

    name: str
    seconds: int
    phrases: tuple[int, int]
    batch: int


KINDS = [
    WindowKind("one", 4, (1, 1), 16),
    WindowKind("few", 9, (1, 3), 7),
    WindowKind("window", 30, (1, 4), 3),
    WindowKind("packed", 30, (5, 9), 2),
    WindowKind("alone", 30, (1, 1), 4),
]
# (until this share of the steps, chance of each kind)
CURRICULUM = [(0.30, (0.75, 0.13, 0.12, 0.00, 0.00)), (0.65, (0.50, 0.20, 0.28, 0.02, 0.00)), (1.01, (0.40, 0.20, 0.36, 0.04, 0.00))]
FINE = {  # the second stage: single utterances, as the product feeds them
    "mixed": (0.45, 0.15, 0.40, 0.00, 0.00),
    "alone": (0.15, 0.10, 0.20, 0.00, 0.55),
}
NOISE_COLOURS = ([1.0], [0.5, 0.5], [1.0, -0.7], [0.3] * 6)


@dataclass
class Example:
    samples: np.ndarray       # 16 kHz, the whole window
    used: int                 # samples before the zero padding
    decoder_input: list[int]
    target: list[int]
    frame_target: np.ndarray
    offset: int               # encoder position of the first frame


class Windows:
    """Random telephone-band windows over the clips of one split."""

    def __init__(self, clips, seed: int):
        self.clips = clips
        self.rng = random.Random(seed)
        noise_rng = np.random.default_rng(seed)
        self.noise = [
            np.convolve(noise_rng.standard_normal(8 * PHONE_RATE), colour, "same").astype(np.float32)
            for colour in NOISE_COLOURS
        ]
        self.noise = [noise / noise.std() for noise in self.noise]

    def _audio(self, kind: WindowKind, silent: bool):
        """Phrases with pauses, noise at 12 to 45 dB, a random level, then G.711 over all of it."""
        rng, total = self.rng, kind.seconds * PHONE_RATE
        mix, spoken = np.zeros(total, np.float32), []
        position = int(rng.uniform(0, min(1.0, kind.seconds / 6)) * PHONE_RATE)
        for _ in range(0 if silent else rng.randint(*kind.phrases)):
            phrase, clip = rng.choice(self.clips)
            if position + len(clip) > total:
                break
            mix[position : position + len(clip)] += clip * 10 ** (rng.uniform(-3, 3) / 20)
            spoken.append((phrase, position / PHONE_RATE, (position + len(clip)) / PHONE_RATE))
            position += len(clip) + int(rng.choice([0.1, 0.25, 0.5, 0.8, rng.uniform(0.1, 2)]) * PHONE_RATE)
        last = spoken[-1][2] if spoken else kind.seconds * rng.random()
        end = total if rng.random() < 0.2 else int(min(kind.seconds, last + rng.uniform(0.1, 0.8)) * PHONE_RATE)
        end = max(end, PHONE_RATE // 2)
        loudness = math.sqrt(float(np.mean(mix[mix != 0] ** 2))) if spoken else 0.1
        colour = rng.choice(self.noise)
        noise = np.resize(np.roll(colour, rng.randrange(len(colour))), end)
        mix[:end] += noise * loudness * 10 ** (-rng.uniform(12, 45) / 20)
        mix[:end] = g711(mix[:end] * 10 ** (rng.uniform(-16, 0) / 20), rng.choice(["mulaw", "alaw"]))
        mix[end:] = 0
        return to_model_rate(mix), end * MODEL_RATE // PHONE_RATE, spoken

    def example(self, kind: WindowKind) -> Example:
        rng = self.rng
        samples, used, spoken = self._audio(kind, silent=rng.random() < 0.04)
        frames = kind.seconds * ENCODER_RATE
        # Short windows move to a random encoder position, so that late positions are trained cheaply too.
        offset = rng.randrange(ENCODER_POSITIONS - frames + 1) if rng.random() < 0.5 else 0
        frame_target = np.zeros(frames, np.int64)
        for phrase, start, end in spoken:
            characters = PHRASE_TOKENS[phrase][:-1]
            edges = np.linspace(start * ENCODER_RATE, end * ENCODER_RATE, len(characters) + 1).astype(int)
            for character, left, right in zip(characters, edges, edges[1:]):
                frame_target[left:right] = FRAME_CLASS[character]
        frame_target[used * ENCODER_RATE // MODEL_RATE + 1 :] = IGNORE

        if rng.random() < 0.5:
            body = [NO_TIMES] + [token for phrase, _, _ in spoken for token in PHRASE_TOKENS[phrase]]
        else:
            stamp = lambda seconds: TIME_0 + min(1500, offset + round(seconds * ENCODER_RATE))
            body = [t for p, a, b in spoken for t in (stamp(a), *PHRASE_TOKENS[p], stamp(b))] or [TIME_0]
        prompt = []
        if rng.random() < 0.25:
            prompt = [PREVIOUS] + [t for _ in range(rng.randint(1, 3)) for t in rng.choice(PHRASE_TOKENS)]
        decoder_input = prompt + [START, CHINESE, TRANSCRIBE] + body
        # The position of the start token predicts the language, or "no speech"; "transcribe" is always given.
        target = [IGNORE] * len(prompt) + [CHINESE if spoken else NO_SPEECH, IGNORE] + body + [END]
        return Example(samples, used, decoder_input, target, frame_target, offset)

    def batch(self, kind: WindowKind) -> list[Example]:
        return [self.example(kind) for _ in range(kind.batch)]


class LogMel:
    """faster-whisper's features for a batch: zero after the last used frame, as its padding does."""

    def __init__(self):
        self.filters = torch.tensor(FeatureExtractor(feature_size=MELS).mel_filters)
        self.window = torch.hann_window(400)

    def __call__(self, examples: list[Example]) -> torch.Tensor:
        audio = torch.from_numpy(np.stack([e.samples for e in examples]))
        frames = audio.shape[1] // 160
        spectrum = torch.stft(audio, 400, 160, window=self.window, return_complex=True)[..., :frames]
        mel = torch.log10((self.filters @ spectrum.abs().square()).clamp(min=1e-10))
        mel = (torch.maximum(mel, mel.amax((1, 2), keepdim=True) - 8) + 4) / 4
        used = torch.tensor([e.used // 160 for e in examples])
        return mel * (torch.arange(frames)[None] < used[:, None])[:, None]


def spec_augment(mel: torch.Tensor, rng: random.Random) -> None:
    """Blank up to two bands of 8 mels and two stretches of 80 ms per window, in place."""
    for item in mel:
        mean = item.mean()
        for _ in range(rng.randint(0, 2)):
            low = rng.randrange(MELS - 8)
            item[low : low + rng.randint(1, 8)] = mean
        for _ in range(rng.randint(0, 2)):
            left = rng.randrange(item.shape[1] - 8)
            item[:, left : left + rng.randint(1, 8)] = mean


class Attention(nn.Module):
    def __init__(self, cross: bool = False):
        super().__init__()
        self.cross = cross
        if cross:
            self.q, self.kv = nn.Linear(WIDTH, WIDTH), nn.Linear(WIDTH, 2 * WIDTH)
        else:
            self.qkv = nn.Linear(WIDTH, 3 * WIDTH)
        self.out = nn.Linear(WIDTH, WIDTH)

    def forward(self, x, memory=None, causal=False):
        q, k, v = (self.q(x), *self.kv(memory).chunk(2, -1)) if self.cross else self.qkv(x).chunk(3, -1)
        split = lambda t: t.view(len(x), -1, HEADS, WIDTH // HEADS).transpose(1, 2)
        mixed = F.scaled_dot_product_attention(split(q), split(k), split(v), is_causal=causal)
        return self.out(mixed.transpose(1, 2).reshape(x.shape))


class Block(nn.Module):
    def __init__(self, decoder: bool):
        super().__init__()
        self.decoder = decoder
        self.self_norm, self.self_attention = nn.LayerNorm(WIDTH), Attention()
        if decoder:
            self.cross_norm, self.cross_attention = nn.LayerNorm(WIDTH), Attention(cross=True)
        self.ffn_norm = nn.LayerNorm(WIDTH)
        self.ffn_in, self.ffn_out = nn.Linear(WIDTH, 4 * WIDTH), nn.Linear(4 * WIDTH, WIDTH)

    def forward(self, x, memory=None):
        x = x + self.self_attention(self.self_norm(x), causal=self.decoder)
        if self.decoder:
            x = x + self.cross_attention(self.cross_norm(x), memory)
        return x + self.ffn_out(F.gelu(self.ffn_in(self.ffn_norm(x))))


def conv_as_matmul(x, conv, stride):
    """A width-3 convolution over time as one matrix product: much cheaper backward on a CPU."""
    return F.linear(F.pad(x, (0, 0, 1, 1)).unfold(1, 3, stride).flatten(2), conv.weight.flatten(1), conv.bias)


class Model(nn.Module):
    """Whisper's architecture at toy size, plus a frame classifier that is not exported."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv1d(MELS, WIDTH, 3, padding=1)
        self.conv2 = nn.Conv1d(WIDTH, WIDTH, 3, stride=2, padding=1)
        self.register_buffer("encoder_positions", torch.tensor(sinusoids(ENCODER_POSITIONS, WIDTH)))
        self.encoder = nn.ModuleList(Block(False) for _ in range(FIXTURE_SHAPE["encoder_layers"]))
        self.encoder_norm = nn.LayerNorm(WIDTH)
        self.embedding = nn.Embedding(len(VOCABULARY), WIDTH)
        nn.init.normal_(self.embedding.weight, std=0.05)
        self.positions = nn.Parameter(torch.randn(DECODER_POSITIONS, WIDTH) * 0.02)
        self.decoder = nn.ModuleList(Block(True) for _ in range(FIXTURE_SHAPE["decoder_layers"]))
        self.decoder_norm = nn.LayerNorm(WIDTH)
        self.frame_classifier = nn.Linear(WIDTH, FRAME_CLASSES)

    def encode(self, mel, offsets):
        x = F.gelu(conv_as_matmul(mel.transpose(1, 2), self.conv1, 1))
        x = F.gelu(conv_as_matmul(x, self.conv2, 2))
        x = x + self.encoder_positions[offsets[:, None] + torch.arange(x.shape[1])[None]]
        for block in self.encoder:
            x = block(x)
        return self.encoder_norm(x)

    def decode(self, tokens, memory):
        x = self.embedding(tokens) + self.positions[: tokens.shape[1]]
        for block in self.decoder:
            x = block(x, memory)
        return self.decoder_norm(x) @ self.embedding.weight.t()


def collate(examples: list[Example]):
    longest = max(len(e.target) for e in examples)
    tokens, target = torch.full((len(examples), longest), END), torch.full((len(examples), longest), IGNORE)
    for row, example in enumerate(examples):
        tokens[row, : len(example.decoder_input)] = torch.tensor(example.decoder_input)
        target[row, : len(example.target)] = torch.tensor(example.target)
    frame_target = torch.from_numpy(np.stack([e.frame_target for e in examples]))
    return tokens, target, frame_target, torch.tensor([e.offset for e in examples])


@torch.no_grad()
def validate(model, log_mel, examples: list[Example]) -> float:
    """Share of windows whose every target token is the argmax under teacher forcing.

    Such a window also comes out right from greedy decoding. Times are left out: they need not be exact here.
    """
    right = 0
    for first in range(0, len(examples), 8):
        part = examples[first : first + 8]
        tokens, target, _, offsets = collate(part)
        guess = model.decode(tokens, model.encode(log_mel(part), offsets)).argmax(-1)
        right += int(((guess == target) | (target == IGNORE) | (target >= TIME_0)).all(1).sum())
    return right / len(examples)


def weight_names() -> list[tuple[str, str]]:
    """(name that build_ct2.py reads, name in the model) of every exported array."""
    names = [("decoder.embedding", "embedding.weight"), ("decoder.positions", "positions")]

    def put(target, source, norm=False):
        names.append((f"{target}.{'gain' if norm else 'weight'}", source + ".weight"))
        names.append((target + ".bias", source + ".bias"))

    put("encoder.conv1", "conv1")
    put("encoder.conv2", "conv2")
    for stack, count in (("encoder", FIXTURE_SHAPE["encoder_layers"]), ("decoder", FIXTURE_SHAPE["decoder_layers"])):
        put(f"{stack}.norm", f"{stack}_norm", norm=True)
        for number in range(count):
            name = f"{stack}.{number}."
            put(name + "self_qkv", name + "self_attention.qkv")
            put(name + "self_out", name + "self_attention.out")
            for layer in ("ffn_in", "ffn_out"):
                put(name + layer, name + layer)
            for layer in ("self_norm", "ffn_norm"):
                put(name + layer, name + layer, norm=True)
            if stack == "decoder":
                put(name + "cross_norm", name + "cross_norm", norm=True)
                for layer in ("q", "kv", "out"):
                    put(f"{name}cross_{layer}", f"{name}cross_attention.{layer}")
    return names


def export(model: Model, path: Path) -> None:
    """Store the weights as float16 under the names that build_ct2.py reads."""
    state = {name: value.detach().float().numpy() for name, value in model.state_dict().items()}
    np.savez(path, **{target: state[source].astype(np.float16) for target, source in weight_names()})


def restore(model: Model, path: Path) -> None:
    """Begin with exported weights; the frame classifier, which is not exported, begins anew."""
    with np.load(path) as data:
        known = {source: torch.from_numpy(data[target].astype(np.float32)) for target, source in weight_names()}
    model.load_state_dict(model.state_dict() | known)


def learning_rate(step: int, steps: int, peak: float) -> float:
    """100 steps of warm-up, then a cosine to 1 % of the peak."""
    return peak * min(1, (step + 1) / 100) * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * step / steps)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder written by synth.py")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=4000, help="length of the schedule")
    parser.add_argument("--start-from", type=Path, help="weights_f16.npz of an earlier run: a second, finer stage")
    parser.add_argument("--fine", choices=FINE, default="alone", help="the windows of a second stage")
    parser.add_argument("--stop-after", type=int, help="leave the schedule after this many steps (trial runs)")
    parser.add_argument("--peak-rate", type=float, default=2e-3)
    parser.add_argument("--validate-every", type=int, default=200)
    parser.add_argument("--patience", type=int, default=6, help="validations without a gain, after 60 %% of the steps")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    rng = random.Random(args.seed)
    settings = {key: str(value) if isinstance(value, Path) else value for key, value in vars(args).items()}
    settings |= {"kinds": [asdict(kind) for kind in KINDS], "curriculum": CURRICULUM}
    (args.out / "settings.json").write_text(json.dumps(settings, indent=1), encoding="utf-8")
    log = (args.out / "train_log.jsonl").open("w", encoding="utf-8")

    def report(**fields):
        log.write(json.dumps(fields) + "\n")
        log.flush()
        print(" ".join(f"{key}={value}" for key, value in fields.items()), flush=True)

    train = Windows(load_split(args.data, "train"), args.seed)
    valid = Windows(load_split(args.data, "valid"), args.seed + 100)
    one_phrase = WindowKind("one in 30 s", 30, (1, 1), 96)
    checks = {"valid_one": valid.batch(one_phrase), "valid_window": valid.batch(WindowKind("", 30, (2, 4), 32))}
    log_mel, model = LogMel(), Model()
    if args.start_from:
        restore(model, args.start_from)
    optimiser = torch.optim.AdamW(model.parameters(), lr=args.peak_rate, betas=(0.9, 0.98), weight_decay=0.01)
    recent = {kind.name: [] for kind in KINDS}
    best, stale, started = -1.0, 0, time.monotonic()
    for step in range(min(args.steps, args.stop_after or args.steps)):
        share = step / args.steps
        for group in optimiser.param_groups:
            group["lr"] = learning_rate(step, args.steps, args.peak_rate)
        weights = FINE[args.fine] if args.start_from else next(chances for until, chances in CURRICULUM if share < until)
        kind = rng.choices(KINDS, weights)[0]
        examples = train.batch(kind)
        tokens, target, frame_target, offsets = collate(examples)
        mel = log_mel(examples)
        spec_augment(mel, rng)
        memory = model.encode(mel, offsets)
        token_loss = F.cross_entropy(model.decode(tokens, memory).flatten(0, 1), target.flatten(), ignore_index=IGNORE)
        frame_loss = F.cross_entropy(
            model.frame_classifier(memory).flatten(0, 1), frame_target.flatten(), ignore_index=IGNORE
        )
        loss = token_loss + (2.0 if share < 0.4 else 1.0) * frame_loss
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()

        recent[kind.name] = recent[kind.name][-29:] + [(token_loss.item(), frame_loss.item())]
        done = step + 1
        if done % 50 == 0:
            losses = {name: [round(float(x), 3) for x in np.mean(v, axis=0)] for name, v in recent.items() if v}
            report(step=done, seconds=round(time.monotonic() - started), token_and_frame_loss=losses)
        if done % args.validate_every == 0:
            scores = {name: round(validate(model, log_mel, examples), 3) for name, examples in checks.items()}
            score = scores["valid_one"] + 0.1 * scores["valid_window"]  # the product feeds single utterances
            report(step=done, **scores)
            stale = 0 if score > best else stale + 1
            if score >= best:  # of equals the later, which has seen more
                best = score
                export(model, args.out / "weights_f16.npz")
            if share > 0.6 and stale >= args.patience:
                report(step=done, stopped="no gain on the valid split")
                break
    if best < 0:
        export(model, args.out / "weights_f16.npz")


if __name__ == "__main__":
    main()
