"""The board's web part in a process of its own, for the benchmark: says its port, then CPU and memory when asked."""

from __future__ import annotations

import asyncio
import json
import resource
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import uvloop

from qa.settings import Settings, load_settings
from qa.store.pool import Store
from qa.web.app import make_app
from qa.web.listen import listen


@dataclass(slots=True)
class Served:
    """What the web part asks for."""

    settings: Settings
    store: Store
    recordings: Path
    site: str = "main"
    status: Mapping[str, Any] = field(default_factory=dict)


async def _serve(dsn: str, folder: str) -> None:
    store = await Store.open(dsn)
    runner, port = await listen(make_app(Served(load_settings(data=Path(folder)), store, Path(folder))), "127.0.0.1", 0)
    _say(port)
    loop = asyncio.get_running_loop()
    while await loop.run_in_executor(None, sys.stdin.readline):
        used = resource.getrusage(resource.RUSAGE_SELF)
        _say([used.ru_utime + used.ru_stime, used.ru_maxrss / 1024])
    await runner.cleanup()
    await store.close()


def _say(value: object) -> None:
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()


def main(args: Sequence[str]) -> None:
    uvloop.run(_serve(*args))


if __name__ == "__main__":
    main(sys.argv[1:])
