"""Looks at this machine (model, folders, ports, database, certificate, watched folder) and says what to do.

`seatwatch doctor`, `seatwatch init` and the page of first set-up look with the same eyes. Other machines are asked by
``lines.py``.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import ssl
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from qa.private import OTHERS
from qa.services import NoModel, model_folder, opened_store, recogniser
from qa.settings import Settings, settings_file
from qa.store.errors import StoreError
from speech.errors import ModelError, SpeechError
from speech.whisper import check_folder

LOW_DISK = 2 * 1024**3
SOON = timedelta(days=21)  # a certificate that ends within it is to be renewed now
LOAD_SECONDS = 120.0
SECRETS = ("database_url", "source_key", "keys", "secret", "ami_secret", "ari_secret")  # of the settings file


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at. ``advice`` is empty where all is well; ``fatal`` where it does not work without it.

    ``check``, ``seen`` (with its values) and ``code`` name the look, what was found and the advice for the screens,
    which say them in the reader's language.
    """

    what: str
    found: str
    advice: str = ""
    fatal: bool = False
    check: str = ""
    code: str = ""
    seen: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)

    @property
    def bad(self) -> bool:
        return self.fatal and bool(self.advice)

    @property
    def mark(self) -> str:
        return "ok " if not self.advice else "!! " if self.fatal else "?  "

    def as_text(self) -> str:
        return f"{self.mark}{self.what}: {self.found}" + (f"; {self.advice}" if self.advice else "")

    def as_dict(self) -> dict[str, Any]:
        return {"what": self.what, "found": self.found, "advice": self.advice or None}


# --- speech model


def model(settings: Settings) -> Iterator[Finding]:
    """Whether its files are there."""
    try:
        folder = model_folder(settings.model)
        card = check_folder(folder)
    except NoModel as error:
        yield Finding("speech model", "none", " ".join(error.faults[:2]), False, "model", "model_none", "none")
    except ModelError as error:
        yield Finding("speech model", "does not load", str(error), True, "model", "model_broken", "fails")
    else:
        advice = "it hears the demo's calls only; set a real model" if card.synthetic else ""
        code = "model_synthetic" if advice else ""
        yield Finding("speech model", f"{card.name} in {folder}", advice, False, "model", code)


async def model_loads(settings: Settings) -> list[Finding]:
    """The same, and then really loaded, as a worker does it."""
    found = list(model(settings))
    if settings.model is None or found[0].bad:
        return found
    listening = recogniser(settings, model_folder(settings.model))
    try:
        async with asyncio.timeout(LOAD_SECONDS):
            await listening.warmed_up()
    except (SpeechError, TimeoutError) as error:
        why = str(error) or f"not loaded after {LOAD_SECONDS:.0f} s; try a smaller one, or another `device`"
        return [Finding("speech model", "does not load", why, True, "model", "model_broken", "fails")]
    finally:
        listening.close()
    return found


# --- folders and ports


def folders(settings: Settings) -> Iterator[Finding]:
    place = settings.data
    while not place.exists():
        place = place.parent
    usable = place.is_dir() and os.access(place, os.W_OK)
    advice = "" if usable else f"{place} is no folder you may write to; set SEATWATCH_DATA to one of your own"
    yield Finding("data folder", str(settings.data), advice, True, "folder", "folder_closed" if advice else "")
    free = shutil.disk_usage(place).free
    advice = "" if free > LOW_DISK else "free some: calls need room"
    yield Finding("free disk", f"{free / 1024**3:.1f} GiB", advice, False, "disk", "disk_low" if advice else "")
    yield from _shared(settings)


def _shared(settings: Settings) -> Iterator[Finding]:
    """What machines that work together have to see alike; that it is the same folder, `serve ingest` says."""
    if settings.handover is None:
        return
    for letter in settings.lacking_to_share:
        yield Finding("several machines", "not possible", letter, True)
    for name, folder in (("handover", settings.handover), ("recordings", settings.recordings_folder)):
        usable = folder.is_dir() and os.access(folder, os.W_OK)
        advice = "" if usable else "is no folder that this machine may write to now; mount it (docs/machines.md)"
        yield Finding(f"{name} folder", str(folder), advice, True)


def private(settings: Settings) -> Iterator[Finding]:
    """Files that hold keys and secrets, and that other users of the machine can read."""
    secret = {"settings file": _with_secrets(settings_file()), "key of the certificate": settings.tls_key,
              "key that signs tokens": settings.data / "secrets" / "token.key"}  # fmt: skip
    for what, path in secret.items():
        if path is None or not path.is_file():
            continue
        mode = path.stat().st_mode & 0o777
        advice = f"other users of this machine can read or write it; run: chmod o-rwx {path}" if mode & OTHERS else ""
        yield Finding(what, f"{path}, mode {mode:04o}", advice)


