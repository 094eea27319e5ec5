"""What a site has decided, as values: its pack, overlay and phrases, loaded once. Decides nothing about a call."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from zoneinfo import ZoneInfo

from qa.facts import SiteView
from qa.settings import Settings
from scoring.load import load_overlay, load_pack, shipped
from scoring.overlay import Overlay
from scoring.pack import Pack
from speech.phrases import Matcher

DEMO = "demo"


@dataclass(frozen=True, slots=True)
class SiteRules:
    """Everything that turns facts of this site into scores."""

    id: str
    zone: ZoneInfo
    pack: Pack
    overlay: Overlay
    matcher: Matcher
    view: SiteView
    language: str


@cache
def matcher() -> Matcher:
    """The shipped phrases, compiled; the lexicons' own sentences are tried first."""
    from qa.phrases import shipped_matcher

    return shipped_matcher()


@cache
def chat_matcher() -> Matcher:
    """The same phrases with those of written chats beside them."""
    from qa import phrases

    return phrases.chat_matcher()


def pack_folder(name: str) -> Path:
    """A shipped regulation by name, or a folder."""
    folder = Path(name)
    return folder if folder.is_dir() else shipped(name)


def rules(settings: Settings, site: str | None = None) -> SiteRules:
    """The rules of a site; the demo site brings its own overlay, visibly trusting its text rules."""
    site = site or settings.site
    demo = site == DEMO
    pack = load_pack(shipped("bes") if demo else pack_folder(settings.pack))
    overlay = load_overlay(demo_overlay() if demo else settings.overlay, [pack])
    view = SiteView(cadence=settings.rhythm, leave_connected=demo)
    return SiteRules(site, settings.zone, pack, overlay, matcher(), view, settings.language)


def demo_overlay() -> Path:
    return Path(str(files("qa.demo") / "overlay.yaml"))


def arriving_kinds(site: str) -> frozenset[str]:
    """Kinds of facts that arrive at a site: telephony and presence; the demo's empty leave register is connected."""
    return frozenset({"call", "seat_status"} | ({"leave"} if site == DEMO else set()))
