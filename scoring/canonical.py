"""One way to write a value: canonical JSON and decimals without noise. It knows no facts, packs or scorecards."""

from __future__ import annotations

import json
from decimal import Decimal
from hashlib import sha256


def canonical(value: object) -> bytes:
    """Sorted keys, no spaces, UTF-8; the same bytes for every hash seed, locale and time zone."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def digest(data: bytes) -> str:
    return sha256(data).hexdigest()


def decimal_text(value: Decimal) -> str:
    """The shortest plain spelling: ``-0.5``, ``0``, ``100``; never an exponent, never minus zero."""
    text = format(value, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text
