"""The lab by hand: python -m tests.lab missing | build | results | up | down | cli COMMAND | call [RING_S] [TALK_S]
[NUMBER]."""

from __future__ import annotations

import asyncio
import sys

from tests.lab import results, screen, softphone
from tests.lab.asterisk import Asterisk, LabError, build, missing
from tests.lab.phones import answered


async def main(order: str = "", *rest: str) -> str:
    match order:
        case "missing":
            if found := missing():
                raise LabError("\n".join(["cannot run here; what is missing:", *found]))
            results.forget()
            lacks = filter(None, (softphone.lacking(), screen.lacking(built=False)))
            return "\n".join(f"lab: test_floor.py will be SKIPPED: {why}" for why in lacks) or "nothing is missing"
        case "build":
            return await build()
        case "results":
            return results.shown()
        case "up":
            await Asterisk().start()
            return "up: AMI 5038, ARI 8088, SIP 5062 on 127.0.0.1"
        case "down":
            await Asterisk().stop()
            return "down"
        case "cli":
            return await Asterisk().cli(" ".join(rest))
        case "call":
            ring, talk, number = [*rest, *("7", "14", "8000")[len(rest) :]]
            async with answered(float(ring), float(talk), number):
                pass
            return f"call to {number}: rang {ring} s, talked {talk} s"
    raise LabError(__doc__ or "")


if __name__ == "__main__":
    try:
        print(asyncio.run(main(*sys.argv[1:])))
    except LabError as error:
        sys.exit(f"lab: {error}")
