"""Commands for whoever keeps the house: a look at it, its schema, backups, what is old, figures."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from qa.cli_terminal import DONE, FAILED, Actor, Json, as_json, asked, say

commands = typer.Typer()


@commands.command(epilog="Example: seatwatch doctor")
def doctor(json_: Json = False) -> None:
    """Say what is set, what is installed, what runs, and what to do about what is missing."""
    from qa.doctor import examine

    report = examine()
    say(as_json(report.as_dict()) if json_ else report.as_text())
    raise typer.Exit(DONE if report.clean else FAILED)


@commands.command(epilog="Example: seatwatch migrate")
def migrate(actor: Actor = None) -> None:
    """Bring the database to this release's schema."""
    from qa.admin import migrate_database

    say(migrate_database(actor))


@commands.command(epilog="Example: seatwatch backup /backups/seatwatch-2026-11-21.tar")
def backup(file: Annotated[Path, typer.Argument(help="File to write.")], actor: Actor = None) -> None:
    """Write database, recordings and keys into one file."""
    from qa.admin import backup_to

    say(backup_to(file, actor))


@commands.command(epilog="Example: seatwatch restore /backups/seatwatch-2026-11-21.tar")
def restore(
    file: Annotated[Path, typer.Argument(help="A file written by backup.")],
    replace: Annotated[bool, typer.Option("--replace", help="Replace what is there.")] = False,
    actor: Actor = None,
) -> None:
    """Bring back a backup; refuses to overwrite anything unless told."""
    from qa.admin import restore_from

    say(restore_from(file, replace, actor))


@commands.command(epilog="Example: seatwatch purge --site demo")
def purge(
    site: Annotated[str | None, typer.Option(help="demo: take the demonstration away whole.", metavar="demo")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Take it away without being asked.")] = False,
    actor: Actor = None,
) -> None:
    """Take away recordings that are older than `retention_days`, or with --site demo the demonstration."""
    from qa.purging import purge as take_away

    done = take_away(site, actor, asked(yes, "Take this away?"))
    say(done.text)
    raise typer.Exit(DONE if done.done else FAILED)


@commands.command(epilog="Example: seatwatch bench phrases spool --json")
def bench(
    names: Annotated[list[str] | None, typer.Argument(help="Benchmarks; default: all.", metavar="[NAME…]")] = None,
    json_: Json = False,
    quick: Annotated[bool, typer.Option("--quick", help="Few runs: to see that it works, not to quote.")] = False,
) -> None:
    """Published figures, each side by side with its peer in one run."""
    from qa.bench import run_benches

    run_benches(names or [], quick, lambda row, shown: say(as_json(row) if json_ else shown))
