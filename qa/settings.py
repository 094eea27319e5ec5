"""Settings of one installation: a TOML file and SEATWATCH_… variables, checked once, printable without secrets.

The only reader of the environment. Nothing is opened here but the settings file and the key of tokens.
"""

from __future__ import annotations

import os
import secrets
import socket
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from qa.connections import NetworkText, PbxTable, SiprecTable, SourceTable, WatchTable

PREFIX = "SEATWATCH_"
TABLES = ("sources", "pbx")  # of the settings file only


class SettingsError(Exception):
    """Settings that cannot be used; every fault is one line: name, what, what to do."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


def default_data() -> Path:
    """Where a user's programs keep data, by the XDG convention."""
    base = os.environ.get("XDG_DATA_HOME") or "~/.local/share"
    return Path(base).expanduser() / "seatwatch"


class Settings(BaseSettings):
    """Every setting with its default; the variable is SEATWATCH_ and the name in capitals."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="forbid", frozen=True, hide_input_in_errors=True)

    data: Path = Field(default_factory=default_data, description="folder of database, spool, recordings and keys")
    database_url: SecretStr | None = Field(None, description="PostgreSQL 17 or newer; absent = the embedded server")
    pg_bin: Path | None = Field(None, description="folder with postgres and initdb for the embedded server")
    site: str = Field("main", pattern=r"^[a-z0-9][a-z0-9-]{0,31}$", description="short name of the site")
    timezone: str = Field("Asia/Shanghai", description="time zone of the site's days and months")
    language: Literal["zh", "ko"] = Field("zh", description="language of the calls")
    cadences: dict[str, str] = Field(default_factory=dict, description="further cadences: name = seconds and tone")
    cadence: str = Field("cn", description="ring cadence of the country: cn, kr, us …, or one of `cadences`")
    pack: str = Field("bes", description="regulation that scores: a shipped name or a folder")
    overlay: Path | None = Field(None, description="YAML file with what the site decided over the pack")
    model: str | None = Field(None, description="folder of a faster-whisper model; `fixture` hears the demo calls only")
    device: Literal["auto", "cpu", "cuda"] = Field("auto", description="where the speech model runs")
    compute_type: str = Field("default", description="number format of the model: int8, float16 …; default = by device")
    speech_workers: int = Field(1, ge=1, le=64, description="transcriptions at a time")
    speech_threads: int = Field(1, ge=1, le=64, description="threads of one transcription")
    host: str = Field("127.0.0.1", description="address the ingest sockets listen on")
    audiosocket_port: int = Field(9092, ge=0, le=65535, description="AudioSocket, TCP")
    ingest_port: int = Field(9093, ge=0, le=65535, description="/events and /stream")
    web_host: str = Field(
        "127.0.0.1", description="address of the screens and the API; loopback only until login exists"
    )
    web_port: int = Field(8080, ge=0, le=65535, description="screens and API")
    ingest_share: bool = Field(False, description="several ingest processes of this machine share the ports")
    handover: Path | None = Field(None, description="folder that all machines of the site share; absent = one machine")
    machine: str | None = Field(
        None, pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$", description="this machine's own name; absent = its host name"
    )
    token_key: Path | None = Field(None, description="key that signs UUIDs and tokens; absent = one in the data folder")
    source_key: SecretStr | None = Field(None, description="key that senders must show; absent = none asked (loopback)")
    tls_cert: Path | None = Field(None, description="PEM certificate of the ingest port; absent = no TLS")
    tls_key: Path | None = Field(None, description="its private key, without a pass phrase")
    audiosocket_networks: tuple[NetworkText, ...] = Field((), description="where AudioSocket comes from; none = any")
    sources: tuple[SourceTable, ...] = Field((), description="senders with keys and limits of their own")
    pbx: tuple[PbxTable, ...] = Field((), description="switchboards that ingest logs in to")
    siprec: SiprecTable | None = Field(None, description="recording server for SIPREC; absent = none")
    public_url: str | None = Field(None, description="what cloud senders call, as in wss://HOST; absent = what arrives")
    watch: WatchTable | None = Field(None, description="folder whose recordings are taken in as they come")
    recordings: Path | None = Field(None, description="folder of recordings; absent = in the data folder")
    start_day: date | None = Field(None, description="first day whose calls are heard and scored; absent = any")
    announcement: str | None = Field(
        None, max_length=2000, description="what callers are told about the recording; needed to record"
    )
    retention_days: int | None = Field(
        None, ge=1, le=36500, description="so long recordings are kept; needed to record"
    )
    silent_call_minutes: int = Field(
        240, ge=1, description="a call of which nothing came for so long is taken for over"
    )
    keep_flac: bool = Field(False, description="keep the lossless recording after the transcript is stored")
    busy_reasons: dict[str, str] = Field(
        default_factory=dict, description="the switchboard's word for being busy = ours: break, meeting, training …"
    )
    alarm_rings: int = Field(3, ge=1, le=100, description="board: a ring after this one is an alarm")
    alarm_away_seconds: int = Field(300, ge=1, description="board: nobody at a seat, and not excused, for longer")
    alarm_unreachable_seconds: int = Field(10, ge=0, description="board: a phone that cannot be reached for longer")
    alarm_silent_seconds: int = Field(30, ge=1, description="board: a call without voice for longer")
    alarm_silent_dbfs: float = Field(-50, ge=-100, lt=0, description="board: what stays below this peak is no voice")
    alarm_wrap_up_seconds: int = Field(120, ge=1, description="board: wrap-up that takes longer")
    alarm_work_minutes: int = Field(450, ge=1, description="board: continuous work of an agent for longer")
    alarm_rest_minutes: int = Field(30, ge=1, description="an interruption this long ends continuous work")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="how much is logged")
    fault: str = Field("", description="`point:n`: kill this process at the n-th passing of a named point (tests)")

    @field_validator("data", "pg_bin", "overlay", "tls_cert", "tls_key", "handover", "token_key")
    @classmethod
    def _home(cls, path: Path | None) -> Path | None:
        return path and path.expanduser()

    @field_validator(*TABLES)
    @classmethod
    def _names(cls, tables: tuple[Any, ...]) -> tuple[Any, ...]:
        names = [one.name for one in tables]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"the name {twice[0]!r} stands twice; give each its own")
        return tables

    @field_validator("timezone")
    @classmethod
    def _zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ValueError(f"no such time zone: {name}; write one like Asia/Shanghai") from error
        return name

    @field_validator("cadences")
    @classmethod
    def _cadences(cls, own: dict[str, str]) -> dict[str, str]:
        from ingest.rings import CADENCES, cadence

        for name, text in own.items():
            if name in CADENCES:
                raise ValueError(f"{name} is a country's cadence; give yours another name")
            cadence(text)
        return own

    @field_validator("cadence")
    @classmethod
    def _cadence(cls, name: str, told: ValidationInfo) -> str:
        from ingest.rings import CADENCES

        known = {*CADENCES, *told.data.get("cadences", (name,))}  # where those are at fault, that is said of them
        if name not in known:
            raise ValueError(f"no such cadence: {name}; known are {', '.join(sorted(known))}")
        return name

    @model_validator(mode="after")
    def _pair(self) -> Settings:
        if (self.tls_cert is None) != (self.tls_key is None):
            raise ValueError("tls_cert and tls_key: belong together; set both or none")
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments win over variables, variables over the file."""
        path = settings_file()
        return init_settings, env_settings, *([TomlConfigSettingsSource(settings_cls, path)] if path else [])

    @property
    def rhythm(self) -> str:
        """The site's cadence as the folds and facts take it: a country, or seconds and tone."""
        return self.cadences.get(self.cadence, self.cadence)

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)

    @property
    def spool(self) -> Path:
        """The demo has one of its own: what it plays must never be carried to a site that takes over its ports."""
        return self.data / ("spool-demo" if self.site == "demo" else "spool")

    @property
    def recordings_folder(self) -> Path:
        return self.recordings.expanduser() if self.recordings else self.data / "recordings"

    @property
    def shared_spool(self) -> Path | None:
        """Where the site's machines find one another's spool files; the demo has one machine."""
        return self.handover / self.site if self.handover is not None and self.site != "demo" else None

    @property
    def machine_name(self) -> str:
        """What this machine's folder below the shared one is called."""
        name = self.machine or "".join(one if one.isascii() and one.isalnum() else "-" for one in socket.gethostname())
        return name.strip("-") or "machine"

    @property
    def lacking_to_share(self) -> list[str]:
        """Why this machine cannot work with others: one letter for each thing that is missing."""
        if self.shared_spool is None:
            return []
        told = {
            "database_url": (
                self.database_url,
                "machines that hand over need one database, and the embedded one serves one machine",
            ),
            "recordings": (self.recordings, "any machine may have to write a recording; name a folder that all share"),
        }
        return [
            f"{name}: {what}; set {PREFIX}{name.upper()}, or unset {PREFIX}HANDOVER"
            for name, (value, what) in told.items()
            if not value
        ]

    @property
    def lacking_to_record(self) -> list[str]:
        """Why no call may be recorded here yet: one letter for each thing that is missing. The demo needs nothing."""
        if self.site == "demo":
            return []
        told = {
            "announcement": (self.announcement, "what callers are told about the recording is not set"),
            "retention_days": (self.retention_days, "how long recordings are kept is not set"),
        }
        return [
            f"{name}: {what}, so nothing is recorded; set {PREFIX}{name.upper()}, or run `seatwatch init`"
            for name, (value, what) in told.items()
            if not value
        ]

    @cached_property
    def secret(self) -> bytes:
        """The key that signs AudioSocket UUIDs and stream tokens. Where none is named, it is made at first use, mode
        0600; one that is named is shared by machines, and making another one would part them."""
        if self.token_key is not None:
            return _key(self.token_key)
        path = self.data / "secrets" / "token.key"
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            fresh = path.with_suffix(f".{os.getpid()}")
            fresh.touch(mode=0o600)
            fresh.write_bytes(secrets.token_bytes(32))
            try:
                os.link(fresh, path)  # the first of several processes wins
            except FileExistsError:
                fresh.unlink()
                return path.read_bytes()
            fresh.unlink()
        return path.read_bytes()

    def shown(self) -> dict[str, Any]:
        """All values as text, secrets only as «set» or «not set»."""
        shown: dict[str, Any] = {}
        for name in type(self).model_fields:
            value = getattr(self, name)
            if name in ("database_url", "source_key"):
                value = "set" if value else "not set"
            elif name == "cadences":
                value = ", ".join(value) or None
            elif name == "watch":
                value = value and value.folder
            elif name == "siprec":
                value = value and value.shown()
            elif name == "sources":
                value = "; ".join(one.shown() for one in value) or None
            elif name in TABLES:
                value = ", ".join(one.name for one in value) or None
            shown[name] = value if isinstance(value, bool | int | str) or value is None else str(value)
        return shown


