"""What the set-up scripts share: folders, one-line faults, one process at a time. Stdlib only; installs nothing."""

import errno
import fcntl
import hashlib
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
BUILD = ROOT / ".build"  # logs, locks, the borrowed Node: all of it can be thrown away
PYTHON = VENV / "bin" / "python"


class Stop(Exception):
    """What is missing and what to do about it, in one line for the person at the keyboard."""


# What tools write when they fail -> what the person can do. The first that fits wins: a full disk
# and a bad certificate also show up as "could not fetch", so the general words stand last.
_CAUSES: tuple[tuple[tuple[str, ...], str], ...] = (
    (
        ("no space left on device", "os error 28", "enospc", "disk quota exceeded", "os error 122"),
        "the disk is full: free about 2 GB (`df -h .` shows where), then try again",
    ),
    (
        ("certificate_verify_failed", "invalid peer certificate", "unable_to_get_issuer", "self_signed_cert"),
        "the package index shows a certificate this machine does not know: name your CA file in PIP_CERT "
        "(and NODE_EXTRA_CA_CERTS for the screens)",
    ),
    (
        ("do not match the hashes", "hash mismatch", "eintegrity"),
        "the package index served a file that is not the one in the lock file: try another index, or `make lock`",
    ),
    (
        (
            "newconnectionerror", "connecttimeouterror", "readtimeouterror", "proxyerror", "name resolution",
            "network is unreachable", "connection refused", "failed to fetch", "error sending request",
            "client error (connect)", "tunnel error", "could not connect", "operation timed out",
            "enotfound", "eai_again", "econnrefused", "econnreset", "etimedout", "err_socket_timeout",
        ),
        "no package index answers: connect this machine, or name a mirror (PIP_INDEX_URL for Python, "
        "`npm config set registry` for the screens), then try again",
    ),
    (
        ("no matching distribution", "no solution found", "no wheels", "no compatible"),
        f"the package index lacks a package for Python {sys.version_info[0]}.{sys.version_info[1]} on this machine: "
        "use Python 3.11 to 3.13 on Linux or macOS (`make PYTHON=python3.11 …`)",
    ),
    (
        ("permission denied", "read-only file system", "eacces", "erofs"),
        "a folder cannot be written: see who owns this folder and your cache folder (`ls -ld . ~/.cache`)",
    ),
)  # fmt: skip

_COMPLAINT = re.compile(r"\berror\b|could not|cannot", re.IGNORECASE)

_ERRNO = {
    errno.ENOSPC: "the disk is full: free about 2 GB (`df -h .` shows where), then try again",
    errno.EDQUOT: "your disk quota is used up: free about 2 GB, then try again",
    errno.EACCES: "it cannot be written: see who owns it (`ls -ld`), or work in a folder of your own",
    errno.EPERM: "it cannot be written: see who owns it (`ls -ld`), or work in a folder of your own",
    errno.EROFS: "it is read-only: copy the project to a folder that can be written",
}


def cause(output: str) -> str | None:
    """The advice for what a tool said, None when its words are new to us."""
    low = output.lower()
    return next((advice for words, advice in _CAUSES if any(word in low for word in words)), None)


def guarded(main: Callable[[], int]) -> int:
    """Runs a script's main; a person's problem becomes one line and exit 2, ours stays a traceback."""
    try:
        return main()
    except Stop as stop:
        print(f"seatwatch: {stop}", file=sys.stderr, flush=True)
        return 2
    except KeyboardInterrupt:
        return 130
    except OSError as error:
        if error.errno not in _ERRNO:
            raise
        print(f"seatwatch: {error.filename or ROOT}: {_ERRNO[error.errno]}", file=sys.stderr, flush=True)
        return 2


def run_tool(step: str, command: Sequence[str | Path], *, env: Mapping[str, str], cwd: Path = ROOT) -> tuple[int, str]:
    """Exit status and output; the output is kept in .build/STEP.log as well."""
    BUILD.mkdir(exist_ok=True)
    process = subprocess.Popen(
        [str(part) for part in command],
        cwd=cwd,
        env=dict(env),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    with process:
        try:
            output = process.communicate()[0].decode("utf-8", "replace")
        except BaseException:
            process.send_signal(signal.SIGTERM)
            raise
    log = BUILD / f"{step}.log"
    log.write_text(output, encoding="utf-8")
    return process.returncode, output


def failed(step: str, output: str) -> Stop:
    """The fault of a tool that ended badly: our advice, or its own last words and where the rest is."""
    advice = cause(output)
    if advice:
        return Stop(f"{step}: {advice} (details: .build/{step}.log)")
    return Stop(f"{step} failed: {_telling(output)[:300]} (all it said: .build/{step}.log)")


def _telling(output: str) -> str:
    """The line of a failed tool that says most: its first complaint, else its last words."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    complaints = (line for line in lines if _COMPLAINT.search(line) and not line.endswith(":"))
    return next(complaints, lines[-1] if lines else "it said nothing")


@contextmanager
def alone(name: str) -> Iterator[None]:
    """Two `make` at once take turns; the lock goes with its process, so a killed one leaves nothing behind."""
    BUILD.mkdir(exist_ok=True)
    with open(BUILD / f"{name}.lock", "w", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print(f"seatwatch: waiting for the {name} of another make", flush=True)
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def digest(paths: Iterable[Path], base: Path = ROOT) -> str:
    """One hash over names and contents."""
    total = hashlib.sha256()
    for path in sorted(paths):
        body = path.read_bytes()
        total.update(f"{path.relative_to(base).as_posix()}\0{len(body)}\0".encode())
        total.update(body)
    return total.hexdigest()


def disk_mb(*folders: Path) -> int:
    """Megabytes on disk, a hard-linked file once."""
    seen: set[tuple[int, int]] = set()
    total = 0
    for folder in folders:
        for place, _, names in os.walk(folder):
            for name in names:
                found = os.lstat(os.path.join(place, name))
                if (found.st_dev, found.st_ino) not in seen:
                    seen.add((found.st_dev, found.st_ino))
                    total += found.st_blocks * 512
    return round(total / 1e6)


def timing(name: str, seconds: float, note: str) -> None:
    """One of the four timings of the front door, in the form that the demo uses for the other two."""
    print(f"{name}: {seconds:.1f} s ({note})", flush=True)


def remove(folder: Path) -> None:
    if folder.exists():
        shutil.rmtree(folder)