def _with_secrets(path: Path | None) -> Path | None:
    """The file, where it holds a key, a password or an address with one."""
    if path is None:
        return None
    told = tomllib.loads(path.read_text(encoding="utf-8"))
    tables = [told, *(one for many in told.values() if isinstance(many, list) for one in many if isinstance(one, dict))]
    return path if any(name in table for table in tables for name in SECRETS) else None


def ports(settings: Settings) -> Iterator[Finding]:
    """The ports that this product listens on: free, or taken."""
    wanted = [
        ("AudioSocket", settings.host, settings.audiosocket_port, "set SEATWATCH_AUDIOSOCKET_PORT"),
        ("events and stream", settings.host, settings.ingest_port, "set SEATWATCH_INGEST_PORT"),
        ("screens", settings.web_host, settings.web_port, "set SEATWATCH_WEB_PORT"),
    ]
    if settings.siprec is not None:
        wanted.append(("SIPREC", settings.siprec.host, settings.siprec.port, "set `port` in [siprec]"))
    for what, host, port, how in wanted:
        busy = taken(host, port, udp=what == "SIPREC")
        advice = f"taken: either seatwatch runs already, or {how}" if busy else ""
        yield Finding(f"port of {what}", f"{host}:{port}", advice, False, "port", "port_taken" if busy else "")


def taken(host: str, port: int, udp: bool = False) -> bool:
    """Whether another program has this TCP port (and with ``udp`` that of UDP)."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for kind in (socket.SOCK_STREAM, *((socket.SOCK_DGRAM,) if udp else ())):
        with socket.socket(family, kind) as probe:
            if kind == socket.SOCK_STREAM:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError:
                return True
    return False


def watched(settings: Settings) -> Iterator[Finding]:
    if settings.watch is None:
        return
    folder = settings.watch.folder
    usable = folder.is_dir() and os.access(folder, os.R_OK | os.W_OK | os.X_OK)
    advice = "" if usable else "make it, and let this user read and write there; or take [watch] out of the settings"
    yield Finding("watched folder", str(folder), advice, True, "watch", "watch_closed" if advice else "")


# --- what must be said and kept


def recording(settings: Settings) -> Iterator[Finding]:
    """Whether calls may be recorded here."""
    if lacking := settings.lacking_to_record:
        yield Finding("recording", "not allowed yet", "; ".join(lacking), False, "recording", "recording_off", "off")
    else:
        days = settings.retention_days
        kept = f"announced, kept {days} days" if days else "the demo needs no announcement"
        yield Finding("recording", kept, check="recording", seen="kept" if days else "", values={"days": days or 0})


# --- certificate


def certificate(settings: Settings, now: datetime) -> Iterator[Finding]:
    """Whether certificate and key of the ingest port belong together, and how long they are good for."""
    if settings.tls_cert is None or settings.tls_key is None:
        return
    what = "certificate"
    try:
        ends_at = expiry(settings.tls_cert, settings.tls_key)
    except (ssl.SSLError, OSError, ValueError) as error:
        advice = f"{error}; give a PEM certificate that is in force and its own key without a pass phrase"
        yield Finding(what, f"{settings.tls_cert} cannot be used", advice, True, "tls", "tls_broken")
        return
    soon = ends_at - now < SOON
    advice = "renew it; the running process reads the new one by itself" if soon else ""
    shown = f"{settings.tls_cert} until {ends_at.date()}"
    yield Finding(what, shown, advice, ends_at <= now, "tls", "tls_ends" if soon else "")


def expiry(cert: Path, key: Path) -> datetime:
    """Until when a pair is good: by a handshake in memory, in which the certificate vouches for itself."""
    ours, theirs = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    ours.load_cert_chain(cert, key, password=_no_password)
    theirs.load_verify_locations(cert)
    theirs.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    theirs.check_hostname = False
    to_us, to_them = ssl.MemoryBIO(), ssl.MemoryBIO()
    server, client = ours.wrap_bio(to_us, to_them, server_side=True), theirs.wrap_bio(to_them, to_us)
    for _ in range(4):
        for side in (client, server):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
    told = client.getpeercert() or {}
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(str(told["notAfter"])), UTC)


def _no_password() -> bytes:
    raise ValueError("the key has a pass phrase")


# --- database


async def database(settings: Settings) -> list[Finding]:
    what = "external" if settings.database_url else "embedded"
    try:
        async with opened_store(settings) as store:
            sites = ", ".join(one.id for one in await store.sites()) or "none yet"
            return [Finding("database", f"{what}, schema {await store.revision()}, sites: {sites}", check="database")]
    except (StoreError, OSError) as error:
        return [Finding("database", f"{what} does not open", str(error), True, "database", "database_away")]
