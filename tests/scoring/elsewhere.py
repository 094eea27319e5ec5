"""What a script prints in processes of another hash seed, time zone and locale. Judges nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
PLACES = (("0", "Asia/Shanghai", "C.UTF-8"), ("4711", "America/New_York", "C"))
LIMIT_S = 120


def told_elsewhere(script: str) -> set[str]:
    """All different outputs; the processes run side by side."""
    running = [_start(script, *place) for place in PLACES]
    try:
        told = {one.communicate(timeout=LIMIT_S)[0] for one in running}
    finally:
        for one in running:
            one.kill()
            one.wait()
    assert [one.returncode for one in running] == [0] * len(running)
    return told


def _start(script: str, seed: str, zone: str, locale: str) -> subprocess.Popen[str]:
    env = {**os.environ, "PYTHONHASHSEED": seed, "TZ": zone, "LC_ALL": locale, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen([sys.executable, "-c", script], env=env, stdout=subprocess.PIPE, text=True)
