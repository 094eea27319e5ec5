"""One recogniser in a child process: low priority, bounded, recycled. It decides nothing."""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import os
import pickle
import resource
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar, cast

from speech.errors import ModelError, RecogniserCrashed, RecogniserLate, SpeechError
from speech.transcript import Transcript

if TYPE_CHECKING:  # these bring numpy, which must not load in the child before its thread count is set
    from speech.engine import EngineIdentity, Heard, Transcriber

T = TypeVar("T")
Make = Callable[[], "Transcriber"]  # a picklable maker of the engine; it runs in the child
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on one child; what passes them is ended and replaced."""

    threads: int = 1
    niceness: int = 19  # 19: only what nobody else on the machine wants
    jobs: int = 200  # recordings before a child is replaced
    rss_mb: int = 4096  # resident memory after a job before a child is replaced
    decode_mb: int = 2560  # address space that decoding one file may add
    start_seconds: float = 120.0
    stall_seconds: float = 300.0  # without any sign of progress
    deadline_seconds: float = 4 * 3600.0


def whisper(
    folder: Path,
    *,
    device: Literal["auto", "cpu", "cuda"] = "auto",
    compute_type: str | None = None,
    threads: int = 1,
    profile: str = "offline",
    terms: Sequence[str] = (),
) -> Make:
    """The maker of a faster-whisper engine for a pool; nothing is loaded here."""
    return partial(
        _whisper,
        folder,
        device=device,
        compute_type=compute_type,
        threads=threads,
        profile=profile,
        terms=tuple(terms),
    )


def _whisper(folder: Path, **options: Any) -> Transcriber:
    from speech.whisper import WhisperEngine  # only the child imports the engine

    return WhisperEngine(folder, **options)


@dataclass(slots=True, eq=False)
class _Job:
    """One question to the child; a cancelled one is not asked any more."""

    name: str
    args: tuple[Any, ...]
    progress: Progress | None = None
    cancelled: threading.Event = field(default_factory=threading.Event)


class Recogniser:
    """Parent's side: one child, one recording at a time. Use it with ``with``, or close it."""

    def __init__(self, make: Make, limits: Limits | None = None) -> None:
        self._make, self._limits = pickle.dumps(make), limits or Limits()
        self._turn = threading.Lock()  # one transcription at a time
        self._child: tuple[BaseProcess, Connection] | None = None
        self._now: _Job | None = None
        self._done = 0

    def __enter__(self) -> Recogniser:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def warm_up(self) -> EngineIdentity:
        """Start the child and load the model, while calls still ring; says who will listen."""
        return cast("EngineIdentity", self._ask(_Job("identity", ())))

    def hear(
        self, path: Path, language: str, roles: Sequence[str] | None = None, progress: Progress | None = None
    ) -> Transcript:
        """Decode and transcribe one file. Raises AudioError, ModelError or RecogniserError."""
        return cast(Transcript, self._ask(_hear_job(path, language, roles, progress)))

    def hear_again(self, path: Path, language: str, channel: int, start_ms: int, end_ms: int) -> Heard:
        """One turn once more without neutral terms, before a finding on it becomes final."""
        return cast("Heard", self._ask(_Job("hear_again", (path, language, channel, start_ms, end_ms))))

    async def warmed_up(self) -> EngineIdentity:
        """``warm_up`` without holding the loop."""
        return cast("EngineIdentity", await self._off_loop(_Job("identity", ())))

    async def hear_file(
        self, path: Path, language: str, roles: Sequence[str] | None = None, progress: Progress | None = None
    ) -> Transcript:
        """``hear`` without holding the loop; a cancelled job ends its child. Progress comes from another thread."""
        return cast(Transcript, await self._off_loop(_hear_job(path, language, roles, progress)))

    async def hear_file_again(self, path: Path, language: str, channel: int, start_ms: int, end_ms: int) -> Heard:
        """``hear_again`` without holding the loop."""
        return cast("Heard", await self._off_loop(_Job("hear_again", (path, language, channel, start_ms, end_ms))))

    @property
    def pid(self) -> int | None:
        """The child's process id while one lives."""
        return self._child[0].pid if self._child else None

    def close(self) -> None:
        """End the child: politely, then firmly. The next question starts a new one."""
        with self._turn:
            self._end(politely=True)

    async def _off_loop(self, job: _Job) -> Any:
        try:
            return await asyncio.to_thread(self._ask, job)
        except asyncio.CancelledError:
            job.cancelled.set()
            child = self._child
            if self._now is job and child is not None:
                child[0].kill()  # the waiting thread sees it and cleans up
            raise

    def _ask(self, job: _Job) -> Any:
        with self._turn:
            if job.cancelled.is_set():
                raise RecogniserCrashed("the job was cancelled before it began; ask again")
            self._now = job
            try:
                process, pipe = self._child or self._start()
                pipe.send((job.name, job.args))
                answer, rss_mb = self._wait(process, pipe, job.progress, self._limits.deadline_seconds)
            except ModelError:
                self._end()
                raise
            except SpeechError as error:
                if isinstance(error, RecogniserCrashed | RecogniserLate):
                    self._end()
                raise
            except BrokenPipeError:
                self._end()
                raise RecogniserCrashed("the recogniser ended between two jobs; the job may be tried again") from None
            except BaseException:
                self._end()  # nobody knows where the child stands
                raise
            finally:
                self._now = None
            self._done += 1
            if self._done >= self._limits.jobs or rss_mb > self._limits.rss_mb:
                self._end(politely=True)
            return answer

    def _start(self) -> tuple[BaseProcess, Connection]:
        """A fresh child with its model loaded. ``spawn``: the libraries do not survive a fork."""
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        process = context.Process(
            target=_serve, args=(theirs, self._make, self._limits), name="seatwatch-recogniser", daemon=True
        )
        process.start()
        theirs.close()
        self._child, self._done = (process, ours), 0
        self._wait(process, ours, None, self._limits.start_seconds)
        return process, ours

    def _wait(
        self, process: BaseProcess, pipe: Connection, progress: Progress | None, deadline_seconds: float
    ) -> tuple[Any, int]:
        """The child's answer and its memory; a child that is silent too long, or too late, is given up."""
        until = time.monotonic() + deadline_seconds
        while True:
            patience = min(until - time.monotonic(), self._limits.stall_seconds)
            if patience <= 0 or not wait([pipe, process.sentinel], patience):
                raise RecogniserLate("the recogniser passed its deadline and was ended; try a smaller model or file")
            try:
                kind, *rest = pipe.recv() if pipe.poll() else ("gone",)
            except (EOFError, ConnectionResetError):
                kind, rest = "gone", []
            if kind == "answer":
                return rest[0], rest[1]
            if kind == "failed":
                raise rest[0]
            if kind == "gone":
                process.join(5.0)
                raise RecogniserCrashed(
                    f"the recogniser ended in the middle of its work (exit code {process.exitcode}); "
                    "the job may be tried again, and a file that does it twice should be looked at"
                )
            if progress is not None:
                progress(rest[0], rest[1])

    def _end(self, politely: bool = False) -> None:
        child, self._child = self._child, None
        if child is None:
            return
        process, pipe = child
        if politely:
            with contextlib.suppress(OSError):  # it may be gone already
                pipe.send(None)
            process.join(2.0)
        if process.is_alive():
            process.kill()
            process.join()
        pipe.close()
        process.close()


