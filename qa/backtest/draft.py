"""What somebody would like to change: a pack's folder, an overlay's file, phrase lists. Read strictly, sent to workers.

A draft travels as plain values, so that any process can make the same pack, overlay or matcher from it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

from qa.phrases import matcher_of
from qa.runs import overlay_of, pack_of
from qa.store.packs import Pack as Body
from scoring import overlay as overlays
from scoring.canonical import canonical, digest
from scoring.errors import PackError
from scoring.load import load_lexicons, load_overlay, load_pack, read_yaml
from scoring.overlay import Overlay
from scoring.pack import Pack
from scoring.period.program import program
from speech.lexicon import lexicons
from speech.phrases import Matcher


@dataclass(frozen=True, slots=True)
class Draft:
    """``body``: the canonical form of the pack's files, of the overlay, or of all phrase lists with the draft's own."""

    kind: Literal["pack", "overlay", "lexicon"]
    name: str
    version: str | None
    sha: str
    body: bytes

    def told(self) -> dict[str, Any]:
        return {"kind": self.kind, "name": self.name, "version": self.version, "sha": self.sha}

    def pack(self) -> Pack | None:
        return pack_of(self.body) if self.kind == "pack" else None

    def overlay(self) -> Overlay | None:
        return overlay_of(self.body) if self.kind == "overlay" else None

    def matcher(self, line: Literal["voice", "chat"] = "voice") -> Matcher | None:
        return _matcher(self.body, line) if self.kind == "lexicon" else None


@cache
def _matcher(body: bytes, line: str) -> Matcher:
    trees = json.loads(body)
    return matcher_of(trees) if line == "voice" else Matcher(lexicons(trees), line)


def read_draft(place: Path, packs: Sequence[Pack]) -> Draft:
    """A draft from its place; PackError names every fault. ``packs``: what an overlay may speak of."""
    if place.is_dir():
        return _pack(place) if (place / "pack.yaml").is_file() else _lexicons(place, sorted(place.glob("*.yaml")))
    there(place)
    tree = read_yaml(place).value
    if isinstance(tree, dict) and "category" in tree and "entries" in tree:
        return _lexicons(place, [place])
    overlay = load_overlay(place, packs)
    return Draft("overlay", place.name, None, overlay.sha, overlays.dump(overlay))


def there(place: Path) -> None:
    """Refuses a place where nothing is."""
    if not place.exists():
        raise PackError([f"{place}: there is nothing there; give a pack's folder, an overlay's file or phrase lists"])


def _pack(folder: Path) -> Draft:
    pack = load_pack(folder)
    program(pack)
    return Draft("pack", pack.id, pack.version, pack.sha, canonical(dict(pack.files)))


def _lexicons(place: Path, files: Sequence[Path]) -> Draft:
    """The shipped lists with the draft's in place of those of the same category, or beside them."""
    if not files:
        raise PackError([f"{place}: holds neither pack.yaml nor phrase lists; give a folder that has one of them"])
    own = [_list(path) for path in files]
    by_category = {str(one.get("category")): one for one in (*load_lexicons(), *own)}
    body = canonical(list(by_category.values()))
    names = ", ".join(sorted(str(one["category"]) for one in own))
    _matcher(body, "voice")
    return Draft("lexicon", names, None, digest(body), body)


def _list(path: Path) -> dict[str, Any]:
    tree = read_yaml(path).value
    if not isinstance(tree, dict) or "category" not in tree:
        raise PackError([f"{path}: this is no phrase list; give the folder of a pack (pack.yaml) or of phrase lists"])
    return tree


def from_stored(body: Body) -> Draft:
    """A pack that is kept at the site as a draft, to say what it does."""
    return Draft("pack", body.id, body.version, body.sha, body.body)
