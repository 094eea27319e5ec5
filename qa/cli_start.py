"""The commands of a first day: the demonstration, a score without a database, setting a site up, running the parts."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from qa.cli_terminal import DONE, FAILED, USAGE, Actor, Json, Progress, as_json, fail, say

commands = typer.Typer()


@commands.command(epilog="Example: seatwatch demo --fast --once --json")
def demo(
    once: Annotated[
        bool, typer.Option("--once", help="End after scoring; the exit code says whether all went well.")
    ] = False,
    fast: Annotated[
        bool, typer.Option("--fast", help="All calls at once at real pace; ring times sent as event times.")
    ] = False,
    json_: Json = False,
    port: Annotated[int | None, typer.Option(help="Port of the screens.")] = None,
) -> None:
    """Play the bundled calls through the real sockets, score them, then serve the screens."""
    from qa.demo.run import run_demo

    raise typer.Exit(run_demo(once=once, fast=fast, as_json=json_, port=port, say=say))


@commands.command(epilog="Example: seatwatch score recordings/ --model ~/models/whisper-small --json")
def score(
    paths: Annotated[list[Path], typer.Argument(help="Recordings, or folders of them.", metavar="PATH…")],
    pack: Annotated[str | None, typer.Option(help="A shipped regulation or a folder; default: the setting.")] = None,
    overlay: Annotated[Path | None, typer.Option(help="What the site decided over the pack.")] = None,
    model: Annotated[str | None, typer.Option(help="Folder of a faster-whisper model.")] = None,
    lang: Annotated[str | None, typer.Option(help="Language spoken: zh or ko.")] = None,
    day: Annotated[str | None, typer.Option(help="Day whose rules apply, like 2026-03-01.")] = None,
    json_: Json = False,
) -> None:
    """Score recordings, each with an optional sidecar NAME.json (record kind `call`); needs no database."""
    from qa.score import Options, one_file, score_paths

    options = Options.read(pack=pack, overlay=overlay, model=model, language=lang, day=day)
    if not json_:  # a program gets an object for every recording, also for one that is not there
        one_file(paths)
    with Progress() as progress:
        failed = score_paths(paths, options, _printer(json_), progress.step)
    raise typer.Exit(FAILED if failed else DONE)


def _printer(json_: bool) -> Callable[[dict[str, Any]], None]:
    from qa.report import text

    return lambda result: say(as_json(result) if json_ else text(result) + "\n")


@commands.command(epilog="Example: seatwatch init --answers north.toml --people people.csv --yes")
def init(
    answers: Annotated[
        Path | None, typer.Option(help="TOML file with answers; what it has is not asked.", metavar="FILE")
    ] = None,
    given: Annotated[
        list[str] | None, typer.Option("--set", help="One answer, like pbx.host=10.1.0.5.", metavar="NAME=VALUE")
    ] = None,
    people: Annotated[Path | None, typer.Option(help="Table of people.", metavar="FILE")] = None,
    template: Annotated[
        Path | None, typer.Option(help="Write an empty table of people there, and end.", metavar="FILE")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Write without being asked.")] = False,
    anyway: Annotated[bool, typer.Option("--anyway", help="Write even if a connection does not work.")] = False,
    no_tests: Annotated[bool, typer.Option("--no-tests", help="Try no connection.")] = False,
    wait: Annotated[
        float | None, typer.Option(help="Wait so long for a test call.", metavar="SECONDS", min=1, max=600)
    ] = None,
    json_: Json = False,
    actor: Actor = None,
) -> None:
    """Set a site up: ask, or take answers from a file; try every connection; write only what is new."""
    from qa.setup.command import Options, faults_as_dict, run_init, write_template
    from qa.setup.faults import Refused

    if template is not None:
        say(write_template(template))
        return
    talks = sys.stdin.isatty() and answers is None and not json_
    options = Options(answers, given or (), people, yes, anyway, 0.0 if no_tests else wait, actor)
    try:
        outcome = run_init(options, _Terminal() if talks else None)
    except Refused as refused:
        if not json_:
            raise
        say(as_json(faults_as_dict(refused)))
        raise typer.Exit(USAGE) from None
    say(as_json(outcome.as_dict()) if json_ else outcome.as_text())
    raise typer.Exit(DONE if outcome.done else FAILED)


class _Terminal:
    """A person at this terminal."""

    def say(self, line: str) -> None:
        say(line)

    def ask(self, text: str, default: str, hidden: bool) -> str:
        told: str = typer.prompt(text, default=default, show_default=bool(default), hide_input=hidden)
        return told.strip()

    def agrees(self, text: str) -> bool:
        return typer.confirm(text)


@commands.command(epilog="Example: seatwatch serve all")
def serve(part: Annotated[str, typer.Argument(help="all, ingest, worker or web")] = "all") -> None:
    """Run the long-running parts, one or all, until stopped."""
    from qa.serve import PARTS, run_parts

    if part not in PARTS and part != "all":
        fail(f"serve: no part «{part}»; choose all, {', '.join(PARTS)}")
    raise typer.Exit(run_parts(PARTS if part == "all" else (part,), say))
