"""What can go wrong in speech, each with a sentence for the person who can mend it. No logging, no exit codes.

SpeechError
├── AudioError         the recording cannot be used
│   └── TooLong             nor will it ever be
├── ModelError         the model's folder or its settings cannot be used
├── LexiconError       a phrase list cannot be used (all faults at once)
└── RecogniserError    the recognising process did not answer
    ├── RecogniserCrashed   it ended in the middle of a job
    └── RecogniserLate      it passed its deadline and was ended
"""

from __future__ import annotations

from collections.abc import Sequence


class SpeechError(Exception):
    """Base of everything that speech refuses or fails at."""


class AudioError(SpeechError):
    """The recording cannot be used: where it lies, what is wrong, what to do."""

    def __init__(self, place: str, what: str, todo: str) -> None:
        super().__init__(f"{place}: {what}; {todo}")
        self.place, self.what, self.todo = place, what, todo

    def __reduce__(self) -> tuple[type[AudioError], tuple[str, str, str]]:
        return type(self), (self.place, self.what, self.todo)


class TooLong(AudioError):
    """The recording is longer than a call may be: no further try changes that."""


class ModelError(SpeechError):
    """The model's folder or its settings cannot be used: what is wrong, what to do."""


class LexiconError(SpeechError):
    """A phrase list cannot be used; ``faults`` holds every fault found."""

    def __init__(self, faults: Sequence[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = tuple(faults)

    def __reduce__(self) -> tuple[type[LexiconError], tuple[tuple[str, ...]]]:
        return type(self), (self.faults,)


class RecogniserError(SpeechError):
    """The recognising process did not answer; the job may be tried again."""


class RecogniserCrashed(RecogniserError):
    """The recognising process ended in the middle of a job; a new one takes the next job."""


class RecogniserLate(RecogniserError):
    """The recognising process passed its deadline and was ended; a new one takes the next job."""
