"""Commands about calls and their sound: rings heard, a recording streamed in, runs replayed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from qa.cli_terminal import DONE, FAILED, Json, Progress, as_json, fail, say

commands = typer.Typer()


@commands.command(epilog="Example: seatwatch rings waiting.wav --cadence uk --json")
def rings(
    file: Annotated[Path, typer.Argument(help="A recording of the caller's side.", metavar="FILE")],
    cadence: Annotated[
        str | None, typer.Option(help="cn, kr, us … or one of the settings; default: the site's.")
    ] = None,
    json_: Json = False,
) -> None:
    """The rings that are heard in a recording, with times; the count, or why it is unknown."""
    from qa.rings import rings_command, text

    found = rings_command(file, cadence)
    say(as_json(found) if json_ else text(found))


@commands.command(epilog="Example: seatwatch push call.wav --call 4711 --roles agent --source acd")
def push(
    file: Annotated[str, typer.Argument(help="A recording, or - for raw samples on standard input.")],
    call: Annotated[str | None, typer.Option(help="Id of the call; default: the file's name.")] = None,
    roles: Annotated[
        str | None, typer.Option(help="Who speaks by channel; default: customer,agent, or unknown for one channel.")
    ] = None,
    url: Annotated[str | None, typer.Option(help="Where ingest listens; default: this machine.")] = None,
    seat: Annotated[str | None, typer.Option(help="Seat of the call.")] = None,
    agent: Annotated[str | None, typer.Option(help="Agent of the call.")] = None,
    rate: Annotated[int, typer.Option(help="Samples a second of standard input.")] = 8000,
    encoding: Annotated[str, typer.Option(help="Samples of standard input: slin, ulaw or alaw.")] = "slin",
    source: Annotated[
        str | None, typer.Option(help="Source to write as, with its key if [[sources]] has it.", metavar="NAME")
    ] = None,
    fast: Annotated[bool, typer.Option("--fast", help="As fast as ingest accepts instead of real pace.")] = False,
    json_: Json = False,
) -> None:
    """Stream a recording or standard input into ingest with durable acknowledgements."""
    from qa.push import Job, push_file, text

    job = Job(file, call, tuple(roles.split(",")) if roles else None, url, seat, agent, rate, encoding, fast, source)
    with Progress() as progress:
        report = push_file(job, progress.step)
    say(as_json(report) if json_ else text(report))


@commands.command(epilog="Example: seatwatch verify --all")
def verify(
    calls: Annotated[list[str] | None, typer.Argument(help="Calls to replay.", metavar="[CALL…]")] = None,
    all_: Annotated[bool, typer.Option("--all", help="Every run, and the whole hash chain.")] = False,
    site: Annotated[str | None, typer.Option(help="One site; default: all sites.")] = None,
    json_: Json = False,
) -> None:
    """Replay runs to the byte and walk the ledger's hash chain; every difference is named."""
    from qa.verify import verify_calls

    if not calls and not all_:
        fail("verify: name calls, or --all for every run and the chain")
    with Progress() as progress:
        report = verify_calls(calls or [], all_, site, progress.step)
    say(as_json(report.as_dict()) if json_ else report.as_text())
    raise typer.Exit(DONE if report.clean else FAILED)
