"""The command line as a user runs it: a process of its own, or many short commands in one. Expects nothing."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parents[2]
LIMIT_S = 180

Done = subprocess.CompletedProcess[str]


def seatwatch(env: dict[str, str], *args: object, cwd: Path = ROOT) -> Done:
    command = [sys.executable, "-m", "qa.cli", *map(str, args)]
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=LIMIT_S, check=False, cwd=cwd)


# Runs the entry point once for each list of arguments on standard input; tells how each ended.
PROBE = """
import contextlib, io, json, sys, traceback
from qa.cli import main
told = []
for args in json.load(sys.stdin):
    sys.argv = ["seatwatch", *args]
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            main()
            code = 0
        except SystemExit as end:
            code = end.code or 0
        except Exception:
            traceback.print_exc()
            code = 1
    told.append([code, out.getvalue(), err.getvalue(), sorted({name.partition(".")[0] for name in sys.modules})])
json.dump(told, sys.stdout)
"""


def probed(env: dict[str, str], asked: Sequence[Sequence[str]], cwd: Path) -> list[tuple[Done, set[str]]]:
    """Many short commands in one process, each by the entry point, with the packages loaded so far."""
    args = [sys.executable, "-c", PROBE]
    done = subprocess.run(args, env=env, capture_output=True, text=True, input=json.dumps(asked), timeout=2 * LIMIT_S,
                          check=True, cwd=cwd)  # fmt: skip
    return [(Done(one, code, out, err), set(modules))
            for one, (code, out, err, modules) in zip(asked, json.loads(done.stdout), strict=True)]  # fmt: skip
