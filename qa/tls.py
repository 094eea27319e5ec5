"""TLS for the ingest port: one context, whose certificate is read again when its files change. No connection drops."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path

import structlog

LOOK_SECONDS = 30.0
log = structlog.get_logger(__name__)


class Certificates:
    """A server context of TLS 1.2 or newer; ValueError when certificate and key cannot be used together."""

    def __init__(self, cert: Path, key: Path) -> None:
        self._cert, self._key = cert, key
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.minimum_version = ssl.TLSVersion.TLSv1_2
        self._seen = self._stamps()
        self._load(self.context)

    def refresh(self) -> bool:
        """Take what changed on disk, for connections from now on; a pair that does not fit leaves the old one."""
        try:
            stamps = self._stamps()
            if stamps == self._seen:
                return False
            self._load(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER))  # half a change must not spoil what works
            self._load(self.context)
        except ValueError as error:
            log.error("tls.certificate_kept", says=str(error))
            return False
        self._seen = stamps
        log.info("tls.certificate_changed", file=str(self._cert))
        return True

    async def watch(self) -> None:
        """Until cancelled."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            await asyncio.to_thread(self.refresh)

    def _stamps(self) -> tuple[int, ...]:
        try:
            return tuple(path.stat().st_mtime_ns for path in (self._cert, self._key))
        except OSError as error:
            raise ValueError(f"{error.filename}: {error.strerror}; name a readable PEM file") from error

    def _load(self, context: ssl.SSLContext) -> None:
        try:
            context.load_cert_chain(self._cert, self._key, password=_no_password)
        except (OSError, ValueError) as error:
            pair = f"{self._cert} and {self._key}"
            raise ValueError(f"{pair}: {error}; give a PEM certificate and its own key") from error


def _no_password() -> bytes:
    """A key with a pass phrase would stop every start to ask for it."""
    raise ValueError("the key has a pass phrase; take it off (openssl pkey) and let the file's mode protect it")
