"""What commands share at a terminal: options of one meaning, what is printed, a question, progress, how they end."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
Table = Annotated[Path, typer.Argument(help="JSON Lines, JSON, YAML, CSV or XLSX.", metavar="FILE")]
Partial = Annotated[bool, typer.Option("--partial", help="Take the lines that are right, even if others are not.")]
Actor = Annotated[str | None, typer.Option("--as", metavar="NAME", help="Who does this; default: your login name.")]
DONE, FAILED, USAGE = 0, 1, 2


def say(text: str) -> None:
    """Print for people or programs on standard output."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def fail(lines: Iterable[str] | str, code: int = USAGE) -> NoReturn:
    """Print what is wrong and what to do on standard error, and end."""
    for line in [lines] if isinstance(lines, str) else lines:
        sys.stderr.write(f"seatwatch: {line}\n")
    raise typer.Exit(code)


def as_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(", ", ": "))


def asked(yes: bool, question: str = "Publish it?") -> Callable[[str], bool]:
    """Whether a person agrees to what is shown; where nobody can be asked, only --yes does."""

    def ask(shown: str) -> bool:
        say(shown)
        return yes or (sys.stdin.isatty() and typer.confirm(question))

    return ask


class Progress:
    """A progress bar on standard error; silent when that is no terminal."""

    def __init__(self, total: int | None = None) -> None:
        from rich.console import Console
        from rich.progress import Progress as Bar

        self.bar = Bar(console=Console(stderr=True), disable=not sys.stderr.isatty(), transient=True)
        self.task = self.bar.add_task("", total=total)

    def __enter__(self) -> Progress:
        self.bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.bar.stop()

    def step(self, done: int, total: int, what: str) -> None:
        self.bar.update(self.task, completed=done, total=total, description=what)