def _key(path: Path) -> bytes:
    try:
        key = path.read_bytes()
    except OSError as error:
        raise SettingsError(
            [f"token_key: {path}: {error.strerror}; copy secrets/token.key of the first machine's data folder there"]
        ) from None
    if len(key) < 16:
        raise SettingsError([f"token_key: {path}: has {len(key)} bytes; it needs at least 16 random ones"])
    return key


def settings_target() -> Path:
    """Where settings are written: the file that is named or in force, else seatwatch.toml in this folder."""
    return (_named() or settings_file() or Path("seatwatch.toml")).resolve()


def _named() -> Path | None:
    named = os.environ.get(PREFIX + "SETTINGS")
    return Path(named) if named else None


def settings_file() -> Path | None:
    """SEATWATCH_SETTINGS, else seatwatch.toml in this folder or in ~/.config/seatwatch; None where there is none."""
    if named := _named():
        return named if named.is_file() else None
    home = Path(os.environ.get("XDG_CONFIG_HOME") or "~/.config").expanduser() / "seatwatch" / "seatwatch.toml"
    return next((path for path in (Path("seatwatch.toml"), home) if path.is_file()), None)


def _unknown() -> list[str]:
    known = {PREFIX + name.upper() for name in Settings.model_fields} | {PREFIX + "SETTINGS"}
    strange = sorted(name for name in os.environ if name.startswith(PREFIX) and name not in known)
    return [f"{name}: no such setting; `seatwatch doctor` lists them all" for name in strange]


