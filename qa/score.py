"""Scores recordings from the command line: one object a recording, with its sidecar's facts where there is one.

Needs no database and writes none. A recording that cannot be scored becomes an object with `error`; the others go on.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

from qa.facts import SiteView, begun, call_facts
from qa.heard import from_record, from_transcript
from qa.paths import no_file
from qa.record import CallRecord, RecordError, read_record
from qa.report import scored
from qa.ringing import cross_checked
from qa.services import model_folder, recogniser
from qa.settings import Settings, load_settings
from qa.site import matcher, pack_folder
from qa.spot import Spot, beside, spot_of
from scoring.engine import score
from scoring.load import load_overlay, load_pack
from scoring.overlay import Overlay
from scoring.pack import Pack
from scoring.scorecard import to_json
from speech.errors import AudioError, RecogniserError
from speech.pool import Recogniser

SOUNDS = frozenset(
    (
        "aac",
        "al",
        "alaw",
        "flac",
        "gsm",
        "m4a",
        "mp3",
        "mu",
        "oga",
        "ogg",
        "opus",
        "raw",
        "sln",
        "ul",
        "ulaw",
        "wav",
        "webm",
    )
)
# Of our own recordings, and of any stereo file whose sidecar does not say otherwise.
LAYOUT = ("customer", "agent")
Step = Callable[[int, int, str], None]
Print = Callable[[dict[str, Any]], None]


class Usage(Exception):
    """A wrong argument; each fault is one line."""

    def __init__(self, *faults: str) -> None:
        super().__init__("\n".join(faults))
        self.faults = list(faults)


@dataclass(frozen=True, slots=True)
class Options:
    """What a run of `score` is told, checked."""

    settings: Settings
    pack: Pack
    overlay: Overlay
    model: Path
    language: str
    day: date | None

    @classmethod
    def read(
        cls, pack: str | None, overlay: Path | None, model: str | None, language: str | None, day: str | None
    ) -> Options:
        if language not in (None, "zh", "ko"):
            raise Usage(f"--lang {language}: not a language we score; use zh or ko")
        settings = load_settings(pack=pack, overlay=overlay, model=model, language=language)
        chosen = load_pack(pack_folder(settings.pack))
        folder = model_folder(settings.model)
        from speech.whisper import check_folder

        check_folder(folder)
        decided = load_overlay(settings.overlay, [chosen])
        return cls(settings, chosen, decided, folder, settings.language, _day(day))


def _day(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise Usage(f"--day {text}: not a day; write it like 2026-03-01") from None


def recordings(paths: Sequence[Path]) -> Iterator[Path]:
    """The recordings meant: files as named, folders by what sounds in them."""
    for path in paths:
        if path.is_dir():
            found = sorted(one for one in path.rglob("*") if one.suffix[1:].lower() in SOUNDS)
            if not found:
                raise Usage(f"{path}: no recording in this folder; known endings are {', '.join(sorted(SOUNDS))}")
            yield from found
        else:
            yield path


def one_file(paths: Sequence[Path]) -> None:
    """Refuse a single path that is not there: nothing else is to be done, so it is a slip and no failed work."""
    if len(paths) == 1 and not paths[0].is_dir() and (wrong := no_file(paths[0], "give a recording, or a folder")):
        raise Usage(wrong)


def score_paths(paths: Sequence[Path], options: Options, show: Print, step: Step) -> int:
    """Score all; how many could not be."""
    wanted = list(recordings(paths))
    failed = 0
    with recogniser(options.settings, options.model, niceness=0) as listening:
        for done, path in enumerate(wanted):
            step(done, len(wanted), path.name)
            result = _score(path, options, listening)
            failed += "error" in result
            show(result)
        step(len(wanted), len(wanted), "")
    return failed


def _score(path: Path, options: Options, listening: Recogniser) -> dict[str, Any]:
    try:
        return score_file(path, options, listening)
    except (AudioError, RecordError, RecogniserError) as error:
        return {"call": path.stem, "error": str(error)}


def sidecar(path: Path, options: Options) -> CallRecord:
    """The record beside a recording; without one nothing is known."""
    beside = path.with_suffix(".json")
    if not beside.is_file():
        return CallRecord(kind="call")
    try:
        raw = json.loads(beside.read_text(encoding="utf-8"), object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:  # no JSON, no text, or nested without end
        raise RecordError([f"{beside.name}: {error}; write a JSON object of the record kind `call`"]) from None
    return read_record(beside.name, raw, options.settings.zone)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object whose every name stands once: of two values nobody can say which was meant."""
    names = [name for name, _ in pairs]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"{twice[0]!r} stands twice")
    return dict(pairs)


def score_file(path: Path, options: Options, listening: Recogniser) -> dict[str, Any]:
    """One recording, heard and scored. Raises AudioError, RecordError, RecogniserError."""
    if not path.is_file():
        raise AudioError(str(path), "there is no such file", "give the path of a recording")
    record = sidecar(path, options)
    warnings: list[str] = []
    spot = Spot()
    if record.turns is not None:
        heard = from_record(record, matcher())
    else:
        transcript = listening.hear(path, record.language or options.language, roles=record.roles or LAYOUT)
        spot = spot_of(path, record, transcript.duration_ms, options.settings.rhythm)
        warnings += spot.warnings
        heard = from_transcript(transcript, matcher(), spot.answer_ms, spot.gaps(transcript.roles))
        if heard.channels == "mixed":
            warnings.append("one channel holds both parties: nobody can say who spoke; give two channels, or `roles`")
        elif record.roles is None:
            warnings.append("no `roles` in a sidecar: channel 0 is taken for the customer, 1 for the agent")
    if record.channels is not None:
        heard = replace(heard, channels=record.channels)
    facts = call_facts(record.id or path.stem, record, heard, SiteView(options.settings.rhythm))
    facts = cross_checked(facts, record, spot.rings, spot.answer_ms, spot.begins_at)
    at = begun(record)
    day = options.day or (at.astimezone(options.settings.zone).date() if at else None)
    card = score(options.pack, options.overlay, facts, day)
    if heard.text == "synthetic":
        warnings.append(
            "heard by the bundled test model, which knows the demo's calls only: no rule that needs text is decided"
        )
    return scored(record.id or path.stem, facts, to_json(card), warnings, beside(record, spot))
