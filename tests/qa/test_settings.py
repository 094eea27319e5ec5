"""Settings: who wins, what is refused, what is never shown, and one key for all processes."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import SecretStr

from ingest.sources import fault
from qa.connections import sources as senders
from qa.settings import Settings, SettingsError, load_settings

Write = Callable[[str], None]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder without settings of any kind."""
    for name in [name for name in os.environ if name.startswith("SEATWATCH_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def faults(**given: object) -> list[str]:
    with pytest.raises(SettingsError) as error:
        load_settings(**given)
    return error.value.faults


def test_an_argument_wins_over_a_variable_and_a_variable_over_the_file(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (place / "seatwatch.toml").write_text('site = "file"\npack = "file"\ncadence = "kr"\n')
    monkeypatch.setenv("SEATWATCH_SITE", "variable")
    monkeypatch.setenv("SEATWATCH_PACK", "variable")
    found = load_settings(pack="argument", site=None)

    assert (found.pack, found.site, found.cadence, found.language) == ("argument", "variable", "kr", "zh")


def test_the_file_is_looked_for_here_then_at_home_and_a_variable_names_another(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = place / "config" / "seatwatch"
    home.mkdir(parents=True)
    (home / "seatwatch.toml").write_text('site = "home"\n')
    assert load_settings().site == "home"
    (place / "seatwatch.toml").write_text('site = "here"\n')
    assert load_settings().site == "here"
    (place / "other.toml").write_text('site = "other"\n')
    monkeypatch.setenv("SEATWATCH_SETTINGS", str(place / "other.toml"))
    assert load_settings().site == "other"


def test_all_faults_come_at_once_each_with_its_name(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEATWATCH_TIMEZONE", "Asia/Beijing")
    monkeypatch.setenv("SEATWATCH_WEB_PORT", "70000")
    monkeypatch.setenv("SEATWATCH_CADENCE", "xx")
    monkeypatch.setenv("SEATWATCH_MODLE", "small")
    monkeypatch.setenv("SEATWATCH_SITE", "Haupt Platz")
    found = faults()

    assert {line.partition(":")[0] for line in found} == {
        "SEATWATCH_MODLE", "timezone", "web_port", "cadence", "site",
    }  # fmt: skip
    assert any("Asia/Shanghai" in line for line in found)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("site = ", "seatwatch.toml"),
        ("site = \"x\"\nsite = \"y\"\n", "seatwatch.toml"),
        ("sites = \"x\"\n", "sites: no such setting"),
        ("[web]\nport = 1\n", "web: no such setting"),
        ("web_port = \"many\"\n", "web_port"),
    ],
)  # fmt: skip
def test_a_file_with_a_fault_is_named_with_what_to_do(place: Path, text: str, says: str) -> None:
    (place / "seatwatch.toml").write_text(text)

    assert says in faults()[0]


def test_a_file_that_is_no_text_is_named(place: Path) -> None:
    (place / "seatwatch.toml").write_bytes(b"\xff\xfe\x00site")

    assert "seatwatch.toml" in faults()[0]


def test_a_named_file_that_is_not_there_is_a_fault_beside_the_others(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEATWATCH_SETTINGS", str(place / "none.toml"))
    monkeypatch.setenv("SEATWATCH_NONSENSE", "1")
    found = faults()

    assert any("none.toml" in line for line in found)
    assert any("SEATWATCH_NONSENSE" in line for line in found)


def test_secrets_are_never_shown(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEATWATCH_DATABASE_URL", "postgresql://me:hidden-word@db/x")
    monkeypatch.setenv("SEATWATCH_SOURCE_KEY", "hidden-word")
    found = load_settings()

    assert found.shown()["database_url"] == found.shown()["source_key"] == "set"
    assert "hidden-word" not in f"{found.shown()} {found!r} {found}"
    assert set(found.shown()) == set(Settings.model_fields)


def test_a_fault_of_a_secret_does_not_tell_it(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (place / "seatwatch.toml").write_text('source_key = ["hidden-word"]\n')

    assert "hidden-word" not in "\n".join(faults())


def test_folders_may_begin_at_home(place: Path) -> None:
    (place / "seatwatch.toml").write_text('data = "~/calls"\noverlay = "~/site.yaml"\nrecordings = "~/voices"\n')
    found = load_settings()

    assert found.data == place / "home" / "calls"
    assert found.overlay == place / "home" / "site.yaml"
    assert found.recordings_folder == place / "home" / "voices"


def test_the_key_is_made_once_and_only_its_owner_reads_it(place: Path) -> None:
    first = load_settings(data=place / "data").secret
    path = place / "data" / "secrets" / "token.key"

    assert load_settings(data=place / "data").secret == first
    assert len(first) == 32
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [one.name for one in path.parent.iterdir()] == ["token.key"]


SHOW = "import sys; from qa.settings import load_settings; sys.stdin.read(); print(load_settings().secret.hex())"


def test_processes_that_start_together_agree_on_one_key(place: Path) -> None:
    env = {**os.environ, "SEATWATCH_DATA": str(place / "data")}
    root = Path(__file__).parents[2]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    started = [subprocess.Popen([sys.executable, "-c", SHOW], env=env, cwd=root, **pipes) for _ in range(4)]  # type: ignore[call-overload]
    for one in started:
        one.stdin.close()
        one.stdin = None
    keys = {one.communicate(timeout=60)[0].strip() for one in started}

    assert len(keys) == 1
    assert len(keys.pop()) == 64
    assert [one.name for one in (place / "data" / "secrets").iterdir()] == ["token.key"]


TERMS = """
[[sources]]
name = "cloud"
secret = "12345"
ways = ["media-stream"]
inbound_role = "agent"
call_token = false
calls = "tw-"

[siprec]
source = "sbc"
silence_seconds = 20
longest_seconds = 3600
sessions = 50
connections = 20
roles = [{ by = "aor", pattern = "sip:1???@*" }]
"""
SENDERS = """
[[sources]]
name = "hq"
keys = ["0123456789abcdef", "fedcba9876543210"]
ways = ["pcm"]
networks = ["10.0.0.0/8"]

[[pbx]]
name = "hq"
ami_user = "qa"
ami_secret = "canary-secret"
seats = { "1001" = "A01" }
"""


def test_senders_and_switchboards_are_tables_of_the_file(place: Path) -> None:
    (place / "seatwatch.toml").write_text(SENDERS)
    found = load_settings()
    known = senders(found.sources, SecretStr("k" * 16))
    first = known.by_key("fedcba9876543210")

    assert first is not None and (first.name, first.ways) == ("hq", {"pcm"})
    assert fault(first, "pcm", "10.2.3.4") is None and fault(first, "pcm", "192.168.0.1")
    assert (any_name := known.by_key("k" * 16)) is not None and any_name.writes is None
    assert found.pbx[0].seats == {"1001": "A01"}
    assert "canary-secret" not in str(found) and found.shown()["pbx"] == "hq"
    assert found.shown()["sources"] == "hq (keys set, ways pcm, networks 10.0.0.0/8)"


def test_a_media_stream_and_a_recording_server_have_terms_of_their_own(place: Path) -> None:
    (place / "seatwatch.toml").write_text(TERMS)
    found = load_settings()
    source = senders(found.sources, None).named("cloud")
    assert found.siprec is not None and source is not None
    told = found.siprec.config()

    assert (source.inbound_role, source.call_token, source.calls) == ("agent", False, "tw-")
    assert (told.source, told.silence_seconds, told.longest_seconds) == ("sbc", 20, 3600)
    assert (told.sessions, told.connections) == (50, 20)
    assert (
        found.shown()["sources"]
        == "cloud (secret set, ways media-stream, inbound_role agent, calls tw-, call_token false)"
    )
    assert "source sbc" in found.shown()["siprec"] and "sessions 50" in found.shown()["siprec"]
    assert "12345" not in f"{found.shown()} {found!r}"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("0123456789abcdef", "short"), "sources.0: keys: one is shorter than 16 characters"),
        (("10.0.0.0/8", "10.0.0.9/8"), "sources.0.networks.0: '10.0.0.9/8' is no network"),
        (('ways = ["pcm"]', 'ways = ["fax"]'), "sources.0.ways.0: Input should be"),
        (('ami_user = "qa"', 'ami_usr = "qa"'), "pbx.0.ami_user: Field required"),
        (("[[pbx]]", '[[sources]]\nname = "hq"\n[[pbx]]'), "sources: the name 'hq' stands twice"),
        (("[[pbx]]", '[[pbx]]\nari_url = "http://127.0.0.1:8088"'), "pbx.0: ari_url: needs ari_user"),
    ],
)
def test_a_fault_in_a_table_is_named_with_its_place(place: Path, change: tuple[str, str], says: str) -> None:
    (place / "seatwatch.toml").write_text(SENDERS.replace(*change, 1))
    assert any(fault.startswith(says) for fault in faults())


def test_machines_that_hand_over_need_one_database_and_one_folder_of_recordings(place: Path) -> None:
    assert load_settings(data=place).lacking_to_share == []
    found = load_settings(handover=place / "shared").lacking_to_share
    assert [one.partition(":")[0] for one in found] == ["database_url", "recordings"]
    whole = load_settings(
        handover=place / "shared", recordings=place, database_url="postgresql://127.0.0.1/x", machine="in-1"
    )
    assert (whole.lacking_to_share, whole.shared_spool, whole.machine_name) == ([], place / "shared" / "main", "in-1")


def test_the_demo_hands_nothing_over(place: Path) -> None:
    assert load_settings(handover=place, site="demo").shared_spool is None


def test_a_machine_without_a_name_has_that_of_its_host(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("qa.settings.socket.gethostname", lambda: "in 1.example/..")
    assert load_settings(data=place).machine_name == "in-1-example"


def test_a_shared_key_is_read_and_never_made(place: Path) -> None:
    path = place / "token.key"
    with pytest.raises(SettingsError, match=r"copy secrets/token\.key of the first machine"):
        _ = load_settings(token_key=path).secret
    assert not path.exists()
    path.write_bytes(b"short")
    with pytest.raises(SettingsError, match="at least 16"):
        _ = load_settings(token_key=path).secret
    path.write_bytes(bytes(range(32)))
    assert load_settings(token_key=path).secret == bytes(range(32))
