"""The command line: which commands there are, and how a command ends. The commands stand in `qa/cli_….py`.

No logic of the trade anywhere there: parse, build, call, print; slow imports wait for their command.
"""

from __future__ import annotations

import sys

import typer

from qa import cli_calls, cli_house, cli_packs, cli_period, cli_records, cli_start, cli_token
from qa.cli_terminal import FAILED

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Scores every call of a call centre by the centre's own written regulation, clause by clause.",
)
COMMANDS = (cli_start, cli_calls, cli_records, cli_packs, cli_house)  # in the order of --help
GROUPS = {
    "packs": cli_packs.packs_app,
    "phrases": cli_packs.phrases_app,
    "import": cli_records.import_app,
    "period": cli_period.period_app,
    "token": cli_token.token_app,
}
for module in COMMANDS:
    app.add_typer(module.commands)
for name, group in GROUPS.items():
    app.add_typer(group, name=name)


def main() -> None:
    """Entry point: every fault of the user or the set-up ends in its letter, never in a traceback."""
    from qa.letters import letters

    # A child process imports the main module again. An installed script may run the command as it is imported; this
    # module does not, so children are told that it is the main one.
    sys.modules["__main__"].__spec__ = sys.modules[__name__].__spec__
    try:
        app(standalone_mode=True)
    except KeyboardInterrupt:
        sys.stderr.write("seatwatch: stopped\n")
        sys.exit(130)
    except BrokenPipeError:
        sys.exit(FAILED)
    except Exception as error:
        lines, code = letters(error)
        if lines is None:
            raise
        for line in lines:
            sys.stderr.write(f"seatwatch: {line}\n")
        sys.exit(code)


if __name__ == "__main__":
    main()
