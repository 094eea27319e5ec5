"""Commands that take what other systems know: `import …`, a day reconciled, registers connected."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from qa.cli_terminal import DONE, FAILED, Actor, Json, Partial, Progress, Table, as_json, say

commands = typer.Typer()
import_app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Records and calls from other systems.")


@import_app.command("records", epilog="Example: seatwatch import records attendance.csv --kind attendance")
def import_records(
    file: Table,
    kind: Annotated[str | None, typer.Option(help="Kind of lines that do not say it themselves.")] = None,
    partial: Partial = False,
    json_: Json = False,
    actor: Actor = None,
) -> None:
    """Take records of any kind; every refused line is reported. All or nothing, and the same file twice is once."""
    _import(file, json_, kind=kind, partial=partial, actor=actor)


@import_app.command("calls", epilog="Example: seatwatch import calls recordings/ calls.csv")
def import_calls(
    paths: Annotated[
        list[Path], typer.Argument(help="Recordings, lists of calls, or folders of them.", metavar="FILE…")
    ],
    partial: Partial = False,
    json_: Json = False,
    actor: Actor = None,
) -> None:
    """Take recordings with their sidecars or list as calls, to be heard and scored; lines without one as records."""
    from qa.intake.command import import_calls

    with Progress() as progress:
        report = import_calls(paths, progress.step, partial=partial, actor=actor)
    say(as_json(report.as_dict()) if json_ else report.as_text())
    raise typer.Exit(DONE if report.clean else FAILED)


@import_app.command("queue-log", epilog="Example: seatwatch import queue-log /var/log/asterisk/queue_log --pbx main")
def import_log(
    file: Annotated[Path, typer.Argument(help="Asterisk's queue_log, or a rotated one.", metavar="FILE")],
    pbx: Annotated[str | None, typer.Option(help="Name of the switchboard; default: the only one of [[pbx]].")] = None,
    partial: Partial = False,
    json_: Json = False,
    actor: Actor = None,
) -> None:
    """Take the calls of Asterisk's own log, in its whole seconds: they fill what nobody heard live."""
    from qa.importing_log import import_queue_log

    with Progress() as progress:
        report = import_queue_log(file, progress.step, pbx=pbx, partial=partial, actor=actor)
    say(as_json(report.as_dict()) if json_ else report.as_text())
    raise typer.Exit(DONE if report.clean else FAILED)


def _import(file: Path, json_: bool, **how: Any) -> None:
    from qa.importing import import_file

    with Progress() as progress:
        report = import_file(file, progress.step, **how)
    say(as_json(report.as_dict()) if json_ else report.as_text())
    raise typer.Exit(DONE if report.clean else FAILED)


@commands.command(epilog="Example: seatwatch reconcile 2026-11-21 /var/log/asterisk/queue_log")
def reconcile(
    day: Annotated[str, typer.Argument(help="A day of the site, like 2026-11-21.", metavar="DAY")],
    files: Annotated[
        list[Path] | None,
        typer.Argument(help="queue_log, Master.csv, or lists of calls; none: show what was found.", metavar="[FILE…]"),
    ] = None,
    json_: Json = False,
    actor: Actor = None,
) -> None:
    """A day's calls by another system's list: recorded, or missing and why. Exit 1 where one is missing."""
    from qa.reconciling import reconcile_command, text

    found = reconcile_command(day, files or [], actor)
    say(as_json(found) if json_ else text(found))
    raise typer.Exit(FAILED if found["missing"] or found["refused"] else DONE)


@commands.command(epilog="Example: seatwatch register leave --since 2026-03-01")
def register(
    name: Annotated[str | None, typer.Argument(help="leave, attendance or case.", metavar="[NAME]")] = None,
    since: Annotated[str | None, typer.Option(help="From this day on: what is not in it did not happen.")] = None,
    off: Annotated[bool, typer.Option("--off", help="Not connected any more.")] = False,
    json_: Json = False,
    actor: Actor = None,
) -> None:
    """Say since when a register is connected; without a name, list them."""
    from qa.importing import register_text, set_register

    found = set_register(name, since, off, actor)
    say(as_json(found) if json_ else register_text(found))
