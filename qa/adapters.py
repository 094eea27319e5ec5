"""Which protocols and switchboards one ingest process has, from the settings. Makes them; opens nothing."""

from __future__ import annotations

from collections.abc import Callable

from ingest.shell.audiohook_socket import AudioHookConfig, AudioHookWay
from ingest.shell.core import Core
from ingest.shell.pcm_socket import PcmWay
from ingest.shell.server import Way
from ingest.shell.service import Part
from ingest.shell.siprec_server import siprec_part
from ingest.shell.switchboard import Switchboard
from ingest.shell.twilio_socket import MediaStreamConfig, MediaStreamWay
from ingest.sources import Sources
from qa.connections import PbxTable
from qa.settings import Settings

MakeWay = Callable[[Core, Sources], Way]
MakePart = Callable[[Core, Sources], Part]


def ways(settings: Settings) -> tuple[MakeWay, ...]:
    """What speaks on the HTTP port beside /events and /stream."""
    hook, media = AudioHookConfig(_public(settings, "audiohook")), MediaStreamConfig(_public(settings, "media-stream"))
    return (
        lambda core, sources: AudioHookWay(core, sources, hook),
        lambda core, sources: MediaStreamWay(core, sources, media),
        PcmWay,
    )


def parts(settings: Settings) -> tuple[MakePart, ...]:
    """What has ports of its own, or calls out. One process of a machine runs them."""
    siprec = (siprec_part(settings.siprec.config()),) if settings.siprec else ()
    return *siprec, *(_switchboard(settings, pbx) for pbx in settings.pbx)


def _switchboard(settings: Settings, pbx: PbxTable) -> MakePart:
    secret = settings.secret
    ami, ari = pbx.ami(), pbx.ari(pbx.media_host or settings.host, settings.audiosocket_port)
    return lambda core, sources: Switchboard(core, secret, ami, ari)


def _public(settings: Settings, way: str) -> str | None:
    return f"{settings.public_url.rstrip('/')}/{way}" if settings.public_url else None
