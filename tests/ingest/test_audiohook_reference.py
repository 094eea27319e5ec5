"""Genesys' own reference client against our server: load, probe, a refused signature.

The client is public (GitHub: purecloudlabs/audiohook-reference-implementation) and no part of this repository. It needs
Node 20 and ``script`` (bsdutils). Clone it, delete its lock files (they name a private registry), run
``npm install --ignore-scripts`` in ``client``, link ``app/node_modules`` to ``../client/node_modules``, and name the
folder ``client`` in SEATWATCH_TEST_AUDIOHOOK_CLIENT. Without it these tests are skipped.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import shlex
import shutil
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ingest.shell.audiohook_socket import AudioHookWay
from ingest.sources import Sources
from tests.ingest import lab
from tests.ingest.hook import GENESYS, KEY, SECRET
from tests.ingest.test_audiohook_socket import channel, interleaved
from tests.ingest.test_service import stored
from tests.ingest.test_tail import Kept

CLIENT = Path(os.environ.get("SEATWATCH_TEST_AUDIOHOOK_CLIENT", ""))
READY = (CLIENT / "node_modules/.bin/ts-node").exists() and shutil.which("node") and shutil.which("script")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not READY, reason="SEATWATCH_TEST_AUDIOHOOK_CLIENT names no AudioHook reference client"),
]
SECONDS = 8
RUN_S = 120.0


def wav(path: Path, audio: bytes) -> None:
    """Two channels of mu-law at 8 kHz: the client sends such bytes as they are."""
    form = struct.pack("<HHIIHHH", 7, 2, 8000, 16000, 2, 8, 0)
    told = b"WAVEfmt " + struct.pack("<I", len(form)) + form
    told += b"data" + struct.pack("<I", len(audio)) + audio
    path.write_bytes(b"RIFF" + struct.pack("<I", len(told)) + told)


async def run(port: int, *options: str, secret: str = SECRET) -> str:
    """What the client says; it wants a terminal, which ``script`` gives it."""
    command = shlex.join([
        "node_modules/.bin/ts-node", "--transpile-only", "src/index.ts", "--uri", f"ws://127.0.0.1:{port}/audiohook",
        "--api-key", KEY, "--client-secret", secret, *options,
    ])  # fmt: skip
    pipe = asyncio.subprocess.PIPE
    child = await asyncio.create_subprocess_exec(
        "script", "-qec", command, "/dev/null", cwd=CLIENT, stdin=asyncio.subprocess.DEVNULL, stdout=pipe, stderr=pipe
    )
    said, _ = await asyncio.wait_for(child.communicate(), RUN_S)
    return said.decode(errors="replace")


def ingest_at(folder: Path, **own: Any) -> Any:
    return lab.running(folder, sources=Sources([GENESYS]), ways=(AudioHookWay,), **own)


async def test_forty_sessions_of_the_reference_client(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    parties = [channel(party, SECONDS * 8000) for party in (0, 1)]
    wav(tmp_path / "call.wav", interleaved(*parties))
    sink, folder = Kept(), tmp_path / "spool"
    folder.mkdir()
    async with ingest_at(folder, sink=sink) as ingest:
        load = ("--session-count", "40", "--connection-rate", "20", "--session-log-level", "warn")
        said = await run(ingest.http_port, "--wavfile", str(tmp_path / "call.wav"), *load)
        await ingest.flush()
        legs = [json.loads(row.payload) for row in sink.rows if row.kind == "event"]
        for leg in legs:
            found = await stored(folder, leg["call"], leg["leg"], ended="end")
            assert found.segments == [(0, parties[leg["channel"] == "internal"])] and found.gaps == []
        counts = ingest.core.counts
    assert len(legs) == 80 and len({leg["call"] for leg in legs}) == 40
    assert {name: count for name, count in counts.items() if count} == {"events": 80}
    assert "unexpectedly" not in said and "WARN" not in said.replace("EXPERIMENTAL", "")
    times = re.findall(r"(p50|p95|p99|max)\s*=\s*([\d.]+) ms", said)
    record_property("summary", f"audiohook: 40 reference sessions of {SECONDS} s byte-exact; ping {dict(times)} ms")


async def test_the_probe_of_the_reference_client(tmp_path: Path) -> None:
    sink = Kept()
    async with ingest_at(tmp_path, sink=sink) as ingest:
        said = await run(ingest.http_port, "--connection-probe")
        await ingest.flush()
        assert ingest.core.counts["audiohook probes"] == 1 and sink.rows == []
    assert "Session open" in said and "unexpectedly" not in said


async def test_a_wrong_secret_of_the_reference_client_is_refused(tmp_path: Path) -> None:
    async with ingest_at(tmp_path) as ingest:
        said = await run(ingest.http_port, "--connection-probe", secret="d3Jvbmcgc2VjcmV0")
        assert ingest.core.counts["audiohook authentication"] == 1
    assert "401" in said
