"""The command line: parse, build, call, print. No logic of the trade; slow imports wait for their command."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Scores every call of a call centre by the centre's own written regulation, clause by clause.",
)
packs_app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Regulations as data: check, cover, explain.")
phrases_app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Courtesy phrases and forbidden language.")
period_app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="The month: show, close, adjust, decide.")
import_app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Records and calls from other systems.")
app.add_typer(packs_app, name="packs")
app.add_typer(phrases_app, name="phrases")
app.add_typer(import_app, name="import")
app.add_typer(period_app, name="period")

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


@app.command(epilog="Example: seatwatch demo --fast --once --json")
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


@app.command(epilog="Example: seatwatch score recordings/ --model ~/models/whisper-small --json")
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
    from qa.score import Options, score_paths

    options = Options.read(pack=pack, overlay=overlay, model=model, language=lang, day=day)
    with Progress() as progress:
        failed = score_paths(paths, options, _printer(json_), progress.step)
    raise typer.Exit(FAILED if failed else DONE)


def _printer(json_: bool) -> Callable[[dict[str, Any]], None]:
    from qa.report import text

    return lambda result: say(as_json(result) if json_ else text(result) + "\n")


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


@app.command(epilog="Example: seatwatch init --answers north.toml --people people.csv --yes")
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


@app.command(epilog="Example: seatwatch serve all")
def serve(part: Annotated[str, typer.Argument(help="all, ingest, worker or web")] = "all") -> None:
    """Run the long-running parts, one or all, until stopped."""
    from qa.serve import PARTS, run_parts

    if part not in PARTS and part != "all":
        fail(f"serve: no part «{part}»; choose all, {', '.join(PARTS)}")
    raise typer.Exit(run_parts(PARTS if part == "all" else (part,), say))


@app.command(epilog="Example: seatwatch rings waiting.wav --cadence uk --json")
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


@app.command(epilog="Example: seatwatch push call.wav --call 4711 --roles agent")
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
    fast: Annotated[bool, typer.Option("--fast", help="As fast as ingest accepts instead of real pace.")] = False,
    json_: Json = False,
) -> None:
    """Stream a recording or standard input into ingest with durable acknowledgements."""
    from qa.push import Job, push_file, text

    job = Job(file, call, tuple(roles.split(",")) if roles else None, url, seat, agent, rate, encoding, fast)
    with Progress() as progress:
        report = push_file(job, progress.step)
    say(as_json(report) if json_ else text(report))


@app.command(epilog="Example: seatwatch verify --all")
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
        done = publish_command(folder, from_, shadow, actor, progress.step, _asked(yes))
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
        done = promote_command(pack, from_, actor, progress.step, _asked(yes))
    say(done.text)
    raise typer.Exit(DONE if done.published else FAILED)


@packs_app.command("list", epilog="Example: seatwatch packs list")
def packs_list(json_: Json = False) -> None:
    """Which pack scores from which day on, and what runs in the shadow."""
    from qa.publish import list_command
    from qa.publishing import listed_text

    rows = list_command()
    say(as_json(rows) if json_ else listed_text(rows))


def _asked(yes: bool, question: str = "Publish it?") -> Callable[[str], bool]:
    """Whether a person agrees to what is shown; where nobody can be asked, only --yes does."""

    def ask(shown: str) -> bool:
        if yes:
            say(shown)
            return True
        say(shown)
        return sys.stdin.isatty() and typer.confirm(question)

    return ask


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


@app.command(epilog="Example: seatwatch reconcile 2026-11-21 /var/log/asterisk/queue_log")
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


@app.command(epilog="Example: seatwatch register leave --since 2026-03-01")
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


@app.command(epilog="Example: seatwatch backtest --draft drafts/bes --from 2026-01-01 --to 2026-06-30")
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


@app.command(epilog="Example: seatwatch doctor")
def doctor(json_: Json = False) -> None:
    """Say what is set, what is installed, what runs, and what to do about what is missing."""
    from qa.doctor import examine

    report = examine()
    say(as_json(report.as_dict()) if json_ else report.as_text())
    raise typer.Exit(DONE if report.clean else FAILED)


@app.command(epilog="Example: seatwatch migrate")
def migrate(actor: Actor = None) -> None:
    """Bring the database to this release's schema."""
    from qa.admin import migrate_database

    say(migrate_database(actor))


@app.command(epilog="Example: seatwatch backup /backups/seatwatch-2026-11-21.tar")
def backup(file: Annotated[Path, typer.Argument(help="File to write.")], actor: Actor = None) -> None:
    """Write database, recordings and keys into one file."""
    from qa.admin import backup_to

    say(backup_to(file, actor))


@app.command(epilog="Example: seatwatch restore /backups/seatwatch-2026-11-21.tar")
def restore(
    file: Annotated[Path, typer.Argument(help="A file written by backup.")],
    replace: Annotated[bool, typer.Option("--replace", help="Replace what is there.")] = False,
    actor: Actor = None,
) -> None:
    """Bring back a backup; refuses to overwrite anything unless told."""
    from qa.admin import restore_from

    say(restore_from(file, replace, actor))


@app.command(epilog="Example: seatwatch purge --site demo")
def purge(
    site: Annotated[str | None, typer.Option(help="demo: take the demonstration away whole.", metavar="demo")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Take it away without being asked.")] = False,
    actor: Actor = None,
) -> None:
    """Take away recordings that are older than `retention_days`, or with --site demo the demonstration."""
    from qa.purging import purge as take_away

    done = take_away(site, actor, _asked(yes, "Take this away?"))
    say(done.text)
    raise typer.Exit(DONE if done.done else FAILED)


@app.command(epilog="Example: seatwatch bench phrases spool --json")
def bench(
    names: Annotated[list[str] | None, typer.Argument(help="Benchmarks; default: all.", metavar="[NAME…]")] = None,
    json_: Json = False,
    quick: Annotated[bool, typer.Option("--quick", help="Few runs: to see that it works, not to quote.")] = False,
) -> None:
    """Published figures, each side by side with its peer in one run."""
    from qa.bench import run_benches

    run_benches(names or [], quick, lambda row, shown: say(as_json(row) if json_ else shown))


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