def _says(fault: Any) -> str:
    if fault["type"] == "extra_forbidden":
        return "no such setting; `seatwatch doctor` lists them all"
    told: str = fault["msg"]
    return told.removeprefix("Value error, ")


def _lacking_file(to_be_written: bool) -> list[str]:
    """What is wrong with the file that SEATWATCH_SETTINGS names; one that is to be written needs its folder only."""
    named = _named()
    if named is None or named.is_file():
        return []
    if named.exists():
        return [f"SEATWATCH_SETTINGS: {named} is no file; name a TOML file or unset it"]
    if not to_be_written:
        return [f"SEATWATCH_SETTINGS: no file {named}; name an existing TOML file or unset it"]
    if not named.parent.is_dir():
        return [f"SEATWATCH_SETTINGS: {named} cannot be written, there is no folder {named.parent}; make it first"]
    return []


def load_settings(*, to_be_written: bool = False, **given: Any) -> Settings:
    """Settings from file, variables and arguments; raises SettingsError with all faults at once. *to_be_written*: the
    file that SEATWATCH_SETTINGS names may not be there yet."""
    faults = [*_unknown(), *_lacking_file(to_be_written)]
    try:
        settings = Settings(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        faults += [f"{'.'.join(map(str, one['loc']))}: {_says(one)}" for one in error.errors()]
        raise SettingsError(faults) from None
    except ValueError as error:  # a TOML file that is no TOML
        raise SettingsError([*faults, f"{settings_file()}: {error}; mend the file"]) from None
    if faults:
        raise SettingsError(faults)
    return settings
