"""Commands about regulations and phrases: `packs …`, `phrases …`, and what a draft would change."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from qa.cli_terminal import DONE, FAILED, Actor, Json, Progress, as_json, asked, say

commands = typer.Typer()
packs_app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Regulations as data: check, cover, explain.")
phrases_app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Courtesy phrases and forbidden language.")


@packs_app.command(
    "check", epilog="Example: seatwatch packs check scoring/packs/bes --sources ../shared/regulations/sources"
)
def packs_check(
    folder: Annotated[
        Path | None, typer.Argument(help="A pack's folder; default: all that are shipped.", metavar="[DIR]")
    ] = None,
    sources: Annotated[
        Path | None, typer.Option(help="Folder with the regulations' texts, to prove every quote.")
    ] = None,
    json_: Json = False,
) -> None:
    """Validate packs: form, phrases, and with --sources every quote against the regulation's text."""
    from qa.packs import check

    report = check(folder, sources)
    say(as_json(report.as_dict()) if json_ else report.as_text())
    raise typer.Exit(DONE if report.clean else FAILED)


@packs_app.command("coverage", epilog="Example: seatwatch packs coverage bes --json")
def packs_coverage(
    pack: Annotated[str | None, typer.Argument(help="A pack; default: all.", metavar="[PACK]")] = None,
    json_: Json = False,
) -> None:
    """Every clause: how it is decided, what it needs, whether those facts arrive at this site."""
    from qa.coverage import coverage_command, coverage_text

    found = coverage_command(pack)
    say(as_json(found) if json_ else coverage_text(found, one=pack is not None))


@packs_app.command("golden", epilog="Example: seatwatch packs golden scenarios.yaml --only EX-1")
def packs_golden(
    files: Annotated[list[Path], typer.Argument(help="Files of scenarios.", metavar="FILE…")],
    only: Annotated[str | None, typer.Option(help="One scenario, by its id.", metavar="ID")] = None,
    json_: Json = False,
) -> None:
    """Play worked scenarios: records in, results out; closes with `N passed, N failed`."""
    from qa.golden import run_files

    report = run_files(files, only)
    say(as_json(report.as_dict()) if json_ else report.as_text())
    raise typer.Exit(DONE if report.clean else FAILED)


@packs_app.command("show", epilog="Example: seatwatch packs show BES-16")
def packs_show(rule: Annotated[str, typer.Argument(help="A rule's id.")], json_: Json = False) -> None:
    """Explain one rule: clause, quote, class, needs, settings, assumed values, test in words."""
    from qa.packs import show, show_text

    found = show(rule)
    say(as_json(found) if json_ else show_text(found))


@packs_app.command("publish", epilog="Example: seatwatch packs publish drafts/bes --from 2026-12-01 --yes")
def packs_publish(
    folder: Annotated[Path, typer.Argument(help="The pack's folder.", metavar="DIR")],
    from_: Annotated[str, typer.Option("--from", metavar="DAY", help="From this day on it scores.")],
    shadow: Annotated[
        bool, typer.Option("--shadow", help="Let it run beside the pack that scores, for no points.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Publish without being asked.")] = False,
    actor: Actor = None,
) -> None:
    """Make a pack the site's from a day on: its own tests first, then what it changes over the archive, then you."""
    from qa.publish import publish_command

    with Progress() as progress:
        done = publish_command(folder, from_, shadow, actor, progress.step, asked(yes))
    say(done.text)
    raise typer.Exit(DONE if done.published else FAILED)


@packs_app.command("promote", epilog="Example: seatwatch packs promote bes --from 2026-12-01 --yes")
def packs_promote(
    pack: Annotated[str, typer.Argument(help="Id of a pack in the shadow.")],
    from_: Annotated[str, typer.Option("--from", metavar="DAY", help="From this day on it scores.")],
    yes: Annotated[bool, typer.Option("--yes", help="Promote without being asked.")] = False,
    actor: Actor = None,
) -> None:
    """Let a pack that ran in the shadow score from a day on; shows first what that changes over the archive."""
    from qa.publish import promote_command

    with Progress() as progress:
        done = promote_command(pack, from_, actor, progress.step, asked(yes))
    say(done.text)
    raise typer.Exit(DONE if done.published else FAILED)


@packs_app.command("list", epilog="Example: seatwatch packs list")
def packs_list(json_: Json = False) -> None:
    """Which pack scores from which day on, and what runs in the shadow."""
    from qa.publish import list_command
    from qa.publishing import listed_text

    rows = list_command()
    say(as_json(rows) if json_ else listed_text(rows))


@phrases_app.command("test", epilog="Example: seatwatch phrases test dialogues.yaml")
def phrases_test(
    files: Annotated[list[Path], typer.Argument(help="YAML lists of dialogues.", metavar="FILE…")],
    json_: Json = False,
) -> None:
    """Run dialogues against the phrase rules; closes with `N passed, N failed`."""
    from qa.phrases import run_files

    report = run_files(files)
    say(as_json(report.as_dict()) if json_ else report.as_text())
    raise typer.Exit(DONE if report.clean else FAILED)


@commands.command(epilog="Example: seatwatch backtest --draft drafts/bes --from 2026-01-01 --to 2026-06-30")
def backtest(
    draft: Annotated[Path, typer.Option(help="A pack's folder, an overlay's file, or phrase lists (folder or file).")],
    from_: Annotated[str | None, typer.Option("--from", metavar="DAY", help="First day; default: the first.")] = None,
    to: Annotated[str | None, typer.Option("--to", metavar="DAY", help="Last day; default: the last.")] = None,
    months: Annotated[
        bool, typer.Option("--months", help="Decide the months again too, with records: grades, fines, pay.")
    ] = False,
    processes: Annotated[int, typer.Option(help="Processes that score at the same time.", min=1, max=64)] = 2,
    json_: Json = False,
) -> None:
    """What a draft would change over the archive: findings, points and money by agent. A killed one goes on."""
    from qa.backtest.run import backtest_command

    with Progress() as progress:
        result = backtest_command(draft, from_, to, progress.step, processes, with_months=months)
    say(as_json(result.as_dict()) if json_ else result.as_text())
