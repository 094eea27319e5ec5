"""One ingest process for the crash tests: says its ports on standard output, stops when standard input ends."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

from ingest.errors import IngestError
from ingest.shell.faults import Faults
from ingest.shell.pcm_socket import PcmWay
from ingest.shell.service import Ingest, IngestConfig
from ingest.shell.writer import SpoolLimits


async def main(folder: str, secret: str, ports: str, fault: str, rotate_bytes: str, beside: str) -> None:
    http, audio = json.loads(ports)
    config = IngestConfig(
        Path(folder), secret.encode(), http_port=http, audiosocket_port=audio, faults=Faults.parse(fault),
        spool=SpoolLimits(rotate_bytes=int(rotate_bytes)), ways=[PcmWay], beside=Path(beside) if beside else None,
    )  # fmt: skip
    async with Ingest(config) as ingest:
        print(json.dumps([ingest.http_port, ingest.audiosocket_port]), flush=True)
        failed = asyncio.create_task(ingest.failed())
        ended = asyncio.Event()
        asyncio.get_running_loop().add_reader(sys.stdin.fileno(), ended.set)
        told = asyncio.create_task(ended.wait())
        done, _ = await asyncio.wait([failed, told], return_when=asyncio.FIRST_COMPLETED)
        if failed in done:
            print(f"seatwatch: {failed.exception()}", file=sys.stderr, flush=True)
            sys.exit(1)
        failed.cancel()


if __name__ == "__main__":
    try:
        asyncio.run(main(*sys.argv[1:]))
    except IngestError as error:
        sys.exit(f"seatwatch: {error}")
