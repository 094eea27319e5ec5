"""What is asked at first set-up, step by step: names, how an answer is read, what is offered. It asks nobody itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from ingest.rings import CADENCES
from qa.setup import checks
from scoring.load import shipped_names

Kind = Literal["text", "secret", "choice", "number", "day", "switch", "seats", "names", "people", "paragraph"]
Step = Literal["site", "rules", "model", "pbx", "people", "recording", "sources"]


@dataclass(frozen=True, slots=True)
class Question:
    """One question; ``label`` and ``hint`` are the terminal's, the screens have their own words by ``name``."""

    name: str
    step: Step
    label: str
    read: Callable[[Any], Any]
    kind: Kind = "text"
    need: bool = False
    hint: str = ""
    choices: tuple[str, ...] = ()


QUESTIONS: tuple[Question, ...] = (
    Question("site", "site", "Short name of the site", checks.site, need=True),
    Question("timezone", "site", "Time zone of its days and months", checks.zone, need=True),
    Question("language", "site", "Language of the calls", checks.language, "choice", True, choices=("zh", "ko")),
    Question("start_day", "site", "First day whose calls are heard and scored", checks.day, "day", True),
    Question(
        "pack", "rules", "Regulation that scores", checks.pack, "choice", True, choices=shipped_names(),
        hint="a shipped name, or the folder of one",
    ),
    Question(
        "cadence", "rules", "How phones ring in this country", checks.cadence, "choice", True, choices=tuple(CADENCES)
    ),
    Question(
        "ring_policy", "rules", "How «within N rings» is read", checks.policy, "choice", choices=checks.POLICIES,
        hint="next_onset: before ring N+1 begins; onset: before ring N begins; burst_end: until ring N has sounded",
    ),
    Question(
        "model", "model", "Folder of the speech model", checks.model,
        hint="a faster-whisper model; empty: none yet, calls are kept and not heard",
    ),
    Question("pbx.host", "pbx", "Address of the Asterisk", checks.host, hint="empty: no Asterisk here"),
    Question("pbx.name", "pbx", "Short name of this switchboard", checks.name, hint="its calls' names begin with it"),
    Question("pbx.ami_port", "pbx", "Port of its manager interface", checks.port, "number"),
    Question("pbx.ami_tls", "pbx", "Does that port speak TLS", checks.switch, "switch"),
    Question("pbx.ami_user", "pbx", "User of manager.conf", checks.text, need=True),
    Question("pbx.ami_secret", "pbx", "Its secret", checks.secret, "secret", True),
    Question(
        "pbx.ari_url", "pbx", "Address of its REST interface", checks.url,
        hint="like http://127.0.0.1:8088; empty: no audio is tapped",
    ),
    Question("pbx.ari_user", "pbx", "User of ari.conf", checks.text),
    Question("pbx.ari_secret", "pbx", "Its password", checks.secret, "secret"),
    Question(
        "pbx.media_host", "pbx", "This machine's address as the Asterisk sees it", checks.host,
        hint="empty: the address that ingest listens on",
    ),
    Question(
        "pbx.seats", "pbx", "Extension = seat", checks.seats, "seats",
        hint="1001=S01, 1002=S02; empty: extensions are the seats",
    ),
    Question(
        "people", "people", "Table of people (CSV)", checks.text, "people",
        hint="`seatwatch init --template people.csv` writes an empty one; empty: nobody now",
    ),
    Question(
        "announcement", "recording", "What callers are told about the recording", checks.paragraph, "paragraph", True,
        hint="the words as they are announced, or where they are written down",
    ),
    Question("retention_days", "recording", "Days that recordings are kept", checks.days, "number", True),
    Question(
        "sources", "sources", "Other systems that will send", checks.names, "names",
        hint="short names; each gets a key of its own; empty: none",
    ),
)  # fmt: skip
BY_NAME: Mapping[str, Question] = {one.name: one for one in QUESTIONS}
STEPS: tuple[Step, ...] = ("site", "rules", "model", "pbx", "people", "recording", "sources")

# A time zone tells the country, and with it how phones ring and what is spoken.
BY_ZONE: Mapping[str, tuple[str, str]] = {
    "Asia/Shanghai": ("cn", "zh"),
    "Asia/Seoul": ("kr", "ko"), "Asia/Pyongyang": ("kr", "ko"), "Asia/Taipei": ("tw", "zh"), "Asia/Tokyo": ("jp", "zh"),
    "Europe/London": ("uk", "zh"), "Europe/Berlin": ("de", "zh"), "Europe/Paris": ("fr", "zh"),
    "Europe/Madrid": ("es", "zh"), "Europe/Rome": ("it", "zh"), "Europe/Amsterdam": ("nl", "zh"),
    "Europe/Moscow": ("ru", "zh"), "America/Sao_Paulo": ("br", "zh"), "America/New_York": ("us", "zh"),
    "America/Chicago": ("us", "zh"), "America/Denver": ("us", "zh"), "America/Los_Angeles": ("us", "zh"),
}  # fmt: skip
USUAL: Mapping[str, Any] = {
    "site": "main", "timezone": "Asia/Shanghai", "pack": "bes", "pbx.name": "main", "pbx.ami_port": 5038,
    "pbx.ami_tls": False, "pbx.ami_user": "seatwatch",
}  # fmt: skip


def of_step(step: Step) -> list[Question]:
    return [one for one in QUESTIONS if one.step == step]


def offered(name: str, given: Mapping[str, Any], stands: Mapping[str, Any], today: Any) -> Any:
    """What an empty answer means: what stands in the settings, else what is usual after the answers so far."""
    if name in stands:
        return stands[name]
    match name:
        case "cadence" | "language":
            known = BY_ZONE.get(str(given.get("timezone")), ("cn", "zh"))
            return known[0] if name == "cadence" else known[1]
        case "start_day":
            return today
        case "ring_policy":
            modes = checks.counting(checks.opened(given["pack"])) if "pack" in given else {}
            return next(iter(modes.values()), None)
    return USUAL.get(name)


def asked(question: Question, given: Mapping[str, Any]) -> bool:
    """Whether it is to be asked at all, after the answers so far."""
    if question.name == "ring_policy" and given.get("pack"):
        return bool(checks.counting(checks.opened(given["pack"])))
    if question.step == "pbx" and question.name != "pbx.host":
        if not given.get("pbx.host"):
            return False
        return question.name not in ("pbx.ari_user", "pbx.ari_secret", "pbx.media_host") or bool(
            given.get("pbx.ari_url")
        )
    return True
