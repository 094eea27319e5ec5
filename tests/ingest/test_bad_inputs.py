"""Ten thousand bad inputs over real sockets: nothing crashes, nothing stays open, good legs beside them are whole."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

import aiohttp
import pytest

from ingest import spool
from ingest.shell.audiosocket_server import SocketLimits
from ingest.shell.pcm_socket import PcmWay
from ingest.shell.service import Ingest
from tests.ingest import lab
from tests.ingest.bad_inputs import COUNT, Bad, bad_inputs
from tests.ingest.test_bad_network import nothing_left

AT_ONCE = 20
HEARD_S = 0.05  # then the next one
MESSAGE = 800
LIMITS = SocketLimits(ident_seconds=2.0, idle_seconds=2.0)


async def send(ingest: Ingest, bad: Bad) -> str:
    """What became of it: an answer, a close, or nothing as far as was waited for."""
    port = ingest.audiosocket_port if bad.port == "audiosocket" else ingest.http_port
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    heard, over = b"", False
    with suppress(ConnectionError, TimeoutError):
        writer.write(bad.data)
        async with asyncio.timeout(HEARD_S):
            while data := await reader.read(4096):
                heard += data
            over = True
    await lab.hang_up(writer)
    return f"{bad.what}: {'answered' if heard else 'nothing said'}, {'closed' if over else 'left by its sender'}"


async def all_sent(ingest: Ingest, bads: Iterable[Bad]) -> Counter[str]:
    met: Counter[str] = Counter()
    todo = iter(bads)

    async def sender() -> None:
        for bad in todo:
            met[await send(ingest, bad)] += 1

    await asyncio.gather(*(sender() for _ in range(AT_ONCE)))
    return met


async def survived(folder: Path, count: int) -> Counter[str]:
    async with lab.running(folder, ways=[PcmWay], sockets=LIMITS) as ingest:
        async with nothing_left(ingest), lab.client(lab.url(ingest), lab.hello("good")) as good:
            sending = asyncio.create_task(all_sent(ingest, bad_inputs(lab.later(), count=count)))
            while not sending.done():
                await good.send(lab.tone(MESSAGE, good.progress.samples))
                await good.durable()
            met = sending.result()
            await asyncio.wait_for(good.finish(), lab.WAIT_S)
        async with aiohttp.ClientSession() as http, http.get(f"{lab.url(ingest)}/healthz") as answer:
            assert (await answer.json())["status"] == "ok"
        assert ingest.error is None
        leg = spool.read_leg(folder, "good", "agent")
        assert (leg.segments, leg.gaps, leg.ended) == ([(0, lab.tone(good.progress.samples))], [], "end")
    assert not list(folder.rglob("quarantine/*"))
    spool.recover(folder)  # a new start reads all of it
    return met


def no_defect(caplog: pytest.LogCaptureFixture) -> None:
    assert [one.getMessage() for one in caplog.records if one.exc_info and one.levelno >= logging.ERROR] == []


async def test_two_hundred_bad_inputs(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert (await survived(tmp_path, 200)).total() == 200
    no_defect(caplog)


@pytest.mark.slow
async def test_ten_thousand_bad_inputs(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, record_property: Callable[[str, object], None]
) -> None:
    met = await survived(tmp_path, COUNT)
    assert met.total() == COUNT
    no_defect(caplog)
    told = "; ".join(f"{count} {what}" for what, count in sorted(met.items()))
    record_property("summary", f"{COUNT} bad inputs, no crash, nothing open, nothing lost: {told}")
