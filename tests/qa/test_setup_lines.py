"""What first set-up and `doctor` say of a switchboard: log-in, rights, clock, a call seen, a leg heard; and of TLS."""

from __future__ import annotations

import asyncio
import socket
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ingest.ami import Block
from qa.connections import PbxTable
from qa.settings import Settings
from qa.setup import lines, looks
from qa.setup.looks import Finding
from tests.ingest.ami_script import block
from tests.ingest.ami_server import SECRET, USER, Pbx, manager_port
from tests.ingest.ari_server import Switchboard, switchboard
from tests.qa.lab import settings

SEATS = {"1001": "S01"}


def table(ami: Pbx, ari: Switchboard | None = None, **own: Any) -> PbxTable:
    told: dict[str, Any] = {"name": "hq", "ami_port": ami.port, "ami_user": USER, "ami_secret": SECRET, "seats": SEATS}
    if ari is not None:
        told |= {"ari_url": ari.url, "ari_user": "taps", "ari_secret": "right"}
    return PbxTable(**(told | own))


def clock(ami: Pbx, ahead_s: float = 0) -> Any:
    return lambda: datetime.fromtimestamp(ami.clock - ahead_s, UTC)


def codes(found: list[Finding]) -> dict[str, str]:
    return {one.check: one.code for one in found}


async def test_a_switchboard_that_is_well_is_said_to_be(tmp_path: Path) -> None:
    async with manager_port() as ami, switchboard() as ari:
        found = await lines.switchboard(settings(tmp_path), table(ami, ari), clock(ami))

    assert [one.advice for one in found] == ["", "", ""]
    assert codes(found) == {"ami": "", "clock": "", "ari": ""}
    assert "Asterisk Call Manager/11.0.0" in found[0].found


@pytest.mark.parametrize(
    ("may", "code", "says"),
    [
        (("CoreShowChannels", "Originate", "Command"), "ami_too_much", "may also Command, Originate"),
        (("Ping",), "ami_too_little", "write=reporting"),
    ],
)
async def test_too_many_rights_and_too_few_are_warned_of(may: tuple[str, ...], code: str, says: str) -> None:
    async with manager_port() as ami:
        ami.may = may
        found = await lines.manager(table(ami).ami(), clock(ami))

    assert [(one.code, one.fatal) for one in found if one.check == "rights"] == [(code, False)]
    assert says in found[1].advice


@pytest.mark.parametrize(("ahead_s", "says"), [(1.9, ""), (2.1, "NTP"), (-60, "NTP")])
async def test_a_clock_that_differs_is_named(ahead_s: float, says: str) -> None:
    async with manager_port() as ami:
        found = await lines.manager(table(ami).ami(), clock(ami, ahead_s))

    assert found[-1].check == "clock" and says in found[-1].advice
    assert bool(found[-1].advice) is bool(says)


async def test_a_wrong_secret_a_closed_port_and_a_wrong_name_are_told_apart(tmp_path: Path) -> None:
    async with manager_port() as ami, switchboard() as ari:
        wrong = await lines.switchboard(
            settings(tmp_path), table(ami, ari, ami_secret="no", ari_secret="no"), clock(ami)
        )
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
    closed = await lines.manager(table(ami, ami_port=port).ami(), clock(ami))
    unknown = await lines.manager(table(ami, host="no-such-host.invalid").ami(), clock(ami))

    assert codes(wrong) == {"ami": "ami_refused", "ari": "ari_refused"}
    assert all(one.bad for one in wrong)
    assert "manager.conf" in wrong[0].advice and "ari.conf" in wrong[1].advice
    assert codes(closed) == codes(unknown) == {"ami": "ami_away"}
    assert SECRET not in repr([wrong, closed, unknown])


def ringing() -> list[Block]:
    """A call that rings at seat 1001, as the manager port tells it."""
    told = ["0 Newchannel cust CallerIDNum=1390", "1 Newchannel s1", "1.1 DialBegin cust>s1",
            "1.2 Newstate s1 Ringing", "1.2 DialState cust>s1 DialStatus=RINGING"]  # fmt: skip
    return [block(one) for one in told]


