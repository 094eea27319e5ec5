"""TLS on the ingest port: a real handshake, a certificate changed under way, a pair that does not fit."""

from __future__ import annotations

import os
import shutil
import ssl
import subprocess
from pathlib import Path

import aiohttp
import pytest

from ingest.shell.service import Ingest, IngestConfig
from qa.tls import Certificates
from tests.ingest.values import SECRET

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")


def make(folder: Path, name: str) -> tuple[Path, Path]:
    cert, key = folder / f"{name}.crt", folder / f"{name}.key"
    command = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
        "-days",
        "2",
    ]
    subject = ["-subj", f"/CN={name}", "-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run([*command, *subject, "-keyout", key, "-out", cert], check=True, capture_output=True)
    return cert, key


async def shown(port: int, trusted: Path) -> int:
    """The status of /healthz, asked by a client that trusts one certificate only."""
    context = ssl.create_default_context(cafile=str(trusted))
    async with aiohttp.ClientSession() as http, http.get(f"https://127.0.0.1:{port}/healthz", ssl=context) as answer:
        return answer.status


async def test_a_certificate_may_change_without_a_restart(tmp_path: Path) -> None:
    (old, old_key), (new, new_key) = make(tmp_path, "old"), make(tmp_path, "new")
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    shutil.copy(old, cert), shutil.copy(old_key, key)
    certificates = Certificates(cert, key)
    config = IngestConfig(tmp_path / "spool", SECRET, http_port=0, audiosocket_port=0, tls=certificates.context)
    async with Ingest(config) as ingest:
        assert await shown(ingest.http_port, old) == 200
        assert not certificates.refresh()

        shutil.copy(new, cert)
        os.utime(cert, ns=(1, 1))
        assert not certificates.refresh()  # certificate and key do not fit: what works is kept
        assert await shown(ingest.http_port, old) == 200

        shutil.copy(new_key, key)
        assert certificates.refresh()
        assert await shown(ingest.http_port, new) == 200
        with pytest.raises(aiohttp.ClientConnectorCertificateError):
            await shown(ingest.http_port, old)


async def test_old_protocols_are_refused(tmp_path: Path) -> None:
    context = Certificates(*make(tmp_path, "one")).context
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2


@pytest.mark.parametrize("name", ["nowhere.pem", "empty.pem"])
def test_a_pair_that_cannot_be_used_is_named(tmp_path: Path, name: str) -> None:
    _, key = make(tmp_path, "one")
    (tmp_path / "empty.pem").touch()
    with pytest.raises(ValueError, match=name):
        Certificates(tmp_path / name, key)
