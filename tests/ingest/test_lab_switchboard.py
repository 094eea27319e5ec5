"""One Asterisk with its signalling and its taps together: a queue call becomes events and both legs, by itself."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from ingest import spool
from ingest.ami_names import AmiConfig
from ingest.shell.switchboard import Switchboard
from tests.ingest import lab
from tests.ingest.test_lab_taps import begins_s, hertz, left_behind
from tests.ingest.values import SECRET
from tests.lab import phones
from tests.lab.ami import listening
from tests.lab.asterisk import AMI_SECRET, AMI_USER, held, why_not
from tests.lab.tapping import ARI_CONFIG, Tapping

pytestmark = [pytest.mark.lab, pytest.mark.slow, pytest.mark.skipif(bool(why_not()), reason=why_not())]
AMI_CONFIG = AmiConfig("lab", "127.0.0.1", AMI_USER, AMI_SECRET)


async def test_a_queue_call_is_signalled_and_heard_by_itself(tmp_path: Path) -> None:
    async with held() as asterisk, lab.running(tmp_path) as ingest, listening() as ami:
        ari = replace(ARI_CONFIG, media_port=ingest.audiosocket_port)
        board = Switchboard(ingest.core, SECRET, AMI_CONFIG, ari)
        await board.start()
        try:
            assert board.taps is not None
            await board.taps.up.wait()
            await board.signals.up.wait()
            async with phones.answered(2, 5, "8003", "1002"):  # rings at 1001, too, where there is no phone
                ringing = await ami.rings("1002")
            await Tapping(ingest, board.taps).until_quiet()
        finally:
            await board.stop()
        assert await left_behind(asterisk) == []
        told = lab.stored_events(tmp_path)

    call = f"lab-{ringing['Linkedid']}"
    answered = next(one for one in told if one["type"] == "answered")
    assert answered["call"] == call
    customer = spool.read_leg(tmp_path, call, ringing["Linkedid"])
    agent = spool.read_leg(tmp_path, call, ringing["Uniqueid"])
    assert (customer.role, agent.role) == ("customer", "agent")
    assert abs(hertz(customer, 4) - phones.HZ["customer"]) < 1
    assert abs(hertz(agent, 4) - phones.HZ["agent"]) < 1
    assert abs(begins_s(agent) - 2) < 0.5
    assert not [one for one in told if one.get("gap")]
    assert {one["call"] for one in told if one.get("call")} == {call}  # the taps' own channels breed no calls
