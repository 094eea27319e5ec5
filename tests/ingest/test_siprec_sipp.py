"""A real SIPp as recording client: its signalling and its first stream, our own sender as the second. Needs `sipp`."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import pytest

from ingest import spool
from ingest.legs import LegAudio
from tests.ingest import lab
from tests.ingest.recorder import FRAME, HOST, Voice, recording, sent
from tests.ingest.test_siprec_server import events, until

SCENARIO = Path(__file__).parents[1] / "lab" / "sipp" / "siprec.xml"
TALK_S, HOLD_S = 2.0, 1.0
FRAME_S = 0.02

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not shutil.which("sipp"), reason="sipp is not installed (apt-get install sip-tester)"),
]


async def pace(voice: Voice, numbers: range) -> None:
    """One packet every 20 ms, as a phone does."""
    loop = asyncio.get_running_loop()
    done, start = asyncio.Event(), loop.time()
    for at, number in enumerate(numbers):
        loop.call_at(start + at * FRAME_S, voice.say, [number])
    loop.call_at(start + len(numbers) * FRAME_S, done.set)
    await done.wait()


@pytest.mark.parametrize("transport", ["u1", "t1"], ids=["udp", "tcp"])
async def test_a_call_of_sipp_with_both_streams_fed(tmp_path: Path, transport: str, record_property) -> None:  # type: ignore[no-untyped-def]
    first = sent(range(500))
    (tmp_path / "first.ulaw").write_bytes(first)
    second = Voice(mark=1)
    async with recording(tmp_path / "spool", silence_seconds=1.5) as site:
        child = await asyncio.create_subprocess_exec(
            "sipp", "-nostdin", f"{HOST}:{site.server.port}", "-i", HOST, "-m", "1", "-t", transport,
            "-sf", str(SCENARIO),
            "-set", "talk_ms", str(round(TALK_S * 1000)), "-set", "hold_ms", str(round(HOLD_S * 1000)),
            "-set", "second", str(second.port), "-mp", "31400", cwd=tmp_path, stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT, env={"TERM": "dumb", "PATH": "/usr/bin"},
        )  # fmt: skip
        await until(lambda: site.server.open == 2)
        (session,) = site.server._sessions.values()
        legs = session.open_legs
        second.to = (HOST, legs[1].port)
        await pace(second, range(90))
        await until(lambda: not legs[1].sends)
        await until(lambda: legs[1].sends)
        await pace(second, range(90, 170))
        told = (await asyncio.wait_for(child.communicate(), lab.WAIT_S))[0].decode(errors="replace")
        await until(lambda: site.server.open == 0 and not site.server._work)
        await site.ingest.flush()
        call = session.call
        customer, agent = (spool.read_leg(site.folder, call, name) for name in "12")
    second.socket.close()

    assert child.returncode == 0, told[-2000:]
    assert [(one["role"], one.get("seat")) for one in events(site, "leg")] == [("customer", None), ("agent", "1001")]
    assert len(events(site, "ended")) == 1
    for one, whole in ((customer, first), (agent, sent(range(170), 1))):
        (before, after) = (data for _, data in one.segments)
        assert whole.startswith(before + after), "every byte that came, in its order"
        ((_, samples, cause),) = one.gaps
        assert cause == "pause" and HOLD_S - 0.1 <= samples / 8000 <= HOLD_S + 0.8
        assert one.ended == "hangup"
    record_property(
        "summary", f"sipp {transport}: {_length(customer)} and {_length(agent)} packets, all of them in order"
    )
    assert _length(agent) == 170 and _length(customer) >= 2 * TALK_S / FRAME_S - 20


def _length(leg: LegAudio) -> int:
    return sum(len(data) for _, data in leg.segments) // FRAME
