"""Commands that make what a sender needs to open a leg: `token stream`, `token audiosocket`."""

from __future__ import annotations

from typing import Annotated

import typer

from qa.cli_terminal import Json, as_json, say

token_app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="What a sender needs to open one leg.")

Call = Annotated[str, typer.Option(help="The call's name at this site.")]
Leg = Annotated[str, typer.Option(help="The leg's name within the call; `inbound` for a media stream.")]
Role = Annotated[str, typer.Option(help="Who speaks: agent, customer or unknown.")]
Hours = Annotated[float, typer.Option(help="Hours from now within which its leg has to begin.")]


@token_app.command("stream", epilog="Example: seatwatch token stream --call 4711 --leg agent --role agent")
def token_stream(call: Call, leg: Leg, role: Role, hours: Hours = 8, json_: Json = False) -> None:
    """A token for /stream, /pcm or /media-stream. Whoever has it may send this leg."""
    _mint("stream", call, leg, role, hours, json_)


@token_app.command(
    "audiosocket", epilog="Example: seatwatch token audiosocket --call 4711 --leg agent --role agent --hours 1"
)
def token_audiosocket(call: Call, leg: Leg, role: Role, hours: Hours = 8, json_: Json = False) -> None:
    """A one-time UUID for AudioSocket. A `leg` event with it in `audio` says whose leg it is, before or after."""
    _mint("audiosocket", call, leg, role, hours, json_)


def _mint(kind: str, call: str, leg: str, role: str, hours: float, json_: bool) -> None:
    from qa.tokens import minted

    made = minted(kind, call, leg, role, hours)
    say(as_json(made.as_dict()) if json_ else made.token)
