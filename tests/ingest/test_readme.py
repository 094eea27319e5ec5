"""The pages of ingest say what the code does: every type, code, cause, limit and module is named."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ingest import errors, stream
from ingest.body import MOST_EVENTS
from ingest.events import KINDS
from ingest.shell.faults import POINTS
from ingest.streamleg import _NEXT as STREAM_NEXT
from ingest.streamleg import LegState

ROOT = Path(errors.__file__).parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
MODULES = sorted(path.name for path in ROOT.glob("*.py") if path.name != "__init__.py")
CODES = (stream.PROTOCOL, stream.TOKEN, stream.TIMEOUT, stream.FENCED, stream.OVER, stream.BUSY, 1000, 1001, 1009)


@pytest.mark.parametrize("kind", KINDS)
def test_every_event_type_is_described(kind: str) -> None:
    assert re.search(rf"^\|.*`{kind}`", README, re.MULTILINE)


@pytest.mark.parametrize("code", CODES)
def test_every_close_code_is_described(code: int) -> None:
    assert f"| {code} |" in README


@pytest.mark.parametrize("word", [*stream.GAP_CAUSES, *POINTS, *map(str, stream.RATES), f"{MOST_EVENTS:,}"])
def test_every_cause_point_and_limit_is_named(word: str) -> None:
    assert word in README


@pytest.mark.parametrize("module", MODULES)
def test_every_module_is_named(module: str) -> None:
    assert f"{module}" in README


def test_the_error_tree_is_drawn_from_the_classes() -> None:
    known = {name for name, one in vars(errors).items() if isinstance(one, type) and issubclass(one, Exception)}
    drawn = set(re.findall(r"([A-Z]\w+)(?=\s{2,}|$)", errors.__doc__ or "", re.MULTILINE))

    assert known <= drawn


def test_every_state_of_a_stream_leg_can_be_reached_and_left() -> None:
    reached = {LegState.FRESH, *STREAM_NEXT.values()}
    left = {state for state, _ in STREAM_NEXT}

    assert reached == left == set(LegState)
