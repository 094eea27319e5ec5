"""The front door of `make run`: packages, then the demo while the screens build behind it. Decides nothing itself."""

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import bootstrap
from house import PYTHON, ROOT, guarded

HERE = Path(__file__).resolve().parent
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
PATIENCE_SECONDS = 30.0


def together(front: Sequence[str], behind: Sequence[str]) -> int:
    """Runs both; the status is that of the one in front, and nothing outlives it.

    Each has a process group of its own, so that Ctrl-C reaches the front once, through us, and a build's
    children (npm, node) can be ended with it. A front that ends well by itself waits for the build.
    """
    fronts: list[subprocess.Popen[bytes]] = []
    signals: list[int] = []

    def pass_on(number: int, _frame: object) -> None:
        signals.append(number)
        for process in fronts:
            _insist(process, number, len(signals))

    before = {number: signal.signal(number, pass_on) for number in STOP_SIGNALS}
    builder = subprocess.Popen(behind, cwd=ROOT, stdin=subprocess.DEVNULL, process_group=0, preexec_fn=_polite)
    try:
        if not signals:
            fronts.append(subprocess.Popen(front, cwd=ROOT, stdin=subprocess.DEVNULL, process_group=0))
        status = fronts[0].wait() if fronts else 130
        if status == 0 and not signals:
            builder.wait()
    finally:
        _end(builder)
        for number, handler in before.items():
            signal.signal(number, handler)
    return 128 - status if status < 0 else status


def _polite() -> None:
    os.nice(19)  # the first score comes before the screens


def _insist(process: "subprocess.Popen[bytes]", number: int, times: int) -> None:
    """The first signal asks as it came, the second one firmly, the third ends it."""
    asked = signal.SIGINT if number == signal.SIGINT else signal.SIGTERM
    if process.poll() is None:
        process.send_signal({1: asked, 2: signal.SIGTERM}.get(times, signal.SIGKILL))


def _end(process: "subprocess.Popen[bytes]") -> None:
    if process.poll() is not None:
        return
    os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(PATIENCE_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def main() -> int:
    bootstrap.prepare(("base",))
    demo = [str(PYTHON), "-m", "qa.cli", "demo", "--fast", *sys.argv[1:]]
    screens = [sys.executable, str(HERE / "ui.py"), "build", "--tidy"]
    return together(demo, screens)


if __name__ == "__main__":
    sys.exit(guarded(main))