async def test_one_call_is_seen_and_one_leg_of_it_heard(tmp_path: Path) -> None:
    """Over a switchboard's own ports: its news, our tap, its media that dials us."""
    here = settings(tmp_path, audiosocket_port=0)
    async with manager_port() as ami, switchboard() as ari:
        ari.channels |= {"100.1", "100.2"}
        waiting = asyncio.create_task(lines.one_call(here, table(ami, ari), 20))
        await ami.until_asked("Login", 2)
        await ari.until(lambda: bool(ari.sockets))
        await ami.until_asked("DeviceStateList")
        ami.say(*ringing())
        found = await waiting
        await ari.until(lambda: not ari.ours())  # what the test made is taken away

    assert [(one.check, one.advice) for one in found] == [("call", ""), ("leg", "")]
    assert found[1].found.startswith("audio of the ")


async def test_without_a_call_the_wait_ends_with_what_to_try(tmp_path: Path) -> None:
    async with manager_port() as ami, switchboard() as ari:
        found = await lines.one_call(settings(tmp_path, audiosocket_port=0), table(ami, ari), 0.3)

    assert codes(found) == {"call": "call_none", "leg": "leg_none"}
    assert "read=call" in found[0].advice and "AudioSocket" in found[1].advice


async def test_a_call_of_a_seat_says_whose_it_is() -> None:
    async with manager_port() as ami:
        waiting = asyncio.create_task(lines.seen(table(ami).ami(), 20))
        await ami.until_asked("ListCommands")
        ami.say({"Event": "Newchannel", "Channel": "Snoop/1"}, block("1 Newchannel s1"))
        found = await waiting

    assert found[0].found == "PJSIP/1001-0000000b, seat S01"


# --- this machine


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate for ten days and its key."""
    home = tmp_path_factory.mktemp("tls")
    cert, key = home / "cert.pem", home / "key.pem"
    made = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days",
            "10", "-subj", "/CN=x", "-keyout", str(key), "-out", str(cert)]  # fmt: skip
    subprocess.run(made, check=True, capture_output=True)
    return cert, key


def test_a_certificate_says_until_when_it_is_good(pair: tuple[Path, Path], tmp_path: Path) -> None:
    now = datetime.now(UTC)
    here = settings(tmp_path, tls_cert=pair[0], tls_key=pair[1])

    def code(at: datetime) -> list[tuple[str, bool]]:
        return [(one.code, one.bad) for one in looks.certificate(here, at)]

    assert code(now - timedelta(days=30)) == [("", False)]
    assert code(now) == [("tls_ends", False)]
    assert code(now + timedelta(days=11)) == [("tls_ends", True)]
    assert list(looks.certificate(settings(tmp_path), now)) == []


def test_a_pair_that_does_not_fit_and_a_file_that_is_none_are_named(pair: tuple[Path, Path], tmp_path: Path) -> None:
    (tmp_path / "no.pem").write_text("nothing")
    for cert, key in ((pair[1], pair[1]), (tmp_path / "no.pem", pair[1]), (tmp_path / "missing.pem", pair[1])):
        (found,) = looks.certificate(settings(tmp_path, tls_cert=cert, tls_key=key), datetime.now(UTC))
        assert found.bad and found.code == "tls_broken"


def test_a_watched_folder_and_the_port_of_siprec_are_looked_at(tmp_path: Path) -> None:
    (tmp_path / "drop").mkdir()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", 0))
        here = settings(tmp_path, watch={"folder": tmp_path / "drop"}, siprec={"port": other.getsockname()[1]})
        ports = {one.what: one.code for one in looks.ports(here)}
    assert ports["port of SIPREC"] == "port_taken"
    assert [one.advice for one in looks.watched(here)] == [""]
    gone = settings(tmp_path, watch={"folder": tmp_path / "gone"})
    assert [one.bad for one in looks.watched(gone)] == [True]


def test_recording_says_what_is_missing_and_the_demo_needs_nothing(tmp_path: Path) -> None:
    def found(**own: Any) -> Finding:
        return next(iter(looks.recording(settings(tmp_path, **own))))

    assert "announcement" in found(retention_days=3).advice and "retention_days" not in found(retention_days=3).advice
    assert found(announcement="told", retention_days=3).advice == ""
    assert found(site="demo").advice == ""


def test_settings_without_tables_name_no_secret() -> None:
    assert "open sesame" not in repr(Settings(pbx=({"name": "a", "ami_user": "u", "ami_secret": SECRET},)))
