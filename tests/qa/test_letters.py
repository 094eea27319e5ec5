"""Errors become letters: lines for the person at the command line, and the exit code; a defect keeps its traceback."""

from __future__ import annotations

import errno
import os

import pytest

from ingest.errors import ClientError, OpenToAll, PortTaken, SpoolLocked
from qa.letters import letters
from qa.record import RecordError
from qa.score import Usage
from qa.services import NoModel
from qa.settings import SettingsError
from qa.store.errors import NotFound, ServerTooOld, StoreAway
from qa.web.guard import NotLoopback
from qa.web.listen import CannotListen
from scoring.errors import FactsError, PackError
from speech.errors import AudioError, LexiconError, ModelError, RecogniserLate


@pytest.mark.parametrize(
    ("error", "lines", "code"),
    [
        (SettingsError(["a: x", "b: y"]), ["a: x", "b: y"], 2),
        (RecordError(["a: x"]), ["a: x"], 2),
        (Usage("--day x: no"), ["--day x: no"], 2),
        (PackError(["file:1: a", "file:2: b"]), ["file:1: a", "file:2: b"], 2),
        (LexiconError(["list: a"]), ["list: a"], 2),
        (ModelError("the folder is empty; copy it again"), ["the folder is empty; copy it again"], 2),
        (AudioError("x.wav", "is empty", "copy it"), ["x.wav: is empty; copy it"], 1),
        (RecogniserLate("too late"), ["too late"], 1),
        (FactsError("facts", "x", "y"), ["facts: x; y"], 1),
        (NotFound("call c1: there is none"), ["call c1: there is none"], 1),
        (ServerTooOld("16 < 17"), ["16 < 17"], 2),
        (StoreAway("database: gone"), ["database: gone"], 2),
        (PortTaken("port 9093: taken"), ["port 9093: taken"], 2),
        (SpoolLocked("spool: another writes"), ["spool: another writes"], 2),
        (OpenToAll("host 0.0.0.0: no key"), ["host 0.0.0.0: no key"], 2),
        (NotLoopback("web: no login"), ["web: no login"], 2),
        (CannotListen("web: port 1: taken"), ["web: port 1: taken"], 2),
        (ClientError("http://x: no answer"), ["http://x: no answer"], 1),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_each_error_has_its_lines_and_its_code(error: Exception, lines: list[str], code: int) -> None:
    assert letters(error) == (lines, code)


def test_a_missing_model_says_how_to_get_one() -> None:
    lines, code = letters(NoModel())

    assert code == 2
    assert lines is not None
    assert any("hf download" in line for line in lines)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EADDRINUSE, errno.EACCES, errno.ENOTDIR])
def test_what_the_system_says_names_the_place_and_what_to_do(number: int) -> None:
    lines, code = letters(OSError(number, os.strerror(number), "/some/place"))

    assert code == 2
    assert lines is not None
    assert lines[0].startswith("/some/place: ")
    assert ";" in lines[0]


def test_a_defect_of_ours_keeps_its_traceback() -> None:
    assert letters(KeyError("x")) == (None, 1)
    assert letters(RuntimeError("x")) == (None, 1)
