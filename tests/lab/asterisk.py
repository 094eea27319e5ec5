"""Builds, starts, asks and stops the lab's Asterisk: a Debian chroot, loopback only, run by root. Places no call."""

from __future__ import annotations

import asyncio
import fcntl
import os
import shutil
import signal
import socket
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

HERE = Path(__file__).resolve().parent
LAB = Path(os.environ.get("LAB") or HERE.parents[1] / ".lab").resolve()
ROOT = LAB / "sidroot"
AMI, ARI, SIP = 5038, 8088, 5062
AMI_USER, AMI_SECRET = "seatwatch", "lab-look"
FLOOR_USER, FLOOR_SECRET = "floor", "lab-floor"
ARI_USER, ARI_SECRET = "taps", "lab-taps"
BOOT_S = 40.0
ZONE = "Asia/Shanghai"  # its call records are in local time
QUEUE_LOG, RECORDS = "var/log/asterisk/queue_log", "var/log/asterisk/cdr-csv/Master.csv"
REGISTERED = "var/lib/asterisk/astdb.sqlite3"  # a phone of a run that was broken off would still be there


class LabError(Exception):
    """The lab cannot do what was asked; says what to do."""


def missing() -> list[str]:
    """What a person has to install or do before the lab can run; empty when it can."""
    needs = {"sipp": "apt-get install sip-tester", "chroot": "apt-get install coreutils"}
    if not (ROOT / ".built").exists():
        needs["mmdebstrap"] = "apt-get install mmdebstrap"
    found = [f"{name}: is not installed; as root: {how}" for name, how in needs.items() if shutil.which(name) is None]
    if os.geteuid() != 0:
        found.append("root: the chroot needs it; run `make lab` as root")
    return found


def why_not() -> str:
    """Why a test that needs the lab is skipped; empty when it can run."""
    found = missing()
    if not (ROOT / ".built").exists():
        found.append(f"no Asterisk in {LAB}; `make lab` builds it, or name its folder in LAB")
    return "; ".join(found)


async def run(*command: str, check: bool = True) -> str:
    """A command's standard output; LabError with its last words when it fails."""
    pipe = asyncio.subprocess.PIPE
    child = await asyncio.create_subprocess_exec(
        *command, stdin=asyncio.subprocess.DEVNULL, stdout=pipe, stderr=asyncio.subprocess.STDOUT
    )
    told = (await child.communicate())[0].decode(errors="replace")
    if check and child.returncode:
        raise LabError(f"{' '.join(command)[:80]}: ended with {child.returncode}: {told[-500:]}")
    return told


async def build() -> str:
    """Asterisk in a chroot of Debian sid, about 350 MB and two minutes; nothing when it is there."""
    if not (ROOT / ".built").exists():
        part = LAB / "sidroot.part"
        LAB.mkdir(parents=True, exist_ok=True)
        await run("rm", "-rf", "--one-file-system", str(part))  # a build that was killed may have left /proc in it
        # a mirror that lags behind serves an index past its date; its signature is checked all the same
        await run(
            "mmdebstrap", "--variant=apt", "--include=asterisk,asterisk-modules",
            '--aptopt=APT::Install-Recommends "false"', '--aptopt=Acquire::Check-Valid-Until "false"', "sid", str(part),
        )  # fmt: skip
        (part / ".built").write_text(await run("chroot", str(part), "asterisk", "-V"))
        part.rename(ROOT)
    return (ROOT / ".built").read_text().strip()


