"""Commands about the month: `period …`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from qa.cli_terminal import Actor, Json, Progress, as_json, fail, say

period_app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="The month: show, close, adjust, decide.")

Month = Annotated[str, typer.Argument(help="A month, like 2026-10.", metavar="MONTH")]
Team = Annotated[str | None, typer.Option(help="One team only.")]
Reason = Annotated[str, typer.Option(help="Why; it stands on the sheet.")]


@period_app.command("show", epilog="Example: seatwatch period show 2026-10 --agent A01 --html sheets/ --lang zh-CN")
def period_show(
    month: Month,
    team: Team = None,
    agent: Annotated[str | None, typer.Option(help="One person only, with every line and its evidence.")] = None,
    html: Annotated[Path | None, typer.Option(help="Folder for sheets to print, one file each.", metavar="DIR")] = None,
    xlsx: Annotated[Path | None, typer.Option(help="Workbook to write.", metavar="FILE")] = None,
    lang: Annotated[str | None, typer.Option(help="Language of the sheets: zh-CN, ko or en.")] = None,
    json_: Json = False,
    actor: Actor = None,
) -> None:
    """Scores, grades, ranks, pay effects, ladders, recommendations, what is undecided and what waits."""
    from qa.period import Only
    from qa.period_files import show

    with Progress() as progress:
        shown, written = show(month, Only(team, agent), actor, progress.step, html, xlsx, lang)
    say(as_json({**shown.as_dict(), "files": [str(one) for one in written]}) if json_ else shown.as_text())
    if not json_:
        for one in written:
            say(f"written: {one}")


@period_app.command("close", epilog="Example: seatwatch period close 2026-10 --as kim")
def period_close(month: Month, team: Team = None, json_: Json = False, actor: Actor = None) -> None:
    """Freeze a month that is over, for the whole site; --team only narrows what is printed."""
    from qa.period import Only
    from qa.period_files import close

    with Progress() as progress:
        shown = close(month, Only(team), actor, progress.step)
    say(as_json(shown.as_dict()) if json_ else shown.as_text())


@period_app.command("adjust", epilog="Example: seatwatch period adjust 2026-10 --agent A01 --points 2 --reason appeal")
def period_adjust(
    month: Month,
    reason: Reason,
    agent: Annotated[str | None, typer.Option(help="Whose month.")] = None,
    team: Annotated[str | None, typer.Option(help="Everybody of a team alike.")] = None,
    points: Annotated[str, typer.Option(help="Points, signed from the person's side.")] = "0",
    pay: Annotated[str, typer.Option(help="Yuan, signed from the person's side.")] = "0",
    json_: Json = False,
    actor: Actor = None,
) -> None:
    """Adjust a closed month by hand, signed with your name; the next open month carries it."""
    from qa.period import Only
    from qa.period_files import adjust

    if (agent is None) == (team is None):
        fail("period adjust: name --agent or --team, one of them")
    for made in adjust(month, Only(team, agent), points, pay, reason, actor):
        told = f"{made['agent']}: {made['points']} points, {made['pay']} yuan for {month}, carried in {made['carried']}"
        say(as_json(made) if json_ else f"{told} (by {made['by']}: {made['reason']})")


@period_app.command(
    "decide", epilog="Example: seatwatch period decide 2026-10 A01 dismissal review --reason 'heard A01'"
)
def period_decide(
    month: Month,
    agent: Annotated[str, typer.Argument(help="Whom it concerns.")],
    kind: Annotated[str, typer.Argument(help="What is recommended, as `period show` names it.")],
    verb: Annotated[str, typer.Argument(help="review, approve or reject.")],
    reason: Reason,
    json_: Json = False,
    actor: Actor = None,
) -> None:
    """Review, approve or reject a recommendation; a dismissal takes two people."""
    from qa.period_files import decide

    made = decide(month, agent, kind, verb, reason, actor)
    law = f"; mind {', '.join(made['caution'])}" if made["caution"] else ""
    say(as_json(made) if json_ else f"{agent} {month}: {kind} is {made['state']}{law}")


@period_app.command("money", epilog="Example: seatwatch period money record_only")
def period_money(
    mode: Annotated[str | None, typer.Argument(help="off, record_only or payroll_export.", metavar="[MODE]")] = None,
    signed_off_by: Annotated[str | None, typer.Option(help="Who signed for paying out.")] = None,
    json_: Json = False,
    actor: Actor = None,
) -> None:
    """How far money is on at this site; it is off until you set it."""
    from qa.period_files import money

    made = money(mode, signed_off_by, actor)
    signed = f", signed off by {made['signed_off_by']}" if made["signed_off_by"] else ""
    say(as_json(made) if json_ else f"money: {made['money']}{signed}")
