"""The tables of the settings file: who sends to ingest, and what ingest connects to. Values only; opens nothing."""

from __future__ import annotations

from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from ingest.ami_names import AmiConfig
from ingest.ari import AriConfig
from ingest.siprec import RoleRule
from ingest.siprec_config import SiprecConfig
from ingest.sources import ANY, WAYS, Network, Source, Sources


def _network(text: str) -> str:
    try:
        ip_network(text)
    except ValueError as error:
        raise ValueError(f"{text!r} is no network ({error}); write one like 10.1.0.0/16 or a single address") from None
    return text


NetworkText = Annotated[str, AfterValidator(_network)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,31}$")]
Way = Literal["events", "stream", "audiohook", "media-stream", "pcm", "siprec"]


class Table(BaseModel):
    """What all tables share: unknown keys are faults, values stay as they were read."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    def shown(self) -> str:
        """What was set otherwise than usual, for people; of a secret only that it is set."""
        told = {name: getattr(self, name) for name in type(self).model_fields if name in self.model_fields_set}
        title = told.pop("name", None)
        says = ", ".join(f"{name} {_plain(value)}" for name, value in told.items() if value != ())
        return f"{title} ({says})" if title and says else title or says or "as usual"


def _plain(value: object) -> str:
    if isinstance(value, SecretStr):
        return "set"
    if isinstance(value, tuple):
        return " ".join(dict.fromkeys(_plain(one) for one in value))
    if isinstance(value, Table):
        return "/".join(_plain(getattr(value, name)) for name in type(value).model_fields)
    return str(value).lower() if isinstance(value, bool) else str(value)


class SourceTable(Table):
    """One ``[[sources]]``: a sender, its keys, and what it may do."""

    name: Name = Field(description="what its events carry as source")
    keys: tuple[SecretStr, ...] = Field((), description="any of them is good: hand out the new one before the old goes")
    secret: SecretStr | None = Field(None, description="AudioHook's client secret (base64) or Twilio's auth token")
    ways: tuple[Way, ...] = Field((), description="what it may use; none = all")
    networks: tuple[NetworkText, ...] = Field((), description="addresses it sends from; none = any")
    legs: int = Field(1000, ge=1, description="legs at once")
    events_per_second: int = Field(500, ge=1, description="events a second, sustained")
    inbound_role: Literal["customer", "agent"] = Field(
        "customer", description="who speaks on the inbound track of its media streams, where they do not say"
    )
    calls: str = Field("", max_length=64, description="it may speak of calls whose names begin so; empty = of any")
    call_token: bool = Field(True, description="its media streams need the call's own token beside the signature")

    @model_validator(mode="after")
    def _long_enough(self) -> SourceTable:
        if any(len(key.get_secret_value()) < 16 for key in self.keys):
            raise ValueError("keys: one is shorter than 16 characters; make one with `openssl rand -hex 16`")
        return self

    def source(self) -> Source:
        return Source(
            name=self.name,
            keys=tuple(key.get_secret_value() for key in self.keys),
            secret=self.secret.get_secret_value() if self.secret else None,
            ways=frozenset(self.ways or WAYS),
            networks=networks(self.networks),
            legs=self.legs,
            events_per_second=self.events_per_second,
            inbound_role=self.inbound_role,
            call_token=self.call_token,
            calls=self.calls,
        )


class PbxTable(Table):
    """One ``[[pbx]]``: an Asterisk that ingest logs in to."""

    name: Name = Field(description="prefix of its calls' names")
    host: str = Field("127.0.0.1", description="where its manager interface is")
    ami_port: int = Field(5038, ge=1, le=65535)
    ami_user: str
    ami_secret: SecretStr
    ami_tls: bool = Field(False, description="the manager interface speaks TLS")
    ari_url: str | None = Field(None, description="http://HOST:8088; absent = no audio is tapped")
    ari_user: str | None = None
    ari_secret: SecretStr | None = None
    ari_app: Name = Field("seatwatch", description="name of our Stasis application")
    ari_connection: Name | None = Field(None, description="section of its websocket_client.conf: taps come to /pcm")
    media_host: str | None = Field(None, description="our address as the switchboard sees it; absent = `host`")
    seats: dict[str, str] = Field(default_factory=dict, description="extension or interface = seat; none = as they are")
    queues: tuple[str, ...] = Field((), description="queues that are watched; none = all")
    wrap_up_seconds: int = Field(0, ge=0, description="wrap-up that is assumed after a call (inferred, never judged)")
    members_are_agents: bool = Field(True, description="a queue member's name names the person; else a roster does")
    queue_log: Path | None = Field(None, description="its queue_log, to fill what was missed while we were away")

    @model_validator(mode="after")
    def _whole(self) -> PbxTable:
        if self.ari_url and not (self.ari_user and self.ari_secret):
            raise ValueError("ari_url: needs ari_user and ari_secret beside it")
        return self

    def ami(self) -> AmiConfig:
        return AmiConfig(
            pbx=self.name, host=self.host, port=self.ami_port, user=self.ami_user, tls=self.ami_tls,
            secret=self.ami_secret.get_secret_value(), seats=self.seats, queues=self.queues,
            wrap_up_seconds=self.wrap_up_seconds, members_are_agents=self.members_are_agents,
            queue_log=str(self.queue_log) if self.queue_log else None,
        )  # fmt: skip

    def ari(self, media_host: str, media_port: int) -> AriConfig | None:
        """None where nothing is to be tapped."""
        if not (self.ari_url and self.ari_user and self.ari_secret):
            return None
        secret = self.ari_secret.get_secret_value()
        return AriConfig(
            self.name, self.ari_url, self.ari_user, secret, self.ari_app, media_host, media_port,
            connection=self.ari_connection or "",
        )  # fmt: skip


class WatchTable(Table):
    """``[watch]``: a folder that another system drops recordings into."""

    folder: Path = Field(description="where recordings and their sidecars come")
    settle_seconds: float = Field(5, ge=0.1, le=3600, description="a file that has not grown for so long is complete")
    sidecar_seconds: float = Field(60, ge=0, le=86_400, description="so long it waits for its sidecar or other half")

    @field_validator("folder")
    @classmethod
    def _home(cls, folder: Path) -> Path:
        return folder.expanduser()


class RoleTable(Table):
    """One ``[[siprec.roles]]``: which party of a recorded session is the seat."""

    by: Literal["aor", "label", "place"]
    pattern: str = Field(min_length=1, max_length=200, description="with * and ?")
    role: Literal["agent", "customer"] = "agent"


class SiprecTable(Table):
    """``[siprec]``: the recording server that border controllers fork their calls to."""

    source: Name = Field("siprec", description="what its events carry as source, and the begin of its calls' names")
    host: str = Field("127.0.0.1", description="address it listens on")
    port: int = Field(5070, ge=0, le=65535, description="SIP, UDP and TCP")
    rtp_ports: tuple[int, int] = Field((40000, 40399), description="first and last port of its streams")
    advertise: str | None = Field(None, description="our address as recording clients reach it; absent = host")
    networks: tuple[NetworkText, ...] = Field(("127.0.0.0/8", "::1/128"), description="who may send recordings")
    roles: tuple[RoleTable, ...] = Field((), description="who is the seat; the first that fits")
    silence_seconds: float = Field(60, ge=1, le=86_400, description="a session without a packet for longer is hung up")
    longest_seconds: float = Field(14_400, ge=60, le=86_400, description="so is one that lasts longer")
    sessions: int = Field(200, ge=1, le=10_000, description="sessions at a time; one more is answered with 503")
    connections: int = Field(200, ge=1, le=10_000, description="TCP connections at a time")

    @model_validator(mode="after")
    def _whole(self) -> SiprecTable:
        self.config()  # says itself what is wrong
        return self

    def config(self) -> SiprecConfig:
        rules = tuple(RoleRule(one.by, one.pattern, one.role) for one in self.roles)
        return SiprecConfig(
            source=self.source, host=self.host, port=self.port, rtp_ports=self.rtp_ports, advertise=self.advertise,
            networks=networks(self.networks), roles=rules, silence_seconds=self.silence_seconds,
            longest_seconds=self.longest_seconds, sessions=self.sessions, connections=self.connections,
        )  # fmt: skip


def networks(texts: tuple[str, ...]) -> tuple[Network, ...]:
    return tuple(ip_network(one) for one in texts)


def sources(tables: tuple[SourceTable, ...], key: SecretStr | None) -> Sources:
    """Everybody who may send: the tables, and the one key that may write as any source."""
    known = [one.source() for one in tables]
    return Sources([*known, *([Source(ANY, (key.get_secret_value(),))] if key else [])])