def _hear_job(path: Path, language: str, roles: Sequence[str] | None, progress: Progress | None) -> _Job:
    return _Job("hear", (path, language, None if roles is None else tuple(roles)), progress)


# ---- the child's side


def _serve(pipe: Connection, make: bytes, limits: Limits) -> None:
    """Answer jobs until told to end. It leaves by ``_exit``: the libraries' own clean-up can hang."""
    _settle(limits)
    threading.Thread(target=_leave_with_parent, daemon=True).start()
    try:
        engine: Transcriber = pickle.loads(make)()
    except SpeechError as error:
        pipe.send(("failed", error))
        os._exit(0)
    pipe.send(("answer", None, 0))
    with contextlib.suppress(EOFError):  # the parent closed its end
        while (job := pipe.recv()) is not None:
            try:
                value = _work(engine, limits, pipe, *job)
            except SpeechError as error:
                pipe.send(("failed", error))
            else:
                pipe.send(("answer", value, _memory_mb()[1]))
    os._exit(0)


def _work(engine: Transcriber, limits: Limits, pipe: Connection, name: str, args: tuple[Any, ...]) -> Any:
    from speech import audio, pipeline  # after the thread count is set

    if name == "identity":
        return engine.identity()
    path, language, *rest = args
    with _memory_bound(limits.decode_mb):
        sound = audio.decode(path)
    if name == "hear_again":
        return pipeline.hear_again(sound, engine, language, *rest)
    return pipeline.hear(sound, engine, language, rest[0], lambda done, whole: pipe.send(("progress", done, whole)))


def _settle(limits: Limits) -> None:
    """Below everything else on the machine; thread counts before any library reads them; Ctrl-C is the parent's."""
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = str(limits.threads)
    os.environ["HF_HUB_OFFLINE"] = "1"
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with contextlib.suppress(OSError):  # already as low as it goes
        os.nice(limits.niceness)
    if limits.niceness >= 19 and hasattr(os, "SCHED_IDLE"):
        with contextlib.suppress(OSError):  # not allowed everywhere
            os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))


def _leave_with_parent() -> None:
    """A killed parent must not leave a recogniser behind."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


def _memory_mb() -> tuple[int, int]:
    """Address space and resident memory of this process; zero where the system does not say."""
    try:
        size, resident = Path("/proc/self/statm").read_text(encoding="ascii").split()[:2]
    except OSError:
        return 0, 0
    page = resource.getpagesize()
    return int(size) * page >> 20, int(resident) * page >> 20


@contextlib.contextmanager
def _memory_bound(extra_mb: int) -> Iterator[None]:
    """A file that unpacks to more than its share ends in MemoryError, not in a machine without memory."""
    size_mb, _ = _memory_mb()
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    if size_mb:
        resource.setrlimit(resource.RLIMIT_AS, (size_mb + extra_mb << 20, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
