"""One answer at a time, from text or from a TOML value to what the settings hold; Wrong says why not. Pure, but for
packs and model folders, which are looked into."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ingest.rings import CADENCES
from qa.setup.faults import Wrong
from scoring.errors import PackError
from scoring.load import load_pack, shipped, shipped_names
from scoring.pack import Pack

POLICIES = ("next_onset", "onset", "burst_end")
MOST_TEXT = 2000
MOST_SEATS = 2000
_SITE = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,31}")
_HOST = re.compile(r"[A-Za-z0-9._:-]{1,253}")
_YES, _NO = ("yes", "y", "true", "1"), ("no", "n", "false", "0")


def text(raw: Any) -> str:
    """One line."""
    value = str(raw).strip()
    if "\n" in value or "\r" in value:
        raise Wrong("one_line")
    if len(value) > MOST_TEXT:
        raise Wrong("long", length=len(value), most=MOST_TEXT)
    return value


def paragraph(raw: Any) -> str:
    """As many lines as it needs."""
    value = "\n".join(line.rstrip() for line in str(raw).strip().splitlines())
    if len(value) > MOST_TEXT:
        raise Wrong("long", length=len(value), most=MOST_TEXT)
    return value


def secret(raw: Any) -> str:
    """As it is: blanks may belong to it."""
    value = str(raw)
    if "\n" in value or "\r" in value:
        raise Wrong("one_line")
    return value


def site(raw: Any) -> str:
    value = text(raw)
    if not _SITE.fullmatch(value):
        raise Wrong("site", value=value)
    if value == "demo":
        raise Wrong("demo")
    return value


def name(raw: Any) -> str:
    value = text(raw)
    if not _NAME.fullmatch(value):
        raise Wrong("name", value=value)
    return value


def zone(raw: Any) -> str:
    value = text(raw)
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise Wrong("zone", value=value) from None
    return value


def chosen(raw: Any, known: tuple[str, ...]) -> str:
    value = text(raw)
    if value not in known:
        raise Wrong("choice", value=value, known=", ".join(known))
    return value


def language(raw: Any) -> str:
    return chosen(raw, ("zh", "ko"))


def policy(raw: Any) -> str:
    return chosen(raw, POLICIES)


def cadence(raw: Any) -> str:
    """A country's; the site's own ones are added by whoever knows them."""
    return chosen(raw, tuple(CADENCES))


def pack(raw: Any) -> str:
    value = text(raw)
    opened(value)
    return value


def opened(value: str) -> Pack:
    """The regulation of that name or in that folder."""
    folder = Path(value).expanduser()
    try:
        return load_pack(folder) if folder.is_dir() else _shipped(value)
    except PackError as error:
        if folder.is_dir():
            raise Wrong("pack_broken", value=value, why=error.faults[0]) from None
        raise Wrong("pack", value=value, known=", ".join(shipped_names())) from None


@cache
def _shipped(name: str) -> Pack:
    return load_pack(shipped(name))


def counting(found: Pack) -> dict[str, str]:
    """The rules of a regulation that read «within N rings», each with the reading that it has by itself."""
    modes = {id: rule.choices().get("mode") for id, rule in found.rules.items()}
    return {id: one.default for id, one in modes.items() if one is not None and set(one.of) == set(POLICIES)}


def model(raw: Any) -> str:
    from speech.errors import ModelError
    from speech.whisper import check_folder

    value = text(raw)
    if value == "fixture":
        return value
    try:
        check_folder(Path(value).expanduser())
    except ModelError as error:
        raise Wrong("model", value=value, why=str(error)) from None
    return value


def day(raw: Any) -> date:
    if isinstance(raw, date) and not isinstance(raw, datetime):
        return raw
    try:
        return date.fromisoformat(text(raw))
    except ValueError:
        raise Wrong("day", value=str(raw)) from None


def number(raw: Any, least: int, most: int) -> int:
    try:
        value = int(str(raw).strip())
    except ValueError:
        value = least - 1
    if isinstance(raw, bool) or not least <= value <= most:
        raise Wrong("number", value=str(raw), least=least, most=most)
    return value


def port(raw: Any) -> int:
    return number(raw, 1, 65535)


def days(raw: Any) -> int:
    return number(raw, 1, 36500)


def switch(raw: Any) -> bool:
    value = str(raw).strip().lower()
    if value not in (*_YES, *_NO):
        raise Wrong("switch", value=str(raw))
    return value in _YES


def host(raw: Any) -> str:
    value = text(raw)
    if not _HOST.fullmatch(value):
        raise Wrong("host", value=value)
    return value


def url(raw: Any) -> str:
    value = text(raw).rstrip("/")
    try:
        parts = urlsplit(value)
        fits = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        fits = False
    if not fits or parts.query or parts.fragment or parts.username:
        raise Wrong("url", value=value)
    return value


def seats(raw: Any) -> dict[str, str]:
    """``1001=S01, 1002=S02``, one a line or with commas between, or a TOML table."""
    if isinstance(raw, Mapping):
        pairs = [(str(key).strip(), str(value).strip()) for key, value in raw.items()]
    else:
        pieces = [one.strip() for one in re.split(r"[,;\n，；]", str(raw)) if one.strip()]
        pairs = [_pair(one) for one in pieces]
    found: dict[str, str] = {}
    for extension, seat in pairs:
        if not extension or not seat or len(extension) > 80 or len(seat) > 80:
            raise Wrong("pair", value=f"{extension}={seat}"[:80])
        if extension in found:
            raise Wrong("twice", value=extension)
        found[extension] = seat
    if len(found) > MOST_SEATS:
        raise Wrong("long", length=len(found), most=MOST_SEATS)
    return found


def _pair(piece: str) -> tuple[str, str]:
    extension, equals, seat = piece.partition("=")
    if not equals:
        raise Wrong("pair", value=piece[:80])
    return extension.strip(), seat.strip()


def names(raw: Any) -> tuple[str, ...]:
    """Names with commas or blanks between, or a TOML list."""
    pieces = [str(one) for one in raw] if isinstance(raw, list | tuple) else re.split(r"[\s,;，；]+", str(raw))
    found = [name(one) for one in pieces if one.strip()]
    if twice := sorted({one for one in found if found.count(one) > 1}):
        raise Wrong("twice", value=twice[0])
    return tuple(found)