class Asterisk:
    """The switchboard. Fixed ports, so there is one on a computer at a time; ``held`` waits for its turn."""

    def __init__(self) -> None:
        self._values = {"@PCM_PORT@": "9093", "@PCM_KEY@": "lab-pcm", "@PCM_FORM@": "json"}
        self._pid = LAB / "asterisk.pid"
        self._child: Process | None = None

    async def start(self, anew: bool = True) -> None:
        """Returns when it is fully booted; *anew* with nothing written down yet."""
        if self._alive():
            raise LabError(f"Asterisk runs already (pid {self._pid.read_text()}); stop it: python -m tests.lab down")
        for port in (AMI, ARI):
            if answers(port):
                raise LabError(f"port {port}: is taken; stop the program that listens there")
        self._configure()
        for kept in (QUEUE_LOG, RECORDS, REGISTERED) if anew else ():
            self.file(kept).unlink(missing_ok=True)
        with (LAB / "asterisk.out").open("wb") as out:
            child = await asyncio.create_subprocess_exec(
                "chroot", str(ROOT), "asterisk", "-f", stdin=asyncio.subprocess.DEVNULL, stdout=out, stderr=out,
                start_new_session=True,
            )  # fmt: skip
        self._child = child
        self._pid.write_text(str(child.pid))
        async with asyncio.timeout(BOOT_S):
            while "fully booted" not in await self.cli("core waitfullybooted", check=False):
                if child.returncode is not None:
                    raise LabError(f"Asterisk ended at its start; see {LAB / 'asterisk.out'}")
                await pause(0.2)

    async def stop(self) -> None:
        """End the process that ``start`` began, as a restart of the switchboard would."""
        if self._alive():
            pid = int(self._pid.read_text())
            os.kill(pid, signal.SIGTERM)
            async with asyncio.timeout(20):
                while self._alive() or answers(AMI) or answers(ARI):  # its threads outlive its first one
                    await pause(0.1)
        if self._child is not None:
            await self._child.wait()
        self._pid.unlink(missing_ok=True)

    async def cli(self, command: str, check: bool = True) -> str:
        return await run("chroot", str(ROOT), "asterisk", "-rx", command, check=check)

    async def send_audio_to(self, pcm_port: int, pcm_key: str, form: str = "json") -> None:
        """Where its media WebSocket goes from now on, and how it says MEDIA_START: json or plain-text."""
        self._values = {"@PCM_PORT@": str(pcm_port), "@PCM_KEY@": pcm_key, "@PCM_FORM@": form}
        self._configure()
        for module in ("res_websocket_client", "chan_websocket"):
            await self.cli(f"module reload {module}.so")

    def queue_log(self) -> list[str]:
        return self.file(QUEUE_LOG).read_text().splitlines()

    def file(self, path: str) -> Path:
        return ROOT / path

    def _alive(self) -> bool:
        """The process of this lab's own executable; another one that took over its number is none of ours."""
        try:
            pid = int(self._pid.read_text())
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
            return state != "Z" and Path(f"/proc/{pid}/exe").readlink() == ROOT / "usr/sbin/asterisk"
        except (OSError, ValueError):
            return False

    def _configure(self) -> None:
        etc = ROOT / "etc/asterisk"
        shutil.rmtree(etc, ignore_errors=True)
        etc.mkdir()
        for source in (HERE / "asterisk").glob("*.conf"):
            text = source.read_text()
            for mark, value in self._values.items():
                text = text.replace(mark, value)
            (etc / source.name).write_text(text)
        etc.chmod(0o755)
        clock = ROOT / "etc/localtime"
        clock.unlink(missing_ok=True)
        clock.symlink_to(f"/usr/share/zoneinfo/{ZONE}")


def answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


async def pause(seconds: float) -> None:
    """Between two looks at another program's state, or while a phone rings."""
    try:
        async with asyncio.timeout(seconds):
            await asyncio.Event().wait()
    except TimeoutError:
        return


@asynccontextmanager
async def held() -> AsyncIterator[Asterisk]:
    """A running switchboard that nobody else uses meanwhile."""
    LAB.mkdir(parents=True, exist_ok=True)
    with (LAB / "phones.lock").open("w") as lock:
        await asyncio.to_thread(fcntl.flock, lock, fcntl.LOCK_EX)
        asterisk = Asterisk()
        await asterisk.stop()
        await asterisk.start()
        try:
            yield asterisk
        finally:
            await asterisk.stop()
